"""A finding: what is wrong with the document, and the line of the source file in which it stands."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "spec"
SPEC_FILE = SPEC / "openapi.yaml"
BUNDLE = SPEC / "dist" / "openapi.json"

Pointer = tuple[str | int, ...]
"""Where something stands in a document, step by step."""


@dataclass(frozen=True, slots=True, order=True)
class SourceLocation:
    """A line of a file; lines and columns are counted from one."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """What a gate says about a place."""

    location: SourceLocation
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.location}: {self.message} [{self.rule}]"


@dataclass(frozen=True, slots=True)
class BundleFinding:
    """What a gate says about a place of the bundle, before anyone has looked up where that was written."""

    pointer: Pointer
    rule: str
    message: str
