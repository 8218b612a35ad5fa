"""Find out who calls."""

from collections.abc import Callable
from datetime import datetime

from app.provider_sign_in import ProviderSignIn
from kanban import identities, tokens
from kanban.access import PROVIDER_TOKEN_VERSION, Caller
from kanban.store import Store
from kanban.timekeeping.timestamps import truncate_to_seconds
from kanban.values import Scope


def authenticate(
    store: Store, clock: Callable[[], datetime], providers: ProviderSignIn, token_text: str
) -> Caller | None:
    """Return the caller who holds this token; None if it is malformed, unknown, revoked or expired.

    The time of the token's last use is stored now and then, in whole seconds. A token of a provider is stored nowhere:
    it acts for the user whose identity it names.
    """
    digest = tokens.parse_to_digest(token_text)
    if digest is None:
        return _authenticate_with_provider(store, providers, token_text)
    token_and_user = store.read_token_by_digest(digest)
    if token_and_user is None:
        return None
    token, user = token_and_user
    at = clock()
    if not tokens.is_live(token, at):
        return None
    if tokens.is_use_record_due(token, at):
        store.record_token_use(token.id, truncate_to_seconds(at))
    return Caller(user.id, token.id, token.scopes, token.version, token.get_limits())


def _authenticate_with_provider(store: Store, providers: ProviderSignIn, token_text: str) -> Caller | None:
    account_and_scopes = providers.authenticate(token_text)
    if account_and_scopes is None:
        return None
    account, scopes = account_and_scopes
    identity = store.sign_in.read_identity(account.issuer, account.subject)
    if identity is None:
        return None
    return Caller(
        identity.user_id,
        identities.derive_token_id(identity),
        tuple(Scope(scope) for scope in scopes),
        PROVIDER_TOKEN_VERSION,
    )
