"""A client that calls the WSGI application in this process and sees what an HTTP client would see."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication

BASE = "/v1"


@dataclass(frozen=True)
class HttpResponse:
    """A response: status, headers by lower-case name, raw body."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.raw)

    @property
    def etag(self) -> str:
        """The ETag header, with quotes."""
        return self.headers["etag"]


@dataclass(frozen=True)
class Client:
    """Call an application with one token, or without a token."""

    application: WSGIApplication
    token: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def with_token(self, token: str | None) -> "Client":
        """Return a client with another token."""
        return replace(self, token=token)

    def get(self, path: str, **headers: str) -> HttpResponse:
        """Send GET. Keyword arguments are headers, with underscores for hyphens."""
        return self.request("GET", path, headers=headers)

    def post(self, path: str, body: object = None, **headers: str) -> HttpResponse:
        """Send POST, with a JSON body if there is one."""
        return self.request("POST", path, body, headers=headers)

    def put(self, path: str, body: object = None, **headers: str) -> HttpResponse:
        """Send PUT, with a JSON body if there is one."""
        return self.request("PUT", path, body, headers=headers)

    def patch(self, path: str, body: object, **headers: str) -> HttpResponse:
        """Send PATCH with a JSON body."""
        return self.request("PATCH", path, body, headers=headers)

    def delete(self, path: str, **headers: str) -> HttpResponse:
        """Send DELETE."""
        return self.request("DELETE", path, headers=headers)

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpResponse:
        """Send a request. `body` is encoded as JSON, `raw` is sent unchanged."""
        sent = {"Accept": "application/json", **self.headers}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            raw = json.dumps(body).encode()
        if raw is not None:
            sent["Content-Type"] = "application/json"
        sent |= {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        return self._call(method, path, sent, raw or b"")

    def _call(self, method: str, path: str, headers: Mapping[str, str], raw: bytes) -> HttpResponse:
        target, _, query = path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(BASE + target).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(raw),
        }
        for name, value in headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        if raw:
            environ["CONTENT_LENGTH"] = str(len(raw))
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> Any:
            started[:] = [int(status[:3]), {name.lower(): value for name, value in headers}]

        content = b"".join(self.application(environ, start_response))
        return HttpResponse(started[0], started[1], content)
