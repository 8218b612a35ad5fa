"""Signing in at a provider that others wrote and that is certified: what a scripted one could only repeat of us."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from oidc.attempts import Attempt, begin_attempt
from oidc.authorization import ExchangeRefused
from oidc.claims import Identity
from oidc.configuration_check import check_provider
from oidc.errors import SignInRejected
from oidc.provider_client import ProviderClient
from oidc.providers import ClientAuthentication, Provider
from tests.live_server import LiveServer
from tests.oidc.real_provider import SECRET, run_real_provider, sign_in_at_provider

REDIRECT_URI = "http://127.0.0.1:19380/"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """Run the provider for all tests."""
    with run_real_provider(REDIRECT_URI) as issuer:
        yield issuer


def build_client(issuer: str, client_id: str = "basic", secret: str | None = SECRET) -> ProviderClient:
    """Return a client that is registered at the provider."""
    authentication = ClientAuthentication.POST if client_id == "post" else None
    return ProviderClient(Provider("real", "Real", issuer, client_id, secret, authentication))


def leave_and_return(client: ProviderClient) -> tuple[Attempt, dict[str, str]]:
    """Sign in at the provider; return the attempt and what the browser comes back with."""
    attempt = begin_attempt("real", REDIRECT_URI, os.urandom, time.time())
    return attempt, sign_in_at_provider(client.build_authorization_url(attempt), REDIRECT_URI, "mina")


@pytest.mark.parametrize("client_id", ["basic", "post", "public", "es256", "eddsa"])
def test_a_person_signs_in(issuer: str, client_id: str) -> None:
    client = build_client(issuer, client_id, None if client_id == "public" else SECRET)
    attempt, answer = leave_and_return(client)

    assert answer["state"] == attempt.state
    assert client.redeem_code(attempt, answer["code"], answer["iss"]) == Identity(issuer, "mina", "Name of mina")


def test_a_code_is_redeemed_once(issuer: str) -> None:
    client = build_client(issuer)
    attempt, answer = leave_and_return(client)
    client.redeem_code(attempt, answer["code"], answer["iss"])

    with pytest.raises(ExchangeRefused, match="invalid_grant"):
        client.redeem_code(attempt, answer["code"], answer["iss"])


@pytest.mark.parametrize("client_id", ["basic", "public"])
def test_a_stolen_code_is_worth_nothing_without_the_verifier(issuer: str, client_id: str) -> None:
    client = build_client(issuer, client_id, None if client_id == "public" else SECRET)
    attempt, answer = leave_and_return(client)
    other, _ = leave_and_return(client)

    with pytest.raises(ExchangeRefused, match="invalid_grant"):
        client.redeem_code(replace(attempt, verifier=other.verifier), answer["code"], answer["iss"])


def test_a_code_is_redeemed_with_the_address_that_it_was_sent_to(issuer: str) -> None:
    client = build_client(issuer)
    attempt, answer = leave_and_return(client)

    with pytest.raises(ExchangeRefused, match="invalid_grant"):
        client.redeem_code(replace(attempt, redirect_uri=f"{REDIRECT_URI}x"), answer["code"], answer["iss"])


def test_a_code_that_was_never_given_is_refused(issuer: str) -> None:
    client = build_client(issuer)
    attempt, answer = leave_and_return(client)

    for code in ("x", answer["code"][::-1], "'; --", "é"):
        with pytest.raises(ExchangeRefused, match="invalid_grant"):
            client.redeem_code(attempt, code, answer["iss"])
    with pytest.raises(SignInRejected, match="'iss' is not the configured issuer"):
        client.redeem_code(attempt, answer["code"], None)


def test_an_address_that_is_not_registered_is_refused_by_the_provider(issuer: str) -> None:
    client = build_client(issuer)
    attempt = begin_attempt("real", "https://evil.example.test/", os.urandom, time.time())

    with pytest.raises(AssertionError, match="redirect_uri"):
        sign_in_at_provider(client.build_authorization_url(attempt), attempt.redirect_uri, "mina")


def test_a_signature_that_is_not_accepted_gives_no_identity(issuer: str) -> None:
    client = build_client(issuer, "ps256")
    attempt, answer = leave_and_return(client)

    with pytest.raises(SignInRejected, match="signed in a way that is not accepted"):
        client.redeem_code(attempt, answer["code"], answer["iss"])


def test_the_check_finds_no_fault_or_names_it(issuer: str) -> None:
    assert list(check_provider(build_client(issuer))) == []
    assert list(check_provider(build_client(issuer, "post"))) == []
    assert list(check_provider(build_client(issuer, "public", None))) == []
    for client in (
        build_client(issuer, "basic", "wrong"),
        build_client(issuer, "unknown"),
        build_client(issuer, "basic", None),
    ):
        (fault,) = check_provider(client)
        assert "doesn't accept the client" in fault
    (fault,) = check_provider(build_client(f"{issuer}/"))
    assert "names another issuer" in fault


def test_a_person_signs_in_at_a_running_server(issuer: str, tmp_path: Path) -> None:
    provider = {"id": "real", "name": "Real", "issuer": issuer, "client_id": "basic", "client_secret": SECRET}
    setting = json.dumps([provider | {"sign_up": "open", "redirect_uris": [REDIRECT_URI]}])
    with LiveServer(tmp_path, OIDC_PROVIDERS=setting) as server, httpx.Client(base_url=f"{server.url}v1/") as client:
        assert client.get("sign-in").json()["providers"] == [{"id": "real", "name": "Real", "sign_up": "open"}]
        begun = client.post("sign-in/real/authorizations", json={"redirect_uri": REDIRECT_URI}).json()
        returned = sign_in_at_provider(begun["authorization_url"], REDIRECT_URI, "mina")
        body = {"state": returned["state"], "code": returned["code"], "issuer": returned["iss"], "name": "Phone"}
        created = client.post("sign-in/real/sessions", json={"attempt": begun["attempt"], **body})
        again = client.post("sign-in/real/sessions", json={"attempt": begun["attempt"], **body})
        headers = {"Authorization": f"Bearer {created.json()['token']}"}
        me = client.get("users/me", headers=headers).json()
        (identity,) = client.get("users/me/identities", headers=headers).json()["items"]

    assert created.status_code == 201
    assert me["name"] == "Name of mina"
    assert (identity["issuer"], identity["subject"]) == (issuer, "mina")
    assert (again.status_code, again.json()["code"]) == (401, "sign_in_failed")
    reason = "The provider has refused the code: invalid_grant."
    assert f'"message":"Signing in with the provider real failed: {reason}"' in server.errors
    for secret in (SECRET, returned["code"], begun["attempt"], created.json()["token"]):
        assert secret not in server.errors
