"""Validate that a document is one whole export: complete, no duplicates, no dangling references, no limit exceeded."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping

from kanban import card_size
from kanban.errors import Unprocessable
from kanban.interchange import export_document
from kanban.interchange.export_document import JsonObject
from kanban.limits import MAX_CARDS_PER_LIST, MAX_CHECKLISTS_PER_CARD, MAX_COMMENTS_PER_CARD
from kanban.ordering import ranks
from kanban.text import fold
from kanban.timekeeping import timestamps
from kanban.values import Link

MAX_TOTAL_SECONDS = 10**12
"""Total time of an export: less than half of what a response can express, so that clocks can go on."""

MAX_TOTAL_COST_MINOR = 10**15
"""Total cost of an export in minor units: less than half of what an engine can store, so that clocks can go on."""

_SECONDS_PER_HOUR = 3600


class BrokenExport(Unprocessable):
    """Raised when a document is not one whole export of a board, or was changed."""

    code = "broken_export"

    def __init__(self, field: str, message: str) -> None:
        """Take the JSON Pointer of what is wrong, without its first slash, and the message."""
        super().__init__(message)
        self.field = field


def validate_export(document: JsonObject) -> None:
    """Raise BrokenExport if the document is not one whole export."""
    _validate_completeness(document)
    _validate_uniqueness(document)
    _validate_references(document)
    _validate_counts(document)
    _validate_card_sizes(document)
    _validate_totals(document)
    if document["digest"] is not None and document["digest"] != export_document.compute_digest(document):
        raise BrokenExport("digest", "The export was changed or cut off: its digest does not match its contents.")


def _validate_completeness(document: JsonObject) -> None:
    if document["next_cursor"] is not None:
        raise BrokenExport("next_cursor", "This is not the whole export: more pages follow. Join all of them first.")


def _validate_uniqueness(document: JsonObject) -> None:
    """Raise BrokenExport if an id, or another value that must be unique, occurs twice."""
    for kind in ("lists", "labels", "cards", "checklists", "comments", "time_entries"):
        _validate_unique_field(document, kind, "id", lambda value: value["id"])
    _validate_unique_field(document, "members", "user_id", lambda value: value["user_id"])
    _validate_unique_field(document, "labels", "name", lambda value: fold(value["name"]))
    _validate_unique_field(document, "cards", "place", lambda value: (value["list_id"], value["place"]))
    for kind in ("lists", "cards"):
        _validate_unique_field(document, kind, "external_id", lambda value: value["external_id"])


def _validate_unique_field(
    document: JsonObject, kind: str, field: str, get_value: Callable[[JsonObject], object]
) -> None:
    seen_values: set[object] = {None}
    for number, object_ in enumerate(document[kind]):
        value = get_value(object_)
        if value in seen_values and value is not None:
            raise BrokenExport(f"{kind}/{number}/{field}", f"Two {_humanize(kind)} have the same {_humanize(field)}.")
        seen_values.add(value)


def _validate_references(document: JsonObject) -> None:
    """Raise BrokenExport if a reference is dangling, or a card's position or dates are invalid."""
    list_ids, label_ids, card_ids = ({value["id"] for value in document[kind]} for kind in ("lists", "labels", "cards"))
    user_ids = {member["user_id"] for member in document["members"]}
    for number, card in enumerate(document["cards"]):
        path = f"cards/{number}"
        _validate_known([card["list_id"]], list_ids, f"{path}/list_id", "list")
        _validate_known(card["label_ids"], label_ids, f"{path}/label_ids", "label")
        _validate_known(card["assignee_ids"], user_ids, f"{path}/assignee_ids", "member")
        if not ranks.is_rank(card["place"]):
            raise BrokenExport(f"{path}/place", "The place of a card is not a valid rank.")
        if (
            card["start_at"]
            and card["due_at"]
            and timestamps.parse_utc(card["due_at"]) < timestamps.parse_utc(card["start_at"])
        ):
            raise BrokenExport(f"{path}/due_at", "A card is due before it starts.")
    for kind in ("checklists", "comments", "time_entries"):
        for number, value in enumerate(document[kind]):
            _validate_known([value["card_id"]], card_ids, f"{kind}/{number}/card_id", "card")
    for number, checklist in enumerate(document["checklists"]):
        for item_number, item in enumerate(checklist["items"]):
            if item["assignee_id"] is not None:
                field = f"checklists/{number}/items/{item_number}/assignee_id"
                _validate_known([item["assignee_id"]], user_ids, field, "member")


def _validate_known(ids: Iterable[str], known_ids: Collection[str], field: str, kind: str) -> None:
    if any(id_ not in known_ids for id_ in ids):
        raise BrokenExport(field, f"Something names a {kind} that is not in the export.")


def _validate_counts(document: JsonObject) -> None:
    """Raise BrokenExport if a list or a card holds more than it may."""
    active_cards = Counter(card["list_id"] for card in document["cards"] if card["archived_at"] is None)
    _validate_maximum(active_cards, MAX_CARDS_PER_LIST, "cards", "A list", "cards in use")
    checklists = Counter(checklist["card_id"] for checklist in document["checklists"])
    _validate_maximum(checklists, MAX_CHECKLISTS_PER_CARD, "checklists", "A card", "checklists")
    comments = Counter(comment["card_id"] for comment in document["comments"])
    _validate_maximum(comments, MAX_COMMENTS_PER_CARD, "comments", "A card", "comments")


def _validate_card_sizes(document: JsonObject) -> None:
    """Raise BrokenExport if a card is larger than a card may be."""
    for number, card in enumerate(document["cards"]):
        links = [Link(link["url"], link["title"]) for link in card["links"]]
        if card_size.compute_stored_bytes(card["title"], card["description"], links) > card_size.MAX_STORED_BYTES:
            raise BrokenExport(f"cards/{number}/description", "A card has more text than can be kept.")


def _validate_totals(document: JsonObject) -> None:
    """Raise BrokenExport if the time entries add up to more than a response or an engine can hold."""
    seconds = rate_seconds = 0
    for entry in document["time_entries"]:
        if entry["ended_at"] is not None:
            entry_seconds = int(
                (timestamps.parse_utc(entry["ended_at"]) - timestamps.parse_utc(entry["started_at"])).total_seconds()
            )
            seconds += max(0, entry_seconds)
            rate_seconds += max(0, entry_seconds) * entry["hourly_rate_minor"]
    if seconds > MAX_TOTAL_SECONDS or rate_seconds > MAX_TOTAL_COST_MINOR * _SECONDS_PER_HOUR:
        raise BrokenExport("time_entries", "The time entries add up to more than a board can hold.")


def _validate_maximum(counts: Mapping[str, int], maximum: int, field: str, holder: str, things: str) -> None:
    if any(count > maximum for count in counts.values()):
        raise BrokenExport(field, f"{holder} holds at most {maximum} {things}.")


def _humanize(name: str) -> str:
    return name.replace("_", " ")
