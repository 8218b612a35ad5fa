"""What the API promises, once more: slow, obvious, and in memory.

Nothing here comes from `kanban`, and there are no ranks: order is the order of a Python list. So the two can only
agree by both being right.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from tests.api.client import Answer
from tests.soak.shapes import board_shape, board_tag, card_shape, card_tag, column_shape, column_tag, moment
from tests.soak.state import Board, Card, Column, Stretch

KEPT = timedelta(hours=24)
_USUAL_COLUMNS = (
    {"name": "To do", "stage": "todo"},
    {"name": "Doing", "stage": "in_progress"},
    {"name": "Done", "stage": "done"},
)

Thing = TypeVar("Thing", Column, Card)


@dataclass(frozen=True)
class Request:
    """What somebody asks for: an operation of the document, about what, and how. `tag` is sent as If-Match."""

    user: str
    operation: str
    board: str = ""
    column: str = ""
    card: str = ""
    body: dict[str, Any] | None = None
    tag: str | None = None
    key: str | None = None

    @property
    def asked(self) -> tuple[Any, ...]:
        """What two requests with one key must have in common to be the same."""
        return self.board, self.column, self.card, self.body

    @property
    def wishes(self) -> dict[str, Any]:
        """The body, empty if there is none."""
        return self.body or {}


@dataclass(frozen=True)
class Expected:
    """The answer that is due. `replay` is the body that was answered to the same key before, to the byte."""

    status: int
    code: str | None = None
    body: dict[str, Any] | None = None
    tag: str | None = None
    replay: bytes | None = None


class Refusal(Exception):
    """The model says no."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(status, code)
        self.expected = Expected(status, code)


class Model:
    """All boards of all people. Whoever drives it sets `now`."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.boards: list[Board] = []
        self._answered: dict[tuple[str, str, str], tuple[tuple[Any, ...], datetime, Answer]] = {}
        self._seen: Answer

    def answer(self, request: Request, seen: Answer) -> Expected:
        """What the answer to a write must be; afterwards the model has done it, too.

        `seen` is the answer that came. The ids of new things are taken from it, and, where a card is moved to the
        place that it is in, whether that was written down: the document leaves it open.
        """
        self._seen = seen
        try:
            board = None if request.operation == "create_board" else self.board(request.board, request.user)
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

    def board(self, board_id: str, user: str) -> Board:
        """That board, for its owner. Raises Refusal for anybody else, as for a board that nobody made."""
        for board in self.boards:
            if board.id == board_id and board.owner == user:
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
            owner=request.user,
            name=wishes["name"],
            description=wishes.get("description", ""),
            currency=wishes.get("currency", "USD"),
            hourly_rate_minor=wishes.get("hourly_rate_minor", 0),
            made=self.now,
            edited=self.now,
        )
        # The answer does not tell the ids of the lists: whoever drives the model reads them.
        board.columns = [self._column("", each) for each in wishes.get("lists", _USUAL_COLUMNS)]
        self.boards.append(board)
        self._record(board, "board.created", name=board.name)
        return Expected(201, body=board_shape(board), tag=board_tag(board))

    def _update_board(self, request: Request, board: Board) -> Expected:
        _insist_on_version(request, board.version)
        changed = self._patched(board, request.wishes)
        if changed:
            self._record(board, "board.updated", changed=changed)
        return Expected(200, body=board_shape(board), tag=board_tag(board))

    def _delete_board(self, request: Request, board: Board) -> Expected:
        _insist_on_version(request, board.version)
        self.boards.remove(board)
        return Expected(204)

    # Columns

    def _create_list(self, request: Request, board: Board) -> Expected:
        wishes = request.wishes
        _refuse_taken(wishes, board.columns)
        column = self._column(self._new_id(), wishes)
        board.columns = _placed(column, board.columns, wishes)
        self._record(board, "list.created", column, name=column.name, stage=column.stage)
        return self._column_shown(board, column, 201)

    def _update_list(self, request: Request, board: Board) -> Expected:
        column = _named(request.column, board.columns, Refusal(404, "list_not_found"))
        _insist_on_version(request, column.version)
        if request.wishes.get("stage", column.stage) != column.stage and column.cards:
            raise Refusal(409, "list_not_empty")
        _refuse_taken(request.wishes, [each for each in board.columns if each is not column])
        changed = self._patched(column, request.wishes)
        if changed:
            self._record(board, "list.updated", column, changed=changed)
        return self._column_shown(board, column)

    def _move_list(self, request: Request, board: Board) -> Expected:
        column = _named(request.column, board.columns, Refusal(404, "list_not_found"))
        order = _placed(column, board.columns, request.wishes)
        if order != board.columns:
            board.columns = order
            self._touch(column)
            self._record(board, "list.moved", column)
        return self._column_shown(board, column)

    def _delete_list(self, request: Request, board: Board) -> Expected:
        column = _named(request.column, board.columns, Refusal(404, "list_not_found"))
        _insist_on_version(request, column.version)
        board.columns.remove(column)
        self._record(board, "list.deleted", column, card_count=len(column.cards))
        return Expected(204)

    # Cards

    def _create_card(self, request: Request, board: Board) -> Expected:
        wishes = request.wishes
        if "list_id" in wishes:
            column = _named(wishes["list_id"], board.columns, Refusal(422, "unknown_reference"))
        else:
            column = _first_of("todo", board)
        _refuse_full(column)
        _refuse_taken(wishes, board.cards)
        card = Card(
            id=self._new_id(),
            title=wishes["title"],
            description=wishes.get("description", ""),
            external_id=wishes.get("external_id"),
            made=self.now,
            edited=self.now,
        )
        column.cards = _placed(card, column.cards, wishes)
        self._bring(card, None, column.stage, board)
        self._record(board, "card.created", column, card, title=card.title, stage=column.stage)
        return self._card_shown(board, card, 201)

    def _update_card(self, request: Request, board: Board) -> Expected:
        card = _named(request.card, board.cards, Refusal(404, "card_not_found"))
        _insist_on_version(request, card.version)
        _refuse_taken(request.wishes, [each for each in board.cards if each is not card])
        changed = self._patched(card, request.wishes)
        if changed:
            self._record(board, "card.updated", board.home(card), card, changed=changed)
        return self._card_shown(board, card)

    def _move_card(self, request: Request, board: Board) -> Expected:
        card = _named(request.card, board.cards, Refusal(404, "card_not_found"))
        target = _named(request.wishes["list_id"], board.columns, Refusal(422, "unknown_reference"))
        order = _placed(card, target.cards, request.wishes)
        if order == target.cards and self._seen.headers.get("etag") == card_tag(card, self.now):
            return self._card_shown(board, card)
        return self._moved(board, card, target, order)

    def _start_card(self, request: Request, board: Board) -> Expected:
        return self._advanced(request, board, "todo", "in_progress")

    def _resolve_card(self, request: Request, board: Board) -> Expected:
        return self._advanced(request, board, "in_progress", "done")

    def _reopen_card(self, request: Request, board: Board) -> Expected:
        return self._advanced(request, board, "done", "todo")

    def _delete_card(self, request: Request, board: Board) -> Expected:
        card = _named(request.card, board.cards, Refusal(404, "card_not_found"))
        _insist_on_version(request, card.version)
        column = board.home(card)
        column.cards.remove(card)
        self._record(board, "card.deleted", column, card)
        return Expected(204)

    def _advanced(self, request: Request, board: Board, origin: str, goal: str) -> Expected:
        card = _named(request.card, board.cards, Refusal(404, "card_not_found"))
        if board.home(card).stage != origin:
            raise Refusal(409, "wrong_stage")
        target = _first_of(goal, board)
        return self._moved(board, card, target, [*target.cards, card])

    def _moved(self, board: Board, card: Card, target: Column, order: list[Card]) -> Expected:
        home = board.home(card)
        if home is not target:
            _refuse_full(target)
        home.cards.remove(card)
        target.cards = order
        self._touch(card)
        self._bring(card, home.stage, target.stage, board)
        data = {"from_list_id": home.id, "from_stage": home.stage, "to_stage": target.stage}
        self._record(board, "card.moved", target, card, **data)
        return self._card_shown(board, card)

    def _bring(self, card: Card, origin: str | None, goal: str, board: Board) -> None:
        """Start and stop the card's clock."""
        if origin == goal:
            return
        for stretch in card.stretches:
            stretch.end = stretch.end or self.now
        if goal == "in_progress":
            card.stretches.append(Stretch(self.now, None, board.hourly_rate_minor))
            card.started = card.started or self.now
        card.resolved = self.now if goal == "done" else None

    # What they have in common

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

    def _patched(self, thing: Board | Column | Card, patch: dict[str, Any]) -> list[str]:
        changed = sorted(name for name, new in patch.items() if getattr(thing, name) != new)
        for name in changed:
            setattr(thing, name, patch[name])
        if changed:
            self._touch(thing)
        return changed

    def _touch(self, thing: Board | Column | Card) -> None:
        thing.version += 1
        thing.edited = self.now

    def _record(
        self, board: Board, kind: str, column: Column | None = None, card: Card | None = None, **data: Any
    ) -> None:
        event: dict[str, Any] = {
            "seq": len(board.events) + 1,
            "type": kind,
            "at": moment(self.now),
            "actor_id": board.owner,
            "board_id": board.id,
            "data": data,
        }
        if column:
            event["list_id"] = column.id
        if card:
            event["card_id"] = card.id
        board.events.append(event)

    def _column_shown(self, board: Board, column: Column, status: int = 200) -> Expected:
        return Expected(status, body=column_shape(board, column), tag=column_tag(column))

    def _card_shown(self, board: Board, card: Card, status: int = 200) -> Expected:
        return Expected(status, body=card_shape(board, card, self.now), tag=card_tag(card, self.now))


def _named(wanted: str, things: Sequence[Thing], otherwise: Refusal) -> Thing:
    for thing in things:
        if thing.id == wanted:
            return thing
    raise otherwise


def _placed(thing: Thing, things: Sequence[Thing], place: dict[str, Any]) -> list[Thing]:
    """The things in the order that they have once this one is in its place."""
    others = [each for each in things if each is not thing]
    at = 0 if place.get("position") == "top" else len(others)
    for side in ("before", "after"):
        if side in place:
            if place[side] == thing.id:
                raise Refusal(422, "self_reference")
            neighbour = _named(place[side], others, Refusal(422, "unknown_reference"))
            at = others.index(neighbour) + (side == "after")
    others.insert(at, thing)
    return others


def _first_of(stage: str, board: Board) -> Column:
    for column in board.columns:
        if column.stage == stage:
            return column
    raise Refusal(409, "no_list_of_stage")


def _insist_on_version(request: Request, version: int) -> None:
    if request.tag is None:
        raise Refusal(428, "precondition_required")
    if request.tag != "*" and request.tag.strip('"').partition(".")[0] != str(version):
        raise Refusal(412, "precondition_failed")


def _refuse_full(column: Column) -> None:
    if column.wip_enforcement == "block" and column.wip_limit is not None and len(column.cards) >= column.wip_limit:
        raise Refusal(409, "wip_limit_reached")


def _refuse_taken(wishes: dict[str, Any], others: Sequence[Column] | Sequence[Card]) -> None:
    wanted = wishes.get("external_id")
    if wanted is not None and any(each.external_id == wanted for each in others):
        raise Refusal(409, "external_id_taken")
