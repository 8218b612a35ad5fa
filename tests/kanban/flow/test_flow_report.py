"""How work flows, checked against a slow and obvious retelling of the events."""

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
from kanban.values import Card, Event, Stage
from kanban.views import BoardView
from tests.kanban.fake_store import FakeStore
from tests.kanban.flow.reference_flow import replay_flow

T = TypeVar("T")


def range_of(first: str, last: str, tz: str = "UTC") -> DateRange:
    return DateRange(date.fromisoformat(first), date.fromisoformat(last), date_ranges.load_time_zone(tz))


def flow_of(desk: FakeStore, of: DateRange, events: Sequence[Event] | None = None) -> FlowReport:
    return flow_report.build_flow_report(desk.events if events is None else events, desk.view(), of.split(Bucket.DAY))


def counts(found: FlowReport, name: str) -> tuple[int, ...]:
    return next(each.card_counts for each in found.lists if each.name == name)


def new_card(desk: FakeStore, list_name: str = "To do") -> Card:
    card, change = cards.create(desk.view(), desk.context, title="Copy", list_id=desk.get_list(list_name).id)
    desk.apply(change)
    return card


def advance(desk: FakeStore, card: Card, *rules: Callable[..., tuple[Card, Any]], **later: float) -> None:
    for rule in rules:
        desk.advance_clock(**later)
        desk.apply(rule(desk.view(card.id), card.id, desk.context)[1])


WEEK = range_of("2026-11-20", "2026-11-26")


def test_a_board_without_cards_flows_not_at_all(desk: FakeStore) -> None:
    found = flow_of(desk, WEEK)

    assert found.completions == ()
    assert found.stages == dict.fromkeys(Stage, (0,) * 7)
    assert [(each.name, sum(each.card_counts)) for each in found.lists] == [("To do", 0), ("Doing", 0), ("Done", 0)]


def test_no_days_no_flow(desk: FakeStore) -> None:
    found = flow_of(desk, range_of("2026-11-20", "2026-11-19"))

    assert (found.completions, found.lists) == ((), ())
    assert found.stages == dict.fromkeys(Stage, ())


def test_lead_time_begins_with_the_card_and_cycle_time_with_its_first_start(desk: FakeStore) -> None:
    card = new_card(desk)

    advance(desk, card, cards.start, hours=2)
    advance(desk, card, cards.resolve, days=2)

    (finish,) = flow_of(desk, WEEK).completions
    assert (finish.lead_seconds, finish.cycle_seconds) == (50 * 3600, 48 * 3600)


def test_a_card_that_is_taken_up_again_counts_when_it_is_done_for_good(desk: FakeStore) -> None:
    card, open_again = new_card(desk), new_card(desk)

    for each in (card, open_again):
        advance(desk, each, cards.start, cards.resolve, cards.reopen, hours=1)
    advance(desk, card, cards.start, cards.resolve, days=1)

    (finish,) = flow_of(desk, WEEK).completions
    assert (finish.card_id, finish.resolved_at) == (card.id, desk.now)
    assert finish.cycle_seconds == int((desk.now - finish.started_at).total_seconds()) if finish.started_at else False
    assert finish.started_at == card.created_at + timedelta(hours=1)


def test_a_past_range_is_told_the_same_whatever_comes_later(desk: FakeStore) -> None:
    card, other = new_card(desk), new_card(desk)
    advance(desk, card, cards.start, cards.resolve, hours=1)
    first_day = range_of("2026-11-20", "2026-11-20")
    told = flow_of(desk, first_day)

    desk.advance_clock(days=2)
    advance(desk, card, cards.reopen, hours=1)
    desk.apply(cards.delete(desk.view(other.id), other.id, desk.context))
    desk.apply(lists.delete(desk.view(), desk.get_list("Doing").id, desk.context))

    again = flow_of(desk, first_day)
    assert (again.completions, again.stages) == (told.completions, told.stages)
    assert [each.card_counts for each in again.lists if any(each.card_counts)] == [(1,), (1,)]


def test_deleted_cards_never_were_and_restored_ones_are_again(desk: FakeStore) -> None:
    kept, gone = new_card(desk), new_card(desk)
    for card in (kept, gone):
        advance(desk, card, cards.start, cards.resolve, hours=1)
        desk.apply(cards.delete(desk.view(card.id), card.id, desk.context))
    desk.advance_clock(days=1)
    with_deleted = replace(desk.view(), cards={kept.id: desk.cards[kept.id]})

    desk.apply(archive.restore_card(with_deleted, kept.id, desk.context)[1])

    found = flow_of(desk, WEEK)
    assert [each.card_id for each in found.completions] == [kept.id]
    assert found.stages[Stage.DONE] == (0, 1, 1, 1, 1, 1, 1)


def test_finished_work_that_is_archived_stays_done_and_other_work_leaves_the_board(desk: FakeStore) -> None:
    done, todo = new_card(desk), new_card(desk)
    advance(desk, done, cards.start, cards.resolve, hours=1)
    desk.advance_clock(days=1)

    for card in (done, todo):
        desk.apply(archive.archive_card(desk.view(card.id), card.id, desk.context)[1])

    found = flow_of(desk, WEEK)
    assert found.stages[Stage.DONE] == (1,) * 7
    assert found.stages[Stage.TODO] == (1, 0, 0, 0, 0, 0, 0)
    assert len(found.completions) == 1
    desk.advance_clock(days=1)
    desk.apply(archive.unarchive_card(desk.view(done.id), done.id, desk.context)[1])
    assert flow_of(desk, WEEK).stages[Stage.DONE] == (1,) * 7
    assert flow_of(desk, range_of("2026-11-22", "2026-11-23")).stages[Stage.DONE] == (1, 1)


def test_a_deleted_list_takes_its_cards_along_and_is_named_while_it_was_there(desk: FakeStore) -> None:
    new_card(desk)
    new_card(desk)
    desk.advance_clock(days=1)
    todo = desk.get_list("To do")
    desk.apply(lists.delete(desk.view(), todo.id, desk.context))

    found = flow_of(desk, WEEK)

    assert counts(found, "To do") == (2, 0, 0, 0, 0, 0, 0)
    assert [each.name for each in found.lists] == ["Doing", "Done", "To do"]


def test_days_without_events_are_like_the_day_before(desk: FakeStore) -> None:
    new_card(desk)
    desk.advance_clock(days=4)
    new_card(desk)

    assert flow_of(desk, WEEK).stages[Stage.TODO] == (1, 1, 1, 1, 2, 2, 2)


def test_a_day_ends_when_it_does_where_the_caller_is(desk: FakeStore) -> None:
    desk.now = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    new_card(desk)

    assert flow_of(desk, range_of("2026-11-20", "2026-11-21")).stages[Stage.TODO] == (1, 1)
    assert flow_of(desk, range_of("2026-11-20", "2026-11-21", "Europe/Berlin")).stages[Stage.TODO] == (0, 1)
    assert flow_of(desk, range_of("2026-11-20", "2026-11-21", "America/Lima")).stages[Stage.TODO] == (1, 1)


def test_throughput_knows_every_period(desk: FakeStore) -> None:
    card = new_card(desk)
    desk.advance_clock(days=3)
    advance(desk, card, cards.start, cards.resolve, hours=1)

    finishes = flow_of(desk, WEEK).completions

    daily = flow_report.count_throughput(finishes, WEEK.split(Bucket.DAY))
    weekly = flow_report.count_throughput(finishes, WEEK.split(Bucket.WEEK))
    assert [done for _, done in daily] == [0, 0, 0, 1, 0, 0, 0]
    assert [(each.first_day.isoformat(), done) for each, done in weekly] == [("2026-11-20", 0), ("2026-11-23", 1)]


def test_what_is_not_known_changes_nothing(desk: FakeStore) -> None:
    new_card(desk)
    told = flow_of(desk, WEEK)
    strange = Event(desk.board.id, 2, "card.teleported", desk.now, "usr_ann", "list_9", "card_9", {"stage": "limbo"})

    assert flow_of(desk, WEEK, [*desk.events[:1], strange, *desk.events[1:]]) == told


def event(desk: FakeStore, kind: str, list_id: str, card_id: str | None = None, **data: Any) -> Event:
    return Event(desk.board.id, 2, kind, desk.now, "usr_ann", list_id, card_id, data)


def test_an_event_without_a_stage_counts_on_the_stage_that_its_list_has_now(desk: FakeStore) -> None:
    todo, done = desk.get_list("To do").id, desk.get_list("Done").id
    for name, held in (("To do", 1), ("Done", 2)):
        desk.change_list(name, card_count=held)
    old_events = [
        event(desk, "card.created", todo, "c1"),
        event(desk, "card.created", todo, "c2"),
        event(desk, "card.moved", done, "c2", from_list_id=todo),
        event(desk, "list.restored", done, card_count=1),
        event(desk, "card.created", "list_gone", "c4"),
    ]
    desk.board = replace(desk.board, seq=2)

    shown = flow_of(desk, range_of("2026-11-19", "2026-11-20"), old_events)

    assert shown.stages == {Stage.TODO: (0, 1), Stage.IN_PROGRESS: (0, 0), Stage.DONE: (0, 2)}


def test_cards_that_come_in_other_ways_count_as_well(desk: FakeStore) -> None:
    todo, doing, done = (desk.get_list(name).id for name in ("To do", "Doing", "Done"))
    for name, held in (("To do", 4), ("Doing", 1), ("Done", 3)):
        desk.change_list(name, card_count=held)
    born, begun = "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z"
    told = [
        event(desk, "list.copied", todo, card_count=5, stage="todo"),
        event(desk, "card.copied", todo, "c1", stage="todo"),
        event(desk, "checklist_item.converted", done, "c1", new_card_id="c2", stage="done"),
        event(desk, "card.arrived", done, "c3", stage="done"),
        event(desk, "card.arrived", doing, "c4", stage="in_progress"),
        event(desk, "card.departed", todo, "c1", stage="todo"),
        event(
            desk,
            "list.cards_moved",
            done,
            from_list_id=todo,
            from_stage="todo",
            to_stage="done",
            card_ids=["c5"],
            created_at=[born],
            started_at=[begun],
        ),
    ]
    desk.board = replace(desk.board, seq=2)

    found = flow_of(desk, range_of("2026-11-19", "2026-11-20"), told)

    assert found.stages == {
        Stage.TODO: (0, 4),
        Stage.IN_PROGRESS: (0, 1),
        Stage.DONE: (0, 3),
    }
    assert [(each.card_id, each.lead_seconds, each.cycle_seconds) for each in found.completions] == [
        ("c2", 0, None),
        ("c5", 7200, 3600),
    ]


@pytest.mark.parametrize(
    ("percent", "found"), [(1, 15), (5, 15), (30, 20), (40, 20), (50, 35), (85, 50), (95, 50), (100, 50)]
)
def test_a_percentile_is_one_of_the_values(percent: int, found: int) -> None:
    assert get_percentile([15, 20, 35, 40, 50], percent) == found


def test_of_nothing_there_is_no_percentile() -> None:
    assert get_percentile([], 50) is None


@given(st.lists(st.integers(0, 100), min_size=1), st.integers(1, 100))
def test_at_least_so_many_are_not_above_a_percentile_and_of_any_smaller_value_fewer(
    values: list[int], percent: int
) -> None:
    found = get_percentile(sorted(values), percent)

    assert found in values
    assert sum(each <= found for each in values) * 100 >= percent * len(values)
    assert all(sum(each <= less for each in values) * 100 < percent * len(values) for less in values if less < found)


def do(desk: FakeStore, wish: str, which: int, where: int) -> None:
    """Do something to some card or list, if there is one."""
    (do_to_list if "list" in wish else do_to_card)(desk, wish, which, where)


def do_to_card(desk: FakeStore, wish: str, which: int, where: int) -> None:
    view = desk.view(*desk.cards)
    live = {each.id for each in view.lists}
    dead = [each for each in desk.cards.values() if each.deleted_at and each.list_id in live]
    place, card, gone = pick(view.lists, where), pick([*view.cards.values()], which), pick(dead, which)
    match wish:
        case "add" if place:
            desk.apply(cards.create(view, desk.context, title="Copy", list_id=place.id)[1])
        case "move" if card and place:
            desk.apply(cards.move(view, card.id, desk.context, list_id=place.id)[1])
        case "archive" if card:
            desk.apply(archive.archive_card(view, card.id, desk.context)[1])
        case "unarchive" if card:
            desk.apply(archive.unarchive_card(view, card.id, desk.context)[1])
        case "delete" if card:
            desk.apply(cards.delete(view, card.id, desk.context))
        case "restore" if gone:
            desk.apply(archive.restore_card(replace(view, cards={gone.id: gone}), gone.id, desk.context)[1])


def do_to_list(desk: FakeStore, wish: str, which: int, where: int) -> None:
    view = desk.view(*desk.cards)
    dead = [each for each in desk.lists.values() if each.deleted_at]
    place, gone = pick(view.lists, where), pick(dead, which)
    match wish:
        case "archive_list" if place:
            desk.apply(archive.archive_list(view, place.id, desk.context, ())[1])
        case "unarchive_list" if place:
            desk.apply(archive.unarchive_list(view, place.id, desk.context)[1])
        case "delete_list" if place:
            desk.apply(lists.delete(view, place.id, desk.context, ()))
        case "restore_list" if gone:
            with_gone = replace(view, lists=(*view.lists, *dead))
            desk.apply(archive.restore_list(with_gone, gone.id, desk.context)[1])


def pick(things: Sequence[T], which: int) -> T | None:
    return things[which % len(things)] if things else None


OFTEN = ["add", "add", "move", "move", "move", "move", "archive", "unarchive", "delete", "restore"]
SELDOM = ["archive_list", "unarchive_list", "delete_list", "restore_list"]
STEP = st.tuples(
    st.sampled_from(OFTEN + SELDOM), st.integers(0, 5), st.integers(0, 4), st.sampled_from([0, 1, 2, 5, 13])
)
STEPS = st.lists(STEP, min_size=30, max_size=80)


@given(STEPS, st.sampled_from(["UTC", "Europe/Berlin", "America/Lima"]), st.integers(0, 5), st.integers(0, 9))
@settings(max_examples=300, deadline=None)
def test_any_history_is_told_as_if_it_were_told_again(
    steps: list[tuple[str, int, int, int]], tz: str, skipped: int, length: int
) -> None:
    desk = FakeStore(
        lists=[
            {"name": name, "stage": stage}
            for name, stage in (("A", "todo"), ("B", "in_progress"), ("C", "in_progress"), ("D", "done"), ("E", "done"))
        ]
    )
    # Clocks in Berlin go back in the second night.
    desk.now = datetime(2026, 10, 24, 6, 0, tzinfo=UTC)
    for wish, which, where, hours in steps:
        desk.advance_clock(hours=hours)
        with suppress(DomainError):
            do(desk, wish, which, where)
    first = date(2026, 10, 24) + timedelta(days=skipped)
    wished = DateRange(first, first + timedelta(days=length), date_ranges.load_time_zone(tz))
    wished = wished.clip(wished.first_day, wished.get_local_day(desk.now))

    found = flow_of(desk, wished)
    since = (
        next((each.seq for each in desk.events if each.at >= wished.start), 0)
        if wished.first_day <= wished.last_day
        else 0
    )
    later = flow_of(desk, wished, [each for each in desk.events if each.seq >= since])

    held, finishes = replay_flow(desk.events, wished)
    assert later == found
    assert [
        (each.resolved_at, each.card_id, each.list_id, each.created_at, each.started_at) for each in found.completions
    ] == finishes
    for stage in Stage:
        assert found.stages[stage] == tuple(sum(n for (_, of), n in day.items() if of == stage) for day in held)
    for each in found.lists:
        assert each.card_counts == tuple(sum(n for (of, _), n in day.items() if of == each.list_id) for day in held)
    assert {each.list_id for each in found.lists if any(each.card_counts)} == {of for day in held for of, _ in day}


def test_the_view_is_as_of_its_seq(desk: FakeStore) -> None:
    new_card(desk)
    seen: BoardView = desk.view()
    new_card(desk)

    found = flow_report.build_flow_report(desk.events, seen, WEEK.split(Bucket.DAY))

    assert found.stages[Stage.TODO] == (1,) * 7
