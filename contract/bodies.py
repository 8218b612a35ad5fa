"""Request bodies: JSON by the document, checked and tidied."""

import re
from typing import Any

from contract.problems import Problem, invalid
from contract.schemas import Check, Schema, Schemas
from contract.strict_json import parse_json

_CHARSET = re.compile(r"""charset\s*=\s*"?([^\s";]*)""", re.IGNORECASE)


class Body:
    """The request body of one operation, by media type."""

    __slots__ = ("checks", "max_bytes", "required")

    def __init__(self, described: Schema, schemas: Schemas, max_bytes: int) -> None:
        """`max_bytes` is how long such a body may be: what is longer never comes here."""
        self.max_bytes = max_bytes
        self.required: bool = described.get("required", False)
        self.checks: dict[str, Check] = {
            media.lower(): schemas.check(content["schema"], "request")
            for media, content in described["content"].items()
        }

    @staticmethod
    def unsupported(described: Schema, schemas: Schemas) -> str | None:
        """Why this package could not read such a body as the document says, or None."""
        for media, content in described["content"].items():
            if not media.lower().endswith(("/json", "+json")):
                return f"has a {media} body, and only JSON is supported"
            if "schema" not in content:
                return f"has a {media} body without a schema"
            if schemas.has_default(content["schema"]):
                return f"has a {media} body with a default in its schema, and defaults of bodies are not filled in"
        return None

    def read(self, raw: bytes, content_type: str | None, coding: str | None) -> Any:
        """The checked and tidied body, or None when there is none and none is needed; raises 400 or 415.

        `coding` is the Content-Encoding that was sent, if any.
        """
        if raw and coding and coding.lower() != "identity":
            raise _unsupported_media_type("Send the body as it is: no content encoding is understood.")
        if not raw and content_type is None:
            if self.required:
                raise invalid("malformed_json", "A JSON body is required and missing.")
            return None
        check = self._check_for(content_type)
        value = parse_json(raw, self.max_bytes)
        faults = check.faults(value)
        if faults:
            raise _refused(faults)
        if check.tidy:
            tidied = check.tidy(value)
            if tidied != value and (faults := check.faults(tidied)):
                raise _refused(faults)
            value = tidied
        return value

    def _check_for(self, content_type: str | None) -> Check:
        media, _, parameters = (content_type or "").partition(";")
        check = self.checks.get(media.strip().lower())
        if check is None:
            raise _unsupported_media_type(f"Send one of: {', '.join(self.checks)}.")
        charset = _CHARSET.search(parameters) if parameters else None
        if charset and charset[1].lower() not in ("utf-8", "utf8"):
            raise _unsupported_media_type("JSON is UTF-8 here: send no charset, or charset=utf-8.")
        return check


def _refused(faults: list[Any]) -> Problem:
    where = f"'{faults[0].pointer}'" if faults[0].pointer else "it"
    return invalid("invalid_body", f"The body does not keep the document: {where} {faults[0].message}.", faults)


def _unsupported_media_type(detail: str) -> Problem:
    return Problem(415, "unsupported_media_type", detail)
