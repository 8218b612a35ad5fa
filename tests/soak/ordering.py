"""The model of ordering lists and cards, and of moving several cards or transferring one to another board."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tests.soak.expectations import (
    ExpectedError,
    ExpectedResponse,
    Request,
    ensure_accepts_card,
    find_by_id,
    find_first_column,
)
from tests.soak.model_core import ModelCore
from tests.soak.serialize import (
    count_card_seconds,
    find_assignee,
    fold_text,
    format_timestamp,
    list_assignees,
    list_label_ids,
    serialize_column,
    serialize_completion,
)
from tests.soak.state import Board, Card, Column

Thing = TypeVar("Thing", Column, Card)

_SORT_KEYS: dict[str, Callable[[Card], Any]] = {
    "created_at": lambda card: card.created_at,
    "updated_at": lambda card: card.updated_at,
    "due_at": lambda card: card.due_at,
    "title": lambda card: fold_text(card.title),
}


class OrderingModel(ModelCore):
    """The part of the model that orders, moves and transfers.

    Of several ways to reach an order, the API chooses one that moves the fewest things. Its event names those that it
    moved, `_reported_moves`: the model checks that fewer would not have been enough.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._reported_moves: Sequence[str] = ()

    def _order_lists(self, request: Request, board: Board) -> ExpectedResponse:
        active_columns = [column for column in board.columns if not column.archived_at]
        new_order = _sort_by_ids(request.fields["list_ids"], active_columns)
        board.columns = _apply_moves(board.columns, new_order, self._reported_moves)
        for ordered_column in new_order:
            if ordered_column.id in self._reported_moves:
                self._touch(ordered_column)
        if self._reported_moves:
            self._add_event(board, "board.reordered", list_ids=list(self._reported_moves))
        return ExpectedResponse(
            200, body={"items": [serialize_column(board, column) for column in new_order], "next_cursor": None}
        )

    def _order_cards(self, request: Request, board: Board) -> ExpectedResponse:
        column = find_by_id(request.column, board.columns, ExpectedError(404, "list_not_found"))
        new_order = _sort_by_ids(request.fields["card_ids"], column.active_cards)
        self._apply_order(board, column, new_order, "list.reordered")
        return self._expect_column(board, column)

    def _sort_cards(self, request: Request, board: Board) -> ExpectedResponse:
        column = find_by_id(request.column, board.columns, ExpectedError(404, "list_not_found"))
        by, direction = request.fields["by"], request.fields.get("direction", "asc")
        key = _SORT_KEYS[by]
        first = [card for card in column.active_cards if key(card) is not None]
        first.sort(key=key, reverse=direction == "desc")
        new_order = [*first, *(card for card in column.active_cards if key(card) is None)]
        self._apply_order(board, column, new_order, "list.sorted", by=by, direction=direction)
        return ExpectedResponse(200, body={"moved": len(self._reported_moves), "remaining": 0})

    def _apply_order(self, board: Board, column: Column, new_order: list[Card], kind: str, **data: Any) -> None:
        column.cards = _apply_moves(column.cards, new_order, self._reported_moves)
        if self._reported_moves:
            self._add_event(board, kind, column, card_ids=list(self._reported_moves), **data)

    def _move_cards(self, request: Request, board: Board) -> ExpectedResponse:
        origin = find_by_id(request.column, board.columns, ExpectedError(404, "list_not_found"))
        target = find_by_id(request.fields["list_id"], board.columns, ExpectedError(422, "unknown_reference"))
        if origin is target:
            raise ExpectedError(422, "self_reference")
        if target.archived_at:
            raise ExpectedError(409, "list_archived")
        moved = origin.active_cards
        if target.wip_enforcement == "block" and target.wip_limit is not None and moved:
            room = target.wip_limit - len(target.active_cards)
            if len(moved) > room:
                raise ExpectedError(409, "no_room")
        data: dict[str, Any] = {"from_list_id": origin.id, "from_stage": origin.stage, "to_stage": target.stage}
        if target.stage == "done" != origin.stage:
            data["created_at"] = [format_timestamp(card.created_at) for card in moved]
            data["started_at"] = [format_timestamp(card.started_at) or "" for card in moved]
        for card in moved:
            origin.cards.remove(card)
            target.cards.append(card)
            self._touch(card)
            self._run_clock(card, origin.stage, target.stage, board)
        if moved:
            self._add_event(board, "list.cards_moved", target, card_ids=[card.id for card in moved], **data)
        return ExpectedResponse(200, body={"moved": len(moved), "remaining": 0})

    def _transfer_card(self, request: Request, board: Board) -> ExpectedResponse:
        target_board = self._find_target_board(request)
        card = find_by_id(request.card, board.cards, ExpectedError(404, "card_not_found"))
        if target_board is board:
            raise ExpectedError(422, "self_reference")
        if card.archived_at:
            raise ExpectedError(409, "card_archived")
        has_money = count_card_seconds(card, self.now) or card.is_running or card.hourly_rate_minor is not None
        if has_money and board.currency != target_board.currency:
            raise ExpectedError(409, "currency_differs")
        origin = board.find_column(card)
        target = self._find_target_column(request, origin, target_board)
        ensure_accepts_card(target)
        self._claim_external_id(card.external_id, target_board, target_board.cards)
        names = [label.name.casefold() for label in board.labels if label.id in list_label_ids(board, card)]
        people = list_assignees(board, card)
        card.labels = [label for label in target_board.labels if label.name.casefold() in names]
        card.assignees = [membership for membership in target_board.memberships if membership.user in people]
        for item in card.items:
            item.assignee = target_board.find_membership(find_assignee(board, item) or "")
        origin.cards.remove(card)
        target.cards.insert(0 if request.fields.get("position") == "top" else len(target.cards), card)
        self._touch(card)
        self._run_clock(card, origin.stage, target.stage, target_board)
        departure = {"to_board_id": target_board.id, "title": card.title, "stage": origin.stage}
        self._add_event(board, "card.departed", origin, card, **departure)
        data: dict[str, Any] = {"from_board_id": board.id, "title": card.title, "stage": target.stage}
        if target.stage == "done" != origin.stage:
            data |= serialize_completion(card)
        self._add_event(target_board, "card.arrived", target, card, **data)
        return self._expect_card(target_board, card)

    def _find_target_board(self, request: Request) -> Board:
        """Return the target board of a transfer, if the user can write to it. Raises ExpectedError."""
        for board in self.boards:
            membership = board.find_membership(request.user)
            if board.id == request.fields["board_id"] and membership:
                if membership.role == "viewer":
                    raise ExpectedError(403, "role_too_low")
                return board
        raise ExpectedError(422, "unknown_reference")

    def _find_target_column(self, request: Request, origin: Column, target_board: Board) -> Column:
        if "list_id" in request.fields:
            return find_by_id(request.fields["list_id"], target_board.columns, ExpectedError(422, "unknown_reference"))
        return find_first_column(origin.stage, target_board)


def _sort_by_ids(ids: Sequence[str], things: Sequence[Thing]) -> list[Thing]:
    """Return the things in the order of the ids. Raises ExpectedError unless these are the ids of all things."""
    if sorted(ids) != sorted(thing.id for thing in things):
        raise ExpectedError(409, "stale_order")
    return sorted(things, key=lambda thing: ids.index(thing.id))


def _apply_moves(things: Sequence[Thing], new_order: Sequence[Thing], moved: Sequence[str]) -> list[Thing]:
    """Return all things after each moved one was put just below the one that precedes it in the wanted order."""
    order = [thing for thing in things if thing.id not in moved]
    present = [thing for thing in things if thing in new_order]
    if len(moved) != len(new_order) - _longest_increasing_length([present.index(thing) for thing in new_order]):
        raise AssertionError(f"Not the fewest were moved: {moved}")
    above = None
    for element in new_order:
        if element.id in moved:
            order.insert(0 if above is None else order.index(above) + 1, element)
        above = element
    if [thing for thing in order if thing in new_order] != list(new_order):
        raise AssertionError(f"These moves do not lead to that order: {moved}")
    return order


def _longest_increasing_length(numbers: Sequence[int]) -> int:
    """Return the length of a longest increasing subsequence."""
    longest: list[int] = []
    for index, number in enumerate(numbers):
        longest.append(1 + max((longest[before] for before in range(index) if numbers[before] < number), default=0))
    return max(longest, default=0)
