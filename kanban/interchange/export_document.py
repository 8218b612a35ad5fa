"""The export document: its format, how its pages are joined, and the digest by which two boards are compared.

The digest is the sum, modulo 2^256, of the SHA-256 of each thing on the board. It can therefore be computed page by
page and does not depend on the order of things in a document. What has no meaning on another server does not count:
ids, the board's `seq` and `external_id`, people's names, and who exported the board, when and where. Things are
identified by location instead: a list by its number, a card by its list and its rank, a checklist by its card and its
number.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from kanban.errors import Conflict
from kanban.fields import describe
from kanban.values import Card, Checklist, Comment, List, TimeEntry

JsonObject = Mapping[str, Any]

FORMAT = "tackboard"
VERSION = 1

_MODULUS = 1 << 256
_TIMESTAMPS = ("created_at", "updated_at")
_ITEM_FIELDS = ("text", "done", "assignee_id", "due_at", *_TIMESTAMPS)
_DIGEST_FIELDS: dict[str, tuple[str, ...]] = {
    "board": ("name", "description", "currency", "hourly_rate_minor", "created_at", "archived_at"),
    "member": ("user_id", "role"),
    "label": ("name", "color", *_TIMESTAMPS),
    "list": ("name", "stage", "wip_limit", "wip_enforcement", "external_id", "archived_at", *_TIMESTAMPS),
    "card": (
        *("title", "description", "external_id", "place", "start_at", "due_at", "due_complete", "hourly_rate_minor"),
        *("started_at", "resolved_at", "archived_at", *_TIMESTAMPS),
    ),
    "checklist": ("name", *_TIMESTAMPS),
    "comment": ("author_id", "text", *_TIMESTAMPS),
    "time_entry": ("user_id", "started_at", "ended_at", "hourly_rate_minor", "note"),
}

_VALUE_TYPES: Mapping[str, type] = {
    "list": List,
    "card": Card,
    "checklist": Checklist,
    "comment": Comment,
    "time_entry": TimeEntry,
}
_LATER_FIXED_FIELDS: Mapping[str, tuple[tuple[str, object], ...]] = {"time_entry": (("recorded_by", None),)}
"""Fields that no patch sets and that were added after the first release, with their empty values."""

LATER_FIELDS = {
    kind: (
        *(
            (field.name, field.metadata["null"])
            for field in describe(value_type)
            if field.is_editable and field.is_plain and field.name not in _DIGEST_FIELDS[kind]
        ),
        *_LATER_FIXED_FIELDS.get(kind, ()),
    )
    for kind, value_type in _VALUE_TYPES.items()
}
"""Fields that were added after the first release, with their empty values.

A field counts only if it is not empty. So no earlier digest changes, and a board that comes from an earlier export
keeps its digest.
"""

CardLocation = tuple[int, str]
"""The location of a card: the number of its list on the board, and its rank."""


class BoardChanged(Conflict):
    """Raised when the board changed between two pages of its export."""

    code = "board_changed"

    def __init__(self) -> None:
        super().__init__("The board changed after the export began: begin again, without a cursor.")


class Digest:
    """The digest of a board, computed thing by thing. It starts at 0, or at the text of an unfinished digest."""

    def __init__(self, state: str = "0") -> None:
        self._sum = int(state, 16)

    def __str__(self) -> str:
        return f"{self._sum:064x}"

    def add(self, kind: str, value: JsonObject, *location: object) -> int:
        """Add one thing of the document; return its approximate size in bytes."""
        content = [kind, *location, *(value[name] for name in _DIGEST_FIELDS[kind])]
        content += [
            [name, value[name]]
            for name, empty in LATER_FIELDS.get(kind, ())
            if value.get(name) is not None and value[name] != empty
        ]
        if kind == "checklist":
            content.append([[item[name] for name in _ITEM_FIELDS] for item in value["items"]])
        elif kind == "card":
            content += [sorted(value["assignee_ids"]), [[link["url"], link["title"]] for link in value["links"]]]
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        self._sum = (self._sum + int.from_bytes(sha256(text).digest(), "big")) % _MODULUS
        return len(text)

    def add_board(self, document: JsonObject) -> None:
        """Add the board itself, its lists, labels and members."""
        self.add("board", document["board"])
        for number, list_ in enumerate(document["lists"]):
            self.add("list", list_, number)
        for kind in ("label", "member"):
            for value in document[f"{kind}s"]:
                self.add(kind, value)

    def add_card(self, card: JsonObject, list_number: int, label_names: Mapping[str, str]) -> int:
        """Add a card; `label_names` are the names of the board's labels by id."""
        return self.add("card", card, list_number, sorted(label_names[label_id] for label_id in card["label_ids"]))


def compute_digest(document: JsonObject) -> str:
    """Return the digest of a whole document whose references are all valid."""
    digest = Digest()
    digest.add_board(document)
    numbers = {list_["id"]: number for number, list_ in enumerate(document["lists"])}
    label_names = {label["id"]: label["name"] for label in document["labels"]}
    locations: dict[str, CardLocation] = {}
    for card in document["cards"]:
        number = numbers[card["list_id"]]
        locations[card["id"]] = (number, card["place"])
        digest.add_card(card, number, label_names)
    checklist_counts: Counter[str] = Counter()
    for checklist in document["checklists"]:
        digest.add("checklist", checklist, locations[checklist["card_id"]], checklist_counts[checklist["card_id"]])
        checklist_counts[checklist["card_id"]] += 1
    for kind, name in (("comment", "comments"), ("time_entry", "time_entries")):
        for value in document[name]:
            digest.add(kind, value, locations[value["card_id"]])
    return str(digest)


def build_external_id(document: JsonObject) -> str:
    """Return the external id of a board that is made from this document."""
    return f"{FORMAT}:{document['board']['id']}"


def is_imported(external_id: str | None) -> bool:
    """Return whether a board with this external id was made by an import from Tackboard or from Trello."""
    return external_id is not None and external_id.startswith((f"{FORMAT}:", "trello:"))


def collect_user_names(document: JsonObject) -> dict[str, str]:
    """Return the names of all people in a document, by user id."""
    return dict(_iterate_user_names(document))


def _iterate_user_names(document: JsonObject) -> Iterator[tuple[str, str]]:
    yield from ((comment["author_id"], comment["author_name"]) for comment in document["comments"])
    yield from ((entry["user_id"], entry["user_name"]) for entry in document["time_entries"])
    yield from ((member["user_id"], member["name"]) for member in document["members"])
