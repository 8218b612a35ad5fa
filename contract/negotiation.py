"""Content negotiation (RFC 9110, section 12.5.1) for operations with one or two media types."""

import re

from contract.problems import Problem

_QUALITY_PARAMETER = re.compile(r"q\s*=\s*([01](?:\.[0-9]{0,3})?)")


def choose_media_type(accept: str | None, offered: tuple[str, ...]) -> str | None:
    """Return the offered media type with the highest quality, the first one of equals.

    Return None if nothing is offered: a response without a body is always acceptable.

    Raises:
        Problem: 406, the header accepts none of them.
    """
    if not offered:
        return None
    if not accept or accept in ("*/*", offered[0]):
        return offered[0]
    ranges = dict(_parse_media_range(part) for part in reversed(accept.lower().split(",")))
    quality_by_type = {media_type: _find_quality(media_type, ranges) for media_type in offered}
    preferred = max(offered, key=quality_by_type.__getitem__)
    if quality_by_type[preferred] == 0:
        raise build_not_acceptable_problem(offered)
    return preferred


def build_not_acceptable_problem(offered: tuple[str, ...]) -> Problem:
    """Return the 406 that names what is offered."""
    return Problem(406, "not_acceptable", f"The response is available as {' or '.join(offered)}.")


def _parse_media_range(part: str) -> tuple[str, float]:
    """Return a media range of an Accept header and its quality, from 0 to 1."""
    media_range, *parameters = (text.strip() for text in part.split(";"))
    qualities = [float(match[1]) for parameter in parameters if (match := _QUALITY_PARAMETER.fullmatch(parameter))]
    return media_range, qualities[0] if qualities else 1.0


def _find_quality(media_type: str, ranges: dict[str, float]) -> float:
    """Return the quality of the most specific range that covers a media type; 0 if none does."""
    family = media_type.partition("/")[0] + "/*"
    return next((ranges[media_range] for media_range in (media_type, family, "*/*") if media_range in ranges), 0.0)
