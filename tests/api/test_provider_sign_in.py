"""Signing in with a provider: who gets in, as whom, and the errors for everyone else."""

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.factory import create_app
from app.request_limits import Limits
from contract.request_context import start_request_context
from kanban.store import Store
from oidc.providers import BearerTokens
from tests.api.client import Client
from tests.api.manual_clock import ManualClock
from tests.api.provider_sign_in import (
    AUTHORIZATIONS,
    IDENTITIES,
    PAGE,
    BuildClient,
    begin,
    build,
    ensure_failed,
    finish,
    link,
    list_identities,
    provider,
    sign_in,
)
from tests.engines.scripted_server import respond, send_and_close
from tests.oidc.hostile_tokens import HOSTILE_TOKENS
from tests.oidc.scripted_provider import WELL_KNOWN, ScriptedProvider
from tests.oidc.signing import build_claims, build_header, sign

__all__ = ["build", "provider"]


@pytest.fixture
def anonymous(build: BuildClient) -> Client:
    """Return a client without a token, where every account of the provider may create a user."""
    return build()


# The ways in.


def test_the_ways_to_sign_in_are_public(build: BuildClient, provider: ScriptedProvider) -> None:
    other = provider.configure(id="other", issuer="https://other.example.test", name="Other")

    assert build(other).get("/sign-in").json == {
        "providers": [
            {"id": "staff", "name": "Our staff", "sign_up": "open"},
            {"id": "other", "name": "Other", "sign_up": "invited"},
        ],
        "open_sign_up": True,
        "invitations_make_users": True,
    }
    assert build(open_signup=False).get("/sign-in").json["open_sign_up"] is False
    closed = build(open_signup=False, invitations_make_users=False)
    assert closed.get("/sign-in").json["invitations_make_users"] is False


def test_without_providers_there_is_no_way_but_codes(store: Store) -> None:
    client = Client(create_app(store))

    assert client.get("/sign-in").json == {
        "providers": [],
        "open_sign_up": False,
        "invitations_make_users": True,
    }
    assert client.post(AUTHORIZATIONS, {"redirect_uri": PAGE}).json["code"] == "provider_not_found"


def test_a_browser_is_sent_to_the_provider(anonymous: Client, provider: ScriptedProvider) -> None:
    begun = anonymous.post(AUTHORIZATIONS, {"redirect_uri": PAGE}).json

    assert begun["authorization_url"].startswith(f"{provider.issuer}/authorize?response_type=code&client_id=tackboard&")
    assert "code_challenge_method=S256" in begun["authorization_url"]
    assert begun["expires_at"] == "2026-11-20T14:10:00Z"


def test_the_first_sign_in_creates_a_user_where_that_is_open(
    anonymous: Client, mina: Client, provider: ScriptedProvider
) -> None:
    del mina
    provider.claims = {"sub": "f:1:ömer", "name": "Ömer\u202e  Aslan", "email": "mina@example.test"}

    created = sign_in(anonymous)

    assert created.status == 201, created.raw
    assert created.json["user"]["name"] == "Ömer Aslan"
    assert created.json["session"]["name"] == "Firefox on my phone"
    assert created.headers["location"] == f"/v1/users/me/sessions/{created.json['session']['id']}"
    omer = anonymous.with_token(created.json["token"])
    assert omer.post("/boards", {"name": "Website"}).status == 201
    (identity,) = list_identities(omer)
    assert identity == {
        "id": identity["id"],
        "provider_id": "staff",
        "issuer": provider.issuer,
        "subject": "f:1:ömer",
        "created_at": "2026-11-20T14:00:00Z",
    }


def test_later_sign_ins_are_of_the_same_user(anonymous: Client, mina: Client, provider: ScriptedProvider) -> None:
    del mina
    first = sign_in(anonymous)
    provider.claims = {"name": "Another name", "email": "other@example.test"}
    second = sign_in(anonymous)

    assert first.json["user"] == second.json["user"]
    assert first.json["session"]["id"] != second.json["session"]["id"]
    assert len(anonymous.with_token(second.json["token"]).get("/users/me/sessions").json["items"]) == 2


def test_accounts_that_look_alike_are_different_users(
    anonymous: Client, mina: Client, provider: ScriptedProvider
) -> None:
    del mina
    user_ids = set()
    subjects = ["mina", "mіna", "ｍｉｎａ", "MINA", "é", "e\u0301"]  # noqa: RUF001 - that is the point.
    for subject in subjects:
        provider.claims = {"sub": subject, "email": "mina@example.test", "email_verified": True, "name": "Mina"}
        user_ids.add(sign_in(anonymous).json["user"]["id"])

    assert len(user_ids) == len(subjects)
    assert "mina" not in user_ids


@pytest.mark.parametrize("sign_up", ["invited", "none"])
def test_an_account_that_is_not_known_is_not_let_in(build: BuildClient, mina: Client, sign_up: str) -> None:
    del mina
    response = sign_in(build(sign_up=sign_up))

    assert (response.status, response.json["code"]) == (403, "not_invited")


def test_an_installation_without_an_owner_gets_none_from_elsewhere(anonymous: Client, store: Store) -> None:
    assert sign_in(anonymous).json["code"] == "not_invited"
    assert store.read_installation_owner() is None


def test_a_linked_account_signs_in_wherever_users_come_from(build: BuildClient, mina: Client) -> None:
    client = build(sign_up="none")
    linked = link(client.with_token(mina.token))

    assert linked.status == 200, linked.raw
    assert sign_in(client).json["user"]["id"] == "mina"


# What doesn't let anyone in.


def test_a_code_is_used_once(anonymous: Client, mina: Client) -> None:
    del mina
    returned = begin(anonymous)

    assert finish(anonymous, returned).status == 201
    ensure_failed(finish(anonymous, returned))


def test_a_code_is_used_once_where_requests_share_a_context(anonymous: Client, mina: Client) -> None:
    del mina
    start_request_context()
    returned = begin(anonymous)

    assert finish(anonymous, returned).status == 201
    ensure_failed(finish(anonymous, returned))


def test_the_state_of_another_browser_is_refused(anonymous: Client, mina: Client, provider: ScriptedProvider) -> None:
    del mina
    mine, others = begin(anonymous), begin(anonymous)

    ensure_failed(finish(anonymous, mine | {"state": others["state"]}))
    ensure_failed(finish(anonymous, others | {"attempt": mine["attempt"]}))
    ensure_failed(finish(anonymous, mine | {"state": ""}))
    assert provider.list_requests("/token") == []
    # Another's code is refused by the provider, which has the hash of another verifier.
    ensure_failed(finish(anonymous, mine | {"code": others["code"]}))


def test_an_attempt_ends_after_ten_minutes(anonymous: Client, mina: Client, clock: ManualClock) -> None:
    del mina
    early, late = begin(anonymous), begin(anonymous)
    clock.advance(minutes=9, seconds=59)
    assert finish(anonymous, early).status == 201
    clock.advance(seconds=1)

    ensure_failed(finish(anonymous, late))


def test_an_attempt_is_of_one_provider(build: BuildClient, mina: Client, provider: ScriptedProvider) -> None:
    del mina
    other = provider.configure(id="other", issuer="https://other.example.test")
    client = build(other)
    body = {**begin(client), "name": "Phone"}

    ensure_failed(client.post("/sign-in/other/sessions", body))
    assert client.post("/sign-in/unknown/sessions", body).json["code"] == "provider_not_found"


def test_hostile_tokens_let_nobody_in(
    anonymous: Client, mina: Client, store: Store, provider: ScriptedProvider, clock: ManualClock
) -> None:
    del mina
    for name, build_token in HOSTILE_TOKENS.items():
        token = build_token()
        answer = b'{"access_token":"x","id_token":%s}' % _encode_json(token)
        provider.reactions["/token"] = respond(answer, headers="Content-Type: application/json\r\n")
        clock.advance(minutes=1)

        response = finish(anonymous, begin(anonymous))

        # A megabyte is more than is read of any response.
        assert response.status == (503 if len(token) > 200_000 else 401), name
    assert store.sign_in.list_identities("mina") == []


def _encode_json(text: str) -> bytes:
    return b'"%s"' % text.encode("utf-8", "surrogatepass").replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(
        b"\n", b"\\n"
    )


def test_the_reason_of_a_failure_is_in_the_log_without_any_value(
    anonymous: Client, provider: ScriptedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.claims = {"aud": "s3cret"}
    with caplog.at_level(logging.WARNING, "tackboard"):
        ensure_failed(sign_in(anonymous))

    (record,) = caplog.records
    assert record.getMessage() == (
        "Signing in with the provider staff failed: The token is for another client: 'aud' doesn't name this one."
    )


def test_a_client_that_fails_too_often_has_to_wait(build: BuildClient) -> None:
    client = build()
    returned = begin(client) | {"state": "x"}
    for _ in range(300):
        assert finish(client, returned).status == 401

    refused = finish(client, returned)
    assert (refused.status, refused.json["code"]) == (429, "too_many_requests")
    assert client.post(AUTHORIZATIONS, {"redirect_uri": PAGE}).status == 429


@pytest.mark.parametrize("path", [WELL_KNOWN, "/keys", "/token"])
def test_a_provider_that_is_down_is_no_failure_of_the_user(
    anonymous: Client, provider: ScriptedProvider, path: str, mina: Client, caplog: pytest.LogCaptureFixture
) -> None:
    returned = begin(anonymous) if path != WELL_KNOWN else {"attempt": "x" * 64, "state": "", "code": "x"}
    provider.reactions[path] = send_and_close(b"")

    response = (
        anonymous.post(AUTHORIZATIONS, {"redirect_uri": PAGE}) if path == WELL_KNOWN else finish(anonymous, returned)
    )

    assert (response.status, response.json["code"]) == (503, "provider_unreachable")
    assert response.headers["retry-after"] == "30"
    assert "The provider staff can't be used: " in caplog.text
    # Whoever is in stays in.
    assert mina.get("/users/me").status == 200


def test_one_of_two_first_sign_ins_at_once_creates_the_user(anonymous: Client, mina: Client, store: Store) -> None:
    del mina
    attempts = [begin(anonymous) for _ in range(4)]
    with ThreadPoolExecutor(len(attempts)) as threads:
        responses = [*threads.map(lambda returned: finish(anonymous, returned), attempts)]

    users = {response.json["user"]["id"] for response in responses if response.status == 201}
    assert len(users) == 1
    assert {response.status for response in responses} <= {201, 409}
    assert len(store.sign_in.list_identities(users.pop())) == 1


# Where a browser may come back to.


@pytest.mark.parametrize(
    "redirect_uri",
    [
        PAGE,
        "https://boards.example.test",
        "https://boards.example.test/?view=table",
        "https://boards.example.test?x",
        "capacitor://localhost/signed-in",
        "http://testserver/",
        "https://testserver/",
    ],
)
def test_a_browser_comes_back_to_an_allowed_address(anonymous: Client, redirect_uri: str) -> None:
    assert anonymous.post(AUTHORIZATIONS, {"redirect_uri": redirect_uri}, Host="testserver").status == 200


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "https://evil.example.test/",
        "https://boards.example.test.evil.example.test/",
        "https://boards.example.test@evil.example.test/",
        "https://boards.example.test:8443/",
        "https://boards.example.tests/",
        "http://boards.example.test/",
        "HTTPS://boards.example.test/"[5:],
        "https://evil.example.test/?https://boards.example.test/",
        "javascript://boards.example.test/%0aalert(1)",
        "https://testserver.evil.example.test/",
        "https://xtestserver/",
        "capacitor://evil/",
        "data://boards.example.test/",
    ],
)
def test_a_browser_comes_back_to_no_other_address(anonymous: Client, redirect_uri: str) -> None:
    refused = anonymous.post(AUTHORIZATIONS, {"redirect_uri": redirect_uri}, Host="testserver")

    assert refused.status in (400, 422), refused.raw
    assert redirect_uri not in refused.raw.decode()


@pytest.mark.parametrize("host", ["", "evil.example.test/", "a@b", "https://x", "*", "x y", "[::1"])
def test_a_host_that_is_none_allows_nothing(anonymous: Client, host: str) -> None:
    for redirect_uri in (f"https://{host}/".replace(" ", "%20"), "https:///", "https://b/"):
        assert anonymous.post(AUTHORIZATIONS, {"redirect_uri": redirect_uri}, Host=host).status in (400, 422)


def test_named_addresses_are_the_only_ones(build: BuildClient) -> None:
    client = build(redirect_uris=("https://boards.example.test/app", "org.example.app://signed-in"))

    def post(redirect_uri: str) -> int:
        return client.post(AUTHORIZATIONS, {"redirect_uri": redirect_uri}, Host="testserver").status

    assert post("https://boards.example.test/app") == post("org.example.app://signed-in") == 200
    for other in (PAGE, "https://boards.example.test/app/", "https://boards.example.test/app?x", "http://testserver/"):
        assert post(other) == 422


@pytest.mark.parametrize(
    "changes",
    [
        {"attempt": ""},
        {"attempt": "x" * 5000},
        {"attempt": "A" * 200},
        {"attempt": "é" * 100},
        {"code": ""},
        {"code": "x" * 5000},
        {"code": "a\nb"},
        {"code": None},
        {"state": "x" * 300},
        {"state": None},
        {"issuer": "x" * 300},
        {"issuer": "https://evil.example.test"},
        {"name": ""},
        {"name": "a\nb"},
        {"unknown": 1},
    ],
)
def test_other_bodies_are_a_precise_4xx(anonymous: Client, mina: Client, changes: dict[str, Any]) -> None:
    del mina
    response = finish(anonymous, begin(anonymous), **changes)

    assert response.status in (400, 401), response.raw
    if response.status == 401:
        ensure_failed(response)


# Identities.


def test_an_account_is_added_and_removed(mina: Client, build: BuildClient) -> None:
    client = build().with_token(mina.token)
    linked = link(client)

    assert linked.status == 200, linked.raw
    assert list_identities(client) == [linked.json]
    assert link(client).json == linked.json
    assert list_identities(client) == [linked.json]
    assert client.delete(f"{IDENTITIES}/{linked.json['id']}").status == 204
    assert list_identities(client) == []
    assert client.delete(f"{IDENTITIES}/{linked.json['id']}").json["code"] == "identity_not_found"


def test_an_account_of_another_user_is_not_added(mina: Client, omar: Client, build: BuildClient) -> None:
    client = build()
    link(client.with_token(mina.token))

    refused = link(client.with_token(omar.token))

    assert (refused.status, refused.json["code"]) == (409, "identity_taken")
    assert list_identities(client.with_token(omar.token)) == []
    assert sign_in(client).json["user"]["id"] == "mina"


def test_identities_of_others_are_not_seen(mina: Client, omar: Client, build: BuildClient) -> None:
    client = build()
    identity_id = link(client.with_token(mina.token)).json["id"]

    refused = client.with_token(omar.token).delete(f"{IDENTITIES}/{identity_id}?allow_last=true")

    assert (refused.status, refused.json["code"]) == (404, "identity_not_found")


def test_a_user_has_ten_identities(mina: Client, build: BuildClient, provider: ScriptedProvider) -> None:
    client = build().with_token(mina.token)
    for number in range(10):
        provider.claims = {"sub": f"account {number}"}
        assert link(client).status == 200
    provider.claims = {"sub": "one more"}

    refused = link(client)

    assert (refused.status, refused.json["code"]) == (409, "too_many_identities")


def test_a_limited_token_adds_and_removes_nothing(mina: Client, build: BuildClient) -> None:
    client = build().with_token(mina.token)
    identity_id = link(client).json["id"]
    child = client.post("/users/me/tokens", {"name": "CI", "scopes": ["read", "write", "admin"]}).json["secret"]
    reader = client.post("/users/me/tokens", {"name": "CI", "scopes": ["read"]}).json["secret"]

    for token, code in ((child, "full_token_required"), (reader, "scope_missing")):
        limited = client.with_token(token)
        assert link(limited).json["code"] == code
        assert limited.delete(f"{IDENTITIES}/{identity_id}").json["code"] == code
        assert len(list_identities(limited)) == 1


def test_the_last_way_in_is_removed_with_a_warning(anonymous: Client, mina: Client) -> None:
    del mina
    client = anonymous.with_token(sign_in(anonymous).json["token"])
    (identity,) = list_identities(client)

    refused = client.delete(f"{IDENTITIES}/{identity['id']}")
    assert (refused.status, refused.json["code"]) == (409, "last_way_in")
    assert len(list_identities(client)) == 1
    assert client.delete(f"{IDENTITIES}/{identity['id']}?allow_last=true").status == 204


@pytest.mark.parametrize("way", ["session", "token", "identity"])
def test_an_identity_is_removed_if_there_is_another_way_in(
    anonymous: Client, mina: Client, provider: ScriptedProvider, way: str
) -> None:
    del mina
    client = anonymous.with_token(sign_in(anonymous).json["token"])
    (identity,) = list_identities(client)
    if way == "session":
        sign_in(anonymous)
    elif way == "token":
        client.post("/users/me/tokens", {"name": "CI", "scopes": ["read", "write", "admin"]})
    else:
        provider.claims = {"sub": "other"}
        link(client)

    assert client.delete(f"{IDENTITIES}/{identity['id']}").status == 204


def test_an_identity_of_a_provider_that_is_gone_is_no_way_in(
    anonymous: Client, mina: Client, build: BuildClient, provider: ScriptedProvider
) -> None:
    del mina
    token = sign_in(anonymous).json["token"]
    provider.claims = {"sub": "other"}
    link(anonymous.with_token(token))
    later = build(issuer="https://new.example.test").with_token(token)

    identities = list_identities(later)
    assert [identity["provider_id"] for identity in identities] == [None, None]
    assert later.delete(f"{IDENTITIES}/{identities[0]['id']}").json["code"] == "last_way_in"
    assert later.delete("/users/me/sessions/current").json["code"] == "last_way_in"


def test_a_session_ends_if_an_identity_remains(anonymous: Client, mina: Client) -> None:
    del mina
    client = anonymous.with_token(sign_in(anonymous).json["token"])

    assert client.delete("/users/me/sessions/current").status == 204
    assert sign_in(anonymous).status == 201


def test_nothing_of_a_sign_in_is_stored_but_issuer_and_subject(
    anonymous: Client, mina: Client, provider: ScriptedProvider, tmp_path: Any
) -> None:
    del mina
    provider.claims = {"email": "s3cret@example.test", "phone_number": "+49 30 s3cret", "picture": "https://s3cret/"}
    assert sign_in(anonymous).status == 201

    for path in tmp_path.iterdir():
        assert b"s3cret" not in path.read_bytes()


# Tokens of the provider that call the API.


@pytest.fixture
def bearer(build: BuildClient, mina: Client) -> Client:
    """Return a client whose API takes tokens of the provider, for an account of Mina's."""
    client = build(bearer=BearerTokens("api", ("read", "write", "admin")))
    assert link(client.with_token(mina.token)).status == 200
    return client


def issue(provider: ScriptedProvider, **changes: Any) -> str:
    """Return an access token of the provider for the API."""
    return provider.sign_id_token(**{"aud": "api", "nonce": ..., "typ": "Bearer", **changes})


def test_a_token_of_the_provider_acts_for_the_user(bearer: Client, provider: ScriptedProvider) -> None:
    client = bearer.with_token(issue(provider))
    board = client.post("/boards", {"name": "Website"})

    assert client.get("/users/me").json["id"] == "mina"
    assert board.status == 201
    (identity,) = list_identities(client)
    events = client.get(f"/boards/{board.json['id']}/events").json["items"]
    assert {event["token_id"] for event in events} == {identity["id"].replace("idn_", "tok_")}
    assert {event["actor_id"] for event in events} == {"mina"}


def test_it_has_the_scopes_that_the_operator_has_chosen(
    build: BuildClient, bearer: Client, provider: ScriptedProvider
) -> None:
    del bearer
    reader = build(bearer=BearerTokens("api", ("read",))).with_token(issue(provider, scope="read write admin"))

    assert reader.get("/boards").status == 200
    assert reader.post("/boards", {"name": "Website"}).json["code"] == "scope_missing"


def test_it_creates_nothing_that_outlives_it(bearer: Client, provider: ScriptedProvider, mina: Client) -> None:
    client = bearer.with_token(issue(provider))
    token_id = mina.post("/users/me/tokens", {"name": "x", "scopes": ["read"]}).json["token"]["id"]
    (identity,) = list_identities(client)

    for refused in (
        client.post("/users/me/tokens", {"name": "CI", "scopes": ["read"]}),
        client.delete(f"/users/me/tokens/{token_id}"),
        client.post(f"/users/me/tokens/{token_id}/rotate"),
        client.post("/users/me/sign-in-codes"),
        client.post("/users/mina/sign-in-codes"),
        link(client),
        client.delete(f"{IDENTITIES}/{identity['id']}?allow_last=true"),
    ):
        assert (refused.status, refused.json["code"]) == (403, "full_token_required"), refused.raw
    assert client.delete("/users/me/sessions/current").json["code"] == "session_not_found"


def test_a_deactivated_user_neither_calls_nor_signs_in_with_the_provider(
    bearer: Client, anonymous: Client, provider: ScriptedProvider, mina: Client
) -> None:
    omar = anonymous.post("/users", {"id": "omar", "name": "Omar"}).json["token"]
    client = bearer.with_token(issue(provider))
    mina.patch("/users/omar", {"installation_role": "owner"}, **{"If-Match": "*"})

    assert anonymous.with_token(omar).post("/users/mina/deactivate").status == 200

    assert client.get("/users/me").json["code"] == "unauthenticated"
    refused = sign_in(anonymous)
    assert (refused.status, refused.json["code"]) == (401, "sign_in_failed")


def test_a_removed_identity_calls_nothing(bearer: Client, provider: ScriptedProvider, mina: Client) -> None:
    client, token = bearer.with_token(issue(provider)), bearer.with_token(mina.token)
    (identity,) = list_identities(client)
    token.delete(f"{IDENTITIES}/{identity['id']}")

    assert client.get("/users/me").json["code"] == "unauthenticated"


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": "unknown"},
        {"aud": "other"},
        {"aud": "tackboard"},
        {"aud": ...},
        {"iss": "https://evil.example.test"},
        {"typ": "Refresh"},
        {"exp": 1},
    ],
)
def test_any_other_token_of_the_provider_is_invalid(
    bearer: Client, provider: ScriptedProvider, changes: dict[str, Any]
) -> None:
    refused = bearer.with_token(issue(provider, **changes)).get("/users/me")

    assert (refused.status, refused.json["code"]) == (401, "unauthenticated")
    assert refused.json["detail"] == "The token is not valid."


def test_hostile_tokens_call_nothing(bearer: Client) -> None:
    for name, build_token in HOSTILE_TOKENS.items():
        # Headers are Latin-1 text, and have at most 32 KB together.
        token = build_token().encode("utf-8", "replace").decode("latin-1")

        assert bearer.with_token(token).get("/users/me").status in (400, 401, 431), name


def test_a_token_that_expires_in_use_is_invalid(bearer: Client, provider: ScriptedProvider, clock: ManualClock) -> None:
    client = bearer.with_token(issue(provider))
    clock.advance(seconds=359)
    assert client.get("/users/me").status == 200
    clock.advance(seconds=1)

    assert client.get("/users/me").status == 401


def test_the_tokens_of_a_provider_without_bearer_call_nothing(
    build: BuildClient, mina: Client, provider: ScriptedProvider
) -> None:
    client = build()
    link(client.with_token(mina.token))

    assert client.with_token(issue(provider)).get("/users/me").status == 401
    assert client.with_token(issue(provider, aud="tackboard")).get("/users/me").status == 401
    assert provider.list_requests("/keys") != []


def test_keys_that_can_not_be_fetched_are_no_invalid_token(
    build: BuildClient, bearer: Client, provider: ScriptedProvider
) -> None:
    token = issue(provider)
    assert bearer.with_token(token).get("/users/me").status == 200
    provider.reactions["/keys"] = send_and_close(b"")

    # What was fetched before is used on.
    assert bearer.with_token(token).get("/users/me").status == 200
    # A server that has just started knows nothing yet.
    refused = build(bearer=BearerTokens("api", ("read",))).with_token(token).get("/users/me")
    assert (refused.status, refused.json["code"]) == (503, "provider_unreachable")


def test_a_user_has_one_rate_limit_with_every_kind_of_token(
    store: Store, clock: ManualClock, provider: ScriptedProvider, bearer: Client, mina: Client
) -> None:
    configured = provider.configure(bearer=BearerTokens("api", ("read",)))
    application = create_app(
        store, clock=clock, unix_time=lambda: 0.0, limits=Limits(per_user=2), providers=(configured,)
    )
    client = Client(application)
    del bearer

    statuses = [client.with_token(token).get("/boards").status for token in (mina.token, issue(provider), mina.token)]

    assert statuses == [200, 200, 429]


def test_a_token_without_a_subject_of_ours_tells_nothing_in_its_log(
    bearer: Client, provider: ScriptedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    token = sign(build_claims(iss=provider.issuer, aud="s3cret", sub="s3cret"), build_header())
    with caplog.at_level(logging.INFO, "tackboard"):
        assert bearer.with_token(token).get("/users/me").status == 401

    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "A token of the provider staff is refused"
    ]
    assert "s3cret" not in caplog.text


def test_times_are_those_of_the_clock(anonymous: Client, mina: Client, clock: ManualClock) -> None:
    del mina
    clock.advance(days=400)

    begun = anonymous.post(AUTHORIZATIONS, {"redirect_uri": PAGE}).json
    assert begun["expires_at"] == "2027-12-25T14:10:00Z"
    assert sign_in(anonymous).json["session"]["created_at"] == "2027-12-25T14:00:00Z"
