"""Content negotiation (RFC 9110, section 12.5.1), as far as an API with one or two media types needs it."""

import re

from contract.problems import Problem

_QUALITY_PARAMETER = re.compile(r"q\s*=\s*([01](?:\.[0-9]{0,3})?)")


def choose_media_type(accept: str | None, offered: tuple[str, ...]) -> str | None:
    """The offered media type that an Accept header likes best, of equals the first; raises a 406 when it wants none.

    None when nothing is offered: an answer without a body is acceptable to everyone.
    """
    if not offered:
        return None
    if not accept or accept == "*/*" or accept == offered[0]:
        return offered[0]
    ranges = dict(_parse_media_range(part) for part in reversed(accept.lower().split(",")))
    liked = {media: _find_quality(media, ranges) for media in offered}
    best = max(offered, key=liked.__getitem__)
    if liked[best] == 0:
        raise Problem(406, "not_acceptable", f"The answer can be had as {' or '.join(offered)}.")
    return best


def _parse_media_range(part: str) -> tuple[str, float]:
    """(the range, how much it is wanted: 0 not at all, 1 most)."""
    media, *parameters = (piece.strip() for piece in part.split(";"))
    qualities = [float(match[1]) for parameter in parameters if (match := _QUALITY_PARAMETER.fullmatch(parameter))]
    return media, qualities[0] if qualities else 1.0


def _find_quality(media: str, ranges: dict[str, float]) -> float:
    """How much the most specific range that covers a media type wants it."""
    family = media.partition("/")[0] + "/*"
    return next((ranges[covering] for covering in (media, family, "*/*") if covering in ranges), 0.0)
