"""The Python files of the repository, for tests that read them. Each is parsed once."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]

SOURCES = sorted(
    file for file in ROOT.rglob("*.py") if not file.relative_to(ROOT).parts[0].startswith((".", "node_modules"))
)


@cache
def parse(file: Path) -> ast.Module:
    """Return the syntax tree of a file. Don't change it: other tests read the same tree."""
    return ast.parse(file.read_text(), file)


@cache
def walk(file: Path) -> tuple[ast.AST, ...]:
    """Return every node of a file, in no particular order."""
    return tuple(ast.walk(parse(file)))


def relative_path(file: Path) -> str:
    """Return the path of a file from the root of the repository, such as `kanban/cards.py`."""
    return str(file.relative_to(ROOT))


def package_of(file: Path) -> str:
    """Return the package that a file belongs to: its first folder, or two levels below `tools`."""
    first, *rest = file.relative_to(ROOT).with_suffix("").parts
    return f"{first}/{rest[0]}" if first == "tools" else first
