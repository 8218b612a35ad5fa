"""Domain errors. Errors of one subject are defined beside its rules.

    DomainError
    ├── NotFound
    ├── Forbidden
    ├── Conflict: IdTaken, IdentityTaken, DeletionUnderWay, ExternalIdTaken, LimitReached
    ├── Unprocessable: UnknownReference, SelfReference, EndsBeforeStart, IdempotencyKeyReused
    ├── Unauthenticated
    └── TooManyAttempts

A message names the thing and the number. It may show what the board holds, never what the request sent.
"""

from typing import ClassVar

_MAX_QUOTED_LENGTH = 60


def quote_name(name: str) -> str:
    """Return a name in quotes for a message, shortened to 60 characters."""
    return f"'{name}'" if len(name) <= _MAX_QUOTED_LENGTH else f"'{name[: _MAX_QUOTED_LENGTH - 1]}…'"


class DomainError(Exception):
    """Raised when a rule does not allow something. `code` is stable, `message` is a full sentence."""

    code: str = "refused"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(DomainError):
    """Raised when there is no such thing, or none that the caller may know of."""

    def __init__(self, kind: str) -> None:
        """Take the kind of thing, such as 'board', 'card' or 'checklist_item'."""
        super().__init__(f"There is no such {kind.replace('_', ' ')}.")
        self.kind = kind
        self.code = f"{kind}_not_found"


class Forbidden(DomainError):
    """Raised when the caller is known but may not do this."""


class Conflict(DomainError):
    """Raised when the current state does not allow this."""


class IdTaken(Conflict):
    """Raised when a chosen id is already in use."""

    code = "id_taken"

    def __init__(self, kind: str) -> None:
        """Take the kind of thing whose id was chosen: 'user'."""
        super().__init__(f"Another {kind} has this id.")
        self.kind = kind


class IdentityTaken(Conflict):
    """Raised when an account elsewhere should become an identity of a second user."""

    code = "identity_taken"

    def __init__(self) -> None:
        super().__init__("This account is an identity of another user: remove it there first.")


class DeletionUnderWay(Conflict):
    """Raised when a user should be deleted whom a job deletes already."""

    code = "deletion_under_way"

    def __init__(self) -> None:
        super().__init__("A job deletes this user already.")


class ExternalIdTaken(Conflict):
    """Raised when another thing of that kind has the external id."""

    code = "external_id_taken"

    def __init__(self, kind: str, holder_id: str | None = None) -> None:
        """Take the kind of thing ('board', 'list' or 'card'), and the id of the one that has it, if that is known."""
        others = "Another of your boards" if kind == "board" else f"Another {kind} on this board"
        super().__init__(f"{others} has this external_id.")
        self.kind = kind
        self.holder_id = holder_id


class LimitReached(Conflict):
    """Raised when a board, list, card or checklist already holds as many things as it may."""

    HOLDERS: ClassVar[dict[str, str]] = {
        "lists": "board",
        "members": "board",
        "labels": "board",
        "webhooks": "board",
        "cards": "list",
        "assignees": "card",
        "checklists": "card",
        "comments": "card",
        "items": "checklist",
        "bots": "person",
    }
    """What is limited, and what holds it. The code of each error is 'too_many_' and what is limited."""

    def __init__(self, things: str, maximum: int, *, holder_name: str | None = None) -> None:
        """Take what is limited, the limit, and the holder's name unless the holder is the board."""
        holder = self.HOLDERS[things]
        subject = f"This {holder}" if holder_name is None else f"{holder.capitalize()} {quote_name(holder_name)}"
        has, have = ("holds", "hold") if holder == "list" else ("has", "have")
        super().__init__(f"{subject} {has} {maximum} {things}, the most a {holder} may {have}.")
        self.code = f"too_many_{things}"


class Unprocessable(DomainError):
    """Raised when a request is well-formed but semantically invalid.

    `field` is the member of the body, if one is at fault; 'query/…' names a query parameter.
    """

    field: str | None = None


class UnknownReference(Unprocessable):
    """Raised when a field names something that is not on this board, or not in that list."""

    code = "unknown_reference"
    _MESSAGES: ClassVar[dict[str, str]] = {
        "board_id": "'board_id' names no board of yours.",
        "board_ids": "'board_ids' names a board that is not yours, or that your token does not reach.",
        "list_id": "'list_id' names no list of this board.",
        "before": "'before' names no neighbour there.",
        "after": "'after' names no neighbour there.",
        "label_ids": "'label_ids' names a label that this board does not have.",
        "to_user_id": "'to_user_id' names no active user.",
        "owner_id": "'owner_id' names no active person, or one with whom you share no board.",
        "assignee_id": "'assignee_id' names a user who is not a member of this board.",
        "assignee_ids": "'assignee_ids' names a user who is not a member of this board.",
        "user_id": "'user_id' names a user who is not a member of this board.",
    }

    def __init__(self, field: str) -> None:
        """Take the member of the body."""
        super().__init__(self._MESSAGES.get(field, f"'{field}' names nothing on this board."))
        self.field = field


class SelfReference(Unprocessable):
    """Raised when a thing should be put next to itself, or a card moved to the board that it is on."""

    code = "self_reference"

    def __init__(self, field: str) -> None:
        """Take the member of the body."""
        thing = "board that the card is on" if field == "board_id" else "thing that is to be moved"
        super().__init__(f"'{field}' names the {thing}.")
        self.field = field


class EndsBeforeStart(Unprocessable):
    """Raised when a range ends before it starts."""

    code = "ends_before_start"

    def __init__(self, start: str, end: str, *, in_query: bool = False) -> None:
        """Take the names of start and end: members of the body, or query parameters."""
        super().__init__(f"'{end}' lies before '{start}'.")
        self.field = f"query/{end}" if in_query else end


class IdempotencyKeyReused(Unprocessable):
    """Raised when an idempotency key comes again with a different request."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("This idempotency key was used for a different request.")


class Unauthenticated(DomainError):
    """Raised when the request needs a token, or another one."""

    code = "unauthenticated"


class TooManyAttempts(DomainError):
    """Raised when somebody has tried too many secrets that don't exist."""

    code = "too_many_requests"

    def __init__(self, wait_seconds: float) -> None:
        """Take how long to wait before the next attempt."""
        super().__init__("Too many wrong codes or invitations were sent: try again in a moment.")
        self.wait_seconds = wait_seconds


def conflict_for_duplicate(constraint: str) -> Conflict:
    """Return the error for a duplicate that the store reports, such as 'user' or 'list.external_id'."""
    kind, _, name = constraint.partition(".")
    if kind == "identity":
        return IdentityTaken()
    if kind == "job":
        return DeletionUnderWay()
    return ExternalIdTaken(kind) if name == "external_id" else IdTaken(kind)
