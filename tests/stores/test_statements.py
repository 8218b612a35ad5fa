"""Every statement compiles for every SQL engine, and is compiled once."""

import itertools
import re

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import registry

from kanban.store import CardSort, CardState
from stores.sql import read_statements, user_statements, write_statements
from stores.sql.statement_cache import PreparedStatement, Statement, StatementCache
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


def list_statements(engine: str) -> list[Statement]:
    """Return the constants, those in dictionaries, and what the functions return."""
    statements: list[Statement] = []
    for name, value in (
        *vars(read_statements).items(),
        *vars(user_statements).items(),
        *vars(write_statements).items(),
    ):
        candidates = value.values() if isinstance(value, dict) else [value]
        if name[0].isupper():
            statements.extend(
                candidate
                for candidate in candidates
                if isinstance(candidate, sa.Select | sa.Insert | sa.Update | sa.Delete)
            )
    for continued in FLAGS:
        statements.append(user_statements.select_tokens(continued=continued))
        statements.extend(read_statements.select_boards(archived=archived, continued=continued) for archived in FLAGS)
        statements.append(read_statements.select_deleted_boards(continued=continued))
        statements.append(read_statements.select_deleted_lists(continued=continued))
        statements.append(read_statements.select_time_entries(continued=continued))
        statements.append(read_statements.select_comments(continued=continued))
        statements.append(read_statements.select_time_entries_with_cards(continued=continued))
        statements.extend(read_statements.select_assigned_cards(frozenset({"status"}), continued=continued))
    for scope, sort, filters, continued in itertools.product(read_statements.CARD_SCOPES, CardSort, FILTER_SETS, FLAGS):
        statements.extend(
            read_statements.select_cards(scope, sort, state, filters, continued=continued) for state in CardState
        )
    for state, filters in itertools.product(CardState, FILTER_SETS):
        statements.append(read_statements.select_cards_by_position(state, filters, use_lateral=engine == "postgresql"))
    return statements


@pytest.mark.parametrize("engine", DIALECTS)
def test_every_statement_takes_its_parameters_by_position(engine: str) -> None:
    # SQLite takes a parameter for each question mark; PostgreSQL's are numbered, and one number may occur twice.
    pattern = {"sqlite": r"\?", "postgresql": r"\$\d+"}[engine]

    for statement in list_statements(engine):
        text, parameters = PreparedStatement(statement, DIALECTS[engine]).bind(ANY_VALUES)
        placeholders = re.findall(pattern, text)
        assert len(parameters) == len(placeholders if engine == "sqlite" else set(placeholders))


def test_a_statement_is_prepared_once() -> None:
    cache = StatementCache(DIALECTS["sqlite"])

    assert cache[read_statements.BOARD] is cache[read_statements.BOARD]


def test_the_statement_of_a_page_is_built_once() -> None:
    assert user_statements.select_tokens(continued=True) is user_statements.select_tokens(continued=True)


def test_a_missing_parameter_is_an_error() -> None:
    with pytest.raises(KeyError):
        PreparedStatement(read_statements.BOARD, DIALECTS["sqlite"]).bind({"board_id": "brd_1"})
