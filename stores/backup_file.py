"""The file of a backup: how damage to it is found.

A backup is a SQLite file with one more table, `tackboard_backup`. Its row holds the digest of what was copied, and the
SHA-256 of all bytes of the file but for the 64 that hold this SHA-256. So a change of any byte is found before a
restore begins. The application id in the file's header says as well that there is such a row: a damaged file can't
pass for one of those that older versions made without it.
"""

import hashlib
import os
import re
import secrets
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

from stores.errors import SchemaTooNew, StoreOpenError
from stores.sql import migrations

_TABLE = "tackboard_backup"
_APPLICATION_ID = 0x54424B50
_APPLICATION_ID_AT = 68
"""Where SQLite keeps the application id: https://www.sqlite.org/fileformat.html#application_id."""

_HEADER = b"SQLite format 3\0"
_HEADER_LENGTH = 100
_SHA256 = re.compile("[0-9a-f]{64}")
_SHA256_LENGTH = 64
_VERSION = re.compile("[0-9]{4}")
_CHUNK = 1 << 20


class BackupError(StoreOpenError):
    """A backup or a restore can't be done. No store was changed, and no file was made."""


def seal(path: Path, digest: str) -> None:
    """Have a finished backup hold the digest of what was copied, and the SHA-256 of itself."""
    blank = secrets.token_hex(_SHA256_LENGTH // 2)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # In one file, which nothing need be written beside to read it.
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute(f"PRAGMA application_id={_APPLICATION_ID}")
        connection.execute("BEGIN")
        connection.execute(f"CREATE TABLE {_TABLE} (digest TEXT NOT NULL, sha256 TEXT NOT NULL)")
        connection.execute(f"INSERT INTO {_TABLE} VALUES (?, ?)", (digest, blank))  # noqa: S608  (a constant)
        connection.execute("COMMIT")
    with path.open("r+b") as file:
        file.seek(_find_offset(path, blank))
        file.write(_hash_without(path, blank).encode())
        file.flush()
        os.fsync(file.fileno())


def verify_backup(path: Path) -> tuple[str, str | None]:
    """The version of the schema in a backup, and the digest that it holds; None when an older Tackboard made it.

    Raises BackupError for what is no backup, or a damaged one; SchemaTooNew for one of a later version.
    """
    _ensure_file(path)
    try:
        with closing(connect_read_only(path)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            digest = _read_sealed_digest(connection, path) if _has_seal(path, tables) else None
            if migrations.VERSION_TABLE not in tables:
                raise BackupError(f"{path} is a database, but no backup of a Tackboard.")
            if digest is None and connection.execute("PRAGMA integrity_check(1)").fetchall() != [("ok",)]:
                raise _damage_error(path)
            ((version,),) = connection.execute(f"SELECT version_num FROM {migrations.VERSION_TABLE}")  # noqa: S608  (a constant)
    except (sqlite3.Error, ValueError) as error:
        raise _damage_error(path) from error
    except OSError as error:
        raise BackupError(f"{path} can't be read: {(error.strerror or 'unknown error').lower()}.") from error
    if not _VERSION.fullmatch(str(version)):
        raise _damage_error(path)
    if version > migrations.HEAD:
        raise SchemaTooNew(str(path), version, migrations.HEAD)
    return version, digest


def connect_read_only(path: Path) -> sqlite3.Connection:
    """A connection that only reads, and makes no files beside the backup."""
    log = path.with_name(f"{path.name}-wal")
    # With a log beside it, the file is used as a store by somebody: the log holds the newest rows.
    is_in_use = log.exists() and log.stat().st_size > 0
    options = "mode=ro" if is_in_use else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{options}", uri=True, isolation_level=None)


def _ensure_file(path: Path) -> None:
    try:
        if not path.exists():
            raise BackupError(f"There is no backup {path}.")
        if not path.is_file():
            raise BackupError(f"{path} is no file: name the file of a backup.")
        with path.open("rb") as file:
            header = file.read(_HEADER_LENGTH)
    except OSError as error:
        raise BackupError(f"{path} can't be read: {(error.strerror or 'unknown error').lower()}.") from error
    if not header.startswith(_HEADER) or len(header) < _HEADER_LENGTH:
        raise BackupError(f"{path} is no backup: it is not a SQLite file, or was cut off or changed.")


def _has_seal(path: Path, tables: set[str]) -> bool:
    with path.open("rb") as file:
        file.seek(_APPLICATION_ID_AT)
        (application_id,) = struct.unpack(">I", file.read(4))
    return _TABLE in tables or application_id == _APPLICATION_ID


def _read_sealed_digest(connection: sqlite3.Connection, path: Path) -> str:
    """The digest in a sealed backup; raises BackupError when the SHA-256 of the file is not the one that it holds."""
    ((digest, sha256),) = connection.execute(f"SELECT digest, sha256 FROM {_TABLE}")  # noqa: S608  (a constant)
    is_whole = _SHA256.fullmatch(str(sha256)) and _hash_without(path, str(sha256)) == sha256
    if not is_whole:
        raise _damage_error(path)
    return str(digest)


def _hash_without(path: Path, text: str) -> str:
    """SHA-256 of the bytes before and after that text, which the file holds once. Raises ValueError, OSError."""
    place = _find_offset(path, text)
    hashed = hashlib.sha256()
    with path.open("rb") as file:
        remaining = place
        while remaining and (piece := file.read(min(remaining, _CHUNK))):
            hashed.update(piece)
            remaining -= len(piece)
        file.seek(place + len(text))
        while piece := file.read(_CHUNK):
            hashed.update(piece)
    return hashed.hexdigest()


def _find_offset(path: Path, text: str) -> int:
    """Where in the file the text stands. Raises ValueError unless it stands there once."""
    wanted = text.encode()
    places: set[int] = set()
    before, start = b"", 0
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            # A text that begins at the end of one piece ends in the next one.
            joined = before + piece
            place = joined.find(wanted)
            while place >= 0:
                places.add(start + place)
                place = joined.find(wanted, place + 1)
            before = joined[-len(wanted) + 1 :]
            start += len(joined) - len(before)
    (only,) = places
    return only


def _damage_error(path: Path) -> BackupError:
    return BackupError(f"{path} is damaged: it was changed or cut off since it was made; take another backup.")
