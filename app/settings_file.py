"""Read settings from a TOML file, whose keys are the names of the environment in lower case."""

import difflib
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from typing import Any

from app.setting_forms import InvalidSetting, quote
from app.settings import SETTINGS, TACKBOARD_CONFIG, Setting

_SETTINGS = {setting.key: setting for setting in SETTINGS if setting is not TACKBOARD_CONFIG}
_POSITION = re.compile(r"\(at (line [0-9]+, column [0-9]+)\)\Z")


def read_file(path: str) -> Mapping[str, str]:
    """Return what the environment would have in place of the file.

    Raises InvalidSetting if the file can't be read, has something that is no valid setting, or holds a secret and can
    be read by every user of the machine.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123  (Path has other errors for a name that is none)
            is_public = bool(os.fstat(file.fileno()).st_mode & stat.S_IROTH)
            document = tomllib.load(file)
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise InvalidSetting(f"The file of settings {quote(path)} can't be read: {reason}.") from None
    except tomllib.TOMLDecodeError as error:
        # The message itself could repeat what is written there.
        match = _POSITION.search(str(error))
        raise InvalidSetting(f"{path} is not valid TOML: see {match[1] if match else 'its end'}.") from None
    except ValueError:
        raise InvalidSetting(f"The file of settings {quote(path)} can't be read: it is not UTF-8.") from None
    settings = dict(_read_entry(path, key, value) for key, value in document.items())
    secret_keys = [setting.key for setting in SETTINGS if setting.holds_secret(settings.get(setting.name, ""))]
    if is_public and secret_keys:
        raise InvalidSetting(
            f"{path} holds a secret ({', '.join(secret_keys)}), but every user of this machine can read it:"
            f" take that right away with `chmod o-r {path}`."
        )
    return settings


def _read_entry(path: str, key: str, value: Any) -> tuple[str, str]:
    setting = _SETTINGS.get(key)
    if setting is None:
        raise InvalidSetting(f"{path} has {quote(key)}, which is no setting{_suggest(key)}.")
    text = setting.form.format_toml(value)
    if text is None:
        raise InvalidSetting(f"{path}: {key} must be {setting.form.toml_description.replace('`', '')}.")
    _ensure_valid(path, setting, text)
    return setting.name, text


def _ensure_valid(path: str, setting: Setting[Any], text: str) -> None:
    try:
        setting.read({setting.name: text})
    except InvalidSetting as error:
        raise InvalidSetting(f"{path}: {error}") from None


def _suggest(key: str) -> str:
    matches = difflib.get_close_matches(key.lower(), _SETTINGS, n=1)
    return f": write {matches[0]}, if you mean that" if matches else "; `tackboard --help` lists them"
