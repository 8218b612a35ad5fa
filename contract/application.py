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

from contract.bridge import AsgiApp, Message, prefix_path, run_synchronously
from contract.cursors import CursorCodec
from contract.heavy_operations import HeavyOperationLimiter
from contract.lazy_connexion import import_without_package_init
from contract.operations import METHODS, BadDocument, Call, Operation, Request, compile_operations
from contract.problems import PROBLEM_JSON, Problem, internal_error, unauthenticated
from contract.request_context import set_request_context
from contract.responses import ContractBreach, HandlerResult, Response
from contract.route_tree import RouteTree
from contract.schemas import Schema

with import_without_package_init("connexion", stubs=("httpx", "requests")), warnings.catch_warnings():
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

_NOT_BEARER_DETAIL = "The scheme is missing: Authorization must be the word Bearer, a blank and the token."
_NO_SUCH_PATH_DETAIL = (
    "There is nothing here. The document, /openapi.json, has all paths of the API; none of them ends in a slash."
)


class CommitStep(Protocol):
    """What stands between a call and its answer: it may refuse, repeat, replay, and commits what the answer wants."""

    def __call__(self, call: Call, handle: Callable[[], Response], /) -> Response:
        """The response that is sent; `answer` calls the function and checks its reply, as often as it is called."""


def build(
    document: Schema,
    functions: Mapping[str, Callable[..., HandlerResult]],
    *,
    dependencies: Mapping[str, Callable[[Call], Any]],
    authenticate: Callable[[str], Any],
    commit: CommitStep,
    to_problem: Callable[[Exception], Problem | None],
    cursors: CursorCodec,
    public_operations: frozenset[str],
    admit: Callable[[Any], None] = lambda _: None,
    on_breach: Callable[[ContractBreach], None] = lambda _: None,
) -> AsgiApp:
    """The ASGI application of a document.

    `functions` holds one function per operationId. `provided` says what a function may take besides the document's
    parameters, each made from the call. `authenticate` turns the text of a bearer token into a caller, or None.
    `refusal` turns an error of the domain into a problem, or None when it isn't one. `admit` raises a problem for a
    caller who may not go on. `breached` is told of every answer that broke the document. Raises BadDocument when
    document and functions don't fit.
    """
    operations = compile_operations(document, public_operations)
    _ensure_functions_match_operations(operations, functions)
    dependencies = {
        "encode_cursor": lambda call: call.encode_cursor,
        "media_type": lambda call: call.media_type,
        **dependencies,
    }
    for operation in operations.values():
        operation.bind(functions[operation.id], dependencies)
    # The document is validated when it is bundled, not again at every start.
    OpenAPISpecification.openapi_schema = {}
    app = ConnexionMiddleware(
        _ContractMiddleware(),
        middlewares=[ExceptionMiddleware, _RoutingMiddleware, SecurityMiddleware],
        resolver=Resolver(functions.__getitem__),
        security_map={"bearer": _build_bearer_handler(authenticate)},
    )
    run = _OperationRunner(admit, commit, to_problem, cursors, on_breach)
    app.add_api(_build_routing_document(document), operations=operations, run=run)

    async def on_http_error(request: Any, error: HTTPException) -> ConnexionResponse:
        # Where the methods of a path are known, the router has moved on to the base path of the document.
        path = request.scope["path"].removeprefix(request.scope["root_path"])
        return _to_connexion_response(_build_routing_problem(error.status_code, path, operations))

    async def on_oauth_error(request: Any, error: OAuthProblem) -> ConnexionResponse:
        # The operation itself is not reached. ASGI lets a server leave the extensions out.
        routed = request.scope.get("extensions", {}).get("connexion_routing", {}).get("operation_id")
        if (operation := operations.get(routed)) and (parts := operation.match_path(request.scope["path"])):
            set_request_context(operation=operation, prefix=parts[0], path_values=parts[1])
        return _to_connexion_response(unauthenticated(f"{error.detail}."))

    async def on_crash(_: Any, error: Exception) -> ConnexionResponse:
        log.error("A request failed: %r", error, exc_info=error)
        return _to_connexion_response(internal_error())

    app.add_error_handler(HTTPException, on_http_error)
    app.add_error_handler(OAuthProblem, on_oauth_error)
    app.add_error_handler(ProblemException, on_crash)
    app.add_error_handler(Exception, on_crash)
    # connexion builds its stack at the first message: an empty one spares the first request the wait.
    run_synchronously(app({"type": "lifespan"}, _ignore_message, _ignore_message))
    asgi: AsgiApp = app
    return asgi


def _build_routing_document(document: Schema) -> Schema:
    """What connexion needs of a document: routes, names and security. It would copy and unfold all the rest."""
    components: Schema = {"securitySchemes": document.get("components", {}).get("securitySchemes", {})}
    paths = {
        path: {m: _keep_routing_keys(item[m]) for m in METHODS if m in item} for path, item in document["paths"].items()
    }
    return {**document, "paths": paths, "components": components}


def _keep_routing_keys(operation: Schema) -> Schema:
    return {"responses": {}} | {name: operation[name] for name in ("operationId", "security") if name in operation}


async def _ignore_message(*_: Any) -> Any:
    return {}


def _ensure_functions_match_operations(operations: Mapping[str, Operation], functions: Mapping[str, object]) -> None:
    if unbound := sorted(operations.keys() - functions.keys()):
        raise BadDocument(f"The document has operations without a function: {', '.join(unbound)}.")
    if unknown := sorted(functions.keys() - operations.keys()):
        raise BadDocument(f"There are functions without an operation in the document: {', '.join(unknown)}.")


class _OperationRunner:
    """Answers a request of one operation: read, settle, or refuse."""

    def __init__(
        self,
        admit: Callable[[Any], None],
        commit: CommitStep,
        to_problem: Callable[[Exception], Problem | None],
        cursors: CursorCodec,
        on_breach: Callable[[ContractBreach], None],
    ) -> None:
        self._admit = admit
        self._commit = commit
        self._to_problem = to_problem
        self._cursors = cursors
        self._on_breach = on_breach
        self._heavy_operations = HeavyOperationLimiter()

    def __call__(self, operation: Operation, request: Request, token_info: Mapping[str, Any]) -> Response:
        """The response; every error that has a name becomes its problem, any other goes on to the last resort."""
        try:
            return self._run(operation, request, token_info)
        except ContractBreach as breach:
            return self._build_breach_response(breach)
        except Exception as error:
            problem = error if isinstance(error, Problem) else self._to_problem(error)
            if problem is None:
                raise
            return self._build_problem_response(operation, problem)

    def _run(self, operation: Operation, request: Request, token_info: Mapping[str, Any]) -> Response:
        if "refused" in token_info:
            raise token_info["refused"]
        caller = token_info.get("caller")
        if caller is not None:
            self._admit(caller)
        with self._heavy_operations.acquire(heavy=operation.is_heavy):
            call = operation.parse_request(request, caller, self._cursors)
            return self._commit(call, lambda: operation.execute(call))

    def _build_problem_response(self, operation: Operation, problem: Problem) -> Response:
        try:
            return operation.encode_problem(problem)
        except ContractBreach as breach:
            return self._build_breach_response(breach)

    def _build_breach_response(self, breach: ContractBreach) -> Response:
        log.error("An answer broke the document: %s", breach)
        self._on_breach(breach)
        return Response(500, (("content-type", PROBLEM_JSON),), internal_error().encode())


class _Endpoint:
    """One operation as connexion's routed middleware calls it."""

    def __init__(self, operation: Operation, run: _OperationRunner) -> None:
        self._operation = operation
        self._run = run

    async def __call__(self, scope: Message, receive: Callable[[], Any], send: Callable[[Message], Any]) -> None:
        body = (await receive())["body"]
        path = scope["path"].removeprefix(scope["root_path"])
        parts = self._operation.match_path(path)
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
        set_request_context(
            operation=self._operation, prefix=parts[0], path_values=parts[1], caller=found.get("caller")
        )
        response = self._run(self._operation, request, found)
        given = _add_prefix_to_headers(prefix_path(scope), response.headers) if scope["root_path"] else response.headers
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
        run: _OperationRunner,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._contract_operations = operations
        self._run = run
        self.add_paths()

    def make_operation(self, operation: AbstractOperation) -> _Endpoint:
        """The endpoint of an operation; connexion has resolved its function by now."""
        return _Endpoint(self._contract_operations[operation.operation_id], self._run)


class _ContractMiddleware(RoutedMiddleware[_ContractAPI]):  # type: ignore[misc] # connexion is untyped.
    """The innermost application: a route that leads nowhere is a 404."""

    api_cls = _ContractAPI

    def __init__(self) -> None:
        super().__init__(_raise_not_found)


async def _raise_not_found(scope: Message, *_: Any) -> None:
    if scope["type"] == "http":
        raise HTTPException(404)


class _RoutingMiddleware(RoutingMiddleware):  # type: ignore[misc] # connexion is untyped.
    """connexion's routing by the words of a path, and without redirects: a path with a slash too many is not there."""

    def add_api(self, *args: Any, **kwargs: Any) -> None:
        """Add a document's routes."""
        super().add_api(*args, **kwargs)
        self.router.redirect_slashes = False
        for mount in self.router.routes:
            mount.app.redirect_slashes = False
            mount.app.routes = [RouteTree(mount.app.routes)]


def _build_bearer_handler(authenticate: Callable[[str], Any]) -> type[AbstractSecurityHandler]:
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
            return {"refused": unauthenticated(_NOT_BEARER_DETAIL)}
        try:
            caller = authenticate(token.strip())
        except Exception as error:  # noqa: BLE001 - it is raised again below, where every error becomes its problem.
            return {"refused": error}
        # A token that was sent and isn't valid is refused even where none is needed; connexion would go on
        # to the next alternative, so the refusal travels as a value.
        return {"caller": caller} if caller is not None else {"refused": unauthenticated("The token is not valid.")}

    return Bearer


def _build_routing_problem(status: int, path: str, operations: Mapping[str, Operation]) -> Problem:
    if status == 405:  # noqa: PLR2004 - Method Not Allowed.
        methods = _list_methods(path, operations)
        return Problem(405, "method_not_allowed", f"Allowed here: {methods}.", headers={"Allow": methods})
    return Problem(404, "not_found", _NO_SUCH_PATH_DETAIL)


def _list_methods(path: str, operations: Mapping[str, Operation]) -> str:
    """All methods of a path (RFC 9110 wants them all in Allow). GET brings HEAD with it."""
    found = []
    for operation in operations.values():
        parts = operation.match_path(path)
        if parts and not parts[0]:
            found += ["GET", "HEAD"] if operation.method == "get" else [operation.method.upper()]
    return ", ".join(dict.fromkeys(found))


def _to_connexion_response(problem: Problem) -> ConnexionResponse:
    return ConnexionResponse(
        problem.status, PROBLEM_JSON, PROBLEM_JSON, body=problem.encode(), headers=dict(problem.headers)
    )
