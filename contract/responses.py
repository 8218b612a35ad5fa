"""Encode the results of handlers, validated against the document before they are sent.

A breach is a bug in the server. It is found here, in production too, before the change is committed and before a
client's generated code gets a type that the document doesn't have.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import orjson

from contract.event_streams import EVENT_STREAM, encode_messages
from contract.messages import FeedPosition, Response
from contract.parameters import parse_scalar
from contract.problems import PROBLEM_JSON, Problem
from contract.schemas import Check, Schema, Schemas

EDGE_HEADERS = frozenset(("x-request-id", "cache-control"))
"""Headers that the document requires on every response. The edge adds them."""


class HandlerResult(Protocol):
    """What a handler returns. This package reads it and never imports its class."""

    @property
    def body(self) -> Any:
        """The body as JSON values in the form of the document, or None."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def etag(self) -> str | None:
        """The entity tag without quotes."""

    @property
    def location(self) -> str | None:
        """The path of a new resource, below the base path."""

    @property
    def next_query(self) -> Mapping[str, str] | None:
        """The query parameters to replace for the next page; None on the last page."""

    @property
    def change(self) -> Any:
        """The change to commit before the response is sent, or None."""

    @property
    def feed_position(self) -> FeedPosition | None:
        """How far the response has got in a feed, or None if it can't be followed."""


class ContractBreach(Exception):
    """Raised when a response violates the document. The message names the operation, the part and the error."""


class _DeclaredResponse:
    """One response of an operation in the document."""

    __slots__ = ("checks", "header_check", "header_types", "headers", "required")

    def __init__(self, response_object: Schema, schemas: Schemas) -> None:
        self.checks: dict[str, Check] = {
            media_type.lower(): schemas.get_check(content["schema"], "response")
            for media_type, content in response_object.get("content", {}).items()
        }
        headers = {
            name.lower(): schemas.resolve(reference) for name, reference in response_object.get("headers", {}).items()
        }
        self.headers: dict[str, Schema] = {name: header["schema"] for name, header in headers.items()}
        """The schemas of the headers."""
        types = {name: schemas.resolve(schema).get("type", "string") for name, schema in self.headers.items()}
        self.header_types: dict[str, str] = {name: type_ for name, type_ in types.items() if type_ != "string"}
        """The types of the headers that aren't text."""
        self.required = [
            name for name, header in headers.items() if header.get("required") and name not in EDGE_HEADERS
        ]
        self.header_check = schemas.get_object_check({"content-type": {}, **self.headers}, "response", self.required)
        """Checks all headers at once."""


class Responses:
    """The responses of one operation. Deprecation headers are added to each response that declares them."""

    __slots__ = (
        "_by_status",
        "_deprecation_headers",
        "_operation_id",
        "_response_objects",
        "_schemas",
        "finite_media_types",
        "media_types",
    )

    def __init__(
        self,
        operation_id: str,
        responses_object: Mapping[str, Any],
        schemas: Schemas,
        deprecation_headers: Mapping[str, str],
    ) -> None:
        self._operation_id = operation_id
        self._deprecation_headers = deprecation_headers
        self._schemas = schemas
        self._response_objects = {
            int(status): schemas.resolve(response) for status, response in responses_object.items()
        }
        self._by_status: dict[int, _DeclaredResponse] = {}
        self.media_types = tuple(
            dict.fromkeys(
                media_type.lower()
                for status, response_object in self._response_objects.items()
                if status < 300  # noqa: PLR2004 - content negotiation is about successful responses.
                for media_type in response_object.get("content", {})
            )
        )
        self.finite_media_types = tuple(name for name in self.media_types if name != EVENT_STREAM)
        """What every server can send."""

    def encode(self, result: HandlerResult, headers: dict[str, str], media_type: str | None) -> Response:
        """Encode a handler's result with additional headers. Raises ContractBreach if it violates the document."""
        declared = self._find_declared_response(result.status)
        body = b""
        if declared.checks:
            media_type = media_type if media_type in declared.checks else next(iter(declared.checks))
            self._ensure_valid(declared.checks[media_type], result.body, "the body of", result.status)
            # Without a charset, many clients read text as Latin-1.
            headers["content-type"] = f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type
            body = self._encode_body(result, media_type)
        elif result.body is not None:
            raise ContractBreach(f"{self._operation_id}: {result.status} has a body that the document doesn't name")
        if self._deprecation_headers:
            headers |= {name: value for name, value in self._deprecation_headers.items() if name in declared.headers}
        self._check_headers(declared, result.status, headers)
        return Response(result.status, tuple(headers.items()), body, result.change)

    def encode_stream(self, result: HandlerResult, headers: dict[str, str]) -> Response:
        """Encode a page of a feed, whose items have a `seq`, as messages of an event stream. Raises ContractBreach."""
        declared = self._find_declared_response(result.status)
        self._ensure_valid(declared.checks["application/json"], result.body, "the body of", result.status)
        body = encode_messages(result.body["items"])
        self._ensure_valid(declared.checks[EVENT_STREAM], body.decode(), "the body of", result.status)
        # nginx passes on what it has got at once, instead of waiting for more.
        headers |= {"content-type": f"{EVENT_STREAM}; charset=utf-8", "x-accel-buffering": "no"}
        self._check_headers(declared, result.status, headers)
        return Response(result.status, tuple(headers.items()), body, is_stream=True)

    def encode_not_modified(self, headers: dict[str, str]) -> Response:
        """Encode a 304 with these headers. Raises ContractBreach if the operation has no 304."""
        self._check_headers(self._find_declared_response(304), 304, headers)
        return Response(304, tuple(headers.items()), b"")

    def encode_problem(self, problem: Problem) -> Response:
        """Encode a problem. Raises ContractBreach if the operation does not declare its status."""
        declared = self._find_declared_response(problem.status)
        document = problem.to_json_object()
        check = declared.checks.get(PROBLEM_JSON)
        if check is None:
            raise ContractBreach(f"{self._operation_id}: {problem.status} is not declared as a problem document")
        self._ensure_valid(check, document, "the problem of", problem.status)
        headers = {name.lower(): value for name, value in problem.headers.items()}
        headers["content-type"] = PROBLEM_JSON
        self._check_headers(declared, problem.status, headers)
        return Response(problem.status, tuple(headers.items()), orjson.dumps(document), code=problem.code)

    def _encode_body(self, result: HandlerResult, media_type: str) -> bytes:
        try:
            return orjson.dumps(result.body) if media_type.endswith("json") else str(result.body).encode()
        except (TypeError, ValueError):
            raise ContractBreach(
                f"{self._operation_id}: the body of {result.status} can't be written as {media_type}"
            ) from None

    def _find_declared_response(self, status: int) -> _DeclaredResponse:
        declared = self._by_status.get(status)
        if declared is None:
            if status not in self._response_objects:
                raise ContractBreach(f"{self._operation_id}: the status {status} is not in the document")
            declared = _DeclaredResponse(self._response_objects[status], self._schemas)
            self._by_status[status] = declared
        return declared

    def _check_headers(self, declared: _DeclaredResponse, status: int, headers: Mapping[str, str]) -> None:
        text = "".join(headers.values())
        if not (text.isascii() and text.isprintable()):
            raise ContractBreach(f"{self._operation_id}: a header of {status} has characters no header may have")
        values: Mapping[str, Any] = headers
        if declared.header_types:
            values = {name: self._parse_header(declared, status, name, text) for name, text in headers.items()}
        if not declared.header_check.is_valid(values):
            self._name_invalid_header(declared, status, values)

    def _parse_header(self, declared: _DeclaredResponse, status: int, name: str, text: str) -> Any:
        try:
            return parse_scalar(text, declared.header_types.get(name, "string"))
        except ValueError as reason:
            raise ContractBreach(f"{self._operation_id}: the header {name} of {status} {reason}") from None

    def _name_invalid_header(self, declared: _DeclaredResponse, status: int, values: Mapping[str, Any]) -> None:
        """Raise ContractBreach with the name of the header that is missing, undeclared or invalid."""
        for name in declared.required:
            if name not in values:
                raise ContractBreach(f"{self._operation_id}: {status} lacks the header {name}")
        for name, value in values.items():
            if name in declared.headers:
                check = self._schemas.get_check(declared.headers[name], "response")
                self._ensure_valid(check, value, f"the header {name} of", status)
            elif name != "content-type":
                raise ContractBreach(f"{self._operation_id}: the header {name} of {status} is not in the document")

    def _ensure_valid(self, check: Check, value: object, part: str, status: int) -> None:
        if violations := check.find_violations(value, only_first=True):
            subject, (pointer, _, message) = f"{part} {status}", violations[0]
            raise ContractBreach(f"{self._operation_id}: {subject}: {pointer or '/'} {message}")
