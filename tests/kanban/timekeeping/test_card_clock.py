"""The clock of a card: seconds and cost."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kanban import cards
from kanban.cards import WrongStage
from kanban.timekeeping import card_clock, time_entries
from kanban.values import Card, NewCard, TimeEntry
from tests.kanban.fake_store import FakeStore

TWO = datetime(2026, 11, 20, 14, 0, 0, tzinfo=UTC)


def create_started_card(store: FakeStore) -> Card:
    card, change = cards.create(store.view(), store.context, NewCard(title="Write the copy"))
    store.apply(change)
    card, change = cards.start(store.view(card.id), card.id, store.context)
    store.apply(change)
    return card


def test_ten_dollars_an_hour_for_fifteen_minutes_and_forty_five_seconds_is_2_63() -> None:
    store = FakeStore(hourly_rate_minor=1000)
    store.now = TWO
    card = create_started_card(store)

    now = TWO.replace(minute=15, second=45)

    assert card_clock.count_worked_seconds(card, now) == 945
    assert card_clock.compute_cost_minor(card, now) == 263


def test_ten_dollars_an_hour_for_a_day_and_a_quarter_hour_is_242_63() -> None:
    store = FakeStore(hourly_rate_minor=1000)
    store.now = TWO
    card = create_started_card(store)

    store.now = TWO + timedelta(hours=24, minutes=15, seconds=45)
    card, _ = cards.resolve(store.view(card.id), card.id, store.context)

    assert card_clock.format_duration(card_clock.count_worked_seconds(card, store.now)) == "24:15:45"
    assert card_clock.compute_cost_minor(card, store.now) == 24263


def test_the_cost_is_rounded_once_for_all_entries() -> None:
    store = FakeStore(hourly_rate_minor=1)
    card = create_started_card(store)

    for _ in range(3):
        store.advance_clock(seconds=1200)
        store.apply(cards.resolve(store.view(card.id), card.id, store.context)[1])
        store.apply(cards.reopen(store.view(card.id), card.id, store.context)[1])
        store.apply(cards.start(store.view(card.id), card.id, store.context)[1])

    assert card_clock.compute_cost_minor(store.cards[card.id], store.now) == 1


def test_a_new_rate_does_not_change_closed_entries(store: FakeStore) -> None:
    card = create_started_card(store)
    store.board = replace(store.board, hourly_rate_minor=9999)
    store.advance_clock(hours=1)

    card, change = cards.resolve(store.view(card.id), card.id, store.context)
    store.apply(change)

    assert card_clock.compute_cost_minor(card, store.now) == 1000
    assert [entry.rate_minor for entry in store.entries.values()] == [1000]


def test_a_stopped_clock_counts_no_further(store: FakeStore) -> None:
    card = create_started_card(store)
    store.advance_clock(minutes=1)
    card, _ = cards.resolve(store.view(card.id), card.id, store.context)

    store.advance_clock(hours=5)

    assert card_clock.count_worked_seconds(card, store.now) == 60


def test_a_clock_that_was_set_back_never_counts_negative_time(store: FakeStore) -> None:
    card = create_started_card(store)
    store.advance_clock(hours=-1)

    resolved, change = cards.resolve(store.view(card.id), card.id, store.context)
    store.apply(change)

    assert card_clock.count_worked_seconds(card, store.now) == 0
    assert card_clock.count_worked_seconds(resolved, store.now) == 0
    assert [entry.ended_at for entry in store.entries.values()] == [resolved.started_at]


@pytest.mark.parametrize(
    ("seconds", "formatted"),
    [(0, "00:00:00"), (59, "00:00:59"), (945, "00:15:45"), (86_400, "24:00:00"), (360_000, "100:00:00")],
)
def test_a_duration_is_formatted_in_hours_that_can_exceed_a_day(seconds: int, formatted: str) -> None:
    assert card_clock.format_duration(seconds) == formatted


def test_an_open_entry_counts_up_to_now() -> None:
    entry = TimeEntry("ten_1", "brd_1", "crd_1", "usr_ann", TWO, None, 1000, "", 1)

    assert card_clock.count_entry_seconds(entry, TWO + timedelta(seconds=7)) == 7
    assert card_clock.count_entry_seconds(replace(entry, ended_at=TWO), TWO + timedelta(seconds=7)) == 0


def test_start_restarts_a_clock_that_was_stopped_in_progress(store: FakeStore) -> None:
    card = create_started_card(store)
    store.advance_clock(seconds=60)
    entry = card.running
    assert entry
    store.apply(time_entries.delete(store.view(card.id), card.id, entry, store.context))
    stopped = store.cards[card.id]
    store.advance_clock(seconds=60)

    restarted, change = cards.start(store.view(card.id), card.id, store.context)

    assert stopped.running is None
    assert restarted.running
    assert restarted.running.started_at == store.now
    assert (restarted.list_id, restarted.rank, restarted.started_at) == (card.list_id, card.rank, card.started_at)
    assert change.event
    assert change.event.type == "card.clock_started"
    store.apply(change)
    with pytest.raises(WrongStage):
        cards.start(store.view(card.id), card.id, store.context)


def test_cards_whose_clocks_stop_get_a_new_version_and_the_time(store: FakeStore) -> None:
    card = create_started_card(store)
    store.advance_clock(hours=1)

    stopped, entry = card_clock.stop_clocks([card], store.now)

    assert isinstance(stopped, Card)
    assert isinstance(entry, TimeEntry)
    assert (stopped.version, stopped.updated_at, stopped.running) == (card.version + 1, store.now, None)
    assert (entry.ended_at, stopped.tracked_seconds) == (store.now, 3_600)
