"""The resolver of Powertools for AWS Lambda, with the same work behind it. pydantic validates both ways."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import UnauthorizedError
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from tools.benchmarks.benchmark_board import BenchmarkBoard, DirectCalls, Handler
from tools.benchmarks.peers.models import Card, CardCreate, CardPage

_Board = Annotated[str, Path(pattern="^brd_[0-9a-z]{26}$")]
_Card = Annotated[str, Path(pattern="^crd_[0-9a-z]{26}$")]


def contender(scene: BenchmarkBoard) -> Handler:
    """Create the handler of events."""
    app, work = APIGatewayHttpResolver(enable_validation=True), DirectCalls(scene)

    def caller() -> Any:
        user = work.caller(app.current_event.headers.get("authorization") or "")
        if user is None:
            raise UnauthorizedError
        return user

    @app.get("/v1/boards/<board_id>/cards/<card_id>")
    def get_card(board_id: _Board, card_id: _Card) -> Response[Card]:
        answer = work.get_card(caller(), board_id, card_id)
        return _response(200, Card(**answer.body), {"etag": f'"{answer.etag}"'})

    @app.post("/v1/boards/<board_id>/cards")
    def create_card(board_id: _Board, body: CardCreate) -> Response[Card]:
        answer = work.create_card(caller(), board_id, body.model_dump(exclude_unset=True))
        headers = {"etag": f'"{answer.etag}"', "location": f"/v1{answer.location}"}
        return _response(201, Card(**answer.body), headers)

    @app.get("/v1/boards/<board_id>/cards")
    def list_cards(
        board_id: _Board,
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
        sort: Annotated[str, Query(pattern="^-?[a-z_]{1,20}$")] = "position",
    ) -> CardPage:
        return CardPage(**work.list_cards(caller(), board_id, limit, sort).body)

    return lambda event: app.resolve(event, _Context())


def _response(status: int, body: Any, headers: dict[str, Any]) -> Response[Any]:
    return Response(status_code=status, content_type="application/json", body=body, headers=headers)


class _Context:
    """The part of Lambda's context that the resolver reads."""

    function_name = "bench"
    aws_request_id = "0"
