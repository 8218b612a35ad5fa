"""Checklists: the steps of a card, and their order."""

from dataclasses import replace

import pytest

from kanban import cards, checklist_items, checklists
from kanban.errors import LimitReached, NotFound, SelfReference, UnknownReference
from kanban.ordering import ranks
from kanban.values import Card, Checklist, NewCard, NewChecklist, NewChecklistItem
from tests.kanban.fake_store import FakeStore


def add_card(store: FakeStore) -> Card:
    card, change = cards.create(store.view(), store.context, NewCard(title="Copy"))
    store.apply(change)
    return card


def get_checklists(store: FakeStore, card: Card) -> list[Checklist]:
    """Return the card's checklists in their order, as a store does."""
    own = [part for part in store.parts.values() if isinstance(part, Checklist) and part.card_id == card.id]
    return sorted(own, key=lambda checklist: checklist.rank)


def add(store: FakeStore, card: Card, name: str) -> Checklist:
    checklist, change = checklists.create(
        store.view(card.id), card.id, get_checklists(store, card), store.context, NewChecklist(name)
    )
    store.apply(change)
    return checklist


def add_item(store: FakeStore, checklist: Checklist, text: str, *, done: bool = False) -> None:
    view = store.view(checklist.card_id)
    current = checklists.get_checklist(view, checklist.card_id, checklist.id)
    store.apply(checklist_items.create(view, current, store.context, NewChecklistItem(text=text, done=done))[1])


def move(store: FakeStore, checklist: Checklist, **position: str) -> Checklist:
    card = store.cards[checklist.card_id]
    view = store.view(card.id)
    moved, change = checklists.move(view, card.id, get_checklists(store, card), checklist.id, store.context, **position)  # type: ignore[arg-type]
    store.apply(change)
    return moved


def get_names(store: FakeStore, card: Card) -> list[str]:
    return [checklist.name for checklist in get_checklists(store, card)]


def test_new_checklists_go_below_the_others(store: FakeStore) -> None:
    card = add_card(store)

    checklist = add(store, card, "Before")
    add(store, card, "After")

    assert get_names(store, card) == ["Before", "After"]
    assert (checklist.items, checklist.version) == ((), 1)
    assert store.events[-2].data == {"checklist_id": checklist.id, "name": "Before"}
    assert (store.events[-2].list_id, store.events[-2].card_id) == (card.list_id, card.id)


def test_a_card_has_at_most_twenty_checklists(store: FakeStore) -> None:
    card = add_card(store)
    for number in range(20):
        add(store, card, f"Steps {number}")

    with pytest.raises(LimitReached, match="Card 'Copy' has 20 checklists"):
        add(store, card, "One more")


def test_renaming_has_an_event_and_keeps_the_items(store: FakeStore) -> None:
    card = add_card(store)
    checklist = add(store, card, "Befor")
    add_item(store, checklist, "Read it aloud")
    view = store.view(card.id)

    renamed, change = checklists.update(
        view, checklists.get_checklist(view, card.id, checklist.id), {"name": "Before"}, store.context
    )
    store.apply(change)

    assert (renamed.name, renamed.version, len(renamed.items)) == ("Before", 2, 1)
    assert store.events[-1].data == {"checklist_id": checklist.id, "changed": ["name"]}


def test_the_present_name_changes_nothing(store: FakeStore) -> None:
    checklist = add(store, add_card(store), "Before")

    same, change = checklists.update(store.view(checklist.card_id), checklist, {"name": "Before"}, store.context)

    assert (same, change) == (checklist, None)


def test_checklists_move_before_and_after_others_and_to_the_ends(store: FakeStore) -> None:
    card = add_card(store)
    one, two, three = (add(store, card, name) for name in ("1", "2", "3"))

    move(store, three, before=one.id)
    assert get_names(store, card) == ["3", "1", "2"]
    move(store, three, after=one.id)
    assert get_names(store, card) == ["1", "3", "2"]
    move(store, two, position="top")
    assert get_names(store, card) == ["2", "1", "3"]
    moved = move(store, two, position="bottom")

    assert get_names(store, card) == ["1", "3", "2"]
    assert moved.version == 3
    assert store.events[-1].data == {"checklist_id": two.id}


def test_a_move_to_the_present_position_changes_nothing(store: FakeStore) -> None:
    card = add_card(store)
    one, two = (add(store, card, name) for name in ("1", "2"))

    assert move(store, one, before=two.id) == one
    assert len(store.events) == 4


def test_a_neighbour_is_another_checklist_of_the_card(store: FakeStore) -> None:
    one = add(store, add_card(store), "1")
    elsewhere = add(store, add_card(store), "2")

    with pytest.raises(SelfReference):
        move(store, one, before=one.id)
    with pytest.raises(UnknownReference):
        move(store, one, after=elsewhere.id)


def test_a_checklist_of_another_card_is_not_found(store: FakeStore) -> None:
    one, other = add_card(store), add_card(store)
    checklist = add(store, one, "1")
    view = store.view(one.id, other.id)

    with pytest.raises(NotFound, match="no such checklist"):
        checklists.get_checklist(view, other.id, checklist.id)
    with pytest.raises(NotFound, match="no such checklist"):
        checklists.move(view, other.id, [], checklist.id, store.context, position="top")


def test_long_ranks_give_short_ranks_to_the_shorter_side(store: FakeStore) -> None:
    card = add_card(store)
    one, two, three = (add(store, card, name) for name in ("1", "2", "3"))
    store.parts[one.id] = replace(one, rank=one.rank + "z" * ranks.MAX_RANK_LENGTH)

    move(store, three, before=two.id)

    assert get_names(store, card) == ["1", "3", "2"]
    assert max(len(checklist.rank) for checklist in get_checklists(store, card)[1:]) < 4


@pytest.mark.parametrize("index", range(19))
def test_long_ranks_rewrite_at_most_half_of_the_checklists(store: FakeStore, index: int) -> None:
    card = add_card(store)
    created = [add(store, card, str(number)) for number in range(20)]
    long = created[0].rank + "V" * ranks.MAX_RANK_LENGTH
    for number, checklist in enumerate(created):
        store.parts[checklist.id] = replace(checklist, rank=f"{long}{number:02}V")
    current = get_checklists(store, card)

    _, change = checklists.move(
        store.view(card.id), card.id, current, created[-1].id, store.context, before=created[index].id
    )

    assert change is not None
    assert len(change.updates) - 1 <= 10
    store.apply(change)
    assert get_names(store, card) == [*map(str, range(index)), "19", *map(str, range(index, 19))]


def test_the_items_of_a_deleted_checklist_are_not_counted(store: FakeStore) -> None:
    card = add_card(store)
    kept, deleted = add(store, card, "Kept"), add(store, card, "Gone")
    add_item(store, kept, "Stay", done=True)
    for text in ("Leave", "Go"):
        add_item(store, deleted, text, done=text == "Go")
    view = store.view(card.id)

    store.apply(checklists.delete(view, checklists.get_checklist(view, card.id, deleted.id), store.context))

    assert get_names(store, card) == ["Kept"]
    assert (store.cards[card.id].item_count, store.cards[card.id].done_count) == (1, 1)
    assert store.cards[card.id].version == card.version
    assert store.events[-1].data == {"checklist_id": deleted.id, "name": "Gone", "item_count": 2}


@pytest.mark.parametrize(("length", "is_kept"), [(120, True), (121, False)])
def test_a_rank_of_120_characters_is_the_longest_of_a_checklist(
    store: FakeStore, length: int, *, is_kept: bool
) -> None:
    card = add_card(store)
    one, two, three = (add(store, card, name) for name in ("One", "Two", "Three"))
    # The only rank of its length between the two is that of the upper one, with a digit more.
    store.parts[one.id] = replace(one, rank="a0" + "0" * (length - 4) + "1")
    store.parts[two.id] = replace(two, rank="a0" + "0" * (length - 4) + "2")

    moved = move(store, three, before=two.id)

    assert [checklist.name for checklist in get_checklists(store, card)] == ["One", "Three", "Two"]
    assert (len(moved.rank) == length) is is_kept
