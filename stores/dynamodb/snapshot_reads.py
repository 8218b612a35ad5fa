"""Reads of a snapshot: what must be known of the table before the writes of a change can be planned."""

from kanban.changes import Change
from kanban.values import Card, Event, Token, User
from stores.dynamodb import keys
from stores.dynamodb.card_items import assignee_users_from_item, card_from_item
from stores.dynamodb.changes import creates_board, get_arriving_card, of_type
from stores.dynamodb.client import RetryingClient
from stores.dynamodb.conflicts import STALE, Conflict
from stores.dynamodb.reads import TableReader
from stores.dynamodb.rebalance import NEIGHBOURS_PER_SIDE, find_pivot
from stores.dynamodb.snapshots import BoardSnapshot, Neighbours, Snapshot
from stores.dynamodb.transfers import PartTransfer


class SnapshotReader:
    """Reads snapshots from one table."""

    def __init__(self, client: RetryingClient, reader: TableReader, transfers: PartTransfer) -> None:
        self._client = client
        self._reader = reader
        self._transfers = transfers
        self._has_owner = False

    def read(self, change: Change) -> Snapshot | Conflict:
        """Return the snapshot that the change can be planned with; a conflict if it is seen to be stale already.

        Most changes need nothing but the board that they were decided from, which this process has just read.
        """
        snapshot = Snapshot(may_create_owner=self._may_create_owner(change))
        event = change.event
        if event is None:
            return snapshot._replace(token_digests=self._read_token_digests(change))
        if not creates_board(change):
            before = self._read_board(change, event)
            if isinstance(before, Conflict):
                return before
            snapshot = snapshot._replace(before=before)
        if change.departure is not None:
            transfer = self._transfers.read(change, event)
            if transfer is None:
                return STALE
            snapshot = snapshot._replace(transfer=transfer)
        return snapshot._replace(neighbours=self._read_neighbours(change, event))

    def _may_create_owner(self, change: Change) -> bool:
        """Tell whether the change creates a user, and there may be no other."""
        if self._has_owner or not of_type(User, change.creates):
            return False
        self._has_owner = self._reader.get_item(keys.setting_key("owner")) is not None
        return not self._has_owner

    def _read_token_digests(self, change: Change) -> dict[str, str]:
        """Return the present digests of the tokens that are updated but not revoked.

        If another change replaces one meanwhile, this one is stale.
        """
        live = [token for token in of_type(Token, change.updates) if token.revoked_at is None]
        items = [self._reader.get_item(keys.token_key(token.user_id, token.id)) for token in live]
        return {item["sk"]["S"][2:]: item["digest"]["S"] for item in items if item}

    def _read_board(self, change: Change, event: Event) -> BoardSnapshot | Conflict:
        """Return the board that the change was decided from, and who was assigned to the cards that it writes.

        If the board is no longer so, the change is stale. Cards that this process has only seen on a page are read by
        their keys: if they are not as the page showed them, the change is stale too, because the query of the page came
        between the writes of the last transaction, which the head shows.
        """
        arriving = get_arriving_card(change)
        card_ids = [card.id for card in of_type(Card, change.updates) if card is not arriving]
        cached = self._reader.get_cached_board(event.board_id, event.seq - 1)
        if cached and cached.assignee_users.keys() >= {*card_ids}:
            return BoardSnapshot(cached.head, {**cached.assignee_users})
        head, items = self._reader.get_with_head(
            event.board_id, [keys.card_key(event.board_id, card_id) for card_id in card_ids]
        )
        if head is None or items is None or head.board.seq != event.seq - 1:
            return STALE
        page_hashes = cached.page_hashes if cached else {}
        for card_id, item in zip(card_ids, items, strict=False):
            card_hash = hash(card_from_item(item)) if item else None
            if page_hashes.get(card_id, card_hash) != card_hash:
                return STALE
        present = (item for item in items if item)
        return BoardSnapshot(head, {item["sk"]["S"][2:]: assignee_users_from_item(item) for item in present})

    def _read_neighbours(self, change: Change, event: Event) -> Neighbours | None:
        """Return the cards around the one whose rank has grown long, if the change asks for a rebalance."""
        if change.rebalance_list_id is None:
            return None
        card, head = find_pivot(change), self._reader.get_head(event.board_id)
        if card is None or head is None or head.board.seq != event.seq - 1:
            return None
        written_ids = {card.id for card in of_type(Card, (*change.updates, *change.creates))}
        above, below = (
            self._reader.neighbours_of(
                head, card.list_id, card.rank, side, count=NEIGHBOURS_PER_SIDE + 1, excluded_ids=written_ids
            )
            for side in ("before", "after")
        )
        return Neighbours(above, below)
