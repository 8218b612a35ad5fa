"""The folder of dated backups: name new ones, delete old ones."""

import re
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from stores.backup_file import BackupError

MAX_DATED_BACKUPS = 14
"""How many dated backups of a store are kept."""

_DATE_PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{6}Z")


def prepare_path(folder: Path, url: str, now: datetime, suffix: str = "") -> Path:
    """Create the folder if it is missing; return the path of a new backup in it. Raises BackupError.

    One whose name has a suffix after that of the store is no dated backup: it is never deleted.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise BackupError(f"The folder {folder} can't be made: {(error.strerror or '').lower()}.") from error
    return folder / f"{_store_name(url)}{suffix}-{now:%Y-%m-%dT%H%M%SZ}.db"


def prune(newest: Path) -> list[Path]:
    """Delete all but the last 14 dated backups of the store that this one is of; return the deleted files.

    `newest` is kept even if the clock was ahead when older backups were made. Nothing else in the folder is touched.
    """
    stem = newest.stem[: -len("-2026-11-29T102030Z")]
    older = sorted(
        path
        for path in newest.parent.iterdir()
        if path != newest
        and path.suffix == newest.suffix
        and path.stem.startswith(f"{stem}-")
        and _DATE_PATTERN.fullmatch(path.stem, len(stem) + 1)
        and path.is_file()
        and not path.is_symlink()
    )
    expired = older[: max(0, len(older) - MAX_DATED_BACKUPS + 1)]
    for path in expired:
        path.unlink()
    return expired


def _store_name(url: str) -> str:
    """Return the name of the store's file, database or table, as a part of a file name."""
    parts = sa.make_url(url)
    name = parts.host if parts.drivername == "dynamodb" else Path(parts.database or "").stem
    return re.sub("[^A-Za-z0-9._-]", "_", name or "") or "tackboard"
