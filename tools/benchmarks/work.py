"""The work behind the three operations that every contender offers: authenticate, read, decide and commit.

It comes in two kinds. `ProductWork` is the product's own rules and store, without HTTP, JSON and document: around the
same work, the layers of frameworks can be compared. `peers.own_queries.OwnQueries` is what somebody would write
without our store.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from os import urandom
from typing import Any, Protocol

from handlers import cards as handlers
from handlers.results import Result
from kanban import tokens
from kanban.access import Caller
from kanban.changes import ActionContext, Change
from kanban.ids import IdGenerator
from kanban.timekeeping.timestamps import truncate_to_seconds
from kanban.values import Role, Scope
from stores import open_store
from tools.benchmarks.scene import Scene
from usecases.board_access import BoardAccess


@dataclass(frozen=True, slots=True)
class Response:
    """What a framework sends: the body as JSON values, the entity tag, and the path of a new card."""

    body: dict[str, Any]
    etag: str = ""
    location: str = ""


class Work(Protocol):
    """The three operations, and the check of a token before them."""

    def find_caller(self, authorization: str) -> Any:
        """Return who holds the token of an Authorization header, or None."""

    def get_card(self, caller: Any, board_id: str, card_id: str) -> Response:
        """Return one card."""

    def create_card(self, caller: Any, board_id: str, body: dict[str, Any]) -> Response:
        """Create a card and commit it."""

    def list_cards(self, caller: Any, board_id: str, limit: int, sort: str) -> Response:
        """Return the first page of the board's cards."""


OpenWork = Callable[[Scene], Work]
"""Opens a scene's store."""


class ProductWork:
    """The work as the product does it."""

    def __init__(self, scene: Scene) -> None:
        self._store = open_store(scene.store_url)
        self._new_id = IdGenerator(partial(datetime.now, UTC), urandom)

    def find_caller(self, authorization: str) -> Caller | None:
        """Return who holds the token of an Authorization header, or None."""
        digest = tokens.parse_to_digest(authorization.removeprefix("Bearer "))
        token_and_user = self._store.read_token_by_digest(digest) if digest else None
        if token_and_user is None:
            return None
        token, user = token_and_user
        return Caller(user.id, token.id, token.scopes) if tokens.is_live(token, _read_clock()) else None

    def get_card(self, caller: Caller, board_id: str, card_id: str) -> Response:
        """Return one card."""
        access = self._open_board(caller, Role.VIEWER, Scope.READ)
        return _to_response(handlers.get_card(access, _read_clock(), board_id, card_id))

    def create_card(self, caller: Caller, board_id: str, body: dict[str, Any]) -> Response:
        """Create a card and commit it."""
        access = self._open_board(caller, Role.EDITOR, Scope.WRITE)
        context = ActionContext(caller.user_id, _read_clock(), self._new_id)
        result = handlers.create_card(access, context, board_id, body)
        self._store.commit(result.change or Change())
        return _to_response(result)

    def list_cards(self, caller: Caller, board_id: str, limit: int, sort: str) -> Response:
        """Return the first page of the board's cards."""
        access = self._open_board(caller, Role.VIEWER, Scope.READ)
        page = handlers.list_cards(access, caller, _read_clock(), lambda *_, **__: None, None, board_id, limit, sort)
        return _to_response(page)

    def _open_board(self, caller: Caller, minimum_role: Role, scope: Scope) -> BoardAccess:
        return BoardAccess(self._store, caller, scope, minimum_role)


def _read_clock() -> datetime:
    return truncate_to_seconds(datetime.now(UTC))


def _to_response(result: Result) -> Response:
    return Response(result.body, result.etag or "", result.location or "")
