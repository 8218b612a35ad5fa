"""Content negotiation with Accept (RFC 9110, section 12.5.1)."""

import pytest

from contract.negotiation import choose_media_type
from contract.problems import Problem

JSON, TEXT = "application/json", "text/plain"
BOTH = (JSON, TEXT)


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/*", TEXT),
        (TEXT, TEXT),
        ("TEXT/PLAIN", TEXT),
        ("text/plain;charset=utf-8", TEXT),
        ("text/plain, application/json", JSON),
        ("text/plain, application/json;q=0.9", TEXT),
        ("text/plain; q=0.8 , application/json;q=0.9", JSON),
        ("text/plain;q=0.001, application/json;q=0", TEXT),
        ("*/*;q=0.5, text/plain", TEXT),
        ("application/*;q=0.2, */*;q=0.5", TEXT),
        ("application/json;q=0.0, */*", TEXT),
        ("application/json;Q=0, text/*", TEXT),
        ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", JSON),
        (",, text/plain ,", TEXT),
        ("text/plain;q=2", TEXT),
        ("text/plain;q=", TEXT),
    ],
)
def test_the_highest_quality_wins_and_the_first_of_equals(accept: str | None, chosen: str) -> None:
    assert choose_media_type(accept, BOTH) == chosen


@pytest.mark.parametrize(
    "accept",
    [
        "image/png",
        "application/json;q=0",
        "*/*;q=0",
        "application/*;q=0.000",
        ",",
        "json",
        "*",
        "application",
        "text/*",
    ],
)
def test_a_406_lists_the_offered_media_types(accept: str) -> None:
    with pytest.raises(Problem) as raised:
        choose_media_type(accept, (JSON,))

    assert raised.value.status == 406
    assert str(raised.value) == "The response is available as application/json."


def test_a_406_lists_every_offered_media_type() -> None:
    with pytest.raises(Problem, match="The response is available as application/json or text/plain"):
        choose_media_type("image/png", BOTH)


def test_without_offered_media_types_everything_is_acceptable() -> None:
    assert choose_media_type("image/png", ()) is None
