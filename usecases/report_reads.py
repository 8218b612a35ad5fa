"""Read what reports are made of, page after page: time entries and cards in progress."""

from collections.abc import Iterator, Sequence

from kanban.flow import flow_report
from kanban.store import CardQuery, CardSort
from kanban.timekeeping import time_report
from kanban.timekeeping.date_ranges import DateRange, TooMuchInRange
from kanban.values import Card, Stage
from kanban.views import BoardView, PageKey, WorkedTime
from usecases.board_access import BoardAccess

_ENTRIES_PER_READ = 500
_CARDS_PER_READ = 100


def read_cards_in_progress(access: BoardAccess, board_id: str) -> tuple[BoardView, list[Card]]:
    """Return the board as of the last read, and its cards in progress, the oldest first, up to the report's limit."""
    query = CardQuery(status=Stage.IN_PROGRESS, sort=CardSort.OLDEST)
    view, page = access.page_cards(board_id, query, _CARDS_PER_READ)
    cards = {card.id: card for card in page.items}
    while page.next_key and len(cards) < flow_report.MAX_LISTED_IN_PROGRESS:
        view, page = access.page_cards(board_id, query, _CARDS_PER_READ, page.next_key)
        cards |= {card.id: card for card in page.items}
    return view, [*cards.values()][: flow_report.MAX_LISTED_IN_PROGRESS]


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
