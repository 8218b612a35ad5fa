"""Limits of tokens and addresses, invalid tokens, and what clients see of all limits."""

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Full
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.factory import create_app
from app.request_limits import HEAVY_COST, MAX_KNOWN_TOKENS, MAX_REJECTIONS, Limits, RequestLimits
from app.usage_reports import MAX_REPORTS_PER_MINUTE, MAX_WAITING_REPORTS, BackgroundThread, UsageReports
from contract.messages import Request
from contract.operations import Operation
from contract.request_context import RequestContext, start_request_context
from contract.responses import ContractBreach
from kanban import tokens
from kanban.store import Busy, Store
from tests.api.client import Client
from tests.api.manual_clock import ManualClock

ADDRESS = "198.51.100.7"


class StoreCalls:
    """A store that notes its calls. Its usage may be down."""

    def __init__(self, store: Store) -> None:
        self.calls: list[str] = []
        self.is_usage_down = False
        self.usage: list[str] = []
        self._store = store
        self.request_usage = self

    def __getattr__(self, name: str) -> Any:
        """Return what the store has of that name, noting it."""
        self.calls.append(name)
        return getattr(self._store, name)

    def add_usage(self, key: str, seconds: float, now: float) -> tuple[float, int]:
        """Add usage, or raise Busy."""
        if self.is_usage_down:
            raise Busy("Down.")
        self.usage.append(key)
        return self._store.request_usage.add_usage(key, seconds, now)


Serve = Callable[..., Client]


@pytest.fixture
def calls(store: Store) -> StoreCalls:
    return StoreCalls(store)


@pytest.fixture
def serve(calls: StoreCalls, clock: ManualClock) -> Serve:
    """Return what serves the store with limits, as a process of its own, to a client at an address."""

    def raise_breach(breach: ContractBreach) -> None:
        raise AssertionError(breach)

    def serve_limited(address: str = ADDRESS, **limits: int) -> Client:
        application = create_app(
            calls,
            clock=clock,
            unix_time=lambda: clock().timestamp(),
            random_bytes=random.Random(7).randbytes,  # noqa: S311 - tests need the same secrets in every run.
            open_signup=True,
            limits=Limits(**limits),
            share_usage=lambda job: job(),
            on_breach=raise_breach,
        )
        return at_address(Client(application), address)

    return serve_limited


def at_address(client: Client, address: str) -> Client:
    """Return a client that calls the same application from another address."""
    application = getattr(client.application, "application", client.application)

    class Addressed:
        def __init__(self) -> None:
            self.application = application

        def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
            return application(environ | {"REMOTE_ADDR": address}, start_response)

    return Client(Addressed(), client.token)


def sign_up(client: Client, user_id: str = "mina") -> Client:
    """Create a user and return a client with its token."""
    created = client.post("/users", {"id": user_id, "name": user_id})
    assert created.status == 201, created.json
    return client.with_token(created.json["token"])


def list_statuses(client: Client, number: int, path: str = "/users/me") -> list[int]:
    return [client.get(path).status for _ in range(number)]


# What clients see


def test_each_response_tells_the_limits_and_what_is_left(serve: Serve, clock: ManualClock) -> None:
    anonymous = serve(per_user=30, per_token=20, per_address=5)
    mina = sign_up(anonymous)
    user, missing = mina.get("/users/me"), mina.get("/boards/brd_00000000000000000000000000")
    head = mina.request("HEAD", "/boards")

    assert user.headers["ratelimit-policy"] == '"token";q=20;w=60, "user";q=30;w=60'
    assert user.headers["ratelimit"] == '"token";r=19;t=3, "user";r=29;t=2'
    assert missing.headers["ratelimit"] == '"token";r=18;t=3, "user";r=28;t=2'
    assert head.headers["ratelimit"] == '"token";r=17;t=3, "user";r=27;t=2'
    assert anonymous.get("/users/me").headers["ratelimit"] == '"address";r=3;t=12'
    clock.advance(seconds=60)
    assert mina.get("/users/me").headers["ratelimit"] == '"token";r=19;t=3, "user";r=29;t=2'


@pytest.mark.parametrize("per_token", [30, 40])
def test_a_limit_of_tokens_that_no_token_reaches_first_is_not_told(serve: Serve, per_token: int) -> None:
    mina = sign_up(serve(per_user=30, per_token=per_token))

    assert mina.get("/users/me").headers["ratelimit-policy"] == '"user";q=30;w=60'


def test_a_request_that_is_answered_again_tells_what_is_left_and_does_not_count(calls: StoreCalls) -> None:
    limits = RequestLimits(Limits(per_user=3), calls, lambda: 0.0, lambda job: job())
    operation = cast("Operation", SimpleNamespace(id="list_events", is_heavy=False))
    caller = SimpleNamespace(token_id="tok_1", user_id="mina")

    remaining = []
    for is_continued in (False, True, True):
        context = RequestContext()
        context.caller, context.is_continued = caller, is_continued
        limits.admit(context, operation)
        remaining.append(dict(context.limit_headers)["ratelimit"])

    assert remaining == ['"user";r=2;t=20'] * 3


def test_a_replayed_response_and_a_304_tell_what_is_left_now(serve: Serve) -> None:
    mina = sign_up(serve(per_user=30))

    posted = [mina.post("/boards", {"name": "Website"}, Idempotency_Key="one") for _ in range(2)]
    unchanged = mina.get(f"/boards/{posted[0].json['id']}", If_None_Match=posted[0].etag)

    assert [response.headers["ratelimit"] for response in posted] == ['"user";r=29;t=2', '"user";r=28;t=2']
    assert (unchanged.status, unchanged.headers["ratelimit"]) == (304, '"user";r=27;t=2')


def test_a_429_says_how_long_to_wait_and_what_the_limit_is(serve: Serve, clock: ManualClock) -> None:
    mina = sign_up(serve(per_user=3))
    assert list_statuses(mina, 3) == [200, 200, 200]

    rejected = mina.get("/users/me")

    assert (rejected.status, rejected.json["code"]) == (429, "too_many_requests")
    assert (rejected.json["limit"], rejected.json["window_seconds"]) == (3, 60)
    assert rejected.headers["retry-after"] == "20"
    assert rejected.headers["ratelimit"] == '"user";r=0;t=20'
    clock.advance(seconds=19)
    assert mina.get("/users/me").headers["retry-after"] == "1"


def test_a_request_in_the_context_of_another_one_is_a_request_of_its_own(serve: Serve) -> None:
    start_request_context()
    anonymous = serve(per_user=3, per_address=5)
    mina = sign_up(anonymous)

    values = [client.get("/users/me").headers["ratelimit"] for client in (mina, anonymous)]

    assert values == ['"user";r=2;t=20', '"address";r=3;t=12']
    assert "ratelimit" not in anonymous.get("/health").headers


def test_nothing_is_told_without_limits_and_where_none_applies(serve: Serve) -> None:
    unlimited, limited = serve(), serve(per_user=3, per_address=5)

    for response in (unlimited.get("/users/me"), limited.get("/health"), limited.get("/nowhere")):
        assert "ratelimit" not in response.headers
        assert "ratelimit-policy" not in response.headers


def test_pages_of_other_origins_can_read_the_limits(store: Store) -> None:
    origin = "https://app.example.org"
    application = create_app(store, origins=[origin], limits=Limits(per_user=3))

    exposed = Client(application).get("/users/me", Origin=origin).headers["access-control-expose-headers"]

    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(exposed.split(", "))


def test_a_heavy_operation_counts_as_ten_requests(serve: Serve) -> None:
    mina = sign_up(serve(per_user=30))
    board = mina.post("/boards", {"name": "Website"}).json["id"]

    exported = mina.get(f"/boards/{board}/export")

    assert HEAVY_COST == 10
    assert (exported.status, exported.headers["ratelimit"]) == (200, '"user";r=19;t=2')


def test_a_heavy_operation_costs_no_more_than_a_whole_limit(serve: Serve) -> None:
    mina = sign_up(serve(per_user=3))
    board = mina.get("/boards").json

    assert board["items"] == []
    assert mina.get("/boards/brd_00000000000000000000000000/export").status == 429
    assert serve(per_user=3).with_token(mina.token).get("/boards/brd_00000000000000000000000000/export").status == 404


# Tokens


def test_a_token_may_have_a_lower_limit_than_its_user(serve: Serve) -> None:
    mina = sign_up(serve(per_user=5, per_token=3))
    other = mina.with_token(mina.post("/users/me/tokens", {"name": "Script", "scopes": ["read"]}).json["secret"])

    assert list_statuses(other, 4) == [200, 200, 200, 429]
    assert (
        other.get("/users/me").json["detail"] == "This is more than 3 requests a minute, which is the limit of a token."
    )
    assert list_statuses(mina, 2) == [200, 429]


def test_tokens_alone_may_be_limited(serve: Serve) -> None:
    mina = sign_up(serve(per_token=2))
    other = mina.with_token(mina.post("/users/me/tokens", {"name": "Script", "scopes": ["read"]}).json["secret"])

    assert list_statuses(other, 3) == [200, 200, 429]
    assert list_statuses(mina, 2) == [200, 429]


# Addresses


def test_requests_without_a_valid_token_are_limited_by_address(serve: Serve, clock: ManualClock) -> None:
    anonymous = serve(per_address=4)
    assert list_statuses(anonymous, 4) == [401] * 4

    rejected = anonymous.post("/users", {"name": "Mina"})

    assert (rejected.status, rejected.json["limit"]) == (429, 4)
    assert rejected.headers["ratelimit"] == '"address";r=0;t=15'
    unknown = anonymous.with_token(make_token(1)).get("/users/me")
    assert (unknown.status, unknown.headers["ratelimit"]) == (429, '"address";r=0;t=15')
    assert rejected.json["detail"].endswith("which is the limit of an address without a valid token.")
    assert at_address(anonymous, "198.51.100.8").get("/users/me").status == 401
    assert list_statuses(anonymous, 20, "/health") == [200] * 20
    clock.advance(seconds=15)
    assert anonymous.post("/users", {"name": "Mina"}).status == 201


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "127.3.2.1", "", "unix:", "::ffff:127.0.0.1"])
def test_addresses_of_this_machine_have_no_limit(serve: Serve, address: str) -> None:
    assert list_statuses(serve(address, per_address=2), 10) == [401] * 10


def test_the_addresses_of_an_ipv6_network_count_together(serve: Serve) -> None:
    anonymous = serve(per_address=2)

    statuses = [
        at_address(anonymous, address).get("/users/me").status
        for address in ("2001:db8::1", "2001:db8:0:0:ffff::2", "2001:db8::3%eth0", "2001:db8:0:1::1")
    ]

    assert statuses == [401, 401, 429, 401]


def test_a_valid_token_does_not_count_for_its_address(serve: Serve) -> None:
    anonymous = serve(per_address=3)
    mina = sign_up(anonymous)

    assert list_statuses(mina, 10) == [200] * 10
    assert list_statuses(anonymous, 3) == [401, 401, 429]


# Invalid tokens


def make_token(number: int) -> str:
    """Return a well-formed token that no user has."""
    return tokens._generate_text(random.Random(number).randbytes)  # noqa: S311, SLF001 - only that makes checksums.


def test_an_invalid_token_is_looked_up_ten_times_a_minute(serve: Serve, calls: StoreCalls, clock: ManualClock) -> None:
    wrong = serve(per_address=100).with_token(make_token(1))
    assert list_statuses(wrong, MAX_REJECTIONS) == [401] * 10
    calls.calls.clear()

    rejected = wrong.get("/users/me")

    assert (rejected.status, rejected.json["limit"], rejected.headers["retry-after"]) == (429, 10, "6")
    assert calls.calls == []
    assert wrong.with_token(make_token(2)).get("/users/me").status == 401
    assert at_address(wrong, "198.51.100.8").get("/users/me").status == 401
    clock.advance(seconds=6)
    assert wrong.get("/users/me").status == 401


def test_a_valid_token_passes_whatever_others_send_from_its_address(serve: Serve) -> None:
    anonymous = serve(per_address=50)
    known, new = sign_up(anonymous, "mina"), sign_up(anonymous, "omar")
    known.get("/users/me")

    # Below the limit of the address any valid token passes, above it those that are known here.
    list_statuses(anonymous.with_token(make_token(1)), 20)
    assert [known.get("/users/me").status, new.get("/users/me").status] == [200, 200]
    unknown_here = sign_up(at_address(anonymous, "203.0.113.1"), "nora")
    for number in range(100):
        anonymous.with_token(make_token(number)).get("/users/me")
    assert [known.get("/users/me").status, new.get("/users/me").status] == [200, 200]
    assert anonymous.with_token(unknown_here.token).get("/users/me").status == 429
    assert at_address(unknown_here, "203.0.113.1").get("/users/me").status == 200


def test_a_token_that_was_revoked_is_no_longer_known(serve: Serve) -> None:
    mina = sign_up(serve(per_address=100))
    made = mina.post("/users/me/tokens", {"name": "Script", "scopes": ["read"]}).json
    script = mina.with_token(made["secret"])
    assert script.get("/users/me").status == 200
    mina.delete(f"/users/me/tokens/{made['token']['id']}")

    assert list_statuses(script, 12) == [401] * 10 + [429] * 2


def test_no_more_tokens_are_remembered_than_the_limit(store: Store) -> None:
    limits = RequestLimits(Limits(per_address=1), store.request_usage, lambda: 0.0, lambda job: job())
    authenticate = limits.limit_rejections(lambda text, _: text)
    request = Request("GET", "/", "", {}, b"", "", RequestContext())
    for number in range(MAX_KNOWN_TOKENS + 100):
        authenticate(f"token {number}", request)

    assert len(limits._known_tokens) == MAX_KNOWN_TOKENS  # noqa: SLF001 - nothing else tells.


# Several processes


def test_two_processes_share_a_limit(serve: Serve, clock: ManualClock) -> None:
    first = sign_up(serve(per_user=100))
    second = serve(per_user=100).with_token(first.token)

    statuses = [client.get("/users/me").status for _ in range(150) for client in (first, second)]

    assert 100 <= statuses.count(200) <= 110
    clock.advance(seconds=6)
    assert (first.get("/users/me").status, second.get("/users/me").status) == (200, 200)


def test_a_process_goes_on_alone_while_usage_cannot_be_shared(serve: Serve, calls: StoreCalls) -> None:
    calls.is_usage_down = True
    first = sign_up(serve(per_user=100))
    second = serve(per_user=100).with_token(first.token)

    statuses = [client.get("/users/me").status for _ in range(150) for client in (first, second)]

    assert statuses.count(200) == 200


def test_what_is_shared_names_the_limit(serve: Serve, calls: StoreCalls) -> None:
    mina = sign_up(serve(per_user=20, per_token=10, per_address=5))
    list_statuses(mina, 5)
    list_statuses(mina.with_token(None), 3)

    assert {key.partition(":")[0] for key in calls.usage} == {"token", "user", "address"}
    assert {"user:mina", f"address:{ADDRESS}"} <= {*calls.usage}


# Sharing


class Usage:
    """A store of usage that may fail."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.erased: list[float] = []

    def add_usage(self, key: str, seconds: float, now: float) -> tuple[float, int]:
        """Fail, or return what was given."""
        del key
        if self.error:
            raise self.error
        return now + seconds, 1

    def erase_usage(self, before: float) -> None:
        """Fail, or note it."""
        if self.error:
            raise self.error
        self.erased.append(before)


@pytest.mark.parametrize("error", [Busy("Down."), ValueError("A defect.")])
def test_a_report_that_fails_is_learned_as_a_failure(error: Exception) -> None:
    learned: list[object] = []
    now = [1_000.0]
    usage = Usage(error)
    reports = UsageReports(usage, lambda: now[0], lambda job: job())

    reports.report("user", "mina", 1.0, now[0], learned.append)
    now[0] = 2_000.0
    reports.report("user", "mina", 1.0, now[0], learned.append)
    usage.error = None
    now[0] = 2_001.0
    reports.report("user", "mina", 1.0, now[0], learned.append)

    assert learned == [None, None, (2_002.0, 1)]


def test_what_is_past_is_erased_every_ten_minutes() -> None:
    now = [1_000.0]
    usage = Usage()
    reports = UsageReports(usage, lambda: now[0], lambda job: job())
    for seconds in (1_000.0, 1_300.0, 1_601.0, 1_700.0, 2_300.0):
        now[0] = seconds
        reports.report("user", "mina", 1.0, seconds, lambda _: None)

    assert usage.erased == [1_601.0, 2_300.0]


def test_a_process_makes_no_more_reports_than_the_limit() -> None:
    learned: list[object] = []
    reports = UsageReports(Usage(), lambda: 1_000.0, lambda job: job())
    for number in range(MAX_REPORTS_PER_MINUTE + 5):
        reports.report("address", f"2001:db8:{number:x}::/64", 1.0, 1_000.0, learned.append)

    assert learned.count(None) == 5


def test_reports_are_given_up_when_too_many_wait() -> None:
    learned: list[object] = []
    gate = threading.Event()
    run = BackgroundThread()
    reports = UsageReports(Usage(), lambda: 1_000.0, run)
    run(gate.wait)
    for _ in range(MAX_WAITING_REPORTS + 5):
        reports.report("user", "mina", 1.0, 1_000.0, learned.append)
    given_up = len(learned)
    gate.set()
    done = threading.Event()
    while not done.is_set():
        with suppress(Full):
            run(done.set)
            done.wait(timeout=30)

    assert 4 <= given_up <= 5
    assert len(learned) == MAX_WAITING_REPORTS + 5
    assert learned.count(None) == given_up
