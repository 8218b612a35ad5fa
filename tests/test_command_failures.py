"""Whatever is wrong, every command says so in one sentence, ends with a status other than 0, and makes nothing."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from app.settings import SETTINGS
from cli import main
from cli.progress import ProgressBar
from stores import open_store
from stores.backup import create_backup
from stores.sql import migrations
from tests.engines.dynamodb_server import create_table_url, dynoxide
from tests.engines.other_versions import set_schema
from tests.engines.postgresql_server import PostgresqlServer
from tests.stores.conftest import postgresql
from tests.stores.world import World

__all__ = ["dynoxide", "postgresql"]

ROOT = Path(__file__).parents[1]

BOARD = "brd_01m7wjyxw0g21k7me9wgs7f9wj"

ARGUMENTS = {
    "run": [],
    "readers": [],
    "check": [],
    "version": [],
    "users list": [],
    "users add": ["mina", "--name", "Mina"],
    "users owner": ["mina"],
    "users member": ["mina"],
    "users disable": ["mina"],
    "users enable": ["mina"],
    "users delete": ["mina", "--yes"],
    "tokens list": [],
    "tokens revoke": ["tok_01m7wjyxw0g21k7me9wgs7f9wj"],
    "token": [],
    "audit-log": [],
    "sign-in": [],
    "boards list": [],
    "boards export": [BOARD, "new.json"],
    "boards delete": [BOARD, "--yes"],
    "export": [BOARD, "new.json"],
    "import": ["export.json"],
    "backup": ["new.db"],
    "restore": ["monday.db"],
    "digest": [],
    "migrate": [],
    "purge": [],
    "vacuum": [],
    "jobs": [],
}
"""Every command, with arguments that are good."""

WITHOUT_STORE = {"check", "version"}
"""The commands that need no store: one says what is wrong with it."""

SERVERS = {"run", "readers"}
"""The commands that log what they do."""

CREATING = {"run", "restore"}
"""The commands that create a missing store."""

MIGRATING = {"run", "migrate"}
"""The commands that bring an older store up to date."""

TOO_LONG_NAME = "n" * 300


class GoodFiles(NamedTuple):
    """A store with a board, and a backup of it, to be copied: creating them takes longer than most tests."""

    store: Path
    backup: Path
    board_id: str

    def copy_store(self) -> None:
        """Have that store where STORE_URL says if nobody says anything else."""
        shutil.copy(self.store, "tackboard.db")


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> GoodFiles:
    """Return a valid store and a valid backup."""
    folder = tmp_path_factory.mktemp("good")
    with closing(open_store(f"sqlite:///{folder}/used.db")) as store:
        world = World(store)
        # The first start of a server makes the secret, from which an export names its installation.
        store.read_secret()
        for _ in range(4):
            world.add_card("Grüße", description="viel\nzu tun" * 1000)
    create_backup(f"sqlite:///{folder}/used.db", folder / "monday.db")
    return GoodFiles(folder / "used.db", folder / "monday.db", world.board_id)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good: GoodFiles) -> Path:
    """Change into a folder with nothing but a valid backup and a valid export."""
    monkeypatch.chdir(tmp_path)
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)
    monkeypatch.setenv("PORT", "0")
    shutil.copy(good.backup, "monday.db")
    todo = {"id": "5f3c2a1b0000000000000001", "name": "To do"}
    Path("export.json").write_text(
        json.dumps({"id": "5f3c2a1b9d8e7f6a5b4c3d2e", "name": "Garden", "lists": [todo], "cards": []})
    )
    return tmp_path


def read_folder(folder: Path) -> dict[str, bytes | None]:
    """Return the content of every file in the folder by its path, None for what is not a regular file."""
    return {str(path): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def error_message(arguments: list[str], capsys: pytest.CaptureFixture[str], folder: Path) -> str:
    """Run a command that must fail, leave the folder unchanged and print one sentence; return the sentence."""
    before = read_folder(folder)
    capsys.readouterr()

    status = main.main(arguments)

    out, err = capsys.readouterr()
    assert status == 1
    assert not out
    assert re.fullmatch(r"[^\n]+\.\n", err)
    assert not re.search(r"\w\. ", err)
    assert "p4ss" not in err
    assert read_folder(folder) == before
    return err


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the URL, with a password, of an empty PostgreSQL database."""
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    with server.database() as name:
        yield server.url(name, "tackboard:p4ss")


GetFixture = Callable[[str], object]
"""Gives a fixture by its name: what a case doesn't ask for is not started."""


def sqlite_text(_: GetFixture) -> str:
    Path("notes.txt").write_text("Milk, bread, and a good long line so that it could be a header." * 9)
    return "sqlite:///notes.txt"


def sqlite_foreign(_: GetFixture) -> str:
    with closing(sqlite3.connect("other.db")) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    return "sqlite:///other.db"


def sqlite_empty(_: GetFixture) -> str:
    Path("empty.db").touch()
    return "sqlite:///empty.db"


def postgresql_foreign(get_fixture: GetFixture) -> str:
    engine = sa.create_engine(str(get_fixture("database")), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE recipes (name TEXT)")
    return str(get_fixture("database"))


MISSING_STORES: dict[str, Callable[[GetFixture], str]] = {
    "default": lambda _: "",
    "sqlite_absent": lambda _: "sqlite:///nothing.db",
    "sqlite_odd_name": lambda _: "sqlite:///no%3Fthing%20.db",
    "sqlite_in_no_folder": lambda _: "sqlite:///no/folder/nothing.db",
    "sqlite_empty": sqlite_empty,
    "postgresql_empty": lambda ask: str(ask("database")),
    "dynamodb_absent": lambda ask: create_table_url(str(ask("dynoxide"))),
}

OLDER_STORES: dict[str, Callable[[GetFixture], str]] = {
    "sqlite": lambda _: set_schema("sqlite:///older.db", "0002"),
    "postgresql": lambda ask: set_schema(str(ask("database")), "0002"),
}

UNUSABLE_STORES: dict[str, Callable[[GetFixture], str]] = {
    "scheme": lambda _: "carrier-pigeon://loft",
    "no_url": lambda _: "tackboard.db",
    "sqlite_nowhere": lambda _: "sqlite:///",
    "sqlite_host": lambda _: "sqlite://host/x.db",
    "sqlite_folder": lambda _: "sqlite:///.",
    "sqlite_below_a_file": lambda _: "sqlite:///export.json/x.db",
    "sqlite_too_long": lambda _: f"sqlite:///{TOO_LONG_NAME}",
    "sqlite_no_text": lambda _: "sqlite:///\udcff/x.db",
    "sqlite_null": lambda _: "sqlite:///a%00b.db",
    "sqlite_text": sqlite_text,
    "sqlite_foreign": sqlite_foreign,
    "sqlite_newer": lambda _: set_schema("sqlite:///newer.db", "9999"),
    "postgresql_silent": lambda _: "postgresql+psycopg://ann:p4ss@127.0.0.1:1/tackboard",
    "postgresql_no_name": lambda _: "postgresql+psycopg://ann:p4ss@127.0.0.1",
    "postgresql_no_option": lambda _: "postgresql+psycopg://ann:p4ss@127.0.0.1:1/tackboard?p4ss=1",
    "postgresql_null": lambda _: "postgresql+psycopg://ann:p4ss%00@127.0.0.1:1/tackboard",
    "postgresql_no_text": lambda _: "postgresql+psycopg://ann:p4ss\udcff@127.0.0.1:1/tackboard",
    "postgresql_no_database": lambda ask: str(ask("database")).rpartition("/")[0] + "/nothing",
    "postgresql_foreign": postgresql_foreign,
    "postgresql_newer": lambda ask: set_schema(str(ask("database")), "9999"),
    "dynamodb_no_region": lambda _: "dynamodb://tackboard",
    "dynamodb_no_table": lambda _: "dynamodb://?region=eu-central-1",
    "dynamodb_no_endpoint": lambda _: "dynamodb://tackboard?endpoint=nowhere",
    "dynamodb_broken_endpoint": lambda _: "dynamodb://tackboard?endpoint=http://[::1",
    "dynamodb_silent": lambda _: "dynamodb://tackboard?endpoint=http://ann:p4ss@127.0.0.1:1",
}


def test_every_command_is_tested_here() -> None:
    assert sorted(ARGUMENTS) == sorted(command.name for commands in main.COMMANDS.values() for command in commands)


@pytest.mark.parametrize("name", sorted(ARGUMENTS.keys() - CREATING - WITHOUT_STORE))
@pytest.mark.parametrize("case", MISSING_STORES)
def test_a_command_that_needs_a_store_never_creates_one(
    folder: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    case: str,
) -> None:
    url = MISSING_STORES[case](request.getfixturevalue)
    monkeypatch.setenv("STORE_URL", url)

    message = error_message([*name.split(), *ARGUMENTS[name]], capsys, folder)

    assert message.startswith(f"There is no store at {url.partition('//')[0]}")
    # It is as missing as before: a second command says the same.
    assert error_message([*name.split(), *ARGUMENTS[name]], capsys, folder) == message


@pytest.mark.parametrize("name", sorted(ARGUMENTS.keys() - MIGRATING - WITHOUT_STORE))
@pytest.mark.parametrize("case", OLDER_STORES)
def test_only_run_and_migrate_migrate_a_store(
    folder: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    case: str,
) -> None:
    monkeypatch.setenv("STORE_URL", OLDER_STORES[case](request.getfixturevalue))

    message = error_message([*name.split(), *ARGUMENTS[name]], capsys, folder)

    assert message.endswith(
        f" was made by an older Tackboard (schema 0002; this one needs {migrations.HEAD}): "
        "bring it up to date with `migrate`.\n"
    )
    # It is as old as before: a second command says the same.
    assert error_message([*name.split(), *ARGUMENTS[name]], capsys, folder) == message


@pytest.mark.parametrize("name", sorted(ARGUMENTS.keys() - WITHOUT_STORE))
@pytest.mark.parametrize("case", UNUSABLE_STORES)
def test_an_unusable_store_is_reported_in_one_sentence(
    folder: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    case: str,
) -> None:
    for region in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(region, raising=False)
    monkeypatch.setenv("STORE_URL", UNUSABLE_STORES[case](request.getfixturevalue))
    if name in SERVERS:
        monkeypatch.setenv("LOG_LEVEL", "warning")

    message = error_message([*name.split(), *ARGUMENTS[name]], capsys, folder)

    if case.endswith("newer"):
        assert "was made by a newer Tackboard (schema 9999;" in message


def make_files() -> None:
    """Create files of every kind that a user could name by mistake."""
    Path("a_folder").mkdir()
    Path("empty").touch()
    Path("text").write_text("Dear diary, " * 1000)
    Path("noise").write_bytes(bytes(range(256)) * 64)
    Path("cut.db").write_bytes(Path("monday.db").read_bytes()[:-4096])
    Path("begun.db").write_bytes(Path("monday.db").read_bytes()[:50])
    Path("longer.db").write_bytes(Path("monday.db").read_bytes() + b"\0")
    os.mkfifo("pipe")
    sqlite_foreign(lambda _: None)
    set_schema("sqlite:///newer.db", "9999")
    Path("digits.json").write_text('{"id": ' + "1" * 5000 + "}")


UNUSABLE_ARGUMENTS = [
    *(["backup", name] for name in ("text", "a_folder", "", ".", "no/folder/new.db", TOO_LONG_NAME, "text/new.db")),
    *(
        ["export", BOARD, name]
        for name in ("text", "a_folder", "", "no/folder/new.csv", TOO_LONG_NAME, "text/new.json")
    ),
    *(["export", name, "new.json"] for name in (BOARD, "", "b" * 5000, "brd_ä", "brd_\udcff", "no such board")),
    *(
        [*command, name]
        for command in (["token"], ["users", "disable"], ["tokens", "list"], ["tokens", "revoke"])
        for name in ("", "nobody", "b" * 5000, "b\udcff", "no such user")
    ),
    *(["users", "add", name, "--name", "Mina"] for name in ("", "me", "Mina", "b" * 65, "b\udcff", "-", "usr_é")),
    *(["users", "add", "mina", "--name", name] for name in ("", " ", "a\nb", "x" * 500)),
    *(["boards", "delete", name, "--yes"] for name in (BOARD, "", "b" * 5000, "brd_\udcff")),
    *(
        ["restore", name]
        for name in ("nothing.db", "a_folder", "", "empty", "text", "noise", TOO_LONG_NAME, "text/x.db", "pipe")
    ),
    *(["restore", name] for name in ("cut.db", "begun.db", "longer.db", "other.db", "newer.db", "/dev/null")),
    *(
        ["import", name]
        for name in ("nothing.json", "a_folder", "", "empty", "text", "noise", TOO_LONG_NAME, "text/x.json")
    ),
    *(["import", name] for name in ("monday.db", "digits.json", "/dev/null")),
]


@pytest.mark.parametrize(
    "arguments", UNUSABLE_ARGUMENTS, ids=lambda arguments: " ".join(arguments)[:40].encode("ascii", "replace")
)
def test_an_unusable_argument_is_reported_in_one_sentence(
    folder: Path,
    good: GoodFiles,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
) -> None:
    make_files()
    good.copy_store()
    if arguments[0] == "restore":
        monkeypatch.setenv("STORE_URL", "sqlite:///restored.db")

    error_message(arguments, capsys, folder)


def run_command(arguments: list[str], before: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command line as a process of its own, after some Python."""
    code = (
        f"import os, resource, signal, sys; sys.path.insert(0, {str(ROOT)!r}); "
        f"from cli.main import start; from cli.progress import ProgressBar; {before}\nsys.exit(start())"
    )
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)


def assert_one_sentence(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 1
    assert not done.stdout
    assert re.fullmatch(r"[^\n]+\.\n", done.stderr)


@pytest.mark.parametrize("arguments", [["backup", "new.db"], ["restore", "monday.db"], ["migrate"], ["import", "big"]])
def test_a_full_disk_is_reported_in_one_sentence_and_leaves_nothing(
    folder: Path, good: GoodFiles, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    if arguments == ["migrate"]:
        set_schema("sqlite:///tackboard.db", "0002")
    elif arguments != ["restore", "monday.db"]:
        good.copy_store()
    trello = json.loads(Path("export.json").read_text())
    cards = [{"id": f"{n:024x}", "idList": trello["lists"][0]["id"], "name": "x" * 9000} for n in range(50)]
    Path("big").write_text(json.dumps(trello | {"cards": cards}))
    monkeypatch.setenv("STORE_URL", "sqlite:///tackboard.db")
    before = read_folder(folder)

    # No file may grow beyond this: what a full disk does, for one process.
    done = run_command(arguments, "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))")

    assert_one_sentence(done)
    assert read_folder(folder) == before


def test_an_export_to_a_full_disk_leaves_nothing(folder: Path, good: GoodFiles) -> None:
    good.copy_store()
    before = read_folder(folder)

    done = run_command(
        ["export", good.board_id, "new.json"], "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))"
    )

    assert_one_sentence(done)
    assert "new.json can't be written: file too large." in done.stderr
    assert read_folder(folder) == before


def test_an_output_that_cannot_be_written_is_reported_in_one_sentence(good: GoodFiles) -> None:
    good.copy_store()

    done = run_command(["digest"], "os.dup2(os.open('/dev/full', os.O_WRONLY), 1)")

    assert_one_sentence(done)
    assert done.stderr == "The output can't be used: no space left on device.\n"


WRITING = [["backup", "new.db"], ["restore", "monday.db"]]


@pytest.mark.parametrize("arguments", [*WRITING, ["backup"], ["export"]])
def test_a_command_stopped_by_ctrl_c_leaves_nothing_and_fails(
    folder: Path,
    good: GoodFiles,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    good.copy_store()
    if arguments[0] == "restore":
        monkeypatch.setenv("STORE_URL", "sqlite:///restored.db")
    if arguments == ["export"]:
        arguments = ["export", good.board_id, "new.json"]
    before = read_folder(folder)
    monkeypatch.setattr(ProgressBar, "__call__", interrupt)

    status = main.main(arguments)

    assert status == 130
    assert capsys.readouterr() == ("", "Stopped.\n")
    assert read_folder(folder).keys() - {str(folder / "backups")} == before.keys()


@pytest.mark.parametrize("arguments", WRITING)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_command_leaves_no_incomplete_file_and_succeeds_next_time(
    folder: Path, good: GoodFiles, monkeypatch: pytest.MonkeyPatch, arguments: list[str], number: signal.Signals
) -> None:
    made = "new.db" if arguments[0] == "backup" else "restored.db"
    if arguments[0] == "backup":
        good.copy_store()
    else:
        monkeypatch.setenv("STORE_URL", "sqlite:///restored.db")
    before = read_folder(folder)

    killed = run_command(arguments, f"ProgressBar.__call__ = lambda *_: os.kill(os.getpid(), {number:d})")
    left = {name for name in read_folder(folder).keys() - before.keys() if made in name}
    again = run_command(arguments)

    assert killed.returncode == (130 if number is signal.SIGTERM else -signal.SIGKILL)
    assert "Traceback" not in killed.stderr
    if number is signal.SIGTERM:
        assert not left
    else:
        assert left
        assert all(".part" in name for name in left)
    assert (again.returncode, again.stderr) == (0, "")
    assert Path(made).exists()


@pytest.mark.parametrize("name", ARGUMENTS)
def test_help_describes_every_command(capsys: pytest.CaptureFixture[str], name: str) -> None:
    with pytest.raises(SystemExit, match="0"):
        main.main([*name.split(), "--help"])

    out = capsys.readouterr().out
    assert out.startswith(f"usage: tackboard {name} ")
    assert "STORE_URL" in out


def test_invalid_arguments_print_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        [],
        ["fly"],
        ["restore"],
        ["export", BOARD],
        ["digest", "x"],
        ["users"],
        ["users", "add", "mina"],
    ):
        with pytest.raises(SystemExit, match="2"):
            main.main(arguments)
        assert capsys.readouterr().err.startswith("usage: tackboard")
