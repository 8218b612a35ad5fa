"""Upload the site's files to its bucket, from which CloudFront serves them."""

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from contract.application import respond_with_not_found
from contract.documentation_site import DocumentationSite
from contract.static_files import StaticFile
from contract.static_site import StaticSite
from infrastructure.deployment.package_build import ROOT, DeploymentFailed

_KEPT = "site.zip"
_BUNDLE = ROOT / "spec" / "dist" / "openapi.json"


def collect_files() -> dict[str, StaticFile]:
    """Return the page, the documentation and a page for each problem, by key in the bucket."""
    docs = DocumentationSite(
        _BUNDLE.read_bytes, _BUNDLE.with_suffix(".yaml").read_bytes, fallback=respond_with_not_found
    )
    # A key may end in a slash, so /docs/ needs no rewriting. For / CloudFront returns index.html.
    pages = {**docs.list_files(), **StaticSite(ROOT / "web", fallback=respond_with_not_found).files}
    return {path.removeprefix("/"): page for path, page in pages.items() if path != "/"}


def upload_files(s3: Any, bucket: str, files: Mapping[str, StaticFile]) -> int:
    """Upload every file to the bucket. Return how many there are.

    Scripts of earlier deployments stay, for browsers that have loaded the page before.
    """
    for key, page in files.items():
        s3.put_object(
            Bucket=bucket, Key=key, Body=page.body, ContentType=page.content_type, CacheControl=page.cache_control
        )
    return len(files)


def keep_files(s3: Any, bucket: str, folder: str, files: Mapping[str, StaticFile]) -> None:
    """Keep the files of a deployment in the folder of its code, which osls deletes together with the code."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as site:
        for key, page in files.items():
            entry = zipfile.ZipInfo(key)
            entry.comment = json.dumps([page.content_type, page.cache_control]).encode()
            site.writestr(entry, page.body, zipfile.ZIP_DEFLATED)
    s3.put_object(Bucket=bucket, Key=f"{folder}/{_KEPT}", Body=content.getvalue())


def restore_files(s3: Any, bucket: str, folder: str, site_bucket: str) -> int:
    """Upload the files that were kept in a folder. Return how many there are; 0 if none were kept."""
    try:
        content = s3.get_object(Bucket=bucket, Key=f"{folder}/{_KEPT}")["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return 0
    with zipfile.ZipFile(io.BytesIO(content)) as site:
        for entry in site.infolist():
            content_type, cache_control = json.loads(entry.comment)
            s3.put_object(
                Bucket=site_bucket,
                Key=entry.filename,
                Body=site.read(entry),
                ContentType=content_type,
                CacheControl=cache_control,
            )
        return len(site.infolist())


def find_folder(s3: Any, bucket: str, stage: str, timestamp: str) -> str:
    """Return the folder of a deployment in its bucket. Raises DeploymentFailed if there is none."""
    prefix = f"serverless/tackboard/{stage}/{timestamp}-"
    page = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter="/")
    folders = [str(item["Prefix"]).rstrip("/") for item in page.get("CommonPrefixes", ())]
    if not folders:
        raise DeploymentFailed(f"There is no deployment {timestamp} of the stage {stage}.")
    return folders[0]


def empty_bucket(s3: Any, bucket: str) -> None:
    """Delete every version of every file: only an empty bucket can be removed."""
    while True:
        page = s3.list_object_versions(Bucket=bucket)
        versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if not versions:
            return
        for version in versions:
            s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
