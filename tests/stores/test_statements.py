"""Every statement can be written for every SQL engine, and is written once."""

import itertools
import re

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import registry

from kanban.store import CardSort, CardState
from stores.sql import deleted_statements, read_statements, user_statements, write_statements
from stores.sql.read_statements import PreparedStatement, StatementCache
from stores.sql.tables import metadata

DIALECTS: dict[str, sa.Dialect] = {
    "sqlite": registry.load("sqlite.pysqlite")(),
    "postgresql": registry.load("postgresql.psycopg")(paramstyle="numeric_dollar"),
}
FILTER_SETS: list[read_statements.FilterNames] = [
    frozenset(),
    frozenset({"q", "label_id", "assignee_id", "overdue_at"}),
]
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


def list_statements(engine: str) -> list[read_statements.Statement]:
    """The constants, the tables of them, and the pages."""
    found: list[read_statements.Statement] = []
    for name, value in (
        *vars(read_statements).items(),
        *vars(user_statements).items(),
        *vars(write_statements).items(),
    ):
        if name[0].isupper() and isinstance(value, sa.Select | sa.Insert | sa.Update | sa.Delete):
            found.append(value)
        elif name[0].isupper() and isinstance(value, dict):
            found.extend(value.values())
    for continued in FLAGS:
        found.append(user_statements.select_tokens(continued=continued))
        found.extend(read_statements.select_boards(archived=archived, continued=continued) for archived in FLAGS)
        found.append(deleted_statements.select_deleted_boards(continued=continued))
        found.append(deleted_statements.select_deleted_lists(continued=continued))
        found.append(read_statements.select_time_entries(continued=continued))
        found.append(read_statements.select_comments(continued=continued))
        found.append(read_statements.select_time_entries_with_cards(continued=continued))
        found.extend(read_statements.select_assigned_cards(frozenset({"status"}), continued=continued))
    for scope, sort, filters, continued in itertools.product(read_statements.CARD_SCOPES, CardSort, FILTER_SETS, FLAGS):
        found.extend(
            read_statements.select_cards(scope, sort, shelf, filters, continued=continued) for shelf in CardState
        )
    for shelf, filters in itertools.product(CardState, FILTER_SETS):
        found.append(read_statements.select_cards_by_position(shelf, filters, use_lateral=engine == "postgresql"))
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

    assert catalogue[read_statements.BOARD] is catalogue[read_statements.BOARD]


def test_a_page_is_built_once() -> None:
    assert user_statements.select_tokens(continued=True) is user_statements.select_tokens(continued=True)


def test_a_missing_parameter_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        PreparedStatement(read_statements.BOARD, DIALECTS["sqlite"]).bind({"board_id": "brd_1"})
