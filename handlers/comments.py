"""Comments: what members say about a card."""

from typing import Any

from handlers import show
from handlers.answers import Answer, created, gone, page
from handlers.door import Door
from handlers.given import IfMatch, NextCursor
from kanban import comments
from kanban.store import PartKey
from kanban.values import ActionContext, BoardView, Change, Comment, PageKey


def list_comments(
    door: Door, next_cursor: NextCursor, board_id: str, card_id: str, limit: int, cursor: PageKey | None = None
) -> Answer:
    """A page of the comments on a card, newest first."""
    view, found = door.comments(board_id, card_id, limit, cursor)
    view.get_card(card_id)
    return page(map(show.comment, found.items), next_cursor(found.next_key))


def create_comment(door: Door, act: ActionContext, board_id: str, card_id: str, body: dict[str, Any]) -> Answer:
    """Write a comment in the caller's name."""
    view = door.board(board_id, card_ids=[card_id])
    made, change = comments.create(view, card_id, act, **body)
    location = f"/boards/{board_id}/cards/{card_id}/comments/{made.id}"
    return created(show.comment(made), etag=str(made.version), location=location, change=change)


def get_comment(door: Door, board_id: str, card_id: str, comment_id: str) -> Answer:
    """One comment."""
    return _shown(comments.get_comment(_read(door, board_id, card_id, comment_id), card_id, comment_id))


def update_comment(
    door: Door,
    act: ActionContext,
    if_match: IfMatch,
    board_id: str,
    card_id: str,
    comment_id: str,
    body: dict[str, Any],
) -> Answer:
    """Change what a comment says; only its author can."""
    view = _read(door, board_id, card_id, comment_id)
    if_match.admits(comments.get_editable_comment(view, card_id, comment_id, act).version)
    revised, change = comments.update(view, card_id, comment_id, body, act)
    return _shown(revised, change)


def delete_comment(
    door: Door, act: ActionContext, if_match: IfMatch, board_id: str, card_id: str, comment_id: str
) -> Answer:
    """Erase a comment; its author can, and an owner of the board."""
    view = _read(door, board_id, card_id, comment_id)
    if_match.admits(comments.get_deletable_comment(view, card_id, comment_id, act).version)
    return gone(comments.delete(view, card_id, comment_id, act))


def _read(door: Door, board_id: str, card_id: str, comment_id: str) -> BoardView:
    """The board with the card and that comment on it."""
    return door.board(board_id, card_ids=[card_id], parts=[PartKey(Comment, card_id, comment_id)])


def _shown(value: Comment, change: Change | None = None) -> Answer:
    return Answer(show.comment(value), etag=str(value.version), change=change)
