"""Comments on a card."""

from typing import Any

from handlers import serialize
from handlers.dependencies import CursorEncoder, IfMatch
from handlers.preconditions import ensure_current
from handlers.results import Result, new_resource, no_content, page
from kanban import comments
from kanban.changes import ActionContext, Change
from kanban.store import PartKey
from kanban.values import Comment, NewComment
from kanban.views import BoardView, PageKey
from usecases.board_access import BoardAccess


def list_comments(
    access: BoardAccess,
    encode_cursor: CursorEncoder,
    board_id: str,
    card_id: str,
    limit: int,
    cursor: PageKey | None = None,
) -> Result:
    """Return a page of the comments on a card, newest first."""
    view, comments_page = access.page_comments(board_id, card_id, limit, cursor)
    view.get_card(card_id)
    return page(map(serialize.comment, comments_page.items), encode_cursor(comments_page.next_key))


def create_comment(
    access: BoardAccess, context: ActionContext, board_id: str, card_id: str, body: dict[str, Any]
) -> Result:
    """Create a comment by the caller."""
    view = access.read_board(board_id, card_ids=[card_id])
    comment, change = comments.create(view, card_id, context, NewComment(**body))
    location = f"/boards/{board_id}/cards/{card_id}/comments/{comment.id}"
    return new_resource(serialize.comment(comment), etag=str(comment.version), location=location, change=change)


def get_comment(access: BoardAccess, board_id: str, card_id: str, comment_id: str) -> Result:
    """Return one comment."""
    return _comment_result(
        comments.get_comment(_read_board(access, board_id, card_id, comment_id), card_id, comment_id)
    )


def update_comment(
    access: BoardAccess,
    context: ActionContext,
    if_match: IfMatch,
    board_id: str,
    card_id: str,
    comment_id: str,
    body: dict[str, Any],
) -> Result:
    """Update a comment. Only its author may."""
    view = _read_board(access, board_id, card_id, comment_id)
    ensure_current(if_match, access, view, comments.get_editable_comment(view, card_id, comment_id, context))
    comment, change = comments.update(view, card_id, comment_id, body, context)
    return _comment_result(comment, change)


def delete_comment(
    access: BoardAccess, context: ActionContext, if_match: IfMatch, board_id: str, card_id: str, comment_id: str
) -> Result:
    """Delete a comment, for good. Its author may, and an owner of the board."""
    view = _read_board(access, board_id, card_id, comment_id)
    ensure_current(if_match, access, view, comments.get_deletable_comment(view, card_id, comment_id, context))
    return no_content(comments.delete(view, card_id, comment_id, context))


def _read_board(access: BoardAccess, board_id: str, card_id: str, comment_id: str) -> BoardView:
    """Read the board with the card and one of its comments."""
    return access.read_board(board_id, card_ids=[card_id], parts=[PartKey(Comment, card_id, comment_id)])


def _comment_result(comment: Comment, change: Change | None = None) -> Result:
    return Result(serialize.comment(comment), etag=str(comment.version), change=change)
