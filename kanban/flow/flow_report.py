"""How work flows over a board: how long it takes, how much gets done, how much is under way.

All of it comes from the events of a range of days, and from what the board holds now. Numbers of cards are led back
from the present, so nothing that happened before the range needs to be read. What an event does to the number of cards
of its list:

    card.created, card.copied, card.arrived, card.unarchived    one more
    checklist_item.converted                                    one more, in the list of the card that was made
    card.restored                                               one more, unless it came back archived
    card.archived, card.departed                                one less
    card.deleted                                                one less, unless it was archived
    card.moved, list.cards_moved                                as many less where they were as more where they are
    list.copied, list.restored                                  as many more as the list holds
    list.deleted                                                as many less as it held

No other event changes a number, nor does one of a type that is not known here.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from kanban.flow.completions import Completion, Completions
from kanban.timekeeping.date_ranges import Period, Periods
from kanban.values import Event, EventData, Stage
from kanban.views import BoardView

MAX_EVENTS = 100_000
"""Events that one report reads."""

MAX_LISTED_COMPLETIONS = 5_000
"""Finished cards that a report names one by one; its percentiles are of all."""

MAX_LISTED_IN_PROGRESS = 1_000
"""Cards in progress that a report names one by one."""

_ADDING_EVENTS = frozenset(
    ("card.created", "card.copied", "card.arrived", "card.unarchived", "checklist_item.converted")
)
_REMOVING_EVENTS = frozenset(("card.archived", "card.departed"))

ListStage = tuple[str, Stage]
"""A list, and the stage that it had."""


@dataclass(frozen=True, slots=True)
class ListCounts:
    """How many cards a list held at the end of each day. The name of a list that is gone may not be known."""

    list_id: str
    name: str | None
    stage: Stage
    card_counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FlowReport:
    """What happened: finishes in their order, and numbers of cards at the end of each day."""

    completions: tuple[Completion, ...]
    stages: Mapping[Stage, tuple[int, ...]]
    lists: tuple[ListCounts, ...]


def build_flow_report(events: Iterable[Event], view: BoardView, days: Periods) -> FlowReport:
    """The flow of these days, none of which begins later than the view was seen.

    `events` are, in their order, all from the first day on; earlier and later ones are passed over.
    """
    if not days.periods:
        return FlowReport((), dict.fromkeys(Stage, ()), ())
    history = _FlowHistory(view, days)
    for event in events:
        if event.seq <= view.board.seq:
            history.apply(event)
    return history.build_report()


def count_throughput(completions: Sequence[Completion], periods: Periods) -> tuple[tuple[Period, int], ...]:
    """How many cards were finished in each period."""
    found = Counter(periods.find_index(each.resolved_at) for each in completions)
    return tuple((piece, found[number]) for number, piece in enumerate(periods.periods))


class _FlowHistory:
    """The events of a range, read one after the other."""

    def __init__(self, view: BoardView, days: Periods) -> None:
        self._view, self._days = view, days
        self._stages = {each.id: each.stage for each in view.lists}
        self._names: dict[str, str | None] = {each.id: each.name for each in view.lists}
        # One more than there are days: what happened after the last one.
        self._changes: list[Counter[ListStage]] = [Counter() for _ in range(len(days.periods) + 1)]
        self._archive_changes: list[list[tuple[str, bool]]] = [[] for _ in self._changes]
        self._completions = Completions()
        self._archived_completions = _ArchivedCompletions(days)

    def apply(self, event: Event) -> None:
        """Take note of an event."""
        day = self._days.find_index(event.at)
        if day < 0:
            return
        for place, cards in _get_count_changes(event, self._stages):
            self._changes[day][place] += cards
        if event.list_id and event.type in {"list.archived", "list.unarchived", "list.deleted"}:
            was_archived = event.type == "list.unarchived" or event.data.get("archived_at") is not None
            self._archive_changes[day].append((event.list_id, was_archived))
        if event.list_id and event.type == "list.deleted":
            self._names.setdefault(event.list_id, str(event.data.get("name") or "") or None)
        if day < len(self._days.periods):
            self._completions.apply(event)
            self._archived_completions.apply(event, day)

    def build_report(self) -> FlowReport:
        """What was read."""
        shown = self._count_cards_per_day()
        places = sorted(set().union(*shown))
        series = {place: tuple(day[place] for day in shown) for place in places}
        stages = {
            stage: tuple(sum(cards for (_, of), cards in day.items() if of == stage) for day in shown)
            for stage in Stage
        }
        return FlowReport(self._completions.list_current(), stages, tuple(self._build_list_counts(series)))

    def _count_cards_per_day(self) -> list[Counter[ListStage]]:
        """How many cards each list showed at the end of each day, led back from the present."""
        held = Counter({(each.id, each.stage): each.card_count for each in self._view.lists})
        archived = {each.id for each in self._view.lists if each.archived_at is not None}
        found = []
        for day, shelved in reversed([*enumerate(self._archived_completions.count_per_day())]):
            held.subtract(self._changes[day + 1])
            for list_id, was_archived in reversed(self._archive_changes[day + 1]):
                (archived.add if was_archived else archived.discard)(list_id)
            # Who archives finished work tidies up, and it stays done. Other work is taken off the board.
            shown = Counter(
                {place: cards for place, cards in held.items() if cards > 0 and _is_counted(place, archived)}
            )
            shown.update({(list_id, Stage.DONE): cards for list_id, cards in shelved.items()})
            found.append(shown)
        return found[::-1]

    def _build_list_counts(self, series: Mapping[ListStage, tuple[int, ...]]) -> Iterator[ListCounts]:
        """The board's lists in their order, then those that are gone."""
        by_list: defaultdict[str, list[ListStage]] = defaultdict(list)
        for place in series:
            by_list[place[0]].append(place)
        nothing = (0,) * len(self._days.periods)
        for list_id in [*self._stages, *(each for each in by_list if each not in self._stages)]:
            parts = [series[place] for place in by_list.get(list_id, [])] or [nothing]
            stage = self._stages.get(list_id) or by_list[list_id][-1][1]
            yield ListCounts(list_id, self._names.get(list_id), stage, tuple(map(sum, zip(*parts, strict=True))))


class _ArchivedCompletions:
    """Finished cards that were archived since the first day: they stay where they were done."""

    def __init__(self, days: Periods) -> None:
        self._range_start = days.periods[0].start
        self._changes: list[Counter[str]] = [Counter() for _ in days.periods]
        self._list_id_by_card: dict[str, str] = {}

    def apply(self, event: Event, day: int) -> None:
        """Take note of an event of that day."""
        card_id, list_id, is_done = event.card_id or "", event.list_id or "", event.data.get("stage") == Stage.DONE
        match event.type:
            case "card.archived" if is_done:
                self._add(card_id, list_id, day)
            case "card.restored" if is_done and _is_archived_since(event.data, self._range_start):
                self._add(card_id, list_id, day)
            case "card.unarchived" | "card.deleted" if card_id in self._list_id_by_card:
                self._changes[day][self._list_id_by_card.pop(card_id)] -= 1
            case "list.deleted" | "list.restored":
                cards = sum(each == list_id for each in self._list_id_by_card.values())
                self._changes[day][list_id] += cards if event.type == "list.restored" else -cards

    def count_per_day(self) -> list[Counter[str]]:
        """How many of them each list has."""
        found: list[Counter[str]] = []
        held: Counter[str] = Counter()
        for changes in self._changes:
            held.update(changes)
            found.append(Counter({list_id: cards for list_id, cards in held.items() if cards}))
        return found

    def _add(self, card_id: str, list_id: str, day: int) -> None:
        self._list_id_by_card[card_id] = list_id
        self._changes[day][list_id] += 1


def _get_count_changes(event: Event, stages: Mapping[str, Stage]) -> Iterator[tuple[ListStage, int]]:
    """Which places got how many cards more, or less."""
    data = event.data
    here, there = (event.list_id, data.get("stage")), (data.get("from_list_id"), data.get("from_stage"))
    found: list[tuple[tuple[object, object], int]] = []
    match event.type:
        case kind if kind in _ADDING_EVENTS:
            found = [(here, 1)]
        case kind if kind in _REMOVING_EVENTS:
            found = [(here, -1)]
        case "card.restored" if data.get("archived_at") is None:
            found = [(here, 1)]
        case "card.deleted" if data.get("archived_at") is None:
            found = [(here, -1)]
        case "card.moved" | "list.cards_moved":
            card_ids = data.get("card_ids")
            cards = len(card_ids) if isinstance(card_ids, list) else 1
            found = [(there, -cards), ((event.list_id, data.get("to_stage")), cards)]
        case "list.copied" | "list.restored":
            found = [(here, _get_card_count(data))]
        case "list.deleted":
            found = [(here, -_get_card_count(data))]
    for (list_id, named), cards in found:
        # An event of an older version may not name the stage: then it is the one that the list has now.
        if isinstance(list_id, str) and (stage := named or stages.get(list_id)):
            yield (list_id, Stage(str(stage))), cards


def _is_counted(list_stage: ListStage, archived: set[str]) -> bool:
    list_id, stage = list_stage
    return stage == Stage.DONE or list_id not in archived


def _is_archived_since(data: EventData, instant: datetime) -> bool:
    archived_at = data.get("archived_at")
    return isinstance(archived_at, str) and datetime.fromisoformat(archived_at) >= instant


def _get_card_count(data: EventData) -> int:
    card_count = data.get("card_count")
    return card_count if isinstance(card_count, int) else 0
