"""The pages for people: Swagger UI at /docs/, Redoc at /docs/read, and a page for each kind of problem.

The document is at /openapi.json and /openapi.yaml; a problem's page is where its `type` points, /problems/{code}.
Swagger UI and Redoc come as plain files in installed packages that are never imported; the pages, their boot files
and their style are ours and stand in `page/`. Nothing is loaded from anywhere else, which the content security
policy makes certain.
"""

import gzip
import importlib.util
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template

from contract.bridge import AsgiApp, Message, prefix_path
from contract.conditional import is_unchanged
from contract.problems import PROBLEM_JSON, Problem
from contract.request_context import set_request_context

Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_POLICY_DIRECTIVES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",  # Swagger UI's style sheet draws its arrows and locks from data URLs.
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
_POLICY = "; ".join(f"{directive} {sources}" for directive, sources in _POLICY_DIRECTIVES.items())
# Redoc writes its styles into the page. Scripts stay as closed as everywhere, and what the styles could load too.
_REDOC_POLICY = _POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
_REDOC_PATH = "/docs/read"
_REDOC_LOGO_URL = b"https://cdn.redoc.ly/redoc/logo-mini.svg"
_LOCAL_LOGO_URL = b"favicon-32x32.png"
"""Redoc loads the logo in its foot from its maker's server; a reader of these pages is nobody else's business."""


def _own_folder() -> Path:
    return Path(__file__).parent / "page"


@cache
def _swagger_ui_folder() -> Path:
    """The folder of Swagger UI's files."""
    return _package_folder("flask_swagger_ui") / "dist"


@cache
def _redoc_folder() -> Path:
    """The folder of Redoc's files."""
    return _package_folder("drf_spectacular_sidecar") / "static" / "drf_spectacular_sidecar" / "redoc" / "bundles"


def _package_folder(package: str) -> Path:
    """The folder of a package that is here for its files. It is found, not imported: importing it would need more."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError(f"The package {package} is not installed, and the pages for people need its files.")
    return Path(found.submodule_search_locations[0])


# Only what is named here can be asked for.
_FILES: dict[str, tuple[Callable[[], Path], str, str]] = {
    "/docs/": (_own_folder, "index.html", "text/html; charset=utf-8"),
    "/docs/boot.js": (_own_folder, "boot.js", "text/javascript; charset=utf-8"),
    "/docs/page.css": (_own_folder, "page.css", "text/css; charset=utf-8"),
    "/docs/swagger-ui-bundle.js": (_swagger_ui_folder, "swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    "/docs/swagger-ui.css": (_swagger_ui_folder, "swagger-ui.css", "text/css; charset=utf-8"),
    _REDOC_PATH: (_own_folder, "reading.html", "text/html; charset=utf-8"),
    "/docs/reading.js": (_own_folder, "reading.js", "text/javascript; charset=utf-8"),
    "/docs/redoc.standalone.js": (_redoc_folder, "redoc.standalone.js", "text/javascript; charset=utf-8"),
    "/docs/favicon-32x32.png": (_swagger_ui_folder, "favicon-32x32.png", "image/png"),
}

_REDIRECTS = {"/": "/docs/", "/docs": "/docs/"}

_START_OF_FIRST_SERVER = re.compile(
    rb"""(?:"servers":\s*\[\s*\{\s*"url":\s*"|^servers:\s*- url: ["']?)(?=/)""", re.MULTILINE
)
"""What stands before the address of a document's first server, where that is a path."""

_MIN_BYTES_TO_COMPRESS = 1024
"""Bytes of a page. What is smaller fits into one packet anyway."""
_ZERO_WEIGHT = re.compile(r"q=0(\.0{0,3})?")

_PROBLEMS_PATH = "/problems/"
_CODE_ROW = re.compile(
    r"^\| (?P<status>\d+) \| `(?P<code>\w+)` \| (?P<meaning>.*?) \| (?P<advice>.*?) \|$", re.MULTILINE
)
_CODE_SPAN = re.compile(r"`(.*?)`")


@dataclass(frozen=True)
class StaticFile:
    """What is sent for one address, with the text of its entity tag and its content security policy."""

    content_type: str
    body: bytes
    tag: str
    policy: str = _POLICY

    @cached_property
    def compressed(self) -> "StaticFile | None":
        """The same page in gzip, under a tag of its own; None where that saves nothing, as in pictures."""
        body = gzip.compress(self.body, mtime=0) if len(self.body) >= _MIN_BYTES_TO_COMPRESS else self.body
        return build_file(self.content_type, body, self.policy) if len(body) < len(self.body) else None


class DocumentationSite:
    """An ASGI application that answers GET and HEAD of the pages for people, and passes on every other address."""

    def __init__(self, bundle_json: bytes, bundle_yaml: bytes, *, fallback: AsgiApp) -> None:
        self._documents = {
            "/openapi.json": ("application/json", bundle_json),
            "/openapi.yaml": ("application/yaml", bundle_yaml),
        }
        # The document for each prefix. An application has one, or a few behind a gateway.
        self._document_below = lru_cache(maxsize=16)(self._build_document)
        self._fallback = fallback

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer, redirect, or pass on."""
        prefix = scope.get("root_path", "")
        path = scope["path"].removeprefix(prefix)
        # The links of the page at a prefix are relative to the slash at its end.
        target = "/" if prefix and not path else _REDIRECTS.get(path)
        if target is None and not self._has_file(path):
            await self._fallback(scope, receive, send)
            return
        set_request_context(page=scope["path"])
        if scope["method"] not in ("GET", "HEAD"):
            await send_method_not_allowed(scope, send)
        elif target:
            # Temporary, so that no browser remembers it: another page may come to stand there.
            await _send_response(scope, send, 302, {"location": prefix_path(scope, target)})
        elif path in self._documents:
            await send_file(scope, send, self._document_below(path, prefix_path(scope)))
        elif page := self._problem_pages.get(path) or _load_file(path):
            await send_file(scope, send, page)
        else:
            await self._fallback(scope, receive, send)

    def _has_file(self, path: str) -> bool:
        return (
            path in _FILES
            or path in self._documents
            or (path.startswith(_PROBLEMS_PATH) and path in self._problem_pages)
        )

    def list_files(self) -> dict[str, StaticFile]:
        """Every page by its address, for a server of files."""
        files = {path: page for path in _FILES if (page := _load_file(path))}
        return {path: self._document_below(path, "") for path in self._documents} | self._problem_pages | files

    def _build_document(self, path: str, prefix: str) -> StaticFile:
        """Write the document for a prefix: its first server is below it."""
        content_type, bundle = self._documents[path]
        if prefix:
            bundle = _START_OF_FIRST_SERVER.sub(rb"\g<0>" + prefix.encode(), bundle, count=1)
        return build_file(content_type, bundle)

    @cached_property
    def _problem_pages(self) -> dict[str, StaticFile]:
        """A page for each row of the table that the document has for its codes."""
        schemas = json.loads(self._documents["/openapi.json"][1]).get("components", {}).get("schemas", {})
        template = Template((_own_folder() / "problem.html").read_text())
        pages = {}
        for row in _CODE_ROW.finditer(schemas.get("ProblemCode", {}).get("description", "")):
            text = {name: _CODE_SPAN.sub(r"<code>\1</code>", escape(cell)) for name, cell in row.groupdict().items()}
            body = template.substitute(text).encode()
            pages[_PROBLEMS_PATH + row["code"]] = build_file("text/html; charset=utf-8", body)
        return pages


async def send_file(scope: Message, send: Send, file: StaticFile) -> None:
    """Answer GET or HEAD with a page, or with 304 when the client has it; compressed where the client takes that."""
    coding = {}
    if _accepts_gzip(scope) and file.compressed:
        file, coding = file.compressed, {"content-encoding": "gzip"}
    headers = {"etag": f'"{file.tag}"', "cache-control": "no-cache", "content-security-policy": file.policy, **coding}
    headers["vary"] = "Accept-Encoding"
    if _is_cached_by_client(scope, file.tag):
        await _send_response(scope, send, 304, headers)
    else:
        await _send_response(scope, send, 200, {**headers, "content-type": file.content_type}, file.body)


async def send_method_not_allowed(scope: Message, send: Send) -> None:
    """Answer 405: a page can be read, and nothing else."""
    problem = Problem(405, "method_not_allowed", "Allowed here: GET, HEAD.")
    await _send_response(scope, send, 405, {"content-type": PROBLEM_JSON, "allow": "GET, HEAD"}, problem.encode())


def _is_cached_by_client(scope: Message, tag: str) -> bool:
    header = dict(scope["headers"]).get(b"if-none-match")
    try:
        return is_unchanged(header and header.decode("latin-1"), tag)
    except Problem:
        # A page is for people: a browser that sends nonsense gets the page.
        return False


def _accepts_gzip(scope: Message) -> bool:
    """Whether Accept-Encoding names gzip, and not only to refuse it (RFC 9110, section 12.5.3)."""
    header = dict(scope["headers"]).get(b"accept-encoding", b"").decode("latin-1").lower()
    codings = (coding.partition(";") for coding in header.replace(" ", "").split(","))
    return any(name == "gzip" and not _ZERO_WEIGHT.fullmatch(weight) for name, _, weight in codings)


async def _send_response(scope: Message, send: Send, status: int, headers: dict[str, str], body: bytes = b"") -> None:
    headers = {**headers, "referrer-policy": "no-referrer"}
    if status != 304:  # noqa: PLR2004 - Not Modified speaks of no body.
        headers["content-length"] = str(len(body))
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


@cache
def _load_file(path: str) -> StaticFile | None:
    """The page of a file, None where Swagger UI isn't installed, as on Lambda, which serves no pages."""
    folder, name, content_type = _FILES[path]
    policy = _REDOC_POLICY if path == _REDOC_PATH else _POLICY
    try:
        written = (folder() / name).read_bytes()
    except FileNotFoundError:
        return None
    return build_file(content_type, written.replace(_REDOC_LOGO_URL, _LOCAL_LOGO_URL), policy)


def build_file(content_type: str, body: bytes, policy: str = _POLICY) -> StaticFile:
    """The page with that body."""
    return StaticFile(content_type, body, sha256(body).hexdigest()[:32], policy)
