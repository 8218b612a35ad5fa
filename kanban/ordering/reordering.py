"""Many things put in order at once: the lists of a board, the cards of a list.

Of several ways to the same order the one that moves the fewest is taken. What does not move keeps its rank, and so does
what is archived or deleted: it comes back beside what it stood beside.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from kanban.changes import ActionContext, Change, build_change
from kanban.errors import Conflict, quote_name
from kanban.ordering import ranks
from kanban.ordering.list_capacity import with_rank
from kanban.text import fold
from kanban.values import Card, CardRank, EventData, List
from kanban.views import BoardView

MAX_MOVES = 90
"""Cards that get another place in one commit, so that it fits into every engine."""

SortField = Literal["created_at", "updated_at", "due_at", "title"]
Direction = Literal["asc", "desc"]
SortValue = str | float | None


class StaleOrder(Conflict):
    """Raised when an order names other things than there are."""

    code = "stale_order"

    def __init__(self, expected: str) -> None:
        """Take what the order must name: 'the lists of this board' or 'the cards of list …'."""
        super().__init__(f"These are not exactly {expected}: read them again.")


class TooManyMoves(Conflict):
    """Raised when an order differs too much from the present one for one request."""

    code = "too_many_moves"

    def __init__(self, moves: int, maximum: int) -> None:
        """Take the least number of cards that would move, and the number allowed."""
        super().__init__(
            f"This order would move {moves} cards, and one request moves at most {maximum}: go there in steps."
        )


@dataclass(frozen=True, slots=True)
class Moves:
    """New ranks by id, in their order, and how many things are not in their places yet."""

    ranks: Mapping[str, str]
    remaining: int


def plan_fewest_moves(current: Sequence[tuple[str, str]], order: Sequence[str], max_moves: int) -> Moves:
    """The new ranks that bring what is wanted in that order, at most so many of them.

    `there` are all ids with their ranks, in order; `wanted` are some of these ids, in another order. No new rank is one
    that anything has by now.
    """
    places = {each: number for number, (each, _) in enumerate(current)}
    taken = [rank for _, rank in current]
    staying = _find_longest_increasing_subsequence([places[each] for each in order])
    moving = [each for each in order if places[each] not in staying]
    now = set(moving[:max_moves])
    found: dict[str, str] = {}
    for above, run in _group_into_runs([each for each in order if places[each] in staying or each in now], now):
        rank = taken[places[above]] if above is not None else ""
        beyond = bisect_right(taken, rank) if rank else 0
        below = taken[beyond] if beyond < len(taken) else ""
        found |= zip(run, ranks.sequence_between(rank, below, len(run)), strict=True)
    return Moves(found, len(moving) - len(now))


def reorder_lists(
    view: BoardView, list_ids: Sequence[str], context: ActionContext
) -> tuple[Sequence[List], Change | None]:
    """The lists of the board in that order; it names each one that is not archived. Raises StaleOrder."""
    shown = {each.id: each for each in view.lists if each.archived_at is None}
    if sorted(list_ids) != sorted(shown):
        raise StaleOrder("the lists of this board")
    moved = plan_fewest_moves([(each.id, each.rank) for each in view.lists], list_ids, len(list_ids)).ranks
    if not moved:
        return [shown[each] for each in list_ids], None
    written = {each: _rerank_list(shown[each], rank, context) for each, rank in moved.items()}
    if any(len(rank) > ranks.MAX_RANK_LENGTH for rank in moved.values()):
        # All get short ranks below the present ones, so that no two ever have the same.
        fresh = ranks.sequence_after(view.lists[-1].rank, len(view.lists))
        there = [
            written.get(each.id, each) for each in _insert_archived(view.lists, [shown[each] for each in list_ids])
        ]
        written = {each.id: replace(each, rank=rank) for each, rank in zip(there, fresh, strict=True)}
    data: EventData = {"list_ids": list(moved)}
    change = build_change(view, context, "board.reordered", updates=tuple(written.values()), data=data)
    return [written.get(each, shown[each]) for each in list_ids], change


def _insert_archived(lists: Sequence[List], ordered: Sequence[List]) -> list[List]:
    """The lists that are shown, in their new order, each followed by the archived ones that it is followed by now."""
    followers: dict[str, list[List]] = {"": []}
    last = ""
    for each in lists:
        if each.archived_at is None:
            last = each.id
            followers[last] = []
        else:
            followers[last].append(each)
    return [*followers[""], *(one for each in ordered for one in (each, *followers[each.id]))]


def reorder_cards(
    view: BoardView, list_id: str, current: Sequence[CardRank], card_ids: Sequence[str], context: ActionContext
) -> tuple[List, Change | None]:
    """The list with its cards in that order; it names each one that is not hidden.

    `there` are the places of all its cards. Raises StaleOrder, TooManyMoves.
    """
    home = view.get_list(list_id)
    if sorted(card_ids) != sorted(each.card_id for each in current if not each.is_hidden):
        raise StaleOrder(f"the cards of list {quote_name(home.name)}")
    moves = _plan_card_moves(current, card_ids, len(card_ids))
    if len(moves.ranks) > MAX_MOVES:
        raise TooManyMoves(len(moves.ranks), MAX_MOVES)
    return _apply_moves(view, home, moves, context, event_type="list.reordered", data={})


def sort_cards(
    view: BoardView,
    list_id: str,
    current: Sequence[CardRank],
    sort_values: Mapping[str, SortValue],
    context: ActionContext,
    *,
    by: SortField,
    direction: Direction = "asc",
) -> tuple[Moves, Change | None]:
    """Bring the cards of the list, whose `keys` are given by id, nearer to that order, in one step.

    `there` are the places of all its cards. Cards whose key is None come last.
    """
    shown = [each.card_id for each in current if not each.is_hidden and each.card_id in sort_values]
    first = sorted(
        (each for each in shown if sort_values[each] is not None),
        key=lambda each: (sort_values[each],),
        reverse=direction == "desc",
    )
    moves = _plan_card_moves(current, [*first, *(each for each in shown if sort_values[each] is None)], MAX_MOVES)
    data: EventData = {"by": by, "direction": direction}
    _, change = _apply_moves(view, view.get_list(list_id), moves, context, event_type="list.sorted", data=data)
    return moves, change


def get_sort_value(card: Card, by: SortField) -> SortValue:
    """What a card is sorted by; None for one that has no such thing."""
    if by == "title":
        return fold(card.title)
    moment = {"created_at": card.created_at, "updated_at": card.updated_at, "due_at": card.due_at}[by]
    return moment.timestamp() if moment else None


def _rerank_list(list_: List, rank: str, context: ActionContext) -> List:
    return replace(list_, rank=rank, version=list_.version + 1, updated_at=context.at)


def _plan_card_moves(current: Sequence[CardRank], order: Sequence[str], max_moves: int) -> Moves:
    return plan_fewest_moves([(each.card_id, each.rank) for each in current], order, max_moves)


def _apply_moves(
    view: BoardView, list_: List, moves: Moves, context: ActionContext, *, event_type: str, data: EventData
) -> tuple[List, Change | None]:
    if not moves.ranks:
        return list_, None
    for rank in moves.ranks.values():
        list_ = with_rank(list_, rank)
    change = build_change(
        view,
        context,
        event_type,
        updates=(list_,),
        list_id=list_.id,
        data={**data, "card_ids": list(moves.ranks)},
        card_ranks=tuple(CardRank(each, list_.id, rank) for each, rank in moves.ranks.items()),
        rebalance_list_id=list_.id if any(len(rank) > ranks.MAX_RANK_LENGTH for rank in moves.ranks.values()) else None,
    )
    return list_, change


def _find_longest_increasing_subsequence(numbers: Sequence[int]) -> set[int]:
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


def _group_into_runs(order: Sequence[str], moving_ids: set[str]) -> Iterator[tuple[str | None, list[str]]]:
    """Those that move, as they follow one another, each run with the one above it that stays."""
    above: str | None = None
    run: list[str] = []
    for each in order:
        if each in moving_ids:
            run.append(each)
            continue
        if run:
            yield above, run
        above, run = each, []
    if run:
        yield above, run
