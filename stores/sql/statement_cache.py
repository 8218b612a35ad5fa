"""Compile SQLAlchemy Core statements once for a dialect, and run them without the cost of Core.

Core compiles each statement to SQL once. From then on its text is passed to the driver directly, with the parameters in
the order of the text: this takes microseconds, where Core would take hundreds.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import ReturningDelete

Statement = sa.Select[Any] | sa.Insert | sa.Update | sa.Delete | ReturningDelete[Any]

BoundStatement = tuple[str, Sequence[Any]]
"""A statement to run: its text, and its parameters by position."""

_PREFIX = "given_"


def choose_once(query: sa.Select[Any]) -> sa.Select[Any]:
    """Return a query for the rows that a limited query locks, to delete or update these.

    PostgreSQL may run a subquery once for each row that it is compared with. One that skips locked rows then finds
    others each time, and its limit holds for none of them together. A common table expression that locks runs once.
    """
    chosen = query.cte("chosen")
    return sa.select(*chosen.columns)


def parameter(name: str) -> sa.BindParameter[Any]:
    """Return a parameter. Its prefix avoids the names that Core reserves for columns being written."""
    return sa.bindparam(_PREFIX + name)


class PreparedStatement:
    """A statement compiled for a dialect: its text, and the order of its parameters."""

    __slots__ = ("_constants", "_get_values", "text")

    def __init__(self, statement: Statement, dialect: sa.Dialect) -> None:
        compiled: SQLCompiler = statement.compile(dialect=dialect)
        if compiled.positiontup is None:
            raise TypeError("The dialect must take its parameters by position.")
        self.text = compiled.string
        self._get_values = _make_getter([name.removeprefix(_PREFIX) for name in compiled.positiontup])
        self._constants = {name: value for name, value in compiled.params.items() if not name.startswith(_PREFIX)}

    def bind(self, values: Mapping[str, Any]) -> BoundStatement:
        """Return the statement with these values. Raises KeyError if one is missing."""
        if self._constants:
            values = {**self._constants, **values}
        return self.text, self._get_values(values)


def _make_getter(names: Sequence[str]) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    """Return a function that gets the values of these names, in their order."""
    if len(names) > 1:
        return itemgetter(*names)
    # For one name, `itemgetter` would not return a sequence.
    return (lambda values: (values[names[0]],)) if names else lambda _: ()


class StatementCache(dict[Statement, PreparedStatement]):
    """Statements prepared for a dialect, each when it is first needed."""

    def __init__(self, dialect: sa.Dialect) -> None:
        super().__init__()
        self._dialect = dialect

    def __missing__(self, statement: Statement) -> PreparedStatement:
        prepared = self[statement] = PreparedStatement(statement, self._dialect)
        return prepared
