"""Static files in memory, with entity tags, gzip and a content security policy, sent to GET and HEAD.

Scripts and style sheets have addresses that change with their content, so a browser asks for each of them once.
"""

import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256

from contract.conditional import is_unchanged
from contract.messages import Request, Response
from contract.problems import Problem

_MIN_BYTES_TO_COMPRESS = 1024
"""A smaller file fits into one packet anyway."""
_REFERENCE = re.compile(rb'(?<= src="|href=")[\w.-]+\.(?:js|css)(?=")')
"""A script or a style sheet in an HTML page of ours, by its name."""
_ZERO_WEIGHT = re.compile(r"q=0(\.0{0,3})?")


@dataclass(frozen=True)
class StaticFile:
    """The response to GET of one path, with the text of its entity tag and its content security policy."""

    content_type: str
    body: bytes
    tag: str
    policy: str
    is_immutable: bool = False
    """Whether the path always leads to this very file."""

    @property
    def cache_control(self) -> str:
        """The header that says whether a browser must ask again."""
        return "public, max-age=31536000, immutable" if self.is_immutable else "no-cache"

    @cached_property
    def compressed(self) -> "StaticFile | None":
        """The file in gzip, with an entity tag of its own; None if gzip saves nothing, as for pictures."""
        body = gzip.compress(self.body, mtime=0) if len(self.body) >= _MIN_BYTES_TO_COMPRESS else self.body
        if len(body) >= len(self.body):
            return None
        return replace(build_file(self.content_type, body, self.policy), is_immutable=self.is_immutable)


def build_file(content_type: str, body: bytes, policy: str) -> StaticFile:
    """Build a static file with an entity tag that is a digest of its body."""
    return StaticFile(content_type, body, sha256(body).hexdigest()[:32], policy)


def give_immutable_paths(folder: str, files: Mapping[str, StaticFile]) -> dict[str, StaticFile]:
    """Return the files of a folder by path. Scripts and style sheets are below `assets/` and a digest of all of them.

    They have the same digest, so that they can refer to each other by name. The HTML pages refer to them there.

    Args:
        folder: The path of the folder, with a slash at its end.
        files: The files by name.
    """
    assets = {name: file for name, file in files.items() if name.endswith((".js", ".css"))}
    tags = "".join(f"{name} {file.tag}\n" for name, file in sorted(assets.items()))
    prefix = f"assets/{sha256(tags.encode()).hexdigest()[:16]}/"
    result = {f"{folder}{prefix}{name}": replace(file, is_immutable=True) for name, file in assets.items()}
    for name, file in files.items():
        if file.content_type.startswith("text/html"):
            body = _REFERENCE.sub(prefix.encode() + rb"\g<0>", file.body)
            result[folder + name] = build_file(file.content_type, body, file.policy)
        elif name not in assets:
            result[folder + name] = file
    return result


def respond_with_file(request: Request, file: StaticFile) -> Response:
    """Answer a request with a file: to GET in gzip if the client accepts that, or a 304 if the client has it."""
    if request.method != "GET":
        return _respond_with_method_not_allowed()
    headers = {}
    if accepts_gzip(request.headers) and file.compressed:
        file, headers = file.compressed, {"content-encoding": "gzip"}
    headers |= {"etag": f'"{file.tag}"', "cache-control": file.cache_control, "content-security-policy": file.policy}
    headers |= {"vary": "Accept-Encoding", "referrer-policy": "no-referrer"}
    if _is_cached_by_client(request, file.tag):
        return Response(304, tuple(headers.items()), b"")
    headers |= {"content-type": file.content_type, "content-length": str(len(file.body))}
    return Response(200, tuple(headers.items()), file.body)


def respond_with_redirect(request: Request, path: str) -> Response:
    """Answer a request to GET with a redirect to another path.

    It is temporary: browsers must not cache it, because another page may be served there later.
    """
    if request.method != "GET":
        return _respond_with_method_not_allowed()
    return Response(302, (("location", path), ("referrer-policy", "no-referrer"), ("content-length", "0")), b"")


def _respond_with_method_not_allowed() -> Response:
    problem = Problem(405, "method_not_allowed", "Allowed here: GET, HEAD.", headers={"Allow": "GET, HEAD"})
    return problem.to_response()


def _is_cached_by_client(request: Request, tag: str) -> bool:
    try:
        return is_unchanged(request.headers.get("if-none-match"), tag)
    except Problem:
        # A browser that sends a malformed header gets the file.
        return False


def accepts_gzip(headers: Mapping[str, str]) -> bool:
    """Return whether Accept-Encoding names gzip with a weight above 0 (RFC 9110, section 12.5.3)."""
    header = headers.get("accept-encoding", "").lower()
    codings = (coding.partition(";") for coding in header.replace(" ", "").split(","))
    return any(name == "gzip" and not _ZERO_WEIGHT.fullmatch(weight) for name, _, weight in codings)
