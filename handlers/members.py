"""Members: who may enter a board, and who of them works on a card."""

from handlers import serialize
from handlers.results import Result, created, no_content, page
from kanban import labels_and_assignees, members
from kanban.changes import ActionContext
from kanban.errors import NotFound
from kanban.store import Store
from kanban.values import Role
from usecases.board_access import BoardAccess


def list_members(access: BoardAccess, store: Store, board_id: str) -> Result:
    """Everybody who may enter the board, who came first first."""
    view = access.read_board(board_id)
    users = store.read_users([each.user_id for each in view.members])
    return page((serialize.member(each, users[each.user_id]) for each in view.members), None)


def get_member(access: BoardAccess, store: Store, board_id: str, user_id: str) -> Result:
    """One member."""
    member = access.read_board(board_id).get_member(user_id)
    user = store.read_users([user_id])[user_id]
    return Result(serialize.member(member, user), etag=serialize.member_tag(member, user))


def put_member(
    access: BoardAccess, store: Store, context: ActionContext, board_id: str, user_id: str, body: dict[str, str]
) -> Result:
    """Let somebody in, or give a member another role."""
    view = access.read_board(board_id)
    user = store.read_user(user_id)
    if user is None:
        raise NotFound("user")
    member, change = members.put(view, user_id, Role(body["role"]), context)
    shape, tag = serialize.member(member, user), serialize.member_tag(member, user)
    if change is not None and change.creates:
        return created(shape, etag=tag, location=f"/boards/{board_id}/members/{user_id}", change=change)
    return Result(shape, etag=tag, change=change)


def remove_member(access: BoardAccess, context: ActionContext, board_id: str, user_id: str) -> Result:
    """Leave the board, or remove somebody from it; the clocks that run in their name stop."""
    view, running = access.read_running_cards_of_user(board_id, user_id)
    return no_content(members.remove(view, user_id, context, running))


def assign_card(access: BoardAccess, context: ActionContext, board_id: str, card_id: str, user_id: str) -> Result:
    """Put a member to work on a card."""
    view = access.read_board(board_id, card_ids=[card_id])
    card, change = labels_and_assignees.assign(view, card_id, user_id, context)
    return Result(
        serialize.card(card, view, context.at), etag=serialize.card_tag(card, view, context.at), change=change
    )


def unassign_card(access: BoardAccess, context: ActionContext, board_id: str, card_id: str, user_id: str) -> Result:
    """Take somebody off a card."""
    view = access.read_board(board_id, card_ids=[card_id])
    card, change = labels_and_assignees.unassign(view, card_id, user_id, context)
    return Result(
        serialize.card(card, view, context.at), etag=serialize.card_tag(card, view, context.at), change=change
    )
