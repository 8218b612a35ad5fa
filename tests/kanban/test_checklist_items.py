"""Checklist items, and their counts on the card."""

import random
from dataclasses import replace

import pytest

from kanban import cards, checklist_items, checklists, members
from kanban.errors import LimitReached, NotFound, SelfReference, UnknownReference
from kanban.ordering.list_capacity import WipLimitReached
from kanban.values import Checklist, ChecklistItem, Enforcement, NewCard, NewChecklist, NewChecklistItem, Role
from tests.kanban.fake_store import NOON, FakeStore


@pytest.fixture
def checklist(store: FakeStore) -> Checklist:
    """Return an empty checklist of a card."""
    card, change = cards.create(store.view(), store.context, NewCard(title="Copy"))
    store.apply(change)
    empty, change = checklists.create(store.view(card.id), card.id, [], store.context, NewChecklist("Steps"))
    store.apply(change)
    return empty


def get_current(store: FakeStore, checklist: Checklist) -> Checklist:
    """Return the checklist in its present state."""
    return checklists.get_checklist(store.view(checklist.card_id), checklist.card_id, checklist.id)


def add(store: FakeStore, checklist: Checklist, text: str, **fields: object) -> ChecklistItem:
    view = store.view(checklist.card_id)
    new = NewChecklistItem(text=text, **fields)  # type: ignore[arg-type]  # the test gives what the rule takes
    item, change = checklist_items.create(view, get_current(store, checklist), store.context, new)
    store.apply(change)
    return item


def update(store: FakeStore, checklist: Checklist, item: ChecklistItem, **patch: object) -> ChecklistItem:
    view = store.view(checklist.card_id)
    updated, change = checklist_items.update(view, get_current(store, checklist), item.id, patch, store.context)
    store.apply(change)
    return updated


def move(store: FakeStore, checklist: Checklist, item: ChecklistItem, **position: str) -> ChecklistItem:
    view = store.view(checklist.card_id)
    moved, change = checklist_items.move(view, get_current(store, checklist), item.id, store.context, **position)  # type: ignore[arg-type]
    store.apply(change)
    return moved


def get_texts(store: FakeStore, checklist: Checklist) -> list[str]:
    return [item.text for item in get_current(store, checklist).items]


def get_counts(store: FakeStore, checklist: Checklist) -> tuple[int, int]:
    """Return how many items of the card are done, and how many it has."""
    card = store.cards[checklist.card_id]
    return card.done_count, card.item_count


def join(store: FakeStore, user_id: str) -> None:
    store.apply(members.put(store.view(), user_id, Role.EDITOR, store.context)[1])


def leave(store: FakeStore, user_id: str) -> None:
    store.apply(members.remove(store.view(), user_id, store.context, ()))


def test_items_are_created_at_the_bottom_or_the_top_and_counted(store: FakeStore, checklist: Checklist) -> None:
    add(store, checklist, "B", done=True, due_at=NOON)
    item = add(store, checklist, "A", position="top")

    assert get_texts(store, checklist) == ["A", "B"]
    assert get_counts(store, checklist) == (1, 2)
    assert store.events[-1].type == "checklist_item.created"
    assert store.events[-1].data == {"checklist_id": checklist.id, "item_id": item.id, "text": "A"}


def test_writing_items_keeps_the_versions_of_checklist_and_card(store: FakeStore, checklist: Checklist) -> None:
    version = store.cards[checklist.card_id].version

    update(store, checklist, add(store, checklist, "A"), done=True)

    assert get_current(store, checklist).version == 1
    assert store.cards[checklist.card_id].version == version


def test_a_checklist_has_at_most_a_hundred_items(store: FakeStore, checklist: Checklist) -> None:
    item = add(store, checklist, "A")
    full = replace(
        get_current(store, checklist), items=tuple(replace(item, id=f"item_{number}") for number in range(100))
    )
    store.parts[checklist.id] = full

    with pytest.raises(LimitReached, match="Checklist 'Steps' has 100 items"):
        add(store, checklist, "One more")


def test_an_item_is_done_and_undone_and_its_card_counts(store: FakeStore, checklist: Checklist) -> None:
    item = add(store, checklist, "A")
    store.advance_clock(minutes=1)

    done = update(store, checklist, item, done=True)
    assert get_counts(store, checklist) == (1, 1)
    assert (done.version, done.updated_at) == (2, store.now)
    assert store.events[-1].data == {"checklist_id": checklist.id, "item_id": item.id, "changed": ["done"]}

    update(store, checklist, item, done=False)
    assert get_counts(store, checklist) == (0, 1)


def test_a_patch_with_the_present_values_changes_nothing(store: FakeStore, checklist: Checklist) -> None:
    item = add(store, checklist, "A", done=True)
    event_count = len(store.events)

    assert update(store, checklist, item, text="A", done=True, assignee_id=None, due_at=None) == item
    assert len(store.events) == event_count


def test_an_item_is_assigned_to_a_member(store: FakeStore, checklist: Checklist) -> None:
    join(store, "usr_bob")

    item = add(store, checklist, "A", assignee_id="usr_bob")

    assert item.assignee_id == store.view().get_member("usr_bob").id
    with pytest.raises(UnknownReference) as error:
        update(store, checklist, item, assignee_id="usr_stranger")
    assert error.value.field == "assignee_id"


def test_a_former_member_is_no_assignee(store: FakeStore, checklist: Checklist) -> None:
    join(store, "usr_bob")
    item = add(store, checklist, "A", assignee_id="usr_bob")
    leave(store, "usr_bob")
    event_count = len(store.events)

    assert update(store, checklist, item, assignee_id=None).version == 1
    assert len(store.events) == event_count

    join(store, "usr_bob")
    assert update(store, checklist, item, assignee_id="usr_bob").assignee_id == store.view().get_member("usr_bob").id


def test_items_move_before_and_after_others_and_to_the_ends(store: FakeStore, checklist: Checklist) -> None:
    one, two, three = (add(store, checklist, text) for text in ("1", "2", "3"))

    move(store, checklist, three, before=one.id)
    assert get_texts(store, checklist) == ["3", "1", "2"]
    move(store, checklist, three, after=one.id)
    assert get_texts(store, checklist) == ["1", "3", "2"]
    move(store, checklist, two, position="top")
    moved = move(store, checklist, two, position="bottom")

    assert get_texts(store, checklist) == ["1", "3", "2"]
    assert moved.version == 3
    assert get_counts(store, checklist) == (0, 3)
    assert store.events[-1].data == {"checklist_id": checklist.id, "item_id": two.id}


def test_a_move_to_the_present_position_changes_nothing(store: FakeStore, checklist: Checklist) -> None:
    one, two = (add(store, checklist, text) for text in ("1", "2"))
    event_count = len(store.events)

    move(store, checklist, two, after=one.id)

    assert len(store.events) == event_count


def test_a_neighbour_is_another_item_of_the_checklist(store: FakeStore, checklist: Checklist) -> None:
    item = add(store, checklist, "1")

    with pytest.raises(SelfReference):
        move(store, checklist, item, after=item.id)
    with pytest.raises(UnknownReference):
        move(store, checklist, item, before="item_elsewhere")


def test_a_deleted_item_is_not_counted(store: FakeStore, checklist: Checklist) -> None:
    item = add(store, checklist, "1", done=True)
    add(store, checklist, "2")

    store.apply(
        checklist_items.delete(store.view(checklist.card_id), get_current(store, checklist), item.id, store.context)
    )

    assert get_texts(store, checklist) == ["2"]
    assert get_counts(store, checklist) == (0, 1)
    with pytest.raises(NotFound, match="no such checklist item"):
        update(store, checklist, item, done=False)


def test_an_item_becomes_a_card_at_the_bottom_of_its_cards_list(store: FakeStore, checklist: Checklist) -> None:
    join(store, "usr_bob")
    item = add(store, checklist, "Draw the logo", done=True, due_at=NOON, assignee_id="usr_bob")
    view = store.view(checklist.card_id)

    card, change = checklist_items.convert(view, get_current(store, checklist), item.id, store.context)
    store.apply(change)

    assert store.get_titles(store.get_list("To do").id) == ["Copy", "Draw the logo"]
    assert (card.due_at, card.due_complete) == (NOON, True)
    assert card.assignee_ids == (view.get_member("usr_bob").id,)
    assert get_texts(store, checklist) == []
    assert get_counts(store, checklist) == (0, 0)
    assert store.get_list("To do").card_count == 2
    event = store.events[-1]
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


def test_an_item_becomes_a_card_in_progress_whose_clock_runs(store: FakeStore, checklist: Checklist) -> None:
    item = add(store, checklist, "Draw the logo")
    doing = store.get_list("Doing").id
    view = store.view(checklist.card_id)

    card, change = checklist_items.convert(view, get_current(store, checklist), item.id, store.context, list_id=doing)
    store.apply(change)

    assert card.running is not None
    assert card.running.id in store.entries
    assert store.events[-1].list_id == doing


def test_an_item_cannot_be_converted_into_a_full_or_unknown_list(store: FakeStore, checklist: Checklist) -> None:
    item = add(store, checklist, "Draw the logo")
    store.change_list("To do", wip_limit=1, wip_enforcement=Enforcement.BLOCK)
    view = store.view(checklist.card_id)

    with pytest.raises(WipLimitReached):
        checklist_items.convert(view, get_current(store, checklist), item.id, store.context)
    with pytest.raises(UnknownReference):
        checklist_items.convert(view, get_current(store, checklist), item.id, store.context, list_id="list_elsewhere")

    assert get_texts(store, checklist) == ["Draw the logo"]


def test_random_actions_keep_the_counts_of_the_card_right(store: FakeStore, checklist: Checklist) -> None:
    rng = random.Random(4)  # noqa: S311 - the same actions in every run.
    for _ in range(400):
        act_at_random(store, checklist, rng)

        items = [item for part in store.parts.values() if isinstance(part, Checklist) for item in part.items]
        assert get_counts(store, checklist) == (sum(item.done for item in items), len(items))
    assert {event.type.partition(".")[2] for event in store.events} >= {
        "created",
        "updated",
        "moved",
        "deleted",
        "converted",
    }


def act_at_random(store: FakeStore, first: Checklist, rng: random.Random) -> None:
    """Create or delete a checklist of the card, or act on an item of one."""
    view = store.view(first.card_id)
    all_checklists = sorted(
        (part for part in store.parts.values() if isinstance(part, Checklist)), key=lambda part: part.rank
    )
    if not all_checklists or (len(all_checklists) < 4 and rng.random() < 0.1):
        store.apply(checklists.create(view, first.card_id, all_checklists, store.context, NewChecklist("More"))[1])
        return
    checklist = rng.choice(all_checklists)
    if rng.random() < 0.02:
        store.apply(checklists.delete(view, checklist, store.context))
        return
    if not checklist.items or (len(checklist.items) < 10 and rng.random() < 0.4):
        new = NewChecklistItem(text="x", done=rng.random() < 0.5)
        store.apply(checklist_items.create(view, checklist, store.context, new)[1])
        return
    item = rng.choice(checklist.items)
    match rng.randrange(4):
        case 0:
            done = {"done": rng.random() < 0.5}
            store.apply(checklist_items.update(view, checklist, item.id, done, store.context)[1])
        case 1:
            store.apply(checklist_items.move(view, checklist, item.id, store.context, position="top")[1])
        case 2:
            store.apply(checklist_items.delete(view, checklist, item.id, store.context))
        case _:
            store.apply(checklist_items.convert(view, checklist, item.id, store.context)[1])


def test_an_assignee_among_several_members_can_be_named_again_or_cleared(
    store: FakeStore, checklist: Checklist
) -> None:
    for user_id in ("usr_bob", "usr_eve"):
        store.apply(members.put(store.view(), user_id, Role.EDITOR, store.context)[1])
    item = add(store, checklist, "Ask", assignee_id="usr_bob")

    again, change = checklist_items.update(
        store.view(checklist.card_id), get_current(store, checklist), item.id, {"assignee_id": "usr_bob"}, store.context
    )
    free = update(store, checklist, item, assignee_id=None)

    assert (again, change) == (item, None)
    assert free.assignee_id is None
