"""Time entries by hand, and the sums that they change."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from operator import mul
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanban import cards, members
from kanban.errors import DomainError, EndsBeforeStart, NotFound, UnknownReference
from kanban.timekeeping import card_clock, time_entries
from kanban.timekeeping.time_entries import (
    MAX_DURATION,
    MAX_MANUAL_TIME_ENTRIES,
    InFuture,
    TimeEntryOverlaps,
    TimeEntryRunning,
    TimeEntryTooLong,
    TooManyTimeEntries,
)
from kanban.values import Card, Role, TimeEntry
from tests.kanban.fake_store import NOON, FakeStore

HOUR = timedelta(hours=1)


def new_card(desk: FakeStore, **wishes: Any) -> Card:
    card, change = cards.create(desk.view(), desk.context, title="Write the copy", **wishes)
    desk.apply(change)
    return card


def started_card(desk: FakeStore) -> Card:
    card = new_card(desk)
    card, change = cards.start(desk.view(card.id), card.id, desk.context)
    desk.apply(change)
    return card


def entries_of(desk: FakeStore, card: Card) -> list[TimeEntry]:
    return [each for each in desk.entries.values() if each.card_id == card.id]


def add(desk: FakeStore, card: Card, start: datetime, end: datetime, **wishes: Any) -> TimeEntry:
    entry, change = time_entries.create(
        desk.view(card.id),
        card.id,
        desk.context,
        entries=entries_of(desk, card),
        started_at=start,
        ended_at=end,
        **wishes,
    )
    desk.apply(change)
    return entry


def revise(desk: FakeStore, card: Card, entry: TimeEntry, **patch: Any) -> TimeEntry:
    view = desk.view(card.id)
    new, change = time_entries.update(view, card.id, entry.id, patch, desk.context, entries=entries_of(desk, card))
    desk.apply(change)
    return new


def delete(desk: FakeStore, card: Card, entry: TimeEntry) -> None:
    desk.apply(time_entries.delete(desk.view(card.id), card.id, entry, desk.context))


def test_an_hour_by_hand_counts_like_an_hour_of_the_clock(desk: FakeStore) -> None:
    card = new_card(desk)

    entry = add(desk, card, NOON - 2 * HOUR, NOON - HOUR, note="On paper")

    kept = desk.cards[card.id]
    assert (entry.user_id, entry.rate_minor, entry.note) == ("usr_ann", 1000, "On paper")
    assert (kept.tracked_seconds, card_clock.compute_cost_minor(kept, NOON), kept.version) == (3600, 1000, 2)
    assert desk.events[-1].type == "time_entry.created"
    assert desk.events[-1].data == {
        "time_entry_id": entry.id,
        "user_id": "usr_ann",
        "started_at": "2026-11-20T10:00:00Z",
        "ended_at": "2026-11-20T11:00:00Z",
        "hourly_rate_minor": 1000,
    }


def test_the_rate_is_the_one_that_was_sent_else_the_cards_else_the_boards(desk: FakeStore) -> None:
    plain, dear = new_card(desk), new_card(desk, hourly_rate_minor=2000)

    rates = [
        add(desk, plain, NOON - HOUR, NOON).rate_minor,
        add(desk, dear, NOON - HOUR, NOON).rate_minor,
        add(desk, dear, NOON - 2 * HOUR, NOON - HOUR, hourly_rate_minor=0).rate_minor,
    ]

    assert rates == [1000, 2000, 0]


def test_work_can_be_written_down_for_another_member_and_for_nobody_else(desk: FakeStore) -> None:
    card = new_card(desk)
    desk.apply(members.put(desk.view(), "usr_bob", Role.VIEWER, desk.context)[1])

    entry = add(desk, card, NOON - HOUR, NOON, user_id="usr_bob")

    assert entry.user_id == "usr_bob"
    with pytest.raises(UnknownReference, match="no member"):
        add(desk, card, NOON - HOUR, NOON, user_id="usr_eve")


@pytest.mark.parametrize(
    ("start", "end", "error", "field"),
    [
        (NOON, NOON - HOUR, EndsBeforeStart, "ended_at"),
        (NOON - HOUR, NOON + timedelta(seconds=1), InFuture, "ended_at"),
        (NOON + HOUR, NOON + 2 * HOUR, InFuture, "started_at"),
        (NOON - MAX_DURATION - timedelta(seconds=1), NOON, TimeEntryTooLong, "started_at"),
    ],
)
def test_times_that_cannot_be_are_refused(
    desk: FakeStore, start: datetime, end: datetime, error: type[DomainError], field: str
) -> None:
    card = new_card(desk)

    with pytest.raises(error) as refused:
        add(desk, card, start, end)

    assert getattr(refused.value, "field", None) == field


@pytest.mark.parametrize(("start", "end"), [(-3, -1), (-4, -2), (-3, -2), (-5, 0)])
def test_entries_of_one_person_on_one_card_do_not_overlap(desk: FakeStore, start: int, end: int) -> None:
    card = new_card(desk)
    add(desk, card, NOON - 3 * HOUR, NOON - 2 * HOUR)

    with pytest.raises(TimeEntryOverlaps, match="2026-11-20T09:00:00Z and ends at 2026-11-20T10:00:00Z"):
        add(desk, card, NOON + start * HOUR, NOON + end * HOUR)


def test_what_touches_does_not_overlap_nor_does_another_persons_or_cards_time(desk: FakeStore) -> None:
    card, other = new_card(desk), new_card(desk)
    desk.apply(members.put(desk.view(), "usr_bob", Role.EDITOR, desk.context)[1])
    add(desk, card, NOON - 3 * HOUR, NOON - 2 * HOUR)

    add(desk, card, NOON - 2 * HOUR, NOON - HOUR)
    add(desk, card, NOON - 4 * HOUR, NOON - 3 * HOUR)
    add(desk, card, NOON - 3 * HOUR, NOON - 2 * HOUR, user_id="usr_bob")
    add(desk, other, NOON - 3 * HOUR, NOON - 2 * HOUR)

    assert desk.cards[card.id].tracked_seconds == 4 * 3600


def test_a_running_clock_is_in_the_way_from_its_start_on(desk: FakeStore) -> None:
    card = started_card(desk)
    desk.advance_clock(hours=2)

    with pytest.raises(TimeEntryOverlaps, match="still runs"):
        add(desk, card, NOON - HOUR, NOON + HOUR)

    add(desk, card, NOON - HOUR, NOON)
    assert card_clock.count_elapsed_seconds(desk.cards[card.id], desk.now) == 3 * 3600


def test_a_correction_moves_the_sums_by_the_difference(desk: FakeStore) -> None:
    card = new_card(desk)
    add(desk, card, NOON - 5 * HOUR, NOON - 4 * HOUR)
    entry = add(desk, card, NOON - 2 * HOUR, NOON)

    entry = revise(desk, card, entry, ended_at=NOON - HOUR, hourly_rate_minor=500)

    kept = desk.cards[card.id]
    assert (entry.version, kept.tracked_seconds, card_clock.compute_cost_minor(kept, NOON)) == (2, 7200, 1500)
    assert desk.events[-1].data == {"time_entry_id": entry.id, "changed": ["ended_at", "hourly_rate_minor"]}


def test_a_note_changes_no_sum_and_not_the_card(desk: FakeStore) -> None:
    card = new_card(desk)
    entry = add(desk, card, NOON - HOUR, NOON, note="On paper")
    before = desk.cards[card.id]

    entry = revise(desk, card, entry, note=None)

    assert entry.note == ""
    assert desk.cards[card.id] == before


def test_a_correction_that_changes_nothing_leaves_no_event(desk: FakeStore) -> None:
    card = new_card(desk)
    entry = add(desk, card, NOON - HOUR, NOON)
    events = len(desk.events)

    same = revise(desk, card, entry, note="", started_at=NOON - HOUR, user_id="usr_ann")

    assert same == entry
    assert len(desk.events) == events


def test_a_correction_may_cover_its_own_time_but_not_anothers(desk: FakeStore) -> None:
    card = new_card(desk)
    add(desk, card, NOON - 4 * HOUR, NOON - 3 * HOUR)
    entry = add(desk, card, NOON - 2 * HOUR, NOON - HOUR)

    revise(desk, card, entry, started_at=NOON - 3 * HOUR, ended_at=NOON)

    with pytest.raises(TimeEntryOverlaps):
        revise(desk, card, entry, started_at=NOON - 3 * HOUR - timedelta(seconds=1))


def test_a_running_entry_can_begin_earlier_and_goes_on(desk: FakeStore) -> None:
    card = started_card(desk)
    running = desk.cards[card.id].running
    assert running

    entry = revise(desk, card, running, started_at=NOON - HOUR)

    desk.advance_clock(hours=1)
    kept = desk.cards[card.id]
    assert kept.running == entry
    assert card_clock.count_elapsed_seconds(kept, desk.now) == 7200
    with pytest.raises(InFuture):
        revise(desk, card, running, started_at=desk.now + HOUR)
    with pytest.raises(TimeEntryRunning, match="'Write the copy'"):
        revise(desk, card, running, ended_at=desk.now)


def test_deleting_a_running_entry_stops_the_clock_without_counting(desk: FakeStore) -> None:
    card = started_card(desk)
    running = desk.cards[card.id].running
    assert running
    desk.advance_clock(hours=3)

    delete(desk, card, running)

    kept = desk.cards[card.id]
    assert (kept.running, card_clock.count_elapsed_seconds(kept, desk.now)) == (None, 0)
    assert desk.events[-1].data["ended_at"] is None
    desk.apply(cards.resolve(desk.view(card.id), card.id, desk.context)[1])
    assert desk.cards[card.id].tracked_seconds == 0


def test_an_entry_that_is_not_the_cards_is_not_found(desk: FakeStore) -> None:
    card, other = new_card(desk), new_card(desk)
    entry = add(desk, other, NOON - HOUR, NOON)

    with pytest.raises(NotFound) as refused:
        revise(desk, card, entry, note="?")

    assert refused.value.code == "time_entry_not_found"


def test_a_card_with_a_thousand_entries_takes_no_more_by_hand(desk: FakeStore) -> None:
    card = new_card(desk)
    first = add(desk, card, NOON - HOUR, NOON)
    full = [
        replace(first, id=f"time_entry_{number}", user_id=f"usr_{number}") for number in range(MAX_MANUAL_TIME_ENTRIES)
    ]
    view = desk.view(card.id)

    with pytest.raises(TooManyTimeEntries, match="1000"):
        time_entries.create(view, card.id, desk.context, entries=full, started_at=NOON - 2 * HOUR, ended_at=NOON - HOUR)
    with pytest.raises(TooManyTimeEntries):
        time_entries.update(view, card.id, first.id, {"ended_at": NOON - HOUR}, desk.context, entries=[first, *full])
    time_entries.update(view, card.id, first.id, {"note": "Still fine"}, desk.context, entries=[first, *full])


MINUTES = st.integers(-300, 5)


@given(st.lists(st.tuples(st.sampled_from("acsrod"), MINUTES, MINUTES, st.integers(0, 3), st.integers(0, 7200))))
@settings(max_examples=200, deadline=None)
def test_the_sums_of_a_card_are_always_those_of_its_entries(
    wishes: list[tuple[str, int, int, int, int]],
) -> None:
    desk = FakeStore()
    card = new_card(desk)

    for step, since, until, which, rate in wishes:
        desk.advance_clock(minutes=1)
        times = {"started_at": desk.now + timedelta(minutes=since), "ended_at": desk.now + timedelta(minutes=until)}
        with suppress(DomainError):
            entries = entries_of(desk, card)
            match step:
                case "a":
                    add(desk, card, times["started_at"], times["ended_at"], hourly_rate_minor=rate)
                case "c" if entries:
                    revise(desk, card, entries[which % len(entries)], **times, hourly_rate_minor=rate)
                case "d" if entries:
                    delete(desk, card, entries[which % len(entries)])
                case "s":
                    desk.apply(cards.start(desk.view(card.id), card.id, desk.context)[1])
                case "r":
                    desk.apply(cards.resolve(desk.view(card.id), card.id, desk.context)[1])
                case "o":
                    desk.apply(cards.reopen(desk.view(card.id), card.id, desk.context)[1])

        kept, entries = desk.cards[card.id], entries_of(desk, card)
        running = [each for each in entries if each.ended_at is None]
        spans = [(each.started_at, each.ended_at) for each in entries if each.ended_at is not None]
        seconds = [int((end - start).total_seconds()) for start, end in spans]
        rates = [each.rate_minor for each in entries if each.ended_at is not None]
        assert kept.tracked_seconds == sum(seconds)
        assert kept.tracked_cost == sum(map(mul, seconds, rates))
        assert kept.running == (running[0] if running else None)
        assert all(earlier[1] <= later[0] for earlier, later in pairwise(sorted(spans)))
