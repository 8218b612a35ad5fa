"""connexion as it comes, versions 3 and 2, with the product's document and the same work behind it.

connexion validates parameters, bodies and responses with jsonschema. The document describes all operations of the
product, three of which are offered here.
"""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import connexion
import serverless_wsgi
from connexion.resolver import Resolver

from tools.benchmarks.scene import Handler, Scene
from tools.benchmarks.work import OpenWork, Response, Work

_DOCUMENT = Path(__file__).parents[3] / "spec" / "dist" / "openapi.json"

logging.getLogger("connexion").setLevel(logging.ERROR)


def version_3(scene: Scene, open_work: OpenWork) -> Handler:
    """Create connexion's ASGI application behind Mangum."""
    from mangum import Mangum  # noqa: PLC0415 - the environment of version 2 has none.

    app = connexion.AsyncApp(__name__, specification_dir=Path(__file__).parent)
    _add_api(app, open_work(scene))
    mangum = Mangum(app, lifespan="off")
    return lambda event: mangum(event, None)


def version_2(scene: Scene, open_work: OpenWork) -> Handler:
    """Create connexion's Flask application behind serverless-wsgi."""
    app = connexion.FlaskApp(__name__, specification_dir=Path(__file__).parent)
    _add_api(app, open_work(scene))
    return lambda event: serverless_wsgi.handle_request(app.app, event, None)


def _add_api(app: Any, work: Work) -> None:
    def authenticate(token: str) -> dict[str, Any] | None:
        caller = work.find_caller(token)
        return {"sub": "", "caller": caller} if caller else None

    def get_card(board_id: str, card_id: str, token_info: dict[str, Any]) -> Any:
        return _respond(work.get_card(token_info["caller"], board_id, card_id), 200)

    def create_card(board_id: str, body: dict[str, Any], token_info: dict[str, Any]) -> Any:
        return _respond(work.create_card(token_info["caller"], board_id, body), 201)

    def list_cards(board_id: str, limit: int, sort: str, token_info: dict[str, Any]) -> Any:
        return _respond(work.list_cards(token_info["caller"], board_id, limit, sort), 200)

    functions: dict[str, Callable[..., Any]] = {
        function.__name__: function for function in (get_card, create_card, list_cards)
    }
    document = json.loads(_DOCUMENT.read_bytes())
    document["components"]["securitySchemes"]["bearer"]["x-bearerInfoFunc"] = f"{__name__}.authenticate"
    globals()["authenticate"] = authenticate  # connexion finds it by this name
    resolver = Resolver(lambda operation_id: functions.get(operation_id, _do_nothing))
    app.add_api(document, resolver=resolver, validate_responses=True, strict_validation=True)


def _do_nothing() -> None:
    """Stand in for the operations that are not offered."""


def _respond(response: Response, status: int) -> tuple[dict[str, Any], int, dict[str, str]]:
    headers = {"Content-Type": "application/json", "X-Request-Id": "1", "Cache-Control": "no-store"}
    headers |= {"ETag": f'"{response.etag}"'} if response.etag else {}
    headers |= {"Location": f"/v1{response.location}"} if response.location else {}
    return response.body, status, headers
