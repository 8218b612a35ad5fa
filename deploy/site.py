"""The site: the files that lie in the bucket behind CloudFront, beside the API."""

import mimetypes
from pathlib import Path
from typing import Any

from contract.docs import Docs
from deploy.building import ROOT

_BUNDLE = ROOT / "spec" / "dist" / "openapi.json"

_TO_THE_DOCUMENTATION = b'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=docs/">\n'


def files() -> dict[str, tuple[str, bytes]]:
    """Content type and content by key: the web board, the documentation, a page for each problem."""
    docs = Docs(_BUNDLE.read_bytes(), _BUNDLE.with_suffix(".yaml").read_bytes(), otherwise=_nowhere)
    found = {"index.html": ("text/html; charset=utf-8", _TO_THE_DOCUMENTATION)}
    # A key may end in a slash: nothing has to rewrite /docs/.
    found |= {path.removeprefix("/"): (page.content_type, page.body) for path, page in docs.pages().items()}
    return found | {key: (_type_of(path), path.read_bytes()) for key, path in _board().items()}


def upload(s3: Any, bucket: str) -> int:
    """Put every file into the bucket; how many there are. Browsers ask each time whether a file has changed."""
    put = files()
    for key, (content_type, content) in put.items():
        s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType=content_type, CacheControl="no-cache")
    return len(put)


def empty(s3: Any, bucket: str) -> None:
    """Delete every version of every file: a bucket is only removed empty."""
    while True:
        found = s3.list_object_versions(Bucket=bucket)
        versions = [*found.get("Versions", []), *found.get("DeleteMarkers", [])]
        if not versions:
            return
        for version in versions:
            s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])


def _board() -> dict[str, Path]:
    folder = ROOT / "web"
    return {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}


def _type_of(path: Path) -> str:
    guessed = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"{guessed}; charset=utf-8" if guessed.startswith("text/") else guessed


async def _nowhere(*_: object) -> None:
    """No request is made here."""
