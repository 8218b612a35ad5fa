"""Who may enter the model's boards, and who works on its cards."""

from tests.soak.ledger import Ledger
from tests.soak.rulings import Expected, Refusal, Request, named
from tests.soak.shapes import assigned_to, member_shape, member_tag
from tests.soak.state import Board, Card, Place

_MAX_STOPPED = 30


class Members(Ledger):
    """The part of the model that lets people in and out."""

    def _put_member(self, request: Request, board: Board) -> Expected:
        if request.member not in self.names:
            raise Refusal(404, "user_not_found")
        place, role = board.place_of(request.member), request.wishes["role"]
        if place is None:
            # Which place it is, only the API knows.
            place = Place(self._seen.etag.strip('"').rpartition(".")[2], request.member, role, self.now, self.now)
            board.places.append(place)
            self._record(board, "member.added", user_id=place.user, role=role)
            return self._member_shown(board, place, 201)
        if place.role != role:
            _refuse_last_owner(board, place)
            place.role = role
            self._touch(place)
            self._record(board, "member.updated", user_id=place.user, role=role)
        return self._member_shown(board, place)

    def _remove_member(self, request: Request, board: Board) -> Expected:
        own = board.place_of(request.user)
        if request.member != request.user and (own is None or own.role != "owner"):
            raise Refusal(403, "role_too_low")
        place = board.place_of(request.member)
        running = [card for card in board.in_use if request.member in card.workers][:_MAX_STOPPED]
        if place is not None:
            _refuse_last_owner(board, place)
            board.places.remove(place)
        for card in running:
            self._stop(card)
            self._touch(card)
        if place is not None or running:
            self._record(board, "member.removed", user_id=request.member)
        return Expected(204)

    def _assign_card(self, request: Request, board: Board) -> Expected:
        card = named(request.card, board.cards, Refusal(404, "card_not_found"))
        if board.place_of(request.member) is None:
            raise Refusal(404, "member_not_found")
        return self._worked_on(board, card, {*assigned_to(board, card), request.member})

    def _unassign_card(self, request: Request, board: Board) -> Expected:
        card = named(request.card, board.cards, Refusal(404, "card_not_found"))
        return self._worked_on(board, card, {*assigned_to(board, card)} - {request.member})

    def _worked_on(self, board: Board, card: Card, users: set[str]) -> Expected:
        if sorted(users) != assigned_to(board, card):
            card.assigned = [place for place in board.places if place.user in users]
            self._touch(card)
            self._record(board, "card.updated", board.home(card), card, changed=["assignee_ids"])
        return self._card_shown(board, card)

    def _places_named(self, request: Request, board: Board) -> list[Place] | None:
        """The places of those whom a body assigns, if it does."""
        if "assignee_ids" not in request.wishes:
            return None
        wished: list[str] = request.wishes["assignee_ids"]
        if any(board.place_of(user) is None for user in wished):
            raise Refusal(422, "unknown_reference")
        return [place for place in board.places if place.user in wished]

    def _member_shown(self, board: Board, place: Place, status: int = 200) -> Expected:
        return Expected(status, body=member_shape(board, place, self.names[place.user]), tag=member_tag(place))


def _refuse_last_owner(board: Board, place: Place) -> None:
    if [each for each in board.places if each.role == "owner"] == [place]:
        raise Refusal(409, "last_owner")
