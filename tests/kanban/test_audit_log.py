"""What belongs in the audit log, by what a change writes."""

import os
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest

from kanban import audit_log, cards, identities, installation, invitations, tokens, users
from kanban import sign_in as codes
from kanban.audit_log import ENTRY_LIFETIME
from kanban.changes import ActionContext, Change
from kanban.identities import Account
from kanban.invitations import NewInvitation
from kanban.values import (
    AuditEntry,
    Identity,
    InstallationRole,
    Invitation,
    NewCard,
    Role,
    Scope,
    SignInCode,
    Token,
    User,
)
from tests.kanban.fake_store import NOON, FakeStore

ANN = User("ann", "Ann Secret", 1, NOON, NOON)
NEVER = NOON - ENTRY_LIFETIME


@pytest.fixture
def context() -> ActionContext:
    numbers = count(1)
    return ActionContext("mina", NOON, lambda kind: f"{kind}_{next(numbers)}", "tok_mina", "req_1")


def issue(context: ActionContext) -> tuple[Token, str, Change]:
    return tokens.issue(context, os.urandom, user_id="ann", name="Secret laptop", scopes=[Scope.READ])


def open_session(context: ActionContext) -> tuple[Token, str, Change]:
    return tokens.open_session(context, os.urandom, user_id="ann", name="Secret phone")


def create_code(context: ActionContext) -> tuple[SignInCode, str, Change]:
    return codes.create_code(context, os.urandom, user_id="ann", present_codes=(), is_for_link=False)


def link(context: ActionContext) -> tuple[Identity, Change]:
    return identities.link(Account("https://secret.test", "secret"), context, user_id="ann", identities=())


def invite(context: ActionContext, max_uses: int = 1) -> tuple[Invitation, str, Change]:
    new = NewInvitation(max_uses=max_uses, note="Secret note")
    return invitations.create_for_installation((), context, os.urandom, new)


def revoke(token: Token, context: ActionContext) -> Change:
    _, change = tokens.revoke(token, context, caller_token=replace(token, id="tok_mina", scopes=tuple(Scope)))
    assert change
    return change


def rotate(context: ActionContext) -> Change:
    token = issue(context)[0]
    return tokens.rotate(token, context, os.urandom, caller_token=replace(token, scopes=tuple(Scope)))[2]


def sign_in(context: ActionContext) -> Change:
    return codes.sign_in(create_code(context)[0], context, os.urandom, name="Phone")[2]


def join(context: ActionContext, max_uses: int) -> Change:
    _, change = users.create(context, name="Secret name", id="ann")
    return change.merge(invitations.use(invite(context, max_uses)[0]))


def reactivate(context: ActionContext) -> Change | None:
    return users.reactivate(replace(ANN, deactivated_at=NOON, signed_out_at=NOON), context)[1]


CHANGES: dict[str, tuple[Callable[[ActionContext], Change | None], list[tuple[str, str | None, set[str]]]]] = {
    "sign-up": (lambda c: users.create(c, name="Secret name", id="ann")[1], [("user.created", "ann", set())]),
    "token": (lambda c: issue(c)[2], [("token.created", "ann", {"token_id"})]),
    "rotation": (rotate, [("token.rotated", "ann", {"token_id"})]),
    "revocation": (lambda c: revoke(issue(c)[0], c), [("token.revoked", "ann", {"token_id"})]),
    "sign-in by code": (sign_in, [("session.created", "ann", {"token_id"})]),
    "sign-out": (lambda c: revoke(open_session(c)[0], c), [("session.ended", "ann", {"token_id"})]),
    "code": (lambda c: create_code(c)[2], [("sign_in_code.created", "ann", set())]),
    "identity": (lambda c: link(c)[1], [("identity.added", "ann", {"identity_id"})]),
    "identity removed": (
        lambda c: Change(deletes=(link(c)[0],)),
        [("identity.removed", "ann", {"identity_id"})],
    ),
    "invitation": (lambda c: invite(c)[2], [("invitation.created", None, {"invitation_id"})]),
    "invitation revoked": (
        lambda c: Change(deletes=(invite(c)[0],)),
        [("invitation.revoked", None, {"invitation_id"})],
    ),
    "invitation used": (
        lambda c: join(c, 2),
        [("user.created", "ann", set()), ("invitation.accepted", "ann", {"invitation_id"})],
    ),
    "invitation used up": (
        lambda c: join(c, 1),
        [("user.created", "ann", set()), ("invitation.accepted", "ann", {"invitation_id"})],
    ),
    "expired invitation erased": (
        lambda c: Change(deletes=(replace(invite(c)[0], expires_at=NOON),)),
        [],
    ),
    "owner": (
        lambda c: installation.set_role(ANN, InstallationRole.OWNER, ("mina",), c)[1],
        [("user.role_changed", "ann", {"role"})],
    ),
    "deactivation of an owner": (
        lambda c: users.deactivate(ANN, ("mina", "ann"), c)[1],
        [("user.deactivated", "ann", set()), ("user.role_changed", "ann", {"role"})],
    ),
    "reactivation": (reactivate, [("user.reactivated", "ann", set())]),
    "other name": (
        lambda c: users.update(replace(ANN, id="mina", signed_out_at=NEVER), {"name": "New"}, c)[1],
        [],
    ),
    "owner who was deactivated once": (
        lambda c: installation.set_role(replace(ANN, signed_out_at=NEVER), InstallationRole.OWNER, ("mina",), c)[1],
        [("user.role_changed", "ann", {"role"})],
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_entries_follow_from_what_is_written(name: str, context: ActionContext) -> None:
    build, expected = CHANGES[name]
    change = build(context)
    assert change is not None

    recorded = audit_log.record(change, context)

    entries = [value for value in recorded.creates if isinstance(value, AuditEntry)]
    assert [(entry.type, entry.user_id, {*entry.data}) for entry in entries] == expected
    assert replace(recorded, creates=change.creates) == change
    assert audit_log.concerns(change) or not entries
    assert "ecret" not in repr(entries)
    for entry in entries:
        assert (entry.actor_id, entry.token_id, entry.request_id) == ("mina", "tok_mina", "req_1")
        assert (entry.created_at, entry.expires_at) == (NOON, NOON + ENTRY_LIFETIME)


def test_the_role_is_the_new_one(context: ActionContext) -> None:
    for role, owner_ids in (("owner", ("mina",)), ("member", ("mina", "ann"))):
        _, change = installation.set_role(ANN, InstallationRole(role), owner_ids, context)
        assert change
        (entry,) = [value for value in audit_log.record(change, context).creates if isinstance(value, AuditEntry)]
        assert entry.data == {"role": role}


def test_nobody_has_done_what_is_done_without_a_token(context: ActionContext) -> None:
    change = audit_log.record(sign_in(context), replace(context, actor_id="", token_id=None))

    (entry,) = [value for value in change.creates if isinstance(value, AuditEntry)]
    assert (entry.actor_id, entry.token_id, entry.user_id) == (None, None, "ann")


def test_invitations_to_a_board_name_it(store: FakeStore) -> None:
    invitation, _, created = invitations.create(store.view(), (), store.context, os.urandom, NewInvitation(Role.EDITOR))
    store.apply(created)
    revoked = invitations.revoke(store.view(), invitation, store.context)
    joining = replace(store.context, actor_id="usr_new")
    _, accepted = invitations.accept(store.view(), invitation, joining)
    assert accepted

    for change, entry_type, user_id in (
        (created, "invitation.created", None),
        (revoked, "invitation.revoked", None),
        (accepted, "invitation.accepted", "usr_new"),
    ):
        (entry,) = [value for value in audit_log.record(change, store.context).creates if isinstance(value, AuditEntry)]
        assert (entry.type, entry.user_id) == (entry_type, user_id)
        assert entry.data == {"invitation_id": invitation.id, "board_id": invitation.board_id, "role": "editor"}


def test_what_happens_on_boards_is_not_in_it(store: FakeStore) -> None:
    new_card = NewCard(title="One", list_id=store.get_list("To do").id)
    _, change = cards.create(store.view(), store.context, new_card)

    assert not audit_log.concerns(change)
    assert audit_log.record(change, store.context) is change
