"""Invitations on every engine: they are used as often as they may be, however many accept at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kanban import boards, identities, invitations, members, tokens, users
from kanban.changes import ActionContext, Change
from kanban.identities import Account
from kanban.invitations import NewInvitation
from kanban.store import AlreadyExists, StaleRead, Store
from kanban.values import Invitation, Role, TokenKind, User
from tests.stores.conftest import OpenStore
from tests.stores.test_purge import purge_all
from tests.stores.world import World


def invite(world: World, **fields: Any) -> Invitation:
    """Create an invitation to the board."""
    new = NewInvitation(**{"role": Role.EDITOR, **fields})
    present = world.store.invitations.list_invitations(world.board_id)
    invitation, _, change = invitations.create(world.read_board(), present, world.context(), world.random_bytes, new)
    world.store.commit(change)
    return invitation


def invite_to_installation(world: World, **fields: Any) -> Invitation:
    present = world.store.invitations.list_invitations(None)
    invitation, _, change = invitations.create_for_installation(
        present, world.context(), world.random_bytes, NewInvitation(**fields)
    )
    world.store.commit(change)
    return invitation


def ask(world: World, user: User, board_id: str | None = None, role: Role = Role.EDITOR) -> Invitation:
    """Ask a user to join a board."""
    view = world.store.read_board(board_id or world.board_id, world.ann.id)
    assert view is not None
    present = world.store.invitations.list_invitations(view.board.id)
    invitation, change = invitations.create_for_user(view, present, world.context(), user_id=user.id, role=role)
    assert change is not None
    world.store.commit(change)
    return invitation


def prepare_join(world: World, invitation: Invitation, user: User) -> Change:
    change = invitations.accept(world.read_board(), invitation, world.context(user))[1]
    assert change is not None
    return change


def prepare_new_user(
    world: World, invitation: Invitation, name: str, *, subject: str | None = None, **fields: Any
) -> tuple[User, Change]:
    """Return a user, and the change that creates them and a session, and makes them a member.

    With a subject they have signed in with an account, which becomes theirs.
    """
    context = world.context()
    user, change = users.create(context, name=name, **fields)
    if subject is not None:
        account = Account("https://id.example.test", subject)
        change = change.merge(identities.link(account, context, user_id=user.id, identities=())[1])
    session, _, session_change = tokens.open_session(context, world.random_bytes, user_id=user.id, name="Phone")
    change = change.merge(session_change)
    if invitation.board_id is None:
        return user, change.merge(invitations.use(invitation))
    as_user = ActionContext(user.id, context.at, context.new_id, session.id)
    joined = invitations.accept(world.read_board(), invitation, as_user)[1]
    assert joined is not None
    return user, change.merge(joined)


def list_ids(world: World, board_id: str | None) -> list[str]:
    return [invitation.id for invitation in world.store.invitations.list_invitations(board_id)]


def test_invitations_are_listed_oldest_first_and_read_by_id(world: World) -> None:
    other_board = world.add_board("Shop")
    first, second = invite(world, note="Für die Agentur 👩\u200d🚀", max_uses=100), invite(world, role=Role.OWNER)
    third, fourth = invite_to_installation(world), invite_to_installation(world, max_uses=7)

    assert [*world.store.invitations.list_invitations(world.board_id)] == [first, second]
    assert [*world.store.invitations.list_invitations(None)] == [third, fourth]
    assert [*world.store.invitations.list_invitations(other_board)] == []
    for invitation in (first, second, third, fourth):
        assert world.store.invitations.read_invitation(invitation.id) == invitation
    assert world.store.invitations.read_invitation("inv_" + "0" * 26) is None


def test_a_user_joins_a_board(world: World) -> None:
    bob = world.add_user("Bob")
    invitation = invite(world, max_uses=2)
    world.store.commit(prepare_join(world, invitation, bob))

    assert world.read_board(user=bob).role == Role.EDITOR
    assert [board.id for board, _ in world.store.page_boards(bob.id, 5).items] == [world.board_id]
    assert world.store.invitations.read_invitation(invitation.id) == replace(invitation, uses=1, version=2)
    assert (world.list_events()[-1].type, world.list_events()[-1].actor_id) == ("member.added", bob.id)


@pytest.mark.parametrize("role", [Role.EDITOR, Role.OWNER])
def test_a_viewer_gets_a_higher_role(world: World, role: Role) -> None:
    bob = world.add_user("Bob")
    world.add_member(bob, Role.VIEWER)
    invitation = invite(world, role=role)
    world.store.commit(prepare_join(world, invitation, bob))

    assert world.read_board(user=bob).role == role
    assert world.store.invitations.read_invitation(invitation.id) is None


def test_somebody_becomes_a_user_and_a_member_in_one_commit(world: World) -> None:
    invitation = invite(world)
    bob, change = prepare_new_user(world, invitation, "Bob", id="bob")
    world.store.commit(change)

    (session,) = world.store.page_tokens("bob", 5, None, TokenKind.SESSION).items
    assert world.store.read_user("bob") == bob
    assert world.store.read_token_by_digest(session.digest) == (session, bob)
    assert world.read_board(user=bob).role == Role.EDITOR
    event = world.list_events()[-1]
    assert (event.type, event.actor_id, event.token_id) == ("member.added", "bob", session.id)
    assert list_ids(world, world.board_id) == []


def test_an_account_becomes_a_user_and_a_member_in_one_commit_or_not_at_all(world: World) -> None:
    invitation = invite(world, max_uses=2)
    bob, change = prepare_new_user(world, invitation, "Bob", subject="bob")
    world.store.commit(change)
    again, late = prepare_new_user(
        world, world.store.invitations.read_invitation(invitation.id) or invitation, "Bob", subject="bob"
    )

    with pytest.raises(AlreadyExists) as error:
        world.store.commit(late)
    assert error.value.constraint == "identity.subject"
    assert world.store.read_user(again.id) is None
    identity = world.store.sign_in.read_identity("https://id.example.test", "bob")
    assert identity is not None
    assert (identity.user_id, world.read_board(user=bob).role) == (bob.id, Role.EDITOR)
    assert len(world.read_board().members) == 2
    assert world.store.invitations.read_invitation(invitation.id) == replace(invitation, uses=1, version=2)


def test_an_id_that_is_taken_uses_nothing_up(world: World) -> None:
    world.add_user("Bob", id="bob")
    for invitation in (invite(world), invite_to_installation(world)):
        _, change = prepare_new_user(world, invitation, "Another Bob", id="bob")
        with pytest.raises(AlreadyExists) as error:
            world.store.commit(change)
        assert error.value.constraint == "user"
        assert world.store.invitations.read_invitation(invitation.id) == invitation
    assert world.read_board().members == world.read_board().members[:1]


def test_somebody_becomes_a_user_without_a_board(world: World) -> None:
    invitation = invite_to_installation(world, max_uses=2)
    bob, change = prepare_new_user(world, invitation, "Bob")
    world.store.commit(change)

    assert world.store.read_user(bob.id) == bob
    assert world.store.invitations.read_invitation(invitation.id) == replace(invitation, uses=1, version=2)
    assert world.store.read_installation_owner() == world.ann


@pytest.mark.parametrize("make", [invite, invite_to_installation])
def test_one_of_many_gets_the_last_use(
    world: World, open_again: OpenStore, make: Callable[[World], Invitation]
) -> None:
    invitation = make(world)
    attempts = [(open_again(), prepare_new_user(world, invitation, f"User {number}")[1]) for number in range(6)]

    def commit(attempt: tuple[Store, Change]) -> bool:
        try:
            attempt[0].commit(attempt[1])
        except StaleRead:
            return False
        return True

    with ThreadPoolExecutor(len(attempts)) as threads:
        successes = [*threads.map(commit, attempts)]

    assert successes.count(True) == 1
    assert world.store.invitations.read_invitation(invitation.id) is None
    assert len(world.read_board().members) == (2 if invitation.board_id else 1)


@pytest.mark.parametrize("make", [invite, invite_to_installation])
def test_a_use_that_somebody_else_was_faster_with_is_stale(world: World, make: Callable[..., Invitation]) -> None:
    invitation = make(world, max_uses=5)
    changes = [prepare_new_user(world, invitation, name)[1] for name in ("Bob", "Carl")]
    world.store.commit(changes[0])

    with pytest.raises(StaleRead):
        world.store.commit(changes[1])
    used = world.store.invitations.read_invitation(invitation.id)
    assert used is not None
    assert used.uses == 1


def test_a_use_of_an_invitation_that_was_read_before_the_board_is_stale(world: World) -> None:
    """The board's seq alone doesn't tell that the invitation is older."""
    invitation = invite(world, max_uses=5)
    world.store.commit(prepare_join(world, invitation, world.add_user("Bob")))

    with pytest.raises(StaleRead):
        world.store.commit(prepare_join(world, invitation, world.add_user("Carl")))
    with pytest.raises(StaleRead):
        world.store.commit(invitations.revoke(world.read_board(), invitation, world.context()))


def test_nobody_joins_by_what_was_revoked(world: World) -> None:
    of_board, of_installation = invite(world), invite_to_installation(world)
    joins = [prepare_new_user(world, invitation, "Bob")[1] for invitation in (of_board, of_installation)]
    world.store.commit(invitations.revoke(world.read_board(), of_board, world.context()))
    world.store.commit(Change(deletes=(of_installation,)))

    for change in joins:
        with pytest.raises(StaleRead):
            world.store.commit(change)
    with pytest.raises(StaleRead):
        world.store.commit(Change(deletes=(of_installation,)))
    assert list_ids(world, world.board_id) == list_ids(world, None) == []
    assert world.list_events()[-1].type == "invitation.revoked"


def test_nobody_joins_a_board_that_was_deleted(world: World) -> None:
    bob = world.add_user("Bob")
    change = prepare_join(world, invite(world), bob)
    world.store.commit(boards.delete(world.read_board(), world.context()))

    with pytest.raises(StaleRead):
        world.store.commit(change)


def test_nobody_joins_when_the_owner_who_invited_has_left(world: World) -> None:
    bob, carl = world.add_user("Bob"), world.add_user("Carl")
    change = prepare_join(world, invite(world), bob)
    world.add_member(carl, Role.OWNER)
    leave = members.remove(world.read_board(), world.ann.id, world.context(), ())
    assert leave is not None
    world.store.commit(leave)

    with pytest.raises(StaleRead):
        world.store.commit(change)


def test_only_an_invitation_lets_a_stranger_write(world: World) -> None:
    bob = world.add_user("Bob")
    change = prepare_join(world, invite(world), bob)

    with pytest.raises(StaleRead):
        world.store.commit(replace(change, deletes=()))
    assert len(world.read_board().members) == 1


def test_expired_invitations_are_erased(world: World) -> None:
    expired = [invite(world), invite_to_installation(world)]
    kept = [make(world, expires_at=world.now + timedelta(days=30)) for make in (invite, invite_to_installation)]
    world.advance(days=7)
    while world.store.purge_expired(world.now, 1):
        pass

    # DynamoDB erases them by itself, when it gets to them.
    for invitation in expired:
        assert world.store.invitations.read_invitation(invitation.id) in (None, invitation)
    for invitation in kept:
        assert world.store.invitations.read_invitation(invitation.id) == invitation


def test_another_invitation_erases_expired_ones(world: World) -> None:
    for make in (invite, invite_to_installation):
        expired = make(world)
        world.advance(days=7)
        invitation = make(world)

        assert list_ids(world, invitation.board_id) == [invitation.id]
        assert world.store.invitations.read_invitation(expired.id) is None


def test_a_purged_board_leaves_no_invitation(world: World) -> None:
    kept = invite_to_installation(world, expires_at=world.now + timedelta(days=30))
    invitation = invite(world, expires_at=world.now + timedelta(days=30))
    world.store.commit(boards.delete(world.read_board(), world.context()))
    world.advance(days=32)
    purge_all(world)

    assert world.store.invitations.read_invitation(invitation.id) is None
    assert list_ids(world, world.board_id) == []
    assert list_ids(world, None) == [kept.id]


# Invitations that are for a user.


def list_received(world: World, user: User, limit: int = 10) -> list[Invitation]:
    return [*world.store.invitations.page_invitations_of_user(user.id, limit).items]


def test_invitations_for_a_user_are_paged_newest_first(world: World) -> None:
    bob, carl = world.add_user("Bob"), world.add_user("Carl")
    boards_ = [world.board_id, *(world.add_board(f"Board {number}") for number in range(4))]
    asked = [ask(world, bob, board_id) for board_id in boards_]
    ask(world, carl)
    invite(world)

    pages, after = [], None
    while True:
        page = world.store.invitations.page_invitations_of_user(bob.id, 2, after)
        pages.append([*page.items])
        after = page.next_key
        if after is None:
            break

    assert pages == [[asked[4], asked[3]], [asked[2], asked[1]], [asked[0]]]
    assert world.store.invitations.read_invitation(asked[0].id) == asked[0]


def test_a_user_who_is_asked_is_no_member_until_they_accept(world: World) -> None:
    bob = world.add_user("Bob")
    invitation = ask(world, bob)
    assert world.store.read_board(world.board_id, bob.id) is None
    assert world.store.page_boards(bob.id, 5).items == ()
    assert world.store.read_fellow_ids(bob.id, 5) == {}

    world.store.commit(prepare_join(world, invitation, bob))

    assert world.read_board(user=bob).role == Role.EDITOR
    assert (list_received(world, bob), list_ids(world, world.board_id)) == ([], [])


def test_a_user_declines_without_being_a_member(world: World) -> None:
    bob = world.add_user("Bob")
    invitation = ask(world, bob)
    change = invitations.revoke(world.read_board(), invitation, world.context(bob))
    world.store.commit(change)

    assert (list_received(world, bob), list_ids(world, world.board_id)) == ([], [])
    event = world.list_events()[-1]
    assert (event.type, event.actor_id, event.data["user_id"]) == ("invitation.revoked", bob.id, bob.id)
    with pytest.raises(StaleRead):
        world.store.commit(change)


def test_nobody_else_declines_and_no_other_invitation_is_declined(world: World) -> None:
    bob, carl = world.add_user("Bob"), world.add_user("Carl")
    for invitation, actor in ((ask(world, bob), carl), (invite(world), bob)):
        with pytest.raises(StaleRead):
            world.store.commit(invitations.revoke(world.read_board(), invitation, world.context(actor)))
        assert world.store.invitations.read_invitation(invitation.id) == invitation


def test_who_is_asked_again_has_the_newer_invitation_only(world: World) -> None:
    bob = world.add_user("Bob")
    first = ask(world, bob)
    late = prepare_join(world, first, bob)
    second = ask(world, bob, role=Role.VIEWER)

    assert list_received(world, bob) == [second]
    assert world.store.invitations.read_invitation(first.id) is None
    with pytest.raises(StaleRead):
        world.store.commit(late)


def test_an_invitation_for_a_user_ends_with_its_board(world: World) -> None:
    bob = world.add_user("Bob")
    ask(world, bob)
    world.store.commit(boards.delete(world.read_board(), world.context()))
    world.advance(days=31)
    purge_all(world)

    assert list_received(world, bob) == []


def test_a_deactivated_user_accepts_and_declines_nothing(world: World) -> None:
    bob = world.add_user("Bob")
    invitation = ask(world, bob)
    changes = [
        prepare_join(world, invitation, bob),
        invitations.revoke(world.read_board(), invitation, world.context(bob)),
    ]
    _, deactivation = users.deactivate(bob, (world.ann.id,), world.context())
    assert deactivation is not None
    world.store.commit(deactivation)

    for change in changes:
        with pytest.raises(StaleRead):
            world.store.commit(replace(change, active_user_id=bob.id))
    assert list_received(world, bob) == [invitation]
