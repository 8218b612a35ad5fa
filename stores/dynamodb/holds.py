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
from stores.dynamodb import keys
from stores.dynamodb.attributes import to_number
from stores.dynamodb.board_items import BoardHead, Hold, head_from_item
from stores.dynamodb.client import ConditionFailed, RequestDenied, RetryingClient
from stores.dynamodb.expressions import UpdateBuilder

MAX_FREE_ATTEMPTS = 3
"""How often a read is tried before it puts a hold on the board. The first one may rest on a head from before."""

MIN_HOLD = 100
"""Milliseconds that a hold lasts at least: a few calls."""

MAX_HOLD = 1000
"""Milliseconds that a hold lasts at most. A read that takes longer may never get there."""

_REST_FACTOR = 2
"""Writers have the board for so many times as long as the hold before took, until the next one."""

_MAX_SKEW = 1000
"""A hold that ends later than a process could have asked for, and this many milliseconds, comes of a wrong clock."""

_MAX_REST = MAX_HOLD + _REST_FACTOR * MAX_HOLD + _MAX_SKEW
"""How many milliseconds may be left at most until the next hold; more comes of a wrong clock."""

_HOLD_FACTOR = 3
"""How many times as long as its last attempt took a reader asks writers to wait."""

_SHARED_HOLD_FACTOR = 1.5
"""How many times as long as its last attempt took must be left of a hold for a reader to rely on it."""


class BoardHeld(StoreError):
    """Readers hold the board. The same change can be written when that is over, in so many milliseconds."""

    def __init__(self, milliseconds: int) -> None:
        super().__init__("Readers hold the board.")
        self.milliseconds = milliseconds


def remaining_hold(hold: Hold, now_ms: int) -> int:
    """Return how many milliseconds writers have to wait, 0 where no hold is in force."""
    left = hold.until - now_ms
    return left if 0 < left <= MAX_HOLD + _MAX_SKEW else 0


def require_no_hold(update: UpdateBuilder, now_ms: int) -> None:
    """Let the head be written only if no hold is in force: the same condition as `remaining_hold`."""
    update.require(
        "(attribute_not_exists(#held_until) OR #held_until <= :now OR #held_until > :latest)",
        now=to_number(now_ms),
        latest=to_number(now_ms + MAX_HOLD + _MAX_SKEW),
    )


class ReadAttempts:
    """The attempts of one read of a board: the first ones are free, those that follow have the writers wait."""

    def __init__(self, client: RetryingClient, table: str, board_id: str) -> None:
        self._client = client
        self._table = table
        self._board_id = board_id
        self._started_at = self._attempt_started_at = client.monotonic()
        self._attempt_ms = 0
        self._attempts = 0
        self._relied_on = 0

    def start_next(self, head: BoardHead) -> BoardHead | None:
        """Return the head to begin the next attempt with, given the one that the last attempt ended with.

        None where the board has vanished. Raises Busy.
        """
        self._attempts += 1
        self._attempt_ms = int((self._client.monotonic() - self._attempt_started_at) * 1000)
        current = head if self._attempts < MAX_FREE_ATTEMPTS else self._acquire_hold(head)
        self._attempt_started_at = self._client.monotonic()
        return current

    def _acquire_hold(self, head: BoardHead) -> BoardHead | None:
        """Return the head under a hold that is long enough: a new one, or another reader's, which may be prolonged."""
        needed = min(MAX_HOLD, max(MIN_HOLD // 2, int(_SHARED_HOLD_FACTOR * self._attempt_ms)))
        current: BoardHead | None = head
        while current is not None:
            hold, now = current.hold, self._client.timestamp_ms()
            is_broken = hold.until == self._relied_on
            if not is_broken and remaining_hold(hold, now) >= needed:
                return self._rely_on_hold(current)
            if is_broken or not remaining_hold(hold, now) or _hold_started_at(hold) + MAX_HOLD - now < needed:
                self._sleep_until(hold.next_hold_from)
                hold = Hold(next_hold_from=hold.next_hold_from)
            current, is_placed = self._write_hold(hold)
            if is_placed and current is not None:
                return self._rely_on_hold(current)
        return None

    def _sleep_until(self, timestamp_ms: int) -> None:
        left = timestamp_ms - self._client.timestamp_ms()
        if 0 <= left <= _MAX_REST:
            self._client.sleep((left + 1) / 1000, self._started_at, _board_too_busy())

    def _rely_on_hold(self, head: BoardHead) -> BoardHead:
        """Note the hold that the next attempt relies on: if that fails, somebody has written all the same."""
        self._relied_on = head.hold.until
        return head

    def _write_hold(self, hold: Hold) -> tuple[BoardHead | None, bool]:
        """Put a hold on the board, or prolong this one. Return the head, and whether that was done.

        It is not where another reader has just done so.
        """
        tries = 0
        while True:
            try:
                answer = self._client("update_item", patient=False, **self._hold_request(hold))
            except ConditionFailed as cancelled:
                item = cancelled.reasons[0].get("Item")
                return (head_from_item(item) if item else None), False
            except RequestDenied:
                raise
            except Busy:
                # Most often a writer has the head just now. The next try asks for a hold from then on.
                self._client.back_off(tries, self._started_at, _board_too_busy())
                tries += 1
            else:
                return head_from_item(answer["Attributes"]), True

    def _hold_request(self, hold: Hold) -> dict[str, Any]:
        now = self._client.timestamp_ms()
        length = min(MAX_HOLD, max(MIN_HOLD, int(_HOLD_FACTOR * self._attempt_ms)))
        is_in_force = remaining_hold(hold, now) > 0
        began = _hold_started_at(hold) if is_in_force else now
        until = min(now + length, began + MAX_HOLD)
        update = UpdateBuilder()
        update.set("#held_until", to_number(until))
        update.set("#rests_until", to_number(until + _REST_FACTOR * (until - began)))
        update.require("attribute_exists(#pk)")
        if is_in_force:
            update.require("#held_until = :before", before=to_number(hold.until))
        else:
            update.require(
                "(attribute_not_exists(#rests_until) OR #rests_until < :now OR #rests_until > :latest)",
                now=to_number(now),
                latest=to_number(now + _MAX_REST),
            )
        return {**update.build(self._table, keys.head_key(self._board_id)), "ReturnValues": "ALL_NEW"}


def _hold_started_at(hold: Hold) -> int:
    return hold.until - (hold.next_hold_from - hold.until) // _REST_FACTOR


def _board_too_busy() -> Busy:
    return Busy("The board changes too often to be read.")
