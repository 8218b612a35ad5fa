"""What was worked in a range of days, and what it cost: in all, by list, by label, by member and by period.

Only what lies inside the range counts: an entry that reaches over an end of it is cut there. Every sum is exact, in
seconds times hourly rate, until it is shown.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from kanban import money
from kanban.days import Bucket, Days, Period
from kanban.values import BoardView, Card, Label, List, TimeEntry

MOST_ENTRIES = 100_000
"""Time entries that one report reads."""


@dataclass(slots=True)
class Sum:
    """Seconds of work, and the seconds times their hourly rates."""

    seconds: int = 0
    rate_seconds: int = 0

    @property
    def cost_minor(self) -> int:
        """What it cost, in minor units: rounded half up, once."""
        return money.earned(self.rate_seconds)

    def add(self, seconds: int, rate_minor: int) -> None:
        """Count some more seconds."""
        self.seconds += seconds
        self.rate_seconds += seconds * rate_minor


@dataclass(frozen=True, slots=True)
class Report:
    """The sums. Lists stand in the board's order, labels by name, with None for work on cards that bear none.

    Members are users' ids, in order; they may have left. A list, label or member without work is not there; periods
    are all there.
    """

    total: Sum
    lists: tuple[tuple[List, Sum], ...]
    labels: tuple[tuple[Label | None, Sum], ...]
    members: tuple[tuple[str, Sum], ...]
    periods: tuple[tuple[Period, Sum], ...]


def report(worked: Iterable[tuple[BoardView, TimeEntry, Card]], days: Days, bucket: Bucket, now: datetime) -> Report:
    """The sums of these entries, each with its card and with the board as it was seen; open ones count up to now."""
    tally = _Tally(days, bucket, now)
    for view, entry, card in worked:
        tally.count(view, entry, card)
    return tally.report()


class _Tally:
    """A report in the making."""

    def __init__(self, days: Days, bucket: Bucket, now: datetime) -> None:
        self._start, self._end = days.start, min(days.end, now)
        self._periods = days.cut(bucket)
        self._view: BoardView | None = None
        self._lists_seen: dict[str, List] = {}
        self._labels_seen: dict[str, Label] = {}
        self._total = Sum()
        self._lists: defaultdict[str, Sum] = defaultdict(Sum)
        self._labels: defaultdict[str, Sum] = defaultdict(Sum)
        self._members: defaultdict[str, Sum] = defaultdict(Sum)
        self._pieces = [Sum() for _ in self._periods.pieces]

    def count(self, view: BoardView, entry: TimeEntry, card: Card) -> None:
        """Count an entry of a card."""
        start, end = max(entry.started_at, self._start), min(entry.ended_at or self._end, self._end)
        seconds = _seconds(start, end)
        if seconds <= 0:
            return
        self._look_at(view)
        labels = [each for each in card.label_ids if each in self._labels_seen] or [""]
        sums = [self._total, self._lists[card.list_id], self._members[entry.user_id]]
        for each in (*sums, *(self._labels[key] for key in labels)):
            each.add(seconds, entry.rate_minor)
        for number in range(self._periods.place(start), len(self._pieces)):
            piece = self._periods.pieces[number]
            if piece.start >= end:
                break
            self._pieces[number].add(_seconds(max(start, piece.start), min(end, piece.end)), entry.rate_minor)

    def report(self) -> Report:
        """What was counted."""
        labels = sorted(self._labels_seen.values(), key=lambda each: (each.name.casefold(), each.id))
        return Report(
            self._total,
            tuple((each, self._lists[key]) for key, each in self._lists_seen.items() if key in self._lists),
            tuple(
                (label, self._labels[key])
                for key, label in [*((each.id, each) for each in labels), ("", None)]
                if key in self._labels
            ),
            tuple(sorted(self._members.items())),
            tuple(zip(self._periods.pieces, self._pieces, strict=True)),
        )

    def _look_at(self, view: BoardView) -> None:
        """Know the lists and labels: of a report of several reads, as they were seen last."""
        if view is not self._view:
            self._view = view
            self._lists_seen |= {each.id: each for each in view.lists}
            self._labels_seen |= {each.id: each for each in view.labels}


def _seconds(start: datetime, end: datetime) -> int:
    return int((end - start).total_seconds())
