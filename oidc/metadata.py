"""What a provider says of itself at its well-known address (OpenID Connect Discovery)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oidc.errors import ProviderUnreachable
from oidc.fetching import Fetcher
from oidc.providers import ClientAuthentication, Provider, is_permitted_url

WELL_KNOWN_PATH = "/.well-known/openid-configuration"

_TITLE = "The provider's configuration"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is used of a provider's metadata.

    Attributes:
        authorization_endpoint: Where the browser goes.
        token_endpoint: Where a code is exchanged.
        key_set_url: Where the keys are.
        client_authentications: How clients may authenticate; basic if the provider doesn't say.
        signature_algorithms: Those of ID tokens; empty if the provider doesn't say.
        challenge_methods: Those of PKCE; empty if the provider doesn't say, as Entra and Cognito.
        response_types: What the authorization endpoint may be asked for; empty if the provider doesn't say.
        scopes: Those that may be asked for; empty if the provider doesn't say.
        names_itself: Whether the authorization response has the issuer (RFC 9207).
    """

    authorization_endpoint: str
    token_endpoint: str
    key_set_url: str
    client_authentications: tuple[str, ...]
    signature_algorithms: tuple[str, ...]
    challenge_methods: tuple[str, ...]
    response_types: tuple[str, ...]
    scopes: tuple[str, ...]
    names_itself: bool


def build_metadata_url(provider: Provider) -> str:
    """Return the address of a provider's metadata."""
    return provider.issuer.removesuffix("/") + WELL_KNOWN_PATH


def fetch_metadata(provider: Provider, fetcher: Fetcher) -> Metadata:
    """Return a provider's metadata. Raises ProviderUnreachable, also for metadata of another issuer."""
    document = fetcher.get_object(build_metadata_url(provider), _TITLE)
    if document.get("issuer") != provider.issuer:
        raise ProviderUnreachable(
            f"{_TITLE} names another issuer than is configured: they must be equal, with or without a slash at the end."
        )
    return Metadata(
        authorization_endpoint=_read_endpoint(document, "authorization_endpoint", provider),
        token_endpoint=_read_endpoint(document, "token_endpoint", provider),
        key_set_url=_read_endpoint(document, "jwks_uri", provider),
        client_authentications=_read_texts(document, "token_endpoint_auth_methods_supported")
        or (ClientAuthentication.BASIC,),
        signature_algorithms=_read_texts(document, "id_token_signing_alg_values_supported"),
        challenge_methods=_read_texts(document, "code_challenge_methods_supported"),
        response_types=_read_texts(document, "response_types_supported"),
        scopes=_read_texts(document, "scopes_supported"),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _read_endpoint(document: Mapping[str, Any], name: str, provider: Provider) -> str:
    url = document.get(name)
    if type(url) is not str or not is_permitted_url(url, on_loopback=provider.is_on_loopback):
        raise ProviderUnreachable(f"{_TITLE} has no '{name}' that is an https address.")
    return url


def _read_texts(document: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = document.get(name)
    if values is None:
        return ()
    if type(values) is not list or not all(type(value) is str for value in values):
        raise ProviderUnreachable(f"{_TITLE} has a '{name}' that is no array of texts.")
    return tuple(values)
