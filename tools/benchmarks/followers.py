"""Measure what followers cost: `python -m tools.benchmarks.followers [wait|stream] [FOLLOWERS] [BOARDS]`.

A server runs as users run it, with SQLite. Clients in this process follow boards, each over a connection of its own,
while another one creates cards. Printed are the milliseconds from the sending of a card to its arrival at each follower
of its board, the memory that a follower takes in the server, and the server's share of a core. The exit status is 1 if
the median is above 200 ms or a follower takes more than 20 KB. Other load on the machine is in the figures.
"""

import asyncio
import http.client
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.followers import MAX_FOLLOWERS_PER_USER
from tests.live_server import LiveServer

COMMITS = 300
COMMITS_PER_SECOND = 10.0
IDLE_SECONDS = 10.0
MAX_MEDIAN_MILLISECONDS = 200.0
MAX_KILOBYTES = 20.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Measurement:
    """What followers saw: when a card was sent, and when it arrived."""

    expected: int
    """How many will follow."""
    sent_at: dict[str, float] = field(default_factory=dict)
    delays: list[float] = field(default_factory=list)
    connected: int = 0
    all_connected: asyncio.Event = field(default_factory=asyncio.Event)

    def note_connection(self) -> None:
        """Note that one more follows."""
        self.connected += 1
        if self.connected == self.expected:
            self.all_connected.set()

    def note_arrivals(self, text: bytes) -> None:
        """Note the titles of cards that arrive now."""
        now = time.monotonic()
        for part in text.split(b'"title":"')[1:]:
            title = part.partition(b'"')[0].decode()
            if title in self.sent_at:
                self.delays.append(now - self.sent_at[title])


def _send(server: LiveServer, method: str, path: str, token: str | None, body: Mapping[str, Any] | None = None) -> Any:
    host, port = server.host_and_port
    connection = http.client.HTTPConnection(host, port, timeout=60)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    connection.request(method, f"/v1{path}", json.dumps(body) if body is not None else None, headers)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    if response.status >= 300:  # noqa: PLR2004 - anything but a success.
        message = f"{method} {path}: {response.status} {content[:300]!r}"
        raise RuntimeError(message)
    return json.loads(content)


def _create_boards(server: LiveServer, follower_count: int, board_count: int) -> Iterator[tuple[str, str, int]]:
    """Yield the path of each board, its owner's token and its seq. No user follows more than a user may."""
    users = -(-follower_count // MAX_FOLLOWERS_PER_USER)
    tokens = [_send(server, "POST", "/users", None, {"name": f"User {number}"})["token"] for number in range(users)]
    for number in range(board_count):
        token = tokens[number * users // board_count]
        board_id = _send(server, "POST", "/boards", token, {"name": f"Board {number}"})["id"]
        yield f"/boards/{board_id}", token, 1


async def _request(server: LiveServer, path: str, token: str, accept: str) -> tuple[asyncio.StreamReader, Any]:
    reader, writer = await asyncio.open_connection(*server.host_and_port)
    await _write_request(writer, path, token, accept)
    return reader, writer


async def _write_request(writer: asyncio.StreamWriter, path: str, token: str, accept: str) -> None:
    head = f"GET /v1{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nAccept: {accept}\r\n\r\n"
    writer.write(head.encode())
    await writer.drain()


async def _follow_stream(server: LiveServer, board: str, token: str, seq: int, seen: Measurement) -> None:
    reader, _ = await _request(server, f"{board}/events?after={seq}", token, "text/event-stream")
    await reader.readuntil(b"retry: 1000\n")
    seen.note_connection()
    while piece := await reader.read(65_536):
        seen.note_arrivals(piece)


async def _follow_by_waiting(server: LiveServer, board: str, token: str, seq: int, seen: Measurement) -> None:
    reader, writer = await _request(server, f"{board}/events?after={seq}&wait=25", token, "application/json")
    seen.note_connection()
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length"))
        body = await reader.readexactly(length)
        seen.note_arrivals(body)
        seq = json.loads(body)["last_seq"]
        await _write_request(writer, f"{board}/events?after={seq}&wait=25", token, "application/json")


FOLLOW = {"stream": _follow_stream, "wait": _follow_by_waiting}


def _read_memory(server: LiveServer) -> float:
    """Return the resident kilobytes of the server."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    return float(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def _read_cpu_seconds(server: LiveServer) -> float:
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


async def _measure(server: LiveServer, way: str, follower_count: int, board_count: int) -> int:
    boards = [*_create_boards(server, follower_count, board_count)]
    seen = Measurement(follower_count)
    # What the first requests load is not what followers cost.
    for board, token, _ in boards[:10]:
        _send(server, "GET", f"{board}/events?after=0", token)
    memory = _read_memory(server)
    tasks = []
    for number in range(follower_count):
        board, token, seq = boards[number * board_count // follower_count]
        tasks.append(asyncio.create_task(FOLLOW[way](server, board, token, seq, seen)))
        if number % 50 == 0:
            await asyncio.sleep(0.2)
    await seen.all_connected.wait()
    await asyncio.sleep(3)
    kilobytes = (_read_memory(server) - memory) / follower_count
    cpu, began_at = _read_cpu_seconds(server), time.monotonic()
    await asyncio.sleep(IDLE_SECONDS)
    idle_share = (_read_cpu_seconds(server) - cpu) / (time.monotonic() - began_at)
    cpu, began_at = _read_cpu_seconds(server), time.monotonic()
    for number in range(COMMITS):
        await asyncio.sleep(max(0.0, began_at + number / COMMITS_PER_SECOND - time.monotonic()))
        board, token, _ = boards[number * 7 % board_count]
        title = f"card-{number}"
        seen.sent_at[title] = time.monotonic()
        await asyncio.to_thread(_send, server, "POST", f"{board}/cards", token, {"title": title})
    share = (_read_cpu_seconds(server) - cpu) / (time.monotonic() - began_at)
    await asyncio.sleep(3)
    for task in tasks:
        task.cancel()
    expected = COMMITS * follower_count // board_count
    delays = sorted(1000 * delay for delay in seen.delays)
    median = statistics.median(delays)
    print(f"{way}: {follower_count} followers of {board_count} boards, {COMMITS_PER_SECOND:g} commits a second")
    print(f"load average {' '.join(f'{value:.1f}' for value in os.getloadavg())} on {os.cpu_count()} cores")
    print(f"arrivals: {len(delays)} of {expected}")
    print(
        f"from sending a card to its arrival: median {median:.0f} ms, p90 {delays[len(delays) * 90 // 100]:.0f} ms, "
        f"p99 {delays[len(delays) * 99 // 100]:.0f} ms, most {delays[-1]:.0f} ms"
    )
    print(f"memory of a follower: {kilobytes:.1f} KB; core: {idle_share:.1%} idle, {share:.1%} with these commits")
    return 0 if len(delays) == expected and median <= MAX_MEDIAN_MILLISECONDS and kilobytes <= MAX_KILOBYTES else 1


def main(way: str = "stream", follower_count: str = "1000", board_count: str = "100") -> int:
    """Measure, print the figures, and return the exit status."""
    with tempfile.TemporaryDirectory() as folder, LiveServer(Path(folder)) as server:
        return asyncio.run(_measure(server, way, int(follower_count), int(board_count)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
