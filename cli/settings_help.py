"""The part of `--help` about settings."""

import textwrap
from typing import Any

from app.settings import SETTINGS, Setting

_NAME_COLUMNS = 24
_COLUMNS = 100

SUMMARY = "Settings come from the environment, such as STORE_URL: `tackboard --help` lists them all."
"""What the help of one command says about settings."""


def format_settings() -> str:
    """Return a paragraph about each setting: its name, what it does, what may be written, and the default."""
    return "\n".join(["environment:", *(_format(setting.name, _describe(setting)) for setting in SETTINGS)])


def _describe(setting: Setting[Any]) -> str:
    text = f"{setting.meaning} ({setting.form.description}; default: {setting.default_description})"
    return text.replace("`", "")


def _format(name: str, text: str) -> str:
    indent = " " * (_NAME_COLUMNS + 2)
    return textwrap.fill(
        text,
        _COLUMNS,
        initial_indent=f"  {name:{_NAME_COLUMNS - 1}} ",
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
