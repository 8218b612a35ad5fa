"""Every text is parsed in a bounded number of steps per character."""

import pytest

from tests.markdown.conftest import Parser

LENGTH = 20_000
MAX_STEPS_PER_CHARACTER = 150
"""The worst case are empty lines in fifty nested blocks."""

NESTED = "- " * 24 + "a\n"
UNITS = (
    *("[", "]", "![", "[a](", "[a](b", '[a](b "', "[a](<b", "[a](b 'x (", "[a](b) ", "*[a](b)", "[*a", "[](", "![a](b"),
    *("*", "**", "_a", "_a_ ", "*a **b ", "a**b*", "***a", "~~", "~~a", "🎉*", "*" * 5000 + "a" + "*" * 5000),
    *("`", "`a``", "``a`", "`` ` ", "\\", "\\|", "<", "<a:", "<a@", "<a@a.", "<a@a-", "&amp;", "a "),
    *("http://", "http://(", "http://]", "http://a", "http://a)", "http://a" + ")" * 9000, "[a](" + "(" * 9000),
    *("> ", "> a\n", "- ", "- x\n", "  - a\n", "1. ", "> - ", "-\n", "- [ ] ", "[x] ", "\n", " \n", "\t", "    a\n"),
    *("# ", "#", "# # ", "# " + " " * 9000 + "a", "```\n", "~~~\n~", "---\n", "a\n-", "a\n===\n", "_ _ _ a\n"),
    *("|", "|a", "a|b\n-|-\n", "|a" * 2500 + "\n" + "|-" * 2500 + "\n" + "|\n" * 2500),
    *(
        "![" * 4000 + "](u)" * 3000,
        "[" * 4000 + "](u)" * 3000,
        "[" * 8000 + "[a](u)" * 2000,
        "*a " * 4000 + "[a](u)" * 1300,
    ),
    *(NESTED + " \n" * 9000, NESTED + "a\n" * 9000, "> " * 49 + "a\n" + "> > > > > >\n" * 1000),
    "a".join("`" * length for length in range(200)),
    "".join(" " * 2 * depth + "- a\n" for depth in range(140)),
)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: repr(unit[:12]))
def test_the_steps_per_character_are_bounded(parser: Parser, unit: str) -> None:
    steps = parser("steps", {"unit": unit, "length": LENGTH})

    assert steps <= MAX_STEPS_PER_CHARACTER * LENGTH


@pytest.mark.parametrize("unit", [unit for unit in UNITS if len(unit) < 20], ids=repr)
def test_doubling_the_text_doubles_the_steps_at_most(parser: Parser, unit: str) -> None:
    once = parser("steps", {"unit": unit, "length": LENGTH})
    twice = parser("steps", {"unit": unit, "length": 2 * LENGTH})

    assert twice <= 2.2 * once + 100
