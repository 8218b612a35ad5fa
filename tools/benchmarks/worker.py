"""Run one contender in a process of its own, and send it requests as standard input says.

Usage: python -m tools.benchmarks.worker module:function scenes [folder with more packages]

`scenes` is a JSON object with the scene of each kind of work; that of a contender with its own work is named ''.

A line `{"work": …, "shape": …, "times": …, "instrument": …}` is answered with the CPU microseconds of one request; if
it has no shape, the contender is only loaded. With the instrument "lines", the answer is how many lines each function
ran. Before and after what is measured the process marks the moment by asking for its session, which it does at no other
time: `tools.benchmarks.callgrind` counts the instructions in between.
"""

import gc
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from random import Random
from typing import Any

from tools.benchmarks.line_counter import count_lines, name_functions
from tools.benchmarks.scene import OUR_SHAPES, Event, Handler, Scene

WARM_UP = 8
"""How many requests of a shape come before those that are measured."""

WORK = {
    "product": "tools.benchmarks.work:ProductWork",
    "own": "tools.benchmarks.peers.own_queries:with_sqlalchemy",
    "by hand": "tools.benchmarks.peers.own_queries:by_hand",
}
"""The kinds of work that a contender can be put around."""


def mark() -> None:
    """Mark this moment for callgrind."""
    os.getsid(0)


def load(reference: str) -> Any:
    """Return what a reference 'module:name' names."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)


class Contender:
    """A contender around each kind of work, opened when it is first needed."""

    def __init__(self, reference: str, scenes: Mapping[str, Scene]) -> None:
        self._reference = reference
        self._scenes = scenes
        self._handlers: dict[str, Handler] = {}

    def open(self, work: str) -> Handler:
        """Return the handler of events around that work; '' for a contender that brings its own."""
        if work not in self._handlers:
            build, scene = load(self._reference), self._scenes[work]
            self._handlers[work] = build(scene, load(WORK[work])) if work else build(scene)
        return self._handlers[work]

    def warm_up(self, work: str, shape_name: str) -> tuple[Handler, list[Event]]:
        """Send the events of a shape a few times, check the responses, and return the handler and the events."""
        handle, shape = self.open(work), OUR_SHAPES[shape_name]
        events = shape.build_events(self._scenes[work])
        for event in events * -(-WARM_UP // len(events)):
            response = handle(event)
            if response["statusCode"] not in shape.statuses:
                raise SystemExit(
                    f"{self._reference}: {shape_name} answered {response['statusCode']}: {response['body'][:300]}"
                )
        return handle, events


def send_all(handle: Handler, events: list[Event], times: int) -> None:
    """Send so many of the events, in turns."""
    for number in range(times):
        handle(events[number % len(events)])


def measure(run: Callable[[], object], times: int, instrument: str | None) -> Any:
    """Run what is measured, and return what the instrument saw: without one, the CPU microseconds of one time."""
    if instrument == "lines":
        with count_lines() as lines:
            run()
        return name_functions(lines)
    began = time.process_time()
    mark()
    run()
    mark()
    return (time.process_time() - began) / times * 1e6


def main(reference: str, scenes_text: str) -> None:
    """Print "ready", then measure what each line of standard input says."""
    # Ids are then the same in every run, and so is the work of storing them.
    os.urandom = Random(1).randbytes  # noqa: S311
    scenes = {work: Scene(**scene) for work, scene in json.loads(scenes_text).items()}
    contender, out = Contender(reference, scenes), sys.stdout
    print(json.dumps("ready"), file=out, flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        work, times = command["work"], command["times"]
        run: Callable[[], object] = partial(contender.open, work)
        if shape := command["shape"]:
            run = partial(send_all, *contender.warm_up(work, shape), times)
            gc.collect()
        if shape and command["instrument"]:
            # When the collector runs depends on all that came before, so it would make the counts of one shape differ.
            gc.freeze()
            gc.disable()
        print(json.dumps(measure(run, times, command["instrument"])), file=out, flush=True)


if __name__ == "__main__":
    sys.path.extend(sys.argv[3:])
    main(sys.argv[1], sys.argv[2])
