"""Read what changed since a version that a client has."""

from collections.abc import Iterator
from contextlib import suppress

from kanban.field_changes import Subject
from kanban.later_changes import MAX_LATER_CHANGES, find_later_changes
from kanban.store import Busy, EventQuery
from kanban.values import Event
from kanban.views import BoardView
from usecases.board_access import BoardAccess

EVENTS_PER_READ = (25, 375)
"""How many of the newest events of a board are read, one step after the other. Most conflicts are with a recent one."""


def read_later_changes(
    access: BoardAccess, view: BoardView, subject: Subject, version: int
) -> tuple[Event, ...] | None:
    """Return the events that made the versions of the subject after `version`, newest first, with its field changes.

    Return None if the caller's token may not read them, if too much has happened since, or if the events don't tell.
    The subject is as it was in the view.
    """
    if not access.may_read or not 0 < subject.version - version <= MAX_LATER_CHANGES:
        return None
    with suppress(Busy):
        # The request has its answer without them, and must not fail for them.
        return find_later_changes(subject, _walk_events(access, view), version)
    return None


def _walk_events(access: BoardAccess, view: BoardView) -> Iterator[Event]:
    """Yield the newest events of the board as it was in the view."""
    before = view.board.seq + 1
    for limit in EVENTS_PER_READ:
        _, page = access.page_events(view.board.id, EventQuery(before=before, newest_first=True), limit)
        yield from page.items
        if page.next_key is None:
            return
        before = page.items[-1].seq
