"""Find out who calls."""

from collections.abc import Callable
from datetime import datetime

from kanban import tokens
from kanban.access import Caller
from kanban.store import Store
from kanban.timekeeping.timestamps import truncate_to_seconds


def authenticate(store: Store, clock: Callable[[], datetime], token_text: str) -> Caller | None:
    """Return the caller who holds this token; None if it is malformed, unknown, revoked or expired.

    The time of the token's last use is stored now and then, in whole seconds.
    """
    digest = tokens.parse_to_digest(token_text)
    token_and_user = store.read_token_by_digest(digest) if digest else None
    if token_and_user is None:
        return None
    token, user = token_and_user
    at = clock()
    if not tokens.is_live(token, at):
        return None
    if tokens.is_use_record_due(token, at):
        store.record_token_use(token.id, truncate_to_seconds(at))
    return Caller(user.id, token.id, token.scopes, token.version, token.get_limits())
