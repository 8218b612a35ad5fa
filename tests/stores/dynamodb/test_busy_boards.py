"""Reads of a board to which another process writes before every call: they succeed after a bounded number of calls."""

import json
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import repeat
from typing import Any

import pytest

from kanban import boards, cards, lists, transfers
from kanban.ordering import ranks
from kanban.store import Busy, CardQuery, CardSort, StaleRead, Store
from kanban.values import Card, NewCard
from stores.dynamodb import keys
from stores.dynamodb.attributes import to_number
from stores.dynamodb.client import MAX_RETRY_SECONDS
from stores.dynamodb.holds import MAX_HOLD
from stores.dynamodb.read_attempts import MAX_FREE_ATTEMPTS, MIN_HOLD
from tests.engines import dynamodb_wire as faults
from tests.engines.dynamodb_wire import Wire
from tests.stores.part_builders import make_checklist, make_comment, make_item, make_time_entry
from tests.stores.world import NOON, World, make_card

CARD_COUNT = 480
REPETITIONS = 200 if os.environ.get("SOAK") == "1" else 4
CALL_SECONDS = 0.005
PERIOD = (NOON, NOON + timedelta(days=1))


class WriterWaits(Exception):
    """Raised when the writer would wait for the end of a hold."""


class BusyBoard:
    """A board of many cards, and another process that writes to it before every call of the wire."""

    def __init__(self, wire: Wire, world: World, seed: int = 1) -> None:
        self.wire = wire
        self.world = world
        self.random = random.Random(seed)  # noqa: S311  (a test repeats the same sequence)
        self.write_count = self.wait_count = 0
        self.writer_wire = Wire(wire.address, wire.table)
        self.writer_wire.wall_clock = wire.wall_clock
        self.writer_wire.on_sleep = self._raise_writer_waits
        self.writer = World.__new__(World)
        self.writer.__dict__.update(world.__dict__, store=self.writer_wire.store)
        self.cards = self._create_cards()
        self.card = self.cards[0]
        self.list_id = self.card.list_id
        self.card_ids = tuple(card.id for card in self.cards[:150])
        self._write_parts()

    def _create_cards(self) -> list[Card]:
        """Create cards in all lists; return them."""
        created = []
        for list_ in self.world.read_board().lists:
            card_ranks = ranks.sequence_after("", CARD_COUNT // 3)
            new_cards = [make_card(self.world, list_, rank) for rank in card_ranks]
            for start in range(0, len(new_cards), 90):
                self.world.write(creates=tuple(new_cards[start : start + 90]))
            list_before = self.world.find_list(list_.name)
            counted = replace(
                list_before, card_count=len(new_cards), first_rank=card_ranks[0], last_rank=card_ranks[-1]
            )
            self.world.write(updates=(counted,))
            created += new_cards
        return created

    def _write_parts(self) -> None:
        """Create comments and a checklist for one card, and time entries for many."""
        comments = [make_comment(self.world, self.card, f"New {number}") for number in range(20)]
        checklist = make_checklist(self.world, self.card, "a0", make_item(self.world, "Look"))
        counted = replace(self.card, comment_count=20, item_count=1)
        self.world.write(creates=(*comments, checklist), updates=(counted,))
        entries = [
            make_time_entry(self.world, card, index * 60, index * 60 + 30)
            for index, card in enumerate(self.cards[:150])
        ]
        for start in range(0, len(entries), 90):
            self.world.write(creates=tuple(entries[start : start + 90]))
        self.cards.remove(self.card)

    def read_disturbed(self, read: Callable[[], Any]) -> tuple[Any, list[str]]:
        """Read while the other process writes before each call; return the result and the operations called."""
        for operation in ("BatchGetItem", "Query", "TransactGetItems", "UpdateItem"):
            self.wire.faults[operation] = repeat(self._write_and_send)
        self.wire.on_sleep = self._write_during_sleep
        self.wire.operations.clear()
        result = read()
        operations = self.wire.operations.copy()
        self.wire.faults.clear()
        return result, operations

    def pause(self) -> None:
        """Let some time pass, and the other process write."""
        self.wire.elapsed += self.random.random() * 0.5
        self._write()

    def close(self) -> None:
        """Close the writer's connections."""
        self.writer_wire.close()

    def _write_and_send(self, request: Any, send: faults.Send) -> Any:
        self._write()
        self.wire.elapsed += CALL_SECONDS
        return send(request)

    def _write_during_sleep(self, seconds: float) -> None:
        self.wire.elapsed += seconds / 2
        self._write()
        self.wire.elapsed += seconds / 2

    def _raise_writer_waits(self, _: float) -> None:
        raise WriterWaits

    def _write(self) -> None:
        try:
            self.random.choice((self._move, self._move, self._move, self._create, self._delete, self._move_list))()
            self.write_count += 1
        except WriterWaits:
            self.wait_count += 1

    def _move(self) -> None:
        card, neighbour = self.random.sample(self.cards, 2)
        list_id = self.writer.read_card(neighbour).list_id
        self.writer.move_card(card, list_id, **{self.random.choice(("before", "after")): neighbour.id})

    def _create(self) -> None:
        list_ = self.random.choice(self.writer.read_board().lists)
        self.cards.append(self.writer.apply(cards.create, new=NewCard(title="New", list_id=list_.id)))

    def _delete(self) -> None:
        card = self.random.choice(self.cards)
        self.writer.delete_card(card)
        self.cards.remove(card)

    def _move_list(self) -> None:
        list_ = self.random.choice(self.writer.read_board().lists)
        self.writer.apply(lists.move, list_.id, position="top")


@pytest.fixture
def busy(wire: Wire, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[BusyBoard]:
    """Return a busy board, where lists are rebalanced much sooner than usual."""
    monkeypatch.setattr(ranks, "MAX_RANK_LENGTH", 4)
    board = BusyBoard(wire, world)
    yield board
    board.close()


Read = Callable[[Store, BusyBoard], Any]


def page_cards(store: Store, busy: BusyBoard, query: CardQuery, limit: int) -> Any:
    return store.page_cards(busy.world.board_id, busy.world.ann.id, query, limit)


def read_of_card(store: Store, busy: BusyBoard, name: str, *args: int) -> Any:
    return getattr(store, name)(busy.world.board_id, busy.world.ann.id, busy.card.id, *args)


READS: dict[str, tuple[int, Read]] = {
    "the whole board": (4, lambda store, busy: page_cards(store, busy, CardQuery(), 500)),
    "a page of a list": (3, lambda store, busy: page_cards(store, busy, CardQuery(busy.list_id), 50)),
    "a page of the newest cards": (3, lambda store, busy: page_cards(store, busy, CardQuery(sort=CardSort.NEWEST), 50)),
    "a page of the latest changes": (
        3,
        lambda store, busy: page_cards(store, busy, CardQuery(sort=CardSort.MOST_RECENTLY_UPDATED), 50),
    ),
    "a search": (9, lambda store, busy: page_cards(store, busy, CardQuery(q="new"), 50)),
    "all cards with their checklists": (
        3,
        lambda store, busy: store.read_cards_with_checklists(busy.world.board_id, busy.world.ann.id),
    ),
    "the cards of a list with their checklists": (
        3,
        lambda store, busy: store.read_cards_with_checklists(busy.world.board_id, busy.world.ann.id, busy.list_id),
    ),
    "the ranks of a list": (
        2,
        lambda store, busy: store.read_card_ranks(busy.world.board_id, busy.world.ann.id, busy.list_id),
    ),
    "comments": (2, lambda store, busy: read_of_card(store, busy, "page_comments", 50)),
    "checklists": (2, lambda store, busy: read_of_card(store, busy, "read_checklists")),
    "time entries of a card": (2, lambda store, busy: read_of_card(store, busy, "page_time_entries", 50)),
    "time entries of the board": (
        3,
        lambda store, busy: store.page_board_time_entries(busy.world.board_id, busy.world.ann.id, PERIOD, 200),
    ),
    "deleted lists": (
        2,
        lambda store, busy: store.page_deleted_lists(busy.world.board_id, busy.world.ann.id, NOON, 50),
    ),
    "many cards by their ids": (
        2,
        lambda store, busy: store.read_board(busy.world.board_id, busy.world.ann.id, card_ids=busy.card_ids),
    ),
}
"""Reads of several calls, and how many calls an attempt takes at most."""


@pytest.mark.parametrize("name", READS)
def test_a_read_succeeds_however_often_others_write(busy: BusyBoard, name: str) -> None:
    calls, read = READS[name]

    for _ in range(REPETITIONS):
        result, operations = busy.read_disturbed(lambda: read(busy.world.store, busy))

        # The head, the attempts, the hold before the last one, and the head again if it was written before the hold.
        assert len(operations) <= 1 + calls * (MAX_FREE_ATTEMPTS + 1) + 1 + 1
        # Nobody has written since the last call: what is there now is what was there then.
        assert result == read(busy.writer_wire.store, busy)
        busy.pause()

    assert busy.wait_count > 0
    assert busy.write_count > REPETITIONS * MAX_FREE_ATTEMPTS


# Holds


def read_page_under_hold(wire: Wire, world: World) -> list[str]:
    """Read a page while others write until there is a hold on the board; return the operations from then on."""
    other = wire.another_process(world)
    world.read_board()
    wire.faults["BatchGetItem"] = repeat(faults.run_first(lambda: other.add_card("Another")), MAX_FREE_ATTEMPTS)
    wire.operations.clear()
    world.list_cards()
    return wire.operations[2 * MAX_FREE_ATTEMPTS :]


def hold_board(wire: Wire, world: World) -> int:
    """Put a hold on the board; return how many milliseconds it lasts."""
    read_page_under_hold(wire, world)
    tip = wire.client("get_item", TableName=wire.table, Key=keys.tip_key(world.board_id))["Item"]
    return int(tip["held_until"]["N"]) - wire.client.timestamp_ms()


def set_hold(wire: Wire, world: World, **milliseconds: int) -> None:
    """Write these attributes of a hold, as another process does: milliseconds from now on."""
    names = {f"#{name}": name for name in milliseconds}
    values = {f":{name}": to_number(wire.client.timestamp_ms() + offset) for name, offset in milliseconds.items()}
    wire.client(
        "update_item",
        TableName=wire.table,
        Key=keys.tip_key(world.board_id),
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in milliseconds),
        ExpressionAttributeNames=names,
        ExpressionAttributeValues=values,
    )


def test_a_reader_puts_a_hold_on_the_board_and_reads_it_undisturbed(wire: Wire, world: World) -> None:
    world.add_card("Card")

    assert read_page_under_hold(wire, world) == ["UpdateItem", "Query", "BatchGetItem"]
    assert wire.elapsed == 0


def test_a_writer_waits_for_the_end_of_a_hold_and_then_commits_the_same_change(wire: Wire, world: World) -> None:
    length = hold_board(wire, world)
    _, change = cards.create(world.read_board(), world.context(), NewCard(title="New"))
    wire.operations.clear()

    world.store.commit(change)

    assert wire.operations == ["TransactWriteItems"] * 2
    assert length == MIN_HOLD
    assert length / 1000 <= wire.elapsed < length / 1000 + 0.1
    assert world.list_titles("To do")[-1] == "New"


def test_a_change_decided_from_an_older_board_is_stale_under_a_hold_too(wire: Wire, world: World) -> None:
    _, change = cards.create(world.read_board(), world.context(), NewCard(title="New"))
    hold_board(wire, world)

    with pytest.raises(StaleRead):
        world.store.commit(change)


def test_a_card_moves_between_boards_when_neither_is_held(wire: Wire, world: World) -> None:
    card = world.add_card("Card")
    target_id = world.add_board("Elsewhere")
    hold_board(wire, world)
    view = world.store.read_board(target_id, world.ann.id)
    assert view is not None
    _, change = transfers.transfer(world.read_board(card.id), view, card.id, world.context())

    world.store.commit(change)

    assert wire.elapsed * 1000 >= MIN_HOLD
    view = world.store.read_board(target_id, world.ann.id, card_ids=[card.id])
    assert view is not None
    assert view.get_card(card.id).title == "Card"


def test_readers_share_a_hold(wire: Wire, world: World) -> None:
    world.add_card("Card")
    other = wire.another_process(world)

    def write() -> None:
        other.add_card("Another")
        set_hold(wire, world, held_until=2 * MIN_HOLD, rests_until=6 * MIN_HOLD)

    world.read_board()
    wire.faults["BatchGetItem"] = repeat(faults.run_first(write), MAX_FREE_ATTEMPTS)
    wire.operations.clear()
    world.list_cards()

    assert wire.operations.count("UpdateItem") == MAX_FREE_ATTEMPTS
    assert wire.elapsed == 0


def test_a_reader_that_needs_longer_prolongs_a_hold(wire: Wire, world: World) -> None:
    world.add_card("Card")
    other = wire.another_process(world)
    started_at = wire.client.timestamp_ms()

    def write() -> None:
        other.add_card("Another")
        # The attempt takes so long that the hold of another reader is too short for the next one.
        wire.elapsed += 2 * MIN_HOLD / 1000
        set_hold(wire, world, held_until=MIN_HOLD, rests_until=3 * MIN_HOLD)

    world.read_board()
    wire.faults["BatchGetItem"] = repeat(faults.run_first(write), MAX_FREE_ATTEMPTS)
    world.list_cards()

    tip = wire.client("get_item", TableName=wire.table, Key=keys.tip_key(world.board_id))["Item"]
    until, rests_until = (int(tip[name]["N"]) for name in ("held_until", "rests_until"))
    now = wire.client.timestamp_ms()
    # The reader asks for three times as long, and the writers' turn after that depends on all of the hold.
    assert now - started_at == MAX_FREE_ATTEMPTS * 2 * MIN_HOLD
    assert until == now + 6 * MIN_HOLD
    assert rests_until == until + 2 * (until - now)


def test_a_hold_is_not_prolonged_beyond_its_maximum(wire: Wire, world: World) -> None:
    world.add_card("Card")
    other = wire.another_process(world)

    def write() -> None:
        other.add_card("Another")
        wire.elapsed += 2 * MIN_HOLD / 1000
        # This hold has lasted nearly as long as one may.
        remaining = MIN_HOLD
        set_hold(wire, world, held_until=remaining, rests_until=remaining + 2 * MAX_HOLD)

    world.read_board()
    wire.faults["BatchGetItem"] = repeat(faults.run_first(write), MAX_FREE_ATTEMPTS)
    before = wire.elapsed
    world.list_cards()

    waited = wire.elapsed - before - MAX_FREE_ATTEMPTS * 2 * MIN_HOLD / 1000
    assert waited == pytest.approx((MIN_HOLD + 2 * MAX_HOLD + 1) / 1000)


def test_readers_leave_the_board_to_its_writers_for_a_while(wire: Wire, world: World) -> None:
    length = hold_board(wire, world)
    wire.elapsed += length / 1000

    read_page_under_hold(wire, world)

    assert 3 * length <= wire.elapsed * 1000 <= 3 * length + 2


@pytest.mark.parametrize(
    "fault", [faults.error_response("TransactionConflictException"), faults.time_out, faults.lose_response]
)
def test_a_hold_is_retried_when_it_is_refused_or_its_response_is_lost(
    wire: Wire, world: World, fault: faults.Fault
) -> None:
    world.add_card("Card")
    wire.faults["UpdateItem"] = iter([fault])

    assert read_page_under_hold(wire, world) == ["UpdateItem", "UpdateItem", "Query", "BatchGetItem"]


def test_a_hold_from_a_wrong_clock_is_ignored(wire: Wire, world: World) -> None:
    set_hold(wire, world, held_until=3_600_000, rests_until=10_800_000)

    world.add_card("Card")

    assert read_page_under_hold(wire, world)[0] == "UpdateItem"
    assert wire.elapsed == 0


def test_a_writer_with_a_wrong_clock_makes_a_reader_give_up_but_never_read_wrong(wire: Wire, world: World) -> None:
    other = wire.another_process(world)
    world.read_board()
    wire.faults["BatchGetItem"] = repeat(faults.run_first(lambda: other.add_card("Another")))

    with pytest.raises(Busy):
        world.list_cards()

    assert wire.elapsed <= MAX_RETRY_SECONDS


def test_a_board_that_is_deleted_while_a_reader_waits_is_gone(wire: Wire, world: World) -> None:
    other = wire.another_process(world)
    world.read_board()
    wire.faults["BatchGetItem"] = repeat(faults.run_first(lambda: other.add_card("Another")), MAX_FREE_ATTEMPTS)

    wire.faults["UpdateItem"] = iter(
        [faults.run_first(lambda: other.store.commit(boards.delete(other.read_board(), other.context())))]
    )

    assert world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 10) is None


# Events


def test_an_event_that_a_query_missed_is_read_by_its_key(wire: Wire, world: World) -> None:
    before = world.list_events()
    world.add_card("Card")
    last = world.list_events()[-1]

    def leave_out_last(request: Any, send: faults.Send) -> Any:
        body = json.loads(send(request).body)
        items = [item for item in body["Items"] if item["sk"]["S"] != keys.event_sort_key(last.seq)]
        return faults.make_response(200, {**body, "Items": items})

    wire.faults["Query"] = iter([leave_out_last])
    wire.operations.clear()

    assert world.list_events() == [*before, last]
    assert wire.operations == ["Query", "TransactGetItems"]
