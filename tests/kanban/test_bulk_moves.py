"""Move all cards of a list to another one."""

import pytest

from kanban import archive, bulk_moves, card_size, cards, lists
from kanban.bulk_moves import NoRoom
from kanban.errors import SelfReference, UnknownReference
from kanban.limits import MAX_CARDS_PER_LIST
from kanban.ordering import ranks
from kanban.ordering.list_capacity import ListArchived
from kanban.timekeeping import card_clock
from kanban.values import Card, Enforcement, Link, NewCard, NewList, Stage
from tests.kanban.fake_store import FakeStore


def fill(store: FakeStore, count: int, name: str = "To do", **fields: object) -> list[Card]:
    created = []
    for number in range(count):
        view, list_id = store.view(), store.get_list(name).id
        card, change = cards.create(view, store.context, NewCard(title=f"{number}", list_id=list_id, **fields))  # type: ignore[arg-type]
        store.apply(change)
        created.append(card)
    return created


def move(store: FakeStore, source_name: str, target_name: str) -> tuple[int, int]:
    list_id = store.get_list(source_name).id
    active_cards = [card for card in store.cards.values() if card.list_id == list_id and not card.archived_at]
    first = sorted(active_cards, key=lambda card: card.rank)[: bulk_moves.MAX_MOVED_CARDS]
    moved, left, change = bulk_moves.move_cards(
        store.view(), list_id, first, store.context, target_list_id=store.get_list(target_name).id
    )
    store.apply(change)
    return moved, left


def test_cards_go_to_the_bottom_in_their_order_and_their_clocks_start(store: FakeStore) -> None:
    fill(store, 1, "Doing")
    moved = fill(store, 2)
    store.advance_clock(hours=1)

    assert move(store, "To do", "Doing") == (2, 0)

    doing = store.get_list("Doing")
    assert store.get_titles(doing.id) == ["0", "0", "1"]
    assert (store.get_list("To do").card_count, doing.card_count) == (0, 3)
    assert all(store.cards[card.id].running for card in moved)
    assert store.events[-1].type == "list.cards_moved"
    assert store.events[-1].data["card_ids"] == [card.id for card in moved]


def test_moving_cards_to_done_stops_clocks_and_puts_their_times_into_the_event(store: FakeStore) -> None:
    (card,) = fill(store, 1, "Doing")
    store.advance_clock(hours=1)

    move(store, "Doing", "Done")

    done = store.cards[card.id]
    assert done.running is None
    assert done.resolved_at == store.now
    assert card_clock.count_worked_seconds(done, store.now) == 3600
    assert store.events[-1].data["started_at"] == store.events[-1].data["created_at"] == ["2026-11-20T12:00:00Z"]


def test_fifty_cards_move_in_two_steps(store: FakeStore) -> None:
    fill(store, 50)

    steps = [move(store, "To do", "Done"), move(store, "To do", "Done"), move(store, "To do", "Done")]

    assert steps == [(40, 10), (10, 0), (0, 0)]
    assert store.get_titles(store.get_list("Done").id) == [str(number) for number in range(50)]


def test_cards_that_take_many_writes_move_in_smaller_steps(store: FakeStore) -> None:
    for number in range(35):
        fill(store, 1, external_id=f"x{number}")

    assert move(store, "To do", "Doing") == (30, 5)


def test_long_cards_move_in_smaller_steps(store: FakeStore) -> None:
    links = (Link("https://example.com/" + "x" * 1980, "x" * 200),) * 20
    fill(store, 10, description="x" * 20_000, links=links)

    steps = [move(store, "To do", "Done"), move(store, "To do", "Done")]

    assert steps == [(6, 4), (4, 0)]
    assert store.get_titles(store.get_list("Done").id) == [str(number) for number in range(10)]


def test_archived_cards_stay(store: FakeStore) -> None:
    one, two = fill(store, 2)
    store.apply(archive.archive_card(store.view(one.id), one.id, store.context)[1])

    assert move(store, "To do", "Done") == (1, 0)

    assert store.cards[one.id].list_id == one.list_id
    assert store.cards[two.id].list_id == store.get_list("Done").id


def test_no_card_moves_unless_there_is_room_for_all(store: FakeStore) -> None:
    store.change_list("Doing", wip_limit=3, wip_enforcement=Enforcement.BLOCK)
    fill(store, 1, "Doing")
    fill(store, 3)

    with pytest.raises(NoRoom, match="no room for 3 cards: it holds 1, and at most 3 fit in"):
        move(store, "To do", "Doing")


def test_cards_cannot_move_to_their_own_an_archived_or_an_unknown_list(store: FakeStore) -> None:
    fill(store, 1)
    todo, done = store.get_list("To do").id, store.get_list("Done").id

    with pytest.raises(SelfReference):
        move(store, "To do", "To do")
    with pytest.raises(UnknownReference):
        bulk_moves.move_cards(store.view(), todo, (), store.context, target_list_id="lst_elsewhere")
    store.apply(archive.archive_list(store.view(), done, store.context, ())[1])
    with pytest.raises(ListArchived):
        move(store, "To do", "Done")


def test_a_list_can_be_filled_up_to_its_limit_but_not_beyond_it(store: FakeStore) -> None:
    store.change_list("Doing", wip_limit=3, wip_enforcement=Enforcement.BLOCK)
    fill(store, 3)

    assert move(store, "To do", "Doing") == (3, 0)

    fill(store, 1)
    with pytest.raises(NoRoom, match="no room for 1 card: it holds 3, and at most 3 fit in"):
        move(store, "To do", "Doing")


def test_a_list_can_be_filled_up_to_the_limit_of_every_list(store: FakeStore) -> None:
    fill(store, 1)
    store.change_list("Done", card_count=MAX_CARDS_PER_LIST)

    with pytest.raises(NoRoom):
        move(store, "To do", "Done")
    store.change_list("Done", card_count=MAX_CARDS_PER_LIST - 1)
    assert move(store, "To do", "Done") == (1, 0)


@pytest.mark.parametrize(
    ("source", "target", "is_told"), [("To do", "Done", True), ("To do", "Doing", False), ("Done", "Shipped", False)]
)
def test_only_a_move_to_done_tells_when_the_cards_were_made(
    store: FakeStore, source: str, target: str, *, is_told: bool
) -> None:
    store.apply(lists.create(store.view(), store.context, NewList(name="Shipped", stage=Stage.DONE))[1])
    fill(store, 1, source)

    move(store, source, target)

    assert ("created_at" in store.events[-1].data, "started_at" in store.events[-1].data) == (is_told, is_told)


def test_a_step_moves_cards_up_to_the_maximum_of_characters(store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store, 3)

    monkeypatch.setattr(card_size, "MAX_COMMIT_CHARACTERS", 2)

    assert [move(store, "To do", "Done"), move(store, "To do", "Done")] == [(2, 1), (1, 0)]


def test_the_time_entries_that_a_step_closes_count_as_well(store: FakeStore) -> None:
    for number in range(35):
        fill(store, 1, "Doing", external_id=f"x{number}")

    assert move(store, "Doing", "Done") == (30, 5)


@pytest.mark.parametrize(("length", "is_rebalanced"), [(120, False), (121, True)])
def test_a_bulk_move_below_a_long_rank_asks_for_a_rebalance(
    store: FakeStore, monkeypatch: pytest.MonkeyPatch, length: int, *, is_rebalanced: bool
) -> None:
    (card,) = fill(store, 1)
    monkeypatch.setattr(ranks, "sequence_after", lambda _rank, _count: ["m" + "z" * (length - 1)])

    _, _, change = bulk_moves.move_cards(
        store.view(), card.list_id, [card], store.context, target_list_id=store.get_list("Done").id
    )

    assert change is not None
    assert (change.rebalance_list_id is not None) is is_rebalanced
