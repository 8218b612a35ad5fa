"""Requests, the responses that the model expects, and the errors that several operations have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.soak.state import Board, Card, Checklist, Column, Comment, Item, Label, TimeEntry

Thing = TypeVar("Thing", Column, Card, Label, Comment, Checklist, Item, TimeEntry)


@dataclass(frozen=True)
class Request:
    """A request: an operation of the document, the resources that it names, and its body. `etag` is sent as If-Match.

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
        """What must be equal for two requests with the same idempotency key to be the same request."""
        return self.board, self.column, self.card, self.label, self.part, self.item, self.body

    @property
    def fields(self) -> dict[str, Any]:
        """The body, empty if there is none."""
        return self.body or {}


@dataclass(frozen=True)
class ExpectedResponse:
    """The response that the model expects. `replay` is the exact body of the earlier response to the same key."""

    status: int
    code: str | None = None
    body: dict[str, Any] | None = None
    etag: str | None = None
    replay: bytes | None = None


class ExpectedError(Exception):
    """Raised by the model when it expects an error as the response."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(status, code)
        self.response = ExpectedResponse(status, code)


def find_by_id(thing_id: str, things: Sequence[Thing], error: ExpectedError) -> Thing:
    """Return the thing with an id. Raises the given error if there is none."""
    for thing in things:
        if thing.id == thing_id:
            return thing
    raise error


def insert_at_position(thing: Thing, things: Sequence[Thing], position: dict[str, Any]) -> list[Thing]:
    """Return the things in their order after one of them was moved to, or added at, a position."""
    others = [other for other in things if other is not thing]
    index = 0 if position.get("position") == "top" else len(others)
    for side in ("before", "after"):
        if side in position:
            if position[side] == thing.id:
                raise ExpectedError(422, "self_reference")
            candidates = [other for other in others if not getattr(other, "deleted_at", None)]
            neighbour = find_by_id(position[side], candidates, ExpectedError(422, "unknown_reference"))
            index = others.index(neighbour) + (side == "after")
    others.insert(index, thing)
    return others


def find_first_column(stage: str, board: Board) -> Column:
    """Return the first column of a stage that is not archived. Raises ExpectedError."""
    for column in board.columns:
        if column.stage == stage and not column.archived_at:
            return column
    raise ExpectedError(409, "no_list_of_stage")


def ensure_version_matches(request: Request, version: int) -> None:
    """Raise ExpectedError unless the ETag of the request names this version."""
    if request.etag is None:
        raise ExpectedError(428, "precondition_required")
    if request.etag != "*" and request.etag.strip('"').partition(".")[0] != str(version):
        raise ExpectedError(412, "precondition_failed")


def ensure_accepts_card(column: Column) -> None:
    """Raise ExpectedError if the column is archived or full."""
    if column.archived_at:
        raise ExpectedError(409, "list_archived")
    if (
        column.wip_enforcement == "block"
        and column.wip_limit is not None
        and len(column.active_cards) >= column.wip_limit
    ):
        raise ExpectedError(409, "wip_limit_reached")


def ensure_external_id_free(external_id: str | None, others: Sequence[Column] | Sequence[Card]) -> None:
    """Raise ExpectedError if one of the others has this external id."""
    if external_id is not None and any(other.external_id == external_id for other in others):
        raise ExpectedError(409, "external_id_taken")
