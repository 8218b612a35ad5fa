"""Serve the web page: the static files of a folder, at / and below it.

The page calls the API from the same origin, like any client. Its content security policy allows no other origin and
no inline scripts.
"""

from collections.abc import Mapping
from pathlib import Path

from contract.messages import HttpApplication, Request, Response
from contract.static_files import StaticFile, build_file, give_immutable_paths, respond_with_file

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
    """Serves the files of a folder to GET and HEAD, and passes other paths to `fallback`.

    The files are read once. Without the folder, every request goes to `fallback`.
    """

    def __init__(self, folder: Path, *, fallback: HttpApplication) -> None:
        files = {
            path.name: build_file(_CONTENT_TYPES[path.suffix], path.read_bytes(), CONTENT_SECURITY_POLICY)
            for path in sorted(folder.glob("*"))
            if path.suffix in _CONTENT_TYPES
        }
        self._files = give_immutable_paths("/", files)
        if "/index.html" in self._files:
            self._files["/"] = self._files["/index.html"]
        self._fallback = fallback

    @property
    def files(self) -> Mapping[str, StaticFile]:
        """All files by path, for a server of static files."""
        return self._files

    def __call__(self, request: Request) -> Response:
        """Answer a request with a file, or call the fallback."""
        file = self._files.get(request.path)
        if file is None:
            return self._fallback(request)
        request.context.page = request.path
        return respond_with_file(request, file)
