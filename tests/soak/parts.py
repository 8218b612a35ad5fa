"""The comments and the checklists of the model's cards."""

from typing import Any

from tests.soak.ledger import Ledger
from tests.soak.rulings import Expected, Refusal, Request, insist_on_version, named, placed, refuse_entry
from tests.soak.shapes import checklist_shape, checklist_tag, comment_shape, done_by, item_shape, item_tag
from tests.soak.state import Board, Card, Checklist, Comment, Item, Place


class Parts(Ledger):
    """The part of the model that talks, and counts what is done."""

    # Comments

    def _create_comment(self, request: Request, board: Board) -> Expected:
        card = _card(request, board)
        comment = Comment(self._new_id(), request.user, request.wishes["text"], self.now, self.now)
        card.comments.append(comment)
        return self._comment_shown(board, card, comment, "created", 201)

    def _update_comment(self, request: Request, board: Board) -> Expected:
        card, comment = _comment(request, board)
        if comment.author != request.user:
            raise Refusal(403, "not_the_author")
        insist_on_version(request, comment.version)
        changed = self._patched(comment, request.wishes)
        return self._comment_shown(board, card, comment, "updated" if changed else None)

    def _delete_comment(self, request: Request, board: Board) -> Expected:
        card, comment = _comment(request, board)
        place = board.place_of(request.user)
        if comment.author != request.user and (place is None or place.role != "owner"):
            raise Refusal(403, "not_the_author")
        insist_on_version(request, comment.version)
        card.comments.remove(comment)
        self._comment_shown(board, card, comment, "deleted")
        return Expected(204)

    def _comment_shown(
        self, board: Board, card: Card, comment: Comment, happened: str | None, status: int = 200
    ) -> Expected:
        if happened:
            self._record(board, f"comment.{happened}", board.home(card), card, comment_id=comment.id)
        return Expected(status, body=comment_shape(board, card, comment), tag=f'"{comment.version}"')

    # Checklists

    def _create_checklist(self, request: Request, board: Board) -> Expected:
        card = _card(request, board)
        checklist = Checklist(self._new_id(), request.wishes["name"], self.now, self.now)
        card.checklists.append(checklist)
        self._tell(board, card, "checklist.created", checklist, name=checklist.name)
        return self._checklist_shown(board, card, checklist, 201)

    def _update_checklist(self, request: Request, board: Board) -> Expected:
        card, checklist = _checklist(request, board)
        insist_on_version(request, checklist.version)
        changed = self._patched(checklist, request.wishes)
        if changed:
            self._tell(board, card, "checklist.updated", checklist, changed=changed)
        return self._checklist_shown(board, card, checklist)

    def _move_checklist(self, request: Request, board: Board) -> Expected:
        card, checklist = _checklist(request, board)
        order = placed(checklist, card.checklists, request.wishes)
        if order != card.checklists:
            card.checklists = order
            self._touch(checklist)
            self._tell(board, card, "checklist.moved", checklist)
        return self._checklist_shown(board, card, checklist)

    def _delete_checklist(self, request: Request, board: Board) -> Expected:
        card, checklist = _checklist(request, board)
        insist_on_version(request, checklist.version)
        card.checklists.remove(checklist)
        about = {"name": checklist.name, "item_count": len(checklist.items)}
        self._tell(board, card, "checklist.deleted", checklist, **about)
        return Expected(204)

    def _checklist_shown(self, board: Board, card: Card, checklist: Checklist, status: int = 200) -> Expected:
        return Expected(status, body=checklist_shape(board, card, checklist), tag=checklist_tag(board, checklist))

    # Items

    def _create_checklist_item(self, request: Request, board: Board) -> Expected:
        card, checklist = _checklist(request, board)
        place = _place_named(request, board)
        wishes = {name: new for name, new in request.wishes.items() if name not in ("position", "assignee_id")}
        item = Item(self._new_id(), made=self.now, edited=self.now, assigned=place, **wishes)
        checklist.items = placed(item, checklist.items, request.wishes)
        self._tell(board, card, "checklist_item.created", checklist, item_id=item.id, text=item.text)
        return Expected(201, body=item_shape(board, item), tag=item_tag(board, item))

    def _update_checklist_item(self, request: Request, board: Board) -> Expected:
        card, checklist, item = _item(request, board)
        insist_on_version(request, item.version)
        place = _place_named(request, board)
        wishes = {name: new for name, new in request.wishes.items() if name != "assignee_id"}
        changed = self._patched(item, wishes)
        if "assignee_id" in request.wishes and request.wishes["assignee_id"] != done_by(board, item):
            item.assigned = place
            if not changed:
                self._touch(item)
            changed = sorted([*changed, "assignee_id"])
        if changed:
            self._tell(board, card, "checklist_item.updated", checklist, item_id=item.id, changed=changed)
        return Expected(200, body=item_shape(board, item), tag=item_tag(board, item))

    def _move_checklist_item(self, request: Request, board: Board) -> Expected:
        card, checklist, item = _item(request, board)
        order = placed(item, checklist.items, request.wishes)
        if order != checklist.items:
            checklist.items = order
            self._touch(item)
            self._tell(board, card, "checklist_item.moved", checklist, item_id=item.id)
        return Expected(200, body=item_shape(board, item), tag=item_tag(board, item))

    def _delete_checklist_item(self, request: Request, board: Board) -> Expected:
        card, checklist, item = _item(request, board)
        insist_on_version(request, item.version)
        checklist.items.remove(item)
        self._tell(board, card, "checklist_item.deleted", checklist, item_id=item.id, text=item.text)
        return Expected(204)

    def _convert_checklist_item(self, request: Request, board: Board) -> Expected:
        card, checklist, item = _item(request, board)
        wanted = request.wishes.get("list_id", board.home(card).id)
        column = named(wanted, board.columns, Refusal(422, "unknown_reference"))
        refuse_entry(column)
        checklist.items.remove(item)
        new = Card(self._new_id(), item.text, "", None, self.now, self.now, due_at=item.due_at, due_complete=item.done)
        new.assigned = [item.assigned] if item.assigned in board.places else []
        column.cards.append(new)
        self._bring(new, None, column.stage, board)
        told = {"item_id": item.id, "new_card_id": new.id, "title": new.title, "stage": column.stage}
        data = {"checklist_id": checklist.id, **told}
        self._record(board, "checklist_item.converted", column, card, **data)
        return self._card_shown(board, new, 201)

    def _tell(self, board: Board, card: Card, kind: str, checklist: Checklist, **data: Any) -> None:
        self._record(board, kind, board.home(card), card, checklist_id=checklist.id, **data)


def _card(request: Request, board: Board) -> Card:
    return named(request.card, board.cards, Refusal(404, "card_not_found"))


def _comment(request: Request, board: Board) -> tuple[Card, Comment]:
    card = _card(request, board)
    return card, named(request.part, card.comments, Refusal(404, "comment_not_found"))


def _checklist(request: Request, board: Board) -> tuple[Card, Checklist]:
    card = _card(request, board)
    return card, named(request.part, card.checklists, Refusal(404, "checklist_not_found"))


def _item(request: Request, board: Board) -> tuple[Card, Checklist, Item]:
    card, checklist = _checklist(request, board)
    return card, checklist, named(request.item, checklist.items, Refusal(404, "checklist_item_not_found"))


def _place_named(request: Request, board: Board) -> Place | None:
    """The place of whom a body names, if it names anybody."""
    user = request.wishes.get("assignee_id")
    place = board.place_of(user) if user else None
    if user and place is None:
        raise Refusal(422, "unknown_reference")
    return place
