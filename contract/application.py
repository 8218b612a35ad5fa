"""connexion around the compiled contract, through its public extension points only.

connexion does what it is for: it loads the document, binds each operationId to its function (`Resolver`), routes
(`RoutingMiddleware`), authenticates (`SecurityMiddleware`) and catches what escapes (`ExceptionMiddleware`). Instead
of its validation and decorator layers, one `RoutedMiddleware` reads the request, calls, and checks the answer.
"""

import logging
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from starlette.exceptions import HTTPException

from contract.bridge import Asgi, Message, add_prefix, drive
from contract.cursors import Cursors
from contract.heavy import HeavyOperations
from contract.imports import only_parts_of
from contract.notes import note
from contract.operations import METHODS, BadDocument, Call, Operation, Request, compile_operations
from contract.problems import PROBLEM_JSON, Problem, internal_error, unauthenticated
from contract.responses import Breach, Reply, Response
from contract.routes import Routes
from contract.schemas import Schema

with only_parts_of("connexion", without=("httpx", "requests")), warnings.catch_warnings():
    # connexion uses what jsonschema will have no longer; nothing here does.
    warnings.simplefilter("ignore", DeprecationWarning)
    from connexion.exceptions import OAuthProblem, ProblemException
    from connexion.lifecycle import ConnexionResponse
    from connexion.middleware import ConnexionMiddleware
    from connexion.middleware.abstract import RoutedAPI, RoutedMiddleware
    from connexion.middleware.exceptions import ExceptionMiddleware
    from connexion.middleware.routing import RoutingMiddleware
    from connexion.middleware.security import SecurityMiddleware
    from connexion.operations import AbstractOperation
    from connexion.resolver import Resolver
    from connexion.security import NO_VALUE, AbstractSecurityHandler
    from connexion.spec import OpenAPISpecification

log = logging.getLogger("tackboard")

_NO_BEARER = "The scheme is missing: Authorization must be the word Bearer, a blank and the token."
_NO_SUCH_PATH = (
    "There is nothing here. The document, /openapi.json, has all paths of the API; none of them ends in a slash."
)


class Settle(Protocol):
    """What stands between a call and its answer: it may refuse, repeat, replay, and commits what the answer wants."""

    def __call__(self, call: Call, answer: Callable[[], Response], /) -> Response:
        """The response that is sent; `answer` calls the function and checks its reply, as often as it is called."""


def build(
    document: Schema,
    functions: Mapping[str, Callable[..., Reply]],
    *,
    provided: Mapping[str, Callable[[Call], Any]],
    authenticate: Callable[[str], Any],
    settle: Settle,
    refusal: Callable[[Exception], Problem | None],
    cursors: Cursors,
    public: frozenset[str],
    admit: Callable[[Any], None] = lambda _: None,
    breached: Callable[[Breach], None] = lambda _: None,
) -> Asgi:
    """The ASGI application of a document.

    `functions` holds one function per operationId. `provided` says what a function may take besides the document's
    parameters, each made from the call. `authenticate` turns the text of a bearer token into a caller, or None.
    `refusal` turns an error of the domain into a problem, or None when it isn't one. `admit` raises a problem for a
    caller who may not go on. `breached` is told of every answer that broke the document. Raises BadDocument when
    document and functions don't fit.
    """
    operations = compile_operations(document, public)
    _insist_on_pairs(operations, functions)
    provided = {"next_cursor": lambda call: call.next_cursor, "media": lambda call: call.media, **provided}
    for operation in operations.values():
        operation.bind(functions[operation.id], provided)
    # The document is validated when it is bundled, not again at every start.
    OpenAPISpecification.openapi_schema = {}
    app = ConnexionMiddleware(
        _ContractMiddleware(),
        middlewares=[ExceptionMiddleware, _Routing, SecurityMiddleware],
        resolver=Resolver(functions.__getitem__),
        security_map={"bearer": _bearer(authenticate)},
    )
    answering = _Answering(admit, settle, refusal, cursors, breached)
    app.add_api(_routed(document), operations=operations, answering=answering)

    async def on_http_error(request: Any, error: HTTPException) -> ConnexionResponse:
        # Where the methods of a path are known, the router has moved on to the base path of the document.
        path = request.scope["path"].removeprefix(request.scope["root_path"])
        return _connexion_response(_routing_problem(error.status_code, path, operations))

    async def on_oauth_error(request: Any, error: OAuthProblem) -> ConnexionResponse:
        # The operation itself is not reached. ASGI lets a server leave the extensions out.
        routed = request.scope.get("extensions", {}).get("connexion_routing", {}).get("operation_id")
        if (operation := operations.get(routed)) and (parts := operation.parts_of(request.scope["path"])):
            note(operation=operation, prefix=parts[0], path_values=parts[1])
        return _connexion_response(unauthenticated(f"{error.detail}."))

    async def on_crash(_: Any, error: Exception) -> ConnexionResponse:
        log.error("A request failed: %r", error, exc_info=error)
        return _connexion_response(internal_error())

    app.add_error_handler(HTTPException, on_http_error)
    app.add_error_handler(OAuthProblem, on_oauth_error)
    app.add_error_handler(ProblemException, on_crash)
    app.add_error_handler(Exception, on_crash)
    # connexion builds its stack at the first message: an empty one spares the first request the wait.
    drive(app({"type": "lifespan"}, _nothing, _nothing))
    asgi: Asgi = app
    return asgi


def _routed(document: Schema) -> Schema:
    """What connexion needs of a document: routes, names and security. It would copy and unfold all the rest."""
    components: Schema = {"securitySchemes": document.get("components", {}).get("securitySchemes", {})}
    paths = {path: {m: _bare(item[m]) for m in METHODS if m in item} for path, item in document["paths"].items()}
    return {**document, "paths": paths, "components": components}


def _bare(operation: Schema) -> Schema:
    return {"responses": {}} | {name: operation[name] for name in ("operationId", "security") if name in operation}


async def _nothing(*_: Any) -> Any:
    return {}


def _insist_on_pairs(operations: Mapping[str, Operation], functions: Mapping[str, object]) -> None:
    if unbound := sorted(operations.keys() - functions.keys()):
        raise BadDocument(f"The document has operations without a function: {', '.join(unbound)}.")
    if unknown := sorted(functions.keys() - operations.keys()):
        raise BadDocument(f"There are functions without an operation in the document: {', '.join(unknown)}.")


class _Answering:
    """Answers a request of one operation: read, settle, or refuse."""

    def __init__(
        self,
        admit: Callable[[Any], None],
        settle: Settle,
        refusal: Callable[[Exception], Problem | None],
        cursors: Cursors,
        breached: Callable[[Breach], None],
    ) -> None:
        self._admit = admit
        self._settle = settle
        self._refusal = refusal
        self._cursors = cursors
        self._breached = breached
        self._heavy = HeavyOperations()

    def __call__(self, operation: Operation, request: Request, found: Mapping[str, Any]) -> Response:
        """The response; every error that has a name becomes its problem, any other goes on to the last resort."""
        try:
            return self._answer(operation, request, found)
        except Breach as breach:
            return self._broken(breach)
        except Exception as error:
            problem = error if isinstance(error, Problem) else self._refusal(error)
            if problem is None:
                raise
            return self._refused(operation, problem)

    def _answer(self, operation: Operation, request: Request, found: Mapping[str, Any]) -> Response:
        if "refused" in found:
            raise found["refused"]
        caller = found.get("caller")
        if caller is not None:
            self._admit(caller)
        with self._heavy.room_for(heavy=operation.is_heavy):
            call = operation.read(request, caller, self._cursors)
            return self._settle(call, lambda: operation.answer(call))

    def _refused(self, operation: Operation, problem: Problem) -> Response:
        try:
            return operation.refuse(problem)
        except Breach as breach:
            return self._broken(breach)

    def _broken(self, breach: Breach) -> Response:
        log.error("An answer broke the document: %s", breach)
        self._breached(breach)
        return Response(500, (("content-type", PROBLEM_JSON),), internal_error().encoded())


class _Endpoint:
    """One operation as connexion's routed middleware calls it."""

    def __init__(self, operation: Operation, answering: _Answering) -> None:
        self._operation = operation
        self._answering = answering

    async def __call__(self, scope: Message, receive: Callable[[], Any], send: Callable[[Message], Any]) -> None:
        body = (await receive())["body"]
        path = scope["path"].removeprefix(scope["root_path"])
        parts = self._operation.parts_of(path)
        if parts is None:
            raise HTTPException(404)
        request = Request(
            method=scope["method"],
            path=path,
            prefix=parts[0],
            path_values=parts[1],
            query=scope["query_string"].decode("latin-1"),
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            body=body,
        )
        found = scope["extensions"].get("connexion_context", {}).get("token_info", {})
        note(operation=self._operation, prefix=parts[0], path_values=parts[1], caller=found.get("caller"))
        response = self._answering(self._operation, request, found)
        given = _add_prefix_to_headers(add_prefix(scope), response.headers) if scope["root_path"] else response.headers
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in given]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})


def _add_prefix_to_headers(prefix: str, headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Put a prefix before the addresses in headers.

    It is put on last: what a handler answers, and what is replayed, is the same wherever the application is mounted.
    """
    for name, value in headers:
        if name == "location":
            yield name, prefix + value
        elif name == "link":
            yield name, f"<{prefix}{value.removeprefix('<')}"
        else:
            yield name, value


class _ContractAPI(RoutedAPI[_Endpoint]):  # type: ignore[misc] # connexion is untyped.
    """The operations of one document, each behind its endpoint."""

    def __init__(
        self,
        *args: Any,
        operations: Mapping[str, Operation],
        answering: _Answering,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._contract = operations
        self._answering = answering
        self.add_paths()

    def make_operation(self, operation: AbstractOperation) -> _Endpoint:
        """The endpoint of an operation; connexion has resolved its function by now."""
        return _Endpoint(self._contract[operation.operation_id], self._answering)


class _ContractMiddleware(RoutedMiddleware[_ContractAPI]):  # type: ignore[misc] # connexion is untyped.
    """The innermost application: a route that leads nowhere is a 404."""

    api_cls = _ContractAPI

    def __init__(self) -> None:
        super().__init__(_nowhere)


async def _nowhere(scope: Message, *_: Any) -> None:
    if scope["type"] == "http":
        raise HTTPException(404)


class _Routing(RoutingMiddleware):  # type: ignore[misc] # connexion is untyped.
    """connexion's routing by the words of a path, and without redirects: a path with a slash too many is not there."""

    def add_api(self, *args: Any, **kwargs: Any) -> None:
        """Add a document's routes."""
        super().add_api(*args, **kwargs)
        self.router.redirect_slashes = False
        for mount in self.router.routes:
            mount.app.redirect_slashes = False
            mount.app.routes = [Routes(mount.app.routes)]


def _bearer(authenticate: Callable[[str], Any]) -> type[AbstractSecurityHandler]:
    """Connexion's security handler for bearer tokens that asks `authenticate`."""

    class Bearer(AbstractSecurityHandler):  # type: ignore[misc] # connexion is untyped.
        def get_fn(self, security_scheme: Schema, required_scopes: list[str]) -> Callable[[Any], Any]:
            del security_scheme, required_scopes
            return verify

    def verify(request: Any) -> Any:
        header = request.headers.get("authorization")
        if header is None:
            return NO_VALUE
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            return {"refused": unauthenticated(_NO_BEARER)}
        try:
            caller = authenticate(token.strip())
        except Exception as error:  # noqa: BLE001 - it is raised again below, where every error becomes its problem.
            return {"refused": error}
        # A token that was sent and isn't valid is refused even where none is needed; connexion would go on
        # to the next alternative, so the refusal travels as a value.
        return {"caller": caller} if caller is not None else {"refused": unauthenticated("The token is not valid.")}

    return Bearer


def _routing_problem(status: int, path: str, operations: Mapping[str, Operation]) -> Problem:
    if status == 405:  # noqa: PLR2004 - Method Not Allowed.
        methods = _methods_of(path, operations)
        return Problem(405, "method_not_allowed", f"Allowed here: {methods}.", headers={"Allow": methods})
    return Problem(404, "not_found", _NO_SUCH_PATH)


def _methods_of(path: str, operations: Mapping[str, Operation]) -> str:
    """All methods of a path (RFC 9110 wants them all in Allow). GET brings HEAD with it."""
    found = []
    for operation in operations.values():
        parts = operation.parts_of(path)
        if parts and not parts[0]:
            found += ["GET", "HEAD"] if operation.method == "get" else [operation.method.upper()]
    return ", ".join(dict.fromkeys(found))


def _connexion_response(problem: Problem) -> ConnexionResponse:
    return ConnexionResponse(
        problem.status, PROBLEM_JSON, PROBLEM_JSON, body=problem.encoded(), headers=dict(problem.headers)
    )
