"""Random numbers that are the same in every run."""

import random


def seeded_random(*what: object) -> random.Random:
    """Return a random number generator that is seeded with names and numbers."""
    return random.Random(repr(what))  # noqa: S311 - nothing is secret here: a run must be repeatable
