"""The commands about users, their tokens, and what was done with them."""

import os
import re
from datetime import UTC, datetime

from cli import user_accounts, user_tokens
from cli.command import (
    CommandError,
    Settings,
    act_for,
    create_context,
    ensure_confirmed,
    open_existing_store,
    print_message,
    require_user,
)
from cli.progress import ProgressBar
from kanban import sign_in as codes
from kanban import tokens
from kanban.store import Store
from kanban.values import Scope

_TOKEN_ID = re.compile("[a-z0-9_]{1,64}")


def list_users(settings: Settings) -> None:
    """List the users: id, state, role in the installation, when a token of theirs was last used, and name."""
    with open_existing_store(settings) as store:
        for line in user_accounts.describe_users(store):
            print(line)


def add_user(settings: Settings) -> None:
    """Create a user, who signs in with the link that `sign-in` prints.

    USER is the id by which others know the user: 3 to 64 of a-z, 0-9, _ and -, and it is never used twice. In a store
    without an owner, the first user is the owner of the installation.
    """
    with open_existing_store(settings) as store:
        try:
            print(user_accounts.add_user(store, settings.user_id or "", settings.display_name, create_context()))
        except user_accounts.UserUnchanged as error:
            raise CommandError(str(error)) from None


def make_owner(settings: Settings) -> None:
    """Make a user an owner of the installation, who can let users in and put them out."""
    _change_user(settings, "owner")


def make_member(settings: Settings) -> None:
    """Take the role of an owner of the installation from a user. The installation always has an owner."""
    _change_user(settings, "member")


def disable_user(settings: Settings) -> None:
    """End a user's tokens, sessions and sign-in codes, and let them in no more, until `users enable`.

    The API calls this `deactivate`. The user stays a member of boards; clocks and webhooks of theirs stop.
    """
    _change_user(settings, "disable")


def enable_user(settings: Settings) -> None:
    """Let a disabled user sign in again. What they signed in with before stays void."""
    _change_user(settings, "enable")


def delete_user(settings: Settings) -> None:
    """Erase a disabled user, board by board, for good; what they wrote stays.

    It is a job: if this command is stopped, the server goes on with it.
    """
    from cli import job_commands  # noqa: PLC0415 - a server needs none of it.

    with open_existing_store(settings) as store:
        account = require_user(store, settings.user_id)
        ensure_confirmed(settings, f"Erase the user '{account.id}' for good?")
        owner, _ = act_for(store, None)
        try:
            with ProgressBar() as progress:
                print(job_commands.delete_user(store, account, owner, progress))
        except user_accounts.UserUnchanged as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            print("Stopped. The job goes on within a minute where the server runs, or when this command is repeated.")


def list_tokens(settings: Settings) -> None:
    """List the tokens and sessions of a user, or of all users, newest first for each.

    A line has the id, the user, the kind, when it was last used, when it expires, its scopes, and its name. Secrets are
    not stored, and so not shown.
    """
    with open_existing_store(settings) as store:
        user_id = None if settings.user_id is None else require_user(store, settings.user_id).id
        for line in user_tokens.describe_tokens(store, user_id, datetime.now(UTC)):
            print(line)


def revoke_token(settings: Settings) -> None:
    """Revoke a token with all tokens that it created, or end a session. It holds from the next request on.

    `tokens list` prints the ids. To end everything of a user at once, disable the user.
    """
    with open_existing_store(settings) as store:
        token_id = settings.token_id
        sentence = user_tokens.revoke(store, token_id, create_context()) if _TOKEN_ID.fullmatch(token_id) else None
    if sentence is None:
        raise CommandError(f"There is no token with the id '{token_id}'.")
    print(sentence)


def token(settings: Settings) -> None:
    """Print a new token, alone on the last line.

    Without USER it is the owner's, with every scope; if the store has no owner yet, the owner is created. With USER it
    is that user's, for reading and writing: for a user who has lost their tokens.
    """
    with open_existing_store(settings) as store:
        token_text = issue_token(store, settings.user_id)
    holder, scopes = "the owner", "reading, writing and administration"
    if settings.user_id is not None:
        holder, scopes = f"the user '{settings.user_id}'", "reading and writing"
    print_message(f"A new token of {holder}, for {scopes}. It is not shown again.")
    print(token_text)


def audit_log(settings: Settings) -> None:
    """List who was let in and put out, and which tokens were created, newest first: all, or what concerns a user.

    A line has when, what, whom it concerns, who did it, and the ids of what it is about.
    """
    with open_existing_store(settings) as store:
        for line in user_accounts.describe_audit_log(store, datetime.now(UTC), settings.user_id):
            print(line)


def jobs(settings: Settings) -> None:
    """List the jobs that are under way: id, kind, what each is about, state, and how much of it is done."""
    from cli import job_commands  # noqa: PLC0415 - a server needs none of it.

    with open_existing_store(settings) as store:
        for line in job_commands.describe_jobs(store):
            print(line)


def issue_token(store: Store, user_id: str | None = None) -> str:
    """Issue a token to the owner, with every scope, or to a user, for reading and writing; return its text.

    The owner is created if there is none. Raises CommandError if there is no such user.
    """
    context, change = act_for(store, user_id)
    scopes = tuple(Scope) if user_id is None else (Scope.READ, Scope.WRITE)
    _, token_text, issued = tokens.issue(
        context, os.urandom, user_id=context.actor_id, name="Command line", scopes=scopes
    )
    store.commit(user_accounts.record(change.merge(issued), context))
    return token_text


def create_sign_in_code(store: Store, user_id: str | None = None) -> str:
    """Create a code for the owner or for a user; return its text. Raises as `issue_token` does."""
    context, change = act_for(store, user_id)
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
    user = require_user(store, user_id)
    if user.owner_id is not None:
        raise CommandError(f"The user '{user_id}' is a bot of '{user.owner_id}', and can't sign in.")


def _change_user(settings: Settings, action: str) -> None:
    with open_existing_store(settings) as store:
        account = require_user(store, settings.user_id)
        try:
            print(user_accounts.change_user(store, account, action, create_context(account.id)))
        except user_accounts.UserUnchanged as error:
            raise CommandError(str(error)) from None
