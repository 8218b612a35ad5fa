"""Create files atomically: a new file appears complete or not at all, even if the program is killed."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from stores.errors import StoreOpenError


class FileNotWritable(StoreOpenError):
    """Raised when a file of that name exists already, or none can be written."""


@contextmanager
def create_atomically(path: Path, mode: int = 0o600) -> Iterator[Path]:
    """Yield an empty file next to the path; rename it to the path at the end, or delete it after an exception.

    Raises FileNotWritable.
    """
    try:
        _ensure_free(path)
        if not path.parent.is_dir():
            raise FileNotWritable(f"There is no folder {path.parent}: make it, or name another one.")
        # The name is unique because SQLite would apply a log that a killed program left behind to a new file of the
        # same name.
        part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode))
    except OSError as error:
        raise FileNotWritable(f"{path} can't be written: {(error.strerror or 'unknown error').lower()}.") from error
    try:
        yield part
        _ensure_free(path)
        part.replace(path)
        _sync_folder(path.parent)
    finally:
        with suppress(OSError):
            for suffix in ("", "-journal", "-wal", "-shm"):
                part.with_name(part.name + suffix).unlink(missing_ok=True)


def _ensure_free(path: Path) -> None:
    if os.path.lexists(path):
        raise FileNotWritable(f"{path} exists already: nothing is ever overwritten.")


def _sync_folder(folder: Path) -> None:
    """Write the folder to disk, so that the new name survives a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
