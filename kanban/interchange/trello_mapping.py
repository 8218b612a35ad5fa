"""Map the parts of a Trello board to Tackboard's: labels, links, checklists and comments."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kanban.changes import ActionContext
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
from kanban.values import Card, Checklist, ChecklistItem, Color, Comment, Label, Link

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
    found = get_objects(export, "labels")
    if len(found) > MAX_LABELS_PER_BOARD:
        left = len(found) - MAX_LABELS_PER_BOARD
        report.add_line("labels", "", f"A board has at most {MAX_LABELS_PER_BOARD} labels: {left} were left out.")
    names: set[str] = set()
    made: list[Label] = []
    ids: dict[str, str] = {}
    for item in found[:MAX_LABELS_PER_BOARD]:
        shade = str(item.get("color") or "black").partition("_")[0]
        color = _COLORS.get(shade, Color.BLACK)
        name = _find_free_name(clean_line(item.get("name"), 45, shade if shade in _COLORS else "Label"), names)
        if name != item.get("name"):
            report.add_line("label", name, "It had no name, or one that was taken, too long or not plain.")
        names.add(fold(name))
        at = parse_creation_time(item.get("id"), context.at)
        new = Label(context.new_id("label"), board_id, name, color, 1, at, at)
        made.append(new)
        ids[str(item.get("id"))] = new.id
    report.counts["labels"] += len(made)
    return MappedLabels(tuple(made), ids)


def _find_free_name(name: str, taken_names: set[str]) -> str:
    number, found = 2, name
    while fold(found) in taken_names:
        found, number = f"{name} {number}", number + 1
    return found


def map_links(item: TrelloObject, title: str, report: ImportReport) -> tuple[Link, ...]:
    """Map the card's attachments to links. Uploaded files stay with Trello."""
    found: list[Link] = []
    for each in get_objects(item, "attachments"):
        url = each.get("url")
        name = clean_line(each.get("name"), 200, "Attachment")
        if not isinstance(url, str) or not _URL.fullmatch(url):
            report.add_line("attachment", name, f"The card '{title[:60]}' points to an address that is not kept.")
        elif len(found) == MAX_LINKS:
            report.add_line("attachment", name, f"A card has at most {MAX_LINKS} links: left out of '{title[:60]}'.")
        else:
            found.append(Link(url, name))
            if each.get("isUpload"):
                report.add_line("upload", name, f"The file itself stays with Trello; '{title[:60]}' links to it.")
    return tuple(found)


def map_checklists(
    trello_checklists: Sequence[TrelloObject], card: Card, context: ActionContext, report: ImportReport
) -> list[Checklist]:
    """Map the card's checklists and their items, as many as a card can have."""
    own = sort_by_position(trello_checklists)
    if len(own) > MAX_CHECKLISTS_PER_CARD:
        left = len(own) - MAX_CHECKLISTS_PER_CARD
        report.add_line(
            "checklists", card.title, f"A card has at most {MAX_CHECKLISTS_PER_CARD} checklists: {left} were left out."
        )
    kept = own[:MAX_CHECKLISTS_PER_CARD]
    made = []
    for each, rank in zip(kept, ranks.sequence_after("", len(kept)), strict=True):
        at = parse_creation_time(each.get("id"), context.at)
        name = clean_line(each.get("name"), 200, "Checklist")
        steps = sort_by_position(get_objects(each, "checkItems"))
        if len(steps) > MAX_ITEMS_PER_CHECKLIST:
            left = len(steps) - MAX_ITEMS_PER_CHECKLIST
            report.add_line(
                "checklist", name, f"A checklist has at most {MAX_ITEMS_PER_CHECKLIST} items: {left} were left out."
            )
        lines = tuple(_map_checklist_item(step, context) for step in steps[:MAX_ITEMS_PER_CHECKLIST])
        made.append(Checklist(context.new_id("checklist"), card.board_id, card.id, name, rank, lines, 1, at, at))
    return made


def _map_checklist_item(step: TrelloObject, context: ActionContext) -> ChecklistItem:
    at = parse_creation_time(step.get("id"), context.at)
    return ChecklistItem(
        id=context.new_id("checklist_item"),
        text=clean_line(step.get("name"), 500, "Unnamed"),
        done=step.get("state") == "complete",
        assignee_id=None,
        due_at=parse_timestamp(step.get("due")),
        version=1,
        created_at=at,
        updated_at=at,
    )


def map_comments(
    actions: Sequence[TrelloObject], card: Card, context: ActionContext, report: ImportReport
) -> list[Comment]:
    """Map comment actions to comments, oldest first, each beginning with its author's name."""
    found = [(min(parse_timestamp(action.get("date")) or context.at, context.at), action) for action in actions]
    found.sort(key=lambda each: each[0])
    if len(found) > MAX_COMMENTS_PER_CARD:
        left = len(found) - MAX_COMMENTS_PER_CARD
        report.add_line(
            "comments",
            card.title,
            f"A card has at most {MAX_COMMENTS_PER_CARD} comments: {left} old ones were left out.",
        )
    made = []
    cut = 0
    for at, action in found[-MAX_COMMENTS_PER_CARD:]:
        data = action.get("data")
        text, is_cut = attribute_text(_get_author_name(action), data.get("text") if isinstance(data, dict) else "")
        cut += is_cut
        made.append(Comment(context.new_id("comment"), card.board_id, card.id, context.actor_id, text, 1, at, at))
    report.add_truncated_comments(card.title, cut)
    return made


def _get_author_name(action: TrelloObject) -> str:
    who = action.get("memberCreator")
    return (
        clean_line(who.get("fullName") or who.get("username"), 100, "Someone") if isinstance(who, dict) else "Someone"
    )
