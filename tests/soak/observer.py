"""Read everything that the application serves, and compare it with the model."""

import json
import re
from collections.abc import Mapping
from typing import Any
from unittest.mock import ANY
from urllib.parse import urlencode

from tests.api.client import Client, HttpResponse
from tests.soak.expectations import ExpectedResponse
from tests.soak.field_changes import Values, find_changes, list_values
from tests.soak.model import Model
from tests.soak.new_ids import fill_in_ids
from tests.soak.serialize import (
    board_etag,
    card_etag,
    checklist_etag,
    column_etag,
    fill_in_rank,
    fold_text,
    format_timestamp,
    history_of,
    item_etag,
    list_assignees,
    member_etag,
    serialize_board,
    serialize_card,
    serialize_checklist,
    serialize_clock,
    serialize_column,
    serialize_comment,
    serialize_event,
    serialize_item,
    serialize_label,
    serialize_member,
    serialize_time_entry,
    time_entry_etag,
)
from tests.soak.state import Board, Card

_CURSOR = re.compile(rb'"next_cursor":"[^"]*"')
_SORTS = ("position", "created_at", "-created_at", "updated_at", "-updated_at", "due_at", "-due_at")
_DUE_RANGE = {"due_from": "2026-11-21T09:30:00Z", "due_until": "2026-12-24T18:00:00Z"}
_SEARCH_TEXTS = ("GRÖSSE", "strasse", "ship", "%", "_", "NEEDLE", "語", "nowhere")


class Difference(AssertionError):
    """Raised when the application and the model differ."""


class Observer:
    """Reads as each of the model's users. `responses` has everything that was read."""

    def __init__(self, model: Model, clients: Mapping[str, Client]) -> None:
        self.responses: list[bytes] = []
        self._model = model
        self._clients = clients
        self._events_seen: dict[str, int] = {}
        self._values: dict[tuple[str, str], Values] = {}

    def check_response(self, expected: ExpectedResponse, response: HttpResponse) -> None:
        """Raise Difference unless the response is the expected one."""
        headers = {name: response.headers.get(name, "") for name in ("etag", "location", "idempotency-replayed")}
        self.responses.append(
            f"{response.status} {headers} ".encode() + _CURSOR.sub(b'"next_cursor":"..."', response.raw)
        )
        _ensure_equal("status", expected.status, response.status)
        _ensure_equal("being a replay", expected.replay is not None, bool(headers["idempotency-replayed"]))
        if expected.replay is not None:
            _ensure_equal("the replayed body", expected.replay, response.raw)
        elif expected.code:
            _ensure_equal("code", expected.code, response.json["code"])
        else:
            _ensure_equal("body", expected.body, response.json if response.raw else None)
            etag = expected.etag and fill_in_rank(expected.etag, response.json if response.raw else {})
            _ensure_equal("ETag", etag, response.headers.get("etag"))

    def read_moved_ids(self, board_id: str) -> list[str]:
        """Return the ids that the board's newest event names as moved, if the event is new to the model."""
        board = next((board for board in self._model.boards if board.id == board_id), None)
        if board is None:
            return []
        events = self._clients[board.owner].get(f"/boards/{board.id}/events?after={len(board.events)}").json["items"]
        data = events[-1]["data"] if events else {}
        moved: list[str] = data.get("card_ids") or data.get("list_ids") or []
        return moved

    def check_board(self, board_id: str) -> None:
        """Compare a board, and any new one, with the model."""
        for board in self._model.boards:
            fill_in_ids(board, self._clients[board.owner])
            if board.id == board_id or board.id not in self._events_seen:
                self._check_board_state(board)

    def check_everything(self) -> None:
        """Compare every board with all resources on it, in every sort order, for every user."""
        for board in self._model.boards:
            self._check_board_state(board)
            self._check_single_resources(board)
            self._check_pages(board)
            for user in self._clients:
                if board.find_membership(user):
                    self._check_get(
                        user,
                        f"/boards/{board.id}",
                        ExpectedResponse(200, body=serialize_board(board, user), etag=board_etag(board)),
                    )
                else:
                    self._check_get(user, f"/boards/{board.id}/cards", ExpectedResponse(404, "board_not_found"))
        for user in self._clients:
            boards = [board for board in reversed(self._model.boards) if board.find_membership(user)]
            for query, archived in (({}, False), ({"archived": "true"}, True)):
                expected_items = [
                    serialize_board(board, user) for board in boards if bool(board.archived_at) == archived
                ]
                self._check_item_pages(user, "/boards", query, expected_items, limit=1)
            self._check_assigned_cards(user)

    def _check_board_state(self, board: Board) -> None:
        now = self._model.now
        columns = [serialize_column(board, column) for column in board.columns if not column.archived_at]
        labels = [serialize_label(board, label) for label in board.labels]
        cards = [serialize_card(board, card, now) for card in board.active_cards]
        etag = board_etag(board)
        if any(card.is_running for card in board.active_cards):
            etag = f'{etag[:-1]}.{int(now.timestamp())}"'
        people = [
            serialize_member(board, membership, self._model.names[membership.user]) for membership in board.memberships
        ]
        parts = {"lists": columns, "labels": labels, "cards": {"items": cards, "next_cursor": None}, "members": people}
        expected = ExpectedResponse(
            200, body=serialize_board(board, board.owner) | parts, etag=f'{etag[:-1]}.{len(people)}"'
        )
        self._check_get(board.owner, f"/boards/{board.id}?embed=lists,cards,labels,members", expected)

        seen_count, number = self._events_seen.get(board.id, 0), len(board.events)
        event_page = {
            "items": [
                # Tokens and requests have other ids in each run.
                serialize_event(event)
                | {"changes": find_changes(event, self._values, board), "token_id": ANY, "request_id": ANY}
                for event in board.events[seen_count:]
            ],
            "last_seq": number,
            "has_more": False,
            "history": history_of(board),
        }
        address = f"/boards/{board.id}/events?after={seen_count}&limit=100"
        self._check_get(board.owner, address, ExpectedResponse(200, body=event_page, etag=f'"{number}"'))
        self._events_seen[board.id] = number
        self._values |= list_values(board)

    def _check_single_resources(self, board: Board) -> None:
        now, path = self._model.now, f"/boards/{board.id}"
        self._check_resource(board, path, serialize_board(board, board.owner), board_etag(board))
        for column in board.columns:
            self._check_resource(
                board, f"{path}/lists/{column.id}", serialize_column(board, column), column_etag(column)
            )
        archived = [serialize_column(board, column) for column in board.columns if column.archived_at]
        archived_page = {"items": archived, "next_cursor": None}
        self._check_get(board.owner, f"{path}/lists?archived=true", ExpectedResponse(200, body=archived_page))
        for membership in board.memberships:
            body = serialize_member(board, membership, self._model.names[membership.user])
            self._check_resource(board, f"{path}/members/{membership.user}", body, member_etag(membership))
        for label in board.labels:
            self._check_resource(
                board, f"{path}/labels/{label.id}", serialize_label(board, label), f'"{label.version}"'
            )
        for card in board.cards:
            self._check_resource(
                board, f"{path}/cards/{card.id}", serialize_card(board, card, now), card_etag(board, card, now)
            )
            self._check_time_entries(board, card)
            self._check_comments_and_checklists(board, card)

    def _check_comments_and_checklists(self, board: Board, card: Card) -> None:
        path = f"/boards/{board.id}/cards/{card.id}"
        comments = [serialize_comment(board, card, comment) for comment in reversed(card.comments)]
        self._check_item_pages(board.owner, f"{path}/comments", {}, comments, limit=2)
        for comment in card.comments:
            body = serialize_comment(board, card, comment)
            self._check_resource(board, f"{path}/comments/{comment.id}", body, f'"{comment.version}"')
        checklists = [serialize_checklist(board, card, checklist) for checklist in card.checklists]
        page = {"items": checklists, "next_cursor": None}
        self._check_get(board.owner, f"{path}/checklists", ExpectedResponse(200, body=page))
        for checklist, body in zip(card.checklists, checklists, strict=True):
            checklist_path = f"{path}/checklists/{checklist.id}"
            self._check_resource(board, checklist_path, body, checklist_etag(board, checklist))
            for item in checklist.items:
                self._check_resource(
                    board, f"{checklist_path}/items/{item.id}", serialize_item(board, item), item_etag(board, item)
                )

    def _check_time_entries(self, board: Board, card: Card) -> None:
        client = self._clients[board.owner]
        response = client.get(f"/boards/{board.id}/cards/{card.id}/time?limit=100")
        self.responses.append(response.raw)
        serialized_entries = [serialize_time_entry(board, card, entry, self._model.now) for entry in card.time_entries]
        expected_body = {
            "items": serialized_entries,
            "next_cursor": None,
            **serialize_clock(board, card, self._model.now),
        }
        _ensure_equal("time", expected_body, response.json)
        for entry, entry_shape in zip(card.time_entries, serialized_entries, strict=True):
            path = f"/boards/{board.id}/cards/{card.id}/time-entries/{entry.id}"
            self._check_resource(board, path, entry_shape, time_entry_etag(entry, self._model.now))

    def _check_pages(self, board: Board) -> None:
        active_cards = board.active_cards
        path = f"/boards/{board.id}/cards"
        for number, sort in enumerate(_SORTS):
            self._check_card_pages(board, path, {"sort": sort}, active_cards, limit=1 + number % 3)
            for column in board.columns[:2]:
                query = {"sort": sort, "list_id": column.id}
                self._check_card_pages(board, path, query, column.active_cards, limit=2)
            archived = [card for card in board.cards if card.archived_at]
            self._check_card_pages(board, path, {"sort": sort, "archived": "true"}, archived, limit=2)
            self._check_card_pages(
                board, path, {"sort": sort, "deleted": "true"}, self._model.list_restorable_cards(board), limit=2
            )
            for stage in ("todo", "in_progress", "done"):
                at_stage = [card for card in active_cards if board.find_column(card).stage == stage]
                self._check_card_pages(board, path, {"sort": sort, "status": stage}, at_stage, limit=3)
        for text_to_find in _SEARCH_TEXTS:
            matching = [
                card
                for card in active_cards
                if any(fold_text(text_to_find) in fold_text(text) for text in _searched_texts(card))
            ]
            self._check_card_pages(board, path, {"q": text_to_find}, matching, limit=2)
        self._check_filters(board, path, active_cards)

    def _check_filters(self, board: Board, path: str, cards: list[Card]) -> None:
        """Compare each filter in two sort orders, which differ between boards."""
        due = [
            card for card in cards if card.due_at and _DUE_RANGE["due_from"] <= card.due_at < _DUE_RANGE["due_until"]
        ]
        assigned = [card for card in cards if board.owner in list_assignees(board, card)]
        queries: list[tuple[dict[str, str], list[Card]]] = [
            ({"overdue": "true"}, [card for card in cards if self._is_overdue(board, card)]),
            (_DUE_RANGE, due),
            ({"assignee_id": "me"}, assigned),
            ({"assignee_id": "me", **_DUE_RANGE}, [card for card in due if card in assigned]),
            *(({"label_id": label.id}, [card for card in cards if label in card.labels]) for label in board.labels[:2]),
        ]
        since = sorted(card.updated_at for card in cards)[len(cards) // 2 :]
        if since:
            recent = [card for card in cards if card.updated_at >= since[0]]
            queries.append(({"updated_since": str(format_timestamp(since[0]))}, recent))
        for number, (query, matching) in enumerate(queries, len(board.events)):
            self._check_card_pages(board, path, query, matching, limit=2)
            self._check_card_pages(board, path, {**query, "sort": _SORTS[number % len(_SORTS)]}, matching, limit=1)

    def _is_overdue(self, board: Board, card: Card) -> bool:
        is_past = card.due_at is not None and card.due_at < str(format_timestamp(self._model.now))
        return is_past and not card.due_complete and board.find_column(card).stage != "done"

    def _check_assigned_cards(self, user: str) -> None:
        """Compare a user's assigned cards: newest board first, then oldest card; pages may be empty."""
        now = self._model.now
        boards = [
            board for board in reversed(self._model.boards) if board.find_membership(user) and not board.archived_at
        ]
        assigned = [
            (board, card)
            for board in boards
            for card in sorted(board.active_cards, key=lambda card: card.id)
            if user in list_assignees(board, card)
        ]
        queries: list[tuple[dict[str, str], list[tuple[Board, Card]]]] = [
            ({}, assigned),
            (
                {"status": "done"},
                [(board, card) for board, card in assigned if board.find_column(card).stage == "done"],
            ),
            ({"overdue": "true"}, [(board, card) for board, card in assigned if self._is_overdue(board, card)]),
            (
                _DUE_RANGE,
                [
                    pair
                    for pair in assigned
                    if _DUE_RANGE["due_from"] <= (pair[1].due_at or "") < _DUE_RANGE["due_until"]
                ],
            ),
        ]
        for number, (query, pairs) in enumerate(queries):
            expected_items = [serialize_card(board, card, now) | {"board_name": board.name} for board, card in pairs]
            self._check_item_pages(user, "/cards", query, expected_items, limit=1 + number % 2, may_pause=True)

    def _check_card_pages(self, board: Board, path: str, query: dict[str, str], cards: list[Card], limit: int) -> None:
        """Compare all pages of a query with the cards, which are given in the order of the board."""
        order = query.get("sort", "position").removeprefix("-")
        if order == "created_at":
            # Ids increase with the time of creation.
            cards = sorted(cards, key=lambda card: card.id)
        elif order == "updated_at":
            cards = sorted(cards, key=lambda card: (card.updated_at, card.id))
        elif order == "due_at":
            cards = sorted((card for card in cards if card.due_at), key=lambda card: (card.due_at or "", card.id))
        if query.get("sort", "").startswith("-"):
            cards = cards[::-1]
        expected_items = [serialize_card(board, card, self._model.now) for card in cards]
        self._check_item_pages(board.owner, path, query, expected_items, limit)

    def _check_item_pages(
        self,
        user: str,
        path: str,
        query: dict[str, str],
        items: list[dict[str, Any]],
        limit: int,
        *,
        may_pause: bool = False,
    ) -> None:
        received: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            address = f"{path}?{urlencode({**query, 'limit': limit, **cursor})}"
            page = self._clients[user].get(address)
            _ensure_equal(f"status of {address}", 200, page.status)
            _ensure_equal(f"items beyond the limit of {limit}", [], page.json["items"][limit:])
            received += page.json["items"]
            if page.json["next_cursor"] is None:
                break
            _ensure_equal("an empty page before the last", may_pause and not page.json["items"], not page.json["items"])
            cursor = {"cursor": page.json["next_cursor"]}
        self.responses.append(json.dumps(received).encode())
        _ensure_equal(f"all pages of {path} {query}", items, received)

    def _check_resource(self, board: Board, path: str, body: dict[str, Any], etag: str) -> None:
        """Compare a resource, and check that its ETag gives 304."""
        response = self._check_get(board.owner, path, ExpectedResponse(200, body=body, etag=etag))
        etag = fill_in_rank(etag, response.json)
        self._check_get(board.owner, path, ExpectedResponse(304, etag=etag), If_None_Match=etag)

    def _check_get(self, user: str, path: str, expected: ExpectedResponse, **headers: str) -> HttpResponse:
        response = self._clients[user].get(path, **headers)
        self.check_response(expected, response)
        return response


def _ensure_equal(what: str, expected: object, actual: object) -> None:
    if expected != actual:
        raise Difference(f"{what}:\n  the model   {expected!r}\n  the answer  {actual!r}")


def _searched_texts(card: Card) -> list[str]:
    """Return the texts in which a card is searched."""
    return [card.title, card.description, *(comment.text for comment in card.comments)]
