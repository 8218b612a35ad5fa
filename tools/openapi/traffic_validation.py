"""Independent validators of recorded traffic: openapi-core and Prism, pinned in `tools/traffic_validators/`."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tools.openapi.client_generation import (
    OUTPUT_FOLDER,
    ClientFailed,
    create_tools_environment,
    install_npm_packages,
    run_command,
)
from tools.openapi.findings import BUNDLE, ROOT

VALIDATORS_FOLDER = ROOT / "tools" / "traffic_validators"


def validate_traffic(traffic: Path) -> Iterator[tuple[bool, str]]:
    """Yield for each validator whether it accepts all of the traffic, and its output."""
    for validator in (_validate_with_openapi_core, _validate_with_prism):
        yield _run_validator(validator, traffic)


def _run_validator(validator: Callable[[Path], str], traffic: Path) -> tuple[bool, str]:
    try:
        return True, validator(traffic).strip()
    except ClientFailed as failure:
        return False, str(failure)


def _validate_with_openapi_core(traffic: Path) -> str:
    interpreter = create_tools_environment()
    return run_command(
        str(interpreter),
        str(VALIDATORS_FOLDER / "validate_with_openapi_core.py"),
        str(BUNDLE),
        str(traffic),
        folder=OUTPUT_FOLDER,
    )


def _validate_with_prism(traffic: Path) -> str:
    program = install_npm_packages("prism", VALIDATORS_FOLDER) / "prism"
    return run_command(
        sys.executable,
        str(VALIDATORS_FOLDER / "validate_with_prism.py"),
        str(program),
        str(BUNDLE),
        str(traffic),
        folder=OUTPUT_FOLDER,
    )
