"""The plans of SQLite's queries: none scans a whole table, and none sorts what an index has in order."""

import itertools
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.dml import ReturningDelete

from stores.sql import feed_readers, purge, read_statements, webhooks, write_statements
from stores.sql.statement_cache import PreparedStatement
from tests.stores.sql_queries import FLAGS, list_queries

ALL_QUERIES = list_queries(for_members=False)
WHOLE_TABLES = [name for name in ALL_QUERIES if name.startswith("ALL_")]
"""What a backup reads: every row of a table, in the order of its key."""
QUERIES = {name: query for name, query in ALL_QUERIES.items() if name not in WHOLE_TABLES}
WRITES = {
    **{
        name: value
        for module in (write_statements, feed_readers, webhooks)
        for name, value in vars(module).items()
        if isinstance(value, sa.Update | sa.Delete) and name[0].isupper()
    },
    **{
        f"{name} {table}": statement
        for name in ("UPDATE_IF_VERSION_MATCHES", "UPDATE_ON_BOARD", "DELETE_ON_BOARD")
        for table, statement in getattr(write_statements, name).items()
    },
    **{
        f"{name} {number}": statement
        for name in ("CLEAR_CARD_ROWS", "MOVE_PARTS")
        for number, statement in enumerate(getattr(write_statements, name))
    },
    **{f"reassign_items {count}": write_statements.reassign_items(count) for count in (0, 2)},
    **{
        f"update_board {restores} {actor_leaves}": write_statements.update_board(
            restores=restores, actor_leaves=actor_leaves
        )
        for restores, actor_leaves in itertools.product(FLAGS, FLAGS)
    },
    **{
        f"purge {name} {number}": statement
        for name, value in vars(purge).items()
        for number, statement in enumerate(value if isinstance(value, tuple) else (value,))
        if isinstance(statement, sa.Select | sa.Delete | ReturningDelete)
    },
}


def explain(path: Path, statement: sa.Select[object] | sa.Update | sa.Delete) -> list[str]:
    """Return the steps of SQLite's plan for a statement."""
    prepared = PreparedStatement(statement, sqlite.dialect())
    with closing(sqlite3.connect(path)) as shell:
        steps = shell.execute(f"EXPLAIN QUERY PLAN {prepared.text}", [None] * prepared.text.count("?")).fetchall()
    return [step[-1] for step in steps]


@pytest.mark.parametrize("name", QUERIES)
def test_no_query_sorts_or_scans(empty_sqlite: Path, name: str) -> None:
    steps = explain(empty_sqlite, QUERIES[name])

    # A subquery of this name holds no more than a page, and a sum of sums has no table.
    harmless = ("SCAN page", "SCAN CONSTANT ROW")
    scans = [step for step in steps if step.startswith("SCAN") and step not in harmless]
    assert not [*scans, *(step for step in steps if "TEMP B-TREE" in step)]


@pytest.mark.parametrize("name", WHOLE_TABLES)
def test_a_backup_reads_a_table_in_the_order_of_its_key_without_sorting(empty_sqlite: Path, name: str) -> None:
    steps = explain(empty_sqlite, ALL_QUERIES[name])

    assert [step for step in steps if step.startswith("SCAN") and "USING INDEX sqlite_autoindex_" not in step] == []
    assert not [step for step in steps if "TEMP B-TREE" in step]


@pytest.mark.parametrize("name", WRITES)
def test_no_write_scans(empty_sqlite: Path, name: str) -> None:
    # A common table expression of this name holds no more than a step of a purge erases.
    scans = [step for step in explain(empty_sqlite, WRITES[name]) if step.startswith("SCAN")]
    assert not [step for step in scans if step != "SCAN chosen"]


def test_the_plans_of_all_queries_are_checked() -> None:
    assert len(QUERIES) > 25
    assert {*WHOLE_TABLES} == {"ALL_CARDS", "ALL_TOKENS", "ALL_USERS"}
    assert {"BOARD", "CARD", "select_events True False", "LISTS", "FELLOWS", "TOKEN_AND_USER"} <= set(QUERIES)
    assert {"MOVE_CARD", "CLEAR_EXTERNAL_ID", "DELETE_SOME_EXPIRED_RECORDS"} <= set(WRITES)
    assert {"purge _CARDS_OF_BOARD 0", "purge _DELETE_BOARD_ROWS 3", "purge _DELETE_CARD_PARTS 2"} <= set(WRITES)


@pytest.mark.parametrize("continued", FLAGS)
@pytest.mark.parametrize("select", [read_statements.select_time_entries_with_cards, read_statements.select_worked_time])
def test_time_entries_are_found_by_their_end_in_an_index(
    empty_sqlite: Path, select: Callable[..., sa.Select[Any]], *, continued: bool
) -> None:
    steps = explain(empty_sqlite, select(continued=continued))

    assert steps[0] == "SEARCH entry USING INDEX ix_time_entries_worked (board_id=? AND <expr>>?)"
