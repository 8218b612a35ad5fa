"""What clients might ask for: chosen by chance, and by what the model knows to be there."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tests.soak.ledger import Versioned
from tests.soak.model import Model
from tests.soak.rulings import Request
from tests.soak.shapes import moment
from tests.soak.state import Board, Card, Checklist, Column, Stretch

_NOWHERE = "0" * 26
_ROLES = ("viewer", "editor", "editor", "owner")
_STAGES = ("todo", "in_progress", "done")
_TITLES = ("Write the copy", "Größe wählen", "Ship it", "STRASSE", "Straße", "50 % off", "a_b", "日本語")
_TEXTS = ("", "All of it.", "One line\nand another", "needle")
_NAMES = ("Website", "Garden", "Ideas", "Review", "Later")
_ENDS = ("top", "bottom")
_ENFORCEMENTS = ("warn", "block", "block")
_LIMITS = (1, 1, 2, 3)
_RATES = (0, 1, 999, 9_000)
_LABELS = ("Bug", "Idea", "BUG", "Größe")
_COLORS = ("red", "sky")
_EXTERNAL_IDS = ("JIRA-1", "JIRA-2", "JIRA-3")
_KEYS = ("k1", "k2", "k3", "k4")
_MOMENTS = ("2026-11-20T15:00:00Z", "2026-11-21T09:30:00Z", "2026-11-23T00:00:00Z", "2026-12-24T18:00:00Z", None)
_LINKS = ({"url": "https://example.com/", "title": "Example"}, {"url": "http://127.0.0.1:8080/?q=1", "title": "Here"})
_SORTED_BY = ("created_at", "updated_at", "due_at", "title")
_MINUTES_AGO = (*(0, 0, 0, 1 / 60, 10, 20, 60, 90, 120, 180, 300, 600, 1_000, 3_000) * 2, -5, 600_000)
_CONDITIONAL = frozenset(
    f"{verb}_{kind}"
    for verb in ("update", "delete")
    for kind in ("board", "list", "card", "label", "comment", "checklist", "checklist_item", "time_entry")
)
"""Writes that take If-Match."""

_ABOUT_A_MEMBER = frozenset(("put_member", "remove_member", "assign_card", "unassign_card"))
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

_REPEATABLE = _ABOUT_A_MEMBER | {"label_card", "unlabel_card", "order_lists", "order_cards"}
"""Writes that take neither; the others take an Idempotency-Key."""

_OFTEN = {
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
"""Each write, and how often it is chosen, among a hundred or so."""

_OF_A_CARD = {each for each in _OFTEN if "comment" in each or "checklist" in each or "time_entry" in each}
_FIRST_OF_A_CARD = {"create_comment", "create_checklist", "create_time_entry"}
_NEED_A_COLUMN = {each for each in _OFTEN if each.endswith("_list")} - {"create_list"} | {
    "order_cards",
    "sort_cards",
    "move_cards",
}
_NEED_A_CARD = {each for each in _OFTEN if each.endswith("_card")} - {"create_card"} | _OF_A_CARD


class Wishes:
    """Chooses one request after the other."""

    def __init__(self, model: Model, users: Sequence[str]) -> None:
        self._model = model
        self._users = users
        self._sent: list[Request] = []
        self._ever: dict[str, list[str]] = {
            prefix: [] for prefix in ("brd_", "lst_", "crd_", "lbl_", "cmt_", "chk_", "itm_", "ten_")
        }

    def next(self, chance: random.Random) -> Request:
        """A request; now and then one that was sent already, with its key."""
        self._note()
        keyed = [each for each in self._sent if each.key]
        if keyed and chance.random() < 0.08:
            return chance.choice(keyed)
        request = self._new(chance)
        self._sent.append(request)
        return request

    def _new(self, chance: random.Random) -> Request:
        operation = chance.choices(list(_OFTEN), list(_OFTEN.values()))[0]
        if len(self._model.boards) < (2 if operation == "transfer_card" else 1):
            operation = "create_board"
        if operation == "create_board":
            user = chance.choice(self._users)
            return Request(user, operation, body=_new_board(chance), key=_key(chance))
        board = self._model.boards[0] if chance.random() < 0.8 else chance.choice(self._model.boards)
        if operation == "restore_board" and self._model.gone and chance.random() < 0.8:
            board = chance.choice(self._model.gone)
        user = board.owner if chance.random() < 0.85 else chance.choice(self._users)
        columns = _columns(operation, board)
        column = self._among([each.id for each in columns], "lst_", chance)
        cards = self._fitting(operation, board)
        if operation in _NEED_A_CARD and not cards and chance.random() < 0.8:
            operation = "create_card"
        card = self._among(cards, "crd_", chance)
        label = self._among([each.id for each in board.labels], "lbl_", chance)
        part, item = self._part(operation, board, card, chance)
        return Request(
            user,
            operation,
            board=board.id if chance.random() < 0.98 else self._among([], "brd_", chance),
            column=column if operation in _NEED_A_COLUMN else "",
            card=card if operation in _NEED_A_CARD else "",
            member=self._member(chance) if operation in _ABOUT_A_MEMBER else "",
            label=label if "label" in operation and operation != "create_label" else "",
            part=part,
            item=item,
            body=self._body(operation, board, column, (card, part), chance),
            tag=self._tag(operation, board, {column, card, label, part, item}, chance)
            if operation in _CONDITIONAL
            else None,
            key=None if operation in _CONDITIONAL | _REPEATABLE else _key(chance),
        )

    def _fitting(self, operation: str, board: Board) -> list[str]:
        """The cards for which the operation makes sense."""
        if operation == "restore_card":
            return [card.id for card in board.trash]
        if operation == "unarchive_card":
            return [card.id for card in board.cards if card.archived]
        if operation == "create_checklist_item":
            return [card.id for card in board.cards if card.checklists]
        if operation == "transfer_card":
            # Rather one with an item of somebody's, who may have another place there.
            given = [card.id for card in board.cards if any(item.assigned for item in card.items)]
            return given or [card.id for card in board.cards]
        if operation in _OF_A_CARD - _FIRST_OF_A_CARD:
            return [card.id for card in board.cards if _parts(operation, card)]
        stage = {"start_card": "todo", "resolve_card": "in_progress", "reopen_card": "done"}.get(operation)
        return [card.id for card in board.cards if stage in (None, board.home(card).stage)]

    def _member(self, chance: random.Random) -> str:
        return chance.choice(self._users) if chance.random() < 0.95 else "nobody"

    def _part(self, operation: str, board: Board, card_id: str, chance: random.Random) -> tuple[str, str]:
        """The comment or the checklist that the operation is about, and the item; '' where there is none."""
        if operation not in _OF_A_CARD - _FIRST_OF_A_CARD:
            return "", ""
        card = next((each for each in board.cards if each.id == card_id), None)
        if "time_entry" in operation:
            return self._among([each.id for each in card.stretches] if card else [], "ten_", chance), ""
        if "comment" in operation:
            return self._among([each.id for each in card.comments] if card else [], "cmt_", chance), ""
        checklists = card.checklists if card else []
        if operation.endswith("_item") and operation != "create_checklist_item":
            item = self._among([item.id for each in checklists for item in each.items], "itm_", chance)
            home = [each.id for each in checklists if item in [there.id for there in each.items]]
            return self._among(home, "chk_", chance), item
        return self._among([each.id for each in checklists], "chk_", chance), ""

    def _among(self, live: list[str], prefix: str, chance: random.Random) -> str:
        """Mostly one of these, else one that is, was or never was."""
        if live and chance.random() < 0.93:
            return chance.choice(live)
        return chance.choice([*self._ever[prefix], prefix + _NOWHERE])

    def _note(self) -> None:
        for board in self._model.boards:
            new = [("brd_", board.id), *(("lst_", each.id) for each in board.columns)]
            new += [("lbl_", each.id) for each in board.labels]
            for card in board.cards:
                new += [("crd_", card.id), *(("cmt_", each.id) for each in card.comments)]
                new += [("ten_", each.id) for each in card.stretches]
                new += [*(("chk_", each.id) for each in card.checklists), *(("itm_", each.id) for each in card.items)]
            for prefix, each in new:
                if each not in self._ever[prefix]:
                    self._ever[prefix].append(each)

    def _tag(self, operation: str, board: Board, ids: set[str], chance: random.Random) -> str | None:
        things: list[Versioned | Stretch] = [board, *board.columns, *board.labels, *board.cards]
        for card in board.cards:
            things += [*card.comments, *card.checklists, *card.items, *card.stretches]
        prefix = _PREFIXES[operation.partition("_")[2]]
        versions = [each.version for each in things if each.id.startswith(prefix) and each.id in {*ids, board.id}]
        version = versions[0] if versions else 1
        fresh = [f'"{version}"', f'"{version}.7"', "*"]
        stale = [f'"{version - 1}"', f'"{version + 1}.0"', None]
        return chance.choice(fresh if chance.random() < 0.85 else stale)

    def _body(
        self, operation: str, board: Board, column_id: str, about: tuple[str, str], chance: random.Random
    ) -> dict[str, Any] | None:
        if operation in _OF_A_CARD:
            return self._body_about_part(operation, board, column_id, about, chance)
        if operation == "update_board":
            rate = chance.choice(_RATES)
            return _some(chance, name=chance.choice(_NAMES), description=chance.choice(_TEXTS), hourly_rate_minor=rate)
        if operation == "put_member":
            return {"role": chance.choice(_ROLES)}
        if operation in ("create_label", "update_label"):
            label = {"name": chance.choice(_LABELS), "color": chance.choice(_COLORS)}
            return label if operation == "create_label" else _some(chance, **label)
        if operation in _NEED_A_COLUMN or operation in ("create_list", "order_lists"):
            return self._body_about_column(operation, board, column_id, chance)
        return self._body_about_card(operation, board, column_id, chance)

    def _body_about_column(
        self, operation: str, board: Board, column_id: str, chance: random.Random
    ) -> dict[str, Any] | None:
        name, stage = chance.choice(_NAMES), chance.choice(_STAGES)
        match operation:
            case "create_list":
                more = _some(chance, position=chance.choice(_ENDS), external_id=chance.choice(_EXTERNAL_IDS))
                return {"name": name, "stage": stage, **_limits(chance), **more}
            case "update_list":
                external_id = chance.choice((*_EXTERNAL_IDS, None))
                limits = {
                    "wip_limit": chance.choice((*_LIMITS, None)),
                    "wip_enforcement": chance.choice(_ENFORCEMENTS),
                }
                return _some(chance, name=name, external_id=external_id, stage=stage, **limits)
            case "move_list":
                neighbour = self._among([each.id for each in board.columns], "lst_", chance)
                return _place(chance, neighbour) or {"position": "bottom"}
        return self._body_about_order(operation, board, column_id, chance)

    def _body_about_card(
        self, operation: str, board: Board, column_id: str, chance: random.Random
    ) -> dict[str, Any] | None:
        title, text = chance.choice(_TITLES), chance.choice(_TEXTS)
        match operation:
            case "create_card":
                more = _some(chance, description=text, list_id=column_id, position=chance.choice(_ENDS))
                rarely = {"external_id": chance.choice(_EXTERNAL_IDS)} if chance.random() < 0.2 else {}
                return {"title": title, **more, **rarely, **self._marks(board, chance), **_fields(chance)}
            case "update_card":
                external_id = chance.choice((*_EXTERNAL_IDS, None))
                words = _some(chance, title=title, description=text, external_id=external_id)
                return words | self._marks(board, chance) | _fields(chance, cleared=True)
            case "move_card":
                there = [card.id for card in board.cards if board.home(card).id == column_id]
                return {"list_id": column_id, **_place(chance, self._among(there, "crd_", chance))}
        return self._body_about_copy(operation, board, column_id, chance)

    def _body_about_order(
        self, operation: str, board: Board, column_id: str, chance: random.Random
    ) -> dict[str, Any] | None:
        match operation:
            case "copy_list":
                return _some(chance, name=chance.choice(_NAMES))
            case "order_lists":
                return {"list_ids": _shuffled([each.id for each in board.columns if not each.archived], chance)}
            case "order_cards":
                shown = [card.id for each in board.columns if each.id == column_id for card in each.in_use]
                return {"card_ids": _shuffled(shown, chance)}
            case "sort_cards":
                return {"by": chance.choice(_SORTED_BY), **_some(chance, direction=chance.choice(("asc", "desc")))}
            case "move_cards":
                return {"list_id": self._among([each.id for each in board.columns], "lst_", chance)}
        return None

    def _body_about_copy(
        self, operation: str, board: Board, column_id: str, chance: random.Random
    ) -> dict[str, Any] | None:
        position = chance.choice(_ENDS)
        match operation:
            case "copy_board":
                return _some(chance, name=chance.choice(_NAMES), cards=chance.random() < 0.7)
            case "copy_card":
                return _some(chance, title=chance.choice(_TITLES), list_id=column_id, position=position)
            case "transfer_card":
                others = [each for each in self._model.boards if each is not board]
                others = [each for each in others if each.place_of(board.owner)] or others
                away = chance.choice(others) if others and chance.random() < 0.9 else board
                there = self._among([each.id for each in away.columns], "lst_", chance)
                where = self._among([away.id], "brd_", chance)
                return {"board_id": where, **_some(chance, list_id=there, position=position)}
        return None

    def _body_about_time(self, operation: str, board: Board, chance: random.Random) -> dict[str, Any] | None:
        begin, end = (moment(self._model.now - timedelta(minutes=chance.choice(_MINUTES_AGO))) for _ in "ab")
        if chance.random() < 0.8:
            begin, end = sorted((str(begin), str(end)))
        who = chance.choice([place.user for place in board.places]) if chance.random() < 0.9 else "nobody"
        more = _some(chance, user_id=who, note=chance.choice(_TEXTS), hourly_rate_minor=chance.choice(_RATES))
        match operation:
            case "create_time_entry":
                return {"started_at": begin, "ended_at": end, **more}
            case "update_time_entry":
                return _some(chance, started_at=begin, ended_at=end) | more
        return None

    def _body_about_part(
        self, operation: str, board: Board, column_id: str, about: tuple[str, str], chance: random.Random
    ) -> dict[str, Any] | None:
        if operation.endswith("time_entry"):
            return self._body_about_time(operation, board, chance)
        card = next((each for each in board.cards if each.id == about[0]), None)
        checklists = card.checklists if card else []
        match operation:
            case "create_comment" | "update_comment":
                return {"text": chance.choice(_TEXTS[1:])}
            case "create_checklist" | "update_checklist":
                return {"name": chance.choice(_NAMES)}
            case "move_checklist":
                neighbour = self._among([each.id for each in checklists], "chk_", chance)
                return _place(chance, neighbour) or {"position": "bottom"}
        if operation in ("create_checklist_item", "update_checklist_item"):
            return self._body_of_item(operation, board, chance)
        return self._body_about_item(operation, column_id, [each for each in checklists if each.id == about[1]], chance)

    def _body_of_item(self, operation: str, board: Board, chance: random.Random) -> dict[str, Any]:
        who = chance.choice([place.user for place in board.places] * 3 + [*self._users, "nobody"])
        if operation == "create_checklist_item":
            whole = {"done": chance.random() < 0.5, "assignee_id": who, "due_at": chance.choice(_MOMENTS[:-1])}
            return {"text": chance.choice(_TITLES), **_some(chance, **whole, position=chance.choice(_ENDS))}
        words = {"text": chance.choice(_TITLES), "done": chance.random() < 0.7}
        there = who if chance.random() < 0.8 else None
        return _some(chance, **words, assignee_id=there, due_at=chance.choice(_MOMENTS))

    def _body_about_item(
        self, operation: str, column_id: str, homes: list[Checklist], chance: random.Random
    ) -> dict[str, Any] | None:
        match operation:
            case "move_checklist_item":
                there = [item.id for home in homes for item in home.items]
                return _place(chance, self._among(there, "itm_", chance)) or {"position": "top"}
            case "convert_checklist_item":
                return _some(chance, list_id=column_id)
        return None

    def _marks(self, board: Board, chance: random.Random) -> dict[str, Any]:
        """Now and then some labels, one of which may be no more, or some people, who may be no members."""
        if chance.random() < 0.7:
            return {}
        if chance.random() < 0.5:
            return {"assignee_ids": sorted({chance.choice(self._users) for _ in "ab"})}
        return {"label_ids": sorted({self._among([each.id for each in board.labels], "lbl_", chance) for _ in "ab"})}


def _columns(operation: str, board: Board) -> Sequence[Column]:
    """The columns for which the operation makes sense, or else all."""
    if operation == "restore_list":
        return board.gone or board.columns
    if operation in ("order_cards", "sort_cards"):
        return [each for each in board.columns if len(each.in_use) > 1] or board.columns
    return board.columns


def _parts(operation: str, card: Card) -> Sequence[object]:
    """What of the card such an operation may be about."""
    if "comment" in operation:
        return card.comments
    if "time_entry" in operation:
        return card.stretches
    return card.items if operation.endswith("_item") else card.checklists


def _fields(chance: random.Random, *, cleared: bool = False) -> dict[str, Any]:
    """Now and then dates, links and a rate; some of them None, if they may be cleared."""
    if chance.random() < 0.6:
        return {}
    moments, rates = (_MOMENTS, (*_RATES, None)) if cleared else (_MOMENTS[:-1], _RATES)
    return _some(
        chance,
        start_at=chance.choice(moments),
        due_at=chance.choice(moments),
        due_complete=chance.random() < 0.5,
        hourly_rate_minor=chance.choice(rates),
        links=chance.choices(_LINKS, k=chance.randint(0, 2)),
    )


def _new_board(chance: random.Random) -> dict[str, Any]:
    lists = [
        {"name": chance.choice(_NAMES), "stage": stage, **_limits(chance)}
        for stage in chance.choices(_STAGES, k=chance.randint(1, 4))
    ]
    return {
        "name": chance.choice(_NAMES),
        **_some(chance, description=chance.choice(_TEXTS), currency=chance.choice(("USD", "JPY", "KWD"))),
        **_some(chance, hourly_rate_minor=chance.choice(_RATES)),
        **(_some(chance, lists=lists) if chance.random() < 0.5 else {}),
    }


def _limits(chance: random.Random) -> dict[str, Any]:
    return _some(chance, wip_limit=chance.choice(_LIMITS), wip_enforcement=chance.choice(_ENFORCEMENTS))


def _place(chance: random.Random, neighbour: str) -> dict[str, Any]:
    places: list[dict[str, Any]] = [{"before": neighbour}, {"after": neighbour}]
    return chance.choice([*places, {"position": "top"}, {"position": "bottom"}, {}])


def _some(chance: random.Random, **fields: Any) -> dict[str, Any]:
    """Each of the fields, or not."""
    return {name: value for name, value in fields.items() if chance.random() < 0.5}


def _shuffled(ids: list[str], chance: random.Random) -> list[str]:
    """The ids in another order, rarely without one of them."""
    order = chance.sample(ids, len(ids))
    return order[1:] if chance.random() < 0.05 else order


def _key(chance: random.Random) -> str | None:
    return chance.choice(_KEYS) if chance.random() < 0.2 else None
