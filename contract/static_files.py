"""Static files in memory, with entity tags, gzip and a content security policy, sent to GET and HEAD."""

import gzip
import re
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from contract.bridge import Message, Send
from contract.conditional import is_unchanged
from contract.problems import PROBLEM_JSON, Problem

_MIN_BYTES_TO_COMPRESS = 1024
"""A smaller file fits into one packet anyway."""
_ZERO_WEIGHT = re.compile(r"q=0(\.0{0,3})?")


@dataclass(frozen=True)
class StaticFile:
    """The response to GET of one path, with the text of its entity tag and its content security policy."""

    content_type: str
    body: bytes
    tag: str
    policy: str

    @cached_property
    def compressed(self) -> "StaticFile | None":
        """The file in gzip, with an entity tag of its own; None if gzip saves nothing, as for pictures."""
        body = gzip.compress(self.body, mtime=0) if len(self.body) >= _MIN_BYTES_TO_COMPRESS else self.body
        return build_file(self.content_type, body, self.policy) if len(body) < len(self.body) else None


def build_file(content_type: str, body: bytes, policy: str) -> StaticFile:
    """Build a static file with an entity tag that is a digest of its body."""
    return StaticFile(content_type, body, sha256(body).hexdigest()[:32], policy)


async def send_file(scope: Message, send: Send, file: StaticFile) -> None:
    """Send a file to GET or HEAD: in gzip if the client accepts that, or a 304 if the client has it."""
    encoding = {}
    if _accepts_gzip(scope) and file.compressed:
        file, encoding = file.compressed, {"content-encoding": "gzip"}
    headers = {"etag": f'"{file.tag}"', "cache-control": "no-cache", "content-security-policy": file.policy, **encoding}
    headers["vary"] = "Accept-Encoding"
    if _is_cached_by_client(scope, file.tag):
        await send_response(scope, send, 304, headers)
    else:
        await send_response(scope, send, 200, {**headers, "content-type": file.content_type}, file.body)


async def send_method_not_allowed(scope: Message, send: Send) -> None:
    """Send a 405: only GET and HEAD are allowed."""
    problem = Problem(405, "method_not_allowed", "Allowed here: GET, HEAD.")
    await send_response(scope, send, 405, {"content-type": PROBLEM_JSON, "allow": "GET, HEAD"}, problem.encode())


async def send_response(scope: Message, send: Send, status: int, headers: dict[str, str], body: bytes = b"") -> None:
    """Send a response with its Content-Length, without the body to HEAD."""
    headers = {**headers, "referrer-policy": "no-referrer"}
    if status != 304:  # noqa: PLR2004 - Not Modified has no body and no length.
        headers["content-length"] = str(len(body))
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _is_cached_by_client(scope: Message, tag: str) -> bool:
    header = dict(scope["headers"]).get(b"if-none-match")
    try:
        return is_unchanged(header and header.decode("latin-1"), tag)
    except Problem:
        # A browser that sends a malformed header gets the file.
        return False


def _accepts_gzip(scope: Message) -> bool:
    """Return whether Accept-Encoding names gzip with a weight above 0 (RFC 9110, section 12.5.3)."""
    header = dict(scope["headers"]).get(b"accept-encoding", b"").decode("latin-1").lower()
    codings = (coding.partition(";") for coding in header.replace(" ", "").split(","))
    return any(name == "gzip" and not _ZERO_WEIGHT.fullmatch(weight) for name, _, weight in codings)
