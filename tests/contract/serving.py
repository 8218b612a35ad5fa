"""The whole contract layer around plain functions, as an application that a test can call."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from contract.application import build
from contract.bridge import WsgiBridge
from contract.cursors import Cursors
from contract.edge import Edge
from contract.operations import Call
from contract.problems import Problem
from contract.responses import Breach, Response
from tests.contract.client import TOKEN, Client
from tests.contract.documents import Schema, document, json_body, operation, parameter

Functions = Mapping[str, Callable[..., Any]]


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a token stands for."""

    user_id: str


CALLERS = {TOKEN: Caller("usr_1"), "another-good-token": Caller("usr_2")}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a function answers: the contract's Reply."""

    body: Any = None
    status: int = 200
    etag: str | None = None
    location: str | None = None
    next_query: Mapping[str, str] | None = None
    change: Any = None


def serve(
    described: Schema,
    functions: Functions,
    *,
    origins: Iterable[str] = (),
    provided: Mapping[str, Callable[[Call], Any]] | None = None,
    refusal: Callable[[Exception], Problem | None] = lambda _: None,
    settle: Callable[[Call, Callable[[], Response]], Response] = lambda _, answer: answer(),
    authenticate: Callable[[str], Any] = CALLERS.get,
    public: frozenset[str] = frozenset(),
    seen: list[Any] | None = None,
) -> Client:
    """A client of these functions behind bridge, edge and contract. Requests made here are called `made-here`."""
    breaches: list[Breach] = []
    api = build(
        described,
        functions,
        provided=provided or {},
        authenticate=authenticate,
        settle=settle,
        refusal=refusal,
        cursors=Cursors(b"a key of the tests"),
        public=public,
        breached=breaches.append,
    )
    edge = Edge(api, new_request_id=lambda: "made-here", origins=origins)
    return Client(WsgiBridge(edge), seen if seen is not None else [], breaches)


def taking_body(
    schema: Schema, *media: str, required: bool = True, schemas: Mapping[str, Schema] | None = None
) -> Client:
    """POST /v1/things takes a body of this schema; `seen` holds the bodies that came through."""
    seen: list[Any] = []

    def make_thing(body: Any) -> Answer:
        seen.append(body)
        return Answer({})

    described = operation("make_thing", body=json_body(schema, *media, required=required))
    return serve(
        document({"/things": {"post": described}}, schemas=schemas),
        {"make_thing": make_thing},
        seen=seen,
    )


def taking_parameter(place: str, schema: Schema, **more: Any) -> Client:
    """GET /v1/things takes a parameter called `value`; `seen` holds what came through, None when nothing came."""
    seen: list[Any] = []

    def get_thing(value: Any = None) -> Answer:
        seen.append(value)
        return Answer({})

    path = "/things/{value}" if place == "path" else "/things"
    described = operation("get_thing", parameter("value", place, schema, **more))
    return serve(document({path: {"get": described}}), {"get_thing": get_thing}, seen=seen)


def answering_with(answer: Answer, responses: Mapping[str, Any], *parameters: Schema) -> Client:
    """GET /v1/thing answers this, whatever the document says its responses are."""
    described = operation("get_thing", *parameters, responses=responses)
    return serve(document({"/thing": {"get": described}}), {"get_thing": lambda: answer})
