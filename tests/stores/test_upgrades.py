"""A database of an earlier version is brought up to date when it is opened, and nothing in it is lost."""

import os
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from kanban import users
from kanban.ids import Ids
from kanban.values import Act, Member, Role
from stores import migrations, open_store
from stores.backup import digest, restore
from stores.migrations import VERSION_TABLE
from tests.engines.postgresql_server import PostgresqlServer
from tests.stores.conftest import postgresql

__all__ = ["postgresql"]

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

FIRST_VERSION = """
INSERT INTO users VALUES ('usr_ann', 'Ann', 1, '2026-11-20T12:00:00Z', '2026-11-20T12:00:00Z');
INSERT INTO users VALUES ('usr_bob', 'Bob', 1, '2026-11-20T12:00:00Z', '2026-11-20T12:00:00Z');
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
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database as the first version left it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/tackboard.db"
        _fill(url)
        yield url
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    with server.database() as name:
        _fill(server.url(name))
        yield server.url(name)


def _fill(url: str, version: str = "0001") -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement in FIRST_VERSION.strip().removesuffix(";").split(";\n"):
            connection.exec_driver_sql(statement)
        command.upgrade(config, version)
        assert connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar() == version  # noqa: S608
    engine.dispose()


def test_a_database_of_the_first_version_keeps_everything(url: str) -> None:
    store = open_store(url)

    view = store.read_board("brd_1", "usr_bob", card_ids=["crd_1"])
    page = store.page_events("brd_1", "usr_bob", 0, 10)

    assert view is not None
    assert view.board.created_by == "usr_ann"
    assert (view.board.archived_at, view.board.external_id) == (None, None)
    assert view.members == (
        Member("mbr_brd_1_usr_ann", "brd_1", "usr_ann", Role.OWNER, 1, NOON, NOON),
        Member("mbr_brd_1_usr_bob", "brd_1", "usr_bob", Role.EDITOR, 1, NOON, NOON),
    )
    card = view.cards["crd_1"]
    assert (card.label_ids, card.assignee_ids, card.links, card.due_complete) == ((), (), (), False)
    assert card.running is not None
    assert (card.running.user_id, card.running.note) == ("usr_bob", "")
    assert card.running.started_at == NOON + timedelta(seconds=7)
    assert page is not None
    assert [event.data for event in page[1].items[2:]] == [
        {"stage": "in_progress", "archived_at": None},
        {"card_count": 3, "name": "Old", "stage": "done", "archived_at": None},
    ]
    store.close()


def test_the_owner_is_who_was_taken_for_the_owner(url: str) -> None:
    with closing(open_store(url)) as store:
        owner = store.owner()

        store.commit(
            users.create(Act("", NOON - timedelta(days=1), Ids(lambda: NOON, os.urandom)), name="Aaron", id="a")[1]
        )

        assert owner is not None
        assert owner.id == "usr_ann"
        assert store.owner() == owner


def test_a_backup_of_an_earlier_version_restores(url: str, tmp_path: Path) -> None:
    _fill(f"sqlite:///{tmp_path}/backup.db", "0002")

    restored = restore(tmp_path / "backup.db", f"sqlite:///{tmp_path}/restored.db")

    assert restored == digest(f"sqlite:///{tmp_path}/restored.db") == digest(url)
    with closing(open_store(f"sqlite:///{tmp_path}/restored.db")) as store:
        owner = store.owner()
    assert owner is not None
    assert owner.name == "Ann"
