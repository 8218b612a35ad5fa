"""What a function loads when it starts: each only what it needs, because somebody waits for it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infrastructure.deployment.package_build import ROOT


def list_loaded_packages(module: str, folder: Path) -> set[str]:
    """Return the packages that are loaded once a module is imported in a new process."""
    script = f"import {module}, sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    environment = {**os.environ, "STORE_URL": f"sqlite:///{folder}/tackboard.db"}
    command = [sys.executable, "-c", script]
    output = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout
    return set(output.split())


def test_the_function_of_the_api_does_not_load_what_delivers_webhooks(tmp_path: Path) -> None:
    assert not list_loaded_packages("lambda_wsgi_handler", tmp_path) & {"delivery", "readers"}


def test_the_function_of_the_api_loads_what_checks_signatures_with_the_first_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not list_loaded_packages("lambda_wsgi_handler", tmp_path) & {"cryptography", "jwt", "oidc"}

    provider = {"id": "staff", "name": "Staff", "issuer": "https://id.example.test", "client_id": "tackboard"}
    monkeypatch.setenv("OIDC_PROVIDERS", json.dumps([provider]))
    assert not list_loaded_packages("lambda_wsgi_handler", tmp_path) & {"cryptography", "jwt"}


def test_what_delivers_webhooks_does_not_load_the_application(tmp_path: Path) -> None:
    loaded = list_loaded_packages("app.reader_runner", tmp_path)

    assert {"delivery", "readers"} <= loaded
    assert not loaded & {"connexion", "contract", "jsonschema_rs"}
