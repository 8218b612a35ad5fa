"""Members and labels, the archive, deletion, restoring and the purge, on every engine."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from kanban import archive, boards, cards, labels, labels_and_assignees, members
from kanban.changes import Change
from kanban.store import AlreadyExists, CardQuery, CardState, StaleRead
from kanban.values import Board, Card, CardRank, Color, Label, List, NewCard, NewLabel, Role, User
from kanban.views import Page, PageKey
from tests.stores.world import NOON, World, collect_pages


def invite(world: World, name: str, role: Role) -> str:
    user = world.add_user(name)
    world.apply(members.put, user_id=user.id, role=role)
    return user.id


def archive_card(world: World, card: Card) -> Card:
    return world.apply(archive.archive_card, card.id)


def restore(world: World, card: Card) -> Card:
    view = world.store.read_deleted(world.board_id, world.ann.id, card_ids=[card.id])
    assert view
    restored, change = archive.restore_card(view, card.id, world.context())
    assert change
    world.store.commit(change)
    return restored


def restore_list(world: World, list_id: str) -> None:
    view = world.store.read_deleted(world.board_id, world.ann.id, list_ids=[list_id])
    assert view
    _, change = archive.restore_list(view, list_id, world.context())
    assert change
    world.store.commit(change)


def plan_board_restore(world: World) -> Change:
    view = world.store.read_deleted(world.board_id, world.ann.id)
    assert view
    _, change = archive.restore_board(view, world.context())
    assert change
    return change


def list_titles_in_state(world: World, state: CardState, list_id: str | None = None) -> list[str]:
    return [card.title for card in world.list_cards(CardQuery(state=state, list_id=list_id))]


# Members and labels


def test_members_and_labels_are_read_as_they_were_written(world: World) -> None:
    bob = invite(world, "Bob", Role.VIEWER)
    bug: Label = world.apply(labels.create, new=NewLabel("Größe 😀", Color.SKY))
    world.advance(hours=1)

    editor = world.apply(members.put, user_id=bob, role=Role.EDITOR)
    world.apply(labels.create, new=NewLabel("Bug", Color.RED))

    view = world.read_board()
    assert view.get_member(bob) == editor
    assert (editor.version, editor.updated_at - editor.created_at) == (2, timedelta(hours=1))
    assert view.get_label(bug.id) == bug
    assert [member.id for member in view.members] == sorted(member.id for member in view.members)
    assert [label.name for label in view.labels] == ["Größe 😀", "Bug"]


def test_a_viewer_may_leave_but_not_write(world: World) -> None:
    bob, cid = invite(world, "Bob", Role.VIEWER), invite(world, "Cid", Role.VIEWER)
    view = world.read_board()
    act = replace(world.context(), actor_id=bob)
    of_another = members.remove(view, cid, world.context(), ())
    assert of_another
    assert of_another.event

    with pytest.raises(StaleRead):
        world.store.commit(replace(of_another, event=replace(of_another.event, actor_id=bob)))
    leaving = members.remove(view, bob, act, ())
    assert leaving
    world.store.commit(leaving)

    assert [member.user_id for member in world.read_board().members] == [world.ann.id, cid]
    assert world.store.read_board(world.board_id, bob) is None


def test_a_change_by_a_member_who_was_removed_meanwhile_fails(world: World) -> None:
    bob = invite(world, "Bob", Role.EDITOR)
    view = world.store.read_board(world.board_id, bob)
    assert view
    _, change = cards.create(view, replace(world.context(), actor_id=bob), NewCard(title="Too late"))

    world.apply(lambda view, context: (None, members.remove(view, bob, context, ())))

    with pytest.raises(StaleRead):
        world.store.commit(change)
    assert world.list_cards() == []


def test_no_card_has_a_deleted_label_or_a_former_member(world: World) -> None:
    bob = invite(world, "Bob", Role.EDITOR)
    bug: Label = world.apply(labels.create, new=NewLabel("Bug", Color.RED))
    card = world.add_card("Copy", label_ids=[bug.id], assignee_ids=[bob, world.ann.id])

    world.apply(lambda view, context: (None, labels.delete(view, bug.id, context)))
    world.apply(lambda view, context: (None, members.remove(view, bob, context, ())))
    world.apply(members.put, user_id=bob, role=Role.EDITOR)

    view = world.read_board(card.id)
    assert view.get_label_ids(view.get_card(card.id)) == []
    assert view.get_assignee_ids(view.get_card(card.id)) == [world.ann.id]
    assert view.get_card(card.id).version == card.version


# The archive


def test_an_archived_card_is_listed_separately_and_keeps_its_rank(world: World) -> None:
    first, second, third = (world.add_card(title) for title in ("First", "Second", "Third"))
    archived = archive_card(world, second)
    world.delete_card(third)

    result = world.store.read_card_ranks(world.board_id, world.ann.id, first.list_id)

    assert world.read_card(second) == archived
    assert [list_titles_in_state(world, state) for state in CardState] == [["First"], ["Second"], ["Third"]]
    assert result
    assert result[1] == (
        CardRank(first.id, first.list_id, first.rank),
        CardRank(second.id, first.list_id, second.rank, is_hidden=True),
        CardRank(third.id, first.list_id, third.rank, is_hidden=True),
    )


def test_an_archived_list_hides_its_cards_unless_it_is_named(world: World) -> None:
    kept, archived = world.add_card("Copy"), archive_card(world, world.add_card("Text"))
    world.apply(archive.archive_list, list_id=kept.list_id, running_cards=())

    assert list_titles_in_state(world, CardState.ACTIVE) == []
    assert list_titles_in_state(world, CardState.ACTIVE, kept.list_id) == ["Copy"]
    assert list_titles_in_state(world, CardState.ARCHIVED) == ["Text"]
    assert world.read_card(archived) == archived
    assert [list_.name for list_ in world.read_board().lists] == ["To do", "Doing", "Done"]


def test_archived_boards_are_listed_separately(world: World) -> None:
    other = world.add_board("Garden")
    world.apply(archive.archive_board, running_cards=())

    listed = [
        [board.id for board, _ in world.store.page_boards(world.ann.id, 10, archived=archived).items]
        for archived in (False, True)
    ]

    assert listed == [[other], [world.board_id]]


def test_thirty_clocks_stop_in_one_commit_when_a_list_is_archived(world: World) -> None:
    new_cards = [world.add_card(f"Card {number}", "Doing", external_id=f"x-{number}") for number in range(30)]
    world.advance(minutes=5)

    world.apply(
        archive.archive_list, list_id=new_cards[0].list_id, running_cards=[world.read_card(card) for card in new_cards]
    )

    view = world.read_board(*(card.id for card in new_cards))
    assert {(card.running, card.tracked_seconds) for card in view.cards.values()} == {(None, 300)}


def test_thirty_clocks_stop_in_one_commit_when_a_member_leaves(world: World) -> None:
    bob = world.add_user("Bob", id="bob")
    world.add_member(bob, Role.EDITOR)
    new_cards = [
        world.apply(
            cards.create,
            user=bob,
            new=NewCard(title=f"Card {number}", list_id=world.find_list("Doing").id, external_id=f"x-{number}"),
        )
        for number in range(30)
    ]
    for card in new_cards:
        world.apply(labels_and_assignees.assign, card.id, user_id="bob")
    world.advance(minutes=5)

    view = world.read_board()
    change = members.remove(view, "bob", world.context(bob), [world.read_card(card) for card in new_cards])
    assert change is not None
    world.store.commit(change)

    view = world.read_board(*(card.id for card in new_cards))
    assert {(card.running, card.tracked_seconds) for card in view.cards.values()} == {(None, 300)}
    assert [member.user_id for member in view.members] == [world.ann.id]


# Deletion and restoring


def test_a_restored_card_has_its_rank_and_its_external_id(world: World) -> None:
    first = world.add_card("First", external_id="x-1")
    world.add_card("Second")
    world.delete_card(first)

    restored = restore(world, first)

    assert world.read_card(first) == restored
    assert (restored.rank, restored.external_id) == (first.rank, "x-1")
    assert world.list_titles("To do") == ["First", "Second"]
    assert world.find_list("To do").card_count == 2


def test_a_card_whose_external_id_is_taken_cannot_be_restored(world: World) -> None:
    card = world.add_card("Copy", external_id="x-1")
    world.delete_card(card)
    world.add_card("Text", external_id="x-1")

    with pytest.raises(AlreadyExists) as error:
        restore(world, card)

    assert error.value.constraint == "card.external_id"
    assert world.list_titles("To do") == ["Text"]


def test_a_restored_list_has_its_cards_except_those_deleted_before(world: World) -> None:
    card = world.add_card("Copy", "Doing", external_id="x-1")
    deleted_card = world.add_card("Text", "Doing", external_id="x-2")
    world.delete_card(deleted_card)
    world.delete_list("Doing")
    taker = world.add_card("Taker", external_id="x-1")

    restore_list(world, card.list_id)

    assert [list_.name for list_ in world.read_board().lists] == ["To do", "Done", "Doing"]
    assert world.list_titles("Doing") == ["Copy"]
    assert (world.read_card(card).external_id, world.read_card(taker).external_id) == (None, "x-1")
    assert restore(world, deleted_card).external_id == "x-2"


def test_a_deleted_board_is_read_by_its_members_only_and_only_as_deleted(world: World) -> None:
    bob = world.add_user("Bob")
    card = world.add_card("Copy")
    world.delete_list("Done")
    deleted_card = world.add_card("Text")
    world.delete_card(deleted_card)
    world.apply(lambda view, context: (None, boards.delete(view, context)))

    view = world.store.read_deleted(world.board_id, world.ann.id, card_ids=[card.id, deleted_card.id])

    assert world.store.read_board(world.board_id, world.ann.id) is None
    assert world.store.read_deleted(world.board_id, bob.id) is None
    assert view
    assert view.board.deleted_at == world.now
    assert [list_.name for list_ in view.lists] == ["To do", "Doing"]
    assert view.get_card(deleted_card.id).deleted_at == world.now


def test_a_board_is_restored_once_and_only_if_it_is_deleted(world: World) -> None:
    card = world.add_card("Copy")
    world.apply(lambda view, context: (None, boards.delete(view, context)))
    change = plan_board_restore(world)

    with pytest.raises(StaleRead):
        world.store.commit(replace(change, restores_board=False))
    world.store.commit(change)
    with pytest.raises(StaleRead):
        world.store.commit(change)

    assert world.read_card(card) == card
    assert [event.type for event in world.list_events()][-2:] == ["board.deleted", "board.restored"]
    assert [board.id for board, _ in world.store.page_boards(world.ann.id, 10).items] == [world.board_id]


# Pages of deleted boards and lists


def list_deleted_boards(world: World, limit: int, since: datetime, user: User | None = None) -> list[Board]:
    def page(after: PageKey | None) -> Page[tuple[Board, Role]]:
        return world.store.page_deleted_boards((user or world.ann).id, since, limit, after)

    items = collect_pages(page, limit)
    assert {role for _, role in items} <= {Role.OWNER}
    return [board for board, _ in items]


def list_deleted_lists(world: World, limit: int, since: datetime) -> list[List]:
    def page(after: PageKey | None) -> Page[List]:
        result = world.store.page_deleted_lists(world.board_id, world.ann.id, since, limit, after)
        assert result
        assert result[0] == world.read_board()
        return result[1]

    return collect_pages(page, limit)


def delete_board(world: World, board_id: str) -> None:
    view = world.store.read_board(board_id, world.ann.id)
    assert view
    world.store.commit(boards.delete(view, world.context()))


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_deleted_boards_are_listed_newest_first_since_a_time(world: World, limit: int) -> None:
    new_board_ids = [world.add_board(f"Board {number}") for number in range(5)]
    delete_board(world, new_board_ids[0])
    world.advance(days=1)
    since = world.now
    for board_id in (new_board_ids[3], new_board_ids[1], new_board_ids[4]):
        delete_board(world, board_id)
        world.advance(hours=1)

    deleted_boards = list_deleted_boards(world, limit, since)

    assert [board.id for board in deleted_boards] == [new_board_ids[4], new_board_ids[3], new_board_ids[1]]
    assert [board.deleted_at for board in deleted_boards] == [since + timedelta(hours=hours) for hours in (2, 0, 1)]
    assert [board.id for board, _ in world.store.page_boards(world.ann.id, 10).items] == [
        new_board_ids[2],
        world.board_id,
    ]


def test_a_deleted_board_is_listed_for_its_owners_until_it_is_restored(world: World) -> None:
    bob, cid, non_member = (world.add_user(name) for name in ("Bob", "Cid", "Dora"))
    world.apply(members.put, user_id=bob.id, role=Role.OWNER)
    world.apply(members.put, user_id=cid.id, role=Role.EDITOR)
    world.apply(archive.archive_board, running_cards=())
    delete_board(world, world.board_id)

    board_ids = [
        [board.id for board in list_deleted_boards(world, 10, NOON, user)] for user in (world.ann, bob, cid, non_member)
    ]
    world.store.commit(plan_board_restore(world))

    assert board_ids == [[world.board_id], [world.board_id], [], []]
    assert list_deleted_boards(world, 10, NOON) == []
    assert [board.id for board, _ in world.store.page_boards(cid.id, 10, archived=True).items] == [world.board_id]


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_deleted_lists_are_listed_newest_first_since_a_time(world: World, limit: int) -> None:
    new_lists = [world.add_list(f"List {number}") for number in range(5)]
    world.delete_list("List 0")
    world.advance(days=1)
    since = world.now
    world.add_card("Copy", "List 3")
    world.apply(archive.archive_list, list_id=new_lists[1].id, running_cards=())
    for number in (3, 1, 4):
        world.delete_list(f"List {number}")
        world.advance(hours=1)

    deleted_lists = list_deleted_lists(world, limit, since)

    assert [list_.id for list_ in deleted_lists] == [new_lists[4].id, new_lists[3].id, new_lists[1].id]
    assert [list_.deleted_at for list_ in deleted_lists] == [since + timedelta(hours=hours) for hours in (2, 0, 1)]
    assert [list_.card_count for list_ in deleted_lists] == [0, 1, 0]
    assert deleted_lists[2].archived_at == since


def test_a_deleted_list_is_listed_on_its_own_board_until_it_is_restored(world: World) -> None:
    todo = world.find_list("To do")
    world.delete_list("To do")
    deleted_lists = list_deleted_lists(world, 10, NOON)
    home, world.board_id = world.board_id, world.add_board("Garden")
    elsewhere = list_deleted_lists(world, 10, NOON)
    world.board_id = home

    restore_list(world, todo.id)

    assert [list_.id for list_ in deleted_lists] == [todo.id]
    assert elsewhere == []
    assert list_deleted_lists(world, 10, NOON) == []


def test_deleted_lists_are_listed_for_members_of_a_live_board(world: World) -> None:
    non_member = world.add_user("Bob")
    world.delete_list("To do")

    assert world.store.page_deleted_lists(world.board_id, non_member.id, NOON, 10) is None
    assert world.store.page_deleted_lists("brd_none", world.ann.id, NOON, 10) is None
    delete_board(world, world.board_id)
    assert world.store.page_deleted_lists(world.board_id, world.ann.id, NOON, 10) is None


# The purge


@pytest.mark.parametrize("limit", [1, 3, 1_000])
def test_a_purge_erases_only_what_was_deleted_before_a_time(world: World, limit: int) -> None:
    early, kept = world.add_card("Early", external_id="x-1"), world.add_card("Kept")
    inside = world.add_card("Inside", "Doing")
    world.delete_card(early)
    world.delete_list("Doing")
    world.advance(days=40)
    deleted_later = world.add_card("Late")
    world.delete_card(deleted_later)

    erased = 0
    while step := world.store.purge(world.now - archive.PURGE_AFTER, limit):
        erased += step

    view = world.store.read_deleted(
        world.board_id,
        world.ann.id,
        list_ids=[inside.list_id],
        card_ids=[early.id, inside.id, deleted_later.id, kept.id],
    )
    assert view
    assert erased >= 3
    assert set(view.cards) == {deleted_later.id, kept.id}
    assert [list_.name for list_ in view.lists] == ["To do", "Done"]
    assert world.add_card("Again", external_id="x-1").external_id == "x-1"
    assert [event.seq for event in world.list_events()] == list(range(1, world.read_board().board.seq + 1))


def test_a_purged_board_leaves_nothing(world: World) -> None:
    world.add_card("Copy")
    garden = world.add_board("Garden")
    world.apply(lambda view, context: (None, boards.delete(view, context)))
    world.advance(days=32)

    while world.store.purge(world.now - archive.PURGE_AFTER, 2):
        pass

    assert world.store.read_deleted(world.board_id, world.ann.id) is None
    assert [board.id for board, _ in world.store.page_boards(world.ann.id, 10).items] == [garden]
    assert world.store.purge(world.now, 10) == 0


def test_purged_boards_and_lists_are_not_listed(world: World) -> None:
    garden = world.add_board("Garden")
    world.add_card("Copy", "Doing")
    world.delete_list("Doing")
    delete_board(world, garden)
    world.advance(days=32)

    while world.store.purge(world.now - archive.PURGE_AFTER, 2):
        pass

    assert list_deleted_boards(world, 10, NOON) == []
    assert list_deleted_lists(world, 10, NOON) == []
