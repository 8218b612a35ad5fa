"""What all parts of the model share: the boards, clocks, events and expected responses."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.api.client import HttpResponse
from tests.soak.expectations import ExpectedResponse, ensure_external_id_free
from tests.soak.serialize import (
    board_etag,
    card_etag,
    column_etag,
    format_timestamp,
    serialize_board,
    serialize_card,
    serialize_column,
)
from tests.soak.state import Board, Card, Checklist, Column, Comment, Item, Label, Membership, TimeEntry

Versioned = Board | Column | Card | Label | Membership | Comment | Checklist | Item


class ModelCore:
    """The live and the deleted boards, the time, and the names of the users.

    `_actor` is the user of the present request, `_response` the response that the API sent.
    """

    def __init__(self, now: datetime, names: Mapping[str, str]) -> None:
        self.now = now
        self.names = names
        self.boards: list[Board] = []
        self.deleted_boards: list[Board] = []
        self._actor = ""
        self._response: HttpResponse

    def _run_clock(self, card: Card, origin: str | None, goal: str, board: Board) -> None:
        """Stop or start the card's clock for a move from one stage to another."""
        if origin == goal:
            return
        self._stop_clock(card)
        if goal == "in_progress":
            card.time_entries.append(TimeEntry(self._actor, self.now, None, current_rate(card, board)))
            card.started_at = card.started_at or self.now
        card.resolved_at = self.now if goal == "done" else None

    def _stop_clock(self, card: Card) -> None:
        for entry in card.time_entries:
            if entry.ended_at is None:
                entry.ended_at = self.now
                entry.version += 1

    def _claim_external_id(self, external_id: str | None, board: Board, others: Sequence[Card]) -> None:
        """Raise ExpectedError if another card has the external id; clear it on cards of deleted columns."""
        ensure_external_id_free(external_id, others)
        for column in board.deleted_columns:
            for card in column.cards:
                if card.external_id == external_id and not card.deleted_at:
                    card.external_id = None

    def _read_new_id(self) -> str:
        return str(self._response.json["id"]) if self._response.status == 201 else ""

    def _make_column(self, new_id: str, fields: dict[str, Any]) -> Column:
        return Column(
            id=new_id,
            name=fields["name"],
            stage=fields["stage"],
            created_at=self.now,
            updated_at=self.now,
            wip_limit=fields.get("wip_limit"),
            wip_enforcement=fields.get("wip_enforcement", "warn"),
            external_id=fields.get("external_id"),
        )

    def _apply_patch(self, thing: Versioned, patch: dict[str, Any]) -> list[str]:
        changed = sorted(name for name, new in patch.items() if getattr(thing, name) != new)
        for name in changed:
            setattr(thing, name, patch[name])
        if changed:
            self._touch(thing)
        return changed

    def _touch(self, thing: Versioned) -> None:
        thing.version += 1
        thing.updated_at = self.now

    def _add_event(
        self, board: Board, kind: str, column: Column | None = None, card: Card | None = None, **data: Any
    ) -> None:
        event: dict[str, Any] = {
            "seq": len(board.events) + 1,
            "type": kind,
            "at": format_timestamp(self.now),
            "actor_id": self._actor,
            "board_id": board.id,
            "data": data,
        }
        if column:
            event["list_id"] = column
        if card:
            event["card_id"] = card
        board.events.append(event)

    def _expect_board(self, board: Board, status: int = 200) -> ExpectedResponse:
        return ExpectedResponse(status, body=serialize_board(board, self._actor), etag=board_etag(board))

    def _expect_column(self, board: Board, column: Column, status: int = 200) -> ExpectedResponse:
        return ExpectedResponse(status, body=serialize_column(board, column), etag=column_etag(column))

    def _expect_card(self, board: Board, card: Card, status: int = 200) -> ExpectedResponse:
        return ExpectedResponse(
            status, body=serialize_card(board, card, self.now), etag=card_etag(board, card, self.now)
        )


def current_rate(card: Card, board: Board) -> int:
    """Return the hourly rate that applies to a card."""
    return board.hourly_rate_minor if card.hourly_rate_minor is None else card.hourly_rate_minor
