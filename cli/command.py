"""What every command is given and uses: settings and arguments, the store, and whom it acts for."""

import os
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.settings import HOST, OPEN_SIGNUP, PORT, PUBLIC_URL, SETTINGS, STORE_URL
from kanban import users
from kanban.changes import ActionContext, Change
from kanban.ids import IdGenerator
from kanban.store import Store
from kanban.timekeeping.timestamps import truncate_to_seconds
from kanban.values import User
from stores import OpenMode, open_store

_USER_ID = re.compile("[a-z0-9_-]{1,64}")


class CommandError(Exception):
    """A command can't do its work; the message is one sentence that says what to change."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in the environment and the file of settings, and the arguments of the command."""

    environment: Mapping[str, str]
    """All settings, as the environment has them."""
    program: str = "make"
    """What a user types before the name of a command."""
    file: Path | None = None
    """The file to read or write."""
    board_id: str = ""
    user_id: str | None = None
    """The user whom the command is about, None for the owner or for all."""
    token_id: str = ""
    display_name: str = ""
    is_confirmed: bool = False
    """Whether the user of the command has said in advance that it may erase something."""

    @property
    def host(self) -> str:
        """Return the address to listen on."""
        return HOST.read(self.environment)

    @property
    def port(self) -> int:
        """Return the port to listen on."""
        return PORT.read(self.environment)

    @property
    def public_url(self) -> str:
        """Return the address at which people reach the server, with a slash at its end; empty for host and port."""
        return PUBLIC_URL.read(self.environment)

    @property
    def store_url(self) -> str:
        """Return where the data is."""
        return STORE_URL.read(self.environment)

    @property
    def open_signup(self) -> bool:
        """Return whether anyone may create a user."""
        return OPEN_SIGNUP.read(self.environment)


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a command.

    Attributes:
        field: The field of Settings that has it.
        metavar: What the help calls it, or the option that names it, like `--yes`.
        help: What it is.
        is_optional: Whether it may be left out.
    """

    field: str
    metavar: str
    help: str
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A command: what is typed, what it does, and a short description."""

    name: str
    function: Callable[[Settings], None]
    summary: str
    arguments: tuple[Argument, ...] = ()

    @property
    def usage(self) -> str:
        """Return its name and its arguments, without options."""
        metavars = (f"[{one.metavar}]" if one.is_optional else one.metavar for one in self.arguments)
        return " ".join((self.name, *(metavar for metavar in metavars if not metavar.strip("[").startswith("--"))))


def ensure_valid(environment: Mapping[str, str]) -> None:
    """Raise InvalidSetting for the first setting with an invalid value."""
    for setting in SETTINGS:
        setting.read(environment)


def open_existing_store(settings: Settings) -> closing[Store]:
    """Open the store; `with` closes it. Raises StoreOpenError if it is missing or of an older Tackboard."""
    return closing(open_store(settings.store_url, mode=OpenMode.EXISTING))


def print_message(message: str) -> None:
    """Print a message for the user to stderr: stdout is for programs that read the output."""
    # An argument may contain bytes that are not valid text.
    print(message.encode(errors="backslashreplace").decode(), file=sys.stderr)


def ensure_confirmed(settings: Settings, question: str) -> None:
    """Ask the question on a terminal unless it was answered by --yes. Raises CommandError for any answer but yes."""
    if settings.is_confirmed:
        return
    if not sys.stdin.isatty():
        raise CommandError(f"{question} Repeat the command with --yes if so; nothing was changed.")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CommandError("Nothing was changed.")


def create_context(actor_id: str = "") -> ActionContext:
    """Return the context of an action that happens now."""
    new_id = IdGenerator(lambda: datetime.now(UTC), os.urandom)
    return ActionContext(actor_id, truncate_to_seconds(datetime.now(UTC)), new_id)


def require_user(store: Store, user_id: str | None) -> User:
    """Return the user of that id. Raises CommandError if there is none."""
    # An argument may be too long for a store to look up, or no valid text.
    user = store.read_user(user_id) if user_id and _USER_ID.fullmatch(user_id) else None
    if user is None:
        raise CommandError(f"There is no user with the id '{user_id}'.")
    return user


def act_for(store: Store, user_id: str | None) -> tuple[ActionContext, Change]:
    """Return the context of an action in the name of the owner or of a user, and a change that creates the owner.

    The change is empty if there is an owner. Raises CommandError if there is no such user.
    """
    if user_id is not None:
        return create_context(require_user(store, user_id).id), Change()
    holder, change = store.read_installation_owner(), Change()
    if holder is None:
        holder, change = users.create(create_context(), name="Owner")
    return create_context(holder.id), change
