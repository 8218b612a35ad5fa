"""Cards and their parts, as they stand in the table."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kanban.store import CardState, PartKey
from kanban.text import build_search_text, extract_folded_lines, fold
from kanban.values import Card, CardRank, Checklist, ChecklistItem, Comment, Link, Part, TimeEntry
from stores import dynamodb_keys as keys
from stores.dynamodb_attributes import (
    is_deleted,
    moment,
    moment_from,
    moment_of,
    number,
    number_of,
    optional_moment,
    optional_number,
    optional_text,
    present,
    text,
    text_of,
    truth,
)
from stores.dynamodb_keys import Item

Assigned = Mapping[str, str]
"""Who is assigned to a card: the ids of members' places, and whose they are; '' where nobody knows any more."""


# Cards


def card_of(item: Item) -> Card:
    """From an item."""
    card_id = item["sk"]["S"][2:]
    board_id = item["pk"]["S"][2:]
    running = item.get("running")
    return Card(
        id=card_id,
        board_id=board_id,
        list_id=item["list_id"]["S"],
        title=item["title"]["S"],
        description=item["description"]["S"],
        external_id=text_of(item, "external_id"),
        rank=item["rank"]["S"],
        start_at=moment_of(item, "start_at"),
        due_at=moment_of(item, "due_at"),
        due_complete=item["due_complete"]["BOOL"],
        hourly_rate_minor=number_of(item, "hourly_rate_minor"),
        label_ids=tuple(sorted(item["label_ids"]["SS"])) if "label_ids" in item else (),
        assignee_ids=tuple(sorted(item["assigned"]["M"])) if "assigned" in item else (),
        links=tuple(Link(*each) for each in json.loads(item["links"]["S"])) if "links" in item else (),
        comment_count=int(item["comment_count"]["N"]),
        item_count=int(item["item_count"]["N"]),
        done_count=int(item["done_count"]["N"]),
        started_at=moment_of(item, "started_at"),
        resolved_at=moment_of(item, "resolved_at"),
        tracked_seconds=int(item["tracked_seconds"]["N"]),
        tracked_cost=int(item["tracked_cost"]["N"]),
        running=_entry_of(running["M"]["id"]["S"], board_id, card_id, running["M"]) if running else None,
        version=int(item["version"]["N"]),
        created_at=moment_from(item["created_at"]["S"]),
        updated_at=moment_from(item["updated_at"]["S"]),
        archived_at=moment_of(item, "archived_at"),
        deleted_at=moment_of(item, "deleted_at"),
    )


def card_item(card: Card, assigned: Assigned) -> Item:
    """For the table, with what the card is found by. `assigned` tells whose the places of its assignees are."""
    updated_at = keys.format_timestamp(card.updated_at)
    shelf = shelf_of(card)
    due = None if card.due_at is None else keys.timed(shelf, keys.format_timestamp(card.due_at), card.id)
    links = [(each.url, each.title) for each in card.links]
    return keys.card_key(card.board_id, card.id) | present(
        list_id=text(card.list_id),
        title=text(card.title),
        description=text(card.description),
        external_id=optional_text(card.external_id),
        rank=text(card.rank),
        start_at=optional_moment(card.start_at),
        due_at=optional_moment(card.due_at),
        due_complete=truth(card.due_complete),
        hourly_rate_minor=optional_number(card.hourly_rate_minor),
        label_ids={"SS": [*card.label_ids]} if card.label_ids else None,
        assigned={"M": {each: text(assigned.get(each, "")) for each in card.assignee_ids}}
        if card.assignee_ids
        else None,
        links=text(json.dumps(links, ensure_ascii=False)) if links else None,
        comment_count=number(card.comment_count),
        item_count=number(card.item_count),
        done_count=number(card.done_count),
        started_at=optional_moment(card.started_at),
        resolved_at=optional_moment(card.resolved_at),
        tracked_seconds=number(card.tracked_seconds),
        tracked_cost=number(card.tracked_cost),
        running=None if card.running is None else running_attribute(card.running),
        version=number(card.version),
        created_at=moment(card.created_at),
        updated_at=text(updated_at),
        archived_at=optional_moment(card.archived_at),
        deleted_at=optional_moment(card.deleted_at),
        search=optional_text(extract_folded_lines(card.title, card.description) or None),
        place=text(keys.place(card.list_id, card.rank)),
        recent=text(keys.timed(shelf, updated_at, card.id)),
        due=None if due is None else text(due),
    )


def found_by(item: Item, q: str) -> bool:
    """Whether a card has that folded text, from its item. One that a filter found may only look so as it is written."""
    return q in build_search_text(item["title"]["S"], item["description"]["S"])


def shelf_of(card: Card) -> CardState:
    """Where the card itself belongs, whatever became of its list."""
    if card.deleted_at is not None:
        return CardState.DELETED
    return CardState.ACTIVE if card.archived_at is None else CardState.ARCHIVED


def assigned_of(item: Item) -> Assigned:
    """Who is assigned, from the item of a card."""
    return {place: user["S"] for place, user in item["assigned"]["M"].items()} if "assigned" in item else {}


def running_attribute(entry: TimeEntry) -> Item:
    """The open time entry, as it stands in its card."""
    return {"M": {"id": text(entry.id), **_entry_attributes(entry)}}


def placed_of(item: Item) -> CardRank:
    """Where a card is, from its item."""
    is_hidden = is_deleted(item) or "archived_at" in item
    return CardRank(item["sk"]["S"][2:], item["list_id"]["S"], item["rank"]["S"], is_hidden=is_hidden)


def assignment_item(user_id: str, card: Card) -> Item:
    """For the user's list of cards."""
    key = keys.assignment_key(user_id, card.board_id, card.id)
    return key | {"board_id": text(card.board_id), "card_id": text(card.id)}


# Parts


def part_key_of(board_id: str, wanted: PartKey) -> Item:
    """Where a part of a card is."""
    return keys.part_key(wanted.part_type, board_id, wanted.card_id, wanted.id)


def part_of(item: Item) -> Part:
    """From an item."""
    card_id, _, rest = item["sk"]["S"][2:].partition("#")
    return _PARTS[rest[0]](rest[1:], item["pk"]["S"][2:], card_id, item)


def part_item(part: Part) -> Item:
    """For the table."""
    key = keys.part_key(type(part), part.board_id, part.card_id, part.id)
    match part:
        case TimeEntry():
            ended_at = keys.OPEN if part.ended_at is None else keys.format_timestamp(part.ended_at)
            return key | _entry_attributes(part) | {"recent": text(keys.worked(ended_at, part.id))}
        case Checklist():
            return key | _checklist_attributes(part)
        case Comment():
            return key | _comment_attributes(part)


def carried_item(item: Item, board_id: str, counterparts: Mapping[str, str]) -> Item:
    """The item of a part as it follows its card to another board, with its members' places there."""
    if "items" in item:
        words = json.loads(item["items"]["S"])
        settled = [{**each, "assignee_id": counterparts.get(each["assignee_id"])} for each in words]
        item = item | {"items": _items_attribute(settled)}
    return item | {"pk": text(f"B#{board_id}")}


def _entry_of(entry_id: str, board_id: str, card_id: str, item: Item) -> TimeEntry:
    return TimeEntry(
        id=entry_id,
        board_id=board_id,
        card_id=card_id,
        user_id=item["user_id"]["S"],
        started_at=moment_from(item["started_at"]["S"]),
        ended_at=moment_of(item, "ended_at"),
        rate_minor=int(item["rate_minor"]["N"]),
        note=item["note"]["S"],
        version=int(item["version"]["N"]),
    )


def _entry_attributes(entry: TimeEntry) -> Item:
    return present(
        user_id=text(entry.user_id),
        started_at=moment(entry.started_at),
        ended_at=optional_moment(entry.ended_at),
        rate_minor=number(entry.rate_minor),
        note=text(entry.note),
        version=number(entry.version),
    )


def _checklist_of(checklist_id: str, board_id: str, card_id: str, item: Item) -> Checklist:
    return Checklist(
        id=checklist_id,
        board_id=board_id,
        card_id=card_id,
        name=item["name"]["S"],
        rank=item["rank"]["S"],
        items=tuple(map(_checklist_item_of, json.loads(item["items"]["S"]))),
        version=int(item["version"]["N"]),
        created_at=moment_from(item["created_at"]["S"]),
        updated_at=moment_from(item["updated_at"]["S"]),
    )


def _checklist_attributes(checklist: Checklist) -> Item:
    return {
        "name": text(checklist.name),
        "rank": text(checklist.rank),
        "items": _items_attribute([*map(_checklist_item, checklist.items)]),
        "version": number(checklist.version),
        "created_at": moment(checklist.created_at),
        "updated_at": moment(checklist.updated_at),
    }


def _items_attribute(words: Sequence[Mapping[str, Any]]) -> Item:
    return text(json.dumps(words, ensure_ascii=False))


def _checklist_item_of(words: Mapping[str, Any]) -> ChecklistItem:
    return ChecklistItem(
        id=words["id"],
        text=words["text"],
        done=words["done"],
        assignee_id=words["assignee_id"],
        due_at=None if words["due_at"] is None else moment_from(words["due_at"]),
        version=words["version"],
        created_at=moment_from(words["created_at"]),
        updated_at=moment_from(words["updated_at"]),
    )


def _checklist_item(item: ChecklistItem) -> Mapping[str, Any]:
    return {
        "id": item.id,
        "text": item.text,
        "done": item.done,
        "assignee_id": item.assignee_id,
        "due_at": None if item.due_at is None else keys.format_timestamp(item.due_at),
        "version": item.version,
        "created_at": keys.format_timestamp(item.created_at),
        "updated_at": keys.format_timestamp(item.updated_at),
    }


def _comment_of(comment_id: str, board_id: str, card_id: str, item: Item) -> Comment:
    return Comment(
        id=comment_id,
        board_id=board_id,
        card_id=card_id,
        author_id=item["author_id"]["S"],
        text=item["text"]["S"],
        version=int(item["version"]["N"]),
        created_at=moment_from(item["created_at"]["S"]),
        updated_at=moment_from(item["updated_at"]["S"]),
    )


def _comment_attributes(comment: Comment) -> Item:
    return {
        "author_id": text(comment.author_id),
        "text": text(comment.text),
        "search": text(fold(comment.text)),
        "version": number(comment.version),
        "created_at": moment(comment.created_at),
        "updated_at": moment(comment.updated_at),
    }


_PARTS: Mapping[str, Callable[[str, str, str, Item], Part]] = {"K": _checklist_of, "M": _comment_of, "T": _entry_of}
