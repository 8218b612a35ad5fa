"""What is asked of the model, what it expects, and the refusals that many operations have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.soak.state import Board, Card, Checklist, Column, Comment, Item, Label, Stretch

Thing = TypeVar("Thing", Column, Card, Label, Comment, Checklist, Item, Stretch)


@dataclass(frozen=True)
class Request:
    """What somebody asks for: an operation of the document, about what, and how. `tag` is sent as If-Match.

    `part` is a comment or a checklist of the card.
    """

    user: str
    operation: str
    board: str = ""
    column: str = ""
    card: str = ""
    label: str = ""
    member: str = ""
    part: str = ""
    item: str = ""
    body: dict[str, Any] | None = None
    tag: str | None = None
    key: str | None = None

    @property
    def asked(self) -> tuple[Any, ...]:
        """What two requests with one key must have in common to be the same."""
        return self.board, self.column, self.card, self.label, self.part, self.item, self.body

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


def named(wanted: str, things: Sequence[Thing], otherwise: Refusal) -> Thing:
    """The one of that id."""
    for thing in things:
        if thing.id == wanted:
            return thing
    raise otherwise


def placed(thing: Thing, things: Sequence[Thing], place: dict[str, Any]) -> list[Thing]:
    """The things in the order that they have once this one is in its place."""
    others = [each for each in things if each is not thing]
    at = 0 if place.get("position") == "top" else len(others)
    for side in ("before", "after"):
        if side in place:
            if place[side] == thing.id:
                raise Refusal(422, "self_reference")
            there = [each for each in others if not getattr(each, "deleted", None)]
            neighbour = named(place[side], there, Refusal(422, "unknown_reference"))
            at = others.index(neighbour) + (side == "after")
    others.insert(at, thing)
    return others


def first_of(stage: str, board: Board) -> Column:
    """The first column of that stage that is in use."""
    for column in board.columns:
        if column.stage == stage and not column.archived:
            return column
    raise Refusal(409, "no_list_of_stage")


def insist_on_version(request: Request, version: int) -> None:
    """Refuse a request that does not name that version in its tag."""
    if request.tag is None:
        raise Refusal(428, "precondition_required")
    if request.tag != "*" and request.tag.strip('"').partition(".")[0] != str(version):
        raise Refusal(412, "precondition_failed")


def refuse_entry(column: Column) -> None:
    """Refuse one more card in a column that is archived, or full."""
    if column.archived:
        raise Refusal(409, "list_archived")
    if column.wip_enforcement == "block" and column.wip_limit is not None and len(column.in_use) >= column.wip_limit:
        raise Refusal(409, "wip_limit_reached")


def refuse_taken(wanted: str | None, others: Sequence[Column] | Sequence[Card]) -> None:
    """Refuse an external id that one of the others has."""
    if wanted is not None and any(each.external_id == wanted for each in others):
        raise Refusal(409, "external_id_taken")
