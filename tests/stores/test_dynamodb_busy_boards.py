"""Reads of a board to which somebody writes before every call of the reader: they get there, and soon."""

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
from kanban.values import Card
from stores.dynamodb import keys
from stores.dynamodb.attributes import to_number
from stores.dynamodb.client import MAX_RETRY_SECONDS
from stores.dynamodb.holds import MAX_FREE_ATTEMPTS, MAX_HOLD, MIN_HOLD
from tests.engines import dynamodb_wire as wire
from tests.engines.dynamodb_wire import Wire
from tests.stores.part_builders import make_checklist, make_comment, make_item, make_time_entry
from tests.stores.world import NOON, World, make_card

CROWD = 480
TIMES = 200 if os.environ.get("SOAK") == "1" else 4
SECONDS_OF_A_CALL = 0.005
SPAN = (NOON, NOON + timedelta(days=1))


class Waiting(Exception):
    """The writer waits for the end of a hold."""


@pytest.fixture
def store(line: Wire) -> Store:
    """The store behind the wire."""
    return line.store


class BusyBoard:
    """A board of many cards, read through a wire before whose calls another process writes to the board."""

    def __init__(self, line: Wire, world: World, seed: int = 1) -> None:
        self.line = line
        self.world = world
        self.chance = random.Random(seed)  # noqa: S311  (a test wants the same chances again)
        self.written = self.waited = 0
        self.beside = Wire(line.address, line.table)
        self.beside.wall_clock = line.wall_clock
        self.beside.on_sleep = self._give_up
        self.writer = World.__new__(World)
        self.writer.__dict__.update(world.__dict__, store=self.beside.store)
        self.cards = self._crowd()
        self.kept = self.cards[0]
        self.list_id = self.kept.list_id
        self.some = tuple(card.id for card in self.cards[:150])
        self._write_parts()

    def _crowd(self) -> list[Card]:
        """Cards in all lists."""
        made = []
        for list_ in self.world.read_board().lists:
            places = ranks.sequence_after("", CROWD // 3)
            crowd = [make_card(self.world, list_, rank) for rank in places]
            for start in range(0, len(crowd), 90):
                self.world.write(creates=tuple(crowd[start : start + 90]))
            empty = self.world.find_list(list_.name)
            counted = replace(empty, card_count=len(crowd), first_rank=places[0], last_rank=places[-1])
            self.world.write(updates=(counted,))
            made += crowd
        return made

    def _write_parts(self) -> None:
        """Comments and a checklist for one card, and time entries for many."""
        said = [make_comment(self.world, self.kept, f"New {number}") for number in range(20)]
        steps = make_checklist(self.world, self.kept, "a0", make_item(self.world, "Look"))
        counted = replace(self.kept, comment_count=20, item_count=1)
        self.world.write(creates=(*said, steps), updates=(counted,))
        worked = [
            make_time_entry(self.world, card, place * 60, place * 60 + 30)
            for place, card in enumerate(self.cards[:150])
        ]
        for start in range(0, len(worked), 90):
            self.world.write(creates=tuple(worked[start : start + 90]))
        self.cards.remove(self.kept)

    def disturbed(self, read: Callable[[], Any]) -> tuple[Any, list[str]]:
        """What a read answers before each of whose calls somebody writes, and the calls that it took."""
        for operation in ("GetItem", "Query", "TransactGetItems", "UpdateItem"):
            self.line.faults[operation] = repeat(self._disturbing)
        self.line.on_sleep = self._let_others_write
        self.line.operations.clear()
        found = read()
        sent = self.line.operations.copy()
        self.line.faults.clear()
        return found, sent

    def rest(self) -> None:
        """Let some time pass between two reads."""
        self.line.elapsed += self.chance.random() * 0.5
        self._write()

    def close(self) -> None:
        """Let go of the writer's connections."""
        self.beside.close()

    def _disturbing(self, request: Any, send: wire.Send) -> Any:
        self._write()
        self.line.elapsed += SECONDS_OF_A_CALL
        return send(request)

    def _let_others_write(self, seconds: float) -> None:
        self.line.elapsed += seconds / 2
        self._write()
        self.line.elapsed += seconds / 2

    def _give_up(self, _: float) -> None:
        raise Waiting

    def _write(self) -> None:
        try:
            self.chance.choice((self._move, self._move, self._move, self._create, self._delete, self._move_list))()
            self.written += 1
        except Waiting:
            self.waited += 1

    def _move(self) -> None:
        card, neighbour = self.chance.sample(self.cards, 2)
        list_id = self.writer.read_card(neighbour).list_id
        self.writer.move_card(card, list_id, **{self.chance.choice(("before", "after")): neighbour.id})

    def _create(self) -> None:
        list_ = self.chance.choice(self.writer.read_board().lists)
        self.cards.append(self.writer.apply(cards.create, title="New", list_id=list_.id))

    def _delete(self) -> None:
        card = self.chance.choice(self.cards)
        self.writer.delete_card(card)
        self.cards.remove(card)

    def _move_list(self) -> None:
        list_ = self.chance.choice(self.writer.read_board().lists)
        self.writer.apply(lists.move, list_.id, position="top")


@pytest.fixture
def busy(line: Wire, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[BusyBoard]:
    """A busy board, where moves give lists shorter ranks much sooner than usual."""
    monkeypatch.setattr(ranks, "MAX_RANK_LENGTH", 4)
    board = BusyBoard(line, world)
    yield board
    board.close()


Read = Callable[[Store, BusyBoard], Any]


def page_of(store: Store, busy: BusyBoard, query: CardQuery, limit: int) -> Any:
    return store.page_cards(busy.world.board_id, busy.world.ann.id, query, limit)


def of_card(store: Store, busy: BusyBoard, name: str, *more: int) -> Any:
    return getattr(store, name)(busy.world.board_id, busy.world.ann.id, busy.kept.id, *more)


READS: dict[str, tuple[int, Read]] = {
    "the whole board": (4, lambda store, busy: page_of(store, busy, CardQuery(), 500)),
    "a page of a list": (3, lambda store, busy: page_of(store, busy, CardQuery(busy.list_id), 50)),
    "a page of the newest": (3, lambda store, busy: page_of(store, busy, CardQuery(sort=CardSort.NEWEST), 50)),
    "a page of what changed last": (
        3,
        lambda store, busy: page_of(store, busy, CardQuery(sort=CardSort.MOST_RECENTLY_UPDATED), 50),
    ),
    "a search": (9, lambda store, busy: page_of(store, busy, CardQuery(q="new"), 50)),
    "the places of a list": (
        2,
        lambda store, busy: store.read_card_ranks(busy.world.board_id, busy.world.ann.id, busy.list_id),
    ),
    "comments": (2, lambda store, busy: of_card(store, busy, "page_comments", 50)),
    "checklists": (2, lambda store, busy: of_card(store, busy, "checklists")),
    "time entries": (2, lambda store, busy: of_card(store, busy, "page_time_entries", 50)),
    "what was worked on": (
        3,
        lambda store, busy: store.page_board_time_entries(busy.world.board_id, busy.world.ann.id, SPAN, 200),
    ),
    "deleted lists": (
        2,
        lambda store, busy: store.page_deleted_lists(busy.world.board_id, busy.world.ann.id, NOON, 50),
    ),
    "many cards by their ids": (
        2,
        lambda store, busy: store.read_board(busy.world.board_id, busy.world.ann.id, card_ids=busy.some),
    ),
}
"""Reads of several calls, and how many calls an attempt takes at most."""


@pytest.mark.parametrize("name", READS)
def test_a_read_gets_there_however_often_others_write(busy: BusyBoard, name: str) -> None:
    calls, read = READS[name]

    for _ in range(TIMES):
        found, sent = busy.disturbed(lambda: read(busy.world.store, busy))

        # A first look, the attempts, and the hold before the last one.
        assert len(sent) <= 1 + calls * (MAX_FREE_ATTEMPTS + 1) + 1
        # Nobody has written since the last look: what is there now is what there was at that moment.
        assert found == read(busy.beside.store, busy)
        busy.rest()

    assert busy.waited > 0
    assert busy.written > TIMES * MAX_FREE_ATTEMPTS


# Holds


def after(write: Callable[[], Any]) -> wire.Fault:
    """A call goes through after somebody has written."""

    def disturbing(request: Any, send: wire.Send) -> Any:
        write()
        return send(request)

    return disturbing


def page_under_hold(line: Wire, world: World) -> list[str]:
    """Read a page that is disturbed until the reader puts a hold on the board; the calls from then on."""
    other = line.another_process(world)
    world.read_board()
    line.faults["GetItem"] = repeat(after(lambda: other.add_card("Another")), MAX_FREE_ATTEMPTS)
    line.operations.clear()
    world.list_cards()
    return line.operations[2 * MAX_FREE_ATTEMPTS :]


def held_board(line: Wire, world: World) -> int:
    """Put a hold on the board; for how many milliseconds it lasts."""
    page_under_hold(line, world)
    head = line.client("get_item", TableName=line.table, Key=keys.head_key(world.board_id))["Item"]
    return int(head["held_until"]["N"]) - line.client.timestamp_ms()


def set_hold(line: Wire, world: World, **milliseconds: int) -> None:
    """Put a hold on the board that somebody else asked for, in that many milliseconds from now on."""
    names = {f"#{name}": name for name in milliseconds}
    values = {f":{name}": to_number(line.client.timestamp_ms() + after) for name, after in milliseconds.items()}
    line.client(
        "update_item",
        TableName=line.table,
        Key=keys.head_key(world.board_id),
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in milliseconds),
        ExpressionAttributeNames=names,
        ExpressionAttributeValues=values,
    )


def test_a_reader_puts_a_hold_on_the_board_and_reads_it_in_peace(line: Wire, world: World) -> None:
    world.add_card("Card")

    assert page_under_hold(line, world) == ["UpdateItem", "Query", "GetItem"]
    assert line.elapsed == 0


def test_a_writer_waits_for_the_end_of_a_hold_and_then_writes_what_it_had_decided(line: Wire, world: World) -> None:
    length = held_board(line, world)
    _, change = cards.create(world.read_board(), world.context(), title="New")
    line.operations.clear()

    world.store.commit(change)

    assert line.operations == ["TransactWriteItems"] * 2
    assert length == MIN_HOLD
    assert length / 1000 <= line.elapsed < length / 1000 + 0.1
    assert world.list_titles("To do")[-1] == "New"


def test_a_writer_that_decided_from_an_older_board_is_stale_under_a_hold_too(line: Wire, world: World) -> None:
    _, change = cards.create(world.read_board(), world.context(), title="New")
    held_board(line, world)

    with pytest.raises(StaleRead):
        world.store.commit(change)


def test_a_card_moves_between_boards_when_neither_is_held(line: Wire, world: World) -> None:
    card = world.add_card("Card")
    target_id = world.add_board("Elsewhere")
    held_board(line, world)
    view = world.store.read_board(target_id, world.ann.id)
    assert view is not None
    _, change = transfers.transfer(world.read_board(card.id), view, card.id, world.context())

    world.store.commit(change)

    assert line.elapsed * 1000 >= MIN_HOLD
    found = world.store.read_board(target_id, world.ann.id, card_ids=[card.id])
    assert found is not None
    assert found.get_card(card.id).title == "Card"


def test_readers_share_a_hold(line: Wire, world: World) -> None:
    world.add_card("Card")
    other = line.another_process(world)

    def write() -> None:
        other.add_card("Another")
        set_hold(line, world, held_until=2 * MIN_HOLD, rests_until=6 * MIN_HOLD)

    world.read_board()
    line.faults["GetItem"] = repeat(after(write), MAX_FREE_ATTEMPTS)
    line.operations.clear()
    world.list_cards()

    assert line.operations.count("UpdateItem") == MAX_FREE_ATTEMPTS
    assert line.elapsed == 0


def test_a_reader_that_needs_longer_prolongs_a_hold(line: Wire, world: World) -> None:
    world.add_card("Card")
    other = line.another_process(world)
    began = line.client.timestamp_ms()

    def write() -> None:
        other.add_card("Another")
        # The attempt takes so long that another reader's hold will not do.
        line.elapsed += 2 * MIN_HOLD / 1000
        set_hold(line, world, held_until=MIN_HOLD, rests_until=3 * MIN_HOLD)

    world.read_board()
    line.faults["GetItem"] = repeat(after(write), MAX_FREE_ATTEMPTS)
    world.list_cards()

    head = line.client("get_item", TableName=line.table, Key=keys.head_key(world.board_id))["Item"]
    until, rests_until = (int(head[name]["N"]) for name in ("held_until", "rests_until"))
    now = line.client.timestamp_ms()
    # It needs three times as long, and the rest is for all of the hold.
    assert now - began == MAX_FREE_ATTEMPTS * 2 * MIN_HOLD
    assert until == now + 6 * MIN_HOLD
    assert rests_until == until + 2 * (until - now)


def test_no_hold_is_prolonged_for_ever(line: Wire, world: World) -> None:
    world.add_card("Card")
    other = line.another_process(world)

    def write() -> None:
        other.add_card("Another")
        line.elapsed += 2 * MIN_HOLD / 1000
        # This hold has lasted nearly as long as one may.
        left = MIN_HOLD
        set_hold(line, world, held_until=left, rests_until=left + 2 * MAX_HOLD)

    world.read_board()
    line.faults["GetItem"] = repeat(after(write), MAX_FREE_ATTEMPTS)
    before = line.elapsed
    world.list_cards()

    waited = line.elapsed - before - MAX_FREE_ATTEMPTS * 2 * MIN_HOLD / 1000
    assert waited == pytest.approx((MIN_HOLD + 2 * MAX_HOLD + 1) / 1000)


def test_readers_leave_the_board_to_its_writers_for_a_while(line: Wire, world: World) -> None:
    length = held_board(line, world)
    line.elapsed += length / 1000

    page_under_hold(line, world)

    assert 3 * length <= line.elapsed * 1000 <= 3 * length + 2


@pytest.mark.parametrize(
    "fault", [wire.error_response("TransactionConflictException"), wire.time_out, wire.lose_response]
)
def test_a_hold_that_is_refused_or_whose_answer_is_lost_is_asked_for_again(
    line: Wire, world: World, fault: wire.Fault
) -> None:
    world.add_card("Card")
    line.faults["UpdateItem"] = iter([fault])

    assert page_under_hold(line, world) == ["UpdateItem", "UpdateItem", "Query", "GetItem"]


def test_a_hold_of_a_wrong_clock_keeps_nobody_waiting(line: Wire, world: World) -> None:
    set_hold(line, world, held_until=3_600_000, rests_until=10_800_000)

    world.add_card("Card")

    assert page_under_hold(line, world)[0] == "UpdateItem"
    assert line.elapsed == 0


def test_a_writer_whose_clock_is_wrong_makes_a_reader_give_up_but_never_read_wrong(line: Wire, world: World) -> None:
    other = line.another_process(world)
    world.read_board()
    line.faults["GetItem"] = repeat(after(lambda: other.add_card("Another")))

    with pytest.raises(Busy):
        world.list_cards()

    assert line.elapsed <= MAX_RETRY_SECONDS


def test_a_board_that_is_deleted_while_a_reader_waits_is_gone(line: Wire, world: World) -> None:
    other = line.another_process(world)
    world.read_board()
    line.faults["GetItem"] = repeat(after(lambda: other.add_card("Another")), MAX_FREE_ATTEMPTS)

    line.faults["UpdateItem"] = iter(
        [after(lambda: other.store.commit(boards.delete(other.read_board(), other.context())))]
    )

    assert world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 10) is None


# Events


def test_an_event_that_a_query_missed_is_read_by_its_key(line: Wire, world: World) -> None:
    before = world.list_events()
    world.add_card("Card")
    last = world.list_events()[-1]

    def lagging(request: Any, send: wire.Send) -> Any:
        body = json.loads(send(request).content)
        kept = [each for each in body["Items"] if each["sk"]["S"] != keys.event_sort_key(last.seq)]
        return wire.make_response(request, 200, {**body, "Items": kept})

    line.faults["Query"] = iter([lagging])
    line.operations.clear()

    assert world.list_events() == [*before, last]
    assert line.operations == ["Query", "TransactGetItems"]
