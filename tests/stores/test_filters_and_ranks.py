"""Every filter of pages of cards, states of cards, restoring, and ranks."""

import itertools
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kanban import archive, boards
from kanban.changes import build_change
from kanban.store import AlreadyExists, CardQuery, CardSort, CardState, NeighbourOf, StaleRead
from kanban.values import Board, Card, CardRank, Role
from tests.stores.part_builders import add_label, find_member, make_comment
from tests.stores.world import NOON, World

LIMITS = [1, 2, 100]


def list_titles(world: World, limit: int = 100, **fields: Any) -> list[str]:
    return [card.title for card in world.list_cards(CardQuery(**fields), limit)]


# Filters


@pytest.fixture
def varied_world(world: World) -> World:
    """Create cards that differ in everything that filters ask for."""
    bug = add_label(world)
    bob = world.add_user("Bob", id="bob")
    world.add_member(bob, Role.EDITOR)
    ann_there, bob_there = find_member(world, world.ann.id), find_member(world, bob.id)
    query_fields: Mapping[str, Mapping[str, Any]] = {
        "Both": {"label_ids": (bug.id,), "assignee_ids": (ann_there.id, bob_there.id), "due_at": NOON},
        "Bug": {"label_ids": (bug.id,), "due_at": NOON + timedelta(days=1)},
        "Bob's": {"assignee_ids": (bob_there.id,), "due_at": NOON, "due_complete": True},
        "Plain": {"updated_at": NOON + timedelta(days=5), "comment_count": 2},
    }
    new_cards = {title: world.add_card(title) for title in query_fields}
    for title, fields in query_fields.items():
        world.write(updates=(replace(new_cards[title], **fields),))
    card = new_cards["Plain"]
    world.write(creates=(make_comment(world, card, "Über den GROSSEN Teich"), make_comment(world, card, "100%")))
    done = world.add_card("Done", "Done")
    world.write(updates=(replace(done, due_at=NOON),))
    return world


def test_a_search_ignores_case_and_unicode_normalization(world: World) -> None:
    for title in ("Große Straße", "strasse", "H\u0331 \u1e96", "\u1fb3 \u03b1\u0345"):
        world.add_card(title)
    world.write(updates=(replace(world.add_card("below"), description="up\nGRÖSSE"),))
    titles_by_text = {
        "STRASSE": ["Große Straße", "strasse"],
        "straße": ["Große Straße", "strasse"],
        "h\u0331": ["H\u0331 \u1e96"],
        "\u0331": [],
        "größe": ["below"],
        "up grösse": [],
        "\u0345": ["\u1fb3 \u03b1\u0345"],
        "\u03b9": ["\u1fb3 \u03b1\u0345"],
    }

    for q, titles in titles_by_text.items():
        assert sorted(list_titles(world, q=q)) == sorted(titles), q


def test_a_page_has_the_cards_that_match_all_filters(varied_world: World) -> None:
    queries: list[tuple[Mapping[str, Any], list[str]]] = [
        ({"assignee_id": "bob"}, ["Both", "Bob's"]),
        ({"assignee_id": "nobody"}, []),
        ({"label_id": "lbl_none"}, []),
        ({"due_from": NOON}, ["Both", "Bug", "Bob's", "Done"]),
        ({"due_from": NOON + timedelta(seconds=1)}, ["Bug"]),
        ({"due_until": NOON}, []),
        ({"due_until": NOON + timedelta(seconds=1)}, ["Both", "Bob's", "Done"]),
        ({"due_from": NOON, "due_until": NOON + timedelta(days=1)}, ["Both", "Bob's", "Done"]),
        ({"overdue_at": NOON}, []),
        ({"overdue_at": NOON + timedelta(seconds=1)}, ["Both"]),
        ({"overdue_at": NOON + timedelta(days=2)}, ["Both", "Bug"]),
        ({"updated_since": NOON + timedelta(days=5)}, ["Plain"]),
        ({"updated_since": NOON + timedelta(days=5, seconds=1)}, []),
        ({"q": "ÜBER DEN GROẞEN"}, ["Plain"]),
        ({"q": "teich100"}, []),
        ({"q": "0%"}, ["Plain"]),
        ({"q": "b", "assignee_id": "bob", "due_from": NOON}, ["Both", "Bob's"]),
        ({"due_from": NOON, "sort": CardSort.DUE_FIRST}, ["Both", "Bob's", "Done", "Bug"]),
        ({"assignee_id": "bob", "sort": CardSort.DUE_LAST}, ["Bob's", "Both"]),
        ({"assignee_id": "bob", "sort": CardSort.NEWEST}, ["Bob's", "Both"]),
        ({"updated_since": NOON, "sort": CardSort.MOST_RECENTLY_UPDATED, "q": "plain"}, ["Plain"]),
    ]

    for query_fields, expected in queries:
        for limit in LIMITS:
            assert list_titles(varied_world, limit, **query_fields) == expected, (query_fields, limit)


def test_cards_with_a_label_are_found_in_every_sort_order(varied_world: World) -> None:
    (bug,) = varied_world.read_board().labels

    for sort in CardSort:
        titles = list_titles(varied_world, 1, label_id=bug.id, sort=sort)

        assert titles == (["Bug", "Both"] if sort.startswith("-") else ["Both", "Bug"]), sort


def test_a_search_finds_the_present_text_of_comments(world: World) -> None:
    card = world.add_card("Copy")
    written = make_comment(world, card, "Hello")
    world.write(creates=(written,), updates=(replace(card, comment_count=1),))
    written = replace(written, text="Goodbye", version=2)
    world.write(updates=(written,))
    edited = list_titles(world, q="hello"), list_titles(world, q="goodbye")

    world.write(deletes=(written,), updates=(card,))

    assert edited == ([], ["Copy"])
    assert list_titles(world, q="goodbye") == []


# States


def test_every_card_is_in_exactly_one_state(world: World) -> None:
    new_cards = {title: world.add_card(title) for title in ("Used", "Away", "Gone", "Both")}
    for title in ("Away", "Both"):
        world.apply(archive.archive_card, new_cards[title].id)
    for title in ("Gone", "Both"):
        world.delete_card(new_cards[title])

    for sort, limit in itertools.product([CardSort.POSITION, CardSort.OLDEST, CardSort.LEAST_RECENTLY_UPDATED], LIMITS):
        titles_by_state = {state: list_titles(world, limit, state=state, sort=sort) for state in CardState}

        assert titles_by_state[CardState.ACTIVE] == ["Used"]
        assert titles_by_state[CardState.ARCHIVED] == ["Away"]
        assert sorted(titles_by_state[CardState.DELETED]) == ["Both", "Gone"]
    assert set(world.read_board(*(card.id for card in new_cards.values())).cards) == {
        new_cards["Used"].id,
        new_cards["Away"].id,
    }


def test_deleted_cards_are_listed_since_a_time(world: World) -> None:
    new_cards = [world.add_card(f"Card {number}", due_at=NOON) for number in range(5)]
    for number in (3, 0):
        world.delete_card(new_cards[number])
    world.advance(days=1)
    since = world.now
    for number in (4, 1):
        world.delete_card(new_cards[number])
        world.advance(seconds=1)

    for sort, limit in itertools.product(CardSort, LIMITS):
        titles = list_titles(world, limit, state=CardState.DELETED, sort=sort, deleted_since=since)

        backwards = sort.startswith("-")
        by_change = sort in (CardSort.LEAST_RECENTLY_UPDATED, CardSort.MOST_RECENTLY_UPDATED)
        assert titles == (["Card 4", "Card 1"] if backwards != by_change else ["Card 1", "Card 4"]), (sort, limit)
        assert list_titles(world, limit, state=CardState.DELETED, sort=sort, deleted_since=world.now) == []
        assert len(list_titles(world, limit, state=CardState.DELETED, sort=sort)) == 4


def test_cards_of_an_archived_list_are_listed_when_the_list_is_named(world: World) -> None:
    card = world.add_card("Copy")
    world.delete_card(world.add_card("Gone"))
    todo = world.find_list("To do")

    world.write(updates=(replace(todo, archived_at=NOON),))

    assert list_titles(world) == list_titles(world, status=todo.stage) == list_titles(world, sort=CardSort.NEWEST) == []
    assert list_titles(world, list_id=todo.id) == list_titles(world, list_id=todo.id, sort=CardSort.OLDEST) == ["Copy"]
    assert list_titles(world, state=CardState.ARCHIVED) == []
    assert list_titles(world, state=CardState.DELETED) == ["Gone"]
    assert world.read_card(card) == card
    assert world.read_board().get_list(todo.id).archived_at == NOON


def test_archived_boards_are_listed_when_asked_for(world: World) -> None:
    other = world.add_board("Other")
    _, change = archive.archive_board(world.read_board(), world.context(), [])
    assert change is not None

    world.store.commit(change)

    assert [board.id for board, _ in world.store.page_boards(world.ann.id, 10).items] == [other]
    assert [board.id for board, _ in world.store.page_boards(world.ann.id, 10, archived=True).items] == [world.board_id]


# Restoring


def read_deleted(world: World, **fields: Any) -> Any:
    view = world.store.read_deleted(world.board_id, world.ann.id, **fields)
    assert view is not None
    return view


def test_deleted_lists_and_cards_are_read_when_they_are_named(world: World) -> None:
    card, kept = world.add_card("Gone", "Doing"), world.add_card("Kept")
    doing = world.find_list("Doing")
    world.delete_card(card)
    world.delete_list("Doing")

    view = read_deleted(world, list_ids=[doing.id, "lst_none"], card_ids=[card.id, kept.id, "crd_none"])

    assert [list_.name for list_ in view.lists] == ["To do", "Done", "Doing"]
    assert view.lists[-1].deleted_at == NOON
    assert set(view.cards) == {card.id, kept.id}
    assert view.cards[card.id].deleted_at == NOON
    assert [list_.name for list_ in read_deleted(world).lists] == ["To do", "Done"]


def test_a_restored_board_has_all_its_lists_and_cards(world: World) -> None:
    card = world.add_card("Copy", "Doing")
    before = world.read_board(card.id)
    world.store.commit(boards.delete(world.read_board(), world.context(), []))
    non_member = world.add_user("Bob")
    deleted_view = read_deleted(world, card_ids=[card.id])
    came_back = replace(deleted_view.board, deleted_at=None)

    world.store.commit(
        build_change(deleted_view, world.context(), "board.restored", board=came_back, restores_board=True)
    )

    assert world.store.read_deleted(world.board_id, non_member.id) is None
    after = world.read_board(card.id)
    assert (after.lists, after.cards, after.members) == (before.lists, before.cards, before.members)
    assert [event.type for event in world.list_events()[-2:]] == ["board.deleted", "board.restored"]


def test_only_a_deleted_board_can_be_restored_and_only_once(world: World) -> None:
    with pytest.raises(StaleRead):
        world.write(restores_board=True)
    world.store.commit(boards.delete(world.read_board(), world.context(), []))
    deleted_view = read_deleted(world)
    change = build_change(
        deleted_view, world.context(), "x", board=replace(deleted_view.board, deleted_at=None), restores_board=True
    )
    with pytest.raises(StaleRead):
        world.store.commit(replace(change, restores_board=False))
    world.store.commit(change)

    with pytest.raises(StaleRead):
        world.store.commit(change)


def test_a_card_cannot_be_restored_while_its_external_id_is_taken(world: World) -> None:
    card = world.add_card("Old", external_id="x-1")
    world.delete_card(card)
    again = world.add_card("New", external_id="x-1")
    deleted_card = read_deleted(world, card_ids=[card.id]).cards[card.id]

    with pytest.raises(AlreadyExists) as error:
        world.write(updates=(replace(deleted_card, deleted_at=None),))
    world.delete_card(again)
    world.write(updates=(replace(deleted_card, deleted_at=None),))

    assert error.value.constraint == "card.external_id"
    assert world.read_card(card).external_id == "x-1"


def test_cards_of_a_restored_list_lose_external_ids_taken_meanwhile(world: World) -> None:
    old = [world.add_card(f"Old {number}", "Doing", external_id=f"x-{number}") for number in range(2)]
    doing = world.find_list("Doing")
    world.delete_list("Doing")
    world.add_card("New", external_id="x-1")
    deleted_view = read_deleted(world, list_ids=[doing.id])

    change = archive.restore_list(deleted_view, doing.id, world.context())[1]
    assert change is not None
    world.store.commit(change)

    assert [world.read_card(card).external_id for card in old] == ["x-0", None]
    assert sorted(world.list_titles("Doing")) == ["Old 0", "Old 1"]


# Ranks


def read_ranks(world: World, list_id: str) -> tuple[CardRank, ...]:
    result = world.store.read_card_ranks(world.board_id, world.ann.id, list_id)
    assert result is not None
    return result[1]


def add_ranked_cards(world: World, count: int = 4) -> list[Card]:
    return [world.add_card(f"{number}", position="bottom") for number in range(count)]


def test_the_ranks_of_a_list_include_those_of_hidden_cards(world: World) -> None:
    new_cards = add_ranked_cards(world)
    todo = world.find_list("To do")
    world.apply(archive.archive_card, new_cards[1].id)
    world.delete_card(new_cards[2])

    card_ranks = read_ranks(world, todo.id)

    assert [
        (card_rank.card_id, card_rank.list_id, card_rank.rank, card_rank.is_hidden) for card_rank in card_ranks
    ] == [(card.id, todo.id, card.rank, number in (1, 2)) for number, card in enumerate(new_cards)]
    assert read_ranks(world, "lst_none") == ()
    world.delete_list("To do")
    assert read_ranks(world, todo.id) == ()


def test_new_ranks_of_cards_change_nothing_else(world: World) -> None:
    new_cards = add_ranked_cards(world)
    todo = world.find_list("To do")
    old = read_ranks(world, todo.id)
    reordered = [replace(card_rank, rank=other.rank) for card_rank, other in zip(old, old[::-1], strict=True)]
    world.advance(hours=1)

    world.write(card_ranks=tuple(reordered))

    assert world.list_titles("To do") == ["3", "2", "1", "0"]
    assert [replace(world.read_card(card), rank=card.rank) for card in new_cards] == new_cards


def test_a_card_that_has_left_the_list_gets_no_new_rank(world: World) -> None:
    (card,) = add_ranked_cards(world, 1)
    elsewhere = world.find_list("Done").id

    with pytest.raises(StaleRead):
        world.write(card_ranks=(CardRank(card.id, elsewhere, "b00"),))

    assert world.read_card(card) == card


def test_the_adjacent_rank_may_be_that_of_a_hidden_card(world: World) -> None:
    new_cards = add_ranked_cards(world)
    world.apply(archive.archive_card, new_cards[1].id)

    assert world.read_board(neighbour_of=NeighbourOf(new_cards[0].id, "after")).adjacent_rank == new_cards[1].rank
    assert world.read_board(neighbour_of=NeighbourOf(new_cards[1].id, "after")).adjacent_rank == new_cards[2].rank


def test_every_field_of_a_board_is_read_as_it_was_written(world: World) -> None:
    board: Board = replace(
        world.read_board().board,
        archived_at=NOON + timedelta(seconds=1),
        external_id="x",
        description="Text",
        version=5,
    )

    world.store.commit(build_change(world.read_board(), world.context(), "board.updated", board=board))

    assert world.read_board().board == replace(board, seq=2)
