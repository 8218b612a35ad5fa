"""Map the parts of a Trello board to Tackboard's: labels, links, checklists and comments."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kanban.changes import ActionContext
from kanban.checklist_items import build_item
from kanban.interchange.import_report import ImportReport
from kanban.interchange.imported_board import attribute_text
from kanban.interchange.text_cleanup import clean_line
from kanban.interchange.trello_reader import (
    TrelloObject,
    get_objects,
    parse_creation_time,
    parse_timestamp,
    sort_by_position,
)
from kanban.limits import MAX_CHECKLISTS_PER_CARD, MAX_COMMENTS_PER_CARD, MAX_ITEMS_PER_CHECKLIST, MAX_LABELS_PER_BOARD
from kanban.ordering import ranks
from kanban.text import fold
from kanban.values import Card, Checklist, ChecklistItem, Color, Comment, Label, Link, NewChecklistItem

MAX_LINKS = 20
_URL = re.compile("https?://[!-~]{1,2000}")
_COLORS = {str(color): color for color in Color}


@dataclass(frozen=True, slots=True)
class MappedLabels:
    """The labels of the new board, and their ids by Trello id."""

    labels: tuple[Label, ...]
    ids_by_trello_id: Mapping[str, str]


def map_labels(export: TrelloObject, board_id: str, context: ActionContext, report: ImportReport) -> MappedLabels:
    """Map the labels, as many as a board can have. Unnamed labels get their color's name, duplicate names a number."""
    trello_labels = get_objects(export, "labels")
    if len(trello_labels) > MAX_LABELS_PER_BOARD:
        omitted_count = len(trello_labels) - MAX_LABELS_PER_BOARD
        report.add_line(
            "labels", "", f"A board has at most {MAX_LABELS_PER_BOARD} labels: {omitted_count} were left out."
        )
    used_names: set[str] = set()
    labels: list[Label] = []
    ids_by_trello_id: dict[str, str] = {}
    for trello_label in trello_labels[:MAX_LABELS_PER_BOARD]:
        trello_color = str(trello_label.get("color") or "black").partition("_")[0]
        color = _COLORS.get(trello_color, Color.BLACK)
        name = _find_free_name(
            clean_line(trello_label.get("name"), 45, trello_color if trello_color in _COLORS else "Label"), used_names
        )
        if name != trello_label.get("name"):
            report.add_line(
                "label",
                name,
                "Its name was changed: it was missing, taken, too long, or had characters that can't be shown.",
            )
        used_names.add(fold(name))
        created_at = parse_creation_time(trello_label.get("id"), context.at)
        label = Label(context.new_id("label"), board_id, name, color, 1, created_at, created_at)
        labels.append(label)
        ids_by_trello_id[str(trello_label.get("id"))] = label.id
    report.counts["labels"] += len(labels)
    return MappedLabels(tuple(labels), ids_by_trello_id)


def _find_free_name(name: str, taken_names: set[str]) -> str:
    number, candidate = 2, name
    while fold(candidate) in taken_names:
        candidate, number = f"{name} {number}", number + 1
    return candidate


def map_links(trello_card: TrelloObject, title: str, report: ImportReport) -> tuple[Link, ...]:
    """Map the card's attachments to links. Uploaded files stay with Trello."""
    links: list[Link] = []
    for attachment in get_objects(trello_card, "attachments"):
        url = attachment.get("url")
        name = clean_line(attachment.get("name"), 200, "Attachment")
        if not isinstance(url, str) or not _URL.fullmatch(url):
            report.add_line("attachment", name, f"The card '{title[:60]}' points to an address that is not kept.")
        elif len(links) == MAX_LINKS:
            report.add_line("attachment", name, f"A card has at most {MAX_LINKS} links: left out of '{title[:60]}'.")
        else:
            links.append(Link(url, name))
            if attachment.get("isUpload"):
                report.add_line("upload", name, f"The file itself stays with Trello; '{title[:60]}' links to it.")
    return tuple(links)


def map_checklists(
    trello_checklists: Sequence[TrelloObject], card: Card, context: ActionContext, report: ImportReport
) -> list[Checklist]:
    """Map the card's checklists and their items, as many as a card can have."""
    sorted_checklists = sort_by_position(trello_checklists)
    if len(sorted_checklists) > MAX_CHECKLISTS_PER_CARD:
        omitted_count = len(sorted_checklists) - MAX_CHECKLISTS_PER_CARD
        report.add_line(
            "checklists",
            card.title,
            f"A card has at most {MAX_CHECKLISTS_PER_CARD} checklists: {omitted_count} were left out.",
        )
    kept = sorted_checklists[:MAX_CHECKLISTS_PER_CARD]
    checklists = []
    for trello_checklist, rank in zip(kept, ranks.sequence_after("", len(kept)), strict=True):
        created_at = parse_creation_time(trello_checklist.get("id"), context.at)
        name = clean_line(trello_checklist.get("name"), 200, "Checklist")
        trello_items = sort_by_position(get_objects(trello_checklist, "checkItems"))
        if len(trello_items) > MAX_ITEMS_PER_CHECKLIST:
            omitted_count = len(trello_items) - MAX_ITEMS_PER_CHECKLIST
            report.add_line(
                "checklist",
                name,
                f"A checklist has at most {MAX_ITEMS_PER_CHECKLIST} items: {omitted_count} were left out.",
            )
        items = tuple(
            _map_checklist_item(trello_item, context) for trello_item in trello_items[:MAX_ITEMS_PER_CHECKLIST]
        )
        checklists.append(
            Checklist(context.new_id("checklist"), card.board_id, card.id, name, rank, items, 1, created_at, created_at)
        )
    return checklists


def _map_checklist_item(trello_item: TrelloObject, context: ActionContext) -> ChecklistItem:
    created_at = parse_creation_time(trello_item.get("id"), context.at)
    new = NewChecklistItem(
        text=clean_line(trello_item.get("name"), 500, "Unnamed"),
        done=trello_item.get("state") == "complete",
        due_at=parse_timestamp(trello_item.get("due")),
    )
    return build_item(new, context.new_id("checklist_item"), None, created_at)


def map_comments(
    actions: Sequence[TrelloObject], card: Card, context: ActionContext, report: ImportReport
) -> list[Comment]:
    """Map comment actions to comments, oldest first, each beginning with its author's name."""
    dated_actions = [(min(parse_timestamp(action.get("date")) or context.at, context.at), action) for action in actions]
    dated_actions.sort(key=lambda dated_action: dated_action[0])
    if len(dated_actions) > MAX_COMMENTS_PER_CARD:
        omitted_count = len(dated_actions) - MAX_COMMENTS_PER_CARD
        report.add_line(
            "comments",
            card.title,
            f"A card has at most {MAX_COMMENTS_PER_CARD} comments: {omitted_count} old ones were left out.",
        )
    comments = []
    truncated_count = 0
    for at, action in dated_actions[-MAX_COMMENTS_PER_CARD:]:
        data = action.get("data")
        text, is_truncated = attribute_text(
            _get_author_name(action), data.get("text") if isinstance(data, dict) else ""
        )
        truncated_count += is_truncated
        comments.append(Comment(context.new_id("comment"), card.board_id, card.id, context.actor_id, text, 1, at, at))
    report.add_truncated_comments(card.title, truncated_count)
    return comments


def _get_author_name(action: TrelloObject) -> str:
    author = action.get("memberCreator")
    return (
        clean_line(author.get("fullName") or author.get("username"), 100, "Someone")
        if isinstance(author, dict)
        else "Someone"
    )
