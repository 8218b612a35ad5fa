"""The resolver of Powertools for AWS Lambda. pydantic validates the path and the response."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import BaseModel, Field

from tools.benchmarks.peers.board_table import read_board

app = APIGatewayHttpResolver(enable_validation=True)


class Board(BaseModel):
    """A board."""

    id: str = Field(pattern="^brd_[0-9a-z]{26}$")
    name: str = Field(max_length=200)
    seq: int = Field(ge=1)


@app.get("/v1/boards/<board_id>")
def get_board(board_id: Annotated[str, Path(pattern="^brd_[0-9a-z]{26}$")]) -> Board:
    """Return a board."""
    board = read_board(board_id)
    if board is None:
        raise NotFoundError
    return Board(**board)


def handler(event: dict[str, Any], context: Any) -> Any:
    """Handle an event."""
    return app.resolve(event, context)
