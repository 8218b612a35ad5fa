"""Any text is cleaned to fit in little time; ordinary text is only normalized."""

from time import process_time
from unicodedata import normalize

import pytest

from kanban.interchange.text_cleanup import clean_line, clean_text

UNORDERED_MARKS = "\u0315\u0300"


@pytest.mark.parametrize(
    "text", ["Zoe\u0308 was here", "a\u0331\u0301" * 100, "각" * 100, "ᾂ" * 500, "ש\u05c1\u05b0" * 99]
)
def test_ordinary_text_is_normalized_and_not_cut(text: str) -> None:
    assert clean_line(text, 500, "") == normalize("NFC", text)
    assert clean_text(normalize("NFD", text), 500) == normalize("NFC", text)


def test_text_is_cut_if_its_normal_form_is_too_long() -> None:
    longest = normalize("NFD", "ᾂ" * 500)

    assert clean_line(longest + longest, 500, "") == "ᾂ" * 500
    assert clean_text(longest + longest, 500) == "ᾂ" * 499
    assert clean_text("a" * 501, 500) == "a" * 499


def test_spaces_around_a_line_are_removed() -> None:
    assert clean_line(" " * 10_000 + "a" + " " * 10_000, 5, "") == "a"


def test_at_most_thirty_combining_marks_in_a_row_are_kept() -> None:
    assert clean_text("q" + "\u0323" * 31 + "w" + "\u0301" * 30, 500) == "q" + "\u0323" * 30 + "\u1e83" + "\u0301" * 29


@pytest.mark.parametrize("marks", [UNORDERED_MARKS, "\u0f73\u0301", "\u0344\u0327"])
def test_a_million_unordered_marks_take_less_than_a_second(marks: str) -> None:
    start = process_time()

    clean_text("a" + marks * 500_000, 20_000)
    clean_line("a" + marks * 500_000, 500, "")

    assert process_time() - start < 1
