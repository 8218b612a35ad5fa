"""Random requests that make sense for the present state of the model, or nearly so."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tests.soak.expectations import Request
from tests.soak.model import Model
from tests.soak.model_core import Versioned
from tests.soak.serialize import format_timestamp
from tests.soak.state import Board, Card, Checklist, Column, TimeEntry

_UNUSED_ID = "0" * 26
_ROLES = ("viewer", "editor", "editor", "owner")
_STAGES = ("todo", "in_progress", "done")
_TITLES = ("Write the copy", "Größe wählen", "Ship it", "STRASSE", "Straße", "50 % off", "a_b", "日本語")
_TEXTS = ("", "All of it.", "One line\nand another", "needle")
_NAMES = ("Website", "Garden", "Ideas", "Review", "Later")
_POSITIONS = ("top", "bottom")
_ENFORCEMENTS = ("warn", "block", "block")
_WIP_LIMITS = (1, 1, 2, 3)
_RATES = (0, 1, 999, 9_000)
_LABELS = ("Bug", "Idea", "BUG", "Größe")
_COLORS = ("red", "sky")
_EXTERNAL_IDS = ("JIRA-1", "JIRA-2", "JIRA-3")
_KEYS = ("k1", "k2", "k3", "k4")
_MOMENTS = ("2026-11-20T15:00:00Z", "2026-11-21T09:30:00Z", "2026-11-23T00:00:00Z", "2026-12-24T18:00:00Z", None)
_LINKS = ({"url": "https://example.com/", "title": "Example"}, {"url": "http://127.0.0.1:8080/?q=1", "title": "Here"})
_SORT_FIELDS = ("created_at", "updated_at", "due_at", "title")
_MINUTES_AGO = (*(0, 0, 0, 1 / 60, 10, 20, 60, 90, 120, 180, 300, 600, 1_000, 3_000) * 2, -5, 600_000)
_CONDITIONAL = frozenset(
    f"{verb}_{kind}"
    for verb in ("update", "delete")
    for kind in ("board", "list", "card", "label", "comment", "checklist", "checklist_item", "time_entry")
)
"""Writes that take If-Match."""

_MEMBER_OPERATIONS = frozenset(("put_member", "remove_member", "assign_card", "unassign_card"))
_PREFIXES = {
    "board": "brd_",
    "list": "lst_",
    "card": "crd_",
    "label": "lbl_",
    "comment": "cmt_",
    "checklist": "chk_",
    "checklist_item": "itm_",
    "time_entry": "ten_",
}

_REPEATABLE = _MEMBER_OPERATIONS | {"label_card", "unlabel_card", "order_lists", "order_cards"}
"""Writes that take neither If-Match nor Idempotency-Key; all others take an Idempotency-Key."""

_WEIGHTS = {
    "create_board": 2,
    "update_board": 3,
    "delete_board": 1,
    "create_list": 5,
    "update_list": 8,
    "move_list": 6,
    "delete_list": 2,
    "create_card": 22,
    "update_card": 10,
    "move_card": 26,
    "start_card": 9,
    "resolve_card": 7,
    "reopen_card": 4,
    "delete_card": 5,
    "archive_card": 5,
    "unarchive_card": 4,
    "restore_card": 5,
    "archive_list": 2,
    "unarchive_list": 3,
    "restore_list": 3,
    "archive_board": 1,
    "unarchive_board": 1,
    "restore_board": 1,
    "create_label": 5,
    "update_label": 2,
    "delete_label": 1,
    "label_card": 5,
    "unlabel_card": 2,
    "put_member": 5,
    "remove_member": 2,
    "assign_card": 4,
    "unassign_card": 2,
    "create_comment": 6,
    "update_comment": 2,
    "delete_comment": 2,
    "create_checklist": 4,
    "update_checklist": 1,
    "move_checklist": 2,
    "delete_checklist": 1,
    "create_checklist_item": 9,
    "update_checklist_item": 5,
    "move_checklist_item": 3,
    "delete_checklist_item": 2,
    "convert_checklist_item": 3,
    "copy_board": 2,
    "copy_list": 3,
    "copy_card": 4,
    "order_lists": 3,
    "order_cards": 4,
    "sort_cards": 4,
    "move_cards": 3,
    "transfer_card": 7,
    "create_time_entry": 10,
    "update_time_entry": 8,
    "delete_time_entry": 3,
}
"""Every write, and the weight with which it is chosen."""

_CARD_PART_OPERATIONS = {
    operation
    for operation in _WEIGHTS
    if "comment" in operation or "checklist" in operation or "time_entry" in operation
}
_PART_CREATIONS = {"create_comment", "create_checklist", "create_time_entry"}
_COLUMN_OPERATIONS = {operation for operation in _WEIGHTS if operation.endswith("_list")} - {"create_list"} | {
    "order_cards",
    "sort_cards",
    "move_cards",
}
_CARD_OPERATIONS = {operation for operation in _WEIGHTS if operation.endswith("_card")} - {
    "create_card"
} | _CARD_PART_OPERATIONS


class RequestGenerator:
    """Chooses one request after another."""

    def __init__(self, model: Model, users: Sequence[str]) -> None:
        self._model = model
        self._users = users
        self._sent_requests: list[Request] = []
        self._known_ids: dict[str, list[str]] = {
            prefix: [] for prefix in ("brd_", "lst_", "crd_", "lbl_", "cmt_", "chk_", "itm_", "ten_")
        }

    def next(self, rng: random.Random) -> Request:
        """Return a request; sometimes an earlier one, with its idempotency key."""
        self._collect_ids()
        keyed = [request for request in self._sent_requests if request.key]
        if keyed and rng.random() < 0.08:
            return rng.choice(keyed)
        request = self._generate(rng)
        self._sent_requests.append(request)
        return request

    def _generate(self, rng: random.Random) -> Request:
        operation = rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        if len(self._model.boards) < (2 if operation == "transfer_card" else 1):
            operation = "create_board"
        if operation == "create_board":
            user = rng.choice(self._users)
            return Request(user, operation, body=_generate_board_body(rng), key=_choose_key(rng))
        board = self._model.boards[0] if rng.random() < 0.8 else rng.choice(self._model.boards)
        if operation == "restore_board" and self._model.deleted_boards and rng.random() < 0.8:
            board = rng.choice(self._model.deleted_boards)
        user = board.owner if rng.random() < 0.85 else rng.choice(self._users)
        columns = _suitable_columns(operation, board)
        column = self._choose_id([column.id for column in columns], "lst_", rng)
        cards = self._suitable_card_ids(operation, board)
        if operation in _CARD_OPERATIONS and not cards and rng.random() < 0.8:
            operation = "create_card"
        card = self._choose_id(cards, "crd_", rng)
        label = self._choose_id([label.id for label in board.labels], "lbl_", rng)
        part, item = self._choose_part(operation, board, card, rng)
        return Request(
            user,
            operation,
            board=board.id if rng.random() < 0.98 else self._choose_id([], "brd_", rng),
            column=column if operation in _COLUMN_OPERATIONS else "",
            card=card if operation in _CARD_OPERATIONS else "",
            member=self._choose_member(rng) if operation in _MEMBER_OPERATIONS else "",
            label=label if "label" in operation and operation != "create_label" else "",
            part=part,
            item=item,
            body=self._generate_body(operation, board, column, (card, part), rng),
            etag=self._choose_etag(operation, board, {column, card, label, part, item}, rng)
            if operation in _CONDITIONAL
            else None,
            key=None if operation in _CONDITIONAL | _REPEATABLE else _choose_key(rng),
        )

    def _suitable_card_ids(self, operation: str, board: Board) -> list[str]:
        """Return the ids of the cards for which the operation makes sense."""
        if operation == "restore_card":
            return [card.id for card in board.deleted_cards]
        if operation == "unarchive_card":
            return [card.id for card in board.cards if card.archived_at]
        if operation == "create_checklist_item":
            return [card.id for card in board.cards if card.checklists]
        if operation == "transfer_card":
            # Prefer a card with an assigned item: its assignee may have another membership there.
            with_assignee = [card.id for card in board.cards if any(item.assignee for item in card.items)]
            return with_assignee or [card.id for card in board.cards]
        if operation in _CARD_PART_OPERATIONS - _PART_CREATIONS:
            return [card.id for card in board.cards if _suitable_parts(operation, card)]
        stage = {"start_card": "todo", "resolve_card": "in_progress", "reopen_card": "done"}.get(operation)
        return [card.id for card in board.cards if stage in (None, board.find_column(card).stage)]

    def _choose_member(self, rng: random.Random) -> str:
        return rng.choice(self._users) if rng.random() < 0.95 else "nobody"

    def _choose_part(self, operation: str, board: Board, card_id: str, rng: random.Random) -> tuple[str, str]:
        """Choose the comment, checklist or time entry that the operation names, and the item; '' for none."""
        if operation not in _CARD_PART_OPERATIONS - _PART_CREATIONS:
            return "", ""
        card = next((card for card in board.cards if card.id == card_id), None)
        if "time_entry" in operation:
            return self._choose_id([entry.id for entry in card.time_entries] if card else [], "ten_", rng), ""
        if "comment" in operation:
            return self._choose_id([comment.id for comment in card.comments] if card else [], "cmt_", rng), ""
        checklists = card.checklists if card else []
        if operation.endswith("_item") and operation != "create_checklist_item":
            item = self._choose_id([item.id for checklist in checklists for item in checklist.items], "itm_", rng)
            containing = [
                checklist.id for checklist in checklists if item in [candidate.id for candidate in checklist.items]
            ]
            return self._choose_id(containing, "chk_", rng), item
        return self._choose_id([checklist.id for checklist in checklists], "chk_", rng), ""

    def _choose_id(self, live: list[str], prefix: str, rng: random.Random) -> str:
        """Choose mostly one of these ids, else any that is or was known, or an unused one."""
        if live and rng.random() < 0.93:
            return rng.choice(live)
        return rng.choice([*self._known_ids[prefix], prefix + _UNUSED_ID])

    def _collect_ids(self) -> None:
        for board in self._model.boards:
            new = [("brd_", board.id), *(("lst_", column.id) for column in board.columns)]
            new += [("lbl_", label.id) for label in board.labels]
            for card in board.cards:
                new += [("crd_", card.id), *(("cmt_", comment.id) for comment in card.comments)]
                new += [("ten_", entry.id) for entry in card.time_entries]
                new += [
                    *(("chk_", checklist.id) for checklist in card.checklists),
                    *(("itm_", item.id) for item in card.items),
                ]
            for prefix, new_id in new:
                if new_id not in self._known_ids[prefix]:
                    self._known_ids[prefix].append(new_id)

    def _choose_etag(self, operation: str, board: Board, ids: set[str], rng: random.Random) -> str | None:
        things: list[Versioned | TimeEntry] = [board, *board.columns, *board.labels, *board.cards]
        for card in board.cards:
            things += [*card.comments, *card.checklists, *card.items, *card.time_entries]
        prefix = _PREFIXES[operation.partition("_")[2]]
        versions = [thing.version for thing in things if thing.id.startswith(prefix) and thing.id in {*ids, board.id}]
        version = versions[0] if versions else 1
        fresh = [f'"{version}"', f'"{version}.7"', "*"]
        stale = [f'"{version - 1}"', f'"{version + 1}.0"', None]
        return rng.choice(fresh if rng.random() < 0.85 else stale)

    def _generate_body(
        self, operation: str, board: Board, column_id: str, about: tuple[str, str], rng: random.Random
    ) -> dict[str, Any] | None:
        if operation in _CARD_PART_OPERATIONS:
            return self._generate_part_body(operation, board, column_id, about, rng)
        if operation == "update_board":
            rate = rng.choice(_RATES)
            return _choose_some(rng, name=rng.choice(_NAMES), description=rng.choice(_TEXTS), hourly_rate_minor=rate)
        if operation == "put_member":
            return {"role": rng.choice(_ROLES)}
        if operation in ("create_label", "update_label"):
            label = {"name": rng.choice(_LABELS), "color": rng.choice(_COLORS)}
            return label if operation == "create_label" else _choose_some(rng, **label)
        if operation in _COLUMN_OPERATIONS or operation in ("create_list", "order_lists"):
            return self._generate_column_body(operation, board, column_id, rng)
        return self._generate_card_body(operation, board, column_id, rng)

    def _generate_column_body(
        self, operation: str, board: Board, column_id: str, rng: random.Random
    ) -> dict[str, Any] | None:
        name, stage = rng.choice(_NAMES), rng.choice(_STAGES)
        match operation:
            case "create_list":
                more = _choose_some(rng, position=rng.choice(_POSITIONS), external_id=rng.choice(_EXTERNAL_IDS))
                return {"name": name, "stage": stage, **_choose_wip_limit(rng), **more}
            case "update_list":
                external_id = rng.choice((*_EXTERNAL_IDS, None))
                limits = {
                    "wip_limit": rng.choice((*_WIP_LIMITS, None)),
                    "wip_enforcement": rng.choice(_ENFORCEMENTS),
                }
                return _choose_some(rng, name=name, external_id=external_id, stage=stage, **limits)
            case "move_list":
                neighbour = self._choose_id([column.id for column in board.columns], "lst_", rng)
                return _choose_position(rng, neighbour) or {"position": "bottom"}
        return self._generate_order_body(operation, board, column_id, rng)

    def _generate_card_body(
        self, operation: str, board: Board, column_id: str, rng: random.Random
    ) -> dict[str, Any] | None:
        title, text = rng.choice(_TITLES), rng.choice(_TEXTS)
        match operation:
            case "create_card":
                more = _choose_some(rng, description=text, list_id=column_id, position=rng.choice(_POSITIONS))
                rarely = {"external_id": rng.choice(_EXTERNAL_IDS)} if rng.random() < 0.2 else {}
                return {
                    "title": title,
                    **more,
                    **rarely,
                    **self._choose_labels_or_assignees(board, rng),
                    **_choose_optional_fields(rng),
                }
            case "update_card":
                external_id = rng.choice((*_EXTERNAL_IDS, None))
                words = _choose_some(rng, title=title, description=text, external_id=external_id)
                return (
                    words | self._choose_labels_or_assignees(board, rng) | _choose_optional_fields(rng, allow_null=True)
                )
            case "move_card":
                neighbour_ids = [card.id for card in board.cards if board.find_column(card).id == column_id]
                return {"list_id": column_id, **_choose_position(rng, self._choose_id(neighbour_ids, "crd_", rng))}
        return self._generate_copy_body(operation, board, column_id, rng)

    def _generate_order_body(
        self, operation: str, board: Board, column_id: str, rng: random.Random
    ) -> dict[str, Any] | None:
        match operation:
            case "copy_list":
                return _choose_some(rng, name=rng.choice(_NAMES))
            case "order_lists":
                return {"list_ids": _shuffle([column.id for column in board.columns if not column.archived_at], rng)}
            case "order_cards":
                card_ids = [
                    card.id for column in board.columns if column.id == column_id for card in column.active_cards
                ]
                return {"card_ids": _shuffle(card_ids, rng)}
            case "sort_cards":
                return {
                    "by": rng.choice(_SORT_FIELDS),
                    **_choose_some(rng, direction=rng.choice(("asc", "desc"))),
                }
            case "move_cards":
                return {"list_id": self._choose_id([column.id for column in board.columns], "lst_", rng)}
        return None

    def _generate_copy_body(
        self, operation: str, board: Board, column_id: str, rng: random.Random
    ) -> dict[str, Any] | None:
        position = rng.choice(_POSITIONS)
        match operation:
            case "copy_board":
                return _choose_some(rng, name=rng.choice(_NAMES), cards=rng.random() < 0.7)
            case "copy_card":
                return _choose_some(rng, title=rng.choice(_TITLES), list_id=column_id, position=position)
            case "transfer_card":
                others = [other for other in self._model.boards if other is not board]
                others = [other for other in others if other.find_membership(board.owner)] or others
                target_board = rng.choice(others) if others and rng.random() < 0.9 else board
                list_id = self._choose_id([column.id for column in target_board.columns], "lst_", rng)
                board_id = self._choose_id([target_board.id], "brd_", rng)
                return {"board_id": board_id, **_choose_some(rng, list_id=list_id, position=position)}
        return None

    def _generate_time_entry_body(self, operation: str, board: Board, rng: random.Random) -> dict[str, Any] | None:
        begin, end = (format_timestamp(self._model.now - timedelta(minutes=rng.choice(_MINUTES_AGO))) for _ in "ab")
        if rng.random() < 0.8:
            begin, end = sorted((str(begin), str(end)))
        user = rng.choice([membership.user for membership in board.memberships]) if rng.random() < 0.9 else "nobody"
        more = _choose_some(rng, user_id=user, note=rng.choice(_TEXTS), hourly_rate_minor=rng.choice(_RATES))
        match operation:
            case "create_time_entry":
                return {"started_at": begin, "ended_at": end, **more}
            case "update_time_entry":
                return _choose_some(rng, started_at=begin, ended_at=end) | more
        return None

    def _generate_part_body(
        self, operation: str, board: Board, column_id: str, about: tuple[str, str], rng: random.Random
    ) -> dict[str, Any] | None:
        if operation.endswith("time_entry"):
            return self._generate_time_entry_body(operation, board, rng)
        card = next((card for card in board.cards if card.id == about[0]), None)
        checklists = card.checklists if card else []
        match operation:
            case "create_comment" | "update_comment":
                return {"text": rng.choice(_TEXTS[1:])}
            case "create_checklist" | "update_checklist":
                return {"name": rng.choice(_NAMES)}
            case "move_checklist":
                neighbour = self._choose_id([checklist.id for checklist in checklists], "chk_", rng)
                return _choose_position(rng, neighbour) or {"position": "bottom"}
        if operation in ("create_checklist_item", "update_checklist_item"):
            return self._generate_item_body(operation, board, rng)
        return self._generate_item_move_body(
            operation, column_id, [checklist for checklist in checklists if checklist.id == about[1]], rng
        )

    def _generate_item_body(self, operation: str, board: Board, rng: random.Random) -> dict[str, Any]:
        user = rng.choice([membership.user for membership in board.memberships] * 3 + [*self._users, "nobody"])
        if operation == "create_checklist_item":
            optional = {"done": rng.random() < 0.5, "assignee_id": user, "due_at": rng.choice(_MOMENTS[:-1])}
            return {"text": rng.choice(_TITLES), **_choose_some(rng, **optional, position=rng.choice(_POSITIONS))}
        words = {"text": rng.choice(_TITLES), "done": rng.random() < 0.7}
        assignee_id = user if rng.random() < 0.8 else None
        return _choose_some(rng, **words, assignee_id=assignee_id, due_at=rng.choice(_MOMENTS))

    def _generate_item_move_body(
        self, operation: str, column_id: str, checklists: list[Checklist], rng: random.Random
    ) -> dict[str, Any] | None:
        match operation:
            case "move_checklist_item":
                item_ids = [item.id for checklist in checklists for item in checklist.items]
                return _choose_position(rng, self._choose_id(item_ids, "itm_", rng)) or {"position": "top"}
            case "convert_checklist_item":
                return _choose_some(rng, list_id=column_id)
        return None

    def _choose_labels_or_assignees(self, board: Board, rng: random.Random) -> dict[str, Any]:
        """Choose sometimes labels, which may be deleted, or assignees, who may be no members."""
        if rng.random() < 0.7:
            return {}
        if rng.random() < 0.5:
            return {"assignee_ids": sorted({rng.choice(self._users) for _ in "ab"})}
        return {"label_ids": sorted({self._choose_id([label.id for label in board.labels], "lbl_", rng) for _ in "ab"})}


def _suitable_columns(operation: str, board: Board) -> Sequence[Column]:
    """Return the columns for which the operation makes sense, or else all."""
    if operation == "restore_list":
        return board.deleted_columns or board.columns
    if operation in ("order_cards", "sort_cards"):
        return [column for column in board.columns if len(column.active_cards) > 1] or board.columns
    return board.columns


def _suitable_parts(operation: str, card: Card) -> Sequence[object]:
    """Return the parts of a card that an operation of this kind names."""
    if "comment" in operation:
        return card.comments
    if "time_entry" in operation:
        return card.time_entries
    return card.items if operation.endswith("_item") else card.checklists


def _choose_optional_fields(rng: random.Random, *, allow_null: bool = False) -> dict[str, Any]:
    """Choose sometimes dates, links and a rate; some of them None if `allow_null`."""
    if rng.random() < 0.6:
        return {}
    moments, rates = (_MOMENTS, (*_RATES, None)) if allow_null else (_MOMENTS[:-1], _RATES)
    return _choose_some(
        rng,
        start_at=rng.choice(moments),
        due_at=rng.choice(moments),
        due_complete=rng.random() < 0.5,
        hourly_rate_minor=rng.choice(rates),
        links=rng.choices(_LINKS, k=rng.randint(0, 2)),
    )


def _generate_board_body(rng: random.Random) -> dict[str, Any]:
    lists = [
        {"name": rng.choice(_NAMES), "stage": stage, **_choose_wip_limit(rng)}
        for stage in rng.choices(_STAGES, k=rng.randint(1, 4))
    ]
    return {
        "name": rng.choice(_NAMES),
        **_choose_some(rng, description=rng.choice(_TEXTS), currency=rng.choice(("USD", "JPY", "KWD"))),
        **_choose_some(rng, hourly_rate_minor=rng.choice(_RATES)),
        **(_choose_some(rng, lists=lists) if rng.random() < 0.5 else {}),
    }


def _choose_wip_limit(rng: random.Random) -> dict[str, Any]:
    return _choose_some(rng, wip_limit=rng.choice(_WIP_LIMITS), wip_enforcement=rng.choice(_ENFORCEMENTS))


def _choose_position(rng: random.Random, neighbour: str) -> dict[str, Any]:
    positions: list[dict[str, Any]] = [{"before": neighbour}, {"after": neighbour}]
    return rng.choice([*positions, {"position": "top"}, {"position": "bottom"}, {}])


def _choose_some(rng: random.Random, **fields: Any) -> dict[str, Any]:
    """Return each of the fields with a probability of one half."""
    return {name: value for name, value in fields.items() if rng.random() < 0.5}


def _shuffle(ids: list[str], rng: random.Random) -> list[str]:
    """Return the ids in a random order, rarely without one of them."""
    order = rng.sample(ids, len(ids))
    return order[1:] if rng.random() < 0.05 else order


def _choose_key(rng: random.Random) -> str | None:
    return rng.choice(_KEYS) if rng.random() < 0.2 else None
