"""One provider as the application uses it."""

import time
from collections.abc import Callable, Sequence

from oidc.attempts import Attempt
from oidc.authorization import build_authorization_url, exchange_code
from oidc.cached_values import CachedValue
from oidc.claims import Identity, judge_bearer_token, judge_id_token
from oidc.errors import SignInRejected
from oidc.fetching import Fetcher
from oidc.key_sets import VerificationKey, fetch_key_set, find_key
from oidc.metadata import Metadata, fetch_metadata
from oidc.providers import Provider
from oidc.signed_tokens import SignedToken, parse_token, verify_token


class ProviderClient:
    """Calls a provider, and keeps what it says of itself and its keys. Threads may share it."""

    def __init__(
        self,
        provider: Provider,
        *,
        unix_time: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        fetcher: Fetcher | None = None,
    ) -> None:
        """Take the clocks in seconds: one for the times in tokens, one for how long things are kept."""
        self.provider = provider
        self._unix_time = unix_time
        self.fetcher = fetcher or Fetcher(on_loopback=provider.is_on_loopback)
        self._metadata = CachedValue(lambda: fetch_metadata(provider, self.fetcher), monotonic)
        self._keys = CachedValue(lambda: fetch_key_set(self.read_metadata().key_set_url, self.fetcher), monotonic)

    def read_metadata(self) -> Metadata:
        """Return what the provider says of itself. Raises ProviderUnreachable."""
        return self._metadata.read()

    def read_keys(self) -> Sequence[VerificationKey]:
        """Return the provider's keys. Raises ProviderUnreachable."""
        return self._keys.read()

    def build_authorization_url(self, attempt: Attempt) -> str:
        """Return the address to send the browser to. Raises ProviderUnreachable."""
        return build_authorization_url(self.provider, self.read_metadata(), attempt)

    def redeem_code(self, attempt: Attempt, code: str, issuer: str | None) -> Identity:
        """Return the identity of who has signed in at the provider.

        `issuer` is the `iss` that the provider sent back with the code, None if it sent none.

        Raises SignInRejected, ProviderUnreachable.
        """
        metadata = self.read_metadata()
        if issuer != self.provider.issuer and (issuer is not None or metadata.names_itself):
            raise SignInRejected("The code comes from another provider: 'iss' is not the configured issuer.")
        text = exchange_code(
            self.provider,
            metadata,
            self.fetcher,
            code=code,
            redirect_uri=attempt.redirect_uri,
            verifier=attempt.verifier,
        )
        token = parse_token(text)
        claims = verify_token(token, self._find_key(token))
        return judge_id_token(claims, token.type, self.provider, nonce=attempt.nonce, unix_time=self._unix_time())

    def verify_bearer_token(self, token: SignedToken) -> Identity:
        """Return the identity of who calls the API with a token. Raises SignInRejected, ProviderUnreachable."""
        claims = verify_token(token, self._find_key(token))
        return judge_bearer_token(claims, token.type, self.provider, unix_time=self._unix_time())

    def _find_key(self, token: SignedToken) -> VerificationKey:
        keys = self._keys.read()
        key = find_key(keys, token.algorithm, token.key_id)
        if key is None:
            # The provider may have a new key since. Anyone can send the id of a key that doesn't exist.
            key = find_key(self._keys.read_newer_than(keys), token.algorithm, token.key_id)
        if key is None:
            raise SignInRejected("The token is signed with a key that is not among the provider's.")
        return key
