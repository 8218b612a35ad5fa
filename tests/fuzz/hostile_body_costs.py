"""What hostile bodies cost: every operation with a body, every body of `hostile_bodies`, by WSGI and by Lambda events.

`python -m tests.fuzz.hostile_body_costs` measures the CPU time and the peak memory of each request in a process of
its own, beside a valid body of the same size, and prints the worst of each operation. It fails when a body costs over
50 ms more than a valid one, takes more than 1.5 times its peak memory and 10 MB, or is answered with 5xx; and when the
valid body is rejected, because then there is nothing to compare with. `--only import_trello` measures one operation,
`--every 10` each tenth body.
"""

import argparse
import gc
import itertools
import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from app.document import DOCUMENT_PATH
from app.factory import create_app
from contract.schemas import Schemas
from contract.wsgi_application import WsgiApplication
from stores import open_store
from tests.api.client import BASE, Client
from tests.contract.adapter_twin import build_function
from tests.contract.aws_events import http_api_event
from tests.fuzz.hostile_bodies import Target, build_full_body, build_hostile_bodies, list_targets

MAX_EXTRA_SECONDS = 0.05
MAX_MEMORY_RATIO = 1.5
MAX_EXTRA_BYTES = 10 * 1024 * 1024
_SERVER_BYTES = 80 * 1024 * 1024
"""Bytes of a server that has answered a few requests."""
_ROUNDS = 3
"""Of a body that seems to cost too much, the cheapest counts: other processes only make it dearer."""
_REJECTIONS = (400, 413, 415, 422)

Send = Callable[[Target, bytes], int]
"""Sends a body to an operation and returns the status."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request took: its status, seconds of CPU, and bytes of a server's process at its peak."""

    status: int
    seconds: float
    peak: int


def main() -> int:
    """Return the exit status: 1 when a body costs too much or is answered with 5xx."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.hostile_body_costs")
    parser.add_argument("--only", help="the operationId of the one operation to measure")
    parser.add_argument("--every", type=int, default=1, help="measure each nth body")
    chosen = parser.parse_args()
    bundle = json.loads(DOCUMENT_PATH.read_bytes())
    failed = sent = 0
    with tempfile.TemporaryDirectory() as folder:
        sends = _transports(Path(folder))
        print_line(f"{'':52} {'bodies':>6}  {'valid':>16}  {'worst CPU (more)':>21}  {'worst memory':>19}")
        for target in list_targets(bundle):
            if chosen.only in (None, target.operation):
                for number, (name, send) in enumerate(sends.items()):
                    count, summary, is_fine = _measure_operation(Schemas(bundle), target, send, chosen.every, number)
                    print_line(f"{target!s:44} {name:7} {count:6}  {summary}")
                    sent += count
                    failed += not is_fine
    print_line(f"{sent} bodies; {failed} operations have bodies that cost too much or were answered with 5xx.")
    return int(failed > 0)


def print_line(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _transports(folder: Path) -> dict[str, Send]:
    store = open_store(f"sqlite:///{folder}/tackboard.db")
    application = create_app(store, random_bytes=random.Random(7).randbytes, open_signup=True)  # noqa: S311
    token = Client(application).post("/users", {"id": "mina", "name": "Mina"}).json["token"]
    return {"WSGI": _create_wsgi_sender(application, token), "Lambda": _create_event_sender(application, token)}


def _create_wsgi_sender(application: WsgiApplication, token: str) -> Send:
    client = Client(application, token)

    def send(target: Target, raw: bytes) -> int:
        headers = {"Content-Type": target.media, "If-Match": "*"}
        return client.request(target.method.upper(), target.path, raw=raw, headers=headers).status

    return send


def _create_event_sender(application: WsgiApplication, token: str) -> Send:
    answer = build_function(application)

    def send(target: Target, raw: bytes) -> int:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": target.media, "If-Match": "*"}
        event = http_api_event(target.method.upper(), BASE + target.path, raw.decode(), headers)
        status: int = answer(event, None)["statusCode"]
        return status

    return send


def _measure_operation(
    schemas: Schemas, target: Target, send: Send, every: int, number_of_import: int
) -> tuple[int, str, bool]:
    """How many bodies were sent, the worst of them in words, and whether all are within bounds."""
    send(target, b"{}")
    gc.collect()
    gc.freeze()
    bodies = _iterate_in_child(lambda: _build_bodies(schemas, target, every, number_of_import))
    valid = _measure(target, next(bodies)[1], send)
    is_fine = valid.status not in _REJECTIONS
    if not is_fine:
        print_line(f"  {target} rejects the body that should be valid: {valid.status}")
    costs: dict[str, Cost] = {}
    for name, raw in bodies:
        cost = _measure(target, raw, send)
        if not _is_within(cost, valid):
            cost = _measure_cheapest(target, raw, send)
        if not _is_within(cost, valid) or cost.status >= 500:
            is_fine = False
            print_line(f"  {target} {name}: {cost.status}, {cost.seconds * 1000:.0f} ms, {cost.peak >> 20} MB")
        costs[name] = cost
    slowest = max(costs, key=lambda name: costs[name].seconds)
    largest = max(costs, key=lambda name: costs[name].peak)
    seconds, peak = costs[slowest].seconds, costs[largest].peak
    summary = f"{valid.seconds * 1000:6.1f} ms {valid.peak / 2**20:4.0f} MB"
    summary += f"  {seconds * 1000:6.1f} ms ({(seconds - valid.seconds) * 1000:+8.1f})"
    summary += f"  {peak / 2**20:6.0f} MB ({peak / valid.peak:4.2f} x)  {slowest}; {largest}"
    return len(costs), summary, is_fine


def _build_bodies(schemas: Schemas, target: Target, every: int, number_of_import: int) -> Iterator[tuple[str, bytes]]:
    """Yield the valid body, and then each nth hostile one."""
    yield "valid", build_full_body(target, number_of_import)
    yield from itertools.islice(build_hostile_bodies(schemas, target), 0, None, every)


def _iterate_in_child(build: Callable[[], Iterator[tuple[str, bytes]]]) -> Iterator[tuple[str, bytes]]:
    """Yield what `build` yields in another process.

    What this process once allocated stays free for the requests that it measures, and would not count in their memory.
    """
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_send_all, args=(sender, build))
    process.start()
    sender.close()
    with suppress(EOFError):
        while True:
            yield receiver.recv()
    process.join()


def _send_all(sender: Connection, build: Callable[[], Iterator[tuple[str, bytes]]]) -> None:
    for body in build():
        sender.send(body)


def _is_within(cost: Cost, valid: Cost) -> bool:
    return (
        cost.seconds <= valid.seconds + MAX_EXTRA_SECONDS
        and cost.peak <= valid.peak * MAX_MEMORY_RATIO + MAX_EXTRA_BYTES
    )


def _measure_cheapest(target: Target, raw: bytes, send: Send) -> Cost:
    costs = [_measure(target, raw, send) for _ in range(_ROUNDS)]
    return Cost(costs[0].status, min(cost.seconds for cost in costs), min(cost.peak for cost in costs))


def _measure(target: Target, raw: bytes, send: Send) -> Cost:
    """Measure one request in a forked process."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            # The peak begins anew, and what this program itself holds, such as all the other bodies, doesn't count.
            Path("/proc/self/clear_refs").write_text("5")
            own = _read_process_bytes("VmRSS")
            begun = time.process_time()
            status = send(target, raw)
            seconds = time.process_time() - begun
            peak = _SERVER_BYTES + _read_process_bytes("VmHWM") - own
            os.write(writing, json.dumps([status, seconds, peak]).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        output = answer.read()
    os.waitpid(process, 0)
    return Cost(*json.loads(output)) if output else Cost(599, 0.0, 0)


def _read_process_bytes(field: str) -> int:
    """Return a figure of this process from /proc/self/status, in bytes."""
    return int(Path("/proc/self/status").read_text().partition(f"{field}:")[2].split()[0]) * 1024


if __name__ == "__main__":
    raise SystemExit(main())
