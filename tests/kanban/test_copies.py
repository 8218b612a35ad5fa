"""Copies look like their originals, and nothing has been done about them yet."""

from dataclasses import replace

import pytest

from kanban import cards, checklist_items, checklists, copies, labels, labels_and_assignees
from kanban.copies import TooMuchToCopy
from kanban.errors import LimitReached, UnknownReference
from kanban.ordering.list_capacity import ListArchived
from kanban.values import Board, Card, Checklist, Color, Link, List, Member, Role, Stage
from tests.kanban.fake_store import FakeStore


def full_card(desk: FakeStore, list_name: str = "Doing") -> Card:
    """A card with all that a card can have."""
    label, change = labels.create(desk.view(), desk.context, name="Bug", color=Color.RED)
    desk.apply(change)
    card, change = cards.create(
        desk.view(),
        desk.context,
        title="Fix it",
        description="Soon.",
        list_id=desk.get_list(list_name).id,
        external_id="x1",
        label_ids=[label.id],
        due_at=desk.now,
        due_complete=True,
        hourly_rate_minor=5,
        links=[Link("https://example.org", "")],
    )
    desk.apply(change)
    desk.apply(labels_and_assignees.assign(desk.view(card.id), card.id, "usr_ann", desk.context)[1])
    checklist, change = checklists.create(desk.view(card.id), card.id, (), desk.context, name="Steps")
    desk.apply(change)
    item, change = checklist_items.create(desk.view(card.id), checklist, desk.context, text="Try it")
    desk.apply(change)
    checklist = next(each for each in desk.parts.values() if isinstance(each, Checklist))
    desk.apply(checklist_items.update(desk.view(card.id), checklist, item.id, {"done": True}, desk.context)[1])
    return desk.cards[card.id]


def parts_of(desk: FakeStore, card_id: str) -> list[Checklist]:
    return [each for each in desk.parts.values() if isinstance(each, Checklist) and each.card_id == card_id]


def test_a_copy_of_a_card_is_new_work(desk: FakeStore) -> None:
    old = full_card(desk)
    desk.advance_clock(hours=1)

    copy, change = copies.copy_card(desk.view(old.id), old.id, parts_of(desk, old.id), desk.context)
    desk.apply(change)

    assert (copy.title, copy.description, copy.label_ids, copy.links) == ("Fix it", "Soon.", old.label_ids, old.links)
    assert (copy.due_at, copy.due_complete, copy.hourly_rate_minor) == (old.due_at, False, 5)
    assert (copy.external_id, copy.assignee_ids, copy.tracked_seconds, copy.version) == (None, (), 0, 1)
    assert (copy.item_count, copy.done_count, copy.started_at) == (1, 0, desk.now)
    assert copy.running
    assert copy.running.started_at == desk.now
    (steps,) = parts_of(desk, copy.id)
    assert [(each.text, each.done) for each in steps.items] == [("Try it", False)]
    assert not {steps.id, steps.items[0].id} & {each.id for each in parts_of(desk, old.id)}
    assert desk.get_list("Doing").card_count == 2
    assert desk.events[-1].data == {"from_card_id": old.id, "title": "Fix it", "stage": "in_progress"}


def test_a_copy_can_have_another_title_and_place(desk: FakeStore) -> None:
    old = full_card(desk)
    done = desk.get_list("Done").id

    copy, change = copies.copy_card(
        desk.view(old.id), old.id, (), desk.context, title="Again", list_id=done, position="top"
    )
    desk.apply(change)

    assert (copy.title, copy.list_id, copy.resolved_at, copy.running) == ("Again", done, desk.now, None)
    with pytest.raises(UnknownReference):
        copies.copy_card(desk.view(old.id), old.id, (), desk.context, list_id="lst_elsewhere")
    desk.change_list("Done", archived_at=desk.now)
    with pytest.raises(ListArchived):
        copies.copy_card(desk.view(old.id), old.id, (), desk.context, list_id=done)


def copy_list(desk: FakeStore, original: str, **wishes: str) -> List:
    home = desk.get_list(original)
    there = sorted((card for card in desk.cards.values() if card.list_id == home.id), key=lambda card: card.rank)
    inside = {card.id: parts_of(desk, card.id) for card in there}
    new, change = copies.copy_list(desk.view(), home.id, there, inside, desk.context, **wishes)
    desk.apply(change)
    return new


def test_a_copy_of_a_list_stands_beside_it_with_its_cards_and_no_clock_runs(desk: FakeStore) -> None:
    full_card(desk)
    desk.apply(cards.create(desk.view(), desk.context, title="Second", list_id=desk.get_list("Doing").id)[1])

    new = copy_list(desk, "Doing", name="Next")

    assert [each.name for each in desk.view().lists] == ["To do", "Doing", "Next", "Done"]
    assert desk.get_titles(new.id) == ["Fix it", "Second"]
    assert (new.card_count, new.stage, new.external_id) == (2, Stage.IN_PROGRESS, None)
    inside = [card for card in desk.cards.values() if card.list_id == new.id]
    assert [(card.running, card.started_at) for card in inside] == [(None, desk.now)] * 2
    assert desk.events[-1].type == "list.copied"
    assert desk.events[-1].data["card_count"] == 2


def test_a_list_that_holds_too_much_is_not_copied(desk: FakeStore) -> None:
    old = full_card(desk)
    home = desk.get_list("Doing").id

    with pytest.raises(
        TooMuchToCopy, match="at most 40 cards, 80 cards and checklists together, and 400000 characters"
    ):
        copies.copy_list(desk.view(), home, [old], {old.id: parts_of(desk, old.id) * 80}, desk.context)
    desk.change_list("Doing", card_count=41)
    with pytest.raises(TooMuchToCopy):
        copies.copy_list(desk.view(), home, [old] * 41, {}, desk.context)


def test_a_list_with_more_text_than_a_commit_holds_is_not_copied(desk: FakeStore) -> None:
    todo = desk.get_list("To do")
    for _ in range(21):
        desk.apply(cards.create(desk.view(), desk.context, title="Long", description="x" * 20_000)[1])

    with pytest.raises(TooMuchToCopy):
        copies.copy_list(desk.view(), todo.id, [*desk.cards.values()], {}, desk.context)


def test_a_card_with_more_text_than_a_commit_holds_is_not_copied(desk: FakeStore) -> None:
    old = full_card(desk)
    (steps,) = parts_of(desk, old.id)
    full = replace(steps, items=(replace(steps.items[0], text="x" * 149),) * 100)
    view = desk.view(old.id)

    copies.copy_card(view, old.id, [full] * 20, desk.context)
    with pytest.raises(
        TooMuchToCopy, match="Card 'Fix it' holds too much: one request copies at most 400000 characters"
    ):
        copies.copy_card(
            replace(view, cards={old.id: replace(old, description="x" * 2000)}), old.id, [full] * 20, desk.context
        )


def test_a_board_with_a_hundred_lists_gets_no_copy_of_one(desk: FakeStore) -> None:
    view = desk.view()
    crowded = replace(view, lists=view.lists + view.lists[:1] * 97)

    with pytest.raises(LimitReached):
        copies.copy_list(crowded, view.lists[0].id, (), {}, desk.context)


def test_a_copy_of_a_board_belongs_to_who_makes_it_and_tells_of_its_cards(desk: FakeStore) -> None:
    old = full_card(desk)
    desk.change_list("To do", archived_at=desk.now, external_id="x")
    desk.advance_clock(days=1)
    act = replace(desk.context, actor_id="usr_bob")

    seen, change = copies.copy_board(desk.view(), [old], {old.id: parts_of(desk, old.id)}, act, name="Spring")

    assert (seen.board.name, seen.board.created_by, seen.board.external_id) == ("Spring", "usr_bob", None)
    assert (seen.board.hourly_rate_minor, seen.board.seq, seen.board.version) == (1000, 2, 1)
    assert [(each.name, each.card_count) for each in seen.lists] == [("Doing", 1), ("Done", 0)]
    assert [(each.user_id, each.role) for each in seen.members] == [("usr_bob", Role.OWNER)]
    (card,) = [each for each in change.creates if isinstance(each, Card)]
    assert card.label_ids == (seen.labels[0].id,)
    assert card.label_ids != old.label_ids
    assert (card.list_id, card.running, card.started_at) == (seen.lists[0].id, None, act.at)
    assert [(each.seq, each.type) for each in (*change.history, change.event) if each] == [
        (1, "card.created"),
        (2, "board.copied"),
    ]
    made = [each for each in change.creates if isinstance(each, Checklist | List | Member | Card)]
    assert all(each.board_id == seen.board.id for each in made)
    assert sum(isinstance(each, Board) for each in change.creates) == 1
