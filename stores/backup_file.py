"""The file format of a backup, and how damage to the file is detected.

A backup is a SQLite file with one more table, `tackboard_backup`. Its single row (the seal) holds the digest of the
copied data, and the SHA-256 of all bytes of the file except the 64 that hold this SHA-256. So a change of any byte is
detected before a restore begins. The application id in the file's header also says that there is a seal: otherwise a
damaged file could pass for a backup of an older version, which has none.
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
_APPLICATION_ID_OFFSET = 68
"""Where SQLite keeps the application id: https://www.sqlite.org/fileformat.html#application_id."""

_HEADER = b"SQLite format 3\0"
_HEADER_LENGTH = 100
_SHA256 = re.compile("[0-9a-f]{64}")
_SHA256_LENGTH = 64
_VERSION = re.compile("[0-9]{4}")
_CHUNK = 1 << 20


class BackupError(StoreOpenError):
    """Raised when a backup or a restore fails. No store was changed, and no file was made."""


def seal(path: Path, digest: str) -> None:
    """Add the seal to a finished backup: the digest of the copied data and the SHA-256 of the file."""
    blank = secrets.token_hex(_SHA256_LENGTH // 2)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # Without a write-ahead log, the backup is one file and can be read without writing another one next to it.
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
    """Check a backup; return the version of its schema and the digest of its data (None without a seal).

    Raises:
        BackupError: The file is not a backup, or is damaged.
        SchemaTooNew: A later version of Tackboard made the backup.
    """
    _ensure_file(path)
    try:
        with closing(connect_read_only(path)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            digest = _read_sealed_digest(connection, path) if _has_seal(path, tables) else None
            if migrations.VERSION_TABLE not in tables:
                raise BackupError(f"{path} is a database, but not a backup of a Tackboard.")
            if digest is None and connection.execute("PRAGMA integrity_check(1)").fetchall() != [("ok",)]:
                raise _build_damage_error(path)
            ((version,),) = connection.execute(f"SELECT version_num FROM {migrations.VERSION_TABLE}")  # noqa: S608  (a constant)
    except (sqlite3.Error, ValueError) as error:
        raise _build_damage_error(path) from error
    except OSError as error:
        raise BackupError(f"{path} can't be read: {(error.strerror or 'unknown error').lower()}.") from error
    if not _VERSION.fullmatch(str(version)):
        raise _build_damage_error(path)
    if version > migrations.HEAD:
        raise SchemaTooNew(str(path), version, migrations.HEAD)
    return version, digest


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Open a connection that only reads and writes no other files next to the backup."""
    log = path.with_name(f"{path.name}-wal")
    # A log next to the file means that it is in use as a store: then the log holds the newest rows.
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
        file.seek(_APPLICATION_ID_OFFSET)
        (application_id,) = struct.unpack(">I", file.read(4))
    return _TABLE in tables or application_id == _APPLICATION_ID


def _read_sealed_digest(connection: sqlite3.Connection, path: Path) -> str:
    """Return the digest in the seal. Raises BackupError when the SHA-256 of the file differs from the seal's."""
    ((digest, sha256),) = connection.execute(f"SELECT digest, sha256 FROM {_TABLE}")  # noqa: S608  (a constant)
    is_intact = _SHA256.fullmatch(str(sha256)) and _hash_without(path, str(sha256)) == sha256
    if not is_intact:
        raise _build_damage_error(path)
    return str(digest)


def _hash_without(path: Path, text: str) -> str:
    """Return the SHA-256 of the file without a text that occurs in it once. Raises ValueError, OSError."""
    offset = _find_offset(path, text)
    digest = hashlib.sha256()
    with path.open("rb") as file:
        remaining = offset
        while remaining and (piece := file.read(min(remaining, _CHUNK))):
            digest.update(piece)
            remaining -= len(piece)
        file.seek(offset + len(text))
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def _find_offset(path: Path, text: str) -> int:
    """Return the offset of a text in the file. Raises ValueError unless it occurs exactly once."""
    encoded = text.encode()
    offsets: set[int] = set()
    previous, start = b"", 0
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            # A text can begin at the end of one piece and end in the next one.
            window = previous + piece
            offset = window.find(encoded)
            while offset >= 0:
                offsets.add(start + offset)
                offset = window.find(encoded, offset + 1)
            previous = window[-len(encoded) + 1 :]
            start += len(window) - len(previous)
    (only,) = offsets
    return only


def _build_damage_error(path: Path) -> BackupError:
    return BackupError(f"{path} is damaged: it was changed or cut off since it was made; take another backup.")
