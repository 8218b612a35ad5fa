"""Cards that move to another board, with all that belongs to them."""

from collections.abc import Mapping
from dataclasses import replace

from kanban import cards, moments, ranks
from kanban.errors import CardArchived, CurrencyDiffers, SelfReference
from kanban.places import End, rank_at_end, refuse_entry, with_card, without_card
from kanban.record import record
from kanban.text import folded
from kanban.values import Act, BoardView, Card, Change, EventData, Stage


def transfer(
    home: BoardView, away: BoardView, card_id: str, act: Act, *, list_id: str | None = None, position: End = "bottom"
) -> tuple[Card, Change]:
    """The card on the board `away`: in that list, or in the first one of the card's stage.

    Raises SelfReference, UnknownReference, NoListOfStage, CardArchived, ListArchived, WipLimitReached, TooManyCards,
    CurrencyDiffers.
    """
    old = home.card(card_id)
    if home.board.id == away.board.id:
        raise SelfReference("board_id")
    if old.archived_at is not None:
        raise CardArchived(old.title)
    _refuse_other_currency(old, home, away)
    origin = home.list_of(old)
    target = away.first_list(origin.stage) if list_id is None else cards.referred_list(away, list_id)
    refuse_entry(target)
    rank = rank_at_end(target, position)
    there = _counterparts(home, away)
    card = replace(
        old,
        board_id=away.board.id,
        list_id=target.id,
        rank=rank,
        label_ids=_labels_named_alike(old, home, away),
        assignee_ids=tuple(sorted(there[each] for each in old.assignee_ids if each in there)),
        running=old.running and replace(old.running, board_id=away.board.id),
        version=old.version + 1,
        updated_at=act.at,
    )
    card, opened, closed = cards.brought_to(card, away.board, origin.stage, target.stage, act)
    left: EventData = {"to_board_id": away.board.id, "title": card.title, "stage": str(origin.stage)}
    departure = record(
        home, act, "card.departed", updates=(without_card(origin),), list_id=origin.id, card_id=card_id, data=left
    )
    arrival = record(
        away,
        act,
        "card.arrived",
        creates=opened,
        updates=(card, *closed, with_card(target, rank)),
        list_id=target.id,
        card_id=card_id,
        data=_told(card, home, (origin.stage, target.stage)),
        rebalance=target.id if len(rank) > ranks.LONGEST else None,
    )
    return card, replace(arrival, origin=departure, counterparts=there)


def _refuse_other_currency(card: Card, home: BoardView, away: BoardView) -> None:
    has_money = card.tracked_seconds or card.running or card.hourly_rate_minor is not None
    if has_money and home.board.currency != away.board.currency:
        raise CurrencyDiffers(card.title, home.board.currency, away.board.currency)


def _labels_named_alike(card: Card, home: BoardView, away: BoardView) -> tuple[str, ...]:
    names = {folded(each.name) for each in home.labels if each.id in card.label_ids}
    return tuple(sorted(each.id for each in away.labels if folded(each.name) in names))


def _counterparts(home: BoardView, away: BoardView) -> Mapping[str, str]:
    """The places on the other board of those who are members of both, by their places on this one."""
    there = {each.user_id: each.id for each in away.members}
    return {each.id: there[each.user_id] for each in home.members if each.user_id in there}


def _told(card: Card, home: BoardView, stages: tuple[Stage, Stage]) -> EventData:
    old, new = stages
    data: EventData = {"from_board_id": home.board.id, "title": card.title, "stage": str(new)}
    if new != Stage.DONE or old == Stage.DONE:
        return data
    since = {"created_at": moments.written(card.created_at), "started_at": moments.written_or_none(card.started_at)}
    return {**data, **since}
