"""The board that is measured, and the requests that are sent to it.

Nothing of the product is loaded here, so that its start can be measured, and other frameworks can use the board too.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Event = dict[str, Any]
Handler = Callable[[Event], Event]


@dataclass(frozen=True, slots=True)
class Scene:
    """A store with a board, and a user with a token who owns it."""

    store_url: str
    token: str
    board_id: str
    list_ids: Sequence[str]
    card_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of request: what is sent, in turns if there are several, and the statuses that may come back."""

    build_events: Callable[[Scene], list[Event]]
    statuses: tuple[int, ...]


def _get(path: str, query: str = "", **headers: str) -> Callable[[Scene], list[Event]]:
    return lambda scene: [build_event(scene.token, "GET", _fill(path, scene), query=query, headers=headers)]


def _send(
    method: str, path: str, *bodies: Callable[[Scene], object], headers: Mapping[str, str] | None = None
) -> Callable[[Scene], list[Event]]:
    return lambda scene: [
        build_event(scene.token, method, _fill(path, scene), body=body(scene), headers=headers or {}) for body in bodies
    ]


def _fill(path: str, scene: Scene) -> str:
    return path.format(board=f"/v1/boards/{scene.board_id}", card=scene.card_ids[-1] if scene.card_ids else "")


COMMON_SHAPES = {
    "GET one card": Shape(_get("{board}/cards/{card}"), (200,)),
    "POST a card": Shape(
        _send("POST", "{board}/cards", lambda _: {"title": "A new card", "description": "x" * 200}), (201,)
    ),
    "POST -> 400": Shape(
        _send("POST", "{board}/cards", lambda _: {"title": "", "list_id": 7, "what": True}), (400, 422)
    ),
    "list of 50 cards": Shape(_get("{board}/cards", "limit=50&sort=created_at"), (200,)),
}
"""What every contender answers."""

OUR_SHAPES = {
    **COMMON_SHAPES,
    "GET a board": Shape(_get("{board}"), (200,)),
    "board with 50 cards": Shape(_get("{board}", "embed=lists,cards,labels,members"), (200,)),
    "GET -> 304": Shape(_get("{board}/cards/{card}", **{"if-none-match": "*"}), (304,)),
    "PATCH a card": Shape(
        _send(
            "PATCH",
            "{board}/cards/{card}",
            lambda _: {"title": "One title"},
            lambda _: {"title": "Another title"},
            headers={"if-match": "*", "content-type": "application/merge-patch+json"},
        ),
        (200,),
    ),
    "move a card": Shape(
        _send(
            "POST",
            "{board}/cards/{card}/move",
            lambda scene: {"list_id": scene.list_ids[1]},
            lambda scene: {"list_id": scene.list_ids[0]},
        ),
        (200,),
    ),
    "GET a page of events": Shape(_get("{board}/events", "limit=50"), (200,)),
    # The same token would soon get 429.
    "GET -> 401": Shape(
        lambda scene: [
            build_event(f"tkb_unknown{number}", "GET", f"/v1/boards/{scene.board_id}") for number in range(40)
        ],
        (401,),
    ),
}
"""What `make bench-check` counts."""


def build_event(
    token: str,
    method: str,
    path: str,
    *,
    query: str = "",
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> Event:
    """Build the event that API Gateway makes of a request."""
    sent_headers = {
        "accept": "*/*",
        **({"authorization": f"Bearer {token}"} if token else {}),
        "host": "api.example.com",
        "user-agent": "bench",
        "x-amzn-trace-id": "Root=1-67891233-abcdef012345678912345678",
        "x-forwarded-for": "203.0.113.9",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    event: Event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": sent_headers,
        "requestContext": {
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.9",
                "userAgent": "bench",
            },
            "requestId": "id",
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }
    if query:
        event["queryStringParameters"] = dict(pair.split("=") for pair in query.split("&"))
    if body is not None:
        content = json.dumps(body).encode()
        sent_headers |= {"content-type": "application/json", "content-length": str(len(content))}
        event |= {"body": base64.b64encode(content).decode(), "isBase64Encoded": True}
    sent_headers |= headers or {}
    return event


def to_rest_event(event: Event) -> Event:
    """Return the same request as an event of a REST API, which goes through serverless-wsgi."""
    context = {"requestId": "id", "stage": "dev", "identity": {"sourceIp": "203.0.113.9"}, "resourcePath": "/"}
    request = {"httpMethod": event["requestContext"]["http"]["method"], "path": event["rawPath"]}
    parameters = event.get("queryStringParameters")
    body = {"body": event.get("body"), "isBase64Encoded": event["isBase64Encoded"]}
    return {
        **request,
        "headers": event["headers"],
        "requestContext": context,
        "queryStringParameters": parameters,
        **body,
    }
