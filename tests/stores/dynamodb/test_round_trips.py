"""Round trips: as many for a large board as for a small one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kanban import cards, lists, tokens
from kanban.access import Caller
from kanban.changes import build_change
from kanban.ordering import ranks
from kanban.store import CardQuery, CardSort, EventQuery, NeighbourOf, PartKey
from kanban.values import Card, Comment, NewCard, Role, Scope, Token
from readers.flow_segments import FlowSegmentBuilder
from tests.engines import dynamodb_wire as faults
from tests.engines.dynamodb_wire import Wire
from tests.stores.old_board import create_old_board
from tests.stores.test_flow_segments import build_report
from tests.stores.test_old_boards import list_months
from tests.stores.world import NOON, World, make_card
from usecases.board_access import BoardAccess
from usecases.board_changes import read_changes


def add_many_cards(world: World) -> dict[str, Card]:
    """Add a few hundred cards to the first list, and some to the others."""
    todo, doing, done = world.read_board().lists
    by_title: dict[str, Card] = {}
    for list_, count in ((todo, 300), (doing, 20), (done, 20)):
        card_ranks = ranks.sequence_after("", count)
        new_cards = [
            make_card(world, list_, rank, title=f"{list_.name} {rank}", description="x" * 200) for rank in card_ranks
        ]
        for start in range(0, count, 90):
            world.write(creates=tuple(new_cards[start : start + 90]))
        current = world.read_board().get_list(list_.id)
        world.write(updates=(replace(current, card_count=count, first_rank=card_ranks[0], last_rank=card_ranks[-1]),))
        by_title |= {card.title: card for card in new_cards}
    return by_title


def list_calls(wire: Wire, action: Callable[[], Any]) -> list[str]:
    """Return the operations that an action calls."""
    wire.operations.clear()
    action()
    return wire.operations.copy()


def access(world: World) -> BoardAccess:
    """Return Ann's access to boards."""
    return BoardAccess(world.store, Caller(world.ann.id, "tok_1", tuple(Scope)), Scope.READ, Role.VIEWER)


READS: dict[str, tuple[Callable[[World, Card], Any], list[str]]] = {
    "a board": (lambda world, _: world.read_board(), ["BatchGetItem"]),
    "a card": (lambda world, card: world.read_board(card.id), ["TransactGetItems"]),
    "a card and its neighbour": (
        lambda world, card: world.read_board(card.id, neighbour_of=NeighbourOf(card.id, "after")),
        ["TransactGetItems", "Query"],
    ),
    "a page of the board": (
        lambda world, _: world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 100),
        ["Query", "BatchGetItem"],
    ),
    "the whole board": (
        lambda world, _: world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 500),
        ["Query", "BatchGetItem"],
    ),
    "a page of a list": (
        lambda world, card: world.store.page_cards(world.board_id, world.ann.id, CardQuery(card.list_id), 50),
        ["Query", "BatchGetItem"],
    ),
    "a page of the newest cards": (
        lambda world, _: world.store.page_cards(world.board_id, world.ann.id, CardQuery(sort=CardSort.NEWEST), 50),
        ["Query", "BatchGetItem"],
    ),
    "a page of the latest changes": (
        lambda world, _: world.store.page_cards(
            world.board_id, world.ann.id, CardQuery(sort=CardSort.MOST_RECENTLY_UPDATED), 50
        ),
        ["Query", "BatchGetItem"],
    ),
    "the newest events": (
        lambda world, _: world.store.page_events(
            world.board_id, world.ann.id, EventQuery(world.read_board().board.seq - 2), 50
        ),
        ["BatchGetItem", "Query"],
    ),
    "a page of events": (
        lambda world, _: world.store.page_events(world.board_id, world.ann.id, EventQuery(), 1),
        ["Query", "BatchGetItem"],
    ),
    "the newest events first": (
        lambda world, _: world.store.page_events(world.board_id, world.ann.id, EventQuery(newest_first=True), 50),
        ["BatchGetItem", "Query"],
    ),
    "the events of a card": (
        lambda world, card: world.store.page_events(world.board_id, world.ann.id, EventQuery(card_id=card.id), 50),
        ["BatchGetItem", "Query"],
    ),
    "a page of parts": (
        lambda world, _: world.store.page_parts(world.board_id, world.ann.id, 50),
        ["Query", "TransactGetItems"],
    ),
    "nothing that changed": (
        lambda world, _: read_changes(access(world), world.board_id, world.read_board().board.seq, None, None),
        ["BatchGetItem", "Query"],
    ),
    "what changed": (
        lambda world, _: read_changes(access(world), world.board_id, world.read_board().board.seq - 2, None, None),
        ["BatchGetItem", "Query", "TransactGetItems"],
    ),
    "time entries of a card": (
        lambda world, card: world.store.page_time_entries(world.board_id, world.ann.id, card.id, 50),
        ["Query", "TransactGetItems"],
    ),
    "checklists": (
        lambda world, card: world.store.read_checklists(world.board_id, world.ann.id, card.id),
        ["Query", "TransactGetItems"],
    ),
    "comments": (
        lambda world, card: world.store.page_comments(world.board_id, world.ann.id, card.id, 50),
        ["Query", "TransactGetItems"],
    ),
    "a card with some of its parts": (
        lambda world, card: world.store.read_board(
            world.board_id, world.ann.id, card_ids=[card.id], parts=[PartKey(Comment, card.id, "cmt_1")]
        ),
        ["TransactGetItems"],
    ),
    "deleted items": (
        lambda world, card: world.store.read_deleted(
            world.board_id, world.ann.id, list_ids=["lst_none"], card_ids=[card.id]
        ),
        ["TransactGetItems"],
    ),
    "the ranks of a list": (
        lambda world, card: world.store.read_card_ranks(world.board_id, world.ann.id, card.list_id),
        ["Query", "BatchGetItem"],
    ),
    "a search": (
        lambda world, _: world.store.page_cards(world.board_id, world.ann.id, CardQuery(q="d"), 50),
        ["Query", "Query", "BatchGetItem"],
    ),
    "a page of cards by due date": (
        lambda world, _: world.store.page_cards(world.board_id, world.ann.id, CardQuery(sort=CardSort.DUE_FIRST), 50),
        ["Query", "BatchGetItem"],
    ),
    "time entries of the board": (
        lambda world, _: world.store.page_board_time_entries(
            world.board_id, world.ann.id, (NOON, NOON + timedelta(days=1)), 50
        ),
        ["Query", "TransactGetItems"],
    ),
    "assigned cards": (
        lambda world, _: world.store.page_assigned_cards(world.ann.id, CardQuery(), 50),
        ["Query", "TransactGetItems"],
    ),
    "a board by its external id": (
        lambda world, _: world.store.find_board_id(world.ann.id, "site"),
        ["GetItem", "GetItem"],
    ),
    "a card by its external id": (
        lambda world, _: world.store.find_card_id(world.board_id, "card"),
        ["GetItem", "TransactGetItems"],
    ),
    "some users": (lambda world, _: world.store.read_users([world.ann.id, "usr_none"]), ["BatchGetItem"]),
    "the seqs of boards": (lambda world, _: world.store.read_board_seqs([world.board_id]), ["BatchGetItem"]),
    "boards": (lambda world, _: world.store.page_boards(world.ann.id, 50), ["Query", "BatchGetItem"]),
    "deleted boards": (
        lambda world, _: world.store.page_deleted_boards(world.ann.id, NOON, 50),
        ["Query", "BatchGetItem"],
    ),
    "the deleted lists of a board": (
        lambda world, _: world.store.page_deleted_lists(world.board_id, world.ann.id, NOON, 50),
        ["Query", "BatchGetItem"],
    ),
    "a user": (lambda world, _: world.store.read_user(world.ann.id), ["GetItem"]),
    "tokens": (lambda world, _: world.store.page_tokens(world.ann.id, 50), ["Query"]),
    "a stored response": (
        lambda world, _: world.store.read_stored_response(world.ann.id, "x", "key", NOON),
        ["GetItem"],
    ),
    "readiness": (lambda world, _: world.store.check_ready(), ["GetItem"]),
}

WRITES: dict[str, Callable[[World, Card], Any]] = {
    "create": lambda world, _: cards.create(world.read_board(), world.context(), NewCard(title="New")),
    "update": lambda world, card: cards.update(world.read_board(card.id), card.id, {"title": "New"}, world.context()),
    "move": lambda world, card: cards.move(
        world.read_board(card.id), card.id, world.context(), list_id=world.find_list("Done").id
    ),
    "start": lambda world, card: cards.start(world.read_board(card.id), card.id, world.context()),
    "delete": lambda world, card: (None, cards.delete(world.read_board(card.id), card.id, world.context())),
    "delete a list": lambda world, card: (None, lists.delete(world.read_board(), card.list_id, world.context())),
}


@pytest.mark.parametrize("size", ["small", "large"])
def test_reads_take_as_many_round_trips_on_a_large_board_as_on_a_small_one(wire: Wire, world: World, size: str) -> None:
    card = world.add_card("Card", external_id="card")
    world.add_card("Another card")
    if size == "large":
        add_many_cards(world)
    board = replace(world.read_board().board, external_id="site", seq=world.read_board().board.seq + 1)
    (member,) = world.read_board().members
    world.store.commit(replace(build_change(world.read_board(), world.context(), "test.written"), updates=(board,)))
    world.apply(cards.start, card.id)
    world.write(updates=(replace(world.read_card(card), assignee_ids=(member.id,)),))
    # The first page reads the head; the next ones have it in the cache.
    world.read_board()

    calls = {name: list_calls(wire, lambda read=read: read(world, card)) for name, (read, _) in READS.items()}  # type: ignore[misc]  # a lambda has no types

    assert calls == {name: expected for name, (_, expected) in READS.items()}


@pytest.mark.parametrize("size", ["small", "large"])
def test_a_write_is_one_round_trip_on_a_board_of_any_size(wire: Wire, world: World, size: str) -> None:
    if size == "large":
        add_many_cards(world)

    for name, decide in WRITES.items():
        card = world.add_card(name, external_id=name)
        _, change = decide(world, card)
        assert change is not None
        assert list_calls(wire, lambda change=change: world.store.commit(change)) == ["TransactWriteItems"]  # type: ignore[misc]  # as above


def test_a_page_of_a_board_seen_for_the_first_time_takes_two_more_round_trips(
    wire: Wire, world: World, table_url: str
) -> None:
    world.add_card("Card")
    eve = world.add_user("Eve")
    world.add_member(eve, Role.VIEWER)
    other = Wire(wire.address, faults.table_name(table_url))

    calls = [
        list_calls(other, lambda user=user: other.store.page_cards(world.board_id, user.id, CardQuery(), 10))  # type: ignore[misc]  # as above
        for user in (world.ann, world.ann, eve)
    ]

    assert calls == [
        ["GetItem", "BatchGetItem", "Query", "BatchGetItem"],
        ["Query", "BatchGetItem"],
        ["Query", "BatchGetItem"],
    ]
    other.close()


def test_a_token_seen_for_the_first_time_takes_one_more_round_trip(wire: Wire, world: World, table_url: str) -> None:
    token = world.add_token()
    other = Wire(wire.address, faults.table_name(table_url))

    assert list_calls(other, lambda: other.store.read_token_by_digest(token.digest)) == ["GetItem", "BatchGetItem"]
    assert list_calls(other, lambda: other.store.read_token_by_digest(token.digest)) == ["BatchGetItem"]
    other.close()


def add_descendant(world: World, generations: int) -> Token:
    """Add a token with so many ancestors; return it."""
    token = world.add_token()
    for _ in range(generations):
        token = world.add_token(parent=token)
    return token


def test_a_token_takes_as_many_round_trips_with_ancestors_as_without(wire: Wire, world: World, table_url: str) -> None:
    token = add_descendant(world, tokens.MAX_ANCESTORS)
    other = Wire(wire.address, faults.table_name(table_url))

    assert list_calls(other, lambda: other.store.read_token_by_digest(token.digest)) == ["GetItem", "BatchGetItem"]
    assert list_calls(other, lambda: other.store.read_token_by_digest(token.digest)) == ["BatchGetItem"]
    other.close()


def test_a_page_of_tokens_takes_one_more_round_trip_for_ancestors_that_are_not_on_it(wire: Wire, world: World) -> None:
    token = add_descendant(world, 3)

    assert list_calls(wire, lambda: world.store.page_tokens(world.ann.id, 10)) == ["Query"]
    assert list_calls(wire, lambda: world.store.page_tokens(world.ann.id, 2)) == ["Query", "BatchGetItem"]
    assert list_calls(wire, lambda: world.store.read_token(world.ann.id, token.id)) == ["GetItem", "BatchGetItem"]
    assert list_calls(wire, lambda: world.store.read_token(world.ann.id, token.ancestor_ids[0])) == ["GetItem"]


def test_revoking_a_token_is_one_write_with_descendants_too(wire: Wire, world: World) -> None:
    parent = world.add_token()
    for _ in range(30):
        world.add_token(parent=parent)
    _, change = tokens.revoke(parent, world.context(), caller_token=parent)
    assert change is not None

    assert list_calls(wire, lambda: world.store.commit(change)) == ["TransactWriteItems"]


def test_rotating_a_token_reads_its_old_digest_and_deletes_it(wire: Wire, world: World) -> None:
    token = world.add_token()
    before = len(wire.read_items())
    rotated, _, change = tokens.rotate(token, world.context(), world.random_bytes, caller_token=token)

    assert list_calls(wire, lambda: world.store.commit(change)) == ["GetItem", "TransactWriteItems"]
    partition_keys = {item["pk"]["S"] for item in wire.read_items()}
    assert len(wire.read_items()) == before
    assert f"T#{rotated.digest}" in partition_keys
    assert f"T#{token.digest}" not in partition_keys


def test_a_process_that_cached_a_token_sees_its_revocation_at_once(wire: Wire, world: World, table_url: str) -> None:
    token = world.add_token()
    other = Wire(wire.address, faults.table_name(table_url))
    assert other.store.read_token_by_digest(token.digest) == (token, world.ann)

    revoked, change = tokens.revoke(token, world.context(), caller_token=token)
    assert change is not None
    world.store.commit(change)

    assert other.store.read_token_by_digest(token.digest) == (revoked, world.ann)
    other.close()


def test_lists_in_another_order_take_a_query_each_and_lose_no_card(wire: Wire, world: World) -> None:
    for name in ("To do", "Doing", "Done"):
        world.add_card(f"{name} 1", name)
        world.add_card(f"{name} 2", name)
    world.apply(lists.move, world.find_list("Done").id, position="top")
    world.read_board()

    calls = list_calls(wire, lambda: world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 100))

    assert calls == ["Query", "Query", "BatchGetItem"]
    assert [card.title for card in world.list_cards()] == [
        f"{name} {n}" for name in ("Done", "To do", "Doing") for n in (1, 2)
    ]


def test_a_page_skips_the_cards_of_a_deleted_list(wire: Wire, world: World) -> None:
    add_many_cards(world)
    world.add_list("Last")
    world.add_card("Very last", "Last")
    world.delete_list("Doing")
    world.read_board()

    calls = list_calls(wire, lambda: world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 500))

    assert calls == ["Query", "Query", "BatchGetItem"]
    assert len(world.list_cards()) == 321


def test_no_read_scans(wire: Wire, world: World) -> None:
    world.add_card("Card")

    assert not [operation for operation in wire.operations if "Scan" in operation]
    assert wire.store.read_installation_owner() == world.ann


def test_a_flow_report_of_any_month_takes_five_round_trips(wire: Wire, world: World) -> None:
    create_old_board(world, 100)
    assert FlowSegmentBuilder(world.store, lambda: world.now).run(world.board_id, lambda: True)
    world.read_board()

    calls = [
        list_calls(wire, lambda days=days: build_report(world, *days))  # type: ignore[misc]  # a lambda has no types
        for days in list_months(100)
    ]

    board = ["Query", "BatchGetItem"]
    present, *past = calls
    # The last segment before the month, those of the month, and the events that no segment has yet.
    assert present == [*board, "Query", "Query", "Query"]
    assert past == [[*board, "Query", "Query"]] * 2
