"""Which cards were finished in a range of days, as its events tell it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from kanban import moments
from kanban.values import Card, Event, EventData, Stage

_BORN = frozenset(("card.created", "card.copied", "checklist_item.converted"))

Since = tuple[str | None, str | None]
"""When a card was created, and when it was first started, as events tell it."""


@dataclass(frozen=True, slots=True)
class Finish:
    """A card came among what is done. What is not known about it is None."""

    card_id: str
    list_id: str
    created_at: datetime | None
    started_at: datetime | None
    resolved_at: datetime

    @property
    def lead_seconds(self) -> int | None:
        """From its creation to here."""
        return elapsed(self.created_at, self.resolved_at)

    @property
    def cycle_seconds(self) -> int | None:
        """From its first start to here."""
        return elapsed(self.started_at, self.resolved_at)


def elapsed(since: datetime | None, until: datetime) -> int | None:
    """Whole seconds from then to then, None from a moment that is not known."""
    # Clocks of several machines may differ a little, but nothing takes less than no time.
    return None if since is None else max(0, int((until - since).total_seconds()))


def told(card: Card, old: Stage, new: Stage) -> EventData:
    """What the event of a move tells of a card that it finishes; of any other, nothing."""
    if new != Stage.DONE or old == Stage.DONE:
        return {}
    return {"created_at": moments.written(card.created_at), "started_at": moments.written_or_none(card.started_at)}


def percentile(values: Sequence[int], percent: int) -> int | None:
    """The smallest of the values such that at least so many percent of them are not above it (nearest rank).

    The values are sorted. None where there are none.
    """
    return values[-(-percent * len(values) // 100) - 1] if values else None


@dataclass
class Finishes:
    """Which cards were finished, and still are, by the events that were read."""

    _by_card: dict[str, Finish] = field(default_factory=dict)
    _gone: set[str] = field(default_factory=set)
    """Cards and lists that were deleted."""
    _departed: set[str] = field(default_factory=set)
    """Cards that are on another board: they stay finished, whatever becomes of the list that they left."""

    def read(self, event: Event) -> None:
        """Take note of an event; of one after the other, in their order."""
        data, stage, card_id = event.data, event.data.get("stage"), event.card_id or ""
        match event.type:
            case kind if kind in _BORN:
                made = data.get("new_card_id", card_id)
                self._came(str(made), event, (None, stage), (moments.written(event.at), None))
            case "list.copied":
                for copy in _named(data):
                    self._came(copy, event, (None, stage), (moments.written(event.at), None))
            case "card.arrived":
                # Whether it was done already where it came from is told by whether it is told since when it exists.
                self._departed.discard(card_id)
                old = None if "created_at" in data else Stage.DONE
                self._came(card_id, event, (old, stage), _since(data))
            case "card.moved":
                self._came(card_id, event, (data.get("from_stage"), data.get("to_stage")), _since(data))
            case "list.cards_moved":
                for moved, since in _each_since(data):
                    self._came(moved, event, (data.get("from_stage"), data.get("to_stage")), since)
            case _:
                self._read_of_shelves(event, card_id)

    def _read_of_shelves(self, event: Event, card_id: str) -> None:
        data, stage = event.data, event.data.get("stage")
        match event.type:
            case "card.unarchived" | "card.restored":
                self._gone.discard(card_id)
                if stage != Stage.DONE:
                    self._by_card.pop(card_id, None)
                elif "created_at" in data:
                    self._came(card_id, event, (None, stage), _since(data))
            case "card.departed":
                self._departed.add(card_id)
            case "card.deleted" | "list.deleted":
                self._gone.add(card_id or event.list_id or "")
            case "list.restored":
                self._gone.discard(event.list_id or "")

    def standing(self) -> tuple[Finish, ...]:
        """The finishes of cards that were neither reopened nor deleted since, in their order."""
        found = [
            each
            for each in self._by_card.values()
            if each.card_id not in self._gone and (each.list_id not in self._gone or each.card_id in self._departed)
        ]
        return tuple(sorted(found, key=lambda each: (each.resolved_at, each.card_id)))

    def _came(self, card_id: str, event: Event, stages: tuple[object, object], since: Since) -> None:
        """A card came from a stage to a stage, into the event's list."""
        old, new = stages
        earlier = self._by_card.pop(card_id, None)
        if new == Stage.DONE and old != Stage.DONE:
            created_at, started_at = (moments.read(text) if text else None for text in since)
            self._by_card[card_id] = Finish(card_id, event.list_id or "", created_at, started_at, event.at)
        elif new == Stage.DONE and earlier:
            self._by_card[card_id] = replace(earlier, list_id=event.list_id or "")


def _since(data: EventData) -> Since:
    created_at, started_at = data.get("created_at"), data.get("started_at")
    return str(created_at) if created_at else None, str(started_at) if started_at else None


def _named(data: EventData) -> list[str]:
    found = data.get("card_ids")
    return found if isinstance(found, list) else []


def _each_since(data: EventData) -> list[tuple[str, Since]]:
    """The cards of a move of many, each with what is told of it: '' is nothing."""
    columns = [data.get(name) for name in ("card_ids", "created_at", "started_at")]
    card_ids, created, started = (each if isinstance(each, list) else [] for each in columns)
    known = zip(created, started, strict=True) if created else [("", "")] * len(card_ids)
    return [(card_id, (one or None, other or None)) for card_id, (one, other) in zip(card_ids, known, strict=True)]
