"""Read and check the settings in the environment, in one place for every server and for AWS Lambda."""

from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING, Any

from app import settings
from app.request_limits import Limits
from contract.client_address import TrustedProxies
from usecases.quotas import QuotaLimits

if TYPE_CHECKING:
    from delivery.addresses import AddressPolicy


def add_file(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return the environment and, for what is absent or empty there, the settings of the file that it names, if any.

    Raises InvalidSetting.
    """
    path = settings.TACKBOARD_CONFIG.read(environment)
    if not path:
        return environment
    from app.settings_file import read_file  # noqa: PLC0415  (most servers have no such file, and start faster)

    return {**read_file(path), **{name: text for name, text in environment.items() if text}}


def read_app_settings(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the keyword arguments of `create_app`. Raises InvalidSetting.

    Where anyone can create a user, users are asked before strangers make them members, unless JOINING says otherwise.
    """
    open_signup = settings.OPEN_SIGNUP.read(environment)
    joining = settings.JOINING.read(environment, "consent" if open_signup else "direct")
    return {
        "open_signup": open_signup,
        "joining_takes_consent": joining == "consent",
        "invitations_make_users": settings.INVITATIONS_MAKE_USERS.read(environment),
        "limits": read_limits(environment),
        "quotas": read_quotas(environment),
        "origins": settings.CORS_ORIGINS.read(environment),
        "cors_headers": settings.CORS_HEADERS.read(environment),
        "providers": settings.OIDC_PROVIDERS.read(environment),
        "trusted_proxies": TrustedProxies(settings.TRUSTED_PROXIES.read(environment)),
        "webhook_policy": read_webhook_policy(environment),
    }


def read_limits(environment: Mapping[str, str]) -> Limits:
    """Return how many requests may be made in a minute. Raises InvalidSetting.

    A token has the limit of its user by default. Where users have no limit, addresses have none by default.
    """
    per_user = settings.RATE_LIMIT.read(environment)
    return Limits(
        per_user,
        settings.RATE_LIMIT_PER_TOKEN.read(environment, per_user),
        settings.RATE_LIMIT_PER_ADDRESS.read(environment, None if per_user else 0),
    )


def read_quotas(environment: Mapping[str, str]) -> QuotaLimits:
    """Return how much each user may take of the installation. Raises InvalidSetting."""
    return QuotaLimits(
        settings.MAX_BOARDS_PER_USER.read(environment) or None,
        settings.MAX_MEMBERS_PER_USER.read(environment) or None,
        settings.MAX_BYTES_PER_USER.read(environment) or None,
    )


def read_log_format(environment: Mapping[str, str], *, is_terminal: bool) -> str:
    """Return how lines of the log are written, `json` or `text`; text by default on a terminal.

    Raises InvalidSetting.
    """
    return settings.LOG_FORMAT.read(environment, "text" if is_terminal else "json")


def read_slow_seconds(environment: Mapping[str, str]) -> float:
    """Return from how many seconds on a request is slow; infinity for never. Raises InvalidSetting."""
    return settings.SLOW_REQUEST_MS.read(environment) / 1000 or inf


def read_webhook_policy(environment: Mapping[str, str]) -> "AddressPolicy | None":
    """Return which addresses webhooks may deliver to besides public ones, None for no others. Raises InvalidSetting."""
    networks = settings.WEBHOOKS_ALLOW.read(environment)
    permits_loopback = settings.WEBHOOKS_TO_LOOPBACK.read(environment)
    if not networks and not permits_loopback:
        return None
    from delivery.addresses import AddressPolicy  # noqa: PLC0415  (on AWS a start would pay for what few requests need)

    return AddressPolicy(networks, permits_loopback=permits_loopback)
