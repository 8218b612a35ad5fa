"""Every listing of the document costs the same in a large store as in a small one, on each SQL engine.

The listings are found in the document, so a new one is tested by itself, and so are new filters and orders; a new
parameter needs a value in `VALUES`. Each request is made of a small and of a large store, and the engine explains what
it does for it: SQLite in instructions, PostgreSQL in rows. Neither may grow, and no plan may scan or sort a table.
"""

import itertools
import json
import random
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest

from app.document import DOCUMENT_PATH
from app.factory import create_app
from kanban import tokens
from kanban.changes import ActionContext
from kanban.ids import IdGenerator
from kanban.values import Scope
from stores import open_store
from stores.sql.engine import Engine
from stores.sql.mapping import Row
from stores.sql.postgresql import SESSION_SETTINGS, PostgresEngine
from stores.sql.sqlite import SqliteEngine
from stores.sql.statement_cache import BoundStatement
from stores.sql.store import SqlStore
from tests.api.client import Client
from tests.engines.postgresql_server import PostgresqlServer
from tests.stores import large_store
from tests.stores.large_store import ANN, CARL, NOW

SCALES = (10, 40)
"""The sizes of the small and of the large store: what is bounded is at its bound in both."""
MAX_GROWTH, MAX_EXTRA_WORK = 1.3, 1_000
INSTRUCTIONS_PER_TICK = 20
MAX_INSTRUCTIONS = 1_000_000
"""After how many instructions SQLite is stopped, by far more than any listing takes."""
MAX_SORTED_ROWS = 1_000
SCANNED_ROWS = 1_000
"""A scan of a table with fewer rows than this is none, for PostgreSQL."""

LIMIT = "10"
VALUES: Mapping[str, Sequence[str]] = {
    "board_id": [large_store.BUSY_BOARD],
    "card_id": [large_store.LONG_CARD],
    "list_id": [large_store.TODO_LIST],
    "status": ["in_progress"],
    "label_id": [large_store.COMMON_LABEL, large_store.RARE_LABEL, large_store.UNUSED_LABEL],
    "assignee_id": [large_store.ANN, large_store.BOB, large_store.CARL],
    "due_from": ["2000-01-01T00:00:00Z", "2099-01-01T00:00:00Z"],
    "due_until": ["2000-01-01T00:00:00Z", "2099-01-01T00:00:00Z"],
    "updated_since": ["2000-01-01T00:00:00Z", "2099-01-01T00:00:00Z"],
    "q": ["card", "nothing of the kind"],
    "after": ["20"],
    "before": ["80"],
    "history": [large_store.BUSY_BOARD.replace("brd_", "hst_")],
    "type": ["card.created", "card.nonsense", "token.created"],
    "user_id": [large_store.ANN, large_store.CARL],
    "bot_id": [large_store.ROBOT],
    "token_id": ["tok_01m7wjcky0g2sttba3hfxfm7n6"],
    "wait": ["25"],
}
"""By parameter: values that match much, little and nothing."""

GROWING = {
    "q": "a text that no card has is looked for in all cards of the board that the other filters leave",
}
"""By parameter: why a listing with it may cost more on a larger board."""

DOCUMENT = json.loads(DOCUMENT_PATH.read_bytes())
Query = Mapping[str, str]


# What is asked


@dataclass(frozen=True)
class Listing:
    """An operation that answers page after page."""

    operation_id: str
    path: str
    parameters: tuple[Mapping[str, Any], ...]
    installation_role: str | None

    @property
    def user_ids(self) -> Sequence[str]:
        """The users who get it: only Ann is on the busy board, owns the installation and has a bot."""
        is_of_ann = self.installation_role == "owner" or "/boards/" in self.path or "/bots/" in self.path
        return [ANN] if is_of_ann else [ANN, CARL]

    def list_queries(self) -> Iterator[Query]:
        """Yield every order and state with every filter by itself, then pairs of filters."""
        limit: Query = {}
        orders: list[Query] = [{}]
        states: list[Query] = [{}]
        filters: list[list[Query]] = []
        for parameter in self.parameters:
            name, schema = parameter["name"], resolve(parameter["schema"])
            if name == "sort":
                orders = [{name: word} for word in schema["enum"]]
            elif name in ("archived", "deleted"):
                states.append({name: "true"})
            elif name == "limit":
                limit = {name: LIMIT}
            elif name != "cursor":
                values = ["true"] if schema["type"] == "boolean" else VALUES[name]
                filters.append([{name: value} for value in values])
        for parts in itertools.product(orders, states, [{}, *itertools.chain.from_iterable(filters)]):
            yield merge((limit, *parts))
        for pair in itertools.combinations(filters, 2):
            for parts in itertools.product([limit], *pair):
                if has_range(query := merge(parts)):
                    yield query


def merge(parts: Sequence[Query]) -> Query:
    return {name: value for part in parts for name, value in part.items()}


def has_range(query: Query) -> bool:
    """Return whether dates of cards can lie between those of the query."""
    return query.get("due_from", "") <= query.get("due_until", "~")


def resolve(node: Any) -> Any:
    """Return the node of the document, or the target of its reference."""
    while "$ref" in node:
        target = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def list_listings() -> Iterator[Listing]:
    for path, item in DOCUMENT["paths"].items():
        operation = item.get("get", {})
        parameters = [resolve(node) for node in (*item.get("parameters", ()), *operation.get("parameters", ()))]
        in_query = tuple(parameter for parameter in parameters if parameter["in"] == "query")
        if {"limit", "cursor"} & {parameter["name"] for parameter in in_query}:
            filled = re.sub(r"\{(\w+)\}", lambda match: VALUES[match[1]][0], path)
            role = operation.get("x-tackboard-installation-role")
            yield Listing(operation["operationId"], filled, in_query, role)


LISTINGS = {listing.operation_id: listing for listing in list_listings()}


# What the engines do for it


@dataclass(frozen=True)
class Cost:
    """The work for a statement, in a unit of the engine, and what is wrong with its plan."""

    work: int
    faults: tuple[str, ...] = ()


Measure = Callable[[str, tuple[Any, ...]], Cost]


class RecordingEngine:
    """An engine that records the queries that are read."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.statements: list[BoundStatement] = []

    def __getattr__(self, name: str) -> Any:
        """Return what the engine has."""
        return getattr(self._engine, name)

    def read(self, statements: Sequence[BoundStatement], *, stop_if_first_empty: bool = False) -> list[list[Row]]:
        """Read and record."""
        self.statements += statements
        return self._engine.read(statements, stop_if_first_empty=stop_if_first_empty)


class FilledStore:
    """A store of some size behind the application."""

    def __init__(self, engine: Engine, measures: Mapping[str, Measure]) -> None:
        self._engine = RecordingEngine(engine)
        self._measures = {name: cache(measure) for name, measure in measures.items()}
        store = SqlStore(self._engine)
        application = create_app(store, clock=lambda: NOW)
        self._clients = {user_id: Client(application, issue_token(store, user_id)) for user_id in (ANN, CARL)}
        self._ask = cache(self._read_pages)

    def close(self) -> None:
        """Close the store."""
        self._engine.close()

    def measure_worst_page(self, planner: str, user_id: str, path: str, query: Query) -> Cost:
        """Return the cost of the worse one of the first two pages."""
        pages = [self._measure(planner, page) for page in self._ask(user_id, path, tuple(query.items()))]
        return max(pages, key=lambda cost: (len(cost.faults), cost.work))

    def list_ids(self, user_id: str, path: str) -> list[str]:
        """Return the ids of the items of all pages."""
        ids: list[str] = []
        cursor = ""
        while cursor is not None:
            response = self._clients[user_id].get(f"{path}&cursor={cursor}" if cursor else path)
            ids += [item["id"] for item in response.json["items"]]
            cursor = response.json["next_cursor"]
        return ids

    def _measure(self, planner: str, statements: Sequence[BoundStatement]) -> Cost:
        costs = [self._measures[planner](text, tuple(values)) for text, values in statements]
        return Cost(sum(cost.work for cost in costs), tuple(fault for cost in costs for fault in cost.faults))

    def _read_pages(
        self, user_id: str, path: str, query: tuple[tuple[str, str], ...]
    ) -> list[Sequence[BoundStatement]]:
        """Return the queries that are read for the first two pages."""
        pages: list[Sequence[BoundStatement]] = []
        asked: dict[str, Any] = dict(query)
        while len(pages) < 2:
            self._engine.statements = []
            response = self._clients[user_id].get(f"{path}?{urlencode(asked)}" if asked else path)
            assert response.status == 200, (path, asked, response.json)
            pages.append(self._engine.statements)
            cursor = response.json.get("next_cursor")
            if cursor is None:
                break
            asked["cursor"] = cursor
            if "to_seq" in response.json:
                asked["after"] = response.json["to_seq"]
        return pages


def issue_token(store: SqlStore, user_id: str) -> str:
    random_bytes = random.Random(user_id).randbytes  # noqa: S311  (a test wants the same token again)
    context = ActionContext(user_id, NOW, IdGenerator(lambda: NOW, random_bytes))
    _, text, change = tokens.issue(context, random_bytes, user_id=user_id, name=user_id, scopes=[*Scope])
    store.commit(change)
    return text


def measure_sqlite(connection: sqlite3.Connection, text: str, values: tuple[Any, ...]) -> Cost:
    """Count the instructions of SQLite's virtual machine, and read the plan."""
    plan = [step[-1] for step in connection.execute(f"EXPLAIN QUERY PLAN {text}", values)]
    # Subqueries with these names hold no more than a page, or than the cards that are few enough to be sorted.
    is_bounded = " AS page" in text or " AS candidate" in text
    faults = [
        f"{step}: {text}"
        for step in plan
        if re.fullmatch(r"SCAN (?!page$|candidate$|CONSTANT ROW$).*", step)
        or ("TEMP B-TREE" in step and not is_bounded)
    ]
    ticks = itertools.count(1)
    connection.set_progress_handler(
        lambda: next(ticks) > MAX_INSTRUCTIONS // INSTRUCTIONS_PER_TICK, INSTRUCTIONS_PER_TICK
    )
    try:
        connection.execute(text, values).fetchall()
    except sqlite3.OperationalError:
        faults.append(f"More than {MAX_INSTRUCTIONS} instructions: {text}")
    connection.set_progress_handler(None, 1)
    return Cost(next(ticks) * INSTRUCTIONS_PER_TICK, tuple(faults))


def measure_postgresql(
    connection: psycopg.Connection[Any], plan_cache_mode: str, text: str, values: tuple[Any, ...]
) -> Cost:
    """Count the rows that PostgreSQL touches, and read the plan."""
    connection.execute(f"SET plan_cache_mode = {plan_cache_mode}".encode())
    connection.execute(f"PREPARE asked AS {text}".encode())
    arguments = ", ".join(psycopg.sql.Literal(value).as_string(connection) for value in values)
    execute = f"EXECUTE asked({arguments})" if values else "EXECUTE asked"
    try:
        (explained,) = connection.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {execute}".encode()).fetchall()
    finally:
        connection.execute("DEALLOCATE asked")
    work, faults = 0, []
    for node in walk_plan(explained[0][0]["Plan"]):
        rows = node["Actual Rows"] + sum(node.get(f"Rows Removed by {step}", 0) for step in _REMOVING_STEPS)
        work += int(rows * node["Actual Loops"])
        is_scan = node["Node Type"] == "Seq Scan" or ("Index Name" in node and "Index Cond" not in node)
        if (is_scan and rows > SCANNED_ROWS) or (node["Node Type"] == "Sort" and rows > MAX_SORTED_ROWS):
            faults.append(f"{node['Node Type']} of {rows} rows: {text}")
    return Cost(work, tuple(faults))


_REMOVING_STEPS = ("Filter", "Join Filter", "Index Recheck")


def walk_plan(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from walk_plan(child)


PLANNERS = {
    "sqlite": "sqlite",
    "sqlite with statistics": "sqlite",
    "postgresql, auto": "postgresql",
    "postgresql, force_generic_plan": "postgresql",
}
"""By what makes the plans: the engine. People may ANALYZE a file; PostgreSQL chooses between two kinds of plans."""


@contextmanager
def open_sqlite(empty: Path, folder: Path, scale: int) -> Iterator[FilledStore]:
    path = folder / f"{scale}.db"
    shutil.copy(empty, path)
    large_store.fill_sqlite(path, scale)
    analyzed = folder / f"{scale}-analyzed.db"
    shutil.copy(path, analyzed)
    with closing(sqlite3.connect(path)) as plain, closing(sqlite3.connect(analyzed)) as statistical:
        statistical.execute("ANALYZE")
        measures: dict[str, Measure] = {
            "sqlite": lambda text, values: measure_sqlite(plain, text, values),
            "sqlite with statistics": lambda text, values: measure_sqlite(statistical, text, values),
        }
        with closing(FilledStore(SqliteEngine(path, 5.0), measures)) as store:
            yield store


@contextmanager
def open_postgresql(server: PostgresqlServer, scale: int) -> Iterator[FilledStore]:
    with server.database() as name:
        open_store(server.url(name)).close()
        with closing(server.connection(name)) as connection:
            large_store.fill_postgresql(connection, scale)
            connection.execute(SESSION_SETTINGS.format(timeout=0).encode())
            measures: dict[str, Measure] = {
                f"postgresql, {mode}": lambda text, values, mode=mode: measure_postgresql(
                    connection, mode, text, values
                )  # type: ignore[misc]
                for mode in ("auto", "force_generic_plan")
            }
            conninfo = f"host=127.0.0.1 port={server.port} user=tackboard dbname={name}"
            with closing(FilledStore(PostgresEngine(conninfo, 5.0), measures)) as store:
                yield store


@pytest.fixture(scope="module")
def open_stores(
    request: pytest.FixtureRequest, empty_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], tuple[FilledStore, FilledStore]]]:
    """Return a function that returns a small and a large store in an engine."""
    with ExitStack() as stack:

        @cache
        def open_of(engine: str) -> tuple[FilledStore, ...]:
            if engine == "sqlite":
                folder = tmp_path_factory.mktemp("large")
                return tuple(stack.enter_context(open_sqlite(empty_sqlite, folder, scale)) for scale in SCALES)
            server = request.getfixturevalue("postgresql")
            return tuple(stack.enter_context(open_postgresql(server, scale)) for scale in SCALES)

        yield open_of  # type: ignore[misc]


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("operation_id", LISTINGS)
def test_no_listing_scans_sorts_or_costs_more_in_a_larger_store(
    open_stores: Callable[[str], tuple[FilledStore, FilledStore]], operation_id: str, planner: str
) -> None:
    listing = LISTINGS[operation_id]
    small, large = open_stores(PLANNERS[planner])
    faults: list[object] = []

    for query in listing.list_queries():
        for user_id in listing.user_ids:
            cost, larger_cost = (
                store.measure_worst_page(planner, user_id, listing.path, query) for store in (small, large)
            )
            faults += [(query, fault) for fault in larger_cost.faults]
            if larger_cost.work > MAX_GROWTH * cost.work + MAX_EXTRA_WORK and not GROWING.keys() & query.keys():
                faults.append((user_id, query, f"{cost.work} becomes {larger_cost.work}"))

    assert faults == []


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_pages_that_end_early_lead_to_all_items(
    open_stores: Callable[[str], tuple[FilledStore, FilledStore]], engine: str
) -> None:
    store, _ = open_stores(engine)
    count = 100 * SCALES[0]

    for path, first in [
        ("/boards?limit=100", 2 * count),
        ("/boards?archived=true&limit=100", count),
        ("/boards?deleted=true&limit=100", 0),
    ]:
        expected = [f"brd_{number:026d}" for number in range(first, first + count)]
        if "=true" not in path:
            expected.append(large_store.BUSY_BOARD)
        assert store.list_ids(CARL, path) == expected[::-1]
    assert len(set(store.list_ids(CARL, "/users/me/tokens?limit=100"))) == count + 1
    assert len(set(store.list_ids(CARL, "/users/me/sessions?limit=100"))) == count
    assert store.list_ids(CARL, "/cards?limit=100") == []
    assigned = store.list_ids(ANN, "/cards?limit=100")
    assert assigned == store.list_ids(
        ANN, f"/boards/{large_store.BUSY_BOARD}/cards?assignee_id=me&sort=created_at&limit=100"
    )
    assert len(assigned) > 400
    # Between the few that are overdue, more assignments are looked through than for one page.
    assert store.list_ids(ANN, "/cards?overdue=true&limit=100") == store.list_ids(
        ANN, f"/boards/{large_store.BUSY_BOARD}/cards?assignee_id=me&overdue=true&sort=created_at&limit=100"
    )


def test_the_listings_of_the_document_are_found() -> None:
    assert {"list_cards", "list_assigned_cards", "list_boards", "list_tokens", "export_board", "list_events"} <= {
        *LISTINGS
    }
    assert sum(1 for _ in LISTINGS["list_cards"].list_queries()) > 400
