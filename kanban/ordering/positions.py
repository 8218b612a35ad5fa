"""Positions in a short sequence of which every member is known."""

from collections.abc import Sequence

from kanban.errors import SelfReference, UnknownReference
from kanban.ordering.list_capacity import ListEnd


def find_index(
    others: Sequence[str],
    moved_id: str,
    *,
    before: str | None = None,
    after: str | None = None,
    position: ListEnd | None = None,
) -> int:
    """Return how many of the others will stand above the moved thing.

    All things are named by their ids. Exactly one of `before`, `after` and `position` is given.

    Raises SelfReference and UnknownReference for the neighbour, ValueError if none of the three is given.
    """
    if position is not None:
        return 0 if position == "top" else len(others)
    field, neighbour_id = ("before", before) if before is not None else ("after", after)
    if neighbour_id is None:
        raise ValueError("One of before, after and position must be given.")
    if neighbour_id == moved_id:
        raise SelfReference(field)
    if neighbour_id not in others:
        raise UnknownReference(field)
    return others.index(neighbour_id) + (field == "after")
