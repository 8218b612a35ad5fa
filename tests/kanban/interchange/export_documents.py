"""Export documents as small as they can be, to be given fields that a test wants."""

from typing import Any

Shape = dict[str, Any]

CREATED = "2026-01-01T09:00:00Z"
TIMES = {"created_at": CREATED, "updated_at": CREATED}
TODO, DOING, DONE = "todo", "in_progress", "done"


def a_list(stage: str, **fields: Any) -> Shape:
    """A list, known by its stage, and named like it."""
    limits = {"wip_limit": None, "wip_enforcement": "warn", "external_id": None}
    return {"id": stage, "name": stage, "stage": stage, **limits, "archived_at": None, **TIMES, **fields}


def a_card(list_id: str, number: int = 1, **fields: Any) -> Shape:
    """A card in that list."""
    nothing = dict.fromkeys(
        ("external_id", "start_at", "due_at", "hourly_rate_minor", "started_at", "resolved_at", "archived_at")
    )
    lists: Shape = {"label_ids": [], "assignee_ids": [], "links": []}
    card = {"id": f"card{number}", "list_id": list_id, "place": f"a{number}", "title": "Copy", "description": ""}
    return {**nothing, **lists, **card, "due_complete": False, **TIMES, **fields}


def an_entry(number: int = 1, **fields: Any) -> Shape:
    """Work of Ann's for an hour."""
    times = {"started_at": "2026-02-01T09:00:00Z", "ended_at": "2026-02-01T10:00:00Z"}
    names = {"id": f"entry{number}", "card_id": "card1", "user_id": "usr_ann", "user_name": "Ann", "note": ""}
    return {**names, **times, "hourly_rate_minor": 0, **fields}


def a_comment(number: int = 1, **fields: Any) -> Shape:
    """A word of Zoe's, who is not Ann."""
    names = {"id": f"comment{number}", "card_id": "card1", "author_id": "usr_zoe", "author_name": "Zoe", "text": "No."}
    return {**names, **TIMES, **fields}


def a_member(user_id: str, role: str = "owner") -> Shape:
    """A member, named after their id."""
    return {"user_id": user_id, "name": user_id.removeprefix("usr_").title(), "role": role}


def document(**fields: Any) -> Shape:
    """An export of a board of Ann's with a list of each stage."""
    board = {"id": "brd_1", "name": "Website", "description": "", "currency": "USD", "hourly_rate_minor": 0}
    kinds: Shape = {kind: [] for kind in ("labels", "cards", "checklists", "comments", "time_entries")}
    lists = [a_list(stage) for stage in (TODO, DOING, DONE)]
    ends = {"digest": None, "next_cursor": None}
    board |= {"created_at": CREATED, "archived_at": fields.pop("board_archived_at", None)}
    if "imported_by" in fields:
        board["imported_by"] = fields.pop("imported_by")
    return {"board": board, "members": [a_member("usr_ann")], **kinds, "lists": lists, **ends, **fields}
