"""The document of connexion's one operation, and the function behind it."""

from typing import Any

from tools.benchmarks.peers.board_table import read_board

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
DOCUMENT = {
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
