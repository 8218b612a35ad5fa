"""Reports: what was worked and what it cost, and how work flows."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from handlers import show_reports
from handlers.answers import Answer
from handlers.door import Door
from kanban import days, flow, time_report
from kanban.days import Bucket, DateRange
from kanban.store import CardQuery, CardSort, Store
from kanban.time_errors import TooMuchInRange
from kanban.values import BoardView, Card, Event, PageKey, Stage, TimeEntry

_ENTRIES_AT_ONCE = 500
_EVENTS_AT_ONCE = 1_000
_CARDS_AT_ONCE = 100

_CLOCKS_DIFFER = timedelta(hours=1)
"""How far an event may bear an earlier moment than one before it, because the clocks of two machines differ."""


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
    wished = days.build_date_range(_day(from_), _day(to), tz, now)
    found = time_report.build_time_report(_worked(door, board_id, wished), wished, Bucket(bucket), now)
    names = {user.id: user.name for user in store.read_users([user_id for user_id, _ in found.members]).values()}
    shape = show_reports.time_report(found, wished, Bucket(bucket), view.board.currency, names)
    return Answer(show_reports.time_sheet(shape) if media == "text/csv" else shape)


def get_flow(
    door: Door,
    now: datetime,
    board_id: str,
    from_: str | None = None,
    to: str | None = None,
    bucket: str = Bucket.DAY,
    tz: str = "UTC",
) -> Answer:
    """How work flowed over the board, by its events, and what is in progress."""
    view, running = _in_progress(door, board_id)
    wished = days.build_date_range(_day(from_), _day(to), tz, now)
    first = door.events(board_id, 0, 1)[1].items[0]
    told = wished.clip(wished.get_local_day(first.at), wished.get_local_day(now))
    found = flow.build_flow_report(_events_of(door, board_id, view.board.seq, told), view, told.split(Bucket.DAY))
    shape = show_reports.flow(found, wished, told, Bucket(bucket))
    return Answer({**shape, "in_progress": show_reports.in_progress(running, view, now)})


def _in_progress(door: Door, board_id: str) -> tuple[BoardView, list[Card]]:
    """The board as it was seen last, and its cards in progress, those that were created first."""
    query = CardQuery(status=Stage.IN_PROGRESS, sort=CardSort.OLDEST)
    view, found = door.cards(board_id, query, _CARDS_AT_ONCE)
    cards = {card.id: card for card in found.items}
    while found.next_key and len(cards) < flow.MAX_LISTED_IN_PROGRESS:
        view, found = door.cards(board_id, query, _CARDS_AT_ONCE, found.next_key)
        cards |= {card.id: card for card in found.items}
    return view, [*cards.values()][: flow.MAX_LISTED_IN_PROGRESS]


def _events_of(door: Door, board_id: str, last: int, told: DateRange) -> Iterator[Event]:
    """The events from the first of these days to the seq `last`, page by page. Raises TooMuchInRange."""
    if told.last_day < told.first_day:
        return
    after = _seq_before(door, board_id, last, told.start - _CLOCKS_DIFFER)
    if last - after > flow.MAX_EVENTS:
        raise TooMuchInRange("events", flow.MAX_EVENTS)
    while after < last:
        found = door.events(board_id, after, _EVENTS_AT_ONCE)[1].items
        yield from found
        after = found[-1].seq


def _seq_before(door: Door, board_id: str, last: int, moment: datetime) -> int:
    """A seq before the first event since that moment, at most a page before: in few reads, however many events."""
    low, high = 0, last
    while high - low > _EVENTS_AT_ONCE:
        middle = (low + high) // 2
        (event,) = door.events(board_id, middle, 1)[1].items
        if event.at < moment:
            low = middle + 1
        else:
            high = middle
    return low


def _worked(door: Door, board_id: str, wished: DateRange) -> Iterator[tuple[BoardView, TimeEntry, Card]]:
    """The entries of these days, page by page. Raises TooMuchInRange."""
    after: PageKey | None = None
    read = 0
    while True:
        view, found = door.worked(board_id, (wished.start, wished.end), _ENTRIES_AT_ONCE, after)
        yield from ((view, entry, card) for entry, card in found.items)
        read += len(found.items)
        if read > time_report.MAX_ENTRIES:
            raise TooMuchInRange("time entries", time_report.MAX_ENTRIES)
        if found.next_key is None:
            return
        after = found.next_key


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
