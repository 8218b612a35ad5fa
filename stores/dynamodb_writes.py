"""A change as one transaction: what is put where, on which conditions, and what it means when one fails."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from kanban.store import AlreadyExists, StaleRead, StoreError
from kanban.values import (
    Board,
    Card,
    CardRank,
    Change,
    Checklist,
    Comment,
    Event,
    List,
    Member,
    Part,
    StoredResponse,
    TimeEntry,
    Token,
    User,
)
from stores import dynamodb_cards, dynamodb_head_writes, dynamodb_heads
from stores import dynamodb_items as items
from stores import dynamodb_keys as keys
from stores.dynamodb_attributes import number, text
from stores.dynamodb_cards import Assigned
from stores.dynamodb_expressions import Refusal, Update, Write, delete, of, put
from stores.dynamodb_head_writes import makes_a_board
from stores.dynamodb_keys import Item
from stores.dynamodb_reading import Seen
from stores.dynamodb_transfer import Luggage, arriving_card

MOST_WRITES = 100
"""What DynamoDB takes in one transaction."""


class TooLarge(StoreError):
    """The change has more parts than DynamoDB writes at once. No rule makes such a one."""

    def __init__(self, parts: int) -> None:
        super().__init__(f"DynamoDB writes at most {MOST_WRITES} items at once, not {parts}.")


class Again(StoreError):
    """Something was learnt that lets the same change be written, in another way."""


class MovedOn(StoreError):
    """A card that was to get a new rank is not where it was."""


class Claimed(StoreError):
    """An external id is claimed by another card, or board, which may have vanished."""

    def __init__(self, external_id: str, claimant: str, *, by_board: bool = False) -> None:
        super().__init__(f"Something claims that external id: {claimant}.")
        self.external_id = external_id
        self.claimant = claimant
        self.by_board = by_board


@dataclass(slots=True)
class Circumstances:
    """What the store knows when it makes the writes of a change.

    `before` is the board that the change was decided from. `claims` tell, for an external id, the card that claims it
    and has vanished; `vanished` those of these cards that vanished with their list. `board_claim` is the board that
    claims the external id of this one and has vanished, and its seq. `moved` are the cards that a rebalance gives new
    ranks: where they were, and where they shall be. `luggage` is what comes along with a card from another board.
    `tombstone` takes away what tells that a large board is being made, once all but its head is written. `digests` are
    those that tokens have which the change updates. `now` is the timestamp of the transaction.
    """

    first_user: bool = False
    before: Seen | None = None
    claims: dict[str, str] = field(default_factory=dict)
    vanished: set[str] = field(default_factory=set)
    board_claim: tuple[str, int | None] | None = None
    moved: Sequence[tuple[CardRank, CardRank]] = ()
    luggage: Luggage | None = None
    tombstone: Write | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    now: int = 0


def writes(
    table: str, change: Change, remember: StoredResponse | None, nonce: str, circumstances: Circumstances
) -> list[Write]:
    """The parts of the transaction, in the order in which their refusals are told.

    What proves that the transaction was carried out bears the nonce. Raises AlreadyExists where the change itself
    makes a thing twice.
    """
    made: dict[tuple[str, str], Write] = {}
    for each in _all(table, change, remember, nonce, circumstances):
        # DynamoDB takes one write of an item in a transaction.
        if made.setdefault(each.key, each) is not each:
            raise each.refusal(None)
    return [*made.values()]


def proof(made: Iterable[Write], nonce: str) -> Item | None:
    """The key of an item that bears the nonce, if the transaction was carried out."""
    for each in made:
        item = each.request.get("Item", {})
        if bears(item, nonce):
            return {"pk": item["pk"], "sk": item["sk"]}
    return None


def bears(item: Item | None, nonce: str) -> bool:
    """Whether that item was written with that nonce."""
    return item is not None and item.get("nonce") == text(nonce)


def _all(
    table: str, change: Change, remember: StoredResponse | None, nonce: str, circumstances: Circumstances
) -> Iterator[Write]:
    """A known key first, then what is updated, then what is made: as the port tells of what is in the way."""
    writer = _Writer(table, nonce, circumstances)
    if remember:
        yield writer.remember(remember)
    event = change.event
    if event is None:
        yield from writer.people(change)
        return
    yield from writer.changed(change, event)
    luggage = circumstances.luggage
    if luggage and change.departure and change.departure.event:
        leaving = _Writer(writer.table, nonce, Circumstances(before=luggage.home, now=circumstances.now))
        yield from leaving.changed(change.departure, change.departure.event)
        yield from leaving.left(luggage)


class _Writer:
    """Makes the writes to one table."""

    def __init__(self, table: str, nonce: str, circumstances: Circumstances) -> None:
        self.table = table
        self._nonce = text(nonce)
        self._circumstances = circumstances
        self._users: Mapping[str, str] = {}

    def signed(self, item: Item) -> Item:
        """The item, bearing the nonce."""
        return item | {"nonce": self._nonce}

    def remember(self, record: StoredResponse) -> Write:
        """Keep an answer, unless the key has one already that had not expired."""
        return self._put(
            self.signed(items.remembered_item(record)),
            "attribute_not_exists(#pk) OR #expires <= :now",
            lambda _: AlreadyExists("idempotency_key"),
            {":now": number(int(record.created_at.timestamp()))},
            decides=True,
        )

    # People

    def people(self, change: Change) -> Iterator[Write]:
        """Users and tokens."""
        for person in of(User, change.updates):
            yield self._revised(items.user_item(person), person.version)
        for token in of(Token, change.updates):
            yield self._revised(items.token_item(token), token.version)
            yield from self._rotated(token)
        users = of(User, change.creates)
        for user in users:
            yield self._thing(self.signed(items.user_item(user)), "user", is_new=True)
        if users and self._circumstances.first_user:
            owner = keys.setting_key("owner") | {"user_id": text(users[0].id)}
            yield self._put(owner, "attribute_not_exists(#pk)", self._there_is_an_owner)
        for token in of(Token, change.creates):
            yield self._thing(self.signed(items.token_item(token)), "token", is_new=True)
            yield self._thing(items.holder_item(token.id, token), "token", is_new=True)
            yield self._thing(items.holder_item(token.digest, token), "token.digest", is_new=True)

    def _rotated(self, token: Token) -> Iterator[Write]:
        """Replace the item that a token is found by, if it has another secret now."""
        replaced = self._circumstances.digests.get(token.id, token.digest)
        if replaced != token.digest:
            yield Write("Delete", {"TableName": self.table, "Key": keys.holder_key(replaced)}, _is_stale)
            yield self._thing(items.holder_item(token.digest, token), "token.digest", is_new=True)

    def _revised(self, item: Item, version: int) -> Write:
        return self._put(self.signed(item), "#version = :before", _is_stale, {":before": number(version - 1)})

    def _there_is_an_owner(self, _: Item | None) -> StoreError:
        self._circumstances.first_user = False
        return Again("Another user was first.")

    # Boards

    def changed(self, change: Change, event: Event) -> Iterator[Write]:
        """All that the change writes to one board."""
        arriving = arriving_card(change)
        yield self.head(change, event)
        yield from self.board(change, event)
        entries = [each for each in of(TimeEntry, (*change.updates, *change.creates)) if each.ended_at is None]
        running = {each.card_id: each for each in entries}
        stopped = {each.id for each in of(TimeEntry, change.deletes)}
        for values, is_new in ((change.updates, False), (change.creates, True)):
            for card in of(Card, values):
                shown = running.pop(card.id, card.running)
                shown = None if shown and shown.id in stopped else shown
                yield from self.card(replace(card, running=shown), is_new=is_new or card is arriving)
            for part in (each for each in values if isinstance(each, Part)):
                comes_along = arriving is not None and part.card_id == arriving.id
                yield self._always(dynamodb_cards.part_item(part)) if comes_along else self.part(part, is_new=is_new)
        yield from (self.clock(each) for each in running.values())
        yield from (self.erased(each) for each in change.deletes if isinstance(each, Part))
        yield from (self.placed(event.board_id, each) for each in change.card_ranks)
        yield from (self.told(each) for each in change.history)
        yield replace(self.told(event), decides=True)
        yield from self.moved(event.board_id)

    def left(self, luggage: Luggage) -> Iterator[Write]:
        """The card is no longer on the board that it leaves, nor what it was found by there."""
        card = luggage.card
        key = keys.card_key(card.board_id, card.id)
        yield Write("Delete", delete(self.table, key, "attribute_exists(#pk)"), _is_stale)
        yield from self._assignments(card, luggage.was_assigned, {})
        if card.external_id is not None:
            claim = keys.claim_key(card.board_id, card.external_id)
            unclaimed = "attribute_not_exists(#pk) OR #card_id = :self"
            yield Write("Delete", delete(self.table, claim, unclaimed, {":self": text(card.id)}), _is_stale)

    def head(self, change: Change, event: Event) -> Write:
        """The board with its lists, members and labels."""
        before = self._circumstances.before
        known = [*of(Member, change.creates), *(before.head.members.values() if before else ())]
        self._users = {each.id: each.user_id for each in known}
        if makes_a_board(change):
            return dynamodb_head_writes.made(self.table, change)
        cards = of(Card, (*change.updates, *change.creates))
        placed = [
            *(CardRank(each.id, each.list_id, each.rank) for each in cards),
            *change.card_ranks,
            *(after for _, after in self._circumstances.moved),
        ]
        decided_from = before.head if before else None
        return dynamodb_head_writes.updated(
            self.table, change, event, decided_from, placed, now=self._circumstances.now
        )

    def board(self, change: Change, event: Event) -> Iterator[Write]:
        """What stands elsewhere of a board: who is a member, which lists are deleted, its claim, its tombstone."""
        before = self._circumstances.before
        (board,) = of(Board, (*change.updates, *change.creates))
        yield from self._claims(board, change)
        if board.deleted_at is not None:
            yield self._always(keys.tombstone_key(keys.format_timestamp(board.deleted_at), "board", board.id))
        for member in of(Member, change.creates):
            yield self._always(dynamodb_heads.membership_item(member))
        for member in of(Member, change.deletes):
            key = keys.membership_key(member.user_id, member.board_id)
            yield Write("Delete", {"TableName": self.table, "Key": key}, _is_stale)
        for list_ in of(List, change.updates):
            if list_.deleted_at is not None:
                at = keys.format_timestamp(list_.deleted_at)
                yield self._always(dynamodb_heads.deleted_list_item(list_))
                yield self._always(keys.tombstone_key(at, "list", board.id, list_.id))
        for list_id in dynamodb_head_writes.returning(before.head, change) if before else ():
            key = keys.list_key(event.board_id, list_id)
            yield Write("Delete", delete(self.table, key, "attribute_exists(#pk)"), _is_stale)

    def _claims(self, board: Board, change: Change) -> Iterator[Write]:
        """The board's claim to its external id, where it is not as it was."""
        before = self._circumstances.before
        old = before.head.board.external_id if before else None
        was, will = old, board.external_id if board.deleted_at is None else None
        if change.restores_board or makes_a_board(change):
            was = None
        if was == will or (before is None and not makes_a_board(change)):
            return
        if was is not None:
            key = keys.board_claim_key(board.created_by, was)
            own = {":self": text(board.id)}
            unclaimed = "attribute_not_exists(#pk) OR #board_id = :self"
            yield Write("Delete", delete(self.table, key, unclaimed, own), _is_stale)
        if will is None:
            return
        claimant, seq = self._circumstances.board_claim or (board.id, None)
        yield self._put(
            keys.board_claim_key(board.created_by, will) | {"board_id": text(board.id)},
            "attribute_not_exists(#pk) OR #board_id IN (:self, :claimant)",
            lambda found: Claimed(will, found["board_id"]["S"], by_board=True) if found else StaleRead(),
            {":self": text(board.id), ":claimant": text(claimant)},
            decides=True,
        )
        if claimant != board.id:
            condition = "attribute_not_exists(#pk)" if seq is None else "#seq = :seq"
            values = None if seq is None else {":seq": number(seq)}
            key = keys.head_key(claimant)
            yield Write("ConditionCheck", delete(self.table, key, condition, values), _is_stale, decides=True)

    def told(self, event: Event) -> Write:
        """An event."""
        return self._thing(self.signed(items.event_item(event)), "event", is_new=True)

    # Cards

    def card(self, card: Card, *, is_new: bool) -> Iterator[Write]:
        """A card, its claim to its external id, and what its assignees find it by."""
        before = self._circumstances.before
        was = before.assigned.get(card.id, {}) if before and not is_new else {}
        assigned = {place: self._users.get(place) or was.get(place, "") for place in card.assignee_ids}
        yield self._thing(dynamodb_cards.card_item(card, assigned), "card", is_new=is_new)
        yield from self._assignments(card, was, assigned)
        if card.deleted_at is not None:
            yield self._always(
                keys.tombstone_key(keys.format_timestamp(card.deleted_at), "card", card.board_id, card.id)
            )
        elif card.external_id is not None:
            yield from self._claim(card, card.external_id)

    def _assignments(self, card: Card, was: Assigned, now: Assigned) -> Iterator[Write]:
        users, before = {*filter(None, now.values())}, {*filter(None, was.values())}
        for user_id in sorted(users - before):
            yield self._always(dynamodb_cards.assignment_item(user_id, card))
        for user_id in sorted(before - users):
            key = keys.assignment_key(user_id, card.board_id, card.id)
            yield Write("Delete", {"TableName": self.table, "Key": key}, _is_stale)

    def _claim(self, card: Card, external_id: str) -> Iterator[Write]:
        claimant = self._circumstances.claims.get(external_id, card.id)
        yield self._put(
            keys.claim_key(card.board_id, external_id) | {"card_id": text(card.id)},
            "attribute_not_exists(#pk) OR #card_id IN (:self, :claimant)",
            partial(_claim_refused, external_id),
            {":self": text(card.id), ":claimant": text(claimant)},
        )
        if claimant in self._circumstances.vanished:
            update = Update()
            update.remove("#external_id")
            update.require("attribute_exists(#pk)")
            yield Write("Update", update.request(self.table, keys.card_key(card.board_id, claimant)), _is_stale)

    def part(self, part: Part, *, is_new: bool) -> Write:
        """A time entry, a checklist or a comment.

        A change of an entry may have been decided from a query, which lags behind the head: the table must have the
        version before. A checklist keeps its version when its items change; it is always decided from what was read
        by its key.
        """
        item = dynamodb_cards.part_item(part)
        if is_new or isinstance(part, Checklist):
            return self._thing(item, _NAMES[type(part)], is_new=is_new)
        return self._put(item, "#version = :before", _is_stale, {":before": number(part.version - 1)})

    def clock(self, entry: TimeEntry) -> Write:
        """An open time entry, as its card shows it, which is not written itself."""
        update = Update()
        update.set("#running", dynamodb_cards.running_attribute(entry))
        update.require("attribute_exists(#pk)")
        return Write("Update", update.request(self.table, keys.card_key(entry.board_id, entry.card_id)), _is_stale)

    def erased(self, part: Part) -> Write:
        """A part that is no more."""
        key = keys.part_key(type(part), part.board_id, part.card_id, part.id)
        return Write("Delete", delete(self.table, key, "#version = :was", {":was": number(part.version)}), _is_stale)

    def placed(self, board_id: str, place: CardRank) -> Write:
        """A card's new rank in its list."""
        update = _ranked(place)
        update.require("#list_id = :list", list=text(place.list_id))
        return Write("Update", update.request(self.table, keys.card_key(board_id, place.card_id)), _is_stale)

    def moved(self, board_id: str) -> Iterator[Write]:
        """Other cards of a list, in their new places."""
        for before, after in self._circumstances.moved:
            update = _ranked(after)
            update.require("#place = :was", was=text(keys.place(before.list_id, before.rank)))
            yield Write("Update", update.request(self.table, keys.card_key(board_id, after.card_id)), _has_moved_on)

    # Requests

    def _thing(self, item: Item, what: str, *, is_new: bool) -> Write:
        """Put it there: as something new, or over what must be there."""
        if is_new:
            return self._put(item, "attribute_not_exists(#pk)", lambda _: AlreadyExists(what))
        return self._put(item, "attribute_exists(#pk)", _is_stale)

    def _always(self, item: Item) -> Write:
        """Put it there, whatever was there."""
        return Write("Put", {"TableName": self.table, "Item": item}, _is_stale)

    def _put(
        self, item: Item, condition: str, refusal: Refusal, values: Item | None = None, *, decides: bool = False
    ) -> Write:
        return Write("Put", put(self.table, item, condition, values), refusal, decides)


_NAMES: Mapping[type[Part], str] = {TimeEntry: "time_entry", Checklist: "checklist", Comment: "comment"}


def _ranked(place: CardRank) -> Update:
    update = Update()
    update.set("#rank", text(place.rank))
    update.set("#place", text(keys.place(place.list_id, place.rank)))
    return update


def _is_stale(_: Item | None) -> StoreError:
    return StaleRead()


def _has_moved_on(_: Item | None) -> StoreError:
    return MovedOn()


def _claim_refused(external_id: str, found: Item | None) -> StoreError:
    return Claimed(external_id, found["card_id"]["S"]) if found else AlreadyExists("card.external_id")
