"""Labels of a board, and the labels and assignees of cards."""

import pytest

from kanban import cards, labels, labels_and_assignees, members
from kanban.errors import LimitReached, NotFound, UnknownReference
from kanban.labels import LabelNameTaken
from kanban.limits import MAX_ASSIGNEES_PER_CARD, MAX_LABELS_PER_BOARD
from kanban.values import Card, Color, Label, NewCard, NewLabel, Role
from tests.kanban.fake_store import FakeStore


def add(store: FakeStore, name: str, color: Color = Color.RED) -> Label:
    label, change = labels.create(store.view(), store.context, NewLabel(name, color))
    store.apply(change)
    return label


def add_member(store: FakeStore, user_id: str) -> None:
    store.apply(members.put(store.view(), user_id, Role.EDITOR, store.context)[1])


def create_card(store: FakeStore, **fields: list[str]) -> Card:
    card, change = cards.create(store.view(), store.context, NewCard(title="Copy", **fields))  # type: ignore[arg-type]  # the test gives what the rule takes
    store.apply(change)
    return card


def update(store: FakeStore, card: Card, **patch: list[str]) -> Card:
    new, change = cards.update(store.view(card.id), card.id, patch, store.context)
    store.apply(change)
    return new


def test_a_label_is_created_with_an_event(store: FakeStore) -> None:
    label = add(store, "Bug")

    assert store.view().labels == (label,)
    assert store.events[-1].type == "label.created"
    assert store.events[-1].data == {"label_id": label.id, "name": "Bug", "color": "red"}


@pytest.mark.parametrize("name", ["Straße", "STRASSE", "strasse"])
def test_names_are_unique_ignoring_case(store: FakeStore, name: str) -> None:
    add(store, "Strasse")

    with pytest.raises(LabelNameTaken, match="'Strasse'"):
        add(store, name)


def test_a_label_can_change_the_case_of_its_name(store: FakeStore) -> None:
    label = add(store, "bug")

    new, change = labels.update(store.view(), label.id, {"name": "Bug", "color": "blue"}, store.context)

    store.apply(change)
    assert (new.name, new.color, new.version) == ("Bug", Color.BLUE, 2)
    assert store.events[-1].data == {"label_id": label.id, "changed": ["color", "name"]}


def test_a_label_cannot_take_the_name_of_another(store: FakeStore) -> None:
    add(store, "Bug")
    other = add(store, "Idea")

    with pytest.raises(LabelNameTaken):
        labels.update(store.view(), other.id, {"name": "BUG"}, store.context)


def test_a_patch_that_changes_nothing_writes_nothing(store: FakeStore) -> None:
    label = add(store, "Bug")

    assert labels.update(store.view(), label.id, {"name": "Bug"}, store.context) == (label, None)


def test_a_board_has_at_most_two_hundred_labels(store: FakeStore) -> None:
    for number in range(MAX_LABELS_PER_BOARD):
        add(store, f"Label {number}")

    with pytest.raises(LimitReached, match="200 labels"):
        add(store, "One more")


def test_deleting_a_label_hides_it_on_cards_without_writing_them(store: FakeStore) -> None:
    bug, idea = add(store, "Bug"), add(store, "Idea")
    card = create_card(store, label_ids=[idea.id, bug.id])

    store.apply(labels.delete(store.view(), bug.id, store.context))

    view = store.view(card.id)
    assert view.get_label_ids(view.get_card(card.id)) == [idea.id]
    assert view.get_card(card.id).version == 1
    with pytest.raises(NotFound):
        labels.delete(store.view(), bug.id, store.context)


def test_a_card_is_created_with_labels_and_assignees(store: FakeStore) -> None:
    bug = add(store, "Bug")
    add_member(store, "usr_bob")

    card = create_card(store, label_ids=[bug.id], assignee_ids=["usr_bob", "usr_ann"])

    assert card.label_ids == (bug.id,)
    assert store.view().get_assignee_ids(card) == ["usr_ann", "usr_bob"]


def test_a_card_cannot_have_unknown_labels_or_assignees(store: FakeStore) -> None:
    card = create_card(store)

    with pytest.raises(UnknownReference, match="label_ids"):
        update(store, card, label_ids=["label_none"])
    with pytest.raises(UnknownReference, match="assignee_ids"):
        update(store, card, assignee_ids=["usr_nobody"])
    with pytest.raises(UnknownReference):
        create_card(store, label_ids=["label_none"])


def test_a_patch_sets_labels_as_a_whole_in_any_order(store: FakeStore) -> None:
    bug, idea = add(store, "Bug"), add(store, "Idea")
    card = create_card(store, label_ids=[bug.id, idea.id])

    same, change = cards.update(store.view(card.id), card.id, {"label_ids": [idea.id, bug.id]}, store.context)
    fewer = update(store, card, label_ids=[idea.id])

    assert (same, change) == (card, None)
    assert fewer.label_ids == (idea.id,)
    assert store.events[-1].data == {"changed": ["label_ids"]}


def test_ids_of_deleted_labels_are_ignored_and_dropped_by_the_next_write(store: FakeStore) -> None:
    bug, idea = add(store, "Bug"), add(store, "Idea")
    card = create_card(store, label_ids=[bug.id, idea.id])
    store.apply(labels.delete(store.view(), bug.id, store.context))

    same, change = cards.update(store.view(card.id), card.id, {"label_ids": [idea.id]}, store.context)
    cleared = update(store, card, label_ids=[])

    assert (same.version, change) == (1, None)
    assert cleared.label_ids == ()


def test_adding_a_label_twice_changes_nothing(store: FakeStore) -> None:
    bug, card = add(store, "Bug"), create_card(store)

    labelled, change = labels_and_assignees.add_label(store.view(card.id), card.id, bug.id, store.context)
    store.apply(change)
    again, nothing = labels_and_assignees.add_label(store.view(card.id), card.id, bug.id, store.context)

    assert labelled.label_ids == (bug.id,)
    assert (again, nothing) == (labelled, None)
    assert (store.events[-1].type, store.events[-1].data) == ("card.updated", {"changed": ["label_ids"]})


def test_removing_a_label_twice_changes_nothing(store: FakeStore) -> None:
    bug = add(store, "Bug")
    card = create_card(store, label_ids=[bug.id])

    bare, change = labels_and_assignees.remove_label(store.view(card.id), card.id, bug.id, store.context)
    store.apply(change)

    assert bare.label_ids == ()
    assert labels_and_assignees.remove_label(store.view(card.id), card.id, bug.id, store.context) == (bare, None)


def test_members_are_assigned_and_unassigned(store: FakeStore) -> None:
    add_member(store, "usr_bob")
    card = create_card(store)

    store.apply(labels_and_assignees.assign(store.view(card.id), card.id, "usr_bob", store.context)[1])
    assigned = store.view(card.id)
    store.apply(labels_and_assignees.unassign(store.view(card.id), card.id, "usr_bob", store.context)[1])
    unassigned = store.view(card.id)

    assert assigned.get_assignee_ids(assigned.get_card(card.id)) == ["usr_bob"]
    assert unassigned.get_card(card.id).assignee_ids == ()
    assert labels_and_assignees.unassign(store.view(card.id), card.id, "usr_bob", store.context)[1] is None
    with pytest.raises(NotFound, match="member"):
        labels_and_assignees.assign(store.view(card.id), card.id, "usr_nobody", store.context)


def test_a_member_who_leaves_is_unassigned_and_stays_so_after_coming_back(store: FakeStore) -> None:
    add_member(store, "usr_bob")
    card = create_card(store, assignee_ids=["usr_ann", "usr_bob"])

    store.apply(members.remove(store.view(), "usr_bob", store.context, ()))
    add_member(store, "usr_bob")

    view = store.view(card.id)
    assert view.get_assignee_ids(view.get_card(card.id)) == ["usr_ann"]


def test_a_card_has_at_most_forty_assignees(store: FakeStore) -> None:
    people = [f"usr_{number:03}" for number in range(MAX_ASSIGNEES_PER_CARD)]
    for user_id in people:
        add_member(store, user_id)
    card = create_card(store, assignee_ids=people)

    with pytest.raises(LimitReached, match="40 assignees"):
        labels_and_assignees.assign(store.view(card.id), card.id, "usr_ann", store.context)
    assert labels_and_assignees.assign(store.view(card.id), card.id, people[0], store.context)[1] is None


def test_naming_the_assignees_that_a_card_shows_already_changes_nothing(store: FakeStore) -> None:
    add_member(store, "usr_bob")
    card = create_card(store, assignee_ids=["usr_ann", "usr_bob"])
    store.apply(members.remove(store.view(), "usr_bob", store.context, ()))

    same, change = cards.update(store.view(card.id), card.id, {"assignee_ids": ["usr_ann"]}, store.context)
    nobody, _ = cards.update(store.view(card.id), card.id, {"assignee_ids": []}, store.context)

    assert (same, change) == (card, None)
    assert nobody.assignee_ids == ()
