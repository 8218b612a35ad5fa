"""Cards: create, update, move, delete, and the limits of their lists."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from kanban import archive, cards, lists
from kanban.cards import CardArchived, WrongStage
from kanban.errors import LimitReached, NotFound, SelfReference, UnknownReference
from kanban.ordering import ranks
from kanban.ordering.list_capacity import ListArchived, WipLimitReached
from kanban.store import NeighbourOf
from kanban.values import Card, Enforcement, List, NewCard, NewList, Stage
from kanban.views import NoListOfStage
from tests.kanban.fake_store import NOON, FakeStore


def add(store: FakeStore, title: str, list_name: str = "To do", **fields: object) -> Card:
    card, change = cards.create(
        store.view(),
        store.context,
        NewCard(title=title, list_id=store.get_list(list_name).id, **fields),  # type: ignore[arg-type]  # the test gives what the rule takes
    )
    store.apply(change)
    return card


def move(store: FakeStore, card: Card, list_name: str, **position: str) -> Card:
    neighbour_of = next((NeighbourOf(position[side], side) for side in ("before", "after") if side in position), None)
    view = store.view(card.id, neighbour_of=neighbour_of)
    moved, change = cards.move(view, card.id, store.context, list_id=store.get_list(list_name).id, **position)  # type: ignore[arg-type]
    store.apply(change)
    return moved


def get_titles(store: FakeStore, list_name: str = "To do") -> list[str]:
    return store.get_titles(store.get_list(list_name).id)


# Create


def test_a_new_card_goes_to_the_first_todo_list(store: FakeStore) -> None:
    card, change = cards.create(store.view(), store.context, NewCard(title="Copy", description="Home page"))

    store.apply(change)
    assert card.list_id == store.get_list("To do").id
    assert (card.started_at, card.resolved_at, card.running, card.version) == (None, None, None, 1)
    assert store.get_list("To do").card_count == 1
    assert store.events[-1].data == {"title": "Copy", "stage": "todo"}
    assert (store.events[-1].list_id, store.events[-1].card_id) == (card.list_id, card.id)


def test_new_cards_go_to_the_bottom_or_the_top(store: FakeStore) -> None:
    add(store, "B")
    add(store, "C")
    add(store, "A", position="top")

    assert get_titles(store) == ["A", "B", "C"]


def test_a_card_created_in_progress_is_started_and_its_clock_runs(store: FakeStore) -> None:
    card = add(store, "Copy", "Doing")

    assert card.started_at == NOON
    assert card.running is not None
    assert store.entries[card.running.id].rate_minor == 1000


def test_a_card_created_on_done_is_resolved(store: FakeStore) -> None:
    card = add(store, "Copy", "Done")

    assert (card.started_at, card.resolved_at, card.running) == (None, NOON, None)


def test_a_card_cannot_be_created_in_a_list_of_another_board(store: FakeStore) -> None:
    with pytest.raises(UnknownReference) as error:
        cards.create(store.view(), store.context, NewCard(title="Copy", list_id="lst_elsewhere"))

    assert error.value.field == "list_id"


def test_without_a_todo_list_a_card_needs_a_list() -> None:
    store = FakeStore(lists=[NewList("Doing", Stage.IN_PROGRESS)])

    with pytest.raises(NoListOfStage):
        cards.create(store.view(), store.context, NewCard(title="Copy"))


def test_a_list_holds_five_thousand_cards_and_no_more(store: FakeStore) -> None:
    store.change_list("To do", card_count=4999)
    add(store, "The last")

    with pytest.raises(LimitReached, match="5000 cards"):
        add(store, "One more")


# Update and delete


def test_an_update_changes_the_sent_fields_and_names_them(store: FakeStore) -> None:
    card = add(store, "Copy")
    store.advance_clock(minutes=1)

    updated, change = cards.update(
        store.view(card.id), card.id, {"title": "Text", "description": "x", "external_id": None}, store.context
    )

    store.apply(change)
    assert (updated.title, updated.description, updated.version, updated.updated_at) == ("Text", "x", 2, store.now)
    assert store.events[-1].data == {"changed": ["description", "title"]}


def test_an_update_with_the_present_values_changes_nothing(store: FakeStore) -> None:
    card = add(store, "Copy")

    patch = {"title": "Copy", "description": None, "external_id": None}
    assert cards.update(store.view(card.id), card.id, patch, store.context) == (card, None)


def test_a_deleted_card_leaves_its_list_and_stops_its_clock(store: FakeStore) -> None:
    card = add(store, "Copy", "Doing")
    store.advance_clock(seconds=90)

    store.apply(cards.delete(store.view(card.id), card.id, store.context))

    deleted = store.cards[card.id]
    assert (deleted.deleted_at, deleted.running, deleted.tracked_seconds) == (store.now, None, 90)
    assert [entry.ended_at for entry in store.entries.values()] == [store.now]
    assert store.get_list("Doing").card_count == 0
    with pytest.raises(NotFound):
        store.view(card.id).get_card(card.id)


# Stages


def test_a_card_is_started_resolved_and_reopened(store: FakeStore) -> None:
    card = add(store, "Copy")
    steps: list[tuple[Callable[..., tuple[Card, object]], str]] = [
        (cards.start, "Doing"),
        (cards.resolve, "Done"),
        (cards.reopen, "To do"),
    ]

    for step, list_name in steps:
        store.advance_clock(minutes=1)
        card, change = step(store.view(card.id), card.id, store.context)
        store.apply(change)  # type: ignore[arg-type]  # each step returns a change
        assert store.cards[card.id].list_id == store.get_list(list_name).id

    assert card.started_at == NOON.replace(minute=1)
    assert card.resolved_at is None
    assert card.tracked_seconds == 60
    assert [event.type for event in store.events[-3:]] == ["card.moved"] * 3


def test_resolving_sets_resolved_at_and_the_event_names_both_lists(store: FakeStore) -> None:
    card = add(store, "Copy", "Doing")
    store.advance_clock(minutes=1)

    card, change = cards.resolve(store.view(card.id), card.id, store.context)

    store.apply(change)
    assert card.resolved_at == store.now
    assert store.events[-1].list_id == store.get_list("Done").id
    assert store.events[-1].data == {
        "from_list_id": store.get_list("Doing").id,
        "from_stage": "in_progress",
        "to_stage": "done",
        "created_at": "2026-11-20T12:00:00Z",
        "started_at": "2026-11-20T12:00:00Z",
    }


def test_started_at_is_the_first_start(store: FakeStore) -> None:
    card = add(store, "Copy", "Doing")
    move(store, card, "To do")
    store.advance_clock(hours=1)

    card, _ = cards.start(store.view(card.id), card.id, store.context)

    assert card.started_at == NOON


@pytest.mark.parametrize(
    ("step", "list_name", "message"),
    [
        (cards.start, "Doing", "Card 'Copy' is not on the todo stage: it is on in_progress."),
        (cards.start, "Done", "Card 'Copy' is not on the todo stage: it is on done."),
        (cards.resolve, "To do", "Card 'Copy' is not on the in_progress stage: it is on todo."),
        (cards.resolve, "Done", "Card 'Copy' is not on the in_progress stage: it is on done."),
        (cards.reopen, "To do", "Card 'Copy' is not on the done stage: it is on todo."),
        (cards.reopen, "Doing", "Card 'Copy' is not on the done stage: it is on in_progress."),
    ],
)
def test_start_resolve_and_reopen_require_their_stage(
    store: FakeStore, step: Callable[..., object], list_name: str, message: str
) -> None:
    card = add(store, "Copy", list_name)

    with pytest.raises(WrongStage) as error:
        step(store.view(card.id), card.id, store.context)

    assert error.value.message == message


def test_start_goes_to_the_bottom_of_the_first_list_in_progress(store: FakeStore) -> None:
    store.apply(
        lists.create(store.view(), store.context, NewList(name="First", stage=Stage.IN_PROGRESS, position="top"))[1]
    )
    add(store, "Older", "First")
    card = add(store, "Copy")

    _, change = cards.start(store.view(card.id), card.id, store.context)

    store.apply(change)
    assert get_titles(store, "First") == ["Older", "Copy"]


def test_start_requires_a_list_in_progress(store: FakeStore) -> None:
    card = add(store, "Copy")
    store.apply(lists.delete(store.view(), store.get_list("Doing").id, store.context))

    with pytest.raises(NoListOfStage, match="in_progress"):
        cards.start(store.view(card.id), card.id, store.context)


def test_a_move_to_another_stage_starts_and_stops_the_clock(store: FakeStore) -> None:
    card = add(store, "Copy")

    started = move(store, card, "Doing")
    store.advance_clock(minutes=1)
    resolved = move(store, started, "Done")
    reopened = move(store, resolved, "Doing")

    assert started.running is not None
    assert (resolved.running, resolved.resolved_at, resolved.tracked_seconds) == (None, store.now, 60)
    assert (reopened.resolved_at, reopened.started_at) == (None, NOON)
    assert reopened.running is not None
    assert len(store.entries) == 2


def test_a_move_within_a_stage_keeps_the_clock_running(store: FakeStore) -> None:
    store.apply(lists.create(store.view(), store.context, NewList(name="Review", stage=Stage.IN_PROGRESS))[1])
    card = add(store, "Copy", "Doing")
    store.advance_clock(minutes=1)

    moved = move(store, card, "Review")

    assert moved.running == card.running
    assert moved.started_at == card.started_at


# Limits


def set_blocking_limit(store: FakeStore, list_name: str, limit: int) -> None:
    store.change_list(list_name, wip_limit=limit, wip_enforcement=Enforcement.BLOCK)


def test_a_full_list_that_blocks_rejects_new_moved_and_started_cards(store: FakeStore) -> None:
    set_blocking_limit(store, "Doing", 1)
    add(store, "Within the limit", "Doing")
    card = add(store, "One too many")

    for attempt in (
        lambda: add(store, "New", "Doing"),
        lambda: move(store, card, "Doing"),
        lambda: cards.start(store.view(card.id), card.id, store.context),
    ):
        with pytest.raises(WipLimitReached, match="List 'Doing' is full: its WIP limit is 1"):
            attempt()


def test_a_full_list_that_warns_accepts_cards(store: FakeStore) -> None:
    store.change_list("Doing", wip_limit=1, wip_enforcement=Enforcement.WARN)
    add(store, "Within the limit", "Doing")

    add(store, "One more", "Doing")

    assert store.get_list("Doing").card_count == 2


def test_cards_move_within_a_full_list(store: FakeStore) -> None:
    set_blocking_limit(store, "Doing", 2)
    add(store, "A", "Doing")
    card = add(store, "B", "Doing")

    move(store, card, "Doing", position="top")

    assert get_titles(store, "Doing") == ["B", "A"]
    assert store.get_list("Doing").card_count == 2


def test_a_card_that_leaves_makes_room(store: FakeStore) -> None:
    set_blocking_limit(store, "Doing", 1)
    first = add(store, "First", "Doing")
    second = add(store, "Second")

    move(store, first, "Done")
    move(store, second, "Doing")

    assert get_titles(store, "Doing") == ["Second"]


# Order


def test_a_card_moves_next_to_another(store: FakeStore) -> None:
    first, second, third = (add(store, title) for title in "ABC")

    move(store, third, "To do", before=first.id)
    assert get_titles(store) == ["C", "A", "B"]

    move(store, third, "To do", after=first.id)
    assert get_titles(store) == ["A", "C", "B"]

    move(store, third, "To do", after=second.id)
    assert get_titles(store) == ["A", "B", "C"]


def test_a_move_without_a_position_goes_to_the_bottom(store: FakeStore) -> None:
    card = add(store, "A")
    add(store, "B", "Done")

    move(store, card, "Done")

    assert get_titles(store, "Done") == ["B", "A"]


@pytest.mark.parametrize(
    ("title", "position"),
    [
        ("A", {"position": "top"}),
        ("C", {"position": "bottom"}),
        ("C", {}),
        ("B", {"before": "C"}),
        ("B", {"after": "A"}),
    ],
)
def test_moving_a_card_to_where_it_is_changes_nothing(store: FakeStore, title: str, position: dict[str, str]) -> None:
    cards_by_title = {name: add(store, name) for name in "ABC"}
    event_count = len(store.events)
    named = {side: cards_by_title[value].id if side != "position" else value for side, value in position.items()}

    moved = move(store, cards_by_title[title], "To do", **named)

    assert moved == cards_by_title[title]
    assert len(store.events) == event_count


def test_a_neighbour_must_be_another_card_of_that_list(store: FakeStore) -> None:
    card = add(store, "A")
    elsewhere = add(store, "B", "Done")

    with pytest.raises(SelfReference) as itself:
        move(store, card, "To do", before=card.id)
    with pytest.raises(UnknownReference) as in_another_list:
        move(store, card, "To do", after=elsewhere.id)
    with pytest.raises(UnknownReference) as nowhere:
        move(store, card, "To do", before="crd_elsewhere")
    with pytest.raises(UnknownReference) as unknown_list:
        cards.move(store.view(card.id), card.id, store.context, list_id="lst_elsewhere")

    assert [error.value.field for error in (itself, in_another_list, nowhere, unknown_list)] == [
        "before",
        "after",
        "before",
        "list_id",
    ]


def test_a_view_without_the_neighbour_raises_a_value_error(store: FakeStore) -> None:
    first, second = add(store, "A"), add(store, "B")

    with pytest.raises(ValueError, match="neighbour_of"):
        cards.move(store.view(first.id, second.id), first.id, store.context, list_id=first.list_id, after=second.id)


def test_a_position_next_to_a_deleted_card_gets_a_rank_of_its_own(store: FakeStore) -> None:
    first, second, third = (add(store, title) for title in "ABC")
    store.apply(cards.delete(store.view(second.id), second.id, store.context))
    other = add(store, "D")

    moved = move(store, other, "To do", before=third.id)

    assert second.rank < moved.rank < third.rank
    assert first.rank < second.rank


def test_a_long_rank_asks_for_a_rebalance(store: FakeStore) -> None:
    first, second, third = (add(store, title) for title in "ABC")
    store.cards[first.id] = replace(first, rank="a0" + "0" * 119 + "1")
    store.cards[second.id] = replace(second, rank="a0" + "0" * 119 + "2")

    view = store.view(third.id, neighbour_of=NeighbourOf(second.id, "before"))
    moved, change = cards.move(view, third.id, store.context, list_id=third.list_id, before=second.id)

    assert len(moved.rank) > ranks.MAX_RANK_LENGTH
    assert change is not None
    assert change.rebalance_list_id == third.list_id


def test_a_short_rank_asks_for_no_rebalance(store: FakeStore) -> None:
    card = add(store, "A")

    _, change = cards.move(store.view(card.id), card.id, store.context, list_id=store.get_list("Done").id)

    assert change is not None
    assert change.rebalance_list_id is None


@pytest.mark.parametrize("seed", range(3))
def test_after_many_random_moves_order_counts_and_bounds_are_right(store: FakeStore, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311  (a test must be repeatable)
    expected: dict[str, list[str]] = {"To do": [], "Doing": [], "Done": []}
    by_title: dict[str, Card] = {}

    for number in range(400):
        name = rng.choice(list(expected))
        title = rng.choice(list(by_title)) if by_title and number > 20 else f"Card {number}"
        if title not in by_title:
            by_title[title] = add(store, title, name)
            expected[name].append(title)
            continue
        card = store.cards[by_title[title].id]
        for order in expected.values():
            if title in order:
                order.remove(title)
        if rng.random() < 0.05:
            store.apply(cards.delete(store.view(card.id), card.id, store.context))
            del by_title[title]
        elif expected[name] and rng.random() < 0.7:
            neighbour = rng.choice(expected[name])
            side = rng.choice(["before", "after"])
            move(store, card, name, **{side: by_title[neighbour].id})
            expected[name].insert(expected[name].index(neighbour) + (side == "after"), title)
        else:
            end = rng.choice(["top", "bottom"])
            move(store, card, name, position=end)
            expected[name].insert(0 if end == "top" else len(expected[name]), title)

    for name, order in expected.items():
        list_: List = store.get_list(name)
        own_ranks = [card.rank for card in store.cards.values() if card.list_id == list_.id]
        assert get_titles(store, name) == order
        assert list_.card_count == len(order)
        assert len(set(own_ranks)) == len(own_ranks)
        assert all(list_.first_rank <= rank <= list_.last_rank for rank in own_ranks)
    running = {card.id for card in store.cards.values() if card.running}
    assert running == {entry.card_id for entry in store.entries.values() if entry.ended_at is None}
    assert running == {card.id for card in store.cards.values() if card.title in expected["Doing"]}


def test_a_new_card_has_no_parts_and_no_time(store: FakeStore) -> None:
    card = add(store, "Copy")

    assert (card.comment_count, card.item_count, card.done_count) == (0, 0, 0)
    assert (card.tracked_seconds, card.tracked_cost, card.running, card.version) == (0, 0, None, 1)


def test_the_clock_of_a_card_in_an_archived_list_cannot_be_restarted(store: FakeStore) -> None:
    card = add(store, "Copy", "Doing")
    store.apply(archive.archive_list(store.view(), card.list_id, store.context, [store.cards[card.id]])[1])

    with pytest.raises(ListArchived):
        cards.start(store.view(card.id), card.id, store.context)


def test_an_archived_card_cannot_be_started(store: FakeStore) -> None:
    card = add(store, "Copy")
    store.apply(archive.archive_card(store.view(card.id), card.id, store.context)[1])

    with pytest.raises(CardArchived, match="Card 'Copy' is archived"):
        cards.start(store.view(card.id), card.id, store.context)


@pytest.mark.parametrize(("length", "is_rebalanced"), [(120, False), (121, True)])
def test_a_rank_of_more_than_120_characters_asks_for_a_rebalance(
    store: FakeStore, length: int, *, is_rebalanced: bool
) -> None:
    one, two, three = (add(store, title) for title in ("One", "Two", "Three"))
    # The only rank of its length between the two is that of the upper one, with a digit more.
    store.cards[one.id] = replace(one, rank="a0" + "0" * (length - 4) + "1")
    store.cards[two.id] = replace(two, rank="a0" + "0" * (length - 4) + "2")
    neighbour_of = NeighbourOf(two.id, "before")

    moved, change = cards.move(
        store.view(three.id, neighbour_of=neighbour_of), three.id, store.context, list_id=one.list_id, before=two.id
    )

    assert len(moved.rank) == length
    assert change is not None
    assert (change.rebalance_list_id == one.list_id) is is_rebalanced


def test_a_card_may_be_due_when_it_starts(store: FakeStore) -> None:
    card = add(store, "Copy", start_at=NOON, due_at=NOON)

    assert card.due_at == card.start_at == NOON
