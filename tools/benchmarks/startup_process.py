"""A new process of `make coldstart`: import, handle one request, then many more. Prints the CPU time of each.

It runs in an isolated Python, and imports the project only from the path that it is called with.
Usage: startup_process.py path:path module event
"""

import json
import logging
import resource
import sys
from importlib import import_module

WARM_REQUESTS = 200


def read_cpu_seconds() -> float:
    """Return the CPU seconds, user and system, of all threads since the process began."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


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


def main(path: str, module: str, event_json: str) -> None:
    """Import the module, send it the event once, then many times, and print what each took."""
    sys.path[:0] = path.split(":")
    event, out = json.loads(event_json), sys.stdout
    sys.stdout = sys.stderr
    handler = import_module(module).handler
    imported = read_cpu_seconds()
    answer = handler(event, Context())
    answered = read_cpu_seconds()
    if answer["statusCode"] != 200:  # noqa: PLR2004 - OK.
        raise SystemExit(f"{module} answered {answer['statusCode']}: {answer.get('body', '')[:300]}")
    logging.disable()
    for _ in range(WARM_REQUESTS):
        handler(event, Context())
    warm = (read_cpu_seconds() - answered) / WARM_REQUESTS
    out.write(json.dumps({"import": imported, "first": answered - imported, "warm": warm}))


if __name__ == "__main__":
    main(*sys.argv[1:])
