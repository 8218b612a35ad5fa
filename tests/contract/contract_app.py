"""Applications for tests: plain functions behind edge and contract."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from contract.application import Api
from contract.connexion_binding import Authenticate
from contract.cursors import CursorCodec
from contract.edge import Edge
from contract.messages import Response
from contract.operations import Call, check_document
from contract.problems import Problem
from contract.responses import ContractBreach
from contract.wsgi_application import WsgiApplication
from tests.contract.client import TOKEN, Client
from tests.contract.openapi_documents import Schema, document, json_body, operation, parameter

Functions = Mapping[str, Callable[..., Any]]


@dataclass(frozen=True, slots=True)
class Caller:
    """The user of a token."""

    user_id: str

    @property
    def audience(self) -> str:
        """Whom responses are for."""
        return self.user_id

    token_id: str = "tok_1"


CALLERS = {TOKEN: Caller("usr_1"), "another-good-token": Caller("usr_2")}


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a function, a `HandlerResult`."""

    body: Any = None
    status: int = 200
    etag: str | None = None
    location: str | None = None
    next_query: Mapping[str, str] | None = None
    change: Any = None
    feed_position: Any = None


def serve(
    openapi_document: Schema,
    functions: Functions,
    *,
    origins: Iterable[str] = (),
    dependencies: Mapping[str, Callable[[Call], Any]] | None = None,
    to_problem: Callable[[Exception], Problem | None] = lambda _: None,
    commit: Callable[[Call, Callable[[], Response]], Response] = lambda _, result: result(),
    authenticate: Authenticate = lambda text, _: CALLERS.get(text),
    public_operations: frozenset[str] = frozenset(),
    recorded: list[Any] | None = None,
) -> Client:
    """Return a client of these functions behind edge and contract. Generated request ids are `made-here`."""
    breaches: list[ContractBreach] = []
    check_document(openapi_document, functions, dependencies or {})
    api = Api(
        openapi_document,
        functions,
        dependencies=dependencies or {},
        authenticate=authenticate,
        commit=commit,
        to_problem=to_problem,
        cursors=CursorCodec(b"a key of the tests"),
        public_operations=public_operations,
        on_breach=breaches.append,
    )
    edge = Edge(api, new_request_id=lambda: "made-here", origins=origins)
    return Client(WsgiApplication(edge), recorded if recorded is not None else [], breaches)


def serve_body(
    schema: Schema, *media: str, required: bool = True, schemas: Mapping[str, Schema] | None = None
) -> Client:
    """Serve POST /v1/things with a body of this schema. `recorded` of the client has the parsed bodies."""
    recorded: list[Any] = []

    def make_thing(body: Any) -> Result:
        recorded.append(body)
        return Result({})

    operation_object = operation("make_thing", body=json_body(schema, *media, required=required))
    return serve(
        document({"/things": {"post": operation_object}}, schemas=schemas),
        {"make_thing": make_thing},
        recorded=recorded,
    )


def serve_parameter(location: str, schema: Schema, **fields: Any) -> Client:
    """Serve GET /v1/things with a parameter `value`. `recorded` of the client has its parsed values, None if absent."""
    recorded: list[Any] = []

    def get_thing(value: Any = None) -> Result:
        recorded.append(value)
        return Result({})

    path = "/things/{value}" if location == "path" else "/things"
    operation_object = operation("get_thing", parameter("value", location, schema, **fields))
    return serve(document({path: {"get": operation_object}}), {"get_thing": get_thing}, recorded=recorded)


def serve_result(result: Result, responses: Mapping[str, Any], *parameters: Schema) -> Client:
    """Serve GET /v1/thing with this result, whatever responses the document declares."""
    operation_object = operation("get_thing", *parameters, responses=responses)
    return serve(document({"/thing": {"get": operation_object}}), {"get_thing": lambda: result})
