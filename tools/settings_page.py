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

Settings can also be in a TOML file, which `--config` or `TACKBOARD_CONFIG` names. Its keys are the same names in \
lower case, and what the environment has counts more. `true` and `false` are 1 and 0 of the environment, lists are \
arrays, and each provider of sign-in is a table:

```toml
{example}```

A file with a secret in it (a password in `store_url`, a `client_secret`) must not be readable by every user of the \
machine: Tackboard doesn't start with one that is, and says so. A relative path in a setting is relative to the folder \
that Tackboard is started in, not to the file's.
"""

EXAMPLE = """\
store_url = "sqlite:////var/lib/tackboard/tackboard.db"
port = 8080
trusted_proxies = ["127.0.0.1", "::1"]
invitations_make_users = false

[[oidc_providers]]
id = "keycloak"
name = "Our Keycloak"
issuer = "https://id.example.org/realms/staff"
client_id = "tackboard"
client_secret = "the secret that Keycloak shows"
"""
"""A file of settings that works."""


def build_page() -> str:
    """Return the page."""
    return "\n".join(
        [_HEAD.format(example=EXAMPLE), *(_format_section(name, rows) for name, rows in SETTINGS_BY_SUBJECT.items())]
    )


def _format_section(subject: str, settings: tuple[Setting[Any], ...]) -> str:
    head = f"## {subject}\n\n| Variable | What it does | Value | Default |\n|---|---|---|---|\n"
    return head + "".join(f"| {' | '.join(_format_cells(setting))} |\n" for setting in settings)


def _format_cells(setting: Setting[Any]) -> Iterator[str]:
    yield f"`{setting.name}`"
    yield setting.meaning + (" (secret)" if setting.secret else "")
    yield setting.form.description + (f": `{setting.example}`" if setting.example else "")
    yield setting.default_description


def main() -> None:
    """Write the page."""
    PAGE.write_text(build_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
