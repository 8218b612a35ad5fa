"""The migrations create the tables that `stores.sql.tables` describes."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from stores.sql import migrations
from stores.sql.tables import metadata

FOLDER = Path(migrations.__file__).parent


def sorted_clauses(text: str) -> list[str]:
    """Return the clauses of a CREATE in sorted order, because a column that a later version added is the last."""
    text = re.sub(r"\s+", " ", text)
    first, last = text.index("("), text.rindex(")")
    depth, clauses = 0, [""]
    for sign in text[first + 1 : last]:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == "," and depth == 0:
            clauses.append("")
        else:
            clauses[-1] += sign
    return sorted(clause.strip() for clause in (*clauses, text[last + 1 :]))


def read_schema(connection: sqlite3.Connection) -> dict[str, list[str]]:
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {name: sorted_clauses(text) for name, text in rows}


def test_the_migrations_create_exactly_the_schema(empty_sqlite: Path) -> None:
    with closing(sqlite3.connect(empty_sqlite)) as migrated:
        made = read_schema(migrated)
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.connect() as connection:
        expected = {
            name: sorted_clauses(text)
            for name, text in connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        }
    engine.dispose()

    assert made.pop(migrations.VERSION_TABLE)
    assert made == expected


def test_head_is_the_latest_version() -> None:
    assert ScriptDirectory(str(FOLDER)).get_heads() == [migrations.HEAD]


def test_versions_are_numbered_without_gaps() -> None:
    revisions = [revision.revision for revision in ScriptDirectory(str(FOLDER)).walk_revisions()]

    assert sorted(revisions) == [f"{number:04d}" for number in range(1, len(revisions) + 1)]


RELEASED_SCHEMAS = {"1.0.0": "0002", "1.1.0": "0003", "1.2.0": "0003"}
"""The version of the schema that each release has. Processes of the last one may run while a later one migrates."""

HARMLESS_CONSTRAINTS = {"uq_members_user"}
"""Unique indexes that were added to a table of before, and hold whatever an earlier process writes."""

Columns = dict[str, tuple[str, bool, bool]]
"""The type of each column, whether it must have a value, and whether it has one if a statement gives none."""


def read_columns(connection: sa.Connection) -> dict[str, Columns]:
    tables = sa.inspect(connection).get_table_names()
    return {
        table: {
            name: (kind, bool(is_required), default is not None)
            for _, name, kind, is_required, default, _ in connection.exec_driver_sql(f"PRAGMA table_info({table})")
        }
        for table in tables
    }


def read_constraints(connection: sa.Connection) -> dict[str, set[str]]:
    """Return what each table refuses: its checks, references and unique indexes."""
    inspector = sa.inspect(connection)
    constraints = {}
    for table in inspector.get_table_names():
        checks = {str(check["sqltext"]) for check in inspector.get_check_constraints(table)}
        references = {str(sorted(map(str, key.items()))) for key in inspector.get_foreign_keys(table)}
        rows = connection.exec_driver_sql(f"PRAGMA index_list({table})").fetchall()
        constraints[table] = (
            checks | references | {row[1] for row in rows if row[2] and not row[1].startswith("sqlite_")}
        )
    return constraints


def test_a_process_of_the_last_release_can_go_on_after_every_migration() -> None:
    """It writes and reads the tables, the columns and the values that it knows: none of these may go or be refused."""
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(FOLDER))
        config.attributes["connection"] = connection
        command.upgrade(config, max(RELEASED_SCHEMAS.values()))
        columns, constraints = read_columns(connection), read_constraints(connection)
        for number in range(int(max(RELEASED_SCHEMAS.values())) + 1, int(migrations.HEAD) + 1):
            command.upgrade(config, f"{number:04}")
            after, refused = read_columns(connection), read_constraints(connection)
            for table, before in columns.items():
                assert before.items() <= after[table].items(), f"{number:04} changes or removes columns of {table}"
                added = after[table].keys() - before.keys()
                demanded = {name for name in added if after[table][name][1:] == (True, False)}
                assert not demanded, f"{number:04} demands values of new columns of {table}"
                new = refused[table] - constraints[table] - HARMLESS_CONSTRAINTS
                assert not new, f"{number:04} refuses more in {table}"
            columns, constraints = after, refused
    engine.dispose()
