"""The Lambda function: one event in, one response out, and a record of it.

Events of an HTTP API (payload 2.0), which the deployment sends, go straight to the application. Events of REST APIs,
load balancers and whatever else serverless-wsgi knows go through its adapter. Any other event raises an exception,
which is how a Lambda function rejects one; the next event is not affected.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from aws.closed_origin import REFUSAL, ClosedOrigin
from aws.deadline import Deadline
from aws.request_records import RequestRecorder
from aws.scheduled_purge import PURGE_EVENT
from contract.api_gateway import ApiGatewayAdapter, MalformedEvent, decode_body, undecodable_body_response
from contract.problems import PROBLEM_JSON
from contract.wsgi_application import WsgiApplication

log = logging.getLogger("tackboard")

Event = Mapping[str, Any]
Response = dict[str, Any]

_WARMUP_SOURCES = ("aws.events", "serverless-plugin-warmup")
"""The sources of events that only keep a function warm."""

_HTTP_EVENT_KEYS = ("httpMethod", "requestPath")
"""Every HTTP event except those of payload 2.0 has one of these keys."""


class EventRejected(PermissionError):
    """Raised for an event that this function doesn't handle."""


class Function:
    """Handles the events of one application."""

    def __init__(
        self,
        application: WsgiApplication,
        deadline: Deadline,
        records: RequestRecorder,
        purge: Callable[[], Response],
        base_path: str = "",
        *,
        origin: ClosedOrigin | None = None,
    ) -> None:
        """Handle events of HTTP and of the schedule.

        Args:
            application: What answers requests.
            deadline: Tells the application how much time is left.
            records: Writes a line for each request.
            purge: What the schedule's event calls.
            base_path: The path that the API is mapped to on a custom domain.
            origin: Knows which requests come through the distribution; None if all others are answered, too.
        """
        self._origin = origin or ClosedOrigin()
        self._application = application
        self._gateway = ApiGatewayAdapter(application.edge, base_path)
        self._deadline = deadline
        self._records = records
        self._purge = purge

    def __call__(self, event: object, context: object) -> Response:
        """Return the response to an event. Raises EventRejected for an event that is not ours."""
        self._deadline.begin(context)
        try:
            return self._dispatch(event, context)
        except EventRejected as error:
            log.warning("An event was refused: %s", error)
            raise
        finally:
            self._deadline.end()

    def _dispatch(self, event: object, context: object) -> Response:
        if not isinstance(event, dict):
            raise EventRejected("An event is an object.")
        if "_serverless-wsgi" in event:
            # The adapter would run it in the role of the function, for anyone who may invoke it.
            raise EventRejected("Commands by event are not accepted.")
        if event == PURGE_EVENT:
            return self._purge()
        if event.get("source") in _WARMUP_SOURCES:
            return {}
        if event.get("version") == "2.0":
            return self._record(self._gateway, event, context)
        if any(isinstance(event.get(key), str) for key in _HTTP_EVENT_KEYS):
            return self._record(self.respond_with_serverless_wsgi, event, context)
        raise EventRejected("The event is neither an HTTP request nor a command of this function.")

    def _record(self, respond: Callable[[Event], Response], event: Event, context: object) -> Response:
        try:
            admitted = self._origin.admit(event)
            if admitted is None:
                return self._records.record(_refuse, event, context)
            return self._records.record(respond, admitted, context)
        except MalformedEvent as error:
            raise EventRejected(f"The event is malformed: {error}.") from None

    def respond_with_serverless_wsgi(self, event: Event) -> Response:
        """Return the response to an event that the adapter of serverless-wsgi knows."""
        import serverless_wsgi  # noqa: PLC0415 - the events of the deployment never need it.

        if PROBLEM_JSON not in serverless_wsgi.TEXT_MIME_TYPES:
            serverless_wsgi.TEXT_MIME_TYPES.append(PROBLEM_JSON)
        if decode_body(event) is None:
            return undecodable_body_response()
        try:
            answer: Response = serverless_wsgi.handle_request(self._application, event, None)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            # Whatever the application itself raises becomes an answer: this was the adapter.
            raise MalformedEvent(f"the adapter cannot read it ({type(error).__name__})") from error
        return answer


def _refuse(_: Event) -> Response:
    """Answer a request that has walked around the distribution."""
    return dict(REFUSAL)
