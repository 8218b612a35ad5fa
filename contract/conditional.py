"""Conditional requests (RFC 9110, section 13): entity tags, If-Match and If-None-Match.

An entity tag is the version of the resource, `"3"`, or the version, a dot and whatever else distinguishes two
representations, `"3.117"`: elapsed seconds, a count, the board's seq. The tag is strong, because it changes with
every byte of the representation. If-Match compares the version only: it protects edits, and elapsed time is not an
edit. If-None-Match compares the whole tag.

A proxy that compresses a response rewrites its tag: `W/"3"` (nginx, Cloudflare, CloudFront, HAProxy), `"3-gzip"`
(Apache, Caddy), `"3--gzip"` (Jetty), `"3;gz"` (LiteSpeed). The compressed response is still that version, so both
headers accept such a tag as the original one. docs/decisions/0006-entity-tags-in-two-parts.md says why this is safe.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from contract.problems import Problem, bad_request
from contract.violations import Violation

_TAG_LIST = re.compile(r'[ \t]*(?:W/)?"[!#-~]*"[ \t]*(?:,[ \t]*(?:W/)?"[!#-~]*"[ \t]*)*')
_TAG = re.compile(r'"([!#-~]*)"')
# No tag of this API has a semicolon, or a letter after a hyphen: a proxy added such a suffix.
_TAG_WITH_CODING = re.compile(r"(.+?)(?:--?|;)(?:br|deflate|gunzip|gz|gzip|zstd)")
_OWN_TAG = re.compile(r"[0-9]+(?:\.(?:[0-9a-z.]|-[0-9])*)?")

_CHANGED_DETAIL = "It has changed since you read it: read it again and repeat your change."
_FOREIGN_TAG_DETAIL = (
    'If-Match has no entity tag of this API. They begin with the version, as "3" and "3.117" do: send the ETag as you '
    "received it, or the 'version' in double quotes."
)


def _parse_entity_tags(header: str, name: str) -> list[str] | None:
    """Return the text of each entity tag, without suffixes of proxies; None for `*`. Raises Problem (400)."""
    if header.strip() == "*":
        return None
    if not _TAG_LIST.fullmatch(header):
        must = 'must be * or a list of entity tags such as "3"'
        raise bad_request("invalid_header", f"{name} {must}.", [Violation(f"/header/{name}", "pattern", must)])
    return [match[1] if (match := _TAG_WITH_CODING.fullmatch(text)) else text for text in _TAG.findall(header)]


class IfMatch:
    """The If-Match header of a request. The handler compares it once it knows the current version."""

    __slots__ = ("_tags", "is_present")

    def __init__(self, header: str | None) -> None:
        self.is_present = header is not None
        self._tags = _parse_entity_tags(header, "If-Match") if header is not None else None

    def ensure_matches(self, version: int, describe_changes: Callable[[int], Mapping[str, Any]] = lambda _: {}) -> None:
        """Ensure that the header names this version. Raises Problem: 428 if there is none, 412 for another version.

        `describe_changes` returns the members by which the 412 says what changed since an earlier version.
        """
        if not self.is_present:
            raise Problem(
                428,
                "precondition_required",
                "Send If-Match with the ETag of the version that you want to change.",
            )
        if self._tags is None:
            return
        if not any(text.partition(".")[0] == str(version) for text in self._tags):
            own_tags = [*filter(_OWN_TAG.fullmatch, self._tags)]
            detail = _CHANGED_DETAIL if own_tags else _FOREIGN_TAG_DETAIL
            earlier = [number for number in map(_parse_version, own_tags) if number < version]
            members = describe_changes(max(earlier)) if earlier else {}
            raise Problem(412, "precondition_failed", detail, members=members)


def _parse_version(tag: str) -> int:
    # int() refuses texts of thousands of digits. No version has more than fifteen.
    return int(tag.partition(".")[0][-16:])


def is_unchanged(header: str | None, tag: str) -> bool:
    """Return whether If-None-Match names this tag, so that the client has the current representation."""
    if header is None:
        return False
    tags = _parse_entity_tags(header, "If-None-Match")
    return tags is None or tag in tags
