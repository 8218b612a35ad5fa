"""An application with a provider on loopback, and what a browser does to sign in."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.factory import create_app
from contract.responses import ContractBreach
from kanban.store import Store
from tests.api.client import Client, HttpResponse
from tests.api.manual_clock import ManualClock
from tests.oidc.scripted_provider import ScriptedProvider, run_scripted_provider, sign_in_at

PAGE = "https://boards.example.test/"
IDENTITIES = "/users/me/identities"
AUTHORIZATIONS = "/sign-in/staff/authorizations"
SESSIONS = "/sign-in/staff/sessions"

BuildClient = Callable[..., Client]


@pytest.fixture
def provider(clock: ManualClock) -> Iterator[ScriptedProvider]:
    with run_scripted_provider() as running:
        running.now = lambda: clock().timestamp()
        yield running


@pytest.fixture
def build(store: Store, clock: ManualClock, provider: ScriptedProvider) -> BuildClient:
    """Return a function that serves the store with a configuration of the provider, and of others."""

    def raise_breach(breach: ContractBreach) -> None:
        raise AssertionError(breach)

    def build_client(
        *others: Any, open_signup: bool = True, invitations_make_users: bool = True, **changes: Any
    ) -> Client:
        configured = provider.configure(id="staff", name="Our staff", **{"sign_up": "open", **changes})
        application = create_app(
            store,
            clock=clock,
            unix_time=lambda: clock().timestamp(),
            sleep=lambda _: None,
            open_signup=open_signup,
            invitations_make_users=invitations_make_users,
            origins=["https://boards.example.test", "capacitor://localhost"],
            providers=(configured, *others),
            on_breach=raise_breach,
        )
        return Client(application)

    return build_client


def begin(client: Client, redirect_uri: str = PAGE) -> dict[str, str]:
    """Begin to sign in; return what the browser comes back with, and the attempt."""
    begun = client.post(AUTHORIZATIONS, {"redirect_uri": redirect_uri})
    assert begun.status == 200, begun.raw
    returned = sign_in_at(begun.json["authorization_url"])
    return {"attempt": begun.json["attempt"], "state": returned["state"], "code": returned["code"]}


def finish(client: Client, returned: dict[str, Any], **changes: Any) -> HttpResponse:
    """Finish to sign in."""
    return client.post(SESSIONS, {**returned, "name": "Firefox on my phone", **changes})


def sign_in(client: Client) -> HttpResponse:
    return finish(client, begin(client))


def link(client: Client, returned: dict[str, Any] | None = None) -> HttpResponse:
    """Make the account of the provider one of the caller."""
    return client.post(IDENTITIES, {**(returned or begin(client)), "provider_id": "staff"})


def list_identities(client: Client) -> list[Any]:
    items: list[Any] = client.get(IDENTITIES).json["items"]
    return items


def ensure_failed(response: HttpResponse) -> None:
    assert (response.status, response.json["code"]) == (401, "sign_in_failed"), response.raw
    assert response.json["detail"] == "Signing in with this provider failed: begin again."
    assert response.headers["www-authenticate"] == 'Bearer realm="tackboard"'
