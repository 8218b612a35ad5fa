"""The rate limit of a user."""

import random

import pytest

from app.factory import create_app
from app.request_limits import Limits
from kanban.store import Store
from tests.api.client import Client
from tests.api.manual_clock import ManualClock


@pytest.fixture
def anonymous(store: Store, clock: ManualClock) -> Client:
    """Return a client without a token, of a server that allows three requests a minute."""
    randomness = random.Random(7)  # noqa: S311 - tests need the same secrets in every run.
    application = create_app(
        store,
        clock=clock,
        unix_time=lambda: clock().timestamp(),
        random_bytes=randomness.randbytes,
        open_signup=True,
        limits=Limits(per_user=3),
    )
    return Client(application)


def test_one_request_too_many_is_a_429_with_retry_after(mina: Client, clock: ManualClock) -> None:
    for _ in range(3):
        assert mina.get("/boards").status == 200

    rejected = mina.get("/boards")

    assert (rejected.status, rejected.json["code"]) == (429, "too_many_requests")
    assert rejected.headers["retry-after"] == "20"
    assert rejected.json["detail"] == "This is more than 3 requests a minute, which is the limit of a user."
    clock.advance(seconds=20)
    assert mina.get("/boards").status == 200


def test_a_rejected_request_has_no_effect(mina: Client, clock: ManualClock) -> None:
    for _ in range(3):
        mina.get("/boards")

    assert mina.post("/boards", {"name": "Website"}).status == 429

    clock.advance(minutes=1)
    assert mina.get("/boards").json["items"] == []


def test_all_tokens_of_a_user_count_together(mina: Client) -> None:
    other = mina.with_token(mina.post("/users/me/tokens", {"name": "Script", "scopes": ["read"]}).json["secret"])
    other.get("/boards")
    mina.get("/boards")

    assert other.get("/boards").status == 429


def test_other_users_are_not_limited(mina: Client, omar: Client, anonymous: Client) -> None:
    while mina.get("/boards").status == 200:
        pass

    assert omar.get("/boards").status == 200
    assert anonymous.get("/health").status == 200
    assert anonymous.get("/boards").status == 401
