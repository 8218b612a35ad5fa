"""What the model puts away, and how it comes back."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.soak.ledger import Ledger, rate_of
from tests.soak.rulings import Expected, Refusal, Request, named, refuse_entry, refuse_taken
from tests.soak.shapes import moment
from tests.soak.state import Board, Card, Column, Stretch

_KEPT = timedelta(days=30)


class Shelves(Ledger):
    """The part of the model that archives and restores."""

    def restorable(self, board: Board) -> list[Card]:
        """The cards of the board that were deleted themselves, and that can still be restored."""
        return [card for card in board.trash if not self._is_late(card.deleted)]

    def _archive_card(self, request: Request, board: Board) -> Expected:
        card = named(request.card, board.cards, Refusal(404, "card_not_found"))
        if not card.archived:
            card.archived = self.now
            self._stop(card)
            self._tell_of_card(board, card, "card.archived")
        return self._card_shown(board, card)

    def _unarchive_card(self, request: Request, board: Board) -> Expected:
        card = named(request.card, board.cards, Refusal(404, "card_not_found"))
        if card.archived:
            refuse_entry(board.home(card))
            card.archived = None
            self._take_up(board, card)
            self._tell_of_card(board, card, "card.unarchived")
        return self._card_shown(board, card)

    def _restore_card(self, request: Request, board: Board) -> Expected:
        columns = (*board.columns, *board.gone)
        card = named(
            request.card, [each for column in columns for each in column.cards], Refusal(404, "card_not_found")
        )
        home = board.home(card)
        self._refuse_late("card", card.deleted)
        if home.deleted:
            raise Refusal(409, "list_deleted")
        if not card.deleted:
            return self._card_shown(board, card)
        if home.archived:
            raise Refusal(409, "list_archived")
        if not card.archived:
            refuse_entry(home)
        self._take_external_id(card.external_id, board, board.cards)
        card.deleted = None
        if not card.archived:
            self._take_up(board, card)
        self._tell_of_card(board, card, "card.restored")
        return self._card_shown(board, card)

    def _archive_list(self, request: Request, board: Board) -> Expected:
        column = named(request.column, board.columns, Refusal(404, "list_not_found"))
        if not column.archived:
            column.archived = self.now
            self._stop_all(column.in_use)
            self._tell_of_column(board, column, "list.archived")
        return self._column_shown(board, column)

    def _unarchive_list(self, request: Request, board: Board) -> Expected:
        column = named(request.column, board.columns, Refusal(404, "list_not_found"))
        if column.archived:
            column.archived = None
            self._tell_of_column(board, column, "list.unarchived")
        return self._column_shown(board, column)

    def _restore_list(self, request: Request, board: Board) -> Expected:
        column = named(request.column, (*board.columns, *board.gone), Refusal(404, "list_not_found"))
        self._refuse_late("list", column.deleted)
        if column.deleted:
            refuse_taken(column.external_id, board.columns)
            column.deleted = None
            board.gone.remove(column)
            board.columns.append(column)
            self._tell_of_column(board, column, "list.restored")
        return self._column_shown(board, column)

    def _archive_board(self, _: Request, board: Board) -> Expected:
        if not board.archived:
            board.archived = self.now
            self._stop_all(board.in_use)
            self._tell_of_board(board, "board.archived")
        return self._board_shown(board)

    def _unarchive_board(self, _: Request, board: Board) -> Expected:
        if board.archived:
            board.archived = None
            self._tell_of_board(board, "board.unarchived")
        return self._board_shown(board)

    def _restore_board(self, _: Request, board: Board) -> Expected:
        self._refuse_late("board", board.deleted)
        if board.deleted:
            board.deleted = None
            self.gone.remove(board)
            self.boards.append(board)
            self.boards.sort(key=lambda each: each.id)
            self._tell_of_board(board, "board.restored")
        return self._board_shown(board)

    def _take_up(self, board: Board, card: Card) -> None:
        """A card that comes back is as its column is by now."""
        stage = board.home(card).stage
        card.resolved = (card.resolved or self.now) if stage == "done" else None
        if stage == "in_progress":
            card.stretches.append(Stretch(self._by, self.now, None, rate_of(card, board)))
            card.started = card.started or self.now

    def _stop_all(self, cards: Sequence[Card]) -> None:
        for card in cards:
            if card.is_running:
                self._stop(card)
                self._touch(card)

    def _refuse_late(self, kind: str, deleted: datetime | None) -> None:
        if self._is_late(deleted):
            raise Refusal(404, f"{kind}_not_found")

    def _is_late(self, deleted: datetime | None) -> bool:
        return deleted is not None and self.now - deleted > _KEPT

    def _tell_of_card(self, board: Board, card: Card, kind: str) -> None:
        self._touch(card)
        home = board.home(card)
        self._record(board, kind, home, card, title=card.title, stage=home.stage, archived_at=moment(card.archived))

    def _tell_of_column(self, board: Board, column: Column, kind: str) -> None:
        self._touch(column)
        data: dict[str, Any] = {"name": column.name, "stage": column.stage, "card_count": len(column.in_use)}
        self._record(board, kind, column, **data)

    def _tell_of_board(self, board: Board, kind: str) -> None:
        self._touch(board)
        self._record(board, kind)
