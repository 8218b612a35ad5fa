"""Cards and their parts, as they stand in the table."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kanban.store import CardState, PartKey
from kanban.text import build_search_text, extract_folded_lines, fold
from kanban.values import Card, CardRank, Checklist, ChecklistItem, Comment, Link, Part, TimeEntry
from stores.dynamodb import keys
from stores.dynamodb.attributes import (
    drop_missing,
    get_number,
    get_string,
    get_timestamp,
    is_deleted,
    parse_timestamp,
    to_boolean,
    to_number,
    to_optional_number,
    to_optional_string,
    to_optional_timestamp,
    to_string,
    to_timestamp,
)
from stores.dynamodb.keys import Item

AssigneeUsers = Mapping[str, str]
"""Who is assigned to a card: the ids of members' places, and whose they are; '' where nobody knows any more."""


# Cards


def card_from_item(item: Item) -> Card:
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
        external_id=get_string(item, "external_id"),
        rank=item["rank"]["S"],
        start_at=get_timestamp(item, "start_at"),
        due_at=get_timestamp(item, "due_at"),
        due_complete=item["due_complete"]["BOOL"],
        hourly_rate_minor=get_number(item, "hourly_rate_minor"),
        label_ids=tuple(sorted(item["label_ids"]["SS"])) if "label_ids" in item else (),
        assignee_ids=tuple(sorted(item["assigned"]["M"])) if "assigned" in item else (),
        links=tuple(Link(*each) for each in json.loads(item["links"]["S"])) if "links" in item else (),
        comment_count=int(item["comment_count"]["N"]),
        item_count=int(item["item_count"]["N"]),
        done_count=int(item["done_count"]["N"]),
        started_at=get_timestamp(item, "started_at"),
        resolved_at=get_timestamp(item, "resolved_at"),
        tracked_seconds=int(item["tracked_seconds"]["N"]),
        tracked_cost=int(item["tracked_cost"]["N"]),
        running=_entry_from_attributes(running["M"]["id"]["S"], board_id, card_id, running["M"]) if running else None,
        version=int(item["version"]["N"]),
        created_at=parse_timestamp(item["created_at"]["S"]),
        updated_at=parse_timestamp(item["updated_at"]["S"]),
        archived_at=get_timestamp(item, "archived_at"),
        deleted_at=get_timestamp(item, "deleted_at"),
    )


def card_to_item(card: Card, assignee_users: AssigneeUsers) -> Item:
    """For the table, with what the card is found by. `assigned` tells whose the places of its assignees are."""
    updated_at = keys.format_timestamp(card.updated_at)
    shelf = state_of(card)
    due = None if card.due_at is None else keys.time_index_key(shelf, keys.format_timestamp(card.due_at), card.id)
    links = [(each.url, each.title) for each in card.links]
    return keys.card_key(card.board_id, card.id) | drop_missing(
        list_id=to_string(card.list_id),
        title=to_string(card.title),
        description=to_string(card.description),
        external_id=to_optional_string(card.external_id),
        rank=to_string(card.rank),
        start_at=to_optional_timestamp(card.start_at),
        due_at=to_optional_timestamp(card.due_at),
        due_complete=to_boolean(card.due_complete),
        hourly_rate_minor=to_optional_number(card.hourly_rate_minor),
        label_ids={"SS": [*card.label_ids]} if card.label_ids else None,
        assigned={"M": {each: to_string(assignee_users.get(each, "")) for each in card.assignee_ids}}
        if card.assignee_ids
        else None,
        links=to_string(json.dumps(links, ensure_ascii=False)) if links else None,
        comment_count=to_number(card.comment_count),
        item_count=to_number(card.item_count),
        done_count=to_number(card.done_count),
        started_at=to_optional_timestamp(card.started_at),
        resolved_at=to_optional_timestamp(card.resolved_at),
        tracked_seconds=to_number(card.tracked_seconds),
        tracked_cost=to_number(card.tracked_cost),
        running=None if card.running is None else running_entry_to_attribute(card.running),
        version=to_number(card.version),
        created_at=to_timestamp(card.created_at),
        updated_at=to_string(updated_at),
        archived_at=to_optional_timestamp(card.archived_at),
        deleted_at=to_optional_timestamp(card.deleted_at),
        search=to_optional_string(extract_folded_lines(card.title, card.description) or None),
        place=to_string(keys.rank_index_key(card.list_id, card.rank)),
        recent=to_string(keys.time_index_key(shelf, updated_at, card.id)),
        due=None if due is None else to_string(due),
    )


def contains_text(item: Item, q: str) -> bool:
    """Whether a card has that folded text, from its item. One that a filter found may only look so as it is written."""
    return q in build_search_text(item["title"]["S"], item["description"]["S"])


def state_of(card: Card) -> CardState:
    """Where the card itself belongs, whatever became of its list."""
    if card.deleted_at is not None:
        return CardState.DELETED
    return CardState.ACTIVE if card.archived_at is None else CardState.ARCHIVED


def assignee_users_from_item(item: Item) -> AssigneeUsers:
    """Who is assigned, from the item of a card."""
    return {place: user["S"] for place, user in item["assigned"]["M"].items()} if "assigned" in item else {}


def running_entry_to_attribute(entry: TimeEntry) -> Item:
    """The open time entry, as it stands in its card."""
    return {"M": {"id": to_string(entry.id), **_entry_attributes(entry)}}


def card_rank_from_item(item: Item) -> CardRank:
    """Where a card is, from its item."""
    is_hidden = is_deleted(item) or "archived_at" in item
    return CardRank(item["sk"]["S"][2:], item["list_id"]["S"], item["rank"]["S"], is_hidden=is_hidden)


def assignment_to_item(user_id: str, card: Card) -> Item:
    """For the user's list of cards."""
    key = keys.assignment_key(user_id, card.board_id, card.id)
    return key | {"board_id": to_string(card.board_id), "card_id": to_string(card.id)}


# Parts


def part_item_key(board_id: str, part_key: PartKey) -> Item:
    """Where a part of a card is."""
    return keys.part_key(part_key.part_type, board_id, part_key.card_id, part_key.id)


def part_from_item(item: Item) -> Part:
    """From an item."""
    card_id, _, rest = item["sk"]["S"][2:].partition("#")
    return _PART_PARSERS[rest[0]](rest[1:], item["pk"]["S"][2:], card_id, item)


def part_to_item(part: Part) -> Item:
    """For the table."""
    key = keys.part_key(type(part), part.board_id, part.card_id, part.id)
    match part:
        case TimeEntry():
            ended_at = keys.NO_END if part.ended_at is None else keys.format_timestamp(part.ended_at)
            return key | _entry_attributes(part) | {"recent": to_string(keys.entry_index_key(ended_at, part.id))}
        case Checklist():
            return key | _checklist_attributes(part)
        case Comment():
            return key | _comment_attributes(part)


def transferred_part_item(item: Item, board_id: str, counterparts: Mapping[str, str]) -> Item:
    """The item of a part as it follows its card to another board, with its members' places there."""
    if "items" in item:
        words = json.loads(item["items"]["S"])
        settled = [{**each, "assignee_id": counterparts.get(each["assignee_id"])} for each in words]
        item = item | {"items": _checklist_items_attribute(settled)}
    return item | {"pk": to_string(f"B#{board_id}")}


def _entry_from_attributes(entry_id: str, board_id: str, card_id: str, item: Item) -> TimeEntry:
    return TimeEntry(
        id=entry_id,
        board_id=board_id,
        card_id=card_id,
        user_id=item["user_id"]["S"],
        started_at=parse_timestamp(item["started_at"]["S"]),
        ended_at=get_timestamp(item, "ended_at"),
        rate_minor=int(item["rate_minor"]["N"]),
        note=item["note"]["S"],
        version=int(item["version"]["N"]),
    )


def _entry_attributes(entry: TimeEntry) -> Item:
    return drop_missing(
        user_id=to_string(entry.user_id),
        started_at=to_timestamp(entry.started_at),
        ended_at=to_optional_timestamp(entry.ended_at),
        rate_minor=to_number(entry.rate_minor),
        note=to_string(entry.note),
        version=to_number(entry.version),
    )


def _checklist_from_attributes(checklist_id: str, board_id: str, card_id: str, item: Item) -> Checklist:
    return Checklist(
        id=checklist_id,
        board_id=board_id,
        card_id=card_id,
        name=item["name"]["S"],
        rank=item["rank"]["S"],
        items=tuple(map(_checklist_item_from_json, json.loads(item["items"]["S"]))),
        version=int(item["version"]["N"]),
        created_at=parse_timestamp(item["created_at"]["S"]),
        updated_at=parse_timestamp(item["updated_at"]["S"]),
    )


def _checklist_attributes(checklist: Checklist) -> Item:
    return {
        "name": to_string(checklist.name),
        "rank": to_string(checklist.rank),
        "items": _checklist_items_attribute([*map(_checklist_item_to_json, checklist.items)]),
        "version": to_number(checklist.version),
        "created_at": to_timestamp(checklist.created_at),
        "updated_at": to_timestamp(checklist.updated_at),
    }


def _checklist_items_attribute(items: Sequence[Mapping[str, Any]]) -> Item:
    return to_string(json.dumps(items, ensure_ascii=False))


def _checklist_item_from_json(data: Mapping[str, Any]) -> ChecklistItem:
    return ChecklistItem(
        id=data["id"],
        text=data["text"],
        done=data["done"],
        assignee_id=data["assignee_id"],
        due_at=None if data["due_at"] is None else parse_timestamp(data["due_at"]),
        version=data["version"],
        created_at=parse_timestamp(data["created_at"]),
        updated_at=parse_timestamp(data["updated_at"]),
    )


def _checklist_item_to_json(item: ChecklistItem) -> Mapping[str, Any]:
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


def _comment_from_attributes(comment_id: str, board_id: str, card_id: str, item: Item) -> Comment:
    return Comment(
        id=comment_id,
        board_id=board_id,
        card_id=card_id,
        author_id=item["author_id"]["S"],
        text=item["text"]["S"],
        version=int(item["version"]["N"]),
        created_at=parse_timestamp(item["created_at"]["S"]),
        updated_at=parse_timestamp(item["updated_at"]["S"]),
    )


def _comment_attributes(comment: Comment) -> Item:
    return {
        "author_id": to_string(comment.author_id),
        "text": to_string(comment.text),
        "search": to_string(fold(comment.text)),
        "version": to_number(comment.version),
        "created_at": to_timestamp(comment.created_at),
        "updated_at": to_timestamp(comment.updated_at),
    }


_PART_PARSERS: Mapping[str, Callable[[str, str, str, Item], Part]] = {
    "K": _checklist_from_attributes,
    "M": _comment_from_attributes,
    "T": _entry_from_attributes,
}
