"""Every statement can be written for every SQL engine, and is written once."""

import itertools
import re

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import registry

from kanban.store import CardSort, CardState
from stores import sql_deleted, sql_people, sql_writes, statements
from stores.schema import metadata
from stores.statements import Catalogue, Prepared

DIALECTS: dict[str, sa.Dialect] = {
    "sqlite": registry.load("sqlite.pysqlite")(),
    "postgresql": registry.load("postgresql.psycopg")(paramstyle="numeric_dollar"),
}
FILTERS: list[statements.Filters] = [frozenset(), frozenset({"q", "label_id", "assignee_id", "overdue_at"})]
FLAGS = [False, True]
ANYTHING = {column.name: 1 for table in metadata.tables.values() for column in table.columns} | dict.fromkeys(
    (
        *("actor_id", "from_board_id", "label_id", "limit", "now", "pattern"),
        *("assignee_id", "due_from", "due_until", "overdue_at", "since", "token_id", "until", "updated_since"),
        *("after_id", "after_list_id", "after_list_rank", "after_rank", "after_seq"),
        *("after_board_id", "after_due_at", "after_ended_at", "after_updated_at"),
    ),
    1,
)


def all_statements(engine: str) -> list[statements.Statement]:
    """The constants, the tables of them, and the pages."""
    found: list[statements.Statement] = []
    for name, value in (*vars(statements).items(), *vars(sql_people).items(), *vars(sql_writes).items()):
        if name[0].isupper() and isinstance(value, sa.Select | sa.Insert | sa.Update | sa.Delete):
            found.append(value)
        elif name[0].isupper() and isinstance(value, dict):
            found.extend(value.values())
    for continued in FLAGS:
        found.append(sql_people.tokens_page(continued=continued))
        found.extend(statements.boards_page(archived=archived, continued=continued) for archived in FLAGS)
        found.append(sql_deleted.boards_page(continued=continued))
        found.append(sql_deleted.lists_page(continued=continued))
        found.append(statements.time_entries_page(continued=continued))
        found.append(statements.comments_page(continued=continued))
        found.append(statements.worked_page(continued=continued))
        found.extend(statements.assigned_page(frozenset({"status"}), continued=continued))
    for scope, sort, filters, continued in itertools.product(statements.CARD_SCOPES, CardSort, FILTERS, FLAGS):
        found.extend(statements.cards_page(scope, sort, shelf, filters, continued=continued) for shelf in CardState)
    for shelf, filters in itertools.product(CardState, FILTERS):
        found.append(statements.cards_in_order(shelf, filters, lateral=engine == "postgresql"))
    return found


@pytest.mark.parametrize("engine", DIALECTS)
def test_every_statement_takes_its_parameters_by_position(engine: str) -> None:
    # In SQLite each place has a parameter of its own; in PostgreSQL the places are numbered.
    sign = {"sqlite": r"\?", "postgresql": r"\$\d+"}[engine]

    for statement in all_statements(engine):
        text, parameters = Prepared(statement, DIALECTS[engine]).call(ANYTHING)
        places = re.findall(sign, text)
        assert len(parameters) == len(places if engine == "sqlite" else set(places))


def test_a_statement_is_prepared_once() -> None:
    catalogue = Catalogue(DIALECTS["sqlite"])

    assert catalogue[statements.BOARD] is catalogue[statements.BOARD]


def test_a_page_is_built_once() -> None:
    assert sql_people.tokens_page(continued=True) is sql_people.tokens_page(continued=True)


def test_a_missing_parameter_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        Prepared(statements.BOARD, DIALECTS["sqlite"]).call({"board_id": "brd_1"})
