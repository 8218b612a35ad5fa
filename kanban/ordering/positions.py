"""Places in a short order, of which every member is at hand."""

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
    """How many of the others will stand above what is moved. All are named by their ids; one wish is given.

    Raises SelfReference and UnknownReference for the neighbour, ValueError without a wish.
    """
    if position is not None:
        return 0 if position == "top" else len(others)
    field, neighbour = ("before", before) if before is not None else ("after", after)
    if neighbour is None:
        raise ValueError("One of before, after and position must be given.")
    if neighbour == moved_id:
        raise SelfReference(field)
    if neighbour not in others:
        raise UnknownReference(field)
    return others.index(neighbour) + (field == "after")
