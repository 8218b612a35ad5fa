"""Read an invitation for somebody who need not have access to its board."""

from datetime import datetime
from typing import NamedTuple

from kanban import invitations, users
from kanban.access import Caller
from kanban.store import Store
from kanban.values import Invitation, Role, User
from kanban.views import BoardView, Page, PageKey
from usecases.user_search import MAX_BOARDS

MAX_RECEIVED_PER_PAGE = 20
"""Invitations that a page of a user's looks at: each is opened by a read of its board."""


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
    if invitation is None or invitation.invitee_id is not None or not invitations.has_secret(invitation, secret):
        return None
    return _open(store, invitation, now)


def find_received_invitation(store: Store, caller: Caller, invitation_id: str, now: datetime) -> OpenInvitation | None:
    """Return the invitation if it is for the caller, whose token reaches its board, and nothing has ended it."""
    invitation = store.invitations.read_invitation(invitation_id)
    if invitation is None or invitation.invitee_id != caller.user_id or not caller.reaches(invitation.board_id or ""):
        return None
    return _open_received(store, invitation, now)


def find_invitation_to_leave(store: Store, user_id: str, board_id: str, now: datetime) -> OpenInvitation | None:
    """Return the invitation to a board that is for a user who is no member of it."""
    invitation = invitations.find_for_user(store.invitations.list_invitations(board_id), user_id, now)
    return _open_received(store, invitation, now) if invitation else None


def page_received_invitations(
    store: Store, caller: Caller, limit: int, after: PageKey | None, now: datetime
) -> Page[OpenInvitation]:
    """Return a page of the open invitations that are for the caller, newest first.

    It looks at `MAX_RECEIVED_PER_PAGE` at most, so it may be shorter than the limit while more follow.
    """
    page = store.invitations.page_invitations_of_user(caller.user_id, min(limit, MAX_RECEIVED_PER_PAGE), after)
    reached = [invitation for invitation in page.items if invitation.board_id and caller.reaches(invitation.board_id)]
    opened = (_open_received(store, invitation, now) for invitation in reached)
    return Page(tuple(invitation for invitation in opened if invitation is not None), page.next_key)


def shares_board(store: Store, user_id: str, other_id: str) -> bool:
    """Return whether two users are members of a board together. Of the first one's boards the newest 100 count."""
    return any(other_id in fellow_ids for fellow_ids in store.read_fellow_ids(user_id, MAX_BOARDS).values())


def _open_received(store: Store, invitation: Invitation, now: datetime) -> OpenInvitation | None:
    """Return an invitation that is for a user, unless it has ended or the user is a member by now."""
    opened = _open(store, invitation, now)
    if opened is None or opened.view is None:
        return None
    return opened if invitations.list_invited(opened.view, [invitation], now) else None


def _open(store: Store, invitation: Invitation, now: datetime) -> OpenInvitation | None:
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
