"""A server that is killed at any time keeps every acknowledged write, and no partial one."""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Semaphore
from typing import Any

import pytest

from tests.api.client import Client
from tests.engines.dynamodb_server import create_table_url
from tests.live_server import LiveServer
from tests.soak.concurrency import list_cards
from tests.soak.conftest import FIRST_SEED, IS_FULL, Engine
from tests.soak.randomness import seeded_random
from tests.soak.socket_client import connect_client
from tests.soak.writers import Writer, check_board, without_clock

KILLS = {"sqlite": 500 if IS_FULL else 5}
KILLS_ELSEWHERE = 100 if IS_FULL else 1

WRITERS = 4
MAX_WRITES = 80
"""The server is killed after at most this number of acknowledged writes."""

WRITE_TIMEOUT = 60.0
"""After how many seconds without a write the test fails."""


@pytest.fixture
def store_url(engine: Engine, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a new, empty store of the engine."""
    if engine.name == "sqlite":
        return f"sqlite:///{tmp_path}/tackboard.db"
    if engine.name == "postgresql":
        return str(request.getfixturevalue("postgresql").url("postgres"))
    return create_table_url(request.getfixturevalue({"dynamodb": "dynoxide"}.get(engine.name, engine.name)))


@pytest.fixture
def crash(engine: Engine, request: pytest.FixtureRequest) -> Callable[[], None]:
    """Return a function that crashes and restarts the database's own server, if the engine has one."""
    if engine.name != "postgresql":
        return lambda: None
    database = request.getfixturevalue("postgresql")

    def crash_and_restart() -> None:
        database.stop(signal.SIGQUIT)
        database.start()

    return crash_and_restart


def test_a_killed_server_keeps_what_it_acknowledged(
    engine: Engine, store_url: str, crash: Callable[[], None], tmp_path: Path, report: Callable[[str], None]
) -> None:
    kills = KILLS.get(engine.name, KILLS_ELSEWHERE)

    acknowledged = in_flight = unacknowledged = 0
    cards_by_board: dict[str, list[dict[str, Any]]] = {}
    server = LiveServer(tmp_path, STORE_URL=store_url)
    token = server.token or ""
    try:
        for number in range(kills):
            client = connect_client(server, token)
            board = f"/boards/{client.post('/boards', {'name': f'Kill {number}'}).json['id']}"
            writers = [
                Writer(f"writer-{index}", board, seeded_random("writer", FIRST_SEED, number, index))
                for index in range(WRITERS)
            ]
            _kill_during_writes(
                writers, server, client, after=seeded_random("kill", FIRST_SEED, number).randint(1, MAX_WRITES)
            )
            acknowledged += sum(writer.acknowledged for writer in writers)
            in_flight += sum(writer.in_flight is not None for writer in writers)
            if number % 2 == 0:
                crash()

            server = LiveServer(tmp_path, STORE_URL=store_url)
            client = connect_client(server, token)
            try:
                unacknowledged += _check_after_kill(client, board, writers)
            except AssertionError as error:
                error.add_note(f"After kill {number} from SEED={FIRST_SEED}.")
                raise
            cards_by_board[board] = _list_cards_without_clocks(client, board)
        lost = [
            board
            for board, cards in cards_by_board.items()
            if _list_cards_without_clocks(connect_client(server, token), board) != cards
        ]
        assert not lost
    finally:
        server.stop()

    report(
        f"{kills} kills: {acknowledged} acknowledged writes kept; of {in_flight} in flight, {unacknowledged} were "
        "done and the others not at all; no gap in seq",
    )


def _kill_during_writes(writers: list[Writer], server: LiveServer, client: Client, *, after: int) -> None:
    """Kill the server while all writers write, after it has acknowledged a number of writes."""
    acknowledgements = Semaphore(0)
    with ThreadPoolExecutor(len(writers)) as pool:
        writing = [pool.submit(writer.write, client, acknowledgements) for writer in writers]
        is_alive = all(acknowledgements.acquire(timeout=WRITE_TIMEOUT) for _ in range(after))
        server.signal(signal.SIGKILL)
        server.wait()
    for future in writing:
        future.result()
    assert is_alive
    assert not server.errors


def _check_after_kill(client: Client, board: str, writers: list[Writer]) -> int:
    """Check that no write is lost, partial or duplicated; return how many were done without being acknowledged."""
    acknowledged = sum(writer.acknowledged for writer in writers)
    for writer in writers:
        writer.check_cards(client)
    events = check_board(client, board)
    unacknowledged = events - 1 - acknowledged
    assert 0 <= unacknowledged <= sum(writer.in_flight is not None for writer in writers)

    done_before = sum([writer.resend(client) for writer in writers])

    assert done_before == unacknowledged
    assert check_board(client, board) == 1 + sum(writer.acknowledged for writer in writers)
    for writer in writers:
        writer.check_cards(client)
    return unacknowledged


def _list_cards_without_clocks(client: Client, board: str) -> list[dict[str, Any]]:
    return [without_clock(card) for card in list_cards(client, board)]
