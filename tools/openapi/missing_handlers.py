"""Describe the handlers that operations of the document still lack: where each goes, and its signature."""

import ast
import re
import sys
from pathlib import Path

from contract.operations import HEADERS_OF_THE_CONTRACT
from contract.parameters import argument_name
from tools.openapi.bundle import Bundle, Node, Operation
from tools.openapi.bundler import CannotBundle, build_bundle
from tools.openapi.findings import ROOT, SPEC_FILE
from tools.openapi.source_locations import locate

HANDLERS_FOLDER = ROOT / "handlers"

_PYTHON_TYPES = {"integer": "int", "boolean": "bool", "array": "list[str]"}


def describe_missing_handlers(document: Node, handlers: Path = HANDLERS_FOLDER, root: Path = SPEC_FILE) -> list[str]:
    """Say for each operation without a handler what to write, and where. Return an empty list if none is missing."""
    existing = {
        node.name
        for file in handlers.glob("*.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef)
    }
    bundle = Bundle(document)
    return [
        _describe_missing_handler(bundle, operation, root)
        for operation in bundle.operations
        if operation.id not in existing
    ]


def _describe_missing_handler(bundle: Bundle, operation: Operation, root: Path) -> str:
    module = re.sub(r"\W", "_", operation.node.get("tags", ["operations"])[0])
    location = locate((*operation.pointer, "operationId"), root)
    summary = re.sub(r"^Get ", "Return ", str(operation.node.get("summary", operation.id)).rstrip("."))
    return (
        f"{operation.id} ({location}) has no function. Write it in handlers/{module}.py:\n\n"
        f"{_build_signature(bundle, operation)}\n"
        f'    """{summary}."""\n\n'
        f"What a client sees goes into tests/api/test_{module}.py first; what the rule decides, into tests/kanban/.\n"
    )


def _build_signature(bundle: Bundle, operation: Operation) -> str:
    """Build the signature of the handler: required parameters before optional ones."""
    required = ["access: BoardAccess"] if "{board_id}" in operation.path else []
    required += ["context: ActionContext"] if operation.method != "get" else ["now: datetime"]
    optional = []
    for _, parameter in bundle.parameters(operation):
        name, schema = argument_name(parameter["name"]), bundle.resolve(parameter["schema"])
        annotation = _PYTHON_TYPES.get(schema.get("type", ""), "str")
        if name in HEADERS_OF_THE_CONTRACT:
            continue
        if name == "if_match":
            required.append("if_match: IfMatch")
        elif parameter.get("required") or "default" in schema:
            required.append(f"{name}: {annotation}")
        else:
            optional.append(f"{name}: {annotation} | None = None")
    required += (
        ["encode_cursor: CursorEncoder"] if any(parameter.startswith("cursor:") for parameter in optional) else []
    )
    required += ["body: dict[str, Any]"] if "requestBody" in operation.node else []
    return f"def {operation.id}({', '.join([*required, *optional])}) -> Result:"


def main() -> int:
    """Print the handlers that are missing. Return 1 if there are any."""
    try:
        missing = describe_missing_handlers(build_bundle(SPEC_FILE))
    except CannotBundle as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(missing) or "Every operation of the document has its function.")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
