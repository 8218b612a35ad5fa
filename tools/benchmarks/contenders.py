"""The contenders of `make bench` that run in the product's environment: the product, and connexion without it."""

import base64
import inspect
import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import serverless_wsgi

import handlers
from app.document import DOCUMENT_PATH
from app.factory import create_app
from aws.deadline import Deadline
from aws.function import Function
from aws.request_records import RequestRecorder
from kanban import tokens
from kanban.access import Caller
from kanban.changes import ActionContext, Change
from kanban.values import Role, Scope
from tools.benchmarks.benchmark_board import BenchmarkBoard, DirectCalls, Event, Handler, current_time
from usecases.board_access import BoardAccess

INJECTED_PARAMETERS = frozenset(
    (
        "access",
        "context",
        "now",
        "encode_cursor",
        "store",
        "caller",
        "media_type",
        "open_signup",
        "random_bytes",
        "if_match",
    )
)
"""What the application injects into handlers."""

if "application/problem+json" not in serverless_wsgi.TEXT_MIME_TYPES:
    serverless_wsgi.TEXT_MIME_TYPES.append("application/problem+json")


def tackboard(scene: BenchmarkBoard) -> Handler:
    """Create the product as Lambda runs it, including the log line for each request."""
    records = RequestRecorder("bench", current_time, time.perf_counter, lambda _: None)
    function = Function(create_app(scene.store), Deadline(), records, dict)
    return lambda event: function(event, None)


def work_alone(scene: BenchmarkBoard) -> Handler:
    """Create the work behind every contender, without HTTP, JSON and document: the rest is what the layers cost."""
    work = DirectCalls(scene)
    authorization = f"Bearer {scene.token}"

    def handle(event: Event) -> Event:
        caller = work.caller(authorization)
        assert caller is not None  # noqa: S101 - the token is the scene's.
        if event["requestContext"]["http"]["method"] == "POST":
            body = json.loads(base64.b64decode(event["body"]))
            if body["title"]:
                work.create_card(caller, scene.board_id, body)
            return {"statusCode": 201 if body["title"] else 400}
        if event["rawPath"].endswith("/cards"):
            work.list_cards(caller, scene.board_id, 50, "created_at")
        else:
            work.get_card(caller, scene.board_id, scene.card_id)
        return {"statusCode": 200}

    return handle


def by_serverless_wsgi(scene: BenchmarkBoard) -> Handler:
    """Create the product behind serverless-wsgi, like the other WSGI frameworks."""
    application = create_app(scene.store)
    return lambda event: serverless_wsgi.handle_request(application, event, None)


def connexion_as_it_comes(scene: BenchmarkBoard) -> Handler:
    """Create connexion's AsyncApp with both validations on, behind the usual bridge."""
    import connexion  # noqa: PLC0415 - each contender loads its own layers.
    from a2wsgi import ASGIMiddleware  # noqa: PLC0415

    logging.getLogger("connexion").setLevel(logging.ERROR)

    def authenticate(text: str) -> dict[str, Any] | None:
        token_and_user = scene.store.read_token_by_digest(tokens.parse_to_digest(text) or "")
        return (
            {
                "sub": token_and_user[1].id,
                "caller": Caller(token_and_user[1].id, token_and_user[0].id, token_and_user[0].scopes),
            }
            if token_and_user
            else None
        )

    def bound(operation_id: str) -> Callable[..., Any]:
        function = handlers.functions_by_operation_id()[operation_id]
        names = inspect.signature(function).parameters

        def call(token_info: dict[str, Any] | None = None, **arguments: Any) -> Any:
            least, scope = (Role.EDITOR, Scope.WRITE) if operation_id == "create_card" else (Role.VIEWER, Scope.READ)
            dependencies: dict[str, Any] = {
                "access": BoardAccess(scene.store, (token_info or {})["caller"], scope, least),
                "context": ActionContext("mina", current_time(), scene.act.new_id),
                "now": current_time(),
                "encode_cursor": lambda _: None,
                "caller": (token_info or {})["caller"],
                "media_type": None,
            }
            reply = function(**arguments, **{name: dependencies[name] for name in names if name in dependencies})
            scene.store.commit(reply.change or Change())
            headers = {"Content-Type": "application/json", "X-Request-Id": "1", "Cache-Control": "no-store"}
            headers |= {"ETag": f'"{reply.etag}"'} if reply.etag else {}
            headers |= {"Location": f"/v1{reply.location}"} if reply.location else {}
            return reply.body, reply.status, headers

        # connexion passes what the signature names, so the signature has the document's parameters only.
        documented = [parameter for name, parameter in names.items() if name not in INJECTED_PARAMETERS]
        identity = inspect.Parameter("token_info", inspect.Parameter.KEYWORD_ONLY)
        keyword_only = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in documented]
        call.__signature__ = inspect.Signature([*keyword_only, identity])  # type: ignore[attr-defined] # connexion reads it.
        return call

    document = json.loads(DOCUMENT_PATH.read_bytes())
    document["components"]["securitySchemes"]["bearer"]["x-bearerInfoFunc"] = "tools.benchmarks.contenders.AUTHENTICATE"
    global AUTHENTICATE  # noqa: PLW0603 - connexion finds its function by name.
    AUTHENTICATE = authenticate
    application = connexion.AsyncApp(__name__, specification_dir=Path(__file__).parent)
    application.add_api(
        document,
        resolver=connexion.resolver.Resolver(bound),
        validate_responses=True,
        strict_validation=True,
    )
    wsgi = ASGIMiddleware(application)
    return lambda event: serverless_wsgi.handle_request(wsgi, event, None)


AUTHENTICATE: Callable[[str], Any] = lambda _: None  # noqa: E731 - connexion finds the function under this name.
