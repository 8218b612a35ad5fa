"""Format log lines as JSON or as text.

No line contains a body, a query, a token, or the message of an exception that other packages raised.
"""

import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson

from contract.request_context import get_request_context

log = logging.getLogger("tackboard")

LogLine = Mapping[str, Any]

_OWN_PACKAGES = ("app", "aws", "contract", "delivery", "handlers", "kanban", "readers", "stores", "usecases")
"""Packages whose exception messages are written for operators. Any other message may quote client input."""

# Clients may choose the request id. One that contains a token is left out.
REQUEST_ID = re.compile(r"((?!.*tkb_)[A-Za-z0-9._-]{1,64}=?)")

_POSITIONAL_FIELDS = ("time", "level", "method", "path", "status", "ms", "bytes", "logger", "message", "trace")
"""Fields with a fixed position in a text line. All others follow as name=value."""


def match_whole(pattern: re.Pattern[str], text: object) -> str | None:
    """Return group 1 if the pattern matches the whole text, else None."""
    match = pattern.fullmatch(text) if isinstance(text, str) else None
    return match.group(1) if match else None


def format_as_json(line: LogLine) -> str:
    """Format a line as JSON."""
    return orjson.dumps(line).decode()


def encode_as_json(line: LogLine) -> bytes:
    """Encode a line as JSON, with a line feed at its end."""
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def encode_constant(value: object) -> orjson.Fragment:
    """Encode a part that many lines have, for lines that are written as JSON."""
    return orjson.Fragment(orjson.dumps(value))


def format_as_text(line: LogLine) -> str:
    """Format a line for people, with the frames of a traceback below it."""
    if "status" in line:
        main_fields = [
            line.get("method", "-"),
            line.get("path", "-"),
            line["status"],
            f"{line['ms']} ms",
            f"{line['bytes']} B",
        ]
    else:
        main_fields = [f"{line['logger']}: {line['message']}"]
    other_fields = [f"{name}={value}" for name, value in line.items() if name not in _POSITIONAL_FIELDS]
    head = " ".join(map(str, (line["time"], f"{line['level']:<5}", *main_fields, *other_fields)))
    return "\n    ".join((head, *line.get("trace", ())))


FORMATTERS: Mapping[str, Callable[[LogLine], str]] = {"json": format_as_json, "text": format_as_text}
"""The formatters by value of LOG_FORMAT."""


LEVELS: Mapping[str, frozenset[str]] = {
    "info": frozenset(("INFO", "WARNING", "ERROR")),
    "warning": frozenset(("WARNING", "ERROR")),
    "error": frozenset(("ERROR",)),
}
"""The levels of the lines about requests that are written, by value of LOG_LEVEL."""


class LogLineFormatter(logging.Formatter):
    """Format records of the standard library's logging as log lines, with the id of the current request.

    For an exception of another package the line has its type and traceback, but not its message, which may quote
    client input.
    """

    def __init__(self, format_line: Callable[[LogLine], str] = format_as_json) -> None:
        super().__init__()
        self._format_line = format_line

    def format(self, record: logging.LogRecord) -> str:
        """Return the formatted line of a record."""
        arguments = record.args if isinstance(record.args, tuple) else ()
        message = record.msg % tuple(_redact(argument) for argument in arguments) if arguments else str(record.msg)
        request_id = match_whole(REQUEST_ID, get_request_context().request_id)
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": message,
            **({"request_id": request_id} if request_id else {}),
        }
        if record.exc_info and record.exc_info[1]:
            line["trace"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(record.exc_info[1].__traceback__)
            ]
        return self._format_line(line)


def configure_root_logger(out: TextIO, format_line: Callable[[LogLine], str]) -> None:
    """Make the root logger write log lines to `out`, replacing all its handlers."""
    handler = logging.StreamHandler(out)
    handler.setFormatter(LogLineFormatter(format_line))
    logging.getLogger().handlers[:] = [handler]


def set_log_level(name: str) -> None:
    """Let our own logger write from a level on, `info`, `warning` or `error`; those of packages only warnings."""
    level = logging.getLevelNamesMapping()[name.upper()]
    logging.getLogger().setLevel(max(level, logging.WARNING))
    log.setLevel(level)


def build_stderr_writer(format_line: Callable[[LogLine], str]) -> Callable[[LogLine], None]:
    """Return a function that writes each line to standard error, unbuffered, and ignores failed writes."""
    try:
        descriptor = sys.stderr.fileno()
    except (AttributeError, OSError):
        return lambda _: None

    def write(line: LogLine) -> None:
        try:
            os.write(descriptor, f"{format_line(line)}\n".encode())
        except OSError:
            # The reader of the log is gone, and there is no other place to report that.
            return

    return write


def _redact(argument: object) -> object:
    if not isinstance(argument, BaseException):
        return argument
    error_type = type(argument)
    return argument if error_type.__module__.partition(".")[0] in _OWN_PACKAGES else error_type.__name__
