"""Read the events that gateways and load balancers send to a function."""

from collections.abc import Mapping
from typing import Any


def find_header(event: Mapping[str, Any], name: str) -> object:
    """Return a header of an event of any format, by its lower-case name; None without one."""
    headers = event.get("multiValueHeaders") or event.get("headers") or {}
    if name in headers:
        value = headers[name]
    else:
        value = next((value for other_name, value in headers.items() if other_name.lower() == name), None)
    return value[0] if isinstance(value, list) and value else value
