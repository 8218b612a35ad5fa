"""The steps of the job that deletes a user: board by board, and then what is left of the user.

Each step is decided from what is stored. So it does not matter where the one before was interrupted, or who does it.
"""

from collections.abc import Iterator

from kanban import audit_log, jobs, members, users
from kanban.access import Caller
from kanban.archive import MAX_STOPPED_CLOCKS
from kanban.changes import ActionContext, BoardStep, Change
from kanban.jobs import Advanced, Done, Failed, Outcome
from kanban.store import Store
from kanban.users import BoardsWithoutOwner, UserActive
from kanban.values import Card, Job, JobKind, Role, Scope, User
from kanban.views import BoardView, PageKey
from usecases.board_access import BoardAccess
from usecases.bots import list_bots, read_owner
from usecases.user_boards import commit_step, list_boards_without_owner

_BOARDS_PER_READ = 500
_ERASED_PER_STEP = 100


class _OwnerNeeded(Exception):
    """Raised when the user is the only active owner of a live board."""


def start(store: Store, user: User, context: ActionContext) -> Job:
    """Return a new job that deletes a user. Raises UserActive, BoardsWithoutOwner."""
    users.ensure_deactivated(user)
    boards = list_boards_without_owner(store, user.id)
    if boards:
        raise BoardsWithoutOwner([view.board.id for view in boards])
    return jobs.create(JobKind.DELETE_USER, user.id, context)


def do_step(store: Store, job: Job, context: ActionContext) -> Outcome:
    """Do one step of such a job; `context` is that of the owner who has started it. Raises StaleRead."""
    user = store.read_user(job.subject_id)
    if user is None or user.deactivated_at is None:
        return Failed(UserActive.code)
    own_bots = list_bots(store, user)
    if job.total is None:
        return Advanced(0, sum(1 for one in (*own_bots, user) for _ in _list_board_ids(store, one.id)))
    # Bots come first: what is left of the person leads to them.
    return _delete_bit(store, job, job.total, own_bots[0] if own_bots else user, context)


def _delete_bit(store: Store, job: Job, total: int, subject: User, context: ActionContext) -> Outcome:
    """Do a step of the deletion of the user of the job, or of one of their bots."""
    board_id = _find_board(store, subject.id)
    if board_id is not None:
        try:
            _leave_board(store, board_id, subject.id, context)
        except _OwnerNeeded:
            return Failed(BoardsWithoutOwner.code)
        return Advanced(job.done + 1, max(job.done + 1, total))
    is_bot_of_user = subject.id != job.subject_id
    if is_bot_of_user and store.erase_user(subject.id, _ERASED_PER_STEP):
        return Advanced(job.done, total)
    _, change = users.delete(subject, context, read_owner(store, subject))
    if change is not None:
        store.commit(audit_log.record(change, context))
        return Advanced(job.done, total)
    # Until the name is gone, another response with it could be stored.
    return Advanced(job.done, total) if store.erase_user(subject.id, _ERASED_PER_STEP) else Done()


def _list_board_ids(store: Store, user_id: str) -> Iterator[str]:
    after: PageKey | None = None
    while True:
        page = store.page_board_ids(user_id, _BOARDS_PER_READ, after)
        yield from page.items
        after = page.next_key
        if after is None:
            return


def _find_board(store: Store, user_id: str) -> str | None:
    """Return the id of a live or deleted board that the user is a member of."""
    board_ids = _list_board_ids(store, user_id)
    return next((board_id for board_id in board_ids if store.read_deleted(board_id, user_id)), None)


def _leave_board(store: Store, board_id: str, user_id: str, context: ActionContext) -> None:
    """Remove the user from a board, and erase what their webhooks have been answered. Raises _OwnerNeeded."""
    for webhook in store.webhooks.list_webhooks(board_id):
        if webhook.owner_id == user_id:
            store.webhooks.erase_deliveries(board_id, webhook.id)

    def decide() -> Change | None:
        board = _read_board(store, board_id, user_id)
        if board is None:
            return None
        view, running = board
        if view.board.deleted_at is None and members.needs_owner(view, user_id):
            raise _OwnerNeeded
        if len(running) == MAX_STOPPED_CLOCKS:
            # There may be more, which stop with another change.
            return members.deactivate(view, user_id, context, running)
        return members.remove_by_installation(view, user_id, context, running)

    commit_step(store, BoardStep(board_id, decide))


def _read_board(store: Store, board_id: str, user_id: str) -> tuple[BoardView, tuple[Card, ...]] | None:
    """Return a board of the user with cards whose clocks run in the user's name: on a deleted one, none does."""
    view = store.read_deleted(board_id, user_id)
    if view is None or view.board.deleted_at is not None:
        return (view, ()) if view else None
    access = BoardAccess(store, Caller(user_id, "", tuple(Scope)), Scope.READ, Role.VIEWER)
    return access.read_running_cards_of_user(board_id, user_id)
