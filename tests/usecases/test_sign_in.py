"""Other ways in are looked for on all pages of tokens."""

from datetime import UTC, datetime
from typing import cast

import pytest

from kanban.access import Caller
from kanban.store import Store
from kanban.values import Scope, Token, TokenKind
from kanban.views import Page, PageKey
from usecases.sign_in import has_other_way_in

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ALL = tuple(Scope)
CALLER = Caller("usr_ann", "tok_0", ALL)


class StoreOfTokens:
    """A store with pages of tokens for programs, and no session but the caller's."""

    def __init__(self, *pages: tuple[Token, ...]) -> None:
        self.pages = pages
        self.reads: list[tuple[TokenKind, PageKey | None]] = []

    def page_tokens(self, user_id: str, _: int, after: PageKey | None, kind: TokenKind) -> Page[Token]:
        """Return a page of the user's tokens."""
        assert user_id == CALLER.user_id
        self.reads.append((kind, after))
        if kind is TokenKind.SESSION:
            return Page((SESSION,))
        number = int(after[0]) if after else 0
        return Page(self.pages[number], (number + 1,) if number + 1 < len(self.pages) else None)


def build_token(number: int, scopes: tuple[Scope, ...], kind: TokenKind = TokenKind.API) -> Token:
    return Token(f"tok_{number}", CALLER.user_id, "Name", "digest", scopes, 1, NOON, kind=kind)


SESSION = build_token(0, ALL, TokenKind.SESSION)
LIMITED = build_token(1, (Scope.READ,))
FULL = build_token(2, ALL)


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        (((),), False),
        (((LIMITED,),), False),
        (((LIMITED, FULL),), True),
        (((LIMITED,), (FULL,)), True),
        (((LIMITED,), (LIMITED,), (LIMITED,)), False),
        (((LIMITED,),) * 9 + ((FULL,),), True),
        (((LIMITED,),) * 10 + ((FULL,),), False),
    ],
)
def test_another_way_in_is_looked_for_on_ten_pages(pages: tuple[tuple[Token, ...], ...], expected: bool) -> None:
    store = StoreOfTokens(*pages)

    assert has_other_way_in(cast("Store", store), SESSION, CALLER, [], [], now=NOON) == expected

    assert len(store.reads) == len(set(store.reads)) <= 1 + min(len(pages), 10)
