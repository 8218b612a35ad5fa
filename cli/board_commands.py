"""The commands about boards: list, export, import and delete any of the installation."""

import re
from collections.abc import Iterator
from dataclasses import replace

from cli.command import CommandError, Settings, act_for, ensure_confirmed, open_existing_store
from cli.progress import ProgressBar
from cli.user_accounts import read_users
from kanban import boards
from kanban.access import Caller
from kanban.changes import BoardStep, Change
from kanban.errors import NotFound
from kanban.store import EventQuery, Store
from kanban.timekeeping.timestamps import format_utc
from kanban.values import Role, Scope
from kanban.views import BoardSummary, PageKey
from usecases import user_boards
from usecases.board_access import BoardAccess

_BOARD_ID = re.compile("[a-z0-9_]{1,64}")
_BOARDS_PER_READ = 100


def list_boards(settings: Settings) -> None:
    """List the boards of all users: id, state, when it was changed last, members, cards, owners, and name.

    Deleted boards are left out.
    """
    with open_existing_store(settings) as store:
        for line in _describe_boards(store):
            print(line)


def delete_board(settings: Settings) -> None:
    """Delete a board, as an owner of it could: for 30 days one of its owners can restore it, then a purge erases it.

    The event names the first owner of the installation, and no token.
    """
    with open_existing_store(settings) as store:
        summary = _summarize(store, settings.board_id)
        if summary is None or summary.board.deleted_at is not None:
            raise CommandError(f"There is no board with the id '{settings.board_id}'.")
        name, cards = summary.board.name, _count(summary.card_count, "card")
        ensure_confirmed(settings, f"Delete the board '{name}' with {cards}?")
        _delete(store, summary)
    print(f"The board '{name}' is deleted. One of its owners can restore it for 30 days.")


def export_board(settings: Settings) -> None:
    """Write one board to a new file: all of it, or its cards as a table if the file's name ends in .csv.

    The board's digest is printed: boards with equal digests are equal.
    """
    from cli import board_files  # noqa: PLC0415 - a server needs none of it.

    if settings.file is None:
        raise CommandError("Name the file.")
    try:
        with open_existing_store(settings) as store, ProgressBar() as progress:
            digest = board_files.export_board_to_file(store, settings.board_id, settings.file, progress)
    except board_files.BoardFileError as error:
        raise CommandError(str(error)) from None
    print(digest or f"The cards are in {settings.file}.")


def _summarize(store: Store, board_id: str) -> BoardSummary | None:
    """Return what is on a board, None if there is none with that id."""
    return store.summarize_board(board_id) if _BOARD_ID.fullmatch(board_id) else None


def _describe_boards(store: Store) -> Iterator[str]:
    for board_id in _list_board_ids(store):
        summary = store.summarize_board(board_id)
        if summary is None or summary.board.deleted_at is not None:
            continue
        board, members = summary.board, summary.members
        owner_ids = sorted(member.user_id for member in members if member.role is Role.OWNER)
        yield "  ".join(
            (
                board.id,
                "archived" if board.archived_at else "active  ",
                _find_last_change(store, summary),
                f"{_count(len(members), 'member'):11}",
                f"{_count(summary.card_count, 'card'):11}",
                f"{','.join(owner_ids):30}",
                board.name,
            )
        )


def _list_board_ids(store: Store) -> Iterator[str]:
    """Yield the id of every board once. Each has a member."""
    seen: set[str] = set()
    for user in read_users(store):
        after: PageKey | None = None
        while True:
            page = store.page_board_ids(user.id, _BOARDS_PER_READ, after)
            yield from (board_id for board_id in page.items if board_id not in seen)
            seen.update(page.items)
            after = page.next_key
            if after is None:
                break


def _find_last_change(store: Store, summary: BoardSummary) -> str:
    """Return when something on the board was changed last."""
    query = EventQuery(newest_first=True)
    view_and_page = store.page_events(summary.board.id, _find_reader_id(summary), query, 1)
    events = view_and_page[1].items if view_and_page else ()
    return format_utc(max([summary.board.updated_at, *(event.at for event in events)]))


def _find_reader_id(summary: BoardSummary) -> str:
    """Return the id of a member, in whose name the store shows the board."""
    return summary.members[0].user_id if summary.members else ""


def _delete(store: Store, summary: BoardSummary) -> None:
    context, _ = act_for(store, None)
    caller = Caller(_find_reader_id(summary), "", tuple(Scope))
    access = BoardAccess(store, caller, Scope.READ, Role.VIEWER)

    def decide() -> Change | None:
        try:
            view, running = access.read_running_cards(summary.board.id)
        except NotFound:
            return None
        return replace(boards.delete(view, context, running), is_by_installation=True)

    user_boards.commit_step(store, BoardStep(summary.board.id, decide))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
