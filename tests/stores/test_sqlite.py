"""What only SQLite has: the file, its locks and its failures."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from kanban import lists
from kanban.store import Busy, Unavailable
from kanban.values import Stage
from stores import StoreOpenError, open_store
from stores.sql import migrations
from stores.sql.sqlite import open_sqlite
from tests.stores.world import World

ROOT = Path(__file__).parents[2]
NOT_TACKBOARD_MESSAGE = "{} is not a Tackboard database: let STORE_URL name another, or an empty one."
NAME_ANOTHER_FILE = "; let STORE_URL name one that can be written."


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tackboard.db"


@pytest.fixture
def world(path: Path) -> Iterator[World]:
    """Create Ann and her board, in a store that doesn't wait for other writers."""
    store = open_sqlite(f"sqlite:///{path}", busy_timeout=0.0)
    yield World(store)
    store.close()


def run_program(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a program in its own process."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def open_error(url: str) -> str:
    """Return the message of the error for a URL."""
    with pytest.raises(StoreOpenError) as error:
        open_store(url)
    return str(error.value)


# Opening


def test_only_the_owner_can_read_a_new_file(path: Path) -> None:
    open_store(f"sqlite:///{path}").close()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_to_a_missing_file_creates_the_file(path: Path) -> None:
    link = path.with_name("link.db")
    link.symlink_to(path)

    open_store(f"sqlite:///{link}").close()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert link.is_symlink()


def test_a_link_to_itself_is_an_error(path: Path) -> None:
    path.symlink_to(path)

    assert open_error(f"sqlite:///{path}").endswith(
        f"cannot be used: Too many levels of symbolic links{NAME_ANOTHER_FILE}"
    )


def test_a_relative_path_is_relative_to_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store("sqlite:///here.db")
    monkeypatch.chdir("/")

    World(store)

    store.close()
    assert (tmp_path / "here.db").exists()


@pytest.mark.parametrize("name", ["with space.db", "per%20cent%.db", "quest?ion.db", "ha#sh.db", "naïve.db"])
def test_a_file_can_have_any_name(tmp_path: Path, name: str) -> None:
    url = sa.URL.create("sqlite", database=str(tmp_path / name)).render_as_string()

    open_store(url).close()

    assert (tmp_path / name).stat().st_size > 0


@pytest.mark.parametrize("url", ["", "tackboard.db", "mysql://localhost/x", "sqlite+aiosqlite:///x.db", "SQLITE:///x"])
def test_the_error_for_an_unknown_scheme_has_an_example(url: str) -> None:
    assert "but must be like sqlite:///tackboard.db, postgresql+psycopg://" in open_error(url)


@pytest.mark.parametrize(
    "url", ["sqlite:", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://host/x.db", "sqlite:///x.db?mode=ro"]
)
def test_the_error_for_a_url_without_a_plain_path_has_an_example(url: str) -> None:
    assert open_error(url).endswith("sqlite:///tackboard.db.") or "one that can" in open_error(url)


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "tackboard.db"

    assert (
        open_error(f"sqlite:///{path}")
        == f"The database file {path} cannot be used: No such file or directory{NAME_ANOTHER_FILE}"
    )


def test_a_folder_is_an_error(tmp_path: Path) -> None:
    assert (
        open_error(f"sqlite:///{tmp_path}")
        == f"The database file {tmp_path} cannot be used: Is a directory{NAME_ANOTHER_FILE}"
    )


def test_a_file_without_write_permission_is_an_error(path: Path) -> None:
    if os.geteuid() == 0:
        # Root can write nearly everywhere, but not here: the kernel allows no new files in /proc.
        path = Path("/sys/tackboard.db")
    else:
        path.touch(mode=0o400)

    assert (
        open_error(f"sqlite:///{path}")
        == f"The database file {path} cannot be used: Permission denied{NAME_ANOTHER_FILE}"
    )


def test_a_file_of_another_kind_is_not_touched(path: Path) -> None:
    path.write_text("Dear diary, " * 1000)

    assert open_error(f"sqlite:///{path}") == NOT_TACKBOARD_MESSAGE.format(path)
    assert path.read_text() == "Dear diary, " * 1000


@pytest.mark.parametrize("table", ["notes", "alembic_version"])
def test_a_database_of_another_program_is_not_touched(path: Path, table: str) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute(f"CREATE TABLE {table} (version_num TEXT)")
        other.commit()
    before = path.read_bytes()

    assert open_error(f"sqlite:///{path}") == NOT_TACKBOARD_MESSAGE.format(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_database_of_a_newer_tackboard_is_not_touched(path: Path) -> None:
    open_store(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("UPDATE tackboard_schema SET version_num = '9999'")
        newer.commit()

    assert (
        open_error(f"sqlite:///{path}")
        == f"{path} was made by a newer Tackboard (schema 9999; this one knows up to {migrations.HEAD}): run that one."
    )


def test_an_empty_file_becomes_a_database(path: Path) -> None:
    path.touch()

    store = open_store(f"sqlite:///{path}")

    World(store).add_card("Copy")
    store.close()


@pytest.mark.parametrize("lock", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_a_new_file_that_another_program_has_locked_is_an_error(path: Path, lock: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute(lock)

        with pytest.raises(StoreOpenError, match="database is locked"):
            open_sqlite(f"sqlite:///{path}", busy_timeout=0.0)


def test_a_migration_that_fails_is_an_error_and_writes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(connection: sa.Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE half (id TEXT)")
        connection.exec_driver_sql("SELECT * FROM missing")

    with monkeypatch.context() as patched:
        patched.setattr("stores.sql.migrations.upgrade", fails)
        assert open_error(f"sqlite:///{path}").endswith("cannot be used: no such table: missing.")

    open_store(f"sqlite:///{path}").close()


def test_several_processes_can_open_a_new_file_at_once(path: Path) -> None:
    code = "import sys; from stores import open_store; open_store(f'sqlite:///{sys.argv[1]}').read_secret()"

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: run_program(code, path), range(4)))

    assert [answer.stderr for answer in answers] == [""] * 4


def test_alembic_is_loaded_only_to_migrate(path: Path) -> None:
    code = (
        "import sys; from stores import open_store; open_store(f'sqlite:///{sys.argv[1]}').close();"
        "print('alembic' in sys.modules)"
    )

    assert run_program(code, path).stdout == "True\n"
    assert run_program(code, path).stdout == "False\n"


def test_loading_the_package_loads_no_engine() -> None:
    answer = run_program("import sys, stores; print('sqlalchemy' in sys.modules)")

    assert answer.stdout == "False\n"


# Connections


def test_every_connection_is_durable_checks_references_and_overwrites_what_it_erases(world: World) -> None:
    engine = world.store._engine  # type: ignore[attr-defined]  # noqa: SLF001  (what only SQLite has)

    names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")

    assert engine.read([(f"PRAGMA {name}", ()) for name in names]) == [[("wal",)], [(2,)], [(1,)], [(1,)]]


def test_a_writer_gets_busy_while_another_process_writes_and_readers_continue(world: World, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(Busy):
            world.add_card("Too late")
        assert world.read_board().board.seq == 1
        world.store.record_token_use(world.ann.id, world.now)

        other.execute("ROLLBACK")
    world.add_card("In time")
    assert world.list_titles("To do") == ["In time"]


def test_a_removed_file_takes_no_writes_and_is_not_created_again(world: World, path: Path) -> None:
    path.unlink()

    with pytest.raises(Unavailable, match="removed or replaced"):
        world.add_card("Into nowhere")
    assert not path.exists()


def test_a_replaced_file_takes_no_writes(world: World, path: Path) -> None:
    path.rename(path.with_name("old.db"))
    path.write_bytes(path.with_name("old.db").read_bytes())

    with pytest.raises(Unavailable, match="removed or replaced"):
        world.add_card("Into the wrong file")


def test_a_closed_store_is_unavailable(world: World) -> None:
    world.store.close()

    with pytest.raises(Unavailable, match="closed"):
        world.read_board()


FILL = """
import resource, sys
from kanban.store import Unavailable
from stores import open_store
from tests.stores.world import World
store = open_store(f"sqlite:///{sys.argv[1]}")
world = World(store)
acknowledged = 0
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))
try:
    while True:
        world.add_card("Card", description="x" * 5000)
        acknowledged += 1
except Unavailable as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert len(world.list_cards()) == acknowledged == world.read_board().board.seq - 1 == len(world.list_events()) - 1
world.add_card("There is room again")
store.close()
print(acknowledged > 5)
"""


def test_a_full_disk_leaves_no_partial_writes_and_writing_resumes_with_room(path: Path) -> None:
    answer = run_program(FILL, path)

    assert answer.stderr == ""
    assert answer.stdout == "The database file could not be read or written.\nTrue\n"


WRITE_FOREVER = """
import sys
from stores import open_store
from tests.stores.world import World
world = World(open_store(f"sqlite:///{sys.argv[1]}"))
print(world.board_id, world.ann.id, flush=True)
while True:
    print(world.add_card("Card", "Doing").id, flush=True)
"""


@pytest.mark.parametrize("acknowledged", [1, 5, 20])
def test_acknowledged_writes_survive_a_kill(path: Path, acknowledged: int) -> None:
    command = [sys.executable, "-c", WRITE_FOREVER, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        board_id, user_id = writer.stdout.readline().split()
        card_ids = [writer.stdout.readline().strip() for _ in range(acknowledged)]
        writer.kill()
        card_ids += writer.stdout.read().split()

    store = open_store(f"sqlite:///{path}")
    view = store.read_board(board_id, user_id, card_ids=card_ids[:-1])
    store.close()
    assert view is not None
    # The kill may have cut the last line off.
    assert set(view.cards) == set(card_ids[:-1])
    assert view.board.seq - 1 == view.get_first_list(Stage.IN_PROGRESS).card_count


OPEN_TWICE = """
import os, subprocess, sys
from stores import open_store
from tests.stores.world import World
url = f"sqlite:///{sys.argv[1]}"
world = World(open_store(url))
open_store(url).close()
look = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM cards').fetchall(); c.close()"
subprocess.run([sys.executable, "-c", look, sys.argv[1]], check=True)
print(world.add_card("Copy").title, flush=True)
os.kill(os.getpid(), 9)
"""


def test_acknowledged_writes_survive_a_kill_after_another_program_read_a_file_opened_twice(
    path: Path,
) -> None:
    answer = run_program(OPEN_TWICE, path)

    with closing(sqlite3.connect(path)) as shell:
        assert shell.execute("SELECT title FROM cards").fetchall() == [("Copy",)]
    assert answer.stdout == "Copy\n"


# Tables


def test_the_tables_are_readable_with_plain_sql(world: World, path: Path) -> None:
    world.add_card("Copy", "Doing", external_id="x-1")

    with closing(sqlite3.connect(path)) as shell:
        card = shell.execute("SELECT title, status, started_at, external_id FROM cards").fetchone()
        event = shell.execute("SELECT type, data ->> 'title' FROM events WHERE seq = 2").fetchone()

    assert card == ("Copy", "in_progress", "2026-11-20T12:00:00Z", "x-1")
    assert event == ("card.created", "Copy")


def test_a_cards_status_follows_its_list_even_when_it_is_deleted(world: World, path: Path) -> None:
    card = world.add_card("Copy")
    world.delete_card(card)

    world.apply(lists.update, world.find_list("To do").id, patch={"stage": Stage.DONE})

    with closing(sqlite3.connect(path)) as shell:
        assert shell.execute("SELECT status FROM cards").fetchall() == [("done",)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cards SET status = 'done'",
        "UPDATE cards SET list_id = 'lst_none'",
        "UPDATE cards SET tracked_seconds = -1",
        "UPDATE cards SET tracked_seconds = 'many'",
        "UPDATE lists SET stage = 'later'",
        "UPDATE lists SET card_count = 5001",
        "UPDATE lists SET rank = 'a0'",
        "UPDATE boards SET hourly_rate_minor = 100000001",
        "UPDATE members SET role = 'king'",
        "UPDATE events SET actor_id = 'usr_none'",
        "UPDATE time_entries SET ended_at = '2026-11-20T11:59:59Z'",
        "DELETE FROM users",
    ],
)
def test_constraints_reject_invalid_data(world: World, path: Path, statement: str) -> None:
    world.add_card("Copy", "Doing")

    with closing(sqlite3.connect(path)) as shell:
        shell.execute("PRAGMA foreign_keys=ON")
        with pytest.raises(sqlite3.IntegrityError):
            shell.execute(statement)
