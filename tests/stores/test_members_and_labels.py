"""Members and labels of boards, and external ids of boards. The commit decides what a member may write."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kanban import boards, cards
from kanban.changes import build_change
from kanban.store import AlreadyExists, CardQuery, StaleRead
from kanban.values import Color, NewBoard, NewCard, Role
from tests.stores.part_builders import add_label, find_member
from tests.stores.world import World


def test_members_are_read_as_they_were_written_in_the_order_of_their_ids(world: World) -> None:
    people = [world.add_user(name) for name in ("Bob", "Cyd", "Dan")]
    for user, role in zip(people, Role, strict=True):
        world.add_member(user, role)
    cyd = replace(
        find_member(world, people[1].id), role=Role.OWNER, version=7, updated_at=world.now + timedelta(seconds=9)
    )

    world.write(updates=(cyd,))

    view = world.read_board()
    assert view.get_member(people[1].id) == cyd
    assert [member.user_id for member in view.members] == [world.ann.id, *(user.id for user in people)]
    assert list(view.members) == sorted(view.members, key=lambda member: member.id)
    assert world.read_board(user=people[1]).role == Role.OWNER


def test_the_seqs_of_boards_are_read_without_regard_to_members(world: World) -> None:
    before = world.store.read_board_seqs([world.board_id, "brd_none"])
    world.add_card("Card")

    assert before == {world.board_id: world.read_board().board.seq - 1}
    assert world.store.read_board_seqs([world.board_id]) == {world.board_id: before[world.board_id] + 1}
    assert world.store.read_board_seqs([]) == {}


def test_a_user_can_be_a_member_only_once(world: World) -> None:
    bob = world.add_user("Bob")
    world.add_member(bob, Role.VIEWER)

    with pytest.raises(AlreadyExists) as error:
        world.add_member(bob, Role.EDITOR)

    assert error.value.constraint == "member"
    assert find_member(world, bob.id).role == Role.VIEWER


def test_a_removed_member_can_neither_read_nor_write(world: World) -> None:
    bob = world.add_user("Bob")
    world.add_member(bob, Role.EDITOR)
    _, late = cards.create(world.read_board(user=bob), world.context(bob), NewCard(title="Late"))
    world.write(deletes=(find_member(world, bob.id),))
    _, later = cards.create(world.read_board(), world.context(bob), NewCard(title="Later"))

    for change in (late, later):
        with pytest.raises(StaleRead):
            world.store.commit(change)

    assert world.store.read_board(world.board_id, bob.id) is None
    assert [board.id for board, _ in world.store.page_boards(bob.id, 10).items] == []


@pytest.mark.parametrize("role", Role)
def test_anyone_may_leave(world: World, role: Role) -> None:
    bob = world.add_user("Bob")
    world.add_member(bob, role)
    member = find_member(world, bob.id)

    world.store.commit(
        build_change(world.read_board(user=bob), world.context(bob), "member.removed", deletes=(member,))
    )

    assert [member.user_id for member in world.read_board().members] == [world.ann.id]


def test_a_viewer_may_not_remove_another(world: World) -> None:
    bob = world.add_user("Bob")
    world.add_member(bob, Role.VIEWER)
    member = find_member(world, world.ann.id)

    with pytest.raises(StaleRead):
        world.store.commit(
            build_change(world.read_board(user=bob), world.context(bob), "member.removed", deletes=(member,))
        )

    assert len(world.read_board().members) == 2


def test_a_member_cannot_be_removed_twice(world: World) -> None:
    bob = world.add_user("Bob")
    world.add_member(bob, Role.VIEWER)
    member = find_member(world, bob.id)
    world.write(deletes=(member,))
    seq = world.read_board().board.seq

    with pytest.raises(StaleRead):
        world.write(deletes=(member,))

    assert world.read_board().board.seq == seq


def test_an_assignee_who_leaves_and_returns_is_no_longer_assigned(world: World) -> None:
    bob = world.add_user("Bob")
    world.add_member(bob, Role.EDITOR)
    member = find_member(world, bob.id)
    card = world.add_card("Copy")
    world.write(updates=(replace(card, assignee_ids=(member.id,)),))
    world.write(deletes=(member,))
    left = world.read_board(card.id)
    world.add_member(bob, Role.EDITOR)

    view = world.read_board(card.id)

    assert view.get_assignee_ids(view.get_card(card.id)) == left.get_assignee_ids(left.get_card(card.id)) == []
    assert world.list_cards(CardQuery(assignee_id=bob.id)) == []
    assert world.store.page_assigned_cards(bob.id, CardQuery(), 10).items == ()


# Labels


def test_labels_are_read_as_they_were_written_in_the_order_of_their_ids(world: World) -> None:
    new_labels = [add_label(world, f"Label {color}", color) for color in Color]
    changed = replace(new_labels[3], name="Größe", version=2, updated_at=world.now + timedelta(seconds=3))

    world.write(updates=(changed,))

    assert world.read_board().labels == (*new_labels[:3], changed, *new_labels[4:])


def test_no_card_has_a_deleted_label(world: World) -> None:
    bug, idea = add_label(world), add_label(world, "Idea", Color.SKY)
    card = world.add_card("Copy")
    world.write(updates=(replace(card, label_ids=(bug.id, idea.id)),))

    world.write(deletes=(bug,))

    view = world.read_board(card.id)
    assert view.labels == (idea,)
    assert view.get_label_ids(view.get_card(card.id)) == [idea.id]
    assert world.list_cards(CardQuery(label_id=bug.id)) == []


def test_a_card_may_name_a_deleted_label_and_a_former_member(world: World) -> None:
    card = world.add_card("Copy")

    world.write(updates=(replace(card, label_ids=("lbl_gone",), assignee_ids=("mbr_gone",)),))

    view = world.read_board(card.id)
    assert view.get_label_ids(view.get_card(card.id)) == view.get_assignee_ids(view.get_card(card.id)) == []


# External ids of boards


def add_board_with_external_id(world: World, external_id: str) -> str:
    view, change = boards.create(world.context(), NewBoard(name="Imported"))
    board = replace(view.board, external_id=external_id)
    world.store.commit(replace(change, creates=(board, *change.creates[1:])))
    return board.id


def test_the_external_id_of_a_board_is_unique_among_its_creators_boards(world: World) -> None:
    board_id = add_board_with_external_id(world, "x-1")
    bob = world.add_user("Bob")

    with pytest.raises(AlreadyExists) as error:
        add_board_with_external_id(world, "x-1")

    assert error.value.constraint == "board.external_id"
    assert world.store.find_board_id(world.ann.id, "x-1") == board_id
    assert world.store.find_board_id(world.ann.id, "X-1") is None
    assert world.store.find_board_id(bob.id, "x-1") is None


def test_a_board_cannot_be_restored_while_its_external_id_is_taken(world: World) -> None:
    world.board_id = add_board_with_external_id(world, "x-1")
    world.store.commit(boards.delete(world.read_board(), world.context()))
    again = add_board_with_external_id(world, "x-1")
    gone = world.store.read_deleted(world.board_id, world.ann.id)
    assert gone is not None
    restored = replace(gone.board, deleted_at=None)

    with pytest.raises(AlreadyExists) as error:
        world.store.commit(build_change(gone, world.context(), "board.restored", board=restored, restores_board=True))

    assert error.value.constraint == "board.external_id"
    assert world.store.find_board_id(world.ann.id, "x-1") == again


def test_several_users_are_read_in_one_call(world: World) -> None:
    bob = world.add_user("Bob")

    assert world.store.read_users([bob.id, world.ann.id, "usr_none"]) == {bob.id: bob, world.ann.id: world.ann}
    assert world.store.read_users([]) == {}
