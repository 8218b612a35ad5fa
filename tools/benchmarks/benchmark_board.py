"""The board that every contender of `make bench` works on, in a SQLite file, with the product's rules and store.

Nothing of the contract is loaded here, so that other frameworks can be put around the same work.
"""

import base64
import json
import os
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from handlers import cards as handlers
from handlers.results import Result
from kanban import boards, cards, tokens, users
from kanban.access import Caller
from kanban.changes import ActionContext, Change
from kanban.ids import IdGenerator
from kanban.store import Store
from kanban.values import NewBoard, NewCard, Role, Scope
from stores import open_store
from usecases.board_access import BoardAccess

CARD_COUNT = 50
"""How many cards the board has: a page of 50 is full."""

Event = dict[str, Any]
Handler = Callable[[Event], Event]


def current_time() -> datetime:
    """Return the current time in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


class BenchmarkBoard:
    """A board with cards in a store, by default a new SQLite file, and a user with a token."""

    def __init__(self, store_url: str | None = None, *, number_of_cards: int = CARD_COUNT) -> None:
        self.store: Store = open_store(store_url or f"sqlite:///{tempfile.mkdtemp()}/bench.db")
        self.act = ActionContext("mina", current_time(), IdGenerator(partial(datetime.now, UTC), os.urandom))
        _, made = users.create(self.act, name="Mina", id="mina")
        _, self.token, kept = tokens.issue(self.act, os.urandom, user_id="mina", name="Bench", scopes=tuple(Scope))
        self.store.commit(made.merge(kept))
        view, change = boards.create(self.act, NewBoard(name="Bench", hourly_rate_minor=1000))
        self.store.commit(change)
        self.board_id = view.board.id
        self.card_id = ""
        for number in range(number_of_cards):
            board_view = self.store.read_board(self.board_id, "mina")
            assert board_view is not None  # noqa: S101 - the board was created above.
            card, change = cards.create(
                board_view, self.act, NewCard(title=f"Card {number}", description="Some words. " * 20)
            )
            self.store.commit(change)
            self.card_id = card.id

    def events(self) -> dict[str, Event]:
        """Return the four requests as HTTP API events (payload format 2.0), by name."""
        path = f"/v1/boards/{self.board_id}/cards"
        return {
            "GET one card": build_event(self.token, "GET", f"{path}/{self.card_id}"),
            "POST a card": build_event(
                self.token, "POST", path, body={"title": "A new card", "description": "x" * 200}
            ),
            "POST -> 400": build_event(self.token, "POST", path, body={"title": "", "list_id": 7, "what": True}),
            "list of 50 cards": build_event(self.token, "GET", path, query="limit=50&sort=created_at"),
        }


def build_event(token: str, method: str, path: str, *, query: str = "", body: object = None) -> Event:
    """Build the event that API Gateway makes of a request."""
    headers = {
        "accept": "*/*",
        "authorization": f"Bearer {token}",
        "host": "api.example.com",
        "user-agent": "bench",
        "x-amzn-trace-id": "Root=1-67891233-abcdef012345678912345678",
        "x-forwarded-for": "203.0.113.9",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    made: Event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.9",
                "userAgent": "b",
            },
            "requestId": "id",
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }
    if query:
        made["queryStringParameters"] = dict(pair.split("=") for pair in query.split("&"))
    if body is not None:
        headers["content-type"] = "application/json"
        made["body"] = base64.b64encode(json.dumps(body).encode()).decode()
        made["isBase64Encoded"] = True
    return made


class DirectCalls:
    """The work behind the requests, as a plain method for each: authenticate, read, decide and commit."""

    def __init__(self, scene: BenchmarkBoard) -> None:
        self._store = scene.store
        self._read_new_id = scene.act.new_id

    def caller(self, authorization: str) -> Caller | None:
        """Return who holds the token of an Authorization header, or None."""
        token_and_user = self._store.read_token_by_digest(
            tokens.parse_to_digest(authorization.removeprefix("Bearer ")) or ""
        )
        return Caller(token_and_user[1].id, token_and_user[0].id, token_and_user[0].scopes) if token_and_user else None

    def get_card(self, caller: Caller, board_id: str, card_id: str) -> Result:
        """Return one card."""
        return handlers.get_card(self._open_board(caller, Role.VIEWER, Scope.READ), current_time(), board_id, card_id)

    def create_card(self, caller: Caller, board_id: str, body: dict[str, Any]) -> Result:
        """Create a card and commit it."""
        access = self._open_board(caller, Role.EDITOR, Scope.WRITE)
        answer = handlers.create_card(
            access, ActionContext(caller.user_id, current_time(), self._read_new_id), board_id, body
        )
        self._store.commit(answer.change or Change())
        return answer

    def list_cards(self, caller: Caller, board_id: str, limit: int, sort: str) -> Result:
        """Return a page of cards."""
        access = self._open_board(caller, Role.VIEWER, Scope.READ)
        return handlers.list_cards(access, caller, current_time(), lambda *_, **__: None, None, board_id, limit, sort)

    def _open_board(self, caller: Caller, least: Role, scope: Scope) -> BoardAccess:
        return BoardAccess(self._store, caller, scope, least)
