"""The commands with which an operator looks after an installation, and the command of a checkout."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.document import read_version
from app.settings import SETTINGS
from cli import main
from kanban.store import Busy, Store
from stores import open_store
from stores.errors import OpenMode
from stores.sql.migrations import HEAD
from stores.vacuum import CannotVacuum, vacuum
from tests.engines.other_versions import set_schema
from tests.live_server import LiveServer

ROOT = Path(__file__).parents[1]

SMALL_DISK = SimpleNamespace(free=10**6)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start every test in an empty folder, without settings in the environment."""
    monkeypatch.chdir(tmp_path)
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)


def check(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, tuple[str, str]]]:
    """Run the command; return its status, and what it says of each subject: the level and the sentence."""
    capsys.readouterr()
    status = main.main(["check"])
    lines = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert all(sentence.endswith((".", "`.")) for _, _, sentence in lines)
    return status, {subject: (level, sentence) for level, subject, sentence in lines}


def create_store() -> None:
    """Create a store that has an owner, in the folder."""
    open_store("sqlite:///tackboard.db").close()
    assert main.main(["token"]) == 0


def test_a_good_installation_is_ok_in_every_part(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    create_store()

    status, findings = check(capsys)

    assert status == 0
    assert {level for level, _ in findings.values()} == {"ok"}
    assert list(findings) == [
        *("settings", "store", "owner", "rights", "space", "backups", "sign-in", "sign-up", "limits", "proxies"),
        "webhooks",
    ]
    assert findings["settings"][1] == "All are valid; set are none."
    assert f" MB are free in {tmp_path}; the store has " in findings["space"][1]


def test_an_installation_is_checked_while_its_server_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with LiveServer(tmp_path) as server:
        monkeypatch.setenv("STORE_URL", server.store_url)
        assert check(capsys)[0] == 0


@pytest.mark.parametrize(
    ("settings", "subject", "level", "sentence"),
    [
        ({"OPEN_SIGNUP": "1"}, "sign-up", "warning", "Anyone who reaches the server can create a user"),
        ({"RATE_LIMIT": "0"}, "limits", "warning", "One client can keep the server busy, because RATE_LIMIT is 0."),
        (
            {"RATE_LIMIT_PER_ADDRESS": "0"},
            "limits",
            "warning",
            "One client can keep the server busy, because RATE_LIMIT_",
        ),
        ({"TRUSTED_PROXIES": "0.0.0.0/0"}, "proxies", "warning", "TRUSTED_PROXIES names every address"),
        ({"TRUSTED_PROXIES": "127.0.0.1,::1"}, "proxies", "ok", "Believed are 127.0.0.1/32, ::1/128."),
        ({"HOST": "0.0.0.0"}, "proxies", "ok", "None is believed, so addresses of clients are those"),  # noqa: S104
        ({"WEBHOOKS_TO_LOOPBACK": "1"}, "webhooks", "warning", "They deliver to public addresses, and to this machine"),
        ({"WEBHOOKS_ALLOW": "10.0.0.0/8"}, "webhooks", "ok", "They deliver to public addresses and to 10.0.0.0/8."),
        ({"STORE_URL": "sqlite:///other.db"}, "store", "error", "There is no store at sqlite:///"),
        ({"STORE_URL": "pigeon://ann:p4ss@loft"}, "store", "error", "STORE_URL begins with 'pigeon:'"),
        ({"CORS_ORIGINS": "*"}, "settings", "error", "CORS_ORIGINS has '*', but must name origins"),
    ],
)
def test_what_is_wrong_or_doubtful_is_a_sentence(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str],
    subject: str,
    level: str,
    sentence: str,
) -> None:
    create_store()
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    status, findings = check(capsys)

    assert findings[subject][0] == level
    assert findings[subject][1].startswith(sentence)
    assert status == (1 if level == "error" else 0)
    assert "p4ss" not in str(findings)


def test_all_invalid_settings_are_named_at_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPEN_SIGNUP", "TRUSTED_PROXIES", "JOINING"):
        monkeypatch.setenv(name, "perhaps")

    assert main.main(["check"]) == 1

    out, err = capsys.readouterr()
    assert [line.split()[2] for line in out.splitlines()] == ["TRUSTED_PROXIES", "OPEN_SIGNUP", "JOINING"]
    assert err == "3 to correct.\n"


def test_a_store_without_an_owner_or_with_an_older_schema_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    open_store("sqlite:///tackboard.db").close()
    assert check(capsys)[1]["owner"][0] == "warning"

    Path("tackboard.db").unlink()
    set_schema("sqlite:///tackboard.db", "0002")
    status, findings = check(capsys)
    assert status == 1
    assert findings["store"][1].endswith("bring it up to date with `migrate`.")


def test_rights_and_space_of_the_file_are_checked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    create_store()
    Path("tackboard.db").chmod(0o644)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SMALL_DISK)

    status, findings = check(capsys)

    assert status == 0
    assert findings["rights"][0] == "warning"
    assert "`chmod 600 " in findings["rights"][1]
    assert findings["space"][0] == findings["backups"][0] == "warning"
    assert findings["space"][1].startswith("1.0 MB are free in ")
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000)
    assert check(capsys)[1]["rights"][1].endswith("but you are the user 4000000.")


def test_a_store_that_can_not_be_written_is_an_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    create_store()
    monkeypatch.setattr("stores.sql.sqlite.MIN_FREE_BYTES", 10**18)

    status, findings = check(capsys)

    assert status == 1
    assert findings["store"] == ("error", "It can't be used right now: The disk of the database file is full.")


def _fill_and_empty_store() -> None:
    """Leave a store whose file has pages that hold nothing."""
    create_store()
    with closing(sqlite3.connect("tackboard.db")) as database:
        database.execute("CREATE TABLE filler (text TEXT)")
        database.executemany("INSERT INTO filler VALUES (?)", [("x" * 5_000,)] * 400)
        database.commit()
        database.execute("DROP TABLE filler")
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def test_a_vacuum_shrinks_the_file_and_keeps_what_is_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _fill_and_empty_store()
    before = Path("tackboard.db").stat().st_size
    capsys.readouterr()
    main.main(["digest"])

    assert main.main(["vacuum"]) == 0
    main.main(["digest"])

    first, sentence, second = capsys.readouterr().out.splitlines()
    after = Path("tackboard.db").stat().st_size
    assert sentence == f"The file had {before:,} bytes, and has {after:,}."
    assert after < before - 1_900_000
    assert first == second
    assert {path.name for path in tmp_path.iterdir()} <= {"tackboard.db", "tackboard.db-wal", "tackboard.db-shm"}
    assert "SQLITE_TMPDIR" not in os.environ


def test_a_file_is_vacuumed_while_its_server_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill_and_empty_store()
    with LiveServer(tmp_path) as server:
        monkeypatch.setenv("STORE_URL", server.store_url)
        capsys.readouterr()
        assert main.main(["vacuum"]) == 0
        assert main.main(["check"]) == 0
    assert Path("tackboard.db").stat().st_size < 1_900_000
    assert not server.errors


def test_a_vacuum_without_room_for_its_copies_changes_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill_and_empty_store()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SMALL_DISK)
    capsys.readouterr()
    before = Path("tackboard.db").read_bytes()

    assert main.main(["vacuum"]) == 1

    err = capsys.readouterr().err
    assert err.startswith("This needs ")
    assert err.endswith("tackboard.db, but 1,000,000 are free.\n")
    assert Path("tackboard.db").read_bytes() == before


def test_a_vacuum_waits_for_writers_and_then_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    create_store()
    monkeypatch.setattr("stores.vacuum._TIMEOUT_SECONDS", 0.0)
    with closing(sqlite3.connect("tackboard.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy):
            vacuum("sqlite:///tackboard.db")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql+psycopg://ann:p4ss@127.0.0.1/tackboard", "PostgreSQL frees space by itself"),
        ("dynamodb://tackboard?region=eu-central-1", "DynamoDB frees the space"),
    ],
)
def test_only_files_are_vacuumed(monkeypatch: pytest.MonkeyPatch, url: str, reason: str) -> None:
    def open_any_store(_: str, *, mode: OpenMode) -> Store:
        assert mode is OpenMode.EXISTING
        return open_store("sqlite:///tackboard.db")

    monkeypatch.setattr("stores.vacuum.open_store", open_any_store)

    with pytest.raises(CannotVacuum, match=f"This is for SQLite files: {reason}"):
        vacuum(url)


def test_the_version_names_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["version"]) == 0

    out = capsys.readouterr().out
    assert out.startswith(f"tackboard {read_version()} (schema {HEAD}, Python {sys.version_info[0]}.")
    assert f"SQLite {sqlite3.sqlite_version})\n" in out


def test_a_checkout_has_the_command(tmp_path: Path) -> None:
    link = tmp_path / "a folder"
    link.mkdir()
    (link / "tackboard").symlink_to(ROOT / "cli" / "tackboard")

    done = subprocess.run([link / "tackboard", "version"], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert done.stdout.startswith(f"tackboard {read_version()} ")


def test_a_checkout_without_its_packages_says_what_installs_them(tmp_path: Path) -> None:
    (tmp_path / "cli").mkdir()
    shutil.copy(ROOT / "cli" / "tackboard", tmp_path / "cli")

    done = subprocess.run([tmp_path / "cli" / "tackboard", "version"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"Tackboard's packages are not installed yet: run make once, such as `make digest` in {tmp_path}.\n"
    )
