"""Labels of a board, and what a card bears."""

import pytest

from kanban import cards, labels, labels_and_assignees, members
from kanban.errors import LimitReached, NotFound, UnknownReference
from kanban.labels import LabelNameTaken
from kanban.limits import MAX_ASSIGNEES_PER_CARD, MAX_LABELS_PER_BOARD
from kanban.values import Card, Color, Label, Role
from tests.kanban.fake_store import FakeStore


def add(desk: FakeStore, name: str, color: Color = Color.RED) -> Label:
    label, change = labels.create(desk.view(), desk.context, name=name, color=color)
    desk.apply(change)
    return label


def invite(desk: FakeStore, user_id: str) -> None:
    desk.apply(members.put(desk.view(), user_id, Role.EDITOR, desk.context)[1])


def card_with(desk: FakeStore, **wishes: list[str]) -> Card:
    card, change = cards.create(desk.view(), desk.context, title="Copy", **wishes)  # type: ignore[arg-type]  # a test gives what the rule takes
    desk.apply(change)
    return card


def revise(desk: FakeStore, card: Card, **patch: list[str]) -> Card:
    new, change = cards.update(desk.view(card.id), card.id, patch, desk.context)
    desk.apply(change)
    return new


def test_a_label_is_added_with_an_event(desk: FakeStore) -> None:
    label = add(desk, "Bug")

    assert desk.view().labels == (label,)
    assert desk.events[-1].type == "label.created"
    assert desk.events[-1].data == {"label_id": label.id, "name": "Bug", "color": "red"}


@pytest.mark.parametrize("name", ["Straße", "STRASSE", "strasse"])
def test_a_name_is_there_once_whatever_the_case(desk: FakeStore, name: str) -> None:
    add(desk, "Strasse")

    with pytest.raises(LabelNameTaken, match="'Strasse'"):
        add(desk, name)


def test_a_label_may_change_the_case_of_its_own_name(desk: FakeStore) -> None:
    label = add(desk, "bug")

    new, change = labels.update(desk.view(), label.id, {"name": "Bug", "color": "blue"}, desk.context)

    desk.apply(change)
    assert (new.name, new.color, new.version) == ("Bug", Color.BLUE, 2)
    assert desk.events[-1].data == {"label_id": label.id, "changed": ["color", "name"]}


def test_a_label_cannot_take_the_name_of_another(desk: FakeStore) -> None:
    add(desk, "Bug")
    other = add(desk, "Idea")

    with pytest.raises(LabelNameTaken):
        labels.update(desk.view(), other.id, {"name": "BUG"}, desk.context)


def test_a_patch_that_changes_nothing_writes_nothing(desk: FakeStore) -> None:
    label = add(desk, "Bug")

    assert labels.update(desk.view(), label.id, {"name": "Bug"}, desk.context) == (label, None)


def test_a_board_has_only_so_many_labels(desk: FakeStore) -> None:
    for number in range(MAX_LABELS_PER_BOARD):
        add(desk, f"Label {number}")

    with pytest.raises(LimitReached, match="200 labels"):
        add(desk, "One more")


def test_a_deleted_label_is_borne_by_no_card_and_touches_none(desk: FakeStore) -> None:
    bug, idea = add(desk, "Bug"), add(desk, "Idea")
    card = card_with(desk, label_ids=[idea.id, bug.id])

    desk.apply(labels.delete(desk.view(), bug.id, desk.context))

    view = desk.view(card.id)
    assert view.get_label_ids(view.get_card(card.id)) == [idea.id]
    assert view.get_card(card.id).version == 1
    with pytest.raises(NotFound):
        labels.delete(desk.view(), bug.id, desk.context)


def test_a_card_is_made_with_labels_and_assignees(desk: FakeStore) -> None:
    bug = add(desk, "Bug")
    invite(desk, "usr_bob")

    card = card_with(desk, label_ids=[bug.id], assignee_ids=["usr_bob", "usr_ann"])

    assert card.label_ids == (bug.id,)
    assert desk.view().get_assignee_ids(card) == ["usr_ann", "usr_bob"]


def test_what_the_board_does_not_have_cannot_be_borne(desk: FakeStore) -> None:
    card = card_with(desk)

    with pytest.raises(UnknownReference, match="label_ids"):
        revise(desk, card, label_ids=["label_none"])
    with pytest.raises(UnknownReference, match="assignee_ids"):
        revise(desk, card, assignee_ids=["usr_nobody"])
    with pytest.raises(UnknownReference):
        card_with(desk, label_ids=["label_none"])


def test_a_patch_sets_labels_as_a_whole_in_any_order(desk: FakeStore) -> None:
    bug, idea = add(desk, "Bug"), add(desk, "Idea")
    card = card_with(desk, label_ids=[bug.id, idea.id])

    same, change = cards.update(desk.view(card.id), card.id, {"label_ids": [idea.id, bug.id]}, desk.context)
    fewer = revise(desk, card, label_ids=[idea.id])

    assert (same, change) == (card, None)
    assert fewer.label_ids == (idea.id,)
    assert desk.events[-1].data == {"changed": ["label_ids"]}


def test_what_has_vanished_makes_no_difference_and_is_left_out_by_the_next_write(desk: FakeStore) -> None:
    bug, idea = add(desk, "Bug"), add(desk, "Idea")
    card = card_with(desk, label_ids=[bug.id, idea.id])
    desk.apply(labels.delete(desk.view(), bug.id, desk.context))

    same, change = cards.update(desk.view(card.id), card.id, {"label_ids": [idea.id]}, desk.context)
    cleared = revise(desk, card, label_ids=[])

    assert (same.version, change) == (1, None)
    assert cleared.label_ids == ()


def test_labelling_twice_is_labelling_once(desk: FakeStore) -> None:
    bug, card = add(desk, "Bug"), card_with(desk)

    labelled, change = labels_and_assignees.add_label(desk.view(card.id), card.id, bug.id, desk.context)
    desk.apply(change)
    again, nothing = labels_and_assignees.add_label(desk.view(card.id), card.id, bug.id, desk.context)

    assert labelled.label_ids == (bug.id,)
    assert (again, nothing) == (labelled, None)
    assert (desk.events[-1].type, desk.events[-1].data) == ("card.updated", {"changed": ["label_ids"]})


def test_unlabelling_twice_is_unlabelling_once(desk: FakeStore) -> None:
    bug = add(desk, "Bug")
    card = card_with(desk, label_ids=[bug.id])

    bare, change = labels_and_assignees.remove_label(desk.view(card.id), card.id, bug.id, desk.context)
    desk.apply(change)

    assert bare.label_ids == ()
    assert labels_and_assignees.remove_label(desk.view(card.id), card.id, bug.id, desk.context) == (bare, None)


def test_members_are_assigned_and_unassigned(desk: FakeStore) -> None:
    invite(desk, "usr_bob")
    card = card_with(desk)

    desk.apply(labels_and_assignees.assign(desk.view(card.id), card.id, "usr_bob", desk.context)[1])
    assigned = desk.view(card.id)
    desk.apply(labels_and_assignees.unassign(desk.view(card.id), card.id, "usr_bob", desk.context)[1])
    unassigned = desk.view(card.id)

    assert assigned.get_assignee_ids(assigned.get_card(card.id)) == ["usr_bob"]
    assert unassigned.get_card(card.id).assignee_ids == ()
    assert labels_and_assignees.unassign(desk.view(card.id), card.id, "usr_bob", desk.context)[1] is None
    with pytest.raises(NotFound, match="member"):
        labels_and_assignees.assign(desk.view(card.id), card.id, "usr_nobody", desk.context)


def test_who_leaves_is_unassigned_and_stays_so_when_coming_back(desk: FakeStore) -> None:
    invite(desk, "usr_bob")
    card = card_with(desk, assignee_ids=["usr_ann", "usr_bob"])

    desk.apply(members.remove(desk.view(), "usr_bob", desk.context, ()))
    invite(desk, "usr_bob")

    view = desk.view(card.id)
    assert view.get_assignee_ids(view.get_card(card.id)) == ["usr_ann"]


def test_a_card_has_only_so_many_assignees(desk: FakeStore) -> None:
    people = [f"usr_{number:03}" for number in range(MAX_ASSIGNEES_PER_CARD)]
    for user_id in people:
        invite(desk, user_id)
    card = card_with(desk, assignee_ids=people)

    with pytest.raises(LimitReached, match="40 assignees"):
        labels_and_assignees.assign(desk.view(card.id), card.id, "usr_ann", desk.context)
    assert labels_and_assignees.assign(desk.view(card.id), card.id, people[0], desk.context)[1] is None
