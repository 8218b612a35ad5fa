"""Every statement can be written for every SQL engine, and is written once."""

import itertools
import re

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import registry

from kanban.store import CardSort, CardState
from stores import sql_deleted, sql_people, sql_writes, statements
from stores.schema import metadata
from stores.statements import PreparedStatement, StatementCache

DIALECTS: dict[str, sa.Dialect] = {
    "sqlite": registry.load("sqlite.pysqlite")(),
    "postgresql": registry.load("postgresql.psycopg")(paramstyle="numeric_dollar"),
}
FILTER_SETS: list[statements.FilterNames] = [frozenset(), frozenset({"q", "label_id", "assignee_id", "overdue_at"})]
FLAGS = [False, True]
ANY_VALUES = {column.name: 1 for table in metadata.tables.values() for column in table.columns} | dict.fromkeys(
    (
        *("actor_id", "from_board_id", "label_id", "limit", "now", "pattern"),
        *("assignee_id", "due_from", "due_until", "overdue_at", "since", "token_id", "until", "updated_since"),
        *("after_id", "after_list_id", "after_list_rank", "after_rank", "after_seq"),
        *("after_board_id", "after_due_at", "after_ended_at", "after_updated_at"),
    ),
    1,
)


def list_statements(engine: str) -> list[statements.Statement]:
    """The constants, the tables of them, and the pages."""
    found: list[statements.Statement] = []
    for name, value in (*vars(statements).items(), *vars(sql_people).items(), *vars(sql_writes).items()):
        if name[0].isupper() and isinstance(value, sa.Select | sa.Insert | sa.Update | sa.Delete):
            found.append(value)
        elif name[0].isupper() and isinstance(value, dict):
            found.extend(value.values())
    for continued in FLAGS:
        found.append(sql_people.select_tokens(continued=continued))
        found.extend(statements.select_boards(archived=archived, continued=continued) for archived in FLAGS)
        found.append(sql_deleted.select_deleted_boards(continued=continued))
        found.append(sql_deleted.select_deleted_lists(continued=continued))
        found.append(statements.select_time_entries(continued=continued))
        found.append(statements.select_comments(continued=continued))
        found.append(statements.select_time_entries_with_cards(continued=continued))
        found.extend(statements.select_assigned_cards(frozenset({"status"}), continued=continued))
    for scope, sort, filters, continued in itertools.product(statements.CARD_SCOPES, CardSort, FILTER_SETS, FLAGS):
        found.extend(statements.select_cards(scope, sort, shelf, filters, continued=continued) for shelf in CardState)
    for shelf, filters in itertools.product(CardState, FILTER_SETS):
        found.append(statements.select_cards_by_position(shelf, filters, use_lateral=engine == "postgresql"))
    return found


@pytest.mark.parametrize("engine", DIALECTS)
def test_every_statement_takes_its_parameters_by_position(engine: str) -> None:
    # In SQLite each place has a parameter of its own; in PostgreSQL the places are numbered.
    sign = {"sqlite": r"\?", "postgresql": r"\$\d+"}[engine]

    for statement in list_statements(engine):
        text, parameters = PreparedStatement(statement, DIALECTS[engine]).bind(ANY_VALUES)
        places = re.findall(sign, text)
        assert len(parameters) == len(places if engine == "sqlite" else set(places))


def test_a_statement_is_prepared_once() -> None:
    catalogue = StatementCache(DIALECTS["sqlite"])

    assert catalogue[statements.BOARD] is catalogue[statements.BOARD]


def test_a_page_is_built_once() -> None:
    assert sql_people.select_tokens(continued=True) is sql_people.select_tokens(continued=True)


def test_a_missing_parameter_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        PreparedStatement(statements.BOARD, DIALECTS["sqlite"]).bind({"board_id": "brd_1"})
