"""Edits of the document, written down as data: what to change, and where."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Edit:
    """One edit: a sentence, and steps that are done one after the other.

    A step names a place (a JSON Pointer) and what happens there: `set` a value, `add` keys or items, `remove` it, or
    `drop` one item of a list.
    """

    description: str
    steps: list[dict[str, Any]]

    def apply_to(self, document: dict[str, Any]) -> dict[str, Any]:
        """Return an edited copy of the document. Raises LookupError if there is nothing to edit."""
        edited: dict[str, Any] = json.loads(json.dumps(document))  # much faster than copy.deepcopy
        for step in self.steps:
            _apply_step(edited, step)
        if edited == document:
            raise LookupError(f"{self.description}: the edit changes nothing.")
        return edited


def load_edits(file: Path) -> list[Edit]:
    """Load the edits of a file."""
    return [Edit(edit["says"], edit["do"]) for edit in yaml.safe_load(file.read_text())]


def _apply_step(document: dict[str, Any], step: dict[str, Any]) -> None:
    *above, last = step["at"].removeprefix("/").split("/")
    node: Any = document
    for name in above:
        node = node[_key(node, name)]
    key = _key(node, last)
    match step:
        case {"set": value}:
            node[key] = value
        case {"add": dict(more)}:
            node.setdefault(key, {}).update(more)
        case {"add": list(more)}:
            node.setdefault(key, []).extend(more)
        case {"drop": item}:
            node[key].remove(item)
        case _:
            del node[key]


def _key(node: Any, name: str) -> Any:
    plain = name.replace("~1", "/").replace("~0", "~")
    return int(plain) if isinstance(node, list) else plain
