"""Every parameter style of the document arrives unchanged over every transport."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote

import pytest

from app.factory import create_app
from stores import open_store
from tests.contract.aws_events import Event, load_balancer_event, rest_api_event
from tests.contract.client import HttpResponse
from tests.contract.transports import TRANSPORTS, Send, Transport, open_lambda
from tests.document.test_document import BUNDLE
from tools.openapi.bundle import Bundle


def plain_load_balancer(*request: Any, **wishes: Any) -> Event:
    """Build an event of a load balancer without multi-value headers, which keeps the last of repeated names."""
    event = load_balancer_event(*request, **wishes)
    for several, one in (
        ("multiValueHeaders", "headers"),
        ("multiValueQueryStringParameters", "queryStringParameters"),
    ):
        event[one] = {name: values[-1] for name, values in event.pop(several).items()}
    return event


def http_api_with_payload_1(*request: Any, **wishes: Any) -> Event:
    """Build an event of an HTTP API whose integration uses payload 1.0."""
    return {**rest_api_event(*request, **{"stage": "$default", **wishes}), "version": "1.0"}


PLAIN = "load balancer without multi-value headers"
WAYS = {name: way for name, way in TRANSPORTS.items() if not way.prefix} | {
    PLAIN: Transport(open_lambda, build_event=plain_load_balancer),
    "HTTP API, payload 1.0": Transport(open_lambda, build_event=http_api_with_payload_1),
}


class Somebody:
    """A client with a token and a board with two cards."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._token = ""
        self._token = self.ask("POST", "/users", {"name": "Mina"}).json()["token"]
        self.board = f"/boards/{self.ask('POST', '/boards', {'name': 'Website'}).json()['id']}"
        self.ask("POST", f"{self.board}/cards", {"title": ODD, "due_at": DUE})
        self.card = self.ask("POST", f"{self.board}/cards", {"title": "Other"})

    def ask(self, method: str, target: str, body: object = None, **headers: str) -> HttpResponse:
        """Send a request. Keyword arguments are headers, with underscores for hyphens."""
        sent = {name.replace("_", "-"): text for name, text in headers.items()} | {"Content-Type": "application/json"}
        if self._token:
            sent["Authorization"] = f"Bearer {self._token}"
        return self._send(method, f"/v1{target}", json.dumps(body).encode() if body is not None else None, sent)

    def titles(self, query: str) -> list[str]:
        """Return the titles of the cards that match a query."""
        received = self.ask("GET", f"{self.board}/cards?{query}")
        assert received.status == 200, received.body
        return [card["title"] for card in received.json()["items"]]


DUE = "2026-12-01T10:00:00Z"
ODD = "a+b, 100 % café & crème/brûlée"


@pytest.fixture(scope="module", params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def mina(way: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Somebody]:
    transport = WAYS[way]
    with (
        closing(open_store(f"sqlite:///{tmp_path_factory.mktemp('styles')}/tackboard.db")) as store,
        transport.open(transport, create_app(store, open_signup=True)) as send,
    ):
        yield Somebody(send)


STYLES = {
    ("path", "simple", False, "string"),
    ("query", "form", True, "boolean"),
    ("query", "form", True, "integer"),
    ("query", "form", True, "string"),
    ("query", "form", False, "array"),
    ("header", "simple", False, "string"),
}
"""The styles that the tests below cover. A new style in the document needs a test."""


def test_every_style_in_the_document_has_a_test() -> None:
    bundle = Bundle(BUNDLE)
    styles = set()
    for operation in bundle.operations:
        for _, parameter in bundle.parameters(operation):
            style = parameter.get("style", "form" if parameter["in"] in {"query", "cookie"} else "simple")
            explode = parameter.get("explode", style == "form")
            styles.add((parameter["in"], style, explode, bundle.resolve(parameter["schema"])["type"]))

    assert styles == STYLES


@pytest.mark.parametrize("text", [quote(ODD, safe=""), quote(ODD, safe=",/").replace("%20", "+")])
def test_text_in_a_query_arrives_unchanged(mina: Somebody, text: str) -> None:
    assert mina.titles(f"q={text}") == [ODD]


@pytest.mark.parametrize(
    "query",
    ["due_from=2026-12-01T10:00:00Z&due_until=2026-12-01T10:00:01Z", "due_from=2026-12-01T11%3A00%3A00%2B01%3A00"],
)
def test_date_times_in_a_query_arrive_unchanged(mina: Somebody, query: str) -> None:
    assert mina.titles(query) == [ODD]


def test_numbers_and_booleans_in_a_query_are_parsed(mina: Somebody) -> None:
    assert len(mina.titles("limit=1")) == 1
    assert mina.titles("archived=true") == []
    assert mina.titles("archived=false&limit=2") == [ODD, "Other"]


@pytest.mark.parametrize("query", ["limit=1%2C2", "limit=1,2", "archived=true%2Cfalse", "q="])
def test_a_scalar_is_not_split_at_commas(mina: Somebody, query: str) -> None:
    assert mina.ask("GET", f"{mina.board}/cards?{query}").problem == (400, "invalid_parameter")


def test_a_repeated_scalar_is_rejected(mina: Somebody, way: str) -> None:
    received = mina.ask("GET", f"{mina.board}/cards?limit=1&limit=2")

    # This load balancer drops all but the last one.
    assert received.status == (200 if way == PLAIN else 400)


WORDS = ["lists", "cards", "labels"]


@pytest.mark.parametrize(
    "query",
    [
        "embed=lists,cards,labels",
        "embed=lists%2Ccards%2clabels",
        "embed=lists,cards%2Clabels",
        "embed=lists&embed=cards&embed=labels",
        "embed=lists,cards&embed=labels",
        "embed=lists%2Ccards&embed=labels",
    ],
)
def test_an_array_in_a_query_is_parsed(mina: Somebody, way: str, query: str) -> None:
    received = mina.ask("GET", f"{mina.board}?{query}")

    lost = query.count("embed") > 1 and way == PLAIN
    assert received.status == 200
    assert [word for word in WORDS if word in received.json()] == (["labels"] if lost else WORDS)


@pytest.mark.parametrize("query", ["embed=lists,lists", "embed=lists%2C", "embed=lists%252Ccards", "embed=nothing"])
def test_the_items_of_an_array_are_validated(mina: Somebody, query: str) -> None:
    assert mina.ask("GET", f"{mina.board}?{query}").problem == (400, "invalid_parameter")


def test_headers_arrive_unchanged(mina: Somebody) -> None:
    address, tag = f"{mina.board}/cards/{mina.card.json()['id']}", mina.card.header("etag") or ""

    assert mina.ask("GET", address, If_None_Match=f'"a,b", {tag}').status == 304
    assert mina.ask("GET", address, If_None_Match='"a,b"').status == 200
    assert mina.ask("PATCH", address, {"title": "Other"}, If_Match=f'"a,b", {tag}').status == 200
    assert (
        mina.ask("POST", f"{mina.board}/labels", {"name": "A", "color": "red"}, Idempotency_Key="a,b;c=d").status == 201
    )


def test_path_parameters_arrive_unchanged(mina: Somebody) -> None:
    assert mina.ask("GET", mina.board.replace("brd_", "%62rd_")).status == 200
    assert mina.ask("GET", "/boards/a%2Cb").problem == (400, "invalid_parameter")
    assert mina.ask("GET", "/boards/brd%252D").problem == (400, "invalid_parameter")
