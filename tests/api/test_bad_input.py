"""Invalid input gets a precise 4xx that does not repeat it, and changes nothing."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from app.document import DOCUMENT_PATH
from contract.schemas import Schemas
from tests.api.client import Client, HttpResponse

CANARY = "canary5f3a9"

NOT_JSON = [
    b"",
    b"   ",
    b'{"title": "%s"' % CANARY.encode(),
    b'{"title": "a"} {"title": "b"}',
    b"{'title': 'a'}",
    b'{"title": "a",}',
    b'{"title": "a" /* comment */}',
    b'{"title": "a\nb"}',
    b'{"title": "a\x00"}',
    b'\xef\xbb\xbf{"title": "a"}',
    b"null",
    b"[]",
    b'"text"',
    b"1",
    b'{"title": NaN}',
    b'{"title": 1e999}',
    b'{"title": ' + b"9" * 5000 + b"}",
    b"[" * 33 + b"]" * 33,
    b"[" * 100_000,
    b'{"title": ' * 5_000 + b"1" + b"}" * 5_000,
    b'{"title": "a", "title": "b"}',
    b'{"title": "\xff"}',
    b'{"title": "\xc0\xaf"}',
    b'{"title": "\xe2\x82"}',
    b'{"title": "\\ud800"}',
    b'{"title": "\xed\xa0\x80"}',
    '{"title": "a"}'.encode("utf-16"),
]
"""Bodies that are invalid or ambiguous JSON."""

BUNDLE: dict[str, Any] = json.loads(DOCUMENT_PATH.read_bytes())


def fill_path(path: str, item: dict[str, Any]) -> str:
    """Fill in a path with the ids in the examples of the document."""
    schemas = Schemas(BUNDLE)
    parameters = [schemas.resolve(reference) for reference in item.get("parameters", [])]
    return path.format(
        **{parameter["name"]: schemas.resolve(parameter["schema"])["example"] for parameter in parameters}
    )


OPERATIONS_WITH_BODY = [
    pytest.param(fill_path(path, item), method, id=operation["operationId"])
    for path, item in BUNDLE["paths"].items()
    for method, operation in item.items()
    if method != "parameters" and operation.get("requestBody", {}).get("required")
]
"""Operations with a body. Invalid JSON is rejected before the board is looked up."""


def is_precise(response: HttpResponse, *statuses: int) -> bool:
    """Return whether the response is a small problem with one of these statuses that repeats no input."""
    problem = response.json
    return (
        response.status in statuses
        and response.headers["content-type"] == "application/problem+json"
        and problem["status"] == response.status
        and problem["type"] == f"/problems/{problem['code']}"
        and len(response.raw) <= 4096
        and CANARY.encode() not in response.raw
    )


@pytest.fixture
def board(mina: Client) -> str:
    """Create a board of Mina and return its path."""
    return f"/boards/{mina.post('/boards', {'name': 'Website'}).json['id']}"


@pytest.mark.parametrize("raw", NOT_JSON, ids=lambda raw: repr(raw[:30]))
def test_invalid_or_ambiguous_json_is_rejected(mina: Client, board: str, raw: bytes) -> None:
    response = mina.request("POST", f"{board}/cards", raw=raw)

    assert is_precise(response, 400), response
    assert mina.get(f"{board}/cards").json["items"] == []


@pytest.mark.parametrize(("path", "method"), OPERATIONS_WITH_BODY)
def test_no_operation_accepts_invalid_or_ambiguous_json(mina: Client, path: str, method: str) -> None:
    for raw in NOT_JSON:
        response = mina.request(method.upper(), path, raw=raw, headers={"If-Match": "*"})

        assert is_precise(response, 400), (raw[:30], response)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"title": ""},
        {"title": "   "},
        {"title": "\u200b\u200d"},
        {"title": "a\u0000b"},
        {"title": "a\u0007b"},
        {"title": "a\nb"},
        {"title": "x" * 501},
        {"title": "\u0958" * 400},
        {"title": True},
        {"title": None},
        {"title": CANARY, "status": "done"},
        {"title": "a", "list_id": CANARY},
        {"title": "a", "position": "TOP"},
        {"title": "a", "external_id": f"{CANARY} with blanks"},
        {"title": "a", "__proto__": {}},
        {"title": "a", CANARY: 1},
        {"title": "a", "id": "crd_" + "0" * 26},
        {"title": "a", **{f"key{number}": number for number in range(10_000)}},
    ],
    ids=lambda body: repr(body)[:40],
)
def test_an_invalid_card_is_rejected(mina: Client, board: str, body: Mapping[str, object]) -> None:
    response = mina.post(f"{board}/cards", body)

    assert is_precise(response, 400), response
    assert response.json["errors"]
    assert mina.get(f"{board}/cards").json["items"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"hourly_rate_minor": -1},
        {"hourly_rate_minor": 2**63},
        {"hourly_rate_minor": 1.5},
        {"hourly_rate_minor": "1"},
        {"hourly_rate_minor": True},
        {"currency": "usd"},
        {"currency": "ZZZ"},
        {"lists": []},
        {"lists": [{"name": "x", "stage": "Done"}]},
        {"lists": [{"name": "x", "stage": "done", "owner": "me"}]},
    ],
    ids=repr,
)
def test_an_invalid_board_is_rejected(mina: Client, body: Mapping[str, object]) -> None:
    response = mina.post("/boards", {"name": "Website", **body})

    assert is_precise(response, 400), response
    assert mina.get("/boards").json["items"] == []


@pytest.mark.parametrize(
    "text",
    ["2027-02-30T00:00:00Z", "99999-01-01T00:00:00Z", "2027-01-01T00:00:00", "2027-01-01", "٢٠٢٧-01-01T00:00:00Z", ""],
)
def test_an_invalid_date_time_is_rejected(mina: Client, text: str) -> None:
    response = mina.post("/users/me/tokens", {"name": "CI", "scopes": ["read"], "expires_at": text})

    assert is_precise(response, 400), response


@pytest.mark.parametrize(
    "text", ["2999-12-31T23:59:59-23:59", "2000-01-01T00:00:00.123456789Z", "2027-06-30T23:59:60Z"]
)
def test_date_times_at_the_limits_are_no_server_error(mina: Client, text: str) -> None:
    response = mina.post("/users/me/tokens", {"name": "CI", "scopes": ["read"], "expires_at": text})

    assert response.status in (201, 400, 422)


@pytest.mark.parametrize(
    "query",
    [
        *(f"limit={value}" for value in ("abc", "0", "-1", "101", "1.5", "1e1", "", "NaN", "null", "9" * 400)),
        *(f"limit={value}" for value in ("1_0", "%205", "%2B5", "+5", "%D9%A3")),
        "limit=1&limit=2",
        "limit[]=1",
        f"{CANARY}=1",
        "&".join(f"a{number}={number}" for number in range(700)),
        "q=%zz",
        "q=%ff",
        "q=%00",
        "q=%0d%0a",
        f"q={'x' * 101}",
        "status=Done",
        "list_id=lst_1",
        "sort=title",
        f"cursor={CANARY}",
        f"cursor={'A' * 1024}",
        f"cursor={'A' * 2000}",
    ],
    ids=lambda query: query[:30],
)
def test_an_invalid_query_is_rejected(mina: Client, board: str, query: str) -> None:
    assert is_precise(mina.get(f"{board}/cards?{query}"), 400)


@pytest.mark.parametrize(
    "path",
    [
        "/..",
        "/boards/..%2f",
        "/boards/%252e%252e",
        "//boards",
        "/boards/",
        "/boards/%0a",
        "/boards/%00",
        "/boards/%ff",
        f"/boards/{'x' * 65}",
        "/boards/'%20OR%201=1--",
        "/Boards",
        "/boards/BRD_00000000000000000000000000",
        f"/boards/{CANARY}",
    ],
)
def test_an_unknown_path_is_a_404(mina: Client, path: str) -> None:
    assert is_precise(mina.get(path), 400, 404)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "FOO", "get", "OPTIONS"])
def test_an_unknown_method_is_a_405_with_the_allowed_ones(mina: Client, method: str) -> None:
    response = mina.request(method, "/boards", headers={"X-HTTP-Method-Override": "GET"})

    assert is_precise(response, 405)
    assert response.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic bWluYTptaW5h",
        "Bearer tkb_" + "0" * 36,
        f"Bearer {CANARY}",
        "Bearer ü",
        "Bearer a, Bearer b",
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJtaW5hIn0.",
    ],
)
def test_an_invalid_token_is_a_401(anonymous: Client, mina: Client, authorization: str) -> None:
    response = anonymous.get("/boards", Authorization=authorization)

    assert mina.token
    assert is_precise(response, 401), response
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        ";;;",
        "application/json, text/plain",
        "application/json; charset=latin-1",
        "application/jsonx",
    ],
)
def test_another_media_type_is_a_415(mina: Client, board: str, media_type: str) -> None:
    response = mina.request("POST", f"{board}/cards", {"title": "a"}, headers={"Content-Type": media_type})

    assert is_precise(response, 415), response


@pytest.mark.parametrize(
    "media_type", ["APPLICATION/JSON", "application/json;charset=UTF-8", 'application/json; charset="utf-8"']
)
def test_json_in_any_utf_8_spelling_is_parsed_and_validated(mina: Client, board: str, media_type: str) -> None:
    good = mina.request("POST", f"{board}/cards", {"title": "a"}, headers={"Content-Type": media_type})
    bad = mina.request("POST", f"{board}/cards", {"title": ""}, headers={"Content-Type": media_type})

    assert (good.status, bad.status) == (201, 400)


@pytest.mark.parametrize(
    ("headers", "path", "body", "status"),
    [
        ({}, "/boards", {"name": "x" * 257 * 1024}, 413),
        ({"Content-Encoding": "gzip"}, "/boards", {"name": "x"}, 415),
        ({"Accept": "text/html"}, "/boards", {"name": "x"}, 406),
        ({"Accept": "application/json;q=0"}, "/boards", {"name": "x"}, 406),
        ({"X-Large": "x" * 65_536}, "/boards", {"name": "x"}, 431),
        ({}, f"/boards?q={'x' * 8193}", {"name": "x"}, 414),
        ({}, f"/{'x' * 2049}", {"name": "x"}, 414),
        ({"Idempotency-Key": "with blanks"}, "/boards", {"name": "x"}, 400),
        ({"Idempotency-Key": "k" * 256}, "/boards", {"name": "x"}, 400),
    ],
)
def test_oversized_or_malformed_requests_are_rejected(
    mina: Client, headers: Mapping[str, str], path: str, body: object, status: int
) -> None:
    assert is_precise(mina.request("POST", path, body, headers=headers), status)
    assert mina.get("/boards").json["items"] == []


@pytest.mark.parametrize(
    ("tag", "status"),
    [
        ('"999"', 412),
        ('W/"1"', 200),
        ('W/"9"', 412),
        ('"1-gzip"', 200),
        ('"1', 400),
        ("1", 400),
        ('"a" "b"', 400),
        ('"0", "1.7"', 200),
    ],
)
def test_if_match_is_strict_and_accepts_tags_rewritten_by_proxies(
    mina: Client, board: str, tag: str, status: int
) -> None:
    response = mina.patch(board, {"name": "Shop"}, If_Match=tag)

    assert response.status == status, response.raw


@pytest.mark.parametrize(
    "headers",
    [
        {"Cookie": ";;; =; a=b; \x80"},
        {"Traceparent": "00-zz"},
        {"Host": "elsewhere.example"},
        {"Accept": "*/*;q=0.1, text/html"},
        {"X-Request-Id": "bad id with blanks"},
    ],
)
def test_odd_headers_are_ignored(mina: Client, headers: Mapping[str, str]) -> None:
    response = mina.request("GET", "/boards", headers=headers)

    assert response.status == 200
    assert " " not in response.headers["x-request-id"]


def test_a_content_encoding_without_a_body_is_ignored(mina: Client, board: str) -> None:
    card = mina.post(f"{board}/cards", {"title": "a"}).json["id"]

    for raw in (None, b"{}"):
        response = mina.request("POST", f"{board}/cards/{card}/archive", raw=raw, headers={"Content-Encoding": "gzip"})

        assert response.status == 200, response


def test_head_has_the_headers_of_get_and_no_body(mina: Client, board: str) -> None:
    head, get = mina.request("HEAD", board), mina.get(board)

    assert (head.status, head.raw, head.etag) == (200, b"", get.etag)
    assert head.headers["content-length"] == str(len(get.raw))


def test_a_body_at_the_size_limit_is_accepted(mina: Client, board: str) -> None:
    created = mina.post(f"{board}/cards", {"title": "😀" * 500, "description": "😀" * 20_000})

    assert created.status == 201
    assert len(json.dumps(created.json, ensure_ascii=False).encode()) > 80_000


@pytest.mark.parametrize("due_at", ["2000-01-01T00:00:00+14:00", "2999-12-31T23:59:59-05:00"])
def test_a_date_time_that_is_out_of_range_in_utc_is_rejected(mina: Client, due_at: str) -> None:
    cards = f"/boards/{mina.post('/boards', {'name': 'Home'}).json['id']}/cards"

    rejected = mina.post(cards, {"title": "Party", "due_at": due_at})

    assert (rejected.status, rejected.json["code"]) == (422, "moment_out_of_range")
    assert rejected.json["errors"][0]["pointer"] == "/due_at"
    assert mina.post(cards, {"title": "Party", "due_at": "2000-01-01T00:00:00Z"}).status == 201
    assert mina.get(cards.removesuffix("cards") + "export").status == 200
