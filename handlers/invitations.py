"""Invitations to boards and to the installation."""

from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from handlers import entity_tags, parse, serialize
from handlers.dependencies import Attempts, CursorEncoder, RandomBytes
from handlers.invitation_access import Joined, join, makes_users, require_open_invitation
from handlers.results import Result, new_resource, no_content, page
from kanban import installation, invitations, tokens, users
from kanban.access import Caller, ensure_may_join, ensure_may_manage_users
from kanban.changes import ActionContext, Change
from kanban.errors import NotFound
from kanban.invitations import AlreadySignedIn, NewInvitation, NoUserToJoin, SignInFirst
from kanban.limits import MAX_INVITATIONS_PER_INSTALLATION
from kanban.store import Store
from kanban.values import Invitation, User
from kanban.views import PageKey
from usecases.board_access import BoardAccess
from usecases.invitations import OpenInvitation, find_received_invitation, page_received_invitations
from usecases.quotas import Quotas

_DEFAULT_SESSION_NAME = "First session"


def list_invitations(access: BoardAccess, store: Store, context: ActionContext, board_id: str) -> Result:
    """List the live invitations to a board, oldest first."""
    access.read_board(board_id)
    return _list_live(store, context, board_id)


def create_invitation(
    access: BoardAccess,
    store: Store,
    context: ActionContext,
    random_bytes: RandomBytes,
    board_id: str,
    body: dict[str, Any],
) -> Result:
    """Invite people to a board. Only this response has the secret."""
    view = access.read_board(board_id)
    present = store.invitations.list_invitations(board_id)
    invitation, secret, change = invitations.create(view, present, context, random_bytes, _parse_new(body))
    result_body = {"invitation": serialize.invitation(invitation), "secret": secret}
    location = f"/boards/{board_id}/invitations/{invitation.id}"
    return new_resource(result_body, etag=None, location=location, change=change)


def revoke_invitation(
    access: BoardAccess, store: Store, context: ActionContext, board_id: str, invitation_id: str
) -> Result:
    """Revoke an invitation to a board, with immediate effect."""
    view = access.read_board(board_id)
    return no_content(invitations.revoke(view, _require_live(store, context, board_id, invitation_id), context))


def list_installation_invitations(store: Store, caller: Caller, context: ActionContext) -> Result:
    """List the live invitations to no board, oldest first."""
    _ensure_may_invite_users(store, caller)
    return _list_live(store, context, None)


def create_installation_invitation(
    store: Store, caller: Caller, context: ActionContext, random_bytes: RandomBytes, body: dict[str, Any]
) -> Result:
    """Invite people to become users. Only this response has the secret."""
    _ensure_may_invite_users(store, caller)
    present = store.invitations.list_invitations(None)
    invitation, secret, change = invitations.create_for_installation(present, context, random_bytes, _parse_new(body))
    result_body = {"invitation": serialize.invitation(invitation), "secret": secret}
    return new_resource(result_body, etag=None, location=f"/invitations/{invitation.id}", change=change)


def revoke_installation_invitation(store: Store, caller: Caller, context: ActionContext, invitation_id: str) -> Result:
    """Revoke an invitation to no board, with immediate effect."""
    _ensure_may_invite_users(store, caller)
    return no_content(Change(deletes=(_require_live(store, context, None, invitation_id),)))


def get_invitation(
    store: Store,
    context: ActionContext,
    attempts: Attempts,
    members_may_invite_users: bool,
    invitation_id: str,
    invitation_secret: str,
) -> Result:
    """Show an invitation to a client that has its secret."""
    opened = require_open_invitation(store, context, attempts, invitation_id, invitation_secret)
    invitation, inviter, view = opened
    may_make_user = makes_users(store, invitation, members_may_invite_users=members_may_invite_users)
    board_name = view.board.name if view else None
    return Result(serialize.invitation_preview(invitation, inviter, board_name, makes_users=may_make_user))


def accept_invitation(
    store: Store,
    caller: Caller | None,
    context: ActionContext,
    random_bytes: RandomBytes,
    attempts: Attempts,
    members_may_invite_users: bool,
    quotas: Quotas,
    invitation_id: str,
    body: dict[str, Any],
) -> Result:
    """Become a member of a board, and a user without a token. Only this response has the token of a new user."""
    if caller is not None:
        ensure_may_join(caller)
    opened = require_open_invitation(store, context, attempts, invitation_id, body["secret"])
    if caller is None:
        may_make_user = makes_users(store, opened.invitation, members_may_invite_users=members_may_invite_users)
        return _accept_as_new_user(
            store, context, random_bytes, opened, body, quotas=quotas, may_make_user=may_make_user
        )
    if body.get("user") is not None:
        raise AlreadySignedIn
    user = store.read_user(caller.user_id)
    if user is None:
        raise NotFound("user")
    joined = join(opened, context, quotas, is_new_user=False)
    return Result(_serialize_accepted(store, user, joined), change=joined.change)


def list_received_invitations(
    store: Store,
    caller: Caller,
    now: datetime,
    encode_cursor: CursorEncoder,
    limit: int,
    cursor: PageKey | None = None,
) -> Result:
    """List the invitations that are for the caller, newest first."""
    received = page_received_invitations(store, caller, limit, cursor, now)
    items = (
        serialize.received_invitation(opened.invitation, opened.inviter, opened.view.board.name)
        for opened in received.items
        if opened.view
    )
    return page(items, encode_cursor(received.next_key))


def accept_received_invitation(
    store: Store, caller: Caller, context: ActionContext, quotas: Quotas, invitation_id: str
) -> Result:
    """Become a member of a board that the caller was asked to join."""
    ensure_may_join(caller)
    received = find_received_invitation(store, caller, invitation_id, context.at)
    if received is None:
        raise NotFound("invitation")
    board, role, change = join(received, context, quotas, is_new_user=False)
    if board is None or role is None:
        raise NotFound("invitation")
    return Result(serialize.board(board, role), etag=entity_tags.board_tag(board), change=change)


def decline_invitation(store: Store, caller: Caller, context: ActionContext, invitation_id: str) -> Result:
    """Decline to join a board that the caller was asked to join."""
    received = find_received_invitation(store, caller, invitation_id, context.at)
    if received is None or received.view is None:
        raise NotFound("invitation")
    return no_content(invitations.revoke(received.view, received.invitation, context))


def _accept_as_new_user(
    store: Store,
    context: ActionContext,
    random_bytes: RandomBytes,
    opened: OpenInvitation,
    body: dict[str, Any],
    *,
    quotas: Quotas,
    may_make_user: bool,
) -> Result:
    if not may_make_user:
        raise SignInFirst
    if body.get("user") is None:
        raise NoUserToJoin
    user, change = users.create(context, **body["user"])
    session_name = body.get("session_name") or _DEFAULT_SESSION_NAME
    session, token, session_change = tokens.open_session(context, random_bytes, user_id=user.id, name=session_name)
    joined = join(opened, replace(context, actor_id=user.id, token_id=session.id), quotas, is_new_user=True)
    signed_in = {"session": serialize.session(session, session.id, context.at), "token": token}
    return Result(
        _serialize_accepted(store, user, joined) | signed_in,
        change=change.merge(session_change).merge(joined.change or Change()),
    )


def _serialize_accepted(store: Store, user: User, joined: Joined) -> dict[str, Any]:
    return {
        "user": serialize.user(user, installation.get_role(user.id, store.read_installation_owner_ids())),
        **serialize.joined_board(joined.board, joined.role),
        "session": None,
        "token": None,
    }


def _parse_new(body: dict[str, Any]) -> NewInvitation:
    return NewInvitation(
        role=parse.role_or_none(body.get("role")),
        max_uses=body.get("max_uses") or 1,
        expires_at=parse.timestamp_or_none(body.get("expires_at")),
        note=body.get("note") or "",
    )


def _list_live(store: Store, context: ActionContext, board_id: str | None) -> Result:
    live = (
        serialize.invitation(invitation)
        for invitation in store.invitations.list_invitations(board_id)
        if invitations.is_live(invitation, context.at)
    )
    # Those who are as fast may have made a few more to the installation.
    return page(islice(live, MAX_INVITATIONS_PER_INSTALLATION), None)


def _require_live(store: Store, context: ActionContext, board_id: str | None, invitation_id: str) -> Invitation:
    invitation = store.invitations.read_invitation(invitation_id)
    if invitation is None or invitation.board_id != board_id or not invitations.is_live(invitation, context.at):
        raise NotFound("invitation")
    return invitation


def _ensure_may_invite_users(store: Store, caller: Caller) -> None:
    ensure_may_manage_users(caller)
    installation.ensure_owner(caller.user_id, store.read_installation_owner_ids(), "invite people to no board")
