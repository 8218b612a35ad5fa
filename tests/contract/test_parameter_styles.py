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


def plain_load_balancer(*request: Any, **options: Any) -> Event:
    """Build an event of a load balancer without multi-value headers, which keeps the last of repeated names."""
    event = load_balancer_event(*request, **options)
    for multi_value, single_value in (
        ("multiValueHeaders", "headers"),
        ("multiValueQueryStringParameters", "queryStringParameters"),
    ):
        event[single_value] = {name: values[-1] for name, values in event.pop(multi_value).items()}
    return event


def http_api_with_payload_1(*request: Any, **options: Any) -> Event:
    """Build an event of an HTTP API whose integration uses payload 1.0."""
    return {**rest_api_event(*request, **{"stage": "$default", **options}), "version": "1.0"}


PLAIN = "load balancer without multi-value headers"
TRANSPORTS_AT_ROOT = {name: transport for name, transport in TRANSPORTS.items() if not transport.prefix} | {
    PLAIN: Transport(open_lambda, build_event=plain_load_balancer),
    "HTTP API, payload 1.0": Transport(open_lambda, build_event=http_api_with_payload_1),
}


class TransportUser:
    """A client with a token and a board with two cards."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._token = ""
        self._token = self.request("POST", "/users", {"name": "Mina"}).json()["token"]
        self.board = f"/boards/{self.request('POST', '/boards', {'name': 'Website'}).json()['id']}"
        self.request("POST", f"{self.board}/cards", {"title": ODD_TEXT, "due_at": DUE})
        self.card = self.request("POST", f"{self.board}/cards", {"title": "Other"})

    def request(self, method: str, target: str, body: object = None, **headers: str) -> HttpResponse:
        """Send a request. Keyword arguments are headers, with underscores for hyphens."""
        sent = {name.replace("_", "-"): text for name, text in headers.items()} | {"Content-Type": "application/json"}
        if self._token:
            sent["Authorization"] = f"Bearer {self._token}"
        return self._send(method, f"/v1{target}", json.dumps(body).encode() if body is not None else None, sent)

    def titles(self, query: str) -> list[str]:
        """Return the titles of the cards that match a query."""
        response = self.request("GET", f"{self.board}/cards?{query}")
        assert response.status == 200, response.body
        return [card["title"] for card in response.json()["items"]]


DUE = "2026-12-01T10:00:00Z"
ODD_TEXT = "a+b, 100 % café & crème/brûlée"


@pytest.fixture(scope="module", params=TRANSPORTS_AT_ROOT)
def transport_name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def mina(transport_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TransportUser]:
    transport = TRANSPORTS_AT_ROOT[transport_name]
    with (
        closing(open_store(f"sqlite:///{tmp_path_factory.mktemp('styles')}/tackboard.db")) as store,
        transport.open(transport, create_app(store, open_signup=True)) as send,
    ):
        yield TransportUser(send)


STYLES = {
    ("path", "simple", False, "string"),
    ("query", "form", True, "boolean"),
    ("query", "form", True, "integer"),
    ("query", "form", True, "string"),
    ("query", "form", False, "array"),
    ("header", "simple", False, "string"),
    ("header", "simple", False, "integer"),
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


@pytest.mark.parametrize("text", [quote(ODD_TEXT, safe=""), quote(ODD_TEXT, safe=",/").replace("%20", "+")])
def test_text_in_a_query_arrives_unchanged(mina: TransportUser, text: str) -> None:
    assert mina.titles(f"q={text}") == [ODD_TEXT]


@pytest.mark.parametrize(
    "query",
    ["due_from=2026-12-01T10:00:00Z&due_until=2026-12-01T10:00:01Z", "due_from=2026-12-01T11%3A00%3A00%2B01%3A00"],
)
def test_date_times_in_a_query_arrive_unchanged(mina: TransportUser, query: str) -> None:
    assert mina.titles(query) == [ODD_TEXT]


def test_numbers_and_booleans_in_a_query_are_parsed(mina: TransportUser) -> None:
    assert len(mina.titles("limit=1")) == 1
    assert mina.titles("archived=true") == []
    assert mina.titles("archived=false&limit=2") == [ODD_TEXT, "Other"]


@pytest.mark.parametrize("query", ["limit=1%2C2", "limit=1,2", "archived=true%2Cfalse", "q="])
def test_a_scalar_is_not_split_at_commas(mina: TransportUser, query: str) -> None:
    assert mina.request("GET", f"{mina.board}/cards?{query}").problem == (400, "invalid_parameter")


def test_a_repeated_scalar_is_rejected(mina: TransportUser, transport_name: str) -> None:
    response = mina.request("GET", f"{mina.board}/cards?limit=1&limit=2")

    # This load balancer drops all but the last one.
    assert response.status == (200 if transport_name == PLAIN else 400)


EMBEDDABLE = ["lists", "cards", "labels"]


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
def test_an_array_in_a_query_is_parsed(mina: TransportUser, transport_name: str, query: str) -> None:
    response = mina.request("GET", f"{mina.board}?{query}")

    is_truncated = query.count("embed") > 1 and transport_name == PLAIN
    assert response.status == 200
    assert [name for name in EMBEDDABLE if name in response.json()] == (["labels"] if is_truncated else EMBEDDABLE)


@pytest.mark.parametrize("query", ["embed=lists,lists", "embed=lists%2C", "embed=lists%252Ccards", "embed=nothing"])
def test_the_items_of_an_array_are_validated(mina: TransportUser, query: str) -> None:
    assert mina.request("GET", f"{mina.board}?{query}").problem == (400, "invalid_parameter")


def test_headers_arrive_unchanged(mina: TransportUser) -> None:
    path, tag = f"{mina.board}/cards/{mina.card.json()['id']}", mina.card.header("etag") or ""

    assert mina.request("GET", path, If_None_Match=f'"a,b", {tag}').status == 304
    assert mina.request("GET", path, If_None_Match='"a,b"').status == 200
    assert mina.request("PATCH", path, {"title": "Other"}, If_Match=f'"a,b", {tag}').status == 200
    assert (
        mina.request("POST", f"{mina.board}/labels", {"name": "A", "color": "red"}, Idempotency_Key="a,b;c=d").status
        == 201
    )


def test_path_parameters_arrive_unchanged(mina: TransportUser) -> None:
    assert mina.request("GET", mina.board.replace("brd_", "%62rd_")).status == 200
    assert mina.request("GET", "/boards/a%2Cb").problem == (400, "invalid_parameter")
    assert mina.request("GET", "/boards/brd%252D").problem == (400, "invalid_parameter")


def test_a_number_in_a_header_arrives(mina: TransportUser) -> None:
    page = mina.request("GET", f"{mina.board}/events", Last_Event_ID="1").json()

    assert page["items"][0]["seq"] == 2
