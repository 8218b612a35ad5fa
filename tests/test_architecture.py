"""Who may know whom, what nothing may be called, and how long a file may grow."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

MAY_IMPORT = {
    "kanban": set(),
    "usecases": {"kanban"},
    "handlers": {"kanban", "usecases"},
    "stores": {"kanban", "alembic", "botocore", "orjson", "psycopg", "sqlalchemy", "yaml"},
    "contract": {"connexion", "jsonschema_rs", "orjson", "starlette"},
    "app": {"contract", "handlers", "kanban", "usecases"},
    "cli": {"app", "contract", "handlers", "ijson", "kanban", "server", "stores", "tqdm", "usecases", "wsgi"},
    "server": {"contract", "waitress"},
    "wsgi": {"app", "contract", "stores"},
    "aws": {"contract", "kanban", "serverless_wsgi"},
    "lambda_wsgi_handler": {"app", "aws", "stores"},
    "infrastructure": {"botocore", "contract"},
    "tools/openapi": {"app", "contract", "server", "yaml"},
    "tools/clients": {"httpx", "tackboard_client"},
    "tools/traffic_validators": {"openapi_core", "werkzeug"},
}
"""Each room of the house, and what it may import besides the standard library and itself: all that is not here is
forbidden, so that SQLAlchemy stays in stores, connexion in contract, and kanban knows neither."""

EMPTY_WORDS = {"utils", "helpers", "manager", "service", "impl", "abstract"}
"""Words that say nothing about what a thing is for."""

MAX_LINES = 900


def package_of(file: Path) -> str:
    first, *rest = file.relative_to(ROOT).with_suffix("").parts
    return f"{first}/{rest[0]}" if first == "tools" else first


SOURCES = sorted(
    file for file in ROOT.rglob("*.py") if not file.relative_to(ROOT).parts[0].startswith((".", "node_modules"))
)
PACKAGES = sorted(
    {package_of(file) for file in SOURCES} - {"tests", "tools/__init__", "tools/benchmarks", "tools/screenshots"}
)


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


def parse_sources() -> Iterator[tuple[Path, ast.Module]]:
    for file in SOURCES:
        yield file, ast.parse(file.read_text(), file)


def imported_modules(tree: ast.AST) -> Iterator[str]:
    """The first part of every module that is imported, wherever in the file; '.' for a relative import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." if node.level else (node.module or "").partition(".")[0]


def test_every_room_has_its_row() -> None:
    assert sorted(MAY_IMPORT) == PACKAGES


@pytest.mark.parametrize("room", PACKAGES)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    allowed = MAY_IMPORT[room] | {room.partition("/")[0]} | sys.stdlib_module_names
    found = {
        f"{name_of(file)} imports {module}"
        for file, tree in parse_sources()
        if package_of(file) == room
        for module in imported_modules(tree)
        if module not in allowed
    }

    assert not found


def test_no_name_is_one_that_says_nothing() -> None:
    found = set()
    for file, tree in parse_sources():
        names = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef | ast.FunctionDef)}
        # The name of a test is a sentence about the world, which has base paths and services.
        spoken = {name for name in names if name.startswith("test_")}
        for name in (names - spoken) | {*file.relative_to(ROOT).with_suffix("").parts}:
            words = re.findall(r"[a-z]+|[A-Z][a-z]*", name)
            if EMPTY_WORDS & {word.lower() for word in words}:
                found.add(f"{name_of(file)}: {name}")

    assert not found


def test_no_file_is_longer_than_one_purpose_needs() -> None:
    found = {name_of(file): lines for file in SOURCES if (lines := file.read_text().count("\n")) > MAX_LINES}

    assert not found
