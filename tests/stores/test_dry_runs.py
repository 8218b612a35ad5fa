"""Every operation that writes can be run dry, on every engine: the same response, and nothing is written."""

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from app.factory import create_app
from contract.responses import ContractBreach
from kanban.store import Store
from stores.backup import compute_digest
from tests.api.client import BASE, Client, HttpResponse
from tests.api.manual_clock import ManualClock
from tests.deployment.all_operations import REDIRECT_URI, call_every_operation
from tests.document.test_document import BUNDLE
from tests.oidc.scripted_provider import ScriptedProvider, run_scripted_provider

_IDS_AND_SECRETS = re.compile(
    rb"\b[a-z]{3}_[0-9A-Za-z]{26,36}\b|\bwhsec_[0-9A-Za-z+/]{43}=|\b[0-9A-Z]{5}(-[0-9A-Z]{5})+\b|[0-9A-Za-z_-]{43,}"
    rb"|\b[0-9a-z]{26}\b"
)

_ID_IN_PATH = re.compile(
    r"[a-z]{3}_[0-9a-z]{26}|(?<=(members|signees)/)[^/]+|(?<=^/users/)(?!me/)[^/]+(?=/)|(?<=^/sign-in/)[^/]+"
)


class GuardedStore:
    """A store that can be forbidden to write. Only the last use of a token is recorded by every request."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_read_only = False
        self.url: str | None = None

    def __getattr__(self, name: str) -> Any:
        """Return a method of the store, none of those that write while it is read-only."""
        if name in ("webhooks", "feed_readers", "sign_in", "invitations", "jobs"):
            return GuardedPart(self, getattr(self._store, name))
        assert not self.is_read_only or name.startswith(("read_", "page_", "find_", "record_token_use")), name
        return getattr(self._store, name)

    def compute_digest(self) -> str:
        """Return the digest of the store, where it can be computed without an end of the store."""
        return compute_digest(self.url) if self.url else ""


class GuardedPart:
    """A store within a store, which can be forbidden to write with it."""

    def __init__(self, whole: GuardedStore, part: object) -> None:
        self._whole = whole
        self._part = part

    def __getattr__(self, name: str) -> Any:
        """Return a method, none of those that write while the store is read-only."""
        assert not self._whole.is_read_only or name.startswith(("read_", "page_", "list_")), name
        return getattr(self._part, name)


@pytest.fixture
def guarded_store(store: Store, tmp_path: Path) -> GuardedStore:
    guarded = GuardedStore(store)
    file = tmp_path / "tackboard.db"
    guarded.url = f"sqlite:///{file}" if file.exists() else None
    return guarded


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with run_scripted_provider() as running:
        running.now, running.takes_codes_again = lambda: ManualClock()().timestamp(), True
        yield running


@pytest.fixture
def anonymous(guarded_store: GuardedStore, provider: ScriptedProvider) -> Client:
    def raise_breach(breach: ContractBreach) -> None:
        raise AssertionError(breach)

    return Client(
        create_app(
            cast("Store", guarded_store),
            clock=ManualClock(),
            random_bytes=random.Random(7).randbytes,  # noqa: S311 - tests need the same secrets in every run.
            open_signup=True,
            joining_takes_consent=True,
            providers=(provider.configure(redirect_uris=(REDIRECT_URI,)),),
            on_breach=raise_breach,
        )
    )


def mask(response: HttpResponse) -> object:
    """Return status and body with the same text for all ids and secrets."""
    return response.status, _IDS_AND_SECRETS.sub(b"id", response.raw)


def get_version(response: HttpResponse) -> str:
    """Return what the entity tag says about the version, nothing about ids in it."""
    return response.headers.get("etag", "").partition(".")[0]


def test_every_operation_that_writes_can_be_run_dry(anonymous: Client, guarded_store: GuardedStore) -> None:
    dry_routes: set[str] = set()

    def send_dry(client: Client, method: str, path: str, raw: bytes | None, headers: dict[str, str]) -> HttpResponse:
        before = guarded_store.compute_digest()
        guarded_store.is_read_only = True
        response = client.request(method, path, raw=raw, headers=headers | {"Prefer": "dry-run"})
        guarded_store.is_read_only = False
        assert guarded_store.compute_digest() == before
        return response

    def send(method: str, target: str, body: object = None, **fields: str) -> tuple[Any, str | None]:
        headers = {name.replace("_", "-"): value for name, value in fields.items()} | {"X-Request-Id": "one"}
        path, raw = target.removeprefix(BASE), None if body is None else json.dumps(body).encode()
        is_write = method != "GET"
        dry = send_dry(mina, method, path, raw, headers) if is_write else None
        response = mina.request(method, path, raw=raw, headers=headers)
        if dry is not None and response.status < 300:
            assert mask(dry) == mask(response), (method, path)
            assert dry.headers["preference-applied"] == "dry-run"
            assert "location" not in dry.headers
            assert get_version(dry) == get_version(response)
            dry_routes.add(f"{method} {_ID_IN_PATH.sub('{}', path)}")
        assert "preference-applied" not in response.headers
        return json.loads(response.raw) if response.raw else None, response.headers.get("etag")

    signed_up = anonymous.post("/users", {"id": "mina", "name": "Mina"})
    mina = anonymous.with_token(signed_up.json["token"])
    call_every_operation(send)

    assert dry_routes == {
        f"{method.upper()} {re.sub('{.*?}', '{}', path)}"
        for path, path_item in BUNDLE["paths"].items()
        for method in path_item
        if method in ("post", "put", "patch", "delete")
    }


def test_a_dry_run_is_refused_as_the_request_would_be(anonymous: Client, guarded_store: GuardedStore) -> None:
    mina = anonymous.with_token(anonymous.post("/users", {"id": "mina", "name": "Mina"}).json["token"])
    board = f"/boards/{mina.post('/boards', {'name': 'Website'}).json['id']}"
    card = mina.post(f"{board}/cards", {"title": "One", "external_id": "A-1"})
    other = mina.post(f"{board}/cards", {"title": "Two"}).json["id"]
    imported = mina.post("/imports/tackboard", mina.get(f"{board}/export").json).json["board"]["id"]
    mina.delete(f"/boards/{imported}", If_Match="*")
    mina.post("/imports/tackboard", mina.get(f"{board}/export").json)
    mina.patch(f"{board}/cards/{card.json['id']}", {"title": "New"}, If_Match=card.etag)
    requests: list[tuple[int, str, str, object, dict[str, str]]] = [
        (409, "POST", "/users", {"id": "mina", "name": "Again"}, {}),
        (409, "POST", f"{board}/cards", {"title": "Again", "external_id": "A-1"}, {}),
        (409, "PATCH", f"{board}/cards/{other}", {"external_id": "A-1"}, {"If-Match": "*"}),
        (409, "POST", f"/boards/{imported}/restore", None, {}),
        (412, "PATCH", f"{board}/cards/{card.json['id']}", {"title": "Again"}, {"If-Match": card.etag}),
        (428, "DELETE", f"{board}/cards/{card.json['id']}", None, {}),
        (404, "DELETE", f"{board}/cards/{card.json['id'][:-1]}0", None, {"If-Match": "*"}),
        (400, "POST", f"{board}/cards", {"title": ""}, {}),
    ]

    for status, method, path, body, headers in requests:
        raw = None if body is None else json.dumps(body).encode()
        guarded_store.is_read_only = True
        dry = mina.request(method, path, raw=raw, headers=headers | {"Prefer": "dry-run"})
        guarded_store.is_read_only = False
        response = mina.request(method, path, raw=raw, headers=headers)

        assert (dry.status, dry.raw) == (response.status, response.raw) == (status, response.raw)
        assert "preference-applied" not in dry.headers


def test_a_dry_run_stores_no_idempotency_key_and_sees_those_that_are(anonymous: Client) -> None:
    mina = anonymous.with_token(anonymous.post("/users", {"id": "mina", "name": "Mina"}).json["token"])
    dry = mina.post("/boards", {"name": "One"}, Idempotency_Key="k1", Prefer="dry-run")
    other = mina.post("/boards", {"name": "Two"}, Idempotency_Key="k1")

    again = mina.post("/boards", {"name": "Two"}, Idempotency_Key="k1", Prefer="dry-run")
    reused = mina.post("/boards", {"name": "One"}, Idempotency_Key="k1", Prefer="dry-run")

    assert (dry.status, other.status) == (201, 201)
    assert (again.raw, again.headers["idempotency-replayed"]) == (other.raw, "true")
    assert (again.headers["preference-applied"], "location" in again.headers) == ("dry-run", False)
    assert (reused.status, reused.json["code"]) == (422, "idempotency_key_reused")


def test_a_dry_run_gives_no_secret(anonymous: Client) -> None:
    no_secret = "tkb_000000000000000000000000000000"
    mina = anonymous.with_token(anonymous.post("/users", {"id": "mina", "name": "Mina"}).json["token"])
    user = anonymous.post("/users", {"name": "Omar"}, Prefer="dry-run")
    token = mina.post("/users/me/tokens", {"name": "x", "scopes": ["read"]}).json["token"]["id"]
    created = mina.post("/users/me/tokens", {"name": "x", "scopes": ["read"]}, Prefer="dry-run")
    rotated = mina.post(f"/users/me/tokens/{token}/rotate", Prefer="dry-run")

    secrets = {user.json["token"], created.json["secret"], rotated.json["secret"]}

    assert {secret[:34] for secret in secrets} == {no_secret}
    assert [anonymous.with_token(secret).get("/users/me").status for secret in secrets] == [401]


def test_other_preferences_and_those_of_reads_are_ignored(anonymous: Client) -> None:
    mina = anonymous.with_token(anonymous.post("/users", {"id": "mina", "name": "Mina"}).json["token"])

    created = mina.post("/boards", {"name": "One"}, Prefer='return=minimal, wait=10, x="a, dry-run", \xfc')
    read = mina.get(f"/boards/{created.json['id']}", Prefer="dry-run")

    assert (created.status, read.status) == (201, 200)
    assert "preference-applied" not in {**created.headers, **read.headers}


def test_a_dry_run_of_a_start_starts_no_clock(anonymous: Client) -> None:
    mina = anonymous.with_token(anonymous.post("/users", {"id": "mina", "name": "Mina"}).json["token"])
    board = f"/boards/{mina.post('/boards', {'name': 'Website'}).json['id']}"
    card = f"{board}/cards/{mina.post(f'{board}/cards', {'title': 'One'}).json['id']}"

    dry = mina.post(f"{card}/start", Prefer="dry-run")

    assert dry.json["running_since"] is not None
    assert mina.get(card).json["running_since"] is None
    assert mina.get(board).json["seq"] == 2
