"""Write what AWS costs into docs/deploy.md: `python -m infrastructure.deployment.costs`.

The numbers come from the intervals in which the page polls (web/polling.js), the operations of the document, the alarms
of the template, the defaults in serverless.yml, and the units of a request, which tests/deployment measures. The prices
are list prices of us-east-1 in USD. Each amount is computed from the formula that the page shows.
"""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import prod

from infrastructure.deployment.package_build import ROOT

PAGE = ROOT / "docs" / "deploy.md"
TIMES = "\N{MULTIPLICATION SIGN}"

READS_OF_POLL = 3
READS_OF_BOARD = 18
READS_OF_CHANGE, WRITES_OF_CHANGE = 8, 18
LOG_KILOBYTES = Decimal("1.2")
MILLISECONDS = 20

# A person's day: an hour in which the board is used, an hour in which it is looked at, and the rest of eight hours.
HOURS_OF_DAY = {"used": 1, "idle": 1, "away": 2, "hidden": 4}
DAYS = 22
CHANGES_A_DAY = 40
TABS_OF_CHANGE = 3
"""How many tabs read the board again after a change: that of its author, and those of two others."""

INSTALLATIONS = (("a team of 10", 10, 10), ("a company of 100", 100, 50), ("a service for 1,000", 1000, 100))
"""Name, people, and the percentage of all metrics that occur in an hour."""

METRIC, READ, WRITE, INVOCATION, GB_SECOND = "0.30", "0.125", "0.625", "0.20", "0.0000133334"
FREE_MILLIONS_OF_CLOUDFRONT = 10
ROUTE_METRICS, OPERATION_METRICS = 5, 2
RESTORES = 3000
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Intervals:
    """The seconds between two polls of a tab."""

    used: Decimal
    idle: Decimal
    away: Decimal
    hidden: Decimal

    def count_polls(self) -> dict[str, int]:
        """Return how many polls an hour of each kind has."""
        return {name: int(3600 / getattr(self, name)) for name in HOURS_OF_DAY}


@dataclass(frozen=True, slots=True)
class Requests:
    """The requests of a person in a month."""

    polls: int
    boards: int
    changes: int

    @property
    def together(self) -> int:
        """Return how many there are."""
        return self.polls + self.boards + self.changes

    def share(self, part: int) -> str:
        """Return how many of a million are of a kind, in millions."""
        return str((Decimal(part) / self.together).quantize(Decimal("0.001"), ROUND_HALF_UP))


def read_intervals() -> Intervals:
    """Return the intervals of the page."""
    source = (ROOT / "web" / "polling.js").read_text()
    milliseconds = {name: Decimal(number) for name, number in re.findall(r"const ([A-Z_]+)_MS = ([0-9_]+);", source)}
    used, idle, away = (milliseconds[f"{name}_INTERVAL"] / 1000 for name in ("ACTIVE", "IDLE", "AWAY"))
    return Intervals(used, idle, away, away)


def count_requests(intervals: Intervals) -> Requests:
    """Return what a person's tab asks for in a month."""
    polls = intervals.count_polls()
    changes = DAYS * CHANGES_A_DAY
    return Requests(
        sum(polls[name] * hours for name, hours in HOURS_OF_DAY.items()) * DAYS, changes * TABS_OF_CHANGE, changes
    )


def count_operations() -> tuple[int, int]:
    """Return how many operations the document has, and how many of them read."""
    paths = json.loads((ROOT / "spec" / "dist" / "openapi.json").read_text())["paths"].values()
    methods = [method for path in paths for method in path if method in {"get", "put", "post", "patch", "delete"}]
    return len(methods), methods.count("get")


def compute(formula: str) -> Decimal:
    """Return the value of a sum of products whose numbers may have units and commas."""
    products = [re.findall(r"[0-9][0-9,]*(?:\.[0-9]+)?", text) for text in formula.split(" + ")]
    amounts = (prod((Decimal(number.replace(",", "")) for number in numbers), start=Decimal(1)) for numbers in products)
    return sum(amounts, Decimal())


def round_amount(amount: Decimal, to: str = "0.01") -> Decimal:
    """Round half up, as people do."""
    return amount.quantize(Decimal(to), ROUND_HALF_UP)


def render_table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of Markdown."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"|{'|'.join(cells)}|" if cells[0] == "---" else f"| {' | '.join(cells)} |" for cells in lines)


class Bill:
    """The tables of what an installation costs."""

    def __init__(self, intervals: Intervals, *, is_detailed: bool) -> None:
        """`is_detailed` says whether each route of the API has metrics of its own."""
        self._intervals = intervals
        self._requests = count_requests(intervals)
        self._operations, self._reads = count_operations()
        self._is_detailed = is_detailed

    @property
    def routes(self) -> int:
        """Return how many routes the API has: HEAD has one wherever GET is."""
        return self._operations + self._reads

    def per_million(self) -> dict[str, str]:
        """Return what a million requests cost, as formulas."""
        polls, boards, changes = (
            self._requests.share(part) for part in (self._requests.polls, self._requests.boards, self._requests.changes)
        )
        writes = int(Decimal(changes) * MILLION)
        return {
            "HTTP API": "1.00",
            "Lambda": f"{INVOCATION} + {MILLISECONDS * 1000:,} GB-s * {GB_SECOND}",
            "DynamoDB": (
                f"{polls} M * {READS_OF_POLL} * {READ} + {boards} M * {READS_OF_BOARD} * {READ} + "
                f"{changes} M * {READS_OF_CHANGE} * {READ} + {changes} M * {WRITES_OF_CHANGE} * {WRITE}"
            ),
            "Logs": f"{LOG_KILOBYTES} GB * 0.50",
            "X-Ray, one in twenty traced": "50,000 * 0.000005",
            "Events, with or without webhooks": (
                f"{changes} M * {INVOCATION} + {writes // 200} GB-s * {GB_SECOND} + {changes} M * 1 * {READ} + "
                f"{writes // 20:,} * 0.000005"
            ),
            "Limits of users, 20 writes for 1,000 requests": "20,000 * 0.000000625",
        }

    def per_month(self) -> dict[str, str]:
        """Return what a month costs without any request, as formulas."""
        metrics = count_alarm_metrics()
        return {
            "SnapStart, two versions of 1 GB": "2 * 2,628,000 s * 0.0000015046",
            f"SnapStart, {RESTORES:,} restores of 1 GB": f"{RESTORES:,} * 0.0001397998",
            f"Alarms over {metrics} metrics": f"{metrics} * 0.10",
            "Metrics of both schedules, of refusals and of boards": f"4 * {METRIC}",
            "Queue, which Lambda asks 15 times a minute": "0.66 M * 0.40",
            "Two secrets": "2 * 0.40",
            "Hosted zone": "0.50",
        }

    def sum_metrics(self) -> Decimal:
        """Return what the metrics cost if every route is used in every hour."""
        detailed = self.routes * ROUTE_METRICS if self._is_detailed else 0
        return (detailed + self._operations * OPERATION_METRICS) * Decimal(METRIC)

    def total(self, people: int, percent: int) -> tuple[Decimal, list[Decimal]]:
        """Return the millions of requests of an installation, and what they, metrics, CloudFront and the rest cost."""
        millions = round_amount(Decimal(people * self._requests.together) / MILLION)
        return millions, [
            round_amount(millions * sum_amounts(self.per_million())),
            round_amount(max(millions - FREE_MILLIONS_OF_CLOUDFRONT, Decimal())),
            round_amount(self.sum_metrics() * percent / 100),
            sum_amounts(self.per_month()),
        ]

    def render(self) -> dict[str, str]:
        """Return the parts of the page by name."""
        return {
            "tabs": self._render_tabs(),
            "requests": self._render_requests(),
            "per million": render_prices("Per million requests", self.per_million()),
            "fixed": render_prices("Fixed, for prod", self.per_month()),
            "metrics": self._render_metrics(),
            "installations": self._render_installations(),
        }

    def _render_tabs(self) -> str:
        polls = self._intervals.count_polls()
        names = {
            "used": "in use, or used two minutes ago",
            "idle": "visible, without input for two to five minutes",
            "away": "visible, without input for longer",
            "hidden": "hidden",
        }
        rows = [
            [names[name], f"{getattr(self._intervals, name)} s", f"{count:,}", f"{HOURS_OF_DAY[name]}"]
            for name, count in polls.items()
        ]
        return render_table(["A tab with a board", "asks every", "in an hour", "hours of a person's day"], rows)

    def _render_requests(self) -> str:
        requests = self._requests
        daily = requests.polls // DAYS
        return (
            f"That is {daily:,} polls a day. A person also makes {CHANGES_A_DAY} changes, and after each of them "
            f"{TABS_OF_CHANGE} tabs read the board again: {daily + CHANGES_A_DAY * (TABS_OF_CHANGE + 1):,} requests a "
            f"day, and {requests.together:,} in a month of {DAYS} days."
        )

    def _render_metrics(self) -> str:
        price = Decimal(METRIC)
        ours, detailed = self._operations * OPERATION_METRICS, self.routes * ROUTE_METRICS
        return (
            f"A metric costs {METRIC} a month, charged only for the hours in which it occurs. Two of ours for each of "
            f"{self._operations} operations are {ours} {TIMES} {METRIC} = {ours * price} if every operation is used in "
            f"every hour, which only a large service does. `detailedMetrics: true` in `serverless.yml` adds "
            f"{self.routes} routes {TIMES} {ROUTE_METRICS} detailed metrics of the API ({self._operations} operations, "
            f"and HEAD for the {self._reads} that read), {detailed} {TIMES} {METRIC} = {detailed * price}. They are "
            f"off: the log has the same for each request, and Logs Insights sums it up."
        )

    def _render_installations(self) -> str:
        rows = []
        for name, people, percent in INSTALLATIONS:
            millions, parts = self.total(people, percent)
            amounts = [str(amount) for amount in parts]
            rows.append(
                [name, f"{millions} M", f"{percent} %", *amounts, f"**{round_amount(sum(parts, Decimal()), '1')}**"]
            )
        price = sum_amounts(self.per_million())
        return render_table(
            [
                "",
                "Requests",
                "Use of metrics",
                f"Requests {TIMES} {price}",
                "CloudFront",
                "Metrics",
                "Fixed",
                "Together",
            ],
            rows,
        )


def count_alarm_metrics() -> int:
    """Return over how many metrics there are alarms."""
    text = (ROOT / "infrastructure" / "resources" / "alarms.yml").read_text()
    return len(re.findall(r"^ +MetricName: ", text, re.MULTILINE))


def are_metrics_detailed() -> bool:
    """Return whether the API has detailed metrics unless an operator says otherwise."""
    return "\n    detailedMetrics: true\n" in (ROOT / "serverless.yml").read_text()


def sum_amounts(formulas: dict[str, str]) -> Decimal:
    """Return the sum of rounded amounts, as a reader adds them up."""
    return sum((round_amount(compute(formula)) for formula in formulas.values()), Decimal())


def render_prices(heading: str, formulas: dict[str, str]) -> str:
    """Return a table of amounts with their formulas."""
    rows = [
        [
            name,
            "" if re.fullmatch("[0-9.]+", formula) else formula.replace("*", TIMES),
            str(round_amount(compute(formula))),
        ]
        for name, formula in formulas.items()
    ]
    total = ["**together**", "", f"**{sum_amounts(formulas)}**"]
    return render_table([heading, "", ""], [*rows, total]).replace("|  |", "| |").replace("|  |", "| |")


def write_parts(page: str, parts: dict[str, str]) -> str:
    """Return the page with its parts renewed. Raises ValueError for a part that the page has no place for."""
    for name, text in parts.items():
        begin, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
        before, opening, rest = page.partition(begin)
        _, closing, after = rest.partition(end)
        if not (opening and closing):
            raise ValueError(f"docs/deploy.md has no place for {name!r}.")
        page = f"{before}{begin}{text}{end}{after}"
    return page


def build_bill() -> Bill:
    """Return the bill of this checkout."""
    return Bill(read_intervals(), is_detailed=are_metrics_detailed())


def main() -> int:
    """Write the page. Return the exit status."""
    PAGE.write_text(write_parts(PAGE.read_text(), build_bill().render()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
