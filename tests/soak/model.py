"""What the API promises, once more: slow, obvious, and in memory.

A board is a Python list of columns, a column a Python list of cards; order is their order, time a list of stretches
that are added up each time. Nothing here comes from `kanban`, so that the two can only agree by both being right.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.api.client import Answer

KEPT = timedelta(hours=24)
STAGES = ("todo", "in_progress", "done")


@dataclass(frozen=True)
class Request:
    """What a program asks: an operation of the document, by whom, about what. `tag` is If-Match."""

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
        """What makes two requests with one key the same."""
        return self.board, self.column, self.card, self.body


@dataclass(frozen=True)
class Expected:
    """The answer that is due. `replay` is the very body that was answered to the key before."""

    status: int
    code: str | None = None
    body: Any = None
    tag: str | None = None
    replay: bytes | None = None


class Refusal(Exception):
    """The model says no."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(status, code)
        self.expected = Expected(status, code)


@dataclass(eq=False)
class Stretch:
    """Work from one moment to another, or until now; at an hourly rate."""

    begin: datetime
    end: datetime | None
    rate: int


@dataclass(eq=False)
class Card:
    """A card; where it is, its column knows."""

    id: str
    title: str
    description: str
    external_id: str | None
    made: datetime
    edited: datetime
    version: int = 1
    started: datetime | None = None
    resolved: datetime | None = None
    stretches: list[Stretch] = field(default_factory=list)

    @property
    def is_running(self) -> bool:
        """Whether somebody works on it."""
        return any(stretch.end is None for stretch in self.stretches)


@dataclass(eq=False)
class Column:
    """A list of the board: its cards from top to bottom."""

    id: str
    name: str
    stage: str
    made: datetime
    edited: datetime
    wip_limit: int | None = None
    wip_enforcement: str = "warn"
    external_id: str | None = None
    version: int = 1
    cards: list[Card] = field(default_factory=list)


@dataclass(eq=False)
class Board:
    """A board: its columns from left to right, and all that ever happened."""

    id: str
    owner: str
    name: str
    description: str
    currency: str
    rate: int
    made: datetime
    edited: datetime
    version: int = 1
    columns: list[Column] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def cards(self) -> list[Card]:
        """Column by column, from top to bottom."""
        return [card for column in self.columns for card in column.cards]

    def home(self, card: Card) -> Column:
        """The column that the card is in."""
        return next(column for column in self.columns if card in column.cards)


class Model:
    """All boards of all people. `now` is set by whoever drives it."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.boards: list[Board] = []
        self._answered: dict[tuple[str, str, str], tuple[tuple[Any, ...], datetime, bytes, int]] = {}
        self._seen: Answer

    def answer(self, request: Request, seen: Answer) -> Expected:
        """What the answer to a write must be, and the model afterwards.

        `seen` is the answer that came: the ids of new things are taken from it, and of a move to where the card is
        already, whether it was written down.
        """
        self._seen = seen
        try:
            board = None if request.operation == "create_board" else self.board(request)
            earlier = self._earlier(request)
            if earlier is not None:
                return earlier
            rule: Callable[[Request, Any], Expected] = getattr(self, f"_{request.operation}")
            expected = rule(request, board)
        except Refusal as refusal:
            return refusal.expected
        if request.key:
            place = request.user, request.operation, request.key
            self._answered[place] = request.asked, self.now + KEPT, seen.raw, expected.status
        return expected

    def board(self, request: Request) -> Board:
        """The board, for its owner."""
        for board in self.boards:
            if board.id == request.board and board.owner == request.user:
                return board
        raise Refusal(404, "board_not_found")

    def cards_in_order(self, board: Board, sort: str) -> list[Card]:
        """All cards, as a page in that order shows them."""
        if sort == "position":
            return board.cards
        field_of = {"created_at": lambda card: card.id, "updated_at": lambda card: (card.edited, card.id)}
        return sorted(board.cards, key=field_of[sort.removeprefix("-")], reverse=sort.startswith("-"))

    def _earlier(self, request: Request) -> Expected | None:
        if not request.key:
            return None
        asked, until, raw, status = self._answered.get(
            (request.user, request.operation, request.key), ((), self.now, b"", 0)
        )
        if until <= self.now:
            return None
        if asked != request.asked:
            raise Refusal(422, "idempotency_key_reused")
        return Expected(status, replay=raw)

    # Boards

    def _create_board(self, request: Request, _: None) -> Expected:
        wishes = request.body or {}
        board = Board(
            self._new_id(),
            request.user,
            wishes["name"],
            wishes.get("description", ""),
            wishes.get("currency", "USD"),
            wishes.get("hourly_rate_minor", 0),
            self.now,
            self.now,
        )
        usual = [{"name": name, "stage": stage} for name, stage in zip(("To do", "Doing", "Done"), STAGES, strict=True)]
        # The answer does not tell the ids of the lists: whoever drives the model reads them.
        board.columns = [self._column("", each) for each in wishes.get("lists", usual)]
        self.boards.append(board)
        self._record(request, board, "board.created", name=board.name)
        return Expected(201, body=self.shape_of_board(board), tag=tag_of_board(board))

    def _update_board(self, request: Request, board: Board) -> Expected:
        matched(request, board.version)
        rename = {"hourly_rate_minor": "rate"}
        changed = self._patched(board, {rename.get(name, name): new for name, new in (request.body or {}).items()})
        if changed:
            names = ["hourly_rate_minor" if name == "rate" else name for name in changed]
            self._record(request, board, "board.updated", changed=sorted(names))
        return Expected(200, body=self.shape_of_board(board), tag=tag_of_board(board))

    def _delete_board(self, request: Request, board: Board) -> Expected:
        matched(request, board.version)
        self.boards.remove(board)
        return Expected(204)

    # Columns

    def _create_list(self, request: Request, board: Board) -> Expected:
        wishes = request.body or {}
        refuse_taken(wishes.get("external_id"), board.columns)
        column = self._column(self._new_id(), wishes)
        at = 0 if wishes.get("position") == "top" else len(board.columns)
        board.columns.insert(at, column)
        self._record(request, board, "list.created", column=column, name=column.name, stage=column.stage)
        return Expected(201, body=self.shape_of_column(board, column), tag=tag_of_column(column))

    def _update_list(self, request: Request, board: Board) -> Expected:
        column = named(board.columns, request.column, Refusal(404, "list_not_found"))
        matched(request, column.version)
        patch = request.body or {}
        if patch.get("stage", column.stage) != column.stage and column.cards:
            raise Refusal(409, "list_not_empty")
        refuse_taken(patch.get("external_id"), [each for each in board.columns if each is not column])
        changed = self._patched(column, patch)
        if changed:
            self._record(request, board, "list.updated", column=column, changed=changed)
        return Expected(200, body=self.shape_of_column(board, column), tag=tag_of_column(column))

    def _move_list(self, request: Request, board: Board) -> Expected:
        column = named(board.columns, request.column, Refusal(404, "list_not_found"))
        order = placed(column, board.columns, request.body or {})
        if order != board.columns:
            board.columns = order
            self._touch(column)
            self._record(request, board, "list.moved", column=column)
        return Expected(200, body=self.shape_of_column(board, column), tag=tag_of_column(column))

    def _delete_list(self, request: Request, board: Board) -> Expected:
        column = named(board.columns, request.column, Refusal(404, "list_not_found"))
        matched(request, column.version)
        board.columns.remove(column)
        self._record(request, board, "list.deleted", column=column, card_count=len(column.cards))
        return Expected(204)

    # Cards

    def _create_card(self, request: Request, board: Board) -> Expected:
        wishes = request.body or {}
        if "list_id" in wishes:
            column = named(board.columns, wishes["list_id"], Refusal(422, "unknown_reference"))
        else:
            column = first_of(board, "todo")
        refuse_full(column)
        refuse_taken(wishes.get("external_id"), board.cards)
        external_id = wishes.get("external_id")
        card = Card(
            self._new_id(), wishes["title"], wishes.get("description", ""), external_id, self.now, self.now
        )
        column.cards.insert(0 if wishes.get("position") == "top" else len(column.cards), card)
        self._bring(board, card, None, column.stage)
        self._record(request, board, "card.created", column=column, card=card, title=card.title, stage=column.stage)
        return Expected(201, body=self.shape_of_card(board, card), tag=self.tag_of_card(card))

    def _update_card(self, request: Request, board: Board) -> Expected:
        card = named(board.cards, request.card, Refusal(404, "card_not_found"))
        matched(request, card.version)
        patch = request.body or {}
        refuse_taken(patch.get("external_id"), [each for each in board.cards if each is not card])
        changed = self._patched(card, patch)
        if changed:
            self._record(request, board, "card.updated", column=board.home(card), card=card, changed=changed)
        return self._shown(board, card)

    def _move_card(self, request: Request, board: Board) -> Expected:
        card = named(board.cards, request.card, Refusal(404, "card_not_found"))
        wish = request.body or {}
        target = named(board.columns, wish["list_id"], Refusal(422, "unknown_reference"))
        order = placed(card, target.cards, wish)
        if order == target.cards and self._seen.status == 200 and self._seen.etag[1:-1] == self.tag_of_card(card):
            # It is there already. The document leaves open whether that is written down as a move.
            return self._shown(board, card)
        return self._moved(request, board, card, target, order)

    def _start_card(self, request: Request, board: Board) -> Expected:
        return self._advanced(request, board, "todo", "in_progress")

    def _resolve_card(self, request: Request, board: Board) -> Expected:
        return self._advanced(request, board, "in_progress", "done")

    def _reopen_card(self, request: Request, board: Board) -> Expected:
        return self._advanced(request, board, "done", "todo")

    def _delete_card(self, request: Request, board: Board) -> Expected:
        card = named(board.cards, request.card, Refusal(404, "card_not_found"))
        matched(request, card.version)
        column = board.home(card)
        column.cards.remove(card)
        self._record(request, board, "card.deleted", column=column, card=card)
        return Expected(204)

    def _advanced(self, request: Request, board: Board, origin: str, goal: str) -> Expected:
        card = named(board.cards, request.card, Refusal(404, "card_not_found"))
        if board.home(card).stage != origin:
            raise Refusal(409, "wrong_stage")
        target = first_of(board, goal)
        return self._moved(request, board, card, target, [*target.cards, card])

    def _moved(self, request: Request, board: Board, card: Card, target: Column, order: list[Card]) -> Expected:
        home = board.home(card)
        if home is not target:
            refuse_full(target)
        home.cards.remove(card)
        target.cards = order
        self._touch(card)
        self._bring(board, card, home.stage, target.stage)
        data = {"from_list_id": home.id, "from_stage": home.stage, "to_stage": target.stage}
        self._record(request, board, "card.moved", column=target, card=card, **data)
        return self._shown(board, card)

    def _bring(self, board: Board, card: Card, origin: str | None, goal: str) -> None:
        """Start and stop the card's clock."""
        if origin == goal:
            return
        for stretch in card.stretches:
            stretch.end = stretch.end or self.now
        if goal == "in_progress":
            card.stretches.append(Stretch(self.now, None, board.rate))
            card.started = card.started or self.now
        card.resolved = self.now if goal == "done" else None

    # What all have in common

    def _new_id(self) -> str:
        return str(self._seen.json["id"]) if self._seen.status == 201 else "none"

    def _column(self, new_id: str, wishes: dict[str, Any]) -> Column:
        return Column(
            new_id,
            wishes["name"],
            wishes["stage"],
            self.now,
            self.now,
            wishes.get("wip_limit"),
            wishes.get("wip_enforcement", "warn"),
            wishes.get("external_id"),
        )

    def _touch(self, thing: Board | Column | Card) -> None:
        thing.version += 1
        thing.edited = self.now

    def _patched(self, thing: Board | Column | Card, patch: dict[str, Any]) -> list[str]:
        changed = sorted(name for name, new in patch.items() if getattr(thing, name) != new)
        for name in changed:
            setattr(thing, name, patch[name])
        if changed:
            self._touch(thing)
        return changed

    def _record(
        self,
        request: Request,
        board: Board,
        kind: str,
        *,
        column: Column | None = None,
        card: Card | None = None,
        **data: Any,
    ) -> None:
        event: dict[str, Any] = {
            "seq": len(board.events) + 1,
            "type": kind,
            "at": moment(self.now),
            "actor_id": request.user,
            "board_id": board.id,
            "data": data,
        }
        if column:
            event["list_id"] = column.id
        if card:
            event["card_id"] = card.id
        board.events.append(event)

    # What people see

    def _shown(self, board: Board, card: Card) -> Expected:
        return Expected(200, body=self.shape_of_card(board, card), tag=self.tag_of_card(card))

    def shape_of_board(self, board: Board) -> dict[str, Any]:
        """`Board`."""
        return {
            "id": board.id,
            "name": board.name,
            "description": board.description,
            "currency": board.currency,
            "hourly_rate_minor": board.rate,
            "role": "owner",
            "seq": len(board.events),
            "created_at": moment(board.made),
            "updated_at": moment(board.edited),
        }

    def shape_of_column(self, board: Board, column: Column) -> dict[str, Any]:
        """`List`."""
        return {
            "id": column.id,
            "board_id": board.id,
            "name": column.name,
            "stage": column.stage,
            "wip_limit": column.wip_limit,
            "wip_enforcement": column.wip_enforcement,
            "external_id": column.external_id,
            "card_count": len(column.cards),
            "created_at": moment(column.made),
            "updated_at": moment(column.edited),
        }

    def shape_of_card(self, board: Board, card: Card) -> dict[str, Any]:
        """`Card`."""
        column = board.home(card)
        return {
            "id": card.id,
            "board_id": board.id,
            "list_id": column.id,
            "title": card.title,
            "description": card.description,
            "status": column.stage,
            "external_id": card.external_id,
            "started_at": moment(card.started),
            "resolved_at": moment(card.resolved),
            **self.shape_of_clock(board, card),
            "created_at": moment(card.made),
            "updated_at": moment(card.edited),
        }

    def shape_of_clock(self, board: Board, card: Card) -> dict[str, Any]:
        """Time and money, of a card and of its time."""
        elapsed = sum(self._seconds(stretch) for stretch in card.stretches)
        exact = sum(self._seconds(stretch) * stretch.rate for stretch in card.stretches)
        minor = exact // 3600 + (1 if exact % 3600 >= 1800 else 0)
        digits = {"JPY": 0, "USD": 2, "KWD": 3}[board.currency]
        text = str(minor).zfill(digits + 1)
        amount = f"{text[:-digits]}.{text[-digits:]}" if digits else text
        return {
            "elapsed_seconds": elapsed,
            "elapsed": f"{elapsed // 3600:02d}:{elapsed // 60 % 60:02d}:{elapsed % 60:02d}",
            "cost": {"amount_minor": minor, "currency": board.currency, "formatted": f"{board.currency} {amount}"},
        }

    def shapes_of_stretches(self, card: Card) -> Iterator[dict[str, Any]]:
        """`TimeEntry`, without ids, which only the API knows."""
        for stretch in card.stretches:
            yield {
                "started_at": moment(stretch.begin),
                "ended_at": moment(stretch.end),
                "elapsed_seconds": self._seconds(stretch),
                "hourly_rate_minor": stretch.rate,
            }

    def tag_of_card(self, card: Card) -> str:
        """Without quotes."""
        elapsed = sum(self._seconds(stretch) for stretch in card.stretches)
        return f"{card.version}.{elapsed}" if card.is_running else str(card.version)

    def _seconds(self, stretch: Stretch) -> int:
        return int(((stretch.end or self.now) - stretch.begin).total_seconds())


def tag_of_column(column: Column) -> str:
    """Without quotes."""
    return f"{column.version}.{len(column.cards)}"


def tag_of_board(board: Board) -> str:
    """Without quotes."""
    return f"{board.version}.{len(board.events)}"


def moment(at: datetime | None) -> str | None:
    """As on the wire."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None
