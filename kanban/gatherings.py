"""Cards moved together: all of a list to another one, as many in one step as a commit of every engine holds."""

from collections.abc import Sequence
from dataclasses import replace

from kanban import cards, moments, ranks, sizes
from kanban.errors import ListArchived, NoRoom, SelfReference
from kanban.places import with_bounds
from kanban.record import record
from kanban.values import MOST_CARDS, Act, BoardView, Card, Change, Enforcement, EventData, List, Stage, TimeEntry

MOST_MOVED = 40
"""Cards that move to another list in one step."""

_MOST_PARTS = 90
"""What one step writes of cards, their external ids and their time entries."""


def move_cards(
    view: BoardView, list_id: str, there: Sequence[Card], act: Act, *, to: str
) -> tuple[int, int, Change | None]:
    """Take the first of the list's cards to the bottom of the list `to`: how many went, how many are left.

    `there` are the first MOST_MOVED cards of the list that are not archived, or fewer. Of long cards fewer go at once.
    Raises UnknownReference, SelfReference, ListArchived, NoRoom.
    """
    origin, target = view.list(list_id), cards.referred_list(view, to)
    if origin.id == target.id:
        raise SelfReference("list_id")
    if target.archived_at is not None:
        raise ListArchived(target.name)
    _refuse_crowd(target, origin.card_count)
    written: list[Card] = []
    opened: list[TimeEntry] = []
    closed: list[TimeEntry] = []
    parts = characters = 0
    for card, rank in zip(there, ranks.following(target.last_rank, len(there)), strict=True):
        moved = replace(card, list_id=target.id, rank=rank, version=card.version + 1, updated_at=act.at)
        moved, began, ended = cards.brought_to(moved, view.board, origin.stage, target.stage, act)
        parts += 1 + len(began) + len(ended) + (card.external_id is not None)
        characters += sizes.text_length(card)
        if parts > _MOST_PARTS or (written and characters > sizes.MOST_TEXT):
            break
        written.append(moved)
        opened += began
        closed += ended
    if not written:
        return 0, 0, None
    left = replace(origin, card_count=origin.card_count - len(written))
    filled = with_bounds(with_bounds(target, written[0].rank), written[-1].rank)
    filled = replace(filled, card_count=target.card_count + len(written))
    change = record(
        view,
        act,
        "list.cards_moved",
        creates=tuple(opened),
        updates=(*written, *closed, left, filled),
        list_id=target.id,
        data=_told(written, origin, target),
        rebalance=target.id if len(filled.last_rank) > ranks.LONGEST else None,
    )
    return len(written), left.card_count, change


def _refuse_crowd(target: List, card_count: int) -> None:
    most = MOST_CARDS
    if target.wip_enforcement == Enforcement.BLOCK and target.wip_limit is not None:
        most = min(most, target.wip_limit)
    if card_count and target.card_count + card_count > most:
        raise NoRoom(target.name, card_count, target.card_count, most)


def _told(moved: Sequence[Card], origin: List, target: List) -> EventData:
    data: dict[str, str | int | list[str] | None] = {
        "from_list_id": origin.id,
        "from_stage": str(origin.stage),
        "to_stage": str(target.stage),
        "card_ids": [each.id for each in moved],
    }
    if target.stage == Stage.DONE and origin.stage != Stage.DONE:
        data["created_at"] = [moments.written(each.created_at) for each in moved]
        data["started_at"] = [moments.written_or_none(each.started_at) or "" for each in moved]
    return data
