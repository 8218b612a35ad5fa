"""Run one contender in a process of its own: read the name of a request from standard input, print its CPU time.

Usage: python -m tools.benchmarks.worker module:function [folder with more packages]
"""

import json
import sys
import time
from importlib import import_module

EXPECTED_STATUSES = {"GET one card": {200}, "POST a card": {201}, "POST -> 400": {400, 422}, "list of 50 cards": {200}}


def main(contender: str) -> None:
    """Warm up, print "ready", then measure each line of standard input: `{"case": …, "times": …}`."""
    from tools.benchmarks.benchmark_board import BenchmarkBoard  # noqa: PLC0415 - its packages may be in the folder that was added.

    module, _, function = contender.partition(":")
    scene = BenchmarkBoard()
    handle = getattr(import_module(module), function)(scene)
    events = scene.events()
    for name, event in events.items():
        answer = handle(event)
        if answer["statusCode"] not in EXPECTED_STATUSES[name]:
            raise SystemExit(f"{contender}: {name} answered {answer['statusCode']}: {answer['body'][:300]}")
        for _ in range(30):
            handle(event)
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        event, times = events[command["case"]], command["times"]
        before = time.process_time()
        for _ in range(times):
            handle(event)
        print(json.dumps((time.process_time() - before) / times * 1e6), flush=True)


if __name__ == "__main__":
    sys.path.extend(sys.argv[2:])
    main(sys.argv[1])
