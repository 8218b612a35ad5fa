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
from contract.edge import MAX_BODY_BYTES
from contract.responses import ContractBreach
from contract.wsgi_application import WsgiApplication
from stores import open_store
from tests.contract.client import HttpResponse
from tests.contract.transports import TRANSPORTS, Send, Transport
from tests.document.test_document import BUNDLE

EMBED_SERIALIZATIONS = ["lists,cards", "lists%2Ccards", "lists&embed=cards"]


@dataclass(frozen=True)
class TransportClient:
    """A client that calls the API at the URL that clients see."""

    send: Send
    prefix: str
    token: str = ""

    @property
    def api(self) -> str:
        """The URL path of the API."""
        return f"{self.prefix}/v1"

    def request(self, method: str, url: str, body: object = None, **headers: str) -> HttpResponse:
        """Send a request. Keyword arguments are headers, with underscores for hyphens."""
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            sent["Content-Type"] = "application/json"
        return self.send(method, url, json.dumps(body).encode() if body is not None else None, sent)


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WsgiApplication]:
    def raise_breach(breach: ContractBreach) -> None:
        raise AssertionError(breach)

    with closing(open_store(f"sqlite:///{tmp_path_factory.mktemp('transports')}/tackboard.db")) as store:
        yield create_app(store, open_signup=True, on_breach=raise_breach)


@pytest.fixture(scope="module", params=TRANSPORTS)
def anonymous(request: pytest.FixtureRequest, application: WsgiApplication) -> Iterator[TransportClient]:
    """Return a client without a token for each transport."""
    transport: Transport = TRANSPORTS[request.param]
    with pytest.MonkeyPatch.context() as patch, transport.open(transport, application) as send:
        for name, value in transport.environment.items():
            patch.setenv(name, value)
        yield TransportClient(send, transport.prefix)


@pytest.fixture
def mina(anonymous: TransportClient) -> TransportClient:
    created = anonymous.request("POST", f"{anonymous.api}/users", {"name": "Mina"})
    assert created.header("location") == f"{anonymous.api}/users/{created.json()['user']['id']}"
    return replace(anonymous, token=created.json()["token"])


def get_header(response: HttpResponse, name: str) -> str:
    """Return the value of a header, which must match the document."""
    value = response.header(name) or ""
    assert re.fullmatch(BUNDLE["components"]["headers"][name]["schema"]["pattern"], value)
    return value


def get_next_page(response: HttpResponse) -> str | None:
    """Return the URL of the next page in the Link header."""
    if response.header("link") is None:
        return None
    return get_header(response, "Link").removeprefix("<").partition(">")[0]


def test_a_card_moves_from_todo_to_done(mina: TransportClient) -> None:
    created = mina.request("POST", f"{mina.api}/boards", {"name": "Website", "hourly_rate_minor": 1000})
    board = get_header(created, "Location")
    cards = [
        get_header(mina.request("POST", f"{board}/cards", {"title": title}, Idempotency_Key=title), "Location")
        for title in ("One", "Two", "Three")
    ]
    started = mina.request("POST", f"{cards[0]}/start")
    resolved = mina.request("POST", f"{cards[0]}/resolve")
    tag = resolved.header("etag") or ""
    renamed = mina.request("PATCH", cards[0], {"title": "Four"}, If_Match=tag)

    assert board == f"{mina.api}/boards/{created.json()['id']}"
    assert all(card.startswith(f"{board}/cards/crd_") for card in cards)
    assert (created.status, started.status, resolved.status, renamed.status) == (201, 200, 200, 200)
    assert mina.request("GET", cards[0]).json() == renamed.json()
    assert mina.request("GET", cards[0], If_None_Match=renamed.header("etag") or "").status == 304
    assert mina.request("PATCH", cards[0], {"title": "Five"}, If_Match=tag).problem == (412, "precondition_failed")
    assert mina.request("HEAD", cards[0]).header("etag") == renamed.header("etag")
    assert len(mina.request("GET", f"{board}/events").json()["items"]) == 7


def test_every_page_of_a_listing_is_reachable_by_its_link(mina: TransportClient) -> None:
    names = ["One", "Two", "Three"]
    for name in names:
        mina.request("POST", f"{mina.api}/boards", {"name": name})

    listed_names: list[str] = []
    page: str | None = f"{mina.api}/boards?limit=1"
    while page:
        response = mina.request("GET", page)
        listed_names += [board["name"] for board in response.json()["items"]]
        page = get_next_page(response)

    assert listed_names == names[::-1]


@pytest.mark.parametrize("embed", EMBED_SERIALIZATIONS)
def test_an_array_of_words_arrives_in_every_serialization(mina: TransportClient, embed: str) -> None:
    board = mina.request("POST", f"{mina.api}/boards", {"name": "Website"}).header("location")

    response = mina.request("GET", f"{board}?embed={embed}")

    assert response.status == 200
    assert {"lists", "cards"} <= response.json().keys()


def test_a_replayed_response_has_the_same_location(mina: TransportClient) -> None:
    first, repeated = (mina.request("POST", f"{mina.api}/boards", {"name": "A"}, Idempotency_Key="k") for _ in range(2))

    assert repeated.header("idempotency-replayed") == "true"
    assert (repeated.header("location"), repeated.body) == (first.header("location"), first.body)


def test_a_request_repeated_over_another_transport_is_replayed(
    mina: TransportClient, application: WsgiApplication
) -> None:
    first = mina.request("POST", f"{mina.api}/boards", {"name": "A"}, Idempotency_Key="k")
    other_transport = TRANSPORTS["WSGI below SCRIPT_NAME"]
    with other_transport.open(other_transport, application) as send:
        other = replace(mina, send=send, prefix=other_transport.prefix)
        repeated = other.request("POST", f"{other.api}/boards", {"name": "A"}, Idempotency_Key="k")

    assert (repeated.status, repeated.json()) == (201, first.json())
    assert repeated.header("location") == f"{other.api}/boards/{first.json()['id']}"


def test_a_large_import_is_accepted(mina: TransportClient) -> None:
    large: Mapping[str, Any] = {"format": "tackboard", "note": "x" * MAX_BODY_BYTES}

    assert mina.request("POST", f"{mina.api}/imports/tackboard", large).status == 400
    assert mina.request("POST", f"{mina.api}/boards", large).problem == (413, "body_too_large")


def test_errors_are_problem_documents(anonymous: TransportClient, mina: TransportClient) -> None:
    assert mina.request("GET", f"{mina.api}/nowhere").problem == (404, "not_found")
    assert anonymous.request("GET", f"{mina.api}/boards").problem == (401, "unauthenticated")
    rejected = mina.request("PUT", f"{mina.api}/boards")
    assert rejected.problem == (405, "method_not_allowed")
    assert rejected.header("allow") == "GET, HEAD, POST"


def test_the_document_has_the_url_of_the_api(anonymous: TransportClient) -> None:
    in_json = anonymous.request("GET", f"{anonymous.prefix}/openapi.json")
    in_yaml = anonymous.request("GET", f"{anonymous.prefix}/openapi.yaml")

    (server,) = in_json.json()["servers"]
    head, _, _ = in_yaml.body.partition(b"\npaths:")
    assert yaml.safe_load(head)["servers"] == [server]
    assert server["url"] == anonymous.api
    assert anonymous.request("GET", f"{server['url']}/health").status == 200
    tag = in_json.header("etag") or ""
    assert anonymous.request("GET", f"{anonymous.prefix}/openapi.json", If_None_Match=tag).status == 304


@pytest.mark.parametrize("page", ["/", "/docs/", "/docs/read", "/problems/wrong_stage"])
def test_every_file_that_a_page_links_is_served(anonymous: TransportClient, page: str) -> None:
    url = f"{anonymous.prefix}{page}"
    response = anonymous.request("GET", url)
    assert response.status == 200

    linked = re.findall(rb'(?:src|href)="([^"#][^"]*)"', response.body)

    assert linked
    for link in linked:
        assert anonymous.request("GET", urljoin(url, link.decode())).status == 200


def test_page_urls_without_a_trailing_slash_redirect(anonymous: TransportClient) -> None:
    docs = anonymous.request("GET", f"{anonymous.prefix}/docs")

    assert (docs.status, docs.header("location")) == (302, f"{anonymous.prefix}/docs/")
    if anonymous.prefix:
        root = anonymous.request("GET", anonymous.prefix)
        assert (root.status, root.header("location")) == (302, f"{anonymous.prefix}/")
