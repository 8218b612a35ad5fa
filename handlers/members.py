"""Members: who may enter a board, and who of them works on a card."""

from handlers import show
from handlers.answers import Answer, created, gone, page
from handlers.door import Door
from kanban import marks, members
from kanban.errors import NotFound
from kanban.store import Store
from kanban.values import ActionContext, Role


def list_members(door: Door, store: Store, board_id: str) -> Answer:
    """Everybody who may enter the board, who came first first."""
    view = door.board(board_id)
    users = store.read_users([each.user_id for each in view.members])
    return page((show.member(each, users[each.user_id]) for each in view.members), None)


def get_member(door: Door, store: Store, board_id: str, user_id: str) -> Answer:
    """One member."""
    member = door.board(board_id).get_member(user_id)
    user = store.read_users([user_id])[user_id]
    return Answer(show.member(member, user), etag=show.member_tag(member, user))


def put_member(
    door: Door, store: Store, act: ActionContext, board_id: str, user_id: str, body: dict[str, str]
) -> Answer:
    """Let somebody in, or give a member another role."""
    view = door.board(board_id)
    user = store.read_user(user_id)
    if user is None:
        raise NotFound("user")
    member, change = members.put(view, user_id, Role(body["role"]), act)
    shape, tag = show.member(member, user), show.member_tag(member, user)
    if change is not None and change.creates:
        return created(shape, etag=tag, location=f"/boards/{board_id}/members/{user_id}", change=change)
    return Answer(shape, etag=tag, change=change)


def remove_member(door: Door, act: ActionContext, board_id: str, user_id: str) -> Answer:
    """Leave the board, or remove somebody from it; the clocks that run in their name stop."""
    view, running = door.running_of(board_id, user_id)
    return gone(members.remove(view, user_id, act, running))


def assign_card(door: Door, act: ActionContext, board_id: str, card_id: str, user_id: str) -> Answer:
    """Put a member to work on a card."""
    view = door.board(board_id, card_ids=[card_id])
    card, change = marks.assign(view, card_id, user_id, act)
    return Answer(show.card(card, view, act.at), etag=show.card_tag(card, view, act.at), change=change)


def unassign_card(door: Door, act: ActionContext, board_id: str, card_id: str, user_id: str) -> Answer:
    """Take somebody off a card."""
    view = door.board(board_id, card_ids=[card_id])
    card, change = marks.unassign(view, card_id, user_id, act)
    return Answer(show.card(card, view, act.at), etag=show.card_tag(card, view, act.at), change=change)
