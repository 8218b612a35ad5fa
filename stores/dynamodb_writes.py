"""A change as one transaction: what is put where, on which conditions, and what it means when one fails."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any, TypeVar

from kanban.store import AlreadyExists, Stale, StoreError
from kanban.values import Board, Card, Change, Event, List, Member, Remembered, Role, TimeEntry, Token, User
from stores import changes
from stores import dynamodb_items as items
from stores import dynamodb_keys as keys
from stores.dynamodb_items import Head, Placed
from stores.dynamodb_keys import Item

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
    """An external id is claimed by another card, which may have vanished."""

    def __init__(self, external_id: str, card_id: str) -> None:
        super().__init__(f"A card claims that external id: {card_id}.")
        self.external_id = external_id
        self.card_id = card_id


Kind = TypeVar("Kind")

_WORD = re.compile(r"#([a-z_]+)(?![a-z_0-9])")


@dataclass(frozen=True, slots=True)
class Write:
    """A part of a transaction, and the error that it is when its condition fails, given what is there instead."""

    action: str
    request: dict[str, Any]
    refusal: Callable[[Item | None], StoreError]

    @property
    def part(self) -> dict[str, Any]:
        """As it stands in the transaction."""
        return {self.action: self.request}


@dataclass(slots=True)
class Circumstances:
    """What the store knows when it makes the writes of a change.

    `names` and `claims` tell, for an external id, the list or card that claims it and has vanished; `vanished` those
    of these cards that vanished with their list. `moved` are the cards that a rebalance gives new ranks: where they
    were, and where they shall be.
    """

    first_user: bool = False
    names: dict[str, str] = field(default_factory=dict)
    claims: dict[str, str] = field(default_factory=dict)
    vanished: set[str] = field(default_factory=set)
    moved: Sequence[tuple[Placed, Placed]] = ()


def check(change: Change) -> None:
    """Refuse, with ValueError, a change that no rule could have meant."""
    changes.check(change)
    values = (*change.creates, *change.updates)
    cards = {each.id for each in values if isinstance(each, Card)}
    if any(each.card_id not in cards for each in values if isinstance(each, TimeEntry)):
        raise ValueError("A time entry is written with its card.")


def writes(
    table: str, change: Change, remember: Remembered | None, nonce: str, circumstances: Circumstances
) -> list[Write]:
    """The parts of the transaction, in the order in which their refusals are told.

    What proves that the transaction was carried out bears the nonce. Raises TooLarge, and AlreadyExists where the
    change itself makes a thing twice.
    """
    made: dict[tuple[str, str], Write] = {}
    for each in _all(_Writer(table, nonce, circumstances), change, remember):
        key = each.request.get("Key") or each.request["Item"]
        # DynamoDB takes one write of an item in a transaction.
        if made.setdefault((key["pk"]["S"], key["sk"]["S"]), each) is not each:
            raise each.refusal(None)
    if len(made) > MOST_WRITES:
        raise TooLarge(len(made))
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
    return item is not None and item.get("nonce") == items.text(nonce)


def _all(writer: "_Writer", change: Change, remember: Remembered | None) -> Iterator[Write]:
    """A known key first, then what is updated, then what is made: as the port tells of what is in the way."""
    if remember:
        yield writer.remember(remember)
    event = change.event
    if event is None:
        yield from writer.people(change)
        return
    yield writer.head(change, event)
    entries = [each for each in (*change.updates, *change.creates) if isinstance(each, TimeEntry)]
    running = {each.card_id: each for each in entries if each.ended_at is None}
    for values, is_new in ((change.updates, False), (change.creates, True)):
        for card in _of(Card, values):
            yield from writer.card(replace(card, running=running.get(card.id, card.running)), is_new=is_new)
        for entry in _of(TimeEntry, values):
            yield writer.part(items.time_entry_item(entry, event.seq), "time_entry", is_new=is_new)
        for member in _of(Member, values):
            yield writer.always(items.membership_item(member))
    for gone in _of(List, change.updates):
        if gone.deleted_at is not None:
            yield writer.always(items.deleted_list_item(gone))
    yield writer.part(writer.signed(items.event_item(event)), "event", is_new=True)
    yield from writer.moved(event.board_id)


class _Writer:
    """Makes the writes to one table."""

    def __init__(self, table: str, nonce: str, circumstances: Circumstances) -> None:
        self._table = table
        self._nonce = items.text(nonce)
        self._circumstances = circumstances

    def signed(self, item: Item) -> Item:
        """The item, bearing the nonce."""
        return item | {"nonce": self._nonce}

    def always(self, item: Item) -> Write:
        """Put it there, whatever was there."""
        return Write("Put", {"TableName": self._table, "Item": item}, _is_stale)

    def part(self, item: Item, what: str, *, is_new: bool) -> Write:
        """Put it there: as something new, or over what must be there."""
        if is_new:
            return self._put(item, "attribute_not_exists(#pk)", lambda _: AlreadyExists(what))
        return self._put(item, "attribute_exists(#pk)", _is_stale)

    def remember(self, record: Remembered) -> Write:
        """Keep an answer, unless the key has one already that had not expired."""
        return self._put(
            self.signed(items.remembered_item(record)),
            "attribute_not_exists(#pk) OR #expires <= :now",
            lambda _: AlreadyExists("idempotency_key"),
            {":now": items.number(int(record.created_at.timestamp()))},
        )

    # People

    def people(self, change: Change) -> Iterator[Write]:
        """Users and tokens."""
        for person in _of(User, change.updates):
            yield self._revised(items.user_item(person), person.version)
        for token in _of(Token, change.updates):
            yield self._revised(items.token_item(token), token.version)
        users = _of(User, change.creates)
        for user in users:
            yield self.part(self.signed(items.user_item(user)), "user", is_new=True)
        if users and self._circumstances.first_user:
            owner = keys.setting_key("owner") | {"user_id": items.text(users[0].id)}
            yield self._put(owner, "attribute_not_exists(#pk)", self._there_is_an_owner)
        for token in _of(Token, change.creates):
            holder = {"user_id": items.text(token.user_id), "token_id": items.text(token.id)}
            yield self.part(self.signed(items.token_item(token)), "token", is_new=True)
            yield self.part(keys.holder_key(token.id) | holder, "token", is_new=True)
            yield self.part(keys.holder_key(token.digest) | holder, "token.digest", is_new=True)

    def _revised(self, item: Item, version: int) -> Write:
        return self._put(self.signed(item), "#version = :before", _is_stale, {":before": items.number(version - 1)})

    def _there_is_an_owner(self, _: Item | None) -> StoreError:
        self._circumstances.first_user = False
        return Again("Another user was first.")

    # A board's head

    def head(self, change: Change, event: Event) -> Write:
        """The board with its lists and members."""
        if event.seq == 1:
            return self.part(_new_head(change, event), "board", is_new=True)
        update = _Update()
        (board,) = _of(Board, change.updates)
        for name, value in items.board_attributes(board).items():
            update.set(f"#{name}", value)
        update.set("#last", items.last_attribute(self._placed(change)))
        update.names["#actor"] = event.actor_id
        update.require(
            "#seq = :before AND attribute_not_exists(#deleted_at) AND #members.#actor IN (:editor, :owner)",
            before=items.number(event.seq - 1),
            editor=items.text(Role.EDITOR),
            owner=items.text(Role.OWNER),
        )
        for list_ in _of(List, change.updates):
            self._update_list(update, list_, "attribute_exists")
        for list_ in _of(List, change.creates):
            self._update_list(update, list_, "attribute_not_exists")
        for values, condition in ((change.updates, "attribute_exists"), (change.creates, "attribute_not_exists")):
            for member in _of(Member, values):
                path = update.set(f"#members.{update.name(member.user_id)}", items.text(member.role))
                update.require(f"{condition}({path})")
        request = update.request(self._table, keys.head_key(board.id))
        return Write("Update", request, partial(self._head_refused, change, event))

    def _placed(self, change: Change) -> Iterator[Placed]:
        for card in _of(Card, (*change.updates, *change.creates)):
            yield Placed(card.id, card.list_id, card.rank)
        for _, placed in self._circumstances.moved:
            yield placed

    def _update_list(self, update: "_Update", list_: List, condition: str) -> None:
        path = f"#lists.{update.name(list_.id)}"
        update.require(f"{condition}({path})")
        claim = None if list_.external_id is None else f"#names.{update.name(list_.external_id)}"
        if list_.deleted_at is not None:
            update.remove(path)
            if claim:
                update.remove(claim)
            return
        update.set(path, {"M": items.list_attributes(list_)})
        if claim and list_.external_id:
            allowed = [list_.id, *filter(None, [self._circumstances.names.get(list_.external_id)])]
            words = ", ".join(update.value(items.text(each)) for each in allowed)
            update.require(f"(attribute_not_exists({claim}) OR {claim} IN ({words}))")
            update.set(claim, items.text(list_.id))

    def _head_refused(self, change: Change, event: Event, found: Item | None) -> StoreError:
        head = items.head_of(found) if found else None
        if head is None or not _admits(head, event) or not _holds(head, change):
            return Stale()
        if any(each.user_id in head.roles for each in _of(Member, change.creates)):
            return AlreadyExists("member")
        if any(made.id == each.id for made in _of(List, change.creates) for each in head.lists):
            return AlreadyExists("list")
        holders = {each.external_id: each.id for each in head.lists if each.external_id is not None}
        for list_ in _of(List, (*change.updates, *change.creates)):
            external_id = list_.external_id
            if external_id is None or list_.deleted_at is not None:
                continue
            if holders.get(external_id, list_.id) != list_.id:
                return AlreadyExists("list.external_id")
            if external_id in head.names:
                self._circumstances.names[external_id] = head.names[external_id]
        return Again("A list that has vanished claims an external id.")

    # Cards

    def card(self, card: Card, *, is_new: bool) -> Iterator[Write]:
        """A card, and its claim to its external id."""
        yield self.part(items.card_item(card), "card", is_new=is_new)
        external_id = card.external_id
        if external_id is None or card.deleted_at is not None:
            return
        claimant = self._circumstances.claims.get(external_id, card.id)
        yield self._put(
            keys.claim_key(card.board_id, external_id) | {"card_id": items.text(card.id)},
            "attribute_not_exists(#pk) OR #card_id IN (:self, :claimant)",
            partial(_claim_refused, external_id),
            {":self": items.text(card.id), ":claimant": items.text(claimant)},
        )
        if claimant in self._circumstances.vanished:
            update = _Update()
            update.remove("#external_id")
            update.require("attribute_exists(#pk)")
            yield Write("Update", update.request(self._table, keys.card_key(card.board_id, claimant)), _is_stale)

    def moved(self, board_id: str) -> Iterator[Write]:
        """Other cards of a list, in their new places."""
        for before, after in self._circumstances.moved:
            update = _Update()
            update.set("#rank", items.text(after.rank))
            update.set("#place", items.text(keys.place(after.list_id, after.rank)))
            update.require("#place = :was", was=items.text(keys.place(before.list_id, before.rank)))
            yield Write("Update", update.request(self._table, keys.card_key(board_id, after.card_id)), _has_moved_on)

    def _put(
        self,
        item: Item,
        condition: str,
        refusal: Callable[[Item | None], StoreError],
        values: Item | None = None,
    ) -> Write:
        request = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": named(condition),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if values:
            request["ExpressionAttributeValues"] = values
        return Write("Put", request, refusal)


class _Update:
    """An update of one item, put together piece by piece."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self._values: Item = {}
        self._sets: list[str] = []
        self._removes: list[str] = []
        self._conditions: list[str] = []

    def name(self, attribute: str) -> str:
        """A stand-in for the name of an attribute."""
        sign = f"#n{len(self.names)}"
        self.names[sign] = attribute
        return sign

    def value(self, value: Item) -> str:
        """A stand-in for a value."""
        sign = f":v{len(self._values)}"
        self._values[sign] = value
        return sign

    def set(self, path: str, value: Item) -> str:
        """Put a value at that path, which is also answered."""
        self._sets.append(f"{path} = {self.value(value)}")
        return path

    def remove(self, path: str) -> None:
        """Take away what is at that path."""
        self._removes.append(path)

    def require(self, condition: str, **values: Item) -> None:
        """Write only if that holds, with these values in it."""
        self._conditions.append(condition)
        self._values |= {f":{name}": value for name, value in values.items()}

    def request(self, table: str, key: Item) -> dict[str, Any]:
        """As DynamoDB wants it."""
        parts = [("SET", self._sets), ("REMOVE", self._removes)]
        expression = " ".join(f"{word} {', '.join(pieces)}" for word, pieces in parts if pieces)
        condition = " AND ".join(self._conditions)
        request = {
            "TableName": table,
            "Key": key,
            "UpdateExpression": expression,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": _named(expression, condition) | self.names,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if self._values:
            request["ExpressionAttributeValues"] = self._values
        return request


def _new_head(change: Change, event: Event) -> Item:
    lists = _of(List, change.creates)
    names = {each.external_id: each.id for each in lists if each.external_id is not None}
    if len(names) < sum(each.external_id is not None for each in lists):
        raise AlreadyExists("list.external_id")
    (board,) = _of(Board, change.creates)
    members = {each.user_id: items.text(each.role) for each in _of(Member, change.creates)}
    return (
        keys.head_key(event.board_id)
        | items.board_attributes(board)
        | {
            "lists": {"M": {each.id: {"M": items.list_attributes(each)} for each in lists}},
            "members": {"M": members},
            "names": {"M": {external_id: items.text(claimant) for external_id, claimant in names.items()}},
            "last": items.text(""),
        }
    )


def _admits(head: Head, event: Event) -> bool:
    """Whether the event may follow what is there."""
    role = head.roles.get(event.actor_id)
    fits = head.board.seq == event.seq - 1 and head.board.deleted_at is None
    return fits and role is not None and role.covers(Role.EDITOR)


def _holds(head: Head, change: Change) -> bool:
    """Whether what the change updates is there."""
    known = {each.id for each in head.lists}
    return all(each.id in known for each in _of(List, change.updates)) and all(
        each.user_id in head.roles for each in _of(Member, change.updates)
    )


def _is_stale(_: Item | None) -> StoreError:
    return Stale()


def _has_moved_on(_: Item | None) -> StoreError:
    return MovedOn()


def _claim_refused(external_id: str, found: Item | None) -> StoreError:
    return Claimed(external_id, found["card_id"]["S"]) if found else AlreadyExists("card.external_id")


def _of(kind: type[Kind], values: Iterable[object]) -> list[Kind]:
    return [each for each in values if isinstance(each, kind)]


@cache
def named(expression: str) -> Mapping[str, str]:
    """The attributes of an expression by their stand-ins: '#rank' for rank, as some are words of the language."""
    return {f"#{word}": word for word in _WORD.findall(expression)}


def _named(*expressions: str) -> dict[str, str]:
    return {f"#{word}": word for expression in expressions for word in _WORD.findall(expression)}
