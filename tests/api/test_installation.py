"""Owners of the installation, and the search for users."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.api.client import Client, HttpResponse
from tests.api.manual_clock import ManualClock


@pytest.fixture
def zoe(anonymous: Client) -> Client:
    """Return a client of Zoe, who shares no board with anybody."""
    return anonymous.with_token(anonymous.post("/users", {"id": "zoe", "name": "Zoe Ömer"}).json["token"])


def set_role(client: Client, user_id: str, role: str) -> HttpResponse:
    return client.patch(f"/users/{user_id}", {"installation_role": role}, **{"If-Match": "*"})


def list_ids(client: Client, query: str = "") -> list[str]:
    ids: list[str] = []
    path = f"/users{query}"
    while True:
        body: Any = client.get(path).json
        ids += [user["id"] for user in body["items"]]
        if body["next_cursor"] is None:
            return ids
        path = f"/users{query}{'&' if query else '?'}cursor={body['next_cursor']}"


def make_token(client: Client, **fields: Any) -> Client:
    body = {"name": "Some", "scopes": ["read", "write", "admin"], **fields}
    return client.with_token(client.post("/users/me/tokens", body).json["secret"])


def test_the_first_user_is_an_owner_and_others_are_not(anonymous: Client) -> None:
    first = anonymous.post("/users", {"id": "mina", "name": "Mina"}).json
    second = anonymous.post("/users", {"id": "omar", "name": "Omar"}).json

    assert (first["user"]["installation_role"], second["user"]["installation_role"]) == ("owner", "member")
    assert anonymous.with_token(first["token"]).get("/users/me").json["installation_role"] == "owner"
    assert anonymous.with_token(second["token"]).get("/users/me").json["installation_role"] == "member"


def test_the_role_of_another_user_is_shown_to_owners_only(mina: Client, omar: Client, zoe: Client) -> None:
    assert mina.get("/users/omar").json["installation_role"] == "member"
    assert omar.get("/users/omar").json["installation_role"] == "member"
    assert omar.get("/users/mina").json["installation_role"] is None
    assert zoe.get("/users/omar").json["installation_role"] is None
    assert make_token(mina, scopes=["read"]).get("/users/omar").json["installation_role"] is None


@pytest.mark.usefixtures("mina", "zoe")
def test_a_tag_tells_apart_what_owners_see_and_others(mina: Client, omar: Client) -> None:
    before = omar.get("/users/zoe")
    set_role(mina, "omar", "owner")

    after = omar.get("/users/zoe", **{"If-None-Match": before.etag})

    assert after.status == 200
    assert after.json["installation_role"] == "member"
    assert omar.patch("/users/zoe", {"installation_role": "owner"}, **{"If-Match": after.etag}).status == 200


@pytest.mark.usefixtures("mina", "omar", "zoe")
def test_a_change_has_the_tag_by_which_the_user_is_read(mina: Client) -> None:
    for user_id, role in (("omar", "owner"), ("mina", "owner"), ("zoe", "member")):
        assert set_role(mina, user_id, role).etag == mina.get(f"/users/{user_id}").etag
    assert mina.get("/users/mina").etag == mina.get("/users/me").etag
    assert mina.get("/users/zoe").etag != make_token(mina, scopes=["read"]).get("/users/zoe").etag


@pytest.mark.usefixtures("mina", "zoe")
def test_an_owner_makes_another_who_can_do_the_same(mina: Client, omar: Client) -> None:
    made = set_role(mina, "omar", "owner")

    assert (made.status, made.json["installation_role"], made.json["version"]) == (200, "owner", 2)
    assert set_role(omar, "zoe", "owner").status == 200
    assert set_role(omar, "mina", "member").json["installation_role"] == "member"
    assert mina.get("/users/me").json["installation_role"] == "member"
    assert set_role(mina, "mina", "owner").json["code"] == "installation_owner_only"


def test_the_last_owner_keeps_the_role(mina: Client) -> None:
    rejected = set_role(mina, "mina", "member")

    assert (rejected.status, rejected.json["code"]) == (409, "last_installation_owner")
    assert mina.get("/users/me").json["installation_role"] == "owner"


def test_others_can_not_change_roles_nor_learn_who_exists(mina: Client, omar: Client) -> None:
    answers = [set_role(omar, user_id, "owner") for user_id in ("omar", "mina", "nobody")]

    assert {(answer.status, answer.json["code"]) for answer in answers} == {(403, "installation_owner_only")}
    assert set_role(mina, "nobody", "owner").json["code"] == "user_not_found"


@pytest.mark.usefixtures("mina", "omar")
def test_a_role_is_changed_with_the_right_version_and_a_full_token_only(mina: Client) -> None:
    body = {"installation_role": "owner"}

    assert mina.patch("/users/omar", body).status == 428
    assert mina.patch("/users/omar", body, **{"If-Match": '"7"'}).status == 412
    assert set_role(make_token(mina, scopes=["read", "write"]), "omar", "owner").json["code"] == "scope_missing"
    assert set_role(make_token(mina, resources=["users"]), "omar", "owner").json["code"] == "token_too_narrow"
    assert mina.patch("/users/omar", {}, **{"If-Match": '"1"'}).json["version"] == 1


def test_a_user_finds_those_of_their_boards_and_an_owner_all(mina: Client, omar: Client, zoe: Client) -> None:
    board = mina.post("/boards", {"name": "A"}).json["id"]
    mina.put(f"/boards/{board}/members/omar", {"role": "viewer"})

    assert list_ids(omar) == ["mina", "omar"]
    assert list_ids(zoe) == ["zoe"]
    assert list_ids(mina) == list_ids(mina, "?limit=1") == ["mina", "omar", "zoe"]
    assert list_ids(omar, "?limit=1") == ["mina", "omar"]
    assert list_ids(make_token(mina, scopes=["read"])) == ["mina", "omar"]


def test_a_deleted_board_is_no_longer_shared(mina: Client, omar: Client) -> None:
    board = mina.post("/boards", {"name": "A"}).json["id"]
    mina.put(f"/boards/{board}/members/omar", {"role": "viewer"})
    mina.delete(f"/boards/{board}", **{"If-Match": "*"})

    assert list_ids(omar) == ["omar"]


@pytest.mark.parametrize(
    ("q", "ids"), [("ömer", ["zoe"]), ("ZOE", ["zoe"]), ("m", ["mina", "omar", "zoe"]), ("x", []), ("ina", ["mina"])]
)
def test_users_are_found_by_a_part_of_id_or_name(
    mina: Client, omar: Client, zoe: Client, q: str, ids: list[str]
) -> None:
    assert omar.token
    assert zoe.token
    assert list_ids(mina, f"?q={quote(q)}") == ids


def test_a_narrow_token_finds_the_members_of_its_boards_only(mina: Client, omar: Client, zoe: Client) -> None:
    boards = [mina.post("/boards", {"name": "A"}).json["id"] for _ in range(2)]
    for board, member in zip(boards, ("omar", "zoe"), strict=True):
        mina.put(f"/boards/{board}/members/{member}", {"role": "viewer"})
    assert omar.token
    assert zoe.token

    narrow = make_token(mina, board_ids=[boards[0]])

    assert list_ids(narrow) == ["mina", "omar"]
    assert narrow.get("/users/omar").json["installation_role"] is None


@pytest.fixture
def board(mina: Client, omar: Client) -> str:
    """Create a board of Omar with Mina as an editor, and return its path."""
    del mina
    path = f"/boards/{omar.post('/boards', {'name': 'Shop'}).json['id']}"
    omar.put(f"{path}/members/mina", {"role": "editor"})
    return path


def test_a_deactivated_user_can_neither_call_nor_sign_in(mina: Client, omar: Client, clock: ManualClock) -> None:
    code = omar.post("/users/me/sign-in-codes").json["code"]
    link = mina.post("/users/omar/sign-in-codes").json["code"]
    clock.advance(seconds=1)

    response = mina.post("/users/omar/deactivate")

    assert (response.status, response.json["user"]["state"]) == (200, "deactivated")
    assert omar.get("/users/me").status == 401
    for text in (code, link, mina.post("/users/omar/sign-in-codes").json["code"]):
        rejected = mina.with_token(None).post("/sessions", {"code": text, "name": "Phone"})
        assert (rejected.status, rejected.json["code"]) == (401, "sign_in_failed")
    assert mina.get("/users/omar").json["state"] == "deactivated"


def test_a_code_of_a_deactivated_owner_lets_nobody_in(mina: Client, omar: Client, clock: ManualClock) -> None:
    set_role(mina, "omar", "owner")
    code = omar.post("/users/mina/sign-in-codes").json["code"]
    clock.advance(seconds=1)
    mina.post("/users/omar/deactivate")

    assert mina.with_token(None).post("/sessions", {"code": code, "name": "Phone"}).json["code"] == "sign_in_failed"


def test_a_reactivated_user_signs_in_again_and_lists_new_tokens_only(
    mina: Client, omar: Client, clock: ManualClock
) -> None:
    mina.post("/users/omar/deactivate")
    clock.advance(seconds=1)

    assert mina.post("/users/omar/reactivate").json["state"] == "active"

    assert omar.get("/users/me").status == 401
    code = mina.post("/users/omar/sign-in-codes").json["code"]
    token = mina.with_token(None).post("/sessions", {"code": code, "name": "Phone"}).json["token"]
    phone = mina.with_token(token)
    assert phone.get("/users/me/tokens").json["items"] == []
    assert len(phone.get("/users/me/sessions").json["items"]) == 1


def test_a_deactivated_owner_of_the_installation_loses_the_role_but_the_last_stays(mina: Client, omar: Client) -> None:
    set_role(mina, "omar", "owner")

    assert omar.post("/users/mina/deactivate").json["user"]["installation_role"] == "member"
    assert omar.post("/users/omar/deactivate").json["code"] == "last_installation_owner"
    assert set_role(omar, "mina", "owner").json["code"] == "user_deactivated"


def test_an_active_user_is_reactivated_without_effect(mina: Client, omar: Client) -> None:
    before = mina.get("/users/omar").json

    response = mina.post("/users/omar/reactivate")

    assert (response.status, response.json) == (200, before)
    assert omar.get("/boards").status == 200


def test_only_owners_of_the_installation_deactivate(mina: Client, omar: Client) -> None:
    for action, body in (("deactivate", None), ("reactivate", None), ("transfer-boards", {"to_user_id": "omar"})):
        for user_id in ("mina", "omar", "nobody"):
            rejected = omar.post(f"/users/{user_id}/{action}", body)
            assert (rejected.status, rejected.json["code"]) == (403, "installation_owner_only")
    assert mina.post("/users/nobody/deactivate").json["code"] == "user_not_found"


def test_a_repeated_deactivation_changes_nothing_more(mina: Client, omar: Client, board: str) -> None:
    first = mina.post("/users/omar/deactivate").json
    seq = mina.get(board).json["seq"]

    assert mina.post("/users/omar/deactivate").json == first
    assert mina.get(board).json["seq"] == seq
    assert omar.get(board).status == 401


def test_boards_without_an_owner_get_another(mina: Client, omar: Client, board: str) -> None:
    other = f"/boards/{omar.post('/boards', {'name': 'Alone'}).json['id']}"
    mina.post("/users/omar/deactivate")

    transferred = mina.post("/users/omar/transfer-boards", {"to_user_id": "mina"})

    names = sorted(item["name"] for item in transferred.json["boards_without_owner"])
    assert names == ["Alone", "Shop"]
    assert mina.get(board).json["role"] == mina.get(other).json["role"] == "owner"
    assert mina.post("/users/omar/transfer-boards", {"to_user_id": "mina"}).json["boards_without_owner"] == []


def test_boards_of_an_active_user_or_to_a_deactivated_one_are_not_transferred(mina: Client, omar: Client) -> None:
    rejected = mina.post("/users/omar/transfer-boards", {"to_user_id": "mina"})
    assert (rejected.status, rejected.json["code"]) == (409, "user_active")

    mina.post("/users/omar/deactivate")
    for user_id in ("omar", "nobody"):
        rejected = mina.post("/users/omar/transfer-boards", {"to_user_id": user_id})
        assert (rejected.status, rejected.json["code"]) == (422, "unknown_reference")
    assert omar.get("/users/me").status == 401


def test_a_deactivated_user_does_not_become_a_member(mina: Client, omar: Client) -> None:
    own = f"/boards/{mina.post('/boards', {'name': 'Own'}).json['id']}"
    mina.post("/users/omar/deactivate")

    rejected = mina.put(f"{own}/members/omar", {"role": "viewer"})

    assert (rejected.status, rejected.json["code"]) == (409, "user_deactivated")
    assert omar.get(own).status == 401


def test_a_dry_run_deactivates_nobody(mina: Client, omar: Client, board: str) -> None:
    response = mina.post("/users/omar/deactivate", Prefer="dry-run")

    assert response.json["user"]["state"] == "deactivated"
    assert omar.get(board).status == 200


def test_the_event_of_a_deactivation_is_not_undone(mina: Client, omar: Client) -> None:
    own = f"/boards/{mina.post('/boards', {'name': 'Own'}).json['id']}"
    mina.put(f"{own}/members/omar", {"role": "viewer"})
    mina.post("/users/omar/deactivate")

    rejected = mina.post(f"{own}/undo", {"seq": mina.get(own).json["seq"]})

    assert (rejected.status, rejected.json["code"]) == (422, "not_undoable")
    assert omar.get(own).status == 401
