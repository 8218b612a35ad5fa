"""A whole installation moves from any engine to any other, and nothing is lost on the way."""

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kanban import archive, boards, cards
from kanban.store import AlreadyExists, CardQuery, Store
from kanban.values import NewCard, Role, WebhookState
from stores import open_store
from stores.backup import compute_digest, create_backup, create_dated_backup, restore_backup
from stores.backup_file import BackupError
from stores.dynamodb import opening, table_restore
from stores.dynamodb.calls import Client
from stores.dynamodb.client import RetryingClient
from stores.errors import RestoreUnfinished
from stores.sql import tables
from tests.engines.dynamodb_server import create_table_url, delete_table
from tests.engines.dynamodb_wire import (
    Fault,
    Send,
    WireRequest,
    WireResponse,
    apply_then_fail,
    connect_http_client,
    drop_connection,
    error_response,
    leave_unprocessed,
    lose_response,
    table_name,
)
from tests.engines.postgresql_server import PostgresqlServer
from tests.golden.table_items import read_items, write_items
from tests.oidc.scripted_provider import ScriptedProvider, run_scripted_provider
from tests.stores.filled_store import add_webhook, fill_store
from tests.stores.part_builders import add_full_card
from tests.stores.test_purge import purge_all
from tests.stores.world import World


class Killed(BaseException):
    """What stops a process in the middle of a call."""


class FilledFile:
    """A SQLite file with something of every kind, and its world."""

    def __init__(self, path: Path, provider: ScriptedProvider) -> None:
        self.url = f"sqlite:///{path}"
        with closing(open_store(self.url)) as store:
            self._world = fill_store(store, provider)

    def world_in(self, store: Store) -> World:
        """Return the same world in another store, two months later."""
        world = World.__new__(World)
        world.__dict__.update(self._world.__dict__, store=store)
        world.advance(days=60)
        return world


@pytest.fixture(scope="module")
def provider() -> Iterator[ScriptedProvider]:
    """Run a provider with which users of filled stores sign in."""
    with run_scripted_provider() as running:
        yield running


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, provider: ScriptedProvider) -> FilledFile:
    """Fill a file."""
    return FilledFile(tmp_path_factory.mktemp("filled") / "used.db", provider)


@pytest.fixture
def backup(filled: FilledFile, tmp_path: Path) -> Path:
    """Back the filled file up."""
    create_backup(filled.url, tmp_path / "backup.db")
    return tmp_path / "backup.db"


@pytest.fixture
def small_backup(tmp_path: Path) -> Path:
    """Back up a store with one board."""
    with closing(open_store(f"sqlite:///{tmp_path}/small.db")) as store:
        world = World(store)
        add_full_card(world)
        world.add_token()
        store.read_secret()
    create_backup(f"sqlite:///{tmp_path}/small.db", tmp_path / "small_backup.db")
    return tmp_path / "small_backup.db"


@pytest.fixture
def table(dynoxide: str) -> Iterator[str]:
    """Return the URL of a table that is not there yet."""
    url = create_table_url(dynoxide)
    yield url
    delete_table(url)


OnRequest = Callable[[Fault], None]


@pytest.fixture
def on_request(dynoxide: str, monkeypatch: pytest.MonkeyPatch) -> OnRequest:
    """Return what lets something happen to all requests of stores that are opened from now on."""

    def use(fault: Fault) -> None:
        def connect(_region: str, _endpoint: str | None) -> Client:
            return connect_http_client(dynoxide, fault)

        monkeypatch.setattr(opening, "connect", connect)
        monkeypatch.setattr(opening, "RetryingClient", partial(RetryingClient, sleep=lambda _: None))

    return use


def list_items(url: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Return all items of a table by their keys."""
    items = read_items(url.partition("endpoint=")[2], table_name(url))
    return {(item["pk"]["S"], item["sk"]["S"]): item for item in items}


def add_item(url: str, partition: str, sort_key: str, **attributes: Any) -> None:
    """Put an item into a table beside all others."""
    item = {"pk": {"S": partition}, "sk": {"S": sort_key}, **attributes}
    write_items(url.partition("endpoint=")[2], table_name(url), [*list_items(url).values(), item])


# The ring


def test_the_filled_store_has_something_in_every_table(filled: FilledFile) -> None:
    """Otherwise a new kind of data might be lost on the way, and no test here would notice."""
    with closing(sqlite3.connect(filled.url.removeprefix("sqlite:///"))) as shell:
        empty = [name for name in tables.metadata.tables if not shell.execute(f"SELECT 1 FROM {name}").fetchone()]  # noqa: S608

    assert empty == []


def test_an_installation_moves_around_all_engines(
    filled: FilledFile, table: str, postgresql: PostgresqlServer, tmp_path: Path
) -> None:
    digests = [compute_digest(filled.url)]
    with postgresql.database() as database:
        urls = [filled.url, table, postgresql.url(database), f"sqlite:///{tmp_path}/again.db"]
        for number, (source, target) in enumerate(itertools.pairwise(urls)):
            file = tmp_path / f"{number}.db"
            digests += [create_backup(source, file), restore_backup(file, target), compute_digest(target)]

    assert len({*digests}) == 1


def test_the_same_writes_lead_to_the_same_digest_on_every_engine(
    tmp_path: Path, table: str, provider: ScriptedProvider
) -> None:
    for url in (f"sqlite:///{tmp_path}/one.db", table):
        with closing(open_store(url)) as store:
            fill_store(store, provider)
        create_backup(url, tmp_path / f"{url[:6]}.db")
    rows = []
    for name in ("sqlite", "dynamo"):
        with closing(sqlite3.connect(tmp_path / f"{name}.db")) as shell:
            # Only the secret is of a chance that no test controls.
            shell.execute("UPDATE settings SET value = '' WHERE name = 'secret'")
            shell.commit()
        rows.append(compute_digest(f"sqlite:///{tmp_path}/{name}.db"))

    assert rows[0] == rows[1]


def test_a_restored_table_has_the_items_that_commits_have_written(
    backup: Path, table: str, dynoxide: str, provider: ScriptedProvider
) -> None:
    committed = create_table_url(dynoxide)
    with closing(open_store(committed)) as store:
        fill_store(store, provider)
    restore_backup(backup, table)

    expected, restored = list_items(committed), list_items(table)
    delete_table(committed)

    # He was assigned to a card before he left the board: only this kind of store remembers.
    left_behind = {key for key in expected if key[0] == "U#bob" and key[1].startswith("A#")}
    assert restored.keys() == expected.keys() - left_behind
    # What has other values, or the same in another form.
    different = {"nonce", "changes", "history", "state", "value", "last", "counters", "lists", "head_seq", "assigned"}
    different |= {"label_ids"}
    for key, item in restored.items():
        assert {name: value for name, value in item.items() if name not in different} == {
            name: value for name, value in expected[key].items() if name not in different
        }


def test_a_board_goes_on_in_a_table(filled: FilledFile, backup: Path, table: str) -> None:
    with closing(open_store(filled.url)) as store:
        world = filled.world_in(store)
        before, titles = world.read_board().board, [card.title for card in world.list_cards()]
        token = store.page_tokens(world.ann.id, 1).items[0]
    restore_backup(backup, table)

    with closing(open_store(table)) as store:
        world = filled.world_in(store)
        assert [card.title for card in world.list_cards()] == titles
        assert world.read_board().board.get_history() != before.get_history()
        assert store.read_token_by_digest(token.digest) == (token, world.ann)
        assert {webhook.state for webhook in store.webhooks.list_webhooks(world.board_id)} == {WebhookState.PAUSED}

        new = world.add_card("New", external_id="JIRA-7")
        world.move_card(new, world.find_list("Doing").id)
        assert [event.seq for event in world.list_events()] == [*range(1, before.seq + 3)]
        with pytest.raises(AlreadyExists):
            world.add_card("Taken", external_id="JIRA-1")
        # That of a card in a deleted list is free.
        world.add_card("Free", external_id="JIRA-3")
        assert store.page_assigned_cards(world.ann.id, CardQuery(), 10).items
        assert purge_all(world) > 0
        assert not [key for key in list_items(table) if key[0] == "D"]


def test_a_deleted_card_comes_back_in_a_table(filled: FilledFile, backup: Path, table: str) -> None:
    restore_backup(backup, table)

    with closing(open_store(table)) as store:
        world = filled.world_in(store)
        world.advance(days=-60)
        view = store.read_deleted(world.board_id, world.ann.id)
        assert view is not None
        (item,) = (i for i in list_items(table).values() if i.get("title") == {"S": "Deleted"})
        card_id = item["sk"]["S"][2:]
        view = store.read_deleted(world.board_id, world.ann.id, card_ids=[card_id])
        assert view is not None
        card, change = archive.restore_card(view, card_id, world.context())
        assert change is not None
        # Its external id was given to another card.
        with pytest.raises(AlreadyExists):
            store.commit(change)
        assert card.title == "Deleted"


# Interruptions


WRITES = ("PutItem", "UpdateItem", "BatchWriteItem", "TransactWriteItems")


def count_writes(on_request: OnRequest, backup: Path, table: str) -> int:
    operations: list[str] = []

    def note(request: WireRequest, send: Send) -> WireResponse:
        operations.append(request.operation)
        return send(request)

    on_request(note)
    restore_backup(backup, table)
    return sum(operation in WRITES for operation in operations)


@pytest.mark.parametrize("is_sent", [False, True])
def test_a_restore_that_is_killed_at_any_write_can_be_continued(
    small_backup: Path, dynoxide: str, on_request: OnRequest, monkeypatch: pytest.MonkeyPatch, *, is_sent: bool
) -> None:
    monkeypatch.setattr(table_restore, "ITEMS_PER_STEP", 4)
    urls = [create_table_url(dynoxide)]
    total = count_writes(on_request, small_backup, urls[0])
    digest = compute_digest(urls[0])
    for last in range(1, total + 1):
        url = create_table_url(dynoxide)
        urls.append(url)
        numbers = itertools.count(1)

        def die(request: WireRequest, send: Send, numbers: Iterator[int] = numbers, last: int = last) -> WireResponse:
            if request.operation not in WRITES or next(numbers) != last:
                return send(request)
            if is_sent:
                send(request)
            raise Killed

        on_request(die)
        with pytest.raises(Killed):
            restore_backup(small_backup, url)
        on_request(lambda request, send: send(request))
        is_complete = is_sent and last == total
        if is_sent or last > 1:
            with nullcontext() if is_complete else pytest.raises(RestoreUnfinished):
                open_store(url).close()
        if not is_complete:
            assert restore_backup(small_backup, url) == digest
        assert compute_digest(url) == digest
    for url in urls:
        delete_table(url)

    assert total > 10


def test_a_continued_restore_writes_only_what_is_missing(
    small_backup: Path, table: str, on_request: OnRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_restore, "ITEMS_PER_STEP", 4)
    operations: list[str] = []

    def die_late(request: WireRequest, send: Send) -> WireResponse:
        operations.append(request.operation)
        if request.operation == "TransactWriteItems":
            raise Killed
        return send(request)

    on_request(die_late)
    with pytest.raises(Killed):
        restore_backup(small_backup, table)
    assert operations.count("BatchWriteItem") > 3
    operations.clear()
    with pytest.raises(Killed):
        restore_backup(small_backup, table)

    assert "BatchWriteItem" not in operations


@pytest.mark.parametrize("fault", [lose_response, apply_then_fail])
def test_a_lost_response_is_no_problem(small_backup: Path, table: str, on_request: OnRequest, fault: Fault) -> None:
    """Every second call is carried out, but its response gets lost; the client repeats it."""
    numbers = itertools.count()
    on_request(lambda request, send: fault(request, send) if next(numbers) % 2 else send(request))

    digest = restore_backup(small_backup, table)

    assert compute_digest(table) == digest


def test_what_a_busy_table_leaves_out_is_written_again(small_backup: Path, table: str, on_request: OnRequest) -> None:
    def leave_some(request: WireRequest, send: Send) -> WireResponse:
        is_batch = request.operation == "BatchWriteItem"
        return leave_unprocessed(request, send) if is_batch else send(request)

    on_request(leave_some)
    digest = restore_backup(small_backup, table)

    assert compute_digest(table) == digest


def test_a_restore_that_ends_early_says_that_it_goes_on(small_backup: Path, table: str, on_request: OnRequest) -> None:
    def drop(request: WireRequest, send: Send) -> WireResponse:
        return drop_connection(request, send) if request.operation == "BatchWriteItem" else send(request)

    on_request(drop)
    with pytest.raises(BackupError, match="Not everything is restored yet; the same command goes on: DynamoDB cannot"):
        restore_backup(small_backup, table)


def test_an_unfinished_table_is_refused_everywhere(
    small_backup: Path, backup: Path, table: str, on_request: OnRequest, tmp_path: Path
) -> None:
    def die_late(request: WireRequest, send: Send) -> WireResponse:
        if request.operation == "TransactWriteItems":
            raise Killed
        return send(request)

    on_request(die_late)
    with pytest.raises(Killed):
        restore_backup(small_backup, table)

    for use in (open_store, compute_digest, lambda url: create_backup(url, tmp_path / "new.db")):
        with pytest.raises(RestoreUnfinished, match="holds only a part of a backup: `restore` the same file again"):
            use(table)
    with pytest.raises(BackupError, match="holds a part of another backup"):
        restore_backup(backup, table)
    assert not (tmp_path / "new.db").exists()


def test_only_an_empty_table_can_be_restored_into(small_backup: Path, table: str, on_request: OnRequest) -> None:
    def sign_up_first(request: WireRequest, send: Send) -> WireResponse:
        if request.operation == "TransactWriteItems" and b"restoring" in request.body:
            add_item(table, "S", "owner", user_id={"S": "eve"})
        return send(request)

    on_request(sign_up_first)
    with pytest.raises(BackupError, match="Somebody has used the table meanwhile"):
        restore_backup(small_backup, table)
    with pytest.raises(BackupError, match="holds data already"):
        restore_backup(small_backup, table)


def test_a_changed_backup_changes_no_table(small_backup: Path, table: str) -> None:
    with closing(sqlite3.connect(small_backup)) as shell:
        shell.execute("UPDATE cards SET title = 'Other'")
        shell.commit()

    with pytest.raises(BackupError, match="is damaged"):
        restore_backup(small_backup, table)
    with pytest.raises(BackupError, match="There is no backup"):
        restore_backup(small_backup.with_name("nothing.db"), table)


def test_a_card_of_earlier_releases_that_is_too_long_is_named(tmp_path: Path, table: str) -> None:
    url = f"sqlite:///{tmp_path}/long.db"
    with closing(open_store(url)) as store:
        card = World(store).add_card("Long")
    with closing(sqlite3.connect(tmp_path / "long.db")) as shell:
        shell.execute("UPDATE cards SET description = ?", ("ä" * 50_000,))
        shell.commit()
    create_backup(url, tmp_path / "backup.db")

    with pytest.raises(BackupError, match=f"{card.id} is too long for DynamoDB"):
        restore_backup(tmp_path / "backup.db", table)


# Backups of a table


def test_a_dated_backup_is_named_after_its_table(table: str, tmp_path: Path) -> None:
    with closing(open_store(table)) as store:
        World(store)

    path, digest, _ = create_dated_backup(table, tmp_path / "backups", datetime(2026, 11, 29, tzinfo=UTC))

    assert path.name == f"{table_name(table)}-2026-11-29T000000Z.db"
    assert digest == compute_digest(table)


def test_a_board_that_is_written_to_is_copied_as_of_one_moment(
    table: str, on_request: OnRequest, tmp_path: Path
) -> None:
    """While it is read, users sign up, join and add cards."""
    with closing(open_store(table)) as store:
        world = World(store)
        add_full_card(world)
        queries = itertools.count(1)

        def write_meanwhile(request: WireRequest, send: Send) -> WireResponse:
            response = send(request)
            # In the first attempt and in the second one.
            if request.operation == "Query" and next(queries) in {2, 5}:
                new = world.add_user("New")
                world.add_member(new, Role.EDITOR)
                world.apply(cards.create, user=new, new=NewCard("New", world.find_list("To do").id))
            return response

        on_request(write_meanwhile)
        digest = create_backup(table, tmp_path / "backup.db")
        after = world.read_board().board.seq

    restored_url = f"sqlite:///{tmp_path}/restored.db"
    assert restore_backup(tmp_path / "backup.db", restored_url) == digest
    with closing(open_store(restored_url)) as restored:
        world.store = restored
        assert world.read_board().board.seq == after == len(world.list_events())
        assert len(world.list_cards()) == 3
        assert next(queries) == 10


def test_a_board_that_disappears_meanwhile_is_left_out(table: str, on_request: OnRequest, tmp_path: Path) -> None:
    with closing(open_store(table)) as store:
        world = World(store)
        world.add_board("Stays")
        store.commit(boards.delete(world.read_board(), world.context()))
        world.advance(days=1)
        is_purged: list[int] = []

        def purge_meanwhile(request: WireRequest, send: Send) -> WireResponse:
            response = send(request)
            if request.operation == "Query" and world.board_id in request.body.decode() and not is_purged:
                is_purged.append(purge_all(world))
            return response

        on_request(purge_meanwhile)
        create_backup(table, tmp_path / "backup.db")

    assert is_purged
    with closing(sqlite3.connect(tmp_path / "backup.db")) as shell:
        assert shell.execute("SELECT name FROM boards").fetchall() == [("Stays",)]
        assert shell.execute("SELECT count(*) FROM events").fetchall() == [(1,)]


def test_what_interrupted_writes_have_left_behind_is_no_part_of_a_backup(table: str, tmp_path: Path) -> None:
    with closing(open_store(table)) as store:
        world = World(store)
        card = add_full_card(world)
        child = world.add_token(parent=world.add_token())
        add_webhook(world)
        digest = create_backup(table, tmp_path / "before.db")
    items, board = list_items(table), f"B#{world.board_id}"
    card_item, comment = items[board, f"C#{card.id}"], next(i for (_, key), i in items.items() if "#M" in key)
    lost = {
        (board, "C#crd_lost"): card_item | {"list_id": {"S": "lst_erased"}},
        (board, "P#crd_lost#Mcmt_lost"): comment,
        (board, "V#whk_lost#01"): next(item for (_, key), item in items.items() if key.startswith("V#")),
        (board, "N#crd_lost"): {"nonce": {"S": "1"}},
        ("B#brd_unfinished", "C#crd_1"): card_item,
        (f"U#{world.ann.id}", "K#tok_lost"): items[f"U#{world.ann.id}", f"K#{child.id}"]
        | {"ancestor_ids": {"S": "tok_erased"}, "digest": {"S": "0" * 64}},
    }
    for (partition, sort_key), item in lost.items():
        add_item(table, partition, sort_key, **{n: v for n, v in item.items() if n not in ("pk", "sk")})

    assert create_backup(table, tmp_path / "after.db") == digest


def test_an_item_that_is_not_known_ends_the_backup(table: str, tmp_path: Path) -> None:
    """A later release may have written it: a backup without it would be incomplete."""
    with closing(open_store(table)) as store:
        world = World(store)
    for partition, sort_key in (("S", "later"), ("Q#x", "Q#1"), (f"B#{world.board_id}", "Q#1")):
        add_item(table, partition, sort_key)

        with pytest.raises(BackupError, match="items that this Tackboard doesn't know"):
            create_backup(table, tmp_path / "backup.db")

    assert [*tmp_path.iterdir()] == []


def test_a_table_that_may_not_be_read_gives_no_backup(table: str, on_request: OnRequest, tmp_path: Path) -> None:
    with closing(open_store(table)) as store:
        World(store)

    def deny(request: WireRequest, send: Send) -> WireResponse:
        return error_response("AccessDeniedException")(request, send) if request.operation == "Scan" else send(request)

    on_request(deny)
    with pytest.raises(BackupError, match=r"backup\.db was not made: DynamoDB refuses calls: AccessDeniedException\."):
        create_backup(table, tmp_path / "backup.db")
    assert [*tmp_path.iterdir()] == []
