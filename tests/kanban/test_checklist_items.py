"""The items of a checklist, and what the card knows of them."""

import random
from dataclasses import replace

import pytest

from kanban import cards, checklist_items, checklists, members
from kanban.errors import LimitReached, NotFound, SelfReference, UnknownReference
from kanban.ordering.list_capacity import WipLimitReached
from kanban.values import Checklist, ChecklistItem, Enforcement, Role
from tests.kanban.fake_store import NOON, FakeStore


@pytest.fixture
def checklist(desk: FakeStore) -> Checklist:
    """An empty checklist of a card."""
    card, change = cards.create(desk.view(), desk.context, title="Copy")
    desk.apply(change)
    made, change = checklists.create(desk.view(card.id), card.id, [], desk.context, name="Steps")
    desk.apply(change)
    return made


def now(desk: FakeStore, checklist: Checklist) -> Checklist:
    """The checklist as it is by now."""
    return checklists.get_checklist(desk.view(checklist.card_id), checklist.card_id, checklist.id)


def add(desk: FakeStore, checklist: Checklist, text: str, **wishes: object) -> ChecklistItem:
    view = desk.view(checklist.card_id)
    made, change = checklist_items.create(view, now(desk, checklist), desk.context, text=text, **wishes)  # type: ignore[arg-type]
    desk.apply(change)
    return made


def revise(desk: FakeStore, checklist: Checklist, item: ChecklistItem, **patch: object) -> ChecklistItem:
    view = desk.view(checklist.card_id)
    revised, change = checklist_items.update(view, now(desk, checklist), item.id, patch, desk.context)
    desk.apply(change)
    return revised


def move(desk: FakeStore, checklist: Checklist, item: ChecklistItem, **place: str) -> ChecklistItem:
    view = desk.view(checklist.card_id)
    moved, change = checklist_items.move(view, now(desk, checklist), item.id, desk.context, **place)  # type: ignore[arg-type]
    desk.apply(change)
    return moved


def texts(desk: FakeStore, checklist: Checklist) -> list[str]:
    return [each.text for each in now(desk, checklist).items]


def counts(desk: FakeStore, checklist: Checklist) -> tuple[int, int]:
    """How many items of the card are done, and how many there are."""
    card = desk.cards[checklist.card_id]
    return card.done_count, card.item_count


def join(desk: FakeStore, user_id: str) -> None:
    desk.apply(members.put(desk.view(), user_id, Role.EDITOR, desk.context)[1])


def leave(desk: FakeStore, user_id: str) -> None:
    desk.apply(members.remove(desk.view(), user_id, desk.context, ()))


def test_items_are_added_at_the_bottom_or_the_top_and_counted(desk: FakeStore, checklist: Checklist) -> None:
    add(desk, checklist, "B", done=True, due_at=NOON)
    made = add(desk, checklist, "A", position="top")

    assert texts(desk, checklist) == ["A", "B"]
    assert counts(desk, checklist) == (1, 2)
    assert desk.events[-1].type == "checklist_item.created"
    assert desk.events[-1].data == {"checklist_id": checklist.id, "item_id": made.id, "text": "A"}


def test_writing_items_raises_the_version_of_neither_checklist_nor_card(desk: FakeStore, checklist: Checklist) -> None:
    version = desk.cards[checklist.card_id].version

    revise(desk, checklist, add(desk, checklist, "A"), done=True)

    assert now(desk, checklist).version == 1
    assert desk.cards[checklist.card_id].version == version


def test_a_checklist_has_a_hundred_items_and_no_more(desk: FakeStore, checklist: Checklist) -> None:
    item = add(desk, checklist, "A")
    full = replace(now(desk, checklist), items=tuple(replace(item, id=f"item_{number}") for number in range(100)))
    desk.parts[checklist.id] = full

    with pytest.raises(LimitReached, match="Checklist 'Steps' has 100 items"):
        add(desk, checklist, "One more")


def test_an_item_is_done_and_undone_and_its_card_counts(desk: FakeStore, checklist: Checklist) -> None:
    item = add(desk, checklist, "A")
    desk.advance_clock(minutes=1)

    done = revise(desk, checklist, item, done=True)
    assert counts(desk, checklist) == (1, 1)
    assert (done.version, done.updated_at) == (2, desk.now)
    assert desk.events[-1].data == {"checklist_id": checklist.id, "item_id": item.id, "changed": ["done"]}

    revise(desk, checklist, item, done=False)
    assert counts(desk, checklist) == (0, 1)


def test_a_patch_that_says_what_is_there_changes_nothing(desk: FakeStore, checklist: Checklist) -> None:
    item = add(desk, checklist, "A", done=True)
    told = len(desk.events)

    assert revise(desk, checklist, item, text="A", done=True, assignee_id=None, due_at=None) == item
    assert len(desk.events) == told


def test_an_item_is_for_a_member(desk: FakeStore, checklist: Checklist) -> None:
    join(desk, "usr_bob")

    item = add(desk, checklist, "A", assignee_id="usr_bob")

    assert item.assignee_id == desk.view().get_member("usr_bob").id
    with pytest.raises(UnknownReference) as error:
        revise(desk, checklist, item, assignee_id="usr_stranger")
    assert error.value.field == "assignee_id"


def test_who_left_the_board_is_nobody(desk: FakeStore, checklist: Checklist) -> None:
    join(desk, "usr_bob")
    item = add(desk, checklist, "A", assignee_id="usr_bob")
    leave(desk, "usr_bob")
    told = len(desk.events)

    assert revise(desk, checklist, item, assignee_id=None).version == 1
    assert len(desk.events) == told

    join(desk, "usr_bob")
    assert revise(desk, checklist, item, assignee_id="usr_bob").assignee_id == desk.view().get_member("usr_bob").id


def test_items_are_put_before_and_after_others_and_at_the_ends(desk: FakeStore, checklist: Checklist) -> None:
    one, two, three = (add(desk, checklist, text) for text in ("1", "2", "3"))

    move(desk, checklist, three, before=one.id)
    assert texts(desk, checklist) == ["3", "1", "2"]
    move(desk, checklist, three, after=one.id)
    assert texts(desk, checklist) == ["1", "3", "2"]
    move(desk, checklist, two, position="top")
    moved = move(desk, checklist, two, position="bottom")

    assert texts(desk, checklist) == ["1", "3", "2"]
    assert moved.version == 3
    assert counts(desk, checklist) == (0, 3)
    assert desk.events[-1].data == {"checklist_id": checklist.id, "item_id": two.id}


def test_a_move_to_where_it_stands_changes_nothing(desk: FakeStore, checklist: Checklist) -> None:
    one, two = (add(desk, checklist, text) for text in ("1", "2"))
    told = len(desk.events)

    move(desk, checklist, two, after=one.id)

    assert len(desk.events) == told


def test_an_item_stands_beside_others_of_its_checklist(desk: FakeStore, checklist: Checklist) -> None:
    item = add(desk, checklist, "1")

    with pytest.raises(SelfReference):
        move(desk, checklist, item, after=item.id)
    with pytest.raises(UnknownReference):
        move(desk, checklist, item, before="item_elsewhere")


def test_a_deleted_item_counts_no_more(desk: FakeStore, checklist: Checklist) -> None:
    item = add(desk, checklist, "1", done=True)
    add(desk, checklist, "2")

    desk.apply(checklist_items.delete(desk.view(checklist.card_id), now(desk, checklist), item.id, desk.context))

    assert texts(desk, checklist) == ["2"]
    assert counts(desk, checklist) == (0, 1)
    with pytest.raises(NotFound, match="no such checklist item"):
        revise(desk, checklist, item, done=False)


def test_an_item_becomes_a_card_at_the_bottom_of_its_cards_list(desk: FakeStore, checklist: Checklist) -> None:
    join(desk, "usr_bob")
    item = add(desk, checklist, "Draw the logo", done=True, due_at=NOON, assignee_id="usr_bob")
    view = desk.view(checklist.card_id)

    card, change = checklist_items.convert(view, now(desk, checklist), item.id, desk.context)
    desk.apply(change)

    assert desk.get_titles(desk.get_list("To do").id) == ["Copy", "Draw the logo"]
    assert (card.due_at, card.due_complete) == (NOON, True)
    assert card.assignee_ids == (view.get_member("usr_bob").id,)
    assert texts(desk, checklist) == []
    assert counts(desk, checklist) == (0, 0)
    assert desk.get_list("To do").card_count == 2
    event = desk.events[-1]
    assert (event.type, event.list_id, event.card_id) == (
        "checklist_item.converted",
        card.list_id,
        checklist.card_id,
    )
    assert event.data == {
        "checklist_id": checklist.id,
        "item_id": item.id,
        "new_card_id": card.id,
        "title": "Draw the logo",
        "stage": "todo",
    }


def test_an_item_becomes_a_card_in_progress_whose_clock_runs(desk: FakeStore, checklist: Checklist) -> None:
    item = add(desk, checklist, "Draw the logo")
    doing = desk.get_list("Doing").id
    view = desk.view(checklist.card_id)

    card, change = checklist_items.convert(view, now(desk, checklist), item.id, desk.context, list_id=doing)
    desk.apply(change)

    assert card.running is not None
    assert card.running.id in desk.entries
    assert desk.events[-1].list_id == doing


def test_a_full_list_and_a_foreign_one_take_no_item(desk: FakeStore, checklist: Checklist) -> None:
    item = add(desk, checklist, "Draw the logo")
    desk.change_list("To do", wip_limit=1, wip_enforcement=Enforcement.BLOCK)
    view = desk.view(checklist.card_id)

    with pytest.raises(WipLimitReached):
        checklist_items.convert(view, now(desk, checklist), item.id, desk.context)
    with pytest.raises(UnknownReference):
        checklist_items.convert(view, now(desk, checklist), item.id, desk.context, list_id="list_elsewhere")

    assert texts(desk, checklist) == ["Draw the logo"]


def test_whatever_is_done_the_card_counts_right(desk: FakeStore, checklist: Checklist) -> None:
    chance = random.Random(4)  # noqa: S311 - the same program in every run.
    for _ in range(400):
        act_by_chance(desk, checklist, chance)

        items = [item for each in desk.parts.values() if isinstance(each, Checklist) for item in each.items]
        assert counts(desk, checklist) == (sum(item.done for item in items), len(items))
    assert {each.type.partition(".")[2] for each in desk.events} >= {
        "created",
        "updated",
        "moved",
        "deleted",
        "converted",
    }


def act_by_chance(desk: FakeStore, first: Checklist, chance: random.Random) -> None:
    """Make or delete a checklist of the card, or do something to an item of one."""
    view = desk.view(first.card_id)
    there = sorted((each for each in desk.parts.values() if isinstance(each, Checklist)), key=lambda each: each.rank)
    if not there or (len(there) < 4 and chance.random() < 0.1):
        desk.apply(checklists.create(view, first.card_id, there, desk.context, name="More")[1])
        return
    checklist = chance.choice(there)
    if chance.random() < 0.02:
        desk.apply(checklists.delete(view, checklist, desk.context))
        return
    if not checklist.items or (len(checklist.items) < 10 and chance.random() < 0.4):
        desk.apply(checklist_items.create(view, checklist, desk.context, text="x", done=chance.random() < 0.5)[1])
        return
    item = chance.choice(checklist.items)
    match chance.randrange(4):
        case 0:
            done = {"done": chance.random() < 0.5}
            desk.apply(checklist_items.update(view, checklist, item.id, done, desk.context)[1])
        case 1:
            desk.apply(checklist_items.move(view, checklist, item.id, desk.context, position="top")[1])
        case 2:
            desk.apply(checklist_items.delete(view, checklist, item.id, desk.context))
        case _:
            desk.apply(checklist_items.convert(view, checklist, item.id, desk.context)[1])
