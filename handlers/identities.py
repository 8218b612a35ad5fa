"""Signing in with a provider, and the identities of the caller."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from handlers import serialize
from handlers.dependencies import Attempts, Providers, RandomBytes
from handlers.invitation_access import NOTHING, join, makes_users, require_open_invitation
from handlers.results import Result, new_resource, no_content, page
from kanban import identities, installation, tokens, users
from kanban.access import Caller
from kanban.changes import ActionContext, Change
from kanban.identities import Account, ProviderSignInFailed
from kanban.store import Store
from kanban.tokens import LastWayIn
from kanban.values import User
from usecases.quotas import Quotas
from usecases.sign_in import has_other_way_in, read_calling_token


def get_sign_in(providers: Providers, open_signup: bool, members_may_invite_users: bool) -> Result:
    """Return the ways to sign in."""
    body = {
        "providers": [serialize.sign_in_provider(provider) for provider in providers.list_providers()],
        "open_sign_up": open_signup,
        "invitations_make_users": members_may_invite_users,
    }
    return Result(body)


def create_authorization(providers: Providers, attempts: Attempts, provider_id: str, body: dict[str, str]) -> Result:
    """Return where a browser signs in with a provider."""
    attempts.ensure_allowed()
    return Result(serialize.authorization(providers.begin(provider_id, body["redirect_uri"])))


def create_provider_session(
    store: Store,
    context: ActionContext,
    random_bytes: RandomBytes,
    providers: Providers,
    attempts: Attempts,
    members_may_invite_users: bool,
    quotas: Quotas,
    provider_id: str,
    body: dict[str, Any],
) -> Result:
    """Sign in with a provider, and join by an invitation. Only this response has the session's token."""
    key = body.get("invitation")
    opened = require_open_invitation(store, context, attempts, key["id"], key["secret"]) if key else None
    account = _redeem(providers, attempts, provider_id, body)

    def ensure_may_sign_up() -> None:
        sign_up = next(provider.sign_up for provider in providers.list_providers() if provider.id == provider_id)
        by_invitation = opened and makes_users(
            store, opened.invitation, members_may_invite_users=members_may_invite_users
        )
        has_owner = bool(store.read_installation_owner_ids())
        identities.ensure_may_sign_up(sign_up, by_invitation=by_invitation, has_owner=has_owner)

    user, change = _find_or_create_user(store, context, account, ensure_may_sign_up)
    session, token, session_change = tokens.open_session(context, random_bytes, user_id=user.id, name=body["name"])
    as_user = replace(context, actor_id=user.id, token_id=session.id)
    joined = join(opened, as_user, quotas, is_new_user=user in change.creates) if opened else NOTHING
    result_body = {
        "user": serialize.user(user, installation.get_role(user.id, store.read_installation_owner_ids())),
        "session": serialize.session(session, session.id, context.at),
        "token": token,
        **serialize.joined_board(joined.board, joined.role),
    }
    change = change.merge(session_change).merge(joined.change or Change())
    return new_resource(result_body, etag=None, location=f"/users/me/sessions/{session.id}", change=change)


def list_identities(store: Store, caller: Caller, providers: Providers) -> Result:
    """List all identities of the caller, oldest first."""
    provider_ids = {provider.issuer: provider.id for provider in providers.list_providers()}
    items = [
        serialize.identity(identity, provider_ids.get(identity.issuer))
        for identity in store.sign_in.list_identities(caller.user_id)
    ]
    return page(items, None)


def create_identity(
    store: Store,
    caller: Caller,
    context: ActionContext,
    providers: Providers,
    attempts: Attempts,
    body: dict[str, Any],
) -> Result:
    """Make an account one of the caller's. One that is the caller's already stays as it is."""
    tokens.ensure_way_in(read_calling_token(store, caller), context.at)
    account = _redeem(providers, attempts, body["provider_id"], body)
    identity = store.sign_in.read_identity(account.issuer, account.subject)
    change: Change | None = None
    if identity is not None:
        identities.ensure_is_of(identity, caller.user_id)
    else:
        present = store.sign_in.list_identities(caller.user_id)
        identity, change = identities.link(account, context, user_id=caller.user_id, identities=present)
    return Result(serialize.identity(identity, body["provider_id"]), change=change)


def delete_identity(
    store: Store,
    caller: Caller,
    context: ActionContext,
    providers: Providers,
    identity_id: str,
    allow_last: bool | None = None,
) -> Result:
    """Remove one of the caller's identities."""
    calling_token = read_calling_token(store, caller)
    tokens.ensure_way_in(calling_token, context.at)
    present = store.sign_in.list_identities(caller.user_id)
    identity = identities.require_identity(present, identity_id)
    remaining = [other for other in present if other.id != identity.id]
    issuers = providers.list_issuers()
    if not allow_last and not has_other_way_in(store, calling_token, caller, remaining, issuers, now=context.at):
        raise LastWayIn
    return no_content(Change(deletes=(identity,)))


def _redeem(providers: Providers, attempts: Attempts, provider_id: str, body: dict[str, Any]) -> Account:
    """Return the account that a provider vouches for. Raises ProviderSignInFailed, and counts it."""
    attempts.ensure_allowed()
    try:
        return providers.redeem(
            provider_id, attempt=body["attempt"], state=body["state"], code=body["code"], issuer=body.get("issuer")
        )
    except ProviderSignInFailed:
        attempts.count_failure()
        raise


def _find_or_create_user(
    store: Store, context: ActionContext, account: Account, ensure_may_sign_up: Callable[[], None]
) -> tuple[User, Change]:
    """Return the user whose account it is, or a new one with the change that creates it.

    Raises ProviderSignInFailed for a deactivated user, and what `ensure_may_sign_up` raises before there is a new one.
    """
    identity = store.sign_in.read_identity(account.issuer, account.subject)
    if identity is not None:
        user = store.read_user(identity.user_id)
        if user is None or user.deactivated_at is not None:
            raise ProviderSignInFailed
        return user, Change(active_user_id=user.id)
    ensure_may_sign_up()
    user, created = users.create(context, name=identities.choose_user_name(account))
    _, linked = identities.link(account, context, user_id=user.id, identities=())
    return user, created.merge(linked)
