"""Check the configuration of providers."""

from collections.abc import Iterator, Sequence

from app.setting_forms import InvalidSetting
from oidc.configuration_check import check_provider
from oidc.provider_client import ProviderClient
from oidc.providers import Provider


def check_providers(providers: Sequence[Provider]) -> Iterator[tuple[str, str | None]]:
    """Yield the id of each provider with a fault, or with None if there is none. Raises InvalidSetting without any."""
    if not providers:
        raise InvalidSetting("OIDC_PROVIDERS is not set: users sign in with tokens only.")
    for provider in providers:
        faults: list[str | None] = [*check_provider(ProviderClient(provider))]
        for fault in faults or [None]:
            yield provider.id, fault
