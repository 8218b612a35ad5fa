"""The package run by AWS's own runtime client, over HTTP, as `make lambda` does it."""

import json
import os
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from aws.reader_function import SWEEP_EVENT
from aws.scheduled_purge import PURGE_EVENT
from infrastructure.deployment.invoke import EVENTS, find_event, invoke
from infrastructure.deployment.local_lambda import create_sign_in_path, parse_free_port, run_package
from infrastructure.deployment.package_build import ROOT, DeploymentFailed, Package
from tests.aws.test_reader_function import build_queue_event, build_stream_event
from tests.contract.aws_events import http_api_event


@pytest.fixture
def address(own_package: Package, dynoxide: str) -> Iterator[str]:
    if not (ROOT / ".venv-deploy" / "bin" / "python").exists():
        missing = "AWS's runtime client isn't installed: make test installs it into .venv-deploy."
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    with run_package(own_package.zip, f"dynamodb://tackboard-{uuid4().hex}?endpoint={dynoxide}", 0) as (where, _):
        yield where


def ask(method: str, url: str, body: object = None, **headers: str) -> tuple[int, Any, Any]:
    content = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, content, {"Content-Type": "application/json", **headers}, method=method)  # noqa: S310 - our own address
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
            return answer.status, answer.headers, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, json.loads(error.read())


def test_the_local_lambda_answers_over_http(address: str) -> None:
    status, get, _ = ask("GET", f"{address}/v1/health")
    assert status == 200
    assert ask("HEAD", f"{address}/v1/health")[1]["content-length"] == get["content-length"] != "0"
    assert ask("GET", f"{address}/v1/boards")[0] == 401
    token = ask("POST", f"{address}/v1/users", {"name": "Mina"})[2]["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    status, headers, board = ask("POST", f"{address}/v1/boards", {"name": "Découpage"}, **bearer)
    assert (status, board["name"]) == (201, "Découpage")
    assert ask("GET", address + headers["location"], **bearer)[2] == board


def test_the_local_lambda_serves_the_site(address: str) -> None:
    with urllib.request.urlopen(f"{address}/", timeout=30) as page:  # noqa: S310 - our own address
        assert page.headers["content-type"].startswith("text/html")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{address}/nowhere", timeout=30)  # noqa: S310 - as above


@pytest.fixture
def environment(address: str) -> dict[str, str]:
    return {"PORT": address.rpartition(":")[2]}


def test_an_event_of_a_file_reaches_the_local_lambda(environment: dict[str, str]) -> None:
    assert invoke(find_event("ready"), "", environment)["statusCode"] == 200
    assert invoke(find_event("boards"), "", environment)["statusCode"] == 401
    assert invoke(find_event("purge"), "", environment) == {"erased": 0, "done": True}


def test_an_event_that_the_function_rejects_is_reported(environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "own.json"
    file.write_text('{"source": "nowhere"}')

    with pytest.raises(DeploymentFailed, match=r"^The function failed: "):
        invoke(find_event(str(file)), "", environment)


def test_an_event_that_cannot_be_sent_is_reported_in_one_sentence() -> None:
    with pytest.raises(
        DeploymentFailed, match=r"^Name an event: make invoke EVENT=boards\|create-board\|purge\|ready\|"
    ):
        find_event("nothing")
    with pytest.raises(
        DeploymentFailed, match=r"^make lambda runs the function 'api' only: name a stage for 'readers'\.$"
    ):
        invoke(find_event("sweep"), "", {})
    with pytest.raises(DeploymentFailed, match=r"^The event can't be sent: "):
        invoke(find_event("ready"), "", {"PORT": "1"})


@pytest.mark.parametrize("file", sorted(EVENTS.glob("*/*.json")), ids=lambda file: file.stem)
def test_the_events_in_files_are_those_that_aws_sends(file: Path) -> None:
    """The builders of events in the tests have the shapes that AWS documents."""
    board_id, token = "brd_01hqz0000000000000000000ab", {"Authorization": "Bearer tkb_put_a_token_here"}
    message = json.dumps({"board_id": board_id, "reader": "webhook:whk_01hqz0000000000000000000ab"})
    json_headers = {**token, "Content-Type": "application/json", "Idempotency-Key": "6f1c1b3e9d0f4b6a"}

    assert (
        json.loads(file.read_text())
        == {
            "boards": http_api_event("GET", "/v1/boards?limit=10", headers=token),
            "create-board": http_api_event("POST", "/v1/boards", json.dumps({"name": "Website"}), json_headers),
            "purge": PURGE_EVENT,
            "queue": build_queue_event(message),
            "ready": http_api_event("GET", "/v1/ready"),
            "stream": build_stream_event(board_id),
            "sweep": SWEEP_EVENT,
        }[file.stem]
    )


def test_a_taken_or_invalid_port_is_reported_in_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(
            DeploymentFailed, match=rf"^Port {port} is taken, or not allowed: make lambda PORT=3001 takes another\.$"
        ):
            parse_free_port(port)
    for none in ("7x", "-1", "99999", ""):
        with pytest.raises(DeploymentFailed, match=r"^PORT must be a number from 0 to 65535"):
            parse_free_port(none)


def test_a_sign_in_path_creates_the_table_and_a_token_of_its_owner(dynoxide: str) -> None:
    url = f"dynamodb://tackboard-{uuid4().hex}?endpoint={dynoxide}"

    assert re.fullmatch(r"/#token=tkb_\w{36}", create_sign_in_path(url))


def test_an_unreachable_table_is_reported_in_one_sentence() -> None:
    with pytest.raises(DeploymentFailed, match=r"^The DynamoDB table 'tackboard' cannot be used"):
        create_sign_in_path("dynamodb://tackboard?endpoint=http://127.0.0.1:1")
