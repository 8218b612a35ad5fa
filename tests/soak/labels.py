"""The model of labels, and of the labels of cards."""

from tests.soak.expectations import ExpectedError, ExpectedResponse, Request, ensure_version_matches, find_by_id
from tests.soak.model_core import ModelCore
from tests.soak.serialize import list_label_ids, serialize_label
from tests.soak.state import Board, Card, Label


class LabelsModel(ModelCore):
    """The part of the model that has labels."""

    def _create_label(self, request: Request, board: Board) -> ExpectedResponse:
        fields = request.fields
        _ensure_name_free(fields["name"], board.labels)
        label = Label(self._read_new_id(), fields["name"], fields["color"], self.now, self.now)
        board.labels.append(label)
        self._add_event(board, "label.created", label_id=label.id, name=label.name, color=label.color)
        return ExpectedResponse(201, body=serialize_label(board, label), etag='"1"')

    def _update_label(self, request: Request, board: Board) -> ExpectedResponse:
        label = find_by_id(request.label, board.labels, ExpectedError(404, "label_not_found"))
        ensure_version_matches(request, label.version)
        _ensure_name_free(request.fields.get("name", ""), [other for other in board.labels if other is not label])
        changed = self._apply_patch(label, request.fields)
        if changed:
            self._add_event(board, "label.updated", label_id=label.id, changed=changed)
        return ExpectedResponse(200, body=serialize_label(board, label), etag=f'"{label.version}"')

    def _delete_label(self, request: Request, board: Board) -> ExpectedResponse:
        label = find_by_id(request.label, board.labels, ExpectedError(404, "label_not_found"))
        ensure_version_matches(request, label.version)
        board.labels.remove(label)
        self._add_event(board, "label.deleted", label_id=label.id, name=label.name)
        return ExpectedResponse(204)

    def _label_card(self, request: Request, board: Board) -> ExpectedResponse:
        card = find_by_id(request.card, board.cards, ExpectedError(404, "card_not_found"))
        label = find_by_id(request.label, board.labels, ExpectedError(404, "label_not_found"))
        return self._set_labels(
            board, card, [other for other in board.labels if other in card.labels or other is label]
        )

    def _unlabel_card(self, request: Request, board: Board) -> ExpectedResponse:
        card = find_by_id(request.card, board.cards, ExpectedError(404, "card_not_found"))
        labels = [label for label in board.labels if label in card.labels and label.id != request.label]
        return self._set_labels(board, card, labels)

    def _set_labels(self, board: Board, card: Card, labels: list[Label]) -> ExpectedResponse:
        if sorted(label.id for label in labels) != list_label_ids(board, card):
            card.labels = labels
            self._touch(card)
            self._add_event(board, "card.updated", board.find_column(card), card, changed=["label_ids"])
        return self._expect_card(board, card)

    def _find_requested_labels(self, request: Request, board: Board) -> list[Label] | None:
        """Return the labels that the body names, None if it doesn't set labels."""
        if "label_ids" not in request.fields:
            return None
        label_ids: list[str] = request.fields["label_ids"]
        return [find_by_id(label_id, board.labels, ExpectedError(422, "unknown_reference")) for label_id in label_ids]


def _ensure_name_free(name: str, others: list[Label]) -> None:
    if any(other.name.casefold() == name.casefold() for other in others):
        raise ExpectedError(409, "label_name_taken")
