"""The life of a card over every transport and below every prefix, following the URLs in responses."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin

import pytest
import yaml

from app.factory import create_app
from contract.bridge import WsgiBridge
from contract.edge import MAX_BODY_BYTES
from contract.responses import ContractBreach
from stores import open_store
from tests.contract.client import HttpResponse
from tests.contract.transports import TRANSPORTS, Send, Transport
from tests.document.test_document import BUNDLE

SPELLINGS = ["lists,cards", "lists%2Ccards", "lists&embed=cards"]


@dataclass(frozen=True)
class Person:
    """A client that calls the API at the URL that clients see."""

    send: Send
    prefix: str
    token: str = ""

    @property
    def api(self) -> str:
        """The URL path of the API."""
        return f"{self.prefix}/v1"

    def ask(self, method: str, address: str, body: object = None, **headers: str) -> HttpResponse:
        """Send a request. Keyword arguments are headers, with underscores for hyphens."""
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            sent["Content-Type"] = "application/json"
        return self.send(method, address, json.dumps(body).encode() if body is not None else None, sent)


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WsgiBridge]:
    def breached(breach: ContractBreach) -> None:
        raise AssertionError(breach)

    with closing(open_store(f"sqlite:///{tmp_path_factory.mktemp('transports')}/tackboard.db")) as store:
        yield create_app(store, open_signup=True, on_breach=breached)


@pytest.fixture(scope="module", params=TRANSPORTS)
def stranger(request: pytest.FixtureRequest, application: WsgiBridge) -> Iterator[Person]:
    """Return a client without a token for each transport."""
    transport: Transport = TRANSPORTS[request.param]
    with pytest.MonkeyPatch.context() as patch, transport.open(transport, application) as send:
        for name, value in transport.environment.items():
            patch.setenv(name, value)
        yield Person(send, transport.prefix)


@pytest.fixture
def mina(stranger: Person) -> Person:
    made = stranger.ask("POST", f"{stranger.api}/users", {"name": "Mina"})
    assert made.header("location") == f"{stranger.api}/users/{made.json()['user']['id']}"
    return replace(stranger, token=made.json()["token"])


def header(received: HttpResponse, name: str) -> str:
    """Return the value of a header, which must match the document."""
    value = received.header(name) or ""
    assert re.fullmatch(BUNDLE["components"]["headers"][name]["schema"]["pattern"], value)
    return value


def next_page(received: HttpResponse) -> str | None:
    """Return the URL of the next page in the Link header."""
    if received.header("link") is None:
        return None
    return header(received, "Link").removeprefix("<").partition(">")[0]


def test_a_card_moves_from_todo_to_done(mina: Person) -> None:
    made = mina.ask("POST", f"{mina.api}/boards", {"name": "Website", "hourly_rate_minor": 1000})
    board = header(made, "Location")
    cards = [
        header(mina.ask("POST", f"{board}/cards", {"title": title}, Idempotency_Key=title), "Location")
        for title in ("One", "Two", "Three")
    ]
    started = mina.ask("POST", f"{cards[0]}/start")
    resolved = mina.ask("POST", f"{cards[0]}/resolve")
    tag = resolved.header("etag") or ""
    renamed = mina.ask("PATCH", cards[0], {"title": "Four"}, If_Match=tag)

    assert board == f"{mina.api}/boards/{made.json()['id']}"
    assert all(card.startswith(f"{board}/cards/crd_") for card in cards)
    assert (made.status, started.status, resolved.status, renamed.status) == (201, 200, 200, 200)
    assert mina.ask("GET", cards[0]).json() == renamed.json()
    assert mina.ask("GET", cards[0], If_None_Match=renamed.header("etag") or "").status == 304
    assert mina.ask("PATCH", cards[0], {"title": "Five"}, If_Match=tag).problem == (412, "precondition_failed")
    assert mina.ask("HEAD", cards[0]).header("etag") == renamed.header("etag")
    assert len(mina.ask("GET", f"{board}/events").json()["items"]) == 7


def test_every_page_of_a_listing_is_reachable_by_its_link(mina: Person) -> None:
    names = ["One", "Two", "Three"]
    for name in names:
        mina.ask("POST", f"{mina.api}/boards", {"name": name})

    seen: list[str] = []
    page: str | None = f"{mina.api}/boards?limit=1"
    while page:
        received = mina.ask("GET", page)
        seen += [board["name"] for board in received.json()["items"]]
        page = next_page(received)

    assert seen == names[::-1]


@pytest.mark.parametrize("embed", SPELLINGS)
def test_an_array_of_words_arrives_in_every_serialization(mina: Person, embed: str) -> None:
    board = mina.ask("POST", f"{mina.api}/boards", {"name": "Website"}).header("location")

    received = mina.ask("GET", f"{board}?embed={embed}")

    assert received.status == 200
    assert {"lists", "cards"} <= received.json().keys()


def test_a_replayed_response_has_the_same_location(mina: Person) -> None:
    first, again = (mina.ask("POST", f"{mina.api}/boards", {"name": "A"}, Idempotency_Key="k") for _ in range(2))

    assert again.header("idempotency-replayed") == "true"
    assert (again.header("location"), again.body) == (first.header("location"), first.body)


def test_a_request_repeated_over_another_transport_is_replayed(mina: Person, application: WsgiBridge) -> None:
    first = mina.ask("POST", f"{mina.api}/boards", {"name": "A"}, Idempotency_Key="k")
    elsewhere = TRANSPORTS["WSGI below SCRIPT_NAME"]
    with elsewhere.open(elsewhere, application) as send:
        other = replace(mina, send=send, prefix=elsewhere.prefix)
        again = other.ask("POST", f"{other.api}/boards", {"name": "A"}, Idempotency_Key="k")

    assert (again.status, again.json()) == (201, first.json())
    assert again.header("location") == f"{other.api}/boards/{first.json()['id']}"


def test_a_large_import_is_accepted(mina: Person) -> None:
    large: Mapping[str, Any] = {"format": "tackboard", "note": "x" * MAX_BODY_BYTES}

    assert mina.ask("POST", f"{mina.api}/imports/tackboard", large).status == 400
    assert mina.ask("POST", f"{mina.api}/boards", large).problem == (413, "body_too_large")


def test_errors_are_problem_documents(stranger: Person, mina: Person) -> None:
    assert mina.ask("GET", f"{mina.api}/nowhere").problem == (404, "not_found")
    assert stranger.ask("GET", f"{mina.api}/boards").problem == (401, "unauthenticated")
    refused = mina.ask("PUT", f"{mina.api}/boards")
    assert refused.problem == (405, "method_not_allowed")
    assert refused.header("allow") == "GET, HEAD, POST"


def test_the_document_has_the_url_of_the_api(stranger: Person) -> None:
    in_json = stranger.ask("GET", f"{stranger.prefix}/openapi.json")
    in_yaml = stranger.ask("GET", f"{stranger.prefix}/openapi.yaml")

    (server,) = in_json.json()["servers"]
    beginning, _, _ = in_yaml.body.partition(b"\npaths:")
    assert yaml.safe_load(beginning)["servers"] == [server]
    assert server["url"] == stranger.api
    assert stranger.ask("GET", f"{server['url']}/health").status == 200
    tag = in_json.header("etag") or ""
    assert stranger.ask("GET", f"{stranger.prefix}/openapi.json", If_None_Match=tag).status == 304


@pytest.mark.parametrize("page", ["/", "/docs/", "/docs/read", "/problems/wrong_stage"])
def test_every_file_that_a_page_links_is_served(stranger: Person, page: str) -> None:
    address = f"{stranger.prefix}{page}"
    received = stranger.ask("GET", address)
    assert received.status == 200

    linked = re.findall(rb'(?:src|href)="([^"#][^"]*)"', received.body)

    assert linked
    for link in linked:
        assert stranger.ask("GET", urljoin(address, link.decode())).status == 200


def test_page_urls_without_a_trailing_slash_redirect(stranger: Person) -> None:
    docs = stranger.ask("GET", f"{stranger.prefix}/docs")

    assert (docs.status, docs.header("location")) == (302, f"{stranger.prefix}/docs/")
    if stranger.prefix:
        front = stranger.ask("GET", stranger.prefix)
        assert (front.status, front.header("location")) == (302, f"{stranger.prefix}/")
