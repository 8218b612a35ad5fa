"""Whatever the server is busy with, others are answered: over a real socket, with a store that never comes back."""

import http.client
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from contract.heavy_operations import MAX_CONCURRENT
from server.waitress_server import WRITER_THREADS
from tests.live_server import ROOT

SERVER = """
import os, sys, threading
from server import waitress_server as server
from app.factory import create_app
from kanban.store import Store
from kanban.values import Board
from stores import open_store

class Stuck:
    '''A store in which reports, and whatever makes a board called Stuck, never come to an end.'''

    def __init__(self, store):
        self._store = store

    def __getattr__(self, name):
        return getattr(self._store, name)

    def page_board_time_entries(self, *arguments):
        self._stay()

    def commit(self, change, *rest):
        if any(isinstance(each, Board) and each.name == "Stuck" for each in change.creates):
            self._stay()
        self._store.commit(change, *rest)

    def _stay(self):
        os.write(1, b"stuck\\n")
        threading.Event().wait()

listening = server.listen("127.0.0.1", 0)
print(listening.getsockname()[1], flush=True)
server.serve(create_app(Stuck(open_store(sys.argv[1])), open_signup=True), listening)
"""


class StuckServer:
    """A server in a process of its own, with one user and one board."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._said: Queue[str] = Queue()
        threading.Thread(target=self._listen, args=(process,), daemon=True).start()
        self._port = int(self._said.get(timeout=30))
        self._token = None
        self._token = self.request("POST", "/v1/users", {"name": "Mina"})[1]["token"]
        self.board = f"/v1/boards/{self.request('POST', '/v1/boards', {'name': 'Website'})[1]['id']}"

    def request(self, method: str, path: str, body: object = None) -> tuple[int, Any, str | None]:
        """Send a request; the status, the body and Retry-After. Whoever gets no answer within 30 seconds fails."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = connection.getresponse()
        answered = json.loads(response.read()), response.getheader("Retry-After")
        connection.close()
        return response.status, *answered

    def get_stuck(self, times: int, method: str, path: str, body: object = None) -> None:
        """Send requests that will not be answered, and wait until the store has them."""
        for _ in range(times):
            threading.Thread(target=self._request_and_hang_up, args=(method, path, body), daemon=True).start()
            assert self._said.get(timeout=30) == "stuck\n"

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        for line in process.stdout:
            self._said.put(line)

    def _request_and_hang_up(self, method: str, path: str, body: object) -> None:
        with pytest.raises(OSError):  # noqa: PT011 - when the process ends, in whichever way it is noticed.
            self.request(method, path, body)


@pytest.fixture
def stuck(tmp_path: Path) -> Iterator[StuckServer]:
    command = [sys.executable, "-c", SERVER, f"sqlite:///{tmp_path}/tackboard.db"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        yield StuckServer(process)
        process.kill()


def test_reports_and_waiting_writers_leave_health_readiness_and_boards_alone(stuck: StuckServer) -> None:
    stuck.get_stuck(MAX_CONCURRENT, "GET", f"{stuck.board}/time-report")
    stuck.get_stuck(WRITER_THREADS, "POST", "/v1/boards", {"name": "Stuck"})

    assert stuck.request("GET", "/v1/health")[0] == 200
    assert stuck.request("GET", "/v1/ready")[0] == 200
    assert stuck.request("GET", stuck.board)[0] == 200
    status, problem, retry_after = stuck.request("GET", f"{stuck.board}/time-report")
    assert (status, problem["code"], retry_after) == (503, "busy", "2")


def test_copies_leave_writers_alone(stuck: StuckServer) -> None:
    stuck.get_stuck(MAX_CONCURRENT, "POST", f"{stuck.board}/copy", {"name": "Stuck"})

    assert stuck.request("POST", f"{stuck.board}/cards", {"title": "Write the copy"})[0] == 201
    assert stuck.request("POST", f"{stuck.board}/copy", {"name": "Stuck"})[0] == 503
    assert [stuck.request("GET", path)[0] for path in (stuck.board, "/v1/health", "/v1/ready")] == [200, 200, 200]
