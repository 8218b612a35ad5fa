"""A large import ends within the time that the function has."""

import re

from infrastructure.deployment.package_build import ROOT
from stores.dynamodb.client import MIN_REMAINING_SECONDS
from tests.deployment.import_measurement import measure_import

PAGE = (ROOT / "docs" / "deploy.md").read_text()
CALL_SECONDS = 0.025
"""How long a call to DynamoDB takes from a function, rather too much."""

COMPUTING_SECONDS = 3.0
"""What 6,500 cards take beside the calls, in a function with 1 GB."""


def test_an_import_takes_as_many_calls_for_a_hundred_cards_as_the_page_says(dynoxide: str) -> None:
    few, many = (measure_import(dynoxide, cards).calls for cards in (200, 700))
    ((calls, first, first_cards, second, second_cards),) = re.findall(
        r"import takes (\d+) calls for each hundred cards: (\d+) for ([0-9,]+) cards and (\d+) for ([0-9,]+), counted",
        PAGE,
    )

    assert (many - few) / 5 == int(calls)
    for total, cards in ((first, first_cards), (second, second_cards)):
        assert int(total) == few + int(calls) * (int(cards.replace(",", "")) // 100 - 2)


def test_the_largest_import_of_the_page_ends_before_the_deadline() -> None:
    (timeout,) = re.findall(
        r"\n    timeout: (\d+)\n    memorySize: \$\{param:memory\}", (ROOT / "serverless.yml").read_text()
    )
    (calls,) = re.findall(r"and (\d+) for 6,500, counted", PAGE)

    assert int(calls) * CALL_SECONDS + COMPUTING_SECONDS < int(timeout) - MIN_REMAINING_SECONDS
