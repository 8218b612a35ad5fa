"""Conditional requests (RFC 9110, section 13): entity tags, If-Match and If-None-Match.

An entity tag is the resource's version, `"3"`, or the version and, after a dot, whatever else tells two
representations apart, `"3.117"`: a running clock, a counter, the board's seq. The tag is strong, because it changes
with every byte of the answer. If-Match looks at the version alone: it protects what people wrote, and the passing of
time is nobody's edit. If-None-Match compares the whole tag.
"""

import re

from contract.faults import Fault
from contract.problems import Problem, invalid

_TAGS = re.compile(r'[ \t]*(?:W/)?"[!#-~]*"[ \t]*(?:,[ \t]*(?:W/)?"[!#-~]*"[ \t]*)*')
_TAG = re.compile(r'(W/)?"([!#-~]*)"')

_CHANGED = "It has changed since you read it: read it again and repeat your change."
_WEAK = (
    'If-Match never fits a weak tag (W/"…"). The tags of this API are strong: something on the way, such as a proxy '
    "that compresses, has made this one weak. Send it without the W/."
)


def _parse(header: str, name: str) -> list[tuple[bool, str]] | None:
    """(is it weak, the tag's text) for each entity tag, or None for `*`; raises a 400 for anything else."""
    if header.strip() == "*":
        return None
    if not _TAGS.fullmatch(header):
        must = 'must be * or a list of entity tags such as "3"'
        raise invalid("invalid_header", f"{name} {must}.", [Fault(f"/header/{name}", "pattern", must)])
    return [(bool(weak), text) for weak, text in _TAG.findall(header)]


class IfMatch:
    """What the client says it has seen; the handler asks `admits` once it knows the version that stands."""

    __slots__ = ("_tags", "given")

    def __init__(self, header: str | None) -> None:
        self.given = header is not None
        self._tags = _parse(header, "If-Match") if header is not None else None

    def admits(self, version: int) -> None:
        """Let the change pass, or raise 428 (no If-Match was sent) or 412 (the version is another by now)."""
        if not self.given:
            raise Problem(
                428,
                "precondition_required",
                "Send If-Match with the ETag of the version that you want to change.",
            )
        if self._tags is None:
            return
        # The comparison is strong, as RFC 9110 asks for If-Match: a weak tag never matches.
        strong = [text for weak, text in self._tags if not weak]
        if not any(text.partition(".")[0] == str(version) for text in strong):
            raise Problem(412, "precondition_failed", _CHANGED if strong else _WEAK)


def is_unchanged(header: str | None, tag: str) -> bool:
    """Whether If-None-Match says that the client already holds the representation with this tag."""
    if header is None:
        return False
    tags = _parse(header, "If-None-Match")
    return tags is None or any(text == tag for _, text in tags)
