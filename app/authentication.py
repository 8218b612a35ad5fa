"""Find out who calls."""

from collections.abc import Callable
from datetime import datetime

from app.provider_sign_in import ProviderSignIn
from contract.client_address import parse_address
from contract.messages import Request
from kanban import identities, tokens, users
from kanban.access import PROVIDER_TOKEN_VERSION, Caller
from kanban.store import Store
from kanban.timekeeping.timestamps import truncate_to_seconds
from kanban.values import Scope, Token


def authenticate(
    store: Store, clock: Callable[[], datetime], providers: ProviderSignIn, token_text: str, request: Request
) -> Caller | None:
    """Return the caller who holds this token; None if it is malformed, unknown, revoked or expired.

    The time of the token's last use is stored now and then, in whole seconds, and from where the request came. A token
    of a provider is stored nowhere: it acts for the user whose identity it names.
    """
    digest = tokens.parse_to_digest(token_text)
    if digest is None:
        return _authenticate_with_provider(store, providers, token_text)
    token_and_user = store.read_token_by_digest(digest)
    if token_and_user is None:
        return None
    token, user = token_and_user
    at = clock()
    if not tokens.is_live(token, at) or not users.is_valid_since(user, token.created_at):
        return None
    if tokens.is_use_record_due(token, at, request.context.address):
        _record_use(store, token, at, request)
    return Caller(
        user.id, token.id, token.scopes, token.version, token.limits, user.signed_out_at, user.owner_id is not None
    )


def _record_use(store: Store, token: Token, at: datetime, request: Request) -> None:
    # What a server that listens at a Unix socket knows is no address.
    address = request.context.address if parse_address(request.context.address) else None
    origin = tokens.format_origin(address, request.headers.get("user-agent"))
    store.record_token_use(token.id, truncate_to_seconds(at), origin)


def _authenticate_with_provider(store: Store, providers: ProviderSignIn, token_text: str) -> Caller | None:
    account_and_scopes = providers.authenticate(token_text)
    if account_and_scopes is None:
        return None
    account, scopes = account_and_scopes
    identity = store.sign_in.read_identity(account.issuer, account.subject)
    user = store.read_user(identity.user_id) if identity else None
    if identity is None or user is None or user.deactivated_at is not None:
        return None
    return Caller(
        identity.user_id,
        identities.derive_token_id(identity),
        tuple(Scope(scope) for scope in scopes),
        PROVIDER_TOKEN_VERSION,
        signed_out_at=user.signed_out_at,
    )
