"""The work as somebody would write it without our store: one query for the token, and five for a card.

The checks are those of the product: the token, its scope, the membership and its role, the limit of the list. A write
is one transaction, which fails if somebody else has written to the board meanwhile. The queries are run by SQLAlchemy,
as the documentation of most frameworks has it, or by hand: by the standard library alone, which is the minimum.
"""

import hashlib
import json
import sqlite3
import uuid
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from tools.benchmarks.scene import Scene
from tools.benchmarks.work import Response

Run = Callable[[str, dict[str, Any]], Sequence[Any]]
"""Runs a statement with parameters, and returns its rows."""

Open = Callable[[], AbstractContextManager[Run]]
"""Opens a transaction."""

_CALLER = "SELECT id, user_id, scopes, expires_at FROM tokens WHERE digest = :digest AND revoked_at IS NULL"
_BOARD = (
    "SELECT boards.id, boards.currency, boards.seq, members.role FROM boards"
    " JOIN members ON members.board_id = boards.id AND members.user_id = :user_id"
    " WHERE boards.id = :board_id AND boards.deleted_at IS NULL"
)
_CARDS_OF_BOARD = (
    "SELECT cards.*, time_entries.started_at AS running_since, time_entries.rate_minor AS running_rate FROM cards"
    " JOIN lists ON lists.id = cards.list_id AND lists.deleted_at IS NULL"
    " LEFT JOIN time_entries ON time_entries.card_id = cards.id AND time_entries.ended_at IS NULL"
    " WHERE cards.board_id = :board_id AND cards.deleted_at IS NULL"
)
_CARD = f"{_CARDS_OF_BOARD} AND cards.id = :card_id"
_CARDS = f"{_CARDS_OF_BOARD} AND cards.archived_at IS NULL ORDER BY cards.id LIMIT :limit"
_PARTS = (
    "SELECT card_id, label_id FROM card_labels WHERE card_id {} ORDER BY label_id",
    (
        "SELECT card_assignees.card_id, members.user_id FROM card_assignees"
        " JOIN members ON members.id = card_assignees.member_id WHERE card_assignees.card_id {}"
    ),
    "SELECT card_id, url, title FROM card_links WHERE card_id {} ORDER BY position",
)
_PARTS_OF_CARD = [query.format("= :card_id") for query in _PARTS]
_PARTS_OF_CARDS = [query.format("IN (SELECT value FROM json_each(:card_ids))") for query in _PARTS]
_FIRST_LIST = (
    "SELECT id, stage, card_count, wip_limit, wip_enforcement FROM lists WHERE board_id = :board_id AND stage = 'todo'"
    " AND deleted_at IS NULL AND archived_at IS NULL ORDER BY rank LIMIT 1"
)
_INSERT_CARD = (
    "INSERT INTO cards (id, board_id, list_id, status, title, description, rank, tracked_seconds, tracked_cost,"
    " version, created_at, updated_at, search) VALUES (:card_id, :board_id, :list_id, :status, :title, :description,"
    " :rank, 0, 0, 1, :now, :now, :search)"
)
_UPDATE_LIST = "UPDATE lists SET card_count = card_count + 1, last_rank = :rank WHERE id = :list_id"
_UPDATE_BOARD = "UPDATE boards SET seq = seq + 1 WHERE id = :board_id AND seq = :seq RETURNING seq"
_INSERT_EVENT = (
    "INSERT INTO events (board_id, seq, type, at, actor_id, list_id, card_id, data)"
    " VALUES (:board_id, :next_seq, 'card.created', :now, :user_id, :list_id, :card_id, :data)"
)


class NotAllowed(Exception):
    """Raised when the caller may not do this, or the board does not exist for them."""


@dataclass(frozen=True)
class User:
    """Who calls, and what their token may do."""

    id: str
    scopes: list[str]


def with_sqlalchemy(scene: Scene) -> "OwnQueries":
    """Return the operations on SQLAlchemy's connections, with statements of text: its cheapest use."""
    engine, to_statement = sa.create_engine(scene.store_url), cache(sa.text)

    @contextmanager
    def transaction() -> Iterator[Run]:
        with engine.begin() as connection:

            def run(statement: str, parameters: dict[str, Any]) -> Sequence[Any]:
                result = connection.execute(to_statement(statement), parameters)
                return result.all() if result.returns_rows else ()

            yield run

    return OwnQueries(transaction)


def by_hand(scene: Scene) -> "OwnQueries":
    """Return the operations on one connection of the standard library."""
    connection = sqlite3.connect(scene.store_url.removeprefix("sqlite:///"))
    row_types: dict[Any, Any] = {}

    def make_row(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> Any:
        names = tuple(column[0] for column in cursor.description)
        if names not in row_types:
            row_types[names] = namedtuple("Row", names)  # noqa: PYI024 - the names are the query's
        return row_types[names]._make(row)

    connection.row_factory = make_row

    @contextmanager
    def transaction() -> Iterator[Run]:
        with connection:
            yield lambda statement, parameters: connection.execute(statement, parameters).fetchall()

    return OwnQueries(transaction)


class OwnQueries:
    """The three operations on the tables of the scene's SQLite file."""

    def __init__(self, transaction: Open) -> None:
        self._transaction = transaction

    def find_caller(self, authorization: str) -> User | None:
        """Return who holds the token of an Authorization header, or None."""
        digest = hashlib.sha256(authorization.removeprefix("Bearer ").encode()).hexdigest()
        with self._transaction() as run:
            rows = run(_CALLER, {"digest": digest})
        if not rows or (rows[0].expires_at is not None and rows[0].expires_at <= _format_now()):
            return None
        return User(rows[0].user_id, rows[0].scopes.split())

    def get_card(self, caller: User, board_id: str, card_id: str) -> Response:
        """Return one card."""
        ids = {"board_id": board_id, "card_id": card_id}
        with self._transaction() as run:
            board = _read_board(run, caller, board_id, scope="read")
            cards = run(_CARD, ids)
            if not cards:
                raise NotAllowed
            parts = [run(query, ids) for query in _PARTS_OF_CARD]
        return Response(_serialize(cards[0], board.currency, *parts), etag=str(cards[0].version))

    def list_cards(self, caller: User, board_id: str, limit: int, sort: str) -> Response:
        """Return the first page of the board's cards, the oldest first: `sort` can only be created_at."""
        if sort != "created_at":
            raise ValueError(sort)
        with self._transaction() as run:
            board = _read_board(run, caller, board_id, scope="read")
            cards = run(_CARDS, {"board_id": board_id, "limit": limit + 1})
            card_ids = {"card_ids": json.dumps([card.id for card in cards[:limit]])}
            parts = [_group_by_card(run(query, card_ids)) for query in _PARTS_OF_CARDS]
        items = [_serialize(card, board.currency, *(rows.get(card.id, ()) for rows in parts)) for card in cards[:limit]]
        return Response({"items": items, "next_cursor": items[-1]["id"] if len(cards) > limit else None})

    def create_card(self, caller: User, board_id: str, body: dict[str, Any]) -> Response:
        """Create a card on the board's first list to do."""
        now, card_id = _format_now(), f"crd_0{uuid.uuid4().hex[:25]}"
        title, description = body["title"], body.get("description", "")
        with self._transaction() as run:
            board = _read_board(run, caller, board_id, scope="write")
            (target,) = run(_FIRST_LIST, {"board_id": board_id})
            if target.wip_limit and target.wip_enforcement == "block" and target.card_count >= target.wip_limit:
                raise NotAllowed
            values = {
                "board_id": board_id,
                "list_id": target.id,
                "card_id": card_id,
                "user_id": caller.id,
                "status": target.stage,
                "title": title,
                "description": description,
                "search": f"{title}\n{description}".casefold(),
                "rank": f"z{target.card_count:08}",
                "seq": board.seq,
                "next_seq": board.seq + 1,
                "data": json.dumps({"title": title, "stage": target.stage}),
                "now": now,
            }
            if not run(_UPDATE_BOARD, values):
                raise NotAllowed
            for statement in (_UPDATE_LIST, _INSERT_CARD, _INSERT_EVENT):
                run(statement, values)
            (card,) = run(_CARD, values)
        location = f"/boards/{board_id}/cards/{card_id}"
        return Response(_serialize(card, board.currency), etag="1", location=location)


def _read_board(run: Run, caller: User, board_id: str, *, scope: str) -> Any:
    boards = run(_BOARD, {"board_id": board_id, "user_id": caller.id})
    if not boards or scope not in caller.scopes or (scope == "write" and boards[0].role == "viewer"):
        raise NotAllowed
    return boards[0]


def _group_by_card(rows: Iterable[Any]) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for row in rows:
        groups.setdefault(row.card_id, []).append(row)
    return groups


def _serialize(
    card: Any, currency: str, labels: Sequence[Any] = (), assignees: Sequence[Any] = (), links: Sequence[Any] = ()
) -> dict[str, Any]:
    seconds, minor = card.tracked_seconds, card.tracked_cost
    if card.running_since:
        running = int((datetime.now(UTC) - datetime.fromisoformat(card.running_since)).total_seconds())
        seconds, minor = seconds + running, minor + running * card.running_rate // 3600
    return {
        "id": card.id,
        "board_id": card.board_id,
        "list_id": card.list_id,
        "title": card.title,
        "description": card.description,
        "status": card.status,
        "external_id": card.external_id,
        "rank": card.rank,
        "start_at": card.start_at,
        "due_at": card.due_at,
        "due_complete": bool(card.due_complete),
        "hourly_rate_minor": card.hourly_rate_minor,
        "label_ids": [row.label_id for row in labels],
        "assignee_ids": [row.user_id for row in assignees],
        "links": [{"url": row.url, "title": row.title} for row in links],
        "checklist_progress": {"done": card.done_count, "total": card.item_count},
        "comment_count": card.comment_count,
        "started_at": card.started_at,
        "resolved_at": card.resolved_at,
        "running_since": card.running_since,
        "elapsed_seconds": seconds,
        "elapsed": f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}",
        "cost": {"amount_minor": minor, "currency": currency, "formatted": f"{currency} {minor / 100:.2f}"},
        "version": card.version,
        "created_at": card.created_at,
        "updated_at": card.updated_at,
        "archived_at": card.archived_at,
    }


def _format_now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
