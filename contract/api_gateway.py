"""Events of an HTTP API in, ASGI inside: API Gateway's payload format 2.0, without WSGI in between.

The format sends the path decoded, the query as it came, a repeated header joined with commas, cookies in a list of
their own, and a body that is no text in base64. Answers go back in the same way.

A stage with a name stands in the path of the event, whatever the client's address is. In an address of the gateway's
own it is the prefix that clients see. A domain of one's own has a base path instead, or none: the gateway takes it off
and doesn't tell, so it must be configured.
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
    """No HTTP API sends such an event."""


class ApiGatewayAdapter:
    """Answers events with an ASGI application that never waits."""

    def __init__(self, asgi: AsgiApp, base_path: str = "") -> None:
        """`base_path` is what the API is mapped to at a domain of one's own: `kanban`."""
        self._asgi = asgi
        self._base_path = f"/{words}" if (words := base_path.strip("/")) else ""

    def __call__(self, event: Event) -> LambdaResponse:
        """The answer to an event. Raises MalformedEvent; a body that is not the base64 it claims to be is a 400."""
        scope = build_scope_from_event(event, self._base_path)
        body = decode_body(event)
        if body is None:
            return undecodable_body_response()
        exchange = Exchange(io.BytesIO(body).read)
        run_synchronously(self._asgi(scope, exchange.receive, exchange.send))
        return _build_lambda_response(exchange)


def build_scope_from_event(event: Event, base_path: str = "") -> Message:
    """Return the ASGI scope of an event, whose prefix is the one that the client's address has."""
    context = _require_member(event, "requestContext", dict)
    prefix, path = _split_path(_require_member(event, "rawPath", str), context, base_path)
    sent = _require_member(event, "headers", dict)
    headers = [(name.lower().encode(), encode_native(value)) for name, value in _validate_headers(sent)]
    if cookies := event.get("cookies"):
        headers.append((b"cookie", encode_native("; ".join(_validate_cookies(cookies)))))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": _require_member(_require_member(context, "http", dict), "method", str),
        "scheme": sent.get("x-forwarded-proto", "https"),
        "path": prefix + path,
        "query_string": encode_native(_require_member(event, "rawQueryString", str)),
        "root_path": prefix,
        "server": (sent.get("host", ""), 443),
        "headers": headers,
        "extensions": {},
    }


def _split_path(raw: str, context: Event, base_path: str) -> tuple[str, str]:
    """Return the prefix in the client's address, and the path below it."""
    stage = f"/{context.get('stage', _DEFAULT_STAGE)}"
    has_stage = stage != f"/{_DEFAULT_STAGE}" and f"{raw}/".startswith(f"{stage}/")
    path = raw.removeprefix(stage) if has_stage else raw
    if not str(context.get("domainName", "")).startswith(f"{context.get('apiId')}.execute-api."):
        return base_path, path
    return (stage if has_stage else ""), path


def decode_body(event: Event) -> bytes | None:
    """The body of an event of any shape, None when it is not the base64 that it claims to be."""
    body = event.get("body") or ""
    if not isinstance(body, str):
        raise MalformedEvent("body is no text")
    if not event.get("isBase64Encoded"):
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except ValueError:
        return None


def undecodable_body_response() -> LambdaResponse:
    """What is answered to a body that is not the base64 that it claims to be."""
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
    answer: LambdaResponse = {"statusCode": exchange.status, "headers": headers, "isBase64Encoded": False}
    if cookies:
        answer["cookies"] = cookies
    if exchange.body:
        try:
            answer["body"] = exchange.body.decode()
        except UnicodeDecodeError:
            answer["body"], answer["isBase64Encoded"] = base64.b64encode(exchange.body).decode(), True
    return answer


def _require_member(event: Event, name: str, kind: type[_Type]) -> _Type:
    part = event.get(name)
    if not isinstance(part, kind):
        raise MalformedEvent(f"{name} is no {kind.__name__}")
    return part


def _validate_headers(headers: Mapping[object, object]) -> list[tuple[str, str]]:
    found = []
    for name, value in headers.items():
        if not isinstance(name, str) or not name.isascii() or not isinstance(value, str):
            raise MalformedEvent("a header is no text")
        found.append((name, value))
    return found


def _validate_cookies(cookies: object) -> list[str]:
    if not isinstance(cookies, list) or not all(isinstance(value, str) for value in cookies):
        raise MalformedEvent("cookies are no list of texts")
    return cookies
