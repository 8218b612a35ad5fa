"""Flask behind serverless-wsgi, with the same work behind it. It validates only what would break it."""

from typing import Any

import serverless_wsgi
from flask import Flask, abort, request

from tools.benchmarks.benchmark_board import BenchmarkBoard, DirectCalls, Handler


def contender(scene: BenchmarkBoard) -> Handler:
    """Create the handler of events."""
    app, work = Flask(__name__), DirectCalls(scene)

    def caller() -> Any:
        return work.caller(request.headers.get("authorization", "")) or abort(401)

    @app.get("/v1/boards/<board_id>/cards/<card_id>")
    def get_card(board_id: str, card_id: str) -> Any:
        answer = work.get_card(caller(), board_id, card_id)
        return answer.body, 200, {"etag": f'"{answer.etag}"'}

    @app.post("/v1/boards/<board_id>/cards")
    def create_card(board_id: str) -> Any:
        who, body = caller(), request.get_json()
        if not isinstance(body.get("title"), str) or not body["title"] or body.keys() - {"title", "description"}:
            return {"code": "invalid_body"}, 400
        answer = work.create_card(who, board_id, body)
        return answer.body, 201, {"etag": f'"{answer.etag}"', "location": f"/v1{answer.location}"}

    @app.get("/v1/boards/<board_id>/cards")
    def list_cards(board_id: str) -> Any:
        return work.list_cards(
            caller(), board_id, int(request.args.get("limit", "50")), request.args.get("sort", "position")
        ).body

    return lambda event: serverless_wsgi.handle_request(app, event, None)
