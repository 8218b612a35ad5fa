"""Reads of the table: by key, by a range of sort keys, and a board with what is read beside it at the same moment."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from kanban.fields import describe
from kanban.limits import MAX_CARDS_PER_LIST
from kanban.store import Busy
from kanban.values import Board, Card, CardRank, Role
from kanban.views import BoardView
from stores.dynamodb import board_items, card_items, keys
from stores.dynamodb.attributes import is_deleted, to_string
from stores.dynamodb.board_items import BoardHead
from stores.dynamodb.calls import Response
from stores.dynamodb.card_items import AssigneeUsers
from stores.dynamodb.client import InvalidRequest, RetryingClient
from stores.dynamodb.expressions import NO_NAMES, NO_VALUES, attribute_names
from stores.dynamodb.keys import Item
from stores.dynamodb.read_attempts import ReadAttempts
from stores.dynamodb.user_items import ancestor_ids_from_item

MAX_BATCH_KEYS = 100
"""How many items DynamoDB reads at once by their keys, in a batch or in a transaction."""

MAX_PAGE_READS = 4
"""How often a page that finds too little reads on before it ends early."""

_MAX_QUERY_LIMIT = 1000
_MAX_CACHED_HEADS = 100
_MAX_CACHED_HOLDERS = 10_000
_MAX_KNOWN_MEMBERS = 10_000

_MAX_BATCH_BOARDS = MAX_BATCH_KEYS // 2
_ITEMS_OF_BOARD = 2
"""The head and the tip."""

# The id of a board is in its key, its seq in the tip.
_BOARD_PATHS = (
    "#pk",
    "#sk",
    "#head_seq",
    *(f"#{field.name}" for field in describe(Board) if field.name != "id"),
    "#members.#user",
)
_BOARD_NAMES = {placeholder: placeholder[1:] for path in _BOARD_PATHS for placeholder in path.split(".")}

Key = TypeVar("Key")
Cached = TypeVar("Cached")
Result = TypeVar("Result")


class Filter(NamedTuple):
    """A filter of a query, which leaves out items after they were read.

    Attributes:
        expression: The condition, with '#name' for the attribute `name`.
        values: The values that the expression names.
        names: Placeholders that stand for something else: '#member' for an id.
    """

    expression: str
    values: Item = NO_VALUES
    names: Mapping[str, str] = NO_NAMES

    @property
    def all_names(self) -> Mapping[str, str]:
        """What all placeholders for attributes stand for."""
        return attribute_names(self.expression) | {**self.names}


@dataclass(slots=True)
class CachedBoard:
    """What this process has seen of a board at one seq.

    Attributes:
        head: The board's head.
        assignee_users: Who was assigned to cards that were read by their keys, by card id.
        page_hashes: A hash of each card that pages have shown, as queries found it, by card id.
    """

    head: BoardHead
    assignee_users: dict[str, AssigneeUsers] = field(default_factory=dict)
    page_hashes: dict[str, int] = field(default_factory=dict)


class TokenHolder(NamedTuple):
    """Whose a token is, its id, and the ids of its ancestors."""

    user_id: str
    token_id: str
    ancestor_ids: tuple[str, ...]


class TableReader:
    """Reads one table, always consistently: never from a copy that lags behind.

    What is called a head here is a board, as its head and its tip have it. Those that it saw last are kept: a read may
    begin with one, but is compared with the present one. For a user whom this process does not know as a member of the
    board, the membership is read first, and nothing else if there is none: so a board that exists costs them what a
    missing one does.
    """

    def __init__(self, client: RetryingClient, table: str) -> None:
        self._client = client
        self._table = table
        self._boards: OrderedDict[str, CachedBoard] = OrderedDict()
        self._token_holders: OrderedDict[str, TokenHolder] = OrderedDict()
        self._known_members: OrderedDict[tuple[str, str], bool] = OrderedDict()

    # By key

    def get_item(self, key: Item, *, retries: bool = True) -> Item | None:
        """Return the item of that key, None if there is none."""
        response = self._client("get_item", retries=retries, TableName=self._table, Key=key, ConsistentRead=True)
        return response.get("Item")

    def transact_get(self, *item_keys: Item) -> list[Item | None]:
        """Return the items of those keys, in their order, all of one moment."""
        gets = [{"Get": {"TableName": self._table, "Key": key}} for key in item_keys]
        response = self._client("transact_get_items", TransactItems=gets)
        return [result.get("Item") for result in response["Responses"]]

    def batch_get(
        self, item_keys: Sequence[Item], paths: Sequence[str] = (), names: dict[str, str] | None = None
    ) -> Iterator[Item]:
        """Yield the items of those keys that exist, in any order and not of one moment.

        With `paths`, only these attributes are read; `names` has the placeholders in them.
        """
        request: Response = {"Keys": item_keys, "ConsistentRead": True}
        if paths:
            request |= {"ProjectionExpression": ", ".join(paths), "ExpressionAttributeNames": names}
        unprocessed = {self._table: request}
        started_at, attempts = self._client.monotonic(), 0
        while unprocessed:
            response = self._client("batch_get_item", RequestItems=unprocessed)
            yield from response["Responses"].get(self._table, ())
            unprocessed = response.get("UnprocessedKeys") or {}
            if unprocessed:
                attempts += 1
                self._client.back_off(attempts, started_at, Busy("DynamoDB has too much to do."))

    # By a range of sort keys

    def query(
        self,
        partition_key: str,
        first: str,
        last: str,
        *,
        page_size: int,
        index: str | None = None,
        backwards: bool = False,
        filter_by: Filter | None = None,
    ) -> Iterator[Item]:
        """Yield the items of a partition from one sort key to another, both included.

        `page_size` items are read at once, the next ones when those are used up.
        """
        batches = self.query_batches(
            partition_key, first, last, page_size=page_size, index=index, backwards=backwards, filter_by=filter_by
        )
        for batch, _ in batches:
            yield from batch

    def query_batches(
        self,
        partition_key: str,
        first: str,
        last: str,
        *,
        page_size: int,
        index: str | None = None,
        backwards: bool = False,
        filter_by: Filter | None = None,
        projection: str = "",
    ) -> Iterator[tuple[Sequence[Item], Item | None]]:
        """Query as `query` does; yield each response: its items, and the key that it got to, None at the end.

        With a projection, only the attributes that it names are read.
        """
        if first > last:
            return
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "#pk = :pk AND #key BETWEEN :first AND :last",
            "ExpressionAttributeNames": {
                "#pk": "pk",
                "#key": index or "sk",
                **attribute_names(projection),
                **(filter_by.all_names if filter_by else {}),
            },
            "ExpressionAttributeValues": {
                ":pk": to_string(partition_key),
                ":first": to_string(first),
                ":last": to_string(last),
                **(filter_by.values if filter_by else {}),
            },
            "ConsistentRead": True,
            "ScanIndexForward": not backwards,
            "Limit": page_size if projection else min(page_size, _MAX_QUERY_LIMIT),
        }
        if index:
            request["IndexName"] = index
        if filter_by:
            request["FilterExpression"] = filter_by.expression
        if projection:
            request["ProjectionExpression"] = projection
        while True:
            response = self._client("query", **request)
            yield response["Items"], response.get("LastEvaluatedKey")
            if "LastEvaluatedKey" not in response:
                return
            request["ExclusiveStartKey"] = response["LastEvaluatedKey"]
            if filter_by:
                # A filter that lets little through reads more and more at once.
                request["Limit"] = min(request["Limit"] * 2, _MAX_QUERY_LIMIT)

    def board_query(self, board_id: str) -> Callable[..., Iterator[Item]]:
        """Return `query` for the partition of that board."""
        return partial(self.query, f"B#{board_id}")

    # A board, and what is read with it

    def get_head(self, board_id: str, user_id: str | None = None) -> BoardHead | None:
        """Return a board; with a user, only if that is a member."""
        if not self._may_be_member(board_id, user_id):
            return None
        board_keys = _board_keys(board_id)
        items = {item["sk"]["S"]: item for item in self.batch_get(board_keys)}
        item, tip = items.get(keys.HEAD_SORT_KEY), items.get(keys.TIP_SORT_KEY)
        if item is None or not self._is_visible_to(item, board_id, user_id):
            return None
        head = board_items.head_from_items(item, tip)
        if head is None:
            # The head was written between the reads of these two.
            return self._get_in_transactions(board_id, (), user_id)[0]
        return self._cache_head(head)

    def get_unmixed_head(self, board_id: str) -> BoardHead | None:
        """Return a board as `get_head` does, but only once all writes of the last transaction to it are visible."""
        return self._get_in_transactions(board_id, (), None)[0]

    def get_with_head(
        self, board_id: str, item_keys: Sequence[Item], user_id: str | None = None
    ) -> tuple[BoardHead | None, list[Item | None] | None]:
        """Return the board and the items of those keys, in their order and of one moment.

        One transaction reads a hundred items and four megabytes. If more are needed, and the board was written to
        between them, the items are None. The head is None if there is no board, or if the given user is not a member.
        """
        if not item_keys:
            return self.get_head(board_id, user_id), []
        if not self._may_be_member(board_id, user_id):
            return None, []
        return self._get_in_transactions(board_id, item_keys, user_id)

    def _get_in_transactions(
        self, board_id: str, item_keys: Sequence[Item], user_id: str | None
    ) -> tuple[BoardHead | None, list[Item | None] | None]:
        responses = self._transact_get_with_head(board_id, item_keys)
        item, tip, *_ = responses[-1]
        is_visible = item is not None and self._is_visible_to(item, board_id, user_id)
        head = board_items.head_from_items(item, tip) if item and is_visible else None
        if head is None:
            return None, []
        if len({board_items.seq_of(*response[:_ITEMS_OF_BOARD]) for response in responses}) > 1:
            return self._cache_head(head), None
        items = [other for response in responses for other in response[_ITEMS_OF_BOARD:]]
        return self._cache_head(head, items), items

    def get_consistent_for_member(
        self, board_id: str, user_id: str, item_keys: Sequence[Item]
    ) -> tuple[BoardHead | None, list[Item | None]]:
        """Return the head and the items of those keys, in their order and of one moment, trying again if need be.

        The head is None if the user is not a member.
        """
        attempts = self.start_attempts(board_id)
        head, items = self.get_with_head(board_id, item_keys, user_id)
        while head is not None:
            if items is not None:
                return head, items
            if attempts.start_next(head) is None:
                break
            head, items = self.get_with_head(board_id, item_keys, user_id)
        return None, []

    def get_head_and_cards(
        self, board_id: str, user_id: str, card_ids: Collection[str], other_keys: Sequence[Item] = ()
    ) -> tuple[BoardHead | None, dict[str, Card], list[Item | None]]:
        """Return the head, the cards that are live and in a live list, and the items of those keys; all of one moment.

        The head is None if the user is not a member.
        """
        item_keys = [*(keys.card_key(board_id, card_id) for card_id in card_ids), *other_keys]
        head, items = self.get_consistent_for_member(board_id, user_id, item_keys)
        return (head, *_split_cards(head, items, len(card_ids))) if head else (None, {}, [])

    def read_consistent(
        self,
        board_id: str,
        user_id: str,
        read: Callable[[BoardHead], Result],
        card_ids: Callable[[Result], Collection[str]] = lambda _: (),
        part_keys: Callable[[Result], Sequence[Item]] = lambda _: (),
    ) -> tuple[BoardView, Result] | None:
        """Return what `read` returns, however many calls it takes, and the member's view of the board, of one moment.

        If the board was written to meanwhile, `read` is called again; after a few attempts, writers wait for it. For a
        user who is not a member only the head is read, and the result is None.

        Args:
            read: Called with the head.
            card_ids: Called with the result; returns the ids of cards that the view is to hold, as far as they are
                live.
            part_keys: Called with the result; returns the keys of parts of these cards that the view is to hold. They
                are read with the head, so they do not lag behind it.
        """
        head = self.get_cached_head(board_id, user_id) or self.get_head(board_id, user_id)
        attempts = self.start_attempts(board_id)
        while head is not None and head.is_visible_to(user_id):
            result = read(head)
            card_keys = [keys.card_key(board_id, card_id) for card_id in card_ids(result)]
            current, items = self.get_with_head(board_id, [*card_keys, *part_keys(result)], user_id)
            view = current.live_view_for(user_id) if current else None
            if current is None or view is None:
                return None
            if current.board.seq == head.board.seq and items is not None:
                cards, part_items = _split_cards(current, items, len(card_keys))
                parts = [card_items.part_from_item(item) for item in part_items if item]
                return view.with_cards(cards, {part.id: part for part in parts}), result
            head = attempts.start_next(current)
        return None

    def neighbours_of(
        self, head: BoardHead, list_id: str, rank: str, side: str, *, count: int, excluded_ids: Collection[str] = ()
    ) -> list[CardRank]:
        """Return the cards 'before' or 'after' a rank in a list, deleted ones too, the nearest first."""
        index_key, backwards = keys.rank_index_key(list_id, rank), side == "before"
        first, last = (
            (f"{list_id}#", keys.key_before(index_key))
            if backwards
            else (index_key + keys.NEXT_KEY_SUFFIX, f"{list_id}$")
        )
        # A query may come between the writes of the last transaction, which the head shows already.
        last_ranks = {card_rank.card_id: card_rank for card_rank in head.last_ranks}
        page_size = count + len(last_ranks) + len(excluded_ids)
        items = self.board_query(head.board.id)(first, last, index="place", backwards=backwards, page_size=page_size)
        queried = map(card_items.card_rank_from_item, islice(items, page_size))
        card_ranks = {card_rank.card_id: card_rank for card_rank in queried} | last_ranks
        neighbours = [
            card_rank
            for card_rank in card_ranks.values()
            if card_rank.card_id not in excluded_ids
            and card_rank.list_id == list_id
            and (card_rank.rank < rank if backwards else card_rank.rank > rank)
        ]
        return sorted(neighbours, key=lambda card_rank: card_rank.rank, reverse=backwards)[:count]

    def list_card_ranks(self, board_id: str, list_id: str) -> tuple[CardRank, ...]:
        """Return the ranks of all cards of a list, in order."""
        batches = self.query_batches(
            f"B#{board_id}",
            f"{list_id}#",
            f"{list_id}$",
            page_size=MAX_CARDS_PER_LIST,
            index="place",
            projection="sk, list_id, #rank, archived_at, deleted_at",
        )
        return tuple(card_items.card_rank_from_item(item) for batch, _ in batches for item in batch)

    def get_boards(self, user_id: str, board_ids: Sequence[str]) -> list[tuple[Board, Role]]:
        """Return these boards as far as the user is a member, deleted ones too, newest first."""
        heads: list[Item] = []
        tips: dict[str, Item] = {}
        for start in range(0, len(board_ids), _MAX_BATCH_BOARDS):
            item_keys = [
                key for board_id in board_ids[start : start + _MAX_BATCH_BOARDS] for key in _board_keys(board_id)
            ]
            for item in self.batch_get(item_keys, _BOARD_PATHS, _BOARD_NAMES | {"#user": user_id}):
                if item["sk"]["S"] == keys.TIP_SORT_KEY:
                    tips[item["pk"]["S"]] = item
                else:
                    heads.append(item)
        boards = [
            (board_items.board_from_items(item, tips.get(item["pk"]["S"])), role)
            for item in heads
            if (role := board_items.role_from_item(item, user_id)) is not None
        ]
        return sorted(boards, key=lambda board_and_role: board_and_role[0].id, reverse=True)

    def _transact_get_with_head(self, board_id: str, item_keys: Sequence[Item]) -> list[list[Item | None]]:
        """Return the items of those keys in as many transactions as they take, each with head and tip first."""
        size = min(max(len(item_keys), 1), MAX_BATCH_KEYS - _ITEMS_OF_BOARD)
        while True:
            parts = [item_keys[start : start + size] for start in range(0, len(item_keys), size)] or [()]
            try:
                return [self.transact_get(*_board_keys(board_id), *part) for part in parts]
            except InvalidRequest:
                # Very long texts: a transaction reads four megabytes.
                if size == 1:
                    raise
                size = (size + 1) // 2

    def start_attempts(self, board_id: str) -> ReadAttempts:
        """Return what begins one attempt of a read of that board after the other."""
        return ReadAttempts(self._client, self._table, board_id, partial(self.get_head, board_id))

    # What this process has seen

    def get_cached_board(self, board_id: str, seq: int) -> CachedBoard | None:
        """Return what this process has seen of a board at that seq."""
        cached = self._boards.get(board_id)
        return cached if cached and cached.head.board.seq == seq else None

    def get_cached_head(self, board_id: str, user_id: str) -> BoardHead | None:
        """Return the head that this process saw last, if the board was visible to that user then."""
        cached = self._boards.get(board_id)
        return cached.head if cached and cached.head.is_visible_to(user_id) else None

    def forget_board(self, board_id: str) -> None:
        """Forget what this process has seen of a board, because it was written to."""
        self._boards.pop(board_id, None)

    def forget_member(self, board_id: str, user_id: str) -> None:
        """Forget that a user is a member of a board: their next read looks it up."""
        self._known_members.pop((board_id, user_id), None)

    def remember_page(self, board: Board, cards: Sequence[Card]) -> None:
        """Remember what a page showed of these cards, for a while: some may be written as they were shown."""
        cached = self.get_cached_board(board.id, board.seq)
        if cached:
            has_room = len(cached.page_hashes) + len(cards) <= MAX_CARDS_PER_LIST
            new = {card.id: hash(card) for card in cards if card.id not in cached.assignee_users}
            cached.page_hashes = (cached.page_hashes if has_room else {}) | new

    def get_token_holder(self, digest_or_id: str, *, retries: bool = True) -> TokenHolder | None:
        """Return whose token has that digest or id.

        That never changes, so it is read once; but a token can get another digest.
        """
        cached = self._token_holders.get(digest_or_id)
        if cached is not None:
            return cached
        item = self.get_item(keys.token_holder_key(digest_or_id), retries=retries)
        if item is None:
            return None
        holder = TokenHolder(item["user_id"]["S"], item["token_id"]["S"], ancestor_ids_from_item(item))
        return _cache(self._token_holders, digest_or_id, holder, _MAX_CACHED_HOLDERS)

    def _may_be_member(self, board_id: str, user_id: str | None) -> bool:
        """Tell whether the board is worth reading for that user: always if none is named.

        A member whom this process has seen is not looked up again. Whether they still are one is in the head.
        """
        if user_id is None or (board_id, user_id) in self._known_members or self.get_cached_head(board_id, user_id):
            return True
        return self.get_item(keys.membership_key(user_id, board_id)) is not None

    def _is_visible_to(self, head: Item, board_id: str, user_id: str | None) -> bool:
        """Tell whether a head may be shown to a user, to everybody if none is named, and remember a member."""
        if user_id is None:
            return True
        if board_items.role_from_item(head, user_id) is None:
            self.forget_member(board_id, user_id)
            return False
        if (board_id, user_id) not in self._known_members:
            _cache(self._known_members, (board_id, user_id), value=True, max_size=_MAX_KNOWN_MEMBERS)
        return True

    def _cache_head(self, head: BoardHead, items: Sequence[Item | None] = ()) -> BoardHead:
        """Remember a head, and who is assigned to the cards among these items."""
        cached = self.get_cached_board(head.board.id, head.board.seq) or CachedBoard(head)
        cached.head = head
        for item in items:
            if item and item["sk"]["S"].startswith("C#"):
                cached.assignee_users[item["sk"]["S"][2:]] = card_items.assignee_users_from_item(item)
        _cache(self._boards, head.board.id, cached, _MAX_CACHED_HEADS)
        return head


def _cache(cache: OrderedDict[Key, Cached], key: Key, value: Cached, max_size: int) -> Cached:
    """Keep a value among the last few."""
    cache[key] = value
    if len(cache) > max_size:
        with suppress(KeyError):
            # Another thread may have done it.
            cache.popitem(last=False)
    return value


def _board_keys(board_id: str) -> tuple[Item, Item]:
    """Return the keys of a board's head and of its tip."""
    return keys.head_key(board_id), keys.tip_key(board_id)


def _split_cards(
    head: BoardHead, items: Sequence[Item | None], count: int
) -> tuple[dict[str, Card], list[Item | None]]:
    """Return the first items as cards, those that are live and in a live list, and the other items."""
    cards = [card_items.card_from_item(item) for item in items[:count] if item and not is_deleted(item)]
    return {card.id: card for card in cards if head.has_list(card.list_id)}, [*items[count:]]
