"""Authorization: the one decision whether a caller may do something, for every operation."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from kanban.errors import Forbidden
from kanban.values import UNLIMITED, Role, Scope, Token, TokenLimits

PROVIDER_TOKEN_VERSION = 0
"""The version of a token that a provider has issued, and that is stored nowhere."""


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


class ResourceMissing(Forbidden):
    """Raised when the caller's token is narrowed by resources, and lacks one that the request needs."""

    code = "resource_missing"

    def __init__(self, resources: Iterable[str]) -> None:
        """Take the resources that are missing."""
        missing = sorted(resources)
        noun = "resource" if len(missing) == 1 else "resources"
        super().__init__(f"This needs a token with the {noun} {', '.join(missing)}.")


class TokenTooNarrow(Forbidden):
    """Raised when a narrowed token would make what its limits could not hold: a board, or a user."""

    code = "token_too_narrow"


def limits_cover(limits: TokenLimits, others: TokenLimits) -> bool:
    """Return whether limits allow everything that others allow."""
    return (
        _is_subset(others.board_ids, limits.board_ids)
        and _is_subset(others.resources, limits.resources)
        and (limits.max_role is None or limits.max_role.covers(others.max_role or Role.OWNER))
    )


def _is_subset(others: tuple[str, ...] | None, allowed: tuple[str, ...] | None) -> bool:
    return allowed is None or (others is not None and set(others) <= set(allowed))


class Caller(NamedTuple):
    """The user who calls, and the token; `token_version` is the version of the token whose secret was sent.

    `limits` narrow the token. A board that it does not reach does not exist for it. On each board it has its user's
    role or the highest that it may have, whichever is lower. It may only send requests that need no other resources.

    Tokens that the user had at `signed_out_at` are void. A bot may not do what only people can.

    There is one for each request, and a frozen dataclass takes three times as long to make.
    """

    user_id: str
    token_id: str
    scopes: tuple[Scope, ...]
    token_version: int = 1
    limits: TokenLimits = UNLIMITED
    signed_out_at: datetime | None = None
    is_bot: bool = False

    @property
    def is_narrowed(self) -> bool:
        """Whether anything narrows the token."""
        return self.limits != UNLIMITED

    @property
    def audience(self) -> str:
        """Whom responses are for: tokens of one user that are narrowed differently may get different ones."""
        if not self.is_narrowed:
            return self.user_id
        board_ids, max_role, resources = self.limits
        return "\n".join((self.user_id, " ".join(board_ids or ()), max_role or "", " ".join(resources or ())))

    def may_use(self, token: Token) -> bool:
        """Return whether a token of the user was created since they were last signed out."""
        return self.signed_out_at is None or token.created_at > self.signed_out_at

    def reaches(self, board_id: str) -> bool:
        """Return whether the token reaches a board, if its user does."""
        board_ids = self.limits.board_ids
        return board_ids is None or board_id in board_ids

    def limit_role(self, role: Role) -> Role:
        """Return the token's role on a board on which its user has this role."""
        max_role = self.limits.max_role
        return role if max_role is None or max_role.covers(role) else max_role


def ensure_may_create_boards(caller: Caller) -> None:
    """Raise TokenTooNarrow if a new board could not be among those that the token reaches."""
    if caller.limits.board_ids is not None:
        raise TokenTooNarrow(
            "Your token reaches certain boards only, so it cannot create another one: use a token without board_ids."
        )


def ensure_not_narrowed(caller: Caller) -> None:
    """Raise TokenTooNarrow if the token is narrowed: a user's first token is not."""
    if caller.is_narrowed:
        raise TokenTooNarrow(
            "Your token is narrowed, so it cannot create a user, whose token would not be: use a token that is not."
        )


def ensure_may_join(caller: Caller) -> None:
    """Raise TokenTooNarrow if the token is narrowed: an invitation gives its user what the token may not have."""
    if caller.is_narrowed:
        raise TokenTooNarrow(
            "Your token is narrowed, so it cannot accept an invitation, which is not: use a token that is not narrowed."
        )


def ensure_may_manage_users(caller: Caller) -> None:
    """Raise TokenTooNarrow if the token is narrowed: what it did to other users would not be."""
    if caller.is_narrowed:
        raise TokenTooNarrow("Your token is narrowed, so it cannot manage other users: use a token that is not.")


def ensure_may_export_user(caller: Caller) -> None:
    """Raise TokenTooNarrow if the token is narrowed: what is stored about its user is not."""
    if caller.is_narrowed:
        raise TokenTooNarrow(
            "Your token is narrowed, so it cannot export what is stored about you: use a token that is not."
        )


def ensure_resources(caller: Caller, resources: Iterable[str]) -> None:
    """Raise ResourceMissing unless the token has all resources that a request needs."""
    allowed = caller.limits.resources
    if allowed is not None and (missing := set(resources) - set(allowed)):
        raise ResourceMissing(missing)


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
