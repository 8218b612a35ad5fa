"""A change as one transaction: what is put where, on which conditions, and what it means when one fails."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from kanban.changes import Change
from kanban.store import AlreadyExists, StaleRead, StoredResponse, StoreError
from kanban.values import Board, Card, CardRank, Checklist, Comment, Event, List, Member, Part, TimeEntry, Token, User
from stores.dynamodb import board_items, board_writes, card_items, keys
from stores.dynamodb import user_items as items
from stores.dynamodb.attributes import to_number, to_string
from stores.dynamodb.board_writes import creates_board
from stores.dynamodb.card_items import AssigneeUsers
from stores.dynamodb.expressions import ErrorFactory, UpdateBuilder, Write, key_request, of_type, put_request
from stores.dynamodb.keys import Item
from stores.dynamodb.reads import BoardSnapshot
from stores.dynamodb.transfers import TransferParts, arriving_card

MAX_TRANSACTION_ITEMS = 100
"""What DynamoDB takes in one transaction."""


class TooLarge(StoreError):
    """The change has more parts than DynamoDB writes at once. No rule makes such a one."""

    def __init__(self, parts: int) -> None:
        super().__init__(f"DynamoDB writes at most {MAX_TRANSACTION_ITEMS} items at once, not {parts}.")


class RetryWithMoreContext(StoreError):
    """Something was learnt that lets the same change be written, in another way."""


class RankConflict(StoreError):
    """A card that was to get a new rank is not where it was."""


class ExternalIdClaimed(StoreError):
    """An external id is claimed by another card, or board, which may have vanished."""

    def __init__(self, external_id: str, claimant_id: str, *, is_board: bool = False) -> None:
        super().__init__(f"Something claims that external id: {claimant_id}.")
        self.external_id = external_id
        self.claimant_id = claimant_id
        self.is_board = is_board


@dataclass(slots=True)
class TransactionContext:
    """What the store knows when it makes the writes of a change.

    `before` is the board that the change was decided from. `claims` tell, for an external id, the card that claims it
    and has vanished; `vanished` those of these cards that vanished with their list. `vanished_board` is the board that
    claims the external id of this one and has vanished, and its seq. `moved` are the cards that a rebalance gives new
    ranks: where they were, and where they shall be. `luggage` is what comes along with a card from another board.
    `tombstone` takes away what tells that a large board is being made, once all but its head is written. `digests` are
    those that tokens have which the change updates. `now` is the timestamp of the transaction.
    """

    is_first_user: bool = False
    snapshot: BoardSnapshot | None = None
    vanished_claimants: dict[str, str] = field(default_factory=dict)
    vanished_with_list: set[str] = field(default_factory=set)
    vanished_board: tuple[str, int | None] | None = None
    rank_changes: Sequence[tuple[CardRank, CardRank]] = ()
    transfer_parts: TransferParts | None = None
    tombstone: Write | None = None
    token_digests: Mapping[str, str] = field(default_factory=dict)
    now_ms: int = 0


def build_writes(
    table: str, change: Change, remember: StoredResponse | None, nonce: str, context: TransactionContext
) -> list[Write]:
    """The parts of the transaction, in the order in which their refusals are told.

    What proves that the transaction was carried out bears the nonce. Raises AlreadyExists where the change itself
    makes a thing twice.
    """
    made: dict[tuple[str, str], Write] = {}
    for each in _all_writes(table, change, remember, nonce, context):
        # DynamoDB takes one write of an item in a transaction.
        if made.setdefault(each.key, each) is not each:
            raise each.error_for(None)
    return [*made.values()]


def proof_key(writes: Iterable[Write], nonce: str) -> Item | None:
    """The key of an item that bears the nonce, if the transaction was carried out."""
    for each in writes:
        item = each.request.get("Item", {})
        if has_nonce(item, nonce):
            return {"pk": item["pk"], "sk": item["sk"]}
    return None


def has_nonce(item: Item | None, nonce: str) -> bool:
    """Whether that item was written with that nonce."""
    return item is not None and item.get("nonce") == to_string(nonce)


def _all_writes(
    table: str, change: Change, remember: StoredResponse | None, nonce: str, context: TransactionContext
) -> Iterator[Write]:
    """A known key first, then what is updated, then what is made: as the port tells of what is in the way."""
    writer = _WriteBuilder(table, nonce, context)
    if remember:
        yield writer.stored_response(remember)
    event = change.event
    if event is None:
        yield from writer.people(change)
        return
    yield from writer.board_changes(change, event)
    luggage = context.transfer_parts
    if luggage and change.departure and change.departure.event:
        leaving = _WriteBuilder(writer.table, nonce, TransactionContext(snapshot=luggage.source, now_ms=context.now_ms))
        yield from leaving.board_changes(change.departure, change.departure.event)
        yield from leaving.source_card(luggage)


class _WriteBuilder:
    """Makes the writes to one table."""

    def __init__(self, table: str, nonce: str, context: TransactionContext) -> None:
        self.table = table
        self._nonce = to_string(nonce)
        self._context = context
        self._users: Mapping[str, str] = {}

    def with_nonce(self, item: Item) -> Item:
        """The item, bearing the nonce."""
        return item | {"nonce": self._nonce}

    def stored_response(self, record: StoredResponse) -> Write:
        """Keep an answer, unless the key has one already that had not expired."""
        return self._put(
            self.with_nonce(items.stored_response_to_item(record)),
            "attribute_not_exists(#pk) OR #expires <= :now",
            lambda _: AlreadyExists("idempotency_key"),
            {":now": to_number(int(record.created_at.timestamp()))},
            is_final=True,
        )

    # People

    def people(self, change: Change) -> Iterator[Write]:
        """Users and tokens."""
        for person in of_type(User, change.updates):
            yield self._new_version(items.user_to_item(person), person.version)
        for token in of_type(Token, change.updates):
            yield self._new_version(items.token_to_item(token), token.version)
            yield from self._rotation(token)
        users = of_type(User, change.creates)
        for user in users:
            yield self._create_or_replace(self.with_nonce(items.user_to_item(user)), "user", is_new=True)
        if users and self._context.is_first_user:
            owner = keys.setting_key("owner") | {"user_id": to_string(users[0].id)}
            yield self._put(owner, "attribute_not_exists(#pk)", self._owner_exists)
        for token in of_type(Token, change.creates):
            yield self._create_or_replace(self.with_nonce(items.token_to_item(token)), "token", is_new=True)
            yield self._create_or_replace(items.token_holder_to_item(token.id, token), "token", is_new=True)
            yield self._create_or_replace(items.token_holder_to_item(token.digest, token), "token.digest", is_new=True)

    def _rotation(self, token: Token) -> Iterator[Write]:
        """Replace the item that a token is found by, if it has another secret now."""
        replaced = self._context.token_digests.get(token.id, token.digest)
        if replaced != token.digest:
            yield Write("Delete", {"TableName": self.table, "Key": keys.token_holder_key(replaced)}, _stale)
            yield self._create_or_replace(items.token_holder_to_item(token.digest, token), "token.digest", is_new=True)

    def _new_version(self, item: Item, version: int) -> Write:
        return self._put(self.with_nonce(item), "#version = :before", _stale, {":before": to_number(version - 1)})

    def _owner_exists(self, _: Item | None) -> StoreError:
        self._context.is_first_user = False
        return RetryWithMoreContext("Another user was first.")

    # Boards

    def board_changes(self, change: Change, event: Event) -> Iterator[Write]:
        """All that the change writes to one board."""
        arriving = arriving_card(change)
        yield self.head(change, event)
        yield from self.board(change, event)
        entries = [each for each in of_type(TimeEntry, (*change.updates, *change.creates)) if each.ended_at is None]
        running = {each.card_id: each for each in entries}
        stopped = {each.id for each in of_type(TimeEntry, change.deletes)}
        for values, is_new in ((change.updates, False), (change.creates, True)):
            for card in of_type(Card, values):
                shown = running.pop(card.id, card.running)
                shown = None if shown and shown.id in stopped else shown
                yield from self.card(replace(card, running=shown), is_new=is_new or card is arriving)
            for part in (each for each in values if isinstance(each, Part)):
                comes_along = arriving is not None and part.card_id == arriving.id
                yield (
                    self._unconditional_put(card_items.part_to_item(part))
                    if comes_along
                    else self.part(part, is_new=is_new)
                )
        yield from (self.running_entry(each) for each in running.values())
        yield from (self.part_deletion(each) for each in change.deletes if isinstance(each, Part))
        yield from (self.rank(event.board_id, each) for each in change.card_ranks)
        yield from (self.event(each) for each in change.history)
        yield replace(self.event(event), is_final=True)
        yield from self.rebalanced_ranks(event.board_id)

    def source_card(self, transfer: TransferParts) -> Iterator[Write]:
        """The card is no longer on the board that it leaves, nor what it was found by there."""
        card = transfer.card
        key = keys.card_key(card.board_id, card.id)
        yield Write("Delete", key_request(self.table, key, "attribute_exists(#pk)"), _stale)
        yield from self._assignments(card, transfer.assignee_users, {})
        if card.external_id is not None:
            claim = keys.card_claim_key(card.board_id, card.external_id)
            unclaimed = "attribute_not_exists(#pk) OR #card_id = :self"
            yield Write("Delete", key_request(self.table, claim, unclaimed, {":self": to_string(card.id)}), _stale)

    def head(self, change: Change, event: Event) -> Write:
        """The board with its lists, members and labels."""
        before = self._context.snapshot
        known = [*of_type(Member, change.creates), *(before.head.members.values() if before else ())]
        self._users = {each.id: each.user_id for each in known}
        if creates_board(change):
            return board_writes.create_head(self.table, change)
        cards = of_type(Card, (*change.updates, *change.creates))
        placed = [
            *(CardRank(each.id, each.list_id, each.rank) for each in cards),
            *change.card_ranks,
            *(after for _, after in self._context.rank_changes),
        ]
        decided_from = before.head if before else None
        return board_writes.update_head(self.table, change, event, decided_from, placed, now_ms=self._context.now_ms)

    def board(self, change: Change, event: Event) -> Iterator[Write]:
        """What stands elsewhere of a board: who is a member, which lists are deleted, its claim, its tombstone."""
        before = self._context.snapshot
        (board,) = of_type(Board, (*change.updates, *change.creates))
        yield from self._claims(board, change)
        if board.deleted_at is not None:
            yield self._unconditional_put(
                keys.tombstone_key(keys.format_timestamp(board.deleted_at), "board", board.id)
            )
        for member in of_type(Member, change.creates):
            yield self._unconditional_put(board_items.membership_to_item(member))
        for member in of_type(Member, change.deletes):
            key = keys.membership_key(member.user_id, member.board_id)
            yield Write("Delete", {"TableName": self.table, "Key": key}, _stale)
        for list_ in of_type(List, change.updates):
            if list_.deleted_at is not None:
                at = keys.format_timestamp(list_.deleted_at)
                yield self._unconditional_put(board_items.deleted_list_to_item(list_))
                yield self._unconditional_put(keys.tombstone_key(at, "list", board.id, list_.id))
        for list_id in board_writes.restored_list_ids(before.head, change) if before else ():
            key = keys.list_key(event.board_id, list_id)
            yield Write("Delete", key_request(self.table, key, "attribute_exists(#pk)"), _stale)

    def _claims(self, board: Board, change: Change) -> Iterator[Write]:
        """The board's claim to its external id, where it is not as it was."""
        before = self._context.snapshot
        old = before.head.board.external_id if before else None
        was, will = old, board.external_id if board.deleted_at is None else None
        if change.restores_board or creates_board(change):
            was = None
        if was == will or (before is None and not creates_board(change)):
            return
        if was is not None:
            key = keys.board_claim_key(board.created_by, was)
            own = {":self": to_string(board.id)}
            unclaimed = "attribute_not_exists(#pk) OR #board_id = :self"
            yield Write("Delete", key_request(self.table, key, unclaimed, own), _stale)
        if will is None:
            return
        claimant, seq = self._context.vanished_board or (board.id, None)
        yield self._put(
            keys.board_claim_key(board.created_by, will) | {"board_id": to_string(board.id)},
            "attribute_not_exists(#pk) OR #board_id IN (:self, :claimant)",
            lambda found: ExternalIdClaimed(will, found["board_id"]["S"], is_board=True) if found else StaleRead(),
            {":self": to_string(board.id), ":claimant": to_string(claimant)},
            is_final=True,
        )
        if claimant != board.id:
            condition = "attribute_not_exists(#pk)" if seq is None else "#seq = :seq"
            values = None if seq is None else {":seq": to_number(seq)}
            key = keys.head_key(claimant)
            yield Write("ConditionCheck", key_request(self.table, key, condition, values), _stale, is_final=True)

    def event(self, event: Event) -> Write:
        """An event."""
        return self._create_or_replace(self.with_nonce(items.event_to_item(event)), "event", is_new=True)

    # Cards

    def card(self, card: Card, *, is_new: bool) -> Iterator[Write]:
        """A card, its claim to its external id, and what its assignees find it by."""
        before = self._context.snapshot
        was = before.assignee_users.get(card.id, {}) if before and not is_new else {}
        assigned = {place: self._users.get(place) or was.get(place, "") for place in card.assignee_ids}
        yield self._create_or_replace(card_items.card_to_item(card, assigned), "card", is_new=is_new)
        yield from self._assignments(card, was, assigned)
        if card.deleted_at is not None:
            yield self._unconditional_put(
                keys.tombstone_key(keys.format_timestamp(card.deleted_at), "card", card.board_id, card.id)
            )
        elif card.external_id is not None:
            yield from self._claim(card, card.external_id)

    def _assignments(self, card: Card, before: AssigneeUsers, after: AssigneeUsers) -> Iterator[Write]:
        users, former = {*filter(None, after.values())}, {*filter(None, before.values())}
        for user_id in sorted(users - former):
            yield self._unconditional_put(card_items.assignment_to_item(user_id, card))
        for user_id in sorted(former - users):
            key = keys.assignment_key(user_id, card.board_id, card.id)
            yield Write("Delete", {"TableName": self.table, "Key": key}, _stale)

    def _claim(self, card: Card, external_id: str) -> Iterator[Write]:
        claimant = self._context.vanished_claimants.get(external_id, card.id)
        yield self._put(
            keys.card_claim_key(card.board_id, external_id) | {"card_id": to_string(card.id)},
            "attribute_not_exists(#pk) OR #card_id IN (:self, :claimant)",
            partial(_claim_error, external_id),
            {":self": to_string(card.id), ":claimant": to_string(claimant)},
        )
        if claimant in self._context.vanished_with_list:
            update = UpdateBuilder()
            update.remove("#external_id")
            update.require("attribute_exists(#pk)")
            yield Write("Update", update.build(self.table, keys.card_key(card.board_id, claimant)), _stale)

    def part(self, part: Part, *, is_new: bool) -> Write:
        """A time entry, a checklist or a comment.

        A change of an entry may have been decided from a query, which lags behind the head: the table must have the
        version before. A checklist keeps its version when its items change; it is always decided from what was read
        by its key.
        """
        item = card_items.part_to_item(part)
        if is_new or isinstance(part, Checklist):
            return self._create_or_replace(item, _PART_NAMES[type(part)], is_new=is_new)
        return self._put(item, "#version = :before", _stale, {":before": to_number(part.version - 1)})

    def running_entry(self, entry: TimeEntry) -> Write:
        """An open time entry, as its card shows it, which is not written itself."""
        update = UpdateBuilder()
        update.set("#running", card_items.running_entry_to_attribute(entry))
        update.require("attribute_exists(#pk)")
        return Write("Update", update.build(self.table, keys.card_key(entry.board_id, entry.card_id)), _stale)

    def part_deletion(self, part: Part) -> Write:
        """A part that is no more."""
        key = keys.part_key(type(part), part.board_id, part.card_id, part.id)
        return Write(
            "Delete", key_request(self.table, key, "#version = :was", {":was": to_number(part.version)}), _stale
        )

    def rank(self, board_id: str, card_rank: CardRank) -> Write:
        """A card's new rank in its list."""
        update = _rank_update(card_rank)
        update.require("#list_id = :list", list=to_string(card_rank.list_id))
        return Write("Update", update.build(self.table, keys.card_key(board_id, card_rank.card_id)), _stale)

    def rebalanced_ranks(self, board_id: str) -> Iterator[Write]:
        """Other cards of a list, in their new places."""
        for before, after in self._context.rank_changes:
            update = _rank_update(after)
            update.require("#place = :was", was=to_string(keys.rank_index_key(before.list_id, before.rank)))
            yield Write("Update", update.build(self.table, keys.card_key(board_id, after.card_id)), _rank_conflict)

    # Requests

    def _create_or_replace(self, item: Item, name: str, *, is_new: bool) -> Write:
        """Put it there: as something new, or over what must be there."""
        if is_new:
            return self._put(item, "attribute_not_exists(#pk)", lambda _: AlreadyExists(name))
        return self._put(item, "attribute_exists(#pk)", _stale)

    def _unconditional_put(self, item: Item) -> Write:
        """Put it there, whatever was there."""
        return Write("Put", {"TableName": self.table, "Item": item}, _stale)

    def _put(
        self, item: Item, condition: str, error_for: ErrorFactory, values: Item | None = None, *, is_final: bool = False
    ) -> Write:
        return Write("Put", put_request(self.table, item, condition, values), error_for, is_final)


_PART_NAMES: Mapping[type[Part], str] = {TimeEntry: "time_entry", Checklist: "checklist", Comment: "comment"}


def _rank_update(card_rank: CardRank) -> UpdateBuilder:
    update = UpdateBuilder()
    update.set("#rank", to_string(card_rank.rank))
    update.set("#place", to_string(keys.rank_index_key(card_rank.list_id, card_rank.rank)))
    return update


def _stale(_: Item | None) -> StoreError:
    return StaleRead()


def _rank_conflict(_: Item | None) -> StoreError:
    return RankConflict()


def _claim_error(external_id: str, item: Item | None) -> StoreError:
    return ExternalIdClaimed(external_id, item["card_id"]["S"]) if item else AlreadyExists("card.external_id")
