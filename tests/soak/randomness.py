"""Chance that is the same in every run."""

import random


def seeded_random(*what: object) -> random.Random:
    """The same chances for the same names and numbers."""
    return random.Random(repr(what))  # noqa: S311 - nothing is hidden here: a run is to be had again.
