"""What an event says about the way back."""

import pytest

from kanban.undo import NotUndoable, UndoBlocked, get_changes
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
