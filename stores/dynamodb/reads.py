"""Reading the table: by key, by stretch of a partition, and a board with what is asked for beside it."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from kanban.limits import MAX_CARDS_PER_LIST
from kanban.store import Busy, StaleRead
from kanban.values import Board, Card, CardRank, Role
from kanban.views import BoardView
from stores.dynamodb import board_items, card_items, keys
from stores.dynamodb.attributes import is_deleted, to_string
from stores.dynamodb.board_items import BoardHead
from stores.dynamodb.card_items import AssigneeUsers
from stores.dynamodb.client import InvalidRequest, Response, RetryingClient
from stores.dynamodb.holds import ReadAttempts
from stores.dynamodb.keys import Item
from stores.dynamodb.user_items import ancestor_ids_from_item

_MAX_QUERY_LIMIT = 1000
_MAX_CACHED_HEADS = 100
_MAX_CACHED_HOLDERS = 10_000
_MAX_TRANSACTION_ITEMS = 100

_BOARD_PATHS = (
    *("#pk", "#name", "#description", "#currency", "#hourly_rate_minor", "#seq", "#version"),
    *("#external_id", "#created_by", "#created_at", "#updated_at", "#archived_at", "#deleted_at", "#members.#user"),
)
_BOARD_NAMES = {sign: sign[1:] for path in _BOARD_PATHS for sign in path.split(".")}

Cached = TypeVar("Cached")
Result = TypeVar("Result")


@dataclass(slots=True)
class BoardSnapshot:
    """A head, and who was assigned to some of its board's cards at the same moment.

    `shown` has a hash of each card that pages have shown of that moment, as queries found it.
    """

    head: BoardHead
    assignee_users: dict[str, AssigneeUsers] = field(default_factory=dict)
    page_hashes: dict[str, int] = field(default_factory=dict)


class TokenHolder(NamedTuple):
    """Whose a token is, its id, and those of the tokens that it comes from."""

    user_id: str
    token_id: str
    ancestor_ids: tuple[str, ...]


class TableReader:
    """Reads one table. Everything is read as it is at the moment, never from a copy that lags behind.

    `seen` are the heads that were read last, to be looked at again before they are believed.
    """

    def __init__(self, client: RetryingClient, table: str) -> None:
        self._client = client
        self._table = table
        self.snapshots: OrderedDict[str, BoardSnapshot] = OrderedDict()
        self._token_holders: OrderedDict[str, TokenHolder] = OrderedDict()

    def get_item(self, key: Item, *, patient: bool = True) -> Item | None:
        """The item of that key."""
        answer = self._client("get_item", patient=patient, TableName=self._table, Key=key, ConsistentRead=True)
        return answer.get("Item")

    def transact_get(self, *item_keys: Item) -> list[Item | None]:
        """The items of those keys, in their order, all of one moment."""
        gets = [{"Get": {"TableName": self._table, "Key": key}} for key in item_keys]
        answer = self._client("transact_get_items", TransactItems=gets)
        return [each.get("Item") for each in answer["Responses"]]

    def batch_get(
        self, item_keys: Sequence[Item], paths: Sequence[str] = (), names: dict[str, str] | None = None
    ) -> Iterator[Item]:
        """The items of those keys as far as they are there, in any order, each of a moment of its own.

        Whole, or only what is at these paths.
        """
        part: Response = {"Keys": item_keys, "ConsistentRead": True}
        if paths:
            part |= {"ProjectionExpression": ", ".join(paths), "ExpressionAttributeNames": names}
        asked = {self._table: part}
        began, tries = self._client.monotonic(), 0
        while asked:
            answer = self._client("batch_get_item", RequestItems=asked)
            yield from answer["Responses"].get(self._table, ())
            asked = answer.get("UnprocessedKeys") or {}
            if asked:
                tries += 1
                self._client.back_off(tries, began, Busy("DynamoDB has too much to do."))

    def query(
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
        found = self.query_batches(
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

    def query_batches(
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
                ":pk": to_string(pk),
                ":first": to_string(first),
                ":last": to_string(last),
                **(values or {}),
            },
            "ConsistentRead": True,
            "ScanIndexForward": not backwards,
            "Limit": wanted if projection else min(wanted, _MAX_QUERY_LIMIT),
        }
        if index:
            request["IndexName"] = index
        if filtered:
            request["FilterExpression"] = filtered
        if projection:
            request["ProjectionExpression"] = projection
        while True:
            answer = self._client("query", **request)
            yield answer["Items"], answer.get("LastEvaluatedKey")
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
            if filtered:
                # A filter that lets little through is asked for more and more at once.
                request["Limit"] = min(request["Limit"] * 2, _MAX_QUERY_LIMIT)

    def board_query(self, board_id: str) -> Callable[..., Iterator[Item]]:
        """`between`, in the partition of that board."""
        return partial(self.query, f"B#{board_id}")

    def get_head(self, board_id: str, user_id: str | None = None) -> BoardHead | None:
        """The head of a board; with a user, only if that is a member."""
        item = self.get_item(keys.head_key(board_id))
        return self._cache_head(board_items.head_from_item(item)) if item and _is_visible_to(item, user_id) else None

    def get_consistent(self, board_id: str, item_keys: Sequence[Item]) -> tuple[BoardHead | None, list[Item | None]]:
        """The head, and the items of those keys in their order, all of one moment.

        For those who write: raises Stale if the board was written to meanwhile.
        """
        head, found = self._get_with_head(board_id, item_keys)
        if found is None:
            raise StaleRead
        return head, found

    def get_consistent_for_member(
        self, board_id: str, user_id: str, item_keys: Sequence[Item]
    ) -> tuple[BoardHead | None, list[Item | None]]:
        """The head, and the items of those keys in their order, all of one moment. No head but for a member."""
        attempts = self._attempts(board_id)
        head, found = self._get_with_head(board_id, item_keys, user_id)
        while head is not None:
            if found is not None:
                return head, found
            if attempts.start_next(head) is None:
                break
            head, found = self._get_with_head(board_id, item_keys, user_id)
        return None, []

    def _get_with_head(
        self, board_id: str, item_keys: Sequence[Item], user_id: str | None = None
    ) -> tuple[BoardHead | None, list[Item | None] | None]:
        """The head, and the items of those keys in their order; None for these if they are of several moments.

        With a user, no head if that is not a member.
        """
        if not item_keys:
            return self.get_head(board_id, user_id), []
        answers = self._transact_get_with_head(board_id, item_keys)
        item = answers[-1][0]
        if item is None or not _is_visible_to(item, user_id):
            return None, []
        if len({head["seq"]["N"] if head else None for head, *_ in answers}) > 1:
            return self._cache_head(board_items.head_from_item(item)), None
        found = [each for _, *rest in answers for each in rest]
        return self._cache_head(board_items.head_from_item(item), found), found

    def _transact_get_with_head(self, board_id: str, item_keys: Sequence[Item]) -> list[list[Item | None]]:
        """The items of those keys in as many transactions as they take, each with the head first."""
        size = min(len(item_keys), _MAX_TRANSACTION_ITEMS - 1)
        while True:
            parts = [item_keys[start : start + size] for start in range(0, len(item_keys), size)]
            try:
                return [self.transact_get(keys.head_key(board_id), *part) for part in parts]
            except InvalidRequest:
                # Very long texts: a transaction reads four megabytes.
                if size == 1:
                    raise
                size = (size + 1) // 2

    def get_head_and_cards(
        self, board_id: str, user_id: str, card_ids: Collection[str], other_keys: Sequence[Item] = ()
    ) -> tuple[BoardHead | None, dict[str, Card], list[Item | None]]:
        """The head, the cards that are live and in a live list, and the items of those keys; all of one moment.

        No head but for a member.
        """
        wanted = [*(keys.card_key(board_id, each) for each in card_ids), *other_keys]
        head, found = self.get_consistent_for_member(board_id, user_id, wanted)
        return (head, *_split_cards(head, found, len(card_ids))) if head else (None, {}, [])

    def read_consistent(
        self,
        board_id: str,
        user_id: str,
        read: Callable[[BoardHead], Result],
        card_ids: Callable[[Result], Collection[str]] = lambda _: (),
        part_keys: Callable[[Result], Sequence[Item]] = lambda _: (),
    ) -> tuple[BoardView, Result] | None:
        """What is read by whatever calls, seen by that member at one moment with the live ones of these cards.

        Only if nothing was written between two looks at the head is it all of one moment; else it is read again, in
        the end while writers wait. For somebody who is no member nothing but the head is read. `parts` are keys of
        parts of these cards, which are read with the head: these do not lag behind it.
        """
        seen = self.snapshots.get(board_id)
        head = seen.head if seen and seen.head.is_visible_to(user_id) else self.get_head(board_id, user_id)
        attempts = self._attempts(board_id)
        while head is not None and head.is_visible_to(user_id):
            found = read(head)
            wanted = card_ids(found)
            now, items = self._get_with_head(
                board_id, [*(keys.card_key(board_id, each) for each in wanted), *part_keys(found)], user_id
            )
            view = now.live_view_for(user_id) if now else None
            if now is None or view is None:
                return None
            if now.board.seq == head.board.seq and items is not None:
                cards, there = _split_cards(now, items, len(wanted))
                values = [card_items.part_from_item(each) for each in there if each]
                return replace(view, cards=cards, parts={each.id: each for each in values}), found
            head = attempts.start_next(now)
        return None

    def _attempts(self, board_id: str) -> ReadAttempts:
        return ReadAttempts(self._client, self._table, board_id)

    def remember_page(self, board: Board, cards: Sequence[Card]) -> None:
        """Remember what a page showed of these cards, if not for ever: some may be written as they were shown."""
        seen = self.snapshots.get(board.id)
        if seen and seen.head.board.seq == board.seq:
            known = seen.page_hashes if len(seen.page_hashes) + len(cards) <= MAX_CARDS_PER_LIST else {}
            seen.page_hashes = known | {each.id: hash(each) for each in cards if each.id not in seen.assignee_users}

    def _cache_head(self, head: BoardHead, items: Sequence[Item | None] = ()) -> BoardHead:
        seen = self.snapshots.get(head.board.id)
        if seen is None or seen.head.board.seq != head.board.seq:
            seen = BoardSnapshot(head)
        for item in items:
            if item and item["sk"]["S"].startswith("C#"):
                seen.assignee_users[item["sk"]["S"][2:]] = card_items.assignee_users_from_item(item)
        _cache(self.snapshots, head.board.id, seen, _MAX_CACHED_HEADS)
        return head

    def neighbours_of(
        self, head: BoardHead, list_id: str, rank: str, side: str, *, count: int, excluded_ids: Collection[str] = ()
    ) -> list[CardRank]:
        """The cards next to a place in a list, deleted ones too, the nearest first."""
        here, backwards = keys.rank_index_key(list_id, rank), side == "before"
        span = (f"{list_id}#", keys.key_before(here)) if backwards else (here + keys.LEAST_SUFFIX, f"{list_id}$")
        # A query may come between the parts of the last write, which the head is of already.
        last = {each.card_id: each for each in head.last_ranks}
        wanted = count + len(last) + len(excluded_ids)
        query = self.board_query(head.board.id)(*span, index="place", backwards=backwards, wanted=wanted)
        found = {each.card_id: each for each in map(card_items.card_rank_from_item, islice(query, wanted))} | last
        fitting = [
            each
            for each in found.values()
            if each.card_id not in excluded_ids
            and each.list_id == list_id
            and (each.rank < rank if backwards else each.rank > rank)
        ]
        return sorted(fitting, key=lambda each: each.rank, reverse=backwards)[:count]

    def list_card_ranks(self, board_id: str, list_id: str) -> tuple[CardRank, ...]:
        """The places of all cards of a list, in order."""
        found = self.query_batches(
            f"B#{board_id}",
            f"{list_id}#",
            f"{list_id}$",
            wanted=MAX_CARDS_PER_LIST,
            index="place",
            projection="sk, list_id, #rank, archived_at, deleted_at",
            names={"#rank": "rank"},
        )
        return tuple(card_items.card_rank_from_item(each) for batch, _ in found for each in batch)

    def get_boards(self, user_id: str, board_ids: Sequence[str]) -> list[tuple[Board, Role]]:
        """These boards as far as the user is a member, deleted ones too, newest first."""
        if not board_ids:
            return []
        wanted = [keys.head_key(each) for each in board_ids]
        found = self.batch_get(wanted, _BOARD_PATHS, _BOARD_NAMES | {"#user": user_id})
        boards = [
            (board_items.board_from_item(each), role)
            for each in found
            if (role := board_items.role_from_item(each, user_id)) is not None
        ]
        return sorted(boards, key=lambda each: each[0].id, reverse=True)

    def get_token_holder(self, digest_or_id: str, *, patient: bool = True) -> TokenHolder | None:
        """Whose token that is. That never changes, so it is looked up once; a digest can be replaced by another one."""
        known = self._token_holders.get(digest_or_id)
        if known is not None:
            return known
        item = self.get_item(keys.token_holder_key(digest_or_id), patient=patient)
        if item is None:
            return None
        holder = TokenHolder(item["user_id"]["S"], item["token_id"]["S"], ancestor_ids_from_item(item))
        return _cache(self._token_holders, digest_or_id, holder, _MAX_CACHED_HOLDERS)


def _cache(cache: OrderedDict[str, Cached], key: str, value: Cached, max_size: int) -> Cached:
    """Keep it among the last few that were seen."""
    cache[key] = value
    if len(cache) > max_size:
        with suppress(KeyError):
            # Another thread may have done it.
            cache.popitem(last=False)
    return value


def _is_visible_to(head: Item, user_id: str | None) -> bool:
    """Whether a head may be shown to a user; to everybody where none is named."""
    return user_id is None or board_items.role_from_item(head, user_id) is not None


def _split_cards(
    head: BoardHead, items: Sequence[Item | None], count: int
) -> tuple[dict[str, Card], list[Item | None]]:
    """Of items, the first ones as cards that are live and in a live list; and the others."""
    cards = [card_items.card_from_item(each) for each in items[:count] if each and not is_deleted(each)]
    return {each.id: each for each in cards if head.has_list(each.list_id)}, [*items[count:]]
