"""Litestar behind Mangum. msgspec validates the path and the response."""

from typing import Annotated

import msgspec
from litestar import Litestar, get
from litestar.exceptions import NotFoundException
from mangum import Mangum
from msgspec import Meta, Struct

from tools.benchmarks.peers.board_table import read_board

BoardId = Annotated[str, Meta(pattern="^brd_[0-9a-z]{26}$")]


class Board(Struct):
    """A board."""

    id: BoardId
    name: Annotated[str, Meta(max_length=200)]
    seq: Annotated[int, Meta(ge=1)]


@get("/v1/boards/{board_id:str}", sync_to_thread=True)
def get_board(board_id: BoardId) -> Board:
    """Return a board."""
    item = read_board(board_id)
    if item is None:
        raise NotFoundException
    board: Board = msgspec.convert(item, Board)
    return board


app = Litestar([get_board], openapi_config=None, logging_config=None)
handler = Mangum(app, lifespan="off")
