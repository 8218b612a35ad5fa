"""Sign-in with providers of OpenID Connect, as handlers and authentication use it.

What a provider says is translated here: an identity becomes an account, a rejection a failure that says nothing. The
reason goes into the log, without any value that was sent. PyJWT is loaded with the first signature.
"""

import logging
import re
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from contract.operations import Call
from contract.problems import Problem
from kanban.errors import NotFound
from kanban.identities import Account, ProviderSignInFailed, RedirectNotAllowed, SignInAttempt, SignInProvider

if TYPE_CHECKING:
    from oidc.attempts import Attempt
    from oidc.provider_client import ProviderClient
    from oidc.providers import Provider

log = logging.getLogger("tackboard")

_RETRY_AFTER_SECONDS = 30
"""How soon a provider that could not be reached is asked again."""

_HOST = re.compile(r"[a-z0-9._-]+(:[0-9]{1,5})?|\[[0-9a-f:.]+\](:[0-9]{1,5})?")


class ProviderSignIn:
    """The configured providers. Threads may share it."""

    def __init__(
        self,
        providers: Sequence["Provider"],
        *,
        read_secret: Callable[[], bytes],
        unix_time: Callable[[], float],
        random_bytes: Callable[[int], bytes],
        origins: Iterable[str],
    ) -> None:
        """`origins` are the web origins whose pages may call."""
        self._providers = {provider.id: provider for provider in providers}
        self._bearer_ids = {provider.issuer: provider.id for provider in providers if provider.bearer}
        self._read_secret = read_secret
        self._unix_time = unix_time
        self._random_bytes = random_bytes
        self._origins = tuple(origins)
        self._clients: dict[str, ProviderClient] = {}
        self._lock = threading.Lock()

    def list_providers(self) -> list[SignInProvider]:
        """Return the providers in the order of the configuration."""
        return [
            SignInProvider(provider.id, provider.name, provider.issuer, provider.sign_up)
            for provider in self._providers.values()
        ]

    def list_issuers(self) -> Collection[str]:
        """Return the issuers of the providers."""
        return {provider.issuer for provider in self._providers.values()}

    def begin(self, provider_id: str, redirect_uri: str, host: str) -> SignInAttempt:
        """Begin to sign in; `host` is the Host of the request.

        Raises NotFound for another provider, RedirectNotAllowed, and Problem (503) if the provider can't be reached.
        """
        from oidc.attempts import begin_attempt, seal_attempt  # noqa: PLC0415 - only sign-in needs it.
        from oidc.errors import ProviderUnreachable  # noqa: PLC0415 - as above.

        provider = self._require_provider(provider_id)
        if not self._is_allowed(provider, redirect_uri, host):
            raise RedirectNotAllowed
        attempt = begin_attempt(provider_id, redirect_uri, self._random_bytes, self._unix_time())
        try:
            url = self._get_client(provider).build_authorization_url(attempt)
        except ProviderUnreachable as error:
            raise _unreachable(provider, error) from error
        text = seal_attempt(attempt, self._read_secret())
        return SignInAttempt(url, text, datetime.fromtimestamp(attempt.expires_at, UTC))

    def redeem(
        self, call: Call, provider_id: str, *, attempt_text: str, state: str, code: str, issuer: str | None
    ) -> Account:
        """Return the account that a browser has come back with.

        A code can be redeemed once, so a handler that runs again gets the same account.

        Raises NotFound for another provider, ProviderSignInFailed, and Problem (503) if the provider can't be reached.
        """
        context = call.request.context
        if context.redeemed is None:
            provider = self._require_provider(provider_id)
            context.redeemed = self._redeem(provider, attempt_text, state, code, issuer)
        account: Account = context.redeemed
        return account

    def authenticate(self, token_text: str) -> tuple[Account, tuple[str, ...]] | None:
        """Return the account that calls with a token of a provider, and the scopes that it has here.

        None for a token that no provider has issued for this API. Raises Problem (503) if the provider has never been
        reached since the start, or not for a day.
        """
        if not self._bearer_ids:
            return None
        from oidc.errors import ProviderUnreachable, SignInRejected  # noqa: PLC0415 - few installations need it.
        from oidc.signed_tokens import parse_token  # noqa: PLC0415 - as above.

        try:
            token = parse_token(token_text)
        except SignInRejected:
            return None
        issuer = token.unverified_claims.get("iss")
        provider_id = self._bearer_ids.get(issuer) if isinstance(issuer, str) else None
        if provider_id is None:
            return None
        provider = self._providers[provider_id]
        try:
            identity = self._get_client(provider).verify_bearer_token(token)
        except SignInRejected as error:
            log.info("A token of the provider %s is refused: %s", provider.id, str(error))
            return None
        except ProviderUnreachable as error:
            raise _unreachable(provider, error) from error
        assert provider.bearer is not None  # noqa: S101 - by its issuer it is one of those that have it.
        return Account(identity.issuer, identity.subject, identity.name), provider.bearer.scopes

    def _redeem(self, provider: "Provider", attempt_text: str, state: str, code: str, issuer: str | None) -> Account:
        from oidc.attempts import open_attempt  # noqa: PLC0415 - only sign-in needs it.
        from oidc.errors import ProviderUnreachable, SignInRejected  # noqa: PLC0415 - as above.

        try:
            attempt: Attempt = open_attempt(attempt_text, provider.id, state, self._read_secret(), self._unix_time())
            identity = self._get_client(provider).redeem_code(attempt, code, issuer)
        except SignInRejected as error:
            log.warning("Signing in with the provider %s failed: %s", provider.id, str(error))
            raise ProviderSignInFailed from None
        except ProviderUnreachable as error:
            raise _unreachable(provider, error) from error
        return Account(identity.issuer, identity.subject, identity.name)

    def _require_provider(self, provider_id: str) -> "Provider":
        provider = self._providers.get(provider_id)
        if provider is None:
            raise NotFound("provider")
        return provider

    def _get_client(self, provider: "Provider") -> "ProviderClient":
        with self._lock:
            client = self._clients.get(provider.id)
            if client is None:
                from oidc.provider_client import ProviderClient  # noqa: PLC0415 - only sign-in needs it.

                client = self._clients[provider.id] = ProviderClient(provider, unix_time=self._unix_time)
            return client

    def _is_allowed(self, provider: "Provider", redirect_uri: str, host: str) -> bool:
        """Tell whether a browser may come back to an address: it gets the code that lets somebody in."""
        if provider.redirect_uris is not None:
            return redirect_uri in provider.redirect_uris
        own_origins = (f"http://{host}", f"https://{host}") if _HOST.fullmatch(host) else ()
        return any(
            redirect_uri == origin or redirect_uri.startswith((f"{origin}/", f"{origin}?"))
            for origin in (*own_origins, *self._origins)
        )


class ProvidersOfCall:
    """The providers for the handler of one request."""

    def __init__(self, providers: ProviderSignIn, call: Call) -> None:
        self._providers = providers
        self._call = call
        self.list_providers = providers.list_providers
        self.list_issuers = providers.list_issuers

    def begin(self, provider_id: str, redirect_uri: str) -> SignInAttempt:
        """Begin to sign in, as `ProviderSignIn.begin` does."""
        return self._providers.begin(provider_id, redirect_uri, self._call.request.headers.get("host", ""))

    def redeem(self, provider_id: str, *, attempt: str, state: str, code: str, issuer: str | None) -> Account:
        """Return the account that a browser has come back with, as `ProviderSignIn.redeem` does."""
        return self._providers.redeem(
            self._call, provider_id, attempt_text=attempt, state=state, code=code, issuer=issuer
        )


def _unreachable(provider: "Provider", error: Exception) -> Problem:
    log.warning("The provider %s can't be used: %s", provider.id, str(error))
    detail = "The provider of this account can't be reached: try again in a moment."
    return Problem(503, "provider_unreachable", detail, headers={"Retry-After": str(_RETRY_AFTER_SECONDS)})
