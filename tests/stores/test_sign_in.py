"""Sessions and sign-in codes, on every engine: a code lets one session in, however many ask at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kanban import sign_in, tokens
from kanban.changes import ActionContext, Change
from kanban.store import StaleRead
from kanban.values import SignInCode, Token, TokenKind
from tests.stores.conftest import OpenStore
from tests.stores.world import World


def add_code(world: World, **fields: Any) -> SignInCode:
    code, _, change = sign_in.create_code(
        world.context(),
        world.random_bytes,
        user_id=world.ann.id,
        present_codes=world.store.sign_in.list_codes(world.ann.id),
        is_for_link=False,
    )
    code = replace(code, **fields)
    world.store.commit(replace(change, creates=(code,)))
    return code


def add_session(world: World, name: str = "Phone") -> Token:
    session, _, change = tokens.open_session(world.context(), world.random_bytes, user_id=world.ann.id, name=name)
    world.store.commit(change)
    return session


def prepare_sign_in(world: World, code: SignInCode) -> tuple[Token, Change]:
    session, _, change = sign_in.sign_in(code, world.context(), world.random_bytes, name="Phone")
    return session, change


def test_a_code_is_read_by_its_digest(world: World) -> None:
    code = add_code(world)
    other = add_code(world, created_by=world.ann.id, token_id="tok_1")

    assert world.store.sign_in.read_code(code.digest) == code
    assert world.store.sign_in.read_code(other.digest) == other
    assert world.store.sign_in.read_code("0" * 64) is None
    assert {*world.store.sign_in.list_codes(world.ann.id)} == {code, other}
    assert [*world.store.sign_in.list_codes("nobody")] == []


def test_codes_are_listed_oldest_first(world: World) -> None:
    codes = []
    for _ in range(3):
        codes.append(add_code(world))
        world.advance(seconds=1)

    assert [*world.store.sign_in.list_codes(world.ann.id)] == codes


def test_a_code_becomes_one_session(world: World) -> None:
    code = add_code(world)
    session, change = prepare_sign_in(world, code)
    _, second = prepare_sign_in(world, code)
    world.store.commit(change)

    assert world.store.sign_in.read_code(code.digest) is None
    assert [*world.store.sign_in.list_codes(world.ann.id)] == []
    assert world.store.read_token_by_digest(session.digest) == (session, world.ann)
    with pytest.raises(StaleRead):
        world.store.commit(second)
    assert world.store.page_tokens(world.ann.id, 10, None, TokenKind.SESSION).items == (session,)


def test_one_of_many_who_use_a_code_at_once_gets_in(world: World, open_again: OpenStore) -> None:
    code = add_code(world)
    attempts = [(open_again(), prepare_sign_in(world, code)[1]) for _ in range(6)]

    def commit(attempt: tuple[Any, Change]) -> bool:
        try:
            attempt[0].commit(attempt[1])
        except StaleRead:
            return False
        return True

    with ThreadPoolExecutor(len(attempts)) as threads:
        successes = [*threads.map(commit, attempts)]

    assert successes.count(True) == 1
    assert len(world.store.page_tokens(world.ann.id, 10, None, TokenKind.SESSION).items) == 1


def test_a_code_that_another_one_ends_lets_nobody_in(world: World) -> None:
    codes = []
    for _ in range(sign_in.MAX_CODES_PER_USER + 1):
        codes.append(add_code(world))
        world.advance(seconds=1)

    assert world.store.sign_in.read_code(codes[0].digest) is None
    assert [*world.store.sign_in.list_codes(world.ann.id)] == codes[1:]
    with pytest.raises(StaleRead):
        world.store.commit(prepare_sign_in(world, codes[0])[1])


def test_expired_codes_are_in_nobodys_way(world: World) -> None:
    for _ in range(sign_in.MAX_CODES_PER_USER):
        add_code(world)
    world.advance(minutes=10)
    code = add_code(world)

    assert world.store.sign_in.read_code(code.digest) == code


def test_expired_codes_are_erased(world: World) -> None:
    expired = add_code(world)
    kept = add_code(world, expires_at=world.now + timedelta(hours=1))
    world.advance(minutes=10)
    while world.store.purge_expired(world.now, 1):
        pass

    # DynamoDB erases them by itself, when it gets to them.
    assert world.store.sign_in.read_code(expired.digest) in (None, expired)
    assert world.store.sign_in.read_code(kept.digest) == kept


def test_sessions_and_tokens_are_listed_apart(world: World) -> None:
    token, session = world.add_token(), add_session(world)
    other = add_session(world, "Laptop")

    assert world.store.page_tokens(world.ann.id, 10).items == (token,)
    assert world.store.page_tokens(world.ann.id, 10, None, TokenKind.API).items == (token,)
    first = world.store.page_tokens(world.ann.id, 1, None, TokenKind.SESSION)
    assert first.items == (other,)
    assert world.store.page_tokens(world.ann.id, 1, first.next_key, TokenKind.SESSION).items == (session,)


def test_all_of_a_token_of_a_session_is_stored(world: World) -> None:
    session = add_session(world)
    token = world.add_token(parent=session)

    assert token.session_id == session.id
    assert world.store.read_token(world.ann.id, token.id) == token
    assert world.store.read_token_by_digest(token.digest) == (token, world.ann)


def test_a_session_is_found_by_its_use_and_ends_at_once(world: World) -> None:
    session = add_session(world)
    world.advance(hours=2)
    world.store.record_token_use(session.id, world.now)
    used = replace(session, last_used_at=world.now)
    assert world.store.read_token(world.ann.id, session.id) == used

    ended, change = tokens.revoke(used, world.context(), caller_token=used)
    assert change is not None
    world.store.commit(change)

    assert world.store.read_token_by_digest(session.digest) == (ended, world.ann)
    assert world.store.page_tokens(world.ann.id, 10, None, TokenKind.SESSION).items == ()


def test_a_code_of_the_command_line_is_stored_without_its_creator(world: World) -> None:
    context = ActionContext("", world.now, world.context().new_id)
    code, _, change = sign_in.create_code(
        context, world.random_bytes, user_id=world.ann.id, present_codes=(), is_for_link=True
    )
    world.store.commit(change)

    assert world.store.sign_in.read_code(code.digest) == code
    assert (code.created_by, code.token_id) == (None, None)
