"""Time entries: record work by hand, and correct what a clock recorded."""

from datetime import datetime
from typing import Any

from handlers import entity_tags, parse, serialize
from handlers.dependencies import IfMatch
from handlers.preconditions import ensure_current
from handlers.results import Result, new_resource, no_content
from kanban.changes import ActionContext, Change
from kanban.store import PartKey
from kanban.timekeeping import time_entries
from kanban.timekeeping.time_entries import MAX_MANUAL_TIME_ENTRIES
from kanban.values import NewTimeEntry, TimeEntry
from kanban.views import BoardView
from usecases.board_access import BoardAccess


def create_time_entry(
    access: BoardAccess, context: ActionContext, board_id: str, card_id: str, body: dict[str, Any]
) -> Result:
    """Create a time entry for work that is over."""
    view, entries = access.read_time_entries(board_id, card_id, MAX_MANUAL_TIME_ENTRIES)
    new = NewTimeEntry(**parse.time_entry(body))
    entry, change = time_entries.create(view, card_id, context, new, entries=entries)
    location = f"/boards/{board_id}/cards/{card_id}/time-entries/{entry.id}"
    tag = entity_tags.time_entry_tag(entry, context.at)
    return new_resource(serialize.time_entry(entry, context.at), etag=tag, location=location, change=change)


def get_time_entry(access: BoardAccess, now: datetime, board_id: str, card_id: str, entry_id: str) -> Result:
    """Return one time entry."""
    _, entry = _read_entry(access, board_id, card_id, entry_id)
    return _entry_result(entry, now)


def update_time_entry(
    access: BoardAccess,
    context: ActionContext,
    if_match: IfMatch,
    board_id: str,
    card_id: str,
    entry_id: str,
    body: dict[str, Any],
) -> Result:
    """Update a time entry."""
    view, entries = access.read_time_entries(board_id, card_id, MAX_MANUAL_TIME_ENTRIES)
    ensure_current(if_match, access, view, time_entries.get_entry_among(view, card_id, entries, entry_id))
    entry, change = time_entries.update(view, card_id, entry_id, parse.time_entry(body), context, entries=entries)
    return _entry_result(entry, context.at, change)


def delete_time_entry(
    access: BoardAccess, context: ActionContext, if_match: IfMatch, board_id: str, card_id: str, entry_id: str
) -> Result:
    """Delete a time entry; if it is open, its clock stops."""
    view, entry = _read_entry(access, board_id, card_id, entry_id)
    ensure_current(if_match, access, view, entry)
    return no_content(time_entries.delete(view, card_id, entry, context))


def _read_entry(access: BoardAccess, board_id: str, card_id: str, entry_id: str) -> tuple[BoardView, TimeEntry]:
    view = access.read_board(board_id, card_ids=[card_id], parts=[PartKey(TimeEntry, card_id, entry_id)])
    return view, time_entries.get_entry(view, card_id, entry_id)


def _entry_result(entry: TimeEntry, now: datetime, change: Change | None = None) -> Result:
    return Result(serialize.time_entry(entry, now), etag=entity_tags.time_entry_tag(entry, now), change=change)
