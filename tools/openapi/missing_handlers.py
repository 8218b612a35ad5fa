"""From an operation in the document to the function that it lacks: where it goes, and how it begins."""

import ast
import re
import sys
from pathlib import Path

from contract.parameters import argument_name
from tools.openapi.bundle import Bundle, Node, Operation
from tools.openapi.bundler import CannotBundle, build_bundle
from tools.openapi.findings import ROOT, SPEC_FILE
from tools.openapi.source_locations import locate

HANDLERS_FOLDER = ROOT / "handlers"

_PYTHON_TYPES = {"integer": "int", "boolean": "bool", "array": "list[str]"}
_HANDLED_BY_CONTRACT = ("if_none_match", "idempotency_key")


def describe_missing_handlers(document: Node, handlers: Path = HANDLERS_FOLDER, root: Path = SPEC_FILE) -> list[str]:
    """For each operation without a function, what to write and where; nothing when all are there."""
    written = {
        node.name
        for file in handlers.glob("*.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef)
    }
    bundle = Bundle(document)
    return [_describe_missing_handler(bundle, each, root) for each in bundle.operations if each.id not in written]


def _describe_missing_handler(bundle: Bundle, operation: Operation, root: Path) -> str:
    module = re.sub(r"\W", "_", operation.node.get("tags", ["operations"])[0])
    place = locate((*operation.pointer, "operationId"), root)
    summary = str(operation.node.get("summary", operation.id)).rstrip(".")
    return (
        f"{operation.id} ({place}) has no function. Write it in handlers/{module}.py:\n\n"
        f"{_build_signature(bundle, operation)}\n"
        f'    """{summary}."""\n\n'
        f"What a client sees goes into tests/api/test_{module}.py first; what the rule decides, into tests/kanban/.\n"
    )


def _build_signature(bundle: Bundle, operation: Operation) -> str:
    """The head of the function: what must be there before what may be absent."""
    must = ["access: BoardAccess"] if "{board_id}" in operation.path else []
    must += ["context: ActionContext"] if operation.method != "get" else ["now: datetime"]
    may = []
    for _, parameter in bundle.parameters(operation):
        name, schema = argument_name(parameter["name"]), bundle.resolve(parameter["schema"])
        kind = _PYTHON_TYPES.get(schema.get("type", ""), "str")
        if name in _HANDLED_BY_CONTRACT:
            continue
        if name == "if_match":
            must.append("if_match: IfMatch")
        elif parameter.get("required") or "default" in schema:
            must.append(f"{name}: {kind}")
        else:
            may.append(f"{name}: {kind} | None = None")
    must += ["encode_cursor: CursorEncoder"] if any(each.startswith("cursor:") for each in may) else []
    must += ["body: dict[str, Any]"] if "requestBody" in operation.node else []
    return f"def {operation.id}({', '.join([*must, *may])}) -> Result:"


def main() -> int:
    """Print what is still to be written."""
    try:
        missing = describe_missing_handlers(build_bundle(SPEC_FILE))
    except CannotBundle as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(missing) or "Every operation of the document has its function.")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
