"""Rows and values of what is kept beside a card: time entries, checklists, comments."""

from collections.abc import Sequence
from typing import Any

from kanban.text import fold
from kanban.values import Checklist, ChecklistItem, Comment, TimeEntry
from stores.sql.mapping import Row, format_optional_timestamp, format_timestamp, parse_timestamp


def row_to_time_entry(row: Row) -> TimeEntry:
    """From the columns of `time_entries`."""
    entry_id, board_id, card_id, started_at, ended_at, rate_minor, version, user_id, note = row
    return TimeEntry(
        entry_id,
        board_id,
        card_id,
        user_id,
        parse_timestamp(started_at),
        parse_timestamp(ended_at) if ended_at else None,
        rate_minor,
        note,
        version,
    )


def time_entry_to_row(entry: TimeEntry) -> dict[str, Any]:
    """For the columns of `time_entries`."""
    return {
        "id": entry.id,
        "board_id": entry.board_id,
        "card_id": entry.card_id,
        "user_id": entry.user_id,
        "started_at": format_timestamp(entry.started_at),
        "ended_at": format_optional_timestamp(entry.ended_at),
        "rate_minor": entry.rate_minor,
        "note": entry.note,
        "version": entry.version,
    }


def row_to_checklist(row: Row, items: Sequence[Row]) -> Checklist:
    """From the columns of `checklists`, and the rows of its `checklist_items` in their order."""
    checklist_id, board_id, card_id, name, rank, version, created_at, updated_at = row
    return Checklist(
        checklist_id,
        board_id,
        card_id,
        name,
        rank,
        tuple(map(_row_to_item, items)),
        version,
        parse_timestamp(created_at),
        parse_timestamp(updated_at),
    )


def _row_to_item(row: Row) -> ChecklistItem:
    _, _, item_id, text, done, assignee_id, due_at, version, created_at, updated_at = row
    return ChecklistItem(
        item_id,
        text,
        bool(done),
        assignee_id,
        parse_timestamp(due_at) if due_at else None,
        version,
        parse_timestamp(created_at),
        parse_timestamp(updated_at),
    )


def checklist_to_row(checklist: Checklist) -> dict[str, Any]:
    """For the columns of `checklists`."""
    return {
        "id": checklist.id,
        "board_id": checklist.board_id,
        "card_id": checklist.card_id,
        "name": checklist.name,
        "rank": checklist.rank,
        "version": checklist.version,
        "created_at": format_timestamp(checklist.created_at),
        "updated_at": format_timestamp(checklist.updated_at),
    }


def item_to_row(checklist_id: str, position: int, item: ChecklistItem) -> dict[str, Any]:
    """For the columns of `checklist_items`."""
    return {
        "checklist_id": checklist_id,
        "position": position,
        "id": item.id,
        "text": item.text,
        "done": item.done,
        "assignee_id": item.assignee_id,
        "due_at": format_optional_timestamp(item.due_at),
        "version": item.version,
        "created_at": format_timestamp(item.created_at),
        "updated_at": format_timestamp(item.updated_at),
    }


def row_to_comment(row: Row) -> Comment:
    """From the columns of `comments`, but for the searched text."""
    comment_id, board_id, card_id, author_id, text, version, created_at, updated_at = row
    return Comment(
        comment_id,
        board_id,
        card_id,
        author_id,
        text,
        version,
        parse_timestamp(created_at),
        parse_timestamp(updated_at),
    )


def comment_to_row(comment: Comment) -> dict[str, Any]:
    """For the columns of `comments`."""
    return {
        "id": comment.id,
        "board_id": comment.board_id,
        "card_id": comment.card_id,
        "author_id": comment.author_id,
        "text": comment.text,
        "version": comment.version,
        "created_at": format_timestamp(comment.created_at),
        "updated_at": format_timestamp(comment.updated_at),
        "search": fold(comment.text),
    }
