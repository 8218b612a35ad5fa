"""Read and check the settings in the environment, in one place for every server and for AWS Lambda."""

import re
from collections.abc import Mapping
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.request_limits import Limits
from contract.client_address import Network, TrustedProxies
from kanban.values import Scope

if TYPE_CHECKING:
    from delivery.addresses import AddressPolicy
    from oidc.providers import Provider

DEFAULT_RATE_LIMIT = 3000
"""Requests that each user may make in a minute if RATE_LIMIT is absent."""
DEFAULT_RATE_LIMIT_PER_ADDRESS = 300
"""Requests without a valid token that an address may make in a minute if RATE_LIMIT_PER_ADDRESS is absent."""

MAX_PORT = 65_535
_MAX_RATE_LIMIT = 1_000_000
_MAX_DIGITS = 7

# As browsers send it: lower case, no path, and no default port.
_ORIGIN = re.compile(
    r"[a-z][a-z0-9+.-]*://[a-z0-9._-]+(:[0-9]{1,5})?|[a-z][a-z0-9+.-]*://\[[0-9a-f:.]+\](:[0-9]{1,5})?"
)
_MAX_BOARDS_PER_USER = 10_000
_DEFAULT_PORT = re.compile(r"http:.*:80|https:.*:443")


class InvalidSetting(Exception):
    """A variable of the environment has an invalid value; the message is one sentence that names it."""


def read_app_settings(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the keyword arguments of `create_app`. Raises InvalidSetting.

    OPEN_SIGNUP is 1 to let anyone create a user; INVITATIONS_MAKE_USERS is 0 to let only owners of the installation
    invite people who are no users; JOINING says whether users are asked before somebody with whom they share no board
    makes them a member (consent, the default where anyone can create a user) or not (direct); RATE_LIMIT is how many
    requests each user may make in a minute, 0 for no limit, RATE_LIMIT_PER_TOKEN each token, RATE_LIMIT_PER_ADDRESS
    each address without a valid token; MAX_BOARDS_PER_USER is how many boards each user may have created, 0 for any
    number; CORS_ORIGINS is a list of web origins, separated by commas; TRUSTED_PROXIES is a list of networks whose
    proxies say where requests come from. WEBHOOKS_TO_LOOPBACK is 1 to let webhooks deliver to this machine, and
    WEBHOOKS_ALLOW a list of networks that they may deliver to, both also without TLS.
    """
    open_signup = read_choice(environment, "OPEN_SIGNUP", ("0", "1")) == "1"
    joining = read_choice(environment, "JOINING", ("consent", "direct") if open_signup else ("direct", "consent"))
    return {
        "open_signup": open_signup,
        "joining_takes_consent": joining == "consent",
        "invitations_make_users": read_choice(environment, "INVITATIONS_MAKE_USERS", ("1", "0")) == "1",
        "limits": read_limits(environment),
        "max_boards": read_number(environment, "MAX_BOARDS_PER_USER", 0, _MAX_BOARDS_PER_USER) or None,
        "origins": read_origins(environment),
        "providers": read_providers(environment),
        "trusted_proxies": TrustedProxies(read_networks(environment, "TRUSTED_PROXIES")),
        "webhook_policy": read_webhook_policy(environment),
    }


def read_limits(environment: Mapping[str, str]) -> Limits:
    """Return how many requests may be made in a minute. Raises InvalidSetting.

    A token has the limit of its user by default. Where users have no limit, addresses have none by default.
    """
    per_user = read_number(environment, "RATE_LIMIT", DEFAULT_RATE_LIMIT, _MAX_RATE_LIMIT)
    default_per_address = DEFAULT_RATE_LIMIT_PER_ADDRESS if per_user else 0
    return Limits(
        per_user,
        read_number(environment, "RATE_LIMIT_PER_TOKEN", per_user, _MAX_RATE_LIMIT),
        read_number(environment, "RATE_LIMIT_PER_ADDRESS", default_per_address, _MAX_RATE_LIMIT),
    )


def read_log_format(environment: Mapping[str, str], *, is_terminal: bool) -> str:
    """Return how lines of the log are written, `json` or `text`; text by default on a terminal.

    Raises InvalidSetting.
    """
    return read_choice(environment, "LOG_FORMAT", ("text", "json") if is_terminal else ("json", "text"))


def read_number(environment: Mapping[str, str], name: str, default: int, maximum: int) -> int:
    """Return a whole number from 0 to `maximum`; the default if the variable is absent or empty.

    Raises InvalidSetting.
    """
    text = environment.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS and int(text) <= maximum):
        raise InvalidSetting(f"{name} is {_quote(text)}, but must be a number from 0 to {maximum}.")
    return int(text)


def read_choice(environment: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """Return one of the choices; the first if the variable is absent or empty. Raises InvalidSetting."""
    text = environment.get(name) or choices[0]
    if text not in choices:
        raise InvalidSetting(f"{name} is {_quote(text)}, but must be {' or '.join(choices)}.")
    return text


def read_origins(environment: Mapping[str, str]) -> list[str]:
    """Return the web origins of CORS_ORIGINS. Raises InvalidSetting for one that no browser sends."""
    origins = [origin.strip() for origin in environment.get("CORS_ORIGINS", "").split(",")]
    for origin in filter(None, origins):
        if not _ORIGIN.fullmatch(origin) or _DEFAULT_PORT.fullmatch(origin):
            raise InvalidSetting(
                f"CORS_ORIGINS has {_quote(origin)}, but must name origins as browsers send them,"
                " like https://app.example.org or http://localhost:5173, with commas between."
            )
    return [origin for origin in origins if origin]


def read_webhook_policy(environment: Mapping[str, str]) -> "AddressPolicy | None":
    """Return which addresses webhooks may deliver to besides public ones, None for no others. Raises InvalidSetting."""
    networks = read_networks(environment, "WEBHOOKS_ALLOW")
    permits_loopback = read_choice(environment, "WEBHOOKS_TO_LOOPBACK", ("0", "1")) == "1"
    if not networks and not permits_loopback:
        return None
    from delivery.addresses import AddressPolicy  # noqa: PLC0415  (on AWS a start would pay for what few requests need)

    return AddressPolicy(tuple(networks), permits_loopback=permits_loopback)


def read_networks(environment: Mapping[str, str], name: str) -> list[Network]:
    """Return a list of networks. Raises InvalidSetting."""
    networks: list[Network] = []
    for text in filter(None, (text.strip() for text in environment.get(name, "").split(","))):
        try:
            networks.append(ip_network(text))
        except ValueError:
            raise InvalidSetting(
                f"{name} has {_quote(text)}, but must name networks, like 10.0.0.0/8 or fd12:3456::/32,"
                " with commas between."
            ) from None
    return networks


def read_providers(environment: Mapping[str, str]) -> "tuple[Provider, ...]":
    """Return the providers that users sign in with: OIDC_PROVIDERS is their JSON, or @ and the path of a file with it.

    Raises InvalidSetting.
    """
    text = environment.get("OIDC_PROVIDERS", "").strip()
    if not text:
        return ()
    if find_spec("jwt") is None or find_spec("cryptography") is None:
        raise InvalidSetting(
            "OIDC_PROVIDERS needs packages that are not installed: install 'tackboard-server[sign-in]'."
        )
    from oidc.errors import InvalidProviders  # noqa: PLC0415  (on AWS a start would pay for what few need)
    from oidc.providers import parse_providers  # noqa: PLC0415  (as above)

    try:
        return parse_providers(_read_file(text[1:]) if text.startswith("@") else text, tuple(Scope))
    except InvalidProviders as error:
        raise InvalidSetting(f"OIDC_PROVIDERS: {error}") from None


def _read_file(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
    except ValueError:
        reason = "it is not UTF-8, or its name is none"
    raise InvalidSetting(f"OIDC_PROVIDERS names a file that can't be read: {reason}.")


def _quote(text: str) -> str:
    """Quote a value, cut to what fits into a sentence."""
    limit = 60
    return f"'{text[:limit]}…'" if len(text) > limit else f"'{text}'"
