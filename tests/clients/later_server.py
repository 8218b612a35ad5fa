"""A server of a later version, to which clients of today and of earlier releases talk."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

BOARD, CARD = "brd_01m7wjyxw0g21k7me9wgs7f9wj", "crd_01m7wkh7t08a422d8ejt8mj7v1"
PLACE = {"TACKBOARD_BOARD": BOARD, "TACKBOARD_CARD": CARD}


def event(seq: int, kind: str, data: dict[str, Any], **ids: str) -> dict[str, Any]:
    always = {"seq": seq, "type": kind, "at": "2026-11-20T14:00:00Z", "actor_id": "mina", "board_id": BOARD}
    return {**always, **ids, "data": data}


FEED = [
    event(1, "board.created", {"name": "Website"}),
    event(2, "card.painted", {"colour": "red"}, card_id=CARD),
    event(3, "board.updated", {"changed": ["name", "colour"]}),
    event(
        4,
        "card.moved",
        {"from_list_id": "lst_1", "from_stage": "todo", "to_stage": "done"},
        list_id="lst_2",
        card_id=CARD,
    ),
    event(5, "weather.changed", {"wind": {"knots": 7}}),
]
PROBLEM = {
    "type": "/problems/out_of_ink",
    "title": "Conflict",
    "status": 409,
    "code": "out_of_ink",
    "detail": "No ink.",
}


class Later(BaseHTTPRequestHandler):
    """A server of a later version: its feed has types, its answers have codes that this version does not know."""

    def do_GET(self) -> None:
        """Answer three events of the feed."""
        (after,) = map(int, re.findall(r"after=(\d+)", self.path))
        items = [event for event in FEED if event["seq"] > after][:3]
        page = {
            "items": items,
            "last_seq": items[-1]["seq"],
            "has_more": items[-1] != FEED[-1],
            "history": f"hst_{'0' * 26}",
        }
        self._answer(200, "application/json", page)

    def do_POST(self) -> None:
        """Refuse with a code of a later version."""
        self._answer(409, "application/problem+json", PROBLEM)

    def _answer(self, status: int, media: str, body: object) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def run_later_server() -> Iterator[str]:
    """Run the server, and yield the address of its API."""
    with HTTPServer(("127.0.0.1", 0), Later) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()
