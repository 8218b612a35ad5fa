"""Many of the model's things put in order at once, and cards that go elsewhere together or to another board."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tests.soak.ledger import Ledger
from tests.soak.rulings import Expected, Refusal, Request, first_of, named, refuse_entry
from tests.soak.shapes import assigned_to, column_shape, done_by, folded, labels_on, moment, seconds_on
from tests.soak.state import Board, Card, Column

Thing = TypeVar("Thing", Column, Card)

_KEYS: dict[str, Callable[[Card], Any]] = {
    "created_at": lambda card: card.made,
    "updated_at": lambda card: card.edited,
    "due_at": lambda card: card.due_at,
    "title": lambda card: folded(card.title),
}


class Arranging(Ledger):
    """The part of the model that arranges.

    Of several ways to an order the API takes one that moves the fewest. Which ones it moved stands in its event,
    `_placed_anew`: the model insists that no fewer would have done.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._placed_anew: Sequence[str] = ()

    def _order_lists(self, request: Request, board: Board) -> Expected:
        shown = [each for each in board.columns if not each.archived]
        wanted = _ordered(request.wishes["list_ids"], shown)
        board.columns = _rearranged(board.columns, wanted, self._placed_anew)
        for each in wanted:
            if each.id in self._placed_anew:
                self._touch(each)
        if self._placed_anew:
            self._record(board, "board.reordered", list_ids=list(self._placed_anew))
        return Expected(200, body={"items": [column_shape(board, each) for each in wanted], "next_cursor": None})

    def _order_cards(self, request: Request, board: Board) -> Expected:
        column = named(request.column, board.columns, Refusal(404, "list_not_found"))
        wanted = _ordered(request.wishes["card_ids"], column.in_use)
        self._arrange(board, column, wanted, "list.reordered")
        return self._column_shown(board, column)

    def _sort_cards(self, request: Request, board: Board) -> Expected:
        column = named(request.column, board.columns, Refusal(404, "list_not_found"))
        by, direction = request.wishes["by"], request.wishes.get("direction", "asc")
        key = _KEYS[by]
        first = [card for card in column.in_use if key(card) is not None]
        first.sort(key=key, reverse=direction == "desc")
        wanted = [*first, *(card for card in column.in_use if key(card) is None)]
        self._arrange(board, column, wanted, "list.sorted", by=by, direction=direction)
        return Expected(200, body={"moved": len(self._placed_anew), "remaining": 0})

    def _arrange(self, board: Board, column: Column, wanted: list[Card], kind: str, **data: Any) -> None:
        column.cards = _rearranged(column.cards, wanted, self._placed_anew)
        if self._placed_anew:
            self._record(board, kind, column, card_ids=list(self._placed_anew), **data)

    def _move_cards(self, request: Request, board: Board) -> Expected:
        origin = named(request.column, board.columns, Refusal(404, "list_not_found"))
        target = named(request.wishes["list_id"], board.columns, Refusal(422, "unknown_reference"))
        if origin is target:
            raise Refusal(422, "self_reference")
        if target.archived:
            raise Refusal(409, "list_archived")
        moved = origin.in_use
        if target.wip_enforcement == "block" and target.wip_limit is not None and moved:
            room = target.wip_limit - len(target.in_use)
            if len(moved) > room:
                raise Refusal(409, "no_room")
        data: dict[str, Any] = {"from_list_id": origin.id, "from_stage": origin.stage, "to_stage": target.stage}
        if target.stage == "done" != origin.stage:
            data["created_at"] = [moment(card.made) for card in moved]
            data["started_at"] = [moment(card.started) or "" for card in moved]
        for card in moved:
            origin.cards.remove(card)
            target.cards.append(card)
            self._touch(card)
            self._bring(card, origin.stage, target.stage, board)
        if moved:
            self._record(board, "list.cards_moved", target, card_ids=[card.id for card in moved], **data)
        return Expected(200, body={"moved": len(moved), "remaining": 0})

    def _transfer_card(self, request: Request, board: Board) -> Expected:
        away = self._other(request)
        card = named(request.card, board.cards, Refusal(404, "card_not_found"))
        if away is board:
            raise Refusal(422, "self_reference")
        if card.archived:
            raise Refusal(409, "card_archived")
        has_money = seconds_on(card, self.now) or card.is_running or card.hourly_rate_minor is not None
        if has_money and board.currency != away.currency:
            raise Refusal(409, "currency_differs")
        origin = board.home(card)
        target = self._destination(request, origin, away)
        refuse_entry(target)
        self._take_external_id(card.external_id, away, away.cards)
        names = [each.name.casefold() for each in board.labels if each.id in labels_on(board, card)]
        people = assigned_to(board, card)
        card.labels = [each for each in away.labels if each.name.casefold() in names]
        card.assigned = [place for place in away.places if place.user in people]
        for item in card.items:
            item.assigned = away.place_of(done_by(board, item) or "")
        origin.cards.remove(card)
        target.cards.insert(0 if request.wishes.get("position") == "top" else len(target.cards), card)
        self._touch(card)
        self._bring(card, origin.stage, target.stage, away)
        left = {"to_board_id": away.id, "title": card.title, "stage": origin.stage}
        self._record(board, "card.departed", origin, card, **left)
        data: dict[str, Any] = {"from_board_id": board.id, "title": card.title, "stage": target.stage}
        if target.stage == "done" != origin.stage:
            data |= {"created_at": moment(card.made), "started_at": moment(card.started)}
        self._record(away, "card.arrived", target, card, **data)
        return self._card_shown(away, card)

    def _other(self, request: Request) -> Board:
        """The board that the card shall go to, if whoever asks may change it."""
        for board in self.boards:
            place = board.place_of(request.user)
            if board.id == request.wishes["board_id"] and place:
                if place.role == "viewer":
                    raise Refusal(403, "role_too_low")
                return board
        raise Refusal(422, "unknown_reference")

    def _destination(self, request: Request, origin: Column, away: Board) -> Column:
        if "list_id" in request.wishes:
            return named(request.wishes["list_id"], away.columns, Refusal(422, "unknown_reference"))
        return first_of(origin.stage, away)


def _ordered(ids: Sequence[str], things: Sequence[Thing]) -> list[Thing]:
    """These things in the order of the ids, which are all of theirs."""
    if sorted(ids) != sorted(each.id for each in things):
        raise Refusal(409, "stale_order")
    return sorted(things, key=lambda each: ids.index(each.id))


def _rearranged(things: Sequence[Thing], wanted: Sequence[Thing], moved: Sequence[str]) -> list[Thing]:
    """All the things once those of them that were moved are just below what they are wanted below."""
    order = [each for each in things if each.id not in moved]
    present = [each for each in things if each in wanted]
    if len(moved) != len(wanted) - _longest_rise([present.index(each) for each in wanted]):
        raise AssertionError(f"Not the fewest were moved: {moved}")
    above = None
    for each in wanted:
        if each.id in moved:
            order.insert(0 if above is None else order.index(above) + 1, each)
        above = each
    if [each for each in order if each in wanted] != list(wanted):
        raise AssertionError(f"These moves do not lead to that order: {moved}")
    return order


def _longest_rise(numbers: Sequence[int]) -> int:
    """How many numbers there are in a longest selection that rises."""
    longest: list[int] = []
    for at, number in enumerate(numbers):
        longest.append(1 + max((longest[before] for before in range(at) if numbers[before] < number), default=0))
    return max(longest, default=0)
