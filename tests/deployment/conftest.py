"""Packages, built once for all tests: for this machine, and for Lambda's architecture."""

import fcntl
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from infrastructure.deployment.package_build import Package, build_package, local_build_environment
from tests.engines.dynamodb_server import dynoxide

__all__ = ["dynoxide"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests for which a package is built, before pytest deselects by mark."""
    for item in items:
        if isinstance(item, pytest.Function) and {"own_package", "prod_package"} & {*item.fixturenames}:
            item.add_marker("package")


@pytest.fixture(scope="session")
def own_package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """Build the package of dev for this machine's Python."""
    return _build_once("dev", tmp_path_factory, local_build_environment())


@pytest.fixture(scope="session")
def prod_package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """Build the package of prod for arm64, but for this machine's version of Python: Lambda's may be missing."""
    return _build_once("prod", tmp_path_factory, local_build_environment("arm64"))


def _build_once(stage: str, tmp_path_factory: pytest.TempPathFactory, environment: Mapping[str, str]) -> Package:
    """Build a package, or wait until another process of this run has built it."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    target, output = folder / f"package-{stage}", folder / f"package-{stage}.txt"
    with (folder / f"package-{stage}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not output.exists():
            target.mkdir(exist_ok=True)
            output.write_text(build_package(stage, target, environment).output)
    return Package(target, output.read_text())


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what Lambda provides: the SDK, and nothing else that is installed here."""
    folder = tmp_path_factory.mktemp("runtime")
    installed = next(Path(path) for path in sys.path if (Path(path) / "botocore").is_dir())
    for name in ("botocore", "dateutil", "jmespath", "six.py", "urllib3"):
        (folder / name).symlink_to(installed / name)
    return folder
