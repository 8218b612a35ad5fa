"""Copies of what is on the model's boards. Their ids, only the API knows."""

from typing import Any

from tests.soak.ledger import Ledger
from tests.soak.rulings import Expected, Refusal, Request, named, refuse_entry
from tests.soak.state import Board, Card, Checklist, Column, Item, Label, Place


class Copies(Ledger):
    """The part of the model that makes things which look like others."""

    def _copy_card(self, request: Request, board: Board) -> Expected:
        old = named(request.card, board.cards, Refusal(404, "card_not_found"))
        target = board.home(old)
        if "list_id" in request.wishes:
            target = named(request.wishes["list_id"], board.columns, Refusal(422, "unknown_reference"))
        refuse_entry(target)
        card = self._like(old, old.checklists)
        card.id = self._new_id()
        card.title = request.wishes.get("title", old.title)
        target.cards.insert(0 if request.wishes.get("position") == "top" else len(target.cards), card)
        self._bring(card, None, target.stage, board)
        told = {"from_card_id": old.id, "title": card.title, "stage": target.stage}
        self._record(board, "card.copied", target, card, **told)
        return self._card_shown(board, card, 201)

    def _copy_list(self, request: Request, board: Board) -> Expected:
        old = named(request.column, board.columns, Refusal(404, "list_not_found"))
        column = self._column_like(old)
        column.id = self._new_id()
        column.name = request.wishes.get("name", old.name)
        board.columns.insert(board.columns.index(old) + 1, column)
        column.cards = self._cards_like(old)
        told: dict[str, Any] = {
            "from_list_id": old.id,
            "name": column.name,
            "stage": column.stage,
            "card_count": len(column.cards),
            "card_ids": [*column.cards],
        }
        self._record(board, "list.copied", column, **told)
        return self._column_shown(board, column, 201)

    def _copy_board(self, request: Request, old: Board) -> Expected:
        board = Board(
            id=self._new_id(),
            places=[Place("", request.user, "owner", self.now, self.now)],
            name=request.wishes.get("name", old.name),
            description=old.description,
            currency=old.currency,
            hourly_rate_minor=old.hourly_rate_minor,
            made=self.now,
            edited=self.now,
            labels=[Label("", each.name, each.color, self.now, self.now) for each in old.labels],
        )
        for each in old.columns:
            if not each.archived:
                column = self._column_like(each)
                column.cards = self._cards_like(each) if request.wishes.get("cards", True) else []
                board.columns.append(column)
        self.boards.append(board)
        for column in board.columns:
            for card in column.cards:
                names = [label.name for label in card.labels if label in old.labels]
                card.labels = [label for label in board.labels if label.name in names]
                self._record(board, "card.created", column, card, title=card.title, stage=column.stage)
        self._record(board, "board.copied", from_board_id=old.id, name=board.name)
        return self._board_shown(board, 201)

    def _column_like(self, old: Column) -> Column:
        return Column(
            id="",
            name=old.name,
            stage=old.stage,
            made=self.now,
            edited=self.now,
            wip_limit=old.wip_limit,
            wip_enforcement=old.wip_enforcement,
        )

    def _cards_like(self, old: Column) -> list[Card]:
        """Copies of the column's cards, whose clocks do not run."""
        cards = [self._like(each, [one for one in each.checklists if one.items]) for each in old.in_use]
        for card in cards:
            card.started = self.now if old.stage == "in_progress" else None
            card.resolved = self.now if old.stage == "done" else None
        return cards

    def _like(self, old: Card, checklists: list[Checklist]) -> Card:
        return Card(
            id="",
            title=old.title,
            description=old.description,
            external_id=None,
            made=self.now,
            edited=self.now,
            start_at=old.start_at,
            due_at=old.due_at,
            hourly_rate_minor=old.hourly_rate_minor,
            links=old.links,
            labels=old.labels,
            checklists=[self._checklist_like(each) for each in checklists],
        )

    def _checklist_like(self, old: Checklist) -> Checklist:
        items = [Item("", each.text, self.now, self.now, due_at=each.due_at) for each in old.items]
        return Checklist("", old.name, self.now, self.now, items=items)
