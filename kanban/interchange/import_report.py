"""The report of an import: how many things were imported, and which were left out or changed."""

from collections import Counter
from dataclasses import dataclass, field

COUNTED_KINDS = ("lists", "cards", "labels", "checklists", "comments", "time_entries")
"""The kinds of things that are counted."""

MAX_LINES = 200
"""Lines of a report; further lines are only counted."""

_MAX_NAME_LENGTH = 200
"""Characters of a name in a report, so that the whole report fits into a stored response on every engine."""


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One thing that was left out or changed.

    `kind` is 'card', 'label', …; `name` is shortened if it is very long, and may be empty.
    """

    kind: str
    name: str
    message: str


@dataclass(slots=True)
class ImportReport:
    """The report, filled during an import.

    `counts` counts the imported things by kind, `omitted_lines` the lines beyond MAX_LINES.
    """

    counts: Counter[str] = field(default_factory=Counter)
    lines: list[ReportLine] = field(default_factory=list)
    omitted_lines: int = 0

    def add_line(self, kind: str, name: str, message: str) -> None:
        """Add a line."""
        if len(self.lines) < MAX_LINES:
            short_name = name if len(name) <= _MAX_NAME_LENGTH else f"{name[: _MAX_NAME_LENGTH - 1]}…"
            self.lines.append(ReportLine(kind, short_name, message))
        else:
            self.omitted_lines += 1

    def add_truncated_comments(self, title: str, count: int) -> None:
        """Add a line for the card of that title if `count` of its comments were cut."""
        if count:
            message = f"{count} of its comments had to be cut: with the names of their authors they were too long."
            self.add_line("card", title, message)

    def add_truncated_notes(self, title: str, count: int) -> None:
        """Add a line for the card of that title if `count` notes of its time entries were cut."""
        if count:
            message = (
                f"{count} of the notes of its time entries had to be cut: "
                "with the names of their users they were too long."
            )
            self.add_line("card", title, message)
