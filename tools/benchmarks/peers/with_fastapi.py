"""FastAPI behind Mangum. pydantic validates the path and the response."""

from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Path
from mangum import Mangum
from pydantic import BaseModel, Field

from tools.benchmarks.peers.board_table import read_board

app = FastAPI()


class Board(BaseModel):
    """A board."""

    id: str = Field(pattern="^brd_[0-9a-z]{26}$")
    name: str = Field(max_length=200)
    seq: int = Field(ge=1)


@app.get("/v1/boards/{board_id}", response_model=Board)
def get_board(board_id: Annotated[str, Path(pattern="^brd_[0-9a-z]{26}$")]) -> Any:
    """Return a board."""
    board = read_board(board_id)
    if board is None:
        raise HTTPException(404)
    return board


handler = Mangum(app, lifespan="off")
