"""Comments: written by members, edited by their authors, deleted by these or by an owner of the board.

The events tell that there was a comment, and never what it said: what is deleted is gone.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kanban.errors import NotFound, NotTheAuthor, TooManyComments
from kanban.patches import revised
from kanban.record import record
from kanban.values import MOST_COMMENTS, Act, BoardView, Change, Comment, EventData, Role

_FIELDS = frozenset({"text"})


def of(view: BoardView, card_id: str, comment_id: str) -> Comment:
    """The card's comment of that id, if the read asked for both. Raises NotFound."""
    card = view.card(card_id)
    found = view.parts.get(comment_id)
    if not isinstance(found, Comment) or found.card_id != card.id:
        raise NotFound("comment")
    return found


def add(view: BoardView, card_id: str, act: Act, *, text: str) -> tuple[Comment, Change]:
    """A new comment, counted on its card. Raises TooManyComments."""
    card = view.card(card_id)
    if card.comment_count >= MOST_COMMENTS:
        raise TooManyComments(card.title, MOST_COMMENTS)
    new = Comment(
        id=act.new_id("comment"),
        board_id=view.board.id,
        card_id=card_id,
        author_id=act.by,
        text=text,
        version=1,
        created_at=act.at,
        updated_at=act.at,
    )
    change = record(
        view,
        act,
        "comment.created",
        creates=(new,),
        updates=(replace(card, comment_count=card.comment_count + 1),),
        list_id=card.list_id,
        card_id=card_id,
        data={"comment_id": new.id},
    )
    return new, change


def to_edit(view: BoardView, card_id: str, comment_id: str, act: Act) -> Comment:
    """The comment, for its author. Raises NotFound, NotTheAuthor."""
    comment = of(view, card_id, comment_id)
    if comment.author_id != act.by:
        raise NotTheAuthor("edit")
    return comment


def to_delete(view: BoardView, card_id: str, comment_id: str, act: Act) -> Comment:
    """The comment, for its author or an owner. Raises NotFound, NotTheAuthor."""
    comment = of(view, card_id, comment_id)
    if comment.author_id != act.by and not view.role.covers(Role.OWNER):
        raise NotTheAuthor("delete")
    return comment


def revise(
    view: BoardView, card_id: str, comment_id: str, patch: Mapping[str, Any], act: Act
) -> tuple[Comment, Change | None]:
    """The comment with the fields of the patch: text. Raises NotFound, NotTheAuthor."""
    old = to_edit(view, card_id, comment_id, act)
    new, changed = revised(old, patch, _FIELDS, act)
    if not changed:
        return old, None
    list_id = view.card(card_id).list_id
    data: EventData = {"comment_id": comment_id}
    change = record(view, act, "comment.updated", updates=(new,), list_id=list_id, card_id=card_id, data=data)
    return new, change


def delete(view: BoardView, card_id: str, comment_id: str, act: Act) -> Change:
    """Erase the comment. Raises NotFound, NotTheAuthor."""
    comment = to_delete(view, card_id, comment_id, act)
    card = view.card(card_id)
    return record(
        view,
        act,
        "comment.deleted",
        updates=(replace(card, comment_count=card.comment_count - 1),),
        deletes=(comment,),
        list_id=card.list_id,
        card_id=card_id,
        data={"comment_id": comment_id},
    )
