"""Invitations as somebody has them who knows the secret: open one, and join by it."""

from typing import NamedTuple

from handlers.dependencies import Attempts
from kanban import invitations
from kanban.changes import ActionContext, Change
from kanban.errors import NotFound
from kanban.store import Store
from kanban.values import Board, Invitation, Role
from usecases.invitations import OpenInvitation, find_open_invitation
from usecases.quotas import Quotas


class Joined(NamedTuple):
    """What somebody got by an invitation: nothing but being a user, or a role on a board as the change leaves it."""

    board: Board | None = None
    role: Role | None = None
    change: Change | None = None


NOTHING = Joined()
"""What somebody got without an invitation, or as a user by one to no board."""


def require_open_invitation(
    store: Store, context: ActionContext, attempts: Attempts, invitation_id: str, secret: str
) -> OpenInvitation:
    """Return an invitation that can be accepted. Raises NotFound without saying why, TooManyAttempts."""
    attempts.ensure_allowed()
    opened = find_open_invitation(store, invitation_id, secret, context.at)
    if opened is None:
        attempts.count_failure()
        raise NotFound("invitation")
    return opened


def makes_users(store: Store, invitation: Invitation, *, members_may_invite_users: bool) -> bool:
    """Return whether somebody who is no user may accept the invitation."""
    owner_ids = store.read_installation_owner_ids()
    return invitations.makes_users(invitation, owner_ids, members_may_invite_users=members_may_invite_users)


def join(opened: OpenInvitation, context: ActionContext, quotas: Quotas, *, is_new_user: bool) -> Joined:
    """Let the actor accept an invitation. One to no board is used by new users only.

    Raises LimitReached, TooManyMembersPerUser.
    """
    if opened.view is None:
        return Joined(change=invitations.use(opened.invitation)) if is_new_user else NOTHING
    quotas.ensure_room_for_member(opened.view, context.actor_id)
    role, change = invitations.accept(opened.view, opened.invitation, context)
    boards = [value for value in (change.updates if change else ()) if isinstance(value, Board)]
    return Joined(boards[0] if boards else opened.view.board, role, change)
