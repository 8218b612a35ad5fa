"""connexion behind serverless-wsgi. It validates requests and responses."""

import logging
import warnings
from pathlib import Path
from typing import Any

import serverless_wsgi
from a2wsgi import ASGIMiddleware

from tools.benchmarks.peers.board_table import read_board

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import connexion

logging.getLogger("connexion").setLevel(logging.ERROR)

_ID = {"type": "string", "pattern": "^brd_[0-9a-z]{26}$"}
_BOARD = {
    "type": "object",
    "required": ["id", "name", "seq"],
    "properties": {
        "id": _ID,
        "name": {"type": "string", "maxLength": 200},
        "seq": {"type": "integer", "minimum": 1},
    },
}
_DOCUMENT = {
    "openapi": "3.0.3",
    "info": {"title": "Boards", "version": "1"},
    "paths": {
        "/v1/boards/{board_id}": {
            "get": {
                "operationId": f"{__name__}.get_board",
                "parameters": [{"name": "board_id", "in": "path", "required": True, "schema": _ID}],
                "responses": {"200": {"description": "The board", "content": {"application/json": {"schema": _BOARD}}}},
            }
        }
    },
}


def get_board(board_id: str) -> Any:
    """Return a board."""
    return read_board(board_id) or ({"code": "not_found"}, 404)


app = connexion.AsyncApp(__name__, specification_dir=Path(__file__).parent)
app.add_api(_DOCUMENT, validate_responses=True, strict_validation=True)
_wsgi = ASGIMiddleware(app)


def handler(event: dict[str, Any], context: object) -> Any:
    """Handle an event."""
    return serverless_wsgi.handle_request(_wsgi, event, context)
