"""The settings in docs/sign-in.md are valid."""

import re

import pytest

from oidc.providers import Provider, parse_providers
from tests.live_server import ROOT

PAGE = (ROOT / "docs" / "sign-in.md").read_text()
RECIPES = dict(re.findall(r"^### (.*?)\n+```json\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL))


def parse(text: str) -> Provider:
    """Return the provider of a recipe, with something in place of what is left out."""
    (provider,) = parse_providers(text.replace("…", "x"), ("read", "write", "admin"))
    return provider


def test_each_product_has_a_recipe() -> None:
    assert [parse(text).id for text in RECIPES.values()] == ["keycloak", "google", "entra", "cognito", "auth0"]


def test_every_field_is_described() -> None:
    described = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)

    assert described == [*Provider.__dataclass_fields__]


@pytest.mark.parametrize("name", RECIPES)
def test_a_provider_of_anyone_does_not_let_everyone_in(name: str) -> None:
    provider = parse(RECIPES[name])

    if provider.id in ("google", "auth0"):
        assert provider.sign_up != "open" or provider.required_claims
