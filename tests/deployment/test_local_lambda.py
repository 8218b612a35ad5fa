"""The package run by AWS's own runtime client, over HTTP, as `make lambda` does it."""

import json
import os
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from infrastructure.deployment.local_lambda import create_sign_in_path, parse_free_port, run_package
from infrastructure.deployment.package_build import ROOT, DeploymentFailed, Package


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
