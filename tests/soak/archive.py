"""The model of archiving and restoring boards, lists and cards."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.soak.expectations import (
    ExpectedError,
    ExpectedResponse,
    Request,
    ensure_accepts_card,
    ensure_external_id_free,
    find_by_id,
)
from tests.soak.model_core import ModelCore, current_rate
from tests.soak.serialize import format_timestamp, serialize_completion
from tests.soak.state import Board, Card, Column, TimeEntry

_RESTORABLE_FOR = timedelta(days=30)


class ArchiveModel(ModelCore):
    """The part of the model that archives and restores."""

    def list_restorable_cards(self, board: Board) -> list[Card]:
        """Return the cards that were deleted themselves, not with their list, and can still be restored."""
        return [card for card in board.deleted_cards if not self._is_too_old(card.deleted_at)]

    def _archive_card(self, request: Request, board: Board) -> ExpectedResponse:
        card = find_by_id(request.card, board.cards, ExpectedError(404, "card_not_found"))
        if not card.archived_at:
            card.archived_at = self.now
            self._stop_clock(card)
            self._add_card_event(board, card, "card.archived")
        return self._expect_card(board, card)

    def _unarchive_card(self, request: Request, board: Board) -> ExpectedResponse:
        card = find_by_id(request.card, board.cards, ExpectedError(404, "card_not_found"))
        if card.archived_at:
            ensure_accepts_card(board.find_column(card))
            card.archived_at = None
            self._resume_clock(board, card)
            self._add_card_event(board, card, "card.unarchived")
        return self._expect_card(board, card)

    def _restore_card(self, request: Request, board: Board) -> ExpectedResponse:
        columns = (*board.columns, *board.deleted_columns)
        card = find_by_id(
            request.card, [card for column in columns for card in column.cards], ExpectedError(404, "card_not_found")
        )
        home = board.find_column(card)
        self._ensure_restorable("card", card.deleted_at)
        if home.deleted_at:
            raise ExpectedError(409, "list_deleted")
        if not card.deleted_at:
            return self._expect_card(board, card)
        if home.archived_at:
            raise ExpectedError(409, "list_archived")
        if not card.archived_at:
            ensure_accepts_card(home)
        self._claim_external_id(card.external_id, board, board.cards)
        card.deleted_at = None
        was_done = card.resolved_at is not None
        if not card.archived_at:
            self._resume_clock(board, card)
        # The stage of the list changed while the card was deleted.
        is_finished = card.resolved_at is not None and not was_done
        self._add_card_event(board, card, "card.restored", **(serialize_completion(card) if is_finished else {}))
        return self._expect_card(board, card)

    def _archive_list(self, request: Request, board: Board) -> ExpectedResponse:
        column = find_by_id(request.column, board.columns, ExpectedError(404, "list_not_found"))
        if not column.archived_at:
            column.archived_at = self.now
            self._stop_clocks(column.active_cards)
            self._add_column_event(board, column, "list.archived")
        return self._expect_column(board, column)

    def _unarchive_list(self, request: Request, board: Board) -> ExpectedResponse:
        column = find_by_id(request.column, board.columns, ExpectedError(404, "list_not_found"))
        if column.archived_at:
            column.archived_at = None
            self._add_column_event(board, column, "list.unarchived")
        return self._expect_column(board, column)

    def _restore_list(self, request: Request, board: Board) -> ExpectedResponse:
        column = find_by_id(
            request.column, (*board.columns, *board.deleted_columns), ExpectedError(404, "list_not_found")
        )
        self._ensure_restorable("list", column.deleted_at)
        if column.deleted_at:
            ensure_external_id_free(column.external_id, board.columns)
            column.deleted_at = None
            board.deleted_columns.remove(column)
            board.columns.append(column)
            self._add_column_event(board, column, "list.restored")
        return self._expect_column(board, column)

    def _archive_board(self, _: Request, board: Board) -> ExpectedResponse:
        if not board.archived_at:
            board.archived_at = self.now
            self._stop_clocks(board.active_cards)
            self._add_board_event(board, "board.archived")
        return self._expect_board(board)

    def _unarchive_board(self, _: Request, board: Board) -> ExpectedResponse:
        if board.archived_at:
            board.archived_at = None
            self._add_board_event(board, "board.unarchived")
        return self._expect_board(board)

    def _restore_board(self, _: Request, board: Board) -> ExpectedResponse:
        self._ensure_restorable("board", board.deleted_at)
        if board.deleted_at:
            board.deleted_at = None
            self.deleted_boards.remove(board)
            self.boards.append(board)
            self.boards.sort(key=lambda board: board.id)
            self._add_board_event(board, "board.restored")
        return self._expect_board(board)

    def _resume_clock(self, board: Board, card: Card) -> None:
        """Give a card that is unarchived or restored the dates and the clock of its column's stage."""
        stage = board.find_column(card).stage
        card.resolved_at = (card.resolved_at or self.now) if stage == "done" else None
        if stage == "in_progress":
            card.time_entries.append(TimeEntry(self._actor, self.now, None, current_rate(card, board)))
            card.started_at = card.started_at or self.now

    def _stop_clocks(self, cards: Sequence[Card]) -> None:
        for card in cards:
            if card.is_running:
                self._stop_clock(card)
                self._touch(card)

    def _ensure_restorable(self, kind: str, deleted: datetime | None) -> None:
        if self._is_too_old(deleted):
            raise ExpectedError(404, f"{kind}_not_found")

    def _is_too_old(self, deleted: datetime | None) -> bool:
        return deleted is not None and self.now - deleted > _RESTORABLE_FOR

    def _add_card_event(self, board: Board, card: Card, kind: str, **more: str | None) -> None:
        self._touch(card)
        home = board.find_column(card)
        data = {"title": card.title, "stage": home.stage, "archived_at": format_timestamp(card.archived_at)}
        self._add_event(board, kind, home, card, **data, **more)

    def _add_column_event(self, board: Board, column: Column, kind: str) -> None:
        self._touch(column)
        data: dict[str, Any] = {"name": column.name, "stage": column.stage, "card_count": len(column.active_cards)}
        self._add_event(board, kind, column, **data)

    def _add_board_event(self, board: Board, kind: str) -> None:
        self._touch(board)
        self._add_event(board, kind)
