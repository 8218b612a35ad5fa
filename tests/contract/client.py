"""A client that calls a WSGI application in this process, with hand-made environs."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication, WSGIEnvironment

from contract.responses import ContractBreach

TOKEN = "the-good-token"


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response as the WSGI server gets it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def json(self) -> Any:
        """Parse the body as JSON."""
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        """Return the only value of a header; None without one."""
        values = [value for header_name, value in self.headers if header_name.lower() == name.lower()]
        assert len(values) <= 1, f"{name} stands there {len(values)} times"
        return values[0] if values else None

    @property
    def problem(self) -> tuple[int, str]:
        """The status and code of a problem document, which must be complete, consistent and small."""
        assert self.header("content-type") == "application/problem+json", self
        assert len(self.body) <= 4096
        problem = self.json()
        assert problem["status"] == self.status
        assert problem["type"] == f"/problems/{problem['code']}"
        return self.status, problem["code"]


@dataclass(frozen=True, slots=True)
class Client:
    """Call an application, by default with the valid token."""

    application: WSGIApplication
    recorded: list[Any] = field(default_factory=list)
    """The arguments of the functions, if they record them."""
    breaches: list[ContractBreach] = field(default_factory=list)
    """The breaches of the document in responses."""

    def send(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        token: str | None = TOKEN,
    ) -> HttpResponse:
        """Send a request to a target: path and query, encoded."""
        sent = dict(headers or {})
        if token is not None:
            sent.setdefault("Authorization", f"Bearer {token}")
        return call(self.application, environ(method, target, body, sent))

    def get(self, target: str, headers: Mapping[str, str] | None = None, token: str | None = TOKEN) -> HttpResponse:
        """Send GET."""
        return self.send("GET", target, headers=headers, token=token)

    def post(self, target: str, value: Any, media: str = "application/json") -> HttpResponse:
        """Send POST. Bytes are sent unchanged, any other value as JSON."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.send("POST", target, body, {"Content-Type": media})


def environ(
    method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> WSGIEnvironment:
    """Build the WSGI environ of a request."""
    path, _, query = target.partition("?")
    result: WSGIEnvironment = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body or b""),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if body is not None:
        result["CONTENT_LENGTH"] = str(len(body))
    for name, value in (headers or {}).items():
        key = name.upper().replace("-", "_")
        result[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return result


def call(application: WSGIApplication, request: WSGIEnvironment) -> HttpResponse:
    """Call an application with an environ and return its response."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], object]:
        started.append((status, headers))
        return io.BytesIO().write

    body = b"".join(application(request, start_response))
    ((status, headers),) = started
    return HttpResponse(int(status.split(" ")[0]), headers, body)
