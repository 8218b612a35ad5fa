"""Request bodies: JSON by the document, checked and tidied."""

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
        """`max_bytes` is how long such a body may be: what is longer never comes here."""
        self.max_bytes = max_bytes
        self._schemas = schemas
        # In a merge patch null has a meaning.
        is_patch = any(media.lower() == MERGE_PATCH_JSON for media in body_object["content"])
        self._schema_for_nulls = None if is_patch else next(iter(body_object["content"].values()))["schema"]
        self.required: bool = body_object.get("required", False)
        self.checks: dict[str, Check] = {
            media.lower(): schemas.get_check(content["schema"], "request")
            for media, content in body_object["content"].items()
        }

    @staticmethod
    def explain_unsupported(body_object: Schema, schemas: Schemas) -> str | None:
        """Why this package could not read such a body as the document says, or None."""
        for media, content in body_object["content"].items():
            if not media.lower().endswith(("/json", "+json")):
                return f"has a {media} body, and only JSON is supported"
            if "schema" not in content:
                return f"has a {media} body without a schema"
            if schemas.has_default(content["schema"]):
                return f"has a {media} body with a default in its schema, and defaults of bodies are not filled in"
        return None

    def parse(self, raw: bytes, content_type: str | None, content_encoding: str | None) -> Any:
        """The checked and tidied body, or None when there is none and none is needed; raises 400 or 415.

        `coding` is the Content-Encoding that was sent, if any.
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
        faults = check.find_violations(value)
        if faults:
            raise _invalid_body(faults)
        if check.normalize:
            tidied = check.normalize(value)
            if tidied != value and (faults := check.find_violations(tidied)):
                raise _invalid_body(faults)
            value = tidied
        return value

    def _select_check(self, content_type: str | None) -> Check:
        media, _, parameters = (content_type or "").partition(";")
        check = self.checks.get(media.strip().lower())
        if check is None:
            raise _unsupported_media_type(f"Send one of: {', '.join(self.checks)}.")
        charset = _CHARSET_PARAMETER.search(parameters) if parameters else None
        if charset and charset[1].lower() not in ("utf-8", "utf8"):
            raise _unsupported_media_type("JSON is UTF-8 here: send no charset, or charset=utf-8.")
        return check


def ensure_no_body(raw: bytes, max_bytes: int) -> None:
    """Let nothing, or an empty object, pass where an operation takes no body; raises 400 for anything else.

    Whoever sends more believes that it means something.
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
    unknown = Violation("", "unknown_property", f"has a property that the document does not name; {list_known(())}")
    fault = (
        unknown if type(value) is dict else Violation("", "type", "must be an object without properties, or nothing")
    )
    raise bad_request("invalid_body", "This operation takes no body: send none, or {}.", [fault])


def _invalid_body(violations: list[Any]) -> Problem:
    where = f"'{violations[0].pointer}'" if violations[0].pointer else "it"
    return bad_request(
        "invalid_body", f"The body does not keep the document: {where} {violations[0].message}.", violations
    )


def _unsupported_media_type(detail: str) -> Problem:
    return Problem(415, "unsupported_media_type", detail)
