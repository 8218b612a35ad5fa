"""Looks at what the application shows, from all sides, and compares it with the model."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from tests.api.client import Answer, Client
from tests.soak.model import Model
from tests.soak.newcomers import learn_ids
from tests.soak.rulings import Expected
from tests.soak.shapes import (
    assigned_to,
    board_shape,
    board_tag,
    card_shape,
    card_tag,
    checklist_shape,
    checklist_tag,
    clock_shape,
    column_shape,
    column_tag,
    comment_shape,
    event_shape,
    folded,
    item_shape,
    item_tag,
    label_shape,
    member_shape,
    member_tag,
    moment,
    stretch_shape,
    stretch_tag,
)
from tests.soak.state import Board, Card

_CURSOR = re.compile(rb'"next_cursor":"[^"]*"')
_SORTS = ("position", "created_at", "-created_at", "updated_at", "-updated_at", "due_at", "-due_at")
_SPAN = {"due_from": "2026-11-21T09:30:00Z", "due_until": "2026-12-24T18:00:00Z"}
_SOUGHT = ("GRÖSSE", "strasse", "ship", "%", "_", "NEEDLE", "語", "nowhere")


class Difference(AssertionError):
    """The application shows something else than the model."""


class Lookout:
    """Sees with the eyes of the model's people. `heard` keeps all that was seen."""

    def __init__(self, model: Model, clients: Mapping[str, Client]) -> None:
        self.heard: list[bytes] = []
        self._model = model
        self._clients = clients
        self._events_seen: dict[str, int] = {}

    def compare(self, expected: Expected, seen: Answer) -> None:
        """Raise Difference unless this is the answer that is due."""
        headers = {name: seen.headers.get(name, "") for name in ("etag", "location", "idempotency-replayed")}
        self.heard.append(f"{seen.status} {headers} ".encode() + _CURSOR.sub(b'"next_cursor":"..."', seen.raw))
        _insist("status", expected.status, seen.status)
        _insist("being a replay", expected.replay is not None, bool(headers["idempotency-replayed"]))
        if expected.replay is not None:
            _insist("the replayed body", expected.replay, seen.raw)
        elif expected.code:
            _insist("code", expected.code, seen.json["code"])
        else:
            _insist("body", expected.body, seen.json if seen.raw else None)
            _insist("ETag", expected.tag, seen.headers.get("etag"))

    def moved_on(self, board_id: str) -> list[str]:
        """The lists or the cards that the board's newest event says were put in order, if the model doesn't know it."""
        board = next((each for each in self._model.boards if each.id == board_id), None)
        if board is None:
            return []
        news = self._clients[board.owner].get(f"/boards/{board.id}/events?after={len(board.events)}").json["items"]
        data = news[-1]["data"] if news else {}
        moved: list[str] = data.get("card_ids") or data.get("list_ids") or []
        return moved

    def look_at(self, board_id: str) -> None:
        """That board, and any that is new."""
        for board in self._model.boards:
            learn_ids(board, self._clients[board.owner])
            if board.id == board_id or board.id not in self._events_seen:
                self._look_at_board(board)

    def look_at_everything(self) -> None:
        """Every board with all that is on it, one by one and in every order of pages, and who else may see it."""
        for board in self._model.boards:
            self._look_at_board(board)
            self._look_at_parts(board)
            self._turn_pages(board)
            for user in self._clients:
                if board.place_of(user):
                    self._get(
                        user, f"/boards/{board.id}", Expected(200, body=board_shape(board, user), tag=board_tag(board))
                    )
                else:
                    self._get(user, f"/boards/{board.id}/cards", Expected(404, "board_not_found"))
        for user in self._clients:
            own = [board for board in reversed(self._model.boards) if board.place_of(user)]
            for query, archived in (({}, False), ({"archived": "true"}, True)):
                shapes = [board_shape(board, user) for board in own if bool(board.archived) == archived]
                self._walk(user, "/boards", query, shapes, limit=1)
            self._look_at_my_work(user)

    def _look_at_board(self, board: Board) -> None:
        now = self._model.now
        columns = [column_shape(board, column) for column in board.columns if not column.archived]
        labels = [label_shape(board, label) for label in board.labels]
        cards = [card_shape(board, card, now) for card in board.in_use]
        tag = board_tag(board)
        if any(card.is_running for card in board.in_use):
            tag = f'{tag[:-1]}.{int(now.timestamp())}"'
        people = [member_shape(board, place, self._model.names[place.user]) for place in board.places]
        parts = {"lists": columns, "labels": labels, "cards": {"items": cards, "next_cursor": None}, "members": people}
        whole = Expected(200, body=board_shape(board, board.owner) | parts, tag=f'{tag[:-1]}.{len(people)}"')
        self._get(board.owner, f"/boards/{board.id}?embed=lists,cards,labels,members", whole)

        known, number = self._events_seen.get(board.id, 0), len(board.events)
        news = {"items": [event_shape(event) for event in board.events[known:]], "last_seq": number, "has_more": False}
        address = f"/boards/{board.id}/events?after={known}&limit=100"
        self._get(board.owner, address, Expected(200, body=news, tag=f'"{number}"'))
        self._events_seen[board.id] = number

    def _look_at_parts(self, board: Board) -> None:
        now, path = self._model.now, f"/boards/{board.id}"
        self._look_twice(board, path, board_shape(board, board.owner), board_tag(board))
        for column in board.columns:
            self._look_twice(board, f"{path}/lists/{column.id}", column_shape(board, column), column_tag(column))
        away = [column_shape(board, column) for column in board.columns if column.archived]
        put_away = {"items": away, "next_cursor": None}
        self._get(board.owner, f"{path}/lists?archived=true", Expected(200, body=put_away))
        for place in board.places:
            shape = member_shape(board, place, self._model.names[place.user])
            self._look_twice(board, f"{path}/members/{place.user}", shape, member_tag(place))
        for label in board.labels:
            self._look_twice(board, f"{path}/labels/{label.id}", label_shape(board, label), f'"{label.version}"')
        for card in board.cards:
            self._look_twice(board, f"{path}/cards/{card.id}", card_shape(board, card, now), card_tag(board, card, now))
            self._look_at_time(board, card)
            self._look_at_what_belongs_to(board, card)

    def _look_at_what_belongs_to(self, board: Board, card: Card) -> None:
        path = f"/boards/{board.id}/cards/{card.id}"
        comments = [comment_shape(board, card, comment) for comment in reversed(card.comments)]
        self._walk(board.owner, f"{path}/comments", {}, comments, limit=2)
        for comment in card.comments:
            shape = comment_shape(board, card, comment)
            self._look_twice(board, f"{path}/comments/{comment.id}", shape, f'"{comment.version}"')
        checklists = [checklist_shape(board, card, checklist) for checklist in card.checklists]
        page = {"items": checklists, "next_cursor": None}
        self._get(board.owner, f"{path}/checklists", Expected(200, body=page))
        for checklist, shape in zip(card.checklists, checklists, strict=True):
            one = f"{path}/checklists/{checklist.id}"
            self._look_twice(board, one, shape, checklist_tag(board, checklist))
            for item in checklist.items:
                self._look_twice(board, f"{one}/items/{item.id}", item_shape(board, item), item_tag(board, item))

    def _look_at_time(self, board: Board, card: Card) -> None:
        client = self._clients[board.owner]
        seen = client.get(f"/boards/{board.id}/cards/{card.id}/time?limit=100")
        self.heard.append(seen.raw)
        time = seen.json
        stretches = [stretch_shape(board, card, each, self._model.now) for each in card.stretches]
        shape = {"items": stretches, "next_cursor": None, **clock_shape(board, card, self._model.now)}
        _insist("time", shape, time)
        for stretch, one in zip(card.stretches, stretches, strict=True):
            path = f"/boards/{board.id}/cards/{card.id}/time-entries/{stretch.id}"
            self._look_twice(board, path, one, stretch_tag(stretch, self._model.now))

    def _turn_pages(self, board: Board) -> None:
        everything = board.in_use
        path = f"/boards/{board.id}/cards"
        for number, sort in enumerate(_SORTS):
            self._walk_cards(board, path, {"sort": sort}, everything, limit=1 + number % 3)
            for column in board.columns[:2]:
                query = {"sort": sort, "list_id": column.id}
                self._walk_cards(board, path, query, column.in_use, limit=2)
            away = [card for card in board.cards if card.archived]
            self._walk_cards(board, path, {"sort": sort, "archived": "true"}, away, limit=2)
            self._walk_cards(board, path, {"sort": sort, "deleted": "true"}, self._model.restorable(board), limit=2)
            for stage in ("todo", "in_progress", "done"):
                there = [card for card in everything if board.home(card).stage == stage]
                self._walk_cards(board, path, {"sort": sort, "status": stage}, there, limit=3)
        for sought in _SOUGHT:
            found = [card for card in everything if any(folded(sought) in folded(text) for text in _texts(card))]
            self._walk_cards(board, path, {"q": sought}, found, limit=2)
        self._filter(board, path, everything)

    def _filter(self, board: Board, path: str, cards: list[Card]) -> None:
        """Each filter in two orders, other ones on each board."""
        due = [card for card in cards if card.due_at and _SPAN["due_from"] <= card.due_at < _SPAN["due_until"]]
        mine = [card for card in cards if board.owner in assigned_to(board, card)]
        found: list[tuple[dict[str, str], list[Card]]] = [
            ({"overdue": "true"}, [card for card in cards if self._is_late(board, card)]),
            (_SPAN, due),
            ({"assignee_id": "me"}, mine),
            ({"assignee_id": "me", **_SPAN}, [card for card in due if card in mine]),
            *(({"label_id": each.id}, [card for card in cards if each in card.labels]) for each in board.labels[:2]),
        ]
        since = sorted(card.edited for card in cards)[len(cards) // 2 :]
        if since:
            news = [card for card in cards if card.edited >= since[0]]
            found.append(({"updated_since": str(moment(since[0]))}, news))
        for number, (query, there) in enumerate(found, len(board.events)):
            self._walk_cards(board, path, query, there, limit=2)
            self._walk_cards(board, path, {**query, "sort": _SORTS[number % len(_SORTS)]}, there, limit=1)

    def _is_late(self, board: Board, card: Card) -> bool:
        is_past = card.due_at is not None and card.due_at < str(moment(self._model.now))
        return is_past and not card.due_complete and board.home(card).stage != "done"

    def _look_at_my_work(self, user: str) -> None:
        """Newest board first, there the oldest card first; pages may be empty while more follow."""
        now = self._model.now
        boards = [each for each in reversed(self._model.boards) if each.place_of(user) and not each.archived]
        mine = [
            (board, card)
            for board in boards
            for card in sorted(board.in_use, key=lambda each: each.id)
            if user in assigned_to(board, card)
        ]
        found: list[tuple[dict[str, str], list[tuple[Board, Card]]]] = [
            ({}, mine),
            ({"status": "done"}, [(board, card) for board, card in mine if board.home(card).stage == "done"]),
            ({"overdue": "true"}, [(board, card) for board, card in mine if self._is_late(board, card)]),
            (_SPAN, [each for each in mine if _SPAN["due_from"] <= (each[1].due_at or "") < _SPAN["due_until"]]),
        ]
        for number, (query, there) in enumerate(found):
            shapes = [card_shape(board, card, now) | {"board_name": board.name} for board, card in there]
            self._walk(user, "/cards", query, shapes, limit=1 + number % 2, may_pause=True)

    def _walk_cards(self, board: Board, path: str, query: dict[str, str], cards: list[Card], limit: int) -> None:
        """Compare with all the pages of cards that are given in the order of the board."""
        order = query.get("sort", "position").removeprefix("-")
        if order == "created_at":
            # Ids rise with the time that they were made at.
            cards = sorted(cards, key=lambda card: card.id)
        elif order == "updated_at":
            cards = sorted(cards, key=lambda card: (card.edited, card.id))
        elif order == "due_at":
            cards = sorted((card for card in cards if card.due_at), key=lambda card: (card.due_at or "", card.id))
        if query.get("sort", "").startswith("-"):
            cards = cards[::-1]
        shapes = [card_shape(board, card, self._model.now) for card in cards]
        self._walk(board.owner, path, query, shapes, limit)

    def _walk(
        self,
        user: str,
        path: str,
        query: dict[str, str],
        items: list[dict[str, Any]],
        limit: int,
        *,
        may_pause: bool = False,
    ) -> None:
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            address = f"{path}?{urlencode({**query, 'limit': limit, **cursor})}"
            page = self._clients[user].get(address)
            _insist(f"status of {address}", 200, page.status)
            _insist(f"items beyond the limit of {limit}", [], page.json["items"][limit:])
            found += page.json["items"]
            if page.json["next_cursor"] is None:
                break
            _insist("an empty page before the last", may_pause and not page.json["items"], not page.json["items"])
            cursor = {"cursor": page.json["next_cursor"]}
        self.heard.append(json.dumps(found).encode())
        _insist(f"all pages of {path} {query}", items, found)

    def _look_twice(self, board: Board, path: str, shape: dict[str, Any], tag: str) -> None:
        """At the thing, and whether it is told that nothing has changed since."""
        self._get(board.owner, path, Expected(200, body=shape, tag=tag))
        self._get(board.owner, path, Expected(304, tag=tag), If_None_Match=tag)

    def _get(self, user: str, path: str, expected: Expected, **headers: str) -> None:
        self.compare(expected, self._clients[user].get(path, **headers))


def _insist(what: str, expected: object, found: object) -> None:
    if expected != found:
        raise Difference(f"{what}:\n  the model   {expected!r}\n  the answer  {found!r}")


def _texts(card: Card) -> list[str]:
    """Where a card is searched."""
    return [card.title, card.description, *(comment.text for comment in card.comments)]
