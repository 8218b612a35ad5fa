"""From a place of the bundle to the line that a person wrote.

The bundle is made by following references, so the way back is the same walk over the source files: step by step, and
into the next file wherever a `$ref` stands. What the bundle has under `components/{kind}/{name}` was written in
`spec/{kind}/{name}.yaml`.
"""

from functools import cache
from pathlib import Path

import yaml

from tools.openapi.findings import ROOT, SPEC, Pointer, SourceLocation


@cache
def _parse_yaml(file: Path) -> yaml.Node | None:
    return yaml.compose(file.read_text(), Loader=yaml.CSafeLoader)


def locate(pointer: Pointer, root: Path = SPEC / "openapi.yaml") -> SourceLocation:
    """Where the pointer leads, or as near to it as there is anything written."""
    file, pointer = _choose_start(pointer, root)
    node = _parse_yaml(file)
    place = SourceLocation(_format_path(file), 1, 1)
    for step in pointer:
        if node is None:
            break
        file, node, place = _follow_reference(file, node, place)
        key, node = _find_child(node, step)
        if key is not None:
            place = SourceLocation(_format_path(file), key.start_mark.line + 1, key.start_mark.column + 1)
    return place


def _choose_start(pointer: Pointer, root: Path) -> tuple[Path, Pointer]:
    match pointer:
        case ("components", kind, name, *rest):
            file = root.parent / str(kind) / f"{name}.yaml"
            if file.exists():
                return file, tuple(rest)
    return root, pointer


def _follow_reference(
    file: Path, node: yaml.Node, location: SourceLocation
) -> tuple[Path, yaml.Node | None, SourceLocation]:
    """The node that is meant: a reference leads to the top of another file."""
    _, reference = _find_child(node, "$ref")
    if reference is None:
        return file, node, location
    target = (file.parent / str(reference.value)).resolve()
    if not target.exists():
        return file, None, location
    return target, _parse_yaml(target), SourceLocation(_format_path(target), 1, 1)


def _find_child(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node | None, yaml.Node | None]:
    """What stands under a step: the node to point at (a key, or an item), and the node to go on from."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key, value
    if isinstance(node, yaml.SequenceNode) and str(step).isdigit() and int(step) < len(node.value):
        item = node.value[int(step)]
        return item, item
    return None, None


def find_duplicate_keys(file: Path) -> list[tuple[SourceLocation, str]]:
    """Every key that stands twice in one mapping of a file: YAML keeps the last one and says nothing."""
    found = []
    pending = [_parse_yaml(file)]
    while pending:
        node = pending.pop()
        if isinstance(node, yaml.SequenceNode):
            pending += node.value
        elif isinstance(node, yaml.MappingNode):
            seen = set()
            for key, value in node.value:
                if key.value in seen:
                    found.append(
                        (
                            SourceLocation(_format_path(file), key.start_mark.line + 1, key.start_mark.column + 1),
                            key.value,
                        )
                    )
                seen.add(key.value)
                pending.append(value)
    return found


def _format_path(file: Path) -> str:
    """The path as a person types it in the top folder."""
    resolved = file.resolve()
    return str(resolved.relative_to(ROOT)) if resolved.is_relative_to(ROOT) else str(resolved)
