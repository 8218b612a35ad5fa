"""The command line: run the server, deliver webhooks, let users in, migrate, back up, restore, export, import, purge.

Every error that a user can cause is one sentence on stderr, with exit status 1. Only `run` and `restore` create a
store; only `run` and `migrate` bring an older one up to date.
"""

import argparse
import errno
import inspect
import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.configuration import add_file, read_app_settings, read_log_format
from app.document import read_version
from app.setting_forms import InvalidSetting
from app.settings import (
    BACKUP_BEFORE_MIGRATION,
    HOST,
    LOG_LEVEL,
    METRICS_HOST,
    METRICS_PORT,
    OIDC_PROVIDERS,
    OPEN_SIGNUP,
    PORT,
    PUBLIC_URL,
    STORE_URL,
    TACKBOARD_CONFIG,
)
from cli import settings_help
from cli.progress import ProgressBar
from contract.log_lines import FORMATTERS, configure_root_logger, set_log_level
from kanban import sign_in as codes
from kanban import tokens
from kanban import users as accounts
from kanban.archive import PURGE_AFTER
from kanban.changes import ActionContext, Change
from kanban.ids import IdGenerator
from kanban.store import Store, StoreError
from kanban.timekeeping.timestamps import truncate_to_seconds
from kanban.values import Scope
from readers.flow_segments import FlowSegmentBuilder
from readers.jobs import JobRunner
from readers.reader_thread import POLL_INTERVAL, ReaderThread
from readers.runner import Runner
from server.uvicorn_server import ServerSettings, listen, serve
from stores import OpenMode, StoreOpenError, open_store

if TYPE_CHECKING:
    from server.metrics import Metrics

_USER_ID = re.compile("[a-z0-9_-]{1,64}")
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


USER_ACTIONS = ("owner", "member", "deactivate", "reactivate", "delete")
"""What `user` can do to a user."""


class CommandError(Exception):
    """A command can't do its work; the message is one sentence that says what to change."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in the environment and the file of settings, and the arguments of the command."""

    environment: Mapping[str, str]
    """All settings, as the environment has them."""
    host: str
    port: int
    public_url: str
    """The address at which people reach the server, with a slash at its end; empty for that of host and port."""
    store_url: str
    open_signup: bool
    file: Path | None
    """The file to read or write, if the command has one."""
    board_id: str = ""
    """The board to export."""
    user_id: str | None = None
    """The user who gets a token or is changed, None for the owner."""
    action: str = ""
    """What is done to the user."""
    program: str = "make"
    """What a user types before the name of a command."""


def read_settings(
    environment: Mapping[str, str], file: str | None = None, board_id: str = "", user_id: str | None = None
) -> Settings:
    """Return the settings. Raises InvalidSetting."""
    return Settings(
        environment=environment,
        host=HOST.read(environment),
        port=PORT.read(environment),
        public_url=PUBLIC_URL.read(environment),
        store_url=STORE_URL.read(environment),
        open_signup=OPEN_SIGNUP.read(environment),
        file=None if file is None else Path(file),
        board_id=board_id,
        user_id=user_id,
    )


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
        with closing(open_store(settings.store_url, report=_print_message, backup_folder=folder)) as store:
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
        _open_existing_store(settings) as store,
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


def token(settings: Settings) -> None:
    """Print a new token, alone on the last line.

    Without USER it is the owner's, with every scope; if the store has no owner yet, the owner is created. With USER it
    is that user's, for reading and writing: for a user who has lost their tokens.
    """
    with _open_existing_store(settings) as store:
        token_text = _issue_token(store, settings.user_id)
    holder, scopes = "the owner", "reading, writing and administration"
    if settings.user_id is not None:
        holder, scopes = f"the user '{settings.user_id}'", "reading and writing"
    _print_message(f"A new token of {holder}, for {scopes}. It is not shown again.")
    print(token_text)


def sign_in(settings: Settings) -> None:
    """Print a link that signs in once, alone on the last line: of the owner, or of the user who can't sign in any more.

    It is valid for an hour. PUBLIC_URL, or else HOST and PORT, should be those of the server.
    """
    with _open_existing_store(settings) as store:
        code = _create_sign_in_code(store, settings.user_id)
    holder = "the owner" if settings.user_id is None else f"the user '{settings.user_id}'"
    _print_message(f"A link that signs {holder} in, once and within an hour.")
    print(f"{settings.public_url or _browser_address(settings.host, settings.port)}#sign-in={code}")


def users(settings: Settings) -> None:
    """List the users: id, state, role in the installation, when a token of theirs was last used, and name."""
    from cli import user_accounts  # noqa: PLC0415 - a server needs none of it.

    with _open_existing_store(settings) as store:
        for line in user_accounts.describe_users(store):
            print(line)


def user(settings: Settings) -> None:
    """Change what a user may do in the installation, or delete them.

    `owner` makes the user an owner, who can let users in and put them out; `member` takes that back. `deactivate` ends
    the user's tokens and sessions and lets them in no more, until `reactivate`. The installation always has an owner.

    `delete` erases a deactivated user, board by board; what they wrote stays. It is a job: if this command is stopped,
    the server goes on with it.
    """
    from cli import job_commands, user_accounts  # noqa: PLC0415 - a server needs none of it.

    with _open_existing_store(settings) as store:
        context, _ = _act_for(store, settings.user_id)
        account = store.read_user(context.actor_id)
        if account is None or settings.user_id is None:
            raise CommandError("Name the user.")
        try:
            if settings.action == "delete":
                owner, _ = _act_for(store, None)
                with ProgressBar() as progress:
                    print(job_commands.delete_user(store, account, owner, progress))
            else:
                print(user_accounts.change_user(store, account, settings.action, context))
        except user_accounts.UserUnchanged as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            if settings.action != "delete":
                raise
            print("Stopped. The job goes on within a minute where the server runs, or when this command is repeated.")


def jobs(settings: Settings) -> None:
    """List the jobs that are under way: id, kind, what each is about, state, and how much of it is done."""
    from cli import job_commands  # noqa: PLC0415 - a server needs none of it.

    with _open_existing_store(settings) as store:
        for line in job_commands.describe_jobs(store):
            print(line)


def audit_log(settings: Settings) -> None:
    """List who was let in and put out, and which tokens were created, newest first: all, or what concerns a user.

    A line has when, what, whom it concerns, who did it, and the ids of what it is about.
    """
    from cli import user_accounts  # noqa: PLC0415 - a server needs none of it.

    with _open_existing_store(settings) as store:
        for line in user_accounts.describe_audit_log(store, datetime.now(UTC), settings.user_id):
            print(line)


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
            _print_message("\n".join([f"The backup is {path}.", *(f"Deleted {old}." for old in deleted)]))
    print(digest_of_copy)


def restore(settings: Settings) -> None:
    """Copy a backup to an empty store, all of it or nothing; print the digest of the copy.

    A missing store is created. A backup that was changed or truncated is rejected before anything is written. Into a
    table of DynamoDB, an interrupted restore goes on when it is started again.
    """
    from stores import backup as backups  # noqa: PLC0415 - a server needs none of it.

    with ProgressBar() as progress:
        print(backups.restore_backup(_require_file(settings), settings.store_url, progress, _print_message))


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
        with _open_existing_store(settings) as store, ProgressBar() as progress:
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


def export(settings: Settings) -> None:
    """Write one board to a new file: all of it, or its cards as a table if the file's name ends in .csv.

    The installation's owner must be a member of the board. The board's digest is printed: boards with equal digests
    are equal.
    """
    from cli import board_files  # noqa: PLC0415 - a server needs none of it.

    try:
        with _open_existing_store(settings) as store, ProgressBar() as progress:
            digest = board_files.export_board_to_file(store, settings.board_id, _require_file(settings), progress)
    except board_files.BoardFileError as error:
        raise CommandError(str(error)) from None
    print(digest or f"The cards are in {settings.file}.")


def import_(settings: Settings) -> None:
    """Create a board, owned by the installation's owner, from a file that Tackboard or Trello exported.

    All of it or nothing, from a file of any size. Importing the same export again changes nothing.
    """
    from cli import board_files  # noqa: PLC0415 - a server needs none of it.

    try:
        with _open_existing_store(settings) as store, ProgressBar() as progress:
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


def check_sign_in(settings: Settings) -> None:
    """Say in a sentence what is wrong with each provider of OIDC_PROVIDERS, or that nothing is.

    The providers are asked as they are when users sign in. Only the address that a browser comes back to is not
    checked, because providers show those to browsers only.
    """
    from cli import sign_in_check  # noqa: PLC0415 - a server needs none of it.

    faults = 0
    for provider_id, fault in sign_in_check.check_providers(OIDC_PROVIDERS.read(settings.environment)):
        faults += fault is not None
        print(f"{provider_id}: {fault or 'Everything that can be checked without signing in is right.'}")
    if faults:
        raise CommandError(f"{faults} to correct. The documentation of sign-in has settings that work.")


COMMANDS: Mapping[Callable[[Settings], None], str] = {
    run: "start the server; the first run prints an address with a token",
    readers: "deliver webhooks and run jobs, where another server than `run` serves the application",
    token: "print a new token of the owner, or of a user who has lost theirs",
    users: "list the users",
    user: "make a user an owner of the installation, deactivate, reactivate or delete them",
    audit_log: "list who was let in and put out, and which tokens were created",
    jobs: "list the jobs that are under way",
    sign_in: "print a link that signs the owner, or another user, in once",
    migrate: "bring the store of an older Tackboard up to date",
    backup: "copy everything to a new file, while the server may run",
    restore: "copy a backup to an empty store",
    digest: "print a digest of everything in the store",
    export: "write a board, or its cards as a table, to a new file",
    import_: "create a board from a file that Tackboard or Trello exported",
    check_sign_in: "say what is wrong with the providers that users sign in with",
    purge: "erase for good what was deleted more than 31 days ago, while the server may run",
}
"""Every command with a short description."""


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
    parsed = _build_parser().parse_args(arguments)
    command: Callable[[Settings], None] = parsed.command
    try:
        config = getattr(parsed, "config", None)
        environment = add_file(os.environ if config is None else {**os.environ, TACKBOARD_CONFIG.name: config})
        configure_root_logger(sys.stderr, FORMATTERS[read_log_format(environment, is_terminal=sys.stderr.isatty())])
        set_log_level(LOG_LEVEL.read(environment))
        values = getattr(parsed, "file", None), getattr(parsed, "board", ""), getattr(parsed, "user", None)
        action = getattr(parsed, "action", "")
        command(replace(read_settings(environment, *values), program=program, action=action))
        # Output that can't be written is reported here, not by Python at its exit.
        sys.stdout.flush()
    except (CommandError, InvalidSetting, StoreOpenError) as error:
        _print_message(str(error))
        return 1
    except StoreError as error:
        _print_message(f"The store can't be used right now: {error}")
        return 1
    except OSError as error:
        if not error.filename:
            _discard_output()
        name = error.filename or "The output"
        _print_message(f"{name} can't be used: {(error.strerror or 'unknown error').lower()}.")
        return 1
    except KeyboardInterrupt:
        # A server is meant to be stopped; any other command has not done its work.
        is_server = command in (run, readers)
        print("Stopped.", file=sys.stdout if is_server else sys.stderr)
        return 0 if is_server else _EXIT_INTERRUPTED
    return 0


class _PrintVersion(argparse.Action):
    """Print the version and exit. The version is read from the document only when it is wanted."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"tackboard {read_version()}")
        parser.exit()


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tackboard",
        description="A kanban board as an API.",
        epilog=settings_help.format_settings(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_PrintVersion, nargs=0, help="print the version")
    _add_config_option(parser)
    subparsers = parser.add_subparsers(required=True, metavar="command")
    for command, summary in COMMANDS.items():
        subparser = subparsers.add_parser(
            command.__name__.strip("_").replace("_", "-"),
            help=summary,
            description=inspect.getdoc(command),
            epilog=settings_help.SUMMARY,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        _add_config_option(subparser)
        subparser.set_defaults(command=command)
        if command in (token, sign_in):
            subparser.add_argument("user", metavar="USER", nargs="?", help="the id of the user (default: the owner)")
        if command is audit_log:
            subparser.add_argument("user", metavar="USER", nargs="?", help="the id of the user (default: all)")
        if command is user:
            subparser.add_argument("user", metavar="USER", help="the id of the user")
            subparser.add_argument("action", metavar="ACTION", choices=USER_ACTIONS, help=" or ".join(USER_ACTIONS))
        if command is export:
            subparser.add_argument("board", metavar="BOARD", help="the id of the board, brd_…")
            subparser.add_argument("file", metavar="FILE", help="the file to write; if it ends in .csv, only the cards")
        if command is import_:
            subparser.add_argument("file", metavar="FILE", help="the export, a JSON file")
        if command is backup:
            subparser.add_argument(
                "file", metavar="FILE", nargs="?", help="the file to write (default: by date, see above)"
            )
        if command is restore:
            subparser.add_argument("file", metavar="FILE", help="the backup, a SQLite file")
    return parser


def _add_config_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that names a file of settings, before or after the command."""
    # Without it there is no attribute: the default of a command would replace what was named before it.
    parser.add_argument(
        "--config", metavar="FILE", default=argparse.SUPPRESS, help="a TOML file with settings (TACKBOARD_CONFIG)"
    )


def _open_existing_store(settings: Settings) -> closing[Store]:
    """Open the store; `with` closes it. Raises StoreOpenError if it is missing or of an older Tackboard."""
    return closing(open_store(settings.store_url, mode=OpenMode.EXISTING))


def _require_file(settings: Settings) -> Path:
    if settings.file is None:
        raise CommandError("Name the file.")
    return settings.file


def _print_message(message: str) -> None:
    """Print a message for the user to stderr: stdout is for programs that read the output."""
    # An argument may contain bytes that are not valid text.
    print(message.encode(errors="backslashreplace").decode(), file=sys.stderr)


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
        return _issue_token(store)
    from cli import user_accounts  # noqa: PLC0415 - only a first start creates an owner.

    context, change = _act_for(store, None)
    # Without an owner the first user to sign up would become one.
    store.commit(user_accounts.record(change, context))
    return None


def _issue_token(store: Store, user_id: str | None = None) -> str:
    """Issue a token to the owner, with every scope, or to a user, for reading and writing; return its text.

    The owner is created if there is none. Raises CommandError if there is no such user.
    """
    from cli import user_accounts  # noqa: PLC0415 - only a first start issues one.

    context, change = _act_for(store, user_id)
    scopes = tuple(Scope) if user_id is None else (Scope.READ, Scope.WRITE)
    _, token_text, issued = tokens.issue(
        context, os.urandom, user_id=context.actor_id, name="Command line", scopes=scopes
    )
    store.commit(user_accounts.record(change.merge(issued), context))
    return token_text


def _create_sign_in_code(store: Store, user_id: str | None = None) -> str:
    """Create a code for the owner or for a user; return its text. Raises as `_issue_token` does."""
    from cli import user_accounts  # noqa: PLC0415 - a server needs none of it.

    context, change = _act_for(store, user_id)
    if user_id is not None:
        _ensure_may_sign_in(store, user_id)
    _, code_text, created = codes.create_code(
        context,
        os.urandom,
        user_id=context.actor_id,
        present_codes=store.sign_in.list_codes(context.actor_id),
        is_for_link=True,
    )
    store.commit(user_accounts.record(change.merge(created), context))
    return code_text


def _ensure_may_sign_in(store: Store, user_id: str) -> None:
    user = store.read_user(user_id)
    if user is not None and user.owner_id is not None:
        raise CommandError(f"The user '{user_id}' is a bot of '{user.owner_id}', and can't sign in.")


def _act_for(store: Store, user_id: str | None) -> tuple[ActionContext, Change]:
    """Return the context of an action in the name of the owner or of a user, and a change that creates the owner.

    The change is empty if there is an owner. Raises CommandError if there is no such user.
    """
    now = truncate_to_seconds(datetime.now(UTC))
    new_id = IdGenerator(lambda: datetime.now(UTC), os.urandom)
    change = Change()
    if user_id is None:
        holder = store.read_installation_owner()
        if holder is None:
            holder, change = accounts.create(ActionContext("", now, new_id), name="Owner")
    else:
        # An argument may be too long for a store to look up, or no valid text.
        holder = store.read_user(user_id) if _USER_ID.fullmatch(user_id) else None
        if holder is None:
            raise CommandError(f"There is no user with the id '{user_id}'.")
    return ActionContext(holder.id, now, new_id), change
