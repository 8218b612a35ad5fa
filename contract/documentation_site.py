"""Serve the documentation: Swagger UI at /docs/, Redoc at /docs/read, the OpenAPI document and the problem pages.

The document is at /openapi.json and /openapi.yaml. The HTML pages, their scripts and their style sheet are our own, in
`page/`; the files of Swagger UI and Redoc are in `page/vendor/`, where `make` puts them (tools/documentation_files.py).
The content security policy makes sure that a page loads nothing from another origin.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache, cached_property, lru_cache
from pathlib import Path

from contract.messages import HttpApplication, Request, Response
from contract.problem_pages import PROBLEMS_PATH, build_problem_pages
from contract.static_files import StaticFile, build_file, give_immutable_paths, respond_with_file, respond_with_redirect

_POLICY_DIRECTIVES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",  # Swagger UI's style sheet has arrows and locks as data URLs.
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
_POLICY = "; ".join(f"{directive} {sources}" for directive, sources in _POLICY_DIRECTIVES.items())
# Redoc needs inline styles. Its scripts, and what the styles may load, stay as restricted as on every other page.
_REDOC_POLICY = _POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
_REDOC_NAME = "read"
_REDOC_LOGO_URL = b"https://cdn.redoc.ly/redoc/logo-mini.svg"
_LOCAL_LOGO_URL = b"favicon-32x32.png"
"""Redoc loads the logo in its footer from its maker's server. This replaces it, so that no reader is tracked."""


_FOLDER = Path(__file__).parent / "page"
_VENDOR_FOLDER = _FOLDER / "vendor"

_HTML, _JAVASCRIPT, _CSS = "text/html; charset=utf-8", "text/javascript; charset=utf-8", "text/css; charset=utf-8"
_DOCS_PATH = "/docs/"
_FILES: dict[str, tuple[Path, str]] = {
    "": (_FOLDER / "index.html", _HTML),
    "boot.js": (_FOLDER / "boot.js", _JAVASCRIPT),
    "page.css": (_FOLDER / "page.css", _CSS),
    "swagger-ui-bundle.js": (_VENDOR_FOLDER / "swagger-ui-bundle.js", _JAVASCRIPT),
    "swagger-ui.css": (_VENDOR_FOLDER / "swagger-ui.css", _CSS),
    _REDOC_NAME: (_FOLDER / "reading.html", _HTML),
    "reading.js": (_FOLDER / "reading.js", _JAVASCRIPT),
    "redoc.standalone.js": (_VENDOR_FOLDER / "redoc.standalone.js", _JAVASCRIPT),
    "favicon-32x32.png": (_VENDOR_FOLDER / "favicon-32x32.png", "image/png"),
}
"""The files that are served below /docs/, by name, with their content types. No other file can be requested."""

_REDIRECTS = {"/": "/docs/", "/docs": "/docs/"}

_START_OF_FIRST_SERVER = re.compile(
    rb"""(?:"servers":\s*\[\s*\{\s*"url":\s*"|^servers:\s*- url: ["']?)(?=/)""", re.MULTILINE
)
"""What precedes the URL of the first server in the document, if that URL is a path."""


class DocumentationSite:
    """Serves the documentation to GET and HEAD, and passes other paths to `fallback`."""

    def __init__(
        self, read_json: Callable[[], bytes], read_yaml: Callable[[], bytes], *, fallback: HttpApplication
    ) -> None:
        """Serve the documentation of a document, whose two forms are read when they are first requested."""
        self._documents = {
            "/openapi.json": ("application/json", read_json),
            "/openapi.yaml": ("application/yaml", read_yaml),
        }
        # Cached by mount prefix: an application has one, or a few behind a gateway.
        self._document_below = lru_cache(maxsize=16)(self._build_document)
        self._fallback = fallback

    def __call__(self, request: Request) -> Response:
        """Answer a request with a file or a redirect, or call the fallback."""
        path = request.path
        # Relative links on a page at the mount prefix need the slash at its end.
        if target := "/" if request.mount and not path else _REDIRECTS.get(path):
            request.context.page = path
            return respond_with_redirect(request, target)
        if file := self._find_file(path, request.mount):
            request.context.page = path
            return respond_with_file(request, file)
        return self._fallback(request)

    def _find_file(self, path: str, mount: str) -> StaticFile | None:
        if path in self._documents:
            return self._document_below(path, mount)
        if path.startswith(PROBLEMS_PATH):
            return self._problem_pages.get(path)
        return _load_files().get(path) if path.startswith(_DOCS_PATH) else None

    def list_files(self) -> dict[str, StaticFile]:
        """Return all files by path, for a server of static files."""
        return {path: self._document_below(path, "") for path in self._documents} | self._problem_pages | _load_files()

    def _build_document(self, path: str, prefix: str) -> StaticFile:
        """Build the document for a mount prefix, which is added to the URL of its first server."""
        content_type, read = self._documents[path]
        document = read()
        if prefix:
            document = _START_OF_FIRST_SERVER.sub(rb"\g<0>" + prefix.encode(), document, count=1)
        return build_file(content_type, document, _POLICY)

    @cached_property
    def _problem_pages(self) -> dict[str, StaticFile]:
        stylesheet = next(path for path in _load_files() if path.endswith("/page.css"))
        pages = build_problem_pages(self._documents["/openapi.json"][1](), _FOLDER / "problem.html", stylesheet)
        return {path: build_file("text/html; charset=utf-8", body, _POLICY) for path, body in pages.items()}


@cache
def _load_files() -> dict[str, StaticFile]:
    """Load all files, by path. Those that are missing are left out, as on Lambda, which serves no documentation."""
    files = {}
    for name, (file, content_type) in _FILES.items():
        with suppress(FileNotFoundError):
            body = file.read_bytes().replace(_REDOC_LOGO_URL, _LOCAL_LOGO_URL)
            files[name] = build_file(content_type, body, _REDOC_POLICY if name == _REDOC_NAME else _POLICY)
    return give_immutable_paths(_DOCS_PATH, files)
