"""Positions in a sequence whose members are all known, such as the lists of a board."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from kanban.errors import SelfReference, UnknownReference
from kanban.ordering import ranks
from kanban.values import Checklist, End, List

Ranked = TypeVar("Ranked", List, Checklist)


def find_index(
    others: Sequence[str],
    moved_id: str,
    *,
    before: str | None = None,
    after: str | None = None,
    position: End | None = None,
) -> int:
    """Return the index at which the moved thing belongs among the others.

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


def assign_rank(moved: Ranked, others: Sequence[Ranked], index: int) -> tuple[Ranked, list[Ranked]]:
    """Return the moved thing with a rank for that index among the others, and the others that need new ranks for it.

    Usually no other does. If the rank would be longer than MAX_RANK_LENGTH, the others between the index and the nearer
    end get short ranks: at most half of them, because those of the largest checklists of a card, each written with all
    of its items, would not fit into one commit of every engine.
    """
    above, below = others[:index], others[index:]
    rank = ranks.between(above[-1].rank if above else "", below[0].rank if below else "")
    if len(rank) <= ranks.MAX_RANK_LENGTH:
        return replace(moved, rank=rank), []
    # The new ranks lie beyond all present ones, so that no two things ever have the same.
    used_ranks = sorted([moved.rank, *(other.rank for other in others)])
    if len(above) < len(below):
        *new_ranks, rank = ranks.sequence_before(used_ranks[0], len(above) + 1)
        displaced = above
    else:
        rank, *new_ranks = ranks.sequence_after(used_ranks[-1], len(below) + 1)
        displaced = below
    return replace(moved, rank=rank), [
        replace(other, rank=new_rank) for other, new_rank in zip(displaced, new_ranks, strict=True)
    ]
