"""Say in a sentence what is wrong with the configuration of a provider."""

from collections.abc import Iterator
from secrets import token_urlsafe

from oidc.authorization import ExchangeRefused, choose_client_authentication, exchange_code
from oidc.errors import ProviderUnreachable, SignInRejected
from oidc.key_sets import ALGORITHMS
from oidc.metadata import Metadata
from oidc.provider_client import ProviderClient

_CLIENT_ERRORS = frozenset(("invalid_client", "unauthorized_client"))


def check_provider(client: ProviderClient) -> Iterator[str]:
    """Yield a sentence for each fault that shows without a person who signs in; none if there is none.

    The provider is asked for its metadata, its keys, and for the exchange of a code that it never gave: it checks who
    asks before it looks at the code.
    """
    try:
        metadata = client.read_metadata()
    except ProviderUnreachable as error:
        yield str(error)
        return
    yield from _check_metadata(client, metadata)
    try:
        client.read_keys()
    except ProviderUnreachable as error:
        yield str(error)
    yield from _check_client(client, metadata)


def _check_metadata(client: ProviderClient, metadata: Metadata) -> Iterator[str]:
    if metadata.response_types and "code" not in metadata.response_types:
        yield "The provider doesn't offer the authorization code flow: 'response_types_supported' lacks 'code'."
    if metadata.challenge_methods and "S256" not in metadata.challenge_methods:
        yield "The provider doesn't offer PKCE: 'code_challenge_methods_supported' lacks 'S256'."
    if metadata.signature_algorithms and set(ALGORITHMS).isdisjoint(metadata.signature_algorithms):
        yield f"The provider signs ID tokens in none of the ways that are accepted: {', '.join(ALGORITHMS)}."
    for scope in client.provider.scopes.split(" "):
        if metadata.scopes and scope not in metadata.scopes:
            yield f"The field 'scopes' has '{scope}', which the provider doesn't list among 'scopes_supported'."


def _check_client(client: ProviderClient, metadata: Metadata) -> Iterator[str]:
    provider, authentication = client.provider, None
    try:
        authentication = choose_client_authentication(provider, metadata)
        if authentication and authentication not in metadata.client_authentications:
            yield (
                f"The provider doesn't list '{authentication}' among 'token_endpoint_auth_methods_supported': leave the"
                " field 'client_authentication' out."
            )
        exchange_code(
            provider,
            metadata,
            client.fetcher,
            code=token_urlsafe(24),
            redirect_uri=provider.issuer,
            verifier=token_urlsafe(32),
        )
    except ExchangeRefused as error:
        if error.error in _CLIENT_ERRORS:
            secret = "" if provider.client_secret is None else " with this 'client_secret'"
            yield (
                f"The provider doesn't accept the client{secret}: compare 'client_id', 'client_secret' and how the"
                f" client authenticates there ({authentication or 'a public client, without a secret'})."
            )
    except SignInRejected:
        yield "The provider accepts a code that it never gave."
    except ProviderUnreachable as error:
        yield str(error)
    else:
        yield "The provider accepts a code that it never gave."
