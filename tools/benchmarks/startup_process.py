"""A new process of `make coldstart`: import, handle one request, then many more. Prints the CPU seconds of each.

It runs in a Python without site packages, and imports the project only from the path that it is called with. Before
and after each step it marks the moment by asking for its session, so that callgrind can count the instructions of the
step. With "lines" as its last argument, it prints how many lines each function ran instead.
Usage: startup_process.py path:path module event times [lines]
"""

import gc
import json
import logging
import os
import resource
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

WARM_UP = 8
"""How many requests come between the first and those that are measured."""


def read_cpu_seconds() -> float:
    """Return the CPU seconds, user and system, of all threads since the process began."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure_seconds(run: Callable[[], object], *, since: float | None = None) -> float:
    """Return the CPU seconds of a step; with `since`, from that moment on."""
    began = read_cpu_seconds() if since is None else since
    os.getsid(0)
    run()
    os.getsid(0)
    return read_cpu_seconds() - began


def measure_lines(run: Callable[[], object], *, since: float | None = None) -> Any:  # noqa: ARG001
    """Return how many lines each function runs in a step."""
    # Importable only now that the path of the project is set.
    from tools.benchmarks.line_counter import count_lines, name_functions  # noqa: PLC0415

    with count_lines() as lines:
        run()
    return name_functions(lines)


class Context:
    """The part of Lambda's context that the peers read."""

    function_name = "bench"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:bench"
    aws_request_id = "0"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Return the time of a whole invocation."""
        return 15_000


def main(path: str, module: str, event_json: str, times: str, instrument: str = "seconds") -> None:
    """Import the module, send it the event once, then many times, and print what each took."""
    sys.path[:0] = path.split(":")
    event, out = json.loads(event_json), sys.stdout
    sys.stdout = sys.stderr
    measure = measure_lines if instrument == "lines" else measure_seconds

    def send(times: int) -> None:
        handler = import_module(module).handler
        for _ in range(times):
            response = handler(event, Context())
            if response["statusCode"] != 200:  # noqa: PLR2004 - OK.
                raise SystemExit(f"{module} answered {response['statusCode']}: {response.get('body', '')[:300]}")

    imported = measure(lambda: import_module(module), since=0.0)
    first = measure(lambda: send(1))
    logging.disable()
    send(WARM_UP)
    gc.collect()
    warm = measure(lambda: send(int(times)))
    out.write(json.dumps({"import": imported, "first": first, "warm": warm}))


if __name__ == "__main__":
    main(*sys.argv[1:])
