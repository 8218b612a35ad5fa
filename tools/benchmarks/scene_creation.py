"""Create the board that is measured, through the API.

Usage: STORE_URL=… OPEN_SIGNUP=1 python -m tools.benchmarks.scene_creation number of cards
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

from tools.benchmarks.scene import Scene, build_event

CARD_COUNT = 50
"""How many cards the board has: a page of 50 is full."""

ROOT = Path(__file__).parents[2]


def create_scene(store_url: str, *, card_count: int = CARD_COUNT) -> Scene:
    """Create a board with cards in a new store, in a process of its own."""
    environment = {**os.environ, "STORE_URL": store_url, "OPEN_SIGNUP": "1", "AWS_ACCESS_KEY_ID": "local"}
    process = subprocess.run(  # noqa: S603 - our own module.
        [sys.executable, "-W", "ignore", "-m", "tools.benchmarks.scene_creation", str(card_count)],
        cwd=ROOT,
        env=environment | {"AWS_SECRET_ACCESS_KEY": "local"},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return Scene(**json.loads(process.stdout.splitlines()[-1]))


def main(card_count: str) -> None:
    """Create the scene, and print it on the last line."""
    # Ids and the token are then the same in every run, and so is the work of storing them.
    os.urandom = Random(1).randbytes  # noqa: S311
    from lambda_wsgi_handler import handler  # noqa: PLC0415 - it opens the store when it is imported.

    token = ""

    def send(method: str, path: str, body: object = None) -> Any:
        response = handler(build_event(token, method, path, body=body), None)
        if response["statusCode"] >= 300:  # noqa: PLR2004 - not OK.
            raise SystemExit(response["body"])
        return json.loads(response["body"])

    token = send("POST", "/v1/users", {"name": "Mina"})["token"]
    board = send("POST", "/v1/boards", {"name": "Bench", "hourly_rate_minor": 1000})
    path = f"/v1/boards/{board['id']}"
    list_ids = [list_["id"] for list_ in send("GET", f"{path}/lists")["items"]]
    contents = ({"title": f"Card {number}", "description": "Some words. " * 20} for number in range(int(card_count)))
    card_ids = [send("POST", f"{path}/cards", content)["id"] for content in contents]
    print(json.dumps(asdict(Scene(os.environ["STORE_URL"], token, board["id"], list_ids, card_ids))))


if __name__ == "__main__":
    main(*sys.argv[1:])
