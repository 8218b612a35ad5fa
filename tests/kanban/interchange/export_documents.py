"""Export documents as small as they can be; a test gives them the fields that it needs."""

from typing import Any

JsonObject = dict[str, Any]

CREATED = "2026-01-01T09:00:00Z"
TIMES = {"created_at": CREATED, "updated_at": CREATED}
TODO, DOING, DONE = "todo", "in_progress", "done"


def build_list(stage: str, **fields: Any) -> JsonObject:
    """Build a list whose id and name are its stage."""
    limits = {"wip_limit": None, "wip_enforcement": "warn", "external_id": None}
    return {"id": stage, "name": stage, "stage": stage, **limits, "archived_at": None, **TIMES, **fields}


def build_card(list_id: str, number: int = 1, **fields: Any) -> JsonObject:
    """Build a card in that list."""
    empty_fields = dict.fromkeys(
        ("external_id", "start_at", "due_at", "hourly_rate_minor", "started_at", "resolved_at", "archived_at")
    )
    empty_lists: JsonObject = {"label_ids": [], "assignee_ids": [], "links": []}
    card = {"id": f"card{number}", "list_id": list_id, "place": f"a{number}", "title": "Copy", "description": ""}
    return {**empty_fields, **empty_lists, **card, "due_complete": False, **TIMES, **fields}


def build_entry(number: int = 1, **fields: Any) -> JsonObject:
    """Build a time entry of Ann's of one hour."""
    times = {"started_at": "2026-02-01T09:00:00Z", "ended_at": "2026-02-01T10:00:00Z"}
    names = {"id": f"entry{number}", "card_id": "card1", "user_id": "usr_ann", "user_name": "Ann", "note": ""}
    return {**names, **times, "hourly_rate_minor": 0, **fields}


def build_comment(number: int = 1, **fields: Any) -> JsonObject:
    """Build a comment of Zoe's."""
    names = {"id": f"comment{number}", "card_id": "card1", "author_id": "usr_zoe", "author_name": "Zoe", "text": "No."}
    return {**names, **TIMES, **fields}


def build_member(user_id: str, role: str = "owner") -> JsonObject:
    """Build a member whose name derives from the id."""
    return {"user_id": user_id, "name": user_id.removeprefix("usr_").title(), "role": role}


def build_document(**fields: Any) -> JsonObject:
    """Build an export of a board of Ann's with a list of each stage."""
    board = {"id": "brd_1", "name": "Website", "description": "", "currency": "USD", "hourly_rate_minor": 0}
    kinds: JsonObject = {kind: [] for kind in ("labels", "cards", "checklists", "comments", "time_entries")}
    lists = [build_list(stage) for stage in (TODO, DOING, DONE)]
    end = {"digest": None, "next_cursor": None}
    board |= {"created_at": CREATED, "archived_at": fields.pop("board_archived_at", None)}
    if "imported_by" in fields:
        board["imported_by"] = fields.pop("imported_by")
    return {"board": board, "members": [build_member("usr_ann")], **kinds, "lists": lists, **end, **fields}
