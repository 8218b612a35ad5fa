"""Answer only requests that come through our distribution, which adds a secret header, and learn the client's address.

The API has an address of its own that CloudFront, and a firewall at it, can be walked around by. A request without the
secret is refused before anything else is looked at. Two secrets are accepted, so that one can be changed while the
distribution sends the other one.
"""

import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from aws.lambda_events import find_header

HEADER = "x-tackboard-origin"
"""The header that the distribution adds (infrastructure/resources/site.yml). CloudFront replaces one of a client."""

REFUSAL: dict[str, Any] = {
    "statusCode": 403,
    "headers": {"content-type": "application/json"},
    "body": '{"message":"Forbidden"}',
    "isBase64Encoded": False,
}
"""What an HTTP API itself answers when it refuses a request."""


class ClosedOrigin:
    """Knows the secrets of the distribution. Without any, every request is admitted as it is."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        self._secrets = [secret.encode() for secret in secrets]

    def admit(self, event: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return an event whose `sourceIp` is the address of CloudFront's client; None for an event to refuse."""
        if not self._secrets:
            return event
        value = find_header(event, HEADER)
        sent = value.encode() if isinstance(value, str) else b""
        # All are compared, each in constant time.
        matches = [hmac.compare_digest(sent, secret) for secret in self._secrets]
        return _reveal_client(event) if any(matches) else None


def _reveal_client(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an event of an HTTP API as if the client had sent it to the gateway itself.

    CloudFront appends the client's address to X-Forwarded-For, and the gateway that of CloudFront.
    """
    gateway = event.get("requestContext")
    http = gateway.get("http") if isinstance(gateway, dict) else None
    forwarded_for = find_header(event, "x-forwarded-for")
    if not (isinstance(gateway, dict) and isinstance(http, dict) and isinstance(forwarded_for, str)):
        return event
    addresses = [address.strip() for address in forwarded_for.split(",")]
    if addresses[-1] == http.get("sourceIp"):
        addresses.pop()
    if not addresses:
        return event
    *earlier, client = addresses
    headers = {name: value for name, value in event["headers"].items() if name != "x-forwarded-for"}
    if earlier:
        headers["x-forwarded-for"] = ", ".join(earlier)
    context = {**gateway, "http": {**http, "sourceIp": client}}
    return {**event, "headers": headers, "requestContext": context}
