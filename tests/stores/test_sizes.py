"""The longest cards, a full list, and a board of ten thousand cards."""

from dataclasses import replace

import pytest

from kanban import bulk_moves, cards
from kanban.errors import LimitReached, NotFound
from kanban.limits import MAX_CARDS_PER_LIST
from kanban.ordering import ranks
from kanban.store import PAGE_BYTES, CardQuery, CardSort
from kanban.values import Card, Link
from kanban.views import BoardView, Page, PageKey
from tests.stores.world import World, collect_pages, make_card

BATCH_SIZE = 90
"""Cards in one commit: below what DynamoDB takes in a transaction."""


def fill_list(world: World, list_name: str, count: int) -> list[str]:
    """Add cards to an empty list; return their ids from top to bottom."""
    list_ = world.find_list(list_name)
    new_ranks = ranks.sequence_after("", count)
    new_cards = []
    for start in range(0, count, BATCH_SIZE):
        batch = [make_card(world, list_, rank, title=f"Card {rank}") for rank in new_ranks[start : start + BATCH_SIZE]]
        new_cards += [card.id for card in batch]
        counted = replace(
            list_, card_count=len(new_cards), first_rank=new_ranks[0], last_rank=new_ranks[len(new_cards) - 1]
        )
        world.write(creates=tuple(batch), updates=(counted,))
    return new_cards


def test_the_longest_card_is_read_as_it_was_written(world: World) -> None:
    new_card = world.add_card("👩" * 500, description="ß👩" * 6_800, external_id="x" * 200)

    assert world.read_card(new_card) == new_card
    assert world.list_cards(CardQuery(q="👩ss👩")) == [new_card]


def test_a_page_of_long_cards_is_shorter_than_its_limit(world: World) -> None:
    new_cards = [world.add_card(f"{number}", description="👩" * 20_000) for number in range(30)]

    result = world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 100)

    assert result is not None
    assert 0 < len(result[1].items) < 30
    assert world.list_cards() == new_cards


def test_a_page_of_cards_with_long_links_is_shorter_than_its_limit(world: World) -> None:
    links = (Link("https://example.com/" + "x" * 1980, "👩" * 200),) * 20
    new_cards = world.add_cards_with_ranks("To do", ranks.sequence_after("", 40))
    world.write(updates=tuple(replace(card, links=links) for card in new_cards))

    result = world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 100)

    assert result is not None
    assert len(result[1].items) == PAGE_BYTES // (20 * (2000 + 800) + len("Card 0"))
    assert len(world.list_cards()) == 40


def test_a_page_of_long_assigned_cards_is_shorter_than_its_limit(world: World) -> None:
    (member,) = world.read_board().members
    new_cards = world.add_cards_with_ranks("To do", ranks.sequence_after("", 30))
    long = [replace(card, description="👩" * 20_000, assignee_ids=(member.id,)) for card in new_cards]
    for start in range(0, 30, 10):
        world.write(updates=tuple(long[start : start + 10]))

    def page(after: PageKey | None) -> Page[tuple[BoardView, Card]]:
        result = world.store.page_assigned_cards(world.ann.id, CardQuery(), 100, after)
        assert sum(len(card.description.encode()) for _, card in result.items) <= PAGE_BYTES
        return result

    assert [card for _, card in collect_pages(page, 100)] == long


def test_a_list_of_long_cards_is_moved_in_steps(world: World) -> None:
    todo, done = world.find_list("To do"), world.find_list("Done")
    new_ranks = ranks.sequence_after("", 40)
    links = (Link("https://example.com/" + "x" * 1980, "👩" * 200),) * 20
    new_cards = [make_card(world, todo, rank, title=rank, description="漢" * 8_600, links=links) for rank in new_ranks]
    for start in range(0, 40, 10):
        counted = replace(todo, card_count=start + 10, first_rank=new_ranks[0], last_rank=new_ranks[start + 9])
        world.write(creates=tuple(new_cards[start : start + 10]), updates=(counted,))

    steps = []
    while world.find_list("To do").card_count:
        result = world.store.page_cards(world.board_id, world.ann.id, CardQuery(todo.id), bulk_moves.MAX_MOVED_CARDS)
        assert result is not None
        moved, _, change = bulk_moves.move_cards(
            result[0], todo.id, result[1].items, world.context(), target_list_id=done.id
        )
        assert change is not None
        world.store.commit(change)
        steps.append(moved)

    assert sum(steps) == 40
    assert world.list_titles("Done") == new_ranks


def test_a_board_of_ten_thousand_cards_works_like_a_small_one(world: World) -> None:
    todo = fill_list(world, "To do", MAX_CARDS_PER_LIST)
    done = fill_list(world, "Done", MAX_CARDS_PER_LIST)

    with pytest.raises(LimitReached, match="holds 5000 cards"):
        world.add_card("One too many")
    moved = world.apply(cards.start, todo[0])
    lists = {list_.name: list_.card_count for list_ in world.read_board().lists}
    newest = world.store.page_cards(world.board_id, world.ann.id, CardQuery(sort=CardSort.NEWEST), 50)
    in_order = [card.id for card in world.list_cards()]
    world.delete_list("Done")

    assert lists == {"To do": MAX_CARDS_PER_LIST - 1, "Doing": 1, "Done": MAX_CARDS_PER_LIST}
    assert newest is not None
    assert [card.id for card in newest[1].items] == done[:-51:-1]
    assert in_order == [*todo[1:], moved.id, *done]
    with pytest.raises(NotFound):
        world.read_board(done[0]).get_card(done[0])
    assert len(world.list_cards()) == MAX_CARDS_PER_LIST
