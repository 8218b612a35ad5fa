"""What belongs to a board or a card of a Trello export: labels, links, checklists, comments."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kanban import ranks
from kanban.cleaned import line
from kanban.founding import signed
from kanban.reports import Report
from kanban.text import folded
from kanban.trello_items import Item, in_order, items, made_at, moment
from kanban.values import (
    MOST_CHECKLISTS,
    MOST_COMMENTS,
    MOST_ITEMS,
    MOST_LABELS,
    Act,
    Card,
    Checklist,
    ChecklistItem,
    Color,
    Comment,
    Label,
    Link,
)

MOST_LINKS = 20
_URL = re.compile("https?://[!-~]{1,2000}")
_COLORS = {str(color): color for color in Color}


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of the new board, and their ids by Trello's."""

    labels: tuple[Label, ...]
    ids: Mapping[str, str]


def labels_of(export: Item, board_id: str, act: Act, report: Report) -> Labels:
    """As many labels as a board may have. One without a name is called after its colour; a taken name is numbered."""
    found = items(export, "labels")
    if len(found) > MOST_LABELS:
        left = len(found) - MOST_LABELS
        report.tell("labels", "", f"A board has at most {MOST_LABELS} labels: {left} were left out.")
    names: set[str] = set()
    made: list[Label] = []
    ids: dict[str, str] = {}
    for item in found[:MOST_LABELS]:
        shade = str(item.get("color") or "black").partition("_")[0]
        color = _COLORS.get(shade, Color.BLACK)
        name = _free(line(item.get("name"), 45, shade if shade in _COLORS else "Label"), names)
        if name != item.get("name"):
            report.tell("label", name, "It had no name, or one that was taken, too long or not plain.")
        names.add(folded(name))
        at = made_at(item.get("id"), act.at)
        new = Label(act.new_id("label"), board_id, name, color, 1, at, at)
        made.append(new)
        ids[str(item.get("id"))] = new.id
    report.brought["labels"] += len(made)
    return Labels(tuple(made), ids)


def _free(name: str, taken: set[str]) -> str:
    number, found = 2, name
    while folded(found) in taken:
        found, number = f"{name} {number}", number + 1
    return found


def links_of(item: Item, title: str, report: Report) -> tuple[Link, ...]:
    """The card's attachments as links: uploads too, which stay where they are."""
    found: list[Link] = []
    for each in items(item, "attachments"):
        url = each.get("url")
        name = line(each.get("name"), 200, "Attachment")
        if not isinstance(url, str) or not _URL.fullmatch(url):
            report.tell("attachment", name, f"The card '{title[:60]}' points to an address that is not kept.")
        elif len(found) == MOST_LINKS:
            report.tell("attachment", name, f"A card has at most {MOST_LINKS} links: left out of '{title[:60]}'.")
        else:
            found.append(Link(url, name))
            if each.get("isUpload"):
                report.tell("upload", name, f"The file itself stays with Trello; '{title[:60]}' links to it.")
    return tuple(found)


def checklists_of(found: Sequence[Item], card: Card, act: Act, report: Report) -> list[Checklist]:
    """The card's checklists with their items, as many as a card may have."""
    own = in_order(found)
    if len(own) > MOST_CHECKLISTS:
        left = len(own) - MOST_CHECKLISTS
        report.tell("checklists", card.title, f"A card has at most {MOST_CHECKLISTS} checklists: {left} were left out.")
    kept = own[:MOST_CHECKLISTS]
    made = []
    for each, rank in zip(kept, ranks.following("", len(kept)), strict=True):
        at = made_at(each.get("id"), act.at)
        name = line(each.get("name"), 200, "Checklist")
        steps = in_order(items(each, "checkItems"))
        if len(steps) > MOST_ITEMS:
            left = len(steps) - MOST_ITEMS
            report.tell("checklist", name, f"A checklist has at most {MOST_ITEMS} items: {left} were left out.")
        lines = tuple(_item(step, act) for step in steps[:MOST_ITEMS])
        made.append(Checklist(act.new_id("checklist"), card.board_id, card.id, name, rank, lines, 1, at, at))
    return made


def _item(step: Item, act: Act) -> ChecklistItem:
    at = made_at(step.get("id"), act.at)
    return ChecklistItem(
        id=act.new_id("checklist_item"),
        text=line(step.get("name"), 500, "Unnamed"),
        done=step.get("state") == "complete",
        assignee_id=None,
        due_at=moment(step.get("due")),
        version=1,
        created_at=at,
        updated_at=at,
    )


def comments_of(actions: Sequence[Item], card: Card, act: Act, report: Report) -> list[Comment]:
    """What these actions say about the card, the oldest first, each beginning with the name of who wrote it."""
    found = [(min(moment(each.get("date")) or act.at, act.at), each) for each in actions]
    found.sort(key=lambda each: each[0])
    if len(found) > MOST_COMMENTS:
        left = len(found) - MOST_COMMENTS
        report.tell(
            "comments", card.title, f"A card has at most {MOST_COMMENTS} comments: {left} old ones were left out."
        )
    made = []
    cut = 0
    for at, action in found[-MOST_COMMENTS:]:
        data = action.get("data")
        text, is_cut = signed(_author(action), data.get("text") if isinstance(data, dict) else "")
        cut += is_cut
        made.append(Comment(act.new_id("comment"), card.board_id, card.id, act.by, text, 1, at, at))
    report.tell_of_cut_comments(card.title, cut)
    return made


def _author(action: Item) -> str:
    who = action.get("memberCreator")
    return line(who.get("fullName") or who.get("username"), 100, "Someone") if isinstance(who, dict) else "Someone"
