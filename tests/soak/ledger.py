"""What every part of the model writes down, and in which words."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.api.client import Answer
from tests.soak.rulings import Expected, refuse_taken
from tests.soak.shapes import board_shape, board_tag, card_shape, card_tag, column_shape, column_tag, moment
from tests.soak.state import Board, Card, Checklist, Column, Comment, Item, Label, Place, Stretch

Versioned = Board | Column | Card | Label | Place | Comment | Checklist | Item


class Ledger:
    """The boards that there are, those that were deleted (`gone`), the moment, and what the users are called.

    `_by` is who asks, `_seen` the answer that came.
    """

    def __init__(self, now: datetime, names: Mapping[str, str]) -> None:
        self.now = now
        self.names = names
        self.boards: list[Board] = []
        self.gone: list[Board] = []
        self._by = ""
        self._seen: Answer

    def _bring(self, card: Card, origin: str | None, goal: str, board: Board) -> None:
        """Start and stop the card's clock."""
        if origin == goal:
            return
        self._stop(card)
        if goal == "in_progress":
            card.stretches.append(Stretch(self._by, self.now, None, rate_of(card, board)))
            card.started = card.started or self.now
        card.resolved = self.now if goal == "done" else None

    def _stop(self, card: Card) -> None:
        for stretch in card.stretches:
            if stretch.end is None:
                stretch.end = self.now
                stretch.version += 1

    def _take_external_id(self, wanted: str | None, board: Board, others: Sequence[Card]) -> None:
        """Refuse one that another card has, and take it from a card that is gone with its column."""
        refuse_taken(wanted, others)
        for column in board.gone:
            for card in column.cards:
                if card.external_id == wanted and not card.deleted:
                    card.external_id = None

    def _new_id(self) -> str:
        return str(self._seen.json["id"]) if self._seen.status == 201 else ""

    def _column(self, new_id: str, wishes: dict[str, Any]) -> Column:
        return Column(
            id=new_id,
            name=wishes["name"],
            stage=wishes["stage"],
            made=self.now,
            edited=self.now,
            wip_limit=wishes.get("wip_limit"),
            wip_enforcement=wishes.get("wip_enforcement", "warn"),
            external_id=wishes.get("external_id"),
        )

    def _patched(self, thing: Versioned, patch: dict[str, Any]) -> list[str]:
        changed = sorted(name for name, new in patch.items() if getattr(thing, name) != new)
        for name in changed:
            setattr(thing, name, patch[name])
        if changed:
            self._touch(thing)
        return changed

    def _touch(self, thing: Versioned) -> None:
        thing.version += 1
        thing.edited = self.now

    def _record(
        self, board: Board, kind: str, column: Column | None = None, card: Card | None = None, **data: Any
    ) -> None:
        event: dict[str, Any] = {
            "seq": len(board.events) + 1,
            "type": kind,
            "at": moment(self.now),
            "actor_id": self._by,
            "board_id": board.id,
            "data": data,
        }
        if column:
            event["list_id"] = column
        if card:
            event["card_id"] = card
        board.events.append(event)

    def _board_shown(self, board: Board, status: int = 200) -> Expected:
        return Expected(status, body=board_shape(board, self._by), tag=board_tag(board))

    def _column_shown(self, board: Board, column: Column, status: int = 200) -> Expected:
        return Expected(status, body=column_shape(board, column), tag=column_tag(column))

    def _card_shown(self, board: Board, card: Card, status: int = 200) -> Expected:
        return Expected(status, body=card_shape(board, card, self.now), tag=card_tag(board, card, self.now))


def rate_of(card: Card, board: Board) -> int:
    """What an hour costs by now."""
    return board.hourly_rate_minor if card.hourly_rate_minor is None else card.hourly_rate_minor
