"""What is asked of the model, what it expects, and the refusals that many operations have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.soak.state import Board, Card, Checklist, Column, Comment, Item, Label, TimeEntry

Thing = TypeVar("Thing", Column, Card, Label, Comment, Checklist, Item, TimeEntry)


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
    etag: str | None = None
    key: str | None = None

    @property
    def fingerprint(self) -> tuple[Any, ...]:
        """What two requests with one key must have in common to be the same."""
        return self.board, self.column, self.card, self.label, self.part, self.item, self.body

    @property
    def fields(self) -> dict[str, Any]:
        """The body, empty if there is none."""
        return self.body or {}


@dataclass(frozen=True)
class ExpectedResponse:
    """The answer that is due. `replay` is the body that was answered to the same key before, to the byte."""

    status: int
    code: str | None = None
    body: dict[str, Any] | None = None
    etag: str | None = None
    replay: bytes | None = None


class ExpectedError(Exception):
    """The model says no."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(status, code)
        self.response = ExpectedResponse(status, code)


def find_by_id(wanted: str, things: Sequence[Thing], error: ExpectedError) -> Thing:
    """The one of that id."""
    for thing in things:
        if thing.id == wanted:
            return thing
    raise error


def insert_at_position(thing: Thing, things: Sequence[Thing], position: dict[str, Any]) -> list[Thing]:
    """The things in the order that they have once this one is in its place."""
    others = [each for each in things if each is not thing]
    at = 0 if position.get("position") == "top" else len(others)
    for side in ("before", "after"):
        if side in position:
            if position[side] == thing.id:
                raise ExpectedError(422, "self_reference")
            there = [other for other in others if not getattr(other, "deleted_at", None)]
            neighbour = find_by_id(position[side], there, ExpectedError(422, "unknown_reference"))
            at = others.index(neighbour) + (side == "after")
    others.insert(at, thing)
    return others


def find_first_column(stage: str, board: Board) -> Column:
    """The first column of that stage that is in use."""
    for column in board.columns:
        if column.stage == stage and not column.archived_at:
            return column
    raise ExpectedError(409, "no_list_of_stage")


def ensure_version_matches(request: Request, version: int) -> None:
    """Refuse a request that does not name that version in its tag."""
    if request.etag is None:
        raise ExpectedError(428, "precondition_required")
    if request.etag != "*" and request.etag.strip('"').partition(".")[0] != str(version):
        raise ExpectedError(412, "precondition_failed")


def ensure_accepts_card(column: Column) -> None:
    """Refuse one more card in a column that is archived, or full."""
    if column.archived_at:
        raise ExpectedError(409, "list_archived")
    if (
        column.wip_enforcement == "block"
        and column.wip_limit is not None
        and len(column.active_cards) >= column.wip_limit
    ):
        raise ExpectedError(409, "wip_limit_reached")


def ensure_external_id_free(wanted: str | None, others: Sequence[Column] | Sequence[Card]) -> None:
    """Refuse an external id that one of the others has."""
    if wanted is not None and any(other.external_id == wanted for other in others):
        raise ExpectedError(409, "external_id_taken")
