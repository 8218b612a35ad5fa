"""The command line: run the server, make a token, migrate, back up, restore, export, import and purge.

Whatever can go wrong for a person who types a command is told in one sentence on stderr, with exit status 1. Only
`run` and `restore` create a store; only `run` and `migrate` bring an older one up to date.
"""

import argparse
import errno
import inspect
import logging
import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path

from app.configuration import MAX_PORT, InvalidSetting, read_app_settings, read_log_format, read_number
from cli.progress import ProgressBar
from contract.log_lines import FORMATTERS, configure_root_logger
from kanban import tokens, users
from kanban.archive import PURGE_AFTER
from kanban.changes import ActionContext, Change
from kanban.ids import IdGenerator
from kanban.store import Store, StoreError
from kanban.values import Scope
from server import waitress_server
from stores import OpenMode, StoreOpenError, open_store

_ENVIRONMENT_HELP = """\
environment:
  HOST          the address to listen on (default: 127.0.0.1, which only this machine reaches)
  PORT          the port to listen on (default: 8080; 0 takes a free one)
  STORE_URL     where everything is kept (default: sqlite:///tackboard.db, a file in this folder)
  OPEN_SIGNUP   1 lets anyone who reaches the server make a user, 0 only the owner (default: 0)
  RATE_LIMIT    requests that each user may make in a minute, 0 for as many as they like (default: 3000)
  CORS_ORIGINS  web origins whose pages may call, with commas between (default: none)
  LOG_FORMAT    how the log is written, json or text (default: text on a terminal, else json)
"""

_USER_ID = re.compile("[a-z0-9_-]{1,64}")
_EXIT_INTERRUPTED = 130
"""The exit status of a command that Ctrl-C stopped, as shells have it."""

_BACKUP_FOLDER = Path("backups")
"""The folder of backups that are named by their date."""

_PURGE_BATCH_SIZE = 500
"""Things that a purge erases in one step: a server that runs meanwhile hardly notices."""


class CommandError(Exception):
    """Something a person can mend; the message is one sentence that says what."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says."""

    host: str
    port: int
    store_url: str
    open_signup: bool
    file: Path | None
    """The file that the command is about, where one was named."""
    board_id: str = ""
    """The board that is exported."""
    user_id: str | None = None
    """The user who gets a token, None for the owner."""


def read_settings(
    environment: Mapping[str, str], file: str | None = None, board_id: str = "", user_id: str | None = None
) -> Settings:
    """The settings; raises InvalidSetting for a value that can't be meant."""
    return Settings(
        host=environment.get("HOST") or "127.0.0.1",
        port=read_number(environment, "PORT", 8080, MAX_PORT),
        store_url=environment.get("STORE_URL") or "sqlite:///tackboard.db",
        open_signup=read_app_settings(environment)["open_signup"],
        file=None if file is None else Path(file),
        board_id=board_id,
        user_id=user_id,
    )


def run(settings: Settings) -> None:
    """Serve until someone stops it. The first run makes the owner and shows the owner's first token, once.

    A store of an older Tackboard is brought up to date; a SQLite file is copied before, into another one next to it.
    """
    # The port comes first: when somebody else has it, nothing is made.
    with _open_listener(settings.host, settings.port) as listening:
        with closing(open_store(settings.store_url, report=_print_message)) as store:
            text = None if store.read_installation_owner() else _issue_token(store)
        # The application is configured by its environment, as under any other server.
        os.environ["STORE_URL"] = settings.store_url
        import wsgi  # noqa: PLC0415 - importing it opens the store.

        address = _browser_address(settings.host, listening.getsockname()[1])
        print(_format_greeting(address, text, open_signup=settings.open_signup), flush=True)
        waitress_server.serve(wsgi.application, listening, wsgi.application.log_rejected_request)
    print("Stopped.")


def token(settings: Settings) -> None:
    """Print a new token, alone on the last line.

    Without USER it is the owner's, for everything; a store without one gets its owner first. With USER it is that
    user's, for reading and writing: for somebody who has lost theirs.
    """
    with _open_existing_store(settings) as store:
        text = _issue_token(store, settings.user_id)
    whose, scopes = "the owner", "reading, writing and administration"
    if settings.user_id is not None:
        whose, scopes = f"the user '{settings.user_id}'", "reading and writing"
    _print_message(f"A new token of {whose}, for {scopes}. It is not shown again.")
    print(text)


def migrate(settings: Settings) -> None:
    """Bring a store of an older Tackboard up to date; change nothing in one that is.

    A SQLite file is copied before, into another one next to it. Back up PostgreSQL yourself before.
    """
    reports: list[str] = []
    open_store(settings.store_url, mode=OpenMode.MIGRATE, report=reports.append).close()
    print("\n".join(reports) or "The store is up to date: there is nothing to migrate.")


def backup(settings: Settings) -> None:
    """Copy everything, as of one moment and while it is in use, into a new file; print the digest of the copy.

    Without FILE it goes into the folder backups here, under the store's name and the time in UTC, and the last 14 of
    these stay; older ones are deleted.
    """
    from stores import backup as copies  # noqa: PLC0415 - a server needs none of it.

    with ProgressBar() as progress:
        if settings.file is not None:
            copied = copies.create_backup(settings.store_url, settings.file, progress)
        else:
            path, copied, deleted = copies.create_dated_backup(
                settings.store_url, _BACKUP_FOLDER, datetime.now(UTC), progress
            )
            _print_message("\n".join([f"The backup is {path}.", *(f"Deleted {old}." for old in deleted)]))
    print(copied)


def restore(settings: Settings) -> None:
    """Copy a backup into an empty store, all of it or nothing; print the digest of the copy.

    A missing store is created. A backup that was changed or cut off is refused before anything is touched.
    """
    from stores import backup as copies  # noqa: PLC0415 - a server needs none of it.

    with ProgressBar() as progress:
        copied = copies.restore_backup(_require_file(settings), settings.store_url, progress, _print_message)
    print(copied)


def digest(settings: Settings) -> None:
    """Print a digest of everything in the store: two stores with the same digest hold the same."""
    from stores import backup as copies  # noqa: PLC0415 - a server needs none of it.

    print(copies.compute_digest(settings.store_url))


def purge(settings: Settings) -> None:
    """Erase for good what was deleted more than 31 days ago, and answers kept for idempotency keys that have expired.

    The server may run meanwhile. Whatever stops a purge, the next one goes on where it stopped.
    """
    erased, since = 0, f"deleted more than {PURGE_AFTER.days} days ago"
    now = datetime.now(UTC).replace(microsecond=0)
    try:
        with _open_existing_store(settings) as store, ProgressBar() as progress:
            # These are no things of anybody: they are not counted.
            while store.purge_expired_responses(now, _PURGE_BATCH_SIZE):
                pass
            while step := store.purge(now - PURGE_AFTER, _PURGE_BATCH_SIZE):
                erased += step
                progress("erased", erased)
    except KeyboardInterrupt:
        print(f"Stopped. Erased so far: {erased:,}. The next purge erases the rest.")
    else:
        print(f"Erased what was {since}: {erased:,} in all." if erased else f"There is nothing that was {since}.")


def export(settings: Settings) -> None:
    """Write one board into a new file: all of it, or its cards as a table if the file's name ends in .csv.

    The board must be one that the owner is a member of. Prints its digest: boards with the same digest are equal.
    """
    from cli import board_files  # noqa: PLC0415 - a server needs none of it.

    try:
        with _open_existing_store(settings) as store, ProgressBar() as progress:
            digest = board_files.export_board_to_file(store, settings.board_id, _require_file(settings), progress)
    except board_files.BoardFileError as trouble:
        raise CommandError(str(trouble)) from None
    print(digest or f"The cards are in {settings.file}.")


def import_(settings: Settings) -> None:
    """Make a board of the owner of what Tackboard or Trello exported.

    All or nothing, from a file of any size. The same export again changes nothing.
    """
    from cli import board_files  # noqa: PLC0415 - a server needs none of it.

    try:
        with _open_existing_store(settings) as store, ProgressBar() as progress:
            made = board_files.import_board_from_file(store, _require_file(settings), progress)
    except board_files.BoardFileError as trouble:
        raise CommandError(str(trouble)) from None
    if isinstance(made, str):
        print(f"This board was imported before, as {made}. Nothing was changed.")
        return
    view, report = made
    brought = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in report.counts.items())
    print(f"'{view.board.name}' is here, as {view.board.id}: {brought}.")
    for line in report.lines:
        print(f"- {line.kind} {line.name}".rstrip() + f": {line.message}")
    if report.omitted_lines:
        print(f"- and {report.omitted_lines} more of the kind")


COMMANDS: Mapping[Callable[[Settings], None], str] = {
    run: "start the server; the first run prints an address with a token",
    token: "print a new token of the owner, or of a user who has lost theirs",
    migrate: "bring a store of an older Tackboard up to date",
    backup: "copy everything into a new file, while the server may run",
    restore: "copy a backup into an empty store",
    digest: "print a digest of everything in the store",
    export: "write a board, or its cards as a table, into a new file",
    import_: "make a board of what Tackboard or Trello exported",
    purge: "erase for good what was deleted more than 31 days ago, while the server may run",
}
"""Every command and what it does, in a few words."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit status."""
    asked = _build_parser().parse_args(arguments)
    command: Callable[[Settings], None] = asked.command
    # Requests that wait for a thread are no event: they are answered a moment later.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    try:
        configure_root_logger(sys.stderr, FORMATTERS[read_log_format(os.environ, is_terminal=sys.stderr.isatty())])
        about = getattr(asked, "file", None), getattr(asked, "board", ""), getattr(asked, "user", None)
        command(read_settings(os.environ, *about))
        # What can't be printed is told here, and not by Python at its end.
        sys.stdout.flush()
    except (CommandError, InvalidSetting, StoreOpenError) as trouble:
        _print_message(str(trouble))
        return 1
    except StoreError as error:
        _print_message(f"The store can't be used right now: {error}")
        return 1
    except OSError as error:
        if not error.filename:
            _discard_output()
        what = error.filename or "The output"
        _print_message(f"{what} can't be used: {(error.strerror or 'unknown error').lower()}.")
        return 1
    except KeyboardInterrupt:
        # Of a server that is what ends it; what else is stopped has not done what it was to do.
        print("Stopped.", file=sys.stdout if command is run else sys.stderr)
        return 0 if command is run else _EXIT_INTERRUPTED
    return 0


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cli/main.py",
        description="A kanban board as an API.",
        epilog=_ENVIRONMENT_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    for command, summary in COMMANDS.items():
        added = commands.add_parser(
            command.__name__.strip("_"),
            help=summary,
            description=inspect.getdoc(command),
            epilog=_ENVIRONMENT_HELP,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(command=command)
        if command is token:
            added.add_argument("user", metavar="USER", nargs="?", help="the id of the user (default: the owner)")
        if command is export:
            added.add_argument("board", metavar="BOARD", help="the id of the board, brd_…")
            added.add_argument("file", metavar="FILE", help="the file to write; one that ends in .csv gets the cards")
        if command is import_:
            added.add_argument("file", metavar="FILE", help="the export, a JSON file")
        if command is backup:
            added.add_argument(
                "file", metavar="FILE", nargs="?", help="the file to write (default: by date, see above)"
            )
        if command is restore:
            added.add_argument("file", metavar="FILE", help="the backup, a SQLite file")
    return parser


def _open_existing_store(settings: Settings) -> closing[Store]:
    """The store that is there, closed at the end of a `with`; raises StoreOpenError for a missing or an older one."""
    return closing(open_store(settings.store_url, mode=OpenMode.EXISTING))


def _require_file(settings: Settings) -> Path:
    if settings.file is None:
        raise CommandError("Name the file.")
    return settings.file


def _print_message(message: str) -> None:
    """Print what is for a person and not for the program that reads the output."""
    # A shell may have handed over a name that is no text.
    print(message.encode(errors="backslashreplace").decode(), file=sys.stderr)


def _discard_output() -> None:
    """Drop what could not be printed, or Python tries it once more at its end, and fails aloud."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_listener(host: str, port: int) -> socket.socket:
    try:
        return waitress_server.listen(host, port)
    except socket.gaierror:
        raise CommandError(f"HOST is '{host}', but there is no such address.") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CommandError(f"Port {port} is taken by another program; choose another, such as PORT=8081.") from None
        reason = os.strerror(error.errno or 0).lower()
        raise CommandError(f"Can't listen on port {port} of {host}: {reason}.") from None


def _browser_address(host: str, port: int) -> str:
    """What to type into a browser on this machine."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - these mean every address of this machine, its own among them.
        host = "127.0.0.1"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _format_greeting(address: str, token_text: str | None, *, open_signup: bool) -> str:
    signup = (
        "Sign-up is open: anyone who reaches this server can make a user."
        if open_signup
        else "Sign-up is closed: OPEN_SIGNUP=1 make run lets anyone who reaches this server make a user."
    )
    if token_text is None:
        return f"Tackboard is at {address} (`make token` prints a new token).\n{signup}\nCtrl-C stops it."
    return (
        "Tackboard is ready. This address carries the owner's token, which is not shown again:\n\n"
        f"    {address}#token={token_text}\n\n"
        f"{signup}\nCtrl-C stops it."
    )


def _issue_token(store: Store, user_id: str | None = None) -> str:
    """A new token of the owner, with every scope, or of a user, for reading and writing.

    The owner is made if there is none. Raises Trouble for a user that there is not.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    new_id = IdGenerator(lambda: datetime.now(UTC), os.urandom)
    change, scopes = Change(), tuple(Scope)
    if user_id is None:
        holder = store.read_installation_owner()
        if holder is None:
            holder, change = users.create(ActionContext("", now, new_id), name="Owner")
    else:
        # A shell may hand over what is no text at all, or too long for a store to look for.
        holder = store.read_user(user_id) if _USER_ID.fullmatch(user_id) else None
        if holder is None:
            raise CommandError(f"There is no user with the id '{user_id}'.")
        scopes = (Scope.READ, Scope.WRITE)
    act = ActionContext(holder.id, now, new_id)
    _, text, kept = tokens.issue(act, os.urandom, user_id=holder.id, name="Command line", scopes=scopes)
    store.commit(change.merge(kept))
    return text


if __name__ == "__main__":
    # A supervisor's way to stop a program is treated like Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # The name of a board or a file may have signs that a terminal doesn't know.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(main())
