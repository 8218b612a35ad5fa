"""Reading the table: by key, by stretch of a partition, and a board with what is asked for beside it."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from kanban.store import Busy, StaleRead
from kanban.values import MAX_CARDS_PER_LIST, Board, BoardView, Card, CardRank, Role
from stores import dynamodb_cards, dynamodb_heads
from stores import dynamodb_keys as keys
from stores.dynamodb_attributes import is_deleted, text
from stores.dynamodb_cards import Assigned
from stores.dynamodb_client import Answer, Calls, Rejected
from stores.dynamodb_heads import Head
from stores.dynamodb_holds import Attempts
from stores.dynamodb_items import ancestor_ids_of
from stores.dynamodb_keys import Item

_LARGEST_LIMIT = 1000
_MOST_HEADS = 100
_MOST_HOLDERS = 10_000
_MOST_AT_ONCE = 100

_BOARD_PATHS = (
    *("#pk", "#name", "#description", "#currency", "#hourly_rate_minor", "#seq", "#version"),
    *("#external_id", "#created_by", "#created_at", "#updated_at", "#archived_at", "#deleted_at", "#members.#user"),
)
_BOARD_NAMES = {sign: sign[1:] for path in _BOARD_PATHS for sign in path.split(".")}

Kept = TypeVar("Kept")
Found = TypeVar("Found")


@dataclass(slots=True)
class Seen:
    """A head, and who was assigned to some of its board's cards at the same moment.

    `shown` has a hash of each card that pages have shown of that moment, as queries found it.
    """

    head: Head
    assigned: dict[str, Assigned] = field(default_factory=dict)
    shown: dict[str, int] = field(default_factory=dict)


class Holder(NamedTuple):
    """Whose a token is, its id, and those of the tokens that it comes from."""

    user_id: str
    token_id: str
    ancestor_ids: tuple[str, ...]


class Reading:
    """Reads one table. Everything is read as it is at the moment, never from a copy that lags behind.

    `seen` are the heads that were read last, to be looked at again before they are believed.
    """

    def __init__(self, calls: Calls, table: str) -> None:
        self._calls = calls
        self._table = table
        self.seen: OrderedDict[str, Seen] = OrderedDict()
        self._holders: OrderedDict[str, Holder] = OrderedDict()

    def item(self, key: Item, *, patient: bool = True) -> Item | None:
        """The item of that key."""
        answer = self._calls("get_item", patient=patient, TableName=self._table, Key=key, ConsistentRead=True)
        return answer.get("Item")

    def together(self, *wanted: Item) -> list[Item | None]:
        """The items of those keys, in their order, all of one moment."""
        gets = [{"Get": {"TableName": self._table, "Key": key}} for key in wanted]
        answer = self._calls("transact_get_items", TransactItems=gets)
        return [each.get("Item") for each in answer["Responses"]]

    def each(
        self, wanted: Sequence[Item], paths: Sequence[str] = (), names: dict[str, str] | None = None
    ) -> Iterator[Item]:
        """The items of those keys as far as they are there, in any order, each of a moment of its own.

        Whole, or only what is at these paths.
        """
        part: Answer = {"Keys": wanted, "ConsistentRead": True}
        if paths:
            part |= {"ProjectionExpression": ", ".join(paths), "ExpressionAttributeNames": names}
        asked = {self._table: part}
        began, tries = self._calls.now(), 0
        while asked:
            answer = self._calls("batch_get_item", RequestItems=asked)
            yield from answer["Responses"].get(self._table, ())
            asked = answer.get("UnprocessedKeys") or {}
            if asked:
                tries += 1
                self._calls.wait(tries, began, Busy("DynamoDB has too much to do."))

    def between(
        self,
        pk: str,
        first: str,
        last: str,
        *,
        wanted: int,
        index: str | None = None,
        backwards: bool = False,
        filtered: str | None = None,
        names: Item | None = None,
        values: Item | None = None,
    ) -> Iterator[Item]:
        """The items of a partition from one sort key to another, both included.

        So many as are wanted are asked for at once, the rest as it is taken.
        """
        found = self.batches(
            pk,
            first,
            last,
            wanted=wanted,
            index=index,
            backwards=backwards,
            filtered=filtered,
            names=names,
            values=values,
        )
        for batch, _ in found:
            yield from batch

    def batches(
        self,
        pk: str,
        first: str,
        last: str,
        *,
        wanted: int,
        index: str | None = None,
        backwards: bool = False,
        filtered: str | None = None,
        projection: str | None = None,
        names: Item | None = None,
        values: Item | None = None,
    ) -> Iterator[tuple[Sequence[Item], Item | None]]:
        """As `between`, as DynamoDB answers it: some items, and the key that it went on to, None at the end."""
        if first > last:
            return
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "#pk = :pk AND #key BETWEEN :first AND :last",
            "ExpressionAttributeNames": {"#pk": "pk", "#key": index or "sk", **(names or {})},
            "ExpressionAttributeValues": {
                ":pk": text(pk),
                ":first": text(first),
                ":last": text(last),
                **(values or {}),
            },
            "ConsistentRead": True,
            "ScanIndexForward": not backwards,
            "Limit": wanted if projection else min(wanted, _LARGEST_LIMIT),
        }
        if index:
            request["IndexName"] = index
        if filtered:
            request["FilterExpression"] = filtered
        if projection:
            request["ProjectionExpression"] = projection
        while True:
            answer = self._calls("query", **request)
            yield answer["Items"], answer.get("LastEvaluatedKey")
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
            if filtered:
                # A filter that lets little through is asked for more and more at once.
                request["Limit"] = min(request["Limit"] * 2, _LARGEST_LIMIT)

    def on_board(self, board_id: str) -> Callable[..., Iterator[Item]]:
        """`between`, in the partition of that board."""
        return partial(self.between, f"B#{board_id}")

    def head(self, board_id: str, user_id: str | None = None) -> Head | None:
        """The head of a board; with a user, only if that is a member."""
        item = self.item(keys.head_key(board_id))
        return self._saw(dynamodb_heads.head_of(item)) if item and _is_shown(item, user_id) else None

    def moment(self, board_id: str, wanted: Sequence[Item]) -> tuple[Head | None, list[Item | None]]:
        """The head, and the items of those keys in their order, all of one moment.

        For those who write: raises Stale if the board was written to meanwhile.
        """
        head, found = self._look(board_id, wanted)
        if found is None:
            raise StaleRead
        return head, found

    def members_moment(
        self, board_id: str, user_id: str, wanted: Sequence[Item]
    ) -> tuple[Head | None, list[Item | None]]:
        """The head, and the items of those keys in their order, all of one moment. No head but for a member."""
        attempts = self._attempts(board_id)
        head, found = self._look(board_id, wanted, user_id)
        while head is not None:
            if found is not None:
                return head, found
            if attempts.next(head) is None:
                break
            head, found = self._look(board_id, wanted, user_id)
        return None, []

    def _look(
        self, board_id: str, wanted: Sequence[Item], user_id: str | None = None
    ) -> tuple[Head | None, list[Item | None] | None]:
        """The head, and the items of those keys in their order; None for these if they are of several moments.

        With a user, no head if that is not a member.
        """
        if not wanted:
            return self.head(board_id, user_id), []
        answers = self._in_transactions(board_id, wanted)
        item = answers[-1][0]
        if item is None or not _is_shown(item, user_id):
            return None, []
        if len({head["seq"]["N"] if head else None for head, *_ in answers}) > 1:
            return self._saw(dynamodb_heads.head_of(item)), None
        found = [each for _, *rest in answers for each in rest]
        return self._saw(dynamodb_heads.head_of(item), found), found

    def _in_transactions(self, board_id: str, wanted: Sequence[Item]) -> list[list[Item | None]]:
        """The items of those keys in as many transactions as they take, each with the head first."""
        size = min(len(wanted), _MOST_AT_ONCE - 1)
        while True:
            parts = [wanted[start : start + size] for start in range(0, len(wanted), size)]
            try:
                return [self.together(keys.head_key(board_id), *part) for part in parts]
            except Rejected:
                # Very long texts: a transaction reads four megabytes.
                if size == 1:
                    raise
                size = (size + 1) // 2

    def head_and_cards(
        self, board_id: str, user_id: str, card_ids: Collection[str], others: Sequence[Item] = ()
    ) -> tuple[Head | None, dict[str, Card], list[Item | None]]:
        """The head, the cards that are live and in a live list, and the items of those keys; all of one moment.

        No head but for a member.
        """
        wanted = [*(keys.card_key(board_id, each) for each in card_ids), *others]
        head, found = self.members_moment(board_id, user_id, wanted)
        return (head, *_parted(head, found, len(card_ids))) if head else (None, {}, [])

    def settled(
        self,
        board_id: str,
        user_id: str,
        read: Callable[[Head], Found],
        card_ids: Callable[[Found], Collection[str]] = lambda _: (),
        parts: Callable[[Found], Sequence[Item]] = lambda _: (),
    ) -> tuple[BoardView, Found] | None:
        """What is read by whatever calls, seen by that member at one moment with the live ones of these cards.

        Only if nothing was written between two looks at the head is it all of one moment; else it is read again, in
        the end while writers wait. For somebody who is no member nothing but the head is read. `parts` are keys of
        parts of these cards, which are read with the head: these do not lag behind it.
        """
        seen = self.seen.get(board_id)
        head = seen.head if seen and seen.head.is_open_to(user_id) else self.head(board_id, user_id)
        attempts = self._attempts(board_id)
        while head is not None and head.is_open_to(user_id):
            found = read(head)
            wanted = card_ids(found)
            now, items = self._look(
                board_id, [*(keys.card_key(board_id, each) for each in wanted), *parts(found)], user_id
            )
            view = now.seen_by(user_id) if now else None
            if now is None or view is None:
                return None
            if now.board.seq == head.board.seq and items is not None:
                cards, there = _parted(now, items, len(wanted))
                values = [dynamodb_cards.part_of(each) for each in there if each]
                return replace(view, cards=cards, parts={each.id: each for each in values}), found
            head = attempts.next(now)
        return None

    def _attempts(self, board_id: str) -> Attempts:
        return Attempts(self._calls, self._table, board_id)

    def showed(self, board: Board, cards: Sequence[Card]) -> None:
        """Remember what a page showed of these cards, if not for ever: some may be written as they were shown."""
        seen = self.seen.get(board.id)
        if seen and seen.head.board.seq == board.seq:
            known = seen.shown if len(seen.shown) + len(cards) <= MAX_CARDS_PER_LIST else {}
            seen.shown = known | {each.id: hash(each) for each in cards if each.id not in seen.assigned}

    def _saw(self, head: Head, found: Sequence[Item | None] = ()) -> Head:
        seen = self.seen.get(head.board.id)
        if seen is None or seen.head.board.seq != head.board.seq:
            seen = Seen(head)
        for item in found:
            if item and item["sk"]["S"].startswith("C#"):
                seen.assigned[item["sk"]["S"][2:]] = dynamodb_cards.assigned_of(item)
        _keep(self.seen, head.board.id, seen, _MOST_HEADS)
        return head

    def beside(
        self, head: Head, list_id: str, rank: str, side: str, *, count: int, without: Collection[str] = ()
    ) -> list[CardRank]:
        """The cards next to a place in a list, deleted ones too, the nearest first."""
        here, backwards = keys.place(list_id, rank), side == "before"
        span = (f"{list_id}#", keys.before(here)) if backwards else (here + keys.AFTER, f"{list_id}$")
        # A query may come between the parts of the last write, which the head is of already.
        last = {each.card_id: each for each in head.last}
        wanted = count + len(last) + len(without)
        query = self.on_board(head.board.id)(*span, index="place", backwards=backwards, wanted=wanted)
        found = {each.card_id: each for each in map(dynamodb_cards.placed_of, islice(query, wanted))} | last
        fitting = [
            each
            for each in found.values()
            if each.card_id not in without
            and each.list_id == list_id
            and (each.rank < rank if backwards else each.rank > rank)
        ]
        return sorted(fitting, key=lambda each: each.rank, reverse=backwards)[:count]

    def placed(self, board_id: str, list_id: str) -> tuple[CardRank, ...]:
        """The places of all cards of a list, in order."""
        found = self.batches(
            f"B#{board_id}",
            f"{list_id}#",
            f"{list_id}$",
            wanted=MAX_CARDS_PER_LIST,
            index="place",
            projection="sk, list_id, #rank, archived_at, deleted_at",
            names={"#rank": "rank"},
        )
        return tuple(dynamodb_cards.placed_of(each) for batch, _ in found for each in batch)

    def boards(self, user_id: str, board_ids: Sequence[str]) -> list[tuple[Board, Role]]:
        """These boards as far as the user is a member, deleted ones too, newest first."""
        if not board_ids:
            return []
        wanted = [keys.head_key(each) for each in board_ids]
        found = self.each(wanted, _BOARD_PATHS, _BOARD_NAMES | {"#user": user_id})
        boards = [
            (dynamodb_heads.board_of(each), role)
            for each in found
            if (role := dynamodb_heads.role_of(each, user_id)) is not None
        ]
        return sorted(boards, key=lambda each: each[0].id, reverse=True)

    def holder(self, digest_or_id: str, *, patient: bool = True) -> Holder | None:
        """Whose token that is. That never changes, so it is looked up once; a digest can be replaced by another one."""
        known = self._holders.get(digest_or_id)
        if known is not None:
            return known
        item = self.item(keys.holder_key(digest_or_id), patient=patient)
        if item is None:
            return None
        holder = Holder(item["user_id"]["S"], item["token_id"]["S"], ancestor_ids_of(item))
        return _keep(self._holders, digest_or_id, holder, _MOST_HOLDERS)


def _keep(known: OrderedDict[str, Kept], key: str, value: Kept, most: int) -> Kept:
    """Keep it among the last few that were seen."""
    known[key] = value
    if len(known) > most:
        with suppress(KeyError):
            # Another thread may have done it.
            known.popitem(last=False)
    return value


def _is_shown(head: Item, user_id: str | None) -> bool:
    """Whether a head may be shown to a user; to everybody where none is named."""
    return user_id is None or dynamodb_heads.role_of(head, user_id) is not None


def _parted(head: Head, found: Sequence[Item | None], count: int) -> tuple[dict[str, Card], list[Item | None]]:
    """Of items, the first ones as cards that are live and in a live list; and the others."""
    cards = [dynamodb_cards.card_of(each) for each in found[:count] if each and not is_deleted(each)]
    return {each.id: each for each in cards if head.has_list(each.list_id)}, [*found[count:]]
