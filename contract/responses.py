"""Responses: what a handler answered, checked against the document before anyone sees it.

A breach is a bug of ours. It is found here, in production too, before the change that the handler wants is committed
and before a client's generated code meets a type that it was never told of.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from contract.parameters import parse_scalar
from contract.problems import PROBLEM_JSON, Problem
from contract.schemas import Check, Schema, Schemas

EDGE_HEADERS = frozenset(("x-request-id", "cache-control"))
"""Headers that the document promises on every answer and that the edge puts on every answer."""


_FIELD_VALUE = re.compile(r"[\x20-\x7e]*")


class HandlerResult(Protocol):
    """What a handler answers. The contract reads it and never imports its class."""

    @property
    def body(self) -> Any:
        """The body in the document's shape, or None."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def etag(self) -> str | None:
        """The entity tag without its quotes."""

    @property
    def location(self) -> str | None:
        """The path of a resource just made, below the base path."""

    @property
    def next_query(self) -> Mapping[str, str] | None:
        """What changes in the query to ask for the next page, or None at the end."""

    @property
    def change(self) -> Any:
        """What is to be committed before the answer may leave, or None."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer ready to be sent: names of headers are lower-case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    change: Any = None


class ContractBreach(Exception):
    """A handler's answer breaks the document: which operation, where, what."""


class _DeclaredResponse:
    """One declared response of one operation."""

    __slots__ = ("checks", "headers", "required")

    def __init__(self, response_object: Schema, schemas: Schemas) -> None:
        self.checks: dict[str, Check] = {
            media.lower(): schemas.get_check(content["schema"], "response")
            for media, content in response_object.get("content", {}).items()
        }
        self.headers: dict[str, tuple[str, Check]] = {}
        self.required: list[str] = []
        for name, reference in response_object.get("headers", {}).items():
            header = schemas.resolve(reference)
            kind = schemas.resolve(header["schema"]).get("type", "string")
            self.headers[name.lower()] = (kind, schemas.get_check(header["schema"], "response"))
            if header.get("required") and name.lower() not in EDGE_HEADERS:
                self.required.append(name.lower())


class Responses:
    """The declared responses of one operation; `announced` are headers for all that declare them."""

    __slots__ = ("_by_status", "_deprecation_headers", "_operation_id", "media_types")

    def __init__(
        self,
        operation_id: str,
        responses_object: Mapping[str, Any],
        schemas: Schemas,
        deprecation_headers: Mapping[str, str],
    ) -> None:
        self._operation_id = operation_id
        self._deprecation_headers = deprecation_headers
        self._by_status = {
            int(status): _DeclaredResponse(schemas.resolve(response), schemas)
            for status, response in responses_object.items()
        }
        self.media_types = tuple(
            dict.fromkeys(
                media
                for status, declared in self._by_status.items()
                if status < 300  # noqa: PLR2004 - successes are what a client negotiates about.
                for media in declared.checks
            )
        )

    def encode(self, result: HandlerResult, headers: dict[str, str], media_type: str | None) -> Response:
        """The reply as a response, or a `Breach`. `headers` are added to what the reply itself says."""
        declared = self._find_declared(result.status)
        body = b""
        if declared.checks:
            media_type = media_type if media_type in declared.checks else next(iter(declared.checks))
            self._ensure_valid(declared.checks[media_type], result.body, f"the body of {result.status}")
            # Without a charset many clients take text for Latin-1.
            headers["content-type"] = f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type
            body = self._encode_body(result, media_type)
        elif result.body is not None:
            raise ContractBreach(f"{self._operation_id}: {result.status} has a body that the document doesn't name")
        headers |= {name: value for name, value in self._deprecation_headers.items() if name in declared.headers}
        self._check_headers(declared, result.status, headers)
        return Response(result.status, tuple(headers.items()), body, result.change)

    def encode_not_modified(self, headers: dict[str, str]) -> Response:
        """A 304 with these headers, or a `Breach` when the document doesn't say that it can happen."""
        self._check_headers(self._find_declared(304), 304, headers)
        return Response(304, tuple(headers.items()), b"")

    def encode_problem(self, problem: Problem) -> Response:
        """A problem document as a response, or a `Breach` when the document doesn't say that it can happen."""
        declared = self._find_declared(problem.status)
        document = problem.to_json_object()
        check = declared.checks.get(PROBLEM_JSON)
        if check is None:
            raise ContractBreach(f"{self._operation_id}: {problem.status} is not declared as a problem document")
        self._ensure_valid(check, document, f"the problem of {problem.status}")
        headers = {name.lower(): value for name, value in problem.headers.items()}
        headers["content-type"] = PROBLEM_JSON
        self._check_headers(declared, problem.status, headers)
        return Response(problem.status, tuple(headers.items()), orjson.dumps(document))

    def _encode_body(self, result: HandlerResult, media_type: str) -> bytes:
        try:
            return orjson.dumps(result.body) if media_type.endswith("json") else str(result.body).encode()
        except (TypeError, ValueError):
            raise ContractBreach(
                f"{self._operation_id}: the body of {result.status} can't be written as {media_type}"
            ) from None

    def _find_declared(self, status: int) -> _DeclaredResponse:
        declared = self._by_status.get(status)
        if declared is None:
            raise ContractBreach(f"{self._operation_id}: the status {status} is not in the document")
        return declared

    def _check_headers(self, declared: _DeclaredResponse, status: int, headers: Mapping[str, str]) -> None:
        for name in declared.required:
            if name not in headers:
                raise ContractBreach(f"{self._operation_id}: {status} lacks the header {name}")
        for name, text in headers.items():
            if not _FIELD_VALUE.fullmatch(text):
                raise ContractBreach(
                    f"{self._operation_id}: the header {name} of {status} has characters no header may have"
                )
            if name in declared.headers:
                kind, check = declared.headers[name]
                try:
                    value = parse_scalar(text, kind)
                except ValueError as reason:
                    raise ContractBreach(f"{self._operation_id}: the header {name} of {status} {reason}") from None
                self._ensure_valid(check, value, f"the header {name} of {status}")
            elif name != "content-type":
                raise ContractBreach(f"{self._operation_id}: the header {name} of {status} is not in the document")

    def _ensure_valid(self, check: Check, value: object, what: str) -> None:
        if faults := check.find_violations(value):
            first = faults[0]
            raise ContractBreach(f"{self._operation_id}: {what}: {first.pointer or '/'} {first.message}")
