"""Every example of CommonMark: the page's Markdown says the same of it, or it is of what the page leaves out."""

from typing import Any

import pytest

from tests.markdown.conftest import Parser


def numbers(text: str) -> set[int]:
    spans = (part.partition("-") for part in text.split())
    return {number for first, _, last in spans for number in range(int(first), int(last or first) + 1)}


OUTSIDE = {
    "HTML is text": numbers(
        "21 148-191 308-309 344 475-477 491 494 524 613-617 623 625-629 631 642-643"  # and comments between lists
    ),
    "a definition of a link would vanish from what is shown": numbers(
        "23 33 192-196 198 200-208 210 214-218 317 527-545 549-550 553-571 573 576-577 582-589 591-593"
    ),
    "an entity stands as it was written": numbers("25-27 31-32 37-41 503 506 630"),
    "a link without words shows its address": numbers("484 581"),
    "an asterisk between digits multiplies": numbers("356"),
    "a bare address is a link, as on GitHub": numbers("602 608 611"),
}
"""Numbers of the examples in version 0.31.2 of the specification that come out differently, by the reason."""

SECTIONS = 26
EXAMPLES = 652


@pytest.fixture(scope="module")
def examples(parser: Parser) -> list[dict[str, Any]]:
    all_examples: list[dict[str, Any]] = parser("examples")
    # In the specification arrows stand for tabs. The page colours no code, so it leaves the name of the language out.
    for example in all_examples:
        example["markdown"] = example["markdown"].replace("→", "\t")
        example["html"] = example["html"].replace("→", "\t")
    return all_examples


def test_every_example_is_equal_or_outside_for_a_reason(parser: Parser, examples: list[dict[str, Any]]) -> None:
    outside = {number for group in OUTSIDE.values() for number in group}
    different = {
        example["number"]: (example["markdown"], answer)
        for example in examples
        if (answer := parser("html", example["markdown"])) != without_languages(example["html"])
    }

    assert len(examples) == EXAMPLES
    assert len({example["section"] for example in examples}) == SECTIONS
    assert {number: text for number, text in different.items() if number not in outside} == {}
    assert outside - different.keys() == set()


def without_languages(html: str) -> str:
    before, *codes = html.split('<code class="')
    return before + "".join("<code" + code[code.index(">") :] for code in codes)


def test_no_example_loses_a_character(parser: Parser, examples: list[dict[str, Any]]) -> None:
    faults = {example["number"]: parser("faults", example["markdown"]) for example in examples}

    assert {number: fault for number, fault in faults.items() if fault} == {}
