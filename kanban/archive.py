"""Archive and restore cards, lists and boards.

Archived things keep their position and can still be read. Deleted things disappear, and can be restored for some time.
Clocks stop when cards are archived or deleted. A card that comes back by itself to a list in progress starts its clock
again; cards of a list or board that comes back do not, because nobody said which of them are being worked on.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypedDict

from kanban.changes import ActionContext, Change, build_change
from kanban.errors import Conflict, LimitReached, NotFound, quote_name
from kanban.flow import completions
from kanban.limits import MAX_LISTS_PER_BOARD
from kanban.lists import ensure_external_id_is_free
from kanban.ordering import ranks
from kanban.ordering.list_capacity import ListArchived, ensure_card_can_enter, with_card, without_card
from kanban.timekeeping import card_clock, timestamps
from kanban.values import Board, Card, Entity, EventData, List, Stage, TimeEntry
from kanban.views import BoardView

RESTORE_WINDOW = timedelta(days=30)
"""How long deleted things can be restored."""

PURGE_AFTER = timedelta(days=31)
"""How long deleted things are kept: one day longer, so that no purge meets a restore at the last moment."""

MAX_STOPPED_CLOCKS = 30
"""Clocks that stop with a list or a board, so that the change fits into one commit of every engine."""


class ListDeleted(Conflict):
    """Raised when restoring a card whose list is deleted."""

    code = "list_deleted"

    def __init__(self, card_title: str) -> None:
        """Take the card's title."""
        super().__init__(f"The list of card {quote_name(card_title)} is deleted: restore the list first.")


class TooManyRunningClocks(Conflict):
    """Raised when more clocks run on a list or board than can be stopped in one commit."""

    code = "too_many_running"

    def __init__(self, kind: str, name: str, maximum: int) -> None:
        """Take the kind ('list' or 'board'), its name, and the number of clocks that can be stopped."""
        super().__init__(
            f"{kind.capitalize()} {quote_name(name)} has more than {maximum} cards in progress, too many to stop at "
            "once: move, finish or archive some first."
        )


class _EventFields(TypedDict):
    list_id: str
    card_id: str
    data: EventData


def get_restore_cutoff(now: datetime) -> datetime:
    """Return the earliest deletion time of things that can be restored now."""
    return now - RESTORE_WINDOW


def archive_card(view: BoardView, card_id: str, context: ActionContext) -> tuple[Card, Change | None]:
    """Archive the card and stop its clock."""
    old = view.get_card(card_id)
    if old.archived_at is not None:
        return old, None
    card, closed = card_clock.stop_clock(old, context.at)
    card = replace(card, archived_at=context.at, updated_at=context.at, version=old.version + 1)
    list_ = view.get_list_of(card)
    updates: tuple[Entity, ...] = (card, *closed, without_card(list_))
    return card, build_change(
        view, context, "card.archived", updates=updates, subject=(old, card), **_build_card_event_fields(card, list_)
    )


def unarchive_card(view: BoardView, card_id: str, context: ActionContext) -> tuple[Card, Change | None]:
    """Return an archived card to its position. Raises ListArchived, WipLimitReached, LimitReached."""
    old = view.get_card(card_id)
    if old.archived_at is None:
        return old, None
    list_ = view.get_list_of(old)
    ensure_card_can_enter(list_)
    card, opened = _resume(replace(old, archived_at=None), view.board, list_.stage, context)
    card = replace(card, updated_at=context.at, version=old.version + 1)
    updates = (card, with_card(list_, card.rank))
    return card, build_change(
        view,
        context,
        "card.unarchived",
        creates=opened,
        updates=updates,
        subject=(old, card),
        **_build_card_event_fields(card, list_),
    )


def restore_card(view: BoardView, card_id: str, context: ActionContext) -> tuple[Card, Change | None]:
    """Restore the deleted card to its position; if it was archived, it is archived again.

    The view includes deleted things.

    Raises NotFound if it is too late, ListDeleted, ListArchived, WipLimitReached, LimitReached.
    """
    old = view.get_card(card_id)
    _ensure_restorable("card", old.deleted_at, context)
    card_list = next((list_ for list_ in view.lists if list_.id == old.list_id and list_.deleted_at is None), None)
    if card_list is None:
        raise ListDeleted(old.title)
    if old.deleted_at is None:
        return old, None
    card = replace(old, deleted_at=None)
    opened: tuple[TimeEntry, ...] = ()
    updated_list = card_list
    if card.archived_at is None:
        ensure_card_can_enter(card_list)
        card, opened = _resume(card, view.board, card_list.stage, context)
        updated_list = with_card(card_list, card.rank)
    elif card_list.archived_at is not None:
        raise ListArchived(card_list.name)
    card = replace(card, updated_at=context.at, version=old.version + 1)
    event_fields = _build_card_event_fields(card, card_list)
    if card.resolved_at != old.resolved_at:
        # The stage of the list changed while the card was deleted.
        event_fields["data"] = {
            **event_fields["data"],
            **completions.build_completion_data(card, Stage.TODO, card_list.stage),
        }
    return card, build_change(
        view,
        context,
        "card.restored",
        creates=opened,
        updates=(card, updated_list),
        subject=(old, card),
        **event_fields,
    )


def archive_list(
    view: BoardView, list_id: str, context: ActionContext, running_cards: Sequence[Card] | None
) -> tuple[List, Change | None]:
    """Archive the list with its cards. `running_cards` are those whose clocks run, None if they are too many.

    Raises TooManyRunningClocks.
    """
    old = view.get_list(list_id)
    if old.archived_at is not None:
        return old, None
    if running_cards is None:
        raise TooManyRunningClocks("list", old.name, MAX_STOPPED_CLOCKS)
    new = replace(old, archived_at=context.at, updated_at=context.at, version=old.version + 1)
    return new, _build_list_change(
        view, context, "list.archived", (old, new), card_clock.stop_clocks(running_cards, context.at)
    )


def unarchive_list(view: BoardView, list_id: str, context: ActionContext) -> tuple[List, Change | None]:
    """Return an archived list with its cards to its position."""
    old = view.get_list(list_id)
    if old.archived_at is None:
        return old, None
    new = replace(old, archived_at=None, updated_at=context.at, version=old.version + 1)
    return new, _build_list_change(view, context, "list.unarchived", (old, new))


def restore_list(view: BoardView, list_id: str, context: ActionContext) -> tuple[List, Change | None]:
    """Restore the deleted list with its cards at the end of the board. The view includes deleted things.

    Raises NotFound if it is too late, LimitReached, ExternalIdTaken.
    """
    old = view.get_list(list_id)
    _ensure_restorable("list", old.deleted_at, context)
    if old.deleted_at is None:
        return old, None
    live_lists = [list_ for list_ in view.lists if list_.deleted_at is None]
    if len(live_lists) >= MAX_LISTS_PER_BOARD:
        raise LimitReached("lists", MAX_LISTS_PER_BOARD)
    ensure_external_id_is_free(live_lists, old.external_id)
    rank = ranks.after(live_lists[-1].rank if live_lists else "")
    new = replace(old, deleted_at=None, rank=rank, updated_at=context.at, version=old.version + 1)
    return new, _build_list_change(view, context, "list.restored", (old, new))


def archive_board(
    view: BoardView, context: ActionContext, running_cards: Sequence[Card] | None
) -> tuple[Board, Change | None]:
    """Archive the board. `running_cards` are the cards whose clocks run, None if they are too many.

    Raises TooManyRunningClocks.
    """
    old = view.board
    if old.archived_at is not None:
        return old, None
    if running_cards is None:
        raise TooManyRunningClocks("board", old.name, MAX_STOPPED_CLOCKS)
    new = replace(old, archived_at=context.at, updated_at=context.at, version=old.version + 1)
    return _build_board_change(view, context, "board.archived", new, card_clock.stop_clocks(running_cards, context.at))


def unarchive_board(view: BoardView, context: ActionContext) -> tuple[Board, Change | None]:
    """Return an archived board to active use."""
    old = view.board
    if old.archived_at is None:
        return old, None
    new = replace(old, archived_at=None, updated_at=context.at, version=old.version + 1)
    return _build_board_change(view, context, "board.unarchived", new)


def restore_board(view: BoardView, context: ActionContext) -> tuple[Board, Change | None]:
    """Restore the deleted board with everything on it. Raises NotFound if it is too late."""
    old = view.board
    _ensure_restorable("board", old.deleted_at, context)
    if old.deleted_at is None:
        return old, None
    new = replace(old, deleted_at=None, updated_at=context.at, version=old.version + 1)
    return _build_board_change(view, context, "board.restored", new, restores_board=True)


def _resume(card: Card, board: Board, stage: Stage, context: ActionContext) -> tuple[Card, tuple[TimeEntry, ...]]:
    """Return the card as it is when it comes back to that stage, and the time entry that this opens."""
    # The stage of the list may have changed while the card was archived or deleted.
    if stage != Stage.DONE:
        card = replace(card, resolved_at=None)
    elif card.resolved_at is None:
        card = replace(card, resolved_at=context.at)
    if stage != Stage.IN_PROGRESS:
        return card, ()
    card, entry = card_clock.start_clock(card, card_clock.get_hourly_rate(card, board), context)
    return replace(card, started_at=card.started_at or context.at), (entry,)


def _ensure_restorable(kind: str, deleted_at: datetime | None, context: ActionContext) -> None:
    if deleted_at is not None and deleted_at < get_restore_cutoff(context.at):
        raise NotFound(kind)


def _build_card_event_fields(card: Card, list_: List) -> _EventFields:
    data: EventData = {
        "title": card.title,
        "stage": str(list_.stage),
        "archived_at": timestamps.format_optional_utc(card.archived_at),
    }
    return {"list_id": list_.id, "card_id": card.id, "data": data}


def _build_list_change(
    view: BoardView,
    context: ActionContext,
    event_type: str,
    subject: tuple[List, List],
    other_updates: tuple[Entity, ...] = (),
) -> Change:
    _, new = subject
    data: EventData = {"name": new.name, "stage": str(new.stage), "card_count": new.card_count}
    return build_change(
        view, context, event_type, updates=(new, *other_updates), subject=subject, list_id=new.id, data=data
    )


def _build_board_change(
    view: BoardView,
    context: ActionContext,
    event_type: str,
    new: Board,
    other_updates: tuple[Entity, ...] = (),
    *,
    restores_board: bool = False,
) -> tuple[Board, Change]:
    change = build_change(view, context, event_type, board=new, updates=other_updates, restores_board=restores_board)
    return replace(new, seq=view.board.seq + 1), change
