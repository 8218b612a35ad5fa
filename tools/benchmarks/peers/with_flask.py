"""Flask behind serverless-wsgi. Nothing is validated."""

from typing import Any

import serverless_wsgi
from flask import Flask

from tools.benchmarks.peers.board_table import read_board

app = Flask(__name__)


@app.get("/v1/boards/<board_id>")
def get_board(board_id: str) -> Any:
    """Return a board."""
    return read_board(board_id) or ({"code": "not_found"}, 404)


def handler(event: dict[str, Any], context: object) -> Any:
    """Handle an event."""
    return serverless_wsgi.handle_request(app, event, context)
