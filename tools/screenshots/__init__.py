"""Take screenshots of the page for the documentation."""
