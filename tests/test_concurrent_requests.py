"""Busy threads delay no other kind of request: over a real socket, with a store that blocks forever."""

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
from tests.live_server import ROOT

SERVER = """
import os, sys, threading
from server.uvicorn_server import listen, serve
from app.factory import create_app
from kanban.store import Store
from kanban.values import Board
from stores import open_store

class Stuck:
    '''A store that blocks forever in reports and in commits that create a board called Stuck.'''

    def __init__(self, store):
        self._store = store

    def __getattr__(self, name):
        return getattr(self._store, name)

    def page_worked_time(self, *arguments):
        self._stay()

    def commit(self, change, *rest):
        if any(isinstance(value, Board) and value.name == "Stuck" for value in change.creates):
            self._stay()
        self._store.commit(change, *rest)

    def _stay(self):
        os.write(1, b"stuck\\n")
        threading.Event().wait()

listening = listen("127.0.0.1", 0)
print(listening.getsockname()[1], flush=True)
serve(create_app(Stuck(open_store(sys.argv[1])), open_signup=True).edge, listening)
"""


class StuckServer:
    """A server in a process of its own, with one user and one board."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._output_lines: Queue[str] = Queue()
        threading.Thread(target=self._listen, args=(process,), daemon=True).start()
        self._port = int(self._output_lines.get(timeout=30))
        self._token = None
        self._token = self.request("POST", "/v1/users", {"name": "Mina"})[1]["token"]
        self.board = f"/v1/boards/{self.request('POST', '/v1/boards', {'name': 'Website'})[1]['id']}"

    def request(self, method: str, path: str, body: object = None) -> tuple[int, Any, str | None]:
        """Send a request; return the status, the body and Retry-After. Fail after 30 seconds."""
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
        """Send requests that get no response, and wait until each has reached the store."""
        for _ in range(times):
            threading.Thread(target=self._request_and_hang_up, args=(method, path, body), daemon=True).start()
            assert self._output_lines.get(timeout=30) == "stuck\n"

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        for line in process.stdout:
            self._output_lines.put(line)

    def _request_and_hang_up(self, method: str, path: str, body: object) -> None:
        with pytest.raises(OSError):  # noqa: PT011 - when the process ends, in whichever way it is noticed.
            self.request(method, path, body)


@pytest.fixture
def stuck(tmp_path: Path) -> Iterator[StuckServer]:
    command = [sys.executable, "-c", SERVER, f"sqlite:///{tmp_path}/tackboard.db"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        yield StuckServer(process)
        process.kill()


def test_reports_and_waiting_writes_do_not_delay_health_readiness_and_boards(stuck: StuckServer) -> None:
    stuck.get_stuck(MAX_CONCURRENT, "GET", f"{stuck.board}/time-report")
    stuck.get_stuck(2, "POST", "/v1/boards", {"name": "Stuck"})

    assert stuck.request("GET", "/v1/health")[0] == 200
    assert stuck.request("GET", "/v1/ready")[0] == 200
    assert stuck.request("GET", stuck.board)[0] == 200
    status, problem, retry_after = stuck.request("GET", f"{stuck.board}/time-report")
    assert (status, problem["code"], retry_after) == (503, "busy", "2")


def test_copies_do_not_delay_writes(stuck: StuckServer) -> None:
    stuck.get_stuck(MAX_CONCURRENT, "POST", f"{stuck.board}/copy", {"name": "Stuck"})

    assert stuck.request("POST", f"{stuck.board}/cards", {"title": "Write the copy"})[0] == 201
    assert stuck.request("POST", f"{stuck.board}/copy", {"name": "Stuck"})[0] == 503
    assert [stuck.request("GET", path)[0] for path in (stuck.board, "/v1/health", "/v1/ready")] == [200, 200, 200]
