"""What was worked in a range of days, and what it cost: in all, by list, by label, by member and by period.

Only what lies inside the range counts: an entry that reaches over an end of it is cut there. Every sum is exact, in
seconds times hourly rate, until it is shown.
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
    """Seconds of work, and the seconds times their hourly rates."""

    seconds: int = 0
    rate_seconds: int = 0

    @property
    def cost_minor(self) -> int:
        """What it cost, in minor units: rounded half up, once."""
        return money.compute_cost_minor(self.rate_seconds)

    def add(self, seconds: int, rate_minor: int) -> None:
        """Count some more seconds."""
        self.seconds += seconds
        self.rate_seconds += seconds * rate_minor


@dataclass(frozen=True, slots=True)
class TimeReport:
    """The sums. Lists stand in the board's order, labels by name, with None for work on cards that bear none.

    Members are users' ids, in order; they may have left. A list, label or member without work is not there; periods
    are all there.
    """

    total: WorkTotal
    lists: tuple[tuple[List, WorkTotal], ...]
    labels: tuple[tuple[Label | None, WorkTotal], ...]
    members: tuple[tuple[str, WorkTotal], ...]
    periods: tuple[tuple[Period, WorkTotal], ...]


def build_time_report(
    entries: Iterable[tuple[BoardView, TimeEntry, Card]], date_range: DateRange, bucket: Bucket, now: datetime
) -> TimeReport:
    """The sums of these entries, each with its card and with the board as it was seen; open ones count up to now."""
    tally = _TimeReportBuilder(date_range, bucket, now)
    for view, entry, card in entries:
        tally.add_entry(view, entry, card)
    return tally.build()


class _TimeReportBuilder:
    """A report in the making."""

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
        """Count an entry of a card."""
        start, end = max(entry.started_at, self._start), min(entry.ended_at or self._end, self._end)
        seconds = _count_seconds(start, end)
        if seconds <= 0:
            return
        self._register_view(view)
        labels = [each for each in card.label_ids if each in self._labels_by_id] or [""]
        sums = [self._total, self._list_totals[card.list_id], self._member_totals[entry.user_id]]
        for each in (*sums, *(self._label_totals[key] for key in labels)):
            each.add(seconds, entry.rate_minor)
        for number in range(self._periods.find_index(start), len(self._period_totals)):
            piece = self._periods.periods[number]
            if piece.start >= end:
                break
            self._period_totals[number].add(
                _count_seconds(max(start, piece.start), min(end, piece.end)), entry.rate_minor
            )

    def build(self) -> TimeReport:
        """What was counted."""
        labels = sorted(self._labels_by_id.values(), key=lambda each: (each.name.casefold(), each.id))
        return TimeReport(
            self._total,
            tuple(
                (each, self._list_totals[key]) for key, each in self._lists_by_id.items() if key in self._list_totals
            ),
            tuple(
                (label, self._label_totals[key])
                for key, label in [*((each.id, each) for each in labels), ("", None)]
                if key in self._label_totals
            ),
            tuple(sorted(self._member_totals.items())),
            tuple(zip(self._periods.periods, self._period_totals, strict=True)),
        )

    def _register_view(self, view: BoardView) -> None:
        """Know the lists and labels: of a report of several reads, as they were seen last."""
        if view is not self._view:
            self._view = view
            self._lists_by_id |= {each.id: each for each in view.lists}
            self._labels_by_id |= {each.id: each for each in view.labels}


def _count_seconds(start: datetime, end: datetime) -> int:
    return int((end - start).total_seconds())
