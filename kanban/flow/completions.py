"""Which cards were finished in a range of days, as its events tell it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from kanban.timekeeping import timestamps
from kanban.values import Card, Event, EventData, Stage

_CREATION_EVENTS = frozenset(("card.created", "card.copied", "checklist_item.converted"))

CardTimes = tuple[str | None, str | None]
"""When a card was created, and when it was first started, as events tell it."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A card came among what is done. What is not known about it is None."""

    card_id: str
    list_id: str
    created_at: datetime | None
    started_at: datetime | None
    resolved_at: datetime

    @property
    def lead_seconds(self) -> int | None:
        """From its creation to here."""
        return count_elapsed_seconds(self.created_at, self.resolved_at)

    @property
    def cycle_seconds(self) -> int | None:
        """From its first start to here."""
        return count_elapsed_seconds(self.started_at, self.resolved_at)


def count_elapsed_seconds(start: datetime | None, end: datetime) -> int | None:
    """Whole seconds from then to then, None from a moment that is not known."""
    # Clocks of several machines may differ a little, but nothing takes less than no time.
    return None if start is None else max(0, int((end - start).total_seconds()))


def build_completion_data(card: Card, old_stage: Stage, new_stage: Stage) -> EventData:
    """What the event of a move tells of a card that it finishes; of any other, nothing."""
    if new_stage != Stage.DONE or old_stage == Stage.DONE:
        return {}
    return {
        "created_at": timestamps.format_utc(card.created_at),
        "started_at": timestamps.format_optional_utc(card.started_at),
    }


def get_percentile(values: Sequence[int], percent: int) -> int | None:
    """The smallest of the values such that at least so many percent of them are not above it (nearest rank).

    The values are sorted. None where there are none.
    """
    return values[-(-percent * len(values) // 100) - 1] if values else None


@dataclass
class Completions:
    """Which cards were finished, and still are, by the events that were read."""

    _by_card: dict[str, Completion] = field(default_factory=dict)
    _deleted_ids: set[str] = field(default_factory=set)
    """Cards and lists that were deleted."""
    _departed_card_ids: set[str] = field(default_factory=set)
    """Cards that are on another board: they stay finished, whatever becomes of the list that they left."""

    def apply(self, event: Event) -> None:
        """Take note of an event; of one after the other, in their order."""
        data, stage, card_id = event.data, event.data.get("stage"), event.card_id or ""
        match event.type:
            case kind if kind in _CREATION_EVENTS:
                made = data.get("new_card_id", card_id)
                self._enter_stage(str(made), event, (None, stage), (timestamps.format_utc(event.at), None))
            case "list.copied":
                for copy in _get_card_ids(data):
                    self._enter_stage(copy, event, (None, stage), (timestamps.format_utc(event.at), None))
            case "card.arrived":
                # Whether it was done already where it came from is told by whether it is told since when it exists.
                self._departed_card_ids.discard(card_id)
                old = None if "created_at" in data else Stage.DONE
                self._enter_stage(card_id, event, (old, stage), _get_card_times(data))
            case "card.moved":
                self._enter_stage(card_id, event, (data.get("from_stage"), data.get("to_stage")), _get_card_times(data))
            case "list.cards_moved":
                for moved, since in _get_card_times_by_card(data):
                    self._enter_stage(moved, event, (data.get("from_stage"), data.get("to_stage")), since)
            case _:
                self._apply_archive_event(event, card_id)

    def _apply_archive_event(self, event: Event, card_id: str) -> None:
        data, stage = event.data, event.data.get("stage")
        match event.type:
            case "card.unarchived" | "card.restored":
                self._deleted_ids.discard(card_id)
                if stage != Stage.DONE:
                    self._by_card.pop(card_id, None)
                elif "created_at" in data:
                    self._enter_stage(card_id, event, (None, stage), _get_card_times(data))
            case "card.departed":
                self._departed_card_ids.add(card_id)
            case "card.deleted" | "list.deleted":
                self._deleted_ids.add(card_id or event.list_id or "")
            case "list.restored":
                self._deleted_ids.discard(event.list_id or "")

    def list_current(self) -> tuple[Completion, ...]:
        """The finishes of cards that were neither reopened nor deleted since, in their order."""
        found = [
            each
            for each in self._by_card.values()
            if each.card_id not in self._deleted_ids
            and (each.list_id not in self._deleted_ids or each.card_id in self._departed_card_ids)
        ]
        return tuple(sorted(found, key=lambda each: (each.resolved_at, each.card_id)))

    def _enter_stage(self, card_id: str, event: Event, stages: tuple[object, object], card_times: CardTimes) -> None:
        """A card came from a stage to a stage, into the event's list."""
        old, new = stages
        earlier = self._by_card.pop(card_id, None)
        if new == Stage.DONE and old != Stage.DONE:
            created_at, started_at = (timestamps.parse_utc(text) if text else None for text in card_times)
            self._by_card[card_id] = Completion(card_id, event.list_id or "", created_at, started_at, event.at)
        elif new == Stage.DONE and earlier:
            self._by_card[card_id] = replace(earlier, list_id=event.list_id or "")


def _get_card_times(data: EventData) -> CardTimes:
    created_at, started_at = data.get("created_at"), data.get("started_at")
    return str(created_at) if created_at else None, str(started_at) if started_at else None


def _get_card_ids(data: EventData) -> list[str]:
    found = data.get("card_ids")
    return found if isinstance(found, list) else []


def _get_card_times_by_card(data: EventData) -> list[tuple[str, CardTimes]]:
    """The cards of a move of many, each with what is told of it: '' is nothing."""
    columns = [data.get(name) for name in ("card_ids", "created_at", "started_at")]
    card_ids, created, started = (each if isinstance(each, list) else [] for each in columns)
    known = zip(created, started, strict=True) if created else [("", "")] * len(card_ids)
    return [(card_id, (one or None, other or None)) for card_id, (one, other) in zip(card_ids, known, strict=True)]
