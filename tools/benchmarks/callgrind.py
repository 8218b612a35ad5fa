"""Count the instructions of a program with callgrind, which repeats itself where time does not.

A program marks a moment by calling `os.getsid`, which none of ours does otherwise: callgrind then writes what it has
counted since the last mark. `Counts` reads what it wrote.
"""

import platform
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_OPTIONS = ("--tool=callgrind", "--dump-before=getsid", "--dump-line=no")
_NAME_PATTERN = re.compile(r"\((\d+)\)(?: (.*))?")


class CallgrindMissing(SystemExit):
    """Raised where valgrind isn't installed."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Instructions between two marks, in total and by function of the machine's code."""

    total: int
    functions: Counter[str]


def add_counts(counts: Iterable[Counts]) -> Counts:
    """Return the sum of counts."""
    all_counts = list(counts)
    return Counts(
        sum(part.total for part in all_counts), sum((part.functions for part in all_counts), start=Counter[str]())
    )


def build_command(output: Path) -> list[str]:
    """Return the command that runs a program under callgrind, which writes to files that begin with this path."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise CallgrindMissing("Instructions are counted by valgrind: apt-get install valgrind.")
    return [valgrind, *_OPTIONS, f"--callgrind-out-file={output}", f"--log-file={output}.log"]


def read_counts(output: Path, mark: int) -> Counts:
    """Return what was counted before a mark, numbered from 1, and since the mark before it."""
    text = Path(f"{output}.{mark}").read_text(errors="replace")
    summary = re.search(r"^summary: (\d+)", text, re.MULTILINE)
    if summary is None:
        raise SystemExit(f"callgrind wrote nothing about mark {mark}: see {output}.log")
    return Counts(int(summary[1]), _read_functions(text))


def _read_functions(text: str) -> Counter[str]:
    """Add up the instructions of each function, without those of the functions that it calls."""
    functions: Counter[str] = Counter()
    names: dict[tuple[str, str], str] = {}
    program, function, is_call = "", "", False
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key in {"ob", "fn"}:
            name = _resolve_name(key, value, names)
            program, function = (name, function) if key == "ob" else (program, name)
        elif key in {"cob", "cfn", "fl", "fi", "fe", "cfi", "cfl"}:
            _resolve_name(key.removeprefix("c") if key in {"cob", "cfn"} else "fl", value, names)
        elif key == "calls":
            is_call = True
        elif line[:1].isdigit() or line[:1] in {"+", "-", "*"}:
            if not is_call:
                functions[_describe(program, function)] += int(line.split()[-1])
            is_call = False
    return functions


def _resolve_name(kind: str, value: str, names: dict[tuple[str, str], str]) -> str:
    """Return the name that a line gives, which is written out only where it first occurs."""
    match = _NAME_PATTERN.fullmatch(value)
    if match is None:
        return value
    number, name = match.groups()
    if name is not None:
        names[kind, number] = name
    return names.get((kind, number), number)


def _describe(program: str, function: str) -> str:
    """Name a function with its program; of a program without symbols, only the program."""
    name = Path(program).name
    # callgrind appends "'2" to a function that calls itself.
    has_name = not function.startswith(("0x", "???"))
    return name + ":" + function.partition("'")[0] if has_name else name


def describe_build() -> str:
    """Name this build of Python and the machine's code below it: instructions can only be compared within one."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    library = " ".join(platform.libc_ver())
    return f"{python}, {platform.python_compiler()}, {library}, SQLite {sqlite3.sqlite_version}, {platform.machine()}"
