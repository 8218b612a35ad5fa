"""Authorization: the one decision whether a caller may do something, for every operation."""

from typing import NamedTuple

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


class Caller(NamedTuple):
    """The user who calls, and the token; `token_version` is the version of the token whose secret was sent.

    There is one for each request, and a frozen dataclass takes three times as long to make.
    """

    user_id: str
    token_id: str
    scopes: tuple[Scope, ...]
    token_version: int = 1


def ensure_permitted(
    caller: Caller, scope: str, *, role: Role | None = None, required_role: Role | None = None
) -> None:
    """Raise ScopeMissing or RoleTooLow unless the caller may do this.

    `scope` is the scope that the operation needs. `required_role` is the role that it needs on the board, `role` the
    caller's role there, None for someone who is not a member.
    """
    if scope not in caller.scopes:
        raise ScopeMissing(scope)
    if required_role is not None and (role is None or not role.covers(required_role)):
        raise RoleTooLow(role or "none", required_role)
