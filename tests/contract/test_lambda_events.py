"""The function that AWS Lambda calls, with the real application on a SQLite file behind it."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import serverless_wsgi

import stores
from kanban.store import Store
from tests.contract.aws_events import SHAPES, Event, headers_of, http_api

Handler = Callable[[Event, object], dict[str, Any]]
Shape = Callable[..., Event]


@pytest.fixture
def handler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Handler]:
    """wsgi.py, imported as Lambda imports it, configured by the environment."""
    opened: list[Store] = []

    def open_store(url: str, opening: Callable[[str], Store] = stores.open_store) -> Store:
        opened.append(opening(url))
        return opened[-1]

    monkeypatch.setattr(stores, "open_store", open_store)
    monkeypatch.setenv("STORE_URL", f"sqlite:///{tmp_path}/tackboard.db")
    monkeypatch.setenv("OPEN_SIGNUP", "1")
    monkeypatch.setattr(serverless_wsgi, "TEXT_MIME_TYPES", ["application/json"])
    monkeypatch.delitem(sys.modules, "wsgi", raising=False)
    made: Handler = importlib.import_module("wsgi").handler
    yield made
    for store in opened:
        store.close()


every_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def sending(handler: Handler, shape: Shape, token: str | None = None) -> Callable[..., tuple[int, Any, dict[str, str]]]:
    """Sends requests in one shape; answers the status, the JSON body and the headers."""

    def send(method: str, target: str, body: object = None, **headers: str) -> tuple[int, Any, dict[str, str]]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            sent["Content-Type"] = "application/json"
        answer = handler(shape(method, target, json.dumps(body) if body is not None else None, sent), None)
        assert answer.get("isBase64Encoded", False) is False
        text = answer.get("body")
        return answer["statusCode"], json.loads(text) if text else None, headers_of(answer)

    return send


@every_shape
def test_the_service_is_well(handler: Handler, shape: Shape) -> None:
    status, _, headers = sending(handler, shape)("GET", "/v1/health")

    assert status == 200
    assert headers["content-type"] == "application/json"


@every_shape
def test_someone_signs_up_makes_a_board_and_moves_a_card(handler: Handler, shape: Shape) -> None:
    _, made, _ = sending(handler, shape)("POST", "/v1/users", {"name": "Mina"})
    send = sending(handler, shape, made["token"])

    status, board, headers = send("POST", "/v1/boards", {"name": "Atelier"})
    assert status == 201
    assert headers["location"] == f"/v1/boards/{board['id']}"
    here = headers["location"]

    status, card, headers = send("POST", f"{here}/cards", {"title": "Découper"}, Idempotency_Key="one")
    assert status == 201
    assert card["title"] == "Découper"
    assert send("POST", f"{here}/cards", {"title": "Découper"}, Idempotency_Key="one")[1] == card

    status, started, _ = send("POST", f"{here}/cards/{card['id']}/start")
    assert (status, started["status"]) == (200, "in_progress")

    status, page, _ = send("GET", f"{here}/cards?q=d%C3%89COU&status=in_progress")
    assert [found["id"] for found in page["items"]] == [card["id"]]


@every_shape
def test_conditional_requests_work(handler: Handler, shape: Shape) -> None:
    _, made, _ = sending(handler, shape)("POST", "/v1/users", {"name": "Mina"})
    send = sending(handler, shape, made["token"])
    _, board, headers = send("POST", "/v1/boards", {"name": "Atelier"})
    here, tag = headers["location"], headers["etag"]

    assert send("GET", here, If_None_Match=send("GET", here)[2]["etag"])[:2] == (304, None)
    assert send("PATCH", here, {"name": "Studio"})[0] == 428
    assert send("PATCH", here, {"name": "Studio"}, If_Match=tag)[1]["name"] == "Studio"
    assert send("PATCH", here, {"name": "Again"}, If_Match=tag)[0] == 412
    assert send("DELETE", here, If_Match=send("GET", here)[2]["etag"])[:2] == (204, None)
    assert send("GET", here)[0] == 404
    assert board["name"] == "Atelier"


@every_shape
def test_a_list_is_read_page_by_page(handler: Handler, shape: Shape) -> None:
    _, made, _ = sending(handler, shape)("POST", "/v1/users", {"name": "Mina"})
    send = sending(handler, shape, made["token"])
    names = [send("POST", "/v1/boards", {"name": name})[1]["name"] for name in ("One", "Two", "Three")]

    _, first, headers = send("GET", "/v1/boards?limit=2")
    link = headers["link"].partition(">")[0].removeprefix("<")
    _, second, last_headers = send("GET", link)

    assert [board["name"] for board in first["items"] + second["items"]] == list(reversed(names))
    assert second["next_cursor"] is None
    assert "link" not in last_headers


@every_shape
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
def test_a_problem_is_text(handler: Handler, shape: Shape, method: str, target: str, status: int) -> None:
    answered, problem, headers = sending(handler, shape)(method, target)

    assert (answered, problem["status"]) == (status, status)
    assert headers["content-type"] == "application/problem+json"


def test_an_event_that_asks_for_a_command_is_refused(handler: Handler) -> None:
    event = {"_serverless-wsgi": {"command": "exec", "data": "open('/tmp/opened', 'w')"}}

    with pytest.raises(PermissionError, match="Commands by event are not accepted"):
        handler(event, None)


@pytest.mark.parametrize("source", ["aws.events", "serverless-plugin-warmup"])
def test_an_event_of_a_schedule_does_no_harm(handler: Handler, source: str) -> None:
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


def test_an_answer_is_plain_json_for_lambda(handler: Handler) -> None:
    answer = handler(http_api("GET", "/v1/health"), None)

    assert json.loads(json.dumps(answer)) == answer
