"""Names follow docs/style.md: its glossary, and its list of words that are not names."""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from tests.source_files import ROOT, SOURCES, package_of, parse, relative_path, walk

IRREGULAR_PARTICIPLES = frozenset(
    ("brought", "built", "drawn", "forgotten", "given", "kept", "made", "rewritten", "sent", "shown", "taken", "told",
     "written")
)  # fmt: skip
_CELL = re.compile(r"`([^`]+)`")


def table_rows(heading: str) -> list[list[str]]:
    """Return the rows of all tables below a heading of docs/style.md, without their heads."""
    page = (ROOT / "docs" / "style.md").read_text()
    section = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert section is not None, heading
    rows = [line.strip("| \n").split("|") for line in section[1].splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in rows if row[0].strip() not in ("Word", "Not")]


GLOSSARY = {word: meaning for words, meaning, *_ in table_rows("Glossary") for word in words.split(", ")}
SYNONYMS = {
    pattern: f"say {word}" for word, _, *rest in table_rows("Glossary") for pattern in _CELL.findall("".join(rest))
}
NOT_NAMES = {
    pattern: f"say {advice}"
    for names, advice in table_rows("Words that are not names")
    for pattern in _CELL.findall(names)
}


@cache
def words_of(name: str) -> tuple[str, ...]:
    """Split a name into its words, in lower case: `MAX_LABELS` and `MaxLabels` are `max` and `labels`."""
    return tuple(word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name))


def names_in(file: Path) -> Iterator[tuple[str, int]]:
    """Yield every name that a file binds, and its line: of functions, classes, parameters, variables and attributes."""
    for node in walk(file):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node.lineno
            case ast.arg(arg=name):
                yield name, node.lineno
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, node.lineno
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name, node.lineno


def why_not(name: str) -> str | None:
    """Say what to call this instead; return None for a name that may stay."""
    bare = name.lstrip("_")
    if bare.startswith("test_"):
        return None  # A sentence about the world.
    for pattern, advice in NOT_NAMES.items():
        if fnmatchcase(bare, pattern):
            return advice
    for pattern, advice in SYNONYMS.items():
        if fnmatchcase(bare, pattern) or any(fnmatchcase(word, pattern) for word in words_of(bare)):
            return advice
    return None


def singular(word: str) -> str:
    return f"{word[:-3]}y" if word.endswith("ies") else word.removesuffix("s")


def test_names_are_words_of_the_field() -> None:
    private = [
        f"{relative_path(file)}:{line} {name}: {advice}"
        for file in SOURCES
        for name, line in names_in(file)
        if (advice := why_not(name))
    ]

    assert private == []


def test_no_function_is_named_with_a_participle() -> None:
    participles = [
        f"{relative_path(file)}:{node.lineno} {node.name}"
        for file in SOURCES
        if package_of(file) != "tests"  # A fixture is named after what it yields.
        for node in walk(file)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if not any(ast.unparse(decorator) in ("property", "cached_property") for decorator in node.decorator_list)
        if re.fullmatch(r"[a-z]+ed", node.name.lstrip("_")) or node.name.lstrip("_") in IRREGULAR_PARTICIPLES
    ]

    assert participles == []


def test_a_limit_is_named_max_or_min() -> None:
    limits = [
        f"{relative_path(file)}:{node.lineno} {target.id}"
        for file in SOURCES
        for node in parse(file).body
        if isinstance(node, ast.Assign) and not isinstance(node.value, ast.Call)
        for target in node.targets
        if isinstance(target, ast.Name) and re.match(r"_?(MOST|LEAST|LONGEST|LARGEST|SMALLEST)_", target.id)
    ]

    assert limits == []


def test_no_module_has_the_name_of_one_of_the_standard_library() -> None:
    assert [relative_path(file) for file in SOURCES if file.stem in sys.stdlib_module_names] == []


def test_modules_of_the_same_name_are_about_a_word_of_the_glossary() -> None:
    files_by_name = defaultdict(set)
    for file in SOURCES:
        if package_of(file) != "tests" and not file.stem.startswith("__"):
            files_by_name[file.stem].add(relative_path(file))
    terms = {term.replace(" ", "_") for term in GLOSSARY}
    homonyms = {
        name: sorted(files)
        for name, files in files_by_name.items()
        if len(files) > 1 and not {name, singular(name)} & terms
    }

    assert homonyms == {}


def test_a_word_of_the_glossary_has_one_meaning() -> None:
    words = [word for words, *_ in table_rows("Glossary") for word in words.split(", ")]

    assert sorted(words) == sorted(set(words))
    assert [word for word, meaning in GLOSSARY.items() if not meaning] == []
    assert [word for word in words if why_not(word.replace(" ", "_"))] == []


def test_every_word_of_the_glossary_is_in_use() -> None:
    product = [file for file in SOURCES if package_of(file) != "tests"]
    names = {file.stem for file in product} | {name for file in product for name, _ in names_in(file)}
    words = {singular(word) for name in names for word in words_of(name)}

    assert [term for term in GLOSSARY if not {singular(word) for word in term.split()} <= words] == []


def test_the_changelog_says_nothing_twice() -> None:
    for release in (ROOT / "CHANGELOG.md").read_text().split("\n## ")[1:]:
        beginnings = [line[:60] for line in release.splitlines() if line.startswith("- ")]

        assert sorted(beginnings) == sorted(set(beginnings))
