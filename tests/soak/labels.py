"""The labels of the model's boards, and what its cards bear."""

from tests.soak.ledger import Ledger
from tests.soak.rulings import Expected, Refusal, Request, insist_on_version, named
from tests.soak.shapes import label_shape, labels_on
from tests.soak.state import Board, Card, Label


class Labels(Ledger):
    """The part of the model that labels."""

    def _create_label(self, request: Request, board: Board) -> Expected:
        wishes = request.wishes
        _refuse_name(wishes["name"], board.labels)
        label = Label(self._new_id(), wishes["name"], wishes["color"], self.now, self.now)
        board.labels.append(label)
        self._record(board, "label.created", label_id=label.id, name=label.name, color=label.color)
        return Expected(201, body=label_shape(board, label), tag='"1"')

    def _update_label(self, request: Request, board: Board) -> Expected:
        label = named(request.label, board.labels, Refusal(404, "label_not_found"))
        insist_on_version(request, label.version)
        _refuse_name(request.wishes.get("name", ""), [each for each in board.labels if each is not label])
        changed = self._patched(label, request.wishes)
        if changed:
            self._record(board, "label.updated", label_id=label.id, changed=changed)
        return Expected(200, body=label_shape(board, label), tag=f'"{label.version}"')

    def _delete_label(self, request: Request, board: Board) -> Expected:
        label = named(request.label, board.labels, Refusal(404, "label_not_found"))
        insist_on_version(request, label.version)
        board.labels.remove(label)
        self._record(board, "label.deleted", label_id=label.id, name=label.name)
        return Expected(204)

    def _label_card(self, request: Request, board: Board) -> Expected:
        card = named(request.card, board.cards, Refusal(404, "card_not_found"))
        label = named(request.label, board.labels, Refusal(404, "label_not_found"))
        return self._bearing(board, card, [each for each in board.labels if each in card.labels or each is label])

    def _unlabel_card(self, request: Request, board: Board) -> Expected:
        card = named(request.card, board.cards, Refusal(404, "card_not_found"))
        left = [each for each in board.labels if each in card.labels and each.id != request.label]
        return self._bearing(board, card, left)

    def _bearing(self, board: Board, card: Card, labels: list[Label]) -> Expected:
        if sorted(each.id for each in labels) != labels_on(board, card):
            card.labels = labels
            self._touch(card)
            self._record(board, "card.updated", board.home(card), card, changed=["label_ids"])
        return self._card_shown(board, card)

    def _labels_named(self, request: Request, board: Board) -> list[Label] | None:
        """The labels that a body asks for, if it does."""
        if "label_ids" not in request.wishes:
            return None
        wished: list[str] = request.wishes["label_ids"]
        return [named(each, board.labels, Refusal(422, "unknown_reference")) for each in wished]


def _refuse_name(name: str, others: list[Label]) -> None:
    if any(each.name.casefold() == name.casefold() for each in others):
        raise Refusal(409, "label_name_taken")
