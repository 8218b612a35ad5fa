"""Who may do what: one decision, for every operation."""

from dataclasses import dataclass

from kanban.errors import Forbidden
from kanban.values import Role, Scope


class RoleTooLow(Forbidden):
    """Raised when the caller's role on the board does not allow this."""

    code = "role_too_low"

    def __init__(self, role: str, required: str) -> None:
        """Take the caller's role and the required one."""
        super().__init__(f"This needs the role {required} on the board; yours is {role}.")


class ScopeMissing(Forbidden):
    """Raised when the caller's token lacks a scope."""

    code = "scope_missing"

    def __init__(self, scope: str) -> None:
        """Take the required scope."""
        super().__init__(f"This needs a token with the scope {scope}.")
        self.scope = scope


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and with which token; `token_version` is that of the token whose secret was sent."""

    user_id: str
    token_id: str
    scopes: tuple[Scope, ...]
    token_version: int = 1


def ensure_permitted(
    caller: Caller, scope: Scope, *, role: Role | None = None, required_role: Role | None = None
) -> None:
    """Let the caller pass, or raise ScopeMissing or RoleTooLow.

    `scope` is what the operation needs of the token, `least` what it needs of the caller's `role` on the
    board: it is refused to someone who has none.
    """
    if scope not in caller.scopes:
        raise ScopeMissing(scope)
    if required_role is not None and (role is None or not role.covers(required_role)):
        raise RoleTooLow(role or "none", required_role)
