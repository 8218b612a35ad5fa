"""The package run by AWS's own runtime client, over HTTP, as `make lambda` does it."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from deploy.building import ROOT, Package
from deploy.emulation import running


@pytest.fixture
def address(own_package: Package, dynoxide: str) -> Iterator[str]:
    if not (ROOT / ".venv-deploy" / "bin" / "python").exists():
        missing = "AWS's runtime client isn't installed: make test installs it into .venv-deploy."
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    with running(own_package.zip, f"dynamodb://tackboard-{uuid4().hex}?endpoint={dynoxide}", 0) as (where, _):
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


def test_it_answers_over_http(address: str) -> None:
    assert ask("GET", f"{address}/v1/health")[0] == 200
    assert ask("GET", f"{address}/v1/boards")[0] == 401
    token = ask("POST", f"{address}/v1/users", {"name": "Mina"})[2]["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    status, headers, board = ask("POST", f"{address}/v1/boards", {"name": "Découpage"}, **bearer)
    assert (status, board["name"]) == (201, "Découpage")
    assert ask("GET", address + headers["location"], **bearer)[2] == board
