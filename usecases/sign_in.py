"""Reads for signing in: codes that can be used, the token of a request, and other ways in."""

from collections.abc import Collection, Iterable
from datetime import datetime

from kanban import sign_in, tokens, users
from kanban.access import PROVIDER_TOKEN_VERSION, Caller
from kanban.store import Store
from kanban.tokens import FullTokenRequired, TokenChanged
from kanban.values import Identity, SignInCode, Token, TokenKind
from kanban.views import PageKey

_TOKENS_PER_READ = 100
_MAX_READS = 10
"""How many pages of tokens are looked through for one that can sign in."""


def read_calling_token(store: Store, caller: Caller) -> Token:
    """Read the token of this request.

    Raises TokenChanged if it was revoked or rotated in the meantime, and FullTokenRequired if it is one of a provider.
    """
    if caller.token_version == PROVIDER_TOKEN_VERSION:
        raise FullTokenRequired
    token = store.read_token(caller.user_id, caller.token_id)
    if token is None or token.revoked_at is not None or token.version != caller.token_version:
        raise TokenChanged
    return token


def find_usable_code(store: Store, code_text: str, now: datetime) -> SignInCode | None:
    """Return the code of that text if it can be used.

    It has not been used and has not expired, its creator's token is live, and neither its user nor its creator has been
    deactivated since.
    """
    code = store.sign_in.read_code(sign_in.parse_to_digest(code_text))
    if code is None or not sign_in.is_live(code, now):
        return None
    user_ids = [code.user_id, *([code.created_by] if code.created_by else [])]
    people = store.read_users(user_ids)
    if not all(user_id in people and users.is_valid_since(people[user_id], code.created_at) for user_id in user_ids):
        return None
    if code.created_by is None or code.token_id is None:
        return code
    token = store.read_token(code.created_by, code.token_id)
    return code if token is not None and tokens.is_live(token, now) else None


def has_other_way_in(
    store: Store,
    token: Token,
    caller: Caller,
    identities: Iterable[Identity],
    issuers: Collection[str],
    *,
    now: datetime,
) -> bool:
    """Return whether the caller can still sign in after the end of a session, or after that of all other identities.

    `token` is the session, or the token that removes an identity: if it is no session, it is a way in itself.
    `identities` are those that remain, and `issuers` the providers with which users sign in now. A thousand tokens are
    looked through.
    """
    if token.kind is not TokenKind.SESSION or any(identity.issuer in issuers for identity in identities):
        return True
    session = token
    for kind in (TokenKind.SESSION, TokenKind.API):
        after: PageKey | None = None
        for _ in range(_MAX_READS):
            page = store.page_tokens(session.user_id, _TOKENS_PER_READ, after, kind)
            others = (token for token in page.items if token.id != session.id and caller.may_use(token))
            if any(tokens.is_way_in(token, now) for token in others):
                return True
            after = page.next_key
            if after is None:
                break
    return False
