"""Filters that compare a field of a card with a value, declared by `CardQuery` and interpreted by every engine.

A filter applies if the query's value is not None; 0 and False are values. A card whose field is None never matches.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kanban.fields import Sign, describe
from kanban.store import CardQuery
from kanban.values import Card


@dataclass(frozen=True, slots=True)
class Comparison:
    """A card matches if `card.<field> <sign> query.<name>`."""

    name: str
    field: str
    sign: Sign


COMPARISONS = tuple(
    Comparison(filter_.name, *filter_.metadata["compares"])
    for filter_ in describe(CardQuery)
    if "compares" in filter_.metadata
)

OPERATORS: Mapping[Sign, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "<": operator.lt,
    "=": operator.eq,
}
"""What each sign means, for values and for the columns of a query builder."""


def active_comparisons(query: CardQuery) -> list[tuple[Comparison, datetime | int | str]]:
    """Return the comparisons that apply to a query, each with the query's value."""
    values = ((comparison, getattr(query, comparison.name)) for comparison in COMPARISONS)
    return [(comparison, value) for comparison, value in values if value is not None]


def matches_comparisons(card: Card, query: CardQuery) -> bool:
    """Return whether the card matches the comparisons of the query."""
    return all(
        (actual := getattr(card, comparison.field)) is not None and OPERATORS[comparison.sign](actual, value)
        for comparison, value in active_comparisons(query)
    )
