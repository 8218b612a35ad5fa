"""The resolver of Powertools for AWS Lambda, with the same work behind it. pydantic validates both ways.

The resolver validates a request before its own middlewares run, so the token is looked up in a middleware of the
function: nobody learns what is wrong with a body without a token.
"""

from collections.abc import Callable
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.middleware_factory import lambda_handler_decorator

from tools.benchmarks.peers.models import Card, CardCreate, CardPage
from tools.benchmarks.scene import Event, Handler, Scene
from tools.benchmarks.work import OpenWork

_Board = Annotated[str, Path(pattern="^brd_[0-9a-z]{26}$")]
_Card = Annotated[str, Path(pattern="^crd_[0-9a-z]{26}$")]


def contender(scene: Scene, open_work: OpenWork) -> Handler:
    """Create the handler of events."""
    app, work = APIGatewayHttpResolver(enable_validation=True), open_work(scene)

    @lambda_handler_decorator
    def authenticate(handle: Callable[..., Event], event: Event, context: Any) -> Event:
        caller = work.find_caller(event["headers"].get("authorization", ""))
        if caller is None:
            return {"statusCode": 401}
        app.append_context(caller=caller)
        return handle(event, context)

    @app.get("/v1/boards/<board_id>/cards/<card_id>")
    def get_card(board_id: _Board, card_id: _Card) -> Response[Card]:
        card = work.get_card(app.context["caller"], board_id, card_id)
        return _respond(200, Card(**card.body), {"etag": f'"{card.etag}"'})

    @app.post("/v1/boards/<board_id>/cards")
    def create_card(board_id: _Board, body: CardCreate) -> Response[Card]:
        card = work.create_card(app.context["caller"], board_id, body.model_dump(exclude_unset=True))
        headers = {"etag": f'"{card.etag}"', "location": f"/v1{card.location}"}
        return _respond(201, Card(**card.body), headers)

    @app.get("/v1/boards/<board_id>/cards")
    def list_cards(
        board_id: _Board,
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
        sort: Annotated[str, Query(pattern="^-?[a-z_]{1,20}$")] = "position",
    ) -> CardPage:
        return CardPage(**work.list_cards(app.context["caller"], board_id, limit, sort).body)

    @authenticate
    def handler(event: Event, context: Any) -> Event:
        response: Event = app.resolve(event, context)
        return response

    return lambda event: handler(event, _Context())


def _respond(status: int, body: Any, headers: dict[str, Any]) -> Response[Any]:
    return Response(status_code=status, content_type="application/json", body=body, headers=headers)


class _Context:
    """The part of Lambda's context that the resolver reads."""

    function_name = "bench"
    aws_request_id = "0"
