"""Limit how many requests a user, a token and an address may make in a minute.

A caller with a valid token counts for the token and for its user, all others for their address. Addresses of this
machine have no limit: a proxy on the same machine that isn't named in TRUSTED_PROXIES has such an address, and so all
of its clients.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.usage_reports import BackgroundThread, RunJob, UsageReports
from contract.client_address import find_network
from contract.connexion_binding import Authenticate
from contract.messages import Request
from contract.operations import Operation
from contract.problems import Problem
from contract.rate_limit import WINDOW_SECONDS, Allowance, RateLimiter
from contract.request_context import RequestContext
from kanban.request_usage import UsageStore

HEAVY_COST = 10
"""As how many requests a heavy operation counts."""
MAX_REJECTIONS = 10
"""How often an invalid token is looked up in a minute for the same address."""
MAX_KNOWN_TOKENS = 10_000
"""Of how many tokens a process remembers that they were valid."""

UNLIMITED_OPERATIONS = frozenset(("get_health", "get_ready"))
"""The operations that supervisors and load balancers request all the time."""

_WINDOW = int(WINDOW_SECONDS)
_UNAUTHENTICATED = 401


@dataclass(frozen=True, slots=True)
class Limits:
    """How many requests may be made in a minute; 0 for no limit."""

    per_user: int = 0
    """With all tokens of a user together."""
    per_token: int = 0
    per_address: int = 0
    """Without a valid token. An IPv6 network of 64 bits counts as one address."""


NO_LIMITS = Limits()


class RequestLimits:
    """The limits of a process, shared with others through a store. Threads may share it."""

    def __init__(
        self,
        limits: Limits,
        store: UsageStore,
        unix_time: Callable[[], float],
        run: RunJob | None = None,
    ) -> None:
        """`run` runs what calls the store, in a thread of its own by default."""
        reports = UsageReports(store, unix_time, run or BackgroundThread())

        def build_limit(name: str, subject: str, maximum: int) -> "_Limit | None":
            report = partial(reports.report, name)
            return _Limit(name, subject, RateLimiter(maximum, unix_time, report)) if maximum else None

        # All tokens of a user count for the user, so a limit of a token that is not lower is never reached first.
        is_token_limited = limits.per_token > 0 and (limits.per_user == 0 or limits.per_token < limits.per_user)
        self._token = build_limit("token", "a token", limits.per_token if is_token_limited else 0)
        self._user = build_limit("user", "a user", limits.per_user)
        self._address = build_limit("address", "an address without a valid token", limits.per_address)
        self._rejections = RateLimiter(MAX_REJECTIONS, unix_time)
        self._known_tokens: dict[int, None] = {}
        self._known_tokens_lock = threading.Lock()

    def limit_rejections(self, authenticate: Authenticate) -> Authenticate:
        """Return a function that authenticates, and doesn't look up again what was invalid too often.

        It raises Problem (429) instead. A token that was valid before is always looked up.
        """
        if self._address is None:
            return authenticate

        def authenticate_limited(token_text: str, request: Request) -> Any:
            # The token itself is not kept.
            token = hash(token_text)
            is_known = token in self._known_tokens
            if not is_known:
                self._ensure_may_look_up(token, request.context)
            caller = authenticate(token_text, request)
            if caller is None:
                self._known_tokens.pop(token, None)
                self._rejections.acquire(_build_rejection_key(token, request.context))
            elif not is_known:
                self._remember(token)
            return caller

        return authenticate_limited

    def admit(self, context: RequestContext, operation: Operation) -> None:
        """Count a request, and note in its context what its response says about the limits.

        Raises Problem (429) for a request above a limit. A request that is answered again counts once.
        """
        caller = context.caller
        cost = HEAVY_COST if operation.is_heavy else 1
        if caller is not None:
            if self._token is not None:
                self._token.count(context, caller.token_id, cost)
            if self._user is not None:
                self._user.count(context, caller.user_id, cost)
        elif self._address is not None and operation.id not in UNLIMITED_OPERATIONS:
            network = find_network(context.address)
            if network is not None:
                self._address.count(context, network, cost)

    def _ensure_may_look_up(self, token: int, context: RequestContext) -> None:
        """Raise Problem (429) if a token was invalid too often, or too many tokens from its address were."""
        network = find_network(context.address)
        if network is not None and self._address is not None:
            self._address.look(context, network)
        if (allowance := self._rejections.look(_build_rejection_key(token, context))).wait_seconds:
            raise _build_problem(
                f"This token was not valid {MAX_REJECTIONS} times within a minute: send another one.",
                MAX_REJECTIONS,
                allowance,
            )

    def _remember(self, token: int) -> None:
        with self._known_tokens_lock:
            self._known_tokens[token] = None
            if len(self._known_tokens) > MAX_KNOWN_TOKENS:
                del self._known_tokens[next(iter(self._known_tokens))]


class _Limit:
    """One limit of a kind of caller."""

    def __init__(self, name: str, subject: str, limiter: RateLimiter) -> None:
        self._name = name
        self._subject = subject
        self._limiter = limiter
        self._policy = f'"{name}";q={limiter.requests_per_minute};w={_WINDOW}'

    def count(self, context: RequestContext, caller: str, cost: int) -> None:
        """Count a request as so many, or not at all if it is answered again. Raises Problem (429)."""
        if context.is_continued:
            self._describe(context, self._limiter.look(caller))
            return
        allowance = self._limiter.count(caller, cost)
        self._describe(context, allowance)
        if allowance.wait_seconds:
            raise self._build_problem(allowance)

    def look(self, context: RequestContext, caller: str) -> None:
        """Raise Problem (429) if the next request of a caller is above the limit."""
        allowance = self._limiter.look(caller)
        if allowance.wait_seconds:
            self._describe(context, allowance)
            raise self._build_problem(allowance)

    def _describe(self, context: RequestContext, allowance: Allowance) -> None:
        """Add to the headers of draft-ietf-httpapi-ratelimit-headers-10, lists of structured fields (RFC 9651)."""
        policy = self._policy
        remaining = f'"{self._name}";r={allowance.remaining};t={allowance.reset_seconds}'
        if context.limit_headers:
            (_, policies), (_, others) = context.limit_headers
            policy, remaining = f"{policies}, {policy}", f"{others}, {remaining}"
        context.limit_headers = (("ratelimit-policy", policy), ("ratelimit", remaining))

    def _build_problem(self, allowance: Allowance) -> Problem:
        maximum = self._limiter.requests_per_minute
        detail = f"This is more than {maximum} requests a minute, which is the limit of {self._subject}."
        return _build_problem(detail, maximum, allowance)


def _build_rejection_key(token: int, context: RequestContext) -> str:
    """Return what rejections are counted by: others who send the same token are other callers."""
    return f"{find_network(context.address)} {token}"


def _build_problem(detail: str, maximum: int, allowance: Allowance) -> Problem:
    return Problem(
        429,
        "too_many_requests",
        detail,
        headers={"Retry-After": str(allowance.reset_seconds)},
        members={"limit": maximum, "window_seconds": _WINDOW},
    )
