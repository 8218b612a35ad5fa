"""What has been released, and what may follow it.

`spec/released/{version}.json` is the bundle of a release, as it was. The gate compares with the newest one. An API
that nobody could have built on breaks nobody: before the first release the folder is empty, and so is the gate.
"""

import itertools
import json
import re
from pathlib import Path

from pipeline.breaking import breaks, differences
from pipeline.bundle import Node
from pipeline.findings import BUNDLE, ROOT, SPEC, Finding
from pipeline.sources import place_of

RELEASED = SPEC / "released"
CHANGELOG = ROOT / "CHANGELOG.md"
CONTRACT_CHANGELOG = ROOT / "docs" / "contract-changelog.md"

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_OF_ONE_STATUS = re.compile(r" (?:for the response status `\d+`|with the `\d+` status)")
_MOST_LISTED = 6
"""Operations that a line of the changelog names; more are counted."""


class CannotRelease(Exception):
    """A release that must not be; the message says what to do."""


def version_of(document: Node) -> tuple[int, ...]:
    """The version of a document as three numbers; raises CannotRelease for any other."""
    match = _VERSION.fullmatch(str(document["info"]["version"]))
    if match is None:
        raise CannotRelease("info.version is three numbers, such as 1.4.0.")
    return tuple(map(int, match.groups()))


def releases(folder: Path = RELEASED) -> list[Node]:
    """Every released bundle, oldest first."""
    return sorted((json.loads(file.read_text()) for file in folder.glob("*.json")), key=version_of)


def gate(current: Node, folder: Path = RELEASED, changelog: Path = CHANGELOG) -> list[Finding]:
    """What breaks the newest release: nothing, once a break has a new major version and a line in the changelog."""
    known = releases(folder)
    if not known:
        return []
    found = [Finding(place_of(each.at), each.rule, each.says) for each in breaks(known[-1], current)]
    if not found:
        return []
    version = version_of(current)
    if version[0] > version_of(known[-1])[0] and _is_told(changelog, current["info"]["version"]):
        return []
    said = "To break it on purpose, raise the major version and write a line with **Breaking** into CHANGELOG.md."
    return [*found, Finding(place_of(("info", "version")), "breaking", said)]


def _is_told(changelog: Path, version: str) -> bool:
    """Whether the changelog has a line with **Breaking** for this version, or for what is not released yet."""
    sections = re.split(r"^## ", changelog.read_text(), flags=re.MULTILINE)
    return any(
        "**Breaking**" in section for section in sections if section.startswith(("Unreleased", version, f"[{version}]"))
    )


def release(bundle: Path = BUNDLE, folder: Path = RELEASED, changelog: Path = CHANGELOG) -> Path:
    """Keep the bundle as a release; raises CannotRelease when it breaks the one before, or has its version."""
    document = json.loads(bundle.read_text())
    known = releases(folder)
    if known and version_of(document) <= version_of(known[-1]):
        raise CannotRelease(f"{known[-1]['info']['version']} is released: raise info.version in spec/openapi.yaml.")
    if found := gate(document, folder, changelog):
        raise CannotRelease("\n".join(map(str, found)))
    folder.mkdir(exist_ok=True)
    kept = folder / f"{document['info']['version']}.json"
    kept.write_bytes(bundle.read_bytes())
    return kept


def contract_changelog(current: Node, folder: Path = RELEASED) -> str:
    """The changelog of the contract, newest first, made from the differences between the bundles."""
    known = releases(folder)
    text = "# Changes of the contract\n\nMade from the bundles in `spec/released/` by `make release` and `make spec`.\n"
    if not known:
        return f"{text}\nNothing is released yet: version {current['info']['version']} will be the first.\n"
    steps = list(itertools.pairwise(known))
    if differences(known[-1], current):
        steps.append((known[-1], current))
    for before, after in reversed(steps):
        is_kept = after in known
        text += f"\n## {after['info']['version'] if is_kept else 'Not released yet'}\n{_told(before, after)}"
    return f"{text}\n## {known[0]['info']['version']}\n\nThe first release.\n"


def _told(before: Node, after: Node) -> str:
    broken = breaks(before, after)
    told = {remark.says for remark in broken}
    added = [each for each in differences(before, after) if each["text"] not in told]
    parts = {
        "Breaking": [(each.says, _operation(*each.at[1:3])) for each in broken],
        "Added and changed": [(each["text"], _operation(each.get("path"), each.get("operation"))) for each in added],
    }
    return "".join(f"\n### {heading}\n\n{_lines(found)}" for heading, found in parts.items() if found)


def _lines(found: list[tuple[str, str]]) -> str:
    """A line for each thing that is told, with the operations where it is so, whatever the status of their answer.

    They are sorted: oasdiff tells the same things in another order each time.
    """
    places: dict[str, dict[str, None]] = {}
    for text, operation in sorted(found):
        places.setdefault(_OF_ONE_STATUS.sub("", text), {})[operation] = None
    return "".join(f"- {text}{_where([each for each in known if each])}\n" for text, known in places.items())


def _where(operations: list[str]) -> str:
    if not operations:
        return ""
    listed = ", ".join(operations) if len(operations) <= _MOST_LISTED else f"{len(operations)} operations"
    return f": {listed}"


def _operation(path: object = None, method: object = None, *_: object) -> str:
    return f"`{str(method).upper()} {path}`" if path and method else ""
