"""Conflicts: what a commit can run into, as values. Every write of a plan says which one its failed condition is.

`resolutions` holds the table of what is done about each.
"""

from enum import Enum, auto
from typing import NamedTuple


class ConflictKind(Enum):
    """What is in the way of a commit."""

    STALE = auto()
    """A board, or an item that is written over, is not as it was when the change was decided."""

    TAKEN = auto()
    """Something unique is there already: `name` says what, as `kanban.store.AlreadyExists` does."""

    TOO_LARGE = auto()
    """The change needs more writes than one transaction takes, namely `amount`. No rule makes such a change."""

    OWNER_EXISTS = auto()
    """The new user was taken for the first one of the store, but another one was created before."""

    RANKS_MOVED = auto()
    """A card that a rebalance gives a new rank is no longer where it was read."""

    CARD_ID_CLAIMED = auto()
    """The card `claimant_id` claims the external id `name`. It may have given the id up, or be deleted."""

    BOARD_ID_CLAIMED = auto()
    """The board `claimant_id` of the same user claims the external id `name`. As with a card, it may be outdated."""

    HELD = auto()
    """Readers hold the board (see `holds`): the same change can be written in `amount` milliseconds."""


class Conflict(NamedTuple):
    """What is in the way of a commit, with what its kind needs to be resolved."""

    kind: ConflictKind
    name: str = ""
    claimant_id: str = ""
    amount: int = 0


STALE = Conflict(ConflictKind.STALE)
"""What most failed conditions mean."""


def uniqueness_conflict(name: str) -> Conflict:
    """Return the conflict of something unique that is there already."""
    return Conflict(ConflictKind.TAKEN, name)
