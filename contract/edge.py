"""The outermost layer: limits on every request, headers on every response, HEAD and CORS.

Sizes, paths and headers are checked before routing, so that no layer below gets a request that the document could not
describe. The response to HEAD loses its body here and keeps its Content-Length. Cross-origin requests (CORS in the
Fetch standard) are allowed by an exact list of origins.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from contract.client_address import NO_PROXIES, TrustedProxies
from contract.messages import Headers, HttpApplication, Request, Response, add_mount
from contract.problems import Problem, internal_error
from contract.request_context import RequestContext, get_request_context

log = logging.getLogger("tackboard")

MAX_BODY_BYTES = 256 * 1024
"""The longest request body in bytes."""
BODY_LIMIT_EXTENSION = "x-tackboard-body-limit"
"""The extension of an operation with another limit for its body. Its path must have no parameters."""
MAX_PATH_CHARACTERS = 2 * 1024
"""The longest path in characters, percent-decoded."""
MAX_QUERY_BYTES = 8 * 1024
"""The longest query string in bytes."""
MAX_HEADER_BYTES = 32 * 1024
"""The most bytes that names and values of all headers have together."""

BodyReader = Callable[[int], bytes]
"""Reads a body: at most a number of bytes, none at its end."""

_CHUNK_BYTES = 65_536
_REQUEST_ID = re.compile(r"(?!.*tkb_)[A-Za-z0-9._-]{1,64}")
"""A request id that a client may send. It is logged and stored, so it must not be, or contain, a token."""
_FORBIDDEN_IN_PATH = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_FORBIDDEN_IN_QUERY = re.compile(r"[^\x21-\x7e]")
_ALLOWED_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
# The API ignores the headers in the last line. Libraries for tracing and fetching add them
# to every request, and a browser sends no request at all when one of its headers is not allowed.
_ALLOWED_HEADERS = (
    "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Invitation-Secret, Last-Event-ID, "
    "Prefer, X-Request-Id, "
    "baggage, Cache-Control, sentry-trace, traceparent, tracestate, X-Requested-With"
)
_EXPOSED_HEADERS = (
    "Allow, Deprecation, ETag, Idempotency-Replayed, Link, Location, Preference-Applied, RateLimit, RateLimit-Policy, "
    "Retry-After, Sunset, WWW-Authenticate, X-Request-Id"
)
_NO_STORE = ("cache-control", "no-store")
_HTTP_HEADERS = (("x-content-type-options", "nosniff"),)
_HTTPS_HEADERS = (*_HTTP_HEADERS, ("strict-transport-security", "max-age=63072000; includeSubDomains"))
# A proxy may serve this application below a path of a host whose other names have nothing to do with it.
_PROXIED_HTTPS_HEADERS = (*_HTTP_HEADERS, ("strict-transport-security", "max-age=63072000"))


class Edge:
    """The outermost layer around an application. `answer` is what every server and every event calls."""

    def __init__(
        self,
        application: HttpApplication,
        *,
        new_request_id: Callable[[], str],
        origins: Iterable[str] = (),
        body_limits: Mapping[str, int] | None = None,
        find_weight: Callable[[str, str], str | None] = lambda _method, _path: None,
        trusted_proxies: TrustedProxies = NO_PROXIES,
        cors_headers: Iterable[str] = (),
    ) -> None:
        """Wrap an application.

        `body_limits` are bytes by path, where they differ from the usual limit. `find_weight` tells the
        weight of the operation of a method and a path. What `trusted_proxies` say about their clients is believed.
        Pages of the `origins` may also send the `cors_headers`, which this application ignores.
        """
        self._application = application
        self._trusted_proxies = trusted_proxies
        self._body_limits = body_limits or {}
        self._new_request_id = new_request_id
        self._origins = frozenset(origins)
        self._allowed_headers = ", ".join((_ALLOWED_HEADERS, *cors_headers))
        self.find_weight = find_weight

    def find_body_limit(self, path: str) -> int:
        """Return how many bytes a body that is sent to a path may have."""
        return self._body_limits.get(path, MAX_BODY_BYTES)

    def answer(
        self,
        method: str,
        path: str,
        query: str,
        headers: Mapping[str, str],
        body: BodyReader | None,
        *,
        peer: str = "",
        mount: str = "",
        is_https: bool = True,
    ) -> Response:
        """Answer a request. Raises nothing that the application raises: that is a 500.

        Args:
            method: The method as it was sent.
            path: The path below `mount`, percent-decoded. Bytes that are not UTF-8 are surrogates, and rejected.
            query: The query string as it was sent, without the question mark.
            headers: The headers by lower-case name, as Latin-1 text.
            body: Reads the body; None if there is none. It is not called for more than the body may have. What it
                raises is answered like what the application raises.
            peer: The address that the server is connected to; empty if it is not known.
            mount: The prefix before `path` in the client's URL, percent-encoded.
            is_https: Whether the peer uses HTTPS.
        """
        context = get_request_context()
        client = self._trusted_proxies.find_client(peer, headers, is_https=is_https)
        context.address, context.is_https = client.address, client.is_https
        # A server without a request log may answer one request after another in the same context.
        context.caller, context.redeemed, context.limit_headers = None, None, ()
        request_id = headers.get("x-request-id")
        if request_id is None or not _REQUEST_ID.fullmatch(request_id):
            request_id = self._new_request_id()
            context.has_own_id = True
        context.request_id = request_id
        try:
            max_body_bytes = self._body_limits.get(path, MAX_BODY_BYTES)
            _validate_head(path, query, headers, max_body_bytes)
            content = _read_body(body, max_body_bytes) if body else b""
            if method == "OPTIONS" and "access-control-request-method" in headers:
                response = Response(204, self._build_preflight_headers(headers), b"")
            else:
                received = "GET" if method == "HEAD" else method
                response = self._application(Request(received, path, query, headers, content, mount, context))
        except Problem as problem:
            response = problem.to_response()
        except Exception as error:
            log.error("A request failed: %r", error, exc_info=error)  # noqa: TRY400 - the formatter redacts the argument.
            response = internal_error().to_response()
        context.code = response.code
        own_headers = add_mount(mount, response.headers) if mount else response.headers
        security_headers = _HTTPS_HEADERS if is_https else _HTTP_HEADERS
        if client.is_https != is_https:
            security_headers = _PROXIED_HTTPS_HEADERS if client.is_https else _HTTP_HEADERS
        response_headers = self._add_common_headers(own_headers, headers, context, security_headers)
        if method == "HEAD":
            length_headers = response_headers if response.is_stream else _add_length(response, response_headers)
            return replace(response, headers=length_headers, body=b"")
        response.headers = response_headers
        return response

    def _add_common_headers(
        self, own_headers: Headers, headers: Mapping[str, str], context: RequestContext, security_headers: Headers
    ) -> Headers:
        """Add the common headers to those of a response. A header of the response itself wins."""
        common_headers = security_headers
        if "cache-control" not in dict(own_headers):
            common_headers = (_NO_STORE, *common_headers)
        if self._origins:
            # Vary adds up: a file varies by its encoding, and by the origin where origins are allowed.
            common_headers = (*common_headers, ("vary", "Origin"))
            if headers.get("origin") in self._origins:
                allowed = ("access-control-allow-origin", headers["origin"])
                common_headers = (*common_headers, allowed, ("access-control-expose-headers", _EXPOSED_HEADERS))
        return (*own_headers, ("x-request-id", context.request_id), *context.limit_headers, *common_headers)

    def _build_preflight_headers(self, headers: Mapping[str, str]) -> Headers:
        if headers.get("origin") not in self._origins:
            return ()
        return (
            ("access-control-allow-methods", _ALLOWED_METHODS),
            ("access-control-allow-headers", self._allowed_headers),
            ("access-control-max-age", "7200"),
        )


def _add_length(response: Response, headers: Headers) -> Headers:
    """Return the headers of a response to HEAD: with the length that the body to GET has (RFC 9110, section 8.6).

    Without it, a server would send the length of the empty body. 204 and 304 have no length, and a static file has
    set its own.
    """
    if response.status in (204, 304) or any(name == "content-length" for name, _ in headers):
        return headers
    return (*headers, ("content-length", str(len(response.body))))


def find_body_limits(document: Mapping[str, Any]) -> dict[str, int]:
    """Return the limits of bodies in bytes, by full path, where the document sets one."""
    base_path = document["servers"][0]["url"]
    return {
        f"{base_path}{path}": operation[BODY_LIMIT_EXTENSION]
        for path, path_item in document["paths"].items()
        for operation in path_item.values()
        if isinstance(operation, dict) and BODY_LIMIT_EXTENSION in operation
    }


def _validate_head(path: str, query: str, headers: Mapping[str, str], max_body_bytes: int) -> None:
    """Validate sizes, then the characters of path and query. Raises Problem: 413, 414, 431, 404 or 400."""
    if len(path) > MAX_PATH_CHARACTERS or len(query) > MAX_QUERY_BYTES:
        raise Problem(
            414,
            "uri_too_long",
            f"A path has at most {MAX_PATH_CHARACTERS} characters, a query at most {MAX_QUERY_BYTES} bytes.",
        )
    if len("".join((*headers, *headers.values()))) > MAX_HEADER_BYTES:
        raise Problem(431, "headers_too_large", f"All headers together have at most {MAX_HEADER_BYTES} bytes.")
    if (declared_length := headers.get("content-length")) and _is_over(declared_length, max_body_bytes):
        raise _body_too_large(max_body_bytes)
    # Nearly every path is printable, which is seen in half the time.
    if not path.isprintable() and _FORBIDDEN_IN_PATH.search(path):
        raise Problem(404, "not_found", "There is nothing here.")
    if query and _FORBIDDEN_IN_QUERY.search(query):
        raise Problem(400, "malformed_request", "The query string has characters that must be percent-encoded.")


def _is_over(number: str, limit: int) -> bool:
    """Return whether a text is a number above a limit. int() refuses texts of thousands of digits."""
    is_number = number.isascii() and number.isdigit()
    return is_number and (len(number) > 18 or int(number) > limit)  # noqa: PLR2004 - 18 digits fit in 64 bits.


def _read_body(read: BodyReader, max_bytes: int) -> bytes:
    body = chunk = read(_CHUNK_BYTES)
    while chunk:
        if len(body) > max_bytes:
            raise _body_too_large(max_bytes)
        chunk = read(_CHUNK_BYTES)
        body += chunk
    return body


def _body_too_large(max_bytes: int) -> Problem:
    return Problem(413, "body_too_large", f"A body has at most {max_bytes} bytes.")
