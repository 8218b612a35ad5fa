"""Text is found however it is written."""

import pytest

from kanban.text import folded, searchable


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
def test_a_query_finds_text_that_reads_the_same(query: str, title: str) -> None:
    assert folded(query) in searchable(title, "")


def test_the_description_is_searched_too_but_not_across_the_title() -> None:
    text = searchable("Buy milk", "today")

    assert folded("TODAY") in text
    assert folded("milktoday") not in text
    assert folded("milk today") not in text
