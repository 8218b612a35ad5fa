"""Members of a board, and assignees of cards."""

from handlers import entity_tags, serialize
from handlers.results import Result, card_result, new_resource, no_content, page
from kanban import labels_and_assignees, members, users
from kanban.changes import ActionContext
from kanban.errors import NotFound
from kanban.store import Store
from kanban.values import Role
from usecases.board_access import BoardAccess


def list_members(access: BoardAccess, store: Store, board_id: str) -> Result:
    """List all members of a board, in the order in which they joined."""
    view = access.read_board(board_id)
    users = store.read_users([member.user_id for member in view.members])
    return page((serialize.member(member, users[member.user_id]) for member in view.members), None)


def get_member(access: BoardAccess, store: Store, board_id: str, user_id: str) -> Result:
    """Return one member."""
    member = access.read_board(board_id).get_member(user_id)
    user = store.read_users([user_id])[user_id]
    return Result(serialize.member(member, user), etag=entity_tags.member_tag(member, user))


def put_member(
    access: BoardAccess, store: Store, context: ActionContext, board_id: str, user_id: str, body: dict[str, str]
) -> Result:
    """Add a member, or change the role of a member."""
    view = access.read_board(board_id)
    user = store.read_user(user_id)
    if user is None:
        raise NotFound("user")
    member, change = members.put(view, user_id, Role(body["role"]), context)
    if change is not None and change.creates:
        users.ensure_active(user)
    result_body, tag = serialize.member(member, user), entity_tags.member_tag(member, user)
    if change is not None and change.creates:
        return new_resource(result_body, etag=tag, location=f"/boards/{board_id}/members/{user_id}", change=change)
    return Result(result_body, etag=tag, change=change)


def remove_member(access: BoardAccess, context: ActionContext, board_id: str, user_id: str) -> Result:
    """Remove a member, or leave the board, and stop the member's running clocks."""
    view, running = access.read_running_cards_of_user(board_id, user_id)
    return no_content(members.remove(view, user_id, context, running))


def assign_card(access: BoardAccess, context: ActionContext, board_id: str, card_id: str, user_id: str) -> Result:
    """Assign a member to a card."""
    view = access.read_board(board_id, card_ids=[card_id])
    card, change = labels_and_assignees.assign(view, card_id, user_id, context)
    return card_result(card, view, context.at, change)


def unassign_card(access: BoardAccess, context: ActionContext, board_id: str, card_id: str, user_id: str) -> Result:
    """Unassign a member from a card."""
    view = access.read_board(board_id, card_ids=[card_id])
    card, change = labels_and_assignees.unassign(view, card_id, user_id, context)
    return card_result(card, view, context.at, change)
