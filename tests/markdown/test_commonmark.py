"""The examples of CommonMark: each is rendered as specified, or listed with the reason for the difference."""

from typing import Any

import pytest

from tests.markdown.conftest import Parser


def parse_numbers(text: str) -> set[int]:
    spans = (part.partition("-") for part in text.split())
    return {number for first, _, last in spans for number in range(int(first), int(last or first) + 1)}


DIFFERENCES = {
    "HTML is text": parse_numbers(
        "21 148-191 308-309 344 475-477 491 494 524 613-617 623 625-629 631 642-643"  # and comments between lists
    ),
    "definitions of links are not supported, because they would not be shown": parse_numbers(
        "23 33 192-196 198 200-208 210 214-218 317 527-545 549-550 553-571 573 576-577 582-589 591-593"
    ),
    "entities are shown as they were written": parse_numbers("25-27 31-32 37-41 503 506 630"),
    "a link without words shows its address": parse_numbers("484 581"),
    "an asterisk between digits is text": parse_numbers("356"),
    "a bare address is a link, as on GitHub": parse_numbers("602 608 611"),
}
"""The numbers of the examples in version 0.31.2 that are rendered differently, by reason."""

SECTIONS = 26
EXAMPLES = 652


@pytest.fixture(scope="module")
def examples(parser: Parser) -> list[dict[str, Any]]:
    all_examples: list[dict[str, Any]] = parser("examples")
    # In the specification, arrows represent tabs.
    for example in all_examples:
        example["markdown"] = example["markdown"].replace("→", "\t")
        example["html"] = example["html"].replace("→", "\t")
    return all_examples


def test_every_example_matches_or_is_listed_with_a_reason(parser: Parser, examples: list[dict[str, Any]]) -> None:
    listed = {number for group in DIFFERENCES.values() for number in group}
    different = {
        example["number"]: (example["markdown"], html)
        for example in examples
        if (html := parser("html", example["markdown"])) != remove_code_languages(example["html"])
    }

    assert len(examples) == EXAMPLES
    assert len({example["section"] for example in examples}) == SECTIONS
    assert {number: text for number, text in different.items() if number not in listed} == {}
    assert listed - different.keys() == set()


def remove_code_languages(html: str) -> str:
    """Remove the languages of code blocks, which the page does not use."""
    before, *codes = html.split('<code class="')
    return before + "".join("<code" + code[code.index(">") :] for code in codes)


def test_no_example_loses_a_character(parser: Parser, examples: list[dict[str, Any]]) -> None:
    faults = {example["number"]: parser("faults", example["markdown"]) for example in examples}

    assert {number: fault for number, fault in faults.items() if fault} == {}
