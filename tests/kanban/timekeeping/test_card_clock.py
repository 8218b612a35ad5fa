"""The clock of a card: what it counts, and what that costs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kanban import cards
from kanban.cards import WrongStage
from kanban.timekeeping import card_clock, time_entries
from kanban.values import Card, TimeEntry
from tests.kanban.fake_store import FakeStore

TWO = datetime(2026, 11, 20, 14, 0, 0, tzinfo=UTC)


def started_card(desk: FakeStore) -> Card:
    card, change = cards.create(desk.view(), desk.context, title="Write the copy")
    desk.apply(change)
    card, change = cards.start(desk.view(card.id), card.id, desk.context)
    desk.apply(change)
    return card


def test_ten_dollars_an_hour_for_fifteen_minutes_and_forty_five_seconds_is_2_63() -> None:
    desk = FakeStore(hourly_rate_minor=1000)
    desk.now = TWO
    card = started_card(desk)

    now = TWO.replace(minute=15, second=45)

    assert card_clock.count_elapsed_seconds(card, now) == 945
    assert card_clock.compute_cost_minor(card, now) == 263


def test_ten_dollars_an_hour_for_a_day_and_a_quarter_hour_is_242_63() -> None:
    desk = FakeStore(hourly_rate_minor=1000)
    desk.now = TWO
    card = started_card(desk)

    desk.now = TWO + timedelta(hours=24, minutes=15, seconds=45)
    card, _ = cards.resolve(desk.view(card.id), card.id, desk.context)

    assert card_clock.format_duration(card_clock.count_elapsed_seconds(card, desk.now)) == "24:15:45"
    assert card_clock.compute_cost_minor(card, desk.now) == 24263


def test_the_cost_is_rounded_once_for_all_entries() -> None:
    desk = FakeStore(hourly_rate_minor=1)
    card = started_card(desk)

    for _ in range(3):
        desk.advance_clock(seconds=1200)
        desk.apply(cards.resolve(desk.view(card.id), card.id, desk.context)[1])
        desk.apply(cards.reopen(desk.view(card.id), card.id, desk.context)[1])
        desk.apply(cards.start(desk.view(card.id), card.id, desk.context)[1])

    assert card_clock.compute_cost_minor(desk.cards[card.id], desk.now) == 1


def test_a_new_rate_does_not_rewrite_history(desk: FakeStore) -> None:
    card = started_card(desk)
    desk.board = replace(desk.board, hourly_rate_minor=9999)
    desk.advance_clock(hours=1)

    card, change = cards.resolve(desk.view(card.id), card.id, desk.context)
    desk.apply(change)

    assert card_clock.compute_cost_minor(card, desk.now) == 1000
    assert [entry.rate_minor for entry in desk.entries.values()] == [1000]


def test_a_stopped_clock_stays_where_it_is(desk: FakeStore) -> None:
    card = started_card(desk)
    desk.advance_clock(minutes=1)
    card, _ = cards.resolve(desk.view(card.id), card.id, desk.context)

    desk.advance_clock(hours=5)

    assert card_clock.count_elapsed_seconds(card, desk.now) == 60


def test_a_clock_that_was_set_back_never_counts_below_nought(desk: FakeStore) -> None:
    card = started_card(desk)
    desk.advance_clock(hours=-1)

    resolved, change = cards.resolve(desk.view(card.id), card.id, desk.context)
    desk.apply(change)

    assert card_clock.count_elapsed_seconds(card, desk.now) == 0
    assert card_clock.count_elapsed_seconds(resolved, desk.now) == 0
    assert [entry.ended_at for entry in desk.entries.values()] == [resolved.started_at]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "00:00:00"), (59, "00:00:59"), (945, "00:15:45"), (86_400, "24:00:00"), (360_000, "100:00:00")],
)
def test_elapsed_time_is_shown_in_hours_that_may_pass_a_day(seconds: int, shown: str) -> None:
    assert card_clock.format_duration(seconds) == shown


def test_an_open_entry_counts_up_to_now() -> None:
    entry = TimeEntry("ten_1", "brd_1", "crd_1", "usr_ann", TWO, None, 1000, "", 1)

    assert card_clock.count_entry_seconds(entry, TWO + timedelta(seconds=7)) == 7
    assert card_clock.count_entry_seconds(replace(entry, ended_at=TWO), TWO + timedelta(seconds=7)) == 0


def test_a_clock_that_was_stopped_in_progress_is_started_again_where_the_card_is(desk: FakeStore) -> None:
    card = started_card(desk)
    desk.advance_clock(seconds=60)
    entry = card.running
    assert entry
    desk.apply(time_entries.delete(desk.view(card.id), card.id, entry, desk.context))
    stopped = desk.cards[card.id]
    desk.advance_clock(seconds=60)

    again, change = cards.start(desk.view(card.id), card.id, desk.context)

    assert stopped.running is None
    assert again.running
    assert again.running.started_at == desk.now
    assert (again.list_id, again.rank, again.started_at) == (card.list_id, card.rank, card.started_at)
    assert change.event
    assert change.event.type == "card.clock_started"
    desk.apply(change)
    with pytest.raises(WrongStage):
        cards.start(desk.view(card.id), card.id, desk.context)
