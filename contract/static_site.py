"""The board for people: the static files of a folder, at / and below it.

The page calls the API as any client does, from the same origin. Its content security policy lets it load and call
nothing else, and run no script that does not come as a file.
"""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from contract.bridge import AsgiApp, Message
from contract.documentation_site import StaticFile, build_file, send_file, send_method_not_allowed
from contract.request_context import set_request_context

_CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""What is served, by the ending of its name; other files of the folder are not."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)


class StaticSite:
    """An ASGI application that answers GET and HEAD of the folder's files, and passes on every other address.

    The files are read once: a folder that is not there has none, and everything is passed on.
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
        """Every page by its address, for a server of files."""
        return self._files

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Answer, or pass on."""
        page = self._files.get(scope["path"].removeprefix(scope.get("root_path", "")))
        if page is None:
            await self._fallback(scope, receive, send)
            return
        set_request_context(page=scope["path"])
        if scope["method"] not in ("GET", "HEAD"):
            await send_method_not_allowed(scope, send)
        else:
            await send_file(scope, send, page)
