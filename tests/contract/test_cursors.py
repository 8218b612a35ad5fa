"""A cursor is valid for its listing, filters and user only."""

import base64
from collections.abc import Callable, Mapping

import pytest

from contract.cursors import CursorCodec, PageKey
from contract.problems import Problem
from tests.contract.client import Client
from tests.contract.contract_app import Result, serve
from tests.contract.openapi_documents import INTEGER, STRING, document, operation, parameter

LISTING = {"of": "list_things", "for": "usr_1", "with": {"q": "a"}}


def decode_problem(cursors: CursorCodec, cursor: str, listing: Mapping[str, object]) -> tuple[int, str]:
    """Return the status and code with which a cursor is rejected."""
    with pytest.raises(Problem) as problem:
        cursors.decode(cursor, listing)
    return problem.value.status, problem.value.code


@pytest.mark.parametrize("page_key", [(1,), ("crd_a", 5), ("",), ("Zoë\n",), (), (-(2**63), "a" * 500)])
def test_a_cursor_decodes_to_the_encoded_key(page_key: PageKey) -> None:
    cursors = CursorCodec(b"key")

    assert cursors.decode(cursors.encode(page_key, LISTING), LISTING) == page_key


def test_a_cursor_needs_no_escaping_in_a_url() -> None:
    cursor = CursorCodec(b"key").encode(("?" * 50, "\xff" * 50), LISTING)

    assert all(character.isascii() and (character.isalnum() or character in "-_") for character in cursor)


@pytest.mark.parametrize(
    "other_listing",
    [
        {**LISTING, "of": "list_others"},
        {**LISTING, "for": "usr_2"},
        {**LISTING, "for": None},
        {**LISTING, "with": {"q": "b"}},
        {**LISTING, "with": {}},
        {**LISTING, "with": {"q": "a", "sort": "name"}},
        {},
    ],
)
def test_a_cursor_of_another_listing_is_rejected(other_listing: dict[str, object]) -> None:
    cursors = CursorCodec(b"key")

    assert decode_problem(cursors, cursors.encode((1,), LISTING), other_listing) == (400, "invalid_cursor")


def test_the_order_of_filters_does_not_matter() -> None:
    cursors = CursorCodec(b"key")
    cursor = cursors.encode((1,), {"a": 1, "b": {"c": 2, "d": 3}})

    assert cursors.decode(cursor, {"b": {"d": 3, "c": 2}, "a": 1}) == (1,)


def invert_byte(cursor: str, index: int) -> str:
    """Return the cursor with one byte inverted."""
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    raw[index] ^= 1
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize("index", [0, 1, 8, 16, 17, -1], ids=["version", "mac", "mac 8", "mac end", "text", "end"])
def test_a_modified_cursor_is_rejected(index: int) -> None:
    cursors = CursorCodec(b"key")
    cursor = cursors.encode((10, "crd_a"), LISTING)

    assert decode_problem(cursors, invert_byte(cursor, index), LISTING) == (400, "invalid_cursor")


@pytest.mark.parametrize(
    "mangle",
    [
        lambda _: "",
        lambda _: "A",
        lambda _: "AQ",
        lambda _: "not base64!",
        lambda _: "ünï",
        lambda _: "\ud800",
        lambda _: "A" * 8_000,
        lambda _: base64.urlsafe_b64encode(b'\x01[1,"x"]').decode(),
        lambda cursor: cursor[:-4],
        lambda cursor: cursor[4:],
        lambda cursor: cursor + "AAAA",
        lambda cursor: cursor + "\n",
        lambda cursor: " " + cursor,
        lambda cursor: cursor + cursor,
        lambda cursor: cursor.swapcase(),
    ],
)
def test_an_incomplete_cursor_is_rejected(mangle: Callable[[str], str]) -> None:
    cursors = CursorCodec(b"key")
    cursor = cursors.encode((10, "crd_a"), LISTING)

    assert decode_problem(cursors, mangle(cursor), LISTING) == (400, "invalid_cursor")


def test_a_cursor_with_an_unknown_key_is_rejected() -> None:
    assert decode_problem(CursorCodec(b"key"), CursorCodec(b"another key").encode((1,), LISTING), LISTING) == (
        400,
        "invalid_cursor",
    )


def test_keys_can_be_rotated_and_old_cursors_stay_valid() -> None:
    old, both, new = CursorCodec(b"old"), CursorCodec(b"new", b"old"), CursorCodec(b"new")

    assert both.decode(old.encode((1,), LISTING), LISTING) == (1,)
    assert new.decode(both.encode((1,), LISTING), LISTING) == (1,)
    assert decode_problem(new, old.encode((1,), LISTING), LISTING) == (400, "invalid_cursor")


@pytest.fixture
def listing() -> Client:
    """Serve two listings that return their page key and the next cursor."""
    parameters = [
        parameter("q", "query", STRING),
        parameter("limit", "query", {**INTEGER, "default": 50}),
        parameter("cursor", "query", {"type": "string", "maxLength": 500}),
    ]

    def build_result(page_key: PageKey | None, cursor: str | None) -> Result:
        return Result({"at": list(page_key) if page_key else None, "next": cursor})

    def list_things(
        parent: str,
        limit: int,
        encode_cursor: Callable[[PageKey | None], str | None],
        q: str | None = None,
        cursor: PageKey | None = None,
    ) -> Result:
        del q
        return build_result(cursor, encode_cursor((parent, limit)))

    def list_others(
        limit: int,
        encode_cursor: Callable[[PageKey | None], str | None],
        q: str | None = None,
        cursor: PageKey | None = None,
    ) -> Result:
        return build_result(cursor, encode_cursor((limit,) if q != "end" else None))

    return serve(
        document(
            {
                "/parents/{parent}/things": {
                    "get": operation("list_things", parameter("parent", "path", STRING), *parameters)
                },
                "/others": {"get": operation("list_others", *parameters)},
            }
        ),
        {"list_things": list_things, "list_others": list_others},
    )


def test_the_next_page_starts_at_the_end_of_the_previous_one(listing: Client) -> None:
    cursor = listing.get("/v1/parents/a/things?limit=2").json()["next"]

    response = listing.get(f"/v1/parents/a/things?limit=2&cursor={cursor}")

    assert response.json()["at"] == ["a", 2]


def test_the_page_size_may_change_between_pages(listing: Client) -> None:
    cursor = listing.get("/v1/parents/a/things?q=x&limit=2").json()["next"]

    assert listing.get(f"/v1/parents/a/things?q=x&limit=9&cursor={cursor}").json()["at"] == ["a", 2]
    assert listing.get(f"/v1/parents/a/things?q=x&cursor={cursor}").json()["at"] == ["a", 2]


@pytest.mark.parametrize(
    "target",
    ["/v1/parents/b/things?q=x", "/v1/parents/a/things?q=y", "/v1/parents/a/things?limit=2", "/v1/others?q=x"],
    ids=["another path", "another filter", "no filter", "another operation"],
)
def test_a_cursor_is_invalid_in_another_listing(listing: Client, target: str) -> None:
    cursor = listing.get("/v1/parents/a/things?q=x").json()["next"]

    assert listing.get(f"{target}&cursor={cursor}").problem == (400, "invalid_cursor")


def test_a_cursor_is_invalid_for_another_user(listing: Client) -> None:
    cursor = listing.get("/v1/others?q=x").json()["next"]

    assert listing.get(f"/v1/others?q=x&cursor={cursor}").status == 200
    assert listing.get(f"/v1/others?q=x&cursor={cursor}", token="another-good-token").status == 400


def test_an_oversized_cursor_is_rejected(listing: Client) -> None:
    assert listing.get(f"/v1/others?cursor={'A' * 501}").problem == (400, "invalid_parameter")
    assert listing.get("/v1/others?cursor=").problem == (400, "invalid_cursor")


def test_the_last_page_has_no_cursor(listing: Client) -> None:
    assert listing.get("/v1/others?q=end").json() == {"at": None, "next": None}
