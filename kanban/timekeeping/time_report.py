"""Sum the time worked in a range of days and its cost: in total, by list, by label, by member and by period.

Only time inside the range counts: an entry that crosses an end of the range is cut there. Sums are exact, in seconds
times hourly rate, until they are formatted.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from kanban.timekeeping import money
from kanban.timekeeping.date_ranges import Bucket, DateRange, Period
from kanban.values import Card, Label, List, TimeEntry
from kanban.views import BoardView

MAX_ENTRIES = 100_000
"""Time entries that one report reads."""


@dataclass(slots=True)
class WorkTotal:
    """Seconds of work, and the sum of seconds times hourly rate."""

    seconds: int = 0
    rate_seconds: int = 0

    @property
    def cost_minor(self) -> int:
        """The cost in minor units, rounded half up, once."""
        return money.compute_cost_minor(self.rate_seconds)

    def add(self, seconds: int, rate_minor: int) -> None:
        """Add seconds of work at an hourly rate."""
        self.seconds += seconds
        self.rate_seconds += seconds * rate_minor


@dataclass(frozen=True, slots=True)
class TimeReport:
    """The totals of a range.

    Lists are in the board's order; labels are sorted by name, with None for cards that have no label; members are
    sorted user ids, of former members too. Lists, labels and members without work are left out; periods are all there.
    """

    total: WorkTotal
    lists: tuple[tuple[List, WorkTotal], ...]
    labels: tuple[tuple[Label | None, WorkTotal], ...]
    members: tuple[tuple[str, WorkTotal], ...]
    periods: tuple[tuple[Period, WorkTotal], ...]


def build_time_report(
    entries: Iterable[tuple[BoardView, TimeEntry, Card]], date_range: DateRange, bucket: Bucket, now: datetime
) -> TimeReport:
    """Sum the entries, each of which comes with its card and its board; open entries count up to now."""
    builder = _TimeReportBuilder(date_range, bucket, now)
    for view, entry, card in entries:
        builder.add_entry(view, entry, card)
    return builder.build()


class _TimeReportBuilder:
    """Collects entries and builds the report."""

    def __init__(self, date_range: DateRange, bucket: Bucket, now: datetime) -> None:
        self._start, self._end = date_range.start, min(date_range.end, now)
        self._periods = date_range.split(bucket)
        self._view: BoardView | None = None
        self._lists_by_id: dict[str, List] = {}
        self._labels_by_id: dict[str, Label] = {}
        self._total = WorkTotal()
        self._list_totals: defaultdict[str, WorkTotal] = defaultdict(WorkTotal)
        self._label_totals: defaultdict[str, WorkTotal] = defaultdict(WorkTotal)
        self._member_totals: defaultdict[str, WorkTotal] = defaultdict(WorkTotal)
        self._period_totals = [WorkTotal() for _ in self._periods.periods]

    def add_entry(self, view: BoardView, entry: TimeEntry, card: Card) -> None:
        """Add the time of an entry that lies inside the range."""
        start, end = max(entry.started_at, self._start), min(entry.ended_at or self._end, self._end)
        seconds = _count_seconds(start, end)
        if seconds <= 0:
            return
        self._register_view(view)
        label_ids = [label_id for label_id in card.label_ids if label_id in self._labels_by_id] or [""]
        totals = [self._total, self._list_totals[card.list_id], self._member_totals[entry.user_id]]
        for total in (*totals, *(self._label_totals[label_id] for label_id in label_ids)):
            total.add(seconds, entry.rate_minor)
        for index in range(self._periods.find_index(start), len(self._period_totals)):
            period = self._periods.periods[index]
            if period.start >= end:
                break
            self._period_totals[index].add(
                _count_seconds(max(start, period.start), min(end, period.end)), entry.rate_minor
            )

    def build(self) -> TimeReport:
        """Build the report of all entries added so far."""
        labels = sorted(self._labels_by_id.values(), key=lambda label: (label.name.casefold(), label.id))
        labels_by_id: list[tuple[str, Label | None]] = [*((label.id, label) for label in labels), ("", None)]
        return TimeReport(
            self._total,
            tuple(
                (list_, self._list_totals[list_id])
                for list_id, list_ in self._lists_by_id.items()
                if list_id in self._list_totals
            ),
            tuple(
                (label, self._label_totals[label_id])
                for label_id, label in labels_by_id
                if label_id in self._label_totals
            ),
            tuple(sorted(self._member_totals.items())),
            tuple(zip(self._periods.periods, self._period_totals, strict=True)),
        )

    def _register_view(self, view: BoardView) -> None:
        """Remember the view's lists and labels; if several reads differ, the last one counts."""
        if view is not self._view:
            self._view = view
            self._lists_by_id |= {list_.id: list_ for list_ in view.lists}
            self._labels_by_id |= {label.id: label for label in view.labels}


def _count_seconds(start: datetime, end: datetime) -> int:
    return int((end - start).total_seconds())
