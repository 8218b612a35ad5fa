"""The folder of dated backups: what a new one is called, and which old ones are deleted."""

import re
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from stores.backup_file import BackupError

MAX_DATED_BACKUPS = 14
"""Dated backups of a store that are kept."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{6}Z")


def prepare_path(folder: Path, url: str, now: datetime) -> Path:
    """Make the folder if it is missing; answer the name of a new backup in it. Raises BackupError."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise BackupError(f"The folder {folder} can't be made: {(error.strerror or '').lower()}.") from error
    return folder / f"{_store_name(url)}-{now:%Y-%m-%dT%H%M%SZ}.db"


def prune(newest: Path) -> list[Path]:
    """Delete all but the last 14 dated backups of the same store as that one; answer those that were deleted.

    The newest one stays even if the clock was ahead when others were made. Nothing else in the folder is touched.
    """
    stem = newest.stem[: -len("-2026-11-29T102030Z")]
    others = sorted(
        path
        for path in newest.parent.iterdir()
        if path != newest
        and path.suffix == newest.suffix
        and path.stem.startswith(f"{stem}-")
        and _DATE.fullmatch(path.stem, len(stem) + 1)
        and path.is_file()
        and not path.is_symlink()
    )
    old = others[: max(0, len(others) - MAX_DATED_BACKUPS + 1)]
    for path in old:
        path.unlink()
    return old


def _store_name(url: str) -> str:
    """What the store is called: its file or its database."""
    named = sa.make_url(url).database or ""
    return re.sub("[^A-Za-z0-9._-]", "_", Path(named).stem) or "tackboard"
