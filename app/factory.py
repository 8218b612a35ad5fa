"""Build the application: put the document, the handlers and a store together."""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import handlers
from app.attempt_limits import AttemptLimiter
from app.authentication import authenticate
from app.commits import IdempotentCommit
from app.dependencies import UserPolicy, build_dependencies
from app.document import DOCUMENT_PATH, load_document
from app.needed_resources import NeededResources
from app.problems import to_problem
from app.provider_sign_in import ProviderSignIn
from app.request_limits import NO_LIMITS, Limits, RequestLimits
from app.usage_reports import BackgroundThread, RunJob
from app.wall_clock import utc_now
from contract.application import Api, respond_with_not_found
from contract.client_address import NO_PROXIES, TrustedProxies
from contract.cursors import CursorCodec
from contract.documentation_site import DocumentationSite
from contract.edge import Edge, find_body_limits
from contract.messages import HttpApplication
from contract.responses import ContractBreach
from contract.static_site import StaticSite
from contract.wsgi_application import WsgiApplication
from kanban.ids import IdGenerator
from kanban.store import Store
from kanban.timekeeping.timestamps import truncate_to_seconds
from usecases.quotas import NO_QUOTAS, QuotaLimits, read_created_boards
from usecases.text_counts import TextCounts

if TYPE_CHECKING:
    from delivery.addresses import AddressPolicy
    from oidc.providers import Provider

WEB_FOLDER = Path(__file__).parents[1] / "web"
"""The page. Where it is deployed apart from the API, the folder is missing, and nothing else changes."""

PUBLIC_OPERATIONS = frozenset(
    (
        *("get_health", "get_ready", "get_sign_in", "create_user"),
        *("create_session", "create_authorization", "create_provider_session", "get_invitation", "accept_invitation"),
    )
)
"""The operations that can be called without a token. The start fails if the document names others."""


def create_app(
    store: Store,
    *,
    clock: Callable[[], datetime] = utc_now,
    unix_time: Callable[[], float] = time.time,
    random_bytes: Callable[[int], bytes] = os.urandom,
    sleep: Callable[[float], None] = time.sleep,
    open_signup: bool = False,
    invitations_make_users: bool = True,
    joining_takes_consent: bool = False,
    limits: Limits = NO_LIMITS,
    quotas: QuotaLimits = NO_QUOTAS,
    share_usage: RunJob | None = None,
    count_texts: RunJob | None = None,
    origins: Iterable[str] = (),
    cors_headers: Iterable[str] = (),
    trusted_proxies: TrustedProxies = NO_PROXIES,
    webhook_policy: "AddressPolicy | None" = None,
    providers: "Sequence[Provider]" = (),
    trace: Callable[[HttpApplication], HttpApplication] = lambda application: application,
    on_breach: Callable[[ContractBreach], None] = lambda _: None,
) -> WsgiApplication:
    """Return a WSGI application that serves a store.

    `open_signup` lets anyone create a user, `invitations_make_users` those whom an owner of a board has invited; owners
    of the installation can always invite people who are no users. With `joining_takes_consent`, a user who is added to
    a board by somebody with whom they share none becomes a member when they agree. `quotas` says how much each user may
    take of the installation. `limits` says how many requests may be made in a minute; `share_usage` runs what shares
    their use with other processes, and `count_texts` what counts the texts on the boards of users, each in a thread by
    default. `origins` are the web origins whose pages may call (CORS), and `cors_headers` what these may send beside
    the headers of the document. What `trusted_proxies` say about their clients is believed. `webhook_policy` says which
    addresses webhooks may have; without one, public ones only. Time, randomness and sleeping are passed in, so that
    tests decide them; `unix_time` returns seconds, for the limits. `trace` wraps what answers requests. `on_breach` is
    called with every response that breaks the document: tests raise there.
    """
    document = load_document()
    request_limits = RequestLimits(limits, store.request_usage, unix_time, share_usage)
    new_id = IdGenerator(clock, random_bytes)

    def now() -> datetime:
        # Everything that is stored and shown has whole seconds. Ids have the fraction as well.
        return truncate_to_seconds(clock())

    origins = tuple(origins)
    provider_sign_in = ProviderSignIn(
        providers,
        read_secret=store.read_secret,
        unix_time=lambda: clock().timestamp(),
        random_bytes=random_bytes,
        origins=origins,
    )
    docs = DocumentationSite(
        DOCUMENT_PATH.read_bytes, DOCUMENT_PATH.with_suffix(".yaml").read_bytes, fallback=respond_with_not_found
    )
    text_counts = _build_text_counts(store, quotas, unix_time, count_texts)
    dependencies = build_dependencies(
        store,
        now,
        new_id,
        random_bytes,
        policy=UserPolicy(open_signup, invitations_make_users, quotas, joining_takes_consent, text_counts),
        webhook_policy=webhook_policy,
        attempts=AttemptLimiter(unix_time),
        providers=provider_sign_in,
    )
    api = Api(
        document,
        handlers.functions_by_operation_id(),
        dependencies=dependencies,
        authenticate=request_limits.limit_rejections(partial(authenticate, store, clock, provider_sign_in)),
        commit=IdempotentCommit(
            store,
            now,
            sleep,
            lambda: int.from_bytes(random_bytes(4), "big") / 2**32,
            build_context=dependencies["context"],
            list_resources=NeededResources(document),
        ),
        to_problem=to_problem,
        cursors=CursorCodec(store.read_secret()),
        public_operations=PUBLIC_OPERATIONS,
        admit=request_limits.admit,
        on_breach=on_breach,
        fallback=StaticSite(WEB_FOLDER, fallback=docs),
    )
    edge = Edge(
        trace(api),
        new_request_id=lambda: random_bytes(16).hex(),
        origins=origins,
        body_limits=find_body_limits(document),
        find_weight=api.find_weight,
        trusted_proxies=trusted_proxies,
        cors_headers=cors_headers,
    )
    return WsgiApplication(edge, api.operations.compile_all)


def _build_text_counts(
    store: Store, quotas: QuotaLimits, unix_time: Callable[[], float], run: RunJob | None
) -> TextCounts | None:
    """Return what counts the texts on the boards of users, None if these have no quota."""
    if quotas.text_bytes is None:
        return None
    return TextCounts(store, quotas.text_bytes, read_created_boards, unix_time, run or BackgroundThread("text counts"))
