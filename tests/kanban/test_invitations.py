"""Invitations: who gets in, with which role, how often and until when."""

import os
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from kanban import invitations
from kanban.changes import ActionContext, Change
from kanban.errors import LimitReached
from kanban.invitations import (
    ExpiresTooLate,
    NewInvitation,
    TooManyInvitations,
)
from kanban.limits import MAX_INVITATIONS_PER_BOARD, MAX_INVITATIONS_PER_INSTALLATION, MAX_MEMBERS_PER_BOARD
from kanban.tokens import ExpiresInPast
from kanban.values import Invitation, Member, Role
from tests.kanban.fake_store import NOON, FakeStore

SECOND = timedelta(seconds=1)
EDITOR = NewInvitation(Role.EDITOR)


@pytest.fixture
def invitation(store: FakeStore) -> Invitation:
    return create(store)[0]


def create(store: FakeStore, new: NewInvitation = EDITOR, *present: Invitation) -> tuple[Invitation, str]:
    invitation, secret, change = invitations.create(store.view(), present, store.context, os.urandom, new)
    assert change.creates == (invitation,)
    store.apply(change)
    return invitation, secret


def as_user(store: FakeStore, user_id: str) -> ActionContext:
    return replace(store.context, actor_id=user_id)


def accept(store: FakeStore, invitation: Invitation, user_id: str) -> Role:
    role, change = invitations.accept(store.view(), invitation, as_user(store, user_id))
    store.apply(change)
    return role


def test_an_invitation_has_a_secret_that_is_not_stored(store: FakeStore) -> None:
    invitation, secret = create(store, replace(EDITOR, note="For the agency", max_uses=3))

    assert re.fullmatch("[0-9a-hjkmnp-tv-z]{26}", secret)
    assert secret not in repr(invitation)
    assert invitations.has_secret(invitation, secret)
    for other in (secret[:-1], secret.upper(), "", "x" * 10_000_000, invitation.digest):
        assert not invitations.has_secret(invitation, other)
    assert (invitation.role, invitation.max_uses, invitation.uses, invitation.note) == (
        Role.EDITOR,
        3,
        0,
        "For the agency",
    )


def test_the_event_tells_the_role_and_not_the_secret(store: FakeStore) -> None:
    invitation, secret = create(store)

    event = store.events[-1]
    assert (event.type, event.data) == (
        "invitation.created",
        {"invitation_id": invitation.id, "role": "editor", "max_uses": 1},
    )
    assert secret not in repr(event)


@pytest.mark.parametrize(("days", "error"), [(0, ExpiresInPast), (-1, ExpiresInPast), (30, None), (31, ExpiresTooLate)])
def test_an_invitation_is_valid_for_30_days_at_most(store: FakeStore, days: int, error: type[Exception] | None) -> None:
    expires_at = store.now + timedelta(days=days)
    if error is None:
        assert create(store, replace(EDITOR, expires_at=expires_at))[0].expires_at == expires_at
    else:
        with pytest.raises(error):
            create(store, replace(EDITOR, expires_at=expires_at))


def test_an_invitation_is_valid_for_a_week_by_default(store: FakeStore, invitation: Invitation) -> None:
    assert invitation.expires_at == store.now + timedelta(days=7)
    assert invitations.is_live(invitation, invitation.expires_at - SECOND)
    assert not invitations.is_live(invitation, invitation.expires_at)


def test_expired_invitations_count_for_no_limit_and_are_erased(store: FakeStore, invitation: Invitation) -> None:
    live = [replace(invitation, id=f"inv_{number}") for number in range(MAX_INVITATIONS_PER_BOARD - 1)]
    expired = [replace(invitation, id=f"inv_x{number}", expires_at=store.now) for number in range(25)]

    _, _, change = invitations.create(store.view(), [*expired, *live], store.context, os.urandom, EDITOR)

    assert change.deletes == tuple(expired[:20])
    with pytest.raises(TooManyInvitations, match="This board has 50 invitations"):
        invitations.create(store.view(), [invitation, *live], store.context, os.urandom, EDITOR)


def test_the_installation_has_a_limit_of_its_own(store: FakeStore) -> None:
    new = NewInvitation()
    first, secret, change = invitations.create_for_installation((), store.context, os.urandom, new)
    assert (first.board_id, first.role, change.event) == (None, None, None)
    assert invitations.has_secret(first, secret)
    present = [first] * MAX_INVITATIONS_PER_INSTALLATION

    invitations.create_for_installation(present[1:], store.context, os.urandom, new)
    with pytest.raises(TooManyInvitations, match="This installation has 100 invitations"):
        invitations.create_for_installation(present, store.context, os.urandom, new)


def test_a_user_who_accepts_becomes_a_member(store: FakeStore, invitation: Invitation) -> None:
    assert accept(store, invitation, "usr_bob") == Role.EDITOR

    event = store.events[-1]
    assert (event.type, event.actor_id) == ("member.added", "usr_bob")
    assert event.data == {"user_id": "usr_bob", "role": "editor", "invitation_id": invitation.id}
    assert store.view().get_member("usr_bob").role == Role.EDITOR


@pytest.mark.parametrize(
    ("present", "invited", "expected"),
    [
        (Role.VIEWER, Role.EDITOR, Role.EDITOR),
        (Role.VIEWER, Role.OWNER, Role.OWNER),
        (Role.EDITOR, Role.EDITOR, None),
        (Role.EDITOR, Role.VIEWER, None),
        (Role.OWNER, Role.VIEWER, None),
    ],
)
def test_an_invitation_raises_a_role_and_never_lowers_it(
    store: FakeStore, present: Role, invited: Role, expected: Role | None
) -> None:
    accept(store, create(store, NewInvitation(present))[0], "usr_bob")
    invitation, _ = create(store, NewInvitation(invited))

    role, change = invitations.accept(store.view(), invitation, as_user(store, "usr_bob"))

    assert role == (expected or present)
    if expected is None:
        assert change is None
    else:
        assert change is not None
        assert change.event is not None
        assert (change.event.type, change.event.data["invitation_id"]) == ("member.updated", invitation.id)
        assert change.event.changes == ({"field": "role", "from": str(present), "to": str(expected)},)
        assert change.deletes == (invitation,)


def test_the_last_use_erases_an_invitation(store: FakeStore) -> None:
    invitation, _ = create(store, replace(EDITOR, max_uses=3))

    first = invitations.use(invitation)
    (used,) = first.updates
    assert isinstance(used, Invitation)
    assert (used.uses, used.version, first.deletes) == (1, 2, ())
    (used,) = invitations.use(used).updates
    assert isinstance(used, Invitation)
    assert (invitations.use(used).updates, invitations.use(used).deletes) == ((), (used,))


def test_a_full_board_takes_nobody(store: FakeStore, invitation: Invitation) -> None:
    view = store.view()
    others = tuple(
        Member(f"mbr_{number}", view.board.id, f"usr_{number}", Role.VIEWER, 1, NOON, NOON)
        for number in range(MAX_MEMBERS_PER_BOARD - len(view.members))
    )

    with pytest.raises(LimitReached, match="100 members"):
        invitations.accept(replace(view, members=(*view.members, *others)), invitation, as_user(store, "usr_bob"))


def test_a_revoked_invitation_is_erased_with_an_event(store: FakeStore, invitation: Invitation) -> None:
    change = invitations.revoke(store.view(), invitation, store.context)

    assert change.deletes == (invitation,)
    assert change.event is not None
    assert (change.event.type, change.event.data) == ("invitation.revoked", {"invitation_id": invitation.id})


@pytest.mark.parametrize(
    ("by_owner", "to_board", "members_may", "expected"),
    [
        (True, True, False, True),
        (True, False, False, True),
        (False, True, True, True),
        (False, True, False, False),
        (False, False, True, False),
    ],
)
def test_who_lets_users_in(
    invitation: Invitation, *, by_owner: bool, to_board: bool, members_may: bool, expected: bool
) -> None:
    owner_ids = ("usr_other", invitation.created_by) if by_owner else ("usr_other",)
    invitation = invitation if to_board else replace(invitation, board_id=None)

    assert invitations.makes_users(invitation, owner_ids, members_may_invite_users=members_may) == expected


# Invitations that are for a user.


def ask(
    store: FakeStore, *present: Invitation, user_id: str = "usr_bob", role: Role = Role.EDITOR, actor_id: str = ""
) -> tuple[Invitation, Change | None]:
    context = replace(store.context, actor_id=actor_id or store.context.actor_id)
    return invitations.create_for_user(store.view(), present, context, user_id=user_id, role=role)


def test_a_user_who_is_asked_has_an_invitation_without_a_secret(store: FakeStore) -> None:
    invitation, change = ask(store)

    assert change is not None
    assert change.event is not None
    assert (invitation.invitee_id, invitation.role, invitation.max_uses) == ("usr_bob", Role.EDITOR, 1)
    assert invitation.expires_at == NOON + timedelta(days=30)
    assert not any(invitations.has_secret(invitation, secret) for secret in ("", "0" * 64, invitation.digest))
    assert (change.creates, change.deletes, change.event.type) == ((invitation,), (), "invitation.created")
    data = {"invitation_id": invitation.id, "role": "editor", "max_uses": 1, "user_id": "usr_bob"}
    assert change.event.data == data


def test_asking_again_replaces_what_was_asked_or_changes_nothing(store: FakeStore) -> None:
    invitation, _ = ask(store)

    assert ask(store, invitation) == (invitation, None)
    for again, change in (
        ask(store, invitation, role=Role.VIEWER),
        ask(store, invitation, actor_id="usr_carl"),
        ask(store, replace(invitation, expires_at=NOON)),
    ):
        assert change is not None
        assert change.creates == (again,)
        assert [deleted.id for deleted in change.deletes if isinstance(deleted, Invitation)] == [invitation.id]


def test_who_is_asked_counts_among_the_invitations_and_the_members(store: FakeStore) -> None:
    asked, _ = ask(store, user_id="usr_eve")
    many = [
        replace(asked, id=f"inv_{number}", invitee_id=f"usr_{number}") for number in range(MAX_INVITATIONS_PER_BOARD)
    ]
    with pytest.raises(TooManyInvitations):
        ask(store, *many)
    again, change = ask(store, *many, user_id="usr_3", role=Role.VIEWER)
    assert (again.invitee_id, change is not None) == ("usr_3", True)

    room = MAX_MEMBERS_PER_BOARD - len(store.view().members)
    others = [Member(f"mbr_{number}", "b", f"usr_m{number}", Role.VIEWER, 1, NOON, NOON) for number in range(room - 10)]
    view = replace(store.view(), members=(*store.view().members, *others))
    with pytest.raises(LimitReached, match="100 members"):
        invitations.create_for_user(view, many[:10], store.context, user_id="usr_bob", role=Role.EDITOR)
    invitations.create_for_user(view, many[:9], store.context, user_id="usr_bob", role=Role.EDITOR)


def test_who_could_become_a_member_is_listed(store: FakeStore, invitation: Invitation) -> None:
    asked, _ = ask(store)
    view = store.view()
    bob = Member("mbr_b", view.board.id, "usr_bob", Role.VIEWER, 1, NOON, NOON)
    (owner,) = (member for member in view.members if member.user_id == asked.created_by)

    def list_with(*members: Member, of: Invitation = asked, at: timedelta = SECOND) -> list[Invitation]:
        return invitations.list_invited(replace(view, members=members), [invitation, of], NOON + at)

    assert list_with(owner) == [asked]
    assert list_with(owner, bob) == []
    assert list_with(replace(owner, role=Role.EDITOR)) == list_with(replace(owner, deactivated_at=NOON)) == []
    assert list_with() == []
    assert list_with(owner, at=timedelta(days=30)) == []
    assert invitations.find_for_user([invitation, asked], "usr_bob", NOON) == asked
    assert invitations.find_for_user([invitation, asked], "usr_eve", NOON) is None
    assert invitations.find_for_user([asked], "usr_bob", NOON + timedelta(days=30)) is None


def test_what_is_declined_names_the_user(store: FakeStore) -> None:
    asked, _ = ask(store)
    change = invitations.revoke(store.view(), asked, as_user(store, "usr_bob"))

    assert change.deletes == (asked,)
    assert change.event is not None
    assert change.event.data == {"invitation_id": asked.id, "user_id": "usr_bob"}
