"""What docs/deploy.md says that AWS costs is made of the document as it is, and adds up."""

import json
import re
from decimal import ROUND_HALF_UP, Decimal
from math import prod

import pytest

from infrastructure.deployment import costs
from infrastructure.deployment.package_build import ROOT
from tools.openapi.bundle import Bundle
from tools.openapi.findings import BUNDLE

PAGE = (ROOT / "docs" / "deploy.md").read_text().replace("\N{MULTIPLICATION SIGN}", "*")
SCALE = (ROOT / "docs" / "scale.md").read_text()
OPERATIONS = Bundle(json.loads(BUNDLE.read_bytes())).operations
# HEAD has a route of its own wherever GET is, and is counted with GET's operation by the function.
ROUTES = len(OPERATIONS) + sum(operation.method == "get" for operation in OPERATIONS)
EACH = Decimal("0.30")


def rounded(amount: Decimal, to: str) -> str:
    return str(amount.quantize(Decimal(to), ROUND_HALF_UP))


def together(heading: str) -> Decimal:
    """Return the sum in the last row of the table with this heading."""
    return Decimal(PAGE.partition(f"| {heading} |")[2].partition("| **together** | | **")[2].partition("*")[0])


def test_the_page_has_what_the_script_writes() -> None:
    page = costs.PAGE.read_text()

    assert costs.write_parts(page, costs.build_bill().render()) == page, (
        "python -m infrastructure.deployment.costs writes the tables of docs/deploy.md"
    )


def test_every_route_and_operation_has_its_metrics_in_the_bill() -> None:
    reads = str(ROUTES - len(OPERATIONS))
    assert re.findall(r"(\d+) operations, and HEAD for the (\d+) that read", PAGE) == [(str(len(OPERATIONS)), reads)]
    assert re.findall(r"(\d+) of the 300 that AWS allows", PAGE) == [str(ROUTES)]
    counts = (len(OPERATIONS) * 2, ROUTES * 5)
    assert re.findall(r"(\d+) \* 0\.30 = ([0-9]+\.[0-9]+)", PAGE) == [
        (str(count), str(count * EACH)) for count in counts
    ]


def test_the_detailed_metrics_that_the_bill_leaves_out_are_off() -> None:
    assert not costs.are_metrics_detailed()


def test_a_page_that_nobody_uses_asks_at_most_once_a_minute() -> None:
    polls = costs.read_intervals().count_polls()

    assert polls["away"] <= 60
    assert polls["hidden"] <= 60


def compute(formula: str) -> Decimal:
    """Return the value of a sum of products whose numbers may have units and commas: '0.20 + 20,000 GB-s * 0.1'."""
    products = [re.findall(r"[0-9][0-9,]*(?:\.[0-9]+)?", text) for text in formula.split(" + ")]
    amounts = (prod((Decimal(number.replace(",", "")) for number in numbers), start=Decimal(1)) for numbers in products)
    return sum(amounts, Decimal())


FORMULAS = re.findall(r"^\| ([^|]+) \| ([^|]*[0-9][^|]*) \| ([0-9.]+) \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("name", "formula", "amount"), FORMULAS, ids=[name for name, _, _ in FORMULAS])
def test_an_amount_is_what_its_formula_says(name: str, formula: str, amount: str) -> None:
    del name
    assert rounded(compute(formula), "0.01") == amount


def test_the_formulas_have_the_numbers_of_the_text() -> None:
    ((milliseconds, poll, board, reads, writes, kilobytes),) = re.findall(
        r"takes (\d+) ms of 1 GB .* poll takes (\d+) read units, and a board with 60 cards (\d+)\. A change takes "
        r"(\d+) read units and (\d+) write units .* take ([0-9.]+) KB together",
        PAGE,
    )
    formulas = {name: formula for name, formula, _ in FORMULAS}
    shares = re.findall(r"0\.\d+ M", formulas["DynamoDB"])

    assert formulas["Lambda"].split(" * ")[0] == f"0.20 + {int(milliseconds) * 1_000:,} GB-s"
    assert formulas["DynamoDB"] == (
        f"{shares[0]} * {poll} * 0.125 + {shares[1]} * {board} * 0.125 + {shares[2]} * {reads} * 0.125 + "
        f"{shares[2]} * {writes} * 0.625"
    )
    assert round(sum(float(share.removesuffix(" M")) for share in shares[:3]), 2) == 1
    assert formulas["Logs"].split(" * ")[0] == f"{kilobytes} GB"
    assert f"Requests * {together('Per million requests')} |" in PAGE


def test_a_board_is_read_for_as_much_as_the_page_about_scale_says() -> None:
    assert f"| {costs.READS_OF_BOARD} |" in re.findall(r"\| reads the board \|[^\n]*", SCALE)[0]


def test_the_alarms_have_as_many_metrics_as_in_the_bill() -> None:
    alarms = (ROOT / "infrastructure" / "resources" / "alarms.yml").read_text()
    count = len(re.findall(r"^ +MetricName: ", alarms, re.MULTILINE))

    assert re.findall(r"Alarms over (\d+) metrics \| (\d+) \*", PAGE) == [(str(count), str(count))]


@pytest.mark.parametrize("heading", ["Per million requests", "Fixed, for prod", "Per million messages of webhooks"])
def test_a_table_of_prices_adds_up(heading: str) -> None:
    rows = PAGE.partition(f"| {heading} |")[2].partition("| **together**")[0]

    assert sum(map(Decimal, re.findall(r"\| ([0-9.]+) \|$", rows, re.MULTILINE))) == together(heading)


@pytest.mark.parametrize(("who", "people", "percent"), costs.INSTALLATIONS)
def test_an_example_of_a_bill_adds_up(who: str, people: int, percent: int) -> None:
    a_month = int(re.findall(r"([0-9,]+) in a month of", PAGE)[0].replace(",", ""))
    millions = Decimal(rounded(Decimal(people * a_month) / 1_000_000, "0.01"))
    bill = [
        Decimal(rounded(millions * together("Per million requests"), "0.01")),
        max(millions - 10, Decimal("0.00")),
        Decimal(rounded(len(OPERATIONS) * 2 * EACH * percent / 100, "0.01")),
        together("Fixed, for prod"),
    ]

    cells = " | ".join(str(cell) for cell in bill)
    assert f"{who} | {millions} M | {percent} % | {cells} | **{rounded(sum(bill, Decimal()), '1')}**" in PAGE
