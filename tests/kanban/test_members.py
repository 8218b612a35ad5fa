"""Members: add, change roles, remove, and keep at least one owner."""

import pytest

from kanban import cards, members
from kanban.access import RoleTooLow
from kanban.changes import ActionContext
from kanban.errors import LimitReached
from kanban.limits import MAX_MEMBERS_PER_BOARD
from kanban.members import LastOwner, TooManyMembersPerUser
from kanban.values import NewCard, Role
from tests.kanban.fake_store import FakeStore


def put(store: FakeStore, user_id: str, role: Role = Role.EDITOR) -> None:
    store.apply(members.put(store.view(), user_id, role, store.context)[1])


def build_context(store: FakeStore, user_id: str) -> ActionContext:
    return ActionContext(user_id, store.now, store.context.new_id)


def get_roles(store: FakeStore) -> dict[str, Role]:
    return {member.user_id: member.role for member in store.view().members}


def test_an_owner_adds_a_member(store: FakeStore) -> None:
    member, change = members.put(store.view(), "usr_bob", Role.EDITOR, store.context)

    store.apply(change)
    assert (member.user_id, member.role, member.version) == ("usr_bob", Role.EDITOR, 1)
    assert get_roles(store) == {"usr_ann": Role.OWNER, "usr_bob": Role.EDITOR}
    assert (store.events[-1].type, store.events[-1].data) == ("member.added", {"user_id": "usr_bob", "role": "editor"})


def test_another_role_is_a_new_version_of_the_membership(store: FakeStore) -> None:
    put(store, "usr_bob")
    before = store.view().get_member("usr_bob")

    after, change = members.put(store.view(), "usr_bob", Role.VIEWER, store.context)

    store.apply(change)
    assert (after.id, after.role, after.version) == (before.id, Role.VIEWER, 2)
    assert store.events[-1].type == "member.updated"


def test_the_same_role_again_changes_nothing(store: FakeStore) -> None:
    put(store, "usr_bob")

    assert members.put(store.view(), "usr_bob", Role.EDITOR, store.context)[1] is None


def test_a_full_board_accepts_no_member_but_changes_roles(store: FakeStore) -> None:
    for number in range(MAX_MEMBERS_PER_BOARD - 1):
        put(store, f"usr_{number}")

    with pytest.raises(LimitReached, match="100 members"):
        members.put(store.view(), "usr_bob", Role.VIEWER, store.context)
    put(store, "usr_7", Role.VIEWER)
    assert get_roles(store)["usr_7"] == Role.VIEWER


def test_the_error_for_too_many_members_of_a_users_boards_names_the_number() -> None:
    assert "have 25 other members together" in str(TooManyMembersPerUser(25))


def test_the_last_owner_can_neither_be_demoted_nor_leave(store: FakeStore) -> None:
    put(store, "usr_bob")

    with pytest.raises(LastOwner):
        members.put(store.view(), "usr_ann", Role.EDITOR, store.context)
    with pytest.raises(LastOwner):
        members.remove(store.view(), "usr_ann", store.context, ())


def test_one_of_two_owners_can_leave(store: FakeStore) -> None:
    put(store, "usr_bob", Role.OWNER)

    store.apply(members.remove(store.view(), "usr_ann", store.context, ()))

    assert get_roles(store) == {"usr_bob": Role.OWNER}
    assert (store.events[-1].type, store.events[-1].data) == ("member.removed", {"user_id": "usr_ann"})


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_everybody_can_leave_but_only_an_owner_removes_others(store: FakeStore, role: Role) -> None:
    put(store, "usr_bob", role)
    put(store, "usr_cid")
    bob = build_context(store, "usr_bob")

    with pytest.raises(RoleTooLow):
        members.remove(store.view(role=role), "usr_cid", bob, ())
    with pytest.raises(RoleTooLow):
        members.remove(store.view(role=role), "usr_nobody", bob, ())
    store.apply(members.remove(store.view(role=role), "usr_bob", bob, ()))
    assert get_roles(store) == {"usr_ann": Role.OWNER, "usr_cid": Role.EDITOR}


def test_removing_a_user_who_is_not_a_member_changes_nothing(store: FakeStore) -> None:
    assert members.remove(store.view(), "usr_nobody", store.context, ()) is None


def test_a_member_who_comes_back_has_another_membership(store: FakeStore) -> None:
    put(store, "usr_bob")
    before = store.view().get_member("usr_bob").id
    store.apply(members.remove(store.view(), "usr_bob", store.context, ()))

    put(store, "usr_bob")

    assert store.view().get_member("usr_bob").id != before


def create_cards_of(store: FakeStore, user_id: str, count: int) -> list[str]:
    """Create cards in progress of that user; return their ids."""
    doing = store.get_list("Doing").id
    context = build_context(store, user_id)
    card_ids = []
    for number in range(count):
        card, change = cards.create(store.view(), context, NewCard(title=f"Card {number}", list_id=doing))
        store.apply(change)
        card_ids.append(card.id)
    return card_ids


def test_a_member_who_leaves_stops_only_their_own_clocks(store: FakeStore) -> None:
    put(store, "usr_bob")
    own, others = create_cards_of(store, "usr_bob", 2), create_cards_of(store, "usr_ann", 1)
    store.advance_clock(hours=1)
    running = [store.cards[card_id] for card_id in own]

    store.apply(members.remove(store.view(), "usr_bob", build_context(store, "usr_bob"), running))

    assert [(store.cards[card_id].running, store.cards[card_id].tracked_seconds) for card_id in own] == [
        (None, 3600)
    ] * 2
    assert all(store.cards[card_id].running for card_id in others)
    closed = [entry for entry in store.entries.values() if entry.ended_at]
    assert [(entry.user_id, entry.ended_at) for entry in closed] == [("usr_bob", store.now)] * 2
    assert (store.events[-1].type, store.events[-1].data) == ("member.removed", {"user_id": "usr_bob"})


def test_an_owner_stops_the_clocks_of_a_former_member(store: FakeStore) -> None:
    put(store, "usr_bob")
    put(store, "usr_cid")
    card_id, *_ = create_cards_of(store, "usr_bob", 1)
    store.apply(members.remove(store.view(), "usr_bob", store.context, ()))
    running = [store.cards[card_id]]

    with pytest.raises(RoleTooLow):
        members.remove(store.view(role=Role.EDITOR), "usr_bob", build_context(store, "usr_cid"), running)
    store.apply(members.remove(store.view(), "usr_bob", store.context, running))

    assert store.cards[card_id].running is None
    assert members.remove(store.view(), "usr_bob", store.context, ()) is None


# By an invitation


def join(store: FakeStore, user_id: str, role: Role) -> None:
    store.apply(members.join(store.view(), role, build_context(store, user_id), "inv_1"))


def test_who_is_invited_joins_in_the_role_of_the_invitation(store: FakeStore) -> None:
    join(store, "usr_bob", Role.EDITOR)

    assert get_roles(store) == {"usr_ann": Role.OWNER, "usr_bob": Role.EDITOR}
    data = {"user_id": "usr_bob", "role": "editor", "invitation_id": "inv_1"}
    assert (store.events[-1].type, store.events[-1].data) == ("member.added", data)


def test_a_member_who_is_invited_stays_the_same_member_in_another_role(store: FakeStore) -> None:
    put(store, "usr_bob", Role.VIEWER)
    before = store.view().get_member("usr_bob")

    join(store, "usr_bob", Role.OWNER)

    after = store.view().get_member("usr_bob")
    assert (after.id, after.role, after.version) == (before.id, Role.OWNER, before.version + 1)
    assert store.events[-1].type == "member.updated"


def test_a_full_board_is_joined_by_its_members_only(store: FakeStore) -> None:
    for number in range(MAX_MEMBERS_PER_BOARD - 1):
        put(store, f"usr_{number}", Role.VIEWER)

    with pytest.raises(LimitReached, match="100 members"):
        join(store, "usr_bob", Role.EDITOR)
    join(store, "usr_7", Role.EDITOR)
    assert get_roles(store)["usr_7"] == Role.EDITOR


# What an owner of the installation does


def deactivate(store: FakeStore, user_id: str) -> None:
    store.apply(members.deactivate(store.view(), user_id, build_context(store, "usr_root"), ()))


def reactivate(store: FakeStore, user_id: str) -> None:
    store.apply(members.reactivate(store.view(), user_id, build_context(store, "usr_root")))


def appoint(store: FakeStore, user_id: str) -> None:
    store.apply(members.appoint_owner(store.view(), user_id, build_context(store, "usr_root")))


def test_a_member_is_deactivated_and_their_clocks_stop(store: FakeStore) -> None:
    put(store, "usr_bob")
    own, others = create_cards_of(store, "usr_bob", 2), create_cards_of(store, "usr_ann", 1)
    before = store.view().get_member("usr_bob")
    store.advance_clock(hours=1)

    change = members.deactivate(
        store.view(), "usr_bob", build_context(store, "usr_root"), [store.cards[card_id] for card_id in own]
    )

    store.apply(change)
    assert change is not None
    assert change.is_by_installation
    after = store.view().get_member("usr_bob")
    assert (after.id, after.role, after.deactivated_at) == (before.id, Role.EDITOR, store.now)
    assert (after.version, after.updated_at) == (before.version + 1, store.now)
    assert [store.cards[card_id].running for card_id in own] == [None, None]
    assert all(store.cards[card_id].running for card_id in others)
    assert store.events[-1].type == "member.updated"
    assert store.events[-1].actor_id == "usr_root"
    assert store.events[-1].data["user_id"] == "usr_bob"


def test_a_deactivated_member_is_left_alone_unless_clocks_run(store: FakeStore) -> None:
    put(store, "usr_bob")
    card_id, *_ = create_cards_of(store, "usr_bob", 1)
    deactivate(store, "usr_bob")
    deactivated_at = store.now
    store.advance_clock(hours=1)

    assert members.deactivate(store.view(), "usr_bob", store.context, ()) is None
    store.apply(members.deactivate(store.view(), "usr_bob", store.context, [store.cards[card_id]]))

    assert store.cards[card_id].running is None
    assert store.view().get_member("usr_bob").deactivated_at == deactivated_at


def test_who_is_no_member_is_neither_deactivated_nor_reactivated(store: FakeStore) -> None:
    card_id, *_ = create_cards_of(store, "usr_ann", 1)

    assert members.deactivate(store.view(), "usr_bob", store.context, [store.cards[card_id]]) is None
    assert members.reactivate(store.view(), "usr_bob", store.context) is None


def test_a_member_is_reactivated_once(store: FakeStore) -> None:
    put(store, "usr_bob")
    deactivate(store, "usr_bob")
    store.advance_clock(hours=1)

    change = members.reactivate(store.view(), "usr_bob", build_context(store, "usr_root"))

    store.apply(change)
    assert change is not None
    assert change.is_by_installation
    member = store.view().get_member("usr_bob")
    assert (member.role, member.deactivated_at, member.updated_at) == (Role.EDITOR, None, store.now)
    assert members.reactivate(store.view(), "usr_bob", store.context) is None


def test_the_last_owner_can_be_deactivated_and_another_one_is_appointed(store: FakeStore) -> None:
    put(store, "usr_bob", Role.VIEWER)
    assert members.has_active_owner(store.view())
    assert members.appoint_owner(store.view(), "usr_bob", store.context) is None

    deactivate(store, "usr_ann")

    assert not members.has_active_owner(store.view())
    before = store.view().get_member("usr_bob")
    change = members.appoint_owner(store.view(), "usr_bob", build_context(store, "usr_root"))
    store.apply(change)
    assert change is not None
    assert change.is_by_installation
    after = store.view().get_member("usr_bob")
    assert (after.id, after.role, after.version) == (before.id, Role.OWNER, before.version + 1)
    assert store.events[-1].data == {"user_id": "usr_bob", "role": "owner"}
    assert members.has_active_owner(store.view())


def test_who_is_no_member_is_appointed_as_well(store: FakeStore) -> None:
    deactivate(store, "usr_ann")

    change = members.appoint_owner(store.view(), "usr_bob", build_context(store, "usr_root"))

    store.apply(change)
    assert change is not None
    assert change.is_by_installation
    assert get_roles(store) == {"usr_ann": Role.OWNER, "usr_bob": Role.OWNER}
    assert store.events[-1].type == "member.added"


def test_a_full_board_gets_an_owner_among_its_members_only(store: FakeStore) -> None:
    for number in range(MAX_MEMBERS_PER_BOARD - 1):
        put(store, f"usr_{number}")
    deactivate(store, "usr_ann")

    assert members.appoint_owner(store.view(), "usr_bob", store.context) is None
    appoint(store, "usr_7")
    assert get_roles(store)["usr_7"] == Role.OWNER


def test_a_board_with_room_for_one_gets_an_owner(store: FakeStore) -> None:
    for number in range(MAX_MEMBERS_PER_BOARD - 2):
        put(store, f"usr_{number}")
    deactivate(store, "usr_ann")

    appoint(store, "usr_bob")

    assert get_roles(store)["usr_bob"] == Role.OWNER


def test_a_deactivated_owner_does_not_count_as_one(store: FakeStore) -> None:
    put(store, "usr_bob", Role.OWNER)
    deactivate(store, "usr_bob")

    with pytest.raises(LastOwner):
        members.put(store.view(), "usr_ann", Role.EDITOR, store.context)
    with pytest.raises(LastOwner):
        members.remove(store.view(), "usr_ann", store.context, ())
    # Who is deactivated is none of those who keep the board.
    store.apply(members.put(store.view(), "usr_bob", Role.VIEWER, store.context)[1])
    reactivate(store, "usr_bob")
    store.apply(members.remove(store.view(), "usr_bob", store.context, ()))
    assert get_roles(store) == {"usr_ann": Role.OWNER}


def test_a_deleted_user_is_removed_by_an_owner_of_the_installation(store: FakeStore) -> None:
    put(store, "usr_bob", Role.OWNER)
    outsider = build_context(store, "usr_eve")

    change = members.remove_by_installation(store.view(), "usr_bob", outsider, [])

    assert change
    assert change.is_by_installation
    assert change.event
    assert (change.event.type, change.event.actor_id, change.event.data) == (
        "member.removed",
        "usr_eve",
        {"user_id": "usr_bob"},
    )
    store.apply(change)
    assert get_roles(store) == {"usr_ann": Role.OWNER}
    assert members.remove_by_installation(store.view(), "usr_bob", outsider, []) is None


def test_a_board_needs_an_owner_beside_its_only_active_one(store: FakeStore) -> None:
    put(store, "usr_bob", Role.EDITOR)
    assert members.needs_owner(store.view(), "usr_ann")
    assert not members.needs_owner(store.view(), "usr_bob")

    put(store, "usr_bob", Role.OWNER)
    assert not members.needs_owner(store.view(), "usr_ann")

    store.apply(members.deactivate(store.view(), "usr_bob", store.context, []))
    assert members.needs_owner(store.view(), "usr_ann")
    assert not members.needs_owner(store.view(), "usr_bob")
