"""What happens on the boards of a user who is deactivated or reactivated, board by board.

Each board is written by itself, with an event. When all are done, no request that the user sent before can change any
of them: the membership says so, and every commit depends on it.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain

from kanban import members, users
from kanban.access import Caller
from kanban.archive import MAX_STOPPED_CLOCKS
from kanban.changes import ActionContext, BoardStep, Change
from kanban.errors import NotFound
from kanban.store import StaleRead, Store
from kanban.values import Board, Role, Scope, User
from kanban.views import BoardView, PageKey
from usecases.board_access import BoardAccess
from usecases.bots import list_bots, read_owner

MAX_LISTED_BOARDS = 100
"""Boards without an owner that a response names, and that one request gives another owner."""
_BOARDS_PER_READ = 100
_MAX_ATTEMPTS = 12


def deactivate(store: Store, user: User, owner_ids: tuple[str, ...], context: ActionContext) -> tuple[User, Change]:
    """Return the deactivated user, and the change that deactivates them and their bots, with its steps.

    If that was done before, only what is left undone remains to be done. Raises LastInstallationOwner.
    """
    own_bots = list_bots(store, user)
    updated, change = users.deactivate(user, owner_ids, context, own_bots)
    steps = chain.from_iterable(build_deactivation_steps(store, one.id, context) for one in (user, *own_bots))
    return updated, (change or Change()).merge(Change(steps=tuple(steps)))


def reactivate(store: Store, user: User, context: ActionContext) -> tuple[User, Change]:
    """Return the active user, and the change that reactivates them, with its steps; bots of theirs stay as they are.

    Raises UserDeleted, UserDeactivated for a bot of a deactivated person.
    """
    updated, change = users.reactivate(user, context, read_owner(store, user))
    return updated, (change or Change()).merge(Change(steps=build_reactivation_steps(store, user.id, context)))


def build_deactivation_steps(store: Store, user_id: str, context: ActionContext) -> tuple[BoardStep, ...]:
    """Return what is to be done on the boards of a user who is deactivated: stop their clocks, and mark them."""
    access = BoardAccess(store, Caller(user_id, "", tuple(Scope)), Scope.READ, Role.VIEWER)

    def decide(board_id: str) -> Change | None:
        if not _is_deactivated(store, user_id):
            return None
        try:
            view, running = access.read_running_cards_of_user(board_id, user_id)
        except NotFound:
            return None
        return members.deactivate(view, user_id, context, running)

    return tuple(BoardStep(board.id, partial(decide, board.id)) for board, _ in _read_boards(store, user_id))


def build_reactivation_steps(store: Store, user_id: str, context: ActionContext) -> tuple[BoardStep, ...]:
    """Return what is to be done on the boards of a user who is reactivated."""

    def decide(board_id: str) -> Change | None:
        view = None if _is_deactivated(store, user_id) else store.read_board(board_id, user_id)
        return members.reactivate(view, user_id, context) if view else None

    return tuple(BoardStep(board.id, partial(decide, board.id)) for board, _ in _read_boards(store, user_id))


def build_bot_removal_steps(
    store: Store, view: BoardView, person_id: str, context: ActionContext
) -> tuple[BoardStep, ...]:
    """Return what removes the bots of a person from a board that the person leaves, and stops their clocks."""
    person = store.read_user(person_id)
    bot_ids = [member.user_id for member in view.members if person and member.user_id in person.bot_ids]

    def decide(bot_id: str) -> Change | None:
        access = BoardAccess(store, Caller(bot_id, "", tuple(Scope)), Scope.READ, Role.VIEWER)
        try:
            view_of_bot, running = access.read_running_cards_of_user(view.board.id, bot_id)
        except NotFound:
            return None
        if len(running) == MAX_STOPPED_CLOCKS:
            # There may be more, which stop with another change.
            return members.deactivate(view_of_bot, bot_id, context, running)
        return members.remove_by_installation(view_of_bot, bot_id, context, running)

    return tuple(BoardStep(view.board.id, partial(decide, bot_id)) for bot_id in bot_ids)


def list_boards_without_owner(store: Store, user_id: str) -> list[BoardView]:
    """Return boards of which this user is the only owner who may be active, at most MAX_LISTED_BOARDS."""
    views: list[BoardView] = []
    for board, role in _read_boards(store, user_id):
        view = store.read_board(board.id, user_id) if role is Role.OWNER else None
        if view is None or not members.needs_owner(view, user_id):
            continue
        views.append(view)
        if len(views) == MAX_LISTED_BOARDS:
            break
    return views


def build_transfer_steps(
    store: Store, boards: list[BoardView], user_id: str, to_user_id: str, context: ActionContext
) -> tuple[BoardStep, ...]:
    """Return what makes another user an owner of these boards of a deactivated user, which have no active one."""

    def decide(board_id: str) -> Change | None:
        view = store.read_board(board_id, user_id)
        return members.appoint_owner(view, to_user_id, context) if view else None

    return tuple(BoardStep(view.board.id, partial(decide, view.board.id)) for view in boards)


def commit_step(store: Store, step: BoardStep, pause: Callable[[int], None] = lambda _: None) -> None:
    """Commit the changes of a step; `pause` is called with the number of the attempt after each that was stale.

    Raises StaleRead: other writers were first too often.
    """
    attempt = 0
    while (change := step.decide()) is not None:
        try:
            store.commit(change)
        except StaleRead:
            attempt += 1
            if attempt == _MAX_ATTEMPTS:
                raise
            pause(attempt)


def _is_deactivated(store: Store, user_id: str) -> bool:
    """Tell whether the user is deactivated now: the opposite may have been asked for meanwhile."""
    user = store.read_user(user_id)
    return user is not None and user.deactivated_at is not None


def _read_boards(store: Store, user_id: str) -> Iterator[tuple[Board, Role]]:
    return chain.from_iterable(_read_boards_of_kind(store, user_id, archived=archived) for archived in (False, True))


def _read_boards_of_kind(store: Store, user_id: str, *, archived: bool) -> Iterator[tuple[Board, Role]]:
    after: PageKey | None = None
    while True:
        page = store.page_boards(user_id, _BOARDS_PER_READ, after, archived=archived)
        yield from page.items
        after = page.next_key
        if after is None:
            return
