"""What docs/deploy.md says that AWS costs is made of the document as it is, and adds up."""

import json
import re
from decimal import ROUND_HALF_UP, Decimal

import pytest

from infrastructure.deployment.package_build import ROOT
from tools.openapi.bundle import Bundle
from tools.openapi.findings import BUNDLE

PAGE = (ROOT / "docs" / "deploy.md").read_text()
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
    assert re.findall(r"(\d+) routes . 5 detailed metrics", PAGE) == [str(ROUTES)]
    assert re.findall(r"(\d+) . 0\.30 = ([0-9.]+)", PAGE) == [(str(METRICS), str(METRICS * EACH))]


@pytest.mark.parametrize("heading", ["Per million requests", "Fixed, for prod"])
def test_a_table_of_prices_adds_up(heading: str) -> None:
    rows = PAGE.partition(f"| {heading} |")[2].partition("| **together**")[0]

    assert sum(map(Decimal, re.findall(r"\| ([0-9.]+) \|$", rows, re.MULTILINE))) == together(heading)


@pytest.mark.parametrize(
    ("who", "millions", "percent"), [("team", "0.1", 10), ("company", "3", 50), ("service", "30", 100)]
)
def test_the_bill_of_somebody_adds_up(who: str, millions: str, percent: int) -> None:
    requests = Decimal(rounded(Decimal(millions) * together("Per million requests"), "0.01"))
    metrics = METRICS * EACH * percent / 100
    fixed = together("Fixed, for prod")

    bill = [requests, Decimal(rounded(metrics, "0.01")), fixed]

    cells = " | ".join(str(cell) for cell in bill)
    assert f"a {who} | {millions} M | {percent} % | {cells} | **{rounded(sum(bill, Decimal()), '1')}**" in PAGE
