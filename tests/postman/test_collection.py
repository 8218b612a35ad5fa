"""The Postman collection has every operation, and newman runs it against the mock."""

import json
import os
import re
import subprocess
import sys

import pytest

from tools.openapi.bundle import Bundle
from tools.openapi.client_generation import run_newman
from tools.openapi.findings import BUNDLE, ROOT
from tools.openapi.postman_collection import build_collection, write_collection


def test_the_collection_has_a_request_for_every_operation() -> None:
    document = json.loads(BUNDLE.read_bytes())

    made = build_collection(document)

    assert sum(len(folder["item"]) for folder in made["item"]) == len(Bundle(document).operations)


def test_newman_runs_the_collection_against_the_mock() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tools.openapi.mock_server"],
        cwd=ROOT,
        env=os.environ | {"HOST": "127.0.0.1", "PORT": "0"},
        stdout=subprocess.PIPE,
        text=True,
    ) as mock:
        try:
            assert mock.stdout
            address = re.search(r"http://\S+/v1", mock.stdout.readline())
            if address is None:
                pytest.fail("The mock did not start.")
            output = run_newman(write_collection(), address[0])
        finally:
            mock.terminate()

    asserted = re.search(r"assertions\W+(\d+)\W+(\d+)", output)
    assert asserted
    assert (int(asserted[1]), asserted[2]) == (len(Bundle(json.loads(BUNDLE.read_bytes())).operations), "0")
