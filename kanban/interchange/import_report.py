"""What became of an import: what came over, and, item by item, what did not or not as it was."""

from collections import Counter
from dataclasses import dataclass, field

COUNTED_KINDS = ("lists", "cards", "labels", "checklists", "comments", "time_entries")
"""What is counted."""

MAX_LINES = 200
"""Lines of a report; the rest are counted."""

_MAX_NAME_LENGTH = 200
"""Characters of a name in a report: so that all of it can be remembered as the answer, on every engine."""


@dataclass(frozen=True, slots=True)
class ReportLine:
    """Something that was left out or changed.

    `kind` is 'card', 'label', …; `name` what it is called, cut where it is very long, may be empty.
    """

    kind: str
    name: str
    message: str


@dataclass(slots=True)
class ImportReport:
    """Filled while an import is decided. `brought` counts each of KINDS, `unlisted` the lines beyond MAX_LINES."""

    counts: Counter[str] = field(default_factory=Counter)
    lines: list[ReportLine] = field(default_factory=list)
    omitted_lines: int = 0

    def add_line(self, kind: str, name: str, message: str) -> None:
        """Add a line."""
        if len(self.lines) < MAX_LINES:
            shown = name if len(name) <= _MAX_NAME_LENGTH else f"{name[: _MAX_NAME_LENGTH - 1]}…"
            self.lines.append(ReportLine(kind, shown, message))
        else:
            self.omitted_lines += 1

    def add_truncated_comments(self, title: str, count: int) -> None:
        """Add a line for the card of that title, if so many of its comments lost their end."""
        if count:
            message = f"{count} of its comments lost their end: with the name of who wrote them they were too long."
            self.add_line("card", title, message)

    def add_truncated_notes(self, title: str, count: int) -> None:
        """Add a line for the card of that title, if so many notes of its time entries lost their end."""
        if count:
            message = (
                f"{count} notes of its time entries lost their end: with the name of who worked they were too long."
            )
            self.add_line("card", title, message)
