"""A reference model of the flow report: replays all events for every day, without the present state of the board."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kanban.timekeeping.date_ranges import Bucket, DateRange
from kanban.values import Event


@dataclass
class ReplayedCard:
    """A card as its events describe it."""

    list_id: str
    stage: str
    created_at: datetime
    started_at: datetime | None = None
    resolved_at: datetime | None = None
    archived_at: datetime | None = None
    is_deleted: bool = False

    def enter_list(self, list_id: str, stage: str, at: datetime) -> None:
        """Move the card into a list."""
        if stage == "in_progress" and self.started_at is None:
            self.started_at = at
        if stage != "done":
            self.resolved_at = None
        elif self.stage != "done":
            self.resolved_at = at
        self.list_id, self.stage = list_id, stage


@dataclass
class ReplayedBoard:
    """A board as its events describe it."""

    cards: dict[str, ReplayedCard] = field(default_factory=dict)
    archived: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)

    def apply(self, event: Event) -> None:
        """Apply one event."""
        if event.card_id:
            self._apply_card_event(event, event.card_id, str(event.list_id))
        elif event.list_id:
            self._apply_list_event(event.type, event.list_id)

    def counts_card(self, card: ReplayedCard, start: datetime) -> bool:
        """Return whether the card counts among those of its list, in a range that begins at `start`."""
        if card.is_deleted or card.list_id in self.deleted:
            return False
        if card.stage == "done":
            return card.archived_at is None or card.archived_at >= start
        return card.archived_at is None and card.list_id not in self.archived

    def _apply_card_event(self, event: Event, card_id: str, list_id: str) -> None:
        if event.type == "card.created":
            self.cards[card_id] = ReplayedCard(list_id, "", event.at)
            self.cards[card_id].enter_list(list_id, str(event.data["stage"]), event.at)
            return
        card = self.cards[card_id]
        match event.type:
            case "card.moved":
                card.enter_list(list_id, str(event.data["to_stage"]), event.at)
            case "card.archived":
                card.archived_at = event.at
            case "card.unarchived":
                card.archived_at = None
            case "card.deleted":
                card.is_deleted = True
            case "card.restored":
                card.is_deleted = False

    def _apply_list_event(self, event_type: str, list_id: str) -> None:
        match event_type:
            case "list.archived":
                self.archived.add(list_id)
            case "list.unarchived":
                self.archived.remove(list_id)
            case "list.deleted":
                self.deleted.add(list_id)
            case "list.restored":
                self.deleted.remove(list_id)


def replay_flow(
    events: Sequence[Event], date_range: DateRange
) -> tuple[list[Counter[tuple[str, str]]], list[tuple[Any, ...]]]:
    """Return the cards by list and stage at the end of each day, and the completed cards with their timestamps."""
    counts = []
    for period in date_range.split(Bucket.DAY).periods:
        board = _replay_until(events, period.end)
        counted = [card for card in board.cards.values() if board.counts_card(card, date_range.start)]
        counts.append(Counter((card.list_id, card.stage) for card in counted))
    board = _replay_until(events, date_range.end)
    completions = [
        (card.resolved_at, card_id, card.list_id, card.created_at, card.started_at)
        for card_id, card in board.cards.items()
        if card.resolved_at and card.resolved_at >= date_range.start
        if not card.is_deleted and card.list_id not in board.deleted
    ]
    return counts, sorted(completions)


def _replay_until(events: Sequence[Event], until: datetime) -> ReplayedBoard:
    board = ReplayedBoard()
    for event in events:
        if event.at < until:
            board.apply(event)
    return board
