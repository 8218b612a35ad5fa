"""Write a line of JSON when a task of a schedule has ended well, from which CloudWatch makes a metric.

A task that fails, or that no schedule starts any more, writes none: that is what the alarms PurgeMissing and
ReadersMissing notice.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from contract.log_lines import encode_as_json

METRIC = "Completions"


class TaskRecorder:
    """Writes a line for each task that has ended well."""

    def __init__(self, stage: str, clock: Callable[[], datetime], write: Callable[[bytes], object]) -> None:
        self._stage = stage
        self._clock = clock
        self._write = write

    def bind(self, task: str) -> Callable[[], None]:
        """Return a function that records that a task has ended well."""
        return partial(self._record, task)

    def _record(self, task: str) -> None:
        now = self._clock()
        directive = {
            "Namespace": "Tackboard",
            "Dimensions": [["Stage", "Task"]],
            "Metrics": [{"Name": METRIC, "Unit": "Count"}],
        }
        line: dict[str, Any] = {
            "time": now.isoformat(timespec="milliseconds"),
            "level": "INFO",
            "message": "task",
            "_aws": {"Timestamp": int(now.timestamp() * 1000), "CloudWatchMetrics": [directive]},
            "Stage": self._stage,
            "Task": task,
            METRIC: 1,
        }
        self._write(encode_as_json(line))
