"""Finish a Lambda package: remove unused files, add bytecode, check it, and write it reproducibly.

Two packages of the same sources are the same bytes: entries are sorted and have no date. Bytecode has the hash of its
source and isn't checked against it (PEP 552), because Lambda's file system is read-only: imports take a third of the
time. It must be compiled by the Python that will read it, and has no docstrings. Third-party packages come as bytecode
only; our sources stay.

Usage: finish_package.py package.zip --architecture arm64 --max-megabytes 8
"""

import argparse
import ast
import hashlib
import importlib.util
import io
import marshal
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ELF_MACHINES = {"arm64": 183, "x86_64": 62}
"""The machine (e_machine) of an ELF file by Lambda's name of the architecture."""

MEGABYTE = 2**20
"""In bytes, as AWS counts it."""

_NODES_WITHOUT_DOCSTRING = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef)

MAX_UNPACKED_MEGABYTES = 250
"""Lambda's limit of an unpacked package."""

_UNUSED_FILES_PATTERN = re.compile(
    r"""
      (^|/)(__pycache__|tests?|testing|benchmarks)/
    | \.dist-info/
    | \.(c|h|pxd|pyi|pyx|rst|md|typed)$
    | ^bin/
    | ^requirements.*\.txt$
    # The entry point of serverless-wsgi, which would execute commands from events.
    | ^(wsgi_handler\.py|\.serverless-wsgi)$
    # The parser in C: only a local table is created from its definition in YAML.
    | ^(yaml/_yaml|_yaml/)
    # contract/connexion_binding.py imports nothing of these.
    | ^connexion/(apps|validators)/
    | ^connexion/(frameworks/(flask|starlette)|cli|options|testing)\.py$
    | ^starlette/(?!__init__\.py|exceptions\.py)
    # serverless-wsgi imports nothing of these.
    | ^werkzeug/((debug|middleware|routing)/|(_reloader|testapp)\.py$)
    """,
    re.VERBOSE,
)
"""Matches files in the packages that never run."""


class PackageRejected(Exception):
    """Raised when the package must not be deployed. The message says why in a sentence."""


def finish_package(package: Path, architecture: str, max_megabytes: float) -> str:
    """Rewrite the package in place. Return a description. Raises PackageRejected and leaves the package as it was."""
    files, foreign = _read_package(package)
    _check_architecture(files, architecture)
    finished = dict(_add_bytecode(files, foreign))
    packed = _build_zip(finished)
    megabytes, unpacked = len(packed) / MEGABYTE, sum(map(len, finished.values())) / MEGABYTE
    if megabytes > max_megabytes:
        raise PackageRejected(f"The package has {megabytes:.2f} MB, but may have {max_megabytes:g} at most.")
    if unpacked > MAX_UNPACKED_MEGABYTES:
        raise PackageRejected(f"The package has {unpacked:.0f} MB unpacked; Lambda takes {MAX_UNPACKED_MEGABYTES}.")
    package.write_bytes(packed)
    return (
        f"{package.name}: {megabytes:.2f} MB, {unpacked:.1f} MB unpacked, {len(finished)} files, "
        f"for {architecture} and Python {sys.version_info.major}.{sys.version_info.minor}\n"
        f"sha256 {hashlib.sha256(packed).hexdigest()}"
    )


def _read_package(package: Path) -> tuple[dict[str, bytes], set[str]]:
    """Return the files that run, by name, and the names of those that belong to third-party packages."""
    with zipfile.ZipFile(package) as archive:
        names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
        files = {name: archive.read(name) for name in names if not _UNUSED_FILES_PATTERN.search(name)}
        records = [archive.read(name).decode() for name in names if name.endswith(".dist-info/RECORD")]
    if not records:
        raise PackageRejected(f"{package.name} has no installed packages in it, or has been finished before.")
    return files, {line.partition(",")[0] for record in records for line in record.splitlines()}


def _check_architecture(files: dict[str, bytes], architecture: str) -> None:
    for name, content in sorted(files.items()):
        if content.startswith(b"\x7fELF") and int.from_bytes(content[18:20], "little") != ELF_MACHINES[architecture]:
            raise PackageRejected(f"{name} is native code for another architecture than {architecture}.")


def _add_bytecode(files: dict[str, bytes], third_party: set[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the files with bytecode beside our sources, and instead of third-party sources."""
    for name, content in files.items():
        if not name.endswith(".py"):
            yield name, content
            continue
        tree = ast.parse(content)
        path = PurePosixPath(name)
        if name in third_party:
            yield (
                str(path.with_suffix(".pyc")),
                _compile(_remove_docstrings(tree, (*_NODES_WITHOUT_DOCSTRING, ast.ClassDef)), name, content),
            )
        else:
            yield name, content
            cached = path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc"
            # Classes keep theirs: a dataclass without a docstring builds one from its signature at every start.
            yield str(cached), _compile(_remove_docstrings(tree, _NODES_WITHOUT_DOCSTRING), name, content)


def _remove_docstrings(tree: ast.Module, kinds: tuple[type[ast.AST], ...]) -> ast.Module:
    """Remove the docstrings of these kinds of nodes from a program. Every line keeps its number."""
    for node in ast.walk(tree):
        if isinstance(node, kinds) and ast.get_docstring(node, clean=False) is not None:  # type: ignore[arg-type]
            node.body[:1] = [] if isinstance(node, ast.Module) else [ast.copy_location(ast.Pass(), node.body[0])]  # type: ignore[attr-defined]
    return tree


def _compile(tree: ast.Module, name: str, source: bytes) -> bytes:
    unchecked = 0b01
    head = importlib.util.MAGIC_NUMBER + unchecked.to_bytes(4, "little") + importlib.util.source_hash(source)
    return head + marshal.dumps(compile(tree, f"/var/task/{name}", "exec", dont_inherit=True))


def _build_zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name)  # 1 January 1980, the first day that a zip file knows
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, whose permissions follow
            entry.external_attr = (0o755 if files[name].startswith(b"\x7fELF") else 0o644) << 16
            archive.writestr(entry, files[name], compresslevel=9)
    return buffer.getvalue()


def main() -> int:
    """Finish the package that the command line names. Return the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("package", type=Path)
    parser.add_argument("--architecture", choices=ELF_MACHINES, required=True)
    parser.add_argument("--max-megabytes", type=float, required=True)
    arguments = parser.parse_args()
    try:
        sys.stdout.write(finish_package(arguments.package, arguments.architecture, arguments.max_megabytes) + "\n")
    except PackageRejected as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
