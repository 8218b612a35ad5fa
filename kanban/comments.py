"""Comments: created by members, edited by their authors, deleted by their authors or by an owner of the board.

Events say that there was a comment but never its text: a deleted comment is gone.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kanban.changes import ActionContext, Change, build_change
from kanban.errors import Forbidden, LimitReached, NotFound
from kanban.fields import editable_fields
from kanban.limits import MAX_COMMENTS_PER_CARD
from kanban.patches import apply_patch
from kanban.values import Comment, EventData, NewComment, Role
from kanban.views import BoardView


class NotTheAuthor(Forbidden):
    """Raised when someone edits or deletes another person's comment."""

    code = "not_the_author"

    def __init__(self, action: str) -> None:
        """Take the action: 'edit' or 'delete'."""
        who = "its author or an owner of the board" if action == "delete" else "its author"
        super().__init__(f"This comment is somebody else's: only {who} can {action} it.")


def get_comment(view: BoardView, card_id: str, comment_id: str) -> Comment:
    """Return the card's comment of that id, if the view was read with both. Raises NotFound."""
    card = view.get_card(card_id)
    comment = view.parts.get(comment_id)
    if not isinstance(comment, Comment) or comment.card_id != card.id:
        raise NotFound("comment")
    return comment


def create(view: BoardView, card_id: str, context: ActionContext, new: NewComment) -> tuple[Comment, Change]:
    """Create a comment, and count it on its card. Raises LimitReached."""
    card = view.get_card(card_id)
    if card.comment_count >= MAX_COMMENTS_PER_CARD:
        raise LimitReached("comments", MAX_COMMENTS_PER_CARD, holder_name=card.title)
    comment = Comment(
        id=context.new_id("comment"),
        board_id=view.board.id,
        card_id=card_id,
        author_id=context.actor_id,
        **{name: getattr(new, name) for name in editable_fields(Comment)},
        version=1,
        created_at=context.at,
        updated_at=context.at,
    )
    change = build_change(
        view,
        context,
        "comment.created",
        creates=(comment,),
        updates=(replace(card, comment_count=card.comment_count + 1),),
        list_id=card.list_id,
        card_id=card_id,
        data={"comment_id": comment.id},
    )
    return comment, change


def get_editable_comment(view: BoardView, card_id: str, comment_id: str, context: ActionContext) -> Comment:
    """Return the comment if the actor is its author. Raises NotFound, NotTheAuthor."""
    comment = get_comment(view, card_id, comment_id)
    if comment.author_id != context.actor_id:
        raise NotTheAuthor("edit")
    return comment


def get_deletable_comment(view: BoardView, card_id: str, comment_id: str, context: ActionContext) -> Comment:
    """Return the comment if the actor is its author or an owner. Raises NotFound, NotTheAuthor."""
    comment = get_comment(view, card_id, comment_id)
    if comment.author_id != context.actor_id and not view.role.covers(Role.OWNER):
        raise NotTheAuthor("delete")
    return comment


def update(
    view: BoardView, card_id: str, comment_id: str, patch: Mapping[str, Any], context: ActionContext
) -> tuple[Comment, Change | None]:
    """Apply a patch of text to the comment. Raises NotFound, NotTheAuthor."""
    old = get_editable_comment(view, card_id, comment_id, context)
    new, changed_fields = apply_patch(old, patch, context)
    if not changed_fields:
        return old, None
    list_id = view.get_card(card_id).list_id
    data: EventData = {"comment_id": comment_id}
    change = build_change(
        view,
        context,
        "comment.updated",
        updates=(new,),
        subject=(old, new),
        list_id=list_id,
        card_id=card_id,
        data=data,
    )
    return new, change


def delete(view: BoardView, card_id: str, comment_id: str, context: ActionContext) -> Change:
    """Delete the comment. Raises NotFound, NotTheAuthor."""
    comment = get_deletable_comment(view, card_id, comment_id, context)
    card = view.get_card(card_id)
    return build_change(
        view,
        context,
        "comment.deleted",
        updates=(replace(card, comment_count=card.comment_count - 1),),
        deletes=(comment,),
        list_id=card.list_id,
        card_id=card_id,
        data={"comment_id": comment_id},
    )
