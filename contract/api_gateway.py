"""Serve an edge to events of an AWS HTTP API (payload format 2.0).

The format has the path percent-decoded, the query unchanged, repeated headers joined with commas, cookies in a list of
their own, and a binary body in base64. Responses use the same format.

A named stage is part of the path in every event. At the gateway's own domain, clients see it as a prefix of the path.
A custom domain has a base path instead, or none. The gateway removes it without saying so, so it must be configured.
"""

import base64
import binascii
import io
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from contract.edge import Edge
from contract.messages import Response
from contract.problems import PROBLEM_JSON, Problem
from contract.request_context import get_request_context
from contract.wsgi_application import to_latin_1

Event = Mapping[str, Any]
LambdaResponse = dict[str, Any]

_DEFAULT_STAGE = "$default"

_Type = TypeVar("_Type")


class MalformedEvent(Exception):
    """Raised for an event that is no HTTP API event."""


class ApiGatewayAdapter:
    """Answers events with an edge."""

    def __init__(self, edge: Edge, base_path: str = "") -> None:
        """Wrap an edge. `base_path` is the API mapping at a custom domain, such as `kanban`."""
        self._edge = edge
        self._base_path = f"/{segments}" if (segments := base_path.strip("/")) else ""

    def __call__(self, event: Event) -> LambdaResponse:
        """Return the response to an event, a 400 for invalid base64. Raises MalformedEvent."""
        gateway_context = _require_member(event, "requestContext", dict)
        prefix, path = _split_path(_require_member(event, "rawPath", str), gateway_context, self._base_path)
        sent_headers = _require_member(event, "headers", dict)
        headers = _read_headers(sent_headers, event.get("cookies"))
        http = _require_member(gateway_context, "http", dict)
        method = _require_member(http, "method", str)
        query = _require_member(event, "rawQueryString", str)
        body = decode_body(event)
        if body is None:
            return undecodable_body_response()
        response = self._edge.answer(
            method,
            path,
            query,
            headers,
            io.BytesIO(body).read if body else None,
            peer=peer if isinstance(peer := http.get("sourceIp"), str) else "",
            mount=quote(prefix, safe="/$") if prefix else "",
            is_https=sent_headers.get("x-forwarded-proto", "https") == "https",
        )
        return _build_lambda_response(response)


def _split_path(raw_path: str, context: Event, base_path: str) -> tuple[str, str]:
    """Return the prefix that the client sees, and the path below it."""
    name = context.get("stage", _DEFAULT_STAGE)
    stage = "" if name == _DEFAULT_STAGE else f"/{name}"
    has_stage = stage != "" and f"{raw_path}/".startswith(f"{stage}/")
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
        # base64.b64decode would look at each character with a regular expression first.
        return binascii.a2b_base64(body, strict_mode=True)
    except ValueError:
        return None


def undecodable_body_response() -> LambdaResponse:
    """Return the 400 for a body that is marked as base64 and is not."""
    problem = Problem(400, "malformed_request", "The body is not well-formed base64.")
    get_request_context().code = problem.code
    headers = {"content-type": PROBLEM_JSON, "cache-control": "no-store", "x-content-type-options": "nosniff"}
    return {"statusCode": 400, "headers": headers, "body": problem.encode().decode(), "isBase64Encoded": False}


def _build_lambda_response(answer: Response) -> LambdaResponse:
    headers = dict(answer.headers)
    response: LambdaResponse = {"statusCode": answer.status, "headers": headers, "isBase64Encoded": False}
    if len(headers) < len(answer.headers):
        for name in headers:
            headers[name] = ", ".join(value for other_name, value in answer.headers if other_name == name)
    if headers.pop("set-cookie", None) is not None:
        response["cookies"] = [value for name, value in answer.headers if name == "set-cookie"]
    if answer.body:
        try:
            response["body"] = answer.body.decode()
        except UnicodeDecodeError:
            response["body"], response["isBase64Encoded"] = base64.b64encode(answer.body).decode(), True
    return response


def _require_member(event: Event, name: str, type_: type[_Type]) -> _Type:
    member = event.get(name)
    if not isinstance(member, type_):
        raise MalformedEvent(f"{name} is no {type_.__name__}")
    return member


def _read_headers(sent_headers: Mapping[str, str], cookies: object) -> Mapping[str, str]:
    """Return the headers of an event by lower-case name, as Latin-1 text. Raises MalformedEvent."""
    try:
        names, values = "".join(sent_headers), "".join(sent_headers.values())
    except TypeError:
        raise MalformedEvent("a header is no string") from None
    if not names.isascii():
        raise MalformedEvent("the name of a header is not ASCII")
    headers = sent_headers
    # An HTTP API sends names in lower case, and nearly all values are ASCII.
    if not (names == names.lower() and values.isascii()):
        headers = {name.lower(): to_latin_1(value) for name, value in sent_headers.items()}
    if cookies:
        if not isinstance(cookies, list) or not all(isinstance(value, str) for value in cookies):
            raise MalformedEvent("cookies are no list of strings")
        headers = {**headers, "cookie": to_latin_1("; ".join(cookies))}
    return headers
