"""Wrong codes are limited, by client address and in all."""

import random
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from app.attempt_limits import AttemptLimiter
from app.factory import create_app
from kanban.errors import TooManyAttempts
from kanban.store import Store
from tests.api.client import Client, HttpResponse
from tests.api.manual_clock import ManualClock

SignIn = Callable[..., HttpResponse]


@pytest.fixture
def anonymous(store: Store, clock: ManualClock) -> Client:
    """Return a client without a token; the header `Address` of a request says where it comes from."""
    randomness = random.Random(7)  # noqa: S311 - tests need the same secrets in every run.
    application = create_app(
        store,
        clock=clock,
        unix_time=lambda: clock().timestamp(),
        random_bytes=randomness.randbytes,
        open_signup=True,
    )

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["REMOTE_ADDR"] = environ.pop("HTTP_ADDRESS", "203.0.113.7")
        return application(environ, start_response)

    return Client(call)


@pytest.fixture
def sign_in(anonymous: Client) -> SignIn:
    def send(code: str = "00000-00000", address: str = "203.0.113.7", **headers: str) -> HttpResponse:
        return anonymous.post("/sessions", {"code": code, "name": "Phone"}, Address=address, **headers)

    return send


def test_an_address_may_fail_20_times_a_minute(sign_in: SignIn, mina: Client, clock: ManualClock) -> None:
    code = mina.post("/users/me/sign-in-codes").json["code"]
    assert [sign_in().status for _ in range(21)] == [401] * 20 + [429]

    refused = sign_in(code)
    assert (refused.status, refused.json["code"], refused.headers["retry-after"]) == (429, "too_many_requests", "3")
    # What a client says of itself is not believed: `tests/contract/test_client_address.py`.
    assert sign_in(code, X_Forwarded_For="198.51.100.1").status == 429
    clock.advance(seconds=3)
    assert sign_in(code).status == 201


def test_successes_are_not_counted(sign_in: SignIn, mina: Client) -> None:
    for _ in range(25):
        assert sign_in(mina.post("/users/me/sign-in-codes").json["code"]).status == 201


def test_another_address_is_not_in_the_way(sign_in: SignIn, mina: Client) -> None:
    while sign_in().status == 401:
        pass

    assert sign_in(mina.post("/users/me/sign-in-codes").json["code"], "198.51.100.1").status == 201


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "", "unix:"])
def test_clients_behind_a_proxy_are_only_limited_in_all(sign_in: SignIn, address: str) -> None:
    assert [sign_in(address=address).status for _ in range(301)] == [401] * 300 + [429]
    assert sign_in(address="198.51.100.1").status == 429


def test_many_addresses_are_limited_in_all(sign_in: SignIn, clock: ManualClock) -> None:
    statuses = [sign_in(address=f"203.0.113.{number % 150}").status for number in range(301)]

    assert statuses == [401] * 300 + [429]
    clock.advance(seconds=1)
    assert sign_in(address="198.51.100.1").status == 401


@pytest.mark.parametrize(
    ("first", "second", "are_one"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
    ],
)
def test_a_client_is_an_address_or_a_network_of_ipv6(first: str, second: str, are_one: Any) -> None:
    limiter = AttemptLimiter(lambda: 1_000.0)
    for _ in range(20):
        limiter.ensure_allowed(first)
        limiter.count_failure(first)

    with pytest.raises(TooManyAttempts):
        limiter.ensure_allowed(first)
    if are_one:
        with pytest.raises(TooManyAttempts):
            limiter.ensure_allowed(second)
    else:
        limiter.ensure_allowed(second)
