"""A backup holds all data, and a digest proves it."""

import itertools
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from kanban import tokens, webhooks
from kanban.changes import Change
from kanban.values import WebhookDelivery, WebhookState
from kanban.webhooks import NewWebhook
from stores import StoreOpenError, open_store
from stores.backup import compute_digest, create_backup, create_dated_backup, restore_backup
from stores.backup_file import BackupError, verify_backup
from stores.sql import migrations
from tests.engines.postgresql_server import PostgresqlServer
from tests.stores.part_builders import add_full_card
from tests.stores.world import World


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Create a store with a board on each SQL engine, and return its URL."""
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path}/used.db"
        fill_store(address)
        yield address
    else:
        server: PostgresqlServer = request.getfixturevalue("postgresql")
        with server.database() as database:
            fill_store(server.url(database))
            yield server.url(database)


def fill_store(url: str, due_at: datetime | None = None) -> None:
    store = open_store(url)
    world = World(store)
    child = world.add_token(parent=world.add_token())
    world.store.commit(tokens.revoke(world.add_token(parent=child), world.context(), caller_token=child)[1] or Change())
    world.add_card("Due some day", due_at=due_at)
    for number in range(3):
        world.add_card(f"Grüße {number} 👩\u200d🚀", description="viel\nzu tun")
    card = world.add_card("Taken up", list_name="Doing", external_id="JIRA-1")
    world.delete_card(card)
    add_full_card(world)
    store.read_secret()
    store.close()


def test_a_backup_restores_to_an_equal_store(url: str, tmp_path: Path) -> None:
    tables: list[str] = []

    digest = create_backup(url, tmp_path / "backup.db", lambda table, _: tables.append(table))
    restored = restore_backup(tmp_path / "backup.db", f"sqlite:///{tmp_path}/restored.db")

    assert digest == restored == compute_digest(url) == compute_digest(f"sqlite:///{tmp_path}/restored.db")
    assert {
        "users",
        "cards",
        "events",
        "time_entries",
        "card_links",
        "checklist_items",
        "comments",
        "token_ancestors",
    } <= set(tables)


def test_a_board_moves_from_a_file_to_a_server(postgresql: PostgresqlServer, tmp_path: Path) -> None:
    fill_store(f"sqlite:///{tmp_path}/used.db")
    create_backup(f"sqlite:///{tmp_path}/used.db", tmp_path / "backup.db")

    with postgresql.database() as database:
        restore_backup(tmp_path / "backup.db", postgresql.url(database))
        server_digest = compute_digest(postgresql.url(database))

    assert server_digest == compute_digest(f"sqlite:///{tmp_path}/used.db")


@pytest.mark.parametrize(
    "setting", ["timezone = 'America/New_York'", "timezone = 'Asia/Tokyo'", "datestyle = 'German'"]
)
def test_timestamps_are_unchanged_whatever_the_settings_of_a_database(
    postgresql: PostgresqlServer, tmp_path: Path, setting: str
) -> None:
    with postgresql.database() as used, postgresql.database() as other, closing(postgresql.connection()) as owner:
        fill_store(postgresql.url(used), due_at=datetime(9999, 12, 31, 23, 30, tzinfo=UTC))
        before = compute_digest(postgresql.url(used))
        for name in (used, other):
            owner.execute(f"ALTER DATABASE {name} SET {setting}".encode())

        digest = create_backup(postgresql.url(used), tmp_path / "backup.db")
        restored = restore_backup(tmp_path / "backup.db", postgresql.url(other))

        assert {digest, restored, compute_digest(postgresql.url(used)), compute_digest(postgresql.url(other))} == {
            before
        }
    with closing(sqlite3.connect(tmp_path / "backup.db")) as shell:
        assert shell.execute("SELECT max(due_at) FROM cards").fetchall() == [("9999-12-31T23:30:00Z",)]


def test_a_restored_store_calls_nobody(url: str, tmp_path: Path) -> None:
    """A copy of a store, to try something, must not post to the receivers of the original."""
    with closing(open_store(url)) as store:
        world = World(store, seed=8)
        new = [webhooks.create(world.read_board(), [], world.context(), NewWebhook("https://example.com/in"))]
        world.store.commit(new[0][1])
        new.append(webhooks.create(world.read_board(), [], world.context(), NewWebhook("https://example.com/out")))
        world.store.commit(new[1][1])
        world.write(updates=(replace(new[1][0], state=WebhookState.STOPPED),))
        delivery = WebhookDelivery(world.board_id, new[0][0].id, 1, "msg_1", 1, 2, 1, 1, world.now, 5, 200, "ok")
        store.webhooks.put_delivery(delivery)
    digest = create_backup(url, tmp_path / "backup.db")

    restored_url = f"sqlite:///{tmp_path}/restored.db"
    assert restore_backup(tmp_path / "backup.db", restored_url) == digest == compute_digest(restored_url)
    with closing(open_store(url)) as store, closing(open_store(restored_url)) as restored:
        states = [
            [webhook.state for webhook in opened.webhooks.list_webhooks(world.board_id)] for opened in (store, restored)
        ]
        assert states == [
            [WebhookState.ACTIVE, WebhookState.STOPPED],
            [WebhookState.PAUSED, WebhookState.STOPPED],
        ]
        # Its cursor and its deliveries are those of the original: set active, it goes on there.
        assert list(restored.webhooks.list_deliveries(world.board_id, new[0][0].id)) == [delivery]
        readers = [opened.feed_readers.list_readers(world.board_id) for opened in (store, restored)]
        assert [reader.after_seq for reader in readers[0]] == [reader.after_seq for reader in readers[1]]


def test_no_message_of_a_restored_store_has_the_id_of_another_one(url: str, tmp_path: Path) -> None:
    """Its next events have the seqs of events that receivers have had from the original."""
    with closing(open_store(url)) as store:
        world = World(store, seed=8)
        webhook, change = webhooks.create(world.read_board(), [], world.context(), NewWebhook("https://example.com/in"))
        store.commit(change)
        create_backup(url, tmp_path / "backup.db")
        ids = [webhooks.build_message_id(webhook, world.read_board().board.get_history(), 3, 3)]
    restored_url = f"sqlite:///{tmp_path}/restored.db"
    restore_backup(tmp_path / "backup.db", restored_url)
    with closing(open_store(restored_url)) as restored:
        view = restored.read_board(world.board_id, world.ann.id)
        assert view is not None
        ids.append(webhooks.build_message_id(webhook, view.board.get_history(), 3, 3))

    assert len({*ids}) == 2


def test_the_smallest_change_changes_the_digest(url: str) -> None:
    before = compute_digest(url)
    store = open_store(url)
    holder = store.read_installation_owner()
    assert holder is not None
    store.record_token_use(store.page_tokens(holder.id, 1).items[0].id, holder.created_at + timedelta(days=1))
    store.close()

    assert compute_digest(url) != before


def test_a_backup_overwrites_nothing(url: str, tmp_path: Path) -> None:
    (tmp_path / "mine.db").write_text("a letter")

    with pytest.raises(StoreOpenError, match="exists already"):
        create_backup(url, tmp_path / "mine.db")

    assert (tmp_path / "mine.db").read_text() == "a letter"


def test_only_an_empty_store_can_be_restored_into(url: str, tmp_path: Path) -> None:
    create_backup(url, tmp_path / "backup.db")
    before = compute_digest(url)

    with pytest.raises(BackupError, match="holds data already"):
        restore_backup(tmp_path / "backup.db", url)

    assert compute_digest(url) == before


def test_a_file_that_is_not_a_backup_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear diary, " * 1000)

    with pytest.raises(StoreOpenError):
        restore_backup(tmp_path / "letter.db", f"sqlite:///{tmp_path}/new.db")
    with pytest.raises(BackupError, match="There is no backup"):
        restore_backup(tmp_path / "nothing.db", f"sqlite:///{tmp_path}/new.db")


def test_a_backup_holds_its_digest_and_only_its_owner_can_read_it(url: str, tmp_path: Path) -> None:
    digest = create_backup(url, tmp_path / "backup.db")

    assert verify_backup(tmp_path / "backup.db") == (migrations.HEAD, digest)
    assert stat.S_IMODE((tmp_path / "backup.db").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name != "used.db"] == ["backup.db"]


def test_a_backup_can_be_opened_and_is_unchanged_afterwards(tmp_path: Path) -> None:
    fill_store(f"sqlite:///{tmp_path}/used.db")
    digest = create_backup(f"sqlite:///{tmp_path}/used.db", tmp_path / "backup.db")
    before = (tmp_path / "backup.db").read_bytes()

    with closing(sqlite3.connect(tmp_path / "backup.db")) as shell:
        assert shell.execute("SELECT digest FROM tackboard_backup").fetchall() == [(digest,)]
    assert compute_digest(f"sqlite:///{tmp_path}/backup.db") == digest
    assert restore_backup(tmp_path / "backup.db", f"sqlite:///{tmp_path}/restored.db") == digest

    assert (tmp_path / "backup.db").read_bytes() == before


def test_a_change_of_any_byte_is_detected_before_anything_is_written(tmp_path: Path) -> None:
    fill_store(f"sqlite:///{tmp_path}/used.db")
    create_backup(f"sqlite:///{tmp_path}/used.db", tmp_path / "backup.db")
    content = (tmp_path / "backup.db").read_bytes()
    sealed = content.index(b"tackboard_backup")
    # Every byte of the header, the table of the seal, and one byte out of each part of the rest.
    offsets = [*range(100), *range(sealed, sealed + 16), *range(100, len(content), 1999), len(content) - 1]

    for offset in offsets:
        (tmp_path / "changed.db").write_bytes(content[:offset] + bytes([content[offset] ^ 1]) + content[offset + 1 :])
        with pytest.raises(BackupError, match=r"changed\.db is (damaged|no backup)"):
            restore_backup(tmp_path / "changed.db", f"sqlite:///{tmp_path}/restored.db")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.db", "changed.db", "used.db"]


def test_a_changed_letter_of_a_title_is_detected(tmp_path: Path) -> None:
    fill_store(f"sqlite:///{tmp_path}/used.db")
    create_backup(f"sqlite:///{tmp_path}/used.db", tmp_path / "backup.db")
    with closing(sqlite3.connect(tmp_path / "backup.db")) as shell:
        shell.execute("UPDATE cards SET title = 'Due same day' WHERE title = 'Due some day'")
        shell.commit()

    with pytest.raises(BackupError, match="is damaged"):
        restore_backup(tmp_path / "backup.db", f"sqlite:///{tmp_path}/restored.db")


@pytest.mark.parametrize("rest", [0, 50, 100, 4096, -4096, -1])
def test_a_truncated_backup_is_refused(tmp_path: Path, rest: int) -> None:
    fill_store(f"sqlite:///{tmp_path}/used.db")
    create_backup(f"sqlite:///{tmp_path}/used.db", tmp_path / "backup.db")
    (tmp_path / "cut.db").write_bytes((tmp_path / "backup.db").read_bytes()[:rest])

    with pytest.raises(BackupError, match=r"cut\.db is (damaged|no backup)"):
        restore_backup(tmp_path / "cut.db", f"sqlite:///{tmp_path}/restored.db")


def test_text_of_users_is_never_taken_for_the_seal(tmp_path: Path) -> None:
    fill_store(f"sqlite:///{tmp_path}/used.db")
    create_backup(f"sqlite:///{tmp_path}/used.db", tmp_path / "first.db")
    with closing(sqlite3.connect(tmp_path / "first.db")) as shell:
        ((sha256,),) = shell.execute("SELECT sha256 FROM tackboard_backup")
    with closing(open_store(f"sqlite:///{tmp_path}/used.db")) as store:
        World(store, 8).add_card(sha256)

    digest = create_backup(f"sqlite:///{tmp_path}/used.db", tmp_path / "second.db")

    assert restore_backup(tmp_path / "second.db", f"sqlite:///{tmp_path}/restored.db") == digest


def remove_seal(path: Path) -> Path:
    """Remove the seal, so that the backup is like one of an older Tackboard."""
    with closing(sqlite3.connect(path)) as shell:
        shell.execute("DROP TABLE tackboard_backup")
        shell.execute("PRAGMA application_id=0")
        shell.commit()
        shell.execute("VACUUM")
    return path


def test_an_older_backup_is_restored_with_a_warning_that_it_has_no_digest(url: str, tmp_path: Path) -> None:
    digest = create_backup(url, tmp_path / "backup.db")
    warnings: list[str] = []

    restored = restore_backup(
        remove_seal(tmp_path / "backup.db"), f"sqlite:///{tmp_path}/restored.db", lambda *_: None, warnings.append
    )

    assert restored == digest
    assert len(warnings) == 1
    assert warnings[0].startswith(f"There is no digest inside {tmp_path}/backup.db")


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE events SET data = '{{\"secret'",
        "UPDATE cards SET title = CAST(x'ff' AS TEXT)",
        "UPDATE boards SET created_at = 'secret'",
        "PRAGMA writable_schema=ON; UPDATE sqlite_master SET rootpage = 2 WHERE name = 'cards'",
        "DROP TABLE cards",
        "DELETE FROM tackboard_schema",
        "UPDATE tackboard_schema SET version_num = 'secret'",
    ],
)
def test_the_error_for_a_damaged_older_backup_quotes_no_data(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str, damage: str
) -> None:
    fill_store(f"sqlite:///{tmp_path}/used.db")
    create_backup(f"sqlite:///{tmp_path}/used.db", tmp_path / "backup.db")
    with closing(sqlite3.connect(remove_seal(tmp_path / "backup.db"))) as shell:
        shell.execute("PRAGMA foreign_keys=OFF")
        shell.executescript(damage)
        shell.commit()

    with ExitStack() as stack:
        target = f"sqlite:///{tmp_path}/restored.db"
        if engine == "postgresql":
            server: PostgresqlServer = request.getfixturevalue("postgresql")
            target = server.url(stack.enter_context(server.database()))
        if engine == "sqlite" and "boards" in damage:
            # SQLite accepts any text there; an invalid timestamp is detected when it is read.
            restore_backup(tmp_path / "backup.db", target)
            return
        with pytest.raises(StoreOpenError) as error:
            restore_backup(tmp_path / "backup.db", target)

    assert "secret" not in str(error.value)
    assert str(error.value).count("\n") == 0
    assert not (tmp_path / "restored.db").exists()


def test_a_backup_of_a_newer_tackboard_is_refused(tmp_path: Path) -> None:
    fill_store(f"sqlite:///{tmp_path}/used.db")
    create_backup(f"sqlite:///{tmp_path}/used.db", tmp_path / "backup.db")
    with closing(sqlite3.connect(remove_seal(tmp_path / "backup.db"))) as shell:
        shell.execute("UPDATE tackboard_schema SET version_num = '9999'")
        shell.commit()

    with pytest.raises(StoreOpenError, match="was made by a newer Tackboard"):
        restore_backup(tmp_path / "backup.db", f"sqlite:///{tmp_path}/restored.db")


@pytest.mark.parametrize("name", ["with space.db", "per%20cent%.db", "quest?ion.db", "ha#sh.db", "naïve.db"])
def test_stores_and_backups_can_have_any_file_name(tmp_path: Path, name: str) -> None:
    used, other = ((tmp_path / folder / name) for folder in ("used", "other"))
    for path in (used, other):
        path.parent.mkdir()
    urls = [sa.URL.create("sqlite", database=str(path)).render_as_string() for path in (used, other)]
    fill_store(urls[0])

    digest = create_backup(urls[0], tmp_path / name)

    assert digest == restore_backup(tmp_path / name, urls[1]) == compute_digest(urls[0]) == compute_digest(urls[1])
    assert sorted(path.name for path in tmp_path.rglob("*.db*")) == [name] * 3


def test_a_backup_can_be_restored_into_a_store_that_was_never_used(url: str, tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/made.db").close()

    digest = create_backup(url, tmp_path / "backup.db")

    assert restore_backup(tmp_path / "backup.db", f"sqlite:///{tmp_path}/made.db") == digest


def test_a_store_in_use_can_be_restored_from_like_a_backup(tmp_path: Path) -> None:
    fill_store(f"sqlite:///{tmp_path}/used.db")
    with closing(open_store(f"sqlite:///{tmp_path}/used.db")) as store:
        World(store, 8).add_card("In the log")
        assert (tmp_path / "used.db-wal").stat().st_size

        restored = restore_backup(tmp_path / "used.db", f"sqlite:///{tmp_path}/restored.db")

    assert restored == compute_digest(f"sqlite:///{tmp_path}/used.db")


def test_the_last_fourteen_dated_backups_are_kept_and_nothing_else_is_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    fill_store(f"sqlite:///{tmp_path}/used.db")
    others = [
        "monday.db",
        "used.db",
        "used-2020-01-01T000000Z.txt",
        "used-2020-01-01.db",
        "used-2020-01-01T000000Z.db.part",
        "used-too-2020-01-01T000000Z.db",
        "other-2020-01-01T000000Z.db",
        "my-used-2020-01-01T000000Z.db",
    ]
    for name in others:
        (folder / name).touch()
    (folder / "used-2019-01-01T000000Z.db").mkdir()
    (folder / "used-2019-01-02T000000Z.db").symlink_to(tmp_path / "used.db")

    names = [f"used-2026-11-{day:02}T030000Z.db" for day in range(1, 17)]
    for name in names[:15]:
        (folder / name).touch()

    path, _, deleted = create_dated_backup(
        f"sqlite:///{tmp_path}/used.db", folder, datetime(2026, 11, 16, 3, tzinfo=UTC)
    )

    assert path.name == names[15]
    assert [old.name for old in deleted] == names[:2]
    assert {path.name for path in folder.iterdir()} == {
        *others,
        *names[2:],
        "used-2019-01-01T000000Z.db",
        "used-2019-01-02T000000Z.db",
    }


def test_a_new_backup_is_kept_even_if_the_clock_was_set_back(tmp_path: Path) -> None:
    fill_store(f"sqlite:///{tmp_path}/used.db")
    folder = tmp_path / "backups"
    folder.mkdir()
    for day in range(1, 15):
        (folder / f"used-2027-01-{day:02}T000000Z.db").touch()

    path, _, deleted = create_dated_backup(f"sqlite:///{tmp_path}/used.db", folder, datetime(2026, 1, 1, tzinfo=UTC))

    assert path.exists()
    assert [old.name for old in deleted] == ["used-2027-01-01T000000Z.db"]


def test_a_dated_backup_of_a_server_is_named_after_its_database(url: str, tmp_path: Path) -> None:
    path, digest, deleted = create_dated_backup(url, tmp_path / "backups", datetime(2026, 11, 29, tzinfo=UTC))

    assert path.name == f"{Path(url).stem}-2026-11-29T000000Z.db"
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert (digest, deleted) == (compute_digest(url), [])


def test_a_restored_board_has_another_history_and_the_same_digest(url: str, tmp_path: Path) -> None:
    digest = create_backup(url, tmp_path / "backup.db")
    numbers = itertools.count()
    copies = [f"sqlite:///{tmp_path}/{name}.db" for name in ("backup", "one", "other")]
    for copy in copies[1:]:
        restore_backup(tmp_path / "backup.db", copy, new_id=lambda kind: f"{kind}_{next(numbers)}")

    histories = []
    for copy in (url, *copies):
        engine = sa.create_engine(copy)
        with engine.connect() as connection:
            histories.append(connection.execute(sa.text("SELECT history FROM boards ORDER BY id")).scalars().all())
        engine.dispose()

    original, kept, one, other = histories
    assert original == kept == [None] * len(original)
    assert [*one, *other] == [f"history_{number}" for number in range(2 * len(original))]
    assert {compute_digest(copy) for copy in (url, *copies)} == {digest}
