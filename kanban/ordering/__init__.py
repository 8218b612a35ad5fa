"""Ordering: ranks, positions, the capacity of lists, reordering."""
