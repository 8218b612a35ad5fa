"""Find out who calls, and limit how often."""

from collections.abc import Callable
from datetime import datetime
from math import ceil

from contract.problems import Problem
from contract.rate_limit import RateLimiter
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


def build_rate_check(requests_per_minute: int, unix_time: Callable[[], float]) -> Callable[[Caller], None]:
    """Return a check that limits the requests of each user, with all of their tokens together.

    It raises Problem (429) for a request above the limit.
    """
    limiter = RateLimiter(requests_per_minute, unix_time)

    def check(caller: Caller) -> None:
        if wait_seconds := limiter.acquire(caller.user_id):
            detail = f"This is more than {requests_per_minute} requests a minute, which is the limit of a user."
            raise Problem(429, "too_many_requests", detail, headers={"Retry-After": str(ceil(wait_seconds))})

    return check
