"""When and from where a token was last used."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from ipaddress import ip_network
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from app.factory import create_app
from contract.client_address import TrustedProxies
from contract.wsgi_application import WsgiApplication
from kanban.store import Store
from tests.api.client import Client
from tests.api.manual_clock import ManualClock

TOKENS = "/users/me/tokens"


def connect_from(client: Client, address: str) -> Client:
    """Return the client as a server knows it that is connected to this address."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return client.application({**environ, "REMOTE_ADDR": address}, start_response)

    return replace(client, application=serve)


@pytest.fixture
def ci(mina: Client) -> Client:
    """Return a client with a second token of Mina, which is not used yet."""
    return mina.with_token(mina.post(TOKENS, {"name": "CI", "scopes": ["read"]}).json["secret"])


@pytest.fixture
def read_use(mina: Client) -> Callable[[], tuple[Any, Any]]:
    """Return a function that returns when and from where the second token was last used."""

    def read() -> tuple[Any, Any]:
        token = mina.get(TOKENS).json["items"][0]
        return token["last_used_at"], token["last_used_from"]

    return read


def test_a_token_shows_from_where_it_was_last_used(ci: Client, read_use: Callable[[], tuple[Any, Any]]) -> None:
    assert read_use() == (None, None)

    connect_from(ci, "203.0.113.7").get("/boards", User_Agent="curl/8.5.0")

    assert read_use() == ("2026-11-20T14:00:00Z", {"address": "203.0.113.7", "client": "curl/8.5.0"})


def test_another_address_is_recorded_once_a_minute(
    ci: Client, clock: ManualClock, read_use: Callable[[], tuple[Any, Any]]
) -> None:
    connect_from(ci, "203.0.113.7").get("/boards", User_Agent="one")
    clock.advance(seconds=59)
    connect_from(ci, "203.0.113.8").get("/boards", User_Agent="two")
    assert read_use()[1] == {"address": "203.0.113.7", "client": "one"}
    clock.advance(seconds=1)
    connect_from(ci, "203.0.113.7").get("/boards", User_Agent="three")
    assert read_use()[1] == {"address": "203.0.113.7", "client": "one"}

    connect_from(ci, "203.0.113.8").get("/boards", User_Agent="two")

    assert read_use() == ("2026-11-20T14:01:00Z", {"address": "203.0.113.8", "client": "two"})
    clock.advance(seconds=3_599)
    connect_from(ci, "203.0.113.8").get("/boards", User_Agent="four")
    assert read_use()[0] == "2026-11-20T14:01:00Z"
    clock.advance(seconds=1)
    connect_from(ci, "203.0.113.8").get("/boards", User_Agent="four")
    assert read_use() == ("2026-11-20T15:01:00Z", {"address": "203.0.113.8", "client": "four"})


@pytest.mark.parametrize(
    ("address", "user_agent", "origin"),
    [
        ("2001:DB8::7%eth0", "", {"address": "2001:db8::7", "client": None}),
        ("", "curl", {"address": None, "client": "curl"}),
        ("/run/tackboard.sock", "curl", {"address": None, "client": "curl"}),
        ("203.0.113.7", "x" * 101, {"address": "203.0.113.7", "client": "x" * 100}),
        ("203.0.113.7", "a\x7f\x85b é", {"address": "203.0.113.7", "client": "ab é"}),
        ("203.0.113.7", "tkb_ExampleTokenOfMinaNotARealOne01bv12W", {"address": "203.0.113.7", "client": None}),
        ("", "\x85", None),
    ],
)
def test_any_address_and_client_can_be_shown(
    ci: Client, read_use: Callable[[], tuple[Any, Any]], address: str, user_agent: str, origin: Any
) -> None:
    assert connect_from(ci, address).get("/boards", User_Agent=user_agent).status == 200

    assert read_use() == ("2026-11-20T14:00:00Z", origin)


def test_an_origin_is_shown_for_thirty_days(
    ci: Client, clock: ManualClock, read_use: Callable[[], tuple[Any, Any]]
) -> None:
    connect_from(ci, "203.0.113.7").get("/boards")
    clock.advance(seconds=30 * 86_400 - 1)
    assert read_use()[1] == {"address": "203.0.113.7", "client": None}

    clock.advance(seconds=1)

    assert read_use() == ("2026-11-20T14:00:00Z", None)


def test_a_rejected_token_leaves_no_use(mina: Client, ci: Client, read_use: Callable[[], tuple[Any, Any]]) -> None:
    short = mina.post(TOKENS, {"name": "Short", "scopes": ["read"], "expires_at": "2026-11-20T14:00:01Z"})
    del ci

    assert connect_from(mina.with_token(short.json["secret"] + "x"), "203.0.113.7").get("/boards").status == 401

    assert read_use() == (None, None)


def test_the_address_is_the_one_that_trusted_proxies_tell(store: Store, clock: ManualClock) -> None:
    application: WsgiApplication = create_app(
        store, clock=clock, open_signup=True, trusted_proxies=TrustedProxies([ip_network("198.51.100.0/24")])
    )
    client = Client(application)
    mina = client.with_token(client.post("/users", {"name": "Mina"}).json["token"])

    connect_from(mina, "198.51.100.1").get("/boards", X_Forwarded_For="203.0.113.7")

    token = mina.get(TOKENS).json["items"][0]
    assert token["last_used_from"] == {"address": "203.0.113.7", "client": None}
