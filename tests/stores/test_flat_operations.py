"""What operations on one resource read and write costs the same in a large store as in a small one, on SQLite.

`test_flat_listings.py` has the listings, on each engine. Here SQLite counts the instructions of its virtual machine for
everything that a request runs, its transaction included.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from app.factory import create_app
from stores import open_store
from stores.sql import sqlite
from stores.sql.store import SqlStore
from tests.api.client import Client
from tests.stores import large_store
from tests.stores.large_store import ANN, BOB, BUSY_BOARD, COMMON_LABEL, LONG_CARD, NOW, TODO_LIST
from tests.stores.test_flat_listings import issue_token

SCALES = (10, 40)
MAX_GROWTH, MAX_EXTRA_INSTRUCTIONS = 1.1, 50

BOARD = f"/boards/{BUSY_BOARD}"
CARD = f"{BOARD}/cards/{LONG_CARD}"
OTHER_CARD = f"{BOARD}/cards/crd_{10:026d}"
LIST = f"{BOARD}/lists/{TODO_LIST}"
HOUR = {"started_at": "2026-11-20T09:00:00Z", "ended_at": "2026-11-20T10:00:00Z"}

REQUESTS: tuple[tuple[str, str, Any], ...] = (
    ("get", "/users/me", None),
    ("patch", "/users/me", {"name": "Ann B."}),
    ("post", "/users/me/tokens", {"name": "New", "scopes": ["read"]}),
    ("post", "/boards", {"name": "New"}),
    ("get", BOARD, None),
    ("get", f"{BOARD}?embed=lists&embed=labels&embed=members", None),
    ("get", f"{BOARD}?embed=cards", None),
    ("patch", BOARD, {"name": "Renamed"}),
    ("get", f"{BOARD}/lists", None),
    ("patch", LIST, {"name": "Renamed"}),
    ("post", f"{BOARD}/lists", {"name": "New", "stage": "done"}),
    ("get", f"{BOARD}/members/{BOB}", None),
    ("put", f"{BOARD}/members/{BOB}", {"role": "viewer"}),
    ("post", f"{BOARD}/labels", {"name": "New", "color": "red"}),
    ("patch", f"{BOARD}/labels/{COMMON_LABEL}", {"name": "Renamed", "color": "blue"}),
    ("post", f"{BOARD}/cards", {"title": "New", "assignee_ids": [ANN], "label_ids": [COMMON_LABEL]}),
    ("get", CARD, None),
    ("patch", CARD, {"title": "Renamed", "due_at": "2026-12-24T18:00:00Z"}),
    ("post", f"{CARD}/move", {"list_id": TODO_LIST, "position": "top"}),
    ("put", f"{CARD}/labels/{COMMON_LABEL}", None),
    ("put", f"{CARD}/assignees/{BOB}", None),
    ("post", f"{CARD}/comments", {"text": "New"}),
    ("post", f"{CARD}/checklists", {"name": "New"}),
    ("post", f"{OTHER_CARD}/time-entries", HOUR),
    ("post", f"{CARD}/start", None),
    ("post", f"{CARD}/resolve", None),
    ("post", f"{CARD}/archive", None),
    ("post", f"{CARD}/unarchive", None),
    ("delete", CARD, None),
    ("post", f"{CARD}/restore", None),
    ("delete", f"{BOARD}/labels/{COMMON_LABEL}", None),
    ("delete", BOARD, None),
)
"""Requests that are made in this order."""

GROWING = {
    ("delete", f"{BOARD}/labels/{COMMON_LABEL}"): "the label is taken off every card that has it",
    ("delete", BOARD): "running clocks are looked for among cards in progress, until there are too many to stop",
}
"""Requests that may cost more on a larger board, and why. Here no card in progress has a running clock."""


class CountedStore:
    """A store of some size behind the application, which counts what SQLite does."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ticks = count()
        connect = sqlite.connect

        def connect_and_count(*arguments: Any, **options: Any) -> sqlite3.Connection:
            connection = connect(*arguments, **options)
            connection.set_progress_handler(lambda: next(self._ticks) < 0, 1)
            return connection

        monkeypatch.setattr(sqlite, "connect", connect_and_count)
        self._store = SqlStore(sqlite.SqliteEngine(path, 5.0))
        self._client = Client(create_app(self._store, clock=lambda: NOW), issue_token(self._store, ANN))
        self._client.get(BOARD)

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def measure(self, method: str, path: str, body: Any) -> int:
        """Make a request and return how many instructions SQLite ran for it."""
        before = next(self._ticks)
        arguments = [] if method in ("get", "delete") or body is None else [body]
        headers = {} if method in ("get", "post", "put") else {"If-Match": "*"}
        response = getattr(self._client, method)(path, *arguments, **headers)
        assert response.status < 300, (method, path, response.json)
        return next(self._ticks) - before


@pytest.fixture
def counted_stores(
    empty_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[CountedStore, CountedStore]]:
    """Open a small and a large store."""
    paths = []
    for scale in SCALES:
        path = tmp_path / f"{scale}.db"
        shutil.copy(empty_sqlite, path)
        large_store.fill_sqlite(path, scale)
        open_store(f"sqlite:///{path}").close()
        paths.append(path)
    with closing(CountedStore(paths[0], monkeypatch)) as small, closing(CountedStore(paths[1], monkeypatch)) as large:
        yield small, large


def test_no_operation_on_one_resource_costs_more_in_a_larger_store(
    counted_stores: tuple[CountedStore, CountedStore],
) -> None:
    grown = []

    for request in REQUESTS:
        small, large = (store.measure(*request) for store in counted_stores)
        print(f"{small:>8} {large:>8} {request[0]} {request[1]}")  # noqa: T201 - pytest -s shows the instructions.
        if large > MAX_GROWTH * small + MAX_EXTRA_INSTRUCTIONS and request[:2] not in GROWING:
            grown.append((request, small, large))

    assert grown == []
