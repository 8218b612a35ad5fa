"""Transfers: cards that move to another board with all that belongs to them."""

from collections.abc import Mapping
from dataclasses import replace

from kanban import cards
from kanban.cards import CardArchived
from kanban.changes import ActionContext, Change, build_change
from kanban.errors import Conflict, SelfReference, quote_name
from kanban.flow import completions
from kanban.ordering import ranks
from kanban.ordering.list_capacity import ensure_card_can_enter, get_rank_at_end, with_card, without_card
from kanban.text import fold
from kanban.values import Card, End
from kanban.views import BoardView


class CurrencyDiffers(Conflict):
    """Raised when a card with time or a rate should move to a board with another currency."""

    code = "currency_differs"

    def __init__(self, card_title: str, currency: str, other_currency: str) -> None:
        """Take the card's title, the currency of its board, and that of the other board."""
        super().__init__(
            f"Card {quote_name(card_title)} has time or a rate in {currency}, "
            f"and the other board counts in {other_currency}."
        )


def transfer(
    source_view: BoardView,
    target_view: BoardView,
    card_id: str,
    context: ActionContext,
    *,
    list_id: str | None = None,
    position: End = "bottom",
) -> tuple[Card, Change]:
    """Move the card to the target board: to the given list, or to the first list of the card's stage.

    Raises SelfReference, UnknownReference, NoListOfStage, CardArchived, ListArchived, WipLimitReached, LimitReached,
    CurrencyDiffers.
    """
    source_card = source_view.get_card(card_id)
    if source_view.board.id == target_view.board.id:
        raise SelfReference("board_id")
    if source_card.archived_at is not None:
        raise CardArchived(source_card.title)
    _ensure_same_currency(source_card, source_view, target_view)
    source = source_view.get_list_of(source_card)
    target = target_view.get_first_list(source.stage) if list_id is None else cards.resolve_list(target_view, list_id)
    ensure_card_can_enter(target)
    rank = get_rank_at_end(target, position)
    membership_ids = _match_memberships(source_view, target_view)
    card = replace(
        source_card,
        board_id=target_view.board.id,
        list_id=target.id,
        rank=rank,
        label_ids=_match_labels_by_name(source_card, source_view, target_view),
        assignee_ids=tuple(sorted(membership_ids[id_] for id_ in source_card.assignee_ids if id_ in membership_ids)),
        running=source_card.running and replace(source_card.running, board_id=target_view.board.id),
        version=source_card.version + 1,
        updated_at=context.at,
    )
    card, opened, closed = cards.enter_stage(card, target_view.board, source.stage, target.stage, context)
    departure = build_change(
        source_view,
        context,
        "card.departed",
        updates=(without_card(source),),
        list_id=source.id,
        card_id=card_id,
        data={"to_board_id": target_view.board.id, "title": card.title, "stage": str(source.stage)},
    )
    arrival = build_change(
        target_view,
        context,
        "card.arrived",
        creates=opened,
        updates=(card, *closed, with_card(target, rank)),
        list_id=target.id,
        card_id=card_id,
        data={
            "from_board_id": source_view.board.id,
            "title": card.title,
            "stage": str(target.stage),
            **completions.build_completion_data(card, source.stage, target.stage),
        },
        rebalance_list_id=target.id if len(rank) > ranks.MAX_RANK_LENGTH else None,
    )
    return card, replace(arrival, departure=departure, membership_ids=membership_ids)


def _ensure_same_currency(card: Card, source_view: BoardView, target_view: BoardView) -> None:
    has_money = card.tracked_seconds or card.running or card.hourly_rate_minor is not None
    if has_money and source_view.board.currency != target_view.board.currency:
        raise CurrencyDiffers(card.title, source_view.board.currency, target_view.board.currency)


def _match_labels_by_name(card: Card, source_view: BoardView, target_view: BoardView) -> tuple[str, ...]:
    names = {fold(label.name) for label in source_view.labels if label.id in card.label_ids}
    return tuple(sorted(label.id for label in target_view.labels if fold(label.name) in names))


def _match_memberships(source_view: BoardView, target_view: BoardView) -> Mapping[str, str]:
    """Return the memberships of people who are on both boards: id on the source board to id on the target board."""
    target_ids = {member.user_id: member.id for member in target_view.members}
    return {member.id: target_ids[member.user_id] for member in source_view.members if member.user_id in target_ids}
