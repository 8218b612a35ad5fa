"""Tokens: their format and life cycle, and that none can create a stronger one."""

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
from kanban.errors import UnknownReference
from kanban.tokens import (
    ExpiresAfterParent,
    ExpiresInPast,
    FullTokenRequired,
    ResourceTooBroad,
    RoleTooHigh,
    ScopeTooBroad,
    TokenExpired,
    TokenOrigin,
    TokenOutOfReach,
    TooManyGenerations,
)
from kanban.values import UNLIMITED, Role, Scope, Token, TokenLimits
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


def test_a_token_has_its_format_and_is_stored_as_a_digest(context: ActionContext) -> None:
    token, text, change = tokens.issue(context, os.urandom, user_id="usr_ann", name="Laptop", scopes=list(Scope))

    assert re.fullmatch(r"tkb_[0-9A-Za-z]{36}", text)
    assert token.digest == hashlib.sha256(text.encode()).hexdigest()
    assert change == Change(creates=(token,))
    assert text[4:] not in repr(change)


def test_a_token_is_found_by_its_digest(context: ActionContext) -> None:
    token, text, _ = tokens.issue(context, os.urandom, user_id="usr_ann", name="Laptop", scopes=[Scope.READ])

    assert tokens.parse_to_digest(text) == token.digest


def test_the_random_bytes_determine_the_token(context: ActionContext) -> None:
    def text(seed: bytes) -> str:
        return tokens.issue(context, lambda size: seed * size, user_id="usr_ann", name="x", scopes=[Scope.READ])[1]

    assert text(b"\x07") == text(b"\x07")
    assert text(b"\x07") != text(b"\x08")


def test_any_wrong_character_fails_the_checksum(context: ActionContext) -> None:
    text = tokens.issue(context, os.urandom, user_id="usr_ann", name="x", scopes=[Scope.READ])[1]

    for index in range(4, len(text)):
        wrong = DIGITS[(DIGITS.index(text[index]) + 1) % 62]
        assert tokens.parse_to_digest(text[:index] + wrong + text[index + 1 :]) is None


@pytest.mark.parametrize(
    "text", ["", "tkb_", "tkb_" + "0" * 35, "tkb_" + "0" * 37, "ghp_" + "0" * 36, "tkb_" + "é" * 36]
)
def test_malformed_text_has_no_digest(text: str) -> None:
    assert tokens.parse_to_digest(text) is None


def test_a_trailing_newline_is_not_part_of_a_token(context: ActionContext) -> None:
    text = tokens.issue(context, os.urandom, user_id="usr_ann", name="x", scopes=[Scope.READ])[1]

    assert tokens.parse_to_digest(text + "\n") is None


def test_scopes_are_stored_in_a_fixed_order(context: ActionContext) -> None:
    token, _, _ = tokens.issue(context, os.urandom, user_id="u", name="x", scopes=[Scope.WRITE, Scope.READ])

    assert token.scopes == (Scope.READ, Scope.WRITE)


def issue_child(context: ActionContext, parent: Token, **fields: Any) -> Token:
    """Issue a token with that parent."""
    fields = {"name": "Child", "scopes": parent.scopes, **fields}
    return tokens.issue(context, os.urandom, user_id=parent.user_id, parent=parent, **fields)[0]


def issue_root(context: ActionContext, **fields: Any) -> Token:
    """Issue a token without a parent."""
    fields = {"name": "Root", "scopes": list(Scope), **fields}
    return tokens.issue(context, os.urandom, user_id="usr_ann", **fields)[0]


@pytest.mark.parametrize("requested", SETS_OF_SCOPES)
@pytest.mark.parametrize("own", SETS_OF_SCOPES)
def test_a_token_cannot_create_one_with_more_scopes(
    context: ActionContext, own: tuple[Scope, ...], requested: tuple[Scope, ...]
) -> None:
    parent = issue_root(context, scopes=own)

    if {*requested} <= {*own}:
        assert issue_child(context, parent, scopes=requested).scopes == requested
    else:
        missing = next(scope for scope in requested if scope not in own)
        with pytest.raises(ScopeTooBroad, match=f"scope {missing}"):
            issue_child(context, parent, scopes=requested)


@pytest.mark.parametrize(
    ("parents", "requested_lifetime", "expected"),
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
def test_a_token_cannot_create_one_that_outlives_it(
    context: ActionContext,
    parents: timedelta | None,
    requested_lifetime: timedelta | None,
    expected: timedelta | type[Exception] | None,
) -> None:
    parent = issue_root(context, expires_at=parents and NOON + parents)
    expires_at = None if requested_lifetime is None else NOON + requested_lifetime

    if isinstance(expected, type):
        with pytest.raises(expected):
            issue_child(context, parent, expires_at=expires_at)
    else:
        assert issue_child(context, parent, expires_at=expires_at).expires_at == (expected and NOON + expected)


def test_a_token_stores_all_its_ancestors(context: ActionContext) -> None:
    first = issue_root(context)
    second = issue_child(context, first)
    third = issue_child(context, second)

    assert first.ancestor_ids == ()
    assert third.ancestor_ids == (first.id, second.id)


def test_a_token_has_at_most_ten_ancestors(context: ActionContext) -> None:
    token = issue_root(context)
    for _ in range(10):
        token = issue_child(context, token)

    with pytest.raises(TooManyGenerations, match="10 ancestors already"):
        issue_child(context, token)


@pytest.mark.parametrize("target", SETS_OF_SCOPES)
@pytest.mark.parametrize("own", SETS_OF_SCOPES)
def test_a_token_revokes_tokens_whose_scopes_it_has(
    context: ActionContext, own: tuple[Scope, ...], target: tuple[Scope, ...]
) -> None:
    caller_token, other = issue_root(context, scopes=own), issue_root(context, scopes=target)

    if {*target} <= {*own}:
        assert tokens.revoke(other, context, caller_token=caller_token)[0].revoked_at == NOON
    else:
        missing = next(scope for scope in target if scope not in own)
        with pytest.raises(TokenOutOfReach, match=f"the scope {missing}, which yours does not have"):
            tokens.revoke(other, context, caller_token=caller_token)


RELATIONS = ("grandmother", "mother", "self", "child", "grandchild", "sister", "aunt", "stranger")


def issue_family(context: ActionContext) -> dict[str, Token]:
    """Issue tokens of the same scopes; return them by their relation to one of them."""
    grandmother, stranger = issue_root(context), issue_root(context)
    mother, aunt = issue_child(context, grandmother), issue_child(context, grandmother)
    own, sister = issue_child(context, mother), issue_child(context, mother)
    below = issue_child(context, own)
    return dict(
        zip(
            RELATIONS,
            (grandmother, mother, own, below, issue_child(context, below), sister, aunt, stranger),
            strict=True,
        )
    )


@pytest.mark.parametrize("relation", RELATIONS)
def test_a_token_revokes_every_relative_but_its_ancestors(context: ActionContext, relation: str) -> None:
    tokens_of = issue_family(context)

    if relation in ("grandmother", "mother"):
        with pytest.raises(TokenOutOfReach, match="comes from that token"):
            tokens.revoke(tokens_of[relation], context, caller_token=tokens_of["self"])
    else:
        assert tokens.revoke(tokens_of[relation], context, caller_token=tokens_of["self"])[0].revoked_at == NOON


@pytest.mark.parametrize("relation", RELATIONS)
def test_a_token_rotates_itself_and_its_descendants(context: ActionContext, relation: str) -> None:
    tokens_of = issue_family(context)
    token = tokens_of[relation]

    if relation in ("self", "child", "grandchild"):
        rotated, text, change = tokens.rotate(token, context, os.urandom, caller_token=tokens_of["self"])
        assert rotated == replace(token, digest=hashlib.sha256(text.encode()).hexdigest(), version=2)
        assert rotated.digest != token.digest
        assert change == Change(updates=(rotated,))
    else:
        with pytest.raises(TokenOutOfReach, match="does not come from yours"):
            tokens.rotate(token, context, os.urandom, caller_token=tokens_of["self"])


def test_an_expired_token_cannot_be_rotated(context: ActionContext) -> None:
    parent = issue_root(context)
    token = issue_child(context, parent, expires_at=NOON + HOUR)

    with pytest.raises(TokenExpired):
        tokens.rotate(token, replace(context, at=NOON + HOUR), os.urandom, caller_token=parent)


def test_a_token_expires_exactly_at_expires_at(context: ActionContext) -> None:
    token, _, _ = tokens.issue(
        context, os.urandom, user_id="u", name="x", scopes=[Scope.READ], expires_at=NOON + timedelta(hours=1)
    )

    assert tokens.is_live(token, NOON + timedelta(minutes=59, seconds=59))
    assert not tokens.is_live(token, NOON + timedelta(hours=1))


def test_a_revoked_token_stays_revoked(context: ActionContext, token: Token) -> None:
    revoked, change = tokens.revoke(token, context, caller_token=token)

    assert not tokens.is_live(revoked, NOON)
    assert revoked.version == token.version + 1
    assert change == Change(updates=(revoked,))
    assert tokens.revoke(revoked, context, caller_token=revoked) == (revoked, None)


def test_the_last_use_of_a_token_is_recorded_once_an_hour(token: Token) -> None:
    used = Token(
        token.id, token.user_id, token.name, token.digest, token.scopes, 1, token.created_at, last_used_at=NOON
    )

    assert tokens.is_use_record_due(token, NOON)
    assert not tokens.is_use_record_due(used, NOON + timedelta(minutes=59))
    assert tokens.is_use_record_due(used, NOON + timedelta(hours=1))


# Limits

NARROW = TokenLimits(("brd_1", "brd_2"), Role.EDITOR, ("cards", "comments"))


def issue_narrow(context: ActionContext, limits: TokenLimits, parent: Token | None = None) -> Token:
    return tokens.issue(
        context, os.urandom, user_id="usr_ann", name="x", scopes=[Scope.ADMIN], limits=limits, parent=parent
    )[0]


def test_a_token_keeps_its_limits_in_order(context: ActionContext) -> None:
    token = issue_narrow(context, TokenLimits(("brd_2", "brd_1"), Role.EDITOR, ("comments", "cards")))

    assert token.limits == NARROW
    assert issue_narrow(context, TokenLimits()).limits is UNLIMITED


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (UNLIMITED, None),
        (NARROW, '{"board_ids": ["brd_1", "brd_2"], "max_role": "editor", "resources": ["cards", "comments"]}'),
        (TokenLimits(max_role=Role.OWNER), '{"max_role": "owner"}'),
        (TokenLimits(resources=("cards",)), '{"resources": ["cards"]}'),
    ],
)
def test_limits_are_read_as_they_were_written(limits: TokenLimits, text: str | None) -> None:
    assert tokens.format_limits(limits) == text
    if text is not None:
        assert tokens.parse_limits(text) == limits


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (TokenLimits(), NARROW),
        (TokenLimits(board_ids=("brd_2",)), NARROW._replace(board_ids=("brd_2",))),
        (TokenLimits(board_ids=("brd_1", "brd_2")), NARROW),
        (TokenLimits(max_role=Role.VIEWER), NARROW._replace(max_role=Role.VIEWER)),
        (TokenLimits(max_role=Role.EDITOR), NARROW),
        (TokenLimits(resources=("cards",)), NARROW._replace(resources=("cards",))),
    ],
)
def test_a_child_has_the_limits_of_its_parent_or_narrower_ones(
    context: ActionContext, limits: TokenLimits, expected: TokenLimits
) -> None:
    parent = issue_narrow(context, NARROW)

    assert issue_narrow(context, limits, parent).limits == expected
    assert issue_narrow(context, limits, issue_narrow(context, UNLIMITED)).limits == limits


def test_no_child_is_wider_than_its_parent(context: ActionContext) -> None:
    parent = issue_narrow(context, NARROW)

    with pytest.raises(UnknownReference, match="'board_ids' names a board that is not yours") as wrong_board:
        issue_narrow(context, TokenLimits(board_ids=("brd_1", "brd_3")), parent)
    with pytest.raises(RoleTooHigh, match="cannot give the role owner: its own max_role is editor") as wrong_role:
        issue_narrow(context, TokenLimits(max_role=Role.OWNER), parent)
    with pytest.raises(ResourceTooBroad, match="cannot give the resource members") as wrong_resource:
        issue_narrow(context, TokenLimits(resources=("cards", "members")), parent)

    fields = [error.value.field for error in (wrong_board, wrong_role, wrong_resource)]
    assert fields == ["board_ids", "max_role", "resources"]


@pytest.mark.parametrize(
    ("own", "other", "may_revoke"),
    [
        (UNLIMITED, NARROW, True),
        (NARROW, NARROW, True),
        (NARROW, NARROW._replace(max_role=Role.VIEWER), True),
        (NARROW, UNLIMITED, False),
        (NARROW, NARROW._replace(max_role=None), False),
        (NARROW._replace(board_ids=("brd_1",)), NARROW, False),
        (NARROW._replace(resources=("cards",)), NARROW, False),
    ],
)
def test_a_token_revokes_none_that_is_wider(
    context: ActionContext, own: TokenLimits, other: TokenLimits, may_revoke: bool
) -> None:
    caller, token = issue_narrow(context, own), issue_narrow(context, other)

    if may_revoke:
        assert tokens.revoke(token, context, caller_token=caller)[0].revoked_at == NOON
    else:
        with pytest.raises(TokenOutOfReach, match="may do more than yours, which is narrowed"):
            tokens.revoke(token, context, caller_token=caller)


# Uses


@pytest.mark.parametrize(
    ("passed", "address", "is_due"),
    [
        (SECOND, "192.0.2.1", False),
        (HOUR - SECOND, "192.0.2.1", False),
        (HOUR, "192.0.2.1", True),
        (timedelta(seconds=59), "192.0.2.2", False),
        (timedelta(seconds=60), "192.0.2.2", True),
        (HOUR - SECOND, None, False),
        (HOUR - SECOND, "", False),
        (HOUR, None, True),
    ],
)
def test_a_use_is_recorded_once_an_hour_and_from_another_address_once_a_minute(
    token: Token, passed: timedelta, address: str | None, is_due: bool
) -> None:
    used = replace(token, last_used_at=NOON, last_used_from="192.0.2.1 ")

    assert tokens.is_use_record_due(used, NOON + passed, address) == is_due
    assert tokens.is_use_record_due(token, NOON, address)


@pytest.mark.parametrize(
    ("user_agent", "client"),
    [
        (None, None),
        ("", None),
        ("\x07\x1f\x9f", None),
        ("curl/8.5.0", "curl/8.5.0"),
        ("a\tb\x00c\x7fd\x85e é", "abcde é"),
        ("x" * 101, "x" * 100),
        ("\x00" + "x" * 101, "x" * 100),
        ("agent tkb_0123", None),
    ],
)
def test_what_a_client_says_of_itself_is_recorded_as_text(user_agent: str | None, client: str | None) -> None:
    for address in ("192.0.2.1", None):
        text = tokens.format_origin(address, user_agent)

        assert (text is None) == (address is None and client is None)
        assert tokens.parse_origin(text) == TokenOrigin(address, client)


def test_an_origin_is_forgotten_after_thirty_days(token: Token) -> None:
    used = replace(token, last_used_at=NOON, last_used_from="192.0.2.1 curl")

    assert tokens.get_origin(used, NOON + timedelta(days=30) - SECOND) == TokenOrigin("192.0.2.1", "curl")
    assert tokens.get_origin(used, NOON + timedelta(days=30)) == TokenOrigin(None, None)
    assert tokens.get_origin(token, NOON) == TokenOrigin(None, None)


def test_a_rotation_writes_back_no_origin_that_a_purge_may_erase(token: Token, context: ActionContext) -> None:
    used = replace(token, last_used_from="192.0.2.1 curl")
    recent, old = (replace(used, last_used_at=NOON - timedelta(days=days)) for days in (29, 30))

    rotated = [tokens.rotate(token, context, os.urandom, caller_token=token)[0] for token in (recent, old)]

    assert [token.last_used_from for token in rotated] == ["192.0.2.1 curl", None]


def test_the_operator_revokes_any_token_once(context: ActionContext, token: Token) -> None:
    revoked, change = tokens.revoke_for_operator(replace(token, last_used_from="203.0.113.7 curl"), context)

    assert (revoked.revoked_at, revoked.version, revoked.last_used_from) == (NOON, token.version + 1, None)
    assert change
    assert change.updates == (revoked,)
    assert tokens.revoke_for_operator(revoked, context) == (revoked, None)


def test_a_revoked_token_has_no_origin(token: Token, context: ActionContext) -> None:
    used = replace(token, last_used_at=NOON, last_used_from="192.0.2.1 curl")

    revoked, _ = tokens.revoke(used, context, caller_token=used)

    assert (revoked.last_used_at, revoked.last_used_from) == (NOON, None)


@pytest.fixture
def session(context: ActionContext) -> Token:
    return tokens.open_session(context, os.urandom, user_id="usr_ann", name="Phone")[0]


def test_a_session_ends_90_days_after_its_last_use(session: Token) -> None:
    end = NOON + timedelta(days=90)
    used = replace(session, last_used_at=NOON + HOUR)

    assert tokens.get_expiry(session) == end
    assert tokens.is_live(session, end - SECOND)
    assert not tokens.is_live(session, end)
    assert tokens.get_expiry(used) == end + HOUR
    assert tokens.is_live(used, end)
    assert not tokens.is_live(replace(used, revoked_at=NOON), NOON)


def test_a_token_that_is_created_in_a_session_has_no_parent(session: Token, context: ActionContext) -> None:
    expiry = NOON + 2 * timedelta(days=90)
    token, _, _ = tokens.issue(
        context, os.urandom, user_id="usr_ann", name="CI", scopes=tuple(Scope), expires_at=expiry, parent=session
    )
    child, _, _ = tokens.issue(context, os.urandom, user_id="usr_ann", name="Job", scopes=[Scope.READ], parent=token)

    assert (token.ancestor_ids, token.session_id, token.expires_at) == ((), session.id, expiry)
    assert (child.ancestor_ids, child.session_id, child.expires_at) == ((token.id,), None, expiry)


def test_a_session_rotates_every_token_of_its_user(session: Token, token: Token, context: ActionContext) -> None:
    rotated, _, _ = tokens.rotate(token, context, os.urandom, caller_token=session)

    assert rotated.digest != token.digest


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, True),
        ({"scopes": (Scope.READ, Scope.ADMIN)}, False),
        ({"ancestor_ids": ("tok_0",)}, False),
        ({"expires_at": NOON + HOUR}, False),
        ({"limits": TokenLimits(max_role=Role.OWNER)}, False),
        ({"limits": TokenLimits(board_ids=("brd_1",))}, False),
        ({"limits": TokenLimits(resources=("cards",))}, False),
        ({"revoked_at": NOON}, False),
    ],
)
def test_only_a_token_without_limits_is_a_way_in(context: ActionContext, fields: dict[str, Any], expected: Any) -> None:
    first, _, _ = tokens.issue(context, os.urandom, user_id="usr_ann", name="First token", scopes=tuple(Scope))
    token = replace(first, **fields)

    assert tokens.is_way_in(token, NOON) == expected
    if expected:
        tokens.ensure_way_in(token, NOON)
    else:
        with pytest.raises(FullTokenRequired):
            tokens.ensure_way_in(token, NOON)


def test_a_session_is_a_way_in_until_it_ends(session: Token) -> None:
    assert tokens.is_way_in(session, NOON)
    assert not tokens.is_way_in(session, NOON + timedelta(days=90))
