"""Cards: their life, their order, and the limits of their lists."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from kanban import cards, lists
from kanban.cards import WrongStage
from kanban.errors import LimitReached, NotFound, SelfReference, UnknownReference
from kanban.ordering import ranks
from kanban.ordering.list_capacity import WipLimitReached
from kanban.store import NeighbourOf
from kanban.values import Card, Enforcement, List, Stage
from kanban.views import NoListOfStage
from tests.kanban.fake_store import NOON, FakeStore


def add(desk: FakeStore, title: str, list_name: str = "To do", **wishes: object) -> Card:
    card, change = cards.create(
        desk.view(),
        desk.context,
        title=title,
        list_id=desk.get_list(list_name).id,
        **wishes,  # type: ignore[arg-type]  # a test gives what the rule takes
    )
    desk.apply(change)
    return card


def move(desk: FakeStore, card: Card, list_name: str, **place: str) -> Card:
    beside = next((NeighbourOf(place[side], side) for side in ("before", "after") if side in place), None)
    view = desk.view(card.id, neighbour_of=beside)
    moved, change = cards.move(view, card.id, desk.context, list_id=desk.get_list(list_name).id, **place)  # type: ignore[arg-type]
    desk.apply(change)
    return moved


def titles(desk: FakeStore, list_name: str = "To do") -> list[str]:
    return desk.get_titles(desk.get_list(list_name).id)


# Adding


def test_a_new_card_goes_to_the_first_todo_list(desk: FakeStore) -> None:
    card, change = cards.create(desk.view(), desk.context, title="Copy", description="Home page")

    desk.apply(change)
    assert card.list_id == desk.get_list("To do").id
    assert (card.started_at, card.resolved_at, card.running, card.version) == (None, None, None, 1)
    assert desk.get_list("To do").card_count == 1
    assert desk.events[-1].data == {"title": "Copy", "stage": "todo"}
    assert (desk.events[-1].list_id, desk.events[-1].card_id) == (card.list_id, card.id)


def test_new_cards_go_to_the_bottom_or_to_the_top(desk: FakeStore) -> None:
    add(desk, "B")
    add(desk, "C")
    add(desk, "A", position="top")

    assert titles(desk) == ["A", "B", "C"]


def test_a_card_added_in_progress_is_started_and_its_clock_runs(desk: FakeStore) -> None:
    card = add(desk, "Copy", "Doing")

    assert card.started_at == NOON
    assert card.running is not None
    assert desk.entries[card.running.id].rate_minor == 1000


def test_a_card_added_to_done_is_resolved(desk: FakeStore) -> None:
    card = add(desk, "Copy", "Done")

    assert (card.started_at, card.resolved_at, card.running) == (None, NOON, None)


def test_a_card_cannot_be_added_to_a_list_of_another_board(desk: FakeStore) -> None:
    with pytest.raises(UnknownReference) as error:
        cards.create(desk.view(), desk.context, title="Copy", list_id="lst_elsewhere")

    assert error.value.field == "list_id"


def test_without_a_todo_list_a_card_needs_a_list() -> None:
    desk = FakeStore(lists=[{"name": "Doing", "stage": "in_progress"}])

    with pytest.raises(NoListOfStage):
        cards.create(desk.view(), desk.context, title="Copy")


def test_a_list_holds_five_thousand_cards_and_no_more(desk: FakeStore) -> None:
    desk.change_list("To do", card_count=4999)
    add(desk, "The last")

    with pytest.raises(LimitReached, match="5000 cards"):
        add(desk, "One more")


# Revising and deleting


def test_revising_changes_what_was_sent_and_tells_which(desk: FakeStore) -> None:
    card = add(desk, "Copy")
    desk.advance_clock(minutes=1)

    revised, change = cards.update(
        desk.view(card.id), card.id, {"title": "Text", "description": "x", "external_id": None}, desk.context
    )

    desk.apply(change)
    assert (revised.title, revised.description, revised.version, revised.updated_at) == ("Text", "x", 2, desk.now)
    assert desk.events[-1].data == {"changed": ["description", "title"]}


def test_revising_to_what_it_is_changes_nothing(desk: FakeStore) -> None:
    card = add(desk, "Copy")

    patch = {"title": "Copy", "description": None, "external_id": None}
    assert cards.update(desk.view(card.id), card.id, patch, desk.context) == (card, None)


def test_a_deleted_card_leaves_its_list_and_stops_its_clock(desk: FakeStore) -> None:
    card = add(desk, "Copy", "Doing")
    desk.advance_clock(seconds=90)

    desk.apply(cards.delete(desk.view(card.id), card.id, desk.context))

    gone = desk.cards[card.id]
    assert (gone.deleted_at, gone.running, gone.tracked_seconds) == (desk.now, None, 90)
    assert [entry.ended_at for entry in desk.entries.values()] == [desk.now]
    assert desk.get_list("Doing").card_count == 0
    with pytest.raises(NotFound):
        desk.view(card.id).get_card(card.id)


# The life of a card


def test_a_card_is_started_resolved_and_reopened(desk: FakeStore) -> None:
    card = add(desk, "Copy")
    steps: list[tuple[Callable[..., tuple[Card, object]], str]] = [
        (cards.start, "Doing"),
        (cards.resolve, "Done"),
        (cards.reopen, "To do"),
    ]

    for step, place in steps:
        desk.advance_clock(minutes=1)
        card, change = step(desk.view(card.id), card.id, desk.context)
        desk.apply(change)  # type: ignore[arg-type]  # each step answers a change
        assert desk.cards[card.id].list_id == desk.get_list(place).id

    assert card.started_at == NOON.replace(minute=1)
    assert card.resolved_at is None
    assert card.tracked_seconds == 60
    assert [event.type for event in desk.events[-3:]] == ["card.moved"] * 3


def test_resolving_stamps_and_tells_from_where_to_where(desk: FakeStore) -> None:
    card = add(desk, "Copy", "Doing")
    desk.advance_clock(minutes=1)

    card, change = cards.resolve(desk.view(card.id), card.id, desk.context)

    desk.apply(change)
    assert card.resolved_at == desk.now
    assert desk.events[-1].list_id == desk.get_list("Done").id
    assert desk.events[-1].data == {
        "from_list_id": desk.get_list("Doing").id,
        "from_stage": "in_progress",
        "to_stage": "done",
        "created_at": "2026-11-20T12:00:00Z",
        "started_at": "2026-11-20T12:00:00Z",
    }


def test_the_first_start_is_the_one_that_counts(desk: FakeStore) -> None:
    card = add(desk, "Copy", "Doing")
    move(desk, card, "To do")
    desk.advance_clock(hours=1)

    card, _ = cards.start(desk.view(card.id), card.id, desk.context)

    assert card.started_at == NOON


@pytest.mark.parametrize(
    ("step", "list_name", "sentence"),
    [
        (cards.start, "Doing", "Card 'Copy' is not on the todo stage: it is on in_progress."),
        (cards.start, "Done", "Card 'Copy' is not on the todo stage: it is on done."),
        (cards.resolve, "To do", "Card 'Copy' is not on the in_progress stage: it is on todo."),
        (cards.resolve, "Done", "Card 'Copy' is not on the in_progress stage: it is on done."),
        (cards.reopen, "To do", "Card 'Copy' is not on the done stage: it is on todo."),
        (cards.reopen, "Doing", "Card 'Copy' is not on the done stage: it is on in_progress."),
    ],
)
def test_a_step_begins_on_its_own_stage(
    desk: FakeStore, step: Callable[..., object], list_name: str, sentence: str
) -> None:
    card = add(desk, "Copy", list_name)

    with pytest.raises(WrongStage) as error:
        step(desk.view(card.id), card.id, desk.context)

    assert error.value.message == sentence


def test_a_step_goes_to_the_bottom_of_the_first_list_of_its_stage(desk: FakeStore) -> None:
    desk.apply(lists.create(desk.view(), desk.context, name="First", stage=Stage.IN_PROGRESS, position="top")[1])
    add(desk, "Older", "First")
    card = add(desk, "Copy")

    _, change = cards.start(desk.view(card.id), card.id, desk.context)

    desk.apply(change)
    assert titles(desk, "First") == ["Older", "Copy"]


def test_a_step_without_a_list_to_go_to_is_refused(desk: FakeStore) -> None:
    card = add(desk, "Copy")
    desk.apply(lists.delete(desk.view(), desk.get_list("Doing").id, desk.context))

    with pytest.raises(NoListOfStage, match="in_progress"):
        cards.start(desk.view(card.id), card.id, desk.context)


def test_a_move_to_another_stage_is_a_step_too(desk: FakeStore) -> None:
    card = add(desk, "Copy")

    started = move(desk, card, "Doing")
    desk.advance_clock(minutes=1)
    resolved = move(desk, started, "Done")
    reopened = move(desk, resolved, "Doing")

    assert started.running is not None
    assert (resolved.running, resolved.resolved_at, resolved.tracked_seconds) == (None, desk.now, 60)
    assert (reopened.resolved_at, reopened.started_at) == (None, NOON)
    assert reopened.running is not None
    assert len(desk.entries) == 2


def test_a_move_within_a_stage_leaves_the_clock_alone(desk: FakeStore) -> None:
    desk.apply(lists.create(desk.view(), desk.context, name="Review", stage=Stage.IN_PROGRESS)[1])
    card = add(desk, "Copy", "Doing")
    desk.advance_clock(minutes=1)

    moved = move(desk, card, "Review")

    assert moved.running == card.running
    assert moved.started_at == card.started_at


# Limits


def blocking(desk: FakeStore, list_name: str, limit: int) -> None:
    desk.change_list(list_name, wip_limit=limit, wip_enforcement=Enforcement.BLOCK)


def test_a_full_list_that_blocks_refuses_creation_move_and_start(desk: FakeStore) -> None:
    blocking(desk, "Doing", 1)
    add(desk, "Within the limit", "Doing")
    card = add(desk, "One too many")

    for attempt in (
        lambda: add(desk, "New", "Doing"),
        lambda: move(desk, card, "Doing"),
        lambda: cards.start(desk.view(card.id), card.id, desk.context),
    ):
        with pytest.raises(WipLimitReached, match="List 'Doing' is full: its WIP limit is 1"):
            attempt()


def test_a_full_list_that_warns_lets_cards_in(desk: FakeStore) -> None:
    desk.change_list("Doing", wip_limit=1, wip_enforcement=Enforcement.WARN)
    add(desk, "Within the limit", "Doing")

    add(desk, "One more", "Doing")

    assert desk.get_list("Doing").card_count == 2


def test_moving_within_a_full_list_is_fine(desk: FakeStore) -> None:
    blocking(desk, "Doing", 2)
    add(desk, "A", "Doing")
    card = add(desk, "B", "Doing")

    move(desk, card, "Doing", position="top")

    assert titles(desk, "Doing") == ["B", "A"]
    assert desk.get_list("Doing").card_count == 2


def test_leaving_makes_room(desk: FakeStore) -> None:
    blocking(desk, "Doing", 1)
    first = add(desk, "First", "Doing")
    second = add(desk, "Second")

    move(desk, first, "Done")
    move(desk, second, "Doing")

    assert titles(desk, "Doing") == ["Second"]


# Order


def test_a_card_moves_next_to_another(desk: FakeStore) -> None:
    first, second, third = (add(desk, title) for title in "ABC")

    move(desk, third, "To do", before=first.id)
    assert titles(desk) == ["C", "A", "B"]

    move(desk, third, "To do", after=first.id)
    assert titles(desk) == ["A", "C", "B"]

    move(desk, third, "To do", after=second.id)
    assert titles(desk) == ["A", "B", "C"]


def test_a_move_without_a_place_goes_to_the_bottom(desk: FakeStore) -> None:
    card = add(desk, "A")
    add(desk, "B", "Done")

    move(desk, card, "Done")

    assert titles(desk, "Done") == ["B", "A"]


@pytest.mark.parametrize(
    ("title", "place"),
    [
        ("A", {"position": "top"}),
        ("C", {"position": "bottom"}),
        ("C", {}),
        ("B", {"before": "C"}),
        ("B", {"after": "A"}),
    ],
)
def test_moving_a_card_to_where_it_is_changes_nothing(desk: FakeStore, title: str, place: dict[str, str]) -> None:
    by_title = {each: add(desk, each) for each in "ABC"}
    events = len(desk.events)
    named = {side: by_title[each].id if side != "position" else each for side, each in place.items()}

    moved = move(desk, by_title[title], "To do", **named)

    assert moved == by_title[title]
    assert len(desk.events) == events


def test_a_neighbour_must_be_another_card_of_that_list(desk: FakeStore) -> None:
    card = add(desk, "A")
    elsewhere = add(desk, "B", "Done")

    with pytest.raises(SelfReference) as itself:
        move(desk, card, "To do", before=card.id)
    with pytest.raises(UnknownReference) as in_another_list:
        move(desk, card, "To do", after=elsewhere.id)
    with pytest.raises(UnknownReference) as nowhere:
        move(desk, card, "To do", before="crd_elsewhere")
    with pytest.raises(UnknownReference) as unknown_list:
        cards.move(desk.view(card.id), card.id, desk.context, list_id="lst_elsewhere")

    assert [error.value.field for error in (itself, in_another_list, nowhere, unknown_list)] == [
        "before",
        "after",
        "before",
        "list_id",
    ]


def test_a_view_that_was_not_asked_for_the_neighbour_is_a_mistake(desk: FakeStore) -> None:
    first, second = add(desk, "A"), add(desk, "B")

    with pytest.raises(ValueError, match="neighbour_of"):
        cards.move(desk.view(first.id, second.id), first.id, desk.context, list_id=first.list_id, after=second.id)


def test_a_place_next_to_a_deleted_card_is_not_its_own(desk: FakeStore) -> None:
    first, second, third = (add(desk, title) for title in "ABC")
    desk.apply(cards.delete(desk.view(second.id), second.id, desk.context))
    other = add(desk, "D")

    moved = move(desk, other, "To do", before=third.id)

    assert second.rank < moved.rank < third.rank
    assert first.rank < second.rank


def test_a_long_rank_asks_for_new_ones(desk: FakeStore) -> None:
    first, second, third = (add(desk, title) for title in "ABC")
    desk.cards[first.id] = replace(first, rank="a0" + "0" * 119 + "1")
    desk.cards[second.id] = replace(second, rank="a0" + "0" * 119 + "2")

    view = desk.view(third.id, neighbour_of=NeighbourOf(second.id, "before"))
    moved, change = cards.move(view, third.id, desk.context, list_id=third.list_id, before=second.id)

    assert len(moved.rank) > ranks.MAX_RANK_LENGTH
    assert change is not None
    assert change.rebalance_list_id == third.list_id


def test_a_short_rank_asks_for_nothing(desk: FakeStore) -> None:
    card = add(desk, "A")

    _, change = cards.move(desk.view(card.id), card.id, desk.context, list_id=desk.get_list("Done").id)

    assert change is not None
    assert change.rebalance_list_id is None


@pytest.mark.parametrize("seed", range(3))
def test_after_many_random_moves_order_counts_and_bounds_are_right(desk: FakeStore, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  (a test wants the same chances again)
    expected: dict[str, list[str]] = {"To do": [], "Doing": [], "Done": []}
    by_title: dict[str, Card] = {}

    for number in range(400):
        name = chance.choice(list(expected))
        title = chance.choice(list(by_title)) if by_title and number > 20 else f"Card {number}"
        if title not in by_title:
            by_title[title] = add(desk, title, name)
            expected[name].append(title)
            continue
        card = desk.cards[by_title[title].id]
        for order in expected.values():
            if title in order:
                order.remove(title)
        if chance.random() < 0.05:
            desk.apply(cards.delete(desk.view(card.id), card.id, desk.context))
            del by_title[title]
        elif expected[name] and chance.random() < 0.7:
            neighbour = chance.choice(expected[name])
            side = chance.choice(["before", "after"])
            move(desk, card, name, **{side: by_title[neighbour].id})
            expected[name].insert(expected[name].index(neighbour) + (side == "after"), title)
        else:
            end = chance.choice(["top", "bottom"])
            move(desk, card, name, position=end)
            expected[name].insert(0 if end == "top" else len(expected[name]), title)

    for name, order in expected.items():
        each: List = desk.get_list(name)
        held = [card.rank for card in desk.cards.values() if card.list_id == each.id]
        assert titles(desk, name) == order
        assert each.card_count == len(order)
        assert len(set(held)) == len(held)
        assert all(each.first_rank <= rank <= each.last_rank for rank in held)
    running = {card.id for card in desk.cards.values() if card.running}
    assert running == {entry.card_id for entry in desk.entries.values() if entry.ended_at is None}
    assert running == {card.id for card in desk.cards.values() if card.title in expected["Doing"]}
