"""The function that AWS Lambda calls, with the whole application on a SQLite file."""

import importlib
import json
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import stores
from app.factory import create_app
from aws.function import Function
from contract.api_gateway import undecodable_body_response
from kanban.store import Store
from tests.contract.adapter_twin import build_function, compare_with_adapter
from tests.contract.aws_events import EVENT_BUILDERS, Event, http_api_event, response_headers

Handler = Callable[[Event, object], dict[str, Any]]
EventBuilder = Callable[..., Event]


NOW = datetime(2026, 11, 21, 14, tzinfo=UTC)


def build_function_on(store: Store, lines: list[bytes] | None = None) -> Function:
    """Build the function of the whole application, with a fixed clock and seeded randomness."""
    bytes_of = random.Random(1).randbytes  # noqa: S311 - both applications need the same random bytes.
    return build_function(create_app(store, clock=lambda: NOW, random_bytes=bytes_of, open_signup=True), lines)


@pytest.fixture
def handler(tmp_path: Path, empty_database: Path) -> Iterator[Handler]:
    """Return the function of an application on a new store, compared with an equal one on a copy."""
    for name in ("one.db", "twin.db"):
        shutil.copy(empty_database, tmp_path / name)
    with (
        closing(stores.open_store(f"sqlite:///{tmp_path}/one.db")) as one,
        closing(stores.open_store(f"sqlite:///{tmp_path}/twin.db")) as twin,
    ):
        yield compare_with_adapter(build_function_on(one), build_function_on(twin))


@pytest.fixture
def imported_handler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Handler]:
    """Import lambda_wsgi_handler.py as Lambda does, configured by the environment."""
    opened: list[Store] = []

    def open_store(url: str, open_real_store: Callable[..., Store] = stores.open_store, **options: Any) -> Store:
        opened.append(open_real_store(url, **options))
        return opened[-1]

    monkeypatch.setattr(stores, "open_store", open_store)
    monkeypatch.setenv("STORE_URL", f"sqlite:///{tmp_path}/tackboard.db")
    monkeypatch.setenv("OPEN_SIGNUP", "1")
    monkeypatch.delitem(sys.modules, "lambda_wsgi_handler", raising=False)
    handler_function: Handler = importlib.import_module("lambda_wsgi_handler").handler
    yield handler_function
    for store in opened:
        store.close()


every_event_format = pytest.mark.parametrize("build_event", EVENT_BUILDERS.values(), ids=EVENT_BUILDERS)


def build_sender(
    handler: Handler, build_event: EventBuilder, token: str | None = None
) -> Callable[..., tuple[int, Any, dict[str, str]]]:
    """Return a function that sends events of one format, and returns status, JSON body and headers."""

    def send(method: str, target: str, body: object = None, **headers: str) -> tuple[int, Any, dict[str, str]]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            sent["Content-Type"] = "application/json"
        response = handler(build_event(method, target, json.dumps(body) if body is not None else None, sent), None)
        assert response.get("isBase64Encoded", False) is False
        text = response.get("body")
        return response["statusCode"], json.loads(text) if text else None, response_headers(response)

    return send


@every_event_format
def test_the_service_is_healthy(handler: Handler, build_event: EventBuilder) -> None:
    status, _, headers = build_sender(handler, build_event)("GET", "/v1/health")

    assert status == 200
    assert headers["content-type"] == "application/json"


@every_event_format
def test_a_user_signs_up_creates_a_board_and_moves_a_card(handler: Handler, build_event: EventBuilder) -> None:
    _, user, _ = build_sender(handler, build_event)("POST", "/v1/users", {"name": "Mina"})
    send = build_sender(handler, build_event, user["token"])

    status, board, headers = send("POST", "/v1/boards", {"name": "Atelier"})
    assert status == 201
    assert headers["location"] == f"/v1/boards/{board['id']}"
    board_path = headers["location"]

    status, card, headers = send("POST", f"{board_path}/cards", {"title": "Découper"}, Idempotency_Key="one")
    assert status == 201
    assert card["title"] == "Découper"
    assert send("POST", f"{board_path}/cards", {"title": "Découper"}, Idempotency_Key="one")[1] == card

    status, started, _ = send("POST", f"{board_path}/cards/{card['id']}/start")
    assert (status, started["status"]) == (200, "in_progress")

    status, page, _ = send("GET", f"{board_path}/cards?q=d%C3%89COU&status=in_progress")
    assert [listed["id"] for listed in page["items"]] == [card["id"]]


@every_event_format
def test_conditional_requests_work(handler: Handler, build_event: EventBuilder) -> None:
    _, user, _ = build_sender(handler, build_event)("POST", "/v1/users", {"name": "Mina"})
    send = build_sender(handler, build_event, user["token"])
    _, board, headers = send("POST", "/v1/boards", {"name": "Atelier"})
    board_path, tag = headers["location"], headers["etag"]

    assert send("GET", board_path, If_None_Match=send("GET", board_path)[2]["etag"])[:2] == (304, None)
    assert send("PATCH", board_path, {"name": "Studio"})[0] == 428
    assert send("PATCH", board_path, {"name": "Studio"}, If_Match=tag)[1]["name"] == "Studio"
    assert send("PATCH", board_path, {"name": "Again"}, If_Match=tag)[0] == 412
    assert send("DELETE", board_path, If_Match=send("GET", board_path)[2]["etag"])[:2] == (204, None)
    assert send("GET", board_path)[0] == 404
    assert board["name"] == "Atelier"


@every_event_format
def test_a_listing_is_paged(handler: Handler, build_event: EventBuilder) -> None:
    _, user, _ = build_sender(handler, build_event)("POST", "/v1/users", {"name": "Mina"})
    send = build_sender(handler, build_event, user["token"])
    names = [send("POST", "/v1/boards", {"name": name})[1]["name"] for name in ("One", "Two", "Three")]

    _, first, headers = send("GET", "/v1/boards?limit=2")
    link = headers["link"].partition(">")[0].removeprefix("<")
    _, second, last_headers = send("GET", link)

    assert [board["name"] for board in first["items"] + second["items"]] == list(reversed(names))
    assert second["next_cursor"] is None
    assert "link" not in last_headers


@every_event_format
@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/v1/boards", 401),
        ("GET", "/v1/nowhere", 404),
        ("DELETE", "/v1/health", 405),
        ("GET", "/v1/health?x=1", 400),
        ("GET", "/v1/%ff", 404),
    ],
)
def test_a_problem_is_sent_as_text(
    handler: Handler, build_event: EventBuilder, method: str, target: str, status: int
) -> None:
    response_status, problem, headers = build_sender(handler, build_event)(method, target)

    assert (response_status, problem["status"]) == (status, status)
    assert headers["content-type"] == "application/problem+json"


def test_an_event_with_a_command_is_rejected(handler: Handler) -> None:
    event = {"_serverless-wsgi": {"command": "exec", "data": "open('/tmp/opened', 'w')"}}

    with pytest.raises(PermissionError, match="Commands by event are not accepted"):
        handler(event, None)


@pytest.mark.parametrize("source", ["aws.events", "serverless-plugin-warmup"])
def test_a_scheduled_event_does_no_harm(handler: Handler, source: str) -> None:
    event = {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": source,
        "account": "123456789012",
        "time": "2026-11-20T14:00:00Z",
        "region": "eu-central-1",
        "resources": ["arn:aws:events:eu-central-1:123456789012:rule/warm"],
        "detail": {},
    }

    assert handler(event, None) == {}


@every_event_format
def test_the_environment_configures_the_function(imported_handler: Handler, build_event: EventBuilder) -> None:
    status, user, _ = build_sender(imported_handler, build_event)("POST", "/v1/users", {"name": "Mina"})

    assert status == 201
    assert build_sender(imported_handler, build_event, user["token"])("GET", "/v1/users/me")[1]["name"] == "Mina"


def test_a_response_is_plain_json_for_lambda(imported_handler: Handler) -> None:
    response = imported_handler(http_api_event("GET", "/v1/health"), None)

    assert json.loads(json.dumps(response)) == response


def test_a_body_that_is_no_base64_is_answered_in_plain_text() -> None:
    response = undecodable_body_response()

    assert (response["statusCode"], response["isBase64Encoded"]) == (400, False)
    assert json.loads(response["body"])["code"] == "malformed_request"
