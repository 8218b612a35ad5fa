"""The forms of settings: how a text of the environment becomes a value, and what a TOML file has in its place."""

import re
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from contract.client_address import Network
from kanban.values import Scope

if TYPE_CHECKING:
    from oidc.providers import Provider

_MAX_QUOTED = 60
_MAX_DIGITS = 7

# As browsers send it: lower case, no path, and no default port.
_ORIGIN = re.compile(
    r"[a-z][a-z0-9+.-]*://[a-z0-9._-]+(:[0-9]{1,5})?|[a-z][a-z0-9+.-]*://\[[0-9a-f:.]+\](:[0-9]{1,5})?"
)
_WEB_ADDRESS = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*/?")
_HEADER_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DEFAULT_PORT = re.compile(r"http:.*:80|https:.*:443")

Value_co = TypeVar("Value_co", covariant=True)


class InvalidSetting(Exception):
    """A setting has an invalid value; the message is one sentence that names it."""


class Form(Protocol[Value_co]):
    """How the value of a setting is written."""

    @property
    def description(self) -> str:
        """Say in a few words what may be written in the environment."""

    @property
    def toml_description(self) -> str:
        """Say in a few words what may be written in a TOML file."""

    def parse(self, name: str, text: str) -> Value_co:
        """Return the value of a setting of that name. Raises InvalidSetting."""

    def format_toml(self, value: Any) -> str | None:
        """Return the text for the environment that means the same as a value of a TOML file, None for a wrong type."""


class Text:
    """Any text."""

    def __init__(self, description: str) -> None:
        self.description = description
        self.toml_description = "a text in quotes"

    def parse(self, name: str, text: str) -> str:
        """Return the text."""
        del name
        return text

    def format_toml(self, value: Any) -> str | None:
        """Return a text."""
        return value if isinstance(value, str) else None


class Number:
    """A whole number from 0 to a maximum, or from a minimum."""

    def __init__(self, maximum: int, minimum: int = 0) -> None:
        self._minimum, self._maximum = minimum, maximum
        self.description = self.toml_description = f"a number from {minimum} to {maximum}"

    def parse(self, name: str, text: str) -> int:
        """Return the number. Raises InvalidSetting."""
        is_number = text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
        if not is_number or not self._minimum <= int(text) <= self._maximum:
            raise InvalidSetting(f"{name} is {quote(text)}, but must be {self.description}.")
        return int(text)

    def format_toml(self, value: Any) -> str | None:
        """Return a number as a text."""
        return str(value) if type(value) is int else None


class Choice:
    """One of a few words."""

    def __init__(self, *choices: str) -> None:
        self._choices = choices
        self.description = " or ".join(f"`{choice}`" for choice in choices)
        self.toml_description = " or ".join(f'`"{choice}"`' for choice in choices)

    def parse(self, name: str, text: str) -> str:
        """Return the word. Raises InvalidSetting."""
        if text not in self._choices:
            raise InvalidSetting(f"{name} is {quote(text)}, but must be {' or '.join(self._choices)}.")
        return text

    def format_toml(self, value: Any) -> str | None:
        """Return a text."""
        return value if isinstance(value, str) else None


class Switch:
    """Something that is on or off."""

    description = "`1` or `0`"
    toml_description = "`true` or `false`"

    def parse(self, name: str, text: str) -> bool:
        """Return whether it is on. Raises InvalidSetting."""
        if text not in ("0", "1"):
            raise InvalidSetting(f"{name} is {quote(text)}, but must be 0 or 1.")
        return text == "1"

    def format_toml(self, value: Any) -> str | None:
        """Return 1 or 0."""
        return str(int(value)) if isinstance(value, bool) else None


class _TextList:
    """Texts with commas between, which are an array in a TOML file."""

    toml_description = "an array of texts"

    def format_toml(self, value: Any) -> str | None:
        """Return the texts with commas between."""
        if not isinstance(value, list) or not all(isinstance(text, str) and "," not in text for text in value):
            return None
        return ",".join(value)


class WebAddress:
    """The address of a folder on the web."""

    description = "an address that begins with `http://` or `https://`"
    toml_description = "a text in quotes"

    def parse(self, name: str, text: str) -> str:
        """Return the address, with a slash at its end. Raises InvalidSetting."""
        if not _WEB_ADDRESS.fullmatch(text):
            raise InvalidSetting(
                f"{name} is {quote(text)}, but must be an address without user, query and fragment,"
                " like https://tackboard.example/ or https://tackboard.example/kanban/."
            )
        return text if text.endswith("/") else f"{text}/"

    def format_toml(self, value: Any) -> str | None:
        """Return a text."""
        return value if isinstance(value, str) else None


class Networks(_TextList):
    """Networks and addresses."""

    description = "networks, separated by commas"

    def parse(self, name: str, text: str) -> tuple[Network, ...]:
        """Return the networks. Raises InvalidSetting."""
        networks: list[Network] = []
        for part in filter(None, (part.strip() for part in text.split(","))):
            try:
                networks.append(ip_network(part))
            except ValueError:
                raise InvalidSetting(
                    f"{name} has {quote(part)}, but must name networks, like 10.0.0.0/8 or fd12:3456::/32,"
                    " with commas between."
                ) from None
        return tuple(networks)


class Origins(_TextList):
    """Origins of web pages."""

    description = "origins, separated by commas"

    def parse(self, name: str, text: str) -> tuple[str, ...]:
        """Return the origins. Raises InvalidSetting for one that no browser sends."""
        origins = tuple(filter(None, (origin.strip() for origin in text.split(","))))
        for origin in origins:
            if not _ORIGIN.fullmatch(origin) or _DEFAULT_PORT.fullmatch(origin):
                raise InvalidSetting(
                    f"{name} has {quote(origin)}, but must name origins as browsers send them,"
                    " like https://app.example.org or http://localhost:5173, with commas between."
                )
        return origins


class HeaderNames(_TextList):
    """Names of headers."""

    description = "names of headers, separated by commas"

    def parse(self, name: str, text: str) -> tuple[str, ...]:
        """Return the names. Raises InvalidSetting for what is none, and for `*`."""
        headers = tuple(filter(None, (header.strip() for header in text.split(","))))
        for header in headers:
            if not _HEADER_NAME.fullmatch(header):
                raise InvalidSetting(
                    f"{name} has {quote(header)}, but must name headers, like X-Datadog-Trace-Id, with commas between."
                )
        return headers


class Providers:
    """Providers of OpenID Connect."""

    description = "JSON, or `@` and the path of a file with it"
    toml_description = "a table for each provider: `[[oidc_providers]]`"

    def parse(self, name: str, text: str) -> "tuple[Provider, ...]":
        """Return the providers. Raises InvalidSetting."""
        text = text.strip()
        if not text:
            return ()
        if find_spec("jwt") is None or find_spec("cryptography") is None:
            raise InvalidSetting(f"{name} needs packages that are not installed: install 'tackboard-server[sign-in]'.")
        from oidc.errors import InvalidProviders  # noqa: PLC0415  (on AWS a start would pay for what few need)
        from oidc.providers import parse_providers  # noqa: PLC0415  (as above)

        try:
            return parse_providers(_read_file(name, text[1:]) if text.startswith("@") else text, tuple(Scope))
        except InvalidProviders as error:
            raise InvalidSetting(f"{name}: {error}") from None

    def format_toml(self, value: Any) -> str | None:
        """Return JSON."""
        import json  # noqa: PLC0415  (as above)

        if not isinstance(value, list) or not all(isinstance(provider, dict) for provider in value):
            return None
        try:
            return json.dumps(value)
        except TypeError:
            # TOML has dates, which no provider has.
            return None


def _read_file(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
    except ValueError:
        reason = "it is not UTF-8, or its name is none"
    raise InvalidSetting(f"{name} names a file that can't be read: {reason}.")


def quote(text: str) -> str:
    """Quote a value, cut to what fits into a sentence."""
    return f"'{text[:_MAX_QUOTED]}…'" if len(text) > _MAX_QUOTED else f"'{text}'"
