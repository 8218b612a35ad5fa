"""The model of copying boards, lists and cards. Only the API knows the ids of the copies."""

from typing import Any

from tests.soak.expectations import ExpectedError, ExpectedResponse, Request, ensure_accepts_card, find_by_id
from tests.soak.model_core import ModelCore
from tests.soak.state import Board, Card, Checklist, Column, Item, Label, Membership


class CopiesModel(ModelCore):
    """The part of the model that copies."""

    def _copy_card(self, request: Request, board: Board) -> ExpectedResponse:
        old = find_by_id(request.card, board.cards, ExpectedError(404, "card_not_found"))
        target = board.find_column(old)
        if "list_id" in request.fields:
            target = find_by_id(request.fields["list_id"], board.columns, ExpectedError(422, "unknown_reference"))
        ensure_accepts_card(target)
        card = self._copy_of_card(old, old.checklists)
        card.id = self._read_new_id()
        card.title = request.fields.get("title", old.title)
        target.cards.insert(0 if request.fields.get("position") == "top" else len(target.cards), card)
        self._run_clock(card, None, target.stage, board)
        told = {"from_card_id": old.id, "title": card.title, "stage": target.stage}
        self._add_event(board, "card.copied", target, card, **told)
        return self._expect_card(board, card, 201)

    def _copy_list(self, request: Request, board: Board) -> ExpectedResponse:
        old = find_by_id(request.column, board.columns, ExpectedError(404, "list_not_found"))
        column = self._copy_of_column(old)
        column.id = self._read_new_id()
        column.name = request.fields.get("name", old.name)
        board.columns.insert(board.columns.index(old) + 1, column)
        column.cards = self._copies_of_cards(old)
        told: dict[str, Any] = {
            "from_list_id": old.id,
            "name": column.name,
            "stage": column.stage,
            "card_count": len(column.cards),
            "card_ids": [*column.cards],
        }
        self._add_event(board, "list.copied", column, **told)
        return self._expect_column(board, column, 201)

    def _copy_board(self, request: Request, old: Board) -> ExpectedResponse:
        board = Board(
            id=self._read_new_id(),
            memberships=[Membership("", request.user, "owner", self.now, self.now)],
            name=request.fields.get("name", old.name),
            description=old.description,
            currency=old.currency,
            hourly_rate_minor=old.hourly_rate_minor,
            created_at=self.now,
            updated_at=self.now,
            labels=[Label("", label.name, label.color, self.now, self.now) for label in old.labels],
        )
        for each in old.columns:
            if not each.archived_at:
                column = self._copy_of_column(each)
                column.cards = self._copies_of_cards(each) if request.fields.get("cards", True) else []
                board.columns.append(column)
        self.boards.append(board)
        for column in board.columns:
            for card in column.cards:
                names = [label.name for label in card.labels if label in old.labels]
                card.labels = [label for label in board.labels if label.name in names]
                self._add_event(board, "card.created", column, card, title=card.title, stage=column.stage)
        self._add_event(board, "board.copied", from_board_id=old.id, name=board.name)
        return self._expect_board(board, 201)

    def _copy_of_column(self, old: Column) -> Column:
        return Column(
            id="",
            name=old.name,
            stage=old.stage,
            created_at=self.now,
            updated_at=self.now,
            wip_limit=old.wip_limit,
            wip_enforcement=old.wip_enforcement,
        )

    def _copies_of_cards(self, old: Column) -> list[Card]:
        """Return copies of the column's cards, whose clocks do not run."""
        cards = [self._copy_of_card(card, [one for one in card.checklists if one.items]) for card in old.active_cards]
        for card in cards:
            card.started_at = self.now if old.stage == "in_progress" else None
            card.resolved_at = self.now if old.stage == "done" else None
        return cards

    def _copy_of_card(self, old: Card, checklists: list[Checklist]) -> Card:
        return Card(
            id="",
            title=old.title,
            description=old.description,
            external_id=None,
            created_at=self.now,
            updated_at=self.now,
            start_at=old.start_at,
            due_at=old.due_at,
            hourly_rate_minor=old.hourly_rate_minor,
            links=old.links,
            labels=old.labels,
            checklists=[self._copy_of_checklist(checklist) for checklist in checklists],
        )

    def _copy_of_checklist(self, old: Checklist) -> Checklist:
        items = [Item("", item.text, self.now, self.now, due_at=item.due_at) for item in old.items]
        return Checklist("", old.name, self.now, self.now, items=items)
