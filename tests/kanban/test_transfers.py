"""Cards that move to another board."""

from dataclasses import replace

import pytest

from kanban import archive, cards, labels, labels_and_assignees, members, transfers
from kanban.cards import CardArchived
from kanban.errors import SelfReference, UnknownReference
from kanban.timekeeping import card_clock
from kanban.transfers import CurrencyDiffers
from kanban.values import Card, Color, List, Role, TimeEntry
from kanban.views import BoardView, NoListOfStage
from tests.kanban.fake_store import FakeStore


def add(desk: FakeStore, **wishes: object) -> Card:
    card, change = cards.create(desk.view(), desk.context, title="Fix it", **wishes)  # type: ignore[arg-type]
    desk.apply(change)
    return card


def elsewhere(**wishes: object) -> FakeStore:
    """Another board of the same people, with ids of its own."""
    desk = FakeStore(name="Shop", **wishes)
    desk.board = replace(desk.board, id="board_away")
    desk.lists = {f"away_{each.id}": replace(each, id=f"away_{each.id}") for each in desk.lists.values()}
    desk.members = {f"away_{each.id}": replace(each, id=f"away_{each.id}") for each in desk.members.values()}
    return desk


def label(desk: FakeStore, name: str) -> str:
    made, change = labels.create(desk.view(), desk.context, name=name, color=Color.RED)
    desk.apply(change)
    return made.id


def test_a_card_keeps_what_it_is_and_both_boards_tell_of_it(desk: FakeStore) -> None:
    away = elsewhere()
    bug, _ = label(desk, "Bug"), label(away, "Idea")
    there = label(away, "BUG")
    old = add(desk, label_ids=[bug, label(desk, "Cost")], external_id="x1")
    desk.apply(labels_and_assignees.assign(desk.view(old.id), old.id, "usr_ann", desk.context)[1])

    card, change = transfers.transfer(desk.view(old.id), away.view(), old.id, desk.context)

    target = away.get_list("To do")
    assert (card.id, card.board_id, card.list_id, card.version) == (old.id, "board_away", target.id, 3)
    assert (card.label_ids, card.external_id) == ((there,), "x1")
    assert card.assignee_ids == tuple(away.members)
    assert change.event
    assert change.event.data == {"from_board_id": desk.board.id, "title": "Fix it", "stage": "todo"}
    assert change.departure
    assert change.departure.event
    assert change.departure.event.type == "card.departed"
    assert [each.card_count for each in change.departure.updates if isinstance(each, List)] == [0]
    assert [each.card_count for each in change.updates if isinstance(each, List)] == [1]


def test_who_is_a_member_of_both_boards_has_a_counterpart_and_nobody_else_has(desk: FakeStore) -> None:
    desk.apply(members.put(desk.view(), "usr_bob", Role.EDITOR, desk.context)[1])
    away = elsewhere()
    for each, user_id in ((desk, "usr_cid"), (away, "usr_bob"), (away, "usr_dan")):
        each.apply(members.put(each.view(), user_id, Role.EDITOR, each.context)[1])
    old = add(desk, assignee_ids=["usr_bob", "usr_cid"])

    card, change = transfers.transfer(desk.view(old.id), away.view(), old.id, desk.context)

    both = ("usr_ann", "usr_bob")
    assert change.membership_ids == {desk.view().get_member(each).id: away.view().get_member(each).id for each in both}
    assert card.assignee_ids == (away.view().get_member("usr_bob").id,)


def test_labels_whose_names_read_the_same_are_the_same_however_they_are_written(desk: FakeStore) -> None:
    away = elsewhere()
    there = label(away, "\u03aa\u0301")
    old = add(desk, label_ids=[label(desk, "\u0390")])

    card, _ = transfers.transfer(desk.view(old.id), away.view(), old.id, desk.context)

    assert card.label_ids == (there,)


def test_a_clock_that_runs_goes_on_and_one_that_is_done_stops(desk: FakeStore) -> None:
    away = elsewhere()
    old = add(desk)
    desk.apply(cards.start(desk.view(old.id), old.id, desk.context)[1])
    desk.advance_clock(hours=1)

    going, _ = transfers.transfer(desk.view(old.id), away.view(), old.id, desk.context)
    done = away.get_list("Done").id
    ended, change = transfers.transfer(desk.view(old.id), away.view(), old.id, desk.context, list_id=done)

    assert going.running
    assert (going.running.board_id, card_clock.count_elapsed_seconds(going, desk.now)) == ("board_away", 3600)
    assert (ended.running, ended.tracked_seconds, ended.resolved_at) == (None, 3600, desk.now)
    (entry,) = [each for each in change.updates if isinstance(each, TimeEntry)]
    assert (entry.board_id, entry.ended_at) == ("board_away", desk.now)
    assert change.event
    assert change.event.data["started_at"] == "2026-11-20T12:00:00Z"


def test_money_does_not_change_its_currency(desk: FakeStore) -> None:
    away = elsewhere(currency="EUR")
    free, dear = add(desk), add(desk, hourly_rate_minor=5)

    assert transfers.transfer(desk.view(free.id), away.view(), free.id, desk.context)
    with pytest.raises(CurrencyDiffers, match="in USD, and the other board counts in EUR"):
        transfers.transfer(desk.view(dear.id), away.view(), dear.id, desk.context)


def test_a_card_goes_to_a_list_in_use_of_another_board(desk: FakeStore) -> None:
    card = add(desk)

    def go(view: BoardView, **wishes: str) -> None:
        transfers.transfer(desk.view(card.id), view, card.id, desk.context, **wishes)  # type: ignore[arg-type]

    with pytest.raises(SelfReference, match="names the board that the card is on"):
        go(desk.view())
    with pytest.raises(UnknownReference):
        go(elsewhere().view(), list_id=card.list_id)
    with pytest.raises(NoListOfStage):
        go(elsewhere(lists=[{"name": "Only", "stage": "done"}]).view())
    desk.apply(archive.archive_card(desk.view(card.id), card.id, desk.context)[1])
    with pytest.raises(CardArchived):
        go(elsewhere().view())
