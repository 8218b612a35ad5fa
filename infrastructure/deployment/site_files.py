"""Upload the site's files to its bucket, from which CloudFront serves them."""

from typing import Any

from contract.application import respond_with_not_found
from contract.documentation_site import DocumentationSite
from contract.static_files import StaticFile
from contract.static_site import StaticSite
from infrastructure.deployment.package_build import ROOT

_BUNDLE = ROOT / "spec" / "dist" / "openapi.json"


def collect_files() -> dict[str, StaticFile]:
    """Return the page, the documentation and a page for each problem, by key in the bucket."""
    docs = DocumentationSite(
        _BUNDLE.read_bytes, _BUNDLE.with_suffix(".yaml").read_bytes, fallback=respond_with_not_found
    )
    # A key may end in a slash, so /docs/ needs no rewriting. For / CloudFront returns index.html.
    pages = {**docs.list_files(), **StaticSite(ROOT / "web", fallback=respond_with_not_found).files}
    return {path.removeprefix("/"): page for path, page in pages.items() if path != "/"}


def upload_files(s3: Any, bucket: str) -> int:
    """Upload every file to the bucket. Return how many there are.

    Scripts of earlier deployments stay, for browsers that have loaded the page before.
    """
    files = collect_files()
    for key, page in files.items():
        s3.put_object(
            Bucket=bucket, Key=key, Body=page.body, ContentType=page.content_type, CacheControl=page.cache_control
        )
    return len(files)


def empty_bucket(s3: Any, bucket: str) -> None:
    """Delete every version of every file: only an empty bucket can be removed."""
    while True:
        page = s3.list_object_versions(Bucket=bucket)
        versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if not versions:
            return
        for version in versions:
            s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
