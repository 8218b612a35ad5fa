"""The flow report, checked against a slow and simple reference model."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanban import archive, cards, lists
from kanban.errors import DomainError
from kanban.flow import flow_report
from kanban.flow.completions import get_percentile
from kanban.flow.flow_report import FlowReport
from kanban.timekeeping import date_ranges
from kanban.timekeeping.date_ranges import Bucket, DateRange
from kanban.values import Card, Event, NewCard, NewList, Stage
from kanban.views import BoardView
from tests.kanban.fake_store import FakeStore
from tests.kanban.flow.reference_flow import replay_flow

T = TypeVar("T")


def build_range(first: str, last: str, tz: str = "UTC") -> DateRange:
    return DateRange(date.fromisoformat(first), date.fromisoformat(last), date_ranges.load_time_zone(tz))


def build_report(store: FakeStore, date_range: DateRange, events: Sequence[Event] | None = None) -> FlowReport:
    return flow_report.build_flow_report(
        store.events if events is None else events, store.view(), date_range.split(Bucket.DAY)
    )


def get_counts(report: FlowReport, name: str) -> tuple[int, ...]:
    return next(list_.card_counts for list_ in report.lists if list_.name == name)


def create_card(store: FakeStore, list_name: str = "To do") -> Card:
    card, change = cards.create(
        store.view(), store.context, NewCard(title="Copy", list_id=store.get_list(list_name).id)
    )
    store.apply(change)
    return card


def advance(store: FakeStore, card: Card, *rules: Callable[..., tuple[Card, Any]], **later: float) -> None:
    for rule in rules:
        store.advance_clock(**later)
        store.apply(rule(store.view(card.id), card.id, store.context)[1])


WEEK = build_range("2026-11-20", "2026-11-26")


def test_a_board_without_cards_has_an_empty_report(store: FakeStore) -> None:
    report = build_report(store, WEEK)

    assert report.completions == ()
    assert report.stages == dict.fromkeys(Stage, (0,) * 7)
    assert [(list_.name, sum(list_.card_counts)) for list_ in report.lists] == [("To do", 0), ("Doing", 0), ("Done", 0)]


def test_an_empty_range_has_an_empty_report(store: FakeStore) -> None:
    report = build_report(store, build_range("2026-11-20", "2026-11-19"))

    assert (report.completions, report.lists) == ((), ())
    assert report.stages == dict.fromkeys(Stage, ())


def test_lead_time_starts_at_creation_and_cycle_time_at_the_first_start(store: FakeStore) -> None:
    card = create_card(store)

    advance(store, card, cards.start, hours=2)
    advance(store, card, cards.resolve, days=2)

    (completion,) = build_report(store, WEEK).completions
    assert (completion.lead_seconds, completion.cycle_seconds) == (50 * 3600, 48 * 3600)


def test_a_reopened_card_counts_at_its_last_completion(store: FakeStore) -> None:
    card, reopened = create_card(store), create_card(store)

    for worked in (card, reopened):
        advance(store, worked, cards.start, cards.resolve, cards.reopen, hours=1)
    advance(store, card, cards.start, cards.resolve, days=1)

    (completion,) = build_report(store, WEEK).completions
    assert (completion.card_id, completion.resolved_at) == (card.id, store.now)
    assert completion.started_at == card.created_at + timedelta(hours=1)
    assert completion.cycle_seconds == int((store.now - card.created_at - timedelta(hours=1)).total_seconds())


def test_later_events_do_not_change_the_report_of_a_past_range(store: FakeStore) -> None:
    card, other = create_card(store), create_card(store)
    advance(store, card, cards.start, cards.resolve, hours=1)
    first_day = build_range("2026-11-20", "2026-11-20")
    report = build_report(store, first_day)

    store.advance_clock(days=2)
    advance(store, card, cards.reopen, hours=1)
    store.apply(cards.delete(store.view(other.id), other.id, store.context))
    store.apply(lists.delete(store.view(), store.get_list("Doing").id, store.context))

    later_report = build_report(store, first_day)
    assert (later_report.completions, later_report.stages) == (report.completions, report.stages)
    assert [list_.card_counts for list_ in later_report.lists if any(list_.card_counts)] == [(1,), (1,)]


def test_deleted_cards_do_not_count_and_restored_ones_count_again(store: FakeStore) -> None:
    restored, deleted = create_card(store), create_card(store)
    for card in (restored, deleted):
        advance(store, card, cards.start, cards.resolve, hours=1)
        store.apply(cards.delete(store.view(card.id), card.id, store.context))
    store.advance_clock(days=1)
    with_deleted = replace(store.view(), cards={restored.id: store.cards[restored.id]})

    store.apply(archive.restore_card(with_deleted, restored.id, store.context)[1])

    report = build_report(store, WEEK)
    assert [completion.card_id for completion in report.completions] == [restored.id]
    assert report.stages[Stage.DONE] == (0, 1, 1, 1, 1, 1, 1)


def test_archived_cards_still_count_as_done_but_not_on_other_stages(store: FakeStore) -> None:
    done, todo = create_card(store), create_card(store)
    advance(store, done, cards.start, cards.resolve, hours=1)
    store.advance_clock(days=1)

    for card in (done, todo):
        store.apply(archive.archive_card(store.view(card.id), card.id, store.context)[1])

    report = build_report(store, WEEK)
    assert report.stages[Stage.DONE] == (1,) * 7
    assert report.stages[Stage.TODO] == (1, 0, 0, 0, 0, 0, 0)
    assert len(report.completions) == 1
    store.advance_clock(days=1)
    store.apply(archive.unarchive_card(store.view(done.id), done.id, store.context)[1])
    assert build_report(store, WEEK).stages[Stage.DONE] == (1,) * 7
    assert build_report(store, build_range("2026-11-22", "2026-11-23")).stages[Stage.DONE] == (1, 1)


def test_a_deleted_list_is_reported_by_name_until_the_day_of_its_deletion(store: FakeStore) -> None:
    create_card(store)
    create_card(store)
    store.advance_clock(days=1)
    todo = store.get_list("To do")
    store.apply(lists.delete(store.view(), todo.id, store.context))

    report = build_report(store, WEEK)

    assert get_counts(report, "To do") == (2, 0, 0, 0, 0, 0, 0)
    assert [list_.name for list_ in report.lists] == ["Doing", "Done", "To do"]


def test_a_day_without_events_has_the_counts_of_the_day_before(store: FakeStore) -> None:
    create_card(store)
    store.advance_clock(days=4)
    create_card(store)

    assert build_report(store, WEEK).stages[Stage.TODO] == (1, 1, 1, 1, 2, 2, 2)


def test_a_day_ends_at_midnight_in_the_callers_time_zone(store: FakeStore) -> None:
    store.now = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    create_card(store)

    assert build_report(store, build_range("2026-11-20", "2026-11-21")).stages[Stage.TODO] == (1, 1)
    assert build_report(store, build_range("2026-11-20", "2026-11-21", "Europe/Berlin")).stages[Stage.TODO] == (0, 1)
    assert build_report(store, build_range("2026-11-20", "2026-11-21", "America/Lima")).stages[Stage.TODO] == (1, 1)


def test_throughput_has_a_count_for_every_period(store: FakeStore) -> None:
    card = create_card(store)
    store.advance_clock(days=3)
    advance(store, card, cards.start, cards.resolve, hours=1)

    completions = build_report(store, WEEK).completions

    daily = flow_report.count_throughput(completions, WEEK.split(Bucket.DAY))
    weekly = flow_report.count_throughput(completions, WEEK.split(Bucket.WEEK))
    assert [count for _, count in daily] == [0, 0, 0, 1, 0, 0, 0]
    assert [(period.first_day.isoformat(), count) for period, count in weekly] == [("2026-11-20", 0), ("2026-11-23", 1)]


def test_unknown_events_change_nothing(store: FakeStore) -> None:
    create_card(store)
    report = build_report(store, WEEK)
    unknown = Event(store.board.id, 2, "card.teleported", store.now, "usr_ann", "list_9", "card_9", {"stage": "limbo"})

    assert build_report(store, WEEK, [*store.events[:1], unknown, *store.events[1:]]) == report


def build_event(store: FakeStore, event_type: str, list_id: str, card_id: str | None = None, **data: Any) -> Event:
    return Event(store.board.id, 2, event_type, store.now, "usr_ann", list_id, card_id, data)


def test_an_event_without_a_stage_counts_on_the_present_stage_of_its_list(store: FakeStore) -> None:
    todo, done = store.get_list("To do").id, store.get_list("Done").id
    for name, card_count in (("To do", 1), ("Done", 2)):
        store.change_list(name, card_count=card_count)
    old_events = [
        build_event(store, "card.created", todo, "c1"),
        build_event(store, "card.created", todo, "c2"),
        build_event(store, "card.moved", done, "c2", from_list_id=todo),
        build_event(store, "list.restored", done, card_count=1),
        build_event(store, "card.created", "list_gone", "c4"),
    ]
    store.board = replace(store.board, seq=2)

    report = build_report(store, build_range("2026-11-19", "2026-11-20"), old_events)

    assert report.stages == {Stage.TODO: (0, 1), Stage.IN_PROGRESS: (0, 0), Stage.DONE: (0, 2)}


def test_copied_converted_and_transferred_cards_count(store: FakeStore) -> None:
    todo, doing, done = (store.get_list(name).id for name in ("To do", "Doing", "Done"))
    for name, card_count in (("To do", 4), ("Doing", 1), ("Done", 3)):
        store.change_list(name, card_count=card_count)
    created_at, started_at = "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z"
    events = [
        build_event(store, "list.copied", todo, card_count=5, stage=Stage.TODO),
        build_event(store, "card.copied", todo, "c1", stage=Stage.TODO),
        build_event(store, "checklist_item.converted", done, "c1", new_card_id="c2", stage=Stage.DONE),
        build_event(store, "card.arrived", done, "c3", stage=Stage.DONE),
        build_event(store, "card.arrived", doing, "c4", stage=Stage.IN_PROGRESS),
        build_event(store, "card.departed", todo, "c1", stage=Stage.TODO),
        build_event(
            store,
            "list.cards_moved",
            done,
            from_list_id=todo,
            from_stage="todo",
            to_stage="done",
            card_ids=["c5"],
            created_at=[created_at],
            started_at=[started_at],
        ),
    ]
    store.board = replace(store.board, seq=2)

    report = build_report(store, build_range("2026-11-19", "2026-11-20"), events)

    assert report.stages == {
        Stage.TODO: (0, 4),
        Stage.IN_PROGRESS: (0, 1),
        Stage.DONE: (0, 3),
    }
    assert [
        (completion.card_id, completion.lead_seconds, completion.cycle_seconds) for completion in report.completions
    ] == [
        ("c2", 0, None),
        ("c5", 7200, 3600),
    ]


@pytest.mark.parametrize(
    ("percent", "value"), [(1, 15), (5, 15), (30, 20), (40, 20), (50, 35), (85, 50), (95, 50), (100, 50)]
)
def test_a_percentile_is_one_of_the_values(percent: int, value: int) -> None:
    assert get_percentile([15, 20, 35, 40, 50], percent) == value


def test_no_values_have_no_percentile() -> None:
    assert get_percentile([], 50) is None


@given(st.lists(st.integers(0, 100), min_size=1), st.integers(1, 100))
def test_a_percentile_is_the_smallest_value_that_enough_values_do_not_exceed(values: list[int], percent: int) -> None:
    percentile = get_percentile(sorted(values), percent)

    assert percentile in values
    assert sum(value <= percentile for value in values) * 100 >= percent * len(values)
    assert all(
        sum(value <= less for value in values) * 100 < percent * len(values) for less in values if less < percentile
    )


def act_at_random(store: FakeStore, action: str, card_index: int, list_index: int) -> None:
    """Act on some card or list, if there is one."""
    (act_on_list if "list" in action else act_on_card)(store, action, card_index, list_index)


def act_on_card(store: FakeStore, action: str, card_index: int, list_index: int) -> None:
    view = store.view(*store.cards)
    live = {list_.id for list_ in view.lists}
    all_deleted = [card for card in store.cards.values() if card.deleted_at and card.list_id in live]
    list_, card, deleted = (
        pick(view.lists, list_index),
        pick([*view.cards.values()], card_index),
        pick(all_deleted, card_index),
    )
    match action:
        case "add" if list_:
            store.apply(cards.create(view, store.context, NewCard(title="Copy", list_id=list_.id))[1])
        case "move" if card and list_:
            store.apply(cards.move(view, card.id, store.context, list_id=list_.id)[1])
        case "archive" if card:
            store.apply(archive.archive_card(view, card.id, store.context)[1])
        case "unarchive" if card:
            store.apply(archive.unarchive_card(view, card.id, store.context)[1])
        case "delete" if card:
            store.apply(cards.delete(view, card.id, store.context))
        case "restore" if deleted:
            store.apply(archive.restore_card(replace(view, cards={deleted.id: deleted}), deleted.id, store.context)[1])


def act_on_list(store: FakeStore, action: str, card_index: int, list_index: int) -> None:
    view = store.view(*store.cards)
    all_deleted = [list_ for list_ in store.lists.values() if list_.deleted_at]
    list_, deleted = pick(view.lists, list_index), pick(all_deleted, card_index)
    match action:
        case "archive_list" if list_:
            store.apply(archive.archive_list(view, list_.id, store.context, ())[1])
        case "unarchive_list" if list_:
            store.apply(archive.unarchive_list(view, list_.id, store.context)[1])
        case "delete_list" if list_:
            store.apply(lists.delete(view, list_.id, store.context, ()))
        case "restore_list" if deleted:
            with_deleted = replace(view, lists=(*view.lists, *all_deleted))
            store.apply(archive.restore_list(with_deleted, deleted.id, store.context)[1])


def pick(things: Sequence[T], index: int) -> T | None:
    return things[index % len(things)] if things else None


FREQUENT_ACTIONS = ["add", "add", "move", "move", "move", "move", "archive", "unarchive", "delete", "restore"]
RARE_ACTIONS = ["archive_list", "unarchive_list", "delete_list", "restore_list"]
STEP = st.tuples(
    st.sampled_from(FREQUENT_ACTIONS + RARE_ACTIONS),
    st.integers(0, 5),
    st.integers(0, 4),
    st.sampled_from([0, 1, 2, 5, 13]),
)
STEPS = st.lists(STEP, min_size=30, max_size=80)


@given(STEPS, st.sampled_from(["UTC", "Europe/Berlin", "America/Lima"]), st.integers(0, 5), st.integers(0, 9))
@settings(max_examples=300, deadline=None)
def test_the_report_of_any_history_equals_that_of_the_reference_model(
    steps: list[tuple[str, int, int, int]], tz: str, skipped: int, length: int
) -> None:
    store = FakeStore(
        lists=[
            NewList(name, Stage(stage))
            for name, stage in (("A", "todo"), ("B", "in_progress"), ("C", "in_progress"), ("D", "done"), ("E", "done"))
        ]
    )
    # Clocks in Berlin go back on 2026-10-25.
    store.now = datetime(2026, 10, 24, 6, 0, tzinfo=UTC)
    for action, card_index, list_index, hours in steps:
        store.advance_clock(hours=hours)
        with suppress(DomainError):
            act_at_random(store, action, card_index, list_index)
    first = date(2026, 10, 24) + timedelta(days=skipped)
    date_range = DateRange(first, first + timedelta(days=length), date_ranges.load_time_zone(tz))
    date_range = date_range.clip(date_range.first_day, date_range.get_local_day(store.now))

    report = build_report(store, date_range)
    since = (
        next((event.seq for event in store.events if event.at >= date_range.start), 0)
        if date_range.first_day <= date_range.last_day
        else 0
    )
    from_range_only = build_report(store, date_range, [event for event in store.events if event.seq >= since])

    counts_per_day, completions = replay_flow(store.events, date_range)
    assert from_range_only == report
    assert [
        (completion.resolved_at, completion.card_id, completion.list_id, completion.created_at, completion.started_at)
        for completion in report.completions
    ] == completions
    for stage in Stage:
        assert report.stages[stage] == tuple(
            sum(count for (_, counted), count in counts.items() if counted == stage) for counts in counts_per_day
        )
    for list_ in report.lists:
        assert list_.card_counts == tuple(
            sum(count for (counted, _), count in counts.items() if counted == list_.list_id)
            for counts in counts_per_day
        )
    assert {list_.list_id for list_ in report.lists if any(list_.card_counts)} == {
        list_id for counts in counts_per_day for list_id, _ in counts
    }


def test_events_newer_than_the_view_are_ignored(store: FakeStore) -> None:
    create_card(store)
    view: BoardView = store.view()
    create_card(store)

    report = flow_report.build_flow_report(store.events, view, WEEK.split(Bucket.DAY))

    assert report.stages[Stage.TODO] == (1,) * 7


def test_an_event_that_does_not_count_its_cards_changes_no_count(store: FakeStore) -> None:
    create_card(store)
    store.advance_clock(days=1)
    copied = Event(
        board_id=store.board.id,
        seq=len(store.events) + 1,
        type="list.copied",
        at=store.now,
        actor_id="usr_ann",
        list_id=store.get_list("To do").id,
        data={"stage": "todo"},
    )

    store.board = replace(store.board, seq=copied.seq)
    report = build_report(store, build_range("2026-11-20", "2026-11-21"), [*store.events, copied])

    assert get_counts(report, "To do") == (1, 1)
