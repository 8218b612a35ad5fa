"""Serve the web page: the static files of a folder, at / and below it.

The page calls the API from the same origin, like any client. Its content security policy allows no other origin and
no inline scripts.
"""

from collections.abc import Mapping
from pathlib import Path

from contract.bridge import AsgiApp, Message, Receive, Send
from contract.request_context import set_request_context
from contract.static_files import StaticFile, build_file, send_file, send_method_not_allowed

_CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""Content types by file name suffix. Files with any other suffix are not served."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)


class StaticSite:
    """An ASGI application that serves the files of a folder to GET and HEAD, and passes other paths to `fallback`.

    The files are read once. Without the folder, every request goes to `fallback`.
    """

    def __init__(self, folder: Path, *, fallback: AsgiApp) -> None:
        self._files: dict[str, StaticFile] = {
            f"/{path.name}": build_file(_CONTENT_TYPES[path.suffix], path.read_bytes(), CONTENT_SECURITY_POLICY)
            for path in sorted(folder.glob("*"))
            if path.suffix in _CONTENT_TYPES
        }
        if "/index.html" in self._files:
            self._files["/"] = self._files["/index.html"]
        self._fallback = fallback

    @property
    def files(self) -> Mapping[str, StaticFile]:
        """All files by path, for a server of static files."""
        return self._files

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve a file, or call the fallback."""
        page = self._files.get(scope["path"].removeprefix(scope.get("root_path", "")))
        if page is None:
            await self._fallback(scope, receive, send)
            return
        set_request_context(page=scope["path"])
        if scope["method"] not in ("GET", "HEAD"):
            await send_method_not_allowed(scope, send)
        else:
            await send_file(scope, send, page)
