"""Make a Postman collection from the document: a request for each operation, filled in from the examples.

It runs unchanged against the mock. For a real server, set the variables: `address`, `token`, and ids that exist there,
such as `board_id`.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from tools.openapi.bundle import Bundle, Node, Operation
from tools.openapi.client_generation import OUTPUT_FOLDER
from tools.openapi.findings import BUNDLE

COLLECTION_FILE = OUTPUT_FOLDER / "postman" / "tackboard.postman_collection.json"

_SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"


def build_collection(document: Node) -> Node:
    """Build the collection in Postman's format 2.1, with a folder for each tag."""
    bundle = Bundle(document)
    folders: dict[str, list[Node]] = {}
    variables = {"address": "http://127.0.0.1:8080/v1", "token": "any-token"}
    for operation in bundle.operations:
        folders.setdefault(operation.node["tags"][0], []).append(_build_item(bundle, operation))
        for _, parameter in bundle.parameters(operation):
            if parameter["in"] == "path":
                variables[parameter["name"]] = str(_get_example_value(bundle, parameter))
    return {
        "info": {"name": document["info"]["title"], "description": document["info"]["description"], "schema": _SCHEMA},
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}", "type": "string"}]},
        "variable": [{"key": key, "value": value} for key, value in variables.items()],
        "item": [{"name": name, "item": items} for name, items in folders.items()],
    }


def _build_item(bundle: Bundle, operation: Operation) -> Node:
    path = re.sub(r"\{(\w+)\}", r"{{\1}}", operation.path)
    headers: list[Node] = [{"key": "Accept", "value": "application/json"}]
    query: list[Node] = []
    for _, parameter in bundle.parameters(operation):
        field = {"key": parameter["name"], "value": str(_get_example_value(bundle, parameter))}
        if parameter["in"] == "header":
            headers.append({**field, "disabled": not parameter.get("required", False)})
        elif parameter["in"] == "query":
            query.append({**field, "disabled": True})
    request: Node = {
        "method": operation.method.upper(),
        "description": operation.node.get("description", ""),
        "header": headers,
        "url": {"raw": f"{{{{address}}}}{path}", "host": ["{{address}}"], "path": path[1:].split("/"), "query": query},
    }
    content = operation.node.get("requestBody", {}).get("content", {}).get("application/json")
    if content is not None:
        headers.append({"key": "Content-Type", "value": "application/json"})
        request["body"] = {"mode": "raw", "raw": json.dumps(_get_example_body(bundle, content), indent=2)}
    success = next(status for _, status, _ in bundle.responses(operation) if status.startswith("2"))
    test = f'pm.test("{operation.id} answers {success}", () => pm.response.to.have.status({success}));'
    return {
        "name": operation.node.get("summary", operation.id),
        "request": request,
        "event": [{"listen": "test", "script": {"type": "text/javascript", "exec": [test]}}],
    }


def _get_example_body(bundle: Bundle, content: Node) -> Any:
    examples = [bundle.resolve(node).get("value") for node in content.get("examples", {}).values()]
    return examples[0] if examples else content.get("example")


def _get_example_value(bundle: Bundle, parameter: Node) -> Any:
    schema = bundle.resolve(parameter.get("schema", {}))
    return parameter.get("example", schema.get("example", ""))


def write_collection(file: Path = COLLECTION_FILE) -> Path:
    """Write the collection of the bundle to a file. Return the file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(build_collection(json.loads(BUNDLE.read_bytes())), indent=2))
    return file


def main() -> int:
    """Write the collection and print its path. Return the exit status."""
    print(write_collection())
    return 0


if __name__ == "__main__":
    sys.exit(main())
