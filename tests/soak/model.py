"""A second, simple implementation of what the API promises: slow, obvious, and in memory.

It shares no code with `kanban`, and has no ranks: order is the order of a Python list. So the two can hardly agree
unless both are right.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.api.client import HttpResponse
from tests.soak.archive import ArchiveModel
from tests.soak.copies import CopiesModel
from tests.soak.expectations import (
    ExpectedError,
    ExpectedResponse,
    Request,
    ensure_accepts_card,
    ensure_external_id_free,
    ensure_version_matches,
    find_by_id,
    find_first_column,
    insert_at_position,
)
from tests.soak.labels import LabelsModel
from tests.soak.members import MembersModel
from tests.soak.model_core import current_rate
from tests.soak.ordering import OrderingModel
from tests.soak.parts import PartsModel
from tests.soak.serialize import (
    card_etag,
    fill_in_rank,
    format_timestamp,
    list_assignees,
    list_label_ids,
    serialize_completion,
)
from tests.soak.state import Board, Card, Column, Membership
from tests.soak.time_entries import TimeEntriesModel

KEY_LIFETIME = timedelta(hours=24)
_DEFAULT_COLUMNS = (
    {"name": "To do", "stage": "todo"},
    {"name": "Doing", "stage": "in_progress"},
    {"name": "Done", "stage": "done"},
)
_ROLES = ("viewer", "editor", "owner")
_MIN_ROLE = {
    "remove_member": "viewer",
    **{f"{verb}_board": "owner" for verb in ("update", "delete", "archive", "unarchive", "restore")},
    "put_member": "owner",
    "copy_board": "viewer",
}


_OPTIONAL_CARD_FIELDS = frozenset(("start_at", "due_at", "due_complete", "hourly_rate_minor", "links"))


class Model(ArchiveModel, MembersModel, LabelsModel, PartsModel, CopiesModel, OrderingModel, TimeEntriesModel):
    """All boards of all users. The caller sets `now`."""

    def __init__(self, now: datetime, names: Mapping[str, str]) -> None:
        super().__init__(now, names)
        self._stored_responses: dict[tuple[str, str, str], tuple[tuple[Any, ...], datetime, HttpResponse]] = {}

    def apply(self, request: Request, response: HttpResponse, moved: Sequence[str] = ()) -> ExpectedResponse:
        """Apply a write to the model, and return the response that the API must send.

        `response` is what the API sent. It gives the ids of new things, and tells whether moving a card to its present
        position was written, which the document leaves open. `moved` are the ids of the things that the API says it
        moved, where several were put in order.
        """
        self._response, self._actor, self._reported_moves = response, request.user, moved
        try:
            board = self._find_board(request)
            earlier = self._find_stored_response(request)
            if earlier is not None:
                return ExpectedResponse(earlier.status, replay=earlier.raw)
            operation: Callable[[Request, Board | None], ExpectedResponse] = getattr(self, f"_{request.operation}")
            expected = operation(request, board)
        except ExpectedError as error:
            return error.response
        if request.key:
            key = request.user, request.operation, request.key
            self._stored_responses[key] = request.fingerprint, self.now + KEY_LIFETIME, response
        return expected

    def _find_board(self, request: Request) -> Any:
        """Return the board of a request, if the user is a member with a sufficient role. Raises ExpectedError."""
        if request.operation == "create_board":
            return None
        for board in (*self.boards, *(self.deleted_boards if request.operation == "restore_board" else ())):
            membership = board.find_membership(request.user)
            if board.id == request.board and membership:
                required = _MIN_ROLE.get(request.operation, "editor")
                if _ROLES.index(membership.role) < _ROLES.index(required):
                    raise ExpectedError(403, "role_too_low")
                return board
        raise ExpectedError(404, "board_not_found")

    def _find_stored_response(self, request: Request) -> HttpResponse | None:
        stored = self._stored_responses.get((request.user, request.operation, request.key or ""))
        if stored is None:
            return None
        fingerprint, until, answer = stored
        if until <= self.now:
            return None
        if fingerprint != request.fingerprint:
            raise ExpectedError(422, "idempotency_key_reused")
        return answer

    # Boards

    def _create_board(self, request: Request, _: None) -> ExpectedResponse:
        fields = request.fields
        board = Board(
            id=self._read_new_id(),
            memberships=[Membership("", request.user, "owner", self.now, self.now)],
            name=fields["name"],
            description=fields.get("description", ""),
            currency=fields.get("currency", "USD"),
            hourly_rate_minor=fields.get("hourly_rate_minor", 0),
            created_at=self.now,
            updated_at=self.now,
        )
        # The response doesn't have the ids of the lists and of the owner's membership: `fill_in_ids` asks for them.
        board.columns = [self._make_column("", list_fields) for list_fields in fields.get("lists", _DEFAULT_COLUMNS)]
        self.boards.append(board)
        self._add_event(board, "board.created", name=board.name)
        return self._expect_board(board, 201)

    def _update_board(self, request: Request, board: Board) -> ExpectedResponse:
        ensure_version_matches(request, board.version)
        changed = self._apply_patch(board, request.fields)
        if changed:
            self._add_event(board, "board.updated", changed=changed)
        return self._expect_board(board)

    def _delete_board(self, request: Request, board: Board) -> ExpectedResponse:
        ensure_version_matches(request, board.version)
        self.boards.remove(board)
        self.deleted_boards.append(board)
        board.deleted_at = self.now
        self._stop_clocks(board.active_cards)
        self._touch(board)
        self._add_event(board, "board.deleted")
        return ExpectedResponse(204)

    # Columns

    def _create_list(self, request: Request, board: Board) -> ExpectedResponse:
        fields = request.fields
        ensure_external_id_free(fields.get("external_id"), board.columns)
        column = self._make_column(self._read_new_id(), fields)
        board.columns = insert_at_position(column, board.columns, fields)
        self._add_event(board, "list.created", column, name=column.name, stage=column.stage)
        return self._expect_column(board, column, 201)

    def _update_list(self, request: Request, board: Board) -> ExpectedResponse:
        column = find_by_id(request.column, board.columns, ExpectedError(404, "list_not_found"))
        ensure_version_matches(request, column.version)
        if request.fields.get("stage", column.stage) != column.stage and any(
            not card.deleted_at for card in column.cards
        ):
            raise ExpectedError(409, "list_not_empty")
        ensure_external_id_free(
            request.fields.get("external_id"), [other for other in board.columns if other is not column]
        )
        changed = self._apply_patch(column, request.fields)
        if changed:
            self._add_event(board, "list.updated", column, changed=changed)
        return self._expect_column(board, column)

    def _move_list(self, request: Request, board: Board) -> ExpectedResponse:
        column = find_by_id(request.column, board.columns, ExpectedError(404, "list_not_found"))
        order = insert_at_position(column, board.columns, request.fields)
        if order != board.columns:
            board.columns = order
            self._touch(column)
            self._add_event(board, "list.moved", column)
        return self._expect_column(board, column)

    def _delete_list(self, request: Request, board: Board) -> ExpectedResponse:
        column = find_by_id(request.column, board.columns, ExpectedError(404, "list_not_found"))
        ensure_version_matches(request, column.version)
        board.columns.remove(column)
        board.deleted_columns.append(column)
        column.deleted_at = self.now
        self._stop_clocks(column.active_cards)
        self._touch(column)
        data: dict[str, Any] = {
            "name": column.name,
            "stage": column.stage,
            "archived_at": format_timestamp(column.archived_at),
        }
        self._add_event(board, "list.deleted", column, **data, card_count=len(column.active_cards))
        return ExpectedResponse(204)

    # Cards

    def _create_card(self, request: Request, board: Board) -> ExpectedResponse:
        fields = request.fields
        if "list_id" in fields:
            column = find_by_id(fields["list_id"], board.columns, ExpectedError(422, "unknown_reference"))
        else:
            column = find_first_column("todo", board)
        ensure_accepts_card(column)
        labels, assigned = self._find_requested_labels(request, board), self._find_requested_assignees(request, board)
        _ensure_dates_ordered(fields.get("start_at"), fields.get("due_at"))
        self._claim_external_id(fields.get("external_id"), board, board.cards)
        card = Card(
            id=self._read_new_id(),
            title=fields["title"],
            description=fields.get("description", ""),
            external_id=fields.get("external_id"),
            created_at=self.now,
            updated_at=self.now,
            labels=labels or [],
            assignees=assigned or [],
            **{name: new for name, new in fields.items() if name in _OPTIONAL_CARD_FIELDS},
        )
        column.cards = insert_at_position(card, column.cards, fields)
        self._run_clock(card, None, column.stage, board)
        self._add_event(board, "card.created", column, card, title=card.title, stage=column.stage)
        return self._expect_card(board, card, 201)

    def _update_card(self, request: Request, board: Board) -> ExpectedResponse:
        card = find_by_id(request.card, board.cards, ExpectedError(404, "card_not_found"))
        ensure_version_matches(request, card.version)
        labels, assigned = self._find_requested_labels(request, board), self._find_requested_assignees(request, board)
        others = [other for other in board.cards if other is not card]
        _ensure_dates_ordered(request.fields.get("start_at", card.start_at), request.fields.get("due_at", card.due_at))
        self._claim_external_id(request.fields.get("external_id"), board, others)
        marked = []
        if labels is not None and sorted(label.id for label in labels) != list_label_ids(board, card):
            card.labels = labels
            marked.append("label_ids")
        if assigned is not None and sorted(membership.user for membership in assigned) != list_assignees(board, card):
            card.assignees = assigned
            marked.append("assignee_ids")
        plain = {name: new for name, new in request.fields.items() if name not in ("label_ids", "assignee_ids")}
        changed = self._apply_patch(card, plain)
        if marked and not changed:
            self._touch(card)
        if marked or changed:
            self._add_event(board, "card.updated", board.find_column(card), card, changed=sorted([*changed, *marked]))
        return self._expect_card(board, card)

    def _move_card(self, request: Request, board: Board) -> ExpectedResponse:
        card = find_by_id(request.card, board.cards, ExpectedError(404, "card_not_found"))
        if card.archived_at:
            raise ExpectedError(409, "card_archived")
        target = find_by_id(request.fields["list_id"], board.columns, ExpectedError(422, "unknown_reference"))
        if target.archived_at:
            raise ExpectedError(409, "list_archived")
        order = insert_at_position(card, target.cards, request.fields)
        if order == target.cards and self._response.status == 200:
            unchanged = fill_in_rank(card_etag(board, card, self.now), self._response.json)
            if self._response.headers.get("etag") == unchanged:
                return self._expect_card(board, card)
        return self._move_to(board, card, target, order)

    def _start_card(self, request: Request, board: Board) -> ExpectedResponse:
        card = find_by_id(request.card, board.cards, ExpectedError(404, "card_not_found"))
        column = board.find_column(card)
        if column.stage != "in_progress" or any(entry.ended_at is None for entry in card.time_entries):
            return self._advance_card(request, board, "todo", "in_progress")
        if card.archived_at:
            raise ExpectedError(409, "card_archived")
        if column.archived_at:
            raise ExpectedError(409, "list_archived")
        self._run_clock(card, None, "in_progress", board)
        self._touch(card)
        self._add_event(board, "card.clock_started", column, card, hourly_rate_minor=current_rate(card, board))
        return self._expect_card(board, card)

    def _resolve_card(self, request: Request, board: Board) -> ExpectedResponse:
        return self._advance_card(request, board, "in_progress", "done")

    def _reopen_card(self, request: Request, board: Board) -> ExpectedResponse:
        return self._advance_card(request, board, "done", "todo")

    def _delete_card(self, request: Request, board: Board) -> ExpectedResponse:
        card = find_by_id(request.card, board.cards, ExpectedError(404, "card_not_found"))
        ensure_version_matches(request, card.version)
        column = board.find_column(card)
        card.deleted_at = self.now
        self._stop_clock(card)
        self._touch(card)
        self._add_event(
            board, "card.deleted", column, card, stage=column.stage, archived_at=format_timestamp(card.archived_at)
        )
        return ExpectedResponse(204)

    def _advance_card(self, request: Request, board: Board, origin: str, goal: str) -> ExpectedResponse:
        card = find_by_id(request.card, board.cards, ExpectedError(404, "card_not_found"))
        if card.archived_at:
            raise ExpectedError(409, "card_archived")
        if board.find_column(card).stage != origin:
            raise ExpectedError(409, "wrong_stage")
        target = find_first_column(goal, board)
        return self._move_to(board, card, target, [*target.cards, card])

    def _move_to(self, board: Board, card: Card, target: Column, order: list[Card]) -> ExpectedResponse:
        source = board.find_column(card)
        if source is not target:
            ensure_accepts_card(target)
        source.cards.remove(card)
        target.cards = order
        self._touch(card)
        self._run_clock(card, source.stage, target.stage, board)
        data: dict[str, Any] = {"from_list_id": source.id, "from_stage": source.stage, "to_stage": target.stage}
        if target.stage == "done" != source.stage:
            data |= serialize_completion(card)
        self._add_event(board, "card.moved", target, card, **data)
        return self._expect_card(board, card)


def _ensure_dates_ordered(start_at: str | None, due_at: str | None) -> None:
    if start_at and due_at and due_at < start_at:
        raise ExpectedError(422, "ends_before_start")
