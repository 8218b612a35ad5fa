"""The authorization code flow with PKCE: where the browser is sent, and what its code is exchanged for."""

from base64 import b64encode
from http import HTTPStatus
from urllib.parse import quote_plus, urlencode

from oidc.attempts import Attempt
from oidc.errors import ProviderUnreachable, SignInRejected
from oidc.fetching import Fetcher
from oidc.metadata import Metadata
from oidc.providers import ClientAuthentication, Provider

_TITLE = "The provider's token endpoint"

_KNOWN_ERRORS = frozenset(
    ("invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type")
)
"""The errors of RFC 6749, section 5.2. Anything else could be any text, which a log should not have."""


class ExchangeRefused(SignInRejected):
    """Raised when the provider refuses a code. `error` is its reason, empty if it is none that is known."""

    def __init__(self, error: str) -> None:
        super().__init__(f"The provider has refused the code: {error or 'for an unknown reason'}.")
        self.error = error


def build_authorization_url(provider: Provider, metadata: Metadata, attempt: Attempt) -> str:
    """Return the address to send the browser to."""
    query = urlencode(
        {
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": attempt.redirect_uri,
            "scope": provider.scopes,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
    )
    endpoint = metadata.authorization_endpoint
    separator = "&" if "?" in endpoint else "?"
    return f"{endpoint}{separator}{query}"


def exchange_code(
    provider: Provider, metadata: Metadata, fetcher: Fetcher, *, code: str, redirect_uri: str, verifier: str
) -> str:
    """Return the text of the ID token that a code is exchanged for.

    Raises ExchangeRefused if the provider refuses it, SignInRejected if there is no ID token in its answer,
    ProviderUnreachable if there is no answer.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    headers = {}
    match choose_client_authentication(provider, metadata):
        case ClientAuthentication.BASIC:
            # RFC 6749, section 2.3.1: both are encoded like the values of a form first.
            credentials = f"{quote_plus(provider.client_id)}:{quote_plus(provider.client_secret or '')}"
            headers["Authorization"] = f"Basic {b64encode(credentials.encode()).decode()}"
        case ClientAuthentication.POST:
            form |= {"client_id": provider.client_id, "client_secret": provider.client_secret or ""}
        case None:
            form["client_id"] = provider.client_id
    status, answer = fetcher.post_form(metadata.token_endpoint, _TITLE, form, headers)
    if status != HTTPStatus.OK:
        error = answer.get("error")
        raise ExchangeRefused(error if type(error) is str and error in _KNOWN_ERRORS else "")
    id_token = answer.get("id_token")
    if type(id_token) is not str:
        raise SignInRejected("The provider's answer has no ID token.")
    return id_token


def choose_client_authentication(provider: Provider, metadata: Metadata) -> ClientAuthentication | None:
    """Return how to authenticate, None for a public client. Raises ProviderUnreachable if nothing fits."""
    if provider.client_secret is None:
        return None
    if provider.client_authentication is not None:
        return provider.client_authentication
    for authentication in ClientAuthentication:
        if authentication in metadata.client_authentications:
            return authentication
    raise ProviderUnreachable(
        f"{_TITLE} takes no client secret: neither {' nor '.join(ClientAuthentication)} is supported."
    )
