"""Changes: merged to one, with one event."""

import pytest

from kanban.changes import Change, build_change
from kanban.values import Event
from tests.kanban.fake_store import FakeStore


def build_event(store: FakeStore) -> Event:
    event = build_change(store.view(), store.context, "board.updated", data={}).event
    assert event is not None
    return event


def test_a_change_raises_the_seq_of_its_board_by_one(store: FakeStore) -> None:
    change = build_change(store.view(), store.context, "board.updated", data={})

    store.apply(change)

    assert store.board.seq == store.events[-1].seq == 2
    assert store.board.version == 1


def test_merged_changes_have_what_either_has(store: FakeStore) -> None:
    view = store.view()
    one = Change(updates=(view.board,), rebalance_list_id="lst_1", event=build_event(store))
    other = Change(creates=view.members, deletes=view.members, restores_board=True)

    for merged in (one.merge(other), other.merge(one)):
        assert (merged.creates, merged.updates, merged.deletes) == (view.members, (view.board,), view.members)
        assert (merged.event, merged.rebalance_list_id, merged.restores_board) == (one.event, "lst_1", True)


def test_a_change_of_nothing_adds_nothing(store: FakeStore) -> None:
    view = store.view()
    change = Change(updates=(view.board,), event=build_event(store))

    assert change.merge(Change()) == Change().merge(change) == change
    assert not change.restores_board


def test_two_changes_with_an_event_each_cannot_be_merged(store: FakeStore) -> None:
    one, other = (Change(event=build_event(store)) for _ in range(2))

    with pytest.raises(ValueError, match="one event"):
        one.merge(other)
