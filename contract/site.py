"""The board for people: the static files of a folder, at / and below it.

The page calls the API as any client does, from the same origin. Its content security policy lets it load and call
nothing else, and run no script that does not come as a file.
"""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from contract.bridge import Asgi, Message
from contract.docs import Page, page_of, refuse_method, send_page
from contract.notes import note

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""What is served, by the ending of its name; other files of the folder are not."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)


class Site:
    """An ASGI application that answers GET and HEAD of the folder's files, and passes on every other address.

    The files are read once: a folder that is not there has none, and everything is passed on.
    """

    def __init__(self, folder: Path, *, otherwise: Asgi) -> None:
        self._pages: dict[str, Page] = {
            f"/{path.name}": page_of(_TYPES[path.suffix], path.read_bytes(), POLICY)
            for path in sorted(folder.glob("*"))
            if path.suffix in _TYPES
        }
        if "/index.html" in self._pages:
            self._pages["/"] = self._pages["/index.html"]
        self._otherwise = otherwise

    @property
    def pages(self) -> Mapping[str, Page]:
        """Every page by its address, for a server of files."""
        return self._pages

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Answer, or pass on."""
        page = self._pages.get(scope["path"].removeprefix(scope.get("root_path", "")))
        if page is None:
            await self._otherwise(scope, receive, send)
            return
        note(page=scope["path"])
        if scope["method"] not in ("GET", "HEAD"):
            await refuse_method(scope, send)
        else:
            await send_page(scope, send, page)
