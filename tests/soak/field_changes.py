"""What an event says about fields, a second time: the difference between two states of the model."""

from typing import Any

from tests.soak.serialize import (
    find_assignee,
    format_timestamp,
    list_assignees,
    list_label_ids,
    serialize_card,
)
from tests.soak.state import Board, Card

Values = dict[str, Any]
"""The fields of one thing whose changes events record, in their order."""

_SUBJECT_IDS = {
    "label": "label_id",
    "member": "user_id",
    "checklist": "checklist_id",
    "checklist_item": "item_id",
    "comment": "comment_id",
    "time_entry": "time_entry_id",
}
"""Where the data of an event name what it is about, by the first word of its type."""

_ACTIONS_WITHOUT_CHANGES = ("created", "copied", "added", "arrived", "departed", "cards_moved")


def list_values(board: Board) -> dict[tuple[str, str], Values]:
    """Return the fields of everything on a board, by kind and id."""
    values: dict[tuple[str, str], Values] = {("board", board.id): _board_values(board)}
    for membership in board.memberships:
        values["member", board.id + membership.user] = {"role": membership.role}
    for label in board.labels:
        values["label", label.id] = {"name": label.name, "color": label.color}
    for column in (*board.columns, *board.deleted_columns):
        values["list", column.id] = {
            "name": column.name,
            "stage": column.stage,
            "wip_limit": column.wip_limit,
            "wip_enforcement": column.wip_enforcement,
            "external_id": column.external_id,
            "archived_at": format_timestamp(column.archived_at),
            "deleted_at": format_timestamp(column.deleted_at),
        }
        for card in column.cards:
            values |= _list_card_values(board, card)
    return values


def find_changes(event: dict[str, Any], before: dict[tuple[str, str], Values], board: Board) -> list[Values]:
    """Return the changes that an event should have, given the values before the request that made it."""
    kind, action = event["type"].split(".")
    if kind == "board" and action in ("deleted", "restored"):
        return [_find_deletion(event, board)]
    if kind in ("card", "list"):
        subject = event[f"{kind}_id"].id
    else:
        subject = event["data"].get(_SUBJECT_IDS[kind]) if kind in _SUBJECT_IDS else board.id
    if kind == "member":
        subject = board.id + str(subject)
    old, new = before.get((kind, subject)), list_values(board).get((kind, subject))
    if old is None or new is None or action in _ACTIONS_WITHOUT_CHANGES:
        return []
    changed = [
        name for name in new if old[name] != new[name] and (name != "status" or old["list_id"] != new["list_id"])
    ]
    return [_describe(kind, name, old[name], new[name]) for name in changed]


def _find_deletion(event: dict[str, Any], board: Board) -> Values:
    """Return the change of a deleted board: the model forgets the time of its deletion when it comes back."""
    if event["type"] == "board.deleted":
        return {"field": "deleted_at", "from": None, "to": event["at"]}
    *_, deletion = (other for other in board.events[: event["seq"]] if other["type"] == "board.deleted")
    return {"field": "deleted_at", "from": deletion["at"], "to": None}


def _board_values(board: Board) -> Values:
    return {
        "name": board.name,
        "description": board.description,
        "hourly_rate_minor": board.hourly_rate_minor,
        "archived_at": format_timestamp(board.archived_at),
    }


def _list_card_values(board: Board, card: Card) -> dict[tuple[str, str], Values]:
    serialized = serialize_card(board, card, card.updated_at)
    names = ("list_id", "status", "title", "description", "external_id", "start_at", "due_at", "due_complete")
    values: dict[tuple[str, str], Values] = {
        ("card", card.id): {
            **{name: serialized[name] for name in (*names, "hourly_rate_minor")},
            "label_ids": list_label_ids(board, card),
            "assignee_ids": list_assignees(board, card),
            "links": [*card.links],
            **{name: serialized[name] for name in ("started_at", "resolved_at", "running_since", "archived_at")},
            "deleted_at": format_timestamp(card.deleted_at),
        }
    }
    for checklist in card.checklists:
        values["checklist", checklist.id] = {"name": checklist.name}
        for item in checklist.items:
            values["checklist_item", item.id] = {
                "text": item.text,
                "done": item.done,
                "assignee_id": find_assignee(board, item),
                "due_at": item.due_at,
            }
    for comment in card.comments:
        values["comment", comment.id] = {"text": comment.text}
    for entry in card.time_entries:
        values["time_entry", entry.id] = {
            "user_id": entry.user,
            "started_at": format_timestamp(entry.started_at),
            "ended_at": format_timestamp(entry.ended_at),
            "hourly_rate_minor": entry.rate,
            "note": entry.note,
        }
    return values


def _describe(kind: str, name: str, old: Any, new: Any) -> Values:
    if name == "links":
        return {"field": name, "from_count": len(old), "to_count": len(new)}
    if isinstance(new, list):
        return {"field": name, "added": sorted({*new} - {*old}), "removed": sorted({*old} - {*new})}
    sides = {"from": old, "to": new}
    lengths = {side: len(text) for side, text in sides.items() if isinstance(text, str)}
    by_length = {side for side, length in lengths.items() if kind == "comment" or length > 200}
    return {
        "field": name,
        **{
            f"{side}_length" if side in by_length else side: lengths[side] if side in by_length else value
            for side, value in sides.items()
        },
    }
