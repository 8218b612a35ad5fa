"""Parse request bodies: JSON, validated against the document and normalized."""

import re
from typing import Any

from contract.optional_nulls import drop_optional_nulls
from contract.problems import Problem, bad_request
from contract.schemas import Check, Schema, Schemas
from contract.strict_json import parse_json
from contract.violations import Violation, list_known

MERGE_PATCH_JSON = "application/merge-patch+json"
_CHARSET_PARAMETER = re.compile(r"""charset\s*=\s*"?([^\s";]*)""", re.IGNORECASE)


class Body:
    """The request body of one operation, by media type."""

    __slots__ = ("_schema_for_nulls", "_schemas", "checks", "max_bytes", "required")

    def __init__(self, body_object: Schema, schemas: Schemas, max_bytes: int) -> None:
        """Compile the checks of a Request Body Object. The edge has rejected bodies longer than `max_bytes`."""
        self.max_bytes = max_bytes
        self._schemas = schemas
        # In a merge patch, null has a meaning and stays.
        is_patch = any(media_type.lower() == MERGE_PATCH_JSON for media_type in body_object["content"])
        self._schema_for_nulls = None if is_patch else next(iter(body_object["content"].values()))["schema"]
        self.required: bool = body_object.get("required", False)
        self.checks: dict[str, Check] = {
            media_type.lower(): schemas.get_check(content["schema"], "request")
            for media_type, content in body_object["content"].items()
        }

    @staticmethod
    def explain_unsupported(body_object: Schema, schemas: Schemas) -> str | None:
        """Return why this package can't handle such a body, as the end of a sentence; None if it can."""
        for media_type, content in body_object["content"].items():
            if not media_type.lower().endswith(("/json", "+json")):
                return f"has a {media_type} body, and only JSON is supported"
            if "schema" not in content:
                return f"has a {media_type} body without a schema"
            if schemas.has_default(content["schema"]):
                return f"has a {media_type} body with a default in its schema, and defaults of bodies are not filled in"
        return None

    def parse(self, raw: bytes, content_type: str | None, content_encoding: str | None) -> Any:
        """Return the validated and normalized body; None if there is none and it is optional.

        Raises:
            Problem: 400 for an invalid body, 415 for an unsupported media type or content encoding.
        """
        if raw and content_encoding and content_encoding.lower() != "identity":
            raise _unsupported_media_type("Send the body as it is: no content encoding is understood.")
        if not raw and content_type is None:
            if self.required:
                raise bad_request("malformed_json", "A JSON body is required and missing.")
            return None
        check = self._select_check(content_type)
        value = parse_json(raw, self.max_bytes)
        if self._schema_for_nulls is not None and b"null" in raw:
            drop_optional_nulls(value, self._schema_for_nulls, self._schemas.resolve)
        violations = check.find_violations(value)
        if violations:
            raise _invalid_body(violations)
        if check.normalize:
            normalized = check.normalize(value)
            if normalized != value and (violations := check.find_violations(normalized)):
                raise _invalid_body(violations)
            value = normalized
        return value

    def _select_check(self, content_type: str | None) -> Check:
        # Most clients send no parameters.
        if (check := self.checks.get(content_type or "")) is not None:
            return check
        media_type, _, parameters = (content_type or "").partition(";")
        check = self.checks.get(media_type.strip().lower())
        if check is None:
            raise _unsupported_media_type(f"Send one of: {', '.join(self.checks)}.")
        charset = _CHARSET_PARAMETER.search(parameters) if parameters else None
        if charset and charset[1].lower() not in ("utf-8", "utf8"):
            raise _unsupported_media_type("JSON is UTF-8 here: send no charset, or charset=utf-8.")
        return check


def ensure_no_body(raw: bytes, max_bytes: int) -> None:
    """Ensure that a body is absent or an empty object, for an operation that takes none.

    Anything else is rejected, because the client believes that it has an effect.

    Raises:
        Problem: 400 for any other body.
    """
    if not raw or raw == b"{}":
        return
    try:
        value = parse_json(raw, max_bytes)
    except Problem as problem:
        raise bad_request(
            "malformed_json", f"This operation takes no body: send none, or {{}}. {problem.detail}"
        ) from None
    if value == {}:
        return
    unknown = Violation("", "unknown_property", f"has an unknown property; {list_known(())}")
    violation = (
        unknown if type(value) is dict else Violation("", "type", "must be an object without properties, or nothing")
    )
    raise bad_request("invalid_body", "This operation takes no body: send none, or {}.", [violation])


def _invalid_body(violations: list[Any]) -> Problem:
    where = f"'{violations[0].pointer}'" if violations[0].pointer else "it"
    return bad_request("invalid_body", f"The body is invalid: {where} {violations[0].message}.", violations)


def _unsupported_media_type(detail: str) -> Problem:
    return Problem(415, "unsupported_media_type", detail)
