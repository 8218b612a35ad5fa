"""The store in a DynamoDB table: the port's reads and its commit."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count, islice

from kanban.store import Busy, CardQuery, NeighbourOf, PartKey
from kanban.values import (
    Board,
    BoardView,
    Card,
    CardRank,
    Change,
    Checklist,
    Comment,
    Event,
    List,
    Page,
    PageKey,
    Role,
    StoredResponse,
    TimeEntry,
    Token,
    User,
)
from stores import dynamodb_items as items
from stores import dynamodb_keys as keys
from stores.dynamodb_assigned import MOST_LOOKS, assigned_to, worked
from stores.dynamodb_attributes import moment, text
from stores.dynamodb_cards import card_of, part_key_of, part_of
from stores.dynamodb_client import Calls, Cancelled
from stores.dynamodb_commits import Commits
from stores.dynamodb_deleted import deleted_lists
from stores.dynamodb_events import events_of
from stores.dynamodb_heads import Head, board_of, list_of
from stores.dynamodb_pages import among, cards_of
from stores.dynamodb_parts import checklists_of, parts_of
from stores.dynamodb_purge import Purge
from stores.dynamodb_reading import Reading
from stores.dynamodb_tokens import holder_of, token_of, tokens_page
from stores.pages import cut_page

_SECRET_BYTES = 32
_MOST_AT_ONCE = 100
_FEWEST_BOARDS = 25


class DynamoStore:
    """A `kanban.store.Store` in a table. Threads may share it."""

    def __init__(self, calls: Calls, table: str) -> None:
        self._calls = calls
        self._table = table
        self._read = Reading(calls, table)
        self._commits = Commits(calls, self._read, table)
        self._purge = Purge(calls, self._read, table)
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
        keys_of_parts = [part_key_of(board_id, each) for each in parts if each.card_id in wanted]
        head, cards, found = self._read.head_and_cards(board_id, user_id, wanted, keys_of_parts)
        view = head.seen_by(user_id) if head else None
        if head is None or view is None:
            return None
        neighbour = cards.get(neighbour_of.card_id) if neighbour_of else None
        beyond = None
        if neighbour_of and neighbour:
            next_to = self._read.beside(head, neighbour.list_id, neighbour.rank, neighbour_of.side, count=1)
            beyond = next_to[0].rank if next_to else ""
        there = [part for part in (part_of(each) for each in found if each) if part.card_id in cards]
        return replace(view, cards=cards, beyond=beyond, parts={each.id: each for each in there})

    def read_deleted(
        self, board_id: str, user_id: str, *, list_ids: Sequence[str] = (), card_ids: Sequence[str] = ()
    ) -> BoardView | None:
        wanted = [
            *(keys.list_key(board_id, each) for each in list_ids),
            *(keys.card_key(board_id, each) for each in card_ids),
        ]
        head, found = self._read.members_moment(board_id, user_id, wanted)
        view = head.shown_to(user_id) if head else None
        if view is None:
            return None
        gone = [list_of(each["sk"]["S"][2:], board_id, each) for each in found[: len(list_ids)] if each]
        cards = [card_of(each) for each in found[len(list_ids) :] if each]
        return replace(view, lists=(*view.lists, *gone), cards={each.id: each for each in cards})

    def page_deleted_lists(
        self, board_id: str, user_id: str, since: datetime, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[List]] | None:
        return self._read.settled(board_id, user_id, lambda _: deleted_lists(self._read, board_id, since, limit, after))

    def page_cards(
        self, board_id: str, user_id: str, query: CardQuery, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[Card]] | None:
        found = self._read.settled(
            board_id,
            user_id,
            lambda head: cards_of(self._read.on_board(board_id), among(head, query), limit, after),
        )
        if found:
            self._read.showed(found[0].board, found[1].items)
        return found

    def read_card_ranks(
        self, board_id: str, user_id: str, list_id: str
    ) -> tuple[BoardView, tuple[CardRank, ...]] | None:
        def read(head: Head) -> tuple[CardRank, ...]:
            return self._read.placed(board_id, list_id) if head.has_list(list_id) else ()

        return self._read.settled(board_id, user_id, read)

    def page_assigned_cards(
        self, user_id: str, query: CardQuery, limit: int, after: PageKey | None = None
    ) -> Page[tuple[BoardView, Card]]:
        return assigned_to(self._read, user_id, query, limit, after)

    def page_events(
        self, board_id: str, user_id: str, after_seq: int, limit: int
    ) -> tuple[BoardView, Page[Event]] | None:
        found = events_of(self._read, board_id, user_id, after_seq, limit + 1)
        return found and (found[0], cut_page(found[1], limit, lambda event: event.seq))

    def page_time_entries(
        self, board_id: str, user_id: str, card_id: str, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[TimeEntry]] | None:
        found = parts_of(self._read, TimeEntry, (board_id, user_id, card_id), limit + 1, after)
        return found and (found[0], cut_page(found[1], limit, lambda entry: entry.id))

    def read_checklists(
        self, board_id: str, user_id: str, card_id: str
    ) -> tuple[BoardView, tuple[Checklist, ...]] | None:
        return checklists_of(self._read, board_id, user_id, card_id)

    def page_comments(
        self, board_id: str, user_id: str, card_id: str, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[Comment]] | None:
        found = parts_of(self._read, Comment, (board_id, user_id, card_id), limit + 1, after)
        return found and (found[0], cut_page(found[1], limit, lambda comment: comment.id))

    def page_board_time_entries(
        self, board_id: str, user_id: str, span: tuple[datetime, datetime], limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[tuple[TimeEntry, Card]]] | None:
        found = self._read.settled(
            board_id,
            user_id,
            lambda _: worked(self._read, board_id, span, limit, after),
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
        return self._boards(
            user_id,
            limit,
            after,
            lambda board, _: board.deleted_at is None and (board.archived_at is not None) == archived,
        )

    def page_deleted_boards(
        self, user_id: str, since: datetime, limit: int, after: PageKey | None = None
    ) -> Page[tuple[Board, Role]]:
        return self._boards(
            user_id,
            limit,
            after,
            lambda board, role: board.deleted_at is not None and board.deleted_at >= since and role == Role.OWNER,
        )

    def _boards(
        self, user_id: str, limit: int, after: PageKey | None, fits: Callable[[Board, Role], bool]
    ) -> Page[tuple[Board, Role]]:
        last = keys.before(f"B#{after[0]}") if after else "B$"
        boards: list[tuple[Board, Role]] = []
        found = self._read.between(f"U#{user_id}", "B#", last, backwards=True, wanted=limit + 1)
        size = min(max(limit + 1, _FEWEST_BOARDS), _MOST_AT_ONCE)
        for looks in count(1):
            batch = [each["sk"]["S"][2:] for each in islice(found, size)]
            seen = self._read.boards(user_id, batch)
            boards += [each for each in seen if fits(*each)]
            if len(boards) > limit or len(batch) < size:
                break
            if looks == MOST_LOOKS:
                return Page(tuple(boards), (batch[-1],))
        return cut_page(boards, limit, lambda item: item[0].id)

    def find_board_id(self, user_id: str, external_id: str) -> str | None:
        claim = self._read.item(keys.board_claim_key(user_id, external_id))
        found = self._read.item(keys.head_key(claim["board_id"]["S"])) if claim else None
        board = board_of(found) if found else None
        if board is None or (board.created_by, board.external_id) != (user_id, external_id):
            return None
        return board.id if board.deleted_at is None else None

    # People

    def read_users(self, user_ids: Sequence[str]) -> Mapping[str, User]:
        wanted = [keys.user_key(each) for each in dict.fromkeys(user_ids)]
        found = [
            items.user_of(each)
            for start in range(0, len(wanted), _MOST_AT_ONCE)
            for each in self._read.each(wanted[start : start + _MOST_AT_ONCE])
        ]
        return {each.id: each for each in found}

    def read_user(self, user_id: str) -> User | None:
        item = self._read.item(keys.user_key(user_id))
        return items.user_of(item) if item else None

    def read_installation_owner(self) -> User | None:
        first = self._read.item(keys.setting_key("owner"))
        return self.read_user(first["user_id"]["S"]) if first else None

    def read_token_by_digest(self, digest: str) -> tuple[Token, User] | None:
        return holder_of(self._read, digest)

    def read_token(self, user_id: str, token_id: str) -> Token | None:
        return token_of(self._read, user_id, token_id)

    def page_tokens(self, user_id: str, limit: int, after: PageKey | None = None) -> Page[Token]:
        return tokens_page(self._read, user_id, limit, after)

    def read_stored_response(self, user_id: str, operation_id: str, key: str, now: datetime) -> StoredResponse | None:
        item = self._read.item(keys.record_key(user_id, operation_id, key))
        record = items.remembered_of(item) if item else None
        return record if record and record.expires_at > now else None

    # Writing

    def commit(
        self, change: Change, response: StoredResponse | None = None, progress: Callable[[int], None] | None = None
    ) -> None:
        self._commits.commit(change, response, progress)

    def purge(self, before: datetime, limit: int) -> int:
        return self._purge.step(before, limit)

    def purge_expired_responses(self, now: datetime, limit: int) -> int:
        # DynamoDB removes what has expired by itself (time to live, on the attribute `expires`).
        del now, limit
        return 0

    def touch_token(self, token_id: str, at: datetime) -> None:
        try:
            holder = self._read.holder(token_id, patient=False)
            if holder is None:
                return
            self._calls(
                "update_item",
                patient=False,
                TableName=self._table,
                Key=keys.token_key(holder.user_id, holder.token_id),
                UpdateExpression="SET #used = :at",
                ConditionExpression="attribute_exists(#pk) AND (attribute_not_exists(#used) OR #used < :at)",
                ExpressionAttributeNames={"#pk": "pk", "#used": "last_used_at"},
                ExpressionAttributeValues={":at": moment(at)},
            )
        except (Busy, Cancelled):
            # The next request with this token tries again, unless a later use has been noted.
            return

    # The store itself

    def check_ready(self) -> None:
        self._read.item(keys.setting_key("secret"))

    def read_secret(self) -> bytes:
        if self._secret is None:
            self._secret = self._load_secret()
        return self._secret

    def close(self) -> None:
        self._calls.close()

    def _load_secret(self) -> bytes:
        secret_key = keys.setting_key("secret")
        item = self._read.item(secret_key)
        if item is None:
            item = secret_key | {"value": text(secrets.token_hex(_SECRET_BYTES))}
            try:
                self._calls(
                    "put_item", TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(pk)"
                )
            except Cancelled:
                # Another process was first.
                item = self._read.item(secret_key) or {}
        return bytes.fromhex(item["value"]["S"])
