"""Members of a board, and assignees of cards."""

from collections.abc import Sequence
from datetime import datetime

from handlers import entity_tags, serialize
from handlers.results import Result, card_result, new_resource, no_content, page
from kanban import bots, invitations, labels_and_assignees, members, users
from kanban.access import Caller
from kanban.changes import ActionContext, Change
from kanban.errors import NotFound
from kanban.limits import MAX_MEMBERS_PER_BOARD
from kanban.store import Store
from kanban.values import Invitation, Role, User
from kanban.views import BoardView
from usecases.board_access import BoardAccess
from usecases.invitations import find_invitation_to_leave, shares_board
from usecases.quotas import Quotas
from usecases.user_boards import build_bot_removal_steps


def list_members(access: BoardAccess, store: Store, now: datetime, board_id: str) -> Result:
    """List all members of a board, in the order in which they joined, and then the users who were asked to join."""
    view = access.read_board(board_id)
    invited = {invitation.invitee_id: invitation for invitation in _list_invited(store, view, now)}
    users = store.read_users([member.user_id for member in view.members] + [*filter(None, invited)])
    items = [serialize.member(member, users[member.user_id]) for member in view.members]
    items += [serialize.invited_member(invited[user_id], users[user_id]) for user_id in invited if user_id]
    return page(items[:MAX_MEMBERS_PER_BOARD], None)


def get_member(access: BoardAccess, store: Store, now: datetime, board_id: str, user_id: str) -> Result:
    """Return one member, or a user who was asked to join."""
    view = access.read_board(board_id)
    if not view.has_member(user_id):
        invited = invitations.find_for_user(_list_invited(store, view, now), user_id, now)
        if invited is not None:
            return _invited_member_result(invited, store.read_users([user_id])[user_id])
    member = view.get_member(user_id)
    user = store.read_users([user_id])[user_id]
    return Result(serialize.member(member, user), etag=entity_tags.member_tag(member, user))


def put_member(
    access: BoardAccess,
    store: Store,
    caller: Caller,
    context: ActionContext,
    joining_takes_consent: bool,
    quotas: Quotas,
    board_id: str,
    user_id: str,
    body: dict[str, str],
) -> Result:
    """Add a member, or change the role of a member; or ask a user to join, if the caller shares no board with them."""
    view = access.read_board(board_id)
    user = store.read_user(user_id)
    if user is None:
        raise NotFound("user")
    role = Role(body["role"])
    if role is Role.OWNER:
        bots.ensure_may_own(user)
    if view.has_member(user_id):
        member, change = members.put(view, user_id, role, context)
        return Result(serialize.member(member, user), etag=entity_tags.member_tag(member, user), change=change)
    users.ensure_active(user)
    present = store.invitations.list_invitations(board_id)
    # The person of a bot consents for it, by adding it or by being on the board.
    has_consent = user.owner_id is not None and (user.owner_id == caller.user_id or view.has_member(user.owner_id))
    if joining_takes_consent and not has_consent and not shares_board(store, caller.user_id, user_id):
        invitation, change = invitations.create_for_user(view, present, context, user_id=user_id, role=role)
        is_asked_before = invitations.find_for_user(present, user_id, context.at) is not None
        return _invited_member_result(invitation, user, change, is_new=not is_asked_before)
    quotas.ensure_room_for_member(view, user_id)
    member, change = members.put(view, user_id, role, context)
    return new_resource(
        serialize.member(member, user),
        etag=entity_tags.member_tag(member, user),
        location=_locate(board_id, user_id),
        change=_erase_invitation(change, present, user_id, context),
    )


def remove_member(
    access: BoardAccess, store: Store, caller: Caller, context: ActionContext, board_id: str, user_id: str
) -> Result:
    """Remove a member, leave the board or decline to join it, and stop running clocks. Bots leave with their person."""
    if user_id == caller.user_id and caller.reaches(board_id):
        received = find_invitation_to_leave(store, user_id, board_id, context.at)
        if received is not None and received.view is not None:
            return no_content(invitations.revoke(received.view, received.invitation, context))
    view, running = access.read_running_cards_of_user(board_id, user_id)
    change = members.remove(view, user_id, context, running)
    present = store.invitations.list_invitations(board_id)
    invitation = invitations.find_for_user(present, user_id, context.at)
    if change is None and invitation is not None:
        return no_content(invitations.revoke(view, invitation, context))
    steps = build_bot_removal_steps(store, view, user_id, context)
    change = _erase_invitation(change, present, user_id, context)
    return no_content((change or Change()).merge(Change(steps=steps)) if steps else change)


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


def _list_invited(store: Store, view: BoardView, now: datetime) -> list[Invitation]:
    return invitations.list_invited(view, store.invitations.list_invitations(view.board.id), now)


def _invited_member_result(
    invitation: Invitation, user: User, change: Change | None = None, *, is_new: bool = False
) -> Result:
    """Build a 200 or 201 with a user who was asked to join."""
    body, tag = serialize.invited_member(invitation, user), entity_tags.invited_member_tag(invitation, user)
    if is_new:
        return new_resource(body, etag=tag, location=_locate(invitation.board_id or "", user.id), change=change)
    return Result(body, etag=tag, change=change)


def _erase_invitation(
    change: Change | None, present: Sequence[Invitation], user_id: str, context: ActionContext
) -> Change | None:
    """Return the change with the erasure of what the user was sent before: it must not come back with the next one."""
    invitation = invitations.find_for_user(present, user_id, context.at)
    return change.merge(Change(deletes=(invitation,))) if change and invitation else change


def _locate(board_id: str, user_id: str) -> str:
    return f"/boards/{board_id}/members/{user_id}"
