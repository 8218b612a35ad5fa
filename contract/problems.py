"""Problem details (RFC 9457): the body of every error response.

Any layer raises a `Problem`, and the contract encodes it. It names what is wrong and never repeats what was sent:
responses stay small and can't reflect input.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import orjson

from contract.messages import Response
from contract.violations import Violation

PROBLEM_JSON = "application/problem+json"

_TITLES = {status.value: status.phrase for status in HTTPStatus} | {
    413: "Content Too Large",
    414: "URI Too Long",
    422: "Unprocessable Content",
}
"""Reason phrases by status: those of RFC 9110 where those of `HTTPStatus` depend on the version of Python."""


class Problem(Exception):
    """An error response: HTTP status, stable code, detail for people, and the violations in the input, if any."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        violations: Iterable[Violation] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        """Take what every problem has, and `members` that only problems of this code have (RFC 9457, section 3.2)."""
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.violations = tuple(violations)
        self.headers = dict(headers or {})
        self.members = dict(members or {})

    def to_json_object(self) -> dict[str, Any]:
        """Return the problem in the form of the `Problem` schema."""
        body: dict[str, Any] = {
            "type": f"/problems/{self.code}",
            "title": _TITLES[self.status],
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        if self.violations:
            body["errors"] = [
                {"pointer": pointer, "code": code, "message": message} for pointer, code, message in self.violations
            ]
        return body | self.members

    def encode(self) -> bytes:
        """Encode the problem as UTF-8 JSON."""
        return orjson.dumps(self.to_json_object())

    def to_response(self) -> Response:
        """Return the response with this problem as its body."""
        headers = tuple((name.lower(), value) for name, value in self.headers.items())
        return Response(self.status, (("content-type", PROBLEM_JSON), *headers), self.encode(), code=self.code)


def bad_request(code: str, detail: str, violations: Iterable[Violation] = ()) -> Problem:
    """Build a 400: the request violates the document."""
    return Problem(400, code, detail, violations=violations)


def authentication_required(detail: str, code: str = "unauthenticated") -> Problem:
    """Build a 401 with the challenge that RFC 9110 requires."""
    return Problem(401, code, detail, headers={"WWW-Authenticate": 'Bearer realm="tackboard"'})


def internal_error() -> Problem:
    """Build a 500 that reveals nothing internal."""
    return Problem(500, "internal_error", "Something went wrong on our side. The request id names it in our log.")
