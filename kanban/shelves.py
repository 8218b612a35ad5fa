"""Shelves: cards, lists and boards that are put away, and how they come back.

What is archived keeps its place and is still there to be read. What is deleted is gone from sight, and can be restored
for a while. Clocks stop when their cards are put away. A card that comes back by itself into a list in progress is
taken up again; the cards of a list or a board that comes back stay stopped, because nobody said which of them is.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypedDict

from kanban import finishes, moments, ranks, timeclock
from kanban.errors import ExternalIdTaken, ListArchived, ListDeleted, NotFound, TooManyLists, TooManyRunning
from kanban.places import refuse_entry, with_card, without_card
from kanban.record import record
from kanban.values import (
    MOST_LISTS,
    Act,
    Board,
    BoardView,
    Card,
    Change,
    EventData,
    List,
    Stage,
    TimeEntry,
    Value,
)

RESTORABLE = timedelta(days=30)
"""How long what was deleted can be restored."""

PURGED_AFTER = timedelta(days=31)
"""How long what was deleted is kept: a day more, so that no purge meets what somebody restores at the last moment."""

MOST_STOPPED = 30
"""Clocks that stop with a list or a board: so that all of it fits into one commit of every engine."""


class _About(TypedDict):
    list_id: str
    card_id: str
    data: EventData


def restorable_since(now: datetime) -> datetime:
    """When something must have been deleted, at the earliest, to be restored now."""
    return now - RESTORABLE


def archive_card(view: BoardView, card_id: str, act: Act) -> tuple[Card, Change | None]:
    """The card, put away; its clock stops."""
    old = view.card(card_id)
    if old.archived_at is not None:
        return old, None
    card, closed = timeclock.stopped(old, act.at)
    card = replace(card, archived_at=act.at, updated_at=act.at, version=old.version + 1)
    home = view.list_of(card)
    updates: tuple[Value, ...] = (card, *closed, without_card(home))
    return card, record(view, act, "card.archived", updates=updates, **_about_card(card, home))


def unarchive_card(view: BoardView, card_id: str, act: Act) -> tuple[Card, Change | None]:
    """The card, back at its place. Raises ListArchived, WipLimitReached, TooManyCards."""
    old = view.card(card_id)
    if old.archived_at is None:
        return old, None
    home = view.list_of(old)
    refuse_entry(home)
    card, opened = _taken_up(replace(old, archived_at=None), view.board, home.stage, act)
    card = replace(card, updated_at=act.at, version=old.version + 1)
    updates = (card, with_card(home, card.rank))
    return card, record(view, act, "card.unarchived", creates=opened, updates=updates, **_about_card(card, home))


def restore_card(view: BoardView, card_id: str, act: Act) -> tuple[Card, Change | None]:
    """The card, back at its place, and archived if it was. The view was read with what is deleted.

    Raises NotFound when it is too late, ListDeleted, ListArchived, WipLimitReached, TooManyCards.
    """
    old = view.card(card_id)
    _refuse_expired("card", old.deleted_at, act)
    home = next((each for each in view.lists if each.id == old.list_id and each.deleted_at is None), None)
    if home is None:
        raise ListDeleted(old.title)
    if old.deleted_at is None:
        return old, None
    card = replace(old, deleted_at=None)
    opened: tuple[TimeEntry, ...] = ()
    filled = home
    if card.archived_at is None:
        refuse_entry(home)
        card, opened = _taken_up(card, view.board, home.stage, act)
        filled = with_card(home, card.rank)
    elif home.archived_at is not None:
        raise ListArchived(home.name)
    card = replace(card, updated_at=act.at, version=old.version + 1)
    about = _about_card(card, home)
    if card.resolved_at != old.resolved_at:
        # Its list was given another stage while the card was away.
        about["data"] = {**about["data"], **finishes.told(card, Stage.TODO, home.stage)}
    return card, record(view, act, "card.restored", creates=opened, updates=(card, filled), **about)


def archive_list(view: BoardView, list_id: str, act: Act, running: Sequence[Card] | None) -> tuple[List, Change | None]:
    """The list, put away with its cards. `running` are those whose clocks run, None if they are too many.

    Raises TooManyRunning.
    """
    old = view.list(list_id)
    if old.archived_at is not None:
        return old, None
    if running is None:
        raise TooManyRunning("list", old.name, MOST_STOPPED)
    new = replace(old, archived_at=act.at, updated_at=act.at, version=old.version + 1)
    return new, _told_of_list(view, act, "list.archived", new, timeclock.stopped_all(running, act.at))


def unarchive_list(view: BoardView, list_id: str, act: Act) -> tuple[List, Change | None]:
    """The list, back at its place with its cards."""
    old = view.list(list_id)
    if old.archived_at is None:
        return old, None
    new = replace(old, archived_at=None, updated_at=act.at, version=old.version + 1)
    return new, _told_of_list(view, act, "list.unarchived", new)


def restore_list(view: BoardView, list_id: str, act: Act) -> tuple[List, Change | None]:
    """The list with its cards, at the end of the board's order. The view was read with what is deleted.

    Raises NotFound when it is too late, TooManyLists, ExternalIdTaken.
    """
    old = view.list(list_id)
    _refuse_expired("list", old.deleted_at, act)
    if old.deleted_at is None:
        return old, None
    live = [each for each in view.lists if each.deleted_at is None]
    if len(live) >= MOST_LISTS:
        raise TooManyLists(MOST_LISTS)
    if old.external_id is not None and any(each.external_id == old.external_id for each in live):
        raise ExternalIdTaken("list")
    rank = ranks.after(live[-1].rank if live else "")
    new = replace(old, deleted_at=None, rank=rank, updated_at=act.at, version=old.version + 1)
    return new, _told_of_list(view, act, "list.restored", new)


def archive_board(view: BoardView, act: Act, running: Sequence[Card] | None) -> tuple[Board, Change | None]:
    """The board, put away. `running` are the cards whose clocks run, None if they are too many: TooManyRunning."""
    old = view.board
    if old.archived_at is not None:
        return old, None
    if running is None:
        raise TooManyRunning("board", old.name, MOST_STOPPED)
    new = replace(old, archived_at=act.at, updated_at=act.at, version=old.version + 1)
    return _told_of_board(view, act, "board.archived", new, timeclock.stopped_all(running, act.at))


def unarchive_board(view: BoardView, act: Act) -> tuple[Board, Change | None]:
    """The board, in use again."""
    old = view.board
    if old.archived_at is None:
        return old, None
    new = replace(old, archived_at=None, updated_at=act.at, version=old.version + 1)
    return _told_of_board(view, act, "board.unarchived", new)


def restore_board(view: BoardView, act: Act) -> tuple[Board, Change | None]:
    """The board with all that was on it. Raises NotFound when it is too late."""
    old = view.board
    _refuse_expired("board", old.deleted_at, act)
    if old.deleted_at is None:
        return old, None
    new = replace(old, deleted_at=None, updated_at=act.at, version=old.version + 1)
    return _told_of_board(view, act, "board.restored", new, revives=True)


def _taken_up(card: Card, board: Board, stage: Stage, act: Act) -> tuple[Card, tuple[TimeEntry, ...]]:
    """The card as it is in use on that stage, and the time entry that this opens."""
    # The list may have got another stage while the card was away.
    if stage != Stage.DONE:
        card = replace(card, resolved_at=None)
    elif card.resolved_at is None:
        card = replace(card, resolved_at=act.at)
    if stage != Stage.IN_PROGRESS:
        return card, ()
    card, entry = timeclock.opened(card, timeclock.rate_of(card, board), act)
    return replace(card, started_at=card.started_at or act.at), (entry,)


def _refuse_expired(kind: str, deleted_at: datetime | None, act: Act) -> None:
    if deleted_at is not None and deleted_at < restorable_since(act.at):
        raise NotFound(kind)


def _about_card(card: Card, home: List) -> _About:
    data: EventData = {
        "title": card.title,
        "stage": str(home.stage),
        "archived_at": moments.written_or_none(card.archived_at),
    }
    return {"list_id": home.id, "card_id": card.id, "data": data}


def _told_of_list(view: BoardView, act: Act, kind: str, new: List, more: tuple[Value, ...] = ()) -> Change:
    data: EventData = {"name": new.name, "stage": str(new.stage), "card_count": new.card_count}
    return record(view, act, kind, updates=(new, *more), list_id=new.id, data=data)


def _told_of_board(
    view: BoardView, act: Act, kind: str, new: Board, more: tuple[Value, ...] = (), *, revives: bool = False
) -> tuple[Board, Change]:
    change = record(view, act, kind, board=new, updates=more, revives=revives)
    return replace(new, seq=view.board.seq + 1), change
