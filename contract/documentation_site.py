"""Serve the documentation: Swagger UI at /docs/, Redoc at /docs/read, the OpenAPI document and the problem pages.

The document is at /openapi.json and /openapi.yaml. The files of Swagger UI and Redoc come from installed packages that
are never imported. The HTML pages, their scripts and their style sheet are our own, in `page/`. The content security
policy makes sure that a page loads nothing from another origin.
"""

import importlib.util
import re
from collections.abc import Callable
from functools import cache, cached_property, lru_cache
from pathlib import Path

from contract.bridge import AsgiApp, Message, Receive, Send, prefix_path
from contract.problem_pages import PROBLEMS_PATH, build_problem_pages
from contract.request_context import set_request_context
from contract.static_files import (
    StaticFile,
    build_file,
    send_file,
    send_method_not_allowed,
    send_response,
)

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
_REDOC_PATH = "/docs/read"
_REDOC_LOGO_URL = b"https://cdn.redoc.ly/redoc/logo-mini.svg"
_LOCAL_LOGO_URL = b"favicon-32x32.png"
"""Redoc loads the logo in its footer from its maker's server. This replaces it, so that no reader is tracked."""


def _own_folder() -> Path:
    return Path(__file__).parent / "page"


@cache
def _swagger_ui_folder() -> Path:
    return _package_folder("flask_swagger_ui") / "dist"


@cache
def _redoc_folder() -> Path:
    return _package_folder("drf_spectacular_sidecar") / "static" / "drf_spectacular_sidecar" / "redoc" / "bundles"


def _package_folder(package: str) -> Path:
    """Return the folder of a package without importing it, which would need its dependencies.

    Raises:
        FileNotFoundError: The package is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"The package {package} is not installed, and the documentation needs its files.")
    return Path(spec.submodule_search_locations[0])


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
"""The files that are served, by path: folder, name and content type. No other file can be requested."""

_REDIRECTS = {"/": "/docs/", "/docs": "/docs/"}

_START_OF_FIRST_SERVER = re.compile(
    rb"""(?:"servers":\s*\[\s*\{\s*"url":\s*"|^servers:\s*- url: ["']?)(?=/)""", re.MULTILINE
)
"""What precedes the URL of the first server in the document, if that URL is a path."""


class DocumentationSite:
    """An ASGI application that serves the documentation to GET and HEAD, and passes other paths to `fallback`."""

    def __init__(self, bundle_json: bytes, bundle_yaml: bytes, *, fallback: AsgiApp) -> None:
        self._documents = {
            "/openapi.json": ("application/json", bundle_json),
            "/openapi.yaml": ("application/yaml", bundle_yaml),
        }
        # Cached by prefix: an application has one, or a few behind a gateway.
        self._document_below = lru_cache(maxsize=16)(self._build_document)
        self._fallback = fallback

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve a file, redirect, or call the fallback."""
        prefix = scope.get("root_path", "")
        path = scope["path"].removeprefix(prefix)
        # Relative links on a page at the prefix need the slash at its end.
        target = "/" if prefix and not path else _REDIRECTS.get(path)
        if target is None and not self._has_file(path):
            await self._fallback(scope, receive, send)
            return
        set_request_context(page=scope["path"])
        if scope["method"] not in ("GET", "HEAD"):
            await send_method_not_allowed(scope, send)
        elif target:
            # A temporary redirect: browsers must not cache it, because another page may be served there later.
            await send_response(scope, send, 302, {"location": prefix_path(scope, target)})
        elif path in self._documents:
            await send_file(scope, send, self._document_below(path, prefix_path(scope)))
        elif file := self._problem_pages.get(path) or _load_file(path):
            await send_file(scope, send, file)
        else:
            await self._fallback(scope, receive, send)

    def _has_file(self, path: str) -> bool:
        return (
            path in _FILES
            or path in self._documents
            or (path.startswith(PROBLEMS_PATH) and path in self._problem_pages)
        )

    def list_files(self) -> dict[str, StaticFile]:
        """Return all files by path, for a server of static files."""
        files = {path: file for path in _FILES if (file := _load_file(path))}
        return {path: self._document_below(path, "") for path in self._documents} | self._problem_pages | files

    def _build_document(self, path: str, prefix: str) -> StaticFile:
        """Build the document for a mount prefix, which is added to the URL of its first server."""
        content_type, document = self._documents[path]
        if prefix:
            document = _START_OF_FIRST_SERVER.sub(rb"\g<0>" + prefix.encode(), document, count=1)
        return build_file(content_type, document, _POLICY)

    @cached_property
    def _problem_pages(self) -> dict[str, StaticFile]:
        pages = build_problem_pages(self._documents["/openapi.json"][1], _own_folder() / "problem.html")
        return {path: build_file("text/html; charset=utf-8", body, _POLICY) for path, body in pages.items()}


@cache
def _load_file(path: str) -> StaticFile | None:
    """Load the file of a path; None if its package is not installed, as on Lambda, which serves no documentation."""
    folder, name, content_type = _FILES[path]
    policy = _REDOC_POLICY if path == _REDOC_PATH else _POLICY
    try:
        body = (folder() / name).read_bytes()
    except FileNotFoundError:
        return None
    return build_file(content_type, body.replace(_REDOC_LOGO_URL, _LOCAL_LOGO_URL), policy)
