"""The store in a DynamoDB table: the reads of the port, and its commit."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from kanban.card_views import view_card
from kanban.changes import Change
from kanban.store import Busy, CardQuery, CardsWithChecklists, EventQuery, NeighbourOf, PartKey, StoredResponse
from kanban.values import (
    Board,
    Card,
    CardRank,
    CardView,
    Checklist,
    Comment,
    Event,
    List,
    Role,
    TimeEntry,
    Token,
    TokenKind,
    User,
)
from kanban.views import BoardSummary, BoardView, Page, PageKey, WorkedTime
from stores.dynamodb import (
    card_pages,
    cards_with_checklists,
    keys,
    listings,
    part_pages,
    text_sums,
    token_origins,
    token_reads,
    user_listing,
)
from stores.dynamodb.attributes import to_string
from stores.dynamodb.audit_log import DynamoAuditLog
from stores.dynamodb.board_items import BoardHead, board_from_items, deleted_list_from_item
from stores.dynamodb.card_items import card_from_item, part_from_item, part_item_key
from stores.dynamodb.client import ConditionFailed, RetryingClient
from stores.dynamodb.commits import Committer
from stores.dynamodb.event_items import stored_response_from_item
from stores.dynamodb.event_queries import read_queried_events
from stores.dynamodb.feed_readers import DynamoFeedReaders
from stores.dynamodb.flow_segments import DynamoFlowSegments
from stores.dynamodb.invitations import DynamoInvitations
from stores.dynamodb.jobs import DynamoJobs
from stores.dynamodb.keys import Item
from stores.dynamodb.purge import Purge
from stores.dynamodb.reads import MAX_BATCH_KEYS, TableReader
from stores.dynamodb.request_usage import DynamoUsage
from stores.dynamodb.sign_in import DynamoSignIn
from stores.dynamodb.user_erasure import UserErasure
from stores.dynamodb.user_items import user_from_item
from stores.dynamodb.webhooks import DynamoWebhooks
from stores.dynamodb.writes import Put
from stores.errors import RestoreUnfinished
from stores.paging import count_events_to_read, cut_event_page, cut_page

SECRET_BYTES = 32
"""How long the secret of an installation is."""


class DynamoStore:
    """A `kanban.store.Store` in a table. Threads may share it."""

    def __init__(self, client: RetryingClient, table: str) -> None:
        self._client = client
        self._table = table
        self._reader = TableReader(client, table)
        self._committer = Committer(client, self._reader, table)
        self._purge = Purge(client, self._reader, table)
        self._user_erasure = UserErasure(client, self._reader, table)
        self.webhooks = DynamoWebhooks(client, self._reader, table)
        self.feed_readers = DynamoFeedReaders(client, self._reader, table)
        self.sign_in = DynamoSignIn(self._reader)
        self.invitations = DynamoInvitations(self._reader)
        self.audit_log = DynamoAuditLog(self._reader)
        self.jobs = DynamoJobs(client, self._reader, table)
        self.flow_segments = DynamoFlowSegments(client, self._reader, table)
        self.request_usage = DynamoUsage(client, table)
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
        unique_ids = tuple(dict.fromkeys((*card_ids, neighbour_of.card_id) if neighbour_of else card_ids))
        # Parts come with their cards only.
        part_keys = [part_item_key(board_id, part) for part in parts if part.card_id in unique_ids]
        head, cards, items = self._reader.get_head_and_cards(board_id, user_id, unique_ids, part_keys)
        view = head.live_view_for(user_id) if head else None
        if head is None or view is None:
            return None
        card = cards.get(neighbour_of.card_id) if neighbour_of else None
        adjacent_rank = None
        if neighbour_of and card:
            neighbours = self._reader.neighbours_of(head, card.list_id, card.rank, neighbour_of.side, count=1)
            adjacent_rank = neighbours[0].rank if neighbours else ""
        live_parts = [part for part in (part_from_item(item) for item in items if item) if part.card_id in cards]
        return view.with_cards(cards, {part.id: part for part in live_parts}, adjacent_rank)

    def read_card(self, board_id: str, user_id: str, card_id: str) -> tuple[Role, CardView | None] | None:
        view = self.read_board(board_id, user_id, card_ids=[card_id])
        if view is None:
            return None
        card = view.cards.get(card_id)
        return view.role, view_card(card, view) if card else None

    def read_deleted(
        self, board_id: str, user_id: str, *, list_ids: Sequence[str] = (), card_ids: Sequence[str] = ()
    ) -> BoardView | None:
        item_keys = [
            *(keys.list_key(board_id, list_id) for list_id in list_ids),
            *(keys.card_key(board_id, card_id) for card_id in card_ids),
        ]
        head, items = self._reader.get_consistent_for_member(board_id, user_id, item_keys)
        view = head.view_for(user_id) if head else None
        if view is None:
            return None
        lists = [deleted_list_from_item(item) for item in items[: len(list_ids)] if item]
        cards = [card_from_item(item) for item in items[len(list_ids) :] if item]
        return replace(view, lists=(*view.lists, *lists), cards={card.id: card for card in cards})

    def page_deleted_lists(
        self, board_id: str, user_id: str, since: datetime, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[List]] | None:
        return self._reader.read_consistent(
            board_id, user_id, lambda _: listings.page_deleted_lists(self._reader, board_id, since, limit, after)
        )

    def page_cards(
        self, board_id: str, user_id: str, query: CardQuery, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[Card]] | None:
        board_query = self._reader.board_query(board_id)

        def read(head: BoardHead) -> Page[Card]:
            return card_pages.page_cards(board_query, card_pages.build_card_filter(head, query), limit, after)

        result = self._reader.read_consistent(board_id, user_id, read)
        if result:
            view, page = result
            self._reader.remember_page(view.board, page.items)
        return result

    def page_card_views(
        self, board_id: str, user_id: str, query: CardQuery, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[CardView]] | None:
        result = self.page_cards(board_id, user_id, query, limit, after)
        if result is None:
            return None
        view, page = result
        return view, Page(tuple(view_card(card, view) for card in page.items), page.next_key)

    def read_card_ranks(
        self, board_id: str, user_id: str, list_id: str
    ) -> tuple[BoardView, tuple[CardRank, ...]] | None:
        def read(head: BoardHead) -> tuple[CardRank, ...]:
            return self._reader.list_card_ranks(board_id, list_id) if head.has_list(list_id) else ()

        return self._reader.read_consistent(board_id, user_id, read)

    def read_cards_with_checklists(
        self, board_id: str, user_id: str, list_id: str | None = None
    ) -> tuple[BoardView, CardsWithChecklists] | None:
        return cards_with_checklists.read_cards_with_checklists(self._reader, board_id, user_id, list_id)

    def page_assigned_cards(
        self, user_id: str, query: CardQuery, limit: int, after: PageKey | None = None
    ) -> Page[tuple[BoardView, Card]]:
        return listings.page_assigned_cards(self._reader, user_id, query, limit, after)

    def page_events(
        self, board_id: str, user_id: str, query: EventQuery, limit: int
    ) -> tuple[BoardView, Page[Event]] | None:
        result = read_queried_events(self._reader, board_id, user_id, query, count_events_to_read(query, limit))
        return result and (result[0], cut_event_page(result[1], query, limit))

    def page_time_entries(
        self, board_id: str, user_id: str, card_id: str, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[TimeEntry]] | None:
        result = part_pages.read_parts(
            self._reader, TimeEntry, board_id, user_id, card_id, count=limit + 1, after=after
        )
        return result and (result[0], cut_page(result[1], limit, lambda entry: entry.id))

    def read_checklists(
        self, board_id: str, user_id: str, card_id: str
    ) -> tuple[BoardView, tuple[Checklist, ...]] | None:
        return part_pages.read_checklists(self._reader, board_id, user_id, card_id)

    def page_comments(
        self, board_id: str, user_id: str, card_id: str, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[Comment]] | None:
        result = part_pages.read_parts(self._reader, Comment, board_id, user_id, card_id, count=limit + 1, after=after)
        return result and (result[0], cut_page(result[1], limit, lambda comment: comment.id))

    def page_parts(
        self, board_id: str, user_id: str, limit: int, after: PageKey | None = None, card_id: str | None = None
    ) -> tuple[BoardView, Page[Checklist | Comment]] | None:
        return part_pages.page_parts(self._reader, board_id, user_id, limit, after=after, card_id=card_id)

    def page_board_time_entries(
        self, board_id: str, user_id: str, span: tuple[datetime, datetime], limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[tuple[TimeEntry, Card]]] | None:
        result = self._reader.read_consistent(
            board_id,
            user_id,
            lambda _: listings.page_entries_in_period(self._reader, board_id, span, limit, after),
            lambda page: {entry.card_id for entry in page.items},
        )
        if result is None:
            return None
        view, page = result
        entries = [(entry, view.cards[entry.card_id]) for entry in page.items if entry.card_id in view.cards]
        return view, Page(tuple(entries), page.next_key)

    def page_worked_time(
        self, board_id: str, user_id: str, span: tuple[datetime, datetime], limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[WorkedTime]] | None:
        result = self.page_board_time_entries(board_id, user_id, span, limit, after)
        if result is None:
            return None
        view, page = result
        items = tuple(
            WorkedTime(entry.user_id, card.list_id, card.label_ids, entry.started_at, entry.ended_at, entry.rate_minor)
            for entry, card in page.items
        )
        return view, Page(items, page.next_key)

    def page_boards(
        self, user_id: str, limit: int, after: PageKey | None = None, *, archived: bool = False
    ) -> Page[tuple[Board, Role]]:
        def matches(board: Board, _: Role) -> bool:
            return board.deleted_at is None and (board.archived_at is not None) == archived

        return listings.page_boards(self._reader, user_id, limit, after, matches)

    def page_deleted_boards(
        self, user_id: str, since: datetime, limit: int, after: PageKey | None = None
    ) -> Page[tuple[Board, Role]]:
        def matches(board: Board, role: Role) -> bool:
            return board.deleted_at is not None and board.deleted_at >= since and role == Role.OWNER

        return listings.page_boards(self._reader, user_id, limit, after, matches)

    def page_board_ids(self, user_id: str, limit: int, after: PageKey | None = None) -> Page[str]:
        return listings.page_board_ids(self._reader, user_id, limit, after)

    def summarize_board(self, board_id: str) -> BoardSummary | None:
        return listings.summarize_board(self._reader, board_id)

    def find_board_id(self, user_id: str, external_id: str) -> str | None:
        claim = self._reader.get_item(keys.board_claim_key(user_id, external_id))
        item = self._reader.get_item(keys.head_key(claim["board_id"]["S"])) if claim else None
        board = board_from_items(item, None) if item else None
        if board is None or (board.created_by, board.external_id) != (user_id, external_id):
            return None
        return board.id if board.deleted_at is None else None

    def find_card_id(self, board_id: str, external_id: str) -> str | None:
        claim = self._reader.get_item(keys.card_claim_key(board_id, external_id))
        if claim is None:
            return None
        head, items = self._reader.get_with_head(board_id, [keys.card_key(board_id, claim["card_id"]["S"])])
        card = card_from_item(items[0]) if items and items[0] else None
        if head is None or card is None or card.deleted_at is not None or card.external_id != external_id:
            return None
        return card.id if head.has_list(card.list_id) else None

    # Users, tokens, stored responses

    def read_board_seqs(self, board_ids: Sequence[str]) -> Mapping[str, int]:
        seqs = self._read_seqs([keys.tip_key(board_id) for board_id in board_ids])
        # Boards without a write since version 1.2 have their seq in the head.
        heads = [keys.head_key(board_id) for board_id in board_ids if board_id not in seqs]
        return seqs | self._read_seqs(heads)

    def _read_seqs(self, item_keys: Sequence[Item]) -> dict[str, int]:
        paths, names = ("pk", "#seq"), {"#seq": "seq"}
        return {
            item["pk"]["S"].removeprefix("B#"): int(item["seq"]["N"])
            for start in range(0, len(item_keys), MAX_BATCH_KEYS)
            for item in self._reader.batch_get(item_keys[start : start + MAX_BATCH_KEYS], paths, names)
        }

    def read_users(self, user_ids: Sequence[str]) -> Mapping[str, User]:
        item_keys = [keys.user_key(user_id) for user_id in dict.fromkeys(user_ids)]
        users = [
            user_from_item(item)
            for start in range(0, len(item_keys), MAX_BATCH_KEYS)
            for item in self._reader.batch_get(item_keys[start : start + MAX_BATCH_KEYS])
        ]
        return {user.id: user for user in users}

    def read_user(self, user_id: str) -> User | None:
        item = self._reader.get_item(keys.user_key(user_id))
        return user_from_item(item) if item else None

    def page_users(self, limit: int, after: PageKey | None = None) -> Page[User]:
        return user_listing.page_users(self._reader, limit, after)

    def read_fellow_ids(self, user_id: str, max_boards: int) -> Mapping[str, Sequence[str]]:
        return user_listing.read_fellow_ids(self._reader, user_id, max_boards)

    def sum_text_bytes(self, board_id: str) -> int:
        return text_sums.sum_text_bytes(self._reader, board_id)

    def read_installation_owner_ids(self) -> tuple[str, ...]:
        setting = self._reader.get_item(keys.setting_key("owner"))
        return tuple(setting["user_id"]["S"].split()) if setting else ()

    def read_installation_owner(self) -> User | None:
        owner_ids = self.read_installation_owner_ids()
        return self.read_user(owner_ids[0]) if owner_ids else None

    def read_token_by_digest(self, digest: str) -> tuple[Token, User] | None:
        return token_reads.get_token_and_user(self._reader, digest)

    def read_token(self, user_id: str, token_id: str) -> Token | None:
        return token_reads.get_token(self._reader, user_id, token_id)

    def find_token_holder(self, token_id: str) -> str | None:
        holder = self._reader.get_token_holder(token_id)
        return holder.user_id if holder is not None and holder.token_id == token_id else None

    def page_tokens(
        self, user_id: str, limit: int, after: PageKey | None = None, kind: TokenKind = TokenKind.API
    ) -> Page[Token]:
        return token_reads.page_tokens(self._reader, user_id, limit, after, kind)

    def read_stored_response(self, user_id: str, operation_id: str, key: str, now: datetime) -> StoredResponse | None:
        item = self._reader.get_item(keys.stored_response_key(user_id, operation_id, key))
        response = stored_response_from_item(item) if item else None
        return response if response and response.expires_at > now else None

    # Writes

    def commit(
        self,
        change: Change,
        response: StoredResponse | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self._committer.commit(change, response, progress)

    def purge(self, before: datetime, limit: int) -> int:
        erased = self._purge.step(before, limit)
        return erased or user_listing.list_earlier_users(self._client, self._reader, self._table, limit)

    def purge_expired(self, now: datetime, limit: int) -> int:
        # DynamoDB removes what has expired by itself (time to live, on the attribute `expires`).
        del now, limit
        return 0

    def purge_token_origins(self, before: datetime, limit: int) -> int:
        return token_origins.purge(self._client, self._reader, self._table, before, limit)

    def erase_user(self, user_id: str, limit: int) -> int:
        return self._user_erasure.step(user_id, self.read_installation_owner_ids(), limit)

    def record_token_use(self, token_id: str, at: datetime, origin: str | None = None) -> None:
        try:
            holder = self._reader.get_token_holder(token_id, retries=False)
            if holder is not None:
                token_origins.record_use(self._client, self._table, holder, at, origin)
        except (Busy, ConditionFailed):
            # The next request with this token tries again, unless a later use has been recorded.
            return

    # The installation

    def check_ready(self) -> None:
        self._reader.get_item(keys.setting_key("secret"))

    def has_secret(self) -> bool:
        """Tell whether a process has asked for the secret of this installation before. Raises RestoreUnfinished."""
        item = self._reader.get_item(keys.setting_key("secret"))
        if item and "restoring" in item:
            raise RestoreUnfinished(f"The DynamoDB table '{self._table}'")
        if item:
            self._secret = _secret_of(item)
        return item is not None

    def measure_size(self) -> int | None:
        # DynamoDB counts a table's bytes some four times a day, for callers who may describe it.
        return None

    def read_secret(self) -> bytes:
        if self._secret is None:
            self._secret = self._load_secret()
        return self._secret

    def close(self) -> None:
        self._client.close()

    def _load_secret(self) -> bytes:
        """Return the secret of the installation; the first process to ask creates it."""
        secret_key = keys.setting_key("secret")
        item = self._reader.get_item(secret_key)
        if item is None:
            item = secret_key | {"value": to_string(secrets.token_hex(SECRET_BYTES))}
            put = Put(item, condition="attribute_not_exists(#pk)")
            try:
                self._client("put_item", **put.fields(self._table))
            except ConditionFailed:
                # Another process was first.
                item = self._reader.get_item(secret_key) or {}
        return _secret_of(item)


def _secret_of(item: Item) -> bytes:
    return bytes.fromhex(item["value"]["S"])
