"""The application: the document, the handlers, a store and a clock put together.

Here, and only here, stands which error is which status, what a handler may ask for, and how a change is committed.
"""

import json
import logging
import os
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

import handlers
from app.commits import IdempotentCommit
from contract.application import build
from contract.bridge import AsgiApp, WsgiBridge
from contract.cursors import CursorCodec
from contract.documentation_site import DocumentationSite
from contract.edge import Edge, find_body_limits
from contract.operations import Call
from contract.problems import Problem, unauthenticated
from contract.rate_limit import RateLimiter
from contract.responses import ContractBreach
from contract.static_site import StaticSite
from contract.violations import Violation
from kanban import tokens
from kanban.access import Caller
from kanban.changes import ActionContext
from kanban.errors import Conflict, DomainError, Forbidden, NotFound, Unauthenticated, Unprocessable
from kanban.ids import IdGenerator
from kanban.store import Busy, Store, Unavailable
from kanban.values import Role, Scope
from usecases.board_access import BoardAccess

DOCUMENT_PATH = Path(__file__).parents[1] / "spec" / "dist" / "openapi.json"

WEB_FOLDER = Path(__file__).parents[1] / "web"
"""The board for people. Where it is deployed apart from the API, the folder is missing, and nothing else changes."""

PUBLIC_OPERATIONS = frozenset(("get_health", "get_ready", "create_user"))
"""The operations that can be called without a token; the document must agree."""

STATUS_BY_ERROR: dict[type[DomainError], int] = {NotFound: 404, Forbidden: 403, Conflict: 409, Unprocessable: 422}
"""Which refusal of the domain is which status. A class not named here goes by its nearest parent."""

log = logging.getLogger("tackboard")

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The moment, aware and in UTC."""
    return datetime.now(UTC)


def create_app(
    store: Store,
    *,
    clock: Clock = utc_now,
    random_bytes: Callable[[int], bytes] = os.urandom,
    sleep: Callable[[float], None] = time.sleep,
    open_signup: bool = False,
    rate_limit: int = 0,
    origins: Iterable[str] = (),
    on_breach: Callable[[ContractBreach], None] = lambda _: None,
) -> WsgiBridge:
    """A WSGI application on a store.

    `open_signup` lets anyone make a user; `rate_limit` is how many requests each user may make in a minute, 0 as many
    as they like; `origins` are the web origins whose pages may call (CORS). Time, randomness and waiting come in from
    outside. `breached` is told of every answer that broke the document: tests raise there.
    """
    bundle = DOCUMENT_PATH.read_bytes()
    new_id = IdGenerator(clock, random_bytes)
    document = json.loads(bundle)
    api = build(
        document,
        handlers.functions_by_operation_id(),
        dependencies=_dependencies(store, clock, new_id, random_bytes, open_signup=open_signup),
        authenticate=partial(_authenticate, store, clock),
        commit=IdempotentCommit(store, clock, sleep, lambda: int.from_bytes(random_bytes(4), "big") / 2**32),
        to_problem=_problem_for,
        cursors=CursorCodec(store.read_secret()),
        public_operations=PUBLIC_OPERATIONS,
        admit=_rate_check(rate_limit, clock) if rate_limit else lambda _: None,
        on_breach=on_breach,
    )
    docs: AsgiApp = DocumentationSite(bundle, DOCUMENT_PATH.with_suffix(".yaml").read_bytes(), fallback=api)
    site = StaticSite(WEB_FOLDER, fallback=docs)
    return WsgiBridge(
        Edge(
            site, new_request_id=lambda: random_bytes(16).hex(), origins=origins, body_limits=find_body_limits(document)
        )
    )


def _dependencies(
    store: Store,
    clock: Clock,
    new_id: Callable[[str], str],
    random_bytes: Callable[[int], bytes],
    *,
    open_signup: bool,
) -> dict[str, Callable[[Call], Any]]:
    """What a handler may name besides the document's parameters."""

    def now() -> datetime:
        return clock().replace(microsecond=0)

    def access(call: Call) -> BoardAccess:
        asked = call.operation.extensions
        least = Role(asked.get("x-tackboard-role", Role.VIEWER))
        return BoardAccess(store, call.caller, Scope(asked["x-tackboard-scope"]), least)

    def context(call: Call) -> ActionContext:
        return ActionContext(call.caller.user_id if call.caller else "", now(), new_id)

    return {
        "store": lambda _: store,
        "access": access,
        "caller": lambda call: call.caller,
        "context": context,
        "now": lambda _: now(),
        "random_bytes": lambda _: random_bytes,
        "open_signup": lambda _: open_signup,
    }


def _authenticate(store: Store, clock: Clock, token_text: str) -> Caller | None:
    """Who holds this token, or None when it is malformed, unknown, revoked or expired."""
    digest = tokens.parse_to_digest(token_text)
    found = store.read_token_by_digest(digest) if digest else None
    if found is None:
        return None
    token, user = found
    now = clock().replace(microsecond=0)
    if not tokens.is_live(token, now):
        return None
    if tokens.is_touch_due(token, now):
        store.touch_token(token.id, now)
    return Caller(user.id, token.id, token.scopes, token.version)


def _rate_check(max_per_minute: int, clock: Clock) -> Callable[[Caller], None]:
    """What lets a user make so many requests a minute, with all tokens together, and no more."""
    limit = RateLimiter(max_per_minute, lambda: clock().timestamp())

    def admit(caller: Caller) -> None:
        if wait := limit.acquire(caller.user_id):
            detail = f"A user may make {max_per_minute} requests a minute: this is one more."
            raise Problem(429, "too_many_requests", detail, headers={"Retry-After": str(ceil(wait))})

    return admit


def _problem_for(error: Exception) -> Problem | None:
    """The problem of an error that has a name in the domain or the store; None for any other."""
    if isinstance(error, Unavailable):
        log.error("The store is unavailable: %s", error)
        return Problem(503, "busy", "The store can't be reached: try again in a moment.", headers={"Retry-After": "5"})
    if isinstance(error, Busy):
        return Problem(503, "busy", "Too much at once: try again in a moment.", headers={"Retry-After": "1"})
    if isinstance(error, Unauthenticated):
        return unauthenticated(error.message)
    if not isinstance(error, DomainError):
        return None
    status = next(STATUS_BY_ERROR[kind] for kind in type(error).__mro__ if kind in STATUS_BY_ERROR)
    field = getattr(error, "field", None)
    faults = [Violation(f"/{field}", error.code, error.message)] if field else []
    return Problem(status, error.code, error.message, violations=faults)
