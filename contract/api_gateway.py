"""Run an ASGI application on events of an AWS HTTP API (payload format 2.0), without WSGI in between.

The format has the path percent-decoded, the query unchanged, repeated headers joined with commas, cookies in a list of
their own, and a binary body in base64. Responses use the same format.

A named stage is part of the path in every event. At the gateway's own domain, clients see it as a prefix of the path.
A custom domain has a base path instead, or none. The gateway removes it without saying so, so it must be configured.
"""

import base64
import io
from collections.abc import Mapping
from typing import Any, TypeVar

from contract.bridge import AsgiApp, Exchange, Message, encode_native, run_synchronously
from contract.problems import PROBLEM_JSON, Problem

Event = Mapping[str, Any]
LambdaResponse = dict[str, Any]

_DEFAULT_STAGE = "$default"

_Type = TypeVar("_Type")


class MalformedEvent(Exception):
    """Raised for an event that is no HTTP API event."""


class ApiGatewayAdapter:
    """Answer events with an ASGI application that never suspends."""

    def __init__(self, asgi: AsgiApp, base_path: str = "") -> None:
        """Wrap an ASGI application. `base_path` is the API mapping at a custom domain, such as `kanban`."""
        self._asgi = asgi
        self._base_path = f"/{segments}" if (segments := base_path.strip("/")) else ""

    def __call__(self, event: Event) -> LambdaResponse:
        """Return the response to an event, a 400 for invalid base64. Raises MalformedEvent."""
        scope = build_scope_from_event(event, self._base_path)
        body = decode_body(event)
        if body is None:
            return undecodable_body_response()
        exchange = Exchange(io.BytesIO(body).read)
        run_synchronously(self._asgi(scope, exchange.receive, exchange.send))
        return _build_lambda_response(exchange)


def build_scope_from_event(event: Event, base_path: str = "") -> Message:
    """Build the ASGI scope of an event. Its root_path is the prefix that the client sees. Raises MalformedEvent."""
    context = _require_member(event, "requestContext", dict)
    prefix, path = _split_path(_require_member(event, "rawPath", str), context, base_path)
    sent_headers = _require_member(event, "headers", dict)
    headers = [(name.lower().encode(), encode_native(value)) for name, value in _validate_headers(sent_headers)]
    if cookies := event.get("cookies"):
        headers.append((b"cookie", encode_native("; ".join(_validate_cookies(cookies)))))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": _require_member(_require_member(context, "http", dict), "method", str),
        "scheme": sent_headers.get("x-forwarded-proto", "https"),
        "path": prefix + path,
        "query_string": encode_native(_require_member(event, "rawQueryString", str)),
        "root_path": prefix,
        "server": (sent_headers.get("host", ""), 443),
        "headers": headers,
        "extensions": {},
    }


def _split_path(raw_path: str, context: Event, base_path: str) -> tuple[str, str]:
    """Return the prefix that the client sees, and the path below it."""
    stage = f"/{context.get('stage', _DEFAULT_STAGE)}"
    has_stage = stage != f"/{_DEFAULT_STAGE}" and f"{raw_path}/".startswith(f"{stage}/")
    path = raw_path.removeprefix(stage) if has_stage else raw_path
    if not str(context.get("domainName", "")).startswith(f"{context.get('apiId')}.execute-api."):
        return base_path, path
    return (stage if has_stage else ""), path


def decode_body(event: Event) -> bytes | None:
    """Return the body of an event of any format; None for invalid base64. Raises MalformedEvent."""
    body = event.get("body") or ""
    if not isinstance(body, str):
        raise MalformedEvent("body is no string")
    if not event.get("isBase64Encoded"):
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except ValueError:
        return None


def undecodable_body_response() -> LambdaResponse:
    """Return the 400 for a body that is marked as base64 and is not."""
    problem = Problem(400, "malformed_request", "The body is not well-formed base64.")
    headers = {"content-type": PROBLEM_JSON, "cache-control": "no-store", "x-content-type-options": "nosniff"}
    return {"statusCode": 400, "headers": headers, "body": problem.encode().decode(), "isBase64Encoded": False}


def _build_lambda_response(exchange: Exchange) -> LambdaResponse:
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for raw_name, raw_value in exchange.headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name == "set-cookie":
            cookies.append(value)
        else:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    response: LambdaResponse = {"statusCode": exchange.status, "headers": headers, "isBase64Encoded": False}
    if cookies:
        response["cookies"] = cookies
    if exchange.body:
        try:
            response["body"] = exchange.body.decode()
        except UnicodeDecodeError:
            response["body"], response["isBase64Encoded"] = base64.b64encode(exchange.body).decode(), True
    return response


def _require_member(event: Event, name: str, type_: type[_Type]) -> _Type:
    member = event.get(name)
    if not isinstance(member, type_):
        raise MalformedEvent(f"{name} is no {type_.__name__}")
    return member


def _validate_headers(headers: Mapping[object, object]) -> list[tuple[str, str]]:
    pairs = []
    for name, value in headers.items():
        if not isinstance(name, str) or not name.isascii() or not isinstance(value, str):
            raise MalformedEvent("a header is no string")
        pairs.append((name, value))
    return pairs


def _validate_cookies(cookies: object) -> list[str]:
    if not isinstance(cookies, list) or not all(isinstance(value, str) for value in cookies):
        raise MalformedEvent("cookies are no list of strings")
    return cookies
