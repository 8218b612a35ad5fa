"""Cards: their dates, links and hourly rate."""

from datetime import timedelta

import pytest

from kanban import cards
from kanban.errors import EndsBeforeStart
from kanban.values import Card, Link, NewCard
from tests.kanban.fake_store import NOON, FakeStore

DAY = timedelta(days=1)


def add(store: FakeStore, **fields: object) -> Card:
    card, change = cards.create(store.view(), store.context, NewCard(title="Copy", **fields))  # type: ignore[arg-type]  # the test gives what the rule takes
    store.apply(change)
    return card


def update(store: FakeStore, card: Card, **patch: object) -> Card:
    updated, change = cards.update(store.view(card.id), card.id, patch, store.context)
    store.apply(change)
    return updated


def start(store: FakeStore, card: Card) -> Card:
    started, change = cards.start(store.view(card.id), card.id, store.context)
    store.apply(change)
    return started


def test_a_new_card_has_the_given_dates_links_and_rate(store: FakeStore) -> None:
    links = [Link("https://example.com/", "Example")]

    card = add(store, start_at=NOON, due_at=NOON + DAY, due_complete=True, hourly_rate_minor=0, links=links)

    assert (card.start_at, card.due_at, card.due_complete) == (NOON, NOON + DAY, True)
    assert (card.hourly_rate_minor, card.links) == (0, tuple(links))


def test_the_event_of_an_update_names_every_changed_field(store: FakeStore) -> None:
    card = add(store, due_at=NOON)

    updated = update(
        store,
        card,
        start_at=NOON - DAY,
        due_at=NOON,
        due_complete=True,
        hourly_rate_minor=1500,
        links=(Link("https://example.com/", "Example"),),
    )

    assert store.events[-1].data == {"changed": ["due_complete", "hourly_rate_minor", "links", "start_at"]}
    assert (updated.start_at, updated.due_at, updated.version) == (NOON - DAY, NOON, 2)


def test_none_clears_dates_and_rate(store: FakeStore) -> None:
    card = add(store, start_at=NOON, due_at=NOON, hourly_rate_minor=1500)

    updated = update(store, card, start_at=None, due_at=None, hourly_rate_minor=None)

    assert (updated.start_at, updated.due_at, updated.hourly_rate_minor) == (None, None, None)


def test_a_card_cannot_be_due_before_it_starts(store: FakeStore) -> None:
    card = add(store, start_at=NOON)

    with pytest.raises(EndsBeforeStart, match="'due_at' lies before 'start_at'") as on_update:
        update(store, card, due_at=NOON - DAY)
    with pytest.raises(EndsBeforeStart):
        add(store, start_at=NOON, due_at=NOON - DAY)

    assert on_update.value.field == "due_at"


def test_a_card_can_be_due_at_the_second_it_starts(store: FakeStore) -> None:
    assert add(store, start_at=NOON, due_at=NOON).due_at == NOON


def test_the_rate_of_a_card_overrides_the_boards(store: FakeStore) -> None:
    card = start(store, add(store, hourly_rate_minor=0))

    assert card.running is not None
    assert card.running.rate_minor == 0


def test_a_new_rate_does_not_change_the_open_time_entry(store: FakeStore) -> None:
    card = start(store, add(store))

    updated = update(store, card, hourly_rate_minor=1500)

    assert updated.running is not None
    assert updated.running.rate_minor == 1000
