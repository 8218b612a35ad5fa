"""The guide's two clients that follow a board get its events, as the guide prints them."""

import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from tests.api.test_socket import build_client
from tests.live_server import LiveServer
from tests.readme.board_copies import read_code
from tools.openapi.findings import ROOT

TOOLS = ROOT / "node_modules" / ".bin"
FOLLOWERS = 1
"""Which of the guide's blocks of code it is."""

RUN = """
import { followBoard } from "./follow_board";

followBoard(process.env.URL!, process.env.TOKEN!, 1, (event) => {
  console.log(JSON.stringify(event));
  process.exit(0);
});
"""


class Enough(Exception):
    """All events that were expected have come."""


@pytest.fixture
def board(live_server: LiveServer) -> str:
    """Return the URL of a board with two events."""
    client = build_client(live_server)
    board_id = client.post("/boards", {"name": "Website"}).json["id"]
    client.post(f"/boards/{board_id}/cards", {"title": "Hot news"})
    return f"{live_server.url}v1/boards/{board_id}"


def test_the_client_in_python_gets_events(live_server: LiveServer, board: str) -> None:
    names: dict[str, Any] = {}
    exec(read_code("python", FOLLOWERS), names)  # noqa: S102 - the guide's own code.
    events: list[Any] = []

    def handle(event: Any) -> None:
        events.append(event)
        if event["seq"] == 2:
            raise Enough

    with pytest.raises(Enough):
        names["follow_board"](board, live_server.token, 0, handle)
    with pytest.raises(HTTPError):
        names["follow_board"](board, "tkb_nobody", 0, handle)

    assert [event["type"] for event in events] == ["board.created", "card.created"]


def test_the_client_in_typescript_gets_events(live_server: LiveServer, board: str, tmp_path: Path) -> None:
    (tmp_path / "follow_board.ts").write_text(read_code("typescript", FOLLOWERS))
    (tmp_path / "run.ts").write_text(RUN)
    compiler = [f"{TOOLS}/tsc", "--strict", "--noEmit", "--target", "es2022", "--lib", "es2022,dom"]
    subprocess.run([*compiler, "follow_board.ts"], cwd=tmp_path, check=True)

    run = subprocess.run(
        [f"{TOOLS}/tsx", "run.ts"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "URL": board, "TOKEN": live_server.token or ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["data"]["title"] == "Hot news"
