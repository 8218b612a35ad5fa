"""Read the configuration of providers.

It is a JSON array with an object for each provider:

    [{"id": "keycloak", "name": "Our Keycloak", "issuer": "https://id.example.org/realms/staff",
      "client_id": "tackboard", "client_secret": "…", "sign_up": "invited"}]

docs/sign-in.md describes every member.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from json import JSONDecodeError
from typing import Any, TypeVar
from urllib.parse import urlsplit

from delivery.targets import InvalidTarget, parse_target
from oidc.errors import InvalidProviders
from oidc.json_objects import parse_value

MAX_PROVIDERS = 20
MAX_CONFIGURATION_CHARACTERS = 65_536

_LOOPBACK_HOSTS = frozenset(("127.0.0.1", "::1", "localhost"))
_TENANTS_OF_ALL = (["common"], ["organizations"], ["consumers"])
"""Where Microsoft's issuer has the id of a tenant, and anyone else's tokens would be accepted."""

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_LINE = re.compile(r"(?=.{1,60}\Z)(?=.*\S)[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]*")
_ISSUER = re.compile(r"[!-~]{1,255}")
_REDIRECT_URI = re.compile(r"[a-z][a-z0-9+.-]*://[!-\"$-~]{1,2000}")
_ASCII = re.compile(r"[ -~]{1,255}")
_SECRET = re.compile(r"[ -~]{1,1024}")
_SCOPES = re.compile(r"(?=.{1,1000}\Z)[!#-\[\]-~]+(?: [!#-\[\]-~]+)*")

_Choice = TypeVar("_Choice", bound=StrEnum)


class SignUp(StrEnum):
    """Whose first sign-in creates a user: that of any account, of accounts with an invitation, or of none."""

    OPEN = "open"
    INVITED = "invited"
    NONE = "none"


class ClientAuthentication(StrEnum):
    """How a client with a secret authenticates at the token endpoint, as OpenID Connect names it."""

    BASIC = "client_secret_basic"
    POST = "client_secret_post"


@dataclass(frozen=True, slots=True)
class BearerTokens:
    """Which of a provider's tokens may call the API, and with which scopes of ours."""

    audience: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Provider:
    """A service that users sign in with.

    Attributes:
        id: Its name in paths.
        name: What the button says.
        issuer: The `iss` of its tokens, compared byte by byte.
        client_id: Who we are there.
        client_secret: None for a public client, which PKCE alone protects.
        client_authentication: None for what the provider offers.
        scopes: The scopes of the provider to ask for, separated by spaces.
        sign_up: Whose first sign-in creates a user.
        redirect_uris: Where browsers may come back to, exactly; None for every address of this server's own page and of
            the origins that may call it.
        required_claims: Claims that an ID token must have with these values, or as a member of an array.
        bearer: None if its tokens don't call the API.
    """

    id: str
    name: str
    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    client_authentication: ClientAuthentication | None = None
    scopes: str = "openid profile"
    sign_up: SignUp = SignUp.INVITED
    redirect_uris: tuple[str, ...] | None = None
    required_claims: Mapping[str, str] = field(default_factory=dict)
    bearer: BearerTokens | None = None

    @property
    def is_on_loopback(self) -> bool:
        """Whether the provider is on this machine and speaks http."""
        return self.issuer.startswith("http:")


def parse_providers(text: str, known_scopes: Collection[str]) -> tuple[Provider, ...]:
    """Return the providers of a configuration; `known_scopes` are those that bearer tokens may have here.

    Raises InvalidProviders.
    """
    if len(text) > MAX_CONFIGURATION_CHARACTERS:
        raise InvalidProviders(f"the text is longer than {MAX_CONFIGURATION_CHARACTERS:,} characters.")
    try:
        entries = parse_value(text)
    except ValueError as error:
        raise InvalidProviders(f"the text is not valid JSON: {_describe(error)}.") from None
    if type(entries) is not list:
        raise InvalidProviders("the text must be an array, with an object for each provider.")
    if len(entries) > MAX_PROVIDERS:
        raise InvalidProviders(f"there may be at most {MAX_PROVIDERS} providers.")
    providers = tuple(_read_provider(entry, number, known_scopes) for number, entry in enumerate(entries, 1))
    for name in ("id", "issuer"):
        first_ids: dict[str, int] = {}
        for number, provider in enumerate(providers, 1):
            if (first := first_ids.setdefault(getattr(provider, name), number)) != number:
                raise InvalidProviders(f"provider '{provider.id}', field '{name}': provider {first} has the same.")
    return providers


def is_permitted_url(url: str, *, on_loopback: bool) -> bool:
    """Return whether a provider may be called at a URL: by https, or if it is on this machine itself, also by http."""
    try:
        target = parse_target(url)
    except InvalidTarget:
        return False
    return target.is_tls or (on_loopback and target.host in _LOOPBACK_HOSTS)


def _describe(error: ValueError) -> str:
    """Say where a text stops being JSON. The parser's own sentence could repeat the text."""
    if isinstance(error, JSONDecodeError):
        return f"see line {error.lineno}, column {error.colno}"
    return "an object has the same name twice, or a number or a character is not allowed"


def _read_provider(entry: Any, number: int, known_scopes: Collection[str]) -> Provider:
    if type(entry) is not dict:
        raise InvalidProviders(f"provider {number} must be an object.")
    reader = _Reader(entry, f"provider {number}")
    id = reader.read_text("id", _ID, "1 to 32 of a-z, 0-9, _ and -, with a letter or digit first")  # noqa: A001
    reader.label = f"provider '{id}'"
    reader.ensure_known([*Provider.__dataclass_fields__])
    provider = Provider(
        id=id,
        name=reader.read_text("name", _LINE, "one line that is not blank, of at most 60 characters"),
        issuer=_read_issuer(reader),
        client_id=reader.read_text("client_id", _ASCII, "1 to 255 ASCII characters"),
        client_secret=reader.read_optional_text("client_secret", _SECRET, "1 to 1024 ASCII characters"),
        client_authentication=reader.read_choice("client_authentication", ClientAuthentication),
        scopes=_read_scopes(reader),
        sign_up=reader.read_choice("sign_up", SignUp) or SignUp.INVITED,
        redirect_uris=_read_redirect_uris(reader),
        required_claims=_read_required_claims(reader),
        bearer=_read_bearer(reader, known_scopes),
    )
    if provider.client_authentication and provider.client_secret is None:
        raise reader.reject("client_authentication", "needs a 'client_secret'")
    return provider


def _read_issuer(reader: "_Reader") -> str:
    issuer = reader.read_text("issuer", _ISSUER, "a URL of at most 255 visible ASCII characters")
    if not is_permitted_url(issuer, on_loopback=True):
        raise reader.reject("issuer", "must begin with https://, or with http://127.0.0.1 or http://localhost")
    parts = urlsplit(issuer)
    if "?" in issuer or "#" in issuer:
        raise reader.reject("issuer", "must have neither a query nor a fragment")
    if parts.path.endswith("/.well-known/openid-configuration"):
        raise reader.reject("issuer", "must end before /.well-known/openid-configuration")
    if "{" in issuer or parts.path.split("/")[1:2] in _TENANTS_OF_ALL:
        raise reader.reject("issuer", "must be that of one tenant: put the tenant's id in")
    return issuer


def _read_scopes(reader: "_Reader") -> str:
    scopes = reader.read_optional_text("scopes", _SCOPES, "scopes with one space between, at most 1000 characters")
    if scopes is None:
        return "openid profile"
    if "openid" not in scopes.split(" "):
        raise reader.reject("scopes", "must have 'openid' among them")
    return scopes


def _read_redirect_uris(reader: "_Reader") -> tuple[str, ...] | None:
    uris = reader.entry.get("redirect_uris")
    if uris is None:
        return None
    if type(uris) is not list or not all(type(uri) is str and _REDIRECT_URI.fullmatch(uri) for uri in uris):
        raise reader.reject("redirect_uris", "must be an array of addresses, like https://boards.example.org/")
    return tuple(uris)


def _read_required_claims(reader: "_Reader") -> Mapping[str, str]:
    claims = reader.entry.get("required_claims")
    if claims is None:
        return {}
    if type(claims) is not dict or not all(type(value) is str for value in claims.values()):
        raise reader.reject("required_claims", "must be an object, with a text for each claim")
    return claims


def _read_bearer(reader: "_Reader", known_scopes: Collection[str]) -> BearerTokens | None:
    entry = reader.entry.get("bearer")
    if entry is None:
        return None
    if type(entry) is not dict:
        raise reader.reject("bearer", "must be an object with 'audience' and 'scopes'")
    inner = _Reader(entry, f"{reader.label}, field 'bearer'")
    inner.ensure_known([*BearerTokens.__dataclass_fields__])
    audience = inner.read_text("audience", _ASCII, "1 to 255 ASCII characters")
    scopes = entry.get("scopes")
    if type(scopes) is not list or not scopes or not all(type(scope) is str for scope in scopes):
        raise inner.reject("scopes", f"must be an array of {', '.join(known_scopes)}")
    if not set(scopes) <= set(known_scopes):
        raise inner.reject("scopes", f"may have {', '.join(known_scopes)} only")
    return BearerTokens(audience, tuple(scope for scope in known_scopes if scope in scopes))


class _Reader:
    """Reads the members of an object, and names them in what it raises."""

    def __init__(self, entry: Mapping[str, Any], label: str) -> None:
        self.entry = entry
        self.label = label

    def reject(self, name: str, sentence: str) -> InvalidProviders:
        """Return the error of a member."""
        return InvalidProviders(f"{self.label}, field '{name}': {sentence}.")

    def ensure_known(self, names: Collection[str]) -> None:
        """Raise InvalidProviders for a member with another name."""
        if not self.entry.keys() <= set(names):
            raise InvalidProviders(f"{self.label} has a field that is not known; there are: {', '.join(names)}.")

    def read_text(self, name: str, pattern: re.Pattern[str], form: str) -> str:
        """Return a text. Raises InvalidProviders if it is missing or has another form."""
        text = self.read_optional_text(name, pattern, form)
        if text is None:
            raise self.reject(name, "is missing")
        return text

    def read_optional_text(self, name: str, pattern: re.Pattern[str], form: str) -> str | None:
        """Return a text, or None if it is missing. Raises InvalidProviders if it has another form."""
        value = self.entry.get(name)
        if value is not None and not (type(value) is str and pattern.fullmatch(value)):
            raise self.reject(name, f"must be {form}")
        return value

    def read_choice(self, name: str, choices: type[_Choice]) -> _Choice | None:
        """Return the member of an enum, or None if it is missing. Raises InvalidProviders for any other value."""
        value = self.entry.get(name)
        if value is None:
            return None
        if type(value) is not str or value not in [*choices]:
            raise self.reject(name, f"must be {' or '.join(choices)}")
        return choices(value)
