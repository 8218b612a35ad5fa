"""Accounts elsewhere become identities of a user, and their names become names of users."""

from contextlib import nullcontext
from datetime import UTC, datetime

import pytest

from kanban import identities
from kanban.changes import ActionContext
from kanban.errors import Forbidden, IdentityTaken, NotFound
from kanban.identities import DEFAULT_NAME, MAX_IDENTITIES_PER_USER, Account, NotInvited, TooManyIdentities
from kanban.invitations import SignInFirst
from kanban.values import Identity

AT = datetime(2026, 11, 20, 14, tzinfo=UTC)
CONTEXT = ActionContext("mina", AT, lambda kind: f"{kind[:3]}_1")
ACCOUNT = Account("https://id.example.test", "248289761001", "Mina")


def build_identity(number: int = 1, user_id: str = "mina") -> Identity:
    return Identity(f"idn_{number}", user_id, ACCOUNT.issuer, str(number), AT)


def test_a_linked_account_is_an_identity_of_the_user() -> None:
    identity, change = identities.link(ACCOUNT, CONTEXT, user_id="mina", identities=())

    assert identity == Identity("ide_1", "mina", ACCOUNT.issuer, ACCOUNT.subject, AT)
    assert change.creates == (identity,)
    assert change.event is None


def test_a_user_has_ten_identities_at_most() -> None:
    present = [build_identity(number) for number in range(MAX_IDENTITIES_PER_USER)]

    identities.link(ACCOUNT, CONTEXT, user_id="mina", identities=present[1:])
    with pytest.raises(TooManyIdentities, match="You have 10 identities"):
        identities.link(ACCOUNT, CONTEXT, user_id="mina", identities=present)


def test_an_identity_is_of_one_user() -> None:
    identities.ensure_is_of(build_identity(), "mina")
    with pytest.raises(IdentityTaken):
        identities.ensure_is_of(build_identity(), "other")


def test_an_identity_is_found_by_its_id() -> None:
    present = [build_identity(1), build_identity(2)]

    assert identities.require_identity(present, "idn_2") is present[1]
    with pytest.raises(NotFound):
        identities.require_identity(present, "idn_3")


def test_all_tokens_of_an_identity_have_one_id() -> None:
    assert identities.derive_token_id(build_identity(7)) == "tok_7"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Mina Okafor", "Mina Okafor"),
        ("Мина Окафор", "Мина Окафор"),
        ("ミナ", "ミナ"),
        ("مينا", "مينا"),
        ("मीना", "मीना"),
        ("👩\u200d🚀 Mina", "👩\u200d🚀 Mina"),
        ("e\u0301", "é"),
        ("  Mina \t Okafor\n", "Mina Okafor"),
        ("a\u202eb\u2028c\x00d\x7f", "a b c d"),
        ("<script>", "<script>"),
        ("x" * 101, "x" * 100),
        ("x" * 99 + " y", "x" * 99),
        ("42", "42"),
        (None, DEFAULT_NAME),
        ("", DEFAULT_NAME),
        ("\u200b\u2060\u00ad", DEFAULT_NAME),
        ("\u3164\u115f\u2800", DEFAULT_NAME),
        ("\u0301\u034f", DEFAULT_NAME),
    ],
)
def test_a_name_becomes_one_visible_line(name: str | None, expected: str) -> None:
    assert identities.choose_user_name(Account("i", "s", name)) == expected


@pytest.mark.parametrize(
    ("sign_up", "by_invitation", "error"),
    [
        ("open", None, None),
        ("open", False, None),
        ("open", True, None),
        ("invited", None, NotInvited),
        ("invited", False, SignInFirst),
        ("invited", True, None),
        ("none", None, NotInvited),
        ("none", False, NotInvited),
        ("none", True, NotInvited),
    ],
)
def test_whose_first_sign_in_creates_a_user(
    sign_up: str, by_invitation: bool | None, error: type[Forbidden] | None
) -> None:
    with pytest.raises(error) if error else nullcontext():
        identities.ensure_may_sign_up(sign_up, by_invitation=by_invitation, has_owner=True)
    with pytest.raises(NotInvited):
        identities.ensure_may_sign_up(sign_up, by_invitation=by_invitation, has_owner=False)
