"""What others read of the files in infrastructure/containers, and what these say together."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.live_server import ROOT
from tests.proxies.proxies import find_program

FOLDER = ROOT / "infrastructure" / "containers"
TOOLS = ROOT / ".venv-containers" / "bin"
COMPOSE_FILES = ("compose.yaml", "compose.postgresql.yaml")


def run(tool: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a tool that `make test` installs."""
    if not (TOOLS / tool).exists():
        missing = f"{tool} isn't installed: make test installs it into .venv-containers."
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return subprocess.run([TOOLS / tool, *arguments], capture_output=True, text=True, check=False)


def read_compose(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    return content


def test_hadolint_finds_nothing() -> None:
    done = run("hadolint", FOLDER / "Containerfile")

    assert (done.returncode, done.stdout) == (0, "")


def test_hadolint_would_find_a_fault(tmp_path: Path) -> None:
    (tmp_path / "Containerfile").write_text("FROM debian\nRUN apt-get install python3\n")

    assert run("hadolint", tmp_path / "Containerfile").returncode == 1


@pytest.mark.parametrize("name", COMPOSE_FILES)
def test_the_compose_files_follow_their_schema(name: str, tmp_path: Path) -> None:
    wrong = tmp_path / name
    wrong.write_text((FOLDER / name).read_text().replace("restart:", "restrat:"))

    assert run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", FOLDER / name).returncode == 0
    assert run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", wrong).returncode == 1


def test_no_service_may_get_more_rights_and_each_returns_after_a_crash() -> None:
    services = [service for name in COMPOSE_FILES for service in read_compose(name)["services"].items()]

    for name, service in services:
        if name == "tackboard" and "image" not in service:
            continue  # what compose.postgresql.yaml adds to it
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["read_only"], name
        assert service["restart"] == "unless-stopped", name


def test_only_caddy_is_believed_and_can_be_reached() -> None:
    services = read_compose("compose.yaml")["services"]

    assert (
        services["tackboard"]["environment"]["TRUSTED_PROXIES"]
        == services["caddy"]["networks"]["front"]["ipv4_address"]
    )
    assert [name for name, service in services.items() if "ports" in service] == ["caddy"]
    assert "ports" not in read_compose("compose.postgresql.yaml")["services"]["postgres"]


def test_caddy_is_configured_as_in_the_guide_and_takes_it() -> None:
    guide = (ROOT / "docs" / "reverse-proxy.md").read_text()
    (site,) = re.findall(r"^```caddyfile\n(tackboard\.example .*?)\tlog \{.*?^```$", guide, re.DOTALL | re.MULTILINE)
    configuration = (FOLDER / "Caddyfile").read_text()

    here = configuration.partition("\n")[2].replace("{$TACKBOARD_DOMAIN}", "tackboard.example")
    assert here == site.replace("127.0.0.1:8080", "tackboard:8080") + "}\n"
    done = subprocess.run(
        [find_program("caddy"), "adapt", "--config", FOLDER / "Caddyfile", "--adapter", "caddyfile"],
        env=os.environ | {"TACKBOARD_DOMAIN": "tackboard.example"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '"dial":"tackboard:8080"' in done.stdout
