"""Check an installation: a sentence about each part of it, while its server may run."""

import os
import pwd
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import closing
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from app.configuration import read_limits
from app.setting_forms import InvalidSetting
from app.settings import (
    HOST,
    OIDC_PROVIDERS,
    OPEN_SIGNUP,
    SETTINGS,
    STORE_URL,
    TRUSTED_PROXIES,
    WEBHOOKS_ALLOW,
    WEBHOOKS_TO_LOOPBACK,
)
from kanban.store import StoreError
from oidc.configuration_check import check_provider
from oidc.provider_client import ProviderClient
from oidc.providers import Provider
from stores import OpenMode, StoreOpenError, open_store

_MIN_FREE_BYTES = 100 * 1024 * 1024
"""Less free space than this, beside a copy of the store, is soon too little."""


class Level(StrEnum):
    """How good a finding is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


class Finding(NamedTuple):
    """A sentence about a part of the installation."""

    level: Level
    subject: str
    sentence: str


def check(environment: Mapping[str, str], backup_folder: Path) -> Iterator[Finding]:
    """Yield what is found, in the order in which a person would look. No sentence has a secret.

    `backup_folder` is where dated backups are, or will be.
    """
    faults = [*_find_invalid_settings(environment)]
    if faults:
        yield from faults
        return
    names = [setting.name for setting in SETTINGS if environment.get(setting.name)]
    yield Finding(Level.OK, "settings", f"All are valid; set are {', '.join(names) or 'none'}.")
    url = STORE_URL.read(environment)
    yield from _check_store(url)
    if url.startswith("sqlite:"):
        yield from _check_file(url, backup_folder)
    yield from check_sign_in(OIDC_PROVIDERS.read(environment))
    yield _check_sign_up(environment)
    yield _check_limits(environment)
    yield _check_proxies(environment)
    yield _check_webhooks(environment)


def _find_invalid_settings(environment: Mapping[str, str]) -> Iterator[Finding]:
    for setting in SETTINGS:
        try:
            setting.read(environment)
        except InvalidSetting as error:
            yield Finding(Level.ERROR, "settings", str(error))


def _check_store(url: str) -> Iterator[Finding]:
    try:
        with closing(open_store(url, mode=OpenMode.EXISTING)) as store:
            store.check_ready()
            yield Finding(Level.OK, "store", "It can be read and written, and is as this version needs it.")
            owner = store.read_installation_owner()
            if owner is None:
                yield Finding(Level.WARNING, "owner", "The installation has no owner yet: the first `run` creates one.")
            else:
                yield Finding(Level.OK, "owner", f"The first owner of the installation is '{owner.id}'.")
    except StoreOpenError as error:
        yield Finding(Level.ERROR, "store", str(error))
    except StoreError as error:
        yield Finding(Level.ERROR, "store", f"It can't be used right now: {error}")


def _check_file(url: str, backup_folder: Path) -> Iterator[Finding]:
    """Check the rights and the space of a SQLite file, if there is one."""
    from stores.sql import sqlite  # noqa: PLC0415 - only for this engine.

    try:
        path = sqlite.parse_path(url).resolve()
        status = path.stat()
    except (StoreOpenError, OSError):
        return
    yield _check_rights(path, status)
    yield _check_space("space", path.parent, status.st_size)
    yield _check_space("backups", _find_existing_folder(backup_folder.absolute()), status.st_size)


def _check_rights(path: Path, status: os.stat_result) -> Finding:
    if status.st_uid != os.geteuid():
        names = _get_user_name(status.st_uid), _get_user_name(os.geteuid())
        return Finding(Level.WARNING, "rights", f"{path} belongs to {names[0]}, but you are {names[1]}.")
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Finding(
            Level.WARNING, "rights", f"{path} holds secrets, but others have rights to it: `chmod 600 {path}`."
        )
    return Finding(Level.OK, "rights", f"Only {_get_user_name(status.st_uid)} can read and write {path}.")


def _check_space(subject: str, folder: Path, store_bytes: int) -> Finding:
    free = shutil.disk_usage(folder).free
    level = Level.OK if free >= store_bytes + _MIN_FREE_BYTES else Level.WARNING
    sentence = f"{_format_megabytes(free)} are free in {folder}; the store has {_format_megabytes(store_bytes)}."
    return Finding(level, subject, sentence)


def check_sign_in(providers: tuple[Provider, ...]) -> Iterator[Finding]:
    """Yield what is found about each provider. They are asked as they are when users sign in.

    Only the address that a browser comes back to is not checked, because providers show those to browsers only.
    """
    if not providers:
        yield Finding(Level.OK, "sign-in", "Users sign in with links, codes and tokens: there are no providers.")
    for provider in providers:
        faults = [*check_provider(ProviderClient(provider))]
        yield from (Finding(Level.ERROR, "sign-in", f"{provider.id}: {fault}") for fault in faults)
        if not faults:
            sentence = f"{provider.id}: Everything that can be checked without signing in is right."
            yield Finding(Level.OK, "sign-in", sentence)


def _check_sign_up(environment: Mapping[str, str]) -> Finding:
    if not OPEN_SIGNUP.read(environment):
        return Finding(Level.OK, "sign-up", "Only owners of the installation and invitations create users.")
    return Finding(
        Level.WARNING, "sign-up", "Anyone who reaches the server can create a user, because OPEN_SIGNUP is 1."
    )


def _check_limits(environment: Mapping[str, str]) -> Finding:
    limits = read_limits(environment)
    if limits.per_user and limits.per_address:
        sentence = f"A user may make {limits.per_user:,} requests a minute, an address without a token"
        return Finding(Level.OK, "limits", f"{sentence} {limits.per_address:,}.")
    name = "RATE_LIMIT_PER_ADDRESS" if limits.per_user else "RATE_LIMIT"
    return Finding(Level.WARNING, "limits", f"One client can keep the server busy, because {name} is 0.")


def _check_proxies(environment: Mapping[str, str]) -> Finding:
    networks = TRUSTED_PROXIES.read(environment)
    if any(network.prefixlen == 0 for network in networks):
        sentence = "TRUSTED_PROXIES names every address: any client can say that it has another address."
        return Finding(Level.WARNING, "proxies", sentence)
    if networks:
        return Finding(Level.OK, "proxies", f"Believed are {', '.join(map(str, networks))}.")
    if _is_loopback(HOST.read(environment)):
        sentence = "None is believed: behind one on this machine, set TRUSTED_PROXIES=127.0.0.1,::1."
        return Finding(Level.OK, "proxies", sentence)
    return Finding(Level.OK, "proxies", "None is believed, so addresses of clients are those that connect.")


def _check_webhooks(environment: Mapping[str, str]) -> Finding:
    networks = ", ".join(map(str, WEBHOOKS_ALLOW.read(environment)))
    others = f" and to {networks}" if networks else ""
    if WEBHOOKS_TO_LOOPBACK.read(environment):
        sentence = f"They deliver to public addresses{others}, and to this machine, which is for development."
        return Finding(Level.WARNING, "webhooks", sentence)
    return Finding(Level.OK, "webhooks", f"They deliver to public addresses{others or ' only'}.")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _find_existing_folder(path: Path) -> Path:
    """Return the folder, or the next one above it that exists."""
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def _get_user_name(user_id: int) -> str:
    try:
        return f"the user {pwd.getpwuid(user_id).pw_name}"
    except KeyError:
        return f"the user {user_id}"


def _format_megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"
