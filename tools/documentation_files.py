"""Fetch the plain files of Swagger UI and Redoc for the documentation: `python -m tools.documentation_files`.

They come out of two packages that are pinned by hash in `requirements/documentation.txt`. The packages themselves need
Flask and Django, so they are not installed.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

ROOT = Path(__file__).parents[1]
VENDOR_FOLDER = ROOT / "contract" / "page" / "vendor"

_SWAGGER_UI = "flask_swagger_ui/dist"
_SIDECAR = "drf_spectacular_sidecar/static/drf_spectacular_sidecar"
_FILES = {
    f"{_SWAGGER_UI}/swagger-ui-bundle.js": "swagger-ui-bundle.js",
    f"{_SWAGGER_UI}/swagger-ui.css": "swagger-ui.css",
    f"{_SWAGGER_UI}/favicon-32x32.png": "favicon-32x32.png",
    f"{_SIDECAR}/swagger-ui-dist/LICENSE": "swagger-ui-bundle.js.LICENSE.txt",
    f"{_SIDECAR}/redoc/bundles/redoc.standalone.js": "redoc.standalone.js",
    f"{_SIDECAR}/redoc/bundles/redoc.standalone.js.LICENSE.txt": "redoc.standalone.js.LICENSE.txt",
    f"{_SIDECAR}/redoc/LICENSE": "redoc.LICENSE",
}
"""The files of the packages, and their names here.

The scripts say in which file the licences of what they contain are: `<script>.LICENSE.txt`.
"""


def fetch_files(target: Path) -> None:
    """Replace a folder by the pinned files. Raises CalledProcessError if the packages can't be downloaded."""
    with TemporaryDirectory() as folder:
        download = [sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check", "--dest", folder]
        pins = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", "requirements/documentation.txt"]
        subprocess.run([*download, *pins], cwd=ROOT, check=True)  # noqa: S603 - pip, with arguments from here.
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for wheel in Path(folder).glob("*.whl"):
            with ZipFile(wheel) as archive:
                for name in _FILES.keys() & {*archive.namelist()}:
                    (target / _FILES[name]).write_bytes(archive.read(name))
    missing = {*_FILES.values()} - {path.name for path in target.iterdir()}
    if missing:
        raise FileNotFoundError(f"The packages of the documentation lack {', '.join(sorted(missing))}.")


if __name__ == "__main__":
    fetch_files(VENDOR_FOLDER)
