"""Processes of a release and of this build serve one PostgreSQL database at the same time.

The code of a release comes from the history of this repository: a copy without it skips these tests.
"""

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import pytest

from stores import OpenMode, open_store
from stores.backup import restore_backup
from tests.engines.postgresql_server import PostgresqlServer, postgresql
from tests.golden import released_process

__all__ = ["postgresql"]

ROOT = Path(__file__).parents[2]

COMMITS = {"1.0.0": "5a86514", "1.1.0": "f5e9933", "1.2.0": "d6d0fa4"}
"""By release, the commit that it was made of."""


class Process:
    """A running process, and the token of its user."""

    def __init__(self, code: Path, url: str) -> None:
        self.token = ""
        self._process = subprocess.Popen(
            [sys.executable, released_process.__file__],
            cwd=code,
            env=os.environ | {"PYTHONPATH": str(code), "STORE_URL": url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.error: str | None = self._read()["error"]

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Return the answer to a request: its `status` and its `json`."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        request = {"method": method, "path": path, "body": body, "headers": sent}
        assert self._process.stdin
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._read()

    def get(self, path: str) -> Any:
        """Return the body of a successful answer to a GET."""
        answer = self.call("GET", path)
        assert answer["status"] == 200, answer
        return answer["json"]

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """Return the body of a successful answer to a POST."""
        answer = self.call("POST", path, body, **headers)
        assert answer["status"] in {200, 201}, answer
        return answer["json"]

    def __enter__(self) -> Self:
        """Return the process."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self._process.communicate()

    def _read(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())


@pytest.fixture(scope="module", params=COMMITS)
def released_code(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the code of a release."""
    command = ["git", "archive", COMMITS[request.param]]
    archive = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip("The history of this repository is not here.")
    folder = tmp_path_factory.mktemp(request.param)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder


@pytest.fixture
def processes(released_code: Path, postgresql: PostgresqlServer) -> Iterator[tuple[Process, Process, str]]:
    """Start a process of a release on a new database, and one of this build, which migrates it; return the URL too."""
    with postgresql.database() as database:
        url = postgresql.url(database)
        with Process(released_code, url) as old:
            assert old.error is None
            old.token = old.post("/users", {"id": "mina", "name": "Mina"})["token"]
            old.post("/users", {"id": "omar", "name": "Omar"})
            with Process(ROOT, url) as new:
                assert new.error is None
                new.token = old.token
                yield old, new, url


def test_a_process_of_a_release_goes_on_while_another_one_is_of_this_build(
    processes: tuple[Process, Process, str],
) -> None:
    board = f"/boards/{processes[0].post('/boards', {'name': 'Website'})['id']}"

    for turn, (writer, reader) in enumerate((processes[:2], processes[1::-1])):
        lists = [list_["id"] for list_ in writer.get(f"{board}/lists")["items"]]
        cards = [
            writer.post(f"{board}/cards", {"title": f"Card {number}"}, Idempotency_Key=f"{turn}-{number}")["id"]
            for number in range(4)
        ]
        card = f"{board}/cards/{cards[0]}"
        label = writer.post(f"{board}/labels", {"name": f"Label {cards[0]}", "color": "red"})["id"]
        patch = {"description": "Größe", "label_ids": [label], "assignee_ids": ["mina"], "external_id": cards[0]}
        assert writer.call("PATCH", card, patch, If_Match="*")["status"] == 200
        writer.post(f"{card}/move", {"list_id": lists[1]})
        writer.post(f"{board}/cards/{cards[1]}/start")
        reader.post(f"{board}/cards/{cards[1]}/resolve")
        items = f"{card}/checklists/{writer.post(f'{card}/checklists', {'name': 'Steps'})['id']}/items"
        writer.post(items, {"text": "Ask", "assignee_id": "mina"})
        writer.post(f"{card}/comments", {"text": "Looks good."})
        worked = {"started_at": "2026-11-19T08:00:00Z", "ended_at": "2026-11-19T08:30:00Z"}
        writer.post(f"{card}/time-entries", worked)
        assert writer.call("PUT", f"{board}/members/omar", {"role": "editor"})["status"] in {200, 201}
        assert reader.call("DELETE", f"{board}/cards/{cards[2]}", If_Match="*")["status"] == 204
        writer.post(f"{board}/cards/{cards[2]}/restore")
        reader.post(f"{board}/cards/{cards[3]}/archive")
        # A request that is repeated to the other process gets the stored answer.
        again = reader.post(f"{board}/cards", {"title": "Card 0"}, Idempotency_Key=f"{turn}-0")
        assert again["id"] == cards[0]
        for path in (f"{board}?embed=lists,labels,members", f"{board}/cards?limit=50", f"{card}/checklists"):
            assert not [*find_missing(processes[0].get(path), processes[1].get(path))]
        exported = [process.get(f"{board}/export") for process in processes[:2]]
        assert len({len(document["cards"]) for document in exported}) == 1

    events = processes[1].get(f"{board}/events?limit=100")["items"]
    assert [event["seq"] for event in events] == [*range(1, len(events) + 1)]


def test_tokens_of_either_process_are_valid_and_revoked_in_both(processes: tuple[Process, Process, str]) -> None:
    old, new, _ = processes
    for maker, other in ((old, new), (new, old)):
        made = maker.post("/users/me/tokens", {"name": "CI", "scopes": ["read"]})
        own_token, other.token = other.token, made["secret"]
        assert other.call("GET", "/users/me")["status"] == 200
        assert maker.call("DELETE", f"/users/me/tokens/{made['token']['id']}")["status"] == 204
        assert other.call("GET", "/users/me")["status"] == 401
        other.token = own_token


def test_both_write_to_one_board_at_once(processes: tuple[Process, Process, str]) -> None:
    board = f"/boards/{processes[0].post('/boards', {'name': 'Busy'})['id']}"

    def write(process: Process) -> list[int]:
        return [process.call("POST", f"{board}/cards", {"title": str(number)})["status"] for number in range(25)]

    with ThreadPoolExecutor(2) as threads:
        statuses = [status for result in threads.map(write, processes[:2]) for status in result]

    # A writer who loses too often is told to try again; nothing is lost, and nothing written twice.
    assert {*statuses} <= {201, 503}
    events = processes[1].get(f"{board}/events?limit=100")["items"]
    assert [event["seq"] for event in events] == [*range(1, len(events) + 1)]
    assert sum(event["type"] == "card.created" for event in events) == statuses.count(201)


def test_a_release_does_not_start_on_a_newer_database(
    processes: tuple[Process, Process, str], released_code: Path
) -> None:
    with Process(released_code, processes[2]) as late:
        assert late.error is not None
        assert "newer" in late.error
        assert late.error.count("\n") == 0


def test_what_is_backed_up_before_a_migration_leads_back_to_the_release(
    released_code: Path, postgresql: PostgresqlServer, tmp_path: Path
) -> None:
    with postgresql.database() as database:
        url = postgresql.url(database)
        with Process(released_code, url) as old:
            old.token = token = old.post("/users", {"id": "mina", "name": "Mina"})["token"]
            board = f"/boards/{old.post('/boards', {'name': 'Größe'}, Idempotency_Key='b-1')['id']}"
            card = f"{board}/cards/{old.post(f'{board}/cards', {'title': '日本 👩'})['id']}"
            body = {"due_complete": True, "due_at": "2026-11-25T17:00:00+01:00", "assignee_ids": ["mina"]}
            assert old.call("PATCH", card, body, If_Match="*")["status"] == 200
            expected = [old.get(path) for path in (board, card, f"{board}/events")]
        reports: list[str] = []

        open_store(url, mode=OpenMode.MIGRATE, report=reports.append, backup_folder=tmp_path).close()

    (backup,) = tmp_path.iterdir()
    assert f"A backup of the old data is {backup}" in reports[0]
    restored = f"sqlite:///{tmp_path}/restored.db"
    restore_backup(backup, restored)
    # The release serves the file as it is.
    for code, copy in ((ROOT, restored), (released_code, f"sqlite:///{backup}")):
        with Process(code, copy) as process:
            assert process.error is None
            process.token = token
            answers = [process.get(path) for path in (board, card, f"{board}/events")]
            assert not [*find_missing(expected, answers)]
            again = process.post("/boards", {"name": "Größe"}, Idempotency_Key="b-1")
            assert f"/boards/{again['id']}" == board


def find_missing(old: Any, new: Any, at: str = "") -> Iterator[str]:
    """Yield what this build shows in another way than the release; more properties are none of it."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name, value in old.items():
            yield from find_missing(value, new.get(name, "missing"), f"{at}/{name}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from find_missing(one, other, f"{at}/{number}")
    elif old != new:
        yield f"{at} was {old!r} and is {new!r}"
