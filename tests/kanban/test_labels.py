"""Labels of a board, and what a card bears."""

import pytest

from kanban import cards, labels, marks, members
from kanban.errors import LabelNameTaken, NotFound, TooManyAssignees, TooManyLabels, UnknownReference
from kanban.values import MOST_ASSIGNEES, MOST_LABELS, Card, Color, Label, Role
from tests.kanban.desk import Desk


def add(desk: Desk, name: str, color: Color = Color.RED) -> Label:
    label, change = labels.add(desk.view(), desk.act, name=name, color=color)
    desk.apply(change)
    return label


def invite(desk: Desk, user_id: str) -> None:
    desk.apply(members.put(desk.view(), user_id, Role.EDITOR, desk.act)[1])


def card_with(desk: Desk, **wishes: list[str]) -> Card:
    card, change = cards.add(desk.view(), desk.act, title="Copy", **wishes)  # type: ignore[arg-type]  # a test gives what the rule takes
    desk.apply(change)
    return card


def revise(desk: Desk, card: Card, **patch: list[str]) -> Card:
    new, change = cards.revise(desk.view(card.id), card.id, patch, desk.act)
    desk.apply(change)
    return new


def test_a_label_is_added_with_an_event(desk: Desk) -> None:
    label = add(desk, "Bug")

    assert desk.view().labels == (label,)
    assert desk.events[-1].type == "label.created"
    assert desk.events[-1].data == {"label_id": label.id, "name": "Bug", "color": "red"}


@pytest.mark.parametrize("name", ["Straße", "STRASSE", "strasse"])
def test_a_name_is_there_once_whatever_the_case(desk: Desk, name: str) -> None:
    add(desk, "Strasse")

    with pytest.raises(LabelNameTaken, match="'Strasse'"):
        add(desk, name)


def test_a_label_may_change_the_case_of_its_own_name(desk: Desk) -> None:
    label = add(desk, "bug")

    new, change = labels.revise(desk.view(), label.id, {"name": "Bug", "color": "blue"}, desk.act)

    desk.apply(change)
    assert (new.name, new.color, new.version) == ("Bug", Color.BLUE, 2)
    assert desk.events[-1].data == {"label_id": label.id, "changed": ["color", "name"]}


def test_a_label_cannot_take_the_name_of_another(desk: Desk) -> None:
    add(desk, "Bug")
    other = add(desk, "Idea")

    with pytest.raises(LabelNameTaken):
        labels.revise(desk.view(), other.id, {"name": "BUG"}, desk.act)


def test_a_patch_that_changes_nothing_writes_nothing(desk: Desk) -> None:
    label = add(desk, "Bug")

    assert labels.revise(desk.view(), label.id, {"name": "Bug"}, desk.act) == (label, None)


def test_a_board_has_only_so_many_labels(desk: Desk) -> None:
    for number in range(MOST_LABELS):
        add(desk, f"Label {number}")

    with pytest.raises(TooManyLabels, match="200 labels"):
        add(desk, "One more")


def test_a_deleted_label_is_borne_by_no_card_and_touches_none(desk: Desk) -> None:
    bug, idea = add(desk, "Bug"), add(desk, "Idea")
    card = card_with(desk, label_ids=[idea.id, bug.id])

    desk.apply(labels.delete(desk.view(), bug.id, desk.act))

    view = desk.view(card.id)
    assert view.label_ids_of(view.card(card.id)) == [idea.id]
    assert view.card(card.id).version == 1
    with pytest.raises(NotFound):
        labels.delete(desk.view(), bug.id, desk.act)


def test_a_card_is_made_with_labels_and_assignees(desk: Desk) -> None:
    bug = add(desk, "Bug")
    invite(desk, "usr_bob")

    card = card_with(desk, label_ids=[bug.id], assignee_ids=["usr_bob", "usr_ann"])

    assert card.label_ids == (bug.id,)
    assert desk.view().assignee_ids_of(card) == ["usr_ann", "usr_bob"]


def test_what_the_board_does_not_have_cannot_be_borne(desk: Desk) -> None:
    card = card_with(desk)

    with pytest.raises(UnknownReference, match="label_ids"):
        revise(desk, card, label_ids=["label_none"])
    with pytest.raises(UnknownReference, match="assignee_ids"):
        revise(desk, card, assignee_ids=["usr_nobody"])
    with pytest.raises(UnknownReference):
        card_with(desk, label_ids=["label_none"])


def test_a_patch_sets_labels_as_a_whole_in_any_order(desk: Desk) -> None:
    bug, idea = add(desk, "Bug"), add(desk, "Idea")
    card = card_with(desk, label_ids=[bug.id, idea.id])

    same, change = cards.revise(desk.view(card.id), card.id, {"label_ids": [idea.id, bug.id]}, desk.act)
    fewer = revise(desk, card, label_ids=[idea.id])

    assert (same, change) == (card, None)
    assert fewer.label_ids == (idea.id,)
    assert desk.events[-1].data == {"changed": ["label_ids"]}


def test_what_has_vanished_makes_no_difference_and_is_left_out_by_the_next_write(desk: Desk) -> None:
    bug, idea = add(desk, "Bug"), add(desk, "Idea")
    card = card_with(desk, label_ids=[bug.id, idea.id])
    desk.apply(labels.delete(desk.view(), bug.id, desk.act))

    same, change = cards.revise(desk.view(card.id), card.id, {"label_ids": [idea.id]}, desk.act)
    cleared = revise(desk, card, label_ids=[])

    assert (same.version, change) == (1, None)
    assert cleared.label_ids == ()


def test_labelling_twice_is_labelling_once(desk: Desk) -> None:
    bug, card = add(desk, "Bug"), card_with(desk)

    labelled, change = marks.label(desk.view(card.id), card.id, bug.id, desk.act)
    desk.apply(change)
    again, nothing = marks.label(desk.view(card.id), card.id, bug.id, desk.act)

    assert labelled.label_ids == (bug.id,)
    assert (again, nothing) == (labelled, None)
    assert (desk.events[-1].type, desk.events[-1].data) == ("card.updated", {"changed": ["label_ids"]})


def test_unlabelling_twice_is_unlabelling_once(desk: Desk) -> None:
    bug = add(desk, "Bug")
    card = card_with(desk, label_ids=[bug.id])

    bare, change = marks.unlabel(desk.view(card.id), card.id, bug.id, desk.act)
    desk.apply(change)

    assert bare.label_ids == ()
    assert marks.unlabel(desk.view(card.id), card.id, bug.id, desk.act) == (bare, None)


def test_members_are_assigned_and_unassigned(desk: Desk) -> None:
    invite(desk, "usr_bob")
    card = card_with(desk)

    desk.apply(marks.assign(desk.view(card.id), card.id, "usr_bob", desk.act)[1])
    assigned = desk.view(card.id)
    desk.apply(marks.unassign(desk.view(card.id), card.id, "usr_bob", desk.act)[1])
    unassigned = desk.view(card.id)

    assert assigned.assignee_ids_of(assigned.card(card.id)) == ["usr_bob"]
    assert unassigned.card(card.id).assignee_ids == ()
    assert marks.unassign(desk.view(card.id), card.id, "usr_bob", desk.act)[1] is None
    with pytest.raises(NotFound, match="member"):
        marks.assign(desk.view(card.id), card.id, "usr_nobody", desk.act)


def test_who_leaves_is_unassigned_and_stays_so_when_coming_back(desk: Desk) -> None:
    invite(desk, "usr_bob")
    card = card_with(desk, assignee_ids=["usr_ann", "usr_bob"])

    desk.apply(members.remove(desk.view(), "usr_bob", desk.act, ()))
    invite(desk, "usr_bob")

    view = desk.view(card.id)
    assert view.assignee_ids_of(view.card(card.id)) == ["usr_ann"]


def test_a_card_has_only_so_many_assignees(desk: Desk) -> None:
    people = [f"usr_{number:03}" for number in range(MOST_ASSIGNEES)]
    for user_id in people:
        invite(desk, user_id)
    card = card_with(desk, assignee_ids=people)

    with pytest.raises(TooManyAssignees, match="40 assignees"):
        marks.assign(desk.view(card.id), card.id, "usr_ann", desk.act)
    assert marks.assign(desk.view(card.id), card.id, people[0], desk.act)[1] is None
