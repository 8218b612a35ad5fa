"""What has been released, and what may follow it.

`spec/released/{version}.json` is the bundle of a release, as it was. The gate compares with the newest one. An API
that nobody could have built on breaks nobody: before the first release the folder is empty, and so is the gate.
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
"""Operations that a line of the changelog names; more are counted."""


class CannotRelease(Exception):
    """A release that must not be; the message says what to do."""


def parse_version(document: Node) -> tuple[int, ...]:
    """The version of a document as three numbers; raises CannotRelease for any other."""
    match = _VERSION_PATTERN.fullmatch(str(document["info"]["version"]))
    if match is None:
        raise CannotRelease("info.version is three numbers, such as 1.4.0.")
    return tuple(map(int, match.groups()))


def load_releases(folder: Path = RELEASES_FOLDER) -> list[Node]:
    """Every released bundle, oldest first."""
    return sorted((json.loads(file.read_text()) for file in folder.glob("*.json")), key=parse_version)


def find_unannounced_breaks(
    current: Node, folder: Path = RELEASES_FOLDER, changelog: Path = CHANGELOG_FILE
) -> list[Finding]:
    """What breaks the newest release: nothing, once a break has a new major version and a line in the changelog."""
    known = load_releases(folder)
    if not known:
        return []
    found = [
        Finding(locate(each.pointer), each.rule, each.message) for each in find_breaking_changes(known[-1], current)
    ]
    if not found:
        return []
    version = parse_version(current)
    if version[0] > parse_version(known[-1])[0] and _is_announced(changelog, current["info"]["version"]):
        return []
    said = "To break it on purpose, raise the major version and write a line with **Breaking** into CHANGELOG.md."
    return [*found, Finding(locate(("info", "version")), "breaking", said)]


def _is_announced(changelog: Path, version: str) -> bool:
    """Whether the changelog has a line with **Breaking** for this version, or for what is not released yet."""
    sections = re.split(r"^## ", changelog.read_text(), flags=re.MULTILINE)
    return any(
        "**Breaking**" in section for section in sections if section.startswith(("Unreleased", version, f"[{version}]"))
    )


def write_release(bundle: Path = BUNDLE, folder: Path = RELEASES_FOLDER, changelog: Path = CHANGELOG_FILE) -> Path:
    """Keep the bundle as a release; raises CannotRelease when it breaks the one before, or has its version."""
    document = json.loads(bundle.read_text())
    known = load_releases(folder)
    if known and parse_version(document) <= parse_version(known[-1]):
        raise CannotRelease(f"{known[-1]['info']['version']} is released: raise info.version in spec/openapi.yaml.")
    if found := find_unannounced_breaks(document, folder, changelog):
        raise CannotRelease("\n".join(map(str, found)))
    folder.mkdir(exist_ok=True)
    kept = folder / f"{document['info']['version']}.json"
    kept.write_bytes(bundle.read_bytes())
    return kept


def build_contract_changelog(current: Node, folder: Path = RELEASES_FOLDER) -> str:
    """The changelog of the contract, newest first, made from the differences between the bundles."""
    known = load_releases(folder)
    text = "# Changes of the contract\n\nMade from the bundles in `spec/released/` by `make release` and `make spec`.\n"
    if not known:
        return f"{text}\nNothing is released yet: version {current['info']['version']} will be the first.\n"
    steps = list(itertools.pairwise(known))
    if list_changes(known[-1], current):
        steps.append((known[-1], current))
    for before, after in reversed(steps):
        is_kept = after in known
        text += (
            f"\n## {after['info']['version'] if is_kept else 'Not released yet'}\n{_describe_changes(before, after)}"
        )
    return f"{text}\n## {known[0]['info']['version']}\n\nThe first release.\n"


def _describe_changes(before: Node, after: Node) -> str:
    broken = find_breaking_changes(before, after)
    told = {remark.message for remark in broken}
    added = [each for each in list_changes(before, after) if each["text"] not in told]
    parts = {
        "Breaking": [(each.message, _format_operation(*each.pointer[1:3])) for each in broken],
        "Added and changed": [
            (each["text"], _format_operation(each.get("path"), each.get("operation"))) for each in added
        ],
    }
    return "".join(f"\n### {heading}\n\n{_format_changes(found)}" for heading, found in parts.items() if found)


def _format_changes(found: list[tuple[str, str]]) -> str:
    """A line for each thing that is told, with the operations where it is so, whatever the status of their answer.

    They are sorted: oasdiff tells the same things in another order each time.
    """
    places: dict[str, dict[str, None]] = {}
    for text, operation in sorted(found):
        places.setdefault(_STATUS_PATTERN.sub("", text), {})[operation] = None
    return "".join(
        f"- {text}{_format_operations([each for each in known if each])}\n" for text, known in places.items()
    )


def _format_operations(operations: list[str]) -> str:
    if not operations:
        return ""
    listed = ", ".join(operations) if len(operations) <= _MAX_LISTED_OPERATIONS else f"{len(operations)} operations"
    return f": {listed}"


def _format_operation(path: object = None, method: object = None, *_: object) -> str:
    return f"`{str(method).upper()} {path}`" if path and method else ""
