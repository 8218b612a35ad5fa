"""How often DynamoDB is called: as often for a large board as for a small one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kanban import cards, lists, tokens
from kanban.changes import build_change
from kanban.ordering import ranks
from kanban.store import CardQuery, CardSort, NeighbourOf, PartKey, Store
from kanban.values import Card, Comment, Token
from tests.engines import dynamodb_wire as wire
from tests.engines.dynamodb_wire import Wire
from tests.stores.world import NOON, World, make_card


@pytest.fixture
def store(line: Wire) -> Store:
    """The store behind the wire."""
    return line.store


def crowded(world: World) -> dict[str, Card]:
    """A board with a few hundred cards in its first list, and some in the others."""
    todo, doing, done = world.read_board().lists
    crowd: dict[str, Card] = {}
    for list_, count in ((todo, 300), (doing, 20), (done, 20)):
        places = ranks.sequence_after("", count)
        made = [make_card(world, list_, rank, title=f"{list_.name} {rank}", description="x" * 200) for rank in places]
        for start in range(0, count, 90):
            world.write(creates=tuple(made[start : start + 90]))
        held = next(each for each in world.read_board().lists if each.id == list_.id)
        world.write(updates=(replace(held, card_count=count, first_rank=places[0], last_rank=places[-1]),))
        crowd |= {card.title: card for card in made}
    return crowd


def trips(line: Wire, action: Callable[[], Any]) -> list[str]:
    """What was sent for it."""
    line.operations.clear()
    action()
    return line.operations.copy()


READS: dict[str, tuple[Callable[[World, Card], Any], list[str]]] = {
    "a board": (lambda world, _: world.read_board(), ["GetItem"]),
    "a card": (lambda world, card: world.read_board(card.id), ["TransactGetItems"]),
    "a card and its neighbour": (
        lambda world, card: world.read_board(card.id, beside=NeighbourOf(card.id, "after")),
        ["TransactGetItems", "Query"],
    ),
    "a page of the board": (
        lambda world, _: world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 100),
        ["Query", "GetItem"],
    ),
    "the whole board": (
        lambda world, _: world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 500),
        ["Query", "GetItem"],
    ),
    "a page of a list": (
        lambda world, card: world.store.page_cards(world.board_id, world.ann.id, CardQuery(card.list_id), 50),
        ["Query", "GetItem"],
    ),
    "a page of the newest": (
        lambda world, _: world.store.page_cards(world.board_id, world.ann.id, CardQuery(sort=CardSort.NEWEST), 50),
        ["Query", "GetItem"],
    ),
    "a page of what changed last": (
        lambda world, _: world.store.page_cards(
            world.board_id, world.ann.id, CardQuery(sort=CardSort.MOST_RECENTLY_UPDATED), 50
        ),
        ["Query", "GetItem"],
    ),
    "what is new": (
        lambda world, _: world.store.page_events(world.board_id, world.ann.id, world.read_board().board.seq - 2, 50),
        ["GetItem", "Query"],
    ),
    "a page of events": (
        lambda world, _: world.store.page_events(world.board_id, world.ann.id, 0, 1),
        ["Query", "GetItem"],
    ),
    "time entries": (
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
    "what was deleted": (
        lambda world, card: world.store.read_deleted(
            world.board_id, world.ann.id, list_ids=["lst_none"], card_ids=[card.id]
        ),
        ["TransactGetItems"],
    ),
    "the places of a list": (
        lambda world, card: world.store.read_card_ranks(world.board_id, world.ann.id, card.list_id),
        ["Query", "GetItem"],
    ),
    "a search": (
        lambda world, _: world.store.page_cards(world.board_id, world.ann.id, CardQuery(q="d"), 50),
        ["Query", "Query", "GetItem"],
    ),
    "a page of what is due": (
        lambda world, _: world.store.page_cards(world.board_id, world.ann.id, CardQuery(sort=CardSort.DUE_FIRST), 50),
        ["Query", "GetItem"],
    ),
    "what was worked on": (
        lambda world, _: world.store.page_board_time_entries(
            world.board_id, world.ann.id, (NOON, NOON + timedelta(days=1)), 50
        ),
        ["Query", "TransactGetItems"],
    ),
    "what one is assigned to": (
        lambda world, _: world.store.page_assigned_cards(world.ann.id, CardQuery(), 50),
        ["Query", "TransactGetItems"],
    ),
    "a board by its external id": (
        lambda world, _: world.store.find_board_id(world.ann.id, "site"),
        ["GetItem", "GetItem"],
    ),
    "some users": (lambda world, _: world.store.read_users([world.ann.id, "usr_none"]), ["BatchGetItem"]),
    "boards": (lambda world, _: world.store.page_boards(world.ann.id, 50), ["Query", "BatchGetItem"]),
    "deleted boards": (
        lambda world, _: world.store.page_deleted_boards(world.ann.id, NOON, 50),
        ["Query", "BatchGetItem"],
    ),
    "the deleted lists of a board": (
        lambda world, _: world.store.page_deleted_lists(world.board_id, world.ann.id, NOON, 50),
        ["Query", "GetItem"],
    ),
    "a user": (lambda world, _: world.store.read_user(world.ann.id), ["GetItem"]),
    "tokens": (lambda world, _: world.store.page_tokens(world.ann.id, 50), ["Query"]),
    "an answer": (lambda world, _: world.store.read_stored_response(world.ann.id, "x", "key", NOON), ["GetItem"]),
    "whether it is ready": (lambda world, _: world.store.check_ready(), ["GetItem"]),
}

WRITES: dict[str, Callable[[World, Card], Any]] = {
    "adding": lambda world, _: cards.create(world.read_board(), world.context(), title="New"),
    "revising": lambda world, card: cards.update(world.read_board(card.id), card.id, {"title": "New"}, world.context()),
    "moving": lambda world, card: cards.move(
        world.read_board(card.id), card.id, world.context(), list_id=world.find_list("Done").id
    ),
    "starting": lambda world, card: cards.start(world.read_board(card.id), card.id, world.context()),
    "deleting": lambda world, card: (None, cards.delete(world.read_board(card.id), card.id, world.context())),
    "deleting a list": lambda world, card: (None, lists.delete(world.read_board(), card.list_id, world.context())),
}


@pytest.mark.parametrize("size", ["small", "large"])
def test_reads_take_as_many_round_trips_on_a_large_board_as_on_a_small_one(line: Wire, world: World, size: str) -> None:
    card = world.add_card("Card")
    world.add_card("Another card")
    if size == "large":
        crowded(world)
    board = replace(world.read_board().board, external_id="site", seq=world.read_board().board.seq + 1)
    (place,) = world.read_board().members
    world.store.commit(replace(build_change(world.read_board(), world.context(), "test.written"), updates=(board,)))
    world.apply(cards.start, card.id)
    world.write(updates=(replace(world.read_card(card), assignee_ids=(place.id,)),))
    # The first page finds out what the board looks like; the next ones know.
    world.read_board()

    found = {name: trips(line, lambda read=read: read(world, card)) for name, (read, _) in READS.items()}  # type: ignore[misc]  # a lambda has no types

    assert found == {name: expected for name, (_, expected) in READS.items()}


@pytest.mark.parametrize("size", ["small", "large"])
def test_a_write_is_one_round_trip_on_a_board_of_any_size(line: Wire, world: World, size: str) -> None:
    if size == "large":
        crowded(world)

    for name, decide in WRITES.items():
        card = world.add_card(name, external_id=name)
        _, change = decide(world, card)
        assert change is not None
        assert trips(line, lambda change=change: world.store.commit(change)) == ["TransactWriteItems"]  # type: ignore[misc]  # as above


def test_a_page_of_a_board_seen_for_the_first_time_takes_one_look_more(
    line: Wire, world: World, table_url: str
) -> None:
    world.add_card("Card")
    other = Wire(line.address, wire.table_name(table_url))

    sent = trips(other, lambda: other.store.page_cards(world.board_id, world.ann.id, CardQuery(), 10))

    assert sent == ["GetItem", "Query", "GetItem"]
    other.close()


def test_a_token_takes_one_look_more_when_it_is_first_seen(line: Wire, world: World, table_url: str) -> None:
    token = world.add_token()
    other = Wire(line.address, wire.table_name(table_url))

    assert trips(other, lambda: other.store.read_token_by_digest(token.digest)) == ["GetItem", "BatchGetItem"]
    assert trips(other, lambda: other.store.read_token_by_digest(token.digest)) == ["BatchGetItem"]
    other.close()


def descendant(world: World, generations: int) -> Token:
    """A token with so many ancestors."""
    token = world.add_token()
    for _ in range(generations):
        token = world.add_token(parent=token)
    return token


def test_a_token_takes_as_many_round_trips_whatever_it_comes_from(line: Wire, world: World, table_url: str) -> None:
    token = descendant(world, tokens.MAX_ANCESTORS)
    other = Wire(line.address, wire.table_name(table_url))

    assert trips(other, lambda: other.store.read_token_by_digest(token.digest)) == ["GetItem", "BatchGetItem"]
    assert trips(other, lambda: other.store.read_token_by_digest(token.digest)) == ["BatchGetItem"]
    other.close()


def test_tokens_take_one_look_more_where_what_they_come_from_is_not_on_the_page(line: Wire, world: World) -> None:
    token = descendant(world, 3)

    assert trips(line, lambda: world.store.page_tokens(world.ann.id, 10)) == ["Query"]
    assert trips(line, lambda: world.store.page_tokens(world.ann.id, 2)) == ["Query", "BatchGetItem"]
    assert trips(line, lambda: world.store.read_token(world.ann.id, token.id)) == ["GetItem", "BatchGetItem"]
    assert trips(line, lambda: world.store.read_token(world.ann.id, token.ancestor_ids[0])) == ["GetItem"]


def test_revoking_a_token_is_one_write_whatever_comes_from_it(line: Wire, world: World) -> None:
    parent = world.add_token()
    for _ in range(30):
        world.add_token(parent=parent)
    _, change = tokens.revoke(parent, world.context(), caller_token=parent)
    assert change is not None

    assert trips(line, lambda: world.store.commit(change)) == ["TransactWriteItems"]


def test_rotating_a_token_looks_up_its_old_secret_and_leaves_nothing_of_it(line: Wire, world: World) -> None:
    token = world.add_token()
    before = len(line.read_items())
    rotated, _, change = tokens.rotate(token, world.context(), world.random_bytes, caller_token=token)

    assert trips(line, lambda: world.store.commit(change)) == ["GetItem", "TransactWriteItems"]
    held = {item["pk"]["S"] for item in line.read_items()}
    assert len(line.read_items()) == before
    assert f"T#{rotated.digest}" in held
    assert f"T#{token.digest}" not in held


def test_a_revoked_token_is_seen_at_once_by_who_knew_it(line: Wire, world: World, table_url: str) -> None:
    token = world.add_token()
    other = Wire(line.address, wire.table_name(table_url))
    assert other.store.read_token_by_digest(token.digest) == (token, world.ann)

    revoked, change = tokens.revoke(token, world.context(), caller_token=token)
    assert change is not None
    world.store.commit(change)

    assert other.store.read_token_by_digest(token.digest) == (revoked, world.ann)
    other.close()


def test_lists_in_another_order_take_a_query_each_and_lose_no_card(line: Wire, world: World) -> None:
    for name in ("To do", "Doing", "Done"):
        world.add_card(f"{name} 1", name)
        world.add_card(f"{name} 2", name)
    world.apply(lists.move, world.find_list("Done").id, position="top")
    world.read_board()

    sent = trips(line, lambda: world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 100))

    assert sent == ["Query", "Query", "GetItem"]
    assert [card.title for card in world.list_cards()] == [
        f"{name} {n}" for name in ("Done", "To do", "Doing") for n in (1, 2)
    ]


def test_the_cards_of_a_deleted_list_are_leapt_over(line: Wire, world: World) -> None:
    crowded(world)
    world.add_list("Last")
    world.add_card("Very last", "Last")
    world.delete_list("Doing")
    world.read_board()

    sent = trips(line, lambda: world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 500))

    assert sent == ["Query", "Query", "GetItem"]
    assert len(world.list_cards()) == 321


def test_no_read_scans(line: Wire, world: World) -> None:
    world.add_card("Card")

    assert not [operation for operation in line.operations if "Scan" in operation]
    assert line.store.read_installation_owner() == world.ann
