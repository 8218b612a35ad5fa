"""Idempotency keys: a repeated request has one effect."""

import pytest

from tests.api.client import Client
from tests.api.manual_clock import ManualClock


@pytest.fixture
def board(mina: Client) -> str:
    """Create a board of Mina and return its path."""
    return f"/boards/{mina.post('/boards', {'name': 'Website'}).json['id']}"


def test_a_repeated_creation_gets_the_same_response_and_creates_nothing(mina: Client, board: str) -> None:
    first = mina.post(f"{board}/cards", {"title": "Once"}, Idempotency_Key="k1")
    again = mina.request("POST", f"{board}/cards", raw=b'{ "title" : "Once" }', headers={"Idempotency-Key": "k1"})

    assert (again.status, again.raw, again.etag) == (201, first.raw, first.etag)
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert len(mina.get(f"{board}/cards").json["items"]) == 1


def test_a_repeated_request_is_replayed_even_if_it_would_be_rejected_now(mina: Client, board: str) -> None:
    card = mina.post(f"{board}/cards", {"title": "Once"}).json["id"]
    first = mina.post(f"{board}/cards/{card}/start", Idempotency_Key="k1")

    again = mina.post(f"{board}/cards/{card}/start", Idempotency_Key="k1")
    fresh = mina.post(f"{board}/cards/{card}/start", Idempotency_Key="k2")

    assert (again.status, again.raw) == (200, first.raw)
    assert fresh.status == 409


def test_the_same_key_with_another_request_is_rejected(mina: Client, board: str) -> None:
    mina.post(f"{board}/cards", {"title": "Once"}, Idempotency_Key="k1")

    reused = mina.post(f"{board}/cards", {"title": "Twice"}, Idempotency_Key="k1")

    assert (reused.status, reused.json["code"]) == (422, "idempotency_key_reused")
    assert len(mina.get(f"{board}/cards").json["items"]) == 1


def test_a_rejected_request_can_be_sent_again_with_its_key(mina: Client, board: str) -> None:
    body = {"title": "One", "external_id": "JIRA-1"}
    blocking = mina.post(f"{board}/cards", body)
    rejected = mina.post(f"{board}/cards", {"title": "Two", "external_id": "JIRA-1"}, Idempotency_Key="k1")
    mina.delete(f"{board}/cards/{blocking.json['id']}", If_Match="*")

    accepted = mina.post(f"{board}/cards", {"title": "Two", "external_id": "JIRA-1"}, Idempotency_Key="k1")

    assert (rejected.status, accepted.status) == (409, 201)


def test_keys_of_different_users_and_operations_are_independent(mina: Client, omar: Client, board: str) -> None:
    mine = mina.post("/boards", {"name": "One"}, Idempotency_Key="k1")
    theirs = omar.post("/boards", {"name": "One"}, Idempotency_Key="k1")
    card = mina.post(f"{board}/cards", {"title": "One"}, Idempotency_Key="k1")

    assert (mine.status, theirs.status, card.status) == (201, 201, 201)
    assert mine.json["id"] != theirs.json["id"]


def test_a_key_expires_after_a_day(mina: Client, board: str, clock: ManualClock) -> None:
    first = mina.post(f"{board}/cards", {"title": "Once"}, Idempotency_Key="k1").json["id"]
    clock.advance(hours=24)

    again = mina.post(f"{board}/cards", {"title": "Once"}, Idempotency_Key="k1").json["id"]

    assert first != again


def test_a_move_that_changes_nothing_is_replayed_too(mina: Client, board: str) -> None:
    todo, doing, _ = (list_["id"] for list_ in mina.get(f"{board}/lists").json["items"])
    card = mina.post(f"{board}/cards", {"title": "Once"}).json["id"]
    stay = mina.post(f"{board}/cards/{card}/move", {"list_id": todo}, Idempotency_Key="k1")
    mina.post(f"{board}/cards/{card}/move", {"list_id": doing})

    again = mina.post(f"{board}/cards/{card}/move", {"list_id": todo}, Idempotency_Key="k1")

    assert again.raw == stay.raw
    assert mina.get(f"{board}/cards/{card}").json["list_id"] == doing


def test_nothing_is_replayed_to_a_former_member(mina: Client, omar: Client, board: str) -> None:
    mina.put(f"{board}/members/omar", {"role": "editor"})
    card = omar.post(f"{board}/cards", {"title": "Secret"}, Idempotency_Key="k1")
    started = omar.post(f"{board}/cards/{card.json['id']}/start", Idempotency_Key="k2")
    mina.delete(f"{board}/members/omar")

    for path, body, key in (("cards", {"title": "Secret"}, "k1"), (f"cards/{card.json['id']}/start", None, "k2")):
        rejected = omar.post(f"{board}/{path}", body, Idempotency_Key=key)
        unknown = omar.post(f"/boards/brd_01m7wjyxw0t6b6ybwhb9sb5a3k/{path}", body, Idempotency_Key=key)

        assert (card.status, started.status, rejected.status) == (201, 200, 404)
        assert rejected.raw == unknown.raw
        assert "idempotency-replayed" not in rejected.headers
