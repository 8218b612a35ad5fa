"""What `tackboard check` says of each mistake."""

from collections.abc import Callable
from typing import Any

import pytest

from oidc.configuration_check import check_provider
from tests.engines.scripted_server import respond
from tests.oidc.scripted_provider import WELL_KNOWN, ScriptedProvider, respond_with_json

REFUSAL = respond_with_json({"error": "invalid_grant"}, "400 Bad Request")


def check(provider: ScriptedProvider, **changes: Any) -> list[str]:
    """Return what is wrong with a configuration."""
    return list(check_provider(provider.build_client(**changes)))


def test_a_good_configuration_has_no_fault(provider: ScriptedProvider) -> None:
    provider.reactions["/token"] = REFUSAL

    assert check(provider) == []
    assert check(provider, client_secret="secret") == []
    assert provider.read_form()["code"]


def _change_metadata(**changes: Any) -> Callable[[ScriptedProvider], None]:
    def change(provider: ScriptedProvider) -> None:
        provider.metadata |= changes

    return change


def _react(path: str, status: str, value: object) -> Callable[[ScriptedProvider], None]:
    def change(provider: ScriptedProvider) -> None:
        provider.reactions[path] = respond_with_json(value, status)

    return change


MISTAKES: list[tuple[Callable[[ScriptedProvider], None], str]] = [
    (_change_metadata(issuer="https://other.example.test"), "names another issuer than is configured"),
    (_change_metadata(token_endpoint="http://id.example.test/"), "has no 'token_endpoint' that is an https address"),
    (_change_metadata(response_types_supported=["id_token"]), "'response_types_supported' lacks 'code'"),
    (_change_metadata(response_types_supported="code"), "has a 'response_types_supported' that is no array of texts"),
    (_change_metadata(code_challenge_methods_supported=["plain"]), "'code_challenge_methods_supported' lacks 'S256'"),
    (_change_metadata(id_token_signing_alg_values_supported=["HS256"]), "none of the ways that are accepted: RS256,"),
    (_change_metadata(scopes_supported=["openid"]), "has 'profile', which the provider doesn't list"),
    (_change_metadata(token_endpoint_auth_methods_supported=["private_key_jwt"]), "takes no client secret"),
    (_react(WELL_KNOWN, "404 Not Found", {}), "The provider's configuration can't be fetched: the status is 404."),
    (_react("/keys", "200 OK", {"keys": []}), "The provider's set of keys has no key for RS256, ES256, EdDSA."),
    (_react("/keys", "200 OK", {}), "The provider's set of keys has no 'keys'."),
    (_react("/token", "401 Unauthorized", {"error": "invalid_client"}), "doesn't accept the client with this"),
    (_react("/token", "400 Bad Request", {"error": "unauthorized_client"}), "doesn't accept the client with this"),
    (_react("/token", "200 OK", {"id_token": "x"}), "The provider accepts a code that it never gave."),
    (_react("/token", "200 OK", {}), "The provider accepts a code that it never gave."),
    (_react("/token", "500 Internal Server Error", {}), "The provider's token endpoint gives no answer"),
]


@pytest.mark.parametrize(("change", "sentence"), MISTAKES)
def test_a_mistake_is_named_in_one_sentence(
    provider: ScriptedProvider, change: Callable[[ScriptedProvider], None], sentence: str
) -> None:
    provider.reactions["/token"] = REFUSAL
    change(provider)

    (fault,) = check(provider, client_secret="secret")

    assert sentence in fault
    assert "secret'" not in fault.replace("'client_secret'", "")


def test_a_public_client_that_is_refused_is_named_as_one(provider: ScriptedProvider) -> None:
    provider.reactions["/token"] = respond_with_json({"error": "invalid_client"}, "401 Unauthorized")

    (fault,) = check(provider)

    assert "doesn't accept the client:" in fault
    assert "a public client, without a secret" in fault


def test_a_way_to_authenticate_that_is_not_offered_is_named(provider: ScriptedProvider) -> None:
    provider.reactions["/token"] = REFUSAL

    (fault,) = check(provider, client_secret="secret", client_authentication="client_secret_post")

    assert "doesn't list 'client_secret_post'" in fault


def test_a_provider_that_is_down_has_one_fault(provider: ScriptedProvider) -> None:
    provider.reactions = dict.fromkeys(provider.reactions, respond(b"", "503 Service Unavailable"))

    assert check(provider) == ["The provider's configuration can't be fetched: the status is 503."]
