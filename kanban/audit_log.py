"""The audit log of the installation: who was let in and put out, and which tokens were created.

Its entries follow from what a change writes, so no rule can forget one. They name users by id, and hold no names,
addresses and secrets. What happens on boards is in their events.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from kanban import installation
from kanban.changes import ActionContext, Change
from kanban.values import (
    AuditEntry,
    Entity,
    Identity,
    InstallationOwners,
    Invitation,
    SignInCode,
    Token,
    TokenKind,
    User,
)

ENTRY_LIFETIME = timedelta(days=400)
"""How long an entry is kept: somebody who looks once a year finds all of that year."""

_Fact = tuple[str, str | None, Mapping[str, str]]
"""What an entry tells: its type, the user whom it concerns, and its data."""

_TOKEN_NAMES = {TokenKind.API: "token", TokenKind.SESSION: "session"}
_ENDED = {TokenKind.API: "token.revoked", TokenKind.SESSION: "session.ended"}


_AUDITED = frozenset((User, InstallationOwners, Token, SignInCode, Identity, Invitation))


def concerns(change: Change) -> bool:
    """Tell whether a change may have something that belongs in the audit log."""
    return not _AUDITED.isdisjoint(map(type, (*change.creates, *change.updates, *change.deletes)))


def record(change: Change, context: ActionContext) -> Change:
    """Return the change with an entry for each thing in it that belongs in the audit log."""
    facts = [
        *(fact for value in change.creates for fact in _describe_created(value)),
        *(fact for value in change.updates for fact in _describe_updated(value, change, context)),
        *(fact for value in change.deletes for fact in _describe_deleted(value, change, context)),
    ]
    if not facts:
        return change
    entries = tuple(
        AuditEntry(
            id=context.new_id("audit_entry"),
            type=entry_type,
            created_at=context.at,
            expires_at=context.at + ENTRY_LIFETIME,
            actor_id=context.actor_id or None,
            token_id=context.token_id,
            request_id=context.request_id,
            user_id=user_id,
            data=data,
        )
        for entry_type, user_id, data in facts
    )
    return replace(change, creates=(*change.creates, *entries))


def _describe_created(value: Entity) -> Iterator[_Fact]:
    if isinstance(value, User):
        yield (
            ("bot.created", value.id, {"owner_id": value.owner_id})
            if value.owner_id
            else ("user.created", value.id, {})
        )
    elif isinstance(value, Token):
        yield f"{_TOKEN_NAMES[value.kind]}.created", value.user_id, {"token_id": value.id}
    elif isinstance(value, SignInCode):
        yield "sign_in_code.created", value.user_id, {}
    elif isinstance(value, Identity):
        yield "identity.added", value.user_id, {"identity_id": value.id}
    elif isinstance(value, Invitation):
        yield "invitation.created", value.invitee_id, _describe_invitation(value)


def _describe_updated(value: Entity, change: Change, context: ActionContext) -> Iterator[_Fact]:
    if isinstance(value, User):
        yield from _describe_updated_user(value, change, context)
    elif isinstance(value, InstallationOwners):
        for user_id in sorted({*value.user_ids} ^ {*value.previous_ids}):
            yield "user.role_changed", user_id, {"role": installation.get_role(user_id, value.user_ids)}
    elif isinstance(value, Token):
        entry_type = "token.rotated" if value.revoked_at is None else _ENDED[value.kind]
        yield entry_type, value.user_id, {"token_id": value.id}
    elif isinstance(value, Invitation):
        yield "invitation.accepted", _find_joining_user(change, context), _describe_invitation(value)


def _describe_updated_user(user: User, change: Change, context: ActionContext) -> Iterator[_Fact]:
    """Yield what others did with a user. All that users change of themselves is their name, and which bots they have.

    A bot is reactivated with its person beside it, and handed over with two; with none beside it, it gets another name.
    """
    users = [value for value in (*change.creates, *change.updates) if isinstance(value, User)]
    persons = [value for value in users if value.owner_id is None]
    if len(persons) > 1:
        if user.owner_id is not None:
            yield "bot.handed_over", user.id, {"owner_id": user.owner_id}
    elif user.deleted_at == context.at:
        yield "user.deleted", user.id, {}
    elif user.deactivated_at == context.at:
        yield "user.deactivated", user.id, {}
    elif user.owner_id is None:
        is_of_others = user.id != context.actor_id and len(users) == 1
        if is_of_others and user.signed_out_at is not None and not _changes_owners(change):
            yield "user.reactivated", user.id, {}
    elif persons:
        yield "user.reactivated", user.id, {}


def _describe_deleted(value: Entity, change: Change, context: ActionContext) -> Iterator[_Fact]:
    if isinstance(value, Identity):
        yield "identity.removed", value.user_id, {"identity_id": value.id}
    elif isinstance(value, Invitation) and context.at < value.expires_at:
        if _is_accepted(value, change):
            yield "invitation.accepted", _find_joining_user(change, context), _describe_invitation(value)
        else:
            yield "invitation.revoked", value.invitee_id, _describe_invitation(value)


def _describe_invitation(invitation: Invitation) -> dict[str, str]:
    data = {"invitation_id": invitation.id}
    if invitation.board_id is not None:
        data["board_id"] = invitation.board_id
    if invitation.role is not None:
        data["role"] = invitation.role
    return data


def _is_accepted(invitation: Invitation, change: Change) -> bool:
    """Return whether an invitation is erased with its last use, and not because it was revoked or replaced."""
    event = change.event
    if event is None:
        return bool(change.creates)
    return event.type.startswith("member.") and event.data.get("invitation_id") == invitation.id


def _find_joining_user(change: Change, context: ActionContext) -> str:
    """Return the id of the user who uses an invitation."""
    joining_id = change.event.actor_id if change.event else context.actor_id
    return next((value.id for value in change.creates if isinstance(value, User)), joining_id)


def _changes_owners(change: Change) -> bool:
    return any(isinstance(value, InstallationOwners) for value in change.updates)
