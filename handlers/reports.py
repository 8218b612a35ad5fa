"""Reports: what was worked and what it cost, and how work flows."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from handlers import serialize_reports
from handlers.results import Result
from kanban.flow import flow_report
from kanban.store import CardQuery, CardSort, Store
from kanban.timekeeping import date_ranges, time_report
from kanban.timekeeping.date_ranges import Bucket, DateRange, TooMuchInRange
from kanban.values import Card, Event, Stage, TimeEntry
from kanban.views import BoardView, PageKey
from usecases.board_access import BoardAccess

_ENTRIES_PER_READ = 500
_EVENTS_PER_READ = 1_000
_CARDS_PER_READ = 100

_MAX_CLOCK_SKEW = timedelta(hours=1)
"""How far an event may bear an earlier moment than one before it, because the clocks of two machines differ."""


def get_time_report(
    access: BoardAccess,
    store: Store,
    now: datetime,
    media_type: str | None,
    board_id: str,
    from_: str | None = None,
    to: str | None = None,
    bucket: str = Bucket.DAY,
    tz: str = "UTC",
) -> Result:
    """The time that was worked on the board, and its cost, as JSON or CSV."""
    view = access.read_board(board_id)
    wished = date_ranges.build_date_range(_parse_day(from_), _parse_day(to), tz, now)
    found = time_report.build_time_report(_read_time_entries(access, board_id, wished), wished, Bucket(bucket), now)
    names = {user.id: user.name for user in store.read_users([user_id for user_id, _ in found.members]).values()}
    shape = serialize_reports.time_report(found, wished, Bucket(bucket), view.board.currency, names)
    return Result(serialize_reports.time_report_csv(shape) if media_type == "text/csv" else shape)


def get_flow(
    access: BoardAccess,
    now: datetime,
    board_id: str,
    from_: str | None = None,
    to: str | None = None,
    bucket: str = Bucket.DAY,
    tz: str = "UTC",
) -> Result:
    """How work flowed over the board, by its events, and what is in progress."""
    view, running = _read_cards_in_progress(access, board_id)
    wished = date_ranges.build_date_range(_parse_day(from_), _parse_day(to), tz, now)
    first = access.page_events(board_id, 0, 1)[1].items[0]
    told = wished.clip(wished.get_local_day(first.at), wished.get_local_day(now))
    found = flow_report.build_flow_report(
        _read_events(access, board_id, view.board.seq, told), view, told.split(Bucket.DAY)
    )
    shape = serialize_reports.flow(found, wished, told, Bucket(bucket))
    return Result({**shape, "in_progress": serialize_reports.work_in_progress(running, view, now)})


def _read_cards_in_progress(access: BoardAccess, board_id: str) -> tuple[BoardView, list[Card]]:
    """The board as it was seen last, and its cards in progress, those that were created first."""
    query = CardQuery(status=Stage.IN_PROGRESS, sort=CardSort.OLDEST)
    view, found = access.page_cards(board_id, query, _CARDS_PER_READ)
    cards = {card.id: card for card in found.items}
    while found.next_key and len(cards) < flow_report.MAX_LISTED_IN_PROGRESS:
        view, found = access.page_cards(board_id, query, _CARDS_PER_READ, found.next_key)
        cards |= {card.id: card for card in found.items}
    return view, [*cards.values()][: flow_report.MAX_LISTED_IN_PROGRESS]


def _read_events(access: BoardAccess, board_id: str, last_seq: int, known_days: DateRange) -> Iterator[Event]:
    """The events from the first of these days to the seq `last`, page by page. Raises TooMuchInRange."""
    if known_days.last_day < known_days.first_day:
        return
    after = _find_seq_before(access, board_id, last_seq, known_days.start - _MAX_CLOCK_SKEW)
    if last_seq - after > flow_report.MAX_EVENTS:
        raise TooMuchInRange("events", flow_report.MAX_EVENTS)
    while after < last_seq:
        found = access.page_events(board_id, after, _EVENTS_PER_READ)[1].items
        yield from found
        after = found[-1].seq


def _find_seq_before(access: BoardAccess, board_id: str, last_seq: int, moment: datetime) -> int:
    """A seq before the first event since that moment, at most a page before: in few reads, however many events."""
    low, high = 0, last_seq
    while high - low > _EVENTS_PER_READ:
        middle = (low + high) // 2
        (event,) = access.page_events(board_id, middle, 1)[1].items
        if event.at < moment:
            low = middle + 1
        else:
            high = middle
    return low


def _read_time_entries(
    access: BoardAccess, board_id: str, requested_days: DateRange
) -> Iterator[tuple[BoardView, TimeEntry, Card]]:
    """The entries of these days, page by page. Raises TooMuchInRange."""
    after: PageKey | None = None
    read = 0
    while True:
        view, found = access.page_board_time_entries(
            board_id, (requested_days.start, requested_days.end), _ENTRIES_PER_READ, after
        )
        yield from ((view, entry, card) for entry, card in found.items)
        read += len(found.items)
        if read > time_report.MAX_ENTRIES:
            raise TooMuchInRange("time entries", time_report.MAX_ENTRIES)
        if found.next_key is None:
            return
        after = found.next_key


def _parse_day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
