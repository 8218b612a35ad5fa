"""A receiver that is killed a hundred times, and a server that is too, lose no event and change no order.

The receiver is a process of its own on a real socket. It keeps what it gets in a file, as the guide says: a message
whose id it knows is not kept again. It kills itself where the test says.
"""

import json
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from delivery.addresses import AddressPolicy
from delivery.sender import CallResponse, Sender
from handlers import serialize
from kanban import webhooks
from kanban.store import Store
from kanban.values import FeedReader, Webhook, WebhookState
from kanban.webhooks import NewWebhook
from readers.runner import Runner
from readers.webhooks import WebhookHandler
from stores import open_store
from tests.stores.world import World

DEATHS = 100
POINTS = ("absent", "accepted", "read", "kept", "half", "responded")
"""Where the receiver dies: before it listens, with a connection, a message, a kept one, half a response, all of it."""

RECEIVER = r"""
import json, os, signal, socket, sys

path, port, point = sys.argv[1], int(sys.argv[2]), sys.argv[3]

def die_at(name):
    if name == point:
        os.kill(os.getpid(), signal.SIGKILL)

with open(path, "a+b") as file:
    file.seek(0)
    known = {json.loads(line)["id"] for line in file}
    listener = socket.create_server(("127.0.0.1", port))
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        die_at("accepted")
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(65536)
        head, _, body = request.partition(b"\r\n\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
        while len(body) < int(headers["content-length"]):
            body += connection.recv(65536)
        die_at("read")
        message = {
            "id": headers["webhook-id"],
            "timestamp": headers["webhook-timestamp"],
            "signature": head.decode().partition("webhook-signature: ")[2].partition("\r\n")[0],
            "body": body.decode(),
            "is_known": headers["webhook-id"] in known,
        }
        known.add(message["id"])
        file.write(json.dumps(message).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
        die_at("kept")
        response = b"HTTP/1.1 204 No Content\r\n\r\n"
        connection.sendall(response[:10])
        die_at("half")
        connection.sendall(response[10:])
        connection.close()
        die_at("responded")
"""


class ServerKilled(BaseException):
    """Ends whoever delivers, where nothing catches it."""


@dataclass
class MortalSender:
    """Sends messages, and kills the server after some of them, before it has written down what came of it."""

    chance: random.Random
    death_rate: float
    sender: Sender = field(default_factory=lambda: Sender(AddressPolicy(permits_loopback=True)))
    calls: int = 0
    deaths: int = 0

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> CallResponse:
        """Post a body."""
        self.calls += 1
        try:
            return self.sender.send(url, body, headers)
        finally:
            if self.chance.random() < self.death_rate:
                self.deaths += 1
                raise ServerKilled


class Deliveries:
    """A webhook, its receiver, and time as it passes between the attempts."""

    def __init__(self, world: World, folder: Path, chance: random.Random, death_rate: float) -> None:
        self.world, self.chance = world, chance
        self.path = folder / "kept.jsonl"
        self.program = folder / "receiver.py"
        self.program.write_text(RECEIVER)
        self.port = find_free_port()
        self.sender = MortalSender(chance, death_rate)
        new = NewWebhook(f"http://127.0.0.1:{self.port}/in")
        webhook, change = webhooks.create(world.read_board(), [], world.context(), new)
        world.store.commit(change)
        self.secret = webhooks.derive_secrets(world.store.read_secret(), webhook, world.now)[0]

    def start_receiver(self, point: str) -> subprocess.Popen[str] | None:
        """Start the receiver, unless it is dead from the beginning."""
        if point == "absent":
            return None
        arguments = [sys.executable, "-S", "-E", str(self.program), str(self.path), str(self.port), point]
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        return process

    def deliver(self) -> None:
        """Let time pass until the webhook is due, and deliver what there is, by a server that may be killed."""
        world = self.world
        if self.read_webhook().state == WebhookState.STOPPED:
            _, change = webhooks.update(world.read_board(), self.read_webhook(), {"state": "active"}, world.context())
            assert change is not None
            world.store.commit(change)
        reader = self.read_reader()
        assert reader.due_at is not None
        world.now = max(world.now, reader.due_at, reader.lease_until or world.now)
        handler = WebhookHandler(world.store, self.sender, serialize.event, lambda: world.now, world.context().new_id)
        runner = Runner(
            world.store.feed_readers, {"webhook": handler}, lambda: world.now, lambda: world.random_bytes(8).hex()
        )
        with suppress(ServerKilled):
            for due in runner.list_due():
                runner.run(due, lambda: True)

    def read_webhook(self) -> Webhook:
        """Return the webhook as it is."""
        (webhook,) = self.world.store.webhooks.list_webhooks(self.world.board_id)
        return webhook

    def read_reader(self) -> FeedReader:
        """Return its reader as it is."""
        (reader,) = self.world.store.feed_readers.list_readers(self.world.board_id)
        return reader

    def is_behind(self) -> bool:
        """Tell whether there are events that were not delivered."""
        return self.read_reader().after_seq < self.world.read_board().board.seq

    def list_messages(self) -> list[dict[str, Any]]:
        """Return what the receiver has got in all its lives."""
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def verify(self, message: Mapping[str, Any]) -> None:
        """Verify a signature with the library of Standard Webhooks, as of the time of the message."""
        signed_at = datetime.fromtimestamp(int(message["timestamp"]), UTC)
        signature = Verifier(self.secret).sign(message["id"], signed_at, message["body"])
        assert signature in message["signature"].split(" ")


def find_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture
def world(tmp_path: Path, empty_database: Path) -> Iterator[World]:
    shutil.copy(empty_database, tmp_path / "tackboard.db")
    store: Store = open_store(f"sqlite:///{tmp_path}/tackboard.db")
    yield World(store)
    store.close()


@pytest.mark.parametrize(("seed", "death_rate"), [(1, 0.0), (2, 0.2)], ids=["the receiver dies", "the server dies too"])
def test_a_receiver_that_is_killed_a_hundred_times_gets_every_event_in_order(
    world: World, tmp_path: Path, seed: int, death_rate: float
) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same faults in every run.
    deliveries = Deliveries(world, tmp_path, chance, death_rate)
    for number in range(DEATHS):
        point = POINTS[number % len(POINTS)]
        process = deliveries.start_receiver(point)
        for _ in range(chance.randrange(1, 4)):
            world.add_card("News")
        deliveries.deliver()
        if process is not None:
            assert process.wait(timeout=60) == -9
            assert process.stdout
            process.stdout.close()
    survivor = deliveries.start_receiver("never")
    assert survivor is not None
    while deliveries.is_behind():
        deliveries.deliver()
    survivor.kill()
    survivor.communicate()

    messages = deliveries.list_messages()
    bodies: dict[str, str] = {}
    for message in messages:
        deliveries.verify(message)
        assert bodies.setdefault(message["id"], message["body"]) == message["body"]
        assert message["is_known"] == (message is not next(m for m in messages if m["id"] == message["id"]))
    kept = [json.loads(message["body"])["data"] for message in messages if not message["is_known"]]
    seqs = [event["seq"] for data in kept for event in data["events"]]
    assert seqs == list(range(2, world.read_board().board.seq + 1))
    assert len(messages) > len(kept)
    assert (deliveries.sender.deaths > 0) == (death_rate > 0)
    assert deliveries.sender.calls >= DEATHS
