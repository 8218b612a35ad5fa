"""Cards: their dates, their links and the rate of their own."""

from datetime import timedelta

import pytest

from kanban import cards
from kanban.errors import EndsBeforeStart
from kanban.values import Card, Link
from tests.kanban.fake_store import NOON, FakeStore

DAY = timedelta(days=1)


def add(desk: FakeStore, **wishes: object) -> Card:
    card, change = cards.create(desk.view(), desk.context, title="Copy", **wishes)  # type: ignore[arg-type]  # a test gives what the rule takes
    desk.apply(change)
    return card


def revise(desk: FakeStore, card: Card, **patch: object) -> Card:
    revised, change = cards.update(desk.view(card.id), card.id, patch, desk.context)
    desk.apply(change)
    return revised


def start(desk: FakeStore, card: Card) -> Card:
    started, change = cards.start(desk.view(card.id), card.id, desk.context)
    desk.apply(change)
    return started


def test_a_new_card_has_the_dates_the_links_and_the_rate_that_were_asked_for(desk: FakeStore) -> None:
    links = [Link("https://example.com/", "Example")]

    card = add(desk, start_at=NOON, due_at=NOON + DAY, due_complete=True, hourly_rate_minor=0, links=links)

    assert (card.start_at, card.due_at, card.due_complete) == (NOON, NOON + DAY, True)
    assert (card.hourly_rate_minor, card.links) == (0, tuple(links))


def test_revising_names_every_field_that_changed(desk: FakeStore) -> None:
    card = add(desk, due_at=NOON)

    revised = revise(
        desk,
        card,
        start_at=NOON - DAY,
        due_at=NOON,
        due_complete=True,
        hourly_rate_minor=1500,
        links=(Link("https://example.com/", "Example"),),
    )

    assert desk.events[-1].data == {"changed": ["due_complete", "hourly_rate_minor", "links", "start_at"]}
    assert (revised.start_at, revised.due_at, revised.version) == (NOON - DAY, NOON, 2)


def test_dates_and_rate_are_taken_away_by_none(desk: FakeStore) -> None:
    card = add(desk, start_at=NOON, due_at=NOON, hourly_rate_minor=1500)

    revised = revise(desk, card, start_at=None, due_at=None, hourly_rate_minor=None)

    assert (revised.start_at, revised.due_at, revised.hourly_rate_minor) == (None, None, None)


def test_a_card_is_never_due_before_it_begins(desk: FakeStore) -> None:
    card = add(desk, start_at=NOON)

    with pytest.raises(EndsBeforeStart, match="'due_at' lies before 'start_at'") as on_change:
        revise(desk, card, due_at=NOON - DAY)
    with pytest.raises(EndsBeforeStart):
        add(desk, start_at=NOON, due_at=NOON - DAY)

    assert on_change.value.field == "due_at"


def test_a_card_may_be_due_the_moment_it_begins(desk: FakeStore) -> None:
    assert add(desk, start_at=NOON, due_at=NOON).due_at == NOON


def test_the_rate_of_a_card_stands_above_that_of_its_board(desk: FakeStore) -> None:
    card = start(desk, add(desk, hourly_rate_minor=0))

    assert card.running is not None
    assert card.running.rate_minor == 0


def test_a_new_rate_spares_the_time_entry_that_is_open(desk: FakeStore) -> None:
    card = start(desk, add(desk))

    revised = revise(desk, card, hourly_rate_minor=1500)

    assert revised.running is not None
    assert revised.running.rate_minor == 1000
