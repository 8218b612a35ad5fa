"""Imported boards, which are written completely whatever their size; and transfers of cards with their parts."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kanban import boards, transfers
from kanban.changes import Change, build_change
from kanban.ordering import ranks
from kanban.store import AlreadyExists, CardQuery, CardSort, EventQuery, StaleRead
from kanban.values import Board, Card, Checklist, Comment, Event, NewBoard, Part, Role, Stage, TimeEntry
from kanban.views import BoardView
from tests.stores.part_builders import add_full_card, add_label, find_member, make_checklist, make_comment, make_item
from tests.stores.world import NOON, World, make_card

CARDS = 150


def build_large_board(world: World, **fields: object) -> tuple[str, Change]:
    """Return the id and the creation of a board with many cards, each with a comment, and with a history of events."""
    view, change = boards.create(world.context(), NewBoard(name="Large"))
    todo, new_ranks = view.lists[0], ranks.sequence_after("", CARDS)
    parts: list[Card | Comment] = []
    for number, rank in enumerate(new_ranks):
        card = make_card(world, todo, rank, title=f"Card {number}", comment_count=1)
        parts += [card, make_comment(world, card, f"About {number}")]
    todo_with_counts = replace(todo, card_count=CARDS, first_rank=new_ranks[0], last_rank=new_ranks[-1])
    board = replace(view.board, seq=CARDS + 1, **fields)  # type: ignore[arg-type]  # a test names the fields of a board
    rest = [value for value in change.creates if value != todo and not isinstance(value, Board)]
    history = tuple(
        Event(board.id, seq, "card.created", world.now, world.ann.id, data={"title": f"Card {seq}"})
        for seq in range(1, CARDS + 1)
    )
    assert change.event is not None
    event = replace(change.event, seq=CARDS + 1)
    return board.id, Change(creates=(board, *rest, todo_with_counts, *parts), event=event, history=history)


def test_a_large_board_is_created_in_one_change_with_its_history(world: World) -> None:
    world.board_id, change = build_large_board(world)

    world.store.commit(change)

    assert world.list_cards() == [value for value in change.creates if isinstance(value, Card)]
    assert world.list_events() == [*change.history, change.event]
    assert [card.title for card in world.list_cards(CardQuery(q="about 149"))] == ["Card 149"]
    world.add_card("Next", "Doing")
    assert world.read_board().board.seq == CARDS + 2


def test_a_large_board_whose_external_id_is_taken_is_not_created_at_all(world: World) -> None:
    first, change = build_large_board(world, external_id="x")
    world.store.commit(change)
    second, again = build_large_board(world, external_id="x")

    with pytest.raises(AlreadyExists) as error:
        world.store.commit(again)

    assert error.value.constraint == "board.external_id"
    assert world.store.read_deleted(second, world.ann.id) is None
    assert world.store.find_board_id(world.ann.id, "x") == first


# Transfers


def read_view(world: World, board_id: str, *card_ids: str) -> BoardView:
    view = world.store.read_board(board_id, world.ann.id, card_ids=card_ids)
    assert view is not None
    return view


def plan_transfer(world: World, card: Card, target_id: str) -> Change:
    """Return the change that moves the card to the first list of another board of Ann's."""
    source, target = read_view(world, card.board_id, card.id), read_view(world, target_id)
    (member,) = target.members
    arrival = replace(
        source.get_card(card.id),
        board_id=target_id,
        list_id=target.lists[0].id,
        label_ids=(),
        assignee_ids=(member.id,),
        version=card.version + 1,
    )
    departure = build_change(source, world.context(), "card.left", card_id=card.id)
    return replace(
        build_change(target, world.context(), "card.arrived", updates=(arrival,), card_id=card.id), departure=departure
    )


def test_a_card_is_transferred_with_all_its_parts(world: World) -> None:
    card = add_full_card(world)
    home_id, target_id = world.board_id, world.add_board("Elsewhere")
    change = plan_transfer(world, card, target_id)

    world.store.commit(change)

    world.board_id = target_id
    transferred = world.read_card(card)
    assert transferred == change.updates[1]
    comments = world.store.page_comments(target_id, world.ann.id, card.id, 10)
    checklists = world.store.read_checklists(target_id, world.ann.id, card.id)
    entries = world.store.page_time_entries(target_id, world.ann.id, card.id, 10)
    assert comments is not None
    assert checklists is not None
    assert entries is not None
    parts: tuple[Part, ...] = (*comments[1].items, *checklists[1], *entries[1].items)
    assert len(parts) == 4
    assert {part.board_id for part in parts} == {target_id}
    assert [item.text for item in checklists[1][0].items] == ["One", "Two"]
    assert [
        assigned_card.id for _, assigned_card in world.store.page_assigned_cards(world.ann.id, CardQuery(), 10).items
    ] == [card.id]
    assert world.list_events()[-1].type == "card.arrived"
    assert card.id not in read_view(world, home_id, card.id).cards
    events_page = world.store.page_events(home_id, world.ann.id, EventQuery(), 100)
    assert events_page is not None
    assert events_page[1].items[-1].type == "card.left"


CardWithParts = tuple[Card, tuple[Checklist, ...], tuple[Comment, ...], tuple[TimeEntry, ...]]


def read_card_with_parts(world: World, card: Card) -> CardWithParts:
    """Read a card of Ann's board with all its parts."""
    checklists = world.store.read_checklists(world.board_id, world.ann.id, card.id)
    comments = world.store.page_comments(world.board_id, world.ann.id, card.id, 100)
    entries = world.store.page_time_entries(world.board_id, world.ann.id, card.id, 100)
    assert checklists is not None
    assert comments is not None
    assert entries is not None
    return world.read_card(card), checklists[1], comments[1].items, entries[1].items


def add_assigned_items(world: World, card: Card, *assignee_ids: str | None) -> Card:
    """Write one more checklist with one item for each of these memberships; return the card."""
    steps = [make_item(world, f"Step {number}", due_at=NOON) for number in range(len(assignee_ids))]
    items = [replace(step, assignee_id=assignee_id) for step, assignee_id in zip(steps, assignee_ids, strict=True)]
    counted = replace(card, item_count=card.item_count + len(items))
    world.write(creates=(make_checklist(world, card, "a1", *items),), updates=(counted,))
    return counted


def transfer_and_follow(world: World, card: Card, target_id: str) -> None:
    """Transfer the card to another board, and make that the world's board."""
    view, target = read_view(world, world.board_id, card.id), read_view(world, target_id)
    world.store.commit(transfers.transfer(view, target, card.id, world.context())[1])
    world.board_id = target_id


def test_a_transferred_card_keeps_everything_but_what_belongs_to_its_board(world: World) -> None:
    people = [world.ann, *(world.add_user(name) for name in ("Bob", "Cid", "Dan"))]
    home_id, target_id = world.board_id, world.add_board("Elsewhere")
    for user in people[1:]:
        world.add_member(user, Role.EDITOR)
    bob, cid, dan = (find_member(world, person.id) for person in people[1:])
    ann = find_member(world, world.ann.id)
    card = add_assigned_items(world, add_full_card(world, "Doing"), ann.id, bob.id, cid.id, dan.id, None)
    card = replace(card, assignee_ids=tuple(sorted((ann.id, cid.id))))
    world.write(updates=(card,))
    world.write(deletes=(dan,))
    world.board_id = target_id
    world.add_member(people[1], Role.VIEWER)
    bug, _ = add_label(world, "BUG"), add_label(world, "Idea")
    ann_there, bob_there = (find_member(world, person.id).id for person in people[:2])
    world.board_id = home_id
    world.advance(hours=1)
    before, checklists, comments, entries = read_card_with_parts(world, card)

    transfer_and_follow(world, card, target_id)

    doing = world.find_list("Doing")
    transferred = read_card_with_parts(world, card)
    assert transferred[0] == replace(
        before,
        board_id=target_id,
        list_id=doing.id,
        rank=doing.last_rank,
        label_ids=(bug.id,),
        assignee_ids=(ann_there,),
        running=before.running and replace(before.running, board_id=target_id),
        version=before.version + 1,
        updated_at=world.now,
    )
    bare, assigned = (replace(checklist, board_id=target_id) for checklist in checklists)
    assignee_ids = [ann_there, bob_there, None, None, None]
    items = tuple(
        replace(item, assignee_id=assignee_id) for item, assignee_id in zip(assigned.items, assignee_ids, strict=True)
    )
    assert transferred[1] == (bare, replace(assigned, items=items))
    assert transferred[2] == tuple(replace(comment, board_id=target_id) for comment in comments)
    assert transferred[3] == tuple(replace(entry, board_id=target_id) for entry in entries)


def test_filters_find_a_transferred_card_on_the_target_board_only(world: World) -> None:
    card = add_full_card(world, "Doing")
    home_id, target_id = world.board_id, world.add_board("Elsewhere")
    world.board_id = target_id
    target_label = add_label(world)
    world.board_id = home_id
    (label,) = world.read_board().labels
    span = (NOON - timedelta(days=1), NOON + timedelta(days=1))
    filter_sets: list[dict[str, Any]] = [
        {"q": "second"},
        {"assignee_id": world.ann.id},
        {"due_from": NOON, "sort": CardSort.DUE_LAST},
        {"updated_since": NOON, "sort": CardSort.MOST_RECENTLY_UPDATED},
        {"status": Stage.IN_PROGRESS},
    ]

    def find_ids(label_id: str) -> tuple[list[list[str]], list[str]]:
        pages = [world.list_cards(CardQuery(**filters)) for filters in (*filter_sets, {"label_id": label_id})]
        entries = world.store.page_board_time_entries(world.board_id, world.ann.id, span, 10)
        assert entries is not None
        return [[card.id for card in page] for page in pages], sorted(entry.id for entry, _ in entries[1].items)

    before = find_ids(label.id)
    transfer_and_follow(world, card, target_id)
    after = find_ids(target_label.id)
    world.board_id = home_id
    on_source = find_ids(label.id)

    assert before == after
    assert before[0] == [[card.id]] * 6
    assert len(before[1]) == 2
    assert on_source == ([[]] * 6, [])


def test_items_that_lost_their_assignees_stay_unassigned_when_the_card_returns(world: World) -> None:
    bob = world.add_user("Bob")
    home_id, target_id = world.board_id, world.add_board("Elsewhere")
    world.add_member(bob, Role.EDITOR)
    ann = find_member(world, world.ann.id)
    card = add_assigned_items(world, world.add_card("Traveller"), ann.id, find_member(world, bob.id).id)

    transfer_and_follow(world, card, target_id)
    transfer_and_follow(world, card, home_id)

    (steps,) = read_card_with_parts(world, card)[1]
    assert [item.assignee_id for item in steps.items] == [ann.id, None]


def test_a_transfer_leaves_the_assignees_of_other_cards_items(world: World) -> None:
    ann = find_member(world, world.ann.id)
    card, other = (add_assigned_items(world, world.add_card(title), ann.id) for title in ("Traveller", "Homebody"))
    home_id = world.board_id

    transfer_and_follow(world, card, world.add_board("Elsewhere"))

    world.board_id = home_id
    (steps,) = read_card_with_parts(world, other)[1]
    assert [item.assignee_id for item in steps.items] == [ann.id]


@pytest.mark.parametrize("where", ["home", "target"])
def test_a_transfer_that_is_stale_on_one_board_is_written_to_neither(world: World, where: str) -> None:
    card = add_full_card(world)
    home_id, target_id = world.board_id, world.add_board("Elsewhere")
    change = plan_transfer(world, card, target_id)
    world.board_id = home_id if where == "home" else target_id
    world.add_card("Between", "Done")

    with pytest.raises(StaleRead):
        world.store.commit(change)

    world.board_id = home_id
    assert world.read_card(card) == card
    assert read_view(world, target_id, card.id).cards == {}


def test_a_card_whose_external_id_is_taken_on_the_target_board_stays(world: World) -> None:
    card = add_full_card(world)
    home_id, target_id = world.board_id, world.add_board("Elsewhere")
    world.board_id = target_id
    world.add_card("There", "Done", external_id=card.external_id)

    with pytest.raises(AlreadyExists) as error:
        world.store.commit(plan_transfer(world, card, target_id))

    world.board_id = home_id
    assert error.value.constraint == "card.external_id"
    assert world.read_card(card) == card
