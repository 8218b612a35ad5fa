"""What docs/deploy.md says that AWS costs is made of the document as it is, and adds up."""

import json
import re
from decimal import ROUND_HALF_UP, Decimal
from math import prod

import pytest

from infrastructure.deployment.package_build import ROOT
from tools.openapi.bundle import Bundle
from tools.openapi.findings import BUNDLE

PAGE = (ROOT / "docs" / "deploy.md").read_text().replace("\N{MULTIPLICATION SIGN}", "*")
OPERATIONS = Bundle(json.loads(BUNDLE.read_bytes())).operations
# HEAD has a route of its own wherever GET is, and is counted with GET's operation by the function.
ROUTES = len(OPERATIONS) + sum(operation.method == "get" for operation in OPERATIONS)
METRICS = Decimal(ROUTES * 5 + len(OPERATIONS) * 2)
EACH = Decimal("0.30")


def rounded(amount: Decimal, to: str) -> str:
    return str(amount.quantize(Decimal(to), ROUND_HALF_UP))


def together(heading: str) -> Decimal:
    """Return the sum in the last row of the table with this heading."""
    return Decimal(PAGE.partition(f"| {heading} |")[2].partition("| **together** | | **")[2].partition("*")[0])


def test_every_route_and_operation_has_its_metrics_in_the_bill() -> None:
    assert re.findall(r"(\d+) routes \* 5 detailed metrics", PAGE) == [str(ROUTES)]
    reads = str(ROUTES - len(OPERATIONS))
    assert re.findall(r"(\d+) operations, and HEAD for the (\d+) that read", PAGE) == [(str(len(OPERATIONS)), reads)]
    assert re.findall(r"(\d+) of the 300 that AWS allows", PAGE) == [str(ROUTES)]
    assert re.findall(r"(\d+) \* 0\.30 = ([0-9.]+)", PAGE) == [(str(METRICS), str(METRICS * EACH))]


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
    ((milliseconds, reads, reads_of_writes, writes, kilobytes),) = re.findall(
        r"takes (\d+) ms of 1 GB .* reads of (\d+) read units .* takes (\d+) read units and (\d+) write units .* "
        r"take ([0-9.]+) KB together",
        PAGE,
    )
    formulas = {name: formula for name, formula, _ in FORMULAS}

    assert formulas["Lambda"].split(" * ")[0] == f"0.20 + {int(milliseconds) * 1_000:,} GB-s"
    assert formulas["DynamoDB"] == (
        f"0.8 M * {reads} * 0.125 + 0.2 M * {reads_of_writes} * 0.125 + 0.2 M * {writes} * 0.625"
    )
    assert formulas["Logs"].split(" * ")[0] == f"{kilobytes} GB"
    assert f"Requests * {together('Per million requests')} |" in PAGE


def test_the_alarms_have_as_many_metrics_as_in_the_bill() -> None:
    alarms = (ROOT / "infrastructure" / "resources" / "alarms.yml").read_text()
    count = len(re.findall(r"^ +MetricName: ", alarms, re.MULTILINE))

    assert re.findall(r"Alarms over (\d+) metrics \| (\d+) \*", PAGE) == [(str(count), str(count))]


@pytest.mark.parametrize("heading", ["Per million requests", "Fixed, for prod", "Per million messages of webhooks"])
def test_a_table_of_prices_adds_up(heading: str) -> None:
    rows = PAGE.partition(f"| {heading} |")[2].partition("| **together**")[0]

    assert sum(map(Decimal, re.findall(r"\| ([0-9.]+) \|$", rows, re.MULTILINE))) == together(heading)


@pytest.mark.parametrize(
    ("who", "millions", "percent"), [("team", "0.1", 10), ("company", "3", 50), ("service", "30", 100)]
)
def test_an_example_of_a_bill_adds_up(who: str, millions: str, percent: int) -> None:
    requests = Decimal(rounded(Decimal(millions) * together("Per million requests"), "0.01"))
    metrics = METRICS * EACH * percent / 100
    fixed = together("Fixed, for prod")

    bill = [requests, Decimal(rounded(metrics, "0.01")), fixed]

    cells = " | ".join(str(cell) for cell in bill)
    assert f"a {who} | {millions} M | {percent} % | {cells} | **{rounded(sum(bill, Decimal()), '1')}**" in PAGE
