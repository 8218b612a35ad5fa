"""Checklists: the steps of a card, and their order."""

from dataclasses import replace

import pytest

from kanban import cards, checklist_items, checklists
from kanban.errors import LimitReached, NotFound, SelfReference, UnknownReference
from kanban.ordering import ranks
from kanban.values import Card, Checklist
from tests.kanban.fake_store import FakeStore


def add_card(desk: FakeStore) -> Card:
    card, change = cards.create(desk.view(), desk.context, title="Copy")
    desk.apply(change)
    return card


def there(desk: FakeStore, card: Card) -> list[Checklist]:
    """The card's checklists in their order, as a store gives them."""
    found = [each for each in desk.parts.values() if isinstance(each, Checklist) and each.card_id == card.id]
    return sorted(found, key=lambda each: each.rank)


def add(desk: FakeStore, card: Card, name: str) -> Checklist:
    made, change = checklists.create(desk.view(card.id), card.id, there(desk, card), desk.context, name=name)
    desk.apply(change)
    return made


def add_item(desk: FakeStore, checklist: Checklist, text: str, *, done: bool = False) -> None:
    view = desk.view(checklist.card_id)
    current = checklists.get_checklist(view, checklist.card_id, checklist.id)
    desk.apply(checklist_items.create(view, current, desk.context, text=text, done=done)[1])


def move(desk: FakeStore, checklist: Checklist, **place: str) -> Checklist:
    card = desk.cards[checklist.card_id]
    view = desk.view(card.id)
    moved, change = checklists.move(view, card.id, there(desk, card), checklist.id, desk.context, **place)  # type: ignore[arg-type]
    desk.apply(change)
    return moved


def names(desk: FakeStore, card: Card) -> list[str]:
    return [each.name for each in there(desk, card)]


def test_new_checklists_go_below_the_others(desk: FakeStore) -> None:
    card = add_card(desk)

    made = add(desk, card, "Before")
    add(desk, card, "After")

    assert names(desk, card) == ["Before", "After"]
    assert (made.items, made.version) == ((), 1)
    assert desk.events[-2].data == {"checklist_id": made.id, "name": "Before"}
    assert (desk.events[-2].list_id, desk.events[-2].card_id) == (card.list_id, card.id)


def test_a_card_has_twenty_checklists_and_no_more(desk: FakeStore) -> None:
    card = add_card(desk)
    for number in range(20):
        add(desk, card, f"Steps {number}")

    with pytest.raises(LimitReached, match="Card 'Copy' has 20 checklists"):
        add(desk, card, "One more")


def test_renaming_tells_of_itself_and_leaves_the_items(desk: FakeStore) -> None:
    card = add_card(desk)
    checklist = add(desk, card, "Befor")
    add_item(desk, checklist, "Read it aloud")
    view = desk.view(card.id)

    renamed, change = checklists.update(
        view, checklists.get_checklist(view, card.id, checklist.id), {"name": "Before"}, desk.context
    )
    desk.apply(change)

    assert (renamed.name, renamed.version, len(renamed.items)) == ("Before", 2, 1)
    assert desk.events[-1].data == {"checklist_id": checklist.id, "changed": ["name"]}


def test_a_name_that_it_has_already_changes_nothing(desk: FakeStore) -> None:
    checklist = add(desk, add_card(desk), "Before")

    same, change = checklists.update(desk.view(checklist.card_id), checklist, {"name": "Before"}, desk.context)

    assert (same, change) == (checklist, None)


def test_checklists_are_put_before_and_after_others_and_at_the_ends(desk: FakeStore) -> None:
    card = add_card(desk)
    one, two, three = (add(desk, card, name) for name in ("1", "2", "3"))

    move(desk, three, before=one.id)
    assert names(desk, card) == ["3", "1", "2"]
    move(desk, three, after=one.id)
    assert names(desk, card) == ["1", "3", "2"]
    move(desk, two, position="top")
    assert names(desk, card) == ["2", "1", "3"]
    moved = move(desk, two, position="bottom")

    assert names(desk, card) == ["1", "3", "2"]
    assert moved.version == 3
    assert desk.events[-1].data == {"checklist_id": two.id}


def test_a_move_to_where_it_stands_changes_nothing(desk: FakeStore) -> None:
    card = add_card(desk)
    one, two = (add(desk, card, name) for name in ("1", "2"))

    assert move(desk, one, before=two.id) == one
    assert len(desk.events) == 4


def test_neighbours_are_other_checklists_of_the_card(desk: FakeStore) -> None:
    one = add(desk, add_card(desk), "1")
    elsewhere = add(desk, add_card(desk), "2")

    with pytest.raises(SelfReference):
        move(desk, one, before=one.id)
    with pytest.raises(UnknownReference):
        move(desk, one, after=elsewhere.id)


def test_a_checklist_of_another_card_is_not_found(desk: FakeStore) -> None:
    one, other = add_card(desk), add_card(desk)
    checklist = add(desk, one, "1")
    view = desk.view(one.id, other.id)

    with pytest.raises(NotFound, match="no such checklist"):
        checklists.get_checklist(view, other.id, checklist.id)
    with pytest.raises(NotFound, match="no such checklist"):
        checklists.move(view, other.id, [], checklist.id, desk.context, position="top")


def test_where_ranks_have_grown_long_the_shorter_side_gets_short_ones(desk: FakeStore) -> None:
    card = add_card(desk)
    one, two, three = (add(desk, card, name) for name in ("1", "2", "3"))
    desk.parts[one.id] = replace(one, rank=one.rank + "z" * ranks.MAX_RANK_LENGTH)

    move(desk, three, before=two.id)

    assert names(desk, card) == ["1", "3", "2"]
    assert max(len(each.rank) for each in there(desk, card)[1:]) < 4


@pytest.mark.parametrize("place", range(19))
def test_where_ranks_have_grown_long_no_more_than_half_of_the_checklists_are_written(
    desk: FakeStore, place: int
) -> None:
    card = add_card(desk)
    made = [add(desk, card, str(number)) for number in range(20)]
    long = made[0].rank + "V" * ranks.MAX_RANK_LENGTH
    for number, each in enumerate(made):
        desk.parts[each.id] = replace(each, rank=f"{long}{number:02}V")
    there_now = there(desk, card)

    _, change = checklists.move(
        desk.view(card.id), card.id, there_now, made[-1].id, desk.context, before=made[place].id
    )

    assert change is not None
    assert len(change.updates) - 1 <= 10
    desk.apply(change)
    assert names(desk, card) == [*map(str, range(place)), "19", *map(str, range(place, 19))]


def test_a_deleted_checklist_takes_its_items_off_the_counts(desk: FakeStore) -> None:
    card = add_card(desk)
    kept, gone = add(desk, card, "Kept"), add(desk, card, "Gone")
    add_item(desk, kept, "Stay", done=True)
    for text in ("Leave", "Go"):
        add_item(desk, gone, text, done=text == "Go")
    view = desk.view(card.id)

    desk.apply(checklists.delete(view, checklists.get_checklist(view, card.id, gone.id), desk.context))

    assert names(desk, card) == ["Kept"]
    assert (desk.cards[card.id].item_count, desk.cards[card.id].done_count) == (1, 1)
    assert desk.cards[card.id].version == card.version
    assert desk.events[-1].data == {"checklist_id": gone.id, "name": "Gone", "item_count": 2}
