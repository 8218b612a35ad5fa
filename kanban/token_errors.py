"""What is refused about tokens.

Unprocessable: ScopeTooBroad, ExpiresInPast, ExpiresAfterParent
Conflict: TooManyGenerations, TokenExpired
Forbidden: TokenOutOfReach
Unauthenticated: TokenChanged.
"""

from datetime import datetime

from kanban.errors import Conflict, Forbidden, Unauthenticated, Unprocessable
from kanban.timekeeping import timestamps


class ScopeTooBroad(Unprocessable):
    """A token cannot make a stronger one."""

    code = "scope_too_broad"

    def __init__(self, scope: str) -> None:
        """Scope is the first one that the calling token does not have."""
        super().__init__(f"A token cannot give the scope {scope}, which it does not have itself.")
        self.field = "scopes"


class ExpiresInPast(Unprocessable):
    """A token would have expired before it was made."""

    code = "expires_in_past"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("A token cannot expire before it is made: 'expires_at' lies in the past.")
        self.field = "expires_at"


class ExpiresAfterParent(Unprocessable):
    """A token cannot make one that outlives it."""

    code = "expires_after_parent"

    def __init__(self, expires_at: datetime) -> None:
        """Name the moment at which the parent expires."""
        super().__init__(
            f"A token cannot outlive the one that it is made with, which expires at "
            f"{timestamps.format_utc(expires_at)}."
        )
        self.field = "expires_at"


class TooManyGenerations(Conflict):
    """A token has as many ancestors as a token may have."""

    code = "too_many_generations"

    def __init__(self, maximum: int) -> None:
        """Most is the number of ancestors allowed."""
        super().__init__(
            f"There are {maximum} tokens above the new one already: make it with one of those, or rotate yours instead."
        )


class TokenExpired(Conflict):
    """A new secret for an expired token would open nothing."""

    code = "token_expired"

    def __init__(self) -> None:
        super().__init__("This token has expired: make another one.")


class TokenOutOfReach(Forbidden):
    """The caller's token may not revoke or rotate that one."""

    code = "token_out_of_reach"


class TokenChanged(Unauthenticated):
    """The caller's token was revoked or rotated while the request was under way."""

    def __init__(self) -> None:
        super().__init__("The token is not valid.")
