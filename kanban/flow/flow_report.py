"""The flow report: cycle and lead times, throughput, cumulative flow and work in progress.

Everything is derived from the events of a range of days and from the state of the flow after them: the board as it is
now, or a state that was recorded (`kanban.flow.flow_segments`). Card counts are computed backwards from that state, so
that no event before the range has to be read. `kanban.flow.flow_state` says which events change them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from kanban.flow.completions import Completion, Completions
from kanban.flow.flow_state import FlowState, ListStage, build_present_state, count_changes, get_stages, was_archived
from kanban.timekeeping.date_ranges import Period, Periods
from kanban.values import Event, EventData, Stage
from kanban.views import BoardView

MAX_EVENTS = 100_000
"""Events that one report reads."""

MAX_LISTED_COMPLETIONS = 5_000
"""Completed cards that a report lists one by one; its percentiles cover all of them."""

MAX_LISTED_IN_PROGRESS = 1_000
"""Cards in progress that a report lists one by one."""


@dataclass(frozen=True, slots=True)
class ListCounts:
    """The number of cards of a list at the end of each day. The name of a deleted list may be unknown."""

    list_id: str
    name: str | None
    stage: Stage
    card_counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FlowReport:
    """Completions in their order, and card counts at the end of each day by stage and by list."""

    completions: tuple[Completion, ...]
    stages: Mapping[Stage, tuple[int, ...]]
    lists: tuple[ListCounts, ...]


def build_flow_report(
    events: Iterable[Event], view: BoardView, days: Periods, end_state: FlowState | None = None
) -> FlowReport:
    """Build the flow report of consecutive days, none of which begins after the view was read.

    `events` are all events from the first day on, in order, up to the view or, with an `end_state`, up to the one that
    led to that state. Events that are older are ignored, and without an `end_state` those newer than the view.
    """
    if not days.periods:
        return FlowReport((), dict.fromkeys(Stage, ()), ())
    history = _FlowHistory(view, days, end_state or build_present_state(view))
    for event in events:
        if end_state or event.seq <= view.board.seq:
            history.apply(event)
    return history.build_report()


def count_throughput(completions: Sequence[Completion], periods: Periods) -> tuple[tuple[Period, int], ...]:
    """Return how many cards were completed in each period."""
    counts = Counter(periods.find_index(completion.resolved_at) for completion in completions)
    return tuple((period, counts[index]) for index, period in enumerate(periods.periods))


class _FlowHistory:
    """The changes of a range, collected event by event."""

    def __init__(self, view: BoardView, days: Periods, end_state: FlowState) -> None:
        self._days = days
        self._end_state = end_state
        self._stages = get_stages(view)
        self._names = end_state.names | {list_.id: list_.name for list_ in view.lists}
        # The last one is for what happened after the last day.
        self._changes: list[Counter[ListStage]] = [*(Counter() for _ in days.periods), Counter()]
        self._archive_changes: list[list[tuple[str, bool]]] = [[] for _ in self._changes]
        self._completions = Completions()
        self._archived_completions = _ArchivedCompletions(days)

    def apply(self, event: Event) -> None:
        """Apply one event."""
        day = self._days.find_index(event.at)
        if day < 0:
            return
        for list_stage, difference in count_changes(event, self._stages):
            self._changes[day][list_stage] += difference
        if event.list_id and event.type in {"list.archived", "list.unarchived", "list.deleted"}:
            self._archive_changes[day].append((event.list_id, was_archived(event)))
        if event.list_id and event.type == "list.deleted":
            self._names.setdefault(event.list_id, str(event.data.get("name") or "") or None)
        if day < len(self._days.periods):
            self._completions.apply(event)
            self._archived_completions.apply(event, day)

    def build_report(self) -> FlowReport:
        """Build the report from all events applied so far."""
        counts_per_day = self._count_cards_per_day()
        list_stages = sorted(set().union(*counts_per_day))
        series = {list_stage: tuple(counts[list_stage] for counts in counts_per_day) for list_stage in list_stages}
        stages = {
            stage: tuple(
                sum(count for (_, counted_stage), count in counts.items() if counted_stage == stage)
                for counts in counts_per_day
            )
            for stage in Stage
        }
        return FlowReport(self._completions.list_current(), stages, tuple(self._build_list_counts(series)))

    def _count_cards_per_day(self) -> list[Counter[ListStage]]:
        """Return the cards of each list and stage at the end of each day, computed backwards from the end."""
        card_counts = Counter(self._end_state.card_counts)
        archived_list_ids = set(self._end_state.archived_list_ids)
        counts_per_day = []
        for day, archived_completions in reversed([*enumerate(self._archived_completions.count_per_day())]):
            card_counts.subtract(self._changes[day + 1])
            for list_id, is_archived in reversed(self._archive_changes[day + 1]):
                (archived_list_ids.add if is_archived else archived_list_ids.discard)(list_id)
            # Archived work that was completed stays in the chart, other archived work is taken off the board.
            counts = Counter(
                {
                    list_stage: count
                    for list_stage, count in card_counts.items()
                    if count > 0 and _is_counted(list_stage, archived_list_ids)
                }
            )
            counts.update({(list_id, Stage.DONE): count for list_id, count in archived_completions.items()})
            counts_per_day.append(counts)
        return counts_per_day[::-1]

    def _build_list_counts(self, series: Mapping[ListStage, tuple[int, ...]]) -> Iterator[ListCounts]:
        """Yield the counts of the board's lists in order, then of deleted lists."""
        stages_by_list: defaultdict[str, list[ListStage]] = defaultdict(list)
        for list_stage in series:
            stages_by_list[list_stage[0]].append(list_stage)
        zeros = (0,) * len(self._days.periods)
        for list_id in [
            *self._stages,
            *(deleted_list_id for deleted_list_id in stages_by_list if deleted_list_id not in self._stages),
        ]:
            rows = [series[list_stage] for list_stage in stages_by_list.get(list_id, [])] or [zeros]
            stage = self._stages.get(list_id) or stages_by_list[list_id][-1][1]
            yield ListCounts(list_id, self._names.get(list_id), stage, tuple(map(sum, zip(*rows, strict=True))))


class _ArchivedCompletions:
    """Completed cards that were archived since the first day: they still count in the list of their completion."""

    def __init__(self, days: Periods) -> None:
        self._range_start = days.periods[0].start
        self._changes: list[Counter[str]] = [Counter() for _ in days.periods]
        self._list_id_by_card: dict[str, str] = {}

    def apply(self, event: Event, day: int) -> None:
        """Apply one event that happened on the day with that index."""
        card_id, list_id, is_done = event.card_id or "", event.list_id or "", event.data.get("stage") == Stage.DONE
        match event.type:
            case "card.archived" if is_done:
                self._add(card_id, list_id, day)
            case "card.restored" if is_done and _is_archived_since(event.data, self._range_start):
                self._add(card_id, list_id, day)
            case "card.unarchived" | "card.deleted" if card_id in self._list_id_by_card:
                self._changes[day][self._list_id_by_card.pop(card_id)] -= 1
            case "list.deleted" | "list.restored":
                count = sum(completed_list_id == list_id for completed_list_id in self._list_id_by_card.values())
                self._changes[day][list_id] += count if event.type == "list.restored" else -count

    def count_per_day(self) -> list[Counter[str]]:
        """Return how many such cards each list has at the end of each day."""
        counts_per_day: list[Counter[str]] = []
        counts: Counter[str] = Counter()
        for changes in self._changes:
            counts.update(changes)
            counts_per_day.append(Counter({list_id: count for list_id, count in counts.items() if count}))
        return counts_per_day

    def _add(self, card_id: str, list_id: str, day: int) -> None:
        self._list_id_by_card[card_id] = list_id
        self._changes[day][list_id] += 1


def _is_counted(list_stage: ListStage, archived_list_ids: set[str]) -> bool:
    list_id, stage = list_stage
    return stage == Stage.DONE or list_id not in archived_list_ids


def _is_archived_since(data: EventData, instant: datetime) -> bool:
    archived_at = data.get("archived_at")
    return isinstance(archived_at, str) and datetime.fromisoformat(archived_at) >= instant
