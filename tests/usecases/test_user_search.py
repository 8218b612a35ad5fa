"""Pages of a search for users: each but the last is full, unless it has looked at as many users as one page may."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

import pytest

from kanban.access import Caller
from kanban.store import Store
from kanban.values import Scope, User
from kanban.views import Page, PageKey
from usecases.user_search import MAX_BOARDS, MAX_USERS_LOOKED_AT, page_users

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ALL = tuple(Scope)


class StoreOfUsers:
    """So many users, all of whom are members of one board, those with an even number of another one as well."""

    def __init__(self, count: int) -> None:
        self.users = {
            user_id: User(user_id, f"Name {user_id}", 1, NOON, NOON)
            for user_id in (f"usr_{number:04}" for number in range(count))
        }

    def page_users(self, limit: int, after: PageKey | None = None) -> Page[User]:
        """Return a page of all users."""
        ids = [user_id for user_id in self.users if after is None or user_id > str(after[0])]
        users = tuple(self.users[user_id] for user_id in ids[:limit])
        return Page(users, (users[-1].id,) if len(ids) > limit else None)

    def read_fellow_ids(self, _: str, max_boards: int) -> Mapping[str, Sequence[str]]:
        """Return the members of the boards."""
        assert max_boards == MAX_BOARDS
        return {"brd_1": [*self.users], "brd_2": [*self.users][::2]}

    def read_users(self, user_ids: Sequence[str]) -> Mapping[str, User]:
        """Return users by id."""
        return {user_id: self.users[user_id] for user_id in user_ids}


def read_pages(
    count: int, limit: int, *, sees_all: bool, q: str | None = None, caller: Caller | None = None
) -> list[int]:
    """Read all pages of a search; return how many users each has. They are in order, and none is missing."""
    store = StoreOfUsers(count)
    caller = caller or Caller("usr_0000", "tok_1", ALL)
    user_ids, lengths, after = [], [], None
    while True:
        page = page_users(cast("Store", store), caller, sees_all=sees_all, q=q, limit=limit, after=after)
        user_ids += [user.id for user in page.items]
        lengths.append(len(page.items))
        after = page.next_key
        if after is None:
            break
    assert user_ids == [user_id for user_id in store.users if user_id in user_ids]
    return lengths


@pytest.mark.parametrize("sees_all", [False, True])
@pytest.mark.parametrize(
    ("count", "limit", "lengths"),
    [
        (1, 1, [1]),
        (3, 2, [2, 1]),
        (4, 2, [2, 2]),
        (99, 100, [99]),
        (100, 100, [100]),
        (101, 100, [100, 1]),
        (200, 100, [100, 100]),
        (201, 150, [150, 51]),
        (200, 200, [200]),
        (201, 200, [200, 1]),
    ],
)
def test_every_page_but_the_last_is_full(count: int, limit: int, lengths: list[int], sees_all: bool) -> None:
    assert read_pages(count, limit, sees_all=sees_all) == lengths


@pytest.mark.parametrize("sees_all", [False, True])
@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_a_page_looks_at_so_many_users_at_most(extra: int, sees_all: bool) -> None:
    count = MAX_USERS_LOOKED_AT + extra

    assert read_pages(count, 10, sees_all=sees_all, q="nobody") == [0] * (2 if extra > 0 else 1)
    assert read_pages(count, 10, sees_all=sees_all, q=f"NAME USR_{count - 1:04}") == [0] * (extra > 0) + [1]


def test_a_narrowed_token_finds_the_members_of_boards_in_reach() -> None:
    caller = Caller("usr_0001", "tok_1", ALL)

    reaching = [
        caller._replace(limits=caller.limits._replace(board_ids=board_ids))
        for board_ids in (("brd_1",), ("brd_2",), ("brd_3",))
    ]

    # The caller is always among them.
    assert [read_pages(10, 100, sees_all=False, caller=caller) for caller in reaching] == [[10], [6], [1]]
