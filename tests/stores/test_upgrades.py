"""Opening a database with an older schema to serve it migrates it, and loses nothing."""

import os
import re
import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from kanban import tokens, users
from kanban.changes import ActionContext
from kanban.ids import IdGenerator
from kanban.installation import InstallationOwnerOnly
from kanban.store import EventQuery
from kanban.values import Member, Role
from stores import StoreOpenError, open_store
from stores.backup import compute_digest, restore_backup
from stores.sql import migrations
from stores.sql.migrations import VERSION_TABLE
from tests.engines.postgresql_server import PostgresqlServer
from tests.stores.conftest import postgresql

__all__ = ["postgresql"]

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

BOARD_ID = "brd_01m7wjyxw0g21k7me9wgs7f9wj"

FIRST_VERSION = """
INSERT INTO users VALUES ('usr_ann', 'Ann', 1, '2026-11-20T12:00:00Z', '2026-11-20T12:00:00Z');
INSERT INTO users VALUES ('usr_bob', 'Bob', 1, '2026-11-20T12:00:00Z', '2026-11-20T12:00:00Z');
INSERT INTO tokens (id, user_id, name, digest, scopes, version, created_at, expires_at, revoked_at)
    VALUES ('tok_1', 'usr_ann', 'First token',
        '0000000000000000000000000000000000000000000000000000000000000001',
        'read write admin', 1, '2026-11-20T12:00:00Z', NULL, NULL),
    ('tok_2', 'usr_ann', 'CI',
        '0000000000000000000000000000000000000000000000000000000000000002',
        'read', 1, '2026-11-20T12:00:00Z', '2027-11-20T12:00:00Z', NULL),
    ('tok_3', 'usr_ann', 'Lost',
        '0000000000000000000000000000000000000000000000000000000000000003',
        'read', 2, '2026-11-20T12:00:00Z', NULL, '2026-11-20T12:00:00Z'),
    ('tok_4', 'usr_bob', 'First token',
        '0000000000000000000000000000000000000000000000000000000000000004',
        'read write admin', 1, '2026-11-20T12:00:00Z', NULL, NULL);
INSERT INTO boards (id, name, description, currency, hourly_rate_minor, seq, version, created_at, updated_at)
    VALUES ('brd_1', 'Website', '', 'EUR', 9000, 5, 1, '2026-11-20T12:00:00Z', '2026-11-20T12:00:00Z');
INSERT INTO members VALUES ('brd_1', 'usr_ann', 'owner', '2026-11-20T12:00:00Z');
INSERT INTO members VALUES ('brd_1', 'usr_bob', 'editor', '2026-11-20T12:00:00Z');
INSERT INTO lists (id, board_id, name, stage, rank, wip_enforcement, card_count, first_rank, last_rank, version,
        created_at, updated_at, deleted_at)
    VALUES ('lst_1', 'brd_1', 'Doing', 'in_progress', 'a0', 'warn', 1, 'a0', 'a1', 1,
        '2026-11-20T12:00:00Z', '2026-11-20T12:00:00Z', NULL),
    ('lst_2', 'brd_1', 'Old', 'done', 'a1', 'warn', 3, 'a0', 'a0', 2,
        '2026-11-20T12:00:00Z', '2026-11-20T12:00:00Z', '2026-11-20T12:00:00Z');
INSERT INTO cards (id, board_id, list_id, status, title, description, rank, started_at, tracked_seconds, tracked_cost,
        version, created_at, updated_at, search)
    VALUES ('crd_1', 'brd_1', 'lst_1', 'in_progress', 'Copy', '', 'a0', '2026-11-20T12:00:07Z', 0, 0,
        1, '2026-11-20T12:00:00Z', '2026-11-20T12:00:07Z', 'copy');
INSERT INTO time_entries (id, board_id, card_id, started_at, rate_minor, version)
    VALUES ('ten_1', 'brd_1', 'crd_1', '2026-11-20T12:00:07Z', 9000, 1);
INSERT INTO events VALUES
    ('brd_1', 1, 'board.created', '2026-11-20T12:00:00Z', 'usr_ann', NULL, NULL, '{"name": "Website"}'),
    ('brd_1', 2, 'card.created', '2026-11-20T12:00:07Z', 'usr_bob', 'lst_1', 'crd_1',
        '{"title": "Copy", "stage": "in_progress"}'),
    ('brd_1', 3, 'card.deleted', '2026-11-20T12:00:09Z', 'usr_ann', 'lst_1', 'crd_2', '{}'),
    ('brd_1', 4, 'list.deleted', '2026-11-20T12:00:09Z', 'usr_ann', 'lst_2', NULL, '{"card_count": 3}');
""".replace("brd_1", BOARD_ID)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Create a database of the first version of the schema."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/tackboard.db"
        fill_database(url)
        yield url
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    with server.database() as name:
        fill_database(server.url(name))
        yield server.url(name)


def fill_database(url: str, version: str = "0001", additions: str = "") -> None:
    """Create a database of the first version of the schema, migrate it to that version, and execute the additions."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement in _split_statements(FIRST_VERSION):
            connection.exec_driver_sql(statement)
        command.upgrade(config, version)
        for statement in _split_statements(additions):
            connection.exec_driver_sql(statement)
        assert connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar() == version  # noqa: S608
    engine.dispose()


def _split_statements(script: str) -> list[str]:
    return [statement for statement in script.strip().removesuffix(";").split(";\n") if statement]


def test_a_migration_from_the_first_version_loses_nothing(url: str) -> None:
    store = open_store(url)

    view = store.read_board(BOARD_ID, "usr_bob", card_ids=["crd_1"])
    page = store.page_events(BOARD_ID, "usr_bob", EventQuery(), 10)

    assert view is not None
    assert view.board.created_by == "usr_ann"
    assert (view.board.archived_at, view.board.external_id) == (None, None)
    assert view.members == (
        Member(f"mbr_{BOARD_ID}_usr_ann", BOARD_ID, "usr_ann", Role.OWNER, 1, NOON, NOON),
        Member(f"mbr_{BOARD_ID}_usr_bob", BOARD_ID, "usr_bob", Role.EDITOR, 1, NOON, NOON),
    )
    card = view.cards["crd_1"]
    assert (card.label_ids, card.assignee_ids, card.links, card.due_complete) == ((), (), (), False)
    assert card.running is not None
    assert (card.running.user_id, card.running.note, card.running.recorded_by) == ("usr_bob", "", None)
    assert card.running.started_at == NOON + timedelta(seconds=7)
    assert page is not None
    assert [event.data for event in page[1].items[2:]] == [
        {"stage": "in_progress", "archived_at": None},
        {"card_count": 3, "name": "Old", "stage": "done", "archived_at": None},
    ]
    store.close()


def test_the_owner_is_the_same_user_after_the_migration(url: str) -> None:
    with closing(open_store(url)) as store:
        owner = store.read_installation_owner()

        store.commit(
            users.create(
                ActionContext("", NOON - timedelta(days=1), IdGenerator(lambda: NOON, os.urandom)), name="Aaron", id="a"
            )[1]
        )

        assert owner is not None
        assert owner.id == "usr_ann"
        assert store.read_installation_owner() == owner


def test_every_token_works_as_before_and_has_no_ancestors(url: str) -> None:
    with closing(open_store(url)) as store:
        holders = {number: store.read_token_by_digest("0" * 63 + number) for number in "1234"}
        listed = [item.id for item in store.page_tokens("usr_ann", 10).items]

    assert {number: (holder[0].id, holder[1].id) for number, holder in holders.items() if holder} == {
        "1": ("tok_1", "usr_ann"),
        "2": ("tok_2", "usr_ann"),
        "3": ("tok_3", "usr_ann"),
        "4": ("tok_4", "usr_bob"),
    }
    assert [holder[0].ancestor_ids for holder in holders.values() if holder] == [()] * 4
    assert [number for number, holder in holders.items() if holder and tokens.is_live(holder[0], NOON)] == [
        "1",
        "2",
        "4",
    ]
    assert listed == ["tok_2", "tok_1"]


def test_only_the_owner_can_create_users_after_the_migration(url: str) -> None:
    with closing(open_store(url)) as store:
        owner_ids = store.read_installation_owner_ids()

    users.ensure_may_create_users("usr_ann", owner_ids)
    with pytest.raises(InstallationOwnerOnly):
        users.ensure_may_create_users("usr_bob", owner_ids)


def test_a_backup_of_an_older_version_can_be_restored(url: str, tmp_path: Path) -> None:
    fill_database(f"sqlite:///{tmp_path}/backup.db", "0002")
    open_store(url).close()

    restored = restore_backup(tmp_path / "backup.db", f"sqlite:///{tmp_path}/restored.db")

    assert restored == compute_digest(f"sqlite:///{tmp_path}/restored.db") == compute_digest(url)
    with closing(open_store(f"sqlite:///{tmp_path}/restored.db")) as store:
        owner = store.read_installation_owner()
    assert owner is not None
    assert owner.name == "Ann"


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def list_copies(folder: Path) -> list[Path]:
    return sorted(folder.glob("tackboard-schema-*"))


def test_a_migration_reports_both_versions_of_the_schema(url: str) -> None:
    reports: list[str] = []

    open_store(url, report=reports.append).close()
    open_store(url, report=reports.append).close()

    assert len(reports) == 1
    assert f"from schema 0001 to {migrations.HEAD}." in reports[0]
    if url.startswith("postgresql"):
        assert "No copy of it was made" in reports[0]


def test_a_file_is_copied_before_it_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "tackboard.db"
    fill_database(sqlite_url(path))
    reports: list[str] = []

    open_store(sqlite_url(path), report=reports.append).close()

    (copy,) = list_copies(tmp_path)
    assert re.fullmatch(r"tackboard-schema-0001-\d{4}-\d\d-\d\dT\d{6}Z\.db", copy.name)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert str(copy) in reports[0]
    with closing(sqlite3.connect(copy)) as shell:
        assert shell.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchall() == [("0001",)]  # noqa: S608
        assert shell.execute("SELECT name FROM boards").fetchall() == [("Website",)]
    # The copy is a store: when it is migrated, it has the same digest.
    open_store(sqlite_url(copy)).close()
    assert compute_digest(sqlite_url(copy)) == compute_digest(sqlite_url(path))


def test_the_copy_includes_writes_that_are_still_in_the_log_of_a_running_server(tmp_path: Path) -> None:
    path = tmp_path / "tackboard.db"
    fill_database(sqlite_url(path))
    with closing(sqlite3.connect(path)) as server:
        server.execute("PRAGMA journal_mode=WAL")
        server.execute("UPDATE boards SET name = 'Written last'")
        server.commit()
        assert path.with_name("tackboard.db-wal").stat().st_size

        open_store(sqlite_url(path)).close()

    with closing(sqlite3.connect(list_copies(tmp_path)[0])) as shell:
        assert shell.execute("SELECT name FROM boards").fetchall() == [("Written last",)]


def test_one_of_several_concurrent_migrations_makes_a_copy_and_reports_it(tmp_path: Path) -> None:
    path = tmp_path / "tackboard.db"
    fill_database(sqlite_url(path))
    reports: list[str] = []

    def migrate(_: int) -> None:
        open_store(sqlite_url(path), report=reports.append).close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, range(4)))

    assert len(list_copies(tmp_path)) == len(reports) == 1


def test_a_migration_that_fails_leaves_no_copy_and_reports_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tackboard.db"
    fill_database(sqlite_url(path))
    before = path.read_bytes()
    reports: list[str] = []

    def fail(connection: sa.Connection) -> None:
        connection.exec_driver_sql("DROP TABLE cards")
        connection.exec_driver_sql("SELECT * FROM missing")

    monkeypatch.setattr("stores.sql.migrations.upgrade", fail)
    with pytest.raises(StoreOpenError):
        open_store(sqlite_url(path), report=reports.append)

    assert [file.name for file in tmp_path.iterdir()] == ["tackboard.db"]
    assert not reports
    # Except for the mark of the write-ahead log, which every start sets.
    assert path.read_bytes()[100:] == before[100:]


def test_a_new_file_reports_no_migration(tmp_path: Path) -> None:
    reports: list[str] = []

    open_store(sqlite_url(tmp_path / "tackboard.db"), report=reports.append).close()

    assert not reports
    assert [file.name for file in tmp_path.iterdir()] == ["tackboard.db"]


def test_a_restore_does_not_change_a_backup_of_an_older_version(tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    fill_database(sqlite_url(backup), "0002")
    before = backup.read_bytes()

    restore_backup(backup, sqlite_url(tmp_path / "restored.db"))

    assert backup.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["backup.db", "restored.db"]
