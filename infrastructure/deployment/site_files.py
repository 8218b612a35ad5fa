"""The site: the files that lie in the bucket behind CloudFront, beside the API."""

from typing import Any

from contract.documentation_site import DocumentationSite
from contract.static_files import StaticFile
from contract.static_site import StaticSite
from infrastructure.deployment.package_build import ROOT

_BUNDLE = ROOT / "spec" / "dist" / "openapi.json"


def collect_files() -> dict[str, StaticFile]:
    """The web board, the documentation and a page for each problem, by key."""
    docs = DocumentationSite(_BUNDLE.read_bytes(), _BUNDLE.with_suffix(".yaml").read_bytes(), fallback=_answer_nothing)
    # A key may end in a slash, so nothing has to rewrite /docs/; at / CloudFront answers with index.html.
    pages = {**docs.list_files(), **StaticSite(ROOT / "web", fallback=_answer_nothing).files}
    return {path.removeprefix("/"): page for path, page in pages.items() if path != "/"}


def upload_files(s3: Any, bucket: str) -> int:
    """Put every file into the bucket; how many there are. Browsers ask each time whether a file has changed."""
    put = collect_files()
    for key, page in put.items():
        s3.put_object(Bucket=bucket, Key=key, Body=page.body, ContentType=page.content_type, CacheControl="no-cache")
    return len(put)


def empty_bucket(s3: Any, bucket: str) -> None:
    """Delete every version of every file: a bucket is only removed empty."""
    while True:
        found = s3.list_object_versions(Bucket=bucket)
        versions = [*found.get("Versions", []), *found.get("DeleteMarkers", [])]
        if not versions:
            return
        for version in versions:
            s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])


async def _answer_nothing(*_: object) -> None:
    """No request is made here."""
