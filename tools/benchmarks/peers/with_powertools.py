"""The resolver of Powertools for AWS Lambda; path and answer are validated by pydantic."""

from typing import Annotated, Any

import reading
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import BaseModel, Field

app = APIGatewayHttpResolver(enable_validation=True)


class Board(BaseModel):
    """A board."""

    id: str = Field(pattern="^brd_[0-9a-z]{26}$")
    name: str = Field(max_length=200)
    seq: int = Field(ge=1)


@app.get("/v1/boards/<board_id>")
def get_board(board_id: Annotated[str, Path(pattern="^brd_[0-9a-z]{26}$")]) -> Board:
    """The board."""
    found = reading.board(board_id)
    if found is None:
        raise NotFoundError
    return Board(**found)


def handler(event: dict[str, Any], context: Any) -> Any:
    """What Lambda calls."""
    return app.resolve(event, context)
