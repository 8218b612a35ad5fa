"""Holds: the reader of a busy board asks its writers to wait for a moment.

A read that takes several calls is of one moment if the board is not written to meanwhile. If it always is, the reader
puts a hold on the board's head (`read_attempts`): every commit checks there, with the condition that it has
anyway, that no hold is in force, and waits for its end otherwise. Holds are short, several readers share one, and after
each one readers leave the board to its writers for twice as long.

A hold is a request, not a lock. Readers look at the head's seq again in any case, so a process that does not know
holds, or whose clock is wrong, may make a read take longer, but never wrong.
"""

from stores.dynamodb.attributes import to_number
from stores.dynamodb.board_items import Hold
from stores.dynamodb.writes import UpdateBuilder

MAX_HOLD = 1000
"""Milliseconds that a hold lasts at most. A read that takes longer may never succeed."""

MAX_CLOCK_SKEW = 1000
"""Milliseconds by which the clocks of processes may differ. A hold that ends later than that allows is ignored."""


def remaining_hold(hold: Hold, now_ms: int) -> int:
    """Return how many milliseconds writers have to wait, 0 if no hold is in force."""
    remaining = hold.until - now_ms
    return remaining if 0 < remaining <= MAX_HOLD + MAX_CLOCK_SKEW else 0


def require_no_hold(update: UpdateBuilder, now_ms: int) -> None:
    """Add the condition that no hold is in force: the same one as in `remaining_hold`."""
    update.require(
        "(attribute_not_exists(#held_until) OR #held_until <= :now OR #held_until > :latest)",
        now=to_number(now_ms),
        latest=to_number(now_ms + MAX_HOLD + MAX_CLOCK_SKEW),
    )
