"""Traces by OpenTelemetry: a span for each request and each call of the store, under the trace that the client began.

Nothing here is imported unless OTEL_… asks for it. The variables are those of OpenTelemetry, which its SDK reads by
itself; this module reads only those that say whether to trace, and where to.
"""

import atexit
import logging
import threading
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from app.document import read_version
from app.setting_forms import InvalidSetting, quote
from contract.messages import HttpApplication, Request, Response
from contract.request_context import record_store_call
from contract.request_log import describe_path

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

log = logging.getLogger("tackboard")

_EXPORTER = "OTEL_TRACES_EXPORTER"
_DISABLED = "OTEL_SDK_DISABLED"
_ENDPOINT_PREFIX = "OTEL_EXPORTER_OTLP_"
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_DEFAULT_PROTOCOL = "http/protobuf"

_ENGINE_NAMES = {"dynamodb": "aws.dynamodb"}
"""How OpenTelemetry calls an engine, where that is another name than ours."""
_UNTRACED_PATHS = frozenset(("/v1/health", "/v1/ready"))
"""What supervisors request every few seconds."""
_METHODS = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_MAX_FLUSH_SECONDS = 3.0
"""How long the process waits at its end for a collector that isn't there."""
_SERVER_ERROR = 500


def is_tracing_wanted(environment: Mapping[str, str]) -> bool:
    """Return whether the environment asks for traces: by an exporter, or by where to export to."""
    exporter = environment.get(_EXPORTER, "").strip().lower()
    if exporter == "none" or environment.get(_DISABLED, "").strip().lower() == "true":
        return False
    return bool(exporter) or any(name.startswith(_ENDPOINT_PREFIX) and value for name, value in environment.items())


def open_tracing(environment: Mapping[str, str], engine: str) -> "Tracing | None":
    """Return what traces, None if the environment doesn't ask for it or OpenTelemetry isn't installed.

    `engine` is the kind of the store. Raises InvalidSetting for an exporter that there is not.
    """
    if not is_tracing_wanted(environment):
        return None
    if not _is_installed():
        log.warning(
            "OTEL_… asks for traces, which need packages that are not installed: install 'tackboard-server[tracing]'"
        )
        return None
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - it takes time, and is loaded when it is wanted.
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - as above.
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - as above.

    exporter = _load_exporter(environment)()
    attributes = {"service.version": read_version()}
    if not ("OTEL_SERVICE_NAME" in environment or "service.name=" in environment.get("OTEL_RESOURCE_ATTRIBUTES", "")):
        attributes["service.name"] = "tackboard"
    resource = Resource.create(attributes)
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    atexit.register(_shut_down, provider, exporter)
    return Tracing(provider, engine)


class Tracing:
    """Traces requests, and the calls of the store that they make. Threads may share it."""

    def __init__(self, provider: "TracerProvider", engine: str) -> None:
        """Take where spans go, and the kind of the store."""
        from opentelemetry import context, trace  # noqa: PLC0415 - as above.
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        self._trace = trace
        self._context = context
        self._propagator = TraceContextTextMapPropagator()
        self._tracer = provider.get_tracer("tackboard")
        self._engine = _ENGINE_NAMES.get(engine, engine)

    def trace(self, application: HttpApplication) -> HttpApplication:
        """Return an application that makes a span for each request."""

        def answer(request: Request) -> Response:
            if request.path in _UNTRACED_PATHS:
                return application(request)
            parent = self._propagator.extract(request.headers, context=self._context.Context())
            # The message of an exception may quote what the client has sent.
            with self._tracer.start_as_current_span(
                request.method,
                context=parent,
                kind=self._trace.SpanKind.SERVER,
                record_exception=False,
                set_status_on_exception=False,
            ) as span:
                request.context.trace_id = self._trace.format_trace_id(span.get_span_context().trace_id)
                status = _SERVER_ERROR
                try:
                    response = application(request)
                    status = response.status
                finally:
                    if span.is_recording():
                        self._describe(span, request, status)
                return response

        return answer

    def record_store_call(self, kind: str, seconds: float, waited_seconds: float) -> None:
        """Add a call of the store to the current request and, if that is traced, to its trace."""
        record_store_call(kind, seconds, waited_seconds)
        if not self._trace.get_current_span().is_recording():
            return
        ended_at = time.time_ns()
        span = self._tracer.start_span(
            f"store {kind}",
            kind=self._trace.SpanKind.CLIENT,
            start_time=ended_at - int(seconds * 1e9),
            attributes={
                "db.system.name": self._engine,
                "db.operation.name": kind,
                "tackboard.lock_ms": round(waited_seconds * 1000, 3),
            },
        )
        span.end(ended_at)

    def _describe(self, span: "Span", request: Request, status: int) -> None:
        """Name a span, and give it attributes. None of them has a query, a body or a header of the client."""
        context = request.context
        method = request.method if request.method in _METHODS else "_OTHER"
        attributes: dict[str, Any] = {
            "http.request.method": method,
            "http.response.status_code": status,
            "url.scheme": "https" if context.is_https else "http",
            "url.path": describe_path(context),
            "client.address": context.address,
            "user.id": context.caller.user_id if context.caller else None,
            "tackboard.request_id": context.request_id,
            "tackboard.retries": context.retries or None,
        }
        name = "HTTP" if method == "_OTHER" else method
        if context.operation is not None:
            attributes["http.route"] = context.operation.path
            attributes["tackboard.operation"] = context.operation.id
            name = f"{name} {context.operation.path}"
        if status >= _SERVER_ERROR:
            attributes["error.type"] = str(status)
            span.set_status(self._trace.StatusCode.ERROR)
        span.update_name(name)
        span.set_attributes({name: value for name, value in attributes.items() if value})


def _is_installed() -> bool:
    try:
        return find_spec("opentelemetry.sdk") is not None
    except ModuleNotFoundError:
        return False


def _load_exporter(environment: Mapping[str, str]) -> Callable[[], Any]:
    """Return what makes the exporter that the environment names. Raises InvalidSetting."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - as above.

    name = environment.get(_EXPORTER, "").strip().lower() or "otlp"
    entry_name = name
    if name == "otlp":
        protocol = next(filter(None, map(environment.get, _PROTOCOLS)), _DEFAULT_PROTOCOL)
        entry_name = f"otlp_proto_{protocol.partition('/')[0]}"
    for entry in entry_points(group="opentelemetry_traces_exporter", name=entry_name):
        exporter: Callable[[], Any] = entry.load()
        return exporter
    installed = " or ".join(sorted(entry_points(group="opentelemetry_traces_exporter").names))
    raise InvalidSetting(f"{_EXPORTER} is {quote(name)}, which needs '{entry_name}', but installed is {installed}.")


def _shut_down(provider: "TracerProvider", exporter: Any) -> None:
    """Send what is left to send, and don't wait long for a collector that isn't there."""
    timer = threading.Timer(_MAX_FLUSH_SECONDS, exporter.shutdown)
    timer.daemon = True
    timer.start()
    provider.shutdown()
    timer.cancel()
