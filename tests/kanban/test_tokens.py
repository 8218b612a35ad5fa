"""Tokens: their shape, their life, and that none makes a stronger one."""

import hashlib
import os
import re
from datetime import timedelta
from itertools import count

import pytest

from kanban import tokens
from kanban.errors import ScopeTooBroad
from kanban.values import Act, Change, Scope, Token
from tests.kanban.desk import NOON

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def act() -> Act:
    numbers = count(1)
    return Act("usr_ann", NOON, lambda kind: f"{kind}_{next(numbers)}")


@pytest.fixture
def token(act: Act) -> Token:
    return tokens.issue(act, os.urandom, user_id="usr_ann", name="Laptop", scopes=[Scope.READ])[0]


def test_a_token_has_its_shape_and_is_kept_as_a_digest_only(act: Act) -> None:
    token, text, change = tokens.issue(act, os.urandom, user_id="usr_ann", name="Laptop", scopes=list(Scope))

    assert re.fullmatch(r"tkb_[0-9A-Za-z]{36}", text)
    assert token.digest == hashlib.sha256(text.encode()).hexdigest()
    assert change == Change(creates=(token,))
    assert text[4:] not in repr(change)


def test_a_token_is_found_by_its_digest(act: Act) -> None:
    token, text, _ = tokens.issue(act, os.urandom, user_id="usr_ann", name="Laptop", scopes=[Scope.READ])

    assert tokens.parse(text) == token.digest


def test_the_same_bytes_make_the_same_token_and_others_another(act: Act) -> None:
    def text(seed: bytes) -> str:
        return tokens.issue(act, lambda size: seed * size, user_id="usr_ann", name="x", scopes=[Scope.READ])[1]

    assert text(b"\x07") == text(b"\x07")
    assert text(b"\x07") != text(b"\x08")


def test_any_wrong_character_is_noticed_without_asking_the_store(act: Act) -> None:
    text = tokens.issue(act, os.urandom, user_id="usr_ann", name="x", scopes=[Scope.READ])[1]

    for place in range(4, len(text)):
        wrong = DIGITS[(DIGITS.index(text[place]) + 1) % 62]
        assert tokens.parse(text[:place] + wrong + text[place + 1 :]) is None


@pytest.mark.parametrize(
    "text", ["", "tkb_", "tkb_" + "0" * 35, "tkb_" + "0" * 37, "ghp_" + "0" * 36, "tkb_" + "é" * 36]
)
def test_what_is_not_shaped_like_a_token_is_none(text: str) -> None:
    assert tokens.parse(text) is None


def test_a_trailing_newline_is_not_part_of_a_token(act: Act) -> None:
    text = tokens.issue(act, os.urandom, user_id="usr_ann", name="x", scopes=[Scope.READ])[1]

    assert tokens.parse(text + "\n") is None


def test_scopes_are_kept_in_their_order(act: Act) -> None:
    token, _, _ = tokens.issue(act, os.urandom, user_id="u", name="x", scopes=[Scope.WRITE, Scope.READ])

    assert token.scopes == (Scope.READ, Scope.WRITE)


def test_a_token_cannot_make_a_stronger_one(act: Act) -> None:
    with pytest.raises(ScopeTooBroad, match="scope write"):
        tokens.issue(
            act, os.urandom, user_id="u", name="x", scopes=[Scope.READ, Scope.WRITE], within=[Scope.READ, Scope.ADMIN]
        )


def test_a_token_expires_at_its_very_second(act: Act) -> None:
    token, _, _ = tokens.issue(
        act, os.urandom, user_id="u", name="x", scopes=[Scope.READ], expires_at=NOON + timedelta(hours=1)
    )

    assert tokens.is_live(token, NOON + timedelta(minutes=59, seconds=59))
    assert not tokens.is_live(token, NOON + timedelta(hours=1))


def test_a_revoked_token_is_dead_at_once_and_stays_so(act: Act, token: Token) -> None:
    revoked, change = tokens.revoke(token, act)

    assert not tokens.is_live(revoked, NOON)
    assert revoked.version == token.version + 1
    assert change == Change(updates=(revoked,))
    assert tokens.revoke(revoked, act) == (revoked, None)


def test_a_token_is_noted_as_used_once_an_hour(token: Token) -> None:
    used = Token(
        token.id, token.user_id, token.name, token.digest, token.scopes, 1, token.created_at, last_used_at=NOON
    )

    assert tokens.is_due(token, NOON)
    assert not tokens.is_due(used, NOON + timedelta(minutes=59))
    assert tokens.is_due(used, NOON + timedelta(hours=1))
