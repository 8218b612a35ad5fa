"""The API of an OpenAPI document as one synchronous call: find the operation, authenticate, parse, run, encode.

connexion resolves the functions and builds the security when the application is built (`connexion_binding`).
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from contract.connexion_binding import Authenticate, Route, bind_operations
from contract.cursors import CursorCodec
from contract.heavy_operations import HeavyOperationLimiter
from contract.messages import HttpApplication, Request, Response
from contract.operations import BadDocument, Call, Operation, Operations, ensure_only_these_are_public
from contract.problems import Problem, internal_error
from contract.request_context import RequestContext
from contract.responses import ContractBreach, HandlerResult
from contract.schemas import Schema

_UNAUTHENTICATED = 401

log = logging.getLogger("tackboard")

_NO_SUCH_PATH_DETAIL = (
    "There is nothing here. The document, /openapi.json, has all paths of the API; none of them ends in a slash."
)


class CommitStep(Protocol):
    """Run a handler and commit the change in its result: may retry, replay a stored response, or raise."""

    def __call__(self, call: Call, handle: Callable[[], Response], /) -> Response:
        """Return the response to send.

        Each call of `handle` calls the handler again and validates its result.
        """


def respond_with_not_found(request: Request) -> Response:
    """Answer a request for a path that nothing is at."""
    del request
    return Problem(404, "not_found", _NO_SUCH_PATH_DETAIL).to_response()


class Api:
    """The operations of a document."""

    def __init__(
        self,
        document: Schema,
        functions: Mapping[str, Callable[..., HandlerResult]],
        *,
        dependencies: Mapping[str, Callable[[Call], Any]],
        authenticate: Authenticate,
        commit: CommitStep,
        to_problem: Callable[[Exception], Problem | None],
        cursors: CursorCodec,
        public_operations: frozenset[str],
        admit: Callable[[RequestContext, Operation], None] = lambda *_: None,
        on_breach: Callable[[ContractBreach], None] = lambda _: None,
        fallback: HttpApplication = respond_with_not_found,
    ) -> None:
        """Build the API of a document, which `operations.check_document` has found right.

        Args:
            document: The OpenAPI document, parsed and bundled.
            functions: The handler of each operationId.
            dependencies: What a handler may take besides the parameters of the document: by name, a factory that gets
                the call.
            authenticate: Returns the caller of a bearer token that came with a request, None for an invalid token.
            commit: Runs a handler and commits the change in its result.
            to_problem: Turns an error of the domain into a problem; returns None for any other error.
            cursors: Encodes and decodes the cursors of paged listings.
            public_operations: The operationIds that may be called without a token.
            admit: Called with each request after authentication, also if it has no caller. Raises a problem for
                a request that exceeds a limit, such as the rate limit.
            on_breach: Called with every result that violates the document.
            fallback: Answers the requests for paths that the document doesn't have.

        Raises:
            BadDocument: An operation has no function, or may be called without a token and is not public.
        """
        ensure_only_these_are_public(document, public_operations)
        self.operations = Operations(document, functions, dependencies)
        try:
            self._routes = bind_operations(document, functions, authenticate)
        except LookupError as error:
            raise BadDocument(f"The document has an operation without a function: {error}.") from error
        self._commit = commit
        self._to_problem = to_problem
        self._cursors = cursors
        self._admit = admit
        self._on_breach = on_breach
        self._fallback = fallback
        self._heavy_operations = HeavyOperationLimiter()

    def __call__(self, request: Request) -> Response:
        """Answer a request. A known error becomes its problem, any other is raised."""
        match = self._routes.find(request.path)
        if match is None:
            return self._fallback(request)
        by_method, path_values = match
        route = by_method.get(request.method)
        if route is None:
            return _build_method_problem(by_method).to_response()
        operation = self.operations.get(route.operation_id)
        context = request.context
        context.operation, context.path, context.path_values = operation, request.path, path_values
        try:
            return self._run(route, operation, request, path_values)
        except ContractBreach as breach:
            return self._build_breach_response(breach)
        except Exception as error:
            problem = error if isinstance(error, Problem) else self._to_problem(error)
            if problem is None:
                raise
            return self._build_problem_response(operation, problem)

    def find_weight(self, method: str, path: str) -> str | None:
        """Return the weight of the operation of a method and a path; None if it is like most."""
        match = self._routes.find(path)
        route = match[0].get("GET" if method == "HEAD" else method) if match else None
        return self.operations.find_weight(route.operation_id) if route else None

    def _run(self, route: Route, operation: Operation, request: Request, path_values: Mapping[str, str]) -> Response:
        try:
            caller = request.context.caller = route.authenticate(request)
        except Problem as problem:
            if problem.status == _UNAUTHENTICATED:
                self._admit(request.context, operation)
            raise
        self._admit(request.context, operation)
        if not operation.is_heavy:
            return self._parse_and_commit(operation, request, path_values, caller)
        with self._heavy_operations.acquire():
            return self._parse_and_commit(operation, request, path_values, caller)

    def _parse_and_commit(
        self, operation: Operation, request: Request, path_values: Mapping[str, str], caller: Any
    ) -> Response:
        call = operation.parse_request(request, path_values, caller, self._cursors)
        return self._commit(call, lambda: operation.execute(call))

    def _build_problem_response(self, operation: Operation, problem: Problem) -> Response:
        try:
            return operation.encode_problem(problem)
        except ContractBreach as breach:
            return self._build_breach_response(breach)

    def _build_breach_response(self, breach: ContractBreach) -> Response:
        log.error("A response violates the document: %s", breach)
        self._on_breach(breach)
        return internal_error().to_response()


def _build_method_problem(by_method: Mapping[str, Route]) -> Problem:
    """Build the 405 of a path, with all of its methods in the Allow header (RFC 9110): HEAD wherever there is GET."""
    methods = [name for method in by_method for name in (("GET", "HEAD") if method == "GET" else (method,))]
    allowed = ", ".join(methods)
    return Problem(405, "method_not_allowed", f"Allowed here: {allowed}.", headers={"Allow": allowed})
