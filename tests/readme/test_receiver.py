"""The guide's receiver of webhooks keeps each message once, in order, and only messages of its webhook."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest

from app.reader_runner import build_runner
from delivery.addresses import AddressPolicy
from delivery.sender import CallResponse
from kanban import webhooks
from kanban.webhooks import NewWebhook
from stores import open_store
from tests.stores.world import World
from tools.openapi.findings import ROOT


class GuideReceiver(Protocol):
    """What the guide's class has."""

    def receive(self, headers: Mapping[str, str], body: bytes) -> int:
        """Return the status to respond with."""

    def process(self, process_message: Callable[[str], None]) -> None:
        """Process what was kept."""


class GuideSender:
    """Gives each message to the receiver, as a web server does, and loses some of the responses."""

    def __init__(self, receiver: GuideReceiver) -> None:
        self.receiver = receiver
        self.messages: list[tuple[dict[str, str], bytes]] = []
        self.lost_responses = 0

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> CallResponse:
        """Post a body."""
        del url
        received = {name.lower(): value for name, value in headers.items()}
        self.messages.append((received, body))
        status = self.receiver.receive(received, body)
        if self.lost_responses:
            self.lost_responses -= 1
            return CallResponse(502, b"")
        return CallResponse(status, b"")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with closing(open_store(f"sqlite:///{tmp_path}/tackboard.db")) as store:
        world = World(store)
        # The library compares the time of a message with its own clock.
        world.now = datetime.now(UTC).replace(microsecond=0)
        yield world


def make_receiver(world: World) -> GuideReceiver:
    """Return the guide's receiver, for a new webhook."""
    _, _, section = (ROOT / "docs" / "guides.md").read_text().partition("## Webhooks")
    names: dict[str, Any] = {}
    exec(section.partition("```python\n")[2].partition("```")[0], names)  # noqa: S102 - the guide's own code.
    webhook, change = webhooks.create(world.read_board(), [], world.context(), NewWebhook("https://example.com/in"))
    world.store.commit(change)
    (secret,) = webhooks.derive_secrets(world.store.read_secret(), webhook, world.now)
    receiver: GuideReceiver = names["Receiver"](secret, sqlite3.connect(":memory:"))
    return receiver


def deliver(world: World, sender: GuideSender) -> None:
    runner = build_runner(world.store, AddressPolicy(), clock=lambda: world.now, sender=sender)
    for reader in runner.list_due():
        runner.run(reader, lambda: True)


def test_the_receiver_of_the_guide_keeps_each_message_once(world: World) -> None:
    receiver = make_receiver(world)
    sender = GuideSender(receiver)
    sender.lost_responses = 2
    for _ in range(4):
        world.add_card("News")
        deliver(world, sender)
        world.now += timedelta(seconds=30)

    processed: list[str] = []
    for _ in range(2):
        receiver.process(processed.append)
    events = [event for body in processed for event in json.loads(body)["data"]["events"]]
    assert [event["seq"] for event in events] == [2, 3, 4, 5, 6]
    assert len(sender.messages) == len(processed) + 2


def test_the_receiver_of_the_guide_refuses_what_its_webhook_has_not_sent(world: World) -> None:
    receiver = make_receiver(world)
    sender = GuideSender(receiver)
    deliver(world, sender)
    ((headers, body),) = sender.messages

    assert receiver.receive(headers, body) == 204
    for changed_headers, changed_body in (
        (headers, body.replace(b"webhook.created", b"webhook.deleted")),
        (headers, b""),
        (headers, b"no JSON"),
        (headers, b"\xff"),
        (headers | {"webhook-id": "msg_other"}, body),
        (headers | {"webhook-timestamp": "1"}, body),
        (headers | {"webhook-timestamp": "soon"}, body),
        (headers | {"webhook-signature": "v1"}, body),
        (headers | {"webhook-signature": "v1,AAAA"}, body),
        ({}, body),
    ):
        assert receiver.receive(changed_headers, changed_body) == 400
    processed: list[str] = []
    receiver.process(processed.append)
    assert processed == [body.decode()]
