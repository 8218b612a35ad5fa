"""Conditional requests: If-Match prevents lost updates, If-None-Match saves transfers."""

import pytest

from contract.conditional import IfMatch, is_unchanged
from contract.problems import Problem
from tests.contract.client import Client
from tests.contract.contract_app import Result, serve
from tests.contract.openapi_documents import OBJECT, STRING, Schema, document, operation, parameter, response_object

ETAG_HEADERS: Schema = {
    "ETag": {"schema": STRING, "required": True},
    "Cache-Control": {"schema": STRING, "required": True},
}


@pytest.mark.parametrize(
    "header",
    ['"3"', '"3.117"', ' "3" ', '"1", "3"', '"1","2" ,\t"3.9"', "*", " * ", 'W/"2", "3"', '"a,b", "3"'],
)
def test_if_match_with_the_current_version_passes(header: str) -> None:
    IfMatch(header).ensure_matches(3)


@pytest.mark.parametrize(
    "header",
    ['"2"', '"4", "5"', '"33"', '"03"', '""', '".3"', '"x.3"', 'W/"2"', 'W/"2.3", "4-gzip"', '"-3"', '"3,4"'],
)
def test_if_match_with_another_version_is_a_412(header: str) -> None:
    with pytest.raises(Problem) as raised:
        IfMatch(header).ensure_matches(3)

    assert (raised.value.status, raised.value.code) == (412, "precondition_failed")


@pytest.mark.parametrize(
    ("header", "advice"),
    [
        ('"2"', "read it again"),
        ('W/"2"', "read it again"),
        ('"2.9-gzip"', "read it again"),
        ('"2.0-1"', "read it again"),
        ('"3-xyz", "2"', "read it again"),
        ('"3-xyz"', "as you received it"),
        ('"3-gzip-gzip"', "as you received it"),
        ('"", W/"PSA-aj"', "as you received it"),
    ],
)
def test_a_foreign_tag_gets_a_412_that_explains_the_format(header: str, advice: str) -> None:
    with pytest.raises(Problem) as raised:
        IfMatch(header).ensure_matches(3)

    assert advice in raised.value.detail


def test_a_missing_if_match_is_a_428() -> None:
    with pytest.raises(Problem) as raised:
        IfMatch(None).ensure_matches(3)

    assert (raised.value.status, raised.value.code) == (428, "precondition_required")


@pytest.mark.parametrize(
    "header", ["", "3", '"3', '3"', "W/3", 'w/"3"', '"3" "4"', '"3 "', '"3",', ',"3"', "*, *", '*,"3"', '"\xfc"']
)
def test_an_invalid_list_of_entity_tags_is_a_400(header: str) -> None:
    with pytest.raises(Problem) as raised:
        IfMatch(header)

    assert (raised.value.status, raised.value.code) == (400, "invalid_header")
    assert [violation.pointer for violation in raised.value.violations] == ["/header/If-Match"]


def _rewrite_like_proxies(tag: str) -> list[str]:
    """Return a tag as proxies rewrite it when they compress or decompress a response."""
    suffixes = ["-gzip", "-br", "-zstd", "-deflate", "-gunzip", "--gzip", "--br", ";gzip", ";gz", ";br"]
    return [f'W/"{tag}"'] + [f'{weak}"{tag}{suffix}"' for weak in ("", "W/") for suffix in suffixes]


@pytest.mark.parametrize(
    "header",
    [
        *_rewrite_like_proxies("3"),
        *_rewrite_like_proxies("3.117"),
        *_rewrite_like_proxies("3.0-2-1"),
        '"1-br", W/"3-gzip"',
    ],
)
def test_if_match_accepts_tags_rewritten_by_proxies(header: str) -> None:
    IfMatch(header).ensure_matches(3)


@pytest.mark.parametrize("tag", ["3", "3.117", "3.0-2-1", "117.more"])
def test_if_none_match_accepts_tags_rewritten_by_proxies(tag: str) -> None:
    assert all(is_unchanged(header, tag) for header in _rewrite_like_proxies(tag))
    assert is_unchanged(f'"1-br" , {_rewrite_like_proxies(tag)[-1]}', tag)


@pytest.mark.parametrize(
    "header", [*_rewrite_like_proxies("3"), *_rewrite_like_proxies("3.118"), '"3.117-xyz"', '"3.117gzip"', '"-gzip"']
)
def test_a_rewritten_tag_matches_no_other_representation(header: str) -> None:
    assert not is_unchanged(header, "3.117")


@pytest.mark.parametrize("header", ['"3.117"', 'W/"3.117"', '"1", W/"3.117"', "*"])
def test_if_none_match_with_the_current_tag_matches(header: str) -> None:
    assert is_unchanged(header, "3.117")


@pytest.mark.parametrize("header", [None, '"3"', '"3.118"', 'W/"3"', '"3.1"', '""'])
def test_if_none_match_with_another_tag_does_not_match(header: str | None) -> None:
    assert not is_unchanged(header, "3.117")


@pytest.mark.parametrize("unit", ["-", ";", "-gzip", "3-", "--gzip"])
def test_a_long_tag_is_parsed_in_linear_time(unit: str) -> None:
    assert not is_unchanged(f'"{unit * 6_000}"', "3")


def test_a_long_list_of_tags_is_parsed_in_linear_time() -> None:
    header = ", ".join(f'"{number}"' for number in range(4_000))

    assert is_unchanged(header, "3999")


@pytest.fixture
def thing() -> Client:
    """Serve GET /v1/thing with the tag 3.117, and PATCH that requires version 3."""
    get_operation = operation(
        "get_thing",
        parameter("If-None-Match", "header", {"type": "string", "maxLength": 100}),
        responses={
            "200": response_object(OBJECT, headers=ETAG_HEADERS),
            "304": {"description": "You know it.", "headers": ETAG_HEADERS},
        },
    )
    patch_operation = operation("change_thing", parameter("If-Match", "header", STRING, required=True))

    def change_thing(if_match: IfMatch) -> Result:
        if_match.ensure_matches(3)
        return Result({"changed": True})

    return serve(
        document({"/thing": {"get": get_operation, "patch": patch_operation}}),
        {"get_thing": lambda: Result({"n": 1}, etag="3.117"), "change_thing": change_thing},
    )


def test_a_response_has_its_entity_tag(thing: Client) -> None:
    response = thing.get("/v1/thing")

    assert response.header("etag") == '"3.117"'
    assert response.header("cache-control") == "private, no-cache"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_current_representation_is_a_304(thing: Client, method: str) -> None:
    response = thing.send(method, "/v1/thing", headers={"If-None-Match": 'W/"1", "3.117"'})

    assert response.status == 304
    assert response.header("etag") == '"3.117"'
    assert response.header("content-type") is None
    assert response.body == b""


def test_an_outdated_representation_is_sent_again(thing: Client) -> None:
    response = thing.get("/v1/thing", headers={"If-None-Match": '"3"'})

    assert response.status == 200
    assert response.json() == {"n": 1}


def test_an_invalid_if_none_match_is_rejected(thing: Client) -> None:
    assert thing.get("/v1/thing", headers={"If-None-Match": '"3'}).problem == (400, "invalid_header")


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        ({}, (428, "precondition_required")),
        ({"If-Match": '"2"'}, (412, "precondition_failed")),
        ({"If-Match": 'W/"2"'}, (412, "precondition_failed")),
        ({"If-Match": '"3-xyz"'}, (412, "precondition_failed")),
        ({"If-Match": "3"}, (400, "invalid_header")),
        ({"If-Match": '"' + "3" * 200 + '"'}, (400, "invalid_header")),
    ],
    ids=["missing", "stale", "weak and stale", "foreign", "no tag", "too long"],
)
def test_a_change_without_the_current_tag_is_rejected(
    thing: Client, headers: dict[str, str], problem: tuple[int, str]
) -> None:
    assert thing.send("PATCH", "/v1/thing", headers=headers).problem == problem


@pytest.mark.parametrize("tag", ['"3"', '"3.117"', '"3.118"', 'W/"3.118"', '"3.118-gzip"', "*"])
def test_elapsed_time_does_not_fail_if_match(thing: Client, tag: str) -> None:
    assert thing.send("PATCH", "/v1/thing", headers={"If-Match": tag}).json() == {"changed": True}
