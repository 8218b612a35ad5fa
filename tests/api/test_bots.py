"""Bots: what their people do with them, what they can't do, and how they end."""

from typing import Any

import pytest

from kanban.limits import MAX_BOTS_PER_USER
from kanban.store import Store
from tests.api.client import Client, HttpResponse
from tests.api.manual_clock import ManualClock
from tests.api.test_jobs import run_jobs

BOTS = "/users/me/bots"
ALL = ["read", "write", "admin"]


@pytest.fixture
def zoe(anonymous: Client) -> Client:
    """Return a client of Zoe, who shares no board with anybody."""
    return anonymous.with_token(anonymous.post("/users", {"id": "zoe", "name": "Zoe"}).json["token"])


def create_bot(person: Client, bot_id: str = "robot", **fields: Any) -> HttpResponse:
    return person.post(BOTS, {"id": bot_id, "name": "Robot", "scopes": ALL, **fields})


def make_bot(person: Client, bot_id: str = "robot", **fields: Any) -> Client:
    """Create a bot and return a client with its first token."""
    created = create_bot(person, bot_id, **fields)
    assert created.status == 201, created.raw
    return person.with_token(created.json["secret"])


def change(client: Client, user_id: str = "robot", **fields: str) -> HttpResponse:
    return client.patch(f"/users/{user_id}", fields, **{"If-Match": "*"})


def list_bots(person: Client) -> list[tuple[str, str]]:
    return [(bot["id"], bot["state"]) for bot in person.get(BOTS).json["items"]]


def create_board(owner: Client, **roles: str) -> str:
    path = f"/boards/{owner.post('/boards', {'name': 'Website'}).json['id']}"
    for user_id, role in roles.items():
        assert owner.put(f"{path}/members/{user_id}", {"role": role}).status == 201
    return path


def code(response: HttpResponse) -> tuple[int, str]:
    return response.status, response.json["code"]


@pytest.mark.usefixtures("mina")
def test_a_person_creates_a_bot_which_is_a_user_of_its_own(omar: Client) -> None:
    created = create_bot(omar)
    robot = omar.with_token(created.json["secret"])

    assert (created.status, created.headers["location"]) == (201, "/v1/users/robot")
    user = created.json["user"]
    assert (user["kind"], user["owner_id"], user["state"], user["installation_role"]) == ("bot", "omar", "active", None)
    assert (created.json["token"]["name"], created.json["token"]["parent_id"]) == ("First token", None)
    assert robot.get("/users/me").json["owner_id"] == "omar"
    assert omar.get("/users/robot").json == user
    assert (omar.get("/users/me").json["kind"], omar.get("/users/me").json["owner_id"]) == ("person", None)
    assert list_bots(omar) == [("robot", "active")]
    assert list_bots(robot) == []


def test_events_and_comments_tell_the_bot_from_its_person(mina: Client) -> None:
    robot = make_bot(mina)
    board = create_board(mina, robot="editor")
    robot.post(f"{board}/cards", {"title": "By the robot"})

    last = mina.get(f"{board}/events").json["items"][-1]

    assert (last["type"], last["actor_id"]) == ("card.created", "robot")


def test_the_first_token_is_as_narrow_as_it_is_asked_for(mina: Client) -> None:
    board = create_board(mina)
    other = create_board(mina)
    limits: dict[str, Any] = {
        "board_ids": [board.removeprefix("/boards/")],
        "max_role": "viewer",
        "resources": ["cards"],
    }
    robot = make_bot(mina, scopes=["read", "write"], **limits)
    for path in (board, other):
        mina.put(f"{path}/members/robot", {"role": "editor"})

    assert robot.get(f"{board}/cards").status == 200
    assert robot.get(f"{other}/cards").status == 404
    assert code(robot.post(f"{board}/cards", {"title": "No"})) == (403, "role_too_low")
    assert code(robot.get("/users/me")) == (403, "resource_missing")


@pytest.mark.usefixtures("mina")
def test_a_board_of_others_can_not_be_named(omar: Client, zoe: Client) -> None:
    board_id = create_board(zoe).removeprefix("/boards/")

    assert code(create_bot(omar, board_ids=[board_id])) == (422, "unknown_reference")
    assert list_bots(omar) == []


def test_who_creates_bots_needs_a_token_that_is_as_good_as_they_are(mina: Client) -> None:
    make_bot(mina)
    for limits in ({}, {"expires_at": "2027-01-01T00:00:00Z"}, {"max_role": "owner"}):
        secret = mina.post("/users/me/tokens", {"name": "Child", "scopes": ALL, **limits}).json["secret"]
        limited = mina.with_token(secret)

        assert code(create_bot(limited, "other")) == (403, "full_token_required")
        created = limited.post(f"{BOTS}/robot/tokens", {"name": "More", "scopes": ["read"]})
        assert code(created) == (403, "full_token_required")


def test_a_token_that_is_created_in_a_session_names_it(mina: Client) -> None:
    session = mina.post("/sessions", {"code": mina.post("/users/me/sign-in-codes").json["code"], "name": "Phone"}).json
    created = create_bot(mina.with_token(session["token"]))

    assert created.json["token"]["session_id"] == session["session"]["id"]
    mina.delete(f"/users/me/sessions/{session['session']['id']}")
    assert mina.with_token(created.json["secret"]).get("/users/me").status == 200


def test_a_person_has_20_bots(mina: Client, omar: Client) -> None:
    for number in range(MAX_BOTS_PER_USER):
        make_bot(mina, f"robot-{number}")
    make_bot(omar)

    for refused in (create_bot(mina, "one-more"), change(mina, owner_id="mina")):
        assert code(refused) == (409, "too_many_bots")
        assert refused.json["detail"] == "This person has 20 bots, the most a person may have."
    assert mina.get("/users/one-more").status == 404


def test_an_id_is_taken_by_users_of_any_kind(mina: Client, omar: Client) -> None:
    make_bot(mina)

    assert code(create_bot(omar)) == code(create_bot(omar, "mina")) == (409, "id_taken")
    assert list_bots(omar) == []


def test_a_person_creates_lists_and_revokes_tokens_of_a_bot(mina: Client, omar: Client) -> None:
    robot = make_bot(mina)
    tokens = f"{BOTS}/robot/tokens"
    more = mina.post(tokens, {"name": "More", "scopes": ["read"]}).json
    child = robot.post("/users/me/tokens", {"name": "Child", "scopes": ["read"]}).json

    assert [token["name"] for token in mina.get(tokens).json["items"]] == ["Child", "More", "First token"]
    assert mina.with_token(more["secret"]).get("/users/me").json["id"] == "robot"
    assert mina.delete(f"{tokens}/{more['token']['id']}").status == 204
    assert mina.with_token(more["secret"]).get("/users/me").status == 401
    assert code(mina.delete(f"{tokens}/{more['token']['id']}")) == (404, "token_not_found")
    mina.delete(f"{tokens}/{child['token']['id']}")
    assert [token["name"] for token in mina.get(tokens).json["items"]] == ["First token"]
    for refused in (omar.get(tokens), omar.post(tokens, {"name": "Own", "scopes": ["read"]})):
        assert code(refused) == (404, "bot_not_found")


def test_tokens_of_the_person_are_none_of_the_bot(mina: Client) -> None:
    make_bot(mina)
    own_id = mina.get("/users/me/tokens").json["items"][0]["id"]

    assert code(mina.delete(f"{BOTS}/robot/tokens/{own_id}")) == (404, "token_not_found")
    assert code(mina.get(f"{BOTS}/mina/tokens")) == (404, "bot_not_found")


def test_a_bot_can_not_do_what_only_people_can(mina: Client) -> None:
    robot = make_bot(mina)
    invited = mina.post("/invitations", {}).json
    requests = {
        "/users": {"name": "Ada"},
        BOTS: {"name": "Child", "scopes": ["read"]},
        "/boards": {"name": "Own"},
        "/users/me/sign-in-codes": None,
        f"/invitations/{invited['invitation']['id']}/accept": {"secret": invited["secret"]},
    }

    for path, body in requests.items():
        refused = robot.post(path, body)
        assert code(refused) == (403, "person_only"), path
        assert refused.json["detail"] == "A bot cannot do this: only people can."


def test_a_bot_owns_neither_a_board_nor_the_installation_and_does_not_sign_in(mina: Client, omar: Client) -> None:
    make_bot(mina)
    board = create_board(mina, robot="editor")
    create_board(omar)
    mina.post("/users/omar/deactivate")

    for refused in (
        mina.put(f"{board}/members/robot", {"role": "owner"}),
        change(mina, installation_role="owner"),
        mina.post("/users/robot/sign-in-codes"),
        mina.post("/users/omar/transfer-boards", {"to_user_id": "robot"}),
    ):
        assert code(refused) == (409, "user_is_bot")
    assert change(mina, installation_role="member").json["version"] == 1


@pytest.mark.usefixtures("mina")
def test_a_person_renames_a_bot_and_nobody_else_does(omar: Client, zoe: Client) -> None:
    make_bot(omar)

    renamed = change(omar, name="Triage")

    assert (renamed.status, renamed.json["name"], renamed.json["version"]) == (200, "Triage", 2)
    assert renamed.etag == omar.get("/users/robot").etag
    assert change(omar, name="Triage").json["version"] == 2
    for user_id in ("robot", "omar", "nobody"):
        assert code(change(zoe, user_id, name="Mine")) == (403, "installation_owner_only")


def test_an_owner_of_the_installation_does_not_rename_people(mina: Client, omar: Client) -> None:
    for fields in ({"name": "Other"}, {"owner_id": "mina"}):
        assert code(change(mina, "omar", **fields)) == (409, "user_is_person")
    assert omar.get("/users/me").json["version"] == 1


@pytest.mark.usefixtures("mina")
def test_a_bot_that_is_deactivated_ends_at_once_and_comes_back_with_new_tokens(
    omar: Client, clock: ManualClock
) -> None:
    robot = make_bot(omar)
    board = create_board(omar, robot="editor")
    clock.advance(minutes=1)

    put_out = omar.post("/users/robot/deactivate")

    assert (put_out.status, put_out.json["user"]["state"], put_out.json["boards_without_owner"]) == (
        200,
        "deactivated",
        [],
    )
    assert robot.get("/users/me").status == 401
    assert omar.get(f"{BOTS}/robot/tokens").json["items"] == []
    new_token = {"name": "New", "scopes": ALL}
    assert code(omar.post(f"{BOTS}/robot/tokens", new_token)) == (409, "user_deactivated")
    assert omar.get(f"{board}/members/robot").json["state"] == "deactivated"
    clock.advance(minutes=1)
    assert omar.post("/users/robot/reactivate").json["state"] == "active"
    assert robot.get("/users/me").status == 401
    again = omar.with_token(omar.post(f"{BOTS}/robot/tokens", new_token).json["secret"])
    assert again.post(f"{board}/cards", {"title": "Back"}).status == 201


def test_bots_end_with_their_person_and_stay_so_when_the_person_comes_back(
    mina: Client, omar: Client, clock: ManualClock
) -> None:
    robot, board = make_bot(omar), create_board(mina)
    mina.put(f"{board}/members/robot", {"role": "editor"})
    clock.advance(minutes=1)

    mina.post("/users/omar/deactivate")

    assert robot.get("/users/me").status == 401
    assert mina.get(f"{board}/members/robot").json["state"] == "deactivated"
    refused = mina.post("/users/robot/reactivate")
    assert code(refused) == (409, "user_deactivated")
    assert refused.json["detail"] == "The person of this bot is deactivated: hand the bot over to somebody else first."
    clock.advance(minutes=1)
    mina.post("/users/omar/reactivate")
    assert mina.get("/users/robot").json["state"] == "deactivated"
    assert mina.post("/users/robot/reactivate").json["state"] == "active"
    assert robot.get("/users/me").status == 401


def test_a_bot_that_is_handed_over_goes_on(mina: Client, omar: Client, zoe: Client) -> None:
    robot, board = make_bot(omar), create_board(mina)
    mina.put(f"{board}/members/robot", {"role": "editor"})

    handed_over = change(omar, owner_id="zoe")

    assert (handed_over.status, handed_over.json["owner_id"]) == (200, "zoe")
    assert (list_bots(omar), list_bots(zoe)) == ([], [("robot", "active")])
    assert code(change(omar, owner_id="omar")) == (403, "installation_owner_only")
    mina.post("/users/omar/deactivate")
    assert robot.post(f"{board}/cards", {"title": "Goes on"}).status == 201
    token_id = zoe.get(f"{BOTS}/robot/tokens").json["items"][0]["id"]
    assert zoe.delete(f"{BOTS}/robot/tokens/{token_id}").status == 204
    assert robot.get("/users/me").status == 401


def test_an_owner_of_the_installation_hands_over_also_what_is_deactivated(
    mina: Client, omar: Client, clock: ManualClock
) -> None:
    make_bot(omar)
    clock.advance(minutes=1)
    mina.post("/users/omar/deactivate")

    assert change(mina, owner_id="mina").json["owner_id"] == "mina"
    assert mina.post("/users/robot/reactivate").json["state"] == "active"
    assert list_bots(mina) == [("robot", "active")]


def test_a_bot_is_handed_over_to_active_people_only(mina: Client, omar: Client, zoe: Client) -> None:
    make_bot(omar)
    make_bot(omar, "second")
    mina.post("/users/zoe/deactivate")

    for owner_id in ("second", "robot", "zoe", "nobody"):
        assert code(change(omar, owner_id=owner_id)) == (422, "unknown_reference")
    assert change(omar, owner_id="omar").json["version"] == 1
    assert zoe.get("/users/me").status == 401


def test_bots_leave_a_board_with_their_person(mina: Client, omar: Client) -> None:
    robot = make_bot(omar)
    board = create_board(mina, omar="editor", robot="editor")
    other = create_board(mina, omar="editor")
    mina.put(f"{other}/members/robot", {"role": "editor"})
    card_id = robot.post(f"{board}/cards", {"title": "Card"}).json["id"]
    robot.post(f"{board}/cards/{card_id}/start")

    assert omar.delete(f"{board}/members/omar").status == 204

    assert robot.get(board).status == 404
    events = mina.get(f"{board}/events").json["items"][-2:]
    assert [(event["type"], event["data"]["user_id"]) for event in events] == [
        ("member.removed", "omar"),
        ("member.removed", "robot"),
    ]
    assert mina.get(f"{board}/cards/{card_id}").json["running_since"] is None
    assert robot.get(other).status == 200
    assert mina.delete(f"{other}/members/robot").status == 204
    assert omar.get(other).status == 200


def test_an_ended_bot_is_deleted_by_a_job_of_its_person(omar: Client, store: Store, clock: ManualClock) -> None:
    make_bot(omar)
    board = create_board(omar, robot="editor")
    assert code(omar.delete("/users/robot")) == (409, "user_active")
    omar.post("/users/robot/deactivate")

    started = omar.delete("/users/robot")
    run_jobs(store, clock)

    assert started.status == 202
    assert omar.get(f"/jobs/{started.json['id']}").json["state"] == "done"
    deleted = omar.get("/users/robot").json
    assert (deleted["state"], deleted["kind"], deleted["name"]) == ("deleted", "bot", "Former member")
    assert list_bots(omar) == []
    assert [member["user_id"] for member in omar.get(f"{board}/members").json["items"]] == ["omar"]
    for refused in (change(omar, name="Back"), omar.post("/users/robot/reactivate")):
        assert code(refused) == (409, "user_deleted")
    assert code(omar.get(f"{BOTS}/robot/tokens")) == (404, "bot_not_found")


def test_bots_are_deleted_with_their_person(mina: Client, omar: Client, store: Store, clock: ManualClock) -> None:
    make_bot(omar)
    make_bot(omar, "second")
    make_bot(omar, "kept")
    board = create_board(mina, omar="editor", robot="editor", second="viewer", kept="editor")
    change(omar, "kept", owner_id="mina")
    mina.post("/users/omar/deactivate")

    job_id = mina.delete("/users/omar").json["id"]
    run_jobs(store, clock)

    job = mina.get(f"/jobs/{job_id}").json
    assert (job["state"], job["progress"]) == ("done", {"done": 3, "total": 3})
    states = {user_id: mina.get(f"/users/{user_id}").json["state"] for user_id in ("omar", "robot", "second", "kept")}
    assert states == {"omar": "deleted", "robot": "deleted", "second": "deleted", "kept": "active"}
    assert [member["user_id"] for member in mina.get(f"{board}/members").json["items"]] == ["mina", "kept"]


def test_the_personal_export_has_the_bots(mina: Client) -> None:
    make_bot(mina)

    exported = mina.get("/users/me/export").json

    assert [(bot["id"], bot["owner_id"]) for bot in exported["bots"]] == [("robot", "mina")]


def test_the_search_for_users_tells_their_kind(mina: Client) -> None:
    make_bot(mina)

    assert [(user["id"], user["kind"]) for user in mina.get("/users?q=ROBOT").json["items"]] == [("robot", "bot")]


def test_the_audit_log_tells_what_became_of_a_bot(mina: Client, omar: Client, store: Store, clock: ManualClock) -> None:
    make_bot(mina)
    assert list_bots(omar) == []
    change(mina, name="Triage")
    change(mina, owner_id="omar")
    mina.post("/users/robot/deactivate")
    clock.advance(minutes=1)
    mina.post("/users/robot/reactivate")
    clock.advance(minutes=1)
    mina.post("/users/omar/deactivate")
    clock.advance(minutes=1)
    change(mina, owner_id="mina")
    mina.delete("/users/robot")
    clock.advance(minutes=1)
    run_jobs(store, clock)

    # Ids sort only the entries of one process, and the application's may count on from those of another test.
    oldest_first = reversed(mina.get("/audit-entries?limit=100").json["items"])
    entries = sorted(oldest_first, key=lambda entry: entry["created_at"])
    about_bot = [(entry["type"], entry["data"].get("owner_id")) for entry in entries if entry["user_id"] == "robot"]
    about_omar = [entry["type"] for entry in entries if entry["user_id"] == "omar"]

    assert about_bot == [
        ("bot.created", "mina"),
        ("token.created", None),
        ("bot.handed_over", "omar"),
        ("user.deactivated", None),
        ("user.reactivated", None),
        ("user.deactivated", None),
        ("bot.handed_over", "mina"),
        ("user.deleted", None),
    ]
    assert about_omar == ["user.created", "token.created", "user.deactivated"]
