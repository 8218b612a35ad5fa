"""Independent judges of recorded traffic: openapi-core and Prism, each with its own pins in `judges/`."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.clients import MADE, ClientFailed, environment, packages, run
from pipeline.findings import BUNDLE, ROOT

SOURCES = ROOT / "judges"


def verdicts(traffic: Path) -> Iterator[tuple[bool, str]]:
    """For each judge, whether it agrees with all of the traffic, and what it says."""
    for judge in (_openapi_core, _prism):
        yield _heard(judge, traffic)


def _heard(judge: Callable[[Path], str], traffic: Path) -> tuple[bool, str]:
    try:
        return True, judge(traffic).strip()
    except ClientFailed as failure:
        return False, str(failure)


def _openapi_core(traffic: Path) -> str:
    interpreter = environment(MADE / "judge", SOURCES / "requirements.txt")
    return run(str(interpreter), str(SOURCES / "core.py"), str(BUNDLE), str(traffic), folder=MADE)


def _prism(traffic: Path) -> str:
    program = packages("prism", SOURCES) / "prism"
    return run(sys.executable, str(SOURCES / "prism.py"), str(program), str(BUNDLE), str(traffic), folder=MADE)
