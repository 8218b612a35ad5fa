"""Reading the table: by key, by stretch of a partition, and a board with what is asked for beside it."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from kanban.store import Busy
from kanban.values import Board, Card, Role
from stores import dynamodb_items as items
from stores import dynamodb_keys as keys
from stores.dynamodb_client import Answer, Calls
from stores.dynamodb_items import Head, Placed
from stores.dynamodb_keys import Item

_LARGEST_LIMIT = 1000
_MOST_HEADS = 100
_MOST_HOLDERS = 10_000

_BOARD_PATHS = (
    *("#pk", "#name", "#description", "#currency", "#hourly_rate_minor", "#seq", "#version"),
    *("#created_at", "#updated_at", "#deleted_at", "#members.#user"),
)
_BOARD_NAMES = {sign: sign[1:] for path in _BOARD_PATHS for sign in path.split(".")}


Kept = TypeVar("Kept")


class Reading:
    """Reads one table. Everything is read as it is at the moment, never from a copy that lags behind.

    `seen` are the heads that were read last, to be looked at again before they are believed.
    """

    def __init__(self, calls: Calls, table: str) -> None:
        self._calls = calls
        self._table = table
        self.seen: OrderedDict[str, Head] = OrderedDict()
        self._holders: OrderedDict[str, tuple[str, str]] = OrderedDict()

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
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "#pk = :pk AND #key BETWEEN :first AND :last",
            "ExpressionAttributeNames": {"#pk": "pk", "#key": index or "sk", **(names or {})},
            "ExpressionAttributeValues": {
                ":pk": items.text(pk),
                ":first": items.text(first),
                ":last": items.text(last),
                **(values or {}),
            },
            "ConsistentRead": True,
            "ScanIndexForward": not backwards,
            "Limit": min(wanted, _LARGEST_LIMIT),
        }
        if index:
            request["IndexName"] = index
        if filtered:
            request["FilterExpression"] = filtered
        while True:
            answer = self._calls("query", **request)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
            if filtered:
                # A filter that lets little through is asked for more and more at once.
                request["Limit"] = min(request["Limit"] * 2, _LARGEST_LIMIT)

    def on_board(self, board_id: str) -> Callable[..., Iterator[Item]]:
        """`between`, in the partition of that board."""
        return partial(self.between, f"B#{board_id}")

    def head(self, board_id: str) -> Head | None:
        """The head of a board."""
        item = self.item(keys.head_key(board_id))
        return self._seen(items.head_of(item)) if item else None

    def _seen(self, head: Head) -> Head:
        return _keep(self.seen, head.board.id, head, _MOST_HEADS)

    def head_and_cards(self, board_id: str, card_ids: Sequence[str]) -> tuple[Head | None, dict[str, Card]]:
        """The head, and the cards that are live and in a live list, all of one moment."""
        if not card_ids:
            return self.head(board_id), {}
        found = self.together(keys.head_key(board_id), *(keys.card_key(board_id, each) for each in card_ids))
        if found[0] is None:
            return None, {}
        head = self._seen(items.head_of(found[0]))
        live = {each.id for each in head.lists}
        cards = [items.card_of(each) for each in found[1:] if each and not items.is_deleted(each)]
        return head, {each.id: each for each in cards if each.list_id in live}

    def beside(
        self, head: Head, list_id: str, rank: str, side: str, *, count: int, without: Collection[str] = ()
    ) -> list[Placed]:
        """The cards next to a place in a list, deleted ones too, the nearest first."""
        here, backwards = keys.place(list_id, rank), side == "before"
        span = (f"{list_id}#", keys.before(here)) if backwards else (here + keys.AFTER, f"{list_id}$")
        # A query may come between the parts of the last write, which the head is of already.
        last = {each.card_id: each for each in head.last}
        wanted = count + len(last) + len(without)
        query = self.on_board(head.board.id)(*span, index="place", backwards=backwards, wanted=wanted)
        found = {each.card_id: each for each in map(items.placed_of, islice(query, wanted))} | last
        fitting = [
            each
            for each in found.values()
            if each.card_id not in without
            and each.list_id == list_id
            and (each.rank < rank if backwards else each.rank > rank)
        ]
        return sorted(fitting, key=lambda each: each.rank, reverse=backwards)[:count]

    def boards(self, user_id: str, board_ids: Sequence[str]) -> list[tuple[Board, Role]]:
        """The live ones of these boards as far as the user is a member, newest first."""
        if not board_ids:
            return []
        wanted = [keys.head_key(each) for each in board_ids]
        found = self.each(wanted, _BOARD_PATHS, _BOARD_NAMES | {"#user": user_id})
        boards = [
            (items.board_of(each), role)
            for each in found
            if not items.is_deleted(each) and (role := items.role_of(each, user_id)) is not None
        ]
        return sorted(boards, key=lambda each: each[0].id, reverse=True)

    def holder(self, digest_or_id: str, *, patient: bool = True) -> tuple[str, str] | None:
        """The user and the id of a token. That never changes, so it is looked up once."""
        known = self._holders.get(digest_or_id)
        if known is not None:
            return known
        item = self.item(keys.holder_key(digest_or_id), patient=patient)
        if item is None:
            return None
        return _keep(self._holders, digest_or_id, (item["user_id"]["S"], item["token_id"]["S"]), _MOST_HOLDERS)


def _keep(known: OrderedDict[str, Kept], key: str, value: Kept, most: int) -> Kept:
    """Keep it among the last few that were seen."""
    known[key] = value
    if len(known) > most:
        with suppress(KeyError):
            # Another thread may have done it.
            known.popitem(last=False)
    return value
