"""Lines of a log, as JSON or as text: what was done and how it went, never with what.

No line holds a body, a query, a token or the text of an exception that isn't ours.
"""

import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from contract.request_context import get_from_request_context

LogLine = Mapping[str, Any]

_OWN_PACKAGES = ("app", "aws", "contract", "handlers", "kanban", "stores", "usecases")
"""Where exceptions come from whose texts are written for operators; any other may hold a client's words."""

# Clients may choose the id of a request: one in which they put a token stays out.
REQUEST_ID = re.compile(r"((?!.*tkb_)[A-Za-z0-9._-]{1,64}=?)")

_POSITIONAL_FIELDS = ("time", "level", "method", "path", "status", "ms", "bytes", "logger", "message", "trace")
"""Fields that have their place in a line of text; the others follow by name."""


def match_whole(pattern: re.Pattern[str], text: object) -> str | None:
    """Return the group of a text that fits the pattern as a whole, else None."""
    match = pattern.fullmatch(text) if isinstance(text, str) else None
    return match.group(1) if match else None


def format_as_json(line: LogLine) -> str:
    """Write a line as JSON."""
    return json.dumps(line, separators=(",", ":"))


def format_as_text(line: LogLine) -> str:
    """Write a line for people, with the frames of a traceback below it."""
    if "status" in line:
        told = [
            line.get("method", "-"),
            line.get("path", "-"),
            line["status"],
            f"{line['ms']} ms",
            f"{line['bytes']} B",
        ]
    else:
        told = [f"{line['logger']}: {line['message']}"]
    others = [f"{name}={value}" for name, value in line.items() if name not in _POSITIONAL_FIELDS]
    head = " ".join(map(str, (line["time"], f"{line['level']:<5}", *told, *others)))
    return "\n    ".join((head, *line.get("trace", ())))


FORMATTERS: Mapping[str, Callable[[LogLine], str]] = {"json": format_as_json, "text": format_as_text}
"""How a line can be written, by the value of LOG_FORMAT."""


class LogLineFormatter(logging.Formatter):
    """A record of the standard library's logging as a line, with the id of the request that it belongs to.

    Of an exception that isn't ours it says the kind and the place, not the text, which may hold what a client sent.
    """

    def __init__(self, format_line: Callable[[LogLine], str] = format_as_json) -> None:
        super().__init__()
        self._format_line = format_line

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        arguments = record.args if isinstance(record.args, tuple) else ()
        message = record.msg % tuple(_redact(argument) for argument in arguments) if arguments else str(record.msg)
        request_id = match_whole(REQUEST_ID, get_from_request_context("request_id"))
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
    """Write everything that is logged as such lines, and nothing in any other way."""
    handler = logging.StreamHandler(out)
    handler.setFormatter(LogLineFormatter(format_line))
    logging.getLogger().handlers[:] = [handler]


def build_stderr_writer(format_line: Callable[[LogLine], str]) -> Callable[[LogLine], None]:
    """Return what writes lines to standard error, each at once. A log that can't be written is no reason to fail."""
    try:
        descriptor = sys.stderr.fileno()
    except (AttributeError, OSError):
        return lambda _: None

    def write(line: LogLine) -> None:
        try:
            os.write(descriptor, f"{format_line(line)}\n".encode())
        except OSError:
            # Nobody reads the log any more: there is nowhere to say so.
            return

    return write


def _redact(argument: object) -> object:
    if not isinstance(argument, BaseException):
        return argument
    kind = type(argument)
    return argument if kind.__module__.partition(".")[0] in _OWN_PACKAGES else kind.__name__
