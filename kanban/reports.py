"""What became of an import: what came over, and, item by item, what did not or not as it was."""

from collections import Counter
from dataclasses import dataclass, field

KINDS = ("lists", "cards", "labels", "checklists", "comments", "time_entries")
"""What is counted."""

MOST_LINES = 200
"""Lines of a report; the rest are counted."""

_LONGEST_NAME = 200
"""Characters of a name in a report: so that all of it can be remembered as the answer, on every engine."""


@dataclass(frozen=True, slots=True)
class Line:
    """Something that was left out or changed.

    `kind` is 'card', 'label', …; `name` what it is called, cut where it is very long, may be empty.
    """

    kind: str
    name: str
    message: str


@dataclass(slots=True)
class Report:
    """Filled while an import is decided. `brought` counts each of KINDS, `unlisted` the lines beyond MOST_LINES."""

    brought: Counter[str] = field(default_factory=Counter)
    lines: list[Line] = field(default_factory=list)
    unlisted: int = 0

    def tell(self, kind: str, name: str, message: str) -> None:
        """Add a line."""
        if len(self.lines) < MOST_LINES:
            shown = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
            self.lines.append(Line(kind, shown, message))
        else:
            self.unlisted += 1

    def tell_of_cut_comments(self, title: str, count: int) -> None:
        """Add a line for the card of that title, if so many of its comments lost their end."""
        if count:
            message = f"{count} of its comments lost their end: with the name of who wrote them they were too long."
            self.tell("card", title, message)

    def tell_of_cut_notes(self, title: str, count: int) -> None:
        """Add a line for the card of that title, if so many notes of its time entries lost their end."""
        if count:
            message = (
                f"{count} notes of its time entries lost their end: with the name of who worked they were too long."
            )
            self.tell("card", title, message)
