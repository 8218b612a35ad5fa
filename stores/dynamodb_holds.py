"""Holds: the reader of a busy board asks its writers to wait for a moment.

A read that takes several calls is of one moment if nobody writes to the board meanwhile. Where somebody always does,
the reader puts a hold on the board's head: every commit checks there, with the condition that it has anyway, that no
hold is in force, and waits for its end otherwise. Holds are short, several readers share one, and after each one
readers leave the board to its writers for twice as long.

A hold is a request, not a lock. Readers look at the head's seq again whatever it says, so a process that does not know
holds, or whose clock is wrong, may make a read take longer, but never wrong.
"""

from typing import Any

from kanban.store import Busy, StoreError
from stores import dynamodb_keys as keys
from stores.dynamodb_attributes import number
from stores.dynamodb_client import Calls, Cancelled, Refusal
from stores.dynamodb_expressions import Update
from stores.dynamodb_heads import Head, Hold, head_of

MAX_FREE_ATTEMPTS = 3
"""How often a read is tried before it puts a hold on the board. The first one may rest on a head from before."""

MIN_HOLD = 100
"""Milliseconds that a hold lasts at least: a few calls."""

MAX_HOLD = 1000
"""Milliseconds that a hold lasts at most. A read that takes longer may never get there."""

_REST = 2
"""Writers have the board for so many times as long as the hold before took, until the next one."""

_MAX_SKEW = 1000
"""A hold that ends later than a process could have asked for, and this many milliseconds, comes of a wrong clock."""

_LONGEST_REST = MAX_HOLD + _REST * MAX_HOLD + _MAX_SKEW
"""How many milliseconds may be left at most until the next hold; more comes of a wrong clock."""

_NEEDED = 3
"""How many times as long as its last attempt took a reader asks writers to wait."""

_SHARED = 1.5
"""How many times as long as its last attempt took must be left of a hold for a reader to rely on it."""


class Held(StoreError):
    """Readers hold the board. The same change can be written when that is over, in so many milliseconds."""

    def __init__(self, milliseconds: int) -> None:
        super().__init__("Readers hold the board.")
        self.milliseconds = milliseconds


def wait_left(hold: Hold, now: int) -> int:
    """Return how many milliseconds writers have to wait, 0 where no hold is in force."""
    left = hold.until - now
    return left if 0 < left <= MAX_HOLD + _MAX_SKEW else 0


def require_no_hold(update: Update, now: int) -> None:
    """Let the head be written only if no hold is in force: the same condition as `wait_left`."""
    update.require(
        "(attribute_not_exists(#held_until) OR #held_until <= :now OR #held_until > :latest)",
        now=number(now),
        latest=number(now + MAX_HOLD + _MAX_SKEW),
    )


class Attempts:
    """The attempts of one read of a board: the first ones are free, those that follow have the writers wait."""

    def __init__(self, calls: Calls, table: str, board_id: str) -> None:
        self._calls = calls
        self._table = table
        self._board_id = board_id
        self._began = self._last_began = calls.now()
        self._took = 0
        self._count = 0
        self._used = 0

    def next(self, head: Head) -> Head | None:
        """Return the head to begin the next attempt with, given the one that the last attempt ended with.

        None where the board has vanished. Raises Busy.
        """
        self._count += 1
        self._took = int((self._calls.now() - self._last_began) * 1000)
        current = head if self._count < MAX_FREE_ATTEMPTS else self._held(head)
        self._last_began = self._calls.now()
        return current

    def _held(self, head: Head) -> Head | None:
        """Return the head under a hold that is long enough: a new one, or another reader's, which may be prolonged."""
        needed = min(MAX_HOLD, max(MIN_HOLD // 2, int(_SHARED * self._took)))
        current: Head | None = head
        while current is not None:
            hold, now = current.hold, self._calls.timestamp()
            is_broken = hold.until == self._used
            if not is_broken and wait_left(hold, now) >= needed:
                return self._using(current)
            if is_broken or not wait_left(hold, now) or _began(hold) + MAX_HOLD - now < needed:
                self._sleep_until(hold.rests_until)
                hold = Hold(rests_until=hold.rests_until)
            current, is_placed = self._place(hold)
            if is_placed and current is not None:
                return self._using(current)
        return None

    def _sleep_until(self, timestamp: int) -> None:
        left = timestamp - self._calls.timestamp()
        if 0 <= left <= _LONGEST_REST:
            self._calls.sleep((left + 1) / 1000, self._began, _too_busy())

    def _using(self, head: Head) -> Head:
        """Note the hold that the next attempt relies on: if that fails, somebody has written all the same."""
        self._used = head.hold.until
        return head

    def _place(self, hold: Hold) -> tuple[Head | None, bool]:
        """Put a hold on the board, or prolong this one. Return the head, and whether that was done.

        It is not where another reader has just done so.
        """
        tries = 0
        while True:
            try:
                answer = self._calls("update_item", patient=False, **self._request(hold))
            except Cancelled as cancelled:
                item = cancelled.reasons[0].get("Item")
                return (head_of(item) if item else None), False
            except Refusal:
                raise
            except Busy:
                # Most often a writer has the head just now. The next try asks for a hold from then on.
                self._calls.wait(tries, self._began, _too_busy())
                tries += 1
            else:
                return head_of(answer["Attributes"]), True

    def _request(self, hold: Hold) -> dict[str, Any]:
        now = self._calls.timestamp()
        length = min(MAX_HOLD, max(MIN_HOLD, int(_NEEDED * self._took)))
        is_in_force = wait_left(hold, now) > 0
        began = _began(hold) if is_in_force else now
        until = min(now + length, began + MAX_HOLD)
        update = Update()
        update.set("#held_until", number(until))
        update.set("#rests_until", number(until + _REST * (until - began)))
        update.require("attribute_exists(#pk)")
        if is_in_force:
            update.require("#held_until = :before", before=number(hold.until))
        else:
            update.require(
                "(attribute_not_exists(#rests_until) OR #rests_until < :now OR #rests_until > :latest)",
                now=number(now),
                latest=number(now + _LONGEST_REST),
            )
        return {**update.request(self._table, keys.head_key(self._board_id)), "ReturnValues": "ALL_NEW"}


def _began(hold: Hold) -> int:
    return hold.until - (hold.rests_until - hold.until) // _REST


def _too_busy() -> Busy:
    return Busy("The board changes too often to be read.")
