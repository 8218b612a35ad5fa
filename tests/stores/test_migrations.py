"""The migrations create the tables that `stores.sql.tables` describes."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
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
