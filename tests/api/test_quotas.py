"""A quota of boards: what counts, and that it stops whatever creates one."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app.factory import create_app
from contract.responses import ContractBreach
from kanban.store import Store
from stores import open_store
from tests.api.client import Client, HttpResponse
from tests.api.manual_clock import ManualClock

DETAIL = "You have created 2 boards, the most a user may have here: delete one first."


@pytest.fixture
def mina(store: Store, clock: ManualClock) -> Client:
    """Return a client of Mina, who may create two boards and has created one."""

    def raise_breach(breach: ContractBreach) -> None:
        raise AssertionError(breach)

    anonymous = Client(create_app(store, clock=clock, open_signup=True, max_boards=2, on_breach=raise_breach))
    mina = anonymous.with_token(anonymous.post("/users", {"id": "mina", "name": "Mina"}).json["token"])
    create(mina, "One")
    return mina


@pytest.fixture
def omar(mina: Client) -> Client:
    """Return a client of Omar, a user of the same installation."""
    return mina.with_token(mina.with_token(None).post("/users", {"id": "omar", "name": "Omar"}).json["token"])


def create(client: Client, name: str) -> str:
    created = client.post("/boards", {"name": name})
    assert created.status == 201, created.raw
    return str(created.json["id"])


def ensure_refused(response: HttpResponse) -> None:
    assert (response.status, response.json["code"]) == (409, "too_many_boards"), response.raw
    assert response.json["detail"] == DETAIL


CREATIONS: dict[str, Callable[[Client, str], HttpResponse]] = {
    "create": lambda client, _: client.post("/boards", {"name": "Three"}),
    "copy": lambda client, board_id: client.post(f"/boards/{board_id}/copy", {"name": "Three"}),
    "import": lambda client, board_id: client.post("/imports/tackboard", client.get(f"/boards/{board_id}/export").json),
    "import from Trello": lambda client, _: client.post(
        "/imports/trello",
        {
            "id": f"{5:024x}",
            "name": "Trello",
            "lists": [{"id": f"{6:024x}", "name": "To do", "closed": False, "pos": 1}],
            "cards": [],
        },
    ),
    "dry run": lambda client, _: client.post("/boards", {"name": "Three"}, Prefer="dry-run"),
}


@pytest.mark.parametrize("name", CREATIONS)
def test_nothing_creates_more_boards_than_a_user_may_have(mina: Client, name: str) -> None:
    board_id = create(mina, "Two")

    ensure_refused(CREATIONS[name](mina, board_id))

    assert len(mina.get("/boards").json["items"]) == 2
    mina.delete(f"/boards/{board_id}", **{"If-Match": "*"})
    first_id = mina.get("/boards").json["items"][0]["id"]
    assert CREATIONS[name](mina, first_id).status == 201


def test_archived_boards_count(mina: Client) -> None:
    assert mina.post(f"/boards/{create(mina, 'Two')}/archive").status == 200

    ensure_refused(mina.post("/boards", {"name": "Three"}))


def test_boards_of_others_do_not_count(mina: Client, omar: Client) -> None:
    for name in ("Omar's one", "Omar's two"):
        omar.put(f"/boards/{create(omar, name)}/members/mina", {"role": "owner"})
    assert len(mina.get("/boards").json["items"]) == 3

    create(mina, "Two")

    ensure_refused(mina.post("/boards", {"name": "Three"}))


def test_a_board_comes_back_although_others_have_been_created_since(mina: Client) -> None:
    board_id = create(mina, "Two")
    mina.delete(f"/boards/{board_id}", **{"If-Match": "*"})
    create(mina, "Three")

    assert mina.post(f"/boards/{board_id}/restore").status == 200
    ensure_refused(mina.post("/boards", {"name": "Four"}))


def test_an_import_that_was_made_before_is_found(mina: Client) -> None:
    first = CREATIONS["import from Trello"](mina, "")
    assert first.status == 201

    again = CREATIONS["import from Trello"](mina, "")

    assert (again.status, again.json["board"]["id"]) == (200, first.json["board"]["id"])


def test_more_boards_than_a_page_are_counted(tmp_path: Path, empty_database: Path, clock: ManualClock) -> None:
    shutil.copy(empty_database, tmp_path / "many.db")
    store = open_store(f"sqlite:///{tmp_path}/many.db")
    anonymous = Client(create_app(store, clock=clock, open_signup=True, max_boards=205))
    mina = anonymous.with_token(anonymous.post("/users", {"name": "Mina"}).json["token"])

    statuses = [mina.post("/boards", {"name": "Board"}).status for _ in range(206)]

    assert statuses == [201] * 205 + [409]
    store.close()
