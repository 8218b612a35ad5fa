"""Sum the time worked in a range of days and its cost: in total, by list, by label, by member and by period.

Only time inside the range counts: an entry that crosses an end of the range is cut there. Sums are exact, in seconds
times hourly rate, until they are formatted.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from kanban.timekeeping import money
from kanban.timekeeping.date_ranges import Bucket, DateRange, Period
from kanban.values import Label, List
from kanban.views import BoardView, WorkedTime

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
    pages: Iterable[tuple[BoardView, Sequence[WorkedTime]]], date_range: DateRange, bucket: Bucket, now: datetime
) -> TimeReport:
    """Sum the work of pages, each of which comes with its board; open entries count up to now.

    If the boards of several pages differ, the last one counts.
    """
    builder = _TimeReportBuilder(date_range, bucket, now)
    for view, items in pages:
        builder.add_page(view, items)
    return builder.build()


class _TimeReportBuilder:
    """Collects work and builds the report.

    Instants are seconds since 1970, and the work of one member on cards with the same list and labels is summed first:
    a report may have many entries.
    """

    def __init__(self, date_range: DateRange, bucket: Bucket, now: datetime) -> None:
        self._start, self._end = date_range.start.timestamp(), min(date_range.end, now).timestamp()
        self._periods = date_range.split(bucket).periods
        self._period_bounds = [*(period.start.timestamp() for period in self._periods), date_range.end.timestamp()]
        self._lists_by_id: dict[str, List] = {}
        self._labels_by_id: dict[str, Label] = {}
        self._totals: defaultdict[tuple[str, str, tuple[str, ...]], WorkTotal] = defaultdict(WorkTotal)
        self._period_totals = [WorkTotal() for _ in self._periods]

    def add_page(self, view: BoardView, items: Iterable[WorkedTime]) -> None:
        """Add the work that lies inside the range."""
        self._lists_by_id |= {list_.id: list_ for list_ in view.lists}
        self._labels_by_id |= {label.id: label for label in view.labels}
        for work in items:
            start = max(work.started_at.timestamp(), self._start)
            end = self._end if work.ended_at is None else min(work.ended_at.timestamp(), self._end)
            if start < end:
                self._totals[work.user_id, work.list_id, work.label_ids].add(int(end - start), work.rate_minor)
                self._add_to_periods(start, end, work.rate_minor)

    def build(self) -> TimeReport:
        """Build the report of all work added so far."""
        total = WorkTotal()
        list_totals, label_totals, member_totals = (defaultdict[str, WorkTotal](WorkTotal) for _ in range(3))
        for (user_id, list_id, label_ids), part in self._totals.items():
            live_label_ids = [label_id for label_id in label_ids if label_id in self._labels_by_id] or [""]
            totals = [total, list_totals[list_id], member_totals[user_id]]
            for other in (*totals, *(label_totals[label_id] for label_id in live_label_ids)):
                other.seconds += part.seconds
                other.rate_seconds += part.rate_seconds
        labels = sorted(self._labels_by_id.values(), key=lambda label: (label.name.casefold(), label.id))
        labels_by_id: list[tuple[str, Label | None]] = [*((label.id, label) for label in labels), ("", None)]
        return TimeReport(
            total,
            tuple(
                (list_, list_totals[list_id]) for list_id, list_ in self._lists_by_id.items() if list_id in list_totals
            ),
            tuple((label, label_totals[label_id]) for label_id, label in labels_by_id if label_id in label_totals),
            tuple(sorted(member_totals.items())),
            tuple(zip(self._periods, self._period_totals, strict=True)),
        )

    def _add_to_periods(self, start: float, end: float, rate_minor: int) -> None:
        """Add work between two instants of the range to the periods that it lies in."""
        index = bisect_right(self._period_bounds, start) - 1
        while start < end:
            period_end = min(end, self._period_bounds[index + 1])
            self._period_totals[index].add(int(period_end - start), rate_minor)
            start = period_end
            index += 1
