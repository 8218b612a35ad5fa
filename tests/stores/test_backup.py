"""A backup holds everything, and a digest proves it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stores import CannotOpen, open_store
from stores.backup import BackupRefused, backup, digest, restore
from tests.engines.postgresql_server import PostgresqlServer
from tests.stores.parts import full_card
from tests.stores.world import World


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a store with a board on it, on each SQL engine."""
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path}/used.db"
        fill(address)
        yield address
    else:
        server: PostgresqlServer = request.getfixturevalue("postgresql")
        with server.database() as database:
            fill(server.url(database))
            yield server.url(database)


def fill(url: str, due_at: datetime | None = None) -> None:
    store = open_store(url)
    world = World(store)
    world.token()
    world.add_card("Due some day", due_at=due_at)
    for number in range(3):
        world.add_card(f"Grüße {number} 👩\u200d🚀", description="viel\nzu tun")
    card = world.add_card("Taken up", list_name="Doing", external_id="JIRA-1")
    world.delete_card(card)
    full_card(world)
    store.secret()
    store.close()


def test_a_backup_restores_to_an_equal_store(url: str, tmp_path: Path) -> None:
    seen: list[str] = []

    copied = backup(url, tmp_path / "backup.db", lambda table, _: seen.append(table))
    restored = restore(tmp_path / "backup.db", f"sqlite:///{tmp_path}/restored.db")

    assert copied == restored == digest(url) == digest(f"sqlite:///{tmp_path}/restored.db")
    assert {"users", "cards", "events", "time_entries", "card_links", "checklist_items", "comments"} <= set(seen)


def test_a_board_moves_from_a_file_to_a_server(postgresql: PostgresqlServer, tmp_path: Path) -> None:
    fill(f"sqlite:///{tmp_path}/used.db")
    backup(f"sqlite:///{tmp_path}/used.db", tmp_path / "backup.db")

    with postgresql.database() as database:
        restore(tmp_path / "backup.db", postgresql.url(database))
        moved = digest(postgresql.url(database))

    assert moved == digest(f"sqlite:///{tmp_path}/used.db")


@pytest.mark.parametrize(
    "setting", ["timezone = 'America/New_York'", "timezone = 'Asia/Tokyo'", "datestyle = 'German'"]
)
def test_moments_are_what_they_were_whatever_a_database_makes_of_them(
    postgresql: PostgresqlServer, tmp_path: Path, setting: str
) -> None:
    with postgresql.database() as used, postgresql.database() as other, closing(postgresql.connection()) as owner:
        fill(postgresql.url(used), due_at=datetime(9999, 12, 31, 23, 30, tzinfo=UTC))
        before = digest(postgresql.url(used))
        for name in (used, other):
            owner.execute(f"ALTER DATABASE {name} SET {setting}".encode())

        kept = backup(postgresql.url(used), tmp_path / "backup.db")
        restored = restore(tmp_path / "backup.db", postgresql.url(other))

        assert {kept, restored, digest(postgresql.url(used)), digest(postgresql.url(other))} == {before}
    with closing(sqlite3.connect(tmp_path / "backup.db")) as shell:
        assert shell.execute("SELECT max(due_at) FROM cards").fetchall() == [("9999-12-31T23:30:00Z",)]


def test_a_digest_tells_the_smallest_change(url: str) -> None:
    before = digest(url)
    store = open_store(url)
    holder = store.owner()
    assert holder is not None
    store.touch_token(store.page_tokens(holder.id, 1).items[0].id, holder.created_at + timedelta(days=1))
    store.close()

    assert digest(url) != before


def test_a_backup_overwrites_nothing(url: str, tmp_path: Path) -> None:
    (tmp_path / "mine.db").write_text("a letter")

    with pytest.raises(BackupRefused, match="exists already"):
        backup(url, tmp_path / "mine.db")

    assert (tmp_path / "mine.db").read_text() == "a letter"


def test_a_restore_goes_into_an_empty_store_only(url: str, tmp_path: Path) -> None:
    backup(url, tmp_path / "backup.db")
    before = digest(url)

    with pytest.raises(BackupRefused, match="holds data already"):
        restore(tmp_path / "backup.db", url)

    assert digest(url) == before


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear diary, " * 1000)

    with pytest.raises(CannotOpen):
        restore(tmp_path / "letter.db", f"sqlite:///{tmp_path}/new.db")
    with pytest.raises(BackupRefused, match="There is no backup"):
        restore(tmp_path / "nothing.db", f"sqlite:///{tmp_path}/new.db")
    with pytest.raises(BackupRefused, match="DynamoDB keeps its own"):
        backup("dynamodb://tackboard", tmp_path / "backup.db")
