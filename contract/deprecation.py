"""Deprecation, as the document says it: since when an operation is deprecated, and when it ends.

`deprecated: true` with `x-tackboard-deprecated-since` and `x-sunset`, two days, becomes the headers `Deprecation`
(RFC 9745) and `Sunset` (RFC 8594) on every response that declares them.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

_SINCE_EXTENSION = "x-tackboard-deprecated-since"
_SUNSET_EXTENSION = "x-sunset"


def build_deprecation_headers(operation_object: Mapping[str, Any]) -> dict[str, str]:
    """The headers of an operation, by lower-case name: none where it isn't deprecated."""
    since, sunset = (
        _parse_day(operation_object.get(_SINCE_EXTENSION)),
        _parse_day(operation_object.get(_SUNSET_EXTENSION)),
    )
    if not operation_object.get("deprecated") or since is None or sunset is None:
        return {}
    return {"deprecation": f"@{int(since.timestamp())}", "sunset": format_datetime(sunset, usegmt=True)}


def find_deprecation_errors(operation_object: Mapping[str, Any]) -> Iterator[str]:
    """What keeps a deprecated operation from being announced: the document must name both days, in this order."""
    if not operation_object.get("deprecated"):
        return
    since, sunset = (
        _parse_day(operation_object.get(_SINCE_EXTENSION)),
        _parse_day(operation_object.get(_SUNSET_EXTENSION)),
    )
    if since is None or sunset is None or sunset <= since:
        yield (
            f"is deprecated, and needs {_SINCE_EXTENSION} and {_SUNSET_EXTENSION}, a day and a later day, "
            f"such as '2027-01-31'"
        )


def _parse_day(text: object) -> datetime | None:
    """The first moment of a day, in UTC; None for what is no day."""
    try:
        return datetime.strptime(str(text), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
