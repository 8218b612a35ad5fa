"""Flask behind serverless-wsgi. Nothing is validated."""

from typing import Any

import board_table
import serverless_wsgi
from flask import Flask

app = Flask(__name__)


@app.get("/v1/boards/<board_id>")
def get_board(board_id: str) -> Any:
    """Return a board."""
    return board_table.read_board(board_id) or ({"code": "not_found"}, 404)


def handler(event: dict[str, Any], context: object) -> Any:
    """Handle an event."""
    return serverless_wsgi.handle_request(app, event, context)
