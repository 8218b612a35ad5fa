"""The attempts of one read of a busy board: the first ones only read, later ones make the writers wait."""

from collections.abc import Callable

from kanban.store import Busy
from stores.dynamodb import keys
from stores.dynamodb.attributes import to_number
from stores.dynamodb.board_items import BoardHead, Hold, head_from_items
from stores.dynamodb.client import ConditionFailed, RequestDenied, RetryingClient
from stores.dynamodb.holds import MAX_CLOCK_SKEW, MAX_HOLD, remaining_hold
from stores.dynamodb.keys import Item
from stores.dynamodb.writes import Update, UpdateBuilder

MAX_FREE_ATTEMPTS = 3
"""How often a read is attempted before it puts a hold on the board. The first attempt may rest on a cached head."""

MIN_HOLD = 100
"""Milliseconds that a hold lasts at least: a few calls."""

_REST_FACTOR = 2
"""The time between two holds, in which writers have the board: so many times as long as the first one lasted."""

_MAX_REST = MAX_HOLD + _REST_FACTOR * MAX_HOLD + MAX_CLOCK_SKEW
"""The longest time until the next hold, in milliseconds: a longer one comes from a wrong clock."""

_HOLD_FACTOR = 3
"""The length of a new hold: so many times as long as the reader's last attempt took."""

_SHARED_HOLD_FACTOR = 1.5
"""A reader relies on another's hold if it lasts at least so many times as long as the reader's last attempt took."""


class ReadAttempts:
    """Begins one attempt of a read after the other."""

    def __init__(
        self, client: RetryingClient, table: str, board_id: str, get_head: Callable[[], BoardHead | None]
    ) -> None:
        self._client = client
        self._table = table
        self._board_id = board_id
        self._get_head = get_head
        self._started_at = self._attempt_started_at = client.monotonic()
        self._attempt_ms = 0
        self._attempts = 0
        self._relied_on = 0

    def start_next(self, head: BoardHead) -> BoardHead | None:
        """Return the head to start the next attempt with, given the one that the last attempt ended with.

        None if the board no longer exists. Raises Busy.
        """
        self._attempts += 1
        self._attempt_ms = int((self._client.monotonic() - self._attempt_started_at) * 1000)
        current = head if self._attempts < MAX_FREE_ATTEMPTS else self._acquire_hold(head)
        self._attempt_started_at = self._client.monotonic()
        return current

    def _acquire_hold(self, head: BoardHead) -> BoardHead | None:
        """Return the head under a hold that is long enough: a new one, or another reader's, which may be prolonged."""
        needed_ms = min(MAX_HOLD, max(MIN_HOLD // 2, int(_SHARED_HOLD_FACTOR * self._attempt_ms)))
        current: BoardHead | None = head
        while current is not None:
            hold, now_ms = current.hold, self._client.timestamp_ms()
            remaining = remaining_hold(hold, now_ms)
            # If an attempt under a hold fails, the board was written to all the same: that hold is of no use.
            is_broken = hold.until == self._relied_on
            if not is_broken and remaining >= needed_ms:
                return self._rely_on_hold(current)
            if is_broken or not remaining or _hold_started_at(hold) + MAX_HOLD - now_ms < needed_ms:
                self._sleep_until(hold.next_hold_from)
                hold = Hold(next_hold_from=hold.next_hold_from)
            current, is_written = self._write_hold(current, hold)
            if is_written and current is not None:
                return self._rely_on_hold(current)
        return None

    def _sleep_until(self, timestamp_ms: int) -> None:
        remaining = timestamp_ms - self._client.timestamp_ms()
        if 0 <= remaining <= _MAX_REST:
            self._client.sleep((remaining + 1) / 1000, self._started_at, _board_too_busy())

    def _rely_on_hold(self, head: BoardHead) -> BoardHead:
        """Note the hold that the next attempt relies on."""
        self._relied_on = head.hold.until
        return head

    def _write_hold(self, head: BoardHead, hold: Hold) -> tuple[BoardHead | None, bool]:
        """Put a hold on the board, or prolong this one; return the head, and whether that succeeded.

        It fails if another reader has just done so, or a writer has given the board a tip.
        """
        attempts = 0
        while True:
            fields = self._hold_update(head, hold).fields(self._table)
            try:
                response = self._client("update_item", retries=False, **fields, ReturnValues="ALL_NEW")
            except ConditionFailed as error:
                item = error.reasons[0].get("Item")
                return (self._compose_head(head, item) if item else None), False
            except RequestDenied:
                raise
            except Busy:
                # Most often a writer has the head just now. The next attempt asks for a hold from then on.
                self._client.back_off(attempts, self._started_at, _board_too_busy())
                attempts += 1
            else:
                return self._compose_head(head, response["Attributes"]), True

    def _compose_head(self, head: BoardHead, item: Item) -> BoardHead | None:
        """Return the board, given its tip, or its head if it has no tip; read it if it has another head by now."""
        if head.head_seq is not None:
            return head.with_tip(item) or self._get_head()
        return head_from_items(item, None) or self._get_head()

    def _hold_update(self, head: BoardHead, hold: Hold) -> Update:
        """Return the update that prolongs a hold in force, or puts a new one."""
        now_ms = self._client.timestamp_ms()
        length = min(MAX_HOLD, max(MIN_HOLD, int(_HOLD_FACTOR * self._attempt_ms)))
        is_in_force = remaining_hold(hold, now_ms) > 0
        started_at = _hold_started_at(hold) if is_in_force else now_ms
        until = min(now_ms + length, started_at + MAX_HOLD)
        update = UpdateBuilder()
        update.set("#held_until", to_number(until))
        update.set("#rests_until", to_number(until + _REST_FACTOR * (until - started_at)))
        update.require("attribute_exists(#seq)")
        if is_in_force:
            update.require("#held_until = :before", before=to_number(hold.until))
        else:
            update.require(
                "(attribute_not_exists(#rests_until) OR #rests_until < :now OR #rests_until > :latest)",
                now=to_number(now_ms),
                latest=to_number(now_ms + _MAX_REST),
            )
        key = keys.head_key if head.head_seq is None else keys.tip_key
        return update.build(key(self._board_id))


def _hold_started_at(hold: Hold) -> int:
    return hold.until - (hold.next_hold_from - hold.until) // _REST_FACTOR


def _board_too_busy() -> Busy:
    return Busy("The board changes too often to be read.")
