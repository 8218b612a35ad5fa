"""Cards and their parts as items of the table."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kanban.store import CardState, PartKey
from kanban.text import build_search_text, extract_folded_lines, fold
from kanban.values import Card, CardRank, Checklist, ChecklistItem, Comment, Link, Part, TimeEntry
from stores.dynamodb import keys
from stores.dynamodb.attributes import (
    compile_json_reader,
    compile_json_writer,
    compile_reader,
    compile_writer,
    is_deleted,
    to_string,
)
from stores.dynamodb.keys import Item

AssigneeUsers = Mapping[str, str]
"""Who is assigned to a card: user ids by membership ids; '' for a membership of which nobody knows the user."""


_PART_KEY = ("id", "board_id", "card_id")
"""Fields of a part that are in its item's key."""

# Time entries

_entry_from_attributes: Callable[[str, str, str, Item], TimeEntry] = compile_reader(
    TimeEntry,
    ("entry_id", "board_id", "card_id", "item"),
    {"id": "entry_id", "board_id": "board_id", "card_id": "card_id"},
)
_entry_attributes: Callable[[TimeEntry], Item] = compile_writer(TimeEntry, _PART_KEY)


def running_entry_to_attribute(entry: TimeEntry) -> Item:
    """Return the open time entry as an attribute of its card."""
    return {"M": {"id": to_string(entry.id), **_entry_attributes(entry)}}


# Cards

_SPECIAL_FIELDS = ("id", "board_id", "label_ids", "assignee_ids", "links", "running")
"""Fields of a card that are in the item's key, or have attributes of another form."""


def _format_links(links: Sequence[Link]) -> Item | None:
    return to_string(json.dumps([(link.url, link.title) for link in links], ensure_ascii=False)) if links else None


_card_attributes: Callable[[Card], Item] = compile_writer(
    Card,
    _SPECIAL_FIELDS,
    {
        "label_ids": "{'SS': [*value.label_ids]} if value.label_ids else None",
        "links": "format_links(value.links)",
        "running": "None if value.running is None else running_entry_to_attribute(value.running)",
    },
    {"format_links": _format_links, "running_entry_to_attribute": running_entry_to_attribute},
)

_card_from_item: Callable[[str, str, Item], Card] = compile_reader(
    Card,
    ("card_id", "board_id", "item"),
    {
        "id": "card_id",
        "board_id": "board_id",
        "label_ids": "tuple(sorted(item['label_ids']['SS'])) if 'label_ids' in item else ()",
        "assignee_ids": "tuple(sorted(item['assigned']['M'])) if 'assigned' in item else ()",
        "links": "tuple([Link(*link) for link in json.loads(item['links']['S'])]) if 'links' in item else ()",
        "running": (
            "running_entry_from_attribute(item['running']['M'], board_id, card_id) if 'running' in item else None"
        ),
    },
    {
        "Link": Link,
        "json": json,
        "running_entry_from_attribute": lambda attributes, board_id, card_id: _entry_from_attributes(
            attributes["id"]["S"], board_id, card_id, attributes
        ),
    },
)


def card_from_item(item: Item) -> Card:
    """Return the card in an item."""
    return _card_from_item(item["sk"]["S"][2:], item["pk"]["S"][2:], item)


def card_to_item(card: Card, assignee_users: AssigneeUsers) -> Item:
    """Return the item of a card, with its keys in the indexes. `assignee_users` has the users of its assignees."""
    updated_at = keys.format_timestamp(card.updated_at)
    state = state_of(card)
    item = keys.card_key(card.board_id, card.id) | _card_attributes(card)
    item["place"] = to_string(keys.rank_index_key(card.list_id, card.rank))
    item["recent"] = to_string(keys.time_index_key(state, updated_at, card.id))
    if card.due_at is not None:
        item["due"] = to_string(keys.time_index_key(state, keys.format_timestamp(card.due_at), card.id))
    if card.assignee_ids:
        users = {membership_id: to_string(assignee_users.get(membership_id, "")) for membership_id in card.assignee_ids}
        item["assigned"] = {"M": users}
    if search := extract_folded_lines(card.title, card.description):
        item["search"] = to_string(search)
    return item


def contains_text(item: Item, folded_text: str) -> bool:
    """Tell whether the card in an item has that folded text in its title or description.

    DynamoDB's filter also finds cards that have the text only as it is written, before folding.
    """
    return folded_text in build_search_text(item["title"]["S"], item["description"]["S"])


def state_of(card: Card) -> CardState:
    """Return the state of the card itself, whatever that of its list."""
    if card.deleted_at is not None:
        return CardState.DELETED
    return CardState.ACTIVE if card.archived_at is None else CardState.ARCHIVED


def assignee_users_from_item(item: Item) -> AssigneeUsers:
    """Return who is assigned to the card in an item."""
    if "assigned" not in item:
        return {}
    return {member_id: user["S"] for member_id, user in item["assigned"]["M"].items()}


def card_rank_from_item(item: Item) -> CardRank:
    """Return the list and the rank of the card in an item."""
    is_hidden = is_deleted(item) or "archived_at" in item
    return CardRank(item["sk"]["S"][2:], item["list_id"]["S"], item["rank"]["S"], is_hidden=is_hidden)


def assignment_to_item(user_id: str, card: Card) -> Item:
    """Return the item that puts a card into the list of a user's cards."""
    key = keys.assignment_key(user_id, card.board_id, card.id)
    return key | {"board_id": to_string(card.board_id), "card_id": to_string(card.id)}


# Parts


def part_item_key(board_id: str, part_key: PartKey) -> Item:
    """Return the key of the item of a part of a card."""
    return keys.part_key(part_key.part_type, board_id, part_key.card_id, part_key.id)


def part_from_item(item: Item) -> Part:
    """Return the part of a card in an item."""
    card_id, _, rest = item["sk"]["S"][2:].partition("#")
    return _PART_PARSERS[rest[0]](rest[1:], item["pk"]["S"][2:], card_id, item)


def part_to_item(part: Part) -> Item:
    """Return the item of a part of a card."""
    key = keys.part_key(type(part), part.board_id, part.card_id, part.id)
    match part:
        case TimeEntry():
            ended_at = keys.NO_END if part.ended_at is None else keys.format_timestamp(part.ended_at)
            return key | _entry_attributes(part) | {"recent": to_string(keys.entry_index_key(ended_at, part.id))}
        case Checklist():
            return key | _checklist_attributes(part)
        case Comment():
            return key | _comment_attributes(part)


def transferred_part_item(item: Item, board_id: str, membership_ids: Mapping[str, str]) -> Item:
    """Return the item of a part for the board that its card moves to.

    Items of checklists stay assigned to those who have a membership there, too.
    """
    if "items" in item:
        items = [
            {**fields, "assignee_id": membership_ids.get(fields["assignee_id"])}
            for fields in json.loads(item["items"]["S"])
        ]
        item = item | {"items": _checklist_items_attribute(items)}
    return item | {"pk": to_string(f"B#{board_id}")}


_checklist_item_from_json: Callable[[Mapping[str, Any]], ChecklistItem] = compile_json_reader(ChecklistItem)
_checklist_item_to_json: Callable[[ChecklistItem], Mapping[str, Any]] = compile_json_writer(ChecklistItem)


def _checklist_items_attribute(items: Sequence[Mapping[str, Any]]) -> Item:
    return to_string(json.dumps(items, ensure_ascii=False))


def _checklist_items_from_attribute(item: Item) -> tuple[ChecklistItem, ...]:
    return tuple([_checklist_item_from_json(data) for data in json.loads(item["items"]["S"])])


_checklist_from_attributes: Callable[[str, str, str, Item], Checklist] = compile_reader(
    Checklist,
    ("checklist_id", "board_id", "card_id", "item"),
    {"id": "checklist_id", "board_id": "board_id", "card_id": "card_id", "items": "items_from_attribute(item)"},
    {"items_from_attribute": _checklist_items_from_attribute},
)
_checklist_attributes: Callable[[Checklist], Item] = compile_writer(
    Checklist,
    _PART_KEY,
    {"items": "items_attribute([*map(item_to_json, value.items)])"},
    {"items_attribute": _checklist_items_attribute, "item_to_json": _checklist_item_to_json},
)

_comment_from_attributes: Callable[[str, str, str, Item], Comment] = compile_reader(
    Comment,
    ("comment_id", "board_id", "card_id", "item"),
    {"id": "comment_id", "board_id": "board_id", "card_id": "card_id"},
)
_comment_attributes: Callable[[Comment], Item] = compile_writer(
    Comment, _PART_KEY, {"search": "{'S': fold(value.text)}"}, {"fold": fold}
)

_PART_PARSERS: Mapping[str, Callable[[str, str, str, Item], Part]] = {
    "K": _checklist_from_attributes,
    "M": _comment_from_attributes,
    "T": _entry_from_attributes,
}
"""How a part is read, by the letter in its key."""
