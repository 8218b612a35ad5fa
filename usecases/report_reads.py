"""Read what reports are made of: time entries, events and cards in progress, page after page."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from kanban.flow import flow_report
from kanban.store import CardQuery, CardSort, EventQuery
from kanban.timekeeping import time_report
from kanban.timekeeping.date_ranges import DateRange, TooMuchInRange
from kanban.values import Card, Event, Stage
from kanban.views import BoardView, PageKey, WorkedTime
from usecases.board_access import BoardAccess

_ENTRIES_PER_READ = 500
_EVENTS_PER_READ = 1_000
_CARDS_PER_READ = 100

_MAX_CLOCK_SKEW = timedelta(hours=1)
"""How much earlier than the event before it an event may be, because the clocks of two machines differ."""


def read_cards_in_progress(access: BoardAccess, board_id: str) -> tuple[BoardView, list[Card]]:
    """Return the board as of the last read, and its cards in progress, the oldest first, up to the report's limit."""
    query = CardQuery(status=Stage.IN_PROGRESS, sort=CardSort.OLDEST)
    view, page = access.page_cards(board_id, query, _CARDS_PER_READ)
    cards = {card.id: card for card in page.items}
    while page.next_key and len(cards) < flow_report.MAX_LISTED_IN_PROGRESS:
        view, page = access.page_cards(board_id, query, _CARDS_PER_READ, page.next_key)
        cards |= {card.id: card for card in page.items}
    return view, [*cards.values()][: flow_report.MAX_LISTED_IN_PROGRESS]


def read_first_event(access: BoardAccess, board_id: str) -> Event:
    """Return the event with which the board began."""
    return access.page_events(board_id, EventQuery(), 1)[1].items[0]


def read_events(access: BoardAccess, board_id: str, last_seq: int, days: DateRange) -> Iterator[Event]:
    """Yield the events from the first of these days up to `last_seq`, after at most a page of earlier ones.

    Raises:
        TooMuchInRange: There are more events than a report may read.
    """
    if days.last_day < days.first_day:
        return
    after = _find_seq_before(access, board_id, last_seq, days.start - _MAX_CLOCK_SKEW)
    if last_seq - after > flow_report.MAX_EVENTS:
        raise TooMuchInRange("events", flow_report.MAX_EVENTS)
    while after < last_seq:
        events = access.page_events(board_id, EventQuery(after), _EVENTS_PER_READ)[1].items
        yield from events
        after = events[-1].seq


def _find_seq_before(access: BoardAccess, board_id: str, last_seq: int, instant: datetime) -> int:
    """Return a seq that is at most a page of events before the first event since that instant, by binary search."""
    low, high = 0, last_seq
    while high - low > _EVENTS_PER_READ:
        middle = (low + high) // 2
        (event,) = access.page_events(board_id, EventQuery(middle), 1)[1].items
        if event.at < instant:
            low = middle + 1
        else:
            high = middle
    return low


def read_worked_time(
    access: BoardAccess, board_id: str, days: DateRange
) -> Iterator[tuple[BoardView, Sequence[WorkedTime]]]:
    """Yield the work of these days, page after page, each with the board.

    Raises:
        TooMuchInRange: There are more time entries than a report may read.
    """
    after: PageKey | None = None
    count = 0
    while True:
        view, page = access.page_worked_time(board_id, (days.start, days.end), _ENTRIES_PER_READ, after)
        yield view, page.items
        count += len(page.items)
        if count > time_report.MAX_ENTRIES:
            raise TooMuchInRange("time entries", time_report.MAX_ENTRIES)
        if page.next_key is None:
            return
        after = page.next_key
