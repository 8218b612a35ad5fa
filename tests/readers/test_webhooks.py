"""Webhooks lose no event when the receiver fails, the worker dies or the webhook changes."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from delivery.addresses import AddressForbidden, AddressPolicy
from delivery.sender import CallFailed, CallResponse, Sender
from delivery.targets import InvalidTarget
from handlers import serialize
from kanban import boards, members, webhooks
from kanban.changes import Change
from kanban.store import Store
from kanban.values import FeedReader, Role, Webhook, WebhookDelivery, WebhookState
from kanban.webhooks import NewWebhook
from readers.runner import Runner
from readers.webhooks import MAX_MESSAGE_BYTES, WebhookHandler
from stores import open_store
from tests.delivery.receivers import Receiver, respond
from tests.stores.test_purge import purge_all
from tests.stores.world import World

URL = "https://example.com/in"
OK = CallResponse(200, b"ok")
Reaction = CallResponse | Exception | Callable[[], CallResponse]


@dataclass
class FakeReceiver:
    """A sender that delivers nothing, and records what it was to send.

    Attributes:
        messages: The messages, in order.
        reactions: What comes of the next calls; then all succeed.
    """

    messages: list[dict[str, Any]] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> CallResponse:
        """Record the message."""
        assert url == URL
        self.messages.append({"id": headers["webhook-id"], **json.loads(body)["data"]})
        self.headers.append(headers)
        reaction = self.reactions.pop(0) if self.reactions else OK
        if isinstance(reaction, Exception):
            raise reaction
        return reaction() if callable(reaction) else reaction

    def list_seqs(self) -> list[list[int]]:
        """Return the seqs of the events of each message."""
        return [[event["seq"] for event in message["events"]] for message in self.messages]


@pytest.fixture
def store(tmp_path: Path, empty_database: Path) -> Iterator[Store]:
    shutil.copy(empty_database, tmp_path / "tackboard.db")
    opened = open_store(f"sqlite:///{tmp_path}/tackboard.db")
    yield opened
    opened.close()


@pytest.fixture
def world(store: Store) -> World:
    return World(store)


@pytest.fixture
def receiver() -> FakeReceiver:
    return FakeReceiver()


def add_webhook(world: World, *types: str) -> Webhook:
    webhook, change = webhooks.create(world.read_board(), [], world.context(), NewWebhook(URL, types))
    world.store.commit(change)
    return webhook


def update(world: World, webhook: Webhook, **patch: object) -> Webhook:
    new, change = webhooks.update(world.read_board(), webhook, patch, world.context())
    world.store.commit(change or Change())
    return new


def run_due(world: World, sender: Any) -> None:
    """Deliver what is due."""
    handler = WebhookHandler(world.store, sender, serialize.event, lambda: world.now, world.context().new_id)
    runner = Runner(
        world.store.feed_readers, {"webhook": handler}, lambda: world.now, lambda: world.random_bytes(8).hex()
    )
    for reader in runner.list_due():
        runner.run(reader, lambda: True)


def read_webhook(world: World) -> Webhook:
    (webhook,) = world.store.webhooks.list_webhooks(world.board_id)
    return webhook


def read_reader(world: World) -> FeedReader:
    (reader,) = world.store.feed_readers.list_readers(world.board_id)
    return reader


def list_deliveries(world: World, webhook: Webhook) -> list[WebhookDelivery]:
    return [*world.store.webhooks.list_deliveries(world.board_id, webhook.id)]


def test_events_are_delivered_as_the_api_returns_them(world: World, receiver: FakeReceiver) -> None:
    webhook = add_webhook(world)
    world.add_card("Grüße")

    run_due(world, receiver)

    events = world.list_events()[1:]
    assert receiver.messages == [
        {
            "id": webhooks.build_message_id(webhook, world.read_board().board.get_history(), 2, 3),
            "board_id": world.board_id,
            "history": world.read_board().board.get_history(),
            "webhook_id": webhook.id,
            "from_seq": 2,
            "to_seq": 3,
            "events": [serialize.event(event) for event in events],
        }
    ]
    assert [event.type for event in events] == ["webhook.created", "card.created"]


def test_only_events_of_the_types_are_delivered_and_nothing_is_sent_without(
    world: World, receiver: FakeReceiver
) -> None:
    webhook = add_webhook(world, "card.moved")
    card = world.add_card("One")
    run_due(world, receiver)
    assert receiver.messages == []
    assert read_reader(world).after_seq == 3
    world.move_card(card, world.find_list("Done").id)
    world.store.commit(webhooks.send_test(world.read_board(), webhook, world.context()))
    run_due(world, receiver)

    assert receiver.list_seqs() == [[4, 5]]
    assert [delivery.event_count for delivery in list_deliveries(world, webhook)] == [2]


def test_a_message_has_at_most_a_hundred_events(world: World, receiver: FakeReceiver) -> None:
    add_webhook(world)
    for number in range(120):
        world.add_card(f"Card {number}")
    run_due(world, receiver)

    assert [len(seqs) for seqs in receiver.list_seqs()] == [100, 21]


def test_a_message_ends_before_it_is_too_long(world: World, receiver: FakeReceiver) -> None:
    add_webhook(world)
    for _ in range(4):
        long_data = {"card_ids": ["crd_01m7wjyxw0t6b6ybwhb9sb5a3k"] * 4_000}
        world.write(data=long_data)
    run_due(world, receiver)

    assert all(len(json.dumps(message)) < MAX_MESSAGE_BYTES + 2_000 for message in receiver.messages)
    assert [seq for seqs in receiver.list_seqs() for seq in seqs] == [2, 3, 4, 5, 6]
    assert len(receiver.messages) > 1


def test_a_receiver_that_is_down_gets_the_same_message_when_it_is_back(world: World, receiver: FakeReceiver) -> None:
    webhook = add_webhook(world)
    receiver.reactions = [CallFailed("The connection failed."), CallResponse(500, b"no"), CallResponse(302, b"")]
    waits = []
    for _ in range(4):
        run_due(world, receiver)
        world.add_card("Meanwhile")
        due_at = read_reader(world).due_at
        assert due_at is not None
        waits.append(due_at - world.now)
        world.now = due_at

    assert waits == [timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta()]
    assert receiver.list_seqs()[:4] == [[2]] * 4
    assert len({message["id"] for message in receiver.messages[:4]}) == 1
    assert receiver.list_seqs()[4:] == [[3, 4, 5]]
    assert [(d.attempt, d.status, d.response, d.error) for d in reversed(list_deliveries(world, webhook))][:4] == [
        (1, None, "", "The connection failed."),
        (2, 500, "no", None),
        (3, 302, "", None),
        (4, 200, "ok", None),
    ]


def test_a_webhook_stops_after_three_days_with_a_notice_and_goes_on_where_it_was(
    world: World, receiver: FakeReceiver
) -> None:
    webhook, began = add_webhook(world), world.now
    receiver.reactions = [CallResponse(503, b"")] * 100
    while (due_at := read_reader(world).due_at) is not None:
        world.now = max(world.now, due_at)
        run_due(world, receiver)

    assert len(receiver.messages) == 18
    assert timedelta(hours=72) < world.now - began < timedelta(hours=74)
    stopped, notice = read_webhook(world), world.list_events()[-1]
    assert stopped.state == WebhookState.STOPPED
    assert (notice.type, notice.data) == ("webhook.stopped", {"webhook_id": webhook.id, "reason": "no_success"})
    world.advance(days=30)
    run_due(world, receiver)
    assert len(receiver.messages) == 18
    receiver.reactions, receiver.messages = [], []
    update(world, stopped, state="active")
    run_due(world, receiver)
    assert receiver.list_seqs() == [[2], [3, 4]]


def test_a_receiver_that_is_gone_stops_the_webhook(world: World, receiver: FakeReceiver) -> None:
    webhook = add_webhook(world)
    receiver.reactions = [CallResponse(410, b"")]
    run_due(world, receiver)

    assert read_webhook(world).state == WebhookState.STOPPED
    assert world.list_events()[-1].data == {"webhook_id": webhook.id, "reason": "gone"}


def test_a_webhook_of_a_deactivated_owner_stops_also_without_another(world: World, receiver: FakeReceiver) -> None:
    webhook = add_webhook(world)
    change = members.deactivate(world.read_board(), world.ann.id, world.context(), [])
    assert change is not None
    world.store.commit(change)

    run_due(world, receiver)

    assert receiver.messages == []
    assert read_webhook(world).state == WebhookState.STOPPED
    event = world.list_events()[-1]
    assert (event.type, event.actor_id) == ("webhook.stopped", world.ann.id)
    assert event.data == {"webhook_id": webhook.id, "reason": "owner_left"}


def test_a_webhook_stops_when_its_owner_is_no_owner_any_more(world: World, receiver: FakeReceiver) -> None:
    bob = world.add_user("Bob", id="bob")
    world.add_member(bob, Role.OWNER)
    webhook = add_webhook(world)
    view = world.read_board(user=bob)
    change = members.remove(view, world.ann.id, world.context(bob), [])
    assert change is not None
    world.store.commit(change)
    run_due(world, receiver)

    assert receiver.messages == []
    view = world.read_board(user=bob)
    (stopped,) = world.store.webhooks.list_webhooks(world.board_id)
    assert stopped.state == WebhookState.STOPPED
    page = world.store.feed_readers.read_feed(world.board_id, view.board.seq - 1, 1)
    assert [(event.type, event.actor_id) for event in page] == [("webhook.stopped", "bob")]
    assert page[0].data == {"webhook_id": webhook.id, "reason": "owner_left"}
    active, change = webhooks.update(view, stopped, {"state": "active"}, world.context(bob))
    assert change is not None
    world.store.commit(change)
    assert active.owner_id == "bob"
    run_due(world, receiver)
    assert receiver.list_seqs() == [[3, 4], [5, 6]]


def test_a_paused_webhook_keeps_its_events(world: World, receiver: FakeReceiver) -> None:
    paused = update(world, add_webhook(world), state="paused")
    world.add_card("Meanwhile")
    run_due(world, receiver)
    assert receiver.messages == []
    update(world, paused, state="active")
    run_due(world, receiver)

    assert receiver.list_seqs() == [[2, 3, 4, 5]]


def test_a_webhook_that_is_paused_during_a_call_stays_paused(world: World, receiver: FakeReceiver) -> None:
    webhook = add_webhook(world)

    def pause() -> CallResponse:
        update(world, webhook, state="paused")
        return CallResponse(500, b"")

    receiver.reactions = [pause]
    run_due(world, receiver)

    assert read_reader(world).due_at is None
    world.advance(days=1)
    run_due(world, receiver)
    assert len(receiver.messages) == 1


def test_a_webhook_that_is_deleted_during_a_call_is_gone(world: World, receiver: FakeReceiver) -> None:
    webhook = add_webhook(world)

    def delete() -> CallResponse:
        world.store.commit(webhooks.delete(world.read_board(), webhook, world.context()))
        return CallResponse(500, b"")

    receiver.reactions = [delete]
    run_due(world, receiver)

    assert list(world.store.feed_readers.list_readers(world.board_id)) == []
    assert list_deliveries(world, webhook) == []


def test_the_deletion_of_the_board_is_delivered(world: World, receiver: FakeReceiver) -> None:
    add_webhook(world)
    world.store.commit(boards.delete(world.read_board(), world.context(), []))
    run_due(world, receiver)

    assert [event["type"] for event in receiver.messages[0]["events"]] == ["webhook.created", "board.deleted"]


def test_a_replay_delivers_the_same_events_again(world: World, receiver: FakeReceiver) -> None:
    webhook = add_webhook(world)
    world.add_card("One")
    run_due(world, receiver)
    world.store.commit(webhooks.replay(world.read_board(), webhook, 1, world.context()))
    run_due(world, receiver)

    assert receiver.list_seqs() == [[2, 3], [1, 2, 3, 4]]


def test_types_that_change_between_two_attempts_make_another_message(world: World, receiver: FakeReceiver) -> None:
    webhook = add_webhook(world)
    world.add_card("One")
    receiver.reactions = [CallResponse(500, b"")]
    run_due(world, receiver)
    update(world, webhook, types=["card.created"])
    world.advance(seconds=5)
    run_due(world, receiver)

    assert receiver.list_seqs() == [[2, 3], [3]]
    assert receiver.messages[0]["id"] != receiver.messages[1]["id"]


def test_a_response_is_kept_as_text_whatever_it_is(world: World, receiver: FakeReceiver) -> None:
    webhook = add_webhook(world)
    receiver.reactions = [CallResponse(200, b"\xff\x00ok" + "é".encode()[:1])]
    run_due(world, receiver)

    assert list_deliveries(world, webhook)[0].response == "\ufffd\ufffdok\ufffd"


def test_a_real_receiver_verifies_what_it_gets_with_both_secrets(world: World) -> None:
    response = b"HTTP/1.1 204 No Content\r\n\r\n"
    with Receiver(respond(response)) as real:
        webhook, change = webhooks.create(
            world.read_board(), [], world.context(), NewWebhook(f"http://127.0.0.1:{real.port}/in")
        )
        world.store.commit(change)
        world.store.commit(webhooks.rotate_secret(world.read_board(), webhook, world.context())[1])
        run_due(world, Sender(AddressPolicy(permits_loopback=True)))

        head, _, body = real.requests[0].partition(b"\r\n\r\n")
    lines = [line.split(": ", 1) for line in head.decode().split("\r\n")[1:]]
    secrets = webhooks.derive_secrets(world.store.read_secret(), read_webhook(world), world.now)
    assert len(secrets) == 2
    for secret in secrets:
        # The library compares the time with its own clock, which this test has not.
        verifier, signed_at = Verifier(secret), world.now
        headers = {name.lower(): value for name, value in lines}
        signature = verifier.sign(headers["webhook-id"], signed_at, body.decode())
        assert signature in headers["webhook-signature"].split(" ")
        assert headers["webhook-timestamp"] == str(int(signed_at.timestamp()))
    assert list_deliveries(world, webhook)[0].status == 204


def test_a_message_has_what_was_purged_since_no_more(world: World, receiver: FakeReceiver) -> None:
    """It has the same id, and the same events, in which a purge has erased the texts."""
    card = world.add_card("Names of patients")
    world.delete_card(card)
    webhook = add_webhook(world)
    world.store.commit(webhooks.replay(world.read_board(), webhook, 2, world.context()))
    receiver.reactions = [CallFailed("The connection failed.")]
    run_due(world, receiver)
    paused = update(world, webhook, state="paused")
    world.advance(days=32)
    purge_all(world)
    update(world, paused, state="active")
    run_due(world, receiver)

    before, after, *_ = receiver.messages
    assert before["id"] == after["id"]
    assert receiver.list_seqs()[0] == receiver.list_seqs()[1] == [2, 3, 4, 5]
    assert "Names of patients" in str(before["events"])
    assert "Names of patients" not in str(after["events"])
    assert "(erased)" in str(after["events"])
    assert before["events"][2:] == after["events"][2:]


@pytest.mark.parametrize(
    "response",
    [
        CallResponse(301, b"Moved"),
        CallResponse(308, b""),
        CallResponse(404, b""),
        CallResponse(429, b""),
        CallResponse(500, b"Internal error"),
        CallResponse(199, b""),
        CallResponse(999, b""),
        InvalidTarget("The URL must begin with https://."),
        AddressForbidden("The name leads to an address that is not public."),
        CallFailed("There was no response within 10 seconds."),
    ],
)
def test_whatever_is_no_success_is_tried_again(
    world: World, receiver: FakeReceiver, response: CallResponse | Exception
) -> None:
    webhook = add_webhook(world)
    receiver.reactions = [response]
    run_due(world, receiver)

    (delivery,) = list_deliveries(world, webhook)
    assert not delivery.is_success
    assert delivery.status == (response.status if isinstance(response, CallResponse) else None)
    assert read_reader(world).due_at == world.now + timedelta(seconds=5)
    world.advance(seconds=5)
    run_due(world, receiver)
    assert receiver.list_seqs() == [[2], [2]]
