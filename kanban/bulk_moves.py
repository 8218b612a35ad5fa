"""Bulk moves: all cards of a list to another list, in steps that fit into one commit of every engine."""

from collections.abc import Sequence
from dataclasses import replace

from kanban import card_size, cards
from kanban.changes import ActionContext, Change, build_change
from kanban.errors import Conflict, SelfReference, quote_name
from kanban.limits import MAX_CARDS_PER_LIST
from kanban.ordering import ranks
from kanban.ordering.list_capacity import ListArchived, with_rank
from kanban.timekeeping import timestamps
from kanban.values import Card, Enforcement, EventData, List, Stage, TimeEntry
from kanban.views import BoardView

MAX_MOVED_CARDS = 40
"""Cards that move to another list in one step."""

_MAX_WRITES = 90
"""Cards, external ids and time entries that one step writes."""


class NoRoom(Conflict):
    """Raised when a list has no room for all cards of another list."""

    code = "no_room"

    def __init__(self, list_name: str, card_count: int, present_count: int, maximum: int) -> None:
        """Take the list's name, and how many cards should enter, are present, and can be present at most."""
        cards = "1 card" if card_count == 1 else f"{card_count} cards"
        super().__init__(
            f"List {quote_name(list_name)} has no room for {cards}: "
            f"it holds {present_count}, and at most {maximum} fit in."
        )


def move_cards(
    view: BoardView, list_id: str, first_cards: Sequence[Card], context: ActionContext, *, target_list_id: str
) -> tuple[int, int, Change | None]:
    """Move the first cards of a list to the bottom of another one; return how many moved and how many are left.

    `first_cards` are the first MAX_MOVED_CARDS active cards of the list. If they are long, fewer move at once.

    Raises UnknownReference, SelfReference, ListArchived, NoRoom.
    """
    source, target = view.get_list(list_id), cards.resolve_list(view, target_list_id)
    if source.id == target.id:
        raise SelfReference("list_id")
    if target.archived_at is not None:
        raise ListArchived(target.name)
    _ensure_room(target, source.card_count)
    moved_cards: list[Card] = []
    opened: list[TimeEntry] = []
    closed: list[TimeEntry] = []
    write_count = character_count = 0
    for card, rank in zip(first_cards, ranks.sequence_after(target.last_rank, len(first_cards)), strict=True):
        moved = replace(card, list_id=target.id, rank=rank, version=card.version + 1, updated_at=context.at)
        moved, card_opened, card_closed = cards.enter_stage(moved, view.board, source.stage, target.stage, context)
        write_count += 1 + len(card_opened) + len(card_closed) + (card.external_id is not None)
        character_count += card_size.count_characters(card)
        if write_count > _MAX_WRITES or (moved_cards and character_count > card_size.MAX_COMMIT_CHARACTERS):
            break
        moved_cards.append(moved)
        opened += card_opened
        closed += card_closed
    if not moved_cards:
        return 0, 0, None
    updated_source = replace(source, card_count=source.card_count - len(moved_cards))
    updated_target = with_rank(with_rank(target, moved_cards[0].rank), moved_cards[-1].rank)
    updated_target = replace(updated_target, card_count=target.card_count + len(moved_cards))
    change = build_change(
        view,
        context,
        "list.cards_moved",
        creates=tuple(opened),
        updates=(*moved_cards, *closed, updated_source, updated_target),
        list_id=target.id,
        data=_build_event_data(moved_cards, source, target),
        rebalance_list_id=target.id if len(updated_target.last_rank) > ranks.MAX_RANK_LENGTH else None,
    )
    return len(moved_cards), updated_source.card_count, change


def _ensure_room(target: List, card_count: int) -> None:
    maximum = MAX_CARDS_PER_LIST
    if target.wip_enforcement == Enforcement.BLOCK and target.wip_limit is not None:
        maximum = min(maximum, target.wip_limit)
    if card_count and target.card_count + card_count > maximum:
        raise NoRoom(target.name, card_count, target.card_count, maximum)


def _build_event_data(moved_cards: Sequence[Card], source: List, target: List) -> EventData:
    data: dict[str, str | int | list[str] | None] = {
        "from_list_id": source.id,
        "from_stage": str(source.stage),
        "to_stage": str(target.stage),
        "card_ids": [card.id for card in moved_cards],
    }
    if target.stage == Stage.DONE and source.stage != Stage.DONE:
        data["created_at"] = [timestamps.format_utc(card.created_at) for card in moved_cards]
        data["started_at"] = [timestamps.format_optional_utc(card.started_at) or "" for card in moved_cards]
    return data
