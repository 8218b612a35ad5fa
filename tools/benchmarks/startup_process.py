"""A fresh process of `make coldstart`: import, first request, many more; prints the CPU time of each.

It runs under an isolated Python and imports nothing of the project but what stands first on the path that it is given.
Usage: startup_process.py path:path module event
"""

import json
import logging
import resource
import sys
from importlib import import_module

WARM_REQUESTS = 200


def read_cpu_seconds() -> float:
    """Seconds of CPU, user and system, of this process from its very beginning, all threads together."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Context:
    """As much of Lambda's as the peers look at."""

    function_name = "bench"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:bench"
    aws_request_id = "0"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """All the time of an invocation."""
        return 15_000


def main(path: str, module: str, event_json: str) -> None:
    """Start, ask, ask again, and say what that took."""
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
