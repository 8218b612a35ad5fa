"""Findings: what is wrong with the document, and in which line of which source file."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "spec"
SPEC_FILE = SPEC / "openapi.yaml"
BUNDLE = SPEC / "dist" / "openapi.json"

Pointer = tuple[str | int, ...]
"""The path to a node of a document: the parts of a JSON Pointer."""


@dataclass(frozen=True, slots=True, order=True)
class SourceLocation:
    """A line of a file. Lines and columns are counted from one."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """What a check says about a line of a source file."""

    location: SourceLocation
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.location}: {self.message} [{self.rule}]"


@dataclass(frozen=True, slots=True)
class BundleFinding:
    """What a check says about a part of the bundle, before its source line is known."""

    pointer: Pointer
    rule: str
    message: str
