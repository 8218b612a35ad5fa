"""The server runs the readers in the background: a webhook is delivered soon, and a stop loses nothing."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from urllib.request import Request, urlopen

from kanban import webhooks
from kanban.store import Busy
from kanban.values import FeedReader, Job
from kanban.webhooks import NewWebhook
from readers.flow_segments import FlowSegmentBuilder
from readers.jobs import JobRunner
from readers.reader_thread import WORKERS, ReaderThread
from readers.runner import Runner
from stores import open_store
from tests.delivery.receivers import Receiver, respond
from tests.live_server import ROOT, LiveServer
from tests.stores.world import World

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
WAIT_SECONDS = 30.0
"""More than a loaded machine needs."""


def post(server: LiveServer, path: str, body: object) -> dict[str, str]:
    """Create something; return it."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {server.token}"}
    request = Request(f"{server.url}v1{path}", json.dumps(body).encode(), headers)  # noqa: S310 - http.
    with urlopen(request, timeout=30) as response:  # noqa: S310 - our own server.
        created: dict[str, str] = json.load(response)
    return created


def test_a_server_delivers_in_the_background(tmp_path: Path) -> None:
    is_delivered = threading.Event()

    def behave(connection: object, stop: threading.Event) -> None:
        respond(OK)(connection, stop)  # type: ignore[arg-type]  # it is what the receiver gives
        is_delivered.set()

    with Receiver(behave) as receiver, LiveServer(tmp_path, WEBHOOKS_TO_LOOPBACK="1") as server:
        board = post(server, "/boards", {"name": "Shop"})
        post(server, f"/boards/{board['id']}/webhooks", {"url": f"http://127.0.0.1:{receiver.port}/in"})

        assert is_delivered.wait(WAIT_SECONDS)
        assert server.stop() == (0, "Stopped.\n")
    message = json.loads(receiver.requests[0].partition(b"\r\n\r\n")[2])
    assert message["type"] == "board.events"
    assert [event["type"] for event in message["data"]["events"]] == ["webhook.created"]


class FakeRunner(Runner):
    """A runner with two readers, one of which can't be run."""

    def __init__(self) -> None:
        self.polls = 0
        self.names: list[str] = []
        self.is_done = threading.Event()

    def list_due(self) -> list[FeedReader]:
        """Fail once, and return the readers after that."""
        self.polls += 1
        if self.polls == 1:
            raise Busy("The store is away.")
        return [FeedReader("board", name, 0) for name in ("test:broken", "test:whole")]

    def run(self, reader: FeedReader, should_go_on: object) -> None:
        """Record the reader."""
        del should_go_on
        self.names.append(reader.name)
        if self.polls > 2 and len(self.names) >= 4:
            self.is_done.set()
        if reader.name == "test:broken":
            raise RuntimeError("A bug.")


class FakeJobRunner(JobRunner):
    """A runner without jobs."""

    def __init__(self) -> None:
        """Need nothing."""

    def list_due(self) -> list[Job]:
        """Return none."""
        return []


class FakeSegmentBuilder(FlowSegmentBuilder):
    """A builder with a board that always lacks segments."""

    def __init__(self) -> None:
        """Need nothing."""
        self.is_run = threading.Event()

    def search_due(self) -> list[str]:
        """Return the board."""
        return ["board"]

    def run_all(self, board_ids: Sequence[str], should_go_on: object) -> None:
        """Record that it was run."""
        del board_ids, should_go_on
        self.is_run.set()


def test_neither_a_store_that_is_away_nor_a_reader_that_fails_ends_the_thread() -> None:
    runner = FakeRunner()
    thread = ReaderThread(runner, FakeJobRunner(), builder := FakeSegmentBuilder(), timedelta(milliseconds=1))
    thread.start()

    assert runner.is_done.wait(WAIT_SECONDS)
    assert builder.is_run.wait(WAIT_SECONDS)
    thread.stop(timeout=WAIT_SECONDS)
    assert {*runner.names} == {"test:broken", "test:whole"}


def test_the_command_delivers_beside_another_server(tmp_path: Path) -> None:
    is_delivered = threading.Event()

    def behave(connection: object, stop: threading.Event) -> None:
        respond(OK)(connection, stop)  # type: ignore[arg-type]  # it is what the receiver gives
        is_delivered.set()

    store_url = f"sqlite:///{tmp_path}/tackboard.db"
    with Receiver(behave) as receiver, closing(open_store(store_url)) as store:
        world = World(store)
        new = NewWebhook(f"http://127.0.0.1:{receiver.port}/in")
        webhook, change = webhooks.create(world.read_board(), [], world.context(), new)
        store.commit(change)
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "readers"],
            cwd=ROOT,
            env={**os.environ, "STORE_URL": store_url, "WEBHOOKS_TO_LOOPBACK": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert is_delivered.wait(WAIT_SECONDS)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=WAIT_SECONDS)

        assert (process.returncode, output) == (
            0,
            "Webhooks are delivered, and jobs are run.\nCtrl-C stops it.\nStopped.\n",
        )
        # It has written down what came of the call before it ended.
        (delivery,) = store.webhooks.list_deliveries(world.board_id, webhook.id)
        assert delivery.is_success


def test_a_write_never_waits_for_a_receiver(tmp_path: Path) -> None:
    are_held = threading.Barrier(WORKERS + 1)

    def hold(connection: object, stop: threading.Event) -> None:
        del connection
        are_held.wait(WAIT_SECONDS)
        stop.wait()

    with LiveServer(tmp_path, WEBHOOKS_TO_LOOPBACK="1") as server:
        board = post(server, "/boards", {"name": "Shop"})
        with Receiver(hold) as receiver:
            for _ in range(WORKERS):
                post(server, f"/boards/{board['id']}/webhooks", {"url": f"http://127.0.0.1:{receiver.port}/in"})
            # All who deliver are in a call that gets no response.
            are_held.wait(WAIT_SECONDS)
            cards = [post(server, f"/boards/{board['id']}/cards", {"title": "Now"}) for _ in range(20)]
        assert len({card["id"] for card in cards}) == 20
        assert server.stop() == (0, "Stopped.\n")
