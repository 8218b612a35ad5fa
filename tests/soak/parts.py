"""The model of comments and checklists."""

from typing import Any

from tests.soak.expectations import (
    ExpectedError,
    ExpectedResponse,
    Request,
    ensure_accepts_card,
    ensure_version_matches,
    find_by_id,
    insert_at_position,
)
from tests.soak.model_core import ModelCore
from tests.soak.serialize import (
    checklist_etag,
    find_assignee,
    item_etag,
    serialize_checklist,
    serialize_comment,
    serialize_item,
)
from tests.soak.state import Board, Card, Checklist, Comment, Item, Membership


class PartsModel(ModelCore):
    """The part of the model that has comments, checklists and their items."""

    # Comments

    def _create_comment(self, request: Request, board: Board) -> ExpectedResponse:
        card = _find_card(request, board)
        comment = Comment(self._read_new_id(), request.user, request.fields["text"], self.now, self.now)
        card.comments.append(comment)
        return self._expect_comment(board, card, comment, "created", 201)

    def _update_comment(self, request: Request, board: Board) -> ExpectedResponse:
        card, comment = _find_comment(request, board)
        if comment.author != request.user:
            raise ExpectedError(403, "not_the_author")
        ensure_version_matches(request, comment.version)
        changed = self._apply_patch(comment, request.fields)
        return self._expect_comment(board, card, comment, "updated" if changed else None)

    def _delete_comment(self, request: Request, board: Board) -> ExpectedResponse:
        card, comment = _find_comment(request, board)
        membership = board.find_membership(request.user)
        if comment.author != request.user and (membership is None or membership.role != "owner"):
            raise ExpectedError(403, "not_the_author")
        ensure_version_matches(request, comment.version)
        card.comments.remove(comment)
        self._expect_comment(board, card, comment, "deleted")
        return ExpectedResponse(204)

    def _expect_comment(
        self, board: Board, card: Card, comment: Comment, happened: str | None, status: int = 200
    ) -> ExpectedResponse:
        if happened:
            self._add_event(board, f"comment.{happened}", board.find_column(card), card, comment_id=comment.id)
        return ExpectedResponse(status, body=serialize_comment(board, card, comment), etag=f'"{comment.version}"')

    # Checklists

    def _create_checklist(self, request: Request, board: Board) -> ExpectedResponse:
        card = _find_card(request, board)
        checklist = Checklist(self._read_new_id(), request.fields["name"], self.now, self.now)
        card.checklists.append(checklist)
        self._add_checklist_event(board, card, "checklist.created", checklist, name=checklist.name)
        return self._expect_checklist(board, card, checklist, 201)

    def _update_checklist(self, request: Request, board: Board) -> ExpectedResponse:
        card, checklist = _find_checklist(request, board)
        ensure_version_matches(request, checklist.version)
        changed = self._apply_patch(checklist, request.fields)
        if changed:
            self._add_checklist_event(board, card, "checklist.updated", checklist, changed=changed)
        return self._expect_checklist(board, card, checklist)

    def _move_checklist(self, request: Request, board: Board) -> ExpectedResponse:
        card, checklist = _find_checklist(request, board)
        order = insert_at_position(checklist, card.checklists, request.fields)
        if order != card.checklists:
            card.checklists = order
            self._touch(checklist)
            self._add_checklist_event(board, card, "checklist.moved", checklist)
        return self._expect_checklist(board, card, checklist)

    def _delete_checklist(self, request: Request, board: Board) -> ExpectedResponse:
        card, checklist = _find_checklist(request, board)
        ensure_version_matches(request, checklist.version)
        card.checklists.remove(checklist)
        about = {"name": checklist.name, "item_count": len(checklist.items)}
        self._add_checklist_event(board, card, "checklist.deleted", checklist, **about)
        return ExpectedResponse(204)

    def _expect_checklist(self, board: Board, card: Card, checklist: Checklist, status: int = 200) -> ExpectedResponse:
        return ExpectedResponse(
            status, body=serialize_checklist(board, card, checklist), etag=checklist_etag(board, checklist)
        )

    # Items

    def _create_checklist_item(self, request: Request, board: Board) -> ExpectedResponse:
        card, checklist = _find_checklist(request, board)
        membership = _find_requested_assignee(request, board)
        fields = {name: new for name, new in request.fields.items() if name not in ("position", "assignee_id")}
        item = Item(self._read_new_id(), created_at=self.now, updated_at=self.now, assignee=membership, **fields)
        checklist.items = insert_at_position(item, checklist.items, request.fields)
        self._add_checklist_event(board, card, "checklist_item.created", checklist, item_id=item.id, text=item.text)
        return ExpectedResponse(201, body=serialize_item(board, item), etag=item_etag(board, item))

    def _update_checklist_item(self, request: Request, board: Board) -> ExpectedResponse:
        card, checklist, item = _find_item(request, board)
        ensure_version_matches(request, item.version)
        membership = _find_requested_assignee(request, board)
        fields = {name: new for name, new in request.fields.items() if name != "assignee_id"}
        changed = self._apply_patch(item, fields)
        if "assignee_id" in request.fields and request.fields["assignee_id"] != find_assignee(board, item):
            item.assignee = membership
            if not changed:
                self._touch(item)
            changed = sorted([*changed, "assignee_id"])
        if changed:
            self._add_checklist_event(
                board, card, "checklist_item.updated", checklist, item_id=item.id, changed=changed
            )
        return ExpectedResponse(200, body=serialize_item(board, item), etag=item_etag(board, item))

    def _move_checklist_item(self, request: Request, board: Board) -> ExpectedResponse:
        card, checklist, item = _find_item(request, board)
        order = insert_at_position(item, checklist.items, request.fields)
        if order != checklist.items:
            checklist.items = order
            self._touch(item)
            self._add_checklist_event(board, card, "checklist_item.moved", checklist, item_id=item.id)
        return ExpectedResponse(200, body=serialize_item(board, item), etag=item_etag(board, item))

    def _delete_checklist_item(self, request: Request, board: Board) -> ExpectedResponse:
        card, checklist, item = _find_item(request, board)
        ensure_version_matches(request, item.version)
        checklist.items.remove(item)
        self._add_checklist_event(board, card, "checklist_item.deleted", checklist, item_id=item.id, text=item.text)
        return ExpectedResponse(204)

    def _convert_checklist_item(self, request: Request, board: Board) -> ExpectedResponse:
        card, checklist, item = _find_item(request, board)
        list_id = request.fields.get("list_id", board.find_column(card).id)
        column = find_by_id(list_id, board.columns, ExpectedError(422, "unknown_reference"))
        ensure_accepts_card(column)
        checklist.items.remove(item)
        new = Card(
            self._read_new_id(), item.text, "", None, self.now, self.now, due_at=item.due_at, due_complete=item.done
        )
        new.assignees = [item.assignee] if item.assignee in board.memberships else []
        column.cards.append(new)
        self._run_clock(new, None, column.stage, board)
        conversion = {"item_id": item.id, "new_card_id": new.id, "title": new.title, "stage": column.stage}
        data = {"checklist_id": checklist.id, **conversion}
        self._add_event(board, "checklist_item.converted", column, card, **data)
        return self._expect_card(board, new, 201)

    def _add_checklist_event(self, board: Board, card: Card, kind: str, checklist: Checklist, **data: Any) -> None:
        self._add_event(board, kind, board.find_column(card), card, checklist_id=checklist.id, **data)


def _find_card(request: Request, board: Board) -> Card:
    return find_by_id(request.card, board.cards, ExpectedError(404, "card_not_found"))


def _find_comment(request: Request, board: Board) -> tuple[Card, Comment]:
    card = _find_card(request, board)
    return card, find_by_id(request.part, card.comments, ExpectedError(404, "comment_not_found"))


def _find_checklist(request: Request, board: Board) -> tuple[Card, Checklist]:
    card = _find_card(request, board)
    return card, find_by_id(request.part, card.checklists, ExpectedError(404, "checklist_not_found"))


def _find_item(request: Request, board: Board) -> tuple[Card, Checklist, Item]:
    card, checklist = _find_checklist(request, board)
    return card, checklist, find_by_id(request.item, checklist.items, ExpectedError(404, "checklist_item_not_found"))


def _find_requested_assignee(request: Request, board: Board) -> Membership | None:
    """Return the membership of the assignee that the body names, None without one. Raises ExpectedError."""
    user = request.fields.get("assignee_id")
    membership = board.find_membership(user) if user else None
    if user and membership is None:
        raise ExpectedError(422, "unknown_reference")
    return membership
