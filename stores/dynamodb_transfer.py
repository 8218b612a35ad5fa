"""Cards that move to another board, with all their parts.

A card and its parts stand in the partition of their board, so the parts are copied. As many as fit go in the
transaction that writes both heads and the card. Where they are more, they are sent ahead: nobody sees parts whose card
is not there. Whoever writes such parts, or erases them, first puts a nonce of its own at the card's place for
newcomers, and writes only while it is there. A mover looks at that place before it reads what stands there of earlier
visits: if somebody is at it, it takes the place over, and its last transaction leaves the place empty, on condition
that nobody was at it meanwhile. So a purge and a mover, or two movers, never mix what they write.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from kanban.store import Busy, StaleRead
from kanban.timeclock import count_entry_seconds
from kanban.values import Card, Change, Checklist, Comment, Event, Part, TimeEntry
from stores import dynamodb_keys as keys
from stores.dynamodb_attributes import text
from stores.dynamodb_cards import Assigned, assigned_of, card_of, carried_item, part_of
from stores.dynamodb_client import Calls, Cancelled
from stores.dynamodb_expressions import MOST_BYTES, Write, delete, of, put
from stores.dynamodb_keys import Item
from stores.dynamodb_reading import Reading, Seen

_MOST_AT_ONCE = 99
_MANY = 1000
_MOST_LOOKS = 4


@dataclass(slots=True)
class Luggage:
    """What comes along with a card.

    `home` is the board that it leaves, as it was when that was decided; `parts` are its parts as they are there, and
    `copies` as they shall stand on the new board; `strays` what stands there of an earlier visit. `nonce` is at the
    card's place for newcomers, once this mover has taken it; `is_ahead` tells that the parts are there.
    """

    card: Card
    home: Seen
    board_id: str
    at: str
    parts: Sequence[Item] = ()
    copies: Sequence[Item] = ()
    strays: Sequence[Item] = ()
    nonce: str | None = None
    is_ahead: bool = False

    @property
    def was_assigned(self) -> Assigned:
        """Who was assigned to the card on the board that it leaves."""
        return self.home.assigned[self.card.id]


class Transfer:
    """Moves parts of cards within one table."""

    def __init__(self, calls: Calls, reading: Reading, table: str) -> None:
        self._calls = calls
        self._reading = reading
        self._table = table

    def packed(self, change: Change, event: Event) -> Luggage:
        """What the card of that change has with it. Raises Stale when its board has changed since."""
        left = change.departure.event if change.departure else None
        arriving = arriving_card(change)
        if left is None or arriving is None:
            raise ValueError("A card that moves to another board stands in the updates, with an event of both boards.")
        home_id, card_id = left.board_id, arriving.id
        place = keys.newcomer_key(event.board_id, card_id)
        head, (item, newcomer) = self._reading.moment(home_id, [keys.card_key(home_id, card_id), place])
        if head is None or item is None or head.board.seq != left.seq - 1:
            raise StaleRead
        card = card_of(item)
        luggage = Luggage(
            card, Seen(head, {card_id: assigned_of(item)}), event.board_id, keys.format_timestamp(event.at)
        )
        if newcomer is not None:
            # Whoever is at the place writes nothing any more: the strays that are read next are all that there will be.
            self._take_place(luggage, newcomer)
        parts = self._all_parts(card)
        strays = {each["sk"]["S"]: each for each in self._parts(event.board_id, card_id)}
        for each in parts:
            strays.pop(each["sk"]["S"], None)
        luggage.parts = parts
        luggage.copies = [carried_item(each, event.board_id, change.membership_ids) for each in parts]
        luggage.strays = [*strays.values()]
        return luggage

    def carried(self, luggage: Luggage, written: Sequence[Write]) -> list[Write]:
        """The parts of the last transaction that bring the luggage, beside what is written anyway."""
        known = {each.key for each in written}
        copies = [each for each in luggage.copies if (each["pk"]["S"], each["sk"]["S"]) not in known]
        arrivals = [*(self._put(each) for each in copies), *(self._delete(_key(each)) for each in luggage.strays)]
        old = [self._left_behind(each) for each in luggage.parts]
        room = _MOST_AT_ONCE + 1 - len(written)
        size = len(arrivals) + len(self._departure(luggage)) + 1
        if luggage.is_ahead or size > room or sum(each.size for each in arrivals) > MOST_BYTES:
            self._send_ahead(luggage, arrivals)
            arrivals = []
        arrivals += self._departure(luggage)
        if len(arrivals) + len(old) > room or sum(each.size for each in (*arrivals, *old)) > MOST_BYTES:
            self._look_again(luggage)
            old = [self._put(self._tombstone(luggage, luggage.card.board_id))]
        return [*arrivals, *old]

    def _left_behind(self, part: Item) -> Write:
        """The part is no longer on the board that the card leaves, on condition that it was as it was copied."""
        condition, values = "#version = :version", {":version": part["version"]}
        if "items" in part:
            # A checklist keeps its version when its items change, or when another one is moved.
            condition += " AND #rank = :rank AND #items = :items"
            values |= {":rank": part["rank"], ":items": part["items"]}
        return Write("Delete", delete(self._table, _key(part), condition, values), _is_stale)

    def _look_again(self, luggage: Luggage) -> None:
        """Raise Stale if the parts are not as they were copied, where the last transaction has no room to tell."""
        head, found = self._reading.moment(luggage.card.board_id, [*map(_key, luggage.parts)])
        if head is None or head.board.seq != luggage.home.head.board.seq or found != luggage.parts:
            raise StaleRead

    def _departure(self, luggage: Luggage) -> list[Write]:
        """Leaves nobody at the card's place for newcomers, on condition that nobody else was at it."""
        place = self._place(luggage)
        if luggage.nonce is None:
            return [Write("Delete", delete(self._table, place, "attribute_not_exists(#pk)"), _is_stale)]
        own = delete(self._table, place, "#nonce = :nonce", {":nonce": text(luggage.nonce)})
        return [Write("Delete", own, _is_stale), self._delete(self._tombstone(luggage, luggage.board_id))]

    def _send_ahead(self, luggage: Luggage, arrivals: Sequence[Write]) -> None:
        """Write the parts on the new board, once. Raises Stale when the card is there, or somebody else is at it."""
        if luggage.is_ahead:
            return
        nonce = luggage.nonce or self._take_place(luggage, None)
        own = self._place(luggage) | {"nonce": text(nonce)}
        # A mover that is late, and whose card has long arrived, must not write over what became of the parts.
        key = keys.card_key(luggage.board_id, luggage.card.id)
        absent = delete(self._table, key, "attribute_not_exists(#pk)")
        try:
            guarded(self._calls, self._table, own, arrivals, {"ConditionCheck": absent})
        except Cancelled as cancelled:
            raise StaleRead from cancelled
        luggage.is_ahead = True

    def _take_place(self, luggage: Luggage, before: Item | None) -> str:
        """Put a nonce at the card's place for newcomers, where that other one is, or none. Raises Stale if it is not.

        A tombstone comes first: if this mover gets no further, a purge finds what is left there.
        """
        nonce = secrets.token_hex(16)
        own = self._place(luggage) | {"nonce": text(nonce)}
        condition = "#nonce = :before" if before else "attribute_not_exists(#pk)"
        values = {":before": before["nonce"]} if before else None
        self._calls("put_item", TableName=self._table, Item=self._tombstone(luggage, luggage.board_id))
        try:
            self._calls("put_item", **put(self._table, own, condition, values))
        except Cancelled as cancelled:
            # The condition also fails because the same write, whose answer was lost, has been carried out.
            if cancelled.reasons[0].get("Item") != own:
                raise StaleRead from cancelled
        luggage.nonce = nonce
        return nonce

    def _all_parts(self, card: Card) -> Sequence[Item]:
        """The parts of the card where it is.

        A query may come between the parts of the last write, which the head is of already. That is over soon: what
        does not add up then never will, and nobody is kept from moving such a card.
        """
        began = self._calls.now()
        for tries in range(1, _MOST_LOOKS):
            parts = self._parts(card.board_id, card.id)
            if _adds_up(card, [*map(part_of, parts)]):
                return parts
            self._calls.wait(tries, began, Busy("The card changes too often to be moved."))
        return self._parts(card.board_id, card.id)

    def _parts(self, board_id: str, card_id: str) -> Sequence[Item]:
        return [*self._reading.between(f"B#{board_id}", f"P#{card_id}#", f"P#{card_id}$", wanted=_MANY)]

    def _place(self, luggage: Luggage) -> Item:
        return keys.newcomer_key(luggage.board_id, luggage.card.id)

    @staticmethod
    def _tombstone(luggage: Luggage, board_id: str) -> Item:
        return keys.tombstone_key(luggage.at, "parts", board_id, luggage.card.id)

    def _put(self, item: Item) -> Write:
        return Write("Put", {"TableName": self._table, "Item": item}, _is_stale)

    def _delete(self, key: Item) -> Write:
        return Write("Delete", {"TableName": self._table, "Key": key}, _is_stale)


def arriving_card(change: Change) -> Card | None:
    """The card that comes from another board."""
    if change.departure is None or change.departure.event is None:
        return None
    named = change.departure.event.card_id
    return next((each for each in of(Card, change.updates) if named in (None, each.id)), None)


def guarded(calls: Calls, table: str, place: Item, writes: Sequence[Write], *checks: dict[str, Any]) -> None:
    """Carry them out for as long as that nonce is at the place for newcomers. Raises Cancelled when it is not."""
    own = delete(table, _key(place), "#nonce = :nonce", {":nonce": place["nonce"]})
    guards = [{"ConditionCheck": own}, *checks]
    left = [*writes]
    while left:
        bytes_so_far = accumulate(each.size for each in left)
        count = sum(size <= MOST_BYTES for size in bytes_so_far) or 1
        batch = left[: min(count, _MOST_AT_ONCE + 1 - len(guards))]
        calls("transact_write_items", TransactItems=[*guards, *(each.part for each in batch)])
        left = left[len(batch) :]


def _adds_up(card: Card, parts: Sequence[Part]) -> bool:
    """Whether these are as many comments, items of checklists, and as much time, as the card has."""
    entries = of(TimeEntry, parts)
    closed = [each for each in entries if each.ended_at]
    seconds = [count_entry_seconds(each, each.ended_at or each.started_at) for each in closed]
    return (
        card.comment_count == len(of(Comment, parts))
        and card.item_count == sum(len(each.items) for each in of(Checklist, parts))
        and card.tracked_seconds == sum(seconds)
        and card.tracked_cost == sum(each.rate_minor * spent for each, spent in zip(closed, seconds, strict=True))
        and ([card.running] if card.running else []) == [each for each in entries if not each.ended_at]
    )


def _key(item: Item) -> Item:
    return {"pk": item["pk"], "sk": item["sk"]}


def _is_stale(_: Item | None) -> StaleRead:
    return StaleRead()
