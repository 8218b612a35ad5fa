"""Transfers: cards that move to another board."""

from dataclasses import replace

import pytest

from kanban import archive, cards, labels, labels_and_assignees, members, transfers
from kanban.cards import CardArchived
from kanban.errors import SelfReference, UnknownReference
from kanban.timekeeping import card_clock
from kanban.transfers import CurrencyDiffers
from kanban.values import Card, Color, List, NewCard, NewLabel, NewList, Role, Stage, TimeEntry
from kanban.views import BoardView, NoListOfStage
from tests.kanban.fake_store import FakeStore


def add(store: FakeStore, **fields: object) -> Card:
    card, change = cards.create(store.view(), store.context, NewCard(title="Fix it", **fields))  # type: ignore[arg-type]
    store.apply(change)
    return card


def create_other_store(**fields: object) -> FakeStore:
    """Create a store with another board of the same people, with ids of its own."""
    store = FakeStore(name="Shop", **fields)
    store.board = replace(store.board, id="board_away")
    store.lists = {f"away_{list_.id}": replace(list_, id=f"away_{list_.id}") for list_ in store.lists.values()}
    store.members = {f"away_{member.id}": replace(member, id=f"away_{member.id}") for member in store.members.values()}
    return store


def create_label(store: FakeStore, name: str) -> str:
    label, change = labels.create(store.view(), store.context, NewLabel(name, Color.RED))
    store.apply(change)
    return label.id


def test_a_card_keeps_its_fields_and_both_boards_get_an_event(store: FakeStore) -> None:
    other_store = create_other_store()
    bug, _ = create_label(store, "Bug"), create_label(other_store, "Idea")
    target_label_id = create_label(other_store, "BUG")
    source_card = add(store, label_ids=[bug, create_label(store, "Cost")], external_id="x1")
    store.apply(labels_and_assignees.assign(store.view(source_card.id), source_card.id, "usr_ann", store.context)[1])

    card, change = transfers.transfer(store.view(source_card.id), other_store.view(), source_card.id, store.context)

    target = other_store.get_list("To do")
    assert (card.id, card.board_id, card.list_id, card.version) == (source_card.id, "board_away", target.id, 3)
    assert (card.label_ids, card.external_id) == ((target_label_id,), "x1")
    assert card.assignee_ids == tuple(other_store.members)
    assert change.event
    assert change.event.data == {"from_board_id": store.board.id, "title": "Fix it", "stage": "todo"}
    assert change.departure
    assert change.departure.event
    assert change.departure.event.type == "card.departed"
    assert [value.card_count for value in change.departure.updates if isinstance(value, List)] == [0]
    assert [value.card_count for value in change.updates if isinstance(value, List)] == [1]


def test_only_members_of_both_boards_have_their_memberships_mapped(store: FakeStore) -> None:
    store.apply(members.put(store.view(), "usr_bob", Role.EDITOR, store.context)[1])
    other_store = create_other_store()
    for target, user_id in ((store, "usr_cid"), (other_store, "usr_bob"), (other_store, "usr_dan")):
        target.apply(members.put(target.view(), user_id, Role.EDITOR, target.context)[1])
    source_card = add(store, assignee_ids=["usr_bob", "usr_cid"])

    card, change = transfers.transfer(store.view(source_card.id), other_store.view(), source_card.id, store.context)

    both = ("usr_ann", "usr_bob")
    assert change.membership_ids == {
        store.view().get_member(user_id).id: other_store.view().get_member(user_id).id for user_id in both
    }
    assert card.assignee_ids == (other_store.view().get_member("usr_bob").id,)


def test_labels_are_matched_by_name_ignoring_case_and_normalization(store: FakeStore) -> None:
    other_store = create_other_store()
    target_label_id = create_label(other_store, "\u03aa\u0301")
    source_card = add(store, label_ids=[create_label(store, "\u0390")])

    card, _ = transfers.transfer(store.view(source_card.id), other_store.view(), source_card.id, store.context)

    assert card.label_ids == (target_label_id,)


def test_a_clock_keeps_running_on_the_same_stage_and_stops_on_done(store: FakeStore) -> None:
    other_store = create_other_store()
    source_card = add(store)
    store.apply(cards.start(store.view(source_card.id), source_card.id, store.context)[1])
    store.advance_clock(hours=1)

    running, _ = transfers.transfer(store.view(source_card.id), other_store.view(), source_card.id, store.context)
    done = other_store.get_list("Done").id
    completed, change = transfers.transfer(
        store.view(source_card.id), other_store.view(), source_card.id, store.context, list_id=done
    )

    assert running.running
    assert (running.running.board_id, card_clock.count_worked_seconds(running, store.now)) == ("board_away", 3600)
    assert (completed.running, completed.tracked_seconds, completed.resolved_at) == (None, 3600, store.now)
    (entry,) = [value for value in change.updates if isinstance(value, TimeEntry)]
    assert (entry.board_id, entry.ended_at) == ("board_away", store.now)
    assert change.event
    assert change.event.data["started_at"] == "2026-11-20T12:00:00Z"


def test_a_card_with_time_or_a_rate_cannot_change_its_currency(store: FakeStore) -> None:
    other_store = create_other_store(currency="EUR")
    plain, with_rate = add(store), add(store, hourly_rate_minor=5)

    assert transfers.transfer(store.view(plain.id), other_store.view(), plain.id, store.context)
    with pytest.raises(CurrencyDiffers, match="in USD, and the other board counts in EUR"):
        transfers.transfer(store.view(with_rate.id), other_store.view(), with_rate.id, store.context)


def test_a_card_goes_to_an_active_list_of_another_board(store: FakeStore) -> None:
    card = add(store)

    def transfer_to(view: BoardView, **fields: str) -> None:
        transfers.transfer(store.view(card.id), view, card.id, store.context, **fields)  # type: ignore[arg-type]

    with pytest.raises(SelfReference, match="names the board that the card is on"):
        transfer_to(store.view())
    with pytest.raises(UnknownReference):
        transfer_to(create_other_store().view(), list_id=card.list_id)
    with pytest.raises(NoListOfStage):
        transfer_to(create_other_store(lists=[NewList("Only", Stage.DONE)]).view())
    store.apply(archive.archive_card(store.view(card.id), card.id, store.context)[1])
    with pytest.raises(CardArchived):
        transfer_to(create_other_store().view())
