"""What a document must be to be one whole export: every page, nothing twice, nothing dangling, no more than fits."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping

from kanban import exports, moments, ranks, sizes
from kanban.errors import BrokenExport
from kanban.exports import Shape
from kanban.text import folded
from kanban.values import MOST_CARDS, MOST_CHECKLISTS, MOST_COMMENTS, Link

MOST_SECONDS = 10**12
"""Of all work in an export: less than half of what an answer can say, so that clocks may go on."""

MOST_COST = 10**15
"""Of what it costs, in minor units: less than half of what an engine can hold of a card, so that clocks may go on."""

_SECONDS_PER_HOUR = 3600


def refuse_unsound(document: Shape) -> None:
    """Raise BrokenExport for what is not one whole export."""
    _refuse_pages(document)
    _refuse_twice(document)
    _refuse_dangling(document)
    _refuse_crowds(document)
    _refuse_long(document)
    _refuse_sums(document)
    if document["digest"] is not None and document["digest"] != exports.digest(document):
        raise BrokenExport("digest", "The export was changed or cut: its digest does not fit what it holds.")


def _refuse_pages(document: Shape) -> None:
    if document["next_cursor"] is not None:
        raise BrokenExport("next_cursor", "This is not the whole export: more pages follow. Join all of them first.")


def _refuse_twice(document: Shape) -> None:
    """Raise BrokenExport where an id, or another name that must be unique, stands twice."""
    for kind in ("lists", "labels", "cards", "checklists", "comments", "time_entries"):
        _refuse_equal(document, kind, "id", lambda each: each["id"])
    _refuse_equal(document, "members", "user_id", lambda each: each["user_id"])
    _refuse_equal(document, "labels", "name", lambda each: folded(each["name"]))
    _refuse_equal(document, "cards", "place", lambda each: (each["list_id"], each["place"]))
    for kind in ("lists", "cards"):
        _refuse_equal(document, kind, "external_id", lambda each: each["external_id"])


def _refuse_equal(document: Shape, kind: str, field: str, name: Callable[[Shape], object]) -> None:
    seen: set[object] = {None}
    for number, each in enumerate(document[kind]):
        found = name(each)
        if found in seen and found is not None:
            raise BrokenExport(f"{kind}/{number}/{field}", f"Two {_words(kind)} have the same {_words(field)}.")
        seen.add(found)


def _refuse_dangling(document: Shape) -> None:
    """Raise BrokenExport where something names what the document does not hold, or stands where nothing can be."""
    lists, labels, cards = ({each["id"] for each in document[kind]} for kind in ("lists", "labels", "cards"))
    members = {each["user_id"] for each in document["members"]}
    for number, card in enumerate(document["cards"]):
        at = f"cards/{number}"
        _refuse_unknown([card["list_id"]], lists, f"{at}/list_id", "list")
        _refuse_unknown(card["label_ids"], labels, f"{at}/label_ids", "label")
        _refuse_unknown(card["assignee_ids"], members, f"{at}/assignee_ids", "member")
        if not ranks.is_rank(card["place"]):
            raise BrokenExport(f"{at}/place", "A card stands at a place that cannot be.")
        if card["start_at"] and card["due_at"] and moments.read(card["due_at"]) < moments.read(card["start_at"]):
            raise BrokenExport(f"{at}/due_at", "A card is due before it starts.")
    for kind in ("checklists", "comments", "time_entries"):
        for number, each in enumerate(document[kind]):
            _refuse_unknown([each["card_id"]], cards, f"{kind}/{number}/card_id", "card")
    for number, checklist in enumerate(document["checklists"]):
        for place, item in enumerate(checklist["items"]):
            if item["assignee_id"] is not None:
                field = f"checklists/{number}/items/{place}/assignee_id"
                _refuse_unknown([item["assignee_id"]], members, field, "member")


def _refuse_unknown(named: Iterable[str], known: Collection[str], field: str, kind: str) -> None:
    if any(each not in known for each in named):
        raise BrokenExport(field, f"Something names a {kind} that is not in the export.")


def _refuse_crowds(document: Shape) -> None:
    """Raise BrokenExport where there is more of something than a list or a card holds."""
    in_use = Counter(each["list_id"] for each in document["cards"] if each["archived_at"] is None)
    _refuse_more(in_use, MOST_CARDS, "cards", "A list", "cards in use")
    checklists = Counter(each["card_id"] for each in document["checklists"])
    _refuse_more(checklists, MOST_CHECKLISTS, "checklists", "A card", "checklists")
    comments = Counter(each["card_id"] for each in document["comments"])
    _refuse_more(comments, MOST_COMMENTS, "comments", "A card", "comments")


def _refuse_long(document: Shape) -> None:
    """Raise BrokenExport for a card that takes more room than a card may."""
    for number, each in enumerate(document["cards"]):
        links = [Link(link["url"], link["title"]) for link in each["links"]]
        if sizes.kept_size(each["title"], each["description"], links) > sizes.MOST_KEPT:
            raise BrokenExport(f"cards/{number}/description", "A card has more text than can be kept.")


def _refuse_sums(document: Shape) -> None:
    """Raise BrokenExport where the work adds up to more than an answer can say, or an engine hold."""
    seconds = rate_seconds = 0
    for each in document["time_entries"]:
        if each["ended_at"] is not None:
            worked = int((moments.read(each["ended_at"]) - moments.read(each["started_at"])).total_seconds())
            seconds += max(0, worked)
            rate_seconds += max(0, worked) * each["hourly_rate_minor"]
    if seconds > MOST_SECONDS or rate_seconds > MOST_COST * _SECONDS_PER_HOUR:
        raise BrokenExport("time_entries", "The time entries add up to more than a board can tell.")


def _refuse_more(counted: Mapping[str, int], most: int, field: str, holder: str, things: str) -> None:
    if max(counted.values(), default=0) > most:
        raise BrokenExport(field, f"{holder} holds at most {most} {things}.")


def _words(name: str) -> str:
    return name.replace("_", " ")
