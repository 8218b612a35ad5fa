"""Order: ranks, positions, the room in lists, reordering."""
