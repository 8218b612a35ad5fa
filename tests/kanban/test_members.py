"""Members: who comes, who may send whom away, and that somebody owns the board."""

import pytest

from kanban import cards, members
from kanban.access import RoleTooLow
from kanban.changes import ActionContext
from kanban.errors import LimitReached
from kanban.limits import MAX_MEMBERS_PER_BOARD
from kanban.members import LastOwner
from kanban.values import Role
from tests.kanban.fake_store import FakeStore


def put(desk: FakeStore, user_id: str, role: Role = Role.EDITOR) -> None:
    desk.apply(members.put(desk.view(), user_id, role, desk.context)[1])


def act_of(desk: FakeStore, user_id: str) -> ActionContext:
    return ActionContext(user_id, desk.now, desk.context.new_id)


def roles(desk: FakeStore) -> dict[str, Role]:
    return {each.user_id: each.role for each in desk.view().members}


def test_an_owner_lets_somebody_in(desk: FakeStore) -> None:
    member, change = members.put(desk.view(), "usr_bob", Role.EDITOR, desk.context)

    desk.apply(change)
    assert (member.user_id, member.role, member.version) == ("usr_bob", Role.EDITOR, 1)
    assert roles(desk) == {"usr_ann": Role.OWNER, "usr_bob": Role.EDITOR}
    assert (desk.events[-1].type, desk.events[-1].data) == ("member.added", {"user_id": "usr_bob", "role": "editor"})


def test_another_role_is_a_new_version_of_the_same_place(desk: FakeStore) -> None:
    put(desk, "usr_bob")
    before = desk.view().get_member("usr_bob")

    after, change = members.put(desk.view(), "usr_bob", Role.VIEWER, desk.context)

    desk.apply(change)
    assert (after.id, after.role, after.version) == (before.id, Role.VIEWER, 2)
    assert desk.events[-1].type == "member.updated"


def test_the_same_role_again_changes_nothing(desk: FakeStore) -> None:
    put(desk, "usr_bob")

    assert members.put(desk.view(), "usr_bob", Role.EDITOR, desk.context)[1] is None


def test_a_full_board_lets_nobody_in_but_still_changes_roles(desk: FakeStore) -> None:
    for number in range(MAX_MEMBERS_PER_BOARD - 1):
        put(desk, f"usr_{number}")

    with pytest.raises(LimitReached, match="100 members"):
        members.put(desk.view(), "usr_bob", Role.VIEWER, desk.context)
    put(desk, "usr_7", Role.VIEWER)
    assert roles(desk)["usr_7"] == Role.VIEWER


def test_the_last_owner_can_neither_be_demoted_nor_leave(desk: FakeStore) -> None:
    put(desk, "usr_bob")

    with pytest.raises(LastOwner):
        members.put(desk.view(), "usr_ann", Role.EDITOR, desk.context)
    with pytest.raises(LastOwner):
        members.remove(desk.view(), "usr_ann", desk.context, ())


def test_one_of_two_owners_may_go(desk: FakeStore) -> None:
    put(desk, "usr_bob", Role.OWNER)

    desk.apply(members.remove(desk.view(), "usr_ann", desk.context, ()))

    assert roles(desk) == {"usr_bob": Role.OWNER}
    assert (desk.events[-1].type, desk.events[-1].data) == ("member.removed", {"user_id": "usr_ann"})


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_anyone_may_leave_but_only_an_owner_removes_others(desk: FakeStore, role: Role) -> None:
    put(desk, "usr_bob", role)
    put(desk, "usr_cid")
    bob = act_of(desk, "usr_bob")

    with pytest.raises(RoleTooLow):
        members.remove(desk.view(role=role), "usr_cid", bob, ())
    with pytest.raises(RoleTooLow):
        members.remove(desk.view(role=role), "usr_nobody", bob, ())
    desk.apply(members.remove(desk.view(role=role), "usr_bob", bob, ()))
    assert roles(desk) == {"usr_ann": Role.OWNER, "usr_cid": Role.EDITOR}


def test_removing_who_is_not_there_changes_nothing(desk: FakeStore) -> None:
    assert members.remove(desk.view(), "usr_nobody", desk.context, ()) is None


def test_who_comes_back_has_another_place(desk: FakeStore) -> None:
    put(desk, "usr_bob")
    before = desk.view().get_member("usr_bob").id
    desk.apply(members.remove(desk.view(), "usr_bob", desk.context, ()))

    put(desk, "usr_bob")

    assert desk.view().get_member("usr_bob").id != before


def working(desk: FakeStore, user_id: str, count: int) -> list[str]:
    """New cards on which that user works; their ids."""
    doing = desk.get_list("Doing").id
    act = act_of(desk, user_id)
    made = []
    for number in range(count):
        card, change = cards.create(desk.view(), act, title=f"Card {number}", list_id=doing)
        desk.apply(change)
        made.append(card.id)
    return made


def test_the_clocks_of_who_leaves_stop_and_those_of_others_run_on(desk: FakeStore) -> None:
    put(desk, "usr_bob")
    own, others = working(desk, "usr_bob", 2), working(desk, "usr_ann", 1)
    desk.advance_clock(hours=1)
    running = [desk.cards[each] for each in own]

    desk.apply(members.remove(desk.view(), "usr_bob", act_of(desk, "usr_bob"), running))

    assert [(desk.cards[each].running, desk.cards[each].tracked_seconds) for each in own] == [(None, 3600)] * 2
    assert all(desk.cards[each].running for each in others)
    ended = [each for each in desk.entries.values() if each.ended_at]
    assert [(each.user_id, each.ended_at) for each in ended] == [("usr_bob", desk.now)] * 2
    assert (desk.events[-1].type, desk.events[-1].data) == ("member.removed", {"user_id": "usr_bob"})


def test_clocks_of_who_has_left_are_stopped_by_an_owner(desk: FakeStore) -> None:
    put(desk, "usr_bob")
    put(desk, "usr_cid")
    card_id, *_ = working(desk, "usr_bob", 1)
    desk.apply(members.remove(desk.view(), "usr_bob", desk.context, ()))
    running = [desk.cards[card_id]]

    with pytest.raises(RoleTooLow):
        members.remove(desk.view(role=Role.EDITOR), "usr_bob", act_of(desk, "usr_cid"), running)
    desk.apply(members.remove(desk.view(), "usr_bob", desk.context, running))

    assert desk.cards[card_id].running is None
    assert members.remove(desk.view(), "usr_bob", desk.context, ()) is None
