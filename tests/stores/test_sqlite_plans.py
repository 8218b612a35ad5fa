"""The plans of SQLite's queries: none reads a whole table, and none sorts what an index could have in order."""

import itertools
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.dml import ReturningDelete

from kanban.store import Shelf, Sort
from stores import purging, sql_deleted, sql_people, sql_writes, statements

FLAGS = [False, True]
DUE: statements.Filters = frozenset({"due_from", "due_until", "overdue_at"})
FILTERS: list[statements.Filters] = [
    frozenset(),
    frozenset({"q"}),
    frozenset({"label_id", "assignee_id"}),
    DUE | {"updated_since"},
]
QUERIES: dict[str, sa.Select[object]] = {
    **{
        name: value
        for name, value in (*vars(statements).items(), *vars(sql_people).items())
        if isinstance(value, sa.Select) and name[0].isupper()
    },
    **{f"RANK_BEYOND {side}": query for side, query in statements.RANK_BEYOND.items()},
    **{f"tokens_page {flag}": sql_people.tokens_page(continued=flag) for flag in FLAGS},
    **{
        f"boards_page {archived} {flag}": statements.boards_page(archived=archived, continued=flag)
        for archived, flag in itertools.product(FLAGS, FLAGS)
    },
    **{f"deleted_boards_page {flag}": sql_deleted.boards_page(continued=flag) for flag in FLAGS},
    **{f"deleted_lists_page {flag}": sql_deleted.lists_page(continued=flag) for flag in FLAGS},
    **{f"time_entries_page {flag}": statements.time_entries_page(continued=flag) for flag in FLAGS},
    **{f"comments_page {flag}": statements.comments_page(continued=flag) for flag in FLAGS},
    **{f"worked_page {flag}": statements.worked_page(continued=flag) for flag in FLAGS},
    **{
        f"assigned_page {sorted(filters)} {flag} {part}": query
        for filters, flag in itertools.product([frozenset(), DUE | {"status"}], FLAGS)
        for part, query in enumerate(statements.assigned_page(filters, continued=flag))
    },
    **{
        f"cards_in_order {shelf} {sorted(filters)}": statements.cards_in_order(shelf, filters, lateral=False)
        for shelf, filters in itertools.product(Shelf, FILTERS)
    },
    **{
        f"cards_page {scope} {sort} {sorted(filters)} {continued}": statements.cards_page(
            scope, sort, Shelf.IN_USE, filters, continued=continued
        )
        for scope, sort, filters, continued in itertools.product(statements.CARD_SCOPES, Sort, FILTERS, FLAGS)
        if sort is not Sort.POSITION or scope == "list"
    },
}
WRITES = {
    **{
        name: value
        for name, value in vars(sql_writes).items()
        if isinstance(value, sa.Update | sa.Delete) and name[0].isupper()
    },
    **{
        f"{name} {table}": statement
        for name in ("UPDATE_PERSON", "UPDATE_PART", "DELETE_PART")
        for table, statement in getattr(sql_writes, name).items()
    },
    **{
        f"{name} {number}": statement
        for name in ("STRIP_CARD", "CARRY_PARTS")
        for number, statement in enumerate(getattr(sql_writes, name))
    },
    **{
        f"update_board {revives} {leaves}": sql_writes.update_board(revives=revives, leaves=leaves)
        for revives, leaves in itertools.product(FLAGS, FLAGS)
    },
    **{
        f"purge {name} {number}": statement
        for name, value in vars(purging).items()
        for number, statement in enumerate(value if isinstance(value, tuple) else (value,))
        if isinstance(statement, sa.Select | sa.Delete | ReturningDelete)
    },
}


BY_TIME = str(sorted(DUE | {"updated_since"}))


def plan(path: Path, statement: sa.Select[object] | sa.Update | sa.Delete) -> list[str]:
    """How SQLite goes about a statement."""
    prepared = statements.Prepared(statement, sqlite.dialect())
    with closing(sqlite3.connect(path)) as shell:
        steps = shell.execute(f"EXPLAIN QUERY PLAN {prepared.text}", [None] * prepared.text.count("?")).fetchall()
    return [step[-1] for step in steps]


@pytest.mark.parametrize("name", QUERIES)
def test_no_query_sorts_or_scans(empty_sqlite: Path, name: str) -> None:
    steps = plan(empty_sqlite, QUERIES[name])

    # Sorted are what one is assigned to, and what a filter by time has found in its index.
    is_sorted = name.startswith("assigned") or BY_TIME in name
    assert is_sorted or not [step for step in steps if "TEMP B-TREE" in step]
    # A page was found before: it is no table.
    assert not [step for step in steps if step.startswith("SCAN") and step != "SCAN page"]


@pytest.mark.parametrize("name", WRITES)
def test_no_write_scans(empty_sqlite: Path, name: str) -> None:
    assert not [step for step in plan(empty_sqlite, WRITES[name]) if step.startswith("SCAN")]


def test_the_plans_that_are_checked_are_those_of_all_queries() -> None:
    assert len(QUERIES) > 60
    assert {"BOARD", "CARD", "EVENTS", "LISTS", "OWNER", "TOKEN_HOLDER"} <= set(QUERIES)
    assert {"MOVE_CARD", "FREE_EXTERNAL_ID", "FORGET_EXPIRED"} <= set(WRITES)
    assert {"purge _CARDS_OF_BOARD 0", "purge _REST_OF_BOARD 3", "purge _PARTS_OF_CARD 2"} <= set(WRITES)


@pytest.mark.parametrize("continued", FLAGS)
def test_what_is_worked_on_is_found_by_its_end(empty_sqlite: Path, *, continued: bool) -> None:
    steps = plan(empty_sqlite, statements.worked_page(continued=continued))

    assert steps[0] == "SEARCH entry USING INDEX ix_time_entries_worked (board_id=? AND <expr>>?)"
