"""Sessions: sign in with a code, list the devices, sign out; and what can't be done with codes."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.client import Client, HttpResponse
from tests.api.manual_clock import ManualClock

CODES = "/users/me/sign-in-codes"
SESSIONS = "/users/me/sessions"
TOKENS = "/users/me/tokens"
ALL = ["read", "write", "admin"]


def create_code(client: Client, path: str = CODES) -> str:
    response = client.post(path)
    assert response.status == 200, response.raw
    return str(response.json["code"])


def sign_in(client: Client, code: str, name: str = "Phone") -> HttpResponse:
    return client.with_token(None).post("/sessions", {"code": code, "name": name})


def open_session(client: Client, name: str = "Phone") -> Client:
    response = sign_in(client, create_code(client), name)
    assert response.status == 201, response.raw
    return client.with_token(response.json["token"])


def list_sessions(client: Client) -> list[Any]:
    items: list[Any] = client.get(SESSIONS).json["items"]
    return items


def ensure_failed(response: HttpResponse) -> None:
    assert (response.status, response.json["code"]) == (401, "sign_in_failed"), response.raw
    assert response.headers["www-authenticate"] == 'Bearer realm="tackboard"'


@pytest.fixture
def phone(mina: Client) -> Client:
    """Return a client on Mina's phone."""
    return open_session(mina)


def test_a_code_signs_a_user_in_on_another_device(mina: Client) -> None:
    code = mina.post(CODES)
    assert code.json == {"code": code.json["code"], "user_id": "mina", "expires_at": "2026-11-20T14:10:00Z"}
    assert len(code.json["code"]) == 11

    created = sign_in(mina, code.json["code"], "Firefox on my phone")

    assert created.status == 201
    assert created.headers["location"] == f"/v1{SESSIONS}/{created.json['session']['id']}"
    assert created.json["user"]["id"] == "mina"
    assert created.json["session"] == {
        "id": created.json["session"]["id"],
        "name": "Firefox on my phone",
        "created_at": "2026-11-20T14:00:00Z",
        "last_used_at": None,
        "last_used_from": None,
        "expires_at": "2027-02-18T14:00:00Z",
        "is_current": True,
    }
    phone = mina.with_token(created.json["token"])
    assert phone.get("/users/me").json["id"] == "mina"
    assert phone.post("/boards", {"name": "Website"}).status == 201
    assert phone.post(TOKENS, {"name": "CI", "scopes": ALL}).status == 201


@pytest.mark.parametrize(
    "write",
    [str.lower, lambda code: code.replace("-", ""), lambda code: f" {code.replace('-', ' - ')} ", str.swapcase],
)
def test_a_code_is_valid_however_it_is_typed(mina: Client, write: Any) -> None:
    assert sign_in(mina, write(create_code(mina))).status == 201


def test_letters_that_look_like_digits_count_as_these(mina: Client) -> None:
    code = next(code for code in (create_code(mina) for _ in range(300)) if {"0", "1"} <= {*code})

    assert sign_in(mina, code.replace("0", "O").replace("1", "l")).status == 201


def test_a_code_is_valid_once(mina: Client) -> None:
    code = create_code(mina)
    assert sign_in(mina, code).status == 201

    ensure_failed(sign_in(mina, code))
    assert len(list_sessions(mina)) == 1


def test_one_of_many_at_once_gets_in(mina: Client) -> None:
    code = create_code(mina)
    with ThreadPoolExecutor(8) as threads:
        responses = [*threads.map(lambda number: sign_in(mina, code, f"Device {number}"), range(8))]

    assert sorted(response.status for response in responses) == [201] + [401] * 7
    assert len(list_sessions(mina)) == 1


def test_a_code_expires_after_ten_minutes(mina: Client, clock: ManualClock) -> None:
    first, second = create_code(mina), create_code(mina)
    clock.advance(minutes=9, seconds=59)
    assert sign_in(mina, first).status == 201
    clock.advance(seconds=1)

    ensure_failed(sign_in(mina, second))


def test_a_sixth_code_ends_the_first(mina: Client, clock: ManualClock) -> None:
    codes = []
    for _ in range(6):
        codes.append(create_code(mina))
        clock.advance(seconds=1)

    ensure_failed(sign_in(mina, codes[0]))
    assert [sign_in(mina, code).status for code in codes[1:]] == [201] * 5


def test_all_failures_look_the_same(mina: Client, clock: ManualClock) -> None:
    used, expired = create_code(mina), create_code(mina)
    sign_in(mina, used)
    clock.advance(minutes=10)

    responses = [sign_in(mina, code) for code in (used, expired, "K7QF2-9XM4T", "u", "----", " ")]

    assert len({response.raw for response in responses}) == 1
    ensure_failed(responses[0])


@pytest.mark.parametrize(
    "code", ["", "Ä" * 10, "\N{CYRILLIC CAPITAL LETTER A}" * 10, "0" * 65, 7, None, ["K7QF2-9XM4T"], "K\n"]
)
def test_what_is_no_code_is_a_400(anonymous: Client, code: Any) -> None:
    response = anonymous.post("/sessions", {"code": code, "name": "Phone"})

    assert (response.status, response.json["code"]) == (400, "invalid_body")


def test_a_code_of_ten_megabytes_is_a_413(anonymous: Client) -> None:
    assert anonymous.post("/sessions", {"code": "0" * 10_000_000, "name": "Phone"}).status == 413


def test_the_name_of_a_device_may_have_any_letters(mina: Client) -> None:
    sign_in(mina, create_code(mina), "Minas Händy 👩\u200d🚀 看板")

    assert list_sessions(mina)[0]["name"] == "Minas Händy 👩\u200d🚀 看板"


def test_a_code_ends_with_the_token_that_created_it(mina: Client, phone: Client) -> None:
    code = create_code(phone)
    assert phone.delete(f"{SESSIONS}/current").status == 204

    ensure_failed(sign_in(mina, code))


def test_sessions_are_listed_newest_first(mina: Client, phone: Client, clock: ManualClock) -> None:
    clock.advance(minutes=5)
    laptop = open_session(phone, "Laptop")

    names = [(session["name"], session["is_current"]) for session in list_sessions(laptop)]

    assert names == [("Laptop", True), ("Phone", False)]
    assert [session["is_current"] for session in list_sessions(mina)] == [False, False]
    page = laptop.get(f"{SESSIONS}?limit=1").json
    assert [session["name"] for session in page["items"]] == ["Laptop"]
    assert laptop.get(f"{SESSIONS}?limit=1&cursor={page['next_cursor']}").json["items"][0]["name"] == "Phone"


def test_sessions_are_no_tokens_of_the_list(mina: Client, phone: Client) -> None:
    (token,) = mina.get(TOKENS).json["items"]
    (session,) = list_sessions(mina)

    assert token["name"] == "First token"
    for response in (mina.delete(f"{TOKENS}/{session['id']}"), mina.post(f"{TOKENS}/{session['id']}/rotate")):
        assert (response.status, response.json["code"]) == (404, "token_not_found")
    for session_id in (token["id"], "current"):
        response = mina.delete(f"{SESSIONS}/{session_id}")
        assert (response.status, response.json["code"]) == (404, "session_not_found")
    assert phone.get("/users/me").status == 200


def test_a_session_ends_at_once(mina: Client, phone: Client) -> None:
    (session,) = list_sessions(mina)

    assert mina.delete(f"{SESSIONS}/{session['id']}").status == 204

    assert phone.get("/users/me").status == 401
    assert list_sessions(mina) == []
    assert mina.delete(f"{SESSIONS}/{session['id']}").json["code"] == "session_not_found"


def test_a_session_ends_90_days_after_its_last_use(mina: Client, phone: Client, clock: ManualClock) -> None:
    clock.advance(days=89)
    assert phone.get("/users/me").status == 200
    assert list_sessions(mina)[0]["expires_at"] == "2027-05-18T14:00:00Z"
    clock.advance(days=89, hours=23)
    assert phone.get("/users/me").status == 200
    clock.advance(days=90)

    assert phone.get("/users/me").status == 401
    assert list_sessions(mina) == []


def test_other_users_sessions_are_out_of_reach(mina: Client, omar: Client, phone: Client) -> None:
    (session,) = list_sessions(phone)

    assert omar.delete(f"{SESSIONS}/{session['id']}").json["code"] == "session_not_found"
    assert list_sessions(omar) == []
    assert list_sessions(mina) != []


@pytest.mark.parametrize("fields", [{"scopes": ["admin"]}, {"scopes": ["read", "admin"]}])
def test_a_token_without_all_scopes_ends_no_session(mina: Client, phone: Client, fields: dict[str, Any]) -> None:
    weak = mina.with_token(mina.post(TOKENS, {"name": "Weak", **fields}).json["secret"])
    (session,) = list_sessions(phone)

    response = weak.delete(f"{SESSIONS}/{session['id']}")

    assert (response.status, response.json["code"]) == (403, "token_out_of_reach")


def test_a_narrowed_token_sees_and_ends_no_session(mina: Client, phone: Client) -> None:
    narrowed = mina.with_token(
        mina.post(TOKENS, {"name": "Narrow", "scopes": ALL, "max_role": "editor"}).json["secret"]
    )
    (session,) = list_sessions(phone)

    assert list_sessions(narrowed) == []
    response = narrowed.delete(f"{SESSIONS}/{session['id']}")
    assert (response.status, response.json["code"]) == (403, "token_out_of_reach")


@pytest.mark.parametrize(
    ("by_session", "fields"),
    [
        (False, {"scopes": ALL}),
        (False, {"scopes": ["admin"]}),
        (True, {"scopes": ["admin"]}),
        (True, {"scopes": ALL, "expires_at": "2026-11-20T15:00:00Z"}),
        (True, {"scopes": ALL, "max_role": "owner"}),
        (True, {"scopes": ALL, "resources": ["sessions"]}),
    ],
)
def test_a_limited_token_lets_nobody_sign_in(mina: Client, by_session: bool, fields: dict[str, Any]) -> None:
    creator = open_session(mina) if by_session else mina
    limited = mina.with_token(creator.post(TOKENS, {"name": "Limited", **fields}).json["secret"])

    for path in (CODES, "/users/mina/sign-in-codes"):
        response = limited.post(path)
        assert (response.status, response.json["code"]) == (403, "full_token_required")


def test_a_token_of_a_session_outlives_it_and_names_it(mina: Client, phone: Client) -> None:
    (session,) = list_sessions(phone)
    created = phone.post(TOKENS, {"name": "CI", "scopes": ALL}).json
    program = phone.with_token(created["secret"])
    assert (created["token"]["parent_id"], created["token"]["session_id"]) == (None, session["id"])

    mina.delete(f"{SESSIONS}/{session['id']}")

    assert program.get("/users/me").status == 200
    assert [token["session_id"] for token in program.get(TOKENS).json["items"]] == [session["id"], None]
    assert open_session(program).post(f"{TOKENS}/{created['token']['id']}/rotate").status == 200
    assert program.get("/users/me").status == 401


def test_the_last_way_in_is_not_lost_without_a_warning(mina: Client, phone: Client) -> None:
    (first,) = mina.get(TOKENS).json["items"]
    phone.post(TOKENS, {"name": "For an hour", "scopes": ALL, "expires_at": "2026-11-20T15:00:00Z"})
    phone.post(TOKENS, {"name": "CI", "scopes": ["read", "write"]})
    assert mina.delete(f"{TOKENS}/{first['id']}").status == 204

    rejected = phone.delete(f"{SESSIONS}/current")
    assert (rejected.status, rejected.json["code"]) == (409, "last_way_in")
    assert phone.delete(f"{SESSIONS}/current?allow_last=false").status == 409
    assert phone.get("/users/me").status == 200

    assert phone.delete(f"{SESSIONS}/current?allow_last=true").status == 204
    assert phone.get("/users/me").status == 401


def test_another_session_is_a_way_in_until_it_expires(mina: Client, phone: Client, clock: ManualClock) -> None:
    mina.delete(f"{TOKENS}/{mina.get(TOKENS).json['items'][0]['id']}")
    open_session(phone, "Laptop")
    clock.advance(days=89)
    phone.get("/users/me")
    clock.advance(days=1)

    assert phone.delete(f"{SESSIONS}/current").json["code"] == "last_way_in"
    open_session(phone, "Tablet")
    assert phone.delete(f"{SESSIONS}/current").status == 204


def test_the_owner_lets_a_user_in_who_lost_everything(mina: Client, omar: Client, clock: ManualClock) -> None:
    created = mina.post("/users/omar/sign-in-codes")

    assert (created.status, created.json["user_id"]) == (200, "omar")
    assert created.json["expires_at"] == "2026-11-20T15:00:00Z"
    clock.advance(minutes=59)
    back = mina.with_token(sign_in(mina, created.json["code"]).json["token"])
    assert back.get("/users/me").json["id"] == "omar"
    assert omar.get("/users/me").status == 200


def test_nobody_else_lets_others_in(mina: Client, omar: Client) -> None:
    for user_id in ("mina", "omar", "nobody"):
        response = omar.post(f"/users/{user_id}/sign-in-codes")
        assert (response.status, response.json["code"]) == (403, "installation_owner_only")
    assert mina.post("/users/nobody/sign-in-codes").json["code"] == "user_not_found"


def test_events_name_the_session_that_made_them(phone: Client) -> None:
    (session,) = list_sessions(phone)
    board = phone.post("/boards", {"name": "Website"}).json["id"]

    assert phone.get(f"/boards/{board}/events").json["items"][0]["token_id"] == session["id"]


def test_a_code_cannot_be_created_again_by_its_response(mina: Client) -> None:
    first = mina.post(CODES, Idempotency_Key="one").json["code"]

    assert mina.post(CODES, Idempotency_Key="one").json["code"] != first


def test_a_dry_run_uses_no_code_up(mina: Client) -> None:
    code = create_code(mina)
    dry = mina.with_token(None).post("/sessions", {"code": code, "name": "Phone"}, Prefer="dry-run")

    assert (dry.status, dry.json["token"][:34]) == (201, "tkb_" + "0" * 30)
    assert mina.post(CODES, Prefer="dry-run").json["code"] == "00000-00000"
    ensure_failed(sign_in(mina, "00000-00000"))
    assert list_sessions(mina) == []
    assert sign_in(mina, code).status == 201
