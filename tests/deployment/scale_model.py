"""What a million boards cost on AWS: the arithmetic of docs/scale.md, from constants and measured units."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

BOARDS = 1_000_000

# What is assumed of a month. A session is half an hour in which a person has a board open.
USED_SHARE = 0.2
PEOPLE_PER_BOARD = 2
WORKING_DAYS = 21
WORKING_HOURS_PER_DAY = 8
PEAK_FACTOR = 2
ACTIVE_MINUTES, IDLE_MINUTES, AWAY_MINUTES = 10, 5, 15
CHANGES_PER_SESSION = {"moves a card": 3, "edits a card": 2, "creates a card": 1, "comments": 2}
CARDS_PER_BOARD = 60
EVENTS_PER_CARD = 10

# web/polling.js
ACTIVE_INTERVAL_SECONDS, IDLE_INTERVAL_SECONDS, AWAY_INTERVAL_SECONDS = 1.2, 5.0, 60.0

PARTITION_READS, PARTITION_WRITES = 3_000, 1_000
"""The units a second of a partition: a board with local indexes is never in more than one."""

CALLER_READS = 2
"""The read units for the token and the user, which are in partitions of their own."""

LAMBDA_GB_SECONDS = 0.020
TRACED_SHARE = 0.05

# List prices of us-east-1 in USD.
HTTP_API_PER_MILLION, HTTP_API_PER_MILLION_ABOVE, HTTP_API_FIRST_MILLIONS = 1.00, 0.90, 300
LAMBDA_PER_MILLION, LAMBDA_PER_GB_SECOND = 0.20, 0.0000133334
READS_PER_MILLION, WRITES_PER_MILLION = 0.125, 0.625
LOGS_PER_GB = 0.50
XRAY_PER_MILLION = 5.00
CLOUDFRONT_PER_MILLION, CLOUDFRONT_FREE_MILLIONS = 1.00, 10
TRANSFER_PER_GB, TRANSFER_FREE_GB = 0.085, 1024
STORAGE_PER_GB, BACKUP_PER_GB = 0.25, 0.20


@dataclass(frozen=True, slots=True)
class Consumption:
    """What one request consumes on a board of `CARDS_PER_BOARD` cards.

    Attributes:
        reads: Read units.
        writes: Write units; an entry in an index counts twice, as in docs/deploy.md.
        log_bytes: Of both log lines.
        response_bytes: Of the response's body.
    """

    reads: float
    writes: float
    log_bytes: int
    response_bytes: int


Consumptions = Mapping[str, Consumption]


@dataclass(frozen=True, slots=True)
class Month:
    """What a month of so many boards consumes and costs."""

    consumptions: Consumptions
    storage_bytes_per_board: float
    boards: int = BOARDS
    active_interval_seconds: float = ACTIVE_INTERVAL_SECONDS

    @property
    def storage_gb(self) -> float:
        """Return what the boards take."""
        return self.boards * self.storage_bytes_per_board / 2**30

    @property
    def sessions(self) -> float:
        """Return how many sessions there are."""
        return self.boards * USED_SHARE * PEOPLE_PER_BOARD * WORKING_DAYS

    def count_requests(self) -> dict[str, float]:
        """Return how many requests of each kind there are."""
        polls = 60 * (
            ACTIVE_MINUTES / self.active_interval_seconds
            + IDLE_MINUTES / IDLE_INTERVAL_SECONDS
            + AWAY_MINUTES / AWAY_INTERVAL_SECONDS
        )
        changes = sum(CHANGES_PER_SESSION.values())
        # Each change makes every page that has the board open read it again.
        per_session = {
            "polls for events": polls,
            "reads the board": 1 + changes * PEOPLE_PER_BOARD,
            **CHANGES_PER_SESSION,
        }
        return {name: count * self.sessions for name, count in per_session.items()}

    def sum_up(self, attribute: str) -> float:
        """Return the sum of an attribute of `Consumption` over all requests."""
        return sum(
            count * float(getattr(self.consumptions[name], attribute)) for name, count in self.count_requests().items()
        )

    def compute_bill(self) -> dict[str, float]:
        """Return what the month costs in USD, by service."""
        millions = sum(self.count_requests().values()) / 1e6
        above = max(millions - HTTP_API_FIRST_MILLIONS, 0)
        transfer_gb = max(self.sum_up("response_bytes") / 2**30 - TRANSFER_FREE_GB, 0)
        return {
            "HTTP API": (millions - above) * HTTP_API_PER_MILLION + above * HTTP_API_PER_MILLION_ABOVE,
            "CloudFront": max(millions - CLOUDFRONT_FREE_MILLIONS, 0) * CLOUDFRONT_PER_MILLION
            + transfer_gb * TRANSFER_PER_GB,
            "Logs": self.sum_up("log_bytes") / 1e9 * LOGS_PER_GB,
            "Lambda": millions * (LAMBDA_PER_MILLION + LAMBDA_GB_SECONDS * LAMBDA_PER_GB_SECOND * 1e6),
            "DynamoDB, reads": self.sum_up("reads") / 1e6 * READS_PER_MILLION,
            "DynamoDB, writes": self.sum_up("writes") / 1e6 * WRITES_PER_MILLION,
            "X-Ray": millions * TRACED_SHARE * XRAY_PER_MILLION,
            "DynamoDB, storage and backup": self.storage_gb * (STORAGE_PER_GB + BACKUP_PER_GB),
        }

    def per_second_at_peak(self, amount: float) -> float:
        """Return what a month's amount is in a second of the busiest hour."""
        return amount / (WORKING_DAYS * WORKING_HOURS_PER_DAY * 3600) * PEAK_FACTOR


def list_limits(month: Month) -> list[tuple[str, float, float]]:
    """Return each limit by name, its value, and what the month needs of it at its peak."""
    requests = month.per_second_at_peak(sum(month.count_requests().values()))
    return [
        ("`throttleRate` in `serverless.yml`, requests a second", 500, requests),
        ("HTTP APIs of an account, requests a second", 10_000, requests),
        ("a table, read units a second", 40_000, month.per_second_at_peak(month.sum_up("reads"))),
        ("Lambda, executions at once", 1_000, requests * LAMBDA_GB_SECONDS),
        ("a table, write units a second", 40_000, month.per_second_at_peak(month.sum_up("writes"))),
    ]


def render_table(heading: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table of Markdown."""
    cells = [tuple(heading), *map(tuple, rows)]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join([lines[0], f"|---|{'---:|' * (len(cells[0]) - 1)}", *lines[1:]])


def render_requests(month: Month) -> str:
    """Return the table of requests, and what one of each consumes."""
    rows = []
    for name, count in month.count_requests().items():
        consumption = month.consumptions[name]
        numbers = (consumption.reads, consumption.writes, consumption.log_bytes, consumption.response_bytes)
        rows.append((name, f"{count / 1e6:,.1f}", *(f"{number:,.0f}" for number in numbers)))
    return render_table(
        ("A page", "millions a month", "read units", "write units", "bytes of log", "bytes of response"), rows
    )


def render_bill(month: Month) -> str:
    """Return the table of what the month costs."""
    bill = month.compute_bill()
    total = sum(bill.values())
    rows = [(name, f"{amount:,.0f}", f"{amount / total:.0%}") for name, amount in bill.items()]
    return render_table(("", "USD a month", ""), [*rows, ("**together**", f"**{total:,.0f}**", "")])


def render_limits(month: Month) -> str:
    """Return the table of limits, the first that is met first."""
    rows = [
        (name, f"{limit:,.0f}", f"{need:,.0f}", f"{limit / need * month.boards:,.0f}")
        for name, limit, need in sorted(list_limits(month), key=lambda row: row[1] / row[2])
    ]
    return render_table(("Limit", "by default", "needed at the peak", "met with so many boards"), rows)


def render_board_limits(month: Month) -> str:
    """Return the table of what one board can take, because it is in one partition."""
    news, board, move = (month.consumptions[name] for name in ("polls for events", "reads the board", "moves a card"))
    polls = PARTITION_READS / (news.reads - CALLER_READS)
    rows = [
        ("pages that poll for events every 1.2 seconds", f"{polls * ACTIVE_INTERVAL_SECONDS:,.0f}"),
        (
            f"reads of a board with {CARDS_PER_BOARD} cards, a second",
            f"{PARTITION_READS / (board.reads - CALLER_READS):,.0f}",
        ),
        ("moves of a card, a second", f"{PARTITION_WRITES / move.writes:,.0f}"),
    ]
    return render_table(("One board takes", "at most"), rows)


def render_per_board(month: Month) -> str:
    """Return the table of what follows for one board, and from a longer interval."""
    total = sum(month.compute_bill().values())
    patient = replace(month, active_interval_seconds=IDLE_INTERVAL_SECONDS)
    rows = [
        ("a board in a month", f"{total / month.boards * 100:.1f} cents"),
        ("a board that is used", f"{total / month.boards / USED_SHARE * 100:.1f} cents"),
        ("all, if an active page polled every 5 seconds", f"{sum(patient.compute_bill().values()):,.0f} USD"),
        ("a board in the table", f"{month.storage_bytes_per_board / 1000:,.0f} kB"),
        ("all in the table", f"{month.storage_gb:,.0f} GB"),
    ]
    return render_table(("", ""), rows)


def render_all(month: Month) -> dict[str, str]:
    """Return the tables of docs/scale.md by the names of their sections."""
    return {
        "requests": render_requests(month),
        "bill": render_bill(month),
        "per board": render_per_board(month),
        "limits": render_limits(month),
        "limits of a board": render_board_limits(month),
    }
