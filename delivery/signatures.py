"""Sign messages as Standard Webhooks describes it (https://www.standardwebhooks.com)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence

SECRET_PREFIX = "whsec_"  # noqa: S105 - what every secret begins with.
SECRET_BYTES = 32
"""Of a new secret; the specification permits 24 to 64."""


def generate_secret(random_bytes: Callable[[int], bytes]) -> str:
    """Return a new secret: 'whsec_' and 32 random bytes in Base64."""
    return SECRET_PREFIX + base64.b64encode(random_bytes(SECRET_BYTES)).decode()


def build_headers(message_id: str, timestamp: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """Return the three headers that let a receiver check a message; the time in seconds since 1970.

    There is one signature for each secret, so that a receiver can change from one secret to the next. `body` are the
    very bytes that are sent. Raises ValueError for a malformed secret.
    """
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_sign(message_id, timestamp, body, secret) for secret in secrets),
    }


def _sign(message_id: str, timestamp: int, body: bytes, secret: str) -> str:
    try:
        # Without `validate`, Python drops characters that are not of the alphabet, and signs with another key.
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("A secret is 'whsec_' and Base64.") from None
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
