"""A certificate for receivers."""

from pathlib import Path

import pytest

from tests.delivery.receivers import NAME
from tests.engines.scripted_server import run_openssl


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a certificate for NAME, and its key."""
    folder = tmp_path_factory.mktemp("receiver")
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key_file)
    name = ("-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-days", "2")
    run_openssl("req", "-x509", *curve, *name, "-out", certificate_file)
    return certificate_file, key_file
