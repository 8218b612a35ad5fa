"""Write what is shipped, with licences, as bills of materials in CycloneDX: `python -m tools.bill_of_materials`.

`dist/server.cdx.json` lists what comes with a wheel: its files and the packages that it needs, with all extras, in the
versions of `requirements.txt`. `dist/lambda.cdx.json` lists what the function on AWS Lambda contains.
`dist/LICENSES.md` lists the licences of both for people, with their texts. The licences of packages are those that the
installed packages name; nothing is downloaded.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import PackageMetadata, PackageNotFoundError, distribution, metadata
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from app.document import read_version

ROOT = Path(__file__).parents[1]
TARGET_FOLDER = ROOT / "dist"

_VENDOR_FOLDER = ROOT / "contract" / "page" / "vendor"

PACKAGED_LICENCES = frozenset(
    (
        "Apache-2.0",
        "Apache-2.0 OR BSD-3-Clause",
        "BSD-3-Clause",
        "BSD-3-Clause AND ISC",
        "MIT",
        "MIT-0",
        "MPL-2.0",
        "MPL-2.0 AND (Apache-2.0 OR MIT)",
        "MPL-2.0 AND MIT",
        "PSF-2.0",
    )
)
"""Licences of what may be in our own packages, as SPDX expressions. All require that their text is included."""

INSTALLED_LICENCES = PACKAGED_LICENCES | {"Apache-2.0 AND BSD-2-Clause", "LGPL-3.0-only"}
"""Licences of what may be installed beside a wheel: whoever installs it gets it from its authors."""

_BY_CLASSIFIER = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: BSD License": "BSD-3-Clause",
    "License :: OSI Approved :: MIT License": "MIT",
}
_BY_NAME = {"3-Clause BSD License": "BSD-3-Clause"}
"""What packages write into the field of their licence that is no SPDX expression."""
_NO_LICENCES = frozenset(("", "UNKNOWN", "Dual License"))
"""What packages write into the field of their licence that leave the licence to their classifiers."""

_LICENCE_FILE = re.compile(r"\.dist-info/(?:.*/)?[^/]*(?:LICEN[CS]E|COPYING|NOTICE)[^/]*$", re.IGNORECASE)
"""The files in which a package brings the texts of its licences."""

_DOCUMENTATION_LICENCES = {
    "swagger-ui-dist": ("swagger-ui-bundle.js.LICENSE.txt",),
    "redoc": ("redoc.LICENSE", "redoc.standalone.js.LICENSE.txt"),
}

_ON_WINDOWS = {"colorama": "BSD-3-Clause"}
"""Licences of packages that are installed on Windows only."""

_PIN = re.compile(r"^(?P<name>[a-z0-9.-]+)==(?P<version>[^ ;]+)(?P<hashes>.*(?:\n +--hash=.*)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Component:
    """Something that is shipped. `hashes` are the SHA-256 of the files that it may come in."""

    ecosystem: str
    name: str
    version: str
    licence: str
    hashes: tuple[str, ...]

    @property
    def purl(self) -> str:
        """Return the package URL, which names the package in every tool."""
        return f"pkg:{self.ecosystem}/{self.name}@{self.version}"


class WrongVersion(Exception):
    """Raised when another version of a package is installed than is pinned, so that its licence is not known."""


def read_packages(lock_file: Path) -> Iterator[Component]:
    """Yield the packages of a lock file. Raises WrongVersion."""
    for pin in _PIN.finditer(lock_file.read_text()):
        hashes = tuple(sorted(re.findall(r"sha256:([0-9a-f]{64})", pin["hashes"])))
        yield Component("pypi", pin["name"], pin["version"], _read_licence(pin["name"], pin["version"]), hashes)


def list_pins(lock_file: Path) -> Iterator[tuple[str, str]]:
    """Yield names and versions of the packages of a lock file."""
    for pin in _PIN.finditer(lock_file.read_text()):
        yield pin["name"], pin["version"]


def _read_licence(name: str, version: str) -> str:
    if name in _ON_WINDOWS:
        return _ON_WINDOWS[name]
    try:
        package = metadata(name)
    except PackageNotFoundError:
        raise WrongVersion(f"{name} {version} is not installed.") from None
    if package["Version"] != version:
        raise WrongVersion(f"{name} {package['Version']} is installed, but {version} is pinned.")
    return choose_licence(package)


def choose_licence(package: PackageMetadata) -> str:
    """Return the SPDX expression that a package names in one of three fields; "NOASSERTION" if it names none."""
    values = (text for field in ("License-Expression", "License") for text in package.get_all(field) or ())
    named = next(values, "").strip()
    if named not in _NO_LICENCES:
        return _BY_NAME.get(named, named)
    classifiers = [name for name in package.get_all("Classifier") or () if name.startswith("License :: ")]
    return " OR ".join(sorted(_BY_CLASSIFIER.get(name, name) for name in classifiers)) or "NOASSERTION"


def read_documentation_files() -> Iterator[Component]:
    """Yield Swagger UI and Redoc, whose versions are in their files."""
    for name, file, pattern, licence in (
        ("swagger-ui-dist", "swagger-ui-bundle.js", r'PACKAGE_VERSION:"([0-9.]+)"', "Apache-2.0"),
        ("redoc", "redoc.standalone.js", r'ReDoc Version: ","([0-9.]+)"', "MIT"),
    ):
        content = (_VENDOR_FOLDER / file).read_bytes()
        (version,) = re.findall(pattern, content.decode())
        yield Component("npm", name, version, licence, (sha256(content).hexdigest(),))


def read_server() -> list[Component]:
    """Return what comes with a wheel, with all extras."""
    return [*read_packages(ROOT / "requirements.txt"), *read_documentation_files()]


def read_lambda() -> list[Component]:
    """Return what the function on AWS Lambda contains. CloudFront serves the documentation."""
    return [*read_packages(ROOT / "requirements" / "lambda.txt")]


def list_forbidden(components: list[Component], allowed: frozenset[str]) -> list[str]:
    """Return a sentence for each component whose licence is not allowed."""
    return [
        f"{component.name} {component.version} has the licence {component.licence}, which is not allowed."
        for component in components
        if component.licence not in allowed
    ]


def build_bill(name: str, components: list[Component]) -> dict[str, Any]:
    """Return the bill of materials of a program, which is the same whenever the same things are shipped."""
    version = read_version()
    purl = f"pkg:pypi/tackboard-server@{version}"
    identity = json.dumps([name, purl, [component.purl for component in components]])
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, identity)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": purl,
                "name": name,
                "version": version,
                "licenses": [{"expression": "MIT"}],
                "purl": purl,
            }
        },
        "components": [_serialize_component(component) for component in components],
    }


def _serialize_component(component: Component) -> dict[str, Any]:
    site = "https://pypi.org/project/" if component.ecosystem == "pypi" else "https://www.npmjs.com/package/"
    return {
        "type": "library",
        "bom-ref": component.purl,
        "name": component.name,
        "version": component.version,
        "licenses": [{"expression": component.licence}],
        "purl": component.purl,
        "externalReferences": [
            {
                "type": "distribution",
                "url": f"{site}{component.name}",
                "hashes": [{"alg": "SHA-256", "content": digest} for digest in component.hashes],
            }
        ],
    }


def build_licence_list(server: list[Component], function: list[Component]) -> str:
    """Return what is shipped with its licences as Markdown: a table, and the texts of the licences below it."""
    in_function = {component.purl for component in function}
    components = [*server, *(component for component in function if component not in server)]
    table = [
        f"| {component.name} | {component.version} | {component.licence}"
        f" | {_describe_use(component)} | {'yes' if component.purl in in_function else 'no'} |"
        for component in components
    ]
    texts = []
    for component in components:
        bodies = "\n\n".join(text.strip("\n") for text in _read_licence_texts(component))
        body = f"```text\n{bodies}\n```" if bodies else "The package brings no text of its licence."
        texts.append(f"### {component.name} {component.version}: {component.licence}\n\n{body}")
    return "\n".join(
        (
            f"# Licences of Tackboard {read_version()}\n",
            "Tackboard itself is under the MIT licence: see LICENSE. With it come these packages:\n",
            "| Package | Version | Licence | For the server | In the function on AWS |",
            "|---|---|---|---|---|",
            *table,
            "\n## Texts\n",
            "\n\n".join(texts),
            "",
        )
    )


def _describe_use(component: Component) -> str:
    return "in the wheel" if component.ecosystem == "npm" else "installed beside the wheel"


def _read_licence_texts(component: Component) -> list[str]:
    """Return the texts of a component's licences and notices, in the order of their files."""
    if component.ecosystem == "npm":
        return [(_VENDOR_FOLDER / name).read_text() for name in _DOCUMENTATION_LICENCES[component.name]]
    if component.name in _ON_WINDOWS:
        return []
    files = distribution(component.name).files or ()
    return [file.read_text() for file in sorted(files) if _LICENCE_FILE.search(file.as_posix())]


def main() -> int:
    """Write both bills and the list of licences; return 1 if a licence is not allowed."""
    server, function = read_server(), read_lambda()
    TARGET_FOLDER.mkdir(exist_ok=True)
    for name, components in (("server", server), ("lambda", function)):
        bill = json.dumps(build_bill(f"tackboard-{name}", components), indent=2)
        (TARGET_FOLDER / f"{name}.cdx.json").write_text(f"{bill}\n")
        sys.stdout.write(f"dist/{name}.cdx.json: {len(components)} components\n")
    (TARGET_FOLDER / "LICENSES.md").write_text(build_licence_list(server, function))
    sys.stdout.write("dist/LICENSES.md: the licences of all of them\n")
    forbidden = [*list_forbidden(server, INSTALLED_LICENCES), *list_forbidden(function, PACKAGED_LICENCES)]
    sys.stderr.writelines(f"{sentence}\n" for sentence in forbidden)
    return 1 if forbidden else 0


if __name__ == "__main__":
    sys.exit(main())
