"""All text except the markers is shown: no character is lost, moved or changed."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.markdown.conftest import Parser

_WORD = st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=6)
# "http://a" is an address.
WORDS = st.lists(_WORD.filter(lambda word: word.lower() not in {"http", "https"}), min_size=1, max_size=5)
NON_MARKERS = (
    *("_", "__", "~", "\\", "'", "/", "://", "|", "]", "!", "&", "&amp;", "<", "<b>"),
    *(" * ", " _ ", " ~~ ", " ** ", " - "),
)


@pytest.mark.parametrize("seed", range(1, 6))
def test_every_character_is_shown_or_is_a_valid_marker(parser: Parser, seed: int) -> None:
    # A fault is reported for a shortened text. The same seed finds the same fault.
    assert parser("first_fault", {"seed": seed, "count": 8000}) is None


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=WORDS, separator=st.sampled_from(NON_MARKERS))
def test_characters_that_are_no_markers_are_rendered_unchanged(
    parser: Parser, words: list[str], separator: str
) -> None:
    text = separator.join(["see", *words])

    escaped_text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert parser("rendered", text) == f"<p>{escaped_text}</p>"
