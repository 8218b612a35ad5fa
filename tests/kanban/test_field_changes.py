"""From what to what things changed, as events say it: in the API's terms, and within a limit of bytes."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kanban import (
    archive,
    boards,
    cards,
    checklist_items,
    checklists,
    comments,
    labels,
    labels_and_assignees,
    lists,
    members,
    transfers,
)
from kanban.changes import ActionContext, Change
from kanban.field_changes import MAX_EVENT_BYTES, erase_values, format_changes, limit_bytes
from kanban.fields import recorded_fields
from kanban.timekeeping import time_entries
from kanban.values import (
    Board,
    Card,
    Checklist,
    ChecklistItem,
    Color,
    Comment,
    Enforcement,
    FieldChange,
    Label,
    Link,
    List,
    Member,
    NewCard,
    NewChecklist,
    NewChecklistItem,
    NewComment,
    NewLabel,
    NewTimeEntry,
    Role,
    Stage,
    TimeEntry,
)
from tests.kanban.fake_store import NOON, FakeStore
from tools.openapi.findings import BUNDLE

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def card(store: FakeStore) -> Card:
    """Create a card."""
    new, change = cards.create(store.view(), store.context, NewCard(title="Fix it"))
    store.apply(change)
    return new


def get_changes(change: Change | None) -> tuple[FieldChange, ...]:
    """Return what the event of a change says about fields."""
    assert change is not None
    assert change.event is not None
    assert change.event.changes is not None
    return change.event.changes


def update_card(store: FakeStore, card: Card, **patch: Any) -> tuple[FieldChange, ...]:
    """Apply a patch to a card and return what changed."""
    _, change = cards.update(store.view(card.id), card.id, patch, store.context)
    return get_changes(change)


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({"title": "Mend it"}, {"field": "title", "from": "Fix it", "to": "Mend it"}),
        ({"description": "x" * 200}, {"field": "description", "from": "", "to": "x" * 200}),
        ({"description": "x" * 201}, {"field": "description", "from": "", "to_length": 201}),
        ({"external_id": "A-1"}, {"field": "external_id", "from": None, "to": "A-1"}),
        ({"due_at": LATER}, {"field": "due_at", "from": None, "to": "2026-11-20T13:00:00Z"}),
        ({"due_complete": True}, {"field": "due_complete", "from": False, "to": True}),
        ({"hourly_rate_minor": 0}, {"field": "hourly_rate_minor", "from": None, "to": 0}),
        ({"links": (Link("https://a.example", ""),)}, {"field": "links", "from_count": 0, "to_count": 1}),
    ],
)
def test_a_field_is_given_before_and_after(
    store: FakeStore, card: Card, patch: dict[str, Any], expected: FieldChange
) -> None:
    assert update_card(store, card, **patch) == (expected,)


def test_several_fields_are_given_in_their_order(store: FakeStore, card: Card) -> None:
    changes = update_card(store, card, due_at=LATER, title="Mend it", start_at=NOON)

    assert [change["field"] for change in changes] == ["title", "start_at", "due_at"]


def test_labels_and_assignees_are_given_as_those_that_came_and_went(store: FakeStore, card: Card) -> None:
    bug, change = labels.create(store.view(), store.context, NewLabel("Bug", Color.RED))
    store.apply(change)
    store.apply(members.put(store.view(), "usr_bob", Role.EDITOR, store.context)[1])

    added = labels_and_assignees.add_label(store.view(card.id), card.id, bug.id, store.context)[1]
    assigned = labels_and_assignees.assign(store.view(card.id), card.id, "usr_bob", store.context)[1]
    store.apply(added)
    removed = labels_and_assignees.remove_label(store.view(card.id), card.id, bug.id, store.context)[1]

    assert get_changes(added) == ({"field": "label_ids", "added": [bug.id], "removed": []},)
    assert get_changes(assigned) == ({"field": "assignee_ids", "added": ["usr_bob"], "removed": []},)
    assert get_changes(removed) == ({"field": "label_ids", "added": [], "removed": [bug.id]},)


def test_ids_that_mean_nothing_any_more_are_not_given(store: FakeStore, card: Card) -> None:
    new = replace(card, label_ids=("lbl_gone",), assignee_ids=("mbr_gone",))
    store.cards[card.id] = new

    assert update_card(store, new, label_ids=(), assignee_ids=(), title="Mend it") == (
        {"field": "title", "from": "Fix it", "to": "Mend it"},
    )


def test_a_move_gives_list_status_and_clock(store: FakeStore, card: Card) -> None:
    started, change = cards.start(store.view(card.id), card.id, store.context)
    store.apply(change)
    store.advance_clock(hours=1)
    _, resolved = cards.resolve(store.view(started.id), card.id, store.context)
    todo, doing, done = (list_.id for list_ in store.view().lists)

    assert get_changes(change) == (
        {"field": "list_id", "from": todo, "to": doing},
        {"field": "status", "from": "todo", "to": "in_progress"},
        {"field": "started_at", "from": None, "to": "2026-11-20T12:00:00Z"},
        {"field": "running_since", "from": None, "to": "2026-11-20T12:00:00Z"},
    )
    assert get_changes(resolved) == (
        {"field": "list_id", "from": doing, "to": done},
        {"field": "status", "from": "in_progress", "to": "done"},
        {"field": "resolved_at", "from": None, "to": "2026-11-20T13:00:00Z"},
        {"field": "running_since", "from": "2026-11-20T12:00:00Z", "to": None},
    )


def test_a_move_within_the_stage_gives_the_list_alone(store: FakeStore, card: Card) -> None:
    view = store.view(card.id)
    other = replace(view.lists[0], id="lst_other", rank="a9")
    _, change = cards.move(replace(view, lists=(*view.lists, other)), card.id, store.context, list_id=other.id)

    assert get_changes(change) == ({"field": "list_id", "from": card.list_id, "to": "lst_other"},)


def test_archiving_and_deleting_are_given(store: FakeStore, card: Card) -> None:
    archived, change = archive.archive_card(store.view(card.id), card.id, store.context)
    store.apply(change)
    at = "2026-11-20T12:00:00Z"

    assert get_changes(change) == ({"field": "archived_at", "from": None, "to": at},)
    assert get_changes(archive.unarchive_card(store.view(card.id), card.id, store.context)[1]) == (
        {"field": "archived_at", "from": at, "to": None},
    )
    assert get_changes(cards.delete(store.view(archived.id), card.id, store.context)) == (
        {"field": "deleted_at", "from": None, "to": at},
    )
    store.apply(cards.delete(store.view(card.id), card.id, store.context))
    assert get_changes(archive.restore_card(store.view_deleted(cards=[card.id]), card.id, store.context)[1]) == (
        {"field": "deleted_at", "from": at, "to": None},
    )


def test_lists_boards_members_and_labels_are_given(store: FakeStore) -> None:
    view, context, at = store.view(), store.context, "2026-11-20T12:00:00Z"
    todo = view.lists[0]
    label, change = labels.create(view, context, NewLabel("Bug", Color.RED))
    store.apply(change)
    store.apply(members.put(store.view(), "usr_bob", Role.EDITOR, context)[1])
    view = store.view()

    assert get_changes(lists.update(view, todo.id, {"wip_limit": 3, "stage": Stage.DONE}, context)[1]) == (
        {"field": "stage", "from": "todo", "to": "done"},
        {"field": "wip_limit", "from": None, "to": 3},
    )
    assert get_changes(lists.update(view, todo.id, {"wip_enforcement": Enforcement.BLOCK}, context)[1]) == (
        {"field": "wip_enforcement", "from": "warn", "to": "block"},
    )
    for archived in (archive.archive_list(view, todo.id, context, ())[1], archive.archive_board(view, context, ())[1]):
        assert get_changes(archived) == ({"field": "archived_at", "from": None, "to": at},)
    for deleted in (lists.delete(view, todo.id, context), boards.delete(view, context)):
        assert get_changes(deleted) == ({"field": "deleted_at", "from": None, "to": at},)
    assert get_changes(lists.move(view, todo.id, context, position="bottom")[1]) == ()
    assert get_changes(boards.update(view, {"name": "Shop", "description": "New"}, context)[1]) == (
        {"field": "name", "from": "Website", "to": "Shop"},
        {"field": "description", "from": "", "to": "New"},
    )
    assert get_changes(members.put(view, "usr_bob", Role.VIEWER, context)[1]) == (
        {"field": "role", "from": "editor", "to": "viewer"},
    )
    assert get_changes(labels.update(view, label.id, {"color": "blue"}, context)[1]) == (
        {"field": "color", "from": "red", "to": "blue"},
    )


def test_checklists_and_items_are_given(store: FakeStore, card: Card) -> None:
    store.apply(members.put(store.view(), "usr_bob", Role.EDITOR, store.context)[1])
    checklist, change = checklists.create(store.view(card.id), card.id, [], store.context, NewChecklist("Steps"))
    store.apply(change)
    item, change = checklist_items.create(store.view(card.id), checklist, store.context, NewChecklistItem("Look"))
    store.apply(change)
    checklist = next(part for part in store.view(card.id).parts.values() if isinstance(part, Checklist))
    view, context = store.view(card.id), store.context

    assert get_changes(change) == ()
    assert get_changes(checklists.update(view, checklist, {"name": "Plan"}, context)[1]) == (
        {"field": "name", "from": "Steps", "to": "Plan"},
    )
    patch = {"done": True, "assignee_id": "usr_bob", "due_at": LATER, "text": "See"}
    assert get_changes(checklist_items.update(view, checklist, item.id, patch, context)[1]) == (
        {"field": "text", "from": "Look", "to": "See"},
        {"field": "done", "from": False, "to": True},
        {"field": "assignee_id", "from": None, "to": "usr_bob"},
        {"field": "due_at", "from": None, "to": "2026-11-20T13:00:00Z"},
    )
    assert get_changes(checklist_items.delete(view, checklist, item.id, context)) == ()


def test_the_text_of_a_comment_is_never_given(store: FakeStore, card: Card) -> None:
    comment, change = comments.create(store.view(card.id), card.id, store.context, NewComment("Secret"))
    store.apply(change)

    edited = comments.update(store.view(card.id), card.id, comment.id, {"text": ""}, store.context)[1]

    assert get_changes(edited) == ({"field": "text", "from_length": 6, "to_length": 0},)
    assert "Secret" not in str(store.events)


def test_time_entries_are_given(store: FakeStore, card: Card) -> None:
    store.apply(members.put(store.view(), "usr_bob", Role.EDITOR, store.context)[1])
    new = NewTimeEntry(NOON - timedelta(hours=2), NOON - timedelta(hours=1))
    entry, change = time_entries.create(store.view(card.id), card.id, store.context, new, entries=[])
    store.apply(change)
    patch = {"note": "Paid", "hourly_rate_minor": 5, "user_id": "usr_bob", "ended_at": NOON}

    edited = time_entries.update(store.view(card.id), card.id, entry.id, patch, store.context, entries=[entry])[1]

    assert get_changes(edited) == (
        {"field": "user_id", "from": "usr_ann", "to": "usr_bob"},
        {"field": "ended_at", "from": "2026-11-20T11:00:00Z", "to": "2026-11-20T12:00:00Z"},
        {"field": "hourly_rate_minor", "from": 1000, "to": 5},
        {"field": "note", "from": "", "to": "Paid"},
    )


def test_what_is_made_has_no_values_of_before(store: FakeStore, card: Card) -> None:
    target = FakeStore(name="Shop")
    target.board = replace(target.board, id="brd_shop")
    _, arrival = transfers.transfer(store.view(card.id), target.view(), card.id, store.context)

    assert [event.changes for event in store.events] == [(), ()]
    assert arrival.departure is not None
    assert get_changes(arrival) == get_changes(arrival.departure) == ()


def test_an_event_names_the_token_and_the_request(store: FakeStore) -> None:
    context = ActionContext("usr_ann", NOON, store.context.new_id, "tok_1", "req-1")

    event = boards.delete(store.view(), context).event

    assert event is not None
    assert (event.token_id, event.request_id) == ("tok_1", "req-1")


def test_values_that_make_an_event_too_long_are_left_out(store: FakeStore, card: Card) -> None:
    long = "漢" * 199
    store.cards[card.id] = replace(card, title=long, description=long, external_id=long)

    changes = update_card(store, card, title=long[1:], due_at=LATER, description=long[1:], external_id=None)

    assert changes == (
        {"field": "title"},
        {"field": "description"},
        {"field": "external_id"},
        {"field": "due_at", "from": None, "to": "2026-11-20T13:00:00Z"},
    )


@pytest.mark.parametrize("more", range(40))
def test_an_event_is_as_long_as_it_may_be(more: int) -> None:
    changes: list[FieldChange] = [
        {"field": "title", "from": "x" * (285 + more), "to": ""},
        {"field": "due_at", "from": None, "to": "y"},
    ]

    limited = limit_bytes(changes, ("a" * 64, "r" * 64), {"changed": ["due_at", "title"]})

    length = len(format_changes(limited)) + len(json.dumps({"changed": ["due_at", "title"]})) + 64 + 64 + 325
    assert length <= MAX_EVENT_BYTES
    assert (limited[0] == changes[0]) == (length > 750)
    assert limited[1] == changes[1]


SCHEMAS = {
    Board: "Board",
    Member: "Member",
    Label: "Label",
    List: "BoardList",
    Card: "Card",
    Checklist: "Checklist",
    ChecklistItem: "ChecklistItem",
    Comment: "Comment",
    TimeEntry: "TimeEntry",
}


@pytest.mark.parametrize("value_type", SCHEMAS)
def test_every_field_that_is_recorded_has_the_name_of_a_property(value_type: type) -> None:
    properties = json.loads(BUNDLE.read_bytes())["components"]["schemas"][SCHEMAS[value_type]]["properties"]

    names = {field.metadata.get("api_name") or field.name for field in recorded_fields(value_type)}

    assert names
    assert names <= properties.keys()


def test_an_erased_card_leaves_no_text_in_its_events(store: FakeStore, card: Card) -> None:
    _, change = cards.update(store.view(card.id), card.id, {"title": "Mend it"}, store.context)
    assert change is not None
    assert change.event is not None
    created, updated = store.events[-1], change.event

    assert erase_values(created) == replace(created, data={"title": "(erased)", "stage": "todo"})
    assert erase_values(updated) == replace(updated, changes=({"field": "title"},))
    for event in (replace(updated, changes=()), replace(updated, changes=None)):
        assert erase_values(event) is event
