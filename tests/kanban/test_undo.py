"""What an event says about the way back."""

import pytest

from kanban.undo import NotUndoable, UndoBlocked, get_changes, is_cause
from kanban.values import Event, FieldChange
from tests.kanban.fake_store import NOON


def make_event(changes: tuple[FieldChange, ...] | None) -> Event:
    return Event("brd_1", 7, "card.updated", NOON, "usr_ann", card_id="crd_1", changes=changes)


@pytest.mark.parametrize(("changes", "reason"), [(None, "before version 1.3"), ((), "a position only")])
def test_an_event_without_values_says_why_it_has_none(changes: tuple[FieldChange, ...] | None, reason: str) -> None:
    with pytest.raises(NotUndoable, match=f"Event 7 can't be undone: .*{reason}"):
        get_changes(make_event(changes))


def test_a_blocked_undo_says_what_is_in_the_way() -> None:
    assert [UndoBlocked(7, "card").message, UndoBlocked(7, "card", "title", 9).message] == [
        "Event 7 can't be undone: its card is gone.",
        "Event 7 can't be undone: 'title' of its card has changed since, by event 9.",
    ]


ITEM_EVENT = Event(
    "brd_1",
    7,
    "checklist_item.updated",
    NOON,
    "usr_ann",
    list_id="lst_1",
    card_id="crd_1",
    data={"checklist_id": "chk_1", "item_id": "itm_1"},
)


@pytest.mark.parametrize(
    ("later_type", "where", "data", "is_expected"),
    [
        ("card.deleted", {"card_id": "crd_1"}, {}, True),
        ("card.deleted", {"card_id": "crd_2"}, {}, False),
        ("list.deleted", {"list_id": "lst_1"}, {}, True),
        ("list.deleted", {"list_id": "lst_2"}, {}, False),
        ("checklist.deleted", {"card_id": "crd_1"}, {"checklist_id": "chk_1"}, True),
        ("checklist.deleted", {"card_id": "crd_1"}, {"checklist_id": "chk_2"}, False),
        ("checklist_item.deleted", {"card_id": "crd_1"}, {"checklist_id": "chk_1", "item_id": "itm_1"}, True),
        ("checklist_item.deleted", {"card_id": "crd_1"}, {"checklist_id": "chk_1", "item_id": "itm_2"}, False),
        ("label.deleted", {}, {"label_id": "lbl_1"}, False),
    ],
)
def test_only_what_deleted_the_subject_stands_in_the_way(
    later_type: str, where: dict[str, str], data: dict[str, str], is_expected: bool
) -> None:
    later = Event("brd_1", 9, later_type, NOON, "usr_ann", data=data, **where)  # type: ignore[arg-type]

    assert is_cause(later, ITEM_EVENT, None) == is_expected
