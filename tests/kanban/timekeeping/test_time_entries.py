"""Time entries by hand, and the totals that they change."""

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
from kanban.values import Card, NewCard, NewTimeEntry, Role, TimeEntry
from tests.kanban.fake_store import NOON, FakeStore

HOUR = timedelta(hours=1)


def create_card(store: FakeStore, **fields: Any) -> Card:
    card, change = cards.create(store.view(), store.context, NewCard(title="Write the copy", **fields))
    store.apply(change)
    return card


def create_started_card(store: FakeStore) -> Card:
    card = create_card(store)
    card, change = cards.start(store.view(card.id), card.id, store.context)
    store.apply(change)
    return card


def get_entries(store: FakeStore, card: Card) -> list[TimeEntry]:
    return [entry for entry in store.entries.values() if entry.card_id == card.id]


def add(store: FakeStore, card: Card, start: datetime, end: datetime, **fields: Any) -> TimeEntry:
    entry, change = time_entries.create(
        store.view(card.id),
        card.id,
        store.context,
        NewTimeEntry(start, end, **fields),
        entries=get_entries(store, card),
    )
    store.apply(change)
    return entry


def update(store: FakeStore, card: Card, entry: TimeEntry, **patch: Any) -> TimeEntry:
    view = store.view(card.id)
    new, change = time_entries.update(view, card.id, entry.id, patch, store.context, entries=get_entries(store, card))
    store.apply(change)
    return new


def delete(store: FakeStore, card: Card, entry: TimeEntry) -> None:
    store.apply(time_entries.delete(store.view(card.id), card.id, entry, store.context))


def test_an_hour_by_hand_counts_like_an_hour_of_the_clock(store: FakeStore) -> None:
    card = create_card(store)

    entry = add(store, card, NOON - 2 * HOUR, NOON - HOUR, note="On paper")

    updated_card = store.cards[card.id]
    assert (entry.user_id, entry.rate_minor, entry.note) == ("usr_ann", 1000, "On paper")
    assert (updated_card.tracked_seconds, card_clock.compute_cost_minor(updated_card, NOON), updated_card.version) == (
        3600,
        1000,
        2,
    )
    assert store.events[-1].type == "time_entry.created"
    assert store.events[-1].data == {
        "time_entry_id": entry.id,
        "user_id": "usr_ann",
        "started_at": "2026-11-20T10:00:00Z",
        "ended_at": "2026-11-20T11:00:00Z",
        "hourly_rate_minor": 1000,
    }


def test_the_rate_defaults_to_the_cards_and_then_to_the_boards(store: FakeStore) -> None:
    plain, with_rate = create_card(store), create_card(store, hourly_rate_minor=2000)

    rates = [
        add(store, plain, NOON - HOUR, NOON).rate_minor,
        add(store, with_rate, NOON - HOUR, NOON).rate_minor,
        add(store, with_rate, NOON - 2 * HOUR, NOON - HOUR, hourly_rate_minor=0).rate_minor,
    ]

    assert rates == [1000, 2000, 0]


def test_an_entry_can_be_created_for_another_member_but_not_for_others(store: FakeStore) -> None:
    card = create_card(store)
    store.apply(members.put(store.view(), "usr_bob", Role.VIEWER, store.context)[1])

    entry = add(store, card, NOON - HOUR, NOON, user_id="usr_bob")

    assert entry.user_id == "usr_bob"
    with pytest.raises(UnknownReference, match="not a member"):
        add(store, card, NOON - HOUR, NOON, user_id="usr_eve")


@pytest.mark.parametrize(
    ("start", "end", "error", "field"),
    [
        (NOON, NOON - HOUR, EndsBeforeStart, "ended_at"),
        (NOON - HOUR, NOON + timedelta(seconds=1), InFuture, "ended_at"),
        (NOON + HOUR, NOON + 2 * HOUR, InFuture, "started_at"),
        (NOON - MAX_DURATION - timedelta(seconds=1), NOON, TimeEntryTooLong, "started_at"),
    ],
)
def test_invalid_times_are_refused(
    store: FakeStore, start: datetime, end: datetime, error: type[DomainError], field: str
) -> None:
    card = create_card(store)

    with pytest.raises(error) as raised:
        add(store, card, start, end)

    assert getattr(raised.value, "field", None) == field


@pytest.mark.parametrize(("start", "end"), [(-3, -1), (-4, -2), (-3, -2), (-5, 0)])
def test_entries_of_one_person_on_one_card_do_not_overlap(store: FakeStore, start: int, end: int) -> None:
    card = create_card(store)
    add(store, card, NOON - 3 * HOUR, NOON - 2 * HOUR)

    with pytest.raises(TimeEntryOverlaps, match="2026-11-20T09:00:00Z and ends at 2026-11-20T10:00:00Z"):
        add(store, card, NOON + start * HOUR, NOON + end * HOUR)


def test_adjacent_entries_and_those_of_other_users_or_cards_do_not_overlap(store: FakeStore) -> None:
    card, other = create_card(store), create_card(store)
    store.apply(members.put(store.view(), "usr_bob", Role.EDITOR, store.context)[1])
    add(store, card, NOON - 3 * HOUR, NOON - 2 * HOUR)

    add(store, card, NOON - 2 * HOUR, NOON - HOUR)
    add(store, card, NOON - 4 * HOUR, NOON - 3 * HOUR)
    add(store, card, NOON - 3 * HOUR, NOON - 2 * HOUR, user_id="usr_bob")
    add(store, other, NOON - 3 * HOUR, NOON - 2 * HOUR)

    assert store.cards[card.id].tracked_seconds == 4 * 3600


def test_an_open_entry_overlaps_everything_after_its_start(store: FakeStore) -> None:
    card = create_started_card(store)
    store.advance_clock(hours=2)

    with pytest.raises(TimeEntryOverlaps, match="still runs"):
        add(store, card, NOON - HOUR, NOON + HOUR)

    add(store, card, NOON - HOUR, NOON)
    assert card_clock.count_worked_seconds(store.cards[card.id], store.now) == 3 * 3600


def test_a_correction_changes_the_totals_by_the_difference(store: FakeStore) -> None:
    card = create_card(store)
    add(store, card, NOON - 5 * HOUR, NOON - 4 * HOUR)
    entry = add(store, card, NOON - 2 * HOUR, NOON)

    entry = update(store, card, entry, ended_at=NOON - HOUR, hourly_rate_minor=500)

    updated_card = store.cards[card.id]
    assert (entry.version, updated_card.tracked_seconds, card_clock.compute_cost_minor(updated_card, NOON)) == (
        2,
        7200,
        1500,
    )
    assert store.events[-1].data == {"time_entry_id": entry.id, "changed": ["ended_at", "hourly_rate_minor"]}


def test_an_entry_names_who_wrote_it_or_corrected_it_last(store: FakeStore) -> None:
    card = create_card(store)
    store.apply(members.put(store.view(), "usr_bob", Role.EDITOR, store.context)[1])
    of_bob = add(store, card, NOON - 2 * HOUR, NOON - HOUR, user_id="usr_bob")
    same = update(store, card, of_bob, user_id="usr_bob")

    context = replace(store.context, actor_id="usr_bob")
    corrected, _ = time_entries.update(
        store.view(card.id), card.id, of_bob.id, {"note": "On the train"}, context, entries=[of_bob]
    )

    assert [entry.recorded_by for entry in (of_bob, same, corrected)] == ["usr_ann", "usr_ann", "usr_bob"]


def test_an_entry_of_the_clock_names_nobody_until_it_is_corrected(store: FakeStore) -> None:
    card = create_started_card(store)
    (running,) = get_entries(store, card)
    store.advance_clock(hours=1)
    corrected = update(store, card, running, started_at=NOON - HOUR)

    store.apply(cards.resolve(store.view(card.id), card.id, store.context)[1])

    (closed,) = get_entries(store, card)
    assert [entry.recorded_by for entry in (running, corrected, closed)] == [None, "usr_ann", "usr_ann"]


def test_a_note_changes_neither_totals_nor_card(store: FakeStore) -> None:
    card = create_card(store)
    entry = add(store, card, NOON - HOUR, NOON, note="On paper")
    before = store.cards[card.id]

    entry = update(store, card, entry, note=None)

    assert entry.note == ""
    assert store.cards[card.id] == before


def test_a_correction_that_changes_nothing_has_no_event(store: FakeStore) -> None:
    card = create_card(store)
    entry = add(store, card, NOON - HOUR, NOON)
    event_count = len(store.events)

    same = update(store, card, entry, note="", started_at=NOON - HOUR, user_id="usr_ann")

    assert same == entry
    assert len(store.events) == event_count


def test_a_corrected_entry_can_overlap_its_old_self_but_no_other_entry(store: FakeStore) -> None:
    card = create_card(store)
    add(store, card, NOON - 4 * HOUR, NOON - 3 * HOUR)
    entry = add(store, card, NOON - 2 * HOUR, NOON - HOUR)

    update(store, card, entry, started_at=NOON - 3 * HOUR, ended_at=NOON)

    with pytest.raises(TimeEntryOverlaps):
        update(store, card, entry, started_at=NOON - 3 * HOUR - timedelta(seconds=1))


def test_an_open_entry_can_start_earlier_and_stays_open(store: FakeStore) -> None:
    card = create_started_card(store)
    running = store.cards[card.id].running
    assert running

    entry = update(store, card, running, started_at=NOON - HOUR)

    store.advance_clock(hours=1)
    updated_card = store.cards[card.id]
    assert updated_card.running == entry
    assert card_clock.count_worked_seconds(updated_card, store.now) == 7200
    with pytest.raises(InFuture):
        update(store, card, running, started_at=store.now + HOUR)
    with pytest.raises(TimeEntryRunning, match="'Write the copy'"):
        update(store, card, running, ended_at=store.now)


def test_deleting_an_open_entry_stops_the_clock_without_counting(store: FakeStore) -> None:
    card = create_started_card(store)
    running = store.cards[card.id].running
    assert running
    store.advance_clock(hours=3)

    delete(store, card, running)

    updated_card = store.cards[card.id]
    assert (updated_card.running, card_clock.count_worked_seconds(updated_card, store.now)) == (None, 0)
    assert store.events[-1].data["ended_at"] is None
    store.apply(cards.resolve(store.view(card.id), card.id, store.context)[1])
    assert store.cards[card.id].tracked_seconds == 0


def test_an_entry_of_another_card_is_not_found(store: FakeStore) -> None:
    card, other = create_card(store), create_card(store)
    entry = add(store, other, NOON - HOUR, NOON)

    with pytest.raises(NotFound) as raised:
        update(store, card, entry, note="?")

    assert raised.value.code == "time_entry_not_found"


def test_a_card_with_a_thousand_entries_accepts_no_more_by_hand(store: FakeStore) -> None:
    card = create_card(store)
    first = add(store, card, NOON - HOUR, NOON)
    full = [
        replace(first, id=f"time_entry_{number}", user_id=f"usr_{number}") for number in range(MAX_MANUAL_TIME_ENTRIES)
    ]
    view = store.view(card.id)

    with pytest.raises(TooManyTimeEntries, match="1000"):
        time_entries.create(view, card.id, store.context, NewTimeEntry(NOON - 2 * HOUR, NOON - HOUR), entries=full)
    with pytest.raises(TooManyTimeEntries):
        time_entries.update(view, card.id, first.id, {"ended_at": NOON - HOUR}, store.context, entries=[first, *full])
    time_entries.update(view, card.id, first.id, {"note": "Still fine"}, store.context, entries=[first, *full])


MINUTES = st.integers(-300, 5)


@given(st.lists(st.tuples(st.sampled_from("acsrod"), MINUTES, MINUTES, st.integers(0, 3), st.integers(0, 7200))))
@settings(max_examples=200, deadline=None)
def test_the_totals_of_a_card_always_equal_the_sum_of_its_entries(
    steps: list[tuple[str, int, int, int, int]],
) -> None:
    store = FakeStore()
    card = create_card(store)

    for step, since, until, index, rate in steps:
        store.advance_clock(minutes=1)
        times = {"started_at": store.now + timedelta(minutes=since), "ended_at": store.now + timedelta(minutes=until)}
        with suppress(DomainError):
            entries = get_entries(store, card)
            match step:
                case "a":
                    add(store, card, times["started_at"], times["ended_at"], hourly_rate_minor=rate)
                case "c" if entries:
                    update(store, card, entries[index % len(entries)], **times, hourly_rate_minor=rate)
                case "d" if entries:
                    delete(store, card, entries[index % len(entries)])
                case "s":
                    store.apply(cards.start(store.view(card.id), card.id, store.context)[1])
                case "r":
                    store.apply(cards.resolve(store.view(card.id), card.id, store.context)[1])
                case "o":
                    store.apply(cards.reopen(store.view(card.id), card.id, store.context)[1])

        updated_card, entries = store.cards[card.id], get_entries(store, card)
        running = [entry for entry in entries if entry.ended_at is None]
        spans = [(entry.started_at, entry.ended_at) for entry in entries if entry.ended_at is not None]
        seconds = [int((end - start).total_seconds()) for start, end in spans]
        rates = [entry.rate_minor for entry in entries if entry.ended_at is not None]
        assert updated_card.tracked_seconds == sum(seconds)
        assert updated_card.tracked_cost == sum(map(mul, seconds, rates))
        assert updated_card.running == (running[0] if running else None)
        assert all(earlier[1] <= later[0] for earlier, later in pairwise(sorted(spans)))


def test_the_longest_entry_is_allowed_and_so_are_one_of_no_length_and_one_that_ends_now(store: FakeStore) -> None:
    card = create_card(store)

    assert add(store, card, NOON - MAX_DURATION, NOON).ended_at == NOON
    assert add(store, create_card(store), NOON, NOON).started_at == NOON


def test_an_entry_is_handed_to_members_only(store: FakeStore) -> None:
    card = create_card(store)
    entry = add(store, card, NOON - HOUR, NOON)

    with pytest.raises(UnknownReference, match="not a member"):
        update(store, card, entry, user_id="usr_eve")
    store.apply(members.put(store.view(), "usr_bob", Role.VIEWER, store.context)[1])
    assert update(store, card, entry, user_id="usr_bob").user_id == "usr_bob"


def test_an_entry_of_somebody_who_has_left_can_still_be_corrected(store: FakeStore) -> None:
    card = create_card(store)
    store.apply(members.put(store.view(), "usr_bob", Role.VIEWER, store.context)[1])
    entry = add(store, card, NOON - HOUR, NOON, user_id="usr_bob")
    store.apply(members.remove(store.view(), "usr_bob", store.context, ()))

    assert update(store, card, entry, note="On paper").note == "On paper"


def test_a_card_with_exactly_as_many_entries_as_by_hand_can_be_corrected_and_one_with_more_may_lack_some(
    store: FakeStore,
) -> None:
    card = create_card(store)
    first = add(store, card, NOON - HOUR, NOON)
    others = [replace(first, id=f"ten_{number}", user_id=f"usr_{number}") for number in range(MAX_MANUAL_TIME_ENTRIES)]
    view = store.view(card.id)
    full = [first, *others[:-1]]

    earlier, _ = time_entries.update(
        view, card.id, first.id, {"started_at": NOON - 2 * HOUR}, store.context, entries=full
    )

    assert earlier.started_at == NOON - 2 * HOUR
    with pytest.raises(NotFound):
        time_entries.get_entry_among(view, card.id, full, "ten_none")
    with pytest.raises(TooManyTimeEntries):
        time_entries.get_entry_among(view, card.id, [first, *others], "ten_none")


def test_an_entry_is_read_with_its_own_card_only(store: FakeStore) -> None:
    card, other = create_card(store), create_card(store)
    entry = add(store, card, NOON - HOUR, NOON)
    view = store.view(card.id, other.id)

    assert time_entries.get_entry(view, card.id, entry.id) == entry
    for card_id, entry_id in ((other.id, entry.id), (card.id, "ten_none"), (card.id, card.id)):
        with pytest.raises(NotFound):
            time_entries.get_entry(view, card_id, entry_id)
