"""Invitations: create, revoke, accept.

Whoever has the secret of an invitation becomes a member of its board, and a user if they are none. An invitation to a
board works for the owner of the board who created it, and ends with that role. One to the installation makes users, and
works for the owner of the installation who created it.

Where joining takes consent, an owner who adds a user with whom they share no board makes an invitation for that user,
which has no secret: until they accept it, they are no member.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kanban import crockford, members
from kanban.changes import ActionContext, Change, build_change
from kanban.errors import Conflict, Forbidden, Unauthenticated, Unprocessable
from kanban.limits import MAX_INVITATIONS_PER_BOARD, MAX_INVITATIONS_PER_INSTALLATION
from kanban.tokens import ExpiresInPast
from kanban.values import EventData, Invitation, Role
from kanban.views import BoardView

DEFAULT_LIFETIME = timedelta(days=7)

MAX_LIFETIME = timedelta(days=30)

MAX_ERASED = 20
"""How many expired invitations another one erases: few enough for one commit of every engine."""

SECRET_DIGITS = 26

_DIGEST_OF_NOTHING = "0" * 64
"""The digest of an invitation without a secret: no text has it."""


class TooManyInvitations(Conflict):
    """Raised when a board, or the installation, has as many live invitations as it may."""

    code = "too_many_invitations"

    def __init__(self, holder: str, maximum: int) -> None:
        """Take what has them, 'board' or 'installation', and the limit."""
        super().__init__(f"This {holder} has {maximum} invitations, the most it may have: revoke one first.")


class ExpiresTooLate(Unprocessable):
    """Raised when a new invitation would be valid for too long."""

    code = "expires_too_late"
    field = "expires_at"

    def __init__(self) -> None:
        super().__init__(f"An invitation is valid for {MAX_LIFETIME.days} days at most.")


class SignInFirst(Forbidden):
    """Raised when an invitation makes no users, and is accepted without a token."""

    code = "sign_in_first"

    def __init__(self) -> None:
        super().__init__(
            "This invitation is for people who are users: sign in first, or ask an owner of the installation."
        )


class NoUserToJoin(Unauthenticated):
    """Raised when an invitation is accepted without a token and without a user to create."""

    def __init__(self) -> None:
        super().__init__("Send a token to accept it as yourself, or 'user' to become a user.")


class AlreadySignedIn(Unprocessable):
    """Raised when an invitation is accepted with a token and with a user to create."""

    code = "already_signed_in"
    field = "user"

    def __init__(self) -> None:
        super().__init__("You are signed in, so no user is created: leave out 'user', or send no token.")


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """What an invitation is created with. Without `expires_at` it is valid for `DEFAULT_LIFETIME`."""

    role: Role | None = None
    max_uses: int = 1
    expires_at: datetime | None = None
    note: str = ""


def create(
    view: BoardView,
    present_invitations: Sequence[Invitation],
    context: ActionContext,
    random_bytes: Callable[[int], bytes],
    new: NewInvitation,
) -> tuple[Invitation, str, Change]:
    """Create an invitation to the board, which has `present_invitations`; return it, its secret, and the change.

    Raises TooManyInvitations, ExpiresInPast, ExpiresTooLate.
    """
    _ensure_room(present_invitations, context, "board", MAX_INVITATIONS_PER_BOARD)
    invitation, secret = _build(view.board.id, context, random_bytes, new)
    change = build_change(
        view,
        context,
        "invitation.created",
        creates=(invitation,),
        deletes=_list_expired(present_invitations, context),
        data={"invitation_id": invitation.id, "role": invitation.role, "max_uses": invitation.max_uses},
    )
    return invitation, secret, change


def create_for_installation(
    present_invitations: Sequence[Invitation],
    context: ActionContext,
    random_bytes: Callable[[int], bytes],
    new: NewInvitation,
) -> tuple[Invitation, str, Change]:
    """Create an invitation to no board, as `create` does. The limit may be exceeded by one who is as fast."""
    _ensure_room(present_invitations, context, "installation", MAX_INVITATIONS_PER_INSTALLATION)
    invitation, secret = _build(None, context, random_bytes, new)
    deletes = _list_expired(present_invitations, context)
    return invitation, secret, Change(creates=(invitation,), deletes=deletes)


def create_for_user(
    view: BoardView,
    present_invitations: Sequence[Invitation],
    context: ActionContext,
    *,
    user_id: str,
    role: Role,
) -> tuple[Invitation, Change | None]:
    """Ask a user to become a member in a role; return the invitation, and no change if the actor has asked the same.

    It replaces one that was for the user. Raises TooManyInvitations, LimitReached.
    """
    present = find_for_user(present_invitations, user_id, context.at)
    if present is not None and (present.role, present.created_by) == (role, context.actor_id):
        return present, None
    others = [invitation for invitation in present_invitations if invitation != present]
    _ensure_room(others, context, "board", MAX_INVITATIONS_PER_BOARD)
    members.ensure_room(view, len(list_invited(view, others, context.at)))
    invitation = Invitation(
        id=context.new_id("invitation"),
        board_id=view.board.id,
        role=role,
        digest=_DIGEST_OF_NOTHING,
        note="",
        max_uses=1,
        uses=0,
        created_by=context.actor_id,
        version=1,
        created_at=context.at,
        expires_at=context.at + MAX_LIFETIME,
        invitee_id=user_id,
    )
    data: EventData = {"invitation_id": invitation.id, "role": str(role), "max_uses": 1, "user_id": user_id}
    deletes = (*_list_expired(others, context), *((present,) if present else ()))
    return invitation, build_change(
        view, context, "invitation.created", creates=(invitation,), deletes=deletes, data=data
    )


def find_for_user(invitations: Sequence[Invitation], user_id: str, now: datetime) -> Invitation | None:
    """Return the live invitation that is for a user, None if there is none."""
    return next((value for value in invitations if value.invitee_id == user_id and is_live(value, now)), None)


def list_invited(view: BoardView, invitations: Sequence[Invitation], now: datetime) -> list[Invitation]:
    """Return the invitations that are for users who could become members: live ones from owners of the board."""
    member_ids = {member.user_id for member in view.members}
    owner_ids = {
        member.user_id for member in view.members if member.role == Role.OWNER and member.deactivated_at is None
    }
    return [
        invitation
        for invitation in invitations
        if invitation.invitee_id is not None
        and invitation.invitee_id not in member_ids
        and invitation.created_by in owner_ids
        and is_live(invitation, now)
    ]


def revoke(view: BoardView, invitation: Invitation, context: ActionContext) -> Change:
    """Revoke an invitation to the board, or decline it. Members who accepted it stay."""
    data: EventData = {"invitation_id": invitation.id}
    if invitation.invitee_id is not None:
        data = {**data, "user_id": invitation.invitee_id}
    return build_change(view, context, "invitation.revoked", deletes=(invitation,), data=data)


def accept(view: BoardView, invitation: Invitation, context: ActionContext) -> tuple[Role, Change | None]:
    """Make the actor a member; return their role and the change. `view` is the board of the one who invites.

    A member who has at least that role keeps it, and the invitation is not used. One with a lower role gets the higher
    one. Raises LimitReached.
    """
    role = invitation.role or Role.VIEWER
    present_role = next((member.role for member in view.members if member.user_id == context.actor_id), None)
    if present_role is not None and present_role.covers(role):
        return present_role, None
    return role, members.join(view, role, context, invitation.id).merge(use(invitation))


def use(invitation: Invitation) -> Change:
    """Return the change that counts a use of an invitation, and erases it with the last one."""
    if invitation.uses + 1 >= invitation.max_uses:
        return Change(deletes=(invitation,))
    used = replace(invitation, uses=invitation.uses + 1, version=invitation.version + 1)
    return Change(updates=(used,))


def is_live(invitation: Invitation, now: datetime) -> bool:
    """Return whether the invitation has not expired. A used one is not there any more."""
    return now < invitation.expires_at


def has_secret(invitation: Invitation, secret: str) -> bool:
    """Return whether a text is the invitation's secret, in a time that doesn't tell how much of it is right."""
    return hmac.compare_digest(invitation.digest, _hash_text(secret))


def makes_users(
    invitation: Invitation, installation_owner_ids: tuple[str, ...], *, members_may_invite_users: bool
) -> bool:
    """Return whether somebody who is no user may accept the invitation.

    Owners of the installation may always let users in. Others may, by their boards, if the installation allows it.
    """
    by_owner = invitation.created_by in installation_owner_ids
    return by_owner or (members_may_invite_users and invitation.board_id is not None)


def _build(
    board_id: str | None, context: ActionContext, random_bytes: Callable[[int], bytes], new: NewInvitation
) -> tuple[Invitation, str]:
    expires_at = context.at + DEFAULT_LIFETIME if new.expires_at is None else new.expires_at
    if expires_at <= context.at:
        raise ExpiresInPast("An invitation")
    if expires_at > context.at + MAX_LIFETIME:
        raise ExpiresTooLate
    secret = crockford.generate_text(random_bytes, SECRET_DIGITS).lower()
    invitation = Invitation(
        id=context.new_id("invitation"),
        board_id=board_id,
        role=new.role,
        digest=_hash_text(secret),
        note=new.note,
        max_uses=new.max_uses,
        uses=0,
        created_by=context.actor_id,
        version=1,
        created_at=context.at,
        expires_at=expires_at,
    )
    return invitation, secret


def _ensure_room(present_invitations: Sequence[Invitation], context: ActionContext, holder: str, maximum: int) -> None:
    if sum(is_live(invitation, context.at) for invitation in present_invitations) >= maximum:
        raise TooManyInvitations(holder, maximum)


def _list_expired(present_invitations: Sequence[Invitation], context: ActionContext) -> tuple[Invitation, ...]:
    """Return some invitations that have expired."""
    expired = [invitation for invitation in present_invitations if not is_live(invitation, context.at)]
    return tuple(expired[:MAX_ERASED])


def _hash_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
