"""Completions: which cards were completed in a range of days, derived from the board's events."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from kanban.timekeeping import timestamps
from kanban.values import Card, Event, EventData, Stage

_CREATION_EVENTS = frozenset(("card.created", "card.copied", "checklist_item.converted"))

CardTimes = tuple[str | None, str | None]
"""When a card was created and when it was first started, as its events say (RFC 3339 text); None if unknown."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A card that entered a list of the stage done. Timestamps that are not known are None."""

    card_id: str
    list_id: str
    created_at: datetime | None
    started_at: datetime | None
    resolved_at: datetime

    @property
    def lead_seconds(self) -> int | None:
        """Seconds from creation to completion."""
        return count_elapsed_seconds(self.created_at, self.resolved_at)

    @property
    def cycle_seconds(self) -> int | None:
        """Seconds from the first start to completion."""
        return count_elapsed_seconds(self.started_at, self.resolved_at)


def count_elapsed_seconds(start: datetime | None, end: datetime) -> int | None:
    """Return whole seconds between two timestamps; None if the start is not known."""
    # The clocks of several machines may differ a little, but no duration is negative.
    return None if start is None else max(0, int((end - start).total_seconds()))


def build_completion_data(card: Card, old_stage: Stage, new_stage: Stage) -> EventData:
    """Return the event data of a move that completes the card; empty for any other move."""
    if new_stage != Stage.DONE or old_stage == Stage.DONE:
        return {}
    return {
        "created_at": timestamps.format_utc(card.created_at),
        "started_at": timestamps.format_optional_utc(card.started_at),
    }


def get_percentile(values: Sequence[int], percent: int) -> int | None:
    """Return the nearest-rank percentile of sorted values; None if there are none."""
    return values[-(-percent * len(values) // 100) - 1] if values else None


@dataclass
class Completions:
    """The cards that were completed and still are, according to the events applied so far."""

    _by_card: dict[str, Completion] = field(default_factory=dict)
    _deleted_ids: set[str] = field(default_factory=set)
    """Deleted cards and lists."""
    _departed_card_ids: set[str] = field(default_factory=set)
    """Cards that moved to another board. They stay completed, even if the list that they left is deleted."""

    def apply(self, event: Event) -> None:
        """Apply one event. Events come in the order of their seq."""
        data, stage, card_id = event.data, event.data.get("stage"), event.card_id or ""
        match event.type:
            case kind if kind in _CREATION_EVENTS:
                new_card_id = data.get("new_card_id", card_id)
                self._enter_stage(str(new_card_id), event, (None, stage), (timestamps.format_utc(event.at), None))
            case "list.copied":
                for copied_card_id in _get_card_ids(data):
                    self._enter_stage(copied_card_id, event, (None, stage), (timestamps.format_utc(event.at), None))
            case "card.arrived":
                # The event carries the card's timestamps only if the transfer completed the card. Without them, a
                # card that arrives on done was completed on its old board.
                self._departed_card_ids.discard(card_id)
                old_stage = None if "created_at" in data else Stage.DONE
                self._enter_stage(card_id, event, (old_stage, stage), _get_card_times(data))
            case "card.moved":
                self._enter_stage(card_id, event, (data.get("from_stage"), data.get("to_stage")), _get_card_times(data))
            case "list.cards_moved":
                for moved_card_id, card_times in _get_card_times_by_card(data):
                    self._enter_stage(moved_card_id, event, (data.get("from_stage"), data.get("to_stage")), card_times)
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
        """Return the completions of cards that were neither reopened nor deleted, ordered by time."""
        completions = [
            completion
            for completion in self._by_card.values()
            if completion.card_id not in self._deleted_ids
            and (completion.list_id not in self._deleted_ids or completion.card_id in self._departed_card_ids)
        ]
        return tuple(sorted(completions, key=lambda completion: (completion.resolved_at, completion.card_id)))

    def _enter_stage(self, card_id: str, event: Event, stages: tuple[object, object], card_times: CardTimes) -> None:
        """Record that a card went from one stage to another, into the event's list."""
        old_stage, new_stage = stages
        earlier_completion = self._by_card.pop(card_id, None)
        if new_stage == Stage.DONE and old_stage != Stage.DONE:
            created_at, started_at = (timestamps.parse_utc(text) if text else None for text in card_times)
            self._by_card[card_id] = Completion(card_id, event.list_id or "", created_at, started_at, event.at)
        elif new_stage == Stage.DONE and earlier_completion:
            self._by_card[card_id] = replace(earlier_completion, list_id=event.list_id or "")


def _get_card_times(data: EventData) -> CardTimes:
    created_at, started_at = data.get("created_at"), data.get("started_at")
    return str(created_at) if created_at else None, str(started_at) if started_at else None


def _get_card_ids(data: EventData) -> list[str]:
    card_ids = data.get("card_ids")
    return card_ids if isinstance(card_ids, list) else []


def _get_card_times_by_card(data: EventData) -> list[tuple[str, CardTimes]]:
    """Return each card of a bulk move with its timestamps; '' in an event means unknown."""
    columns = [data.get(name) for name in ("card_ids", "created_at", "started_at")]
    card_ids, created_at, started_at = (column if isinstance(column, list) else [] for column in columns)
    times = zip(created_at, started_at, strict=True) if created_at else [("", "")] * len(card_ids)
    return [
        (card_id, (created or None, started or None))
        for card_id, (created, started) in zip(card_ids, times, strict=True)
    ]
