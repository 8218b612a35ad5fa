"""The store in a DynamoDB table: the port's reads and its commit."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count, islice

from kanban.changes import Change
from kanban.store import Busy, CardQuery, NeighbourOf, PartKey, StoredResponse
from kanban.values import Board, Card, CardRank, Checklist, Comment, Event, List, Role, TimeEntry, Token, User
from kanban.views import BoardView, Page, PageKey
from stores.dynamodb import keys
from stores.dynamodb import user_items as items
from stores.dynamodb.attributes import to_string, to_timestamp
from stores.dynamodb.board_items import BoardHead, board_from_item, list_from_attributes
from stores.dynamodb.card_items import card_from_item, part_from_item, part_item_key
from stores.dynamodb.card_pages import build_card_filter, page_cards
from stores.dynamodb.client import ConditionFailed, RetryingClient
from stores.dynamodb.commits import Committer
from stores.dynamodb.deleted_lists import page_deleted_lists
from stores.dynamodb.event_pages import read_events
from stores.dynamodb.listings import MAX_PAGE_READS, page_assigned_cards, page_entries_in_period
from stores.dynamodb.part_pages import read_checklists, read_parts
from stores.dynamodb.purge import Purge
from stores.dynamodb.reads import TableReader
from stores.dynamodb.token_reads import get_token, get_token_and_user, page_tokens
from stores.paging import cut_page

_SECRET_BYTES = 32
_MAX_BATCH_KEYS = 100
_MIN_BOARDS_PER_READ = 25


class DynamoStore:
    """A `kanban.store.Store` in a table. Threads may share it."""

    def __init__(self, client: RetryingClient, table: str) -> None:
        self._client = client
        self._table = table
        self._reader = TableReader(client, table)
        self._committer = Committer(client, self._reader, table)
        self._purge = Purge(client, self._reader, table)
        self._secret: bytes | None = None

    # Boards

    def read_board(
        self,
        board_id: str,
        user_id: str,
        *,
        card_ids: Sequence[str] = (),
        neighbour_of: NeighbourOf | None = None,
        parts: Sequence[PartKey] = (),
    ) -> BoardView | None:
        wanted = tuple(dict.fromkeys((*card_ids, neighbour_of.card_id) if neighbour_of else card_ids))
        # Parts of other cards are not shown.
        keys_of_parts = [part_item_key(board_id, each) for each in parts if each.card_id in wanted]
        head, cards, found = self._reader.get_head_and_cards(board_id, user_id, wanted, keys_of_parts)
        view = head.live_view_for(user_id) if head else None
        if head is None or view is None:
            return None
        neighbour = cards.get(neighbour_of.card_id) if neighbour_of else None
        beyond = None
        if neighbour_of and neighbour:
            next_to = self._reader.neighbours_of(head, neighbour.list_id, neighbour.rank, neighbour_of.side, count=1)
            beyond = next_to[0].rank if next_to else ""
        there = [part for part in (part_from_item(each) for each in found if each) if part.card_id in cards]
        return replace(view, cards=cards, adjacent_rank=beyond, parts={each.id: each for each in there})

    def read_deleted(
        self, board_id: str, user_id: str, *, list_ids: Sequence[str] = (), card_ids: Sequence[str] = ()
    ) -> BoardView | None:
        wanted = [
            *(keys.list_key(board_id, each) for each in list_ids),
            *(keys.card_key(board_id, each) for each in card_ids),
        ]
        head, found = self._reader.get_consistent_for_member(board_id, user_id, wanted)
        view = head.view_for(user_id) if head else None
        if view is None:
            return None
        gone = [list_from_attributes(each["sk"]["S"][2:], board_id, each) for each in found[: len(list_ids)] if each]
        cards = [card_from_item(each) for each in found[len(list_ids) :] if each]
        return replace(view, lists=(*view.lists, *gone), cards={each.id: each for each in cards})

    def page_deleted_lists(
        self, board_id: str, user_id: str, since: datetime, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[List]] | None:
        return self._reader.read_consistent(
            board_id, user_id, lambda _: page_deleted_lists(self._reader, board_id, since, limit, after)
        )

    def page_cards(
        self, board_id: str, user_id: str, query: CardQuery, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[Card]] | None:
        found = self._reader.read_consistent(
            board_id,
            user_id,
            lambda head: page_cards(self._reader.board_query(board_id), build_card_filter(head, query), limit, after),
        )
        if found:
            self._reader.remember_page(found[0].board, found[1].items)
        return found

    def read_card_ranks(
        self, board_id: str, user_id: str, list_id: str
    ) -> tuple[BoardView, tuple[CardRank, ...]] | None:
        def read(head: BoardHead) -> tuple[CardRank, ...]:
            return self._reader.list_card_ranks(board_id, list_id) if head.has_list(list_id) else ()

        return self._reader.read_consistent(board_id, user_id, read)

    def page_assigned_cards(
        self, user_id: str, query: CardQuery, limit: int, after: PageKey | None = None
    ) -> Page[tuple[BoardView, Card]]:
        return page_assigned_cards(self._reader, user_id, query, limit, after)

    def page_events(
        self, board_id: str, user_id: str, after_seq: int, limit: int
    ) -> tuple[BoardView, Page[Event]] | None:
        found = read_events(self._reader, board_id, user_id, after_seq, limit + 1)
        return found and (found[0], cut_page(found[1], limit, lambda event: event.seq))

    def page_time_entries(
        self, board_id: str, user_id: str, card_id: str, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[TimeEntry]] | None:
        found = read_parts(self._reader, TimeEntry, (board_id, user_id, card_id), limit + 1, after)
        return found and (found[0], cut_page(found[1], limit, lambda entry: entry.id))

    def read_checklists(
        self, board_id: str, user_id: str, card_id: str
    ) -> tuple[BoardView, tuple[Checklist, ...]] | None:
        return read_checklists(self._reader, board_id, user_id, card_id)

    def page_comments(
        self, board_id: str, user_id: str, card_id: str, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[Comment]] | None:
        found = read_parts(self._reader, Comment, (board_id, user_id, card_id), limit + 1, after)
        return found and (found[0], cut_page(found[1], limit, lambda comment: comment.id))

    def page_board_time_entries(
        self, board_id: str, user_id: str, span: tuple[datetime, datetime], limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[tuple[TimeEntry, Card]]] | None:
        found = self._reader.read_consistent(
            board_id,
            user_id,
            lambda _: page_entries_in_period(self._reader, board_id, span, limit, after),
            lambda page: {each.card_id for each in page.items},
        )
        if found is None:
            return None
        view, entries = found
        live = [(each, view.cards[each.card_id]) for each in entries.items if each.card_id in view.cards]
        return view, Page(tuple(live), entries.next_key)

    def page_boards(
        self, user_id: str, limit: int, after: PageKey | None = None, *, archived: bool = False
    ) -> Page[tuple[Board, Role]]:
        return self._page_boards(
            user_id,
            limit,
            after,
            lambda board, _: board.deleted_at is None and (board.archived_at is not None) == archived,
        )

    def page_deleted_boards(
        self, user_id: str, since: datetime, limit: int, after: PageKey | None = None
    ) -> Page[tuple[Board, Role]]:
        return self._page_boards(
            user_id,
            limit,
            after,
            lambda board, role: board.deleted_at is not None and board.deleted_at >= since and role == Role.OWNER,
        )

    def _page_boards(
        self, user_id: str, limit: int, after: PageKey | None, matches: Callable[[Board, Role], bool]
    ) -> Page[tuple[Board, Role]]:
        last = keys.key_before(f"B#{after[0]}") if after else "B$"
        boards: list[tuple[Board, Role]] = []
        found = self._reader.query(f"U#{user_id}", "B#", last, backwards=True, wanted=limit + 1)
        size = min(max(limit + 1, _MIN_BOARDS_PER_READ), _MAX_BATCH_KEYS)
        for looks in count(1):
            batch = [each["sk"]["S"][2:] for each in islice(found, size)]
            seen = self._reader.get_boards(user_id, batch)
            boards += [each for each in seen if matches(*each)]
            if len(boards) > limit or len(batch) < size:
                break
            if looks == MAX_PAGE_READS:
                return Page(tuple(boards), (batch[-1],))
        return cut_page(boards, limit, lambda item: item[0].id)

    def find_board_id(self, user_id: str, external_id: str) -> str | None:
        claim = self._reader.get_item(keys.board_claim_key(user_id, external_id))
        found = self._reader.get_item(keys.head_key(claim["board_id"]["S"])) if claim else None
        board = board_from_item(found) if found else None
        if board is None or (board.created_by, board.external_id) != (user_id, external_id):
            return None
        return board.id if board.deleted_at is None else None

    # People

    def read_users(self, user_ids: Sequence[str]) -> Mapping[str, User]:
        wanted = [keys.user_key(each) for each in dict.fromkeys(user_ids)]
        found = [
            items.user_from_item(each)
            for start in range(0, len(wanted), _MAX_BATCH_KEYS)
            for each in self._reader.batch_get(wanted[start : start + _MAX_BATCH_KEYS])
        ]
        return {each.id: each for each in found}

    def read_user(self, user_id: str) -> User | None:
        item = self._reader.get_item(keys.user_key(user_id))
        return items.user_from_item(item) if item else None

    def read_installation_owner(self) -> User | None:
        first = self._reader.get_item(keys.setting_key("owner"))
        return self.read_user(first["user_id"]["S"]) if first else None

    def read_token_by_digest(self, digest: str) -> tuple[Token, User] | None:
        return get_token_and_user(self._reader, digest)

    def read_token(self, user_id: str, token_id: str) -> Token | None:
        return get_token(self._reader, user_id, token_id)

    def page_tokens(self, user_id: str, limit: int, after: PageKey | None = None) -> Page[Token]:
        return page_tokens(self._reader, user_id, limit, after)

    def read_stored_response(self, user_id: str, operation_id: str, key: str, now: datetime) -> StoredResponse | None:
        item = self._reader.get_item(keys.stored_response_key(user_id, operation_id, key))
        record = items.stored_response_from_item(item) if item else None
        return record if record and record.expires_at > now else None

    # Writing

    def commit(
        self, change: Change, response: StoredResponse | None = None, progress: Callable[[int], None] | None = None
    ) -> None:
        self._committer.commit(change, response, progress)

    def purge(self, before: datetime, limit: int) -> int:
        return self._purge.step(before, limit)

    def purge_expired_responses(self, now: datetime, limit: int) -> int:
        # DynamoDB removes what has expired by itself (time to live, on the attribute `expires`).
        del now, limit
        return 0

    def touch_token(self, token_id: str, at: datetime) -> None:
        try:
            holder = self._reader.get_token_holder(token_id, patient=False)
            if holder is None:
                return
            self._client(
                "update_item",
                patient=False,
                TableName=self._table,
                Key=keys.token_key(holder.user_id, holder.token_id),
                UpdateExpression="SET #used = :at",
                ConditionExpression="attribute_exists(#pk) AND (attribute_not_exists(#used) OR #used < :at)",
                ExpressionAttributeNames={"#pk": "pk", "#used": "last_used_at"},
                ExpressionAttributeValues={":at": to_timestamp(at)},
            )
        except (Busy, ConditionFailed):
            # The next request with this token tries again, unless a later use has been noted.
            return

    # The store itself

    def check_ready(self) -> None:
        self._reader.get_item(keys.setting_key("secret"))

    def read_secret(self) -> bytes:
        if self._secret is None:
            self._secret = self._load_secret()
        return self._secret

    def close(self) -> None:
        self._client.close()

    def _load_secret(self) -> bytes:
        secret_key = keys.setting_key("secret")
        item = self._reader.get_item(secret_key)
        if item is None:
            item = secret_key | {"value": to_string(secrets.token_hex(_SECRET_BYTES))}
            try:
                self._client(
                    "put_item", TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(pk)"
                )
            except ConditionFailed:
                # Another process was first.
                item = self._reader.get_item(secret_key) or {}
        return bytes.fromhex(item["value"]["S"])
