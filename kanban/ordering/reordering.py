"""Put many things in order at once: the lists of a board, the cards of a list.

A reordering moves as few things as possible. All others keep their ranks, archived and deleted things included, so that
these return next to their old neighbours.
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
"""Cards that change position in one commit, so that it fits into every engine."""

SortField = Literal["created_at", "updated_at", "due_at", "title"]
Direction = Literal["asc", "desc"]
SortValue = str | float | None


class StaleOrder(Conflict):
    """Raised when a requested order does not name exactly the things that exist."""

    code = "stale_order"

    def __init__(self, expected: str) -> None:
        """Take what the order must name: 'the lists of this board' or 'the cards of list …'."""
        super().__init__(f"These are not exactly {expected}: read them again.")


class TooManyMoves(Conflict):
    """Raised when a requested order would move more cards than one request may."""

    code = "too_many_moves"

    def __init__(self, moves: int, maximum: int) -> None:
        """Take the least number of cards that would move, and the number allowed."""
        super().__init__(
            f"This order would move {moves} cards, and one request moves at most {maximum}: "
            "reorder the list in several steps."
        )


@dataclass(frozen=True, slots=True)
class Moves:
    """New ranks by id, in their order, and the number of things that are not yet in their final position."""

    ranks: Mapping[str, str]
    remaining: int


def plan_fewest_moves(current: Sequence[tuple[str, str]], order: Sequence[str], max_moves: int) -> Moves:
    """Return the new ranks that bring the ids into `order`, at most `max_moves` of them.

    `current` holds all ids with their ranks, in order; `order` names some of these ids in another order. A new rank
    never equals one that is in use.
    """
    indexes = {item_id: number for number, (item_id, _) in enumerate(current)}
    current_ranks = [rank for _, rank in current]
    staying_indexes = _find_longest_increasing_subsequence([indexes[item_id] for item_id in order])
    moving_ids = [item_id for item_id in order if indexes[item_id] not in staying_indexes]
    moving_now = set(moving_ids[:max_moves])
    new_ranks: dict[str, str] = {}
    for above, run in _group_into_runs(
        [item_id for item_id in order if indexes[item_id] in staying_indexes or item_id in moving_now], moving_now
    ):
        rank = current_ranks[indexes[above]] if above is not None else ""
        next_index = bisect_right(current_ranks, rank) if rank else 0
        below = current_ranks[next_index] if next_index < len(current_ranks) else ""
        new_ranks |= zip(run, ranks.sequence_between(rank, below, len(run)), strict=True)
    return Moves(new_ranks, len(moving_ids) - len(moving_now))


def reorder_lists(
    view: BoardView, list_ids: Sequence[str], context: ActionContext
) -> tuple[Sequence[List], Change | None]:
    """Put the board's lists into the order of `list_ids`, which names every list that is not archived.

    Raises StaleOrder.
    """
    active_lists = {list_.id: list_ for list_ in view.lists if list_.archived_at is None}
    if sorted(list_ids) != sorted(active_lists):
        raise StaleOrder("the lists of this board")
    new_ranks = plan_fewest_moves([(list_.id, list_.rank) for list_ in view.lists], list_ids, len(list_ids)).ranks
    if not new_ranks:
        return [active_lists[list_id] for list_id in list_ids], None
    changed_lists = {list_id: _rerank_list(active_lists[list_id], rank, context) for list_id, rank in new_ranks.items()}
    if any(len(rank) > ranks.MAX_RANK_LENGTH for rank in new_ranks.values()):
        # All lists get short ranks after the present ones, so that no two lists ever have the same rank.
        short_ranks = ranks.sequence_after(view.lists[-1].rank, len(view.lists))
        all_lists = [
            changed_lists.get(list_.id, list_)
            for list_ in _insert_archived(view.lists, [active_lists[list_id] for list_id in list_ids])
        ]
        changed_lists = {
            list_.id: replace(list_, rank=rank) for list_, rank in zip(all_lists, short_ranks, strict=True)
        }
    data: EventData = {"list_ids": list(new_ranks)}
    change = build_change(view, context, "board.reordered", updates=tuple(changed_lists.values()), data=data)
    return [changed_lists.get(list_id, active_lists[list_id]) for list_id in list_ids], change


def _insert_archived(lists: Sequence[List], ordered: Sequence[List]) -> list[List]:
    """Return the ordered lists, each followed by the archived lists that follow it today."""
    archived_after: dict[str, list[List]] = {"": []}
    last_active_id = ""
    for list_ in lists:
        if list_.archived_at is None:
            last_active_id = list_.id
            archived_after[last_active_id] = []
        else:
            archived_after[last_active_id].append(list_)
    result = [*archived_after[""]]
    for list_ in ordered:
        result += [list_, *archived_after[list_.id]]
    return result


def reorder_cards(
    view: BoardView, list_id: str, current: Sequence[CardRank], card_ids: Sequence[str], context: ActionContext
) -> tuple[List, Change | None]:
    """Put the cards of a list into the order of `card_ids`, which names every active card.

    `current` holds the ranks of all its cards. Raises StaleOrder, TooManyMoves.
    """
    list_ = view.get_list(list_id)
    if sorted(card_ids) != sorted(card_rank.card_id for card_rank in current if not card_rank.is_hidden):
        raise StaleOrder(f"the cards of list {quote_name(list_.name)}")
    moves = _plan_card_moves(current, card_ids, len(card_ids))
    if len(moves.ranks) > MAX_MOVES:
        raise TooManyMoves(len(moves.ranks), MAX_MOVES)
    return _apply_moves(view, list_, moves, context, event_type="list.reordered", data={})


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
    """Bring the cards of a list closer to a sort order, in one step of at most `MAX_MOVES` moves.

    `current` holds the ranks of all its cards, `sort_values` what to sort by, by card id. Cards whose value is None
    come last.
    """
    active_ids = [
        card_rank.card_id for card_rank in current if not card_rank.is_hidden and card_rank.card_id in sort_values
    ]
    with_value = sorted(
        (card_id for card_id in active_ids if sort_values[card_id] is not None),
        key=lambda card_id: (sort_values[card_id],),  # the tuple spares mypy the comparison of mixed types
        reverse=direction == "desc",
    )
    moves = _plan_card_moves(
        current, [*with_value, *(card_id for card_id in active_ids if sort_values[card_id] is None)], MAX_MOVES
    )
    data: EventData = {"by": by, "direction": direction}
    _, change = _apply_moves(view, view.get_list(list_id), moves, context, event_type="list.sorted", data=data)
    return moves, change


def get_sort_value(card: Card, by: SortField) -> SortValue:
    """Return what a card is sorted by; None if the card has no such value."""
    if by == "title":
        return fold(card.title)
    timestamp = {"created_at": card.created_at, "updated_at": card.updated_at, "due_at": card.due_at}[by]
    return timestamp.timestamp() if timestamp else None


def _rerank_list(list_: List, rank: str, context: ActionContext) -> List:
    return replace(list_, rank=rank, version=list_.version + 1, updated_at=context.at)


def _plan_card_moves(current: Sequence[CardRank], order: Sequence[str], max_moves: int) -> Moves:
    return plan_fewest_moves([(card_rank.card_id, card_rank.rank) for card_rank in current], order, max_moves)


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
        card_ranks=tuple(CardRank(card_id, list_.id, rank) for card_id, rank in moves.ranks.items()),
        rebalance_list_id=list_.id if any(len(rank) > ranks.MAX_RANK_LENGTH for rank in moves.ranks.values()) else None,
    )
    return list_, change


def _find_longest_increasing_subsequence(numbers: Sequence[int]) -> set[int]:
    """Return the numbers of a longest increasing subsequence. The numbers are all different."""
    smallest_ends: list[int] = []
    """The smallest number that an increasing subsequence of each length can end with."""
    predecessors: dict[int, int | None] = {}
    for number in numbers:
        length = bisect_left(smallest_ends, number)
        predecessors[number] = smallest_ends[length - 1] if length else None
        smallest_ends[length : length + 1] = [number]
    subsequence: set[int] = set()
    last = smallest_ends[-1] if smallest_ends else None
    while last is not None:
        subsequence.add(last)
        last = predecessors[last]
    return subsequence


def _group_into_runs(order: Sequence[str], moving_ids: set[str]) -> Iterator[tuple[str | None, list[str]]]:
    """Yield each run of consecutive moving ids, with the id just above it that does not move (None at the top)."""
    above: str | None = None
    run: list[str] = []
    for item_id in order:
        if item_id in moving_ids:
            run.append(item_id)
            continue
        if run:
            yield above, run
        above, run = item_id, []
    if run:
        yield above, run
