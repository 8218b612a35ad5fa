"""Each release's data in a store of today's build: the SQLite file, the backup and the table."""

import json
import random
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from app.factory import create_app
from cli import main
from contract.responses import ContractBreach
from stores import open_store
from stores.backup import create_backup, restore_backup
from tests.api.client import Client
from tests.engines.dynamodb_server import create_table_url, dynoxide
from tests.golden.table_items import write_items

__all__ = ["dynoxide"]

GOLDEN = Path(__file__).parent
RELEASES = sorted(file.parent.name for file in GOLDEN.glob("*/export.json"))
MOVED = ("backup in a table", "table in a file")
"""Data of one engine that were moved to another one."""

ENGINES = ("file", "backup", "table", *MOVED)


@dataclass(frozen=True)
class Release:
    """The golden data of a release, unpacked."""

    version: str
    folder: Path
    answers: dict[str, Any]
    """What anybody could see at the end, and when that was."""

    pages: dict[str, Any]
    """Cursors and the pages that they led to, by engine."""

    @property
    def now(self) -> datetime:
        """The moment at which the data were complete."""
        return datetime.fromisoformat(self.answers["now"])


@dataclass(frozen=True)
class Copy:
    """A release's data in a store of today's build."""

    release: Release
    url: str
    engine: str
    application: Any

    def client(self, name: str = "mina") -> Client:
        """Return a client with the token that the release gave this user."""
        return Client(self.application, self.release.answers["tokens"][name])


@pytest.fixture(scope="session", params=RELEASES)
def release(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Every release in turn."""
    folder = tmp_path_factory.mktemp(request.param)
    shutil.copy(GOLDEN / request.param / "export.json", folder)
    with tarfile.open(GOLDEN / request.param / "data.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    answers, pages = (json.loads((folder / f"{name}.json").read_text()) for name in ("answers", "pages"))
    return Release(request.param, folder, answers, pages)


@pytest.fixture(scope="session", params=ENGINES)
def shared_copy(
    request: pytest.FixtureRequest, release: Release, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Copy]:
    """Return a release's data, for tests that only read."""
    with _open_copy(request, release, tmp_path_factory.mktemp("shared_copy")) as copy:
        yield copy


@pytest.fixture(params=ENGINES)
def own_copy(request: pytest.FixtureRequest, release: Release, tmp_path: Path) -> Iterator[Copy]:
    """Return a copy of a release's data, for a test that changes them."""
    with _open_copy(request, release, tmp_path) as copy:
        yield copy


@contextmanager
def _open_copy(request: pytest.FixtureRequest, release: Release, folder: Path) -> Iterator[Copy]:
    def fail(breach: ContractBreach) -> None:
        raise AssertionError(breach)

    url = _LOADERS[request.param](request, release, folder)
    store = open_store(url)
    application = create_app(
        store,
        clock=lambda: release.now,
        random_bytes=random.Random(8).randbytes,  # noqa: S311 - the same ids in every run are what a test wants.
        on_breach=fail,
    )
    yield Copy(release, url, request.param, application)
    store.close()


def _load_file(_: pytest.FixtureRequest, release: Release, folder: Path) -> str:
    shutil.copy(release.folder / "store.db", folder)
    return f"sqlite:///{folder}/store.db"


def _load_backup(_: pytest.FixtureRequest, release: Release, folder: Path) -> str:
    url = f"sqlite:///{folder}/restored.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORE_URL", url)
        assert main.main(["restore", str(release.folder / "backup.db")]) == 0
    return url


def _load_table(request: pytest.FixtureRequest, release: Release, _: Path) -> str:
    address = request.getfixturevalue("dynoxide")
    url = create_table_url(address)
    open_store(url).close()
    items = json.loads((release.folder / "items.json").read_text())
    write_items(address, url.partition("//")[2].partition("?")[0], items)
    return url


def _load_backup_into_table(request: pytest.FixtureRequest, release: Release, _: Path) -> str:
    url = create_table_url(request.getfixturevalue("dynoxide"))
    restore_backup(release.folder / "backup.db", url)
    return url


def _load_table_into_file(request: pytest.FixtureRequest, release: Release, folder: Path) -> str:
    url = f"sqlite:///{folder}/from_table.db"
    digest = create_backup(_load_table(request, release, folder), folder / "table.db")
    assert restore_backup(folder / "table.db", url) == digest
    return url


_LOADERS: dict[str, Callable[[pytest.FixtureRequest, Release, Path], str]] = {
    "file": _load_file,
    "backup": _load_backup,
    "table": _load_table,
    "backup in a table": _load_backup_into_table,
    "table in a file": _load_table_into_file,
}
