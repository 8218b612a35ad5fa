"""Copies look like their originals, but no work has been done on them."""

from dataclasses import replace

import pytest

from kanban import cards, checklist_items, checklists, copies, labels, labels_and_assignees
from kanban.copies import TooMuchToCopy
from kanban.errors import LimitReached, UnknownReference
from kanban.ordering.list_capacity import ListArchived
from kanban.values import (
    Board,
    Card,
    Checklist,
    Color,
    InstallationOwners,
    Link,
    List,
    Member,
    NewCard,
    NewChecklist,
    NewChecklistItem,
    NewLabel,
    Role,
    Stage,
    TimeEntry,
)
from tests.kanban.fake_store import FakeStore


def create_full_card(store: FakeStore, list_name: str = "Doing") -> Card:
    """Create a card that uses every field."""
    label, change = labels.create(store.view(), store.context, NewLabel("Bug", Color.RED))
    store.apply(change)
    card, change = cards.create(
        store.view(),
        store.context,
        NewCard(
            title="Fix it",
            description="Soon.",
            list_id=store.get_list(list_name).id,
            external_id="x1",
            label_ids=[label.id],
            due_at=store.now,
            due_complete=True,
            hourly_rate_minor=5,
            links=[Link("https://example.org", "")],
        ),
    )
    store.apply(change)
    store.apply(labels_and_assignees.assign(store.view(card.id), card.id, "usr_ann", store.context)[1])
    checklist, change = checklists.create(store.view(card.id), card.id, (), store.context, NewChecklist("Steps"))
    store.apply(change)
    item, change = checklist_items.create(
        store.view(card.id), checklist, store.context, NewChecklistItem(text="Try it")
    )
    store.apply(change)
    checklist = next(part for part in store.parts.values() if isinstance(part, Checklist))
    store.apply(checklist_items.update(store.view(card.id), checklist, item.id, {"done": True}, store.context)[1])
    return store.cards[card.id]


def get_checklists(store: FakeStore, card_id: str) -> list[Checklist]:
    return [part for part in store.parts.values() if isinstance(part, Checklist) and part.card_id == card_id]


def test_a_copy_of_a_card_is_new_work(store: FakeStore) -> None:
    old = create_full_card(store)
    store.advance_clock(hours=1)

    copy, change = copies.copy_card(store.view(old.id), old.id, get_checklists(store, old.id), store.context)
    store.apply(change)

    assert (copy.title, copy.description, copy.label_ids, copy.links) == ("Fix it", "Soon.", old.label_ids, old.links)
    assert (copy.due_at, copy.due_complete, copy.hourly_rate_minor) == (old.due_at, False, 5)
    assert (copy.external_id, copy.assignee_ids, copy.tracked_seconds, copy.version) == (None, (), 0, 1)
    assert (copy.item_count, copy.done_count, copy.started_at) == (1, 0, store.now)
    assert copy.running
    assert copy.running.started_at == store.now
    (steps,) = get_checklists(store, copy.id)
    assert [(item.text, item.done) for item in steps.items] == [("Try it", False)]
    assert not {steps.id, steps.items[0].id} & {checklist.id for checklist in get_checklists(store, old.id)}
    assert store.get_list("Doing").card_count == 2
    assert store.events[-1].data == {"from_card_id": old.id, "title": "Fix it", "stage": "in_progress"}


def test_a_copy_can_have_another_title_and_position(store: FakeStore) -> None:
    old = create_full_card(store)
    done = store.get_list("Done").id

    copy, change = copies.copy_card(
        store.view(old.id), old.id, (), store.context, title="Again", list_id=done, position="top"
    )
    store.apply(change)

    assert (copy.title, copy.list_id, copy.resolved_at, copy.running) == ("Again", done, store.now, None)
    with pytest.raises(UnknownReference):
        copies.copy_card(store.view(old.id), old.id, (), store.context, list_id="lst_elsewhere")
    store.change_list("Done", archived_at=store.now)
    with pytest.raises(ListArchived):
        copies.copy_card(store.view(old.id), old.id, (), store.context, list_id=done)


def copy_list(store: FakeStore, original: str, **fields: str) -> List:
    source = store.get_list(original)
    originals = sorted((card for card in store.cards.values() if card.list_id == source.id), key=lambda card: card.rank)
    copied = {card.id: get_checklists(store, card.id) for card in originals}
    new, change = copies.copy_list(store.view(), source.id, originals, copied, store.context, **fields)
    store.apply(change)
    return new


def test_a_copied_list_follows_its_original_with_its_cards_and_without_running_clocks(store: FakeStore) -> None:
    create_full_card(store)
    store.apply(
        cards.create(store.view(), store.context, NewCard(title="Second", list_id=store.get_list("Doing").id))[1]
    )

    new = copy_list(store, "Doing", name="Next")

    assert [list_.name for list_ in store.view().lists] == ["To do", "Doing", "Next", "Done"]
    assert store.get_titles(new.id) == ["Fix it", "Second"]
    assert (new.card_count, new.stage, new.external_id) == (2, Stage.IN_PROGRESS, None)
    copied = [card for card in store.cards.values() if card.list_id == new.id]
    assert [(card.running, card.started_at) for card in copied] == [(None, store.now)] * 2
    assert store.events[-1].type == "list.copied"
    assert store.events[-1].data["card_count"] == 2


def test_a_list_that_holds_too_much_is_not_copied(store: FakeStore) -> None:
    old = create_full_card(store)
    source = store.get_list("Doing").id

    with pytest.raises(
        TooMuchToCopy, match="at most 40 cards, 80 cards and checklists together, and 400000 characters"
    ):
        copies.copy_list(store.view(), source, [old], {old.id: get_checklists(store, old.id) * 80}, store.context)
    store.change_list("Doing", card_count=40)
    copies.ensure_list_can_be_copied(store.get_list("Doing"))
    store.change_list("Doing", card_count=41)
    with pytest.raises(TooMuchToCopy):
        copies.ensure_list_can_be_copied(store.get_list("Doing"))
    with pytest.raises(TooMuchToCopy):
        copies.copy_list(store.view(), source, [old] * 41, {}, store.context)


def test_a_list_with_too_much_text_for_a_commit_is_not_copied(store: FakeStore) -> None:
    todo = store.get_list("To do")
    for _ in range(21):
        store.apply(cards.create(store.view(), store.context, NewCard(title="Long", description="x" * 20_000))[1])

    with pytest.raises(TooMuchToCopy):
        copies.copy_list(store.view(), todo.id, [*store.cards.values()], {}, store.context)


def test_a_card_with_too_much_text_for_a_commit_is_not_copied(store: FakeStore) -> None:
    old = create_full_card(store)
    (steps,) = get_checklists(store, old.id)
    full = replace(steps, items=(replace(steps.items[0], text="x" * 149),) * 100)
    view = store.view(old.id)

    copies.copy_card(view, old.id, [full] * 20, store.context)
    with pytest.raises(
        TooMuchToCopy, match="Card 'Fix it' holds too much: one request copies at most 400000 characters"
    ):
        copies.copy_card(
            replace(view, cards={old.id: replace(old, description="x" * 2000)}), old.id, [full] * 20, store.context
        )


def test_a_list_of_a_full_board_is_not_copied(store: FakeStore) -> None:
    view = store.view()
    crowded = replace(view, lists=view.lists + view.lists[:1] * 97)

    with pytest.raises(LimitReached):
        copies.copy_list(crowded, view.lists[0].id, (), {}, store.context)


def test_a_copied_board_belongs_to_the_actor_and_has_events_of_its_cards(store: FakeStore) -> None:
    old = create_full_card(store)
    store.change_list("To do", archived_at=store.now, external_id="x")
    store.advance_clock(days=1)
    context = replace(store.context, actor_id="usr_bob")

    copy_view, change = copies.copy_board(
        store.view(), [old], {old.id: get_checklists(store, old.id)}, context, name="Spring"
    )

    assert (copy_view.board.name, copy_view.board.created_by, copy_view.board.external_id) == (
        "Spring",
        "usr_bob",
        None,
    )
    assert (copy_view.board.hourly_rate_minor, copy_view.board.seq, copy_view.board.version) == (1000, 2, 1)
    assert [(list_.name, list_.card_count) for list_ in copy_view.lists] == [("Doing", 1), ("Done", 0)]
    assert [(member.user_id, member.role) for member in copy_view.members] == [("usr_bob", Role.OWNER)]
    (card,) = [value for value in change.creates if isinstance(value, Card)]
    assert card.label_ids == (copy_view.labels[0].id,)
    assert card.label_ids != old.label_ids
    assert (card.list_id, card.running, card.started_at) == (copy_view.lists[0].id, None, context.at)
    assert [(event.seq, event.type) for event in (*change.history, change.event) if event] == [
        (1, "card.created"),
        (2, "board.copied"),
    ]
    values = [value for value in change.creates if isinstance(value, Checklist | List | Member | Card)]
    assert all(value.board_id == copy_view.board.id for value in values)
    assert sum(isinstance(value, Board) for value in change.creates) == 1


def test_a_copied_board_begins_with_the_events_of_its_cards_from_one(store: FakeStore) -> None:
    card = create_full_card(store)
    second = replace(card, id="crd_second", list_id=store.get_list("Done").id)

    view, change = copies.copy_board(store.view(), [card, second], {}, store.context)

    assert [event.seq for event in change.history] == [1, 2]
    assert change.event is not None
    assert (change.event.seq, view.board.seq, view.board.version) == (3, 3, 1)


def test_cards_are_copied_with_those_labels_that_the_copied_board_has(store: FakeStore) -> None:
    card = create_full_card(store)
    card = replace(card, label_ids=(*card.label_ids, "lbl_deleted"))

    view, change = copies.copy_board(store.view(), [card], {}, store.context)

    (copied,) = (value for value in change.creates if isinstance(value, Card))
    assert copied.label_ids == tuple(label.id for label in view.labels)


def test_nothing_that_is_done_on_a_checklist_is_done_on_its_copy(store: FakeStore) -> None:
    card = create_full_card(store)
    store.apply(copies.copy_card(store.view(card.id), card.id, get_checklists(store, card.id), store.context)[1])

    copied = next(part for part in store.parts.values() if isinstance(part, Checklist) and part.card_id != card.id)

    assert [(item.done, item.assignee_id, item.version) for item in copied.items] == [(False, None, 1)]


@pytest.mark.parametrize(
    ("list_name", "is_started", "is_resolved"), [("To do", False, False), ("Doing", True, False), ("Done", False, True)]
)
def test_a_card_that_is_copied_with_its_list_has_the_times_of_its_stage(
    store: FakeStore, list_name: str, *, is_started: bool, is_resolved: bool
) -> None:
    create_full_card(store, list_name)
    store.advance_clock(hours=1)

    new = copy_list(store, list_name)

    (copy,) = (card for card in store.cards.values() if card.list_id == new.id)
    assert copy.started_at == (store.now if is_started else None)
    assert copy.resolved_at == (store.now if is_resolved else None)
    assert (copy.running, copy.comment_count, copy.tracked_cost) == (None, 0, 0)


def test_everything_on_a_copied_board_is_new(store: FakeStore) -> None:
    card = create_full_card(store)

    _, change = copies.copy_board(store.view(), [card], {card.id: get_checklists(store, card.id)}, store.context)

    assert {getattr(value, "version", None) for value in change.creates} == {1}
    assert {value.created_at for value in change.creates if not isinstance(value, TimeEntry | InstallationOwners)} == {
        store.now
    }


def test_the_events_of_a_copied_board_tell_the_stage_of_each_card(store: FakeStore) -> None:
    card = create_full_card(store)
    done = replace(card, id="crd_second", list_id=store.get_list("Done").id)

    _, change = copies.copy_board(store.view(), [card, done], {}, store.context)

    assert [event.data["stage"] for event in change.history] == ["in_progress", "done"]
