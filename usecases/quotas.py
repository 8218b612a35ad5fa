"""Quotas: how much of an installation a user may take."""

from kanban.store import Store
from kanban.views import PageKey

_BOARDS_PER_READ = 100


def has_created_boards(store: Store, user_id: str, number: int) -> bool:
    """Tell whether a user has created so many of the boards that they are on, archived ones included."""
    for archived in (False, True):
        after: PageKey | None = None
        while number > 0:
            page = store.page_boards(user_id, _BOARDS_PER_READ, after, archived=archived)
            number -= sum(board.created_by == user_id for board, _ in page.items)
            after = page.next_key
            if after is None:
                break
    return number <= 0
