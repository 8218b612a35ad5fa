"""Tokens: their shape, their life, and that none makes a stronger one."""

import hashlib
import os
import re
from dataclasses import replace
from datetime import timedelta
from itertools import combinations, count
from typing import Any

import pytest

from kanban import tokens
from kanban.changes import ActionContext, Change
from kanban.tokens import (
    ExpiresAfterParent,
    ExpiresInPast,
    ScopeTooBroad,
    TokenExpired,
    TokenOutOfReach,
    TooManyGenerations,
)
from kanban.values import Scope, Token
from tests.kanban.fake_store import NOON

SETS_OF_SCOPES = [scopes for size in (1, 2, 3) for scopes in combinations(Scope, size)]
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def context() -> ActionContext:
    numbers = count(1)
    return ActionContext("usr_ann", NOON, lambda kind: f"{kind}_{next(numbers)}")


@pytest.fixture
def token(context: ActionContext) -> Token:
    return tokens.issue(context, os.urandom, user_id="usr_ann", name="Laptop", scopes=[Scope.READ])[0]


def test_a_token_has_its_shape_and_is_kept_as_a_digest_only(context: ActionContext) -> None:
    token, text, change = tokens.issue(context, os.urandom, user_id="usr_ann", name="Laptop", scopes=list(Scope))

    assert re.fullmatch(r"tkb_[0-9A-Za-z]{36}", text)
    assert token.digest == hashlib.sha256(text.encode()).hexdigest()
    assert change == Change(creates=(token,))
    assert text[4:] not in repr(change)


def test_a_token_is_found_by_its_digest(context: ActionContext) -> None:
    token, text, _ = tokens.issue(context, os.urandom, user_id="usr_ann", name="Laptop", scopes=[Scope.READ])

    assert tokens.parse_to_digest(text) == token.digest


def test_the_same_bytes_make_the_same_token_and_others_another(context: ActionContext) -> None:
    def text(seed: bytes) -> str:
        return tokens.issue(context, lambda size: seed * size, user_id="usr_ann", name="x", scopes=[Scope.READ])[1]

    assert text(b"\x07") == text(b"\x07")
    assert text(b"\x07") != text(b"\x08")


def test_any_wrong_character_is_noticed_without_asking_the_store(context: ActionContext) -> None:
    text = tokens.issue(context, os.urandom, user_id="usr_ann", name="x", scopes=[Scope.READ])[1]

    for place in range(4, len(text)):
        wrong = DIGITS[(DIGITS.index(text[place]) + 1) % 62]
        assert tokens.parse_to_digest(text[:place] + wrong + text[place + 1 :]) is None


@pytest.mark.parametrize(
    "text", ["", "tkb_", "tkb_" + "0" * 35, "tkb_" + "0" * 37, "ghp_" + "0" * 36, "tkb_" + "é" * 36]
)
def test_what_is_not_shaped_like_a_token_is_none(text: str) -> None:
    assert tokens.parse_to_digest(text) is None


def test_a_trailing_newline_is_not_part_of_a_token(context: ActionContext) -> None:
    text = tokens.issue(context, os.urandom, user_id="usr_ann", name="x", scopes=[Scope.READ])[1]

    assert tokens.parse_to_digest(text + "\n") is None


def test_scopes_are_kept_in_their_order(context: ActionContext) -> None:
    token, _, _ = tokens.issue(context, os.urandom, user_id="u", name="x", scopes=[Scope.WRITE, Scope.READ])

    assert token.scopes == (Scope.READ, Scope.WRITE)


def child(context: ActionContext, parent: Token, **wishes: Any) -> Token:
    """A token that is made with that one."""
    wishes = {"name": "Child", "scopes": parent.scopes, **wishes}
    return tokens.issue(context, os.urandom, user_id=parent.user_id, parent=parent, **wishes)[0]


def root(context: ActionContext, **wishes: Any) -> Token:
    """A token that is made with no other."""
    wishes = {"name": "Root", "scopes": list(Scope), **wishes}
    return tokens.issue(context, os.urandom, user_id="usr_ann", **wishes)[0]


@pytest.mark.parametrize("wanted", SETS_OF_SCOPES)
@pytest.mark.parametrize("held", SETS_OF_SCOPES)
def test_a_token_cannot_make_a_stronger_one(
    context: ActionContext, held: tuple[Scope, ...], wanted: tuple[Scope, ...]
) -> None:
    parent = root(context, scopes=held)

    if {*wanted} <= {*held}:
        assert child(context, parent, scopes=wanted).scopes == wanted
    else:
        missing = next(scope for scope in wanted if scope not in held)
        with pytest.raises(ScopeTooBroad, match=f"scope {missing}"):
            child(context, parent, scopes=wanted)


@pytest.mark.parametrize(
    ("parents", "wanted", "expected"),
    [
        (None, None, None),
        (None, HOUR, HOUR),
        (HOUR, None, HOUR),
        (HOUR, HOUR, HOUR),
        (HOUR, SECOND, SECOND),
        (HOUR, HOUR + SECOND, ExpiresAfterParent),
        (HOUR, timedelta(0), ExpiresInPast),
    ],
)
def test_a_token_never_makes_one_that_outlives_it(
    context: ActionContext,
    parents: timedelta | None,
    wanted: timedelta | None,
    expected: timedelta | type[Exception] | None,
) -> None:
    parent = root(context, expires_at=parents and NOON + parents)
    expires_at = None if wanted is None else NOON + wanted

    if isinstance(expected, type):
        with pytest.raises(expected):
            child(context, parent, expires_at=expires_at)
    else:
        assert child(context, parent, expires_at=expires_at).expires_at == (expected and NOON + expected)


def test_a_token_knows_all_that_it_comes_from(context: ActionContext) -> None:
    first = root(context)
    second = child(context, first)
    third = child(context, second)

    assert first.ancestor_ids == ()
    assert third.ancestor_ids == (first.id, second.id)


def test_a_token_has_ten_ancestors_at_the_most(context: ActionContext) -> None:
    token = root(context)
    for _ in range(10):
        token = child(context, token)

    with pytest.raises(TooManyGenerations, match="10 tokens above"):
        child(context, token)


@pytest.mark.parametrize("target", SETS_OF_SCOPES)
@pytest.mark.parametrize("held", SETS_OF_SCOPES)
def test_a_token_revokes_what_has_no_other_scope(
    context: ActionContext, held: tuple[Scope, ...], target: tuple[Scope, ...]
) -> None:
    by, other = root(context, scopes=held), root(context, scopes=target)

    if {*target} <= {*held}:
        assert tokens.revoke(other, context, caller_token=by)[0].revoked_at == NOON
    else:
        missing = next(scope for scope in target if scope not in held)
        with pytest.raises(TokenOutOfReach, match=f"the scope {missing}, which yours does not have"):
            tokens.revoke(other, context, caller_token=by)


FAMILY = ("grandmother", "mother", "self", "child", "grandchild", "sister", "aunt", "stranger")


def family(context: ActionContext) -> dict[str, Token]:
    """Tokens of one strength, by what they are to one of them."""
    grandmother, stranger = root(context), root(context)
    mother, aunt = child(context, grandmother), child(context, grandmother)
    own, sister = child(context, mother), child(context, mother)
    below = child(context, own)
    return dict(
        zip(FAMILY, (grandmother, mother, own, below, child(context, below), sister, aunt, stranger), strict=True)
    )


@pytest.mark.parametrize("relation", FAMILY)
def test_a_token_revokes_all_of_its_strength_but_what_it_comes_from(context: ActionContext, relation: str) -> None:
    tokens_of = family(context)

    if relation in ("grandmother", "mother"):
        with pytest.raises(TokenOutOfReach, match="comes from that token"):
            tokens.revoke(tokens_of[relation], context, caller_token=tokens_of["self"])
    else:
        assert tokens.revoke(tokens_of[relation], context, caller_token=tokens_of["self"])[0].revoked_at == NOON


@pytest.mark.parametrize("relation", FAMILY)
def test_a_token_rotates_itself_and_what_comes_from_it(context: ActionContext, relation: str) -> None:
    tokens_of = family(context)
    token = tokens_of[relation]

    if relation in ("self", "child", "grandchild"):
        rotated, text, change = tokens.rotate(token, context, os.urandom, caller_token=tokens_of["self"])
        assert rotated == replace(token, digest=hashlib.sha256(text.encode()).hexdigest(), version=2)
        assert rotated.digest != token.digest
        assert change == Change(updates=(rotated,))
    else:
        with pytest.raises(TokenOutOfReach, match="does not come from yours"):
            tokens.rotate(token, context, os.urandom, caller_token=tokens_of["self"])


def test_a_token_that_has_expired_gets_no_secret(context: ActionContext) -> None:
    parent = root(context)
    token = child(context, parent, expires_at=NOON + HOUR)

    with pytest.raises(TokenExpired):
        tokens.rotate(token, replace(context, at=NOON + HOUR), os.urandom, caller_token=parent)


def test_a_token_expires_at_its_very_second(context: ActionContext) -> None:
    token, _, _ = tokens.issue(
        context, os.urandom, user_id="u", name="x", scopes=[Scope.READ], expires_at=NOON + timedelta(hours=1)
    )

    assert tokens.is_live(token, NOON + timedelta(minutes=59, seconds=59))
    assert not tokens.is_live(token, NOON + timedelta(hours=1))


def test_a_revoked_token_is_dead_at_once_and_stays_so(context: ActionContext, token: Token) -> None:
    revoked, change = tokens.revoke(token, context, caller_token=token)

    assert not tokens.is_live(revoked, NOON)
    assert revoked.version == token.version + 1
    assert change == Change(updates=(revoked,))
    assert tokens.revoke(revoked, context, caller_token=revoked) == (revoked, None)


def test_a_token_is_noted_as_used_once_an_hour(token: Token) -> None:
    used = Token(
        token.id, token.user_id, token.name, token.digest, token.scopes, 1, token.created_at, last_used_at=NOON
    )

    assert tokens.is_touch_due(token, NOON)
    assert not tokens.is_touch_due(used, NOON + timedelta(minutes=59))
    assert tokens.is_touch_due(used, NOON + timedelta(hours=1))
