"""Snapshots: all that the store knows when it plans the writes of a change. Values only: nothing is read here."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from kanban.values import Card, CardRank
from stores.dynamodb.board_items import BoardHead
from stores.dynamodb.card_items import AssigneeUsers
from stores.dynamodb.keys import Item


class BoardSnapshot(NamedTuple):
    """A board's head, and who was assigned to some of its cards at the same moment."""

    head: BoardHead
    assignee_users: Mapping[str, AssigneeUsers] = MappingProxyType({})


class Neighbours(NamedTuple):
    """The cards above and below the one whose rank has grown long, the nearest first."""

    above: Sequence[CardRank]
    below: Sequence[CardRank]


class CardClaim(NamedTuple):
    """A claim to an external id by a card that no longer has it, so that another card may take it over.

    `is_in_deleted_list` tells that the card was deleted with its list, and still has the id in its own item.
    """

    card_id: str
    is_in_deleted_list: bool


class BoardClaim(NamedTuple):
    """A claim to an external id by a board that no longer has it."""

    board_id: str


class TransferParts(NamedTuple):
    """The parts of a card that moves to another board.

    Attributes:
        card: The card as it is on the board that it leaves.
        source: That board, as it was when the move was decided.
        board_id: The board that the card moves to.
        timestamp: When it moves, as tombstones hold it.
        parts: The items of its parts where it is.
        copies: The same items, as they will be on the new board.
        orphans: Items on the new board that an earlier, interrupted move has left there.
        lock_nonce: What this move puts into the transfer lock of the card.
        has_lock: Whether it has done so.
        is_written_ahead: Whether the copies are on the new board already.
    """

    card: Card
    source: BoardSnapshot
    board_id: str
    timestamp: str
    parts: Sequence[Item]
    copies: Sequence[Item]
    orphans: Sequence[Item]
    lock_nonce: str
    has_lock: bool
    is_written_ahead: bool = False

    @property
    def assignee_users(self) -> AssigneeUsers:
        """Who is assigned to the card on the board that it leaves."""
        return self.source.assignee_users[self.card.id]


class Snapshot(NamedTuple):
    """What a plan is made from besides the change.

    Attributes:
        nonce: Random text of this attempt. Items with it prove that its transaction was carried out.
        now_ms: The time of this attempt, in milliseconds since 1970.
        before: The board that the change was decided from; None if the change creates it.
        may_create_owner: Whether a user of the change may be the first of the store, who owns it.
        token_digests: The present digests of the tokens that the change updates, by token id.
        neighbours: The cards around a long rank, if the change asks for a rebalance.
        transfer: The parts of a card that comes from another board.
        card_claims: Claims that cards of the change may take over, by external id.
        board_claim: The claim that the board of the change may take over.
        is_written_ahead: Whether all but the last step of a large new board is written.
    """

    nonce: str = ""
    now_ms: int = 0
    before: BoardSnapshot | None = None
    may_create_owner: bool = False
    token_digests: Mapping[str, str] = MappingProxyType({})
    neighbours: Neighbours | None = None
    transfer: TransferParts | None = None
    card_claims: Mapping[str, CardClaim] = MappingProxyType({})
    board_claim: BoardClaim | None = None
    is_written_ahead: bool = False
