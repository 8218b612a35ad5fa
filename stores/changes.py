"""Checks of a change before an engine writes it."""

from kanban.changes import Change
from kanban.values import (
    AuditEntry,
    Board,
    Entity,
    Event,
    Identity,
    InstallationOwners,
    Invitation,
    Job,
    Member,
    SignInCode,
    Token,
    User,
)

_BOARDLESS = User | InstallationOwners | Token | SignInCode | Identity | Job | AuditEntry
"""What belongs to no board."""

_OF_NEW_USER = User | Token | Identity
"""What is created with a membership by an invitation."""


def validate_change(change: Change) -> None:
    """Raise ValueError for a change that no rule can have made: a bug of ours, not bad input."""
    # The audit log is about the installation, whatever else is written with an entry.
    creates = tuple(value for value in change.creates if not isinstance(value, AuditEntry))
    values = (*creates, *change.updates, *change.deletes)
    event = change.event
    if event is None:
        if any(_board_id(value) is not None for value in values):
            raise ValueError("A change to what belongs to a board must have an event.")
        return
    boards = [value for value in change.creates if isinstance(value, Board)]
    boards = boards or [value for value in change.updates if isinstance(value, Board)]
    if [(board.id, board.seq) for board in boards] != [(event.board_id, event.seq)]:
        raise ValueError("A change with an event must contain its board, at the event's seq.")
    if uses_invitation(change, event):
        # Who accepts an invitation may become a user by it.
        values = tuple(value for value in values if not (value in change.creates and isinstance(value, _OF_NEW_USER)))
    if any(_board_id(value) != event.board_id for value in values) or any(
        reader.board_id != event.board_id for reader in change.readers
    ):
        raise ValueError("A change with an event must write to one board only.")
    if change.departure is not None:
        validate_change(change.departure)


def uses_invitation(change: Change, event: Event) -> bool:
    """Tell whether the actor accepts an invitation, or declines one that is for them: no membership lets them."""
    invitations = [value for value in (*change.updates, *change.deletes) if isinstance(value, Invitation)]
    if any(invitation.invitee_id == event.actor_id for invitation in invitations):
        return True
    members = (value for value in (*change.creates, *change.updates) if isinstance(value, Member))
    return bool(invitations) and any(member.user_id == event.actor_id for member in members)


def find_required_user(change: Change) -> str | None:
    """Return the id of the user who must be active, None if a membership or the version of the user says so."""
    values = (*change.creates, *change.updates, *change.deletes)
    event, user_id = change.event, change.active_user_id
    if user_id is None or not values or any(isinstance(value, User) and value.id == user_id for value in values):
        return None
    creates_board = any(isinstance(value, Board) for value in change.creates)
    is_needed = event is None or creates_board or change.restores_board or uses_invitation(change, event)
    return user_id if is_needed else None


def _board_id(value: Entity) -> str | None:
    if isinstance(value, _BOARDLESS):
        return None
    return value.id if isinstance(value, Board) else value.board_id
