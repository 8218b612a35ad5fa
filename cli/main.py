"""The command line: run the server, deliver webhooks, let users in, migrate, back up, restore, export, import, purge.

Every error that a user can cause is one sentence on stderr, with exit status 1. Only `run` and `restore` create a
store; only `run` and `migrate` bring an older one up to date.
"""

import errno
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.configuration import add_file, read_app_settings, read_log_format
from app.setting_forms import InvalidSetting
from app.settings import (
    BACKUP_BEFORE_MIGRATION,
    LOG_LEVEL,
    METRICS_HOST,
    METRICS_PORT,
    STORE_URL,
    TACKBOARD_CONFIG,
)
from cli import board_commands, command_parser, user_accounts, user_commands
from cli.command import (
    Argument,
    Command,
    CommandError,
    Settings,
    act_for,
    ensure_valid,
    open_existing_store,
    print_message,
)
from cli.progress import ProgressBar
from contract.log_lines import FORMATTERS, configure_root_logger, set_log_level
from kanban import tokens
from kanban.archive import PURGE_AFTER
from kanban.store import Store, StoreError
from kanban.timekeeping.timestamps import truncate_to_seconds
from readers.flow_segments import FlowSegmentBuilder
from readers.jobs import JobRunner
from readers.reader_thread import POLL_INTERVAL, ReaderThread
from readers.runner import Runner
from server.uvicorn_server import ServerSettings, listen, serve
from stores import OpenMode, StoreOpenError, open_store

if TYPE_CHECKING:
    from server.metrics import Metrics

_EXIT_INTERRUPTED = 130
"""The exit status of a command that Ctrl-C stopped, as in shells."""

_READERS_SHUTDOWN_SECONDS = 12.0
"""Longer than a call of a webhook takes, so that no message is sent twice because of a stop."""

_BACKUP_FOLDER = Path("backups")
"""The folder of backups that are named by date."""

_THREADS_FOR_REMOTE_STORES = 4
"""How many requests that read wait at once for PostgreSQL or DynamoDB."""

_PURGE_BATCH_SIZE = 500
"""How much a purge erases in one step: little enough for a server that runs meanwhile."""


def run(settings: Settings) -> None:
    """Serve until stopped. The first run creates the owner and prints the owner's first token, once.

    It prints no token if the output is not a terminal but, for example, a journal, where a token would stay:
    `sign-in` prints a link for the owner.

    The store of an older Tackboard is brought up to date; a SQLite file is copied first, to a new file next to it, and
    PostgreSQL is backed up into the folder backups.
    """
    # The port is taken first: if another program has it, no store is created.
    with (
        _open_listener(settings.host, settings.port) as listener,
        _open_metrics_listener(settings.environment) as metrics_listener,
    ):
        folder = _choose_backup_folder(settings)
        with closing(open_store(settings.store_url, report=print_message, backup_folder=folder)) as store:
            token_text = _ensure_owner(store)
        # The application reads its settings from the environment, as under any other server.
        os.environ[STORE_URL.name] = settings.store_url
        os.environ[TACKBOARD_CONFIG.name] = TACKBOARD_CONFIG.read(settings.environment)
        import wsgi  # noqa: PLC0415 - importing it opens the store.

        # A SQLite file is whole only when its last connection has been closed.
        with closing(wsgi.store):
            address = settings.public_url or _browser_address(settings.host, listener.getsockname()[1])
            print(_format_greeting(settings, address, token_text), flush=True)
            server_settings = ServerSettings(
                quick_thread_count=_count_quick_threads(settings.store_url),
                mount=urlsplit(settings.public_url).path.rstrip("/"),
            )
            with (
                _run_readers(wsgi.reader_runner, wsgi.job_runner, wsgi.segment_builder, settings.store_url) as readers,
                _serve_metrics(metrics_listener, wsgi.store, settings.store_url, readers) as metrics,
            ):
                serve(
                    wsgi.edge, listener, wsgi.application, server_settings, wsgi.store.read_board_seqs, metrics=metrics
                )
    print("Stopped.")


def readers(settings: Settings) -> None:
    """Deliver webhooks and run jobs until stopped, where another server than `run` serves the application.

    `run` does it itself. Several of these may run: each message is sent by one of them. STORE_URL must be that of the
    server.
    """
    from app.job_runner import build_job_runner  # noqa: PLC0415 - the other commands need none of it.
    from app.reader_runner import build_runner, build_segment_builder  # noqa: PLC0415

    policy = read_app_settings(settings.environment)["webhook_policy"]
    with (
        open_existing_store(settings) as store,
        _run_readers(
            build_runner(store, policy), build_job_runner(store), build_segment_builder(store), settings.store_url
        ),
    ):
        print("Webhooks are delivered, and jobs are run.\nCtrl-C stops it.", flush=True)
        threading.Event().wait()


@contextmanager
def _run_readers(
    runner: Runner, job_runner: JobRunner, segment_builder: FlowSegmentBuilder, store_url: str
) -> Iterator[ReaderThread]:
    """Run what follows the feed in the background, such as webhooks, and the jobs, and stop them at the end."""
    # On DynamoDB, to look for readers that are due costs a read unit for each reader.
    interval = timedelta(seconds=10) if store_url.startswith("dynamodb:") else POLL_INTERVAL
    readers = ReaderThread(runner, job_runner, segment_builder, interval)
    readers.start()
    try:
        yield readers
    finally:
        readers.stop(timeout=_READERS_SHUTDOWN_SECONDS)


def sign_in(settings: Settings) -> None:
    """Print a link that signs in once, alone on the last line: of the owner, or of the user who can't sign in any more.

    It is valid for an hour. PUBLIC_URL, or else HOST and PORT, should be those of the server.
    """
    with open_existing_store(settings) as store:
        code = user_commands.create_sign_in_code(store, settings.user_id)
    holder = "the owner" if settings.user_id is None else f"the user '{settings.user_id}'"
    print_message(f"A link that signs {holder} in, once and within an hour.")
    print(f"{settings.public_url or _browser_address(settings.host, settings.port)}#sign-in={code}")


def migrate(settings: Settings) -> None:
    """Bring the store of an older Tackboard up to date; a store that is up to date stays unchanged.

    A SQLite file is copied first, to a new file next to it, and PostgreSQL is backed up into the folder backups.
    """
    reports: list[str] = []
    folder = _choose_backup_folder(settings)
    open_store(settings.store_url, mode=OpenMode.MIGRATE, report=reports.append, backup_folder=folder).close()
    print("\n".join(reports) or "The store is up to date: there is nothing to migrate.")


def _choose_backup_folder(settings: Settings) -> Path | None:
    """Return where to back up before a migration, None if that is not wanted."""
    return _BACKUP_FOLDER if BACKUP_BEFORE_MIGRATION.read(settings.environment) else None


def backup(settings: Settings) -> None:
    """Copy everything, while it is in use, to a new file; print the digest of the copy.

    It is a copy of one moment; of a table of DynamoDB, each board is of one moment.

    Without FILE the copy is in the folder backups of the current folder, named after the store and the time in UTC;
    the last 14 of these are kept, older ones are deleted.
    """
    from stores import backup as backups  # noqa: PLC0415 - a server needs none of it.

    with ProgressBar() as progress:
        if settings.file is not None:
            digest_of_copy = backups.create_backup(settings.store_url, settings.file, progress)
        else:
            path, digest_of_copy, deleted = backups.create_dated_backup(
                settings.store_url, _BACKUP_FOLDER, datetime.now(UTC), progress
            )
            print_message("\n".join([f"The backup is {path}.", *(f"Deleted {old}." for old in deleted)]))
    print(digest_of_copy)


def restore(settings: Settings) -> None:
    """Copy a backup to an empty store, all of it or nothing; print the digest of the copy.

    A missing store is created. A backup that was changed or truncated is rejected before anything is written. Into a
    table of DynamoDB, an interrupted restore goes on when it is started again.
    """
    from stores import backup as backups  # noqa: PLC0415 - a server needs none of it.

    with ProgressBar() as progress:
        print(backups.restore_backup(_require_file(settings), settings.store_url, progress, print_message))


def digest(settings: Settings) -> None:
    """Print a digest of everything in the store: stores with equal digests have equal contents."""
    from stores import backup as backups  # noqa: PLC0415 - a server needs none of it.

    print(backups.compute_digest(settings.store_url))


def purge(settings: Settings) -> None:
    """Erase for good what was deleted more than 31 days ago, and the stored responses of expired idempotency keys.

    It also erases from where tokens were last used more than 30 days ago.

    The server may run meanwhile. If a purge is stopped, the next one continues.
    """
    erased, description = 0, f"deleted more than {PURGE_AFTER.days} days ago"
    now = truncate_to_seconds(datetime.now(UTC))
    try:
        with open_existing_store(settings) as store, ProgressBar() as progress:
            # Neither what has expired nor where tokens were used was deleted by a user: it is not counted.
            while store.purge_expired(now, _PURGE_BATCH_SIZE):
                pass
            while store.purge_token_origins(now - tokens.ORIGIN_LIFETIME, _PURGE_BATCH_SIZE):
                pass
            while count := store.purge(now - PURGE_AFTER, _PURGE_BATCH_SIZE):
                erased += count
                progress("erased", erased)
    except KeyboardInterrupt:
        print(f"Stopped. Erased so far: {erased:,}. The next purge erases the rest.")
    else:
        print(
            f"Erased what was {description}: {erased:,} in all."
            if erased
            else f"There is nothing that was {description}."
        )


def import_(settings: Settings) -> None:
    """Create a board, owned by the installation's owner, from a file that Tackboard or Trello exported.

    All of it or nothing, from a file of any size. Importing the same export again changes nothing.
    """
    from cli import board_files  # noqa: PLC0415 - a server needs none of it.

    try:
        with open_existing_store(settings) as store, ProgressBar() as progress:
            imported = board_files.import_board_from_file(store, _require_file(settings), progress)
    except board_files.BoardFileError as error:
        raise CommandError(str(error)) from None
    if isinstance(imported, str):
        print(f"This board was imported before, as {imported}. Nothing was changed.")
        return
    view, report = imported
    counts = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in report.counts.items())
    print(f"'{view.board.name}' was imported as {view.board.id}: {counts}.")
    for line in report.lines:
        print(f"- {line.kind} {line.name}".rstrip() + f": {line.message}")
    if report.omitted_lines:
        print(f"- and {report.omitted_lines} more of the kind")


def vacuum(settings: Settings) -> None:
    """Write a SQLite file anew, without the space of what a purge has erased; print its size before and after.

    The server may run: reads go on, writes wait until it is done, and fail with 503 if that takes over five seconds.
    It needs twice the size of the file on its disk.
    """
    from stores.vacuum import vacuum as vacuum_store  # noqa: PLC0415 - a server needs none of it.

    before, after = vacuum_store(settings.store_url)
    print(f"The file had {before:,} bytes, and has {after:,}.")


def check(settings: Settings) -> None:
    """Check the installation, and say a sentence about each part of it; the server may run.

    Each line begins with ok, warning or error: settings, store, owner, rights, space, backups, providers of sign-in,
    sign-up, limits, proxies and webhooks. The exit status is 1 if there is an error. No line has a secret.
    """
    from cli import installation_check  # noqa: PLC0415 - a server needs none of it.

    errors = 0
    for finding in installation_check.check(settings.environment, _BACKUP_FOLDER):
        errors += finding.level is installation_check.Level.ERROR
        print(f"{finding.level:7}  {finding.subject:9}  {finding.sentence}")
    if errors:
        raise CommandError(f"{errors} to correct.")


def version(settings: Settings) -> None:
    """Print the version of Tackboard, of the schema that its SQL stores have, and of what it runs on."""
    import platform  # noqa: PLC0415 - a server needs none of it.
    import sqlite3  # noqa: PLC0415

    from app.document import read_version  # noqa: PLC0415
    from stores.sql.migrations import HEAD  # noqa: PLC0415

    del settings
    parts = f"schema {HEAD}", f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}"
    print(f"tackboard {read_version()} ({', '.join(parts)})")


_USER = Argument("user_id", "USER", "the id of the user")
_USER_OR_OWNER = Argument("user_id", "USER", "the id of the user (default: the owner)", is_optional=True)
_USER_OR_ALL = Argument("user_id", "USER", "the id of the user (default: all)", is_optional=True)
_BOARD = Argument("board_id", "BOARD", "the id of the board, brd_…")
_EXPORT_FILE = Argument("file", "FILE", "the file to write; if it ends in .csv, only the cards")
_YES = Argument("is_confirmed", "--yes", "don't ask", is_optional=True)

COMMANDS: Mapping[str, Sequence[Command]] = {
    "server": (
        Command("run", run, "start the server; the first run prints an address with a token"),
        Command("readers", readers, "deliver webhooks and run jobs, where another server than `run` serves"),
        Command("check", check, "say a sentence about settings, store, space, sign-in and what else can be wrong"),
        Command("version", version, "print the version, and that of the schema"),
    ),
    "people": (
        Command("users list", user_commands.list_users, "list the users"),
        Command(
            "users add",
            user_commands.add_user,
            "create a user",
            (_USER, Argument("display_name", "--name", "the name that others see")),
        ),
        Command("users owner", user_commands.make_owner, "make a user an owner of the installation", (_USER,)),
        Command("users member", user_commands.make_member, "take that role back", (_USER,)),
        Command(
            "users disable", user_commands.disable_user, "end all that a user signed in with, let no more in", (_USER,)
        ),
        Command("users enable", user_commands.enable_user, "let a disabled user in again", (_USER,)),
        Command("users delete", user_commands.delete_user, "erase a disabled user for good", (_USER, _YES)),
        Command(
            "tokens list", user_commands.list_tokens, "list the tokens and sessions of a user, or all", (_USER_OR_ALL,)
        ),
        Command(
            "tokens revoke",
            user_commands.revoke_token,
            "end a token or a session",
            (Argument("token_id", "TOKEN", "the id of the token, tok_…"),),
        ),
        Command("token", user_commands.token, "print a new token of the owner, or of a user", (_USER_OR_OWNER,)),
        Command("sign-in", sign_in, "print a link that signs the owner, or a user, in once", (_USER_OR_OWNER,)),
        Command(
            "audit-log",
            user_commands.audit_log,
            "list who was let in and put out, and which tokens were created",
            (_USER_OR_ALL,),
        ),
    ),
    "boards": (
        Command("boards list", board_commands.list_boards, "list the boards of all users"),
        Command(
            "boards export",
            board_commands.export_board,
            "write a board, or its cards as a table, to a new file",
            (_BOARD, _EXPORT_FILE),
        ),
        Command(
            "boards delete",
            board_commands.delete_board,
            "delete a board, which can be restored for 30 days",
            (_BOARD, _YES),
        ),
        Command("export", board_commands.export_board, "the same as `boards export`", (_BOARD, _EXPORT_FILE)),
        Command(
            "import",
            import_,
            "create a board from a file that Tackboard or Trello exported",
            (Argument("file", "FILE", "the export, a JSON file"),),
        ),
    ),
    "store": (
        Command(
            "backup",
            backup,
            "copy everything to a new file, while the server may run",
            (Argument("file", "FILE", "the file to write (default: by date, see above)", is_optional=True),),
        ),
        Command(
            "restore",
            restore,
            "copy a backup to an empty store",
            (Argument("file", "FILE", "the backup, a SQLite file"),),
        ),
        Command("digest", digest, "print a digest of everything: equal digests mean equal contents"),
        Command("migrate", migrate, "bring the store of an older Tackboard up to date"),
        Command("purge", purge, "erase for good what was deleted more than 31 days ago"),
        Command("vacuum", vacuum, "write a SQLite file anew, without the space of what was erased"),
        Command("jobs", user_commands.jobs, "list the jobs that are under way"),
    ),
}
"""Every command, by subject."""


def start(program: str = "make") -> int:
    """Run the command line of this process and return the exit status.

    `program` is what a user types before the name of a command: make in a checkout, tackboard where it is installed.
    """
    # A supervisor stops a program with SIGTERM: it works like Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # The name of a board or a file may have characters that the terminal's encoding lacks.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    return main(program=program)


def main(arguments: Sequence[str] | None = None, program: str = "make") -> int:
    """Run one command and return the exit status."""
    parsed = command_parser.parse(COMMANDS, arguments)
    command: Command = parsed.command
    is_server = command.function in (run, readers)
    try:
        config = getattr(parsed, "config", None)
        environment = add_file(os.environ if config is None else {**os.environ, TACKBOARD_CONFIG.name: config})
        configure_root_logger(sys.stderr, FORMATTERS[read_log_format(environment, is_terminal=sys.stderr.isatty())])
        level = LOG_LEVEL.read(environment)
        # A command says itself what it does.
        set_log_level("warning" if level == "info" and not is_server else level)
        if command.function is not check:
            ensure_valid(environment)
        command.function(Settings(environment, program, **command_parser.get_arguments(parsed)))
        # Output that can't be written is reported here, not by Python at its exit.
        sys.stdout.flush()
    except (CommandError, InvalidSetting, StoreOpenError) as error:
        print_message(str(error))
        return 1
    except StoreError as error:
        print_message(f"The store can't be used right now: {error}")
        return 1
    except OSError as error:
        if not error.filename:
            _discard_output()
        name = error.filename or "The output"
        print_message(f"{name} can't be used: {(error.strerror or 'unknown error').lower()}.")
        return 1
    except KeyboardInterrupt:
        # A server is meant to be stopped; any other command has not done its work.
        print("Stopped.", file=sys.stdout if is_server else sys.stderr)
        return 0 if is_server else _EXIT_INTERRUPTED
    return 0


def _require_file(settings: Settings) -> Path:
    if settings.file is None:
        raise CommandError("Name the file.")
    return settings.file


def _discard_output() -> None:
    """Drop output that could not be written, or Python tries again at exit and prints a traceback."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_metrics_listener(environment: Mapping[str, str]) -> AbstractContextManager[socket.socket | None]:
    """Return a socket that listens for scrapes of the metrics, none if there are no metrics."""
    host, port = METRICS_HOST.read(environment), METRICS_PORT.read(environment)
    if port is None:
        return nullcontext()
    listener = _open_listener(host, port, METRICS_HOST.name, f"{METRICS_PORT.name}=9465")
    # No whole address, which could be taken for that of the server.
    print(f"Metrics are served on port {listener.getsockname()[1]} of {host}.")
    return listener


def _serve_metrics(
    listener: socket.socket | None, store: Store, store_url: str, readers: ReaderThread
) -> "AbstractContextManager[Metrics | None]":
    if listener is None:
        return nullcontext()
    from cli.metrics_port import serve_metrics  # noqa: PLC0415 - the library takes time to load.

    return serve_metrics(listener, store, store_url, readers)


def _open_listener(host: str, port: int, host_name: str = "HOST", other_port: str = "PORT=8081") -> socket.socket:
    try:
        return listen(host, port)
    except socket.gaierror:
        raise CommandError(f"{host_name} is '{host}', but there is no such address.") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CommandError(
                f"Port {port} is taken by another program; choose another, such as {other_port}."
            ) from None
        reason = os.strerror(error.errno or 0).lower()
        raise CommandError(f"Can't listen on port {port} of {host}: {reason}.") from None


def _count_quick_threads(store_url: str) -> int:
    """Return how many threads are of use. With a file they would wait for each other, not for the store."""
    return 1 if store_url.startswith("sqlite:") else _THREADS_FOR_REMOTE_STORES


def _browser_address(host: str, port: int) -> str:
    """Return the address to open in a browser on this machine."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - these mean every address of this machine, including this one.
        host = "127.0.0.1"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _format_greeting(settings: Settings, address: str, token_text: str | None) -> str:
    program = settings.program
    signup = "Sign-up is open: anyone who reaches this server can create a user."
    if not settings.open_signup:
        opening = f"OPEN_SIGNUP=1 {program} run"
        signup = f"Sign-up is closed: {opening} lets anyone who reaches this server create a user."
    if token_text is None:
        return (
            f"Tackboard is at {address}\n"
            f"`{program} sign-in` prints a link that signs the owner in, `{program} token` prints a new token.\n"
            f"{signup}\nCtrl-C stops it."
        )
    return (
        "Tackboard is ready. This address carries the owner's token, which is not shown again:\n\n"
        f"    {address}#token={token_text}\n\n"
        f"{signup}\nCtrl-C stops it."
    )


def _ensure_owner(store: Store) -> str | None:
    """Create the owner if there is none, and return the text of the owner's first token, for a person at a terminal.

    Output that is not a terminal gets none: it may be a journal or a file, where a token would stay.
    """
    if store.read_installation_owner() is not None:
        return None
    if sys.stdout.isatty():
        return user_commands.issue_token(store)
    context, change = act_for(store, None)
    # Without an owner the first user to sign up would become one.
    store.commit(user_accounts.record(change, context))
    return None
