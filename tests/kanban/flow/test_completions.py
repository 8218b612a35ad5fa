"""Completions, event by event."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kanban import cards
from kanban.flow import completions
from kanban.flow.completions import Completion, Completions
from kanban.values import Event, EventData, NewCard, Stage
from tests.kanban.fake_store import NOON, FakeStore

MADE, STARTED = "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z"


def an_event(
    hour: int, event_type: str, card_id: str | None = "c1", list_id: str | None = "done", **data: Any
) -> Event:
    """Return an event so many hours after noon."""
    at = NOON + timedelta(hours=hour)
    return Event("brd_1", hour + 1, event_type, at, "usr_ann", list_id, card_id, data)


def a_move(hour: int, source: str, target: str, card_id: str = "c1", list_id: str = "done", **times: str) -> Event:
    """Return a move between two stages."""
    return an_event(hour, "card.moved", card_id, list_id, from_stage=source, to_stage=target, **times)


DONE_AT_ONE = a_move(1, "in_progress", "done", created_at=MADE, started_at=STARTED)


def list_completions(*events: Event) -> Sequence[Completion]:
    completed = Completions()
    for event in events:
        completed.apply(event)
    return completed.list_current()


def list_ids(*events: Event) -> list[tuple[str, str]]:
    return [(completion.card_id, completion.list_id) for completion in list_completions(*events)]


def test_a_completed_card_tells_its_lead_and_cycle_time() -> None:
    (completion,) = list_completions(DONE_AT_ONE)

    assert (completion.lead_seconds, completion.cycle_seconds) == (3 * 3600, 2 * 3600)


def test_durations_are_never_negative_and_not_known_without_a_start() -> None:
    assert completions.count_elapsed_seconds(NOON, NOON - timedelta(seconds=9)) == 0
    assert completions.count_elapsed_seconds(NOON, NOON + timedelta(seconds=1.9)) == 1
    assert completions.count_elapsed_seconds(None, NOON) is None


@pytest.mark.parametrize("old", Stage)
@pytest.mark.parametrize("new", Stage)
def test_only_a_move_to_done_carries_times(store: FakeStore, old: Stage, new: Stage) -> None:
    card = replace(
        cards.create(store.view(), store.context, NewCard(title="Copy"))[0], started_at=NOON + timedelta(hours=1)
    )
    expected: EventData = {"created_at": "2026-11-20T12:00:00Z", "started_at": "2026-11-20T13:00:00Z"}

    data = completions.build_completion_data(card, old, new)

    assert data == (expected if (new, old != Stage.DONE) == (Stage.DONE, True) else {})


@pytest.mark.parametrize(
    ("percent", "count", "expected"), [(50, 1, 0), (50, 4, 1), (50, 5, 2), (85, 20, 16), (100, 7, 6), (1, 300, 2)]
)
def test_a_percentile_is_the_nearest_rank(percent: int, count: int, expected: int) -> None:
    assert completions.get_percentile(range(count), percent) == expected


def test_nothing_has_no_percentile() -> None:
    assert completions.get_percentile([], 50) is None


def test_a_card_that_leaves_done_is_completed_no_more_and_one_within_done_keeps_its_time() -> None:
    moved = a_move(2, "done", "done", list_id="shipped")

    assert list_ids(DONE_AT_ONE, a_move(2, "done", "todo")) == []
    assert list_ids(DONE_AT_ONE, moved) == [("c1", "shipped")]
    assert [completion.resolved_at for completion in list_completions(DONE_AT_ONE, moved)] == [
        NOON + timedelta(hours=1)
    ]
    assert list_ids(moved) == []
    assert list_ids(a_move(1, "todo", "in_progress")) == []


@pytest.mark.parametrize("event_type", ["card.created", "card.copied", "checklist_item.converted"])
def test_a_card_that_is_made_on_done_is_completed_at_once(event_type: str) -> None:
    (completion,) = list_completions(an_event(1, event_type, stage="done", new_card_id="c9"))

    assert (completion.card_id, completion.lead_seconds, completion.cycle_seconds) == ("c9", 0, None)
    assert list_ids(an_event(1, event_type, stage="done")) == [("c1", "done")]
    assert list_ids(an_event(1, event_type, stage="todo")) == []


def test_the_cards_of_a_list_that_is_copied_to_done_are_completed() -> None:
    copied = an_event(1, "list.copied", None, stage="done", card_ids=["c1", "c2"])

    assert list_ids(copied) == [("c1", "done"), ("c2", "done")]
    assert [completion.lead_seconds for completion in list_completions(copied)] == [0, 0]
    assert list_ids(an_event(1, "list.copied", None, stage="done")) == []


def test_a_card_that_a_transfer_completed_arrives_with_its_times() -> None:
    times = {"created_at": MADE, "started_at": STARTED}

    assert list_ids(an_event(1, "card.arrived", stage="done", **times)) == [("c1", "done")]
    assert list_ids(an_event(1, "card.arrived", stage="done")) == []


def test_a_card_that_departed_stays_completed_until_it_is_deleted_though_its_list_is_gone() -> None:
    departed, without_list = an_event(2, "card.departed"), an_event(3, "list.deleted", None)

    assert list_ids(DONE_AT_ONE, without_list) == []
    assert list_ids(DONE_AT_ONE, departed, without_list) == [("c1", "done")]
    assert list_ids(DONE_AT_ONE, departed, without_list, an_event(4, "list.restored", None)) == [("c1", "done")]
    assert list_ids(DONE_AT_ONE, departed, an_event(3, "card.deleted")) == []


def test_a_card_that_departed_and_came_back_goes_with_its_list_again() -> None:
    events = [
        an_event(2, "card.departed"),
        an_event(3, "card.arrived", stage="done"),
        an_event(4, "list.deleted", None),
    ]

    assert list_ids(DONE_AT_ONE, *events) == []


@pytest.mark.parametrize("event_type", ["card.unarchived", "card.restored"])
def test_a_card_that_comes_back_is_completed_as_its_event_says(event_type: str) -> None:
    deleted = an_event(2, "card.deleted")
    times = {"created_at": MADE, "started_at": STARTED}

    assert list_ids(DONE_AT_ONE, deleted) == []
    assert list_ids(DONE_AT_ONE, deleted, an_event(3, event_type, stage="done")) == [("c1", "done")]
    assert list_ids(DONE_AT_ONE, deleted, an_event(3, event_type, stage="todo")) == []
    (completion,) = list_completions(DONE_AT_ONE, deleted, an_event(3, event_type, stage="done", **times))
    assert completion.resolved_at == NOON + timedelta(hours=3)


def test_a_restored_list_brings_its_completions_back() -> None:
    events = [an_event(2, "list.deleted", None), an_event(3, "list.restored", None)]

    assert list_ids(DONE_AT_ONE, *events) == [("c1", "done")]


def test_a_bulk_move_tells_the_times_of_each_card_and_none_that_is_not_known() -> None:
    stages: dict[str, Any] = {"from_stage": "in_progress", "to_stage": "done", "card_ids": ["c1", "c2"]}
    times: dict[str, Any] = {"created_at": [MADE, MADE], "started_at": [STARTED, ""]}

    known = list_completions(an_event(1, "list.cards_moved", None, **stages, **times))
    unknown = list_completions(an_event(1, "list.cards_moved", None, **stages))

    assert [(completion.lead_seconds, completion.cycle_seconds) for completion in known] == [
        (10_800, 7_200),
        (10_800, None),
    ]
    assert [(completion.lead_seconds, completion.cycle_seconds) for completion in unknown] == [(None, None)] * 2


def test_completions_are_ordered_by_time_and_then_by_card() -> None:
    events = [a_move(2, "todo", "done", "c3"), a_move(1, "todo", "done", "c2"), a_move(1, "todo", "done", "c1")]

    assert list_ids(*events) == [("c1", "done"), ("c2", "done"), ("c3", "done")]
