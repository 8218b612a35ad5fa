"""The units of systemd: it reads them without a remark, and they leave the service few rights."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live_server import ROOT
from tests.self_hosting.machine import require

FOLDER = ROOT / "infrastructure" / "systemd"
UNITS = sorted(path.name for path in FOLDER.iterdir() if path.suffix)
SERVICES = [name for name in UNITS if name.endswith(".service")]
MAX_EXPOSURE = 20
"""Tenths, of 100: below 20 nothing that matters is left open."""


@pytest.fixture(name="units")
def copy_units(tmp_path: Path) -> Path:
    """Copy the units; what they start is this Python, because systemd looks whether it exists."""
    require("systemd-analyze", as_root=False)
    for name in UNITS:
        text = (FOLDER / name).read_text()
        (tmp_path / name).write_text(text.replace("/opt/tackboard/bin/tackboard", sys.executable))
    return tmp_path


def analyze(*arguments: str | Path) -> tuple[int, str]:
    """Return the exit status of systemd-analyze and all that it says."""
    done = subprocess.run(
        ["systemd-analyze", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.returncode, done.stdout


def test_systemd_has_no_remark_about_the_units(units: Path) -> None:
    assert analyze("verify", *(units / name for name in UNITS)) == (0, "")


def test_systemd_would_have_a_remark_about_an_unknown_setting(units: Path) -> None:
    service = units / "tackboard.service"
    service.write_text(service.read_text().replace("ProtectSystem=", "ProtectSystme="))

    assert "'ProtectSystme'" in analyze("verify", service)[1]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_few_rights(units: Path, name: str) -> None:
    status, report = analyze("security", "--offline=true", f"--threshold={MAX_EXPOSURE}", units / name)

    assert status == 0, report


def test_the_services_have_the_same_rights() -> None:
    rights = {
        (FOLDER / name).read_text().partition("# Its own folder")[2].partition("\n[Install]")[0].strip()
        for name in SERVICES
    }

    assert len(rights) == 1
    assert "ProtectSystem=strict" in rights.pop()


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".timer")])
def test_a_timer_starts_a_command_at_a_time_that_systemd_knows(units: Path, name: str) -> None:
    text = (units / name).read_text()
    (time,) = re.findall("^OnCalendar=(.+)$", text, re.MULTILINE)
    (command,) = re.findall(r"^Unit=tackboard@(\w+)\.service$", text, re.MULTILINE)

    assert analyze("calendar", time)[0] == 0
    assert command in ("backup", "purge")


def test_the_command_of_the_operator_is_a_valid_script() -> None:
    shell = shutil.which("sh")
    assert shell

    assert subprocess.run([shell, "-n", FOLDER / "tackboard"], check=False).returncode == 0
