"""The WSGI application for servers to import: `wsgi:application`.

Importing it opens `store` as `tackboard run` does: a missing store is created, an older one is brought up to date.
Settings come from the environment, and from the file that TACKBOARD_CONFIG names (docs/settings.md); an invalid one
raises InvalidSetting with one sentence.
"""

import logging
import os
import sys
import time

from app.configuration import add_file, read_app_settings, read_log_format, read_slow_seconds
from app.factory import create_app
from app.job_runner import build_job_runner
from app.reader_runner import build_runner, build_segment_builder
from app.settings import LOG_LEVEL, STORE_URL
from app.tracing import open_tracing
from app.wall_clock import utc_now
from contract.log_lines import FORMATTERS, LEVELS, build_stderr_writer, configure_root_logger, set_log_level
from contract.request_context import record_store_call
from contract.request_log import RequestLog
from stores import open_store

_environment = add_file(os.environ)
_settings = read_app_settings(_environment)
_format_line = FORMATTERS[read_log_format(_environment, is_terminal=bool(sys.stderr and sys.stderr.isatty()))]

_log_level = LOG_LEVEL.read(_environment)
_slow_seconds = read_slow_seconds(_environment)

# A server that has set up logging keeps its own.
if not logging.getLogger().handlers:
    configure_root_logger(sys.stderr, _format_line)
    set_log_level(_log_level)

_store_url = STORE_URL.read(_environment)
_tracing = open_tracing(os.environ, _store_url.partition(":")[0].partition("+")[0])

store = open_store(_store_url, on_call=_tracing.record_store_call if _tracing else record_store_call)

if _tracing:
    _settings["trace"] = _tracing.trace
_unlogged = create_app(store, **_settings)

edge = _unlogged.edge
"""What a server calls that writes the request log by itself, with `application`."""
reader_runner = build_runner(store, _settings["webhook_policy"])
"""Delivers webhooks when it is run. `make run` does that; beside another server, `make readers` does it."""

job_runner = build_job_runner(store)
"""Runs jobs, such as the deletion of a user, in the same way."""

segment_builder = build_segment_builder(store)
"""Prepares events for reports, in the same way."""

application = RequestLog(
    _unlogged,
    utc_now,
    time.perf_counter,
    build_stderr_writer(_format_line),
    levels=LEVELS[_log_level],
    slow_seconds=_slow_seconds,
)
