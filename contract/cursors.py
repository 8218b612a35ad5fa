"""Encode and decode cursors: where the next page starts, authenticated so that clients can't forge it.

A cursor is base64url(version, MAC, JSON of the page key). The MAC covers the operation, the path, the filters and the
caller: a cursor of another endpoint, board, filter or user is rejected, not silently applied. Only `limit` may change
between two pages.
"""

import base64
import hmac
from collections.abc import Mapping

import orjson

from contract.problems import bad_request

PageKey = tuple[str | int, ...]

_VERSION = b"\x01"
_MAC_BYTES = 16


class CursorCodec:
    """Encode cursors with the first key and decode them with any, so that keys can be rotated."""

    def __init__(self, *keys: bytes) -> None:
        self._keys = keys

    def encode(self, page_key: PageKey, listing: Mapping[str, object]) -> str:
        """Return the cursor of a page key of the listing."""
        text = orjson.dumps(page_key)
        signed = _VERSION + _compute_mac(self._keys[0], text, listing) + text
        return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()

    def decode(self, cursor: str, listing: Mapping[str, object]) -> PageKey:
        """Return the page key of a cursor of this listing. Raises Problem (400) for any other cursor."""
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except ValueError:
            raw = b""
        version, mac, text = raw[:1], raw[1 : 1 + _MAC_BYTES], raw[1 + _MAC_BYTES :]
        if version != _VERSION or not any(
            hmac.compare_digest(mac, _compute_mac(key, text, listing)) for key in self._keys
        ):
            raise bad_request(
                "invalid_cursor", "The cursor does not belong to this listing: start again without a cursor."
            )
        return tuple(orjson.loads(text))


def _compute_mac(key: bytes, text: bytes, listing: Mapping[str, object]) -> bytes:
    message = orjson.dumps(listing, option=orjson.OPT_SORT_KEYS) + b"\0" + text
    return hmac.digest(key, message, "sha256")[:_MAC_BYTES]
