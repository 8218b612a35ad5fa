"""Normalization to NFC gives CPython's result, in linear time."""

from time import process_time
from unicodedata import normalize

from hypothesis import example, given, settings
from hypothesis import strategies as st

from contract.unicode import to_nfc

MARKS = "\u0300\u0301\u0308\u0315\u031b\u0323\u0327\u0334\u0344\u0345\u05b0\u0f71\u0f72\u0f73\u0f81\u3099\U0001d165"
OTHERS = "ae\u00e9\u1eb7\u03b1\u0390\u1100\u1161\u0958\u304b"


@given(st.lists(st.text(MARKS, max_size=9) | st.text(OTHERS, max_size=2), max_size=60).map("".join))
@example("e" + MARKS * 20 + "\u00e9" + MARKS[::-1] * 20)
@example(MARKS * 20)
@settings(max_examples=200, deadline=None)
def test_text_with_any_marks_is_normalized_like_cpython_does(text: str) -> None:
    assert to_nfc(text) == normalize("NFC", text)
    assert to_nfc(text * 30) == normalize("NFC", text * 30)


def test_a_hundred_thousand_unsorted_marks_take_less_than_a_second() -> None:
    for pair in ("\u0315\u0300", "\u0f73\u0301", "\u0344\u0327"):
        started_at = process_time()

        to_nfc("a" + pair * 50_000)

        assert process_time() - started_at < 1
