"""Webhooks as their owners see them: created, changed, tested, replayed, and what came of their deliveries."""

from collections.abc import Mapping
from typing import Any

import pytest

from app.reader_runner import build_runner
from delivery.addresses import AddressPolicy
from delivery.sender import CallFailed, CallResponse
from kanban.store import Store
from tests.api.client import Client
from tests.api.manual_clock import ManualClock

URL = "https://chat.example.com/hooks"


class FakeReceiver:
    """A sender that delivers nothing, and responds as the test says."""

    def __init__(self) -> None:
        self.headers: list[Mapping[str, str]] = []
        self.reactions: list[CallResponse | Exception] = []

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> CallResponse:
        """Respond."""
        del url, body
        self.headers.append(headers)
        reaction = self.reactions.pop(0) if self.reactions else CallResponse(200, b"ok")
        if isinstance(reaction, Exception):
            raise reaction
        return reaction


@pytest.fixture
def receiver() -> FakeReceiver:
    return FakeReceiver()


@pytest.fixture
def board(mina: Client) -> str:
    """Return the path of Mina's board, which has one event."""
    return f"/boards/{mina.post('/boards', {'name': 'Shop'}).json['id']}"


@pytest.fixture
def webhooks(board: str) -> str:
    """Return the path of the webhooks of the board."""
    return f"{board}/webhooks"


def create(mina: Client, webhooks: str, **fields: Any) -> str:
    """Create a webhook; return its path."""
    response = mina.post(webhooks, {"url": URL, **fields})
    assert response.status == 201, response.json
    return f"{webhooks}/{response.json['webhook']['id']}"


def deliver(store: Store, clock: ManualClock, receiver: FakeReceiver) -> None:
    runner = build_runner(store, AddressPolicy(), clock=clock, sender=receiver)
    for reader in runner.list_due():
        runner.run(reader, lambda: True)


def test_only_the_response_of_the_creation_has_the_secret(mina: Client, board: str, webhooks: str) -> None:
    response = mina.post(webhooks, {"url": URL, "types": ["card.moved", "card.created"], "description": "Chat"})

    webhook = response.json["webhook"]
    assert response.json["secret"].startswith("whsec_")
    assert response.headers["location"].endswith(f"{webhooks}/{webhook['id']}")
    assert (webhook["url"], webhook["types"]) == (URL, ["card.created", "card.moved"])
    assert (webhook["state"], webhook["delivered_seq"], webhook["owner_id"]) == ("active", 1, "mina")
    read = mina.get(f"{webhooks}/{webhook['id']}")
    assert read.json == webhook
    assert mina.get(webhooks).json == {"items": [webhook], "next_cursor": None}
    export = mina.get(f"{board}/export")
    for other in (read, mina.get(webhooks), mina.get(f"{board}/events"), export):
        assert "whsec_" not in str(other.json)
    assert URL not in str(export.json)


def test_absent_and_null_are_the_same_in_a_creation(mina: Client, webhooks: str) -> None:
    response = mina.post(webhooks, {"url": URL, "types": None, "description": None})

    assert (response.json["webhook"]["types"], response.json["webhook"]["description"]) == ([], "")


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        ("http://chat.example.com/", 422, "invalid_webhook_url"),
        ("https://user:secret@chat.example.com/", 422, "invalid_webhook_url"),
        ("https://127.0.0.1/", 422, "invalid_webhook_url"),
        ("https://[::ffff:10.0.0.1]/", 422, "invalid_webhook_url"),
        ("https://169.254.169.254/", 422, "invalid_webhook_url"),
        ("https://localhost:8080/", 422, "invalid_webhook_url"),
        ("https://chat.example.com/#here", 422, "invalid_webhook_url"),
        ("https://chat.example.com:99999/", 422, "invalid_webhook_url"),
        ("ftp://chat.example.com/", 400, "invalid_body"),
        ("https://chat.example.com/a b", 400, "invalid_body"),
        ("https://chat.example.com/" + "a" * 2048, 400, "invalid_body"),
        (7, 400, "invalid_body"),
        (None, 400, "invalid_body"),
    ],
)
def test_a_url_that_no_message_could_reach_is_refused(
    mina: Client, webhooks: str, url: object, status: int, code: str
) -> None:
    path = create(mina, webhooks)
    responses = [
        mina.post(webhooks, {"url": url}),
        mina.patch(path, {"url": url}, if_match="*"),
    ]

    for response in responses:
        assert (response.status, response.json["code"]) == (status, code)
        assert response.json["errors"][0]["pointer"] == "/url"
        assert "secret" not in str(response.json)


def test_a_board_has_ten_webhooks(mina: Client, webhooks: str) -> None:
    for _ in range(10):
        create(mina, webhooks)

    response = mina.post(webhooks, {"url": URL})
    assert (response.status, response.json["code"]) == (409, "too_many_webhooks")


def test_a_webhook_is_paused_and_set_active_again(mina: Client, webhooks: str) -> None:
    path = create(mina, webhooks, types=["card.moved"])
    etag = mina.get(path).headers["etag"]

    paused = mina.patch(path, {"state": "paused", "types": None}, if_match=etag)
    assert (paused.status, paused.json["state"], paused.json["types"]) == (200, "paused", [])
    assert mina.get(path).headers["etag"] == paused.headers["etag"]
    assert mina.patch(path, {"state": "active"}, if_match=etag).status == 412
    active = mina.patch(path, {"state": "active"}, if_match=paused.headers["etag"])
    assert (active.json["state"], active.json["version"]) == ("active", 3)
    for state in ("stopped", "failing", None):
        assert mina.patch(path, {"state": state}, if_match="*").status == 400


def test_a_webhook_is_deleted(mina: Client, webhooks: str) -> None:
    path = create(mina, webhooks)

    assert mina.delete(path).status == 428
    assert mina.delete(path, if_match="*").status == 204
    response = mina.get(path)
    assert (response.status, response.json["code"]) == (404, "webhook_not_found")


def test_deliveries_are_listed_and_failures_shown(
    mina: Client, webhooks: str, store: Store, clock: ManualClock, receiver: FakeReceiver
) -> None:
    path = create(mina, webhooks)
    assert mina.get(f"{path}/deliveries").json == {"items": [], "next_cursor": None}
    receiver.reactions = [CallFailed("The connection failed: Connection refused.")]
    deliver(store, clock, receiver)

    failing = mina.get(path)
    assert (failing.json["state"], failing.json["failed_attempts"]) == ("failing", 1)
    assert failing.json["next_attempt_at"] == "2026-11-20T14:00:05Z"
    clock.advance(seconds=5)
    deliver(store, clock, receiver)
    active = mina.get(path)
    assert (active.json["state"], active.json["delivered_seq"]) == ("active", 2)
    assert active.headers["etag"] != failing.headers["etag"]
    second, first = mina.get(f"{path}/deliveries").json["items"]
    assert (first["number"], first["is_success"], first["status"]) == (1, False, None)
    assert first["error"] == "The connection failed: Connection refused."
    assert (second["attempt"], second["is_success"], second["status"], second["response"]) == (2, True, 200, "ok")
    assert first["message_id"] == second["message_id"]


def test_a_test_is_delivered_and_repeated_with_its_key_once(
    mina: Client, webhooks: str, store: Store, clock: ManualClock, receiver: FakeReceiver
) -> None:
    path = create(mina, webhooks, types=["card.moved"])
    responses = [mina.post(f"{path}/test", idempotency_key="k-1") for _ in range(2)]
    deliver(store, clock, receiver)

    assert [response.status for response in responses] == [200, 200]
    assert [item["event_count"] for item in mina.get(f"{path}/deliveries").json["items"]] == [1]
    mina.patch(path, {"state": "paused"}, if_match="*")
    response = mina.post(f"{path}/test")
    assert (response.status, response.json["code"]) == (409, "webhook_not_active")


def test_events_are_replayed(
    mina: Client, webhooks: str, store: Store, clock: ManualClock, receiver: FakeReceiver
) -> None:
    path = create(mina, webhooks)
    deliver(store, clock, receiver)
    response = mina.post(f"{path}/replay", {"from_seq": 1})
    deliver(store, clock, receiver)

    assert (response.status, response.json["delivered_seq"]) == (200, 0)
    first, *_ = mina.get(f"{path}/deliveries").json["items"]
    assert (first["from_seq"], first["to_seq"], first["event_count"]) == (1, 3, 3)
    ahead = mina.post(f"{path}/replay", {"from_seq": 99})
    assert (ahead.status, ahead.json["code"]) == (422, "seq_ahead")
    for from_seq in (0, -1, 2**53, "1", 1.5):
        assert mina.post(f"{path}/replay", {"from_seq": from_seq}).status == 400


def test_a_rotation_gives_a_second_secret_for_a_day(
    mina: Client, webhooks: str, store: Store, clock: ManualClock, receiver: FakeReceiver
) -> None:
    created = mina.post(webhooks, {"url": URL}).json
    path = f"{webhooks}/{created['webhook']['id']}"
    rotated = mina.post(f"{path}/rotate")

    assert rotated.status == 200
    assert rotated.json["secret"] != created["secret"]
    assert rotated.json["webhook"]["previous_secret_until"] == "2026-11-21T14:00:00Z"
    deliver(store, clock, receiver)
    clock.advance(days=1)
    mina.post(f"{path}/test")
    deliver(store, clock, receiver)
    assert [len(headers["webhook-signature"].split()) for headers in receiver.headers] == [2, 1]
    assert mina.get(path).json["previous_secret_until"] is None


def test_a_dry_run_shows_no_secret_that_is_ever_valid(mina: Client, webhooks: str) -> None:
    path = create(mina, webhooks)
    dry = mina.post(f"{path}/rotate", Prefer="dry-run")
    created = mina.post(webhooks, {"url": URL}, Prefer="dry-run")

    assert (dry.status, created.status) == (200, 201)
    assert dry.headers["preference-applied"] == "dry-run"
    assert len(mina.get(webhooks).json["items"]) == 1
    assert mina.post(f"{path}/rotate").json["secret"] != dry.json["secret"]


def test_others_learn_nothing_of_webhooks(mina: Client, omar: Client, board: str, webhooks: str) -> None:
    path = create(mina, webhooks)

    assert omar.get(path).json["code"] == "board_not_found"
    for role in ("viewer", "editor"):
        mina.put(f"{board}/members/omar", {"role": role})
        for response in (
            omar.get(webhooks),
            omar.get(path),
            omar.get(f"{path}/deliveries"),
            omar.post(webhooks, {"url": URL}),
            omar.post(f"{path}/rotate"),
            omar.post(f"{path}/test"),
            omar.delete(path, if_match="*"),
        ):
            assert (response.status, response.json["code"]) == (403, "role_too_low")
    event = omar.get(f"{board}/events").json["items"][1]
    assert (event["type"], event["data"]) == ("webhook.created", {"webhook_id": path.rpartition("/")[2]})


def test_a_copy_and_an_import_of_a_board_have_no_webhooks(mina: Client, board: str, webhooks: str) -> None:
    create(mina, webhooks)
    copy = mina.post(f"{board}/copy", {"name": "Copy"}).json["id"]

    assert mina.get(f"/boards/{copy}/webhooks").json["items"] == []


def test_an_export_and_its_import_have_no_webhooks(mina: Client, board: str, webhooks: str) -> None:
    create(mina, webhooks)
    imported = mina.post("/imports/tackboard", mina.get(f"{board}/export").json)

    assert imported.status == 201, imported.json
    assert mina.get(f"/boards/{imported.json['board']['id']}/webhooks").json["items"] == []


def test_a_412_says_what_changed_a_webhook_since(mina: Client, webhooks: str) -> None:
    path = create(mina, webhooks)
    mina.patch(path, {"description": "Chat"}, if_match="*")
    mina.post(f"{path}/rotate")

    stale = mina.patch(path, {"description": "Mine"}, If_Match='"1"')
    assert (stale.status, stale.json["code"]) == (412, "precondition_failed")
    assert [(change["type"], change["changes"]) for change in stale.json["later_changes"]] == [
        ("webhook.secret_rotated", []),
        ("webhook.updated", [{"field": "description", "from": "", "to": "Chat"}]),
    ]


def test_a_412_does_not_say_the_url(mina: Client, webhooks: str) -> None:
    path = create(mina, webhooks)
    mina.patch(path, {"url": f"{URL}/token-7"}, if_match="*")

    stale = mina.delete(path, If_Match='"1"')
    assert stale.status == 412
    assert "token-7" not in str(stale.json)


def test_no_event_of_a_webhook_can_be_undone(mina: Client, board: str, webhooks: str) -> None:
    path = create(mina, webhooks)
    mina.patch(path, {"description": "Chat", "state": "paused"}, if_match="*")
    mina.patch(path, {"state": "active"}, if_match="*")
    mina.post(f"{path}/rotate")
    mina.post(f"{path}/test")
    mina.post(f"{path}/replay", {"from_seq": 1})
    mina.delete(path, if_match="*")

    events = [event for event in mina.get(f"{board}/events").json["items"] if event["type"].startswith("webhook.")]
    assert len({event["type"] for event in events}) == 6
    for event in events:
        response = mina.post(f"{board}/undo", {"seq": event["seq"]})
        assert (response.status, response.json["code"]) == (422, "not_undoable"), event["type"]


def test_changes_pass_over_webhooks(mina: Client, board: str, webhooks: str) -> None:
    """A client that follows a board with `changes` learns the new seq, and nothing of a webhook."""
    before = mina.get(f"{board}/changes").json
    path = create(mina, webhooks)
    mina.patch(path, {"state": "paused"}, if_match="*")

    after = mina.get(f"{board}/changes?after={before['to_seq']}&history={before['history']}").json
    assert (after["to_seq"], after["reset"]) == (before["to_seq"] + 2, False)
    assert path.rpartition("/")[2] not in str(after)


def test_a_webhook_of_another_board_is_not_found(mina: Client, webhooks: str) -> None:
    other = f"/boards/{mina.post('/boards', {'name': 'Other'}).json['id']}/webhooks"
    webhook_id = create(mina, webhooks).rpartition("/")[2]

    for response in (
        mina.get(f"{other}/{webhook_id}"),
        mina.get(f"{other}/{webhook_id}/deliveries"),
        mina.post(f"{other}/{webhook_id}/rotate"),
        mina.post(f"{other}/{webhook_id}/replay", {"from_seq": 1}),
        mina.delete(f"{other}/{webhook_id}", if_match="*"),
    ):
        assert (response.status, response.json["code"]) == (404, "webhook_not_found")


@pytest.mark.parametrize(
    "types", [["card.moved", "card.moved"], ["card.moved"] * 101, ["no type"], ["card.moved;drop"], "card.moved", [7]]
)
def test_types_must_be_types(mina: Client, webhooks: str, types: object) -> None:
    response = mina.post(webhooks, {"url": URL, "types": types})

    assert (response.status, response.json["code"]) == (400, "invalid_body")


def test_the_state_of_a_new_webhook_is_not_chosen(mina: Client, webhooks: str) -> None:
    for field in ("state", "secret", "owner_id", "include"):
        assert mina.post(webhooks, {"url": URL, field: "changes"}).json["code"] == "invalid_body"


def test_the_kept_deliveries_are_the_last_ones_also_where_few_events_are_delivered(
    mina: Client, board: str, webhooks: str, store: Store, clock: ManualClock, receiver: FakeReceiver
) -> None:
    path = create(mina, webhooks, types=["label.created"])
    for number in range(104):
        mina.post(f"{board}/labels", {"name": f"Label {number}", "color": "red"})
        deliver(store, clock, receiver)
        mina.patch(board, {"name": f"Shop {number}"}, if_match="*")
        deliver(store, clock, receiver)

    items = mina.get(f"{path}/deliveries").json["items"]
    assert [item["number"] for item in items] == list(range(104, 4, -1))


def test_what_a_restored_store_has_not_tried_has_not_failed(
    mina: Client, board: str, webhooks: str, store: Store, clock: ManualClock, receiver: FakeReceiver
) -> None:
    path = create(mina, webhooks)
    mina.patch(path, {"state": "paused"}, if_match="*")
    # The reader of a webhook in a restored store is due, though the webhook is paused.
    reader_name = f"webhook:{path.rpartition('/')[2]}"
    store.feed_readers.reset_reader(board.rpartition("/")[2], reader_name, due_at=clock())
    deliver(store, clock, receiver)

    webhook = mina.get(path).json
    assert (webhook["state"], webhook["failed_attempts"], webhook["failing_since"]) == ("paused", 0, None)
    assert receiver.headers == []
