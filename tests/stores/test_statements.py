"""Every statement compiles for every SQL engine, and is compiled once."""

import itertools
import re

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import registry

from kanban.store import CardSort, CardState
from stores.sql import (
    card_page_statements,
    feed_readers,
    read_statements,
    user_statements,
    webhooks,
    write_statements,
)
from stores.sql.statement_cache import PreparedStatement, Statement, StatementCache
from stores.sql.tables import metadata

DIALECTS: dict[str, sa.Dialect] = {
    "sqlite": registry.load("sqlite.pysqlite")(),
    "postgresql": registry.load("postgresql.psycopg")(paramstyle="numeric_dollar"),
}
FILTER_SETS: list[card_page_statements.FilterNames] = [
    frozenset(),
    frozenset({"q", "label_id", "assignee_id", "overdue_at"}),
    frozenset({"status", "due_from", "due_until", "updated_since", "deleted_since"}),
]
FLAGS = [False, True]
ANY_VALUES = {column.name: 1 for table in metadata.tables.values() for column in table.columns} | dict.fromkeys(
    (
        *("actor_id", "from_board_id", "label_id", "limit", "now", "origin", "pattern", "previous_value"),
        *("assignee_id", "due_from", "due_until", "overdue_at", "since", "token_id", "until", "updated_since"),
        *("after_name", "latest", "owner", "seen_batch_to", "previous_value"),
        *("deleted_since", "last_board_id", "last_id", "max_count"),
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
        *vars(feed_readers).items(),
        *vars(webhooks).items(),
        *vars(card_page_statements).items(),
    ):
        candidates = value.values() if isinstance(value, dict) else [value]
        if name[0].isupper():
            statements.extend(
                candidate
                for candidate in candidates
                if isinstance(candidate, sa.Select | sa.Insert | sa.Update | sa.Delete)
            )
    for continued in FLAGS:
        statements.append(read_statements.select_deleted_lists(continued=continued))
        statements.append(read_statements.select_time_entries(continued=continued))
        statements.append(read_statements.select_comments(continued=continued))
        statements.append(read_statements.select_time_entries_with_cards(continued=continued))
        statements.append(read_statements.select_worked_time(continued=continued))
    use_lateral = engine == "postgresql"
    statements.append(card_page_statements.select_last_scanned_assignment(use_lateral=use_lateral))
    statements.extend(card_page_statements.select_assigned_cards(frozenset({"status"}), use_lateral=use_lateral))
    for scope, sort, filters, continued, state in itertools.product(
        card_page_statements.CARD_SCOPES, CardSort, FILTER_SETS, FLAGS, CardState
    ):
        statements.append(card_page_statements.select_cards(scope, sort, state, filters, continued=continued))
        for narrowing in card_page_statements.list_narrowings(sort, filters):
            statements.append(card_page_statements.count_candidates(narrowing, state, filters))
            statements.append(
                card_page_statements.select_narrowed_cards(narrowing, scope, sort, state, filters, continued=continued)
            )
    for state, filters in itertools.product(CardState, FILTER_SETS):
        statements.append(card_page_statements.select_cards_by_position(state, filters, use_lateral=use_lateral))
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
    assert read_statements.select_comments(continued=True) is read_statements.select_comments(continued=True)


def test_a_missing_parameter_is_an_error() -> None:
    with pytest.raises(KeyError):
        PreparedStatement(read_statements.BOARD, DIALECTS["sqlite"]).bind({"board_id": "brd_1"})
