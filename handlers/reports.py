"""Reports: what was worked and what it cost, and how work flows."""

from collections.abc import Iterator
from datetime import date, datetime

from handlers import show_reports
from handlers.answers import Answer
from handlers.door import Door
from kanban import days, time_report
from kanban.days import Bucket, Days
from kanban.store import Store
from kanban.time_errors import TooMuchInRange
from kanban.values import BoardView, Card, Position, TimeEntry

_ENTRIES_AT_ONCE = 500


def get_time_report(
    door: Door,
    store: Store,
    now: datetime,
    media: str | None,
    board_id: str,
    from_: str | None = None,
    to: str | None = None,
    bucket: str = Bucket.DAY,
    tz: str = "UTC",
) -> Answer:
    """The time that was worked on the board, and its cost, as JSON or CSV."""
    view = door.board(board_id)
    wished = days.wished(_day(from_), _day(to), tz, now)
    found = time_report.report(_worked(door, board_id, wished), wished, Bucket(bucket), now)
    names = {user.id: user.name for user in store.users([user_id for user_id, _ in found.members]).values()}
    shape = show_reports.time_report(found, wished, Bucket(bucket), view.board.currency, names)
    return Answer(show_reports.time_sheet(shape) if media == "text/csv" else shape)


def _worked(door: Door, board_id: str, wished: Days) -> Iterator[tuple[BoardView, TimeEntry, Card]]:
    """The entries of these days, page by page. Raises TooMuchInRange."""
    after: Position | None = None
    read = 0
    while True:
        view, found = door.worked(board_id, (wished.start, wished.end), _ENTRIES_AT_ONCE, after)
        yield from ((view, entry, card) for entry, card in found.items)
        read += len(found.items)
        if read > time_report.MOST_ENTRIES:
            raise TooMuchInRange("time entries", time_report.MOST_ENTRIES)
        if found.next is None:
            return
        after = found.next


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
