"""Measure health and readiness under load: `python -m tools.benchmarks.health_under_load`.

A server runs as users run it. In each scenario clients in other processes send requests without a pause, while this
process asks for health and readiness on new connections. The longest response, and how late a thread that only sleeps
woke up at most, which is what the machine adds, are printed in milliseconds. The exit status is 1 if a response took
longer than 100 ms and the machine added less than 10 ms.
"""

import http.client
import itertools
import json
import multiprocessing
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.queues import SimpleQueue
from pathlib import Path

from app.document import DOCUMENT_PATH
from tests.fuzz.hostile_bodies import build_export, build_full_body, list_targets
from tests.live_server import LiveServer

SECONDS = 15.0
"""How long a scenario lasts."""
MAX_MILLISECONDS = 100.0
MAX_LATENESS = 10.0
"""With more, in milliseconds, the machine has too much else to do for a verdict."""
CARD_COUNT = 4_000
PROBES = ("/v1/health", "/v1/ready")
_PAUSE = 0.01

SCENARIOS = {
    "nothing else": (),
    "reports": ("flow", "time report", "flow"),
    "copies of 4,000 cards": ("copy", "copy", "copy"),
    "imports of 5 MB": ("import Trello", "import Tackboard"),
    "invalid imports of 5 MB": ("invalid import", "invalid import"),
    "pages of cards": ("page", "page", "page"),
    "all of it": ("flow", "copy", "import Trello", "import Tackboard", "invalid import", "page"),
}
"""By name, the loads that run at the same time."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where to send requests, and boards to send them for."""

    host: str
    port: int
    token: str
    board: str = ""

    def send(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Send a request on a new connection; return the status and the body."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=120)
        headers = {"Authorization": f"Bearer {self.token}"} | ({"Content-Type": "application/json"} if body else {})
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, content


Request = tuple[str, str, bytes | None]


def _requests(load: str, server: Server, number_of_client: int) -> Iterator[Request]:
    """Yield the requests of a load, without end."""
    board = f"/v1/boards/{server.board}"
    today = datetime.now(UTC).date()
    targets = {target.operation: target for target in list_targets(json.loads(DOCUMENT_PATH.read_bytes()))}
    # Numbers of boards to import have four digits. A board that was imported before is imported in no time.
    for number in itertools.cycle(range(number_of_client * 100, (number_of_client + 1) * 100)):
        match load:
            case "flow":
                yield "GET", f"{board}/flow?from={today - timedelta(days=90)}&to={today}", None
            case "time report":
                yield "GET", f"{board}/time-report?from={today - timedelta(days=90)}&to={today}", None
            case "copy":
                yield "POST", f"{board}/copy", b"{}"
            case "import Trello":
                yield "POST", "/v1/imports/trello", build_full_body(targets["import_trello"], number)
            case "import Tackboard":
                yield "POST", "/v1/imports/tackboard", build_full_body(targets["import_tackboard"], number)
            case "invalid import":
                yield "POST", "/v1/imports/trello", b'{"lists":[' + b"0," * 500_000 + b"0]}"
            case "page":
                yield "GET", f"{board}/cards?limit=100", None


def _run_load(load: str, server: Server, number: int, end: float, statuses: "SimpleQueue[tuple[str, int]]") -> None:
    for method, path, body in _requests(load, server, number):
        if time.time() > end:
            return
        statuses.put((load, server.send(method, path, body)[0]))


def _measure_lateness(end: float, lateness: list[float]) -> None:
    """Note by how many milliseconds a sleep was longer than asked for."""
    while time.time() < end:
        begun = time.perf_counter()
        time.sleep(_PAUSE)
        lateness.append((time.perf_counter() - begun - _PAUSE) * 1000)


def _measure(server: Server, loads: tuple[str, ...], first_client: int) -> tuple[dict[str, list[float]], float, str]:
    """Return the times of the probes, how late the machine was at most, and what the loads got."""
    end = time.time() + SECONDS
    statuses: SimpleQueue[tuple[str, int]] = multiprocessing.SimpleQueue()
    clients = [
        multiprocessing.Process(target=_run_load, args=(load, server, first_client + number, end, statuses))
        for number, load in enumerate(loads)
    ]
    lateness: list[float] = []
    control = threading.Thread(target=_measure_lateness, args=(end, lateness))
    control.start()
    for client in clients:
        client.start()
    milliseconds: dict[str, list[float]] = {path: [] for path in PROBES}
    while time.time() < end:
        for path in PROBES:
            begun = time.perf_counter()
            server.send("GET", path)
            milliseconds[path].append((time.perf_counter() - begun) * 1000)
            time.sleep(_PAUSE)
    control.join()
    counts: Counter[tuple[str, int]] = Counter()
    while any(client.is_alive() for client in clients) or not statuses.empty():
        if statuses.empty():
            time.sleep(_PAUSE)
        else:
            counts[statuses.get()] += 1
    return (
        milliseconds,
        max(lateness),
        ", ".join(f"{count} {load} {status}" for (load, status), count in counts.items()),
    )


def _import_board(server: Server) -> Server:
    """Import the board of the copies, reports and pages."""
    targets = {target.operation: target for target in list_targets(json.loads(DOCUMENT_PATH.read_bytes()))}
    raw = build_export(targets["import_tackboard"].example, CARD_COUNT, 0)
    status, content = server.send("POST", "/v1/imports/tackboard", raw)
    if status != 201:  # noqa: PLR2004 - Created.
        raise SystemExit(content.decode())
    return Server(server.host, server.port, server.token, json.loads(content)["board"]["id"])


def main(print_line: Callable[[str], object] = print) -> int:
    """Measure all scenarios; return the exit status."""
    is_fine = True
    with tempfile.TemporaryDirectory() as folder, LiveServer(Path(folder)) as live_server:
        server = _import_board(Server(*live_server.host_and_port, live_server.token or ""))
        for number, (name, loads) in enumerate(SCENARIOS.items(), 1):
            milliseconds, lateness, counts = _measure(server, loads, 10 * number)
            times = ", ".join(
                f"{path} {sorted(values)[len(values) // 2]:.0f} / {max(values):.0f}"
                for path, values in milliseconds.items()
            )
            print_line(f"{name}: {times} (median / longest); the machine {lateness:.0f}. {counts}")
            longest = max(max(values) for values in milliseconds.values())
            is_fine &= longest <= MAX_MILLISECONDS or lateness > MAX_LATENESS
    return int(not is_fine)


if __name__ == "__main__":
    sys.exit(main())
