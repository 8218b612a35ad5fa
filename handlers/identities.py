"""Signing in with a provider, and the identities of the caller."""

from typing import Any

from handlers import serialize
from handlers.dependencies import Attempts, Providers, RandomBytes
from handlers.results import Result, new_resource, no_content, page
from kanban import identities, installation, tokens, users
from kanban.access import Caller
from kanban.changes import ActionContext, Change
from kanban.identities import Account, NotInvited, ProviderSignInFailed
from kanban.store import Store
from kanban.tokens import LastWayIn
from kanban.values import User
from usecases.sign_in import has_other_way_in, read_calling_token

_OPEN = "open"


def get_sign_in(providers: Providers, open_signup: bool) -> Result:
    """Return the ways to sign in."""
    items = [serialize.sign_in_provider(provider) for provider in providers.list_providers()]
    return Result({"providers": items, "open_sign_up": open_signup})


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
    provider_id: str,
    body: dict[str, Any],
) -> Result:
    """Sign in with a provider. Only this response has the session's token."""
    account = _redeem(providers, attempts, provider_id, body)
    owner_ids = store.read_installation_owner_ids()
    user, change = _find_or_create_user(store, context, providers, provider_id, account)
    session, token, opened = tokens.open_session(context, random_bytes, user_id=user.id, name=body["name"])
    result_body = {
        "user": serialize.user(user, installation.get_role(user.id, owner_ids)),
        "session": serialize.session(session, session.id, context.at),
        "token": token,
    }
    location = f"/users/me/sessions/{session.id}"
    return new_resource(result_body, etag=None, location=location, change=change.merge(opened))


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
    store: Store, context: ActionContext, providers: Providers, provider_id: str, account: Account
) -> tuple[User, Change]:
    """Return the user whose account it is, or a new one with the change that creates it. Raises NotInvited."""
    identity = store.sign_in.read_identity(account.issuer, account.subject)
    if identity is not None:
        user = store.read_user(identity.user_id)
        if user is None or user.deactivated_at is not None:
            raise ProviderSignInFailed
        return user, Change(active_user_id=user.id)
    sign_up = next(provider.sign_up for provider in providers.list_providers() if provider.id == provider_id)
    # The first user owns the installation, which a stranger should not.
    if sign_up != _OPEN or not store.read_installation_owner_ids():
        raise NotInvited
    user, created = users.create(context, name=identities.choose_user_name(account))
    _, linked = identities.link(account, context, user_id=user.id, identities=())
    return user, created.merge(linked)
