"""A user who isn't a member gets the result for a missing board, after the same work: the time reveals nothing."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from itertools import repeat
from typing import Any

import pytest

from kanban.ordering import ranks
from kanban.store import CardQuery, CardSort, EventQuery, NeighbourOf, PartKey, Store
from kanban.values import Checklist, Comment, TimeEntry
from stores import open_store
from stores.sql.store import SqlStore
from tests.engines.dynamodb_meter import Units, run_meter
from tests.engines.dynamodb_wire import Send, Wire, WireRequest, WireResponse
from tests.stores.part_builders import add_label, make_checklist, make_comment, make_item, make_time_entry
from tests.stores.world import NOON, World

MISSING_BOARD_ID = "brd_none"


class PopulatedBoard:
    """A board with lists, labels, a thousand cards and parts, its first card, and a user who isn't a member."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.non_member = world.add_user("Bob")
        for number in range(20):
            world.add_list(f"List {number}")
            add_label(world, f"Label {number}")
        new_cards = [world.add_card(f"Card {number}") for number in range(20)]
        self.card = new_cards[0]
        parts: tuple[Comment, Checklist, TimeEntry] = (
            make_comment(world, self.card, "Said"),
            make_checklist(world, self.card, "a0", make_item(world, "Step")),
            make_time_entry(world, self.card, 0, 60),
        )
        world.write(creates=parts)
        for number in range(4, 20):
            world.add_cards_with_ranks(f"List {number}", [*ranks.sequence_after("", 62)])
        self.parts = [PartKey(type(part), self.card.id, part.id) for part in parts]
        world.delete_list("List 3")


Read = Callable[[Store, PopulatedBoard, str, str], Any]

READS: dict[str, Read] = {
    "read_board": lambda store, _, *who: store.read_board(*who),
    "read_board with a card and its parts": lambda store, board, *who: store.read_board(
        *who, card_ids=[board.card.id], parts=board.parts
    ),
    "read_board with a neighbour": lambda store, board, *who: store.read_board(
        *who, neighbour_of=NeighbourOf(board.card.id, "after")
    ),
    "read_card": lambda store, board, *who: store.read_card(*who, board.card.id),
    "read_deleted": lambda store, board, *who: store.read_deleted(
        *who, list_ids=[board.card.list_id], card_ids=[board.card.id]
    ),
    "page_deleted_lists": lambda store, _, *who: store.page_deleted_lists(*who, NOON, 50),
    **{
        f"page_cards by {sort}": lambda store, _, *who, sort=sort: store.page_cards(*who, CardQuery(sort=sort), 50)
        for sort in CardSort
    },
    "page_card_views": lambda store, _, *who: store.page_card_views(*who, CardQuery(), 50),
    "page_cards of a list": lambda store, board, *who: store.page_cards(*who, CardQuery(board.card.list_id), 50),
    "page_cards that have a text": lambda store, _, *who: store.page_cards(*who, CardQuery(q="card"), 50),
    "read_cards_with_checklists": lambda store, _, *who: store.read_cards_with_checklists(*who),
    "read_cards_with_checklists of a list": lambda store, board, *who: store.read_cards_with_checklists(
        *who, board.card.list_id
    ),
    "read_card_ranks": lambda store, board, *who: store.read_card_ranks(*who, board.card.list_id),
    "page_events": lambda store, _, *who: store.page_events(*who, EventQuery(), 5),
    "page_events that are new": lambda store, _, *who: store.page_events(*who, EventQuery(10), 500),
    "page_time_entries": lambda store, board, *who: store.page_time_entries(*who, board.card.id, 50),
    "read_checklists": lambda store, board, *who: store.read_checklists(*who, board.card.id),
    "page_comments": lambda store, board, *who: store.page_comments(*who, board.card.id, 50),
    "page_parts": lambda store, _, *who: store.page_parts(*who, 50),
    "page_parts of a card": lambda store, board, *who: store.page_parts(*who, 50, None, board.card.id),
    "page_board_time_entries": lambda store, _, *who: store.page_board_time_entries(
        *who, (NOON, NOON + timedelta(days=1)), 50
    ),
    "page_worked_time": lambda store, _, *who: store.page_worked_time(*who, (NOON, NOON + timedelta(days=1)), 50),
}
"""Every read of the port that names a board and a user."""


def test_every_read_of_a_board_is_tested() -> None:
    named = {
        name
        for name, method in vars(Store).items()
        if {"board_id", "user_id"} <= set(getattr(method, "__annotations__", {}))
    }

    assert named == {name.split()[0] for name in READS}


def test_a_user_who_is_no_member_gets_the_result_for_a_missing_board(world: World) -> None:
    board = PopulatedBoard(world)

    for name, read in READS.items():
        assert read(world.store, board, world.board_id, world.ann.id) is not None, name
        assert read(world.store, board, world.board_id, board.non_member.id) is None, name
        assert read(world.store, board, MISSING_BOARD_ID, board.non_member.id) is None, name


@pytest.mark.parametrize("open_again", ["sqlite"], indirect=True)
def test_sqlite_reads_only_the_board_for_a_user_who_is_no_member(world: World) -> None:
    board = PopulatedBoard(world)

    for name, read in READS.items():
        read(world.store, board, world.board_id, world.ann.id)
        there, nowhere = (
            count_sqlite_steps(world.store, partial(read, world.store, board, board_id, board.non_member.id))
            for board_id in (world.board_id, MISSING_BOARD_ID)
        )
        # About ten instructions find the row of the board; a member's read takes hundreds.
        assert there <= nowhere + 15, name


def count_sqlite_steps(store: Store, read: Callable[[], Any]) -> int:
    """Count the instructions that SQLite executes for a read."""
    assert isinstance(store, SqlStore)
    (connection,) = store._engine._idle  # type: ignore[attr-defined]  # noqa: SLF001  (nothing else counts them)
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    connection.set_progress_handler(count, 1)
    read()
    connection.set_progress_handler(None, 1)
    return steps


@pytest.mark.parametrize("open_again", ["postgresql"], indirect=True)
def test_postgresql_reads_only_the_membership_for_a_user_who_is_no_member(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = PopulatedBoard(world)
    assert isinstance(world.store, SqlStore)
    engine = world.store._engine  # noqa: SLF001  (its statements are to be explained)
    read_rows, sent = engine.read, []

    def recording(calls: Any, **options: Any) -> Any:
        sent.extend(calls)
        return read_rows(calls, **options)

    monkeypatch.setattr(engine, "read", recording)
    for name, read in READS.items():
        sent.clear()
        read(world.store, board, world.board_id, board.non_member.id)
        for text, values in sent:
            ((plan,),) = read_rows([(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", values)])[0]
            (explained,) = json.loads(plan) if isinstance(plan, str) else plan
            assert {*scanned_tables(explained["Plan"])} <= {"caller", "boards", "members"}, name


def scanned_tables(node: Any) -> Iterator[str]:
    """Yield the tables, by their names in the statement, that a step of a plan has read."""
    if "Alias" in node and node["Actual Loops"]:
        yield node["Alias"]
    for step in node.get("Plans", ()):
        yield from scanned_tables(step)


def test_dynamodb_reads_only_the_membership_for_a_user_who_is_no_member(wire: Wire, dynoxide: str) -> None:
    world = World(wire.store)
    board = PopulatedBoard(world)

    with (
        run_meter(dynoxide) as meter,
        closing(open_store(f"dynamodb://{wire.table}?endpoint={meter.address}")) as store,
    ):
        for name, read in READS.items():
            costs = {}
            for board_id in (world.board_id, MISSING_BOARD_ID):
                wire.operations.clear()
                meter.units = Units()
                assert read(wire.store, board, board_id, board.non_member.id) is None
                assert read(store, board, board_id, board.non_member.id) is None
                costs[board_id] = (wire.operations.copy(), meter.units)
            assert costs[world.board_id] == costs[MISSING_BOARD_ID] == (["GetItem"], Units(reads=1)), name


def test_dynamodb_looks_up_a_member_once_for_each_process(wire: Wire) -> None:
    world = World(wire.store)
    board = PopulatedBoard(world)
    membership_reads = 0

    def count_membership_reads(request: WireRequest, send: Send) -> WireResponse:
        nonlocal membership_reads
        membership_reads += json.loads(request.body)["Key"]["pk"]["S"].startswith("U#")
        return send(request)

    other = Wire(wire.address, wire.table)
    other.faults["GetItem"] = repeat(count_membership_reads)
    for read in READS.values():
        assert read(other.store, board, world.board_id, world.ann.id) is not None
    other.close()

    assert membership_reads == 1
