"""Conditional requests (RFC 9110, section 13): entity tags, If-Match and If-None-Match.

An entity tag is the resource's version, `"3"`, or the version and, after a dot, whatever else tells two
representations apart, `"3.117"`: a running clock, a counter, the board's seq. The tag is strong, because it changes
with every byte of the answer. If-Match looks at the version alone: it protects what people wrote, and the passing of
time is nobody's edit. If-None-Match compares the whole tag.

A proxy that compresses an answer rewrites its tag: `W/"3"` (nginx, Cloudflare, CloudFront, HAProxy), `"3-gzip"`
(Apache, Caddy), `"3--gzip"` (Jetty), `"3;gz"` (LiteSpeed). What was compressed is still that version, so both headers
read such a tag as the one that it was made of. docs/decisions/0006-entity-tags-in-two-parts.md says why this is safe.
"""

import re

from contract.problems import Problem, bad_request
from contract.violations import Violation

_TAG_LIST = re.compile(r'[ \t]*(?:W/)?"[!#-~]*"[ \t]*(?:,[ \t]*(?:W/)?"[!#-~]*"[ \t]*)*')
_TAG = re.compile(r'"([!#-~]*)"')
# No tag of ours has a semicolon, or a letter after a hyphen: such an end was put there on the way.
_TAG_WITH_CODING = re.compile(r"(.+?)(?:--?|;)(?:br|deflate|gunzip|gz|gzip|zstd)")
_OWN_TAG = re.compile(r"[0-9]+(?:\.(?:[0-9a-z.]|-[0-9])*)?")

_CHANGED_DETAIL = "It has changed since you read it: read it again and repeat your change."
_FOREIGN_TAG_DETAIL = (
    'If-Match has no entity tag of this API. They begin with the version, as "3" and "3.117" do: send the ETag as you '
    "received it, or the 'version' in double quotes."
)


def _parse_entity_tags(header: str, name: str) -> list[str] | None:
    """The text of each entity tag, without what a proxy added; None for `*`. Raises a 400 for anything else."""
    if header.strip() == "*":
        return None
    if not _TAG_LIST.fullmatch(header):
        must = 'must be * or a list of entity tags such as "3"'
        raise bad_request("invalid_header", f"{name} {must}.", [Violation(f"/header/{name}", "pattern", must)])
    return [coded[1] if (coded := _TAG_WITH_CODING.fullmatch(text)) else text for text in _TAG.findall(header)]


class IfMatch:
    """What the client says it has seen; the handler asks `admits` once it knows the version that stands."""

    __slots__ = ("_tags", "is_present")

    def __init__(self, header: str | None) -> None:
        self.is_present = header is not None
        self._tags = _parse_entity_tags(header, "If-Match") if header is not None else None

    def ensure_matches(self, version: int) -> None:
        """Let the change pass, or raise 428 (no If-Match was sent) or 412 (the version is another by now)."""
        if not self.is_present:
            raise Problem(
                428,
                "precondition_required",
                "Send If-Match with the ETag of the version that you want to change.",
            )
        if self._tags is None:
            return
        if not any(text.partition(".")[0] == str(version) for text in self._tags):
            is_ours = any(map(_OWN_TAG.fullmatch, self._tags))
            raise Problem(412, "precondition_failed", _CHANGED_DETAIL if is_ours else _FOREIGN_TAG_DETAIL)


def is_unchanged(header: str | None, tag: str) -> bool:
    """Whether If-None-Match says that the client already holds the representation with this tag."""
    if header is None:
        return False
    tags = _parse_entity_tags(header, "If-None-Match")
    return tags is None or tag in tags
