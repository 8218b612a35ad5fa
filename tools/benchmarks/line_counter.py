"""Count the lines that each Python function runs: callgrind sees only functions of the machine's code.

Lines repeat themselves as instructions do, and need no valgrind. They say which function does more than before.
"""

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

_ROOT = f"{Path(__file__).parents[2]}/"
_PACKAGE_PATTERN = re.compile(r".*/(?:site-packages|python3\.\d+)/")


@contextmanager
def count_lines() -> Iterator[Counter[CodeType]]:
    """Yield a counter, which has the lines of each function when the block ends."""
    lines: Counter[CodeType] = Counter()

    def trace_line(frame: FrameType, event: str, _: Any) -> Callable[..., Any]:
        if event == "line":
            lines[frame.f_code] += 1
        return trace_line

    sys.settrace(trace_line)
    try:
        yield lines
    finally:
        sys.settrace(None)


def name_functions(lines: Counter[CodeType]) -> dict[str, int]:
    """Return the lines by the names of the functions: 'contract/edge.py:Edge.__call__'."""
    names: Counter[str] = Counter()
    for code, count in lines.items():
        file = _PACKAGE_PATTERN.sub("", code.co_filename.removeprefix(_ROOT))
        names[f"{file}:{code.co_qualname}"] += count
    return dict(names)
