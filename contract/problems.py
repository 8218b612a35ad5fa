"""Problem details (RFC 9457): the one shape in which this API says no.

A problem is raised as an exception by whoever finds it and turned into a document here. It names what is wrong
and never repeats what was sent: answers stay small and can't be used to reflect anything.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import orjson

from contract.violations import Violation

PROBLEM_JSON = "application/problem+json"

_TITLES = {413: "Content Too Large", 414: "URI Too Long", 422: "Unprocessable Content"}
"""RFC 9110's names, where Python's depend on its version."""


class Problem(Exception):
    """A refusal with its HTTP status, a stable code, a sentence, and the faults found in the input, if any."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        violations: Iterable[Violation] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.violations = tuple(violations)
        self.headers = dict(headers or {})

    def to_json_object(self) -> dict[str, Any]:
        """The problem as the document's `Problem` schema has it."""
        body: dict[str, Any] = {
            "type": f"/problems/{self.code}",
            "title": _TITLES.get(self.status) or HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        if self.violations:
            body["errors"] = [fault._asdict() for fault in self.violations]
        return body

    def encode(self) -> bytes:
        """The problem document as UTF-8 JSON."""
        return orjson.dumps(self.to_json_object())


def bad_request(code: str, detail: str, violations: Iterable[Violation] = ()) -> Problem:
    """A 400: the request breaks the document."""
    return Problem(400, code, detail, violations=violations)


def unauthenticated(detail: str) -> Problem:
    """A 401 with the challenge that RFC 9110 demands."""
    return Problem(401, "unauthenticated", detail, headers={"WWW-Authenticate": 'Bearer realm="tackboard"'})


def internal_error() -> Problem:
    """A 500 that tells nothing about the inside."""
    return Problem(500, "internal_error", "Something went wrong on our side. The request id names it in our log.")
