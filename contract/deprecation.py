"""Deprecation of operations: the headers `Deprecation` (RFC 9745) and `Sunset` (RFC 8594).

`deprecated: true` with the dates `x-tackboard-deprecated-since` and `x-sunset` puts both headers on every response of
the operation that declares them.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

_SINCE_EXTENSION = "x-tackboard-deprecated-since"
_SUNSET_EXTENSION = "x-sunset"


def build_deprecation_headers(operation_object: Mapping[str, Any]) -> dict[str, str]:
    """Return the deprecation headers of an operation by lower-case name; empty if it is not deprecated."""
    since, sunset = _parse_dates(operation_object)
    if not operation_object.get("deprecated") or since is None or sunset is None:
        return {}
    return {"deprecation": f"@{int(since.timestamp())}", "sunset": format_datetime(sunset, usegmt=True)}


def find_deprecation_errors(operation_object: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a deprecated operation: the document must name both dates, the sunset being later."""
    if not operation_object.get("deprecated"):
        return
    since, sunset = _parse_dates(operation_object)
    if since is None or sunset is None or sunset <= since:
        extensions = f"{_SINCE_EXTENSION} and {_SUNSET_EXTENSION}"
        yield f"is deprecated, and needs {extensions}, a day and a later day, such as '2027-01-31'"


def _parse_dates(operation_object: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    since, sunset = operation_object.get(_SINCE_EXTENSION), operation_object.get(_SUNSET_EXTENSION)
    return _parse_day(since), _parse_day(sunset)


def _parse_day(text: object) -> datetime | None:
    """Return midnight UTC of a date; None if the text is no date."""
    try:
        return datetime.strptime(str(text), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
