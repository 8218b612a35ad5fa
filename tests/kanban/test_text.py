"""Search ignores case and Unicode normalization."""

import pytest

from kanban.text import build_search_text, fold


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("STRASSE", "Hauptstraße"),
        ("straße", "HAUPTSTRASSE"),
        ("ΣΊΣΥΦΟΣ", "Σίσυφος"),
        ("caf\u00e9", "Cafe\u0301 open"),
        ("cafe\u0301", "CAF\u00c9"),
        ("ﬁle", "profile"),
        ("купить", "Купить молоко"),
        ("牛乳", "牛乳を買う"),
        ("👩‍👩‍👧", "the 👩‍👩‍👧 card"),
    ],
)
def test_a_query_finds_text_ignoring_case_and_normalization(query: str, title: str) -> None:
    assert fold(query) in build_search_text(title, "")


def test_the_description_is_searched_too_but_not_across_the_title() -> None:
    text = build_search_text("Buy milk", "today")

    assert fold("TODAY") in text
    assert fold("milktoday") not in text
    assert fold("milk today") not in text
