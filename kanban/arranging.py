"""Many things put in order at once: the lists of a board, the cards of a list.

Of several ways to the same order the one that moves the fewest is taken. What does not move keeps its rank, and so does
what is archived or deleted: it comes back beside what it stood beside.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from kanban import ranks
from kanban.errors import StaleOrder, TooManyMoves, quoted
from kanban.places import with_bounds
from kanban.record import record
from kanban.text import folded
from kanban.values import Act, BoardView, Card, Change, EventData, List, Placed

MOST_MOVES = 90
"""Cards that get another place in one commit, so that it fits into every engine."""

SortKey = Literal["created_at", "updated_at", "due_at", "title"]
Direction = Literal["asc", "desc"]
Key = str | float | None


@dataclass(frozen=True, slots=True)
class Moves:
    """New ranks by id, in their order, and how many things are not in their places yet."""

    ranks: Mapping[str, str]
    remaining: int


def fewest_moves(there: Sequence[tuple[str, str]], wanted: Sequence[str], most: int) -> Moves:
    """The new ranks that bring what is wanted in that order, at most so many of them.

    `there` are all ids with their ranks, in order; `wanted` are some of these ids, in another order. No new rank is one
    that anything has by now.
    """
    places = {each: number for number, (each, _) in enumerate(there)}
    taken = [rank for _, rank in there]
    staying = _longest_rise([places[each] for each in wanted])
    moving = [each for each in wanted if places[each] not in staying]
    now = set(moving[:most])
    found: dict[str, str] = {}
    for above, run in _runs([each for each in wanted if places[each] in staying or each in now], now):
        rank = taken[places[above]] if above is not None else ""
        beyond = bisect_right(taken, rank) if rank else 0
        below = taken[beyond] if beyond < len(taken) else ""
        found |= zip(run, ranks.spread(rank, below, len(run)), strict=True)
    return Moves(found, len(moving) - len(now))


def order_lists(view: BoardView, list_ids: Sequence[str], act: Act) -> tuple[Sequence[List], Change | None]:
    """The lists of the board in that order; it names each one that is not archived. Raises StaleOrder."""
    shown = {each.id: each for each in view.lists if each.archived_at is None}
    if sorted(list_ids) != sorted(shown):
        raise StaleOrder("the lists of this board")
    moved = fewest_moves([(each.id, each.rank) for each in view.lists], list_ids, len(list_ids)).ranks
    if not moved:
        return [shown[each] for each in list_ids], None
    written = {each: _moved_list(shown[each], rank, act) for each, rank in moved.items()}
    if any(len(rank) > ranks.LONGEST for rank in moved.values()):
        # All get short ranks below the present ones, so that no two ever have the same.
        fresh = ranks.following(view.lists[-1].rank, len(view.lists))
        there = [written.get(each.id, each) for each in _with_archived(view.lists, [shown[each] for each in list_ids])]
        written = {each.id: replace(each, rank=rank) for each, rank in zip(there, fresh, strict=True)}
    data: EventData = {"list_ids": list(moved)}
    change = record(view, act, "board.reordered", updates=tuple(written.values()), data=data)
    return [written.get(each, shown[each]) for each in list_ids], change


def _with_archived(lists: Sequence[List], shown: Sequence[List]) -> list[List]:
    """The lists that are shown, in their new order, each followed by the archived ones that it is followed by now."""
    followers: dict[str, list[List]] = {"": []}
    last = ""
    for each in lists:
        if each.archived_at is None:
            last = each.id
            followers[last] = []
        else:
            followers[last].append(each)
    return [*followers[""], *(one for each in shown for one in (each, *followers[each.id]))]


def order_cards(
    view: BoardView, list_id: str, there: Sequence[Placed], card_ids: Sequence[str], act: Act
) -> tuple[List, Change | None]:
    """The list with its cards in that order; it names each one that is not hidden.

    `there` are the places of all its cards. Raises StaleOrder, TooManyMoves.
    """
    home = view.list(list_id)
    if sorted(card_ids) != sorted(each.card_id for each in there if not each.hidden):
        raise StaleOrder(f"the cards of list {quoted(home.name)}")
    moves = _moves(there, card_ids, len(card_ids))
    if len(moves.ranks) > MOST_MOVES:
        raise TooManyMoves(len(moves.ranks), MOST_MOVES)
    return _arranged(view, home, moves, act, kind="list.reordered", data={})


def sort_cards(
    view: BoardView,
    list_id: str,
    there: Sequence[Placed],
    keys: Mapping[str, Key],
    act: Act,
    *,
    by: SortKey,
    direction: Direction = "asc",
) -> tuple[Moves, Change | None]:
    """Bring the cards of the list, whose `keys` are given by id, nearer to that order, in one step.

    `there` are the places of all its cards. Cards whose key is None come last.
    """
    shown = [each.card_id for each in there if not each.hidden and each.card_id in keys]
    first = sorted(
        (each for each in shown if keys[each] is not None),
        key=lambda each: (keys[each],),
        reverse=direction == "desc",
    )
    moves = _moves(there, [*first, *(each for each in shown if keys[each] is None)], MOST_MOVES)
    data: EventData = {"by": by, "direction": direction}
    _, change = _arranged(view, view.list(list_id), moves, act, kind="list.sorted", data=data)
    return moves, change


def key_of(card: Card, by: SortKey) -> Key:
    """What a card is sorted by; None for one that has no such thing."""
    if by == "title":
        return folded(card.title)
    moment = {"created_at": card.created_at, "updated_at": card.updated_at, "due_at": card.due_at}[by]
    return moment.timestamp() if moment else None


def _moved_list(old: List, rank: str, act: Act) -> List:
    return replace(old, rank=rank, version=old.version + 1, updated_at=act.at)


def _moves(there: Sequence[Placed], wanted: Sequence[str], most: int) -> Moves:
    return fewest_moves([(each.card_id, each.rank) for each in there], wanted, most)


def _arranged(
    view: BoardView, home: List, moves: Moves, act: Act, *, kind: str, data: EventData
) -> tuple[List, Change | None]:
    if not moves.ranks:
        return home, None
    for rank in moves.ranks.values():
        home = with_bounds(home, rank)
    change = record(
        view,
        act,
        kind,
        updates=(home,),
        list_id=home.id,
        data={**data, "card_ids": list(moves.ranks)},
        places=tuple(Placed(each, home.id, rank) for each, rank in moves.ranks.items()),
        rebalance=home.id if any(len(rank) > ranks.LONGEST for rank in moves.ranks.values()) else None,
    )
    return home, change


def _longest_rise(numbers: Sequence[int]) -> set[int]:
    """A longest selection of the numbers, which are all different, that rises in their order."""
    ends: list[int] = []
    """The smallest number that a rise of each length can end with."""
    before: dict[int, int | None] = {}
    for number in numbers:
        length = bisect_left(ends, number)
        before[number] = ends[length - 1] if length else None
        ends[length : length + 1] = [number]
    found: set[int] = set()
    last = ends[-1] if ends else None
    while last is not None:
        found.add(last)
        last = before[last]
    return found


def _runs(order: Sequence[str], moving: set[str]) -> Iterator[tuple[str | None, list[str]]]:
    """Those that move, as they follow one another, each run with the one above it that stays."""
    above: str | None = None
    run: list[str] = []
    for each in order:
        if each in moving:
            run.append(each)
            continue
        if run:
            yield above, run
        above, run = each, []
    if run:
        yield above, run
