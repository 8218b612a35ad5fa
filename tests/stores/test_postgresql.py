"""What only PostgreSQL has: opening a database, its tables, and the plans of its queries."""

import itertools
import re
import subprocess
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from kanban import lists
from kanban.values import Stage
from stores import StoreOpenError, open_store
from stores.sql import migrations, read_statements, write_statements
from stores.sql.engine import find_constraint_by_name
from stores.sql.statement_cache import PreparedStatement
from stores.sql.tables import metadata
from tests.engines.postgresql_server import PostgresqlServer
from tests.stores.sql_queries import FLAGS, list_queries
from tests.stores.world import World

ROOT = Path(__file__).parents[2]
SECRET = "p4ss-wörd"
PERCENT = "p4ss-w%C3%B6rd"


@pytest.fixture
def database(postgresql: PostgresqlServer) -> Iterator[str]:
    """Create a database without tables."""
    with postgresql.database() as name:
        yield name


@pytest.fixture
def world(postgresql: PostgresqlServer) -> Iterator[World]:
    """Create Ann and her board in the database that tests share."""
    with closing(open_store(postgresql.url("postgres"))) as store:
        postgresql.empty("postgres")
        yield World(store)


@pytest.fixture
def shell(postgresql: PostgresqlServer) -> Iterator[psycopg.Connection[Any]]:
    """Connect to the database that tests share, as psql does."""
    open_store(postgresql.url("postgres")).close()
    with closing(postgresql.connection()) as connection:
        yield connection


def run_program(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a program in its own process."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def open_error(url: str) -> str:
    """Return the message of the error for a URL, after checking that neither it nor its causes hold the password."""
    with pytest.raises(StoreOpenError) as error:
        open_store(url)
    assert "p4ss" not in "".join(traceback.format_exception(error.value))
    return str(error.value)


# Opening


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg:",
        "postgresql+psycopg://",
        f"postgresql+psycopg://ann:{PERCENT}@localhost",
        f"postgresql+psycopg://ann:{PERCENT}@localhost/",
        f"postgresql+psycopg://ann:{PERCENT}@localhost:port/tackboard",
        f"postgresql+psycopg://ann:{PERCENT}@[::1/tackboard",
    ],
)
def test_the_error_for_a_url_without_a_database_has_an_example(url: str) -> None:
    assert "postgresql+psycopg://user:password@host:5432/database" in open_error(url)


def test_the_error_for_an_at_sign_in_a_password_says_how_to_escape_it() -> None:
    assert open_error("postgresql+psycopg://ann:1@p4ss@localhost/tackboard") == (
        "STORE_URL has more than one '@': write one in a password as %40."
    )


def test_an_unknown_option_is_an_error() -> None:
    assert (
        open_error("postgresql+psycopg://localhost/tackboard?p4ss=1")
        == "STORE_URL has an option that libpq does not know."
    )


def test_the_error_for_an_unknown_host_names_it() -> None:
    url = f"postgresql+psycopg://ann:{PERCENT}@nowhere.invalid/tackboard"

    assert open_error(url) == "There is no host 'nowhere.invalid': check STORE_URL."


def test_the_error_for_a_closed_port_names_it() -> None:
    url = f"postgresql+psycopg://ann:{PERCENT}@127.0.0.1:1/tackboard"

    assert open_error(url) == ("No PostgreSQL runs at 127.0.0.1:1: start it, or check the host and port in STORE_URL.")


def test_the_error_for_a_missing_socket_names_it(tmp_path: Path) -> None:
    assert open_error(f"postgresql+psycopg://ann@/tackboard?host={tmp_path}") == (
        f"No PostgreSQL runs at {tmp_path}: start it, or check the host in STORE_URL."
    )


def test_a_wrong_password_is_an_error_and_the_right_one_works(postgresql: PostgresqlServer, database: str) -> None:
    where = f"127.0.0.1:{postgresql.port}"
    with closing(postgresql.connection()) as owner:
        owner.execute(f"CREATE USER guarded PASSWORD '{SECRET}'".encode())
        owner.execute(f"ALTER DATABASE {database} OWNER TO guarded".encode())
    message = f"PostgreSQL at {where} does not take the password of the user 'guarded': check STORE_URL."

    assert open_error(postgresql.url(database, "guarded:p4ss-wrong")) == message
    assert open_error(postgresql.url(database, "guarded")) == message
    open_store(postgresql.url(database, f"guarded:{PERCENT}")).close()


def test_the_error_for_a_missing_database_names_it(postgresql: PostgresqlServer) -> None:
    assert open_error(postgresql.url("missing")) == (
        f"PostgreSQL at 127.0.0.1:{postgresql.port} has no database 'missing': "
        "make it with createdb, or check STORE_URL."
    )


def test_the_error_for_a_missing_user_names_it(postgresql: PostgresqlServer) -> None:
    assert open_error(postgresql.url("postgres", f"zoe:{PERCENT}")) == (
        f"PostgreSQL at 127.0.0.1:{postgresql.port} has no user 'zoe': make one with createuser, or check STORE_URL."
    )


def test_other_errors_of_libpq_are_passed_on_in_its_words(postgresql: PostgresqlServer, database: str) -> None:
    assert open_error(f"{postgresql.url(database)}?sslmode=require") == (
        f"PostgreSQL at 127.0.0.1:{postgresql.port} cannot be used: server does not support SSL, but SSL was required."
    )


@pytest.mark.parametrize("table", ["notes", "alembic_version"])
def test_a_database_of_another_program_is_not_touched(postgresql: PostgresqlServer, database: str, table: str) -> None:
    with closing(postgresql.connection(database)) as other:
        other.execute(f"CREATE TABLE {table} (version_num TEXT)".encode())

        assert open_error(postgresql.url(database)) == (
            f"The database '{database}' at 127.0.0.1:{postgresql.port} is not a Tackboard database: "
            "let STORE_URL name another, or an empty one."
        )
        tables = other.execute("SELECT relname FROM pg_stat_user_tables").fetchall()
    assert tables == [(table,)]


def test_a_database_of_a_newer_tackboard_is_not_touched(postgresql: PostgresqlServer, database: str) -> None:
    open_store(postgresql.url(database)).close()
    with closing(postgresql.connection(database)) as newer:
        newer.execute("UPDATE tackboard_schema SET version_num = '9999'")

    assert open_error(postgresql.url(database)) == (
        f"The database '{database}' at 127.0.0.1:{postgresql.port} was made by a newer Tackboard "
        f"(schema 9999; this one knows up to {migrations.HEAD}): run that one."
    )


def test_a_database_of_an_older_tackboard_is_migrated_once(
    postgresql: PostgresqlServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_store(postgresql.url(database)).close()
    upgrades = []

    def upgrade(connection: sa.Connection) -> None:
        upgrades.append(connection.exec_driver_sql("UPDATE tackboard_schema SET version_num = '9998'"))

    monkeypatch.setattr("stores.sql.migrations.HEAD", "9998")
    monkeypatch.setattr("stores.sql.migrations.upgrade", upgrade)

    with ThreadPoolExecutor(4) as pool:
        for store in pool.map(open_store, [postgresql.url(database)] * 4):
            store.close()

    assert len(upgrades) == 1


def test_a_migration_that_fails_is_an_error_and_writes_nothing(
    postgresql: PostgresqlServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(connection: sa.Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE half (id TEXT)")
        connection.exec_driver_sql("SELECT * FROM missing")

    with monkeypatch.context() as patched:
        patched.setattr("stores.sql.migrations.upgrade", fails)
        assert open_error(postgresql.url(database)).endswith('cannot be used: relation "missing" does not exist.')

    open_store(postgresql.url(database)).close()


def test_several_processes_can_open_a_new_database_at_once(postgresql: PostgresqlServer, database: str) -> None:
    code = "import sys; from stores import open_store; s = open_store(sys.argv[1]); print(s.read_secret()); s.close()"

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: run_program(code, postgresql.url(database)), range(4)))

    assert [answer.stderr for answer in answers] == [""] * 4
    assert len({answer.stdout for answer in answers}) == 1


def test_alembic_is_loaded_only_to_migrate(postgresql: PostgresqlServer, database: str) -> None:
    code = "import sys; from stores import open_store; open_store(sys.argv[1]).close(); print('alembic' in sys.modules)"

    assert run_program(code, postgresql.url(database)).stdout == "True\n"
    assert run_program(code, postgresql.url(database)).stdout == "False\n"


def test_a_user_without_permission_to_create_tables_is_an_error(postgresql: PostgresqlServer, database: str) -> None:
    with closing(postgresql.connection(database)) as owner:
        owner.execute("CREATE USER visitor")
        owner.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")

    assert open_error(postgresql.url(database, "visitor")) == (
        f"The database '{database}' at 127.0.0.1:{postgresql.port} does not let the user 'visitor' keep tables: "
        "make that user its owner."
    )


def test_a_read_only_database_is_an_error(postgresql: PostgresqlServer, database: str) -> None:
    with closing(postgresql.connection()) as owner:
        owner.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = on".encode())

    assert open_error(postgresql.url(database)).endswith("takes no writes: let STORE_URL name the primary server.")


def test_a_database_that_is_not_utf8_is_an_error(postgresql: PostgresqlServer) -> None:
    with postgresql.database("ENCODING 'LATIN1' LOCALE 'C'") as name:
        message = open_error(postgresql.url(name))

    assert message.endswith("keeps text as LATIN1: make one with createdb --encoding=UTF8 --template=template0.")


def test_a_database_without_a_schema_is_an_error(postgresql: PostgresqlServer, database: str) -> None:
    with closing(postgresql.connection(database)) as owner:
        owner.execute("DROP SCHEMA public")

    assert "has no schema to put tables in" in open_error(postgresql.url(database))


def test_a_server_that_is_too_old_is_an_error(
    postgresql: PostgresqlServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stores.sql.postgresql._MIN_SERVER_VERSION", 990_000)

    assert open_error(postgresql.url(database)).startswith("Tackboard needs PostgreSQL 14 or newer: ")


def test_the_tables_can_be_in_any_schema(postgresql: PostgresqlServer, database: str) -> None:
    with closing(postgresql.connection(database)) as owner:
        owner.execute("CREATE TABLE notes (id TEXT)")
        owner.execute("CREATE SCHEMA tackboard")

    with closing(open_store(postgresql.url(database))) as store:
        World(store).add_card("Copy")

    with closing(postgresql.connection(database)) as owner:
        assert owner.execute("SELECT title FROM tackboard.cards").fetchall() == [("Copy",)]


# Tables


def test_the_migrations_create_exactly_the_schema(postgresql: PostgresqlServer) -> None:
    columns = """
        SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull, collname
        FROM pg_attribute JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_collation ON pg_collation.oid = attcollation
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND attnum > 0 AND relname <> 'request_usage'
    """
    # How much callers have used of their limits is no data: another engine keeps it elsewhere, and no backup has it.
    keys = """
        SELECT conname, conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conrelid <> coalesce(to_regclass('request_usage'), 0::regclass)
    """
    indexes = """
        SELECT tablename, indexname, indexdef FROM pg_indexes
        WHERE schemaname = 'public' AND tablename <> 'request_usage'
    """
    described = []
    with postgresql.database() as migrated, postgresql.database() as created:
        open_store(postgresql.url(migrated)).close()
        engine = sa.create_engine(postgresql.url(created), poolclass=sa.NullPool)
        metadata.create_all(engine)
        for name in (migrated, created):
            with closing(postgresql.connection(name)) as connection:
                results = [{*connection.execute(query).fetchall()} for query in (columns, keys, indexes)]
            described.append([{row for row in rows if migrations.VERSION_TABLE not in row} for rows in results])

    assert described[0] == [
        {row for row in rows if not str(row[0]).startswith(migrations.VERSION_TABLE)} for rows in described[1]
    ]
    assert all(described[0])


def test_the_tables_are_readable_with_plain_sql(world: World, shell: psycopg.Connection[Any]) -> None:
    world.add_card("Copy", "Doing", external_id="x-1")

    cards = shell.execute("SELECT title, status, external_id FROM cards WHERE started_at = '2026-11-20 12:00Z'")
    events = shell.execute("""SELECT type, data ->> 'title' FROM events WHERE data @> '{"stage": "in_progress"}'""")

    assert cards.fetchall() == [("Copy", "in_progress", "x-1")]
    assert events.fetchall() == [("card.created", "Copy")]


def test_a_cards_status_follows_its_list_even_when_it_is_deleted(world: World, shell: psycopg.Connection[Any]) -> None:
    card = world.add_card("Copy")
    world.delete_card(card)

    world.apply(lists.update, world.find_list("To do").id, patch={"stage": Stage.DONE})

    assert shell.execute("SELECT status FROM cards").fetchall() == [("done",)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cards SET status = 'done'",
        "UPDATE cards SET list_id = 'lst_none'",
        "UPDATE cards SET tracked_seconds = -1",
        "UPDATE lists SET stage = 'later'",
        "UPDATE lists SET card_count = 5001",
        "UPDATE lists SET rank = 'a0'",
        "UPDATE boards SET hourly_rate_minor = 100000001",
        "UPDATE members SET role = 'king'",
        "UPDATE events SET actor_id = 'usr_none'",
        "UPDATE time_entries SET ended_at = '2026-11-20 11:59:59Z'",
        "DELETE FROM users",
    ],
)
def test_constraints_reject_invalid_data(world: World, shell: psycopg.Connection[Any], statement: str) -> None:
    world.add_card("Copy", "Doing")

    with pytest.raises(psycopg.IntegrityError):
        shell.execute(statement.encode())


# Plans


QUERIES = list_queries(for_members=True)
WRITES: dict[str, sa.Update | sa.Delete] = {
    **{
        name: value
        for name, value in vars(write_statements).items()
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
}
DIALECT = sa.dialects.registry.load("postgresql.psycopg")(paramstyle="numeric_dollar")


def explain(shell: psycopg.Connection[Any], statement: sa.Select[Any] | sa.Update | sa.Delete) -> str:
    """Return PostgreSQL's plan for a statement with any parameters, if it scans and sorts only where it must."""
    text = PreparedStatement(statement, DIALECT).text
    nulls = ", ".join("NULL" for _ in {*re.findall(r"\$\d+", text)})
    for setting in ("enable_seqscan = off", "enable_sort = off", "enable_bitmapscan = off"):
        shell.execute(f"SET {setting}".encode())
    shell.execute("SET plan_cache_mode = force_generic_plan")
    shell.execute(f"PREPARE asked AS {text}".encode())
    steps = shell.execute(f"EXPLAIN EXECUTE asked({nulls})".encode() if nulls else b"EXPLAIN EXECUTE asked").fetchall()
    return "\n".join(step for (step,) in steps)


@pytest.mark.parametrize("name", QUERIES)
def test_no_query_sorts_or_scans(shell: psycopg.Connection[Any], name: str) -> None:
    steps = explain(shell, QUERIES[name])

    assert "Seq Scan" not in steps
    # Sorted are all cards of a board, list by list, with their checklists; and the items of a card's checklists.
    assert "Sort" not in steps or name.startswith(("select_cards_with_checklists", "CHECKLIST_ITEMS"))


@pytest.mark.parametrize("continued", FLAGS)
def test_time_entries_are_found_by_their_end_in_an_index(shell: psycopg.Connection[Any], *, continued: bool) -> None:
    steps = explain(shell, read_statements.select_time_entries_with_cards(continued=continued))

    assert re.search(r"ix_time_entries_worked on time_entries entry.*\n *Index Cond: .*COALESCE\(ended_at", steps)


@pytest.mark.parametrize("name", WRITES)
def test_no_write_scans(shell: psycopg.Connection[Any], name: str) -> None:
    assert "Seq Scan" not in explain(shell, WRITES[name])


def test_every_unique_key_has_a_word_in_the_port(shell: psycopg.Connection[Any]) -> None:
    unique = shell.execute(
        "SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
        "WHERE indisunique AND relnamespace = 'public'::regnamespace AND relname NOT LIKE 'tackboard_schema%' "
        "AND relname <> 'pk_request_usage'"
    ).fetchall()

    assert {find_constraint_by_name(name) for (name,) in unique} >= {"user", "card.external_id", "idempotency_key"}
