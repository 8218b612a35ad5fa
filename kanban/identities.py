"""Identities: the accounts elsewhere with which a user signs in, by issuer and subject alone.

Names and addresses of an account may change, and may belong to another person later, so they join nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from unicodedata import category, normalize

from kanban.changes import ActionContext, Change
from kanban.errors import Conflict, Forbidden, IdentityTaken, NotFound, Unprocessable
from kanban.invitations import SignInFirst
from kanban.sign_in import SignInFailed
from kanban.values import Identity

MAX_IDENTITIES_PER_USER = 10

DEFAULT_NAME = "New user"
"""The name of a user whose account has none."""

_OPEN = "open"
_NONE = "none"

_MAX_NAME_LENGTH = 100
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
"""Letters and symbols that look like spaces."""


class ProviderSignInFailed(SignInFailed):
    """Raised when a provider vouches for no user. It doesn't say why; the log does."""

    def __init__(self) -> None:
        super().__init__("Signing in with this provider failed: begin again.")


class NotInvited(Forbidden):
    """Raised when an account is none of a user, and may not create one."""

    code = "not_invited"

    def __init__(self, message: str = "it takes an invitation to create one") -> None:
        """Take why it creates none, as the second part of a sentence."""
        super().__init__(f"This account belongs to no user here, and {message}.")


class TooManyIdentities(Conflict):
    """Raised when a user has as many identities as a user may have."""

    code = "too_many_identities"

    def __init__(self) -> None:
        super().__init__(f"You have {MAX_IDENTITIES_PER_USER} identities, the most a user may have: remove one first.")


class RedirectNotAllowed(Unprocessable):
    """Raised when a browser should come back to an address that is none of ours."""

    code = "redirect_not_allowed"

    def __init__(self) -> None:
        super().__init__(
            "'redirect_uri' must be an address of this server's own page, or one that its operator has allowed."
        )
        self.field = "redirect_uri"


@dataclass(frozen=True, slots=True)
class Account:
    """An account at a provider, which has just vouched for it. `name` is any text, None if the provider gives none."""

    issuer: str
    subject: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class SignInProvider:
    """A provider to sign in with. `sign_up` says whose first sign-in creates a user: `open`, `invited` or `none`."""

    id: str
    name: str
    issuer: str
    sign_up: str


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """A sign-in that has begun: where the browser goes, and what it keeps until it comes back."""

    authorization_url: str
    text: str
    expires_at: datetime


def ensure_may_sign_up(sign_up: str, *, by_invitation: bool | None, has_owner: bool) -> None:
    """Raise NotInvited or SignInFirst unless an account that is none of a user may create one.

    `sign_up` is that of its provider, `by_invitation` whether the invitation makes users, None without one. The first
    user owns the installation, which a stranger should not.
    """
    if not has_owner:
        raise NotInvited
    if sign_up == _NONE:
        raise NotInvited("accounts of this provider create none: sign in another way, and add the account to your user")
    if sign_up == _OPEN or by_invitation:
        return
    raise NotInvited if by_invitation is None else SignInFirst


def link(
    account: Account, context: ActionContext, *, user_id: str, identities: Sequence[Identity]
) -> tuple[Identity, Change]:
    """Make an account one of a user, who has `identities`. The store checks that it is no other user's.

    Raises TooManyIdentities.
    """
    if len(identities) >= MAX_IDENTITIES_PER_USER:
        raise TooManyIdentities
    identity = Identity(
        id=context.new_id("identity"),
        user_id=user_id,
        issuer=account.issuer,
        subject=account.subject,
        created_at=context.at,
    )
    return identity, Change(creates=(identity,))


def ensure_is_of(identity: Identity, user_id: str) -> None:
    """Raise IdentityTaken unless the identity belongs to the user."""
    if identity.user_id != user_id:
        raise IdentityTaken


def require_identity(identities: Sequence[Identity], identity_id: str) -> Identity:
    """Return the identity of that id. Raises NotFound."""
    for identity in identities:
        if identity.id == identity_id:
            return identity
    raise NotFound("identity")


def derive_token_id(identity: Identity) -> str:
    """Return the id that events have for the token of a provider: one for all tokens of an identity."""
    return f"tok_{identity.id.partition('_')[2]}"


def choose_user_name(account: Account) -> str:
    """Return the name of a user with this account: on one line, of a length that names have, and visible."""
    line = " ".join(_CONTROLS.sub(" ", normalize("NFC", account.name or "")).split())[:_MAX_NAME_LENGTH].strip()
    return line if any(_is_visible(character) for character in line) else DEFAULT_NAME


def _is_visible(character: str) -> bool:
    return category(character)[0] in "LNPS" and character not in _BLANK_LETTERS
