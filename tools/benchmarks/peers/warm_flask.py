"""Flask behind serverless-wsgi, with the same work behind it: with pydantic, and without any validation."""

from typing import Any

import serverless_wsgi
from flask import Flask, Response, abort, g, request
from pydantic import BaseModel, ValidationError
from werkzeug.routing import BaseConverter

from tools.benchmarks.peers.models import Card, CardCreate, CardListing, CardPage
from tools.benchmarks.scene import Handler, Scene
from tools.benchmarks.work import OpenWork, Work


class _BoardId(BaseConverter):
    """A board's id in a path."""

    regex = "brd_[0-9a-z]{26}"


class _CardId(BaseConverter):
    """A card's id in a path."""

    regex = "crd_[0-9a-z]{26}"


def with_pydantic(scene: Scene, open_work: OpenWork) -> Handler:
    """Create the handler of events. pydantic validates requests and responses."""
    app, work = _create_app(open_work(scene))
    app.url_map.converters |= {"board_id": _BoardId, "card_id": _CardId}

    @app.errorhandler(ValidationError)
    def describe_errors(error: ValidationError) -> Any:
        return {"code": "invalid", "errors": error.errors(include_url=False, include_context=False)}, 400

    @app.get("/v1/boards/<board_id:board_id>/cards/<card_id:card_id>")
    def get_card(board_id: str, card_id: str) -> Response:
        card = work.get_card(g.caller, board_id, card_id)
        return _respond(Card.model_validate(card.body), 200, {"etag": f'"{card.etag}"'})

    @app.post("/v1/boards/<board_id:board_id>/cards")
    def create_card(board_id: str) -> Response:
        body = CardCreate.model_validate(request.get_json())
        card = work.create_card(g.caller, board_id, body.model_dump(exclude_unset=True))
        headers = {"etag": f'"{card.etag}"', "location": f"/v1{card.location}"}
        return _respond(Card.model_validate(card.body), 201, headers)

    @app.get("/v1/boards/<board_id:board_id>/cards")
    def list_cards(board_id: str) -> Response:
        query = CardListing.model_validate(request.args.to_dict())
        page = work.list_cards(g.caller, board_id, query.limit, query.sort)
        return _respond(CardPage.model_validate(page.body), 200, {})

    return lambda event: serverless_wsgi.handle_request(app, event, None)


def without_validation(scene: Scene, open_work: OpenWork) -> Handler:
    """Create the handler of events. Only what would break it is validated, by hand."""
    app, work = _create_app(open_work(scene))

    @app.get("/v1/boards/<board_id>/cards/<card_id>")
    def get_card(board_id: str, card_id: str) -> Any:
        card = work.get_card(g.caller, board_id, card_id)
        return card.body, 200, {"etag": f'"{card.etag}"'}

    @app.post("/v1/boards/<board_id>/cards")
    def create_card(board_id: str) -> Any:
        body = request.get_json()
        if not isinstance(body.get("title"), str) or not body["title"] or body.keys() - {"title", "description"}:
            return {"code": "invalid_body"}, 400
        card = work.create_card(g.caller, board_id, body)
        return card.body, 201, {"etag": f'"{card.etag}"', "location": f"/v1{card.location}"}

    @app.get("/v1/boards/<board_id>/cards")
    def list_cards(board_id: str) -> Any:
        limit, sort = int(request.args.get("limit", "50")), request.args.get("sort", "position")
        return work.list_cards(g.caller, board_id, limit, sort).body

    return lambda event: serverless_wsgi.handle_request(app, event, None)


def _create_app(work: Work) -> tuple[Flask, Work]:
    app = Flask(__name__)

    @app.before_request
    def authenticate() -> None:
        g.caller = work.find_caller(request.headers.get("authorization", "")) or abort(401)

    return app, work


def _respond(body: BaseModel, status: int, headers: dict[str, str]) -> Response:
    return Response(body.model_dump_json(), status, headers, mimetype="application/json")
