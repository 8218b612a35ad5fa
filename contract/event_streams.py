"""Event streams (text/event-stream, WHATWG HTML, section 9.2): pages of a feed as messages of a stream.

An operation offers one by declaring the media type beside JSON. Only a server that can go on with a response sends it:
where none can, the media type is not offered.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

EVENT_STREAM = "text/event-stream"
"""The media type."""
RETRY_FIELD = b"retry: 1000\n"
"""Makes clients wait for a second before they connect again. It belongs to the message after it."""
COMMENT = b":\n"
"""Keeps a connection alive, and is no message. An empty line after it would be an empty message to some clients."""


def encode_messages(items: Iterable[Mapping[str, Any]]) -> bytes:
    """Return a message for each item, with its `seq` as the id: JSON has no line breaks."""
    return b"".join(b"id: %d\ndata: %b\n\n" % (item["seq"], orjson.dumps(item)) for item in items)
