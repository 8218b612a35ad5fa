"""Signing in at providers of every shape, and at those that are slow, lie or are down."""

import os
import threading
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

import pytest

from delivery.addresses import AddressPolicy
from delivery.sender import Sender
from oidc.attempts import Attempt, begin_attempt
from oidc.authorization import ExchangeRefused
from oidc.claims import Identity
from oidc.errors import ProviderUnreachable, SignInRejected
from oidc.fetching import Fetcher
from oidc.provider_client import ProviderClient
from oidc.providers import BearerTokens, ClientAuthentication
from oidc.signed_tokens import parse_token
from tests.engines.scripted_server import respond, send_and_close, send_nothing
from tests.oidc.scripted_provider import (
    JSON,
    WELL_KNOWN,
    ScriptedProvider,
    respond_with_json,
    run_scripted_provider,
)
from tests.oidc.signing import (
    CLIENT_ID,
    NOW,
    build_claims,
    build_header,
    build_key_set,
    build_public_key,
    get_rsa_key,
    sign,
)

REDIRECT_URI = "https://board.example.test/"


def begin(client: ProviderClient) -> Attempt:
    """Return an attempt of signing in."""
    return begin_attempt(client.provider.id, REDIRECT_URI, os.urandom, NOW)


def sign_in(provider: ScriptedProvider, client: ProviderClient, issuer: str | None = None) -> Identity:
    """Sign in with any code."""
    attempt = begin(client)
    provider.claims.setdefault("nonce", attempt.nonce)
    try:
        return client.redeem_code(attempt, "the code", issuer)
    finally:
        del provider.claims["nonce"]


SHAPES: dict[str, tuple[str, dict[str, Any], Identity]] = {
    "Keycloak": (
        "/realms/staff",
        {
            "sub": "f:1f2b:mina",
            "typ": "ID",
            "azp": CLIENT_ID,
            "sid": "5f1c",
            "auth_time": NOW - 60,
            "at_hash": "x",
            "acr": "1",
            "email_verified": False,
            "name": "Mina Okafor",
            "preferred_username": "mina",
            "email": "mina@example.test",
            "realm_access": {"roles": ["owner"]},
        },
        Identity("", "f:1f2b:mina", "Mina Okafor"),
    ),
    "Cognito": (
        "/eu-central-1_AbCdEf",
        {
            "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
            "token_use": "id",
            "cognito:username": "mina",
            "cognito:groups": ["admins"],
            "email_verified": "true",
            "origin_jti": "x",
            "event_id": "y",
        },
        Identity("", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", None),
    ),
    "Auth0": (
        "/",
        {
            "sub": "google-oauth2|1234567890",
            "nickname": "mina",
            "name": "mina@example.test",
            "picture": "https://x.example.test/p.png",
            "https://board.example.test/roles": ["owner"],
            "sid": "x",
        },
        Identity("", "google-oauth2|1234567890", "mina@example.test"),
    ),
    "Entra": (
        "/9188040d-0000-4c5b-b112-36a304b66dad/v2.0",
        {
            "iat": NOW - 300,
            "nbf": NOW - 300,
            "exp": NOW + 3600,
            "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
            "aio": "x",
            "oid": "00000000-0000-0000-66f3-3332eca7ea81",
            "tid": "9188040d-0000-4c5b-b112-36a304b66dad",
            "preferred_username": "mina@example.test",
            "rh": "x",
            "uti": "y",
            "ver": "2.0",
        },
        Identity("", "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ", "mina@example.test"),
    ),
    "Google": (
        "",
        {
            "sub": "110169484474386276334",
            "azp": CLIENT_ID,
            "hd": "example.test",
            "email_verified": True,
            "name": "Mina",
        },
        Identity("", "110169484474386276334", "Mina"),
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_claims_of_every_product_give_an_identity(name: str) -> None:
    path, claims, identity = SHAPES[name]
    with run_scripted_provider(path) as provider:
        provider.claims |= claims

        assert sign_in(provider, provider.build_client()) == Identity(provider.issuer, identity.subject, identity.name)
        assert provider.issuer.endswith(path)


def test_a_name_may_be_in_any_script_and_may_be_missing(provider: ScriptedProvider) -> None:
    client = provider.build_client()
    for name in ("Мина Окафор", "ミナ", "مينا", "मीना", "👩‍🚀", "x" * 5_000, "a\nb", "<b>"):
        provider.claims["name"] = name
        assert sign_in(provider, client).name == name
    for nothing in (None, 5, "", "  ", ["Mina"]):
        provider.claims["name"] = nothing
        assert sign_in(provider, client).name is None


def test_a_public_client_sends_its_id_and_the_verifier(provider: ScriptedProvider) -> None:
    client = provider.build_client()
    attempt = begin(client)
    provider.claims["nonce"] = attempt.nonce

    client.redeem_code(attempt, "a code&with=signs", None)

    assert provider.read_form() == {
        "grant_type": "authorization_code",
        "code": "a code&with=signs",
        "redirect_uri": REDIRECT_URI,
        "code_verifier": attempt.verifier,
        "client_id": CLIENT_ID,
    }
    assert "authorization" not in provider.list_requests("/token")[0].headers


def test_a_secret_is_sent_as_the_provider_offers_it(provider: ScriptedProvider) -> None:
    secret = "s+c r:e%t"
    sign_in(provider, provider.build_client(client_secret=secret))
    provider.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    sign_in(provider, provider.build_client(client_secret=secret))
    provider.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_basic", "client_secret_post"]
    sign_in(provider, provider.build_client(client_secret=secret))
    sign_in(provider, provider.build_client(client_secret=secret, client_authentication=ClientAuthentication.POST))

    credentials = [request.headers.get("authorization") for request in provider.list_requests("/token")]
    assert credentials[0] == credentials[2]
    assert credentials[0]
    assert b64decode(credentials[0].removeprefix("Basic ")) == b"tackboard:s%2Bc+r%3Ae%25t"
    assert credentials[1] is credentials[3] is None
    assert [provider.read_form(number).get("client_secret") for number in range(4)] == [None, secret, None, secret]


def test_a_provider_that_takes_no_secret_is_named(provider: ScriptedProvider) -> None:
    provider.metadata["token_endpoint_auth_methods_supported"] = ["private_key_jwt"]

    with pytest.raises(ProviderUnreachable, match="takes no client secret"):
        sign_in(provider, provider.build_client(client_secret="secret"))


def test_the_token_of_another_attempt_is_rejected(provider: ScriptedProvider) -> None:
    client = provider.build_client()
    provider.claims["nonce"] = begin(client).nonce

    with pytest.raises(SignInRejected, match="'nonce' is another one"):
        client.redeem_code(begin(client), "code", None)


def test_a_code_that_another_provider_sent_is_rejected_before_it_is_exchanged(provider: ScriptedProvider) -> None:
    client = provider.build_client()
    assert sign_in(provider, client, provider.issuer).subject
    with pytest.raises(SignInRejected, match="'iss' is not the configured issuer"):
        sign_in(provider, client, "https://evil.example.test")

    provider.metadata["authorization_response_iss_parameter_supported"] = True
    client = provider.build_client()
    with pytest.raises(SignInRejected, match="'iss' is not the configured issuer"):
        sign_in(provider, client)
    assert sign_in(provider, client, provider.issuer).subject
    assert len(provider.list_requests("/token")) == 2


@pytest.mark.parametrize("error", ["invalid_grant", "invalid_client", "tkb_secret", ["invalid_grant"], None])
def test_a_refused_code_gives_no_identity_and_the_log_has_known_reasons_only(
    provider: ScriptedProvider, error: object
) -> None:
    provider.reactions["/token"] = respond_with_json({"error": error}, "400 Bad Request")

    with pytest.raises(ExchangeRefused) as refusal:
        sign_in(provider, provider.build_client())

    assert refusal.value.error == (error if error in ("invalid_grant", "invalid_client") else "")
    assert "tkb_" not in str(refusal.value)


@pytest.mark.parametrize("answer", [{}, {"id_token": None}, {"id_token": 5}, {"id_token": ""}, {"access_token": "x"}])
def test_an_answer_without_an_id_token_gives_no_identity(provider: ScriptedProvider, answer: Mapping[str, Any]) -> None:
    provider.reactions["/token"] = respond_with_json(answer)

    with pytest.raises(SignInRejected):
        sign_in(provider, provider.build_client())


def test_required_claims_must_be_there(provider: ScriptedProvider) -> None:
    client = provider.build_client(required_claims={"hd": "example.test", "groups": "staff"})
    for claims in (
        {"hd": "example.test"},
        {"hd": "evil.test", "groups": "staff"},
        {"hd": ["evil.test"], "groups": ["staff"]},
        {"hd": "example.test", "groups": "staffers"},
        {"hd": {"example.test": 1}, "groups": "staff"},
    ):
        provider.claims = dict(claims)
        with pytest.raises(SignInRejected, match="lacks a claim"):
            sign_in(provider, client)

    provider.claims = {"hd": "example.test", "groups": ["guests", "staff"]}
    assert sign_in(provider, client).subject


# Metadata, and what may be wrong with it.


def test_metadata_of_another_issuer_is_rejected() -> None:
    for path, other in (("", "/"), ("/", ""), ("/realms/a", "/realms/b")):
        with run_scripted_provider(path) as provider:
            provider.metadata["issuer"] = provider.issuer.removesuffix(path) + other
            with pytest.raises(ProviderUnreachable, match="names another issuer"):
                provider.build_client().read_metadata()


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize(
    "url",
    [
        None,
        5,
        "",
        "/token",
        "http://id.example.test/token",
        "http://169.254.169.254/latest",
        "http://127.0.0.1.example.test/token",
        "http://127.0.0.1@evil.example.test/token",
        "javascript:alert(1)",
        "data:,x",
        "file:///etc/passwd",
        "https://x.example.test/\r\nX: y",
        "https://exämple.test/",
    ],
)
def test_an_endpoint_must_be_https(provider: ScriptedProvider, name: str, url: object) -> None:
    provider.metadata[name] = url

    with pytest.raises(ProviderUnreachable, match=f"has no '{name}' that is an https address"):
        provider.build_client().read_metadata()


def test_a_provider_elsewhere_can_not_lead_to_this_machine(provider: ScriptedProvider) -> None:
    fetcher = Fetcher(on_loopback=False)

    with pytest.raises(ProviderUnreachable, match="is not https"):
        fetcher.get_object(f"{provider.issuer}/keys", "The keys")
    assert provider.list_requests("/keys") == []


def test_no_address_of_credentials_is_ever_called() -> None:
    for url in (
        "https://169.254.169.254/keys",
        "https://[fd00:ec2::254]/keys",
        "https://[::ffff:169.254.169.254]/keys",
    ):
        with pytest.raises(ProviderUnreachable, match="not permitted"):
            Fetcher(on_loopback=False).get_object(url, "The keys")


LIES = {
    "a redirect": (respond(b"", "302 Found", "Location: https://evil.example.test/\r\n"), "redirects are not followed"),
    "a redirect to itself": (respond(b"{}", "301 Moved Permanently", f"Location: /\r\n{JSON}"), "the status is 301"),
    "not found": (respond(b"{}", "404 Not Found", JSON), "the status is 404"),
    "an error": (respond(b"{}", "500 Internal Server Error", JSON), "the status is 500"),
    "no content": (respond(b"", "204 No Content"), "the status is 204"),
    "a page": (respond(b"<html>", headers="Content-Type: text/html\r\n"), "is not JSON"),
    "JSON as text": (respond(b"{}", headers="Content-Type: text/plain\r\n"), "is not JSON"),
    "no media type": (respond(b"{}"), "is not JSON"),
    "no JSON": (respond(b"{", headers=JSON), "is not a JSON object"),
    "an array": (respond(b"[]", headers=JSON), "is not a JSON object"),
    "a name twice": (respond(b'{"issuer":"a","issuer":"b"}', headers=JSON), "is not a JSON object of one meaning"),
    "bytes": (respond(b"\xff\xfe", headers=JSON), "is not a JSON object"),
    "deep nesting": (respond(b'{"a":' + b"[" * 100_000, headers=JSON), "is not a JSON object"),
    "ten megabytes": (respond(b'{"a":"' + b"x" * 10_000_000, headers=JSON), "longer than 256 KB"),
    "less than it says": (
        send_and_close(f"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n{JSON}\r\n{{}}".encode()),
        "ended early",
    ),
    "no HTTP": (send_and_close(b"SSH-2.0-x\r\n\r\n"), "not valid HTTP"),
    "nothing": (send_and_close(b""), "can't be reached"),
}


@pytest.mark.parametrize("path", [WELL_KNOWN, "/keys"])
@pytest.mark.parametrize("name", LIES)
def test_a_provider_that_lies_is_named_in_a_sentence(provider: ScriptedProvider, path: str, name: str) -> None:
    provider.reactions[path], sentence = LIES[name]

    with pytest.raises(ProviderUnreachable, match=sentence) as error:
        provider.build_client().read_keys()

    title = "The provider's configuration" if path == WELL_KNOWN else "The provider's set of keys"
    assert str(error.value).startswith(title)


def test_a_provider_that_never_answers_is_left_after_its_time(provider: ScriptedProvider) -> None:
    provider.reactions[WELL_KNOWN] = send_nothing
    sender = Sender(AddressPolicy(permits_loopback=True), seconds=0.3)
    client = provider.build_client(fetcher=Fetcher(on_loopback=True, sender=sender))

    with pytest.raises(ProviderUnreachable, match=r"no response within 0\.3 seconds"):
        client.read_metadata()


def test_a_provider_that_is_down_is_named_in_a_sentence() -> None:
    with run_scripted_provider() as provider:
        client = provider.build_client()

    with pytest.raises(ProviderUnreachable, match="can't be reached: the connection failed"):
        client.read_metadata()


@pytest.mark.parametrize(
    ("reaction", "sentence"),
    [
        (respond_with_json({}, "500 Internal Server Error"), "gives no answer: the status is 500"),
        (respond_with_json({}, "429 Too Many Requests"), "gives no answer: the status is 429"),
        (respond(b"<html>", "400 Bad Request"), "is not JSON"),
    ],
)
def test_a_token_endpoint_without_an_answer_is_no_refusal(
    provider: ScriptedProvider, reaction: Any, sentence: str
) -> None:
    provider.reactions["/token"] = reaction

    with pytest.raises(ProviderUnreachable, match=sentence):
        sign_in(provider, provider.build_client())


# Keys, and how long they are kept.


def bearer_client(provider: ScriptedProvider) -> ProviderClient:
    """Return a client that accepts bearer tokens."""
    return provider.build_client(bearer=BearerTokens("api", ("read",)))


def call(client: ProviderClient, key_name: str = "a") -> str:
    """Call the API with a token that is signed with a key, and return who calls."""
    token = sign(
        build_claims(iss=client.provider.issuer, aud="api", exp=NOW + 86_400, nonce=...),
        build_header(kid=key_name),
        key=get_rsa_key(key_name),
    )
    return client.verify_bearer_token(parse_token(token)).subject


def publish(provider: ScriptedProvider, *names: str) -> None:
    """Let the provider publish the keys with these names."""
    provider.reactions["/keys"] = respond_with_json(
        {"keys": [build_public_key(get_rsa_key(name), name) for name in names]}
    )


def test_keys_are_fetched_once_in_ten_minutes(provider: ScriptedProvider) -> None:
    client = bearer_client(provider)
    for second in (0, 1, 300, 599):
        provider.seconds = second
        call(client)
    assert len(provider.list_requests("/keys")) == 1

    provider.seconds = 600
    call(client)
    assert len(provider.list_requests("/keys")) == 2


def test_a_new_key_is_found_at_once_and_an_old_one_is_gone_after_ten_minutes(provider: ScriptedProvider) -> None:
    client = bearer_client(provider)
    publish(provider, "a")
    call(client)
    publish(provider, "other")
    provider.seconds = 100

    assert call(client, "other")
    with pytest.raises(SignInRejected, match="not among the provider's"):
        call(client)


def test_unknown_key_ids_cause_one_fetch_in_30_seconds(provider: ScriptedProvider) -> None:
    client = bearer_client(provider)
    call(client)
    for tenth in range(600):
        provider.seconds = tenth / 10
        with pytest.raises(SignInRejected, match="not among the provider's"):
            call(client, "other")

    # The first fetch was at 0 seconds, so unknown ids cause one at 30 only.
    assert len(provider.list_requests("/keys")) == 2


def test_a_provider_that_is_down_keeps_its_users_for_a_day(provider: ScriptedProvider) -> None:
    client = bearer_client(provider)
    call(client)
    provider.reactions["/keys"] = provider.reactions[WELL_KNOWN] = respond(b"", "503 Service Unavailable")
    for second in range(600, 86_400, 600):
        provider.seconds = second
        assert call(client)

    provider.seconds = 86_400
    with pytest.raises(ProviderUnreachable, match="the status is 503"):
        call(client)
    provider.reactions["/keys"] = respond_with_json(build_key_set())
    provider.seconds += 30
    with pytest.raises(ProviderUnreachable, match="the status is 503"):
        call(client)


def test_a_provider_that_is_down_is_asked_once_in_30_seconds(provider: ScriptedProvider) -> None:
    client = bearer_client(provider)
    provider.reactions[WELL_KNOWN] = respond(b"", "503 Service Unavailable")
    for second in range(60):
        provider.seconds = second
        with pytest.raises(ProviderUnreachable):
            call(client)

    assert len(provider.list_requests(WELL_KNOWN)) == 2


def test_many_threads_cause_one_fetch(provider: ScriptedProvider) -> None:
    client = bearer_client(provider)
    subjects: list[str] = []
    threads = [threading.Thread(target=lambda: subjects.append(call(client))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(subjects) == 8
    assert len(provider.list_requests("/keys")) == len(provider.list_requests(WELL_KNOWN)) == 1


# Bearer tokens.


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"aud": ["api", "https://tenant.example.test/userinfo"], "azp": "someone"},
        {"aud": ["other", "api"]},
        {"typ": "Bearer", "azp": "other", "realm_access": {"roles": ["owner"]}},
        {"aud": ..., "token_use": "access", "client_id": "api"},
        {"typ": "ID"},
    ],
)
def test_a_token_for_the_audience_calls_the_api(provider: ScriptedProvider, changes: Mapping[str, Any]) -> None:
    text = provider.sign_id_token(**{"aud": "api", "nonce": ..., **changes})

    assert bearer_client(provider).verify_bearer_token(parse_token(text)) == Identity(provider.issuer, "248289761001")


def test_an_access_token_says_so_in_its_header(provider: ScriptedProvider) -> None:
    for kind in ("at+jwt", "application/at+jwt", "AT+JWT"):
        text = sign(build_claims(iss=provider.issuer, aud="api"), build_header(typ=kind))
        assert bearer_client(provider).verify_bearer_token(parse_token(text)).subject


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": CLIENT_ID},
        {"aud": ["API"]},
        {"aud": ...},
        {"aud": ..., "client_id": "api"},
        {"aud": ..., "token_use": "id", "client_id": "api"},
        {"aud": ..., "token_use": "access", "client_id": "other"},
        {"aud": "other", "token_use": "access", "client_id": "api"},
        {"aud": None, "token_use": "access", "client_id": "api"},
        {"aud": ..., "azp": "api"},
        {"iss": "https://evil.example.test"},
        {"exp": NOW - 60, "iat": NOW - 360},
        {"sub": ...},
        {"typ": "Refresh"},
        {"typ": "Logout"},
        {"token_use": "refresh"},
        {"events": {}},
    ],
)
def test_any_other_token_does_not_call_the_api(provider: ScriptedProvider, changes: Mapping[str, Any]) -> None:
    text = provider.sign_id_token(**{"aud": "api", "nonce": ..., **changes})

    with pytest.raises(SignInRejected):
        bearer_client(provider).verify_bearer_token(parse_token(text))


def test_no_token_calls_the_api_unless_it_is_configured(provider: ScriptedProvider) -> None:
    with pytest.raises(SignInRejected, match="none that may call the API"):
        provider.build_client().verify_bearer_token(parse_token(provider.sign_id_token()))
    for kind in ("logout+jwt", "secevent+jwt", "dpop+jwt", "id+jwt"):
        text = sign(build_claims(iss=provider.issuer, aud="api"), build_header(typ=kind))
        with pytest.raises(SignInRejected, match="none that may call the API"):
            bearer_client(provider).verify_bearer_token(parse_token(text))
