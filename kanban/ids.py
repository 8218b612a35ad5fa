"""Ids: a prefix that names the kind, followed by a ULID in lower case. They are never reused.

Ids generated in one process sort in the order of their generation, even if the clock is set back.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock

PREFIXES = {
    "user": "usr_",
    "board": "brd_",
    "history": "hst_",
    "list": "lst_",
    "card": "crd_",
    "token": "tok_",
    "identity": "idn_",
    "time_entry": "ten_",
    "member": "mbr_",
    "label": "lbl_",
    "checklist": "chk_",
    "checklist_item": "itm_",
    "comment": "cmt_",
    "webhook": "whk_",
    "invitation": "inv_",
    "audit_entry": "aud_",
    "job": "job_",
}

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_PAIR_SHIFTS = range(120, -1, -10)
"""How far to the right each of the 13 pairs of digits is, in bits."""
_RANDOM_BITS = 80
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class IdGenerator:
    """Generates ids by kind, from a clock (aware datetimes) and a source of random bytes."""

    def __init__(self, clock: Callable[[], datetime], random_bytes: Callable[[int], bytes]) -> None:
        self._clock = clock
        self._random_bytes = random_bytes
        self._last_number = 0
        self._lock = Lock()

    def __call__(self, kind: str) -> str:
        """Return a new id, such as 'crd_01jd…' for 'card'. Raises KeyError for an unknown kind."""
        prefix = PREFIXES[kind]
        milliseconds = (self._clock() - _EPOCH) // _MILLISECOND
        with self._lock:
            if milliseconds > self._last_number >> _RANDOM_BITS:
                self._last_number = milliseconds << _RANDOM_BITS | self._read_random_number()
            else:
                # Within a millisecond, or when the clock was set back, count on from the last id. To read more random
                # bytes for thousands of ids would cost time, and other threads their turns.
                self._last_number += 1
            number = self._last_number
        return prefix + _encode(number)

    def _read_random_number(self) -> int:
        return int.from_bytes(self._random_bytes(_RANDOM_BITS // 8), "big")


def _encode(number: int) -> str:
    """Return the 26 digits of a number, two at a time."""
    return "".join([_PAIRS[number >> shift & 0x3FF] for shift in _PAIR_SHIFTS])
