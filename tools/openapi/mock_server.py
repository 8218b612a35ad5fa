"""A server that answers from the document's examples, with no store behind it: a frontend can begin before a handler.

Everything up to the handler is the real thing: bad input is refused as it will be, a call without a token gets its
401 (any token will do), a PATCH without If-Match its 428. `embed` and `Accept` are answered as they ask. The header
`Prefer` chooses an answer (RFC 7240): `Prefer: code=409` the first example of that status, `Prefer: example=more` the
example of that name. A page of an origin in CORS_ORIGINS may send it, too.
"""

import inspect
import json
import os
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from app.configuration import MAX_PORT, InvalidSetting, read_number, read_origins
from contract.application import build
from contract.bridge import WsgiBridge
from contract.cursors import CursorCodec
from contract.documentation_site import DocumentationSite
from contract.edge import Edge, find_body_limits
from contract.operations import Call
from contract.parameters import argument_name
from contract.problems import Problem
from server import waitress_server
from tools.openapi.bundle import Bundle, Node, Operation
from tools.openapi.findings import BUNDLE
from tools.openapi.rules.operations import PROBLEM

_PREFERENCE_PATTERN = re.compile(r"\b(code|example)=\"?([A-Za-z0-9_]+)\"?")
_BASE_PATH_PATTERN = re.compile(r"^/v[0-9]+")


@dataclass(frozen=True, slots=True)
class ExampleResponse:
    """An answer as an example shows it: what the contract calls a reply."""

    body: Any
    status: int
    etag: str | None = None
    location: str | None = None
    next_query: None = None
    change: None = None


def create_mock(document: bytes, document_yaml: bytes = b"", origins: Iterable[str] = ()) -> WsgiBridge:
    """The WSGI application that answers from the examples of a document."""
    bundle = Bundle(json.loads(document))
    api = build(
        bundle.document,
        {operation.id: _create_handler(bundle, operation) for operation in bundle.operations},
        dependencies={"call": lambda call: call},
        authenticate=lambda text: text or None,
        commit=lambda _, answer: answer(),
        to_problem=lambda _: None,
        cursors=CursorCodec(b"the mock remembers nothing"),
        public_operations=frozenset(operation.id for operation in bundle.operations if _is_public(bundle, operation)),
    )
    site = DocumentationSite(document, document_yaml, fallback=api)
    edge = Edge(
        site,
        new_request_id=lambda: os.urandom(16).hex(),
        origins=origins,
        body_limits=find_body_limits(bundle.document),
    )
    return WsgiBridge(edge)


def _is_public(bundle: Bundle, operation: Operation) -> bool:
    asked = operation.node["security"] if "security" in operation.node else bundle.document.get("security", [])
    return not asked or {} in asked


def _create_handler(bundle: Bundle, operation: Operation) -> Callable[..., ExampleResponse]:
    """The function of an operation: it takes all that the document names, and answers an example."""

    def answer(call: Call, **given: Any) -> ExampleResponse:
        wanted = dict(_PREFERENCE_PATTERN.findall(call.request.headers.get("prefer", "")))
        seen = given.get("if_match")
        if seen is not None and not seen.is_present:
            seen.ensure_matches(1)
        return _choose_response(bundle, operation, wanted, call.media_type, given.get("embed") or [])

    names = [argument_name(parameter["name"]) for _, parameter in bundle.parameters(operation)]
    names += ["body"] if "requestBody" in operation.node else []
    kind = inspect.Parameter.KEYWORD_ONLY
    taken = [inspect.Parameter("call", kind), *(inspect.Parameter(name, kind, default=None) for name in names)]
    answer.__signature__ = inspect.Signature(taken)  # type: ignore[attr-defined] # inspect looks for it there.
    return answer


def _choose_response(
    bundle: Bundle, operation: Operation, preferences: dict[str, str], media: str | None, embed: list[str]
) -> ExampleResponse:
    responses = {status: response for _, status, response in bundle.responses(operation)}
    status = preferences.get("code") or next(each for each in responses if each.startswith("2"))
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
    """The examples of a body by name; one that has no name is called `example`."""
    named = {each: bundle.resolve(node).get("value") for each, node in content.get("examples", {}).items()}
    return named | ({"example": content["example"]} if "example" in content else {})


def _choose_embedding(embed: list[str], bodies: list[Any]) -> Any:
    """The first body, or the first that has all that is to be embedded, without what else it embeds."""
    if not (embed and bodies):
        return next(iter(bodies), None)
    plain, fitting = bodies[0], next((body for body in bodies if body.keys() >= set(embed)), bodies[0])
    return {name: value for name, value in fitting.items() if name in plain or name in embed}


def _build_problem(bundle: Bundle, example: Node, response: Node) -> Problem:
    apart = ("X-Request-Id", "Cache-Control")
    headers = {
        name: str(_get_header_example(bundle, node))
        for name, node in response.get("headers", {}).items()
        if name not in apart
    }
    return Problem(example["status"], example["code"], example["detail"], headers=headers)


def _get_header_example(bundle: Bundle, node: Node) -> Any:
    """The example of a header."""
    header = bundle.resolve(node)
    return header.get("example", bundle.resolve(header.get("schema", {})).get("example"))


def main() -> int:
    """Serve until Ctrl-C, on HOST and PORT."""
    try:
        origins, port = read_origins(os.environ), read_number(os.environ, "PORT", 8080, MAX_PORT)
    except InvalidSetting as error:
        print(error, file=sys.stderr)
        return 1
    application = create_mock(BUNDLE.read_bytes(), BUNDLE.with_suffix(".yaml").read_bytes(), origins)
    with waitress_server.listen(os.environ.get("HOST") or "127.0.0.1", port) as listening:
        host, port = listening.getsockname()[:2]
        print(
            f"The mock answers on http://{host}:{port}/v1 from the examples of the document. Ctrl-C stops it.",
            flush=True,
        )
        waitress_server.serve(application, listening)
    return 0


if __name__ == "__main__":
    sys.exit(main())
