"""Packages, built once for all tests: for this machine, and for Lambda's architecture."""

import sys
from pathlib import Path

import pytest

from infrastructure.deployment.package_build import Package, build_package, local_build_environment
from tests.engines.dynamodb_server import dynoxide

__all__ = ["dynoxide"]


@pytest.fixture(scope="session")
def own_package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The package of dev, with which this machine's Python can run."""
    return build_package("dev", tmp_path_factory.mktemp("own"), local_build_environment())


@pytest.fixture(scope="session")
def prod_package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The package of prod for arm64, but for this machine's version of Python: Lambda's may not be here."""
    return build_package("prod", tmp_path_factory.mktemp("prod"), local_build_environment("arm64"))


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what Lambda has by itself: the SDK, and nothing else that is installed here."""
    folder = tmp_path_factory.mktemp("runtime")
    installed = next(Path(path) for path in sys.path if (Path(path) / "botocore").is_dir())
    for name in ("botocore", "dateutil", "jmespath", "six.py", "urllib3"):
        (folder / name).symlink_to(installed / name)
    return folder
