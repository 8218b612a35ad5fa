"""PostgreSQL's connections: round trips, waiting for locks, and broken connections, which lose no data."""

import itertools
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from kanban import cards
from kanban.ordering import ranks
from kanban.store import Busy, CardQuery, CardSort, EventQuery, NeighbourOf, StaleRead, StoredResponse, Unavailable
from kanban.values import NewCard, Stage
from stores.sql.postgresql import open_postgresql
from tests.engines.postgresql_server import PostgresqlServer, run_server
from tests.engines.tcp_proxy import TcpProxy
from tests.stores.world import NOON, World

TIMEOUT = 0.2


@pytest.fixture
def url(postgresql: PostgresqlServer) -> str:
    open_postgresql(postgresql.url("postgres")).close()
    postgresql.empty("postgres")
    return postgresql.url("postgres")


@pytest.fixture
def world(url: str) -> Iterator[World]:
    """Create Ann and her board, in a store that waits only shortly for others."""
    store = open_postgresql(url, timeout=TIMEOUT)
    yield World(store)
    store.close()


@pytest.fixture
def direct(postgresql: PostgresqlServer) -> Iterator[psycopg.Connection[Any]]:
    """Connect to the store's database without the store."""
    with closing(postgresql.connection()) as connection:
        yield connection


@pytest.fixture
def proxy(postgresql: PostgresqlServer) -> Iterator[TcpProxy]:
    with TcpProxy(postgresql.port) as tapped:
        yield tapped


@pytest.fixture
def proxied_world(url: str, postgresql: PostgresqlServer, proxy: TcpProxy) -> Iterator[World]:
    """Create Ann and her board, in a store whose connections go through a proxy."""
    store = open_postgresql(url.replace(str(postgresql.port), str(proxy.port)))
    yield World(store)
    store.close()


def wait_for_lock_waiter(direct: psycopg.Connection[Any]) -> None:
    """Return as soon as a connection waits for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'tackboard'"
    while direct.execute(waiting).fetchone() == (0,):
        pass


def break_connections(direct: psycopg.Connection[Any]) -> None:
    """Terminate all connections of the store."""
    direct.execute("SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE application_name = 'tackboard'")


def assert_consistent(world: World) -> None:
    """Assert that every write is there completely: its event, its card, and its part in every count."""
    listed_cards = world.list_cards()
    view = world.read_board()
    assert view.board.seq == len(world.list_events()) == 1 + len(listed_cards)
    assert sum(list_.card_count for list_ in view.lists) == len(listed_cards)
    assert len({card.rank for card in listed_cards}) == len(listed_cards)


# Round trips


READS: dict[str, Callable[[World], object]] = {
    "read_board": lambda proxied_world: proxied_world.read_board(),
    "read_board with cards": lambda proxied_world: proxied_world.read_board(
        "crd_1", "crd_2", neighbour_of=NeighbourOf("crd_3", "after")
    ),
    "page_cards": lambda proxied_world: proxied_world.store.page_cards(
        proxied_world.board_id, proxied_world.ann.id, CardQuery(), 50
    ),
    "page_cards of a search": lambda proxied_world: proxied_world.store.page_cards(
        proxied_world.board_id,
        proxied_world.ann.id,
        CardQuery(status=Stage.TODO, q="x", sort=CardSort.MOST_RECENTLY_UPDATED),
        50,
    ),
    "page_events": lambda proxied_world: proxied_world.store.page_events(
        proxied_world.board_id, proxied_world.ann.id, EventQuery(), 50
    ),
    "page_time_entries": lambda proxied_world: proxied_world.store.page_time_entries(
        proxied_world.board_id, proxied_world.ann.id, "crd_1", 50
    ),
    "page_boards": lambda proxied_world: proxied_world.store.page_boards(proxied_world.ann.id, 50),
    "page_deleted_boards": lambda proxied_world: proxied_world.store.page_deleted_boards(
        proxied_world.ann.id, NOON, 50
    ),
    "page_deleted_lists": lambda proxied_world: proxied_world.store.page_deleted_lists(
        proxied_world.board_id, proxied_world.ann.id, NOON, 50
    ),
    "user": lambda proxied_world: proxied_world.store.read_user("usr_1"),
    "owners": lambda proxied_world: proxied_world.store.read_installation_owner_ids(),
    "token_holder": lambda proxied_world: proxied_world.store.read_token_by_digest("0" * 64),
    "token": lambda proxied_world: proxied_world.store.read_token("usr_1", "tok_1"),
    "page_tokens": lambda proxied_world: proxied_world.store.page_tokens("usr_1", 50),
    "remembered": lambda proxied_world: proxied_world.store.read_stored_response("usr_1", "create_card", "key", NOON),
    "ready": lambda proxied_world: proxied_world.store.check_ready(),
}


@pytest.mark.parametrize("name", READS)
def test_a_read_is_one_round_trip(proxied_world: World, proxy: TcpProxy, name: str) -> None:
    before = proxy.round_trips

    READS[name](proxied_world)

    assert proxy.round_trips == before + 1


def test_a_commit_is_one_round_trip(proxied_world: World, proxy: TcpProxy) -> None:
    record = StoredResponse(
        "key", proxied_world.ann.id, "create_card", "f", 201, (), b"{}", NOON, NOON + timedelta(hours=24)
    )
    card, change = cards.create(
        proxied_world.read_board(),
        proxied_world.context(),
        NewCard(title="Copy", list_id=proxied_world.find_list("Doing").id),
    )
    before = proxy.round_trips

    proxied_world.store.commit(change, record)

    assert proxy.round_trips == before + 1
    assert proxied_world.read_card(card).running


def test_touching_a_token_is_one_round_trip(proxied_world: World, proxy: TcpProxy) -> None:
    token = proxied_world.add_token()
    before = proxy.round_trips

    proxied_world.store.record_token_use(token.id, NOON)

    assert proxy.round_trips == before + 1
    assert proxied_world.store.read_token(proxied_world.ann.id, token.id) == replace(token, last_used_at=NOON)


def test_a_stale_commit_fails_after_one_round_trip(proxied_world: World, proxy: TcpProxy) -> None:
    _, change = cards.create(proxied_world.read_board(), proxied_world.context(), NewCard(title="Late"))
    proxied_world.add_card("First")
    before = proxy.round_trips

    with pytest.raises(StaleRead):
        proxied_world.store.commit(change)

    assert proxy.round_trips == before + 1


def test_new_ranks_for_a_thousand_cards_cost_three_round_trips(proxied_world: World, proxy: TcpProxy) -> None:
    todo = proxied_world.find_list("To do")
    prefix = "a0" + "0" * ranks.MAX_RANK_LENGTH
    new_cards = proxied_world.add_cards_with_ranks("To do", [f"{prefix}{number:03}1" for number in range(1000)])
    mover = proxied_world.add_card("Mover")
    neighbour = NeighbourOf(new_cards[1].id, "before")
    _, change = cards.move(
        proxied_world.read_board(mover.id, neighbour_of=neighbour),
        mover.id,
        proxied_world.context(),
        list_id=todo.id,
        before=new_cards[1].id,
    )
    before = proxy.round_trips

    assert change
    assert change.rebalance_list_id
    proxied_world.store.commit(change)

    assert proxy.round_trips == before + 3
    assert [card.title for card in proxied_world.list_cards()][:3] == ["Card 0", "Mover", "Card 1"]
    assert max(len(card.rank) for card in proxied_world.list_cards()) < 6


def test_all_queries_of_a_read_see_one_snapshot(proxied_world: World, direct: psycopg.Connection[Any]) -> None:
    count = ("SELECT count(*) FROM cards", ())
    pause = ("SELECT pg_advisory_lock_shared(7)", ())
    engine = proxied_world.store._engine  # type: ignore[attr-defined]  # noqa: SLF001  (no read of the port can be stopped halfway)
    direct.execute("SELECT pg_advisory_lock(7)")

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(engine.read, [count, pause, count])
        wait_for_lock_waiter(direct)
        proxied_world.add_card("Meanwhile")
        direct.execute("SELECT pg_advisory_unlock(7)")

    first, _, second = reading.result()
    assert first == second == [(0,)]
    assert len(proxied_world.list_cards()) == 1


# Locks


def test_a_writer_gets_busy_after_the_timeout_while_readers_continue(
    world: World, direct: psycopg.Connection[Any]
) -> None:
    token = world.add_token()
    with direct.transaction():
        direct.execute("UPDATE boards SET name = 'Held'")
        direct.execute("UPDATE tokens SET name = 'Held'")

        with pytest.raises(Busy, match="too long"):
            world.add_card("Too late")
        assert world.read_board().board.name == "Website"
        world.store.record_token_use(token.id, world.now)

        raise psycopg.Rollback
    world.add_card("In time")
    assert world.list_titles("To do") == ["In time"]
    assert world.store.read_token(world.ann.id, token.id) == token


def test_a_reader_gets_busy_after_the_timeout(world: World, direct: psycopg.Connection[Any]) -> None:
    with direct.transaction():
        direct.execute("LOCK TABLE cards")

        with pytest.raises(Busy, match="too long"):
            world.list_cards()


def test_a_writer_that_waited_for_another_is_stale(proxied_world: World, direct: psycopg.Connection[Any]) -> None:
    _, change = cards.create(proxied_world.read_board(), proxied_world.context(), NewCard(title="Second"))

    with ThreadPoolExecutor(1) as pool:
        with direct.transaction():
            direct.execute("UPDATE boards SET name = 'First'")
            writing = pool.submit(proxied_world.store.commit, change)
            wait_for_lock_waiter(direct)

        with pytest.raises(StaleRead):
            writing.result()
    assert proxied_world.list_cards() == []


def test_one_of_two_writers_in_a_deadlock_is_stale(url: str, direct: psycopg.Connection[Any]) -> None:
    # PostgreSQL aborts the side that detects the deadlock; each side checks once, after it has waited this long.
    with closing(open_postgresql(f"{url}?options=-c%20deadlock_timeout%3D3s")) as store:
        world = World(store)
        card = world.add_card("Copy")
        revised, change = cards.update(world.read_board(card.id), card.id, {"title": "Text"}, world.context())
        assert change

        with ThreadPoolExecutor(1) as pool, direct.transaction():
            direct.execute("SET LOCAL deadlock_timeout = '1min'")
            direct.execute("UPDATE cards SET title = 'Held'")
            writing = pool.submit(store.commit, change)
            wait_for_lock_waiter(direct)
            direct.execute("UPDATE boards SET name = 'Held'")

            with pytest.raises(StaleRead):
                writing.result()
            raise psycopg.Rollback
        assert world.read_card(card) == card != revised


def test_threads_without_a_connection_wait_their_turn(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stores.sql.postgresql.MAX_CONNECTIONS", 1)
    with closing(open_postgresql(url)) as store:
        world = World(store)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(world.add_card, map(str, range(16))))

        assert len(world.list_cards()) == 16


def test_a_thread_gets_busy_when_no_connection_becomes_free(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stores.sql.postgresql.MAX_CONNECTIONS", 0)

    with closing(open_postgresql(url, timeout=0.0)) as store, pytest.raises(Busy, match="in use"):
        store.check_ready()


# Broken connections


def test_a_broken_idle_connection_is_replaced(world: World, direct: psycopg.Connection[Any]) -> None:
    for number in range(3):
        break_connections(direct)

        world.add_card(f"Card {number}")

    assert_consistent(world)


def test_a_commit_whose_connection_breaks_writes_nothing(proxied_world: World, direct: psycopg.Connection[Any]) -> None:
    _, change = cards.create(proxied_world.read_board(), proxied_world.context(), NewCard(title="Torn"))

    with ThreadPoolExecutor(1) as pool, direct.transaction():
        direct.execute("UPDATE boards SET name = 'Held'")
        writing = pool.submit(proxied_world.store.commit, change)
        wait_for_lock_waiter(direct)
        break_connections(direct)

        with pytest.raises(Unavailable):
            writing.result()
        raise psycopg.Rollback
    proxied_world.store.commit(change)
    assert [card.title for card in proxied_world.list_cards()] == ["Torn"]
    assert_consistent(proxied_world)


def test_a_commit_whose_request_is_lost_writes_nothing(proxied_world: World, proxy: TcpProxy) -> None:
    _, change = cards.create(proxied_world.read_board(), proxied_world.context(), NewCard(title="Lost"))
    proxy.drop_next = "request"

    with pytest.raises(Unavailable, match="lost"):
        proxied_world.store.commit(change)

    assert proxied_world.list_cards() == []
    assert_consistent(proxied_world)


def test_a_commit_whose_response_is_lost_is_written_completely(proxied_world: World, proxy: TcpProxy) -> None:
    _, change = cards.create(proxied_world.read_board(), proxied_world.context(), NewCard(title="Unheard"))
    proxy.drop_next = "answer"

    with pytest.raises(Unavailable, match="lost"):
        proxied_world.store.commit(change)

    assert [card.title for card in proxied_world.list_cards()] == ["Unheard"]
    assert_consistent(proxied_world)
    with pytest.raises(StaleRead):
        proxied_world.store.commit(change)


def test_a_read_whose_response_is_lost_fails_once(proxied_world: World, proxy: TcpProxy) -> None:
    proxy.drop_next = "answer"

    with pytest.raises(Unavailable, match="lost"):
        proxied_world.read_board()

    assert proxied_world.read_board().board.seq == 1


def test_acknowledged_writes_survive_connections_that_break_all_the_time(
    proxied_world: World, direct: psycopg.Connection[Any]
) -> None:
    tried: list[str] = []
    acknowledged: list[str] = []
    done = threading.Event()

    def write(index: int) -> None:
        for number in itertools.count():
            title = f"{index}-{number}"
            tried.append(title)
            with suppress(Unavailable):
                acknowledged.append(proxied_world.add_card(title).title)
            if done.is_set():
                return

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, index) for index in range(4)]
        while len(acknowledged) < 40:
            break_connections(direct)
        done.set()
        for writer in writers:
            writer.result()

    assert set(acknowledged) <= {card.title for card in proxied_world.list_cards()} <= set(tried)
    assert_consistent(proxied_world)


def test_the_store_works_again_when_the_server_does() -> None:
    with run_server() as server, closing(open_postgresql(server.url("postgres"))) as store:
        world = World(store)
        for how in (signal.SIGINT, signal.SIGQUIT):
            server.stop(how)

            for _ in range(3):
                with pytest.raises(Unavailable, match="cannot be reached"):
                    world.add_card("Lost")
                with pytest.raises(Unavailable, match="cannot be reached"):
                    store.check_ready()

            server.start()
            world.add_card(how.name)

        assert [card.title for card in world.list_cards()] == ["SIGINT", "SIGQUIT"]
        assert_consistent(world)


def test_acknowledged_writes_survive_a_crash_of_the_server() -> None:
    with run_server() as server, closing(open_postgresql(server.url("postgres"))) as store:
        world = World(store)
        acknowledged: list[str] = []
        crashed = threading.Event()

        def write(index: int) -> None:
            while not crashed.is_set():
                with suppress(Unavailable):
                    acknowledged.append(world.add_card(f"{index}").id)

        for round_number in range(1, 3):
            crashed.clear()
            with ThreadPoolExecutor(4) as pool:
                writers = [pool.submit(write, index) for index in range(4)]
                while len(acknowledged) < 20 * round_number:
                    pass
                server.stop(signal.SIGQUIT)
                crashed.set()
                for writer in writers:
                    writer.result()
            server.start()

            assert set(acknowledged) <= {card.id for card in world.list_cards()}
            assert_consistent(world)


def test_a_closed_store_is_unavailable(world: World) -> None:
    world.store.close()

    with pytest.raises(Unavailable, match="closed"):
        world.read_board()


def test_a_forked_process_opens_its_own_connections(world: World) -> None:
    child = os.fork()
    if child == 0:
        seq = world.read_board().board.seq
        world.store.close()
        os._exit(seq)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 1
    assert world.read_board().board.seq == 1


def test_a_read_only_server_is_unavailable(world: World, direct: psycopg.Connection[Any]) -> None:
    direct.execute("ALTER DATABASE postgres SET default_transaction_read_only = on")
    break_connections(direct)
    try:
        with pytest.raises(Unavailable, match="takes no writes"):
            world.add_card("Copy")
        with pytest.raises(Unavailable, match="takes no writes"):
            world.store.check_ready()
        assert world.read_board().board.seq == 1
    finally:
        direct.execute("SET default_transaction_read_only = off")
        direct.execute("ALTER DATABASE postgres RESET default_transaction_read_only")
    break_connections(direct)
    world.store.check_ready()
    world.add_card("Copy")
