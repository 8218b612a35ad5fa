"""Where the compiled OpenAPI document is, and the version that it names: the contract's and the program's alike."""

import json
from pathlib import Path

DOCUMENT_PATH = Path(__file__).parents[1] / "spec" / "dist" / "openapi.json"


def read_version() -> str:
    """Return the version of Tackboard, such as `1.3.0`."""
    version: str = json.loads(DOCUMENT_PATH.read_bytes())["info"]["version"]
    return version
