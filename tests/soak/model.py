"""What the API promises, once more: slow, obvious, and in memory.

Nothing here comes from `kanban`, and there are no ranks: order is the order of a Python list. So the two can only
agree by both being right.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.api.client import Answer
from tests.soak.arranging import Arranging
from tests.soak.copies import Copies
from tests.soak.labels import Labels
from tests.soak.ledger import rate_of
from tests.soak.members import Members
from tests.soak.parts import Parts
from tests.soak.rulings import (
    Expected,
    Refusal,
    Request,
    first_of,
    insist_on_version,
    named,
    placed,
    refuse_entry,
    refuse_taken,
)
from tests.soak.shapes import assigned_to, card_tag, labels_on, moment
from tests.soak.shelves import Shelves
from tests.soak.state import Board, Card, Column, Place
from tests.soak.timesheets import Timesheets

KEPT = timedelta(hours=24)
_USUAL_COLUMNS = (
    {"name": "To do", "stage": "todo"},
    {"name": "Doing", "stage": "in_progress"},
    {"name": "Done", "stage": "done"},
)
_ROLES = ("viewer", "editor", "owner")
_LEAST_ROLE = {
    "remove_member": "viewer",
    **{f"{verb}_board": "owner" for verb in ("update", "delete", "archive", "unarchive", "restore")},
    "put_member": "owner",
    "copy_board": "viewer",
}


_DATES_AND_MORE = frozenset(("start_at", "due_at", "due_complete", "hourly_rate_minor", "links"))


class Model(Shelves, Members, Labels, Parts, Copies, Arranging, Timesheets):
    """All boards of all people. Whoever drives it sets `now`."""

    def __init__(self, now: datetime, names: Mapping[str, str]) -> None:
        super().__init__(now, names)
        self._answered: dict[tuple[str, str, str], tuple[tuple[Any, ...], datetime, Answer]] = {}

    def answer(self, request: Request, seen: Answer, moved: Sequence[str] = ()) -> Expected:
        """What the answer to a write must be; afterwards the model has done it, too.

        `seen` is the answer that came. The ids of new things are taken from it, and, where a card is moved to the
        place that it is in, whether that was written down: the document leaves it open. `moved` are the things that the
        API says it moved, where many were put in order.
        """
        self._seen, self._by, self._placed_anew = seen, request.user, moved
        try:
            board = self._entered(request)
            earlier = self._earlier(request)
            if earlier is not None:
                return Expected(earlier.status, replay=earlier.raw)
            act: Callable[[Request, Board | None], Expected] = getattr(self, f"_{request.operation}")
            expected = act(request, board)
        except Refusal as refusal:
            return refusal.expected
        if request.key:
            place = request.user, request.operation, request.key
            self._answered[place] = request.asked, self.now + KEPT, seen
        return expected

    def _entered(self, request: Request) -> Any:
        """That board, for a member whose role is enough. To anybody else it is as a board that nobody made."""
        if request.operation == "create_board":
            return None
        for board in (*self.boards, *(self.gone if request.operation == "restore_board" else ())):
            place = board.place_of(request.user)
            if board.id == request.board and place:
                least = _LEAST_ROLE.get(request.operation, "editor")
                if _ROLES.index(place.role) < _ROLES.index(least):
                    raise Refusal(403, "role_too_low")
                return board
        raise Refusal(404, "board_not_found")

    def _earlier(self, request: Request) -> Answer | None:
        found = self._answered.get((request.user, request.operation, request.key or ""))
        if found is None:
            return None
        asked, until, answer = found
        if until <= self.now:
            return None
        if asked != request.asked:
            raise Refusal(422, "idempotency_key_reused")
        return answer

    # Boards

    def _create_board(self, request: Request, _: None) -> Expected:
        wishes = request.wishes
        board = Board(
            id=self._new_id(),
            places=[Place("", request.user, "owner", self.now, self.now)],
            name=wishes["name"],
            description=wishes.get("description", ""),
            currency=wishes.get("currency", "USD"),
            hourly_rate_minor=wishes.get("hourly_rate_minor", 0),
            made=self.now,
            edited=self.now,
        )
        # The answer does not tell the ids of the lists and of the owner's place: whoever drives the model reads them.
        board.columns = [self._column("", each) for each in wishes.get("lists", _USUAL_COLUMNS)]
        self.boards.append(board)
        self._record(board, "board.created", name=board.name)
        return self._board_shown(board, 201)

    def _update_board(self, request: Request, board: Board) -> Expected:
        insist_on_version(request, board.version)
        changed = self._patched(board, request.wishes)
        if changed:
            self._record(board, "board.updated", changed=changed)
        return self._board_shown(board)

    def _delete_board(self, request: Request, board: Board) -> Expected:
        insist_on_version(request, board.version)
        self.boards.remove(board)
        self.gone.append(board)
        board.deleted = self.now
        self._stop_all(board.in_use)
        self._touch(board)
        self._record(board, "board.deleted")
        return Expected(204)

    # Columns

    def _create_list(self, request: Request, board: Board) -> Expected:
        wishes = request.wishes
        refuse_taken(wishes.get("external_id"), board.columns)
        column = self._column(self._new_id(), wishes)
        board.columns = placed(column, board.columns, wishes)
        self._record(board, "list.created", column, name=column.name, stage=column.stage)
        return self._column_shown(board, column, 201)

    def _update_list(self, request: Request, board: Board) -> Expected:
        column = named(request.column, board.columns, Refusal(404, "list_not_found"))
        insist_on_version(request, column.version)
        if request.wishes.get("stage", column.stage) != column.stage and any(not each.deleted for each in column.cards):
            raise Refusal(409, "list_not_empty")
        refuse_taken(request.wishes.get("external_id"), [each for each in board.columns if each is not column])
        changed = self._patched(column, request.wishes)
        if changed:
            self._record(board, "list.updated", column, changed=changed)
        return self._column_shown(board, column)

    def _move_list(self, request: Request, board: Board) -> Expected:
        column = named(request.column, board.columns, Refusal(404, "list_not_found"))
        order = placed(column, board.columns, request.wishes)
        if order != board.columns:
            board.columns = order
            self._touch(column)
            self._record(board, "list.moved", column)
        return self._column_shown(board, column)

    def _delete_list(self, request: Request, board: Board) -> Expected:
        column = named(request.column, board.columns, Refusal(404, "list_not_found"))
        insist_on_version(request, column.version)
        board.columns.remove(column)
        board.gone.append(column)
        column.deleted = self.now
        self._stop_all(column.in_use)
        self._touch(column)
        data: dict[str, Any] = {"name": column.name, "stage": column.stage, "archived_at": moment(column.archived)}
        self._record(board, "list.deleted", column, **data, card_count=len(column.in_use))
        return Expected(204)

    # Cards

    def _create_card(self, request: Request, board: Board) -> Expected:
        wishes = request.wishes
        if "list_id" in wishes:
            column = named(wishes["list_id"], board.columns, Refusal(422, "unknown_reference"))
        else:
            column = first_of("todo", board)
        refuse_entry(column)
        labels, assigned = self._labels_named(request, board), self._places_named(request, board)
        _refuse_dates(wishes.get("start_at"), wishes.get("due_at"))
        self._take_external_id(wishes.get("external_id"), board, board.cards)
        card = Card(
            id=self._new_id(),
            title=wishes["title"],
            description=wishes.get("description", ""),
            external_id=wishes.get("external_id"),
            made=self.now,
            edited=self.now,
            labels=labels or [],
            assigned=assigned or [],
            **{name: new for name, new in wishes.items() if name in _DATES_AND_MORE},
        )
        column.cards = placed(card, column.cards, wishes)
        self._bring(card, None, column.stage, board)
        self._record(board, "card.created", column, card, title=card.title, stage=column.stage)
        return self._card_shown(board, card, 201)

    def _update_card(self, request: Request, board: Board) -> Expected:
        card = named(request.card, board.cards, Refusal(404, "card_not_found"))
        insist_on_version(request, card.version)
        labels, assigned = self._labels_named(request, board), self._places_named(request, board)
        others = [each for each in board.cards if each is not card]
        _refuse_dates(request.wishes.get("start_at", card.start_at), request.wishes.get("due_at", card.due_at))
        self._take_external_id(request.wishes.get("external_id"), board, others)
        marked = []
        if labels is not None and sorted(each.id for each in labels) != labels_on(board, card):
            card.labels = labels
            marked.append("label_ids")
        if assigned is not None and sorted(each.user for each in assigned) != assigned_to(board, card):
            card.assigned = assigned
            marked.append("assignee_ids")
        plain = {name: new for name, new in request.wishes.items() if name not in ("label_ids", "assignee_ids")}
        changed = self._patched(card, plain)
        if marked and not changed:
            self._touch(card)
        if marked or changed:
            self._record(board, "card.updated", board.home(card), card, changed=sorted([*changed, *marked]))
        return self._card_shown(board, card)

    def _move_card(self, request: Request, board: Board) -> Expected:
        card = named(request.card, board.cards, Refusal(404, "card_not_found"))
        if card.archived:
            raise Refusal(409, "card_archived")
        target = named(request.wishes["list_id"], board.columns, Refusal(422, "unknown_reference"))
        if target.archived:
            raise Refusal(409, "list_archived")
        order = placed(card, target.cards, request.wishes)
        if order == target.cards and self._seen.headers.get("etag") == card_tag(board, card, self.now):
            return self._card_shown(board, card)
        return self._moved(board, card, target, order)

    def _start_card(self, request: Request, board: Board) -> Expected:
        card = named(request.card, board.cards, Refusal(404, "card_not_found"))
        column = board.home(card)
        if column.stage != "in_progress" or any(each.end is None for each in card.stretches):
            return self._advanced(request, board, "todo", "in_progress")
        if card.archived:
            raise Refusal(409, "card_archived")
        if column.archived:
            raise Refusal(409, "list_archived")
        self._bring(card, None, "in_progress", board)
        self._touch(card)
        self._record(board, "card.clock_started", column, card, hourly_rate_minor=rate_of(card, board))
        return self._card_shown(board, card)

    def _resolve_card(self, request: Request, board: Board) -> Expected:
        return self._advanced(request, board, "in_progress", "done")

    def _reopen_card(self, request: Request, board: Board) -> Expected:
        return self._advanced(request, board, "done", "todo")

    def _delete_card(self, request: Request, board: Board) -> Expected:
        card = named(request.card, board.cards, Refusal(404, "card_not_found"))
        insist_on_version(request, card.version)
        column = board.home(card)
        card.deleted = self.now
        self._stop(card)
        self._touch(card)
        self._record(board, "card.deleted", column, card, stage=column.stage, archived_at=moment(card.archived))
        return Expected(204)

    def _advanced(self, request: Request, board: Board, origin: str, goal: str) -> Expected:
        card = named(request.card, board.cards, Refusal(404, "card_not_found"))
        if card.archived:
            raise Refusal(409, "card_archived")
        if board.home(card).stage != origin:
            raise Refusal(409, "wrong_stage")
        target = first_of(goal, board)
        return self._moved(board, card, target, [*target.cards, card])

    def _moved(self, board: Board, card: Card, target: Column, order: list[Card]) -> Expected:
        home = board.home(card)
        if home is not target:
            refuse_entry(target)
        home.cards.remove(card)
        target.cards = order
        self._touch(card)
        self._bring(card, home.stage, target.stage, board)
        data: dict[str, Any] = {"from_list_id": home.id, "from_stage": home.stage, "to_stage": target.stage}
        if target.stage == "done" != home.stage:
            data |= {"created_at": moment(card.made), "started_at": moment(card.started)}
        self._record(board, "card.moved", target, card, **data)
        return self._card_shown(board, card)


def _refuse_dates(start_at: str | None, due_at: str | None) -> None:
    if start_at and due_at and due_at < start_at:
        raise Refusal(422, "ends_before_start")
