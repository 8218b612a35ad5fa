"""Keep the bundles of releases, and check that the document doesn't break the newest of them.

`spec/released/{version}.json` is the bundle of that release. Before the first release the folder is empty, and every
change is allowed.
"""

import itertools
import json
import re
from pathlib import Path

from tools.openapi.breaking_changes import find_breaking_changes, list_changes
from tools.openapi.bundle import Node
from tools.openapi.findings import BUNDLE, ROOT, SPEC, Finding
from tools.openapi.source_locations import locate

RELEASES_FOLDER = SPEC / "released"
CHANGELOG_FILE = ROOT / "CHANGELOG.md"
CONTRACT_CHANGELOG_FILE = ROOT / "docs" / "contract-changelog.md"

_VERSION_PATTERN = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_STATUS_PATTERN = re.compile(r" (?:for the response status `\d+`|with the `\d+` status)")
_MAX_LISTED_OPERATIONS = 6
"""The most operations that a line of the changelog names. If there are more, it says how many."""
_NAMES_PATTERN = re.compile(r"`[\w.#/]+(?:, [\w.#/]+)+`")
_SCHEMA_PATTERN = re.compile(r"\[#/components/schemas/\w+\]")
_MAX_LISTED_SCHEMAS = 3
"""The most schemas with the same change that have a line each. If there are more, one line says how many."""


class CannotRelease(Exception):
    """Raised when the document can't be released. The message says what to do."""


def parse_version(document: Node) -> tuple[int, ...]:
    """Return the version of a document as three numbers. Raises CannotRelease for any other form."""
    match = _VERSION_PATTERN.fullmatch(str(document["info"]["version"]))
    if match is None:
        raise CannotRelease("info.version must be three numbers, such as 1.4.0.")
    return tuple(map(int, match.groups()))


def load_releases(folder: Path = RELEASES_FOLDER) -> list[Node]:
    """Return every released bundle, oldest first."""
    return sorted((json.loads(file.read_text()) for file in folder.glob("*.json")), key=parse_version)


def find_unannounced_breaks(
    current: Node, folder: Path = RELEASES_FOLDER, changelog: Path = CHANGELOG_FILE
) -> list[Finding]:
    """Find what breaks the newest release.

    Breaks are allowed with a new major version and a line with **Breaking** in the changelog.
    """
    releases = load_releases(folder)
    if not releases:
        return []
    findings = [
        Finding(locate(breaking.pointer), breaking.rule, breaking.message)
        for breaking in find_breaking_changes(releases[-1], current)
    ]
    if not findings:
        return []
    version = parse_version(current)
    if version[0] > parse_version(releases[-1])[0] and _is_announced(changelog, current["info"]["version"]):
        return []
    advice = "To break it on purpose, raise the major version and write a line with **Breaking** into CHANGELOG.md."
    return [*findings, Finding(locate(("info", "version")), "breaking", advice)]


def _is_announced(changelog: Path, version: str) -> bool:
    """Return whether the changelog has a line with **Breaking** for this version or for unreleased changes."""
    sections = re.split(r"^## ", changelog.read_text(), flags=re.MULTILINE)
    return any(
        "**Breaking**" in section for section in sections if section.startswith(("Unreleased", version, f"[{version}]"))
    )


def write_release(bundle: Path = BUNDLE, folder: Path = RELEASES_FOLDER, changelog: Path = CHANGELOG_FILE) -> Path:
    """Copy the bundle to the releases. Raises CannotRelease if it breaks the one before, or has its version."""
    document = json.loads(bundle.read_text())
    releases = load_releases(folder)
    if releases and parse_version(document) <= parse_version(releases[-1]):
        raise CannotRelease(f"{releases[-1]['info']['version']} is released: raise info.version in spec/openapi.yaml.")
    if findings := find_unannounced_breaks(document, folder, changelog):
        raise CannotRelease("\n".join(map(str, findings)))
    folder.mkdir(exist_ok=True)
    file = folder / f"{document['info']['version']}.json"
    file.write_bytes(bundle.read_bytes())
    return file


def build_contract_changelog(current: Node, folder: Path = RELEASES_FOLDER) -> str:
    """Build the changelog of the contract from the differences between the bundles, newest first."""
    releases = load_releases(folder)
    text = "# Changes of the contract\n\nMade from the bundles in `spec/released/` by `make release` and `make spec`.\n"
    if not releases:
        return f"{text}\nNothing is released yet: version {current['info']['version']} will be the first.\n"
    upgrades = list(itertools.pairwise(releases))
    if list_changes(releases[-1], current):
        upgrades.append((releases[-1], current))
    for before, after in reversed(upgrades):
        is_released = after in releases
        heading = after["info"]["version"] if is_released else "Not released yet"
        text += f"\n## {heading}\n{_describe_changes(before, after)}"
    return f"{text}\n## {releases[0]['info']['version']}\n\nThe first release.\n"


def _describe_changes(before: Node, after: Node) -> str:
    breaks = find_breaking_changes(before, after)
    messages = {remark.message for remark in breaks}
    added = [change for change in list_changes(before, after) if change["text"] not in messages]
    parts = {
        "Breaking": [(breaking.message, _format_operation(*breaking.pointer[1:3])) for breaking in breaks],
        "Added and changed": [
            (_sort_names(change["text"]), _format_operation(change.get("path"), change.get("operation")))
            for change in added
        ],
    }
    return "".join(f"\n### {heading}\n\n{_format_changes(changes)}" for heading, changes in parts.items() if changes)


def _format_changes(changes: list[tuple[str, str]]) -> str:
    """Return a line for each change, with its operations. The same change at several statuses is one line.

    Lines are sorted: oasdiff returns changes in a different order each time.
    """
    texts_by_pattern: dict[str, set[str]] = {}
    for text, _ in changes:
        texts_by_pattern.setdefault(_SCHEMA_PATTERN.sub("[]", text), set()).add(text)
    operations_by_text: dict[str, dict[str, None]] = {}
    for text, operation in sorted(changes):
        pattern = _SCHEMA_PATTERN.sub("[]", text)
        count = len(texts_by_pattern[pattern])
        line = pattern.replace("[]", f"[{count} schemas]", 1) if count > _MAX_LISTED_SCHEMAS else text
        operations_by_text.setdefault(_STATUS_PATTERN.sub("", line), {})[operation] = None
    return "".join(
        f"- {text}{_format_operations([operation for operation in operations if operation])}\n"
        for text, operations in operations_by_text.items()
    )


def _sort_names(text: str) -> str:
    """Sort the names in each list of a change, whose order is another one each time."""
    return _NAMES_PATTERN.sub(lambda names: f"`{', '.join(sorted(names[0].strip('`').split(', ')))}`", text)


def _format_operations(operations: list[str]) -> str:
    if not operations:
        return ""
    listed = ", ".join(operations) if len(operations) <= _MAX_LISTED_OPERATIONS else f"{len(operations)} operations"
    return f": {listed}"


def _format_operation(path: object = None, method: object = None, *_: object) -> str:
    return f"`{str(method).upper()} {path}`" if path and method else ""
