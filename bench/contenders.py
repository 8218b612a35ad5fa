"""What is measured: the same document, handlers and SQLite store behind different layers."""

import base64
import inspect
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import serverless_wsgi

import handlers
from app import DOCUMENT, create_app
from aws.deadline import Deadline
from aws.function import Function
from aws.records import Records
from handlers.door import Door
from kanban import boards, cards, tokens, users
from kanban.access import Caller
from kanban.ids import Ids
from kanban.store import Store
from kanban.values import Act, Change, Role, Scope
from stores import open_store

CARDS = 50
"""How many cards the board holds, so that a list of 50 is a full page."""

GIVEN = frozenset(("door", "act", "now", "next_cursor", "store", "caller", "open_signup", "random_bytes", "if_match"))
"""What the application gives to handlers."""

Event = dict[str, Any]
Handler = Callable[[Event], Event]

if "application/problem+json" not in serverless_wsgi.TEXT_MIME_TYPES:
    serverless_wsgi.TEXT_MIME_TYPES.append("application/problem+json")


def now() -> datetime:
    """The moment, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


class Scene:
    """A board with cards in a store, a fresh SQLite file unless another is named, and someone with a token."""

    def __init__(self, store_url: str | None = None, *, number_of_cards: int = CARDS) -> None:
        self.store: Store = open_store(store_url or f"sqlite:///{tempfile.mkdtemp()}/bench.db")
        self.act = Act("mina", now(), Ids(partial(datetime.now, UTC), os.urandom))
        _, made = users.create(self.act, name="Mina", id="mina")
        _, self.token, kept = tokens.issue(self.act, os.urandom, user_id="mina", name="Bench", scopes=tuple(Scope))
        self.store.commit(made.plus(kept))
        view, change = boards.create(self.act, name="Bench", hourly_rate_minor=1000)
        self.store.commit(change)
        self.board_id = view.board.id
        self.card_id = ""
        for number in range(number_of_cards):
            found = self.store.read_board(self.board_id, "mina")
            assert found is not None  # noqa: S101 - the board was made above.
            card, change = cards.add(found, self.act, title=f"Card {number}", description="Some words. " * 20)
            self.store.commit(change)
            self.card_id = card.id

    def events(self) -> dict[str, Event]:
        """The four requests as HTTP API events (payload format 2.0), by name."""
        path = f"/v1/boards/{self.board_id}/cards"
        return {
            "GET one card": event(self.token, "GET", f"{path}/{self.card_id}"),
            "POST a card": event(self.token, "POST", path, body={"title": "A new card", "description": "x" * 200}),
            "POST -> 400": event(self.token, "POST", path, body={"title": "", "list_id": 7, "what": True}),
            "list of 50 cards": event(self.token, "GET", path, query="limit=50&sort=created_at"),
        }


def event(token: str, method: str, path: str, *, query: str = "", body: object = None) -> Event:
    """A request as API Gateway hands it to a function."""
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


def tackboard(scene: Scene) -> Handler:
    """The product, with the line that it writes about each request."""
    records = Records("bench", now, time.perf_counter, lambda _: None)
    function = Function(create_app(scene.store), Deadline(), records, dict)
    return lambda event: function(event, None)


def connexion_as_it_comes(scene: Scene) -> Handler:
    """The AsyncApp of connexion with both validations on, behind the usual bridge."""
    import connexion  # noqa: PLC0415 - each contender loads its own layers.
    from a2wsgi import ASGIMiddleware  # noqa: PLC0415

    logging.getLogger("connexion").setLevel(logging.ERROR)

    def authenticate(text: str) -> dict[str, Any] | None:
        found = scene.store.token_holder(tokens.parse(text) or "")
        return {"sub": found[1].id, "caller": Caller(found[1].id, found[0].id, found[0].scopes)} if found else None

    def bound(operation_id: str) -> Callable[..., Any]:
        function = handlers.functions()[operation_id]
        names = inspect.signature(function).parameters

        def call(token_info: dict[str, Any] | None = None, **arguments: Any) -> Any:
            least, scope = (Role.EDITOR, Scope.WRITE) if operation_id == "create_card" else (Role.VIEWER, Scope.READ)
            given: dict[str, Any] = {
                "door": Door(scene.store, (token_info or {})["caller"], scope, least),
                "act": Act("mina", now(), scene.act.new_id),
                "now": now(),
                "next_cursor": lambda _: None,
            }
            reply = function(**arguments, **{name: given[name] for name in names if name in given})
            scene.store.commit(reply.change or Change())
            headers = {"Content-Type": "application/json", "X-Request-Id": "1", "Cache-Control": "no-store"}
            headers |= {"ETag": f'"{reply.etag}"'} if reply.etag else {}
            headers |= {"Location": f"/v1{reply.location}"} if reply.location else {}
            return reply.body, reply.status, headers

        # connexion passes what the signature names, so it is shown the document's parameters only.
        documented = [each for name, each in names.items() if name not in GIVEN]
        identity = inspect.Parameter("token_info", inspect.Parameter.KEYWORD_ONLY)
        keyword_only = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in documented]
        call.__signature__ = inspect.Signature([*keyword_only, identity])  # type: ignore[attr-defined] # it is looked for.
        return call

    document = json.loads(DOCUMENT.read_bytes())
    document["components"]["securitySchemes"]["bearer"]["x-bearerInfoFunc"] = "bench.contenders.AUTHENTICATE"
    global AUTHENTICATE  # noqa: PLW0603 - connexion finds its function by name.
    AUTHENTICATE = authenticate
    application = connexion.AsyncApp(__name__, specification_dir=Path(__file__).parent)
    application.add_api(
        document,
        resolver=connexion.resolver.Resolver(bound),
        validate_responses=True,
        strict_validation=True,
    )
    wsgi = ASGIMiddleware(application)
    return lambda event: serverless_wsgi.handle_request(wsgi, event, None)


AUTHENTICATE: Callable[[str], Any] = lambda _: None  # noqa: E731 - a place for connexion to find a function in.

CONTENDERS: dict[str, Callable[[Scene], Handler]] = {
    "tackboard": tackboard,
    "connexion 3 as it comes": connexion_as_it_comes,
}
