"""Signing in: codes, which become sessions, and what may create them."""

import os
import re
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from kanban import sign_in, tokens
from kanban.changes import ActionContext
from kanban.sign_in import MAX_CODES_PER_USER
from kanban.values import Scope, SignInCode, TokenKind
from tests.kanban.fake_store import NOON

SECOND = timedelta(seconds=1)


@pytest.fixture
def context() -> ActionContext:
    numbers = count(1)
    return ActionContext("usr_ann", NOON, lambda kind: f"{kind}_{next(numbers)}", "tok_1")


def create(
    context: ActionContext, *present_codes: SignInCode, is_for_link: bool = False
) -> tuple[SignInCode, str, tuple[object, ...]]:
    code, text, change = sign_in.create_code(
        context, os.urandom, user_id="usr_ann", present_codes=present_codes, is_for_link=is_for_link
    )
    assert change.creates == (code,)
    return code, text, change.deletes


def test_a_code_is_typed_within_ten_minutes(context: ActionContext) -> None:
    code, text, ended = create(context)

    assert re.fullmatch("[0-9A-Z]{5}-[0-9A-Z]{5}", text)
    assert code == SignInCode(
        sign_in.parse_to_digest(text), "usr_ann", NOON, NOON + timedelta(minutes=10), "usr_ann", "tok_1"
    )
    assert ended == ()
    assert sign_in.is_live(code, code.expires_at - SECOND)
    assert not sign_in.is_live(code, code.expires_at)


def test_a_code_for_a_link_is_longer(context: ActionContext) -> None:
    code, text, _ = create(context, is_for_link=True)

    assert re.fullmatch("[0-9A-Z]{5}(-[0-9A-Z]{5}){4}", text)
    assert code.expires_at == NOON + timedelta(hours=1)


def test_a_code_of_the_command_line_depends_on_no_token(context: ActionContext) -> None:
    code, _, _ = create(replace(context, token_id=None))

    assert (code.created_by, code.token_id) == (None, None)


def test_a_code_is_found_however_it_is_typed(context: ActionContext) -> None:
    code, text, _ = create(context)
    typed = text.lower().replace("-", " ").replace("0", "o").replace("1", "l")

    assert sign_in.parse_to_digest(typed) == sign_in.parse_to_digest(text.replace("-", "")) == code.digest
    assert sign_in.parse_to_digest(text[:-1]) != code.digest


def test_another_code_ends_the_oldest_of_too_many(context: ActionContext) -> None:
    codes: list[SignInCode] = []
    for number in range(MAX_CODES_PER_USER):
        code, _, ended = create(replace(context, at=NOON + number * SECOND), *reversed(codes))
        codes.append(code)
        assert ended == ()

    assert create(context, *reversed(codes))[2] == (codes[0],)
    assert create(context, *codes, replace(codes[-1], digest="f" * 64))[2] == tuple(codes[:2])


def test_expired_codes_do_not_count(context: ActionContext) -> None:
    codes = [create(context)[0] for _ in range(MAX_CODES_PER_USER)]

    assert create(replace(context, at=NOON + timedelta(minutes=10)), *codes)[2] == ()


def test_a_code_becomes_a_session(context: ActionContext) -> None:
    code, _, _ = create(context)

    session, text, change = sign_in.sign_in(code, context, os.urandom, name="Phone")

    assert (session.user_id, session.name, session.kind) == ("usr_ann", "Phone", TokenKind.SESSION)
    assert (session.scopes, session.ancestor_ids, session.expires_at) == (tuple(Scope), (), None)
    assert session.digest == tokens.parse_to_digest(text)
    assert (change.creates, change.deletes) == ((session,), (code,))
