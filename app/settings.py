"""The settings of Tackboard: one list, from which reading them, their errors, `--help` and docs/settings.md follow.

To add one, declare it here and read it where it is needed with `SETTING.read(environment)`; then
`.venv/bin/python -m tools.settings_page` writes it into the documentation.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.setting_forms import Choice, Form, HeaderNames, Networks, Number, Origins, Providers, Switch, Text, WebAddress

MAX_PORT = 65_535
_MAX_RATE_LIMIT = 1_000_000
_MAX_BOARDS_PER_USER = 10_000
_MAX_SLOW_MILLISECONDS = 600_000
_MAX_MEMBERS_PER_USER = 100_000
_MAX_BYTES_PER_USER = 1_000_000_000_000

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Setting(Generic[Value]):
    """One setting.

    Attributes:
        name: Its name in the environment; in a TOML file the same in lower case.
        form: How its value is written.
        default: The value if it is absent or empty.
        meaning: What it does, as a clause that begins in lower case; `code` is in backticks.
        default_description: How the documentation names the default, where that isn't how it is written.
        secret: Finds a secret in its value: None if it never has one.
        example: A value as it is written in the environment.
    """

    name: str
    form: Form[Value]
    default: Value
    meaning: str
    default_description: str
    secret: re.Pattern[str] | None = None
    example: str = ""

    @property
    def key(self) -> str:
        """Return its name in a TOML file."""
        return self.name.lower()

    def holds_secret(self, text: str) -> bool:
        """Tell whether a text for the environment has a secret in it, which is shown nowhere."""
        return self.secret is not None and self.secret.search(text) is not None

    def read(self, environment: Mapping[str, str], default: Value | None = None) -> Value:
        """Return its value; if it is absent or empty, `default` or else its own default. Raises InvalidSetting."""
        text = environment.get(self.name)
        if text:
            return self.form.parse(self.name, text)
        return self.default if default is None else default


TACKBOARD_CONFIG = Setting(
    "TACKBOARD_CONFIG",
    Text("a path"),
    "",
    "a TOML file with settings; what the environment has counts more",
    "none",
    example="/etc/tackboard.toml",
)
STORE_URL = Setting(
    "STORE_URL",
    Text("a URL"),
    "sqlite:///tackboard.db",
    "where the data is stored, on SQLite, PostgreSQL or DynamoDB",
    "`sqlite:///tackboard.db`, a file in the current folder",
    secret=re.compile(r"://[^/]*:[^/]*@|password="),
    example="postgresql+psycopg://user:password@host:5432/database",
)
BACKUP_BEFORE_MIGRATION = Setting(
    "BACKUP_BEFORE_MIGRATION",
    Switch(),
    default=True,
    meaning="`0` lets `run` and `migrate` migrate PostgreSQL without a backup into the folder `backups` first",
    default_description="`1`",
)
HOST = Setting(
    "HOST",
    Text("an address or a name"),
    "127.0.0.1",
    "the address to listen on; `0.0.0.0` is every address of this machine",
    "`127.0.0.1`, which only this machine reaches",
)
PORT = Setting("PORT", Number(MAX_PORT), 8080, "the port to listen on; `0` takes a free one", "`8080`")
PUBLIC_URL = Setting(
    "PUBLIC_URL",
    WebAddress(),
    "",
    "the address at which people reach the server, where that is a proxy's; a path in it is the prefix of all paths",
    "that of `HOST` and `PORT`",
    example="https://tackboard.example/kanban/",
)
OPEN_SIGNUP = Setting(
    "OPEN_SIGNUP",
    Switch(),
    default=False,
    meaning="`1` lets anyone who reaches the server create a user",
    default_description="`0`",
)
INVITATIONS_MAKE_USERS = Setting(
    "INVITATIONS_MAKE_USERS",
    Switch(),
    default=True,
    meaning="`0` lets only owners of the installation invite people who are not users yet",
    default_description="`1`",
)
JOINING = Setting(
    "JOINING",
    Choice("consent", "direct"),
    "direct",
    "`consent` asks users before somebody with whom they share no board makes them a member of one, `direct` doesn't",
    "`consent` if `OPEN_SIGNUP` is `1`, else `direct`",
)
RATE_LIMIT = Setting(
    "RATE_LIMIT",
    Number(_MAX_RATE_LIMIT),
    3000,
    "how many requests each user may make in a minute, with all processes together; `0` for no limit",
    "`3000`",
)
RATE_LIMIT_PER_TOKEN = Setting(
    "RATE_LIMIT_PER_TOKEN",
    Number(_MAX_RATE_LIMIT),
    3000,
    "how many of these requests may have the same token",
    "as many as the user",
)
RATE_LIMIT_PER_ADDRESS = Setting(
    "RATE_LIMIT_PER_ADDRESS",
    Number(_MAX_RATE_LIMIT),
    300,
    "how many requests without a valid token an address may make in a minute; `0` for no limit",
    "`300`, or `0` if `RATE_LIMIT` is `0`",
)
MAX_BOARDS_PER_USER = Setting(
    "MAX_BOARDS_PER_USER",
    Number(_MAX_BOARDS_PER_USER),
    0,
    "how many boards each user may have created, without deleted ones; `0` for any number",
    "`0`",
)
MAX_MEMBERS_PER_USER = Setting(
    "MAX_MEMBERS_PER_USER",
    Number(_MAX_MEMBERS_PER_USER),
    0,
    "how many different people may be members of the boards that a user has created, besides the user; `0` for any "
    "number",
    "`0`",
)
MAX_BYTES_PER_USER = Setting(
    "MAX_BYTES_PER_USER",
    Number(_MAX_BYTES_PER_USER),
    0,
    "how many bytes the texts of cards may take on the boards that a user has created, counted now and then; `0` for "
    "any number",
    "`0`",
)
TRUSTED_PROXIES = Setting(
    "TRUSTED_PROXIES",
    Networks(),
    (),
    "networks of proxies that are believed when they say where a request comes from",
    "none",
    example="127.0.0.1,::1",
)
CORS_ORIGINS = Setting(
    "CORS_ORIGINS",
    Origins(),
    (),
    "web origins whose pages may call the API",
    "none",
    example="https://app.example.org,http://localhost:5173",
)
CORS_HEADERS = Setting(
    "CORS_HEADERS",
    HeaderNames(),
    (),
    "headers that pages of these origins may send beside those that the document names",
    "none",
    example="X-Datadog-Trace-Id,b3",
)
WEBHOOKS_TO_LOOPBACK = Setting(
    "WEBHOOKS_TO_LOOPBACK",
    Switch(),
    default=False,
    meaning="`1` lets webhooks deliver to this machine, also by http",
    default_description="`0`",
)
WEBHOOKS_ALLOW = Setting(
    "WEBHOOKS_ALLOW",
    Networks(),
    (),
    "networks that webhooks may deliver to beside public addresses, also by http",
    "none",
    example="10.0.0.0/8,fd12:3456::/32",
)
OIDC_PROVIDERS = Setting(
    "OIDC_PROVIDERS",
    Providers(),
    (),
    "the providers of OpenID Connect that users sign in with",
    "none",
    secret=re.compile('"client_secret"'),
    example="@/etc/tackboard/providers.json",
)
LOG_FORMAT = Setting(
    "LOG_FORMAT",
    Choice("text", "json"),
    "json",
    "the format of the log",
    "`text` on a terminal, else `json`",
)

LOG_LEVEL = Setting(
    "LOG_LEVEL",
    Choice("info", "warning", "error"),
    "info",
    "what is logged: `info` for every request, `warning` for slow ones and failures, `error` for failures",
    "`info`",
)
SLOW_REQUEST_MS = Setting(
    "SLOW_REQUEST_MS",
    Number(_MAX_SLOW_MILLISECONDS),
    1000,
    "from how many milliseconds on a request is slow; `0` for never",
    "`1000`",
)

METRICS_PORT: Setting[int | None] = Setting(
    "METRICS_PORT",
    Number(MAX_PORT),
    None,
    "the port to serve metrics for Prometheus on, at `/metrics`; `0` takes a free one",
    "none, and nothing is counted",
    example="9464",
)
METRICS_HOST = Setting(
    "METRICS_HOST",
    Text("an address or a name"),
    "127.0.0.1",
    "the address to serve metrics on, to all who reach it",
    "`127.0.0.1`, which only this machine reaches",
)

SETTINGS_BY_SUBJECT: Mapping[str, tuple[Setting[Any], ...]] = {
    "The server": (
        *(TACKBOARD_CONFIG, STORE_URL, BACKUP_BEFORE_MIGRATION),
        *(HOST, PORT, PUBLIC_URL, TRUSTED_PROXIES, CORS_ORIGINS, CORS_HEADERS),
    ),
    "Log and metrics": (LOG_FORMAT, LOG_LEVEL, SLOW_REQUEST_MS, METRICS_PORT, METRICS_HOST),
    "Who can join": (OPEN_SIGNUP, INVITATIONS_MAKE_USERS, JOINING, OIDC_PROVIDERS),
    "Limits": (
        *(RATE_LIMIT, RATE_LIMIT_PER_TOKEN, RATE_LIMIT_PER_ADDRESS),
        *(MAX_BOARDS_PER_USER, MAX_MEMBERS_PER_USER, MAX_BYTES_PER_USER),
    ),
    "Webhooks": (WEBHOOKS_TO_LOOPBACK, WEBHOOKS_ALLOW),
}
"""Every setting, as the documentation lists them."""

SETTINGS = tuple(setting for settings in SETTINGS_BY_SUBJECT.values() for setting in settings)
"""Every setting."""
