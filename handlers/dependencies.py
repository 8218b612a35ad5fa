"""Types of the dependencies that a handler may take by name, besides the parameters of the document.

`access` reads the boards that the caller may access. `context` is the actor, the time and the id generator of a change.
`now` is the time of the request. `caller` is the authenticated user, None for an operation without a token.
`media_type` is the negotiated media type of the response. `store` is the store, for what belongs to no board, and
`open_signup` tells whether anyone may create a user, `members_may_invite_users` whether owners of boards may invite
people who are no users, and `joining_takes_consent` whether strangers become members only when they agree.
`webhook_key` is what the secrets of webhooks are derived from.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from kanban.identities import Account, SignInAttempt, SignInProvider
from kanban.views import PageKey


class IfMatch(Protocol):
    """The If-Match header of the request (`if_match`)."""

    def ensure_matches(self, version: int, describe_changes: Callable[[int], Mapping[str, Any]] = ..., /) -> None:
        """Ensure that the header names this version. Raises if the header is missing or names another version.

        `describe_changes` returns the members by which the problem says what changed since an earlier version.
        """


class EnsureWebhookUrl(Protocol):
    """Ensure that a webhook can deliver to a URL (`ensure_webhook_url`)."""

    def __call__(self, url: str, /) -> None:
        """Raise InvalidWebhookUrl if it can't."""


class CursorEncoder(Protocol):
    """Encode the key of the next page as a cursor (`encode_cursor`)."""

    def __call__(self, page_key: PageKey | None, operation_id: str | None = None, **scope: object) -> str | None:
        """Return the cursor of this listing, or of another operation with its parameters; None for no next page."""


class Attempts(Protocol):
    """Limits how many wrong codes this client, and all clients together, may send (`attempts`)."""

    def ensure_allowed(self) -> None:
        """Raise TooManyAttempts if there were too many just now."""

    def count_failure(self) -> None:
        """Count a wrong code."""


class Providers(Protocol):
    """The providers with which users sign in (`providers`)."""

    def list_providers(self) -> Sequence[SignInProvider]:
        """Return the providers in the order of the configuration."""

    def list_issuers(self) -> Collection[str]:
        """Return the issuers of the providers."""

    def begin(self, provider_id: str, redirect_uri: str) -> SignInAttempt:
        """Begin to sign in. Raises NotFound for another provider, and RedirectNotAllowed."""

    def redeem(self, provider_id: str, *, attempt: str, state: str, code: str, issuer: str | None) -> Account:
        """Return the account that a browser has come back with. Raises NotFound and ProviderSignInFailed."""


class RandomBytes(Protocol):
    """A source of random bytes for secrets (`random_bytes`)."""

    def __call__(self, count: int, /) -> bytes:
        """Return `count` unpredictable bytes."""
