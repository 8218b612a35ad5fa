"""Write docs/settings.md, the list of all settings: `.venv/bin/python -m tools.settings_page`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.settings import SETTINGS_BY_SUBJECT, Setting

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"

_HEAD = """\
# Settings

<!-- Written by `python -m tools.settings_page` from app/settings.py: change it there. -->

Every setting is a variable of the environment. One that is absent or empty has its default. An invalid value stops \
every server and command at its start, with a sentence that names the variable.
"""


def build_page() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *(_format_section(name, rows) for name, rows in SETTINGS_BY_SUBJECT.items())])


def _format_section(subject: str, settings: tuple[Setting[Any], ...]) -> str:
    head = f"## {subject}\n\n| Variable | What it does | Value | Default |\n|---|---|---|---|\n"
    return head + "".join(f"| {' | '.join(_format_cells(setting))} |\n" for setting in settings)


def _format_cells(setting: Setting[Any]) -> Iterator[str]:
    yield f"`{setting.name}`"
    yield setting.meaning + (" (secret)" if setting.has_secrets else "")
    yield setting.form.description + (f": `{setting.example}`" if setting.example else "")
    yield setting.default_description


def main() -> None:
    """Write the page."""
    PAGE.write_text(build_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
