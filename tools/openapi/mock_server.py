"""Answer every operation from the document's examples, without a store, so that a frontend can start before a handler.

Everything before the handler is the product's code: invalid input is rejected as it will be, a call without a token
gets its 401 (any token will do), a PATCH without If-Match its 428. `embed` and `Accept` are honoured. The header
`Prefer` (RFC 7240) chooses a response: `Prefer: code=409` the first example of that status, `Prefer: example=more` the
example with that name. Pages of the origins in CORS_ORIGINS may send it, too.
"""

import inspect
import json
import os
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from app.setting_forms import InvalidSetting
from app.settings import CORS_ORIGINS, HOST, PORT
from contract.application import Api, respond_with_not_found
from contract.cursors import CursorCodec
from contract.documentation_site import DocumentationSite
from contract.edge import Edge, find_body_limits
from contract.operations import Call
from contract.parameters import argument_name
from contract.problems import Problem
from contract.wsgi_application import WsgiApplication
from server.uvicorn_server import listen, serve
from tools.openapi.bundle import Bundle, Node, Operation
from tools.openapi.findings import BUNDLE
from tools.openapi.rules.operations import PROBLEM

_PREFERENCE_PATTERN = re.compile(r"\b(code|example)=\"?([A-Za-z0-9_]+)\"?")
_BASE_PATH_PATTERN = re.compile(r"^/v[0-9]+")


@dataclass(frozen=True, slots=True)
class ExampleResponse:
    """A response made from an example, in the form that the contract expects of a handler."""

    body: Any
    status: int
    etag: str | None = None
    location: str | None = None
    next_query: None = None
    change: None = None
    feed_position: None = None


def create_mock(document: bytes, document_yaml: bytes = b"", origins: Iterable[str] = ()) -> WsgiApplication:
    """Create the WSGI application that answers from the examples of a document."""
    bundle = Bundle(json.loads(document))
    api = Api(
        bundle.document,
        {operation.id: _create_handler(bundle, operation) for operation in bundle.operations},
        dependencies={"call": lambda call: call},
        authenticate=lambda text, _: text or None,
        commit=lambda _, answer: answer(),
        to_problem=lambda _: None,
        cursors=CursorCodec(b"the mock remembers nothing"),
        public_operations=frozenset(operation.id for operation in bundle.operations if _is_public(bundle, operation)),
        fallback=DocumentationSite(lambda: document, lambda: document_yaml, fallback=respond_with_not_found),
    )
    edge = Edge(
        api,
        new_request_id=lambda: os.urandom(16).hex(),
        origins=origins,
        body_limits=find_body_limits(bundle.document),
    )
    return WsgiApplication(edge)


def _is_public(bundle: Bundle, operation: Operation) -> bool:
    security = operation.node["security"] if "security" in operation.node else bundle.document.get("security", [])
    return not security or {} in security


def _create_handler(bundle: Bundle, operation: Operation) -> Callable[..., ExampleResponse]:
    """Create the handler of an operation: it takes every parameter of the document, and returns an example."""

    def answer(call: Call, **arguments: Any) -> ExampleResponse:
        preferences = dict(_PREFERENCE_PATTERN.findall(call.request.headers.get("prefer", "")))
        if_match = arguments.get("if_match")
        if if_match is not None and not if_match.is_present:
            if_match.ensure_matches(1)
        return _choose_response(bundle, operation, preferences, call.media_type, arguments.get("embed") or [])

    names = [argument_name(parameter["name"]) for _, parameter in bundle.parameters(operation)]
    names += ["body"] if "requestBody" in operation.node else []
    keyword_only = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("call", keyword_only),
        *(inspect.Parameter(name, keyword_only, default=None) for name in names),
    ]
    answer.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # inspect looks for it there.
    return answer


def _choose_response(
    bundle: Bundle, operation: Operation, preferences: dict[str, str], media: str | None, embed: list[str]
) -> ExampleResponse:
    responses = {status: response for _, status, response in bundle.responses(operation)}
    status = preferences.get("code") or next(code for code in responses if code.startswith("2"))
    if status not in responses:
        raise Problem(400, "invalid_header", f"Prefer names a status that {operation.id} doesn't have.")
    response = responses[status]
    contents: dict[str, Node] = response.get("content", {})
    media = media if media in contents else next(iter(contents), None)
    examples = _get_examples(bundle, contents[media]) if media else {}
    name = preferences.get("example")
    if name is not None and name not in examples:
        has = f"has {', '.join(examples) or 'none'} for {status}"
        raise Problem(400, "invalid_header", f"Prefer names an example that isn't there: {operation.id} {has}.")
    body = examples[name] if name else _choose_embedding(embed, list(examples.values()))
    if media == PROBLEM:
        raise _build_problem(bundle, body, response)
    headers = response.get("headers", {})
    location = _get_header_example(bundle, headers["Location"]) if "Location" in headers else None
    return ExampleResponse(
        body,
        int(status),
        etag=str(_get_header_example(bundle, headers["ETag"])).strip('"') if "ETag" in headers else None,
        location=_BASE_PATH_PATTERN.sub("", str(location)) if location else None,
    )


def _get_examples(bundle: Bundle, content: Node) -> dict[str, Any]:
    """Return the examples of a body by name; a single one without a name is called `example`."""
    named = {name: bundle.resolve(node).get("value") for name, node in content.get("examples", {}).items()}
    return named | ({"example": content["example"]} if "example" in content else {})


def _choose_embedding(embed: list[str], bodies: list[Any]) -> Any:
    """Return the first body, or the first with everything to be embedded, without what else it embeds."""
    if not (embed and bodies):
        return next(iter(bodies), None)
    plain, fitting = bodies[0], next((body for body in bodies if body.keys() >= set(embed)), bodies[0])
    return {name: value for name, value in fitting.items() if name in plain or name in embed}


def _build_problem(bundle: Bundle, example: Node, response: Node) -> Problem:
    skipped = ("X-Request-Id", "Cache-Control")
    headers = {
        name: str(_get_header_example(bundle, node))
        for name, node in response.get("headers", {}).items()
        if name not in skipped
    }
    return Problem(example["status"], example["code"], example["detail"], headers=headers)


def _get_header_example(bundle: Bundle, node: Node) -> Any:
    """Return the example of a header."""
    header = bundle.resolve(node)
    return header.get("example", bundle.resolve(header.get("schema", {})).get("example"))


def main() -> int:
    """Serve on HOST and PORT until Ctrl-C. Return the exit status."""
    try:
        origins, port = CORS_ORIGINS.read(os.environ), PORT.read(os.environ)
    except InvalidSetting as error:
        print(error, file=sys.stderr)
        return 1
    application = create_mock(BUNDLE.read_bytes(), BUNDLE.with_suffix(".yaml").read_bytes(), origins)
    with listen(HOST.read(os.environ), port) as listening:
        host, port = listening.getsockname()[:2]
        print(
            f"The mock answers on http://{host}:{port}/v1 from the examples of the document. Ctrl-C stops it.",
            flush=True,
        )
        serve(application.edge, listening)
    return 0


if __name__ == "__main__":
    sys.exit(main())
