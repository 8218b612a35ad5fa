"""Filters are one table: what is not None applies, whatever its value."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from kanban import card_filters, cards
from kanban.card_filters import COMPARISONS, OPERATORS, Comparison, active_comparisons, matches_comparisons
from kanban.store import CardQuery
from kanban.values import Card, NewCard
from tests.kanban.fake_store import FakeStore

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def card() -> Card:
    """Return a card that is due at noon."""
    store = FakeStore()
    card, _ = cards.create(store.view(), store.context, NewCard("Due", due_at=AT))
    return card


def test_every_comparison_names_a_filter_of_the_query_a_field_of_a_card_and_a_known_sign() -> None:
    filters, card_fields = ({field.name for field in fields(value_type)} for value_type in (CardQuery, Card))

    for comparison in COMPARISONS:
        assert comparison.name in filters
        assert comparison.field in card_fields
        assert comparison.sign in OPERATORS


def test_a_filter_of_zero_applies_and_one_of_none_does_not(monkeypatch: pytest.MonkeyPatch, card: Card) -> None:
    monkeypatch.setattr(card_filters, "COMPARISONS", (Comparison("due_from", "comment_count", "<="),))
    query = CardQuery(due_from=cast("Any", 0))

    assert [value for _, value in active_comparisons(query)] == [0]
    assert active_comparisons(CardQuery()) == []
    assert matches_comparisons(card, query)
    assert not matches_comparisons(replace(card, comment_count=1), query)


@pytest.mark.parametrize(
    ("name", "shift", "matches"),
    [
        ("due_from", 0, True),
        ("due_from", 1, False),
        ("due_until", 0, False),
        ("due_until", 1, True),
        ("overdue_at", 0, False),
        ("overdue_at", 1, True),
    ],
)
def test_ranges_include_their_start_and_not_their_end(card: Card, name: str, shift: int, matches: bool) -> None:
    value: Any = AT + timedelta(seconds=shift)

    assert matches_comparisons(card, CardQuery(**{name: value})) is matches


def test_a_card_matches_if_every_comparison_does(card: Card) -> None:
    within, later = AT + timedelta(days=1), AT + timedelta(days=2)

    assert matches_comparisons(card, CardQuery(due_from=AT, due_until=within))
    assert not matches_comparisons(card, CardQuery(due_from=within, due_until=later))


def test_a_card_without_a_value_never_matches(card: Card) -> None:
    assert not matches_comparisons(replace(card, due_at=None), CardQuery(due_until=AT + timedelta(days=1)))
