"""Which package may import which, and how large files and functions may grow."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import LONG_FILES
from tests.source_files import ROOT, SOURCES, package_of, relative_path, walk

MAX_FILES_AT_THE_ROOT = 18

MAY_IMPORT = {
    "kanban": set(),
    "usecases": {"kanban"},
    "handlers": {"kanban", "usecases"},
    "stores": {"kanban", "alembic", "botocore", "orjson", "psycopg", "sqlalchemy", "trimmed_import", "yaml"},
    "delivery": set(),
    "oidc": {"delivery", "jwt"},
    "readers": {"delivery", "kanban"},
    "contract": {"connexion", "jsonschema_rs", "orjson", "trimmed_import"},
    "app": {"contract", "delivery", "handlers", "kanban", "oidc", "opentelemetry", "orjson", "readers", "usecases"},
    "cli": {"app", "contract", "ijson", "kanban", "oidc", "readers", "server", "stores", "tqdm", "usecases", "wsgi"},
    "server": {"contract", "httptools", "prometheus_client", "uvicorn"},
    "wsgi": {"app", "contract", "stores"},
    "aws": {"botocore", "contract", "kanban", "readers", "serverless_wsgi"},
    "lambda_wsgi_handler": {"app", "aws", "stores"},
    "lambda_reader_handler": {"app", "aws", "stores"},
    "infrastructure": {"aws_cdk", "botocore", "contract"},
    "tools/openapi": {"app", "contract", "server", "yaml"},
    "tools/clients": {"httpx", "tackboard_client"},
    "tools/audit": set(),
    "tools/bill_of_materials": {"app"},
    "tools/documentation_files": set(),
    "tools/release_page": set(),
    "tools/settings_page": {"app"},
    "trimmed_import": set(),
    "tools/traffic_validators": {"openapi_core", "werkzeug"},
}
"""What each package may import besides the standard library and itself. Everything else is forbidden, so that only
`stores` knows SQLAlchemy, only `contract` knows connexion, and `kanban` knows neither."""

MAY_IMPORT_ANYTHING = {"tests", "tools/__init__", "tools/benchmarks", "tools/screenshots"}
"""Programs that use the product from outside, and compare it with others."""

MAX_FILE_LINES = 900
MAX_BODY_LINES = 60
"""Of a function, without its head and its docstring. 99 of 100 functions have at most 31."""

PACKAGES = sorted({package_of(file) for file in SOURCES} - MAY_IMPORT_ANYTHING)


def imported_modules(file: Path) -> Iterator[str]:
    """Yield the first part of every module that a file imports; '.' for a relative import."""
    for node in walk(file):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." if node.level else (node.module or "").partition(".")[0]


def count_body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_every_package_has_its_row() -> None:
    assert sorted(MAY_IMPORT) == PACKAGES


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_what_it_may(package: str) -> None:
    allowed = MAY_IMPORT[package] | {package.partition("/")[0]} | sys.stdlib_module_names
    forbidden = {
        f"{relative_path(file)} imports {module}"
        for file in SOURCES
        if package_of(file) == package
        for module in imported_modules(file)
        if module not in allowed
    }

    assert not forbidden


def test_no_file_is_too_long() -> None:
    lengths = {relative_path(file): file.read_text().count("\n") for file in SOURCES}

    assert {path: lines for path, lines in lengths.items() if lines > MAX_FILE_LINES} == {}


def test_no_function_is_too_long() -> None:
    too_long = {
        f"{relative_path(file)}::{node.name}": lines
        for file in SOURCES
        for node in walk(file)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (lines := count_body_lines(node)) > MAX_BODY_LINES
    }

    assert too_long == {}


def test_the_longest_files_of_tests_exist() -> None:
    """A renamed one would run in its alphabetical place again."""
    assert [name for name in LONG_FILES if not (Path(__file__).parent / name).is_file()] == []


def test_the_root_has_few_files() -> None:
    """What is in the way of a newcomer goes into a package; only ways in and what tools look for there stays."""
    command = ["git", "ls-files", "--", ":(glob)*"]
    files = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()

    assert len(files) <= MAX_FILES_AT_THE_ROOT
