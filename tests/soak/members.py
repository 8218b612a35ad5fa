"""The model of members, and of the assignees of cards."""

from tests.soak.expectations import ExpectedError, ExpectedResponse, Request, find_by_id
from tests.soak.model_core import ModelCore
from tests.soak.serialize import list_assignees, member_etag, serialize_member
from tests.soak.state import Board, Card, Membership

_MAX_STOPPED_CLOCKS = 30


class MembersModel(ModelCore):
    """The part of the model that has members."""

    def _put_member(self, request: Request, board: Board) -> ExpectedResponse:
        if request.member not in self.names:
            raise ExpectedError(404, "user_not_found")
        membership, role = board.find_membership(request.member), request.fields["role"]
        if membership is None:
            # Only the API knows the id of the membership.
            membership = Membership(
                self._response.etag.strip('"').rpartition(".")[2], request.member, role, self.now, self.now
            )
            board.memberships.append(membership)
            self._add_event(board, "member.added", user_id=membership.user, role=role)
            return self._expect_member(board, membership, 201)
        if membership.role != role:
            _ensure_not_last_owner(board, membership)
            membership.role = role
            self._touch(membership)
            self._add_event(board, "member.updated", user_id=membership.user, role=role)
        return self._expect_member(board, membership)

    def _remove_member(self, request: Request, board: Board) -> ExpectedResponse:
        membership_of_user = board.find_membership(request.user)
        if request.member != request.user and (membership_of_user is None or membership_of_user.role != "owner"):
            raise ExpectedError(403, "role_too_low")
        membership = board.find_membership(request.member)
        running = [card for card in board.active_cards if request.member in card.running_users][:_MAX_STOPPED_CLOCKS]
        if membership is not None:
            _ensure_not_last_owner(board, membership)
            board.memberships.remove(membership)
        for card in running:
            self._stop_clock(card)
            self._touch(card)
        if membership is not None or running:
            self._add_event(board, "member.removed", user_id=request.member)
        return ExpectedResponse(204)

    def _assign_card(self, request: Request, board: Board) -> ExpectedResponse:
        card = find_by_id(request.card, board.cards, ExpectedError(404, "card_not_found"))
        if board.find_membership(request.member) is None:
            raise ExpectedError(404, "member_not_found")
        return self._set_assignees(board, card, {*list_assignees(board, card), request.member})

    def _unassign_card(self, request: Request, board: Board) -> ExpectedResponse:
        card = find_by_id(request.card, board.cards, ExpectedError(404, "card_not_found"))
        return self._set_assignees(board, card, {*list_assignees(board, card)} - {request.member})

    def _set_assignees(self, board: Board, card: Card, users: set[str]) -> ExpectedResponse:
        if sorted(users) != list_assignees(board, card):
            card.assignees = [membership for membership in board.memberships if membership.user in users]
            self._touch(card)
            self._add_event(board, "card.updated", board.find_column(card), card, changed=["assignee_ids"])
        return self._expect_card(board, card)

    def _find_requested_assignees(self, request: Request, board: Board) -> list[Membership] | None:
        """Return the memberships of the users that the body assigns, None if it doesn't set assignees."""
        if "assignee_ids" not in request.fields:
            return None
        user_ids: list[str] = request.fields["assignee_ids"]
        if any(board.find_membership(user) is None for user in user_ids):
            raise ExpectedError(422, "unknown_reference")
        return [membership for membership in board.memberships if membership.user in user_ids]

    def _expect_member(self, board: Board, membership: Membership, status: int = 200) -> ExpectedResponse:
        return ExpectedResponse(
            status, body=serialize_member(board, membership, self.names[membership.user]), etag=member_etag(membership)
        )


def _ensure_not_last_owner(board: Board, membership: Membership) -> None:
    if [membership for membership in board.memberships if membership.role == "owner"] == [membership]:
        raise ExpectedError(409, "last_owner")
