"""All cards of a list moved to another one."""

import pytest

from kanban import archive, bulk_moves, cards
from kanban.bulk_moves import NoRoom
from kanban.errors import SelfReference, UnknownReference
from kanban.ordering.list_capacity import ListArchived
from kanban.timekeeping import card_clock
from kanban.values import Card, Enforcement, Link
from tests.kanban.fake_store import FakeStore


def fill(desk: FakeStore, count: int, name: str = "To do", **wishes: object) -> list[Card]:
    made = []
    for number in range(count):
        view, home = desk.view(), desk.get_list(name).id
        card, change = cards.create(view, desk.context, title=f"{number}", list_id=home, **wishes)  # type: ignore[arg-type]
        desk.apply(change)
        made.append(card)
    return made


def move(desk: FakeStore, origin: str, goal: str) -> tuple[int, int]:
    home = desk.get_list(origin).id
    there = [card for card in desk.cards.values() if card.list_id == home and not card.archived_at]
    first = sorted(there, key=lambda card: card.rank)[: bulk_moves.MAX_MOVED_CARDS]
    moved, left, change = bulk_moves.move_cards(
        desk.view(), home, first, desk.context, target_list_id=desk.get_list(goal).id
    )
    desk.apply(change)
    return moved, left


def test_cards_go_to_the_bottom_in_their_order_and_their_clocks_start(desk: FakeStore) -> None:
    fill(desk, 1, "Doing")
    moved = fill(desk, 2)
    desk.advance_clock(hours=1)

    assert move(desk, "To do", "Doing") == (2, 0)

    doing = desk.get_list("Doing")
    assert desk.get_titles(doing.id) == ["0", "0", "1"]
    assert (desk.get_list("To do").card_count, doing.card_count) == (0, 3)
    assert all(desk.cards[card.id].running for card in moved)
    assert desk.events[-1].type == "list.cards_moved"
    assert desk.events[-1].data["card_ids"] == [card.id for card in moved]


def test_clocks_stop_when_the_cards_are_done_and_the_event_tells_how_long_they_took(desk: FakeStore) -> None:
    (card,) = fill(desk, 1, "Doing")
    desk.advance_clock(hours=1)

    move(desk, "Doing", "Done")

    done = desk.cards[card.id]
    assert done.running is None
    assert done.resolved_at == desk.now
    assert card_clock.count_elapsed_seconds(done, desk.now) == 3600
    assert desk.events[-1].data["started_at"] == desk.events[-1].data["created_at"] == ["2026-11-20T12:00:00Z"]


def test_fifty_cards_go_in_two_steps(desk: FakeStore) -> None:
    fill(desk, 50)

    steps = [move(desk, "To do", "Done"), move(desk, "To do", "Done"), move(desk, "To do", "Done")]

    assert steps == [(40, 10), (10, 0), (0, 0)]
    assert desk.get_titles(desk.get_list("Done").id) == [str(number) for number in range(50)]


def test_cards_that_take_much_to_write_go_in_smaller_steps(desk: FakeStore) -> None:
    for number in range(35):
        fill(desk, 1, external_id=f"x{number}")

    assert move(desk, "To do", "Doing") == (30, 5)


def test_long_cards_go_in_smaller_steps(desk: FakeStore) -> None:
    links = (Link("https://example.com/" + "x" * 1980, "x" * 200),) * 20
    fill(desk, 10, description="x" * 20_000, links=links)

    steps = [move(desk, "To do", "Done"), move(desk, "To do", "Done")]

    assert steps == [(6, 4), (4, 0)]
    assert desk.get_titles(desk.get_list("Done").id) == [str(number) for number in range(10)]


def test_archived_cards_stay(desk: FakeStore) -> None:
    one, two = fill(desk, 2)
    desk.apply(archive.archive_card(desk.view(one.id), one.id, desk.context)[1])

    assert move(desk, "To do", "Done") == (1, 0)

    assert desk.cards[one.id].list_id == one.list_id
    assert desk.cards[two.id].list_id == desk.get_list("Done").id


def test_none_is_moved_where_not_all_have_room(desk: FakeStore) -> None:
    desk.change_list("Doing", wip_limit=3, wip_enforcement=Enforcement.BLOCK)
    fill(desk, 1, "Doing")
    fill(desk, 3)

    with pytest.raises(NoRoom, match="no room for 3 cards: it holds 1, and at most 3 fit in"):
        move(desk, "To do", "Doing")


def test_a_list_is_not_moved_into_itself_nor_into_the_archive_nor_elsewhere(desk: FakeStore) -> None:
    fill(desk, 1)
    todo, done = desk.get_list("To do").id, desk.get_list("Done").id

    with pytest.raises(SelfReference):
        move(desk, "To do", "To do")
    with pytest.raises(UnknownReference):
        bulk_moves.move_cards(desk.view(), todo, (), desk.context, target_list_id="lst_elsewhere")
    desk.apply(archive.archive_list(desk.view(), done, desk.context, ())[1])
    with pytest.raises(ListArchived):
        move(desk, "To do", "Done")
