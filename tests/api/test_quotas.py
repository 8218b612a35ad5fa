"""Quotas of boards and of members: what counts, and that they stop whatever creates a board or a membership."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.factory import create_app
from contract.responses import ContractBreach
from kanban.store import Store
from stores import open_store
from tests.api.client import Client, HttpResponse
from tests.api.manual_clock import ManualClock
from usecases.quotas import QuotaLimits

DETAIL = "You have created 2 boards, the most a user may have here: delete one first."


@pytest.fixture
def mina(store: Store, clock: ManualClock) -> Client:
    """Return a client of Mina, who may create two boards and has created one."""

    def raise_breach(breach: ContractBreach) -> None:
        raise AssertionError(breach)

    quotas = QuotaLimits(boards=2)
    anonymous = Client(create_app(store, clock=clock, open_signup=True, quotas=quotas, on_breach=raise_breach))
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
    anonymous = Client(create_app(store, clock=clock, open_signup=True, quotas=QuotaLimits(boards=205)))
    mina = anonymous.with_token(anonymous.post("/users", {"name": "Mina"}).json["token"])

    statuses = [mina.post("/boards", {"name": "Board"}).status for _ in range(206)]

    assert statuses == [201] * 205 + [409]
    store.close()


# Members of the boards that a user has created.

PEOPLE = ("mina", "omar", "zoe", "rui", "ada")


@pytest.fixture
def people(store: Store, clock: ManualClock) -> dict[str, Client]:
    """Return clients of users whose boards may have two members besides them."""

    def raise_breach(breach: ContractBreach) -> None:
        raise AssertionError(breach)

    quotas = QuotaLimits(members=2)
    anonymous = Client(create_app(store, clock=clock, open_signup=True, quotas=quotas, on_breach=raise_breach))
    return {
        user_id: anonymous.with_token(anonymous.post("/users", {"id": user_id, "name": user_id}).json["token"])
        for user_id in PEOPLE
    }


def add(client: Client, board_id: str, user_id: str, role: str = "editor") -> HttpResponse:
    return client.put(f"/boards/{board_id}/members/{user_id}", {"role": role})


def ensure_no_room(response: HttpResponse) -> None:
    assert (response.status, response.json["code"]) == (409, "too_many_members_per_user"), response.raw
    assert "have 2 other members together" in response.json["detail"]


@pytest.fixture
def boards(people: dict[str, Client]) -> list[str]:
    """Return two boards of Mina, each with another member."""
    board_ids = [create(people["mina"], name) for name in ("One", "Two")]
    for board_id, user_id in zip(board_ids, ("omar", "zoe"), strict=True):
        assert add(people["mina"], board_id, user_id).status == 201
    return board_ids


def test_the_boards_of_a_user_have_so_many_different_members(people: dict[str, Client], boards: list[str]) -> None:
    mina = people["mina"]
    ensure_no_room(add(mina, boards[0], "rui"))

    assert add(mina, boards[0], "zoe").status == 201
    assert add(mina, boards[0], "omar", "owner").status == 200
    ensure_no_room(add(people["omar"], boards[0], "rui"))
    for board_id in boards:
        mina.delete(f"/boards/{board_id}/members/zoe")
    assert add(mina, boards[1], "rui").status == 201


def test_members_of_archived_boards_count_and_those_of_deleted_ones_do_not(
    people: dict[str, Client], boards: list[str]
) -> None:
    mina = people["mina"]
    assert mina.post(f"/boards/{boards[1]}/archive").status == 200
    ensure_no_room(add(mina, boards[0], "rui"))

    mina.delete(f"/boards/{boards[1]}", **{"If-Match": "*"})

    assert add(mina, boards[0], "rui").status == 201


def test_members_of_the_boards_of_others_do_not_count(people: dict[str, Client], boards: list[str]) -> None:
    of_omar = create(people["omar"], "Of Omar")
    for user_id in ("mina", "rui"):
        assert add(people["omar"], of_omar, user_id, "owner").status == 201

    ensure_no_room(add(people["mina"], of_omar, "ada"))
    ensure_no_room(add(people["mina"], boards[0], "rui"))


def test_a_board_that_its_creator_has_left_counts_for_nobody(people: dict[str, Client], boards: list[str]) -> None:
    mina, omar = people["mina"], people["omar"]
    add(mina, boards[0], "omar", "owner")
    mina.delete(f"/boards/{boards[0]}/members/mina")

    assert [add(omar, boards[0], user_id).status for user_id in ("rui", "ada")] == [201, 201]


@pytest.mark.parametrize("is_new_user", [False, True])
def test_an_invitation_is_not_used_if_there_is_no_room(
    people: dict[str, Client], boards: list[str], is_new_user: bool
) -> None:
    mina = people["mina"]
    created = mina.post(f"/boards/{boards[0]}/invitations", {"role": "viewer"}).json
    client = mina.with_token(None) if is_new_user else people["rui"]
    body = {"secret": created["secret"], "user": {"id": "eve", "name": "Eve"} if is_new_user else None}
    path = f"/invitations/{created['invitation']['id']}/accept"

    ensure_no_room(client.post(path, body))

    assert [item["uses"] for item in mina.get(f"/boards/{boards[0]}/invitations").json["items"]] == [0]
    mina.delete(f"/boards/{boards[0]}/members/omar")
    assert client.post(path, body).status == 200


def test_a_user_who_was_asked_stays_asked_if_there_is_no_room(
    store: Store, clock: ManualClock, people: dict[str, Client], boards: list[str]
) -> None:
    mina, rui = people["mina"], people["rui"]
    asking = create_app(
        store, clock=clock, joining_takes_consent=True, quotas=QuotaLimits(members=2), on_breach=lambda _: None
    )
    assert add(replace(mina, application=asking), boards[0], "rui").json["state"] == "invited"
    (received,) = rui.get("/users/me/invitations").json["items"]
    path = f"/users/me/invitations/{received['id']}/accept"

    ensure_no_room(rui.post(path))

    mina.delete(f"/boards/{boards[1]}/members/zoe")
    assert rui.post(path).status == 200
