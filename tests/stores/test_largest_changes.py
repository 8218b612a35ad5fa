"""The largest changes that one request can make, in the widest script: every engine writes them in one commit.

A capital letter of Deseret takes four bytes, and four more in the copy of the text for search.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from kanban import archive, bulk_moves, card_size, checklists, copies, transfers
from kanban.limits import MAX_CHECKLISTS_PER_CARD, MAX_ITEMS_PER_CHECKLIST
from kanban.ordering import ranks
from kanban.store import CardQuery
from kanban.values import Card, Checklist, Color, Label, TimeEntry
from tests.stores.part_builders import make_checklist, make_item, make_time_entry
from tests.stores.world import World, make_card

WIDE = "𐐀"


def add_all_labels(world: World) -> tuple[str, ...]:
    """Add as many labels as a board can have; return their ids."""
    new_labels = [
        Label(
            world.context().new_id("label"),
            world.board_id,
            f"{number:03}" + WIDE * 47,
            Color.RED,
            1,
            world.now,
            world.now,
        )
        for number in range(200)
    ]
    for start in range(0, 200, 50):
        world.write(creates=tuple(new_labels[start : start + 50]))
    return tuple(label.id for label in new_labels)


def add_long_cards(world: World, list_name: str, count: int, text: int = card_size.MAX_COMMIT_CHARACTERS) -> list[Card]:
    """Add cards to an empty list, with this many characters of text in all, and every field that filters use."""
    list_, new_ranks, label_ids = world.find_list(list_name), ranks.sequence_after("", count), add_all_labels(world)
    description = WIDE * min(20_000, text // count - 1)
    new_cards = []
    for number, rank in enumerate(new_ranks):
        fields = {"label_ids": label_ids, "external_id": f"{number:03}" + "x" * 197, "due_at": world.now}
        card = make_card(world, list_, rank, title=WIDE, description=description, **fields)
        new_cards.append(card)
        world.write(
            creates=(card,), updates=(replace(list_, card_count=count, first_rank=new_ranks[0], last_rank=rank),)
        )
    return new_cards


def make_full_checklists(world: World, card: Card, length: int, ranks_of: Sequence[str]) -> list[Checklist]:
    """Return checklists of a card with as many items as they can have, each with this number of characters."""
    new_checklists = [
        make_checklist(world, card, rank, *(make_item(world, WIDE * length) for _ in range(MAX_ITEMS_PER_CHECKLIST)))
        for rank in ranks_of
    ]
    for checklist in new_checklists:
        world.write(creates=(checklist,))
    return new_checklists


def read_checklists(world: World, card: Card) -> Sequence[Checklist]:
    result = world.store.read_checklists(world.board_id, world.ann.id, card.id)
    assert result is not None
    return result[1]


@pytest.mark.parametrize("what", ["list", "board"])
def test_the_most_and_longest_running_cards_stop_in_one_commit(world: World, what: str) -> None:
    new_cards = add_long_cards(
        world, "Doing", archive.MAX_STOPPED_CLOCKS, card_size.MAX_STORED_BYTES // 8 * archive.MAX_STOPPED_CLOCKS
    )
    note = {"note": WIDE * 1000}
    running = [replace(card, running=make_time_entry(world, card, 0, None, **note)) for card in new_cards]
    for card in running:
        assert isinstance(card.running, TimeEntry)
        world.write(creates=(card.running,), updates=(card,))
    world.advance(hours=1)
    result = world.store.page_cards(world.board_id, world.ann.id, CardQuery(), archive.MAX_STOPPED_CLOCKS)
    assert result is not None
    there = world.list_cards()

    if what == "list":
        _, change = archive.archive_list(result[0], world.find_list("Doing").id, world.context(), there)
    else:
        _, change = archive.archive_board(result[0], world.context(), there)
    assert change is not None
    world.store.commit(change)

    stopped = world.list_cards(CardQuery(list_id=world.find_list("Doing").id))
    assert [(card.running, card.tracked_seconds, card.description) for card in stopped] == [
        (None, 3600, card.description) for card in new_cards
    ]


def test_a_card_with_the_longest_checklists_is_copied(world: World) -> None:
    card = world.add_card(WIDE * 500, description=WIDE * 10_000)
    length = (card_size.MAX_COMMIT_CHARACTERS - 10_500) // (MAX_CHECKLISTS_PER_CARD * MAX_ITEMS_PER_CHECKLIST) - 50
    inside = make_full_checklists(world, card, length, ranks.sequence_after("", MAX_CHECKLISTS_PER_CARD))

    copy, change = copies.copy_card(world.read_board(card.id), card.id, inside, world.context())
    world.store.commit(change)

    assert world.read_card(copy) == copy
    assert [len(checklist.items) for checklist in read_checklists(world, copy)] == [
        MAX_ITEMS_PER_CHECKLIST
    ] * MAX_CHECKLISTS_PER_CARD


def test_a_list_with_the_longest_cards_and_most_items_is_copied(world: World) -> None:
    originals = add_long_cards(world, "To do", 20, card_size.MAX_COMMIT_CHARACTERS - 6000 * 51)
    inside = {card.id: make_full_checklists(world, card, 1, ranks.sequence_after("", 3)) for card in originals}

    copy, change = copies.copy_list(world.read_board(), originals[0].list_id, originals, inside, world.context())
    world.store.commit(change)

    copied_cards = world.list_cards(CardQuery(list_id=copy.id))
    assert [card.description for card in copied_cards] == [card.description for card in originals]
    assert [len(read_checklists(world, card)) for card in copied_cards] == [3] * 20


def test_the_longest_cards_move_to_another_list_in_one_step(world: World) -> None:
    new_cards = add_long_cards(world, "Doing", bulk_moves.MAX_MOVED_CARDS)
    result = world.store.page_cards(world.board_id, world.ann.id, CardQuery(), bulk_moves.MAX_MOVED_CARDS)
    assert result is not None
    other_cards = world.list_cards()

    done = world.find_list("Done").id
    moved, left, change = bulk_moves.move_cards(
        result[0], new_cards[0].list_id, other_cards, world.context(), target_list_id=done
    )
    assert change is not None
    world.store.commit(change)

    assert (moved, left) == (bulk_moves.MAX_MOVED_CARDS, 0)
    assert [card.id for card in world.list_cards(CardQuery(list_id=done))] == [card.id for card in new_cards]


def test_the_longest_card_is_transferred_with_the_longest_checklists(world: World) -> None:
    card = world.add_card(WIDE * 500, description=WIDE * 10_000)
    make_full_checklists(world, card, 500, ranks.sequence_after("", MAX_CHECKLISTS_PER_CARD))
    world.write(updates=(replace(world.read_card(card), item_count=MAX_CHECKLISTS_PER_CARD * MAX_ITEMS_PER_CHECKLIST),))
    other = world.store.read_board(world.add_board("Other"), world.ann.id)
    assert other is not None

    moved, change = transfers.transfer(world.read_board(card.id), other, card.id, world.context())
    world.store.commit(change)

    world.board_id = other.board.id
    assert world.read_card(moved) == moved
    assert [len(checklist.items) for checklist in read_checklists(world, moved)] == [
        MAX_ITEMS_PER_CHECKLIST
    ] * MAX_CHECKLISTS_PER_CARD


def test_a_small_board_with_the_longest_checklists_is_copied(world: World) -> None:
    card = world.add_card("Card")
    inside = make_full_checklists(world, card, 500, ranks.sequence_after("", MAX_CHECKLISTS_PER_CARD))

    view, change = copies.copy_board(world.read_board(), [card], {card.id: inside}, world.context())
    world.store.commit(change)

    world.board_id = view.board.id
    (copy,) = world.list_cards()
    assert [len(checklist.items) for checklist in read_checklists(world, copy)] == [
        MAX_ITEMS_PER_CHECKLIST
    ] * MAX_CHECKLISTS_PER_CARD


def test_one_of_the_longest_checklists_is_moved_where_ranks_are_long(world: World) -> None:
    card = world.add_card("Card")
    grown = [f"a0{'V' * ranks.MAX_RANK_LENGTH}{number:02}V" for number in range(MAX_CHECKLISTS_PER_CARD)]
    new_checklists = make_full_checklists(world, card, 500, grown)

    view = world.store.read_checklists(world.board_id, world.ann.id, card.id)
    assert view is not None
    _, change = checklists.move(
        view[0], card.id, view[1], new_checklists[-1].id, world.context(), before=new_checklists[9].id
    )
    assert change is not None
    world.store.commit(change)

    expected = [*new_checklists[:9], new_checklists[-1], *new_checklists[9:-1]]
    assert [(checklist.id, len(checklist.items)) for checklist in read_checklists(world, card)] == [
        (checklist.id, MAX_ITEMS_PER_CHECKLIST) for checklist in expected
    ]
