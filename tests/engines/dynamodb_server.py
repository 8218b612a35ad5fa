"""A DynamoDB on this machine, for tests: a server of another make that keeps DynamoDB's promises, in memory.

dynoxide comes with `npm ci`, as a program for the platform; DYNOXIDE names one elsewhere. MINISTACK names the Python
of an environment with ministack in it: a second opinion.
"""

import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from kanban.store import Store
from stores import open_store
from stores.dynamodb.calls import CallRejected
from stores.dynamodb.connecting import find_ca_bundle
from stores.dynamodb.connections import ConnectionPool
from stores.dynamodb.http_client import HttpClient
from stores.dynamodb.signing import Credentials, RequestSigner
from tests.engines.boards_without_tips import StoreWithoutTips

ROOT = Path(__file__).parents[2]

START_SECONDS = 20.0
"""How many seconds a server may take to start."""


LOCAL_CREDENTIALS = Credentials("local", "local", None)

SDK_ENGINE = "dynamodb-sdk"
"""The same server with the SDK's client."""

OLD_ENGINE = "dynamodb-1.2"
"""The same server with boards as they were before version 1.3."""

OpenData = Callable[[pytest.FixtureRequest], AbstractContextManager[Callable[[], Store]]]


@pytest.fixture(scope="session")
def dynoxide() -> Iterator[str]:
    """Run dynoxide, and yield its address."""
    if not Path(_dynoxide_program()).exists():
        missing = "dynoxide isn't installed: npm ci, or name it in DYNOXIDE."
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    with run_dynoxide() as address:
        yield address


@contextmanager
def run_dynoxide() -> Iterator[str]:
    """Run dynoxide and yield its address."""
    port = _free_port()
    with _run_server([_dynoxide_program(), "--host", "127.0.0.1", "--port", str(port)], port) as address:
        yield address


@pytest.fixture(scope="session")
def ministack() -> Iterator[str]:
    """Run ministack, and yield its address."""
    port = _free_port()
    environment = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "SERVICES": "dynamodb"}
    with _run_server([os.environ["MINISTACK"], "-m", "ministack"], port, environment) as address:
        yield address


def list_dynamodb_engines() -> dict[str, OpenData]:
    """By name, a table of its own on a server: with our own client, and with the SDK's."""
    engines: dict[str, OpenData] = {
        "dynamodb": partial(_open_table, "dynoxide"),
        SDK_ENGINE: partial(_open_table_with_sdk, "dynoxide"),
        OLD_ENGINE: _open_table_without_tips,
    }
    if "MINISTACK" in os.environ:
        engines["ministack"] = partial(_open_table, "ministack")
    return engines


def create_table_url(address: str) -> str:
    """Return the URL of a store in a new table on that server."""
    return f"dynamodb://tackboard-{uuid4().hex}?endpoint={address}"


def delete_table(url: str) -> None:
    """Delete the table of a URL, if it was made: with every table that a server has, it takes longer to make one."""
    table, _, address = url.removeprefix("dynamodb://").partition("?endpoint=")
    signer = RequestSigner(address, "us-east-1", lambda: lambda: LOCAL_CREDENTIALS)
    with closing(HttpClient(ConnectionPool(address, find_ca_bundle()), signer)) as client, suppress(CallRejected):
        client("delete_table", {"TableName": table})


@contextmanager
def _open_table(server: str, request: pytest.FixtureRequest) -> Iterator[Callable[[], Store]]:
    url = create_table_url(request.getfixturevalue(server))
    yield lambda: open_store(url)
    delete_table(url)


@contextmanager
def _open_table_with_sdk(server: str, request: pytest.FixtureRequest) -> Iterator[Callable[[], Store]]:
    """Yield what opens a table with the SDK's client, as a machine with a configuration of the SDK does."""
    require_sdk(request.getfixturevalue("monkeypatch"), request.getfixturevalue("tmp_path"))
    with _open_table(server, request) as open_data:
        yield open_data


@contextmanager
def _open_table_without_tips(request: pytest.FixtureRequest) -> Iterator[Callable[[], Store]]:
    url = create_table_url(request.getfixturevalue("dynoxide"))
    yield lambda: StoreWithoutTips(url)
    delete_table(url)


def require_sdk(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Give this process a configuration that only the SDK reads."""
    config = folder / "aws_config"
    config.write_text("[default]\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))


def _dynoxide_program() -> str:
    return os.environ.get("DYNOXIDE") or str(_packaged_program())


def _packaged_program() -> Path:
    machine = platform.machine().lower()
    processor = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}.get(machine, machine)
    return ROOT / "node_modules" / "@dynoxide" / f"{sys.platform}-{processor}" / "dynoxide"


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port: int = listening.getsockname()[1]
    return port


@contextmanager
def _run_server(command: list[str], port: int, environment: dict[str, str] | None = None) -> Iterator[str]:
    server = subprocess.Popen(
        command,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(server, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(START_SECONDS)


def _wait_for(server: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
