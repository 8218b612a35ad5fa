"""Tools for development: nothing of this is part of the product."""
