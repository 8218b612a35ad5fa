"""One contender in a process of its own: reads the name of a request from standard input, answers its CPU time.

Usage: python -m tools.benchmarks.worker module:function [folder with more packages]
"""

import json
import sys
import time
from importlib import import_module

EXPECTED_STATUSES = {"GET one card": {200}, "POST a card": {201}, "POST -> 400": {400, 422}, "list of 50 cards": {200}}


def main(contender: str) -> None:
    """Warm up, say so, then measure whatever is asked for: `{"case": …, "times": …}` a line."""
    from tools.benchmarks.benchmark_board import BenchmarkBoard  # noqa: PLC0415 - what it needs may stand in the folder that was added.

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
        asked = json.loads(line)
        event, times = events[asked["case"]], asked["times"]
        before = time.process_time()
        for _ in range(times):
            handle(event)
        print(json.dumps((time.process_time() - before) / times * 1e6), flush=True)


if __name__ == "__main__":
    sys.path.extend(sys.argv[2:])
    main(sys.argv[1])
