"""Read an invitation for somebody who need not have access to its board."""

from datetime import datetime
from typing import NamedTuple

from kanban import invitations, users
from kanban.store import Store
from kanban.values import Invitation, Role, User
from kanban.views import BoardView


class OpenInvitation(NamedTuple):
    """An invitation that can be accepted, who invites, and the board as they see it, if it is to one."""

    invitation: Invitation
    inviter: User
    view: BoardView | None


def find_open_invitation(store: Store, invitation_id: str, secret: str, now: datetime) -> OpenInvitation | None:
    """Return the invitation if the secret is right and nothing has ended it.

    It ends when it is used up, revoked or expired, when its board is deleted, and when the one who invites is no owner
    of the board any more, or of the installation if it is to no board. It ends for good when they are deactivated.
    """
    invitation = store.invitations.read_invitation(invitation_id)
    if invitation is None or not invitations.has_secret(invitation, secret):
        return None
    inviter = store.read_user(invitation.created_by)
    if inviter is None or not invitations.is_live(invitation, now):
        return None
    if not users.is_valid_since(inviter, invitation.created_at):
        return None
    if invitation.board_id is None:
        is_owner = inviter.id in store.read_installation_owner_ids()
        return OpenInvitation(invitation, inviter, None) if is_owner else None
    view = store.read_board(invitation.board_id, inviter.id)
    if view is None or view.role != Role.OWNER:
        return None
    return OpenInvitation(invitation, inviter, view)
