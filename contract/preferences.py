"""The preferences of a request (Prefer, RFC 7240)."""

import re

DRY_RUN = "dry-run"
"""The preference of a request that asks what it would do, and must change nothing."""

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_PREFERENCE = re.compile(
    rf"""
    [\s,]*
    (?P<name>[^\s=;,"]+)                       # a token
    (?:\s*=\s*(?P<value>{_QUOTED}|[^\s;,"]*))?  # its value: a token or a quoted string
    (?:\s*;(?:{_QUOTED}|[^,"])*)?              # its parameters
    \s*(?=,|$)
    """,
    re.VERBOSE,
)


def has_preference(header: str, name: str) -> bool:
    """Tell whether a Prefer header has a preference without a value; an empty value is none.

    Names are compared without regard to case, and the first of two with the same name counts. A header that isn't well
    formed has the preferences before the first error, because nothing that a client prefers is an error.
    """
    position = 0
    while match := _PREFERENCE.match(header, position):
        if match["name"].lower() == name:
            return match["value"] in (None, "", '""')
        position = match.end()
    return False
