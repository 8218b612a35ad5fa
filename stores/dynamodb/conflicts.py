"""Conflicts: what a commit can run into, as values. Every write of a plan says which one its failed condition is.

`resolutions` holds the table of what is done about each.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StaleChange:
    """A board, or an item that is written over, is not as it was when the change was decided."""


@dataclass(frozen=True, slots=True)
class AlreadyTaken:
    """Something unique is there already; `name` is that of `kanban.store.AlreadyExists`."""

    name: str


@dataclass(frozen=True, slots=True)
class OwnerExists:
    """The new user was taken for the first one of the store, but another one was created before."""


@dataclass(frozen=True, slots=True)
class RanksMoved:
    """A card that a rebalance gives a new rank is no longer where it was read."""


@dataclass(frozen=True, slots=True)
class CardIdClaimed:
    """Another card claims the external id of this one. It may have given the id up, or be deleted."""

    external_id: str
    claimant_id: str


@dataclass(frozen=True, slots=True)
class BoardIdClaimed:
    """Another board of the same user claims the external id of this one. It may have given the id up, or be deleted."""

    external_id: str
    claimant_id: str


@dataclass(frozen=True, slots=True)
class BoardHeld:
    """Readers hold the board (see `holds`): the same change can be written in so many milliseconds."""

    milliseconds: int


@dataclass(frozen=True, slots=True)
class TooManyWrites:
    """The change needs more writes than one transaction takes. No rule makes such a change."""

    count: int


Conflict = (
    StaleChange | AlreadyTaken | OwnerExists | RanksMoved | CardIdClaimed | BoardIdClaimed | BoardHeld | TooManyWrites
)

STALE = StaleChange()
"""What most failed conditions mean."""
