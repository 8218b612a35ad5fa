"""Where the compiled OpenAPI document is, and the version that it names: the contract's and the program's alike."""

from pathlib import Path
from typing import Any

import orjson

DOCUMENT_PATH = Path(__file__).parents[1] / "spec" / "dist" / "openapi.json"


def read_version() -> str:
    """Return the version of Tackboard, such as `1.3.0`."""
    version: str = load_document()["info"]["version"]
    return version


def load_document() -> dict[str, Any]:
    """Return the parsed document."""
    document: dict[str, Any] = orjson.loads(DOCUMENT_PATH.read_bytes())
    return document
