"""Create a token as a body asks for it: for the caller, or for a bot of theirs."""

from typing import Any

from handlers import parse
from handlers.dependencies import RandomBytes
from kanban import tokens
from kanban.changes import ActionContext, Change
from kanban.values import Scope, Token, TokenLimits
from usecases.board_access import BoardAccess


def issue_token(
    access: BoardAccess,
    context: ActionContext,
    random_bytes: RandomBytes,
    body: dict[str, Any],
    *,
    user_id: str,
    parent: Token | None,
) -> tuple[Token, str, Change]:
    """Create a token of a `TokenCreate` for a user; return it, its secret and the change. Raises as `tokens.issue`."""
    board_ids = body.get("board_ids")
    for board_id in board_ids or ():
        access.read_referenced_board(board_id, "board_ids")
    return tokens.issue(
        context,
        random_bytes,
        user_id=user_id,
        name=body["name"],
        scopes=[Scope(scope) for scope in body["scopes"]],
        expires_at=parse.timestamp_or_none(body.get("expires_at")),
        limits=TokenLimits(board_ids, parse.role_or_none(body.get("max_role")), body.get("resources")),
        parent=parent,
    )
