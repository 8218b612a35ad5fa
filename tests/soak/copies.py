"""The model of copying boards, lists and cards. Only the API knows the ids of the copies."""

from typing import Any

from tests.soak.expectations import ExpectedError, ExpectedResponse, Request, ensure_accepts_card, find_by_id
from tests.soak.model_core import ModelCore
from tests.soak.state import Board, Card, Checklist, Column, Item, Label, Membership


class CopiesModel(ModelCore):
    """The part of the model that copies."""

    def _copy_card(self, request: Request, board: Board) -> ExpectedResponse:
        source = find_by_id(request.card, board.cards, ExpectedError(404, "card_not_found"))
        target = board.find_column(source)
        if "list_id" in request.fields:
            target = find_by_id(request.fields["list_id"], board.columns, ExpectedError(422, "unknown_reference"))
        ensure_accepts_card(target)
        card = self._copy_of_card(source, source.checklists)
        card.id = self._read_new_id()
        card.title = request.fields.get("title", source.title)
        target.cards.insert(0 if request.fields.get("position") == "top" else len(target.cards), card)
        self._run_clock(card, None, target.stage, board)
        data = {"from_card_id": source.id, "title": card.title, "stage": target.stage}
        self._add_event(board, "card.copied", target, card, **data)
        return self._expect_card(board, card, 201)

    def _copy_list(self, request: Request, board: Board) -> ExpectedResponse:
        source = find_by_id(request.column, board.columns, ExpectedError(404, "list_not_found"))
        column = self._copy_of_column(source)
        column.id = self._read_new_id()
        column.name = request.fields.get("name", source.name)
        board.columns.insert(board.columns.index(source) + 1, column)
        column.cards = self._copies_of_cards(source)
        data: dict[str, Any] = {
            "from_list_id": source.id,
            "name": column.name,
            "stage": column.stage,
            "card_count": len(column.cards),
            "card_ids": [*column.cards],
        }
        self._add_event(board, "list.copied", column, **data)
        return self._expect_column(board, column, 201)

    def _copy_board(self, request: Request, source: Board) -> ExpectedResponse:
        board = Board(
            id=self._read_new_id(),
            memberships=[Membership("", request.user, "owner", self.now, self.now)],
            name=request.fields.get("name", source.name),
            description=source.description,
            currency=source.currency,
            hourly_rate_minor=source.hourly_rate_minor,
            created_at=self.now,
            updated_at=self.now,
            labels=[Label("", label.name, label.color, self.now, self.now) for label in source.labels],
        )
        for old_column in source.columns:
            if not old_column.archived_at:
                column = self._copy_of_column(old_column)
                column.cards = self._copies_of_cards(old_column) if request.fields.get("cards", True) else []
                board.columns.append(column)
        self.boards.append(board)
        for column in board.columns:
            for card in column.cards:
                names = [label.name for label in card.labels if label in source.labels]
                card.labels = [label for label in board.labels if label.name in names]
                self._add_event(board, "card.created", column, card, title=card.title, stage=column.stage)
        self._add_event(board, "board.copied", from_board_id=source.id, name=board.name)
        return self._expect_board(board, 201)

    def _copy_of_column(self, source: Column) -> Column:
        return Column(
            id="",
            name=source.name,
            stage=source.stage,
            created_at=self.now,
            updated_at=self.now,
            wip_limit=source.wip_limit,
            wip_enforcement=source.wip_enforcement,
        )

    def _copies_of_cards(self, source: Column) -> list[Card]:
        """Return copies of the column's cards, whose clocks do not run."""
        cards = [
            self._copy_of_card(card, [checklist for checklist in card.checklists if checklist.items])
            for card in source.active_cards
        ]
        for card in cards:
            card.started_at = self.now if source.stage == "in_progress" else None
            card.resolved_at = self.now if source.stage == "done" else None
        return cards

    def _copy_of_card(self, source: Card, checklists: list[Checklist]) -> Card:
        return Card(
            id="",
            title=source.title,
            description=source.description,
            external_id=None,
            created_at=self.now,
            updated_at=self.now,
            start_at=source.start_at,
            due_at=source.due_at,
            hourly_rate_minor=source.hourly_rate_minor,
            links=source.links,
            labels=source.labels,
            checklists=[self._copy_of_checklist(checklist) for checklist in checklists],
        )

    def _copy_of_checklist(self, source: Checklist) -> Checklist:
        items = [Item("", item.text, self.now, self.now, due_at=item.due_at) for item in source.items]
        return Checklist("", source.name, self.now, self.now, items=items)
