"""Exports: what a document of a whole board holds, and the digest that tells whether two boards are equal.

The digest is the sum, modulo 2^256, of the SHA-256 of every thing on the board, so it can be told while the board goes
by page by page, and does not depend on the order of the things in a document. What has no meaning elsewhere does not
count: ids, the board's `seq` and `external_id`, the names of people, and who exported it, when and where. Things are
told apart by their places instead: a list by its number, a card by its list and its rank, a checklist by its card and
its number.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from kanban.errors import Conflict

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

CardLocation = tuple[int, str]
"""Where a card is: the number of its list on the board, and its rank."""


class BoardChanged(Conflict):
    """Raised when the board changed between two pages of its export."""

    code = "board_changed"

    def __init__(self) -> None:
        super().__init__("The board was changed since the export was begun: begin again, without a cursor.")


class Digest:
    """The digest of a board, thing by thing. Begun with 0, or with the text of where another one has got."""

    def __init__(self, state: str = "0") -> None:
        self._sum = int(state, 16)

    def __str__(self) -> str:
        return f"{self._sum:064x}"

    def add(self, kind: str, value: JsonObject, *location: object) -> int:
        """Count one thing of the document; how many bytes it has, roughly."""
        told = [kind, *location, *(value[name] for name in _DIGEST_FIELDS[kind])]
        if kind == "checklist":
            told.append([[item[name] for name in _ITEM_FIELDS] for item in value["items"]])
        elif kind == "card":
            told += [sorted(value["assignee_ids"]), [[link["url"], link["title"]] for link in value["links"]]]
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        self._sum = (self._sum + int.from_bytes(sha256(text).digest(), "big")) % _MODULUS
        return len(text)

    def add_board(self, document: JsonObject) -> None:
        """Count the board itself, its lists, labels and members."""
        self.add("board", document["board"])
        for number, each in enumerate(document["lists"]):
            self.add("list", each, number)
        for kind in ("label", "member"):
            for each in document[f"{kind}s"]:
                self.add(kind, each)

    def add_card(self, card: JsonObject, list_number: int, label_names: Mapping[str, str]) -> int:
        """Count a card; `labels` are the names of the board's by id."""
        return self.add("card", card, list_number, sorted(label_names[each] for each in card["label_ids"]))


def compute_digest(document: JsonObject) -> str:
    """The digest of a whole document, of which every reference names something in it."""
    made = Digest()
    made.add_board(document)
    numbers = {each["id"]: number for number, each in enumerate(document["lists"])}
    labels = {each["id"]: each["name"] for each in document["labels"]}
    keys: dict[str, CardLocation] = {}
    for card in document["cards"]:
        number = numbers[card["list_id"]]
        keys[card["id"]] = (number, card["place"])
        made.add_card(card, number, labels)
    counted: Counter[str] = Counter()
    for checklist in document["checklists"]:
        made.add("checklist", checklist, keys[checklist["card_id"]], counted[checklist["card_id"]])
        counted[checklist["card_id"]] += 1
    for kind, name in (("comment", "comments"), ("time_entry", "time_entries")):
        for each in document[name]:
            made.add(kind, each, keys[each["card_id"]])
    return str(made)


def join_pages(pages: Sequence[JsonObject]) -> dict[str, Any]:
    """The whole document of all pages in their order: the first with what the others add, and how the last one ends."""
    arrays = {
        name: [each for page in pages for each in page[name]] for name, part in pages[0].items() if type(part) is list
    }
    return {**pages[0], **arrays, "digest": pages[-1]["digest"], "next_cursor": pages[-1]["next_cursor"]}


def build_external_id(document: JsonObject) -> str:
    """What a board made from this document is known by."""
    return f"{FORMAT}:{document['board']['id']}"


def is_imported(external_id: str | None) -> bool:
    """Say whether a board that is known by this was made by an import, of Tackboard's export or of Trello's."""
    return external_id is not None and external_id.startswith((f"{FORMAT}:", "trello:"))


def collect_user_names(document: JsonObject) -> dict[str, str]:
    """The names of all people in a document, by id."""
    return dict(_iterate_user_names(document))


def _iterate_user_names(document: JsonObject) -> Iterator[tuple[str, str]]:
    yield from ((each["author_id"], each["author_name"]) for each in document["comments"])
    yield from ((each["user_id"], each["user_name"]) for each in document["time_entries"])
    yield from ((each["user_id"], each["name"]) for each in document["members"])
