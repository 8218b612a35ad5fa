"""Transports to the application: servers, gateways and load balancers, each with the URLs that clients see.

A test sends what a client sends: a method, a path with its prefix, headers and a body. The transport converts it to
what the process gets, and converts the response back.
"""

import base64
import http.client
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import StartResponse, WSGIEnvironment

from app.wall_clock import utc_now
from aws.deadline import Deadline
from aws.function import Function
from aws.request_records import RequestRecorder
from contract.wsgi_application import WsgiApplication
from tests.contract.aws_events import GATEWAY_HOST, Event, http_api_event, load_balancer_event, rest_api_event
from tests.contract.client import HttpResponse, call, environ
from tests.server_in_thread import run_server

Send = Callable[[str, str, bytes | None, Mapping[str, str]], HttpResponse]
"""Sends a request: method, URL path, body, headers."""


@dataclass(frozen=True, slots=True)
class Transport:
    """One way to the application."""

    open: Callable[["Transport", WsgiApplication], Any]
    """Opens a context whose value is a `Send`."""
    prefix: str = ""
    """The prefix before `/v1` in the URLs that clients see."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """The environment variables that the operator sets."""
    build_event: Callable[..., Event] = http_api_event
    event_options: Mapping[str, Any] = field(default_factory=dict)
    event_path: Callable[[str], str] = lambda address: address
    """Converts the path that the client sees to that of the event."""


@contextmanager
def _open_wsgi(transport: Transport, application: WsgiApplication) -> Iterator[Send]:
    def send(method: str, address: str, body: bytes | None, headers: Mapping[str, str]) -> HttpResponse:
        request = environ(method, address.removeprefix(transport.prefix), body, headers)
        return call(application, {**request, "SCRIPT_NAME": unquote_to_bytes(transport.prefix).decode("latin-1")})

    yield send


class _WsgiServer(ThreadingMixIn, WSGIServer):
    """The standard library's server, for those who bring their own: a thread for each connection."""

    daemon_threads = True


class _SilentHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""


@contextmanager
def listen(application: WsgiApplication, prefix: str) -> Iterator[int]:
    """Serve an application below a prefix on a port of this machine, with a WSGI server that is not ours."""

    def mounted(environment: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environment["PATH_INFO"].removeprefix(prefix)
        return application({**environment, "SCRIPT_NAME": prefix, "PATH_INFO": path}, start_response)

    with _WsgiServer(("127.0.0.1", 0), _SilentHandler) as server:
        server.set_app(mounted)
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def _send_to(port: int) -> Send:
    def send(method: str, address: str, body: bytes | None, headers: Mapping[str, str]) -> HttpResponse:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request(method, address, body, dict(headers))
        response = connection.getresponse()
        result = HttpResponse(response.status, response.getheaders(), response.read())
        connection.close()
        return result

    return send


@contextmanager
def _open_server(transport: Transport, application: WsgiApplication) -> Iterator[Send]:
    del transport
    with run_server(application.edge) as (_, port):
        yield _send_to(port)


@contextmanager
def _open_other_server(transport: Transport, application: WsgiApplication) -> Iterator[Send]:
    with listen(application, transport.prefix) as port:
        yield _send_to(port)


@contextmanager
def open_lambda(transport: Transport, application: WsgiApplication) -> Iterator[Send]:
    records = RequestRecorder("test", utc_now, lambda: 0.0, lambda _: None)
    base_path = transport.environment.get("API_GATEWAY_BASE_PATH", "")
    function = Function(application, Deadline(), records, dict, base_path)

    def send(method: str, address: str, body: bytes | None, headers: Mapping[str, str]) -> HttpResponse:
        path, mark, query = address.partition("?")
        response = function(
            transport.build_event(
                method, transport.event_path(path) + mark + query, body, headers, **transport.event_options
            ),
            None,
        )
        content = response.get("body") or ""
        several = response.get("multiValueHeaders") or {
            name: [value] for name, value in response.get("headers", {}).items()
        }
        return HttpResponse(
            response["statusCode"],
            [(name, value) for name, values in several.items() for value in values],
            base64.b64decode(content) if response.get("isBase64Encoded") else content.encode(),
        )

    yield send


def _without_prefix(prefix: str, then: str = "") -> Callable[[str], str]:
    return lambda address: then + address.removeprefix(prefix)


_BASE_PATH_SETTING = {"API_GATEWAY_BASE_PATH": "kanban"}

TRANSPORTS = {
    "WSGI": Transport(_open_wsgi),
    "WSGI below SCRIPT_NAME": Transport(_open_wsgi, "/kanban"),
    "WSGI below a prefix that must be encoded": Transport(_open_wsgi, "/m%C3%A4rz%202/kanban"),
    "our server": Transport(_open_server),
    "another server below a prefix": Transport(_open_other_server, "/tools/kanban"),
    "HTTP API": Transport(open_lambda, event_options={"host": GATEWAY_HOST}),
    "HTTP API, named stage": Transport(open_lambda, "/dev", event_options={"host": GATEWAY_HOST, "stage": "dev"}),
    # The event has the name of the stage, which the client's URL lacks, and lacks the base path, which the URL has.
    "HTTP API, own domain": Transport(open_lambda),
    "HTTP API, own domain, named stage": Transport(
        open_lambda, event_options={"stage": "dev"}, event_path=_without_prefix("", "/dev")
    ),
    "HTTP API, own domain, base path": Transport(
        open_lambda,
        "/kanban",
        _BASE_PATH_SETTING,
        event_options={"stage": "dev"},
        event_path=_without_prefix("/kanban", "/dev"),
    ),
    "REST API, stage": Transport(
        open_lambda,
        "/prod",
        build_event=rest_api_event,
        event_options={"host": GATEWAY_HOST, "stage": "prod"},
        event_path=_without_prefix("/prod"),
    ),
    "REST API, own domain": Transport(open_lambda, build_event=rest_api_event),
    "REST API, own domain, base path": Transport(
        open_lambda, "/kanban", _BASE_PATH_SETTING, build_event=rest_api_event
    ),
    "load balancer": Transport(open_lambda, build_event=load_balancer_event),
    "load balancer, rule for a path": Transport(
        open_lambda, "/kanban", _BASE_PATH_SETTING, build_event=load_balancer_event
    ),
}
