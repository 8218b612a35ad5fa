"""Search for users: an owner of the installation finds all, everybody else those with whom they share a board."""

from collections.abc import Iterator

from kanban.access import Caller
from kanban.store import Store
from kanban.text import fold
from kanban.values import Scope, User
from kanban.views import Page, PageKey

MAX_BOARDS = 100
"""In how many of the caller's boards, the newest, users are searched for."""
MAX_USERS_LOOKED_AT = 500
"""Users that one page looks at."""
_USERS_PER_READ = 100


def sees_all_users(caller: Caller, owner_ids: tuple[str, ...]) -> bool:
    """Tell whether the caller finds users with whom they share no board, and sees what concerns owners only."""
    return caller.user_id in owner_ids and Scope.ADMIN in caller.scopes and not caller.is_narrowed


def page_users(
    store: Store, caller: Caller, *, sees_all: bool, q: str | None, limit: int, after: PageKey | None = None
) -> Page[User]:
    """Return a page of users by id, those whose id or name contains `q`, ignoring case. Deleted ones are left out.

    It looks at MAX_USERS_LOOKED_AT users at most, so it may be empty while more follow.
    """
    pages = _read_all(store, after) if sees_all else _read_fellows(store, caller, after)
    text = None if q is None else fold(q)
    matches: list[User] = []
    looked_at = 0
    for users, is_last in pages:
        for number, user in enumerate(users, 1):
            if user.deleted_at is None and (text is None or text in fold(f"{user.id}\n{user.name}")):
                matches.append(user)
            looked_at += 1
            has_more = not is_last or number < len(users)
            if has_more and (len(matches) == limit or looked_at == MAX_USERS_LOOKED_AT):
                return Page(tuple(matches), (user.id,))
    return Page(tuple(matches))


def _read_all(store: Store, after: PageKey | None) -> Iterator[tuple[tuple[User, ...], bool]]:
    """Yield users by id, and whether these are the last."""
    while True:
        page = store.page_users(_USERS_PER_READ, after)
        yield tuple(page.items), page.next_key is None
        if page.next_key is None:
            return
        after = page.next_key


def _read_fellows(store: Store, caller: Caller, after: PageKey | None) -> Iterator[tuple[tuple[User, ...], bool]]:
    """Yield the users of the caller's boards by id, and whether these are the last. The caller is one of them."""
    by_board = store.read_fellow_ids(caller.user_id, MAX_BOARDS)
    user_ids = {user_id for board_id, ids in by_board.items() if caller.reaches(board_id) for user_id in ids}
    first = after[0] if after else ""
    remaining = sorted(user_id for user_id in user_ids | {caller.user_id} if user_id > str(first))
    for start in range(0, len(remaining), _USERS_PER_READ):
        users = store.read_users(remaining[start : start + _USERS_PER_READ])
        is_last = start + _USERS_PER_READ >= len(remaining)
        yield tuple(users[user_id] for user_id in sorted(users)), is_last
