"""What a browser keeps between leaving for a provider and coming back.

It is signed, so that the server needs no memory of it. Only that browser knows it, so that a return from the provider
can't be completed in another one.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from oidc.errors import SignInRejected

ATTEMPT_SECONDS = 600
"""How long a person may take at the provider."""

MAX_ATTEMPT_CHARACTERS = 4096

_KEY_LABEL = b"tackboard sign-in attempt"
_MAC_BYTES = 32


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that has begun.

    Attributes:
        provider_id: The provider that the browser was sent to.
        redirect_uri: Where the provider sends it back to.
        state: What the provider sends back with the code.
        nonce: What the ID token must have.
        verifier: The secret of PKCE, whose hash the provider has.
        expires_at: In seconds since 1970.
    """

    provider_id: str
    redirect_uri: str
    state: str
    nonce: str
    verifier: str
    expires_at: int

    @property
    def challenge(self) -> str:
        """The hash of the verifier (RFC 7636, S256)."""
        return _encode(hashlib.sha256(self.verifier.encode()).digest())


def begin_attempt(
    provider_id: str, redirect_uri: str, random_bytes: Callable[[int], bytes], unix_time: float
) -> Attempt:
    """Return a new attempt."""
    state, nonce, verifier = (_encode(random_bytes(32)) for _ in range(3))
    return Attempt(provider_id, redirect_uri, state, nonce, verifier, int(unix_time) + ATTEMPT_SECONDS)


def seal_attempt(attempt: Attempt, secret: bytes) -> str:
    """Return the text of an attempt, signed with the secret of the installation."""
    content = json.dumps(asdict(attempt), separators=(",", ":")).encode()
    return _encode(_compute_mac(content, secret) + content)


def open_attempt(text: str, provider_id: str, state: str, secret: bytes, unix_time: float) -> Attempt:
    """Return the attempt that a text was made of. Raises SignInRejected, also for another provider or state."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    content = raw[_MAC_BYTES:]
    if not hmac.compare_digest(raw[:_MAC_BYTES], _compute_mac(content, secret)):
        raise SignInRejected("The attempt is none of this installation.")
    attempt = Attempt(**json.loads(content))
    if attempt.expires_at <= unix_time:
        raise SignInRejected("The attempt has expired.")
    if attempt.provider_id != provider_id:
        raise SignInRejected("The attempt belongs to another provider.")
    if not hmac.compare_digest(attempt.state.encode(), state.encode()):
        raise SignInRejected("The state belongs to another browser or attempt.")
    return attempt


def _compute_mac(content: bytes, secret: bytes) -> bytes:
    key = hmac.digest(secret, _KEY_LABEL, "sha256")
    return hmac.digest(key, content, "sha256")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
