"""Find the line of the source file from which a part of the bundle comes.

The bundle is made by following references, so the way back follows them too. What is at `components/KIND/Name` in the
bundle was written under `Name` in spec/KIND.yaml or in a file below spec/KIND/. What the bundler adds, such as a
standard response, was written nowhere in a path: a pointer to it leads to the nearest part that was.
"""

from collections import defaultdict
from functools import cache
from pathlib import Path

import yaml

from tools.openapi.bundler import BASE
from tools.openapi.findings import ROOT, SPEC, SPEC_FILE, Pointer, SourceLocation


@cache
def _parse_yaml(file: Path) -> yaml.Node | None:
    return yaml.compose(file.read_text(), Loader=yaml.CSafeLoader)


def locate(pointer: Pointer, root: Path = SPEC_FILE) -> SourceLocation:
    """Return the line that the pointer leads to, or the nearest one above it."""
    file, node, location, steps = _choose_start(pointer, root)
    for step in steps:
        file, node, location = _follow_reference(file, node, location)
        key, child = _find_child(node, step)
        base = _find_child(node, BASE)[1]
        while key is None and base is not None:
            file, node, _, _ = _choose_start(("components", "examples", str(base.value)), root)
            node = _find_child(node, "value")[1]
            key, child = _find_child(node, step)
            base = _find_child(node, BASE)[1]
        if key is None or child is None:
            break
        location, node = _location_of(file, key), child
    return location


def _choose_start(pointer: Pointer, root: Path) -> tuple[Path, yaml.Node | None, SourceLocation, Pointer]:
    """Return where to begin (file, node, location) and the steps from there on."""
    match pointer:
        case ("components", kind, name, *rest):
            for file in _list_component_files(root, str(kind)):
                key, node = _find_child(_parse_yaml(file), name)
                if key is not None:
                    return file, node, _location_of(file, key), tuple(rest)
    return root, _parse_yaml(root), SourceLocation(_format_path(root), 1, 1), pointer


def _list_component_files(root: Path, kind: str) -> list[Path]:
    return [
        file for file in (root.parent / f"{kind}.yaml", *sorted((root.parent / kind).rglob("*.yaml"))) if file.exists()
    ]


def _follow_reference(
    file: Path, node: yaml.Node | None, location: SourceLocation
) -> tuple[Path, yaml.Node | None, SourceLocation]:
    """Return what a reference leads to, or the arguments if the node is no reference."""
    _, reference = _find_child(node, "$ref")
    if reference is None:
        return file, node, location
    path, _, name = str(reference.value).partition("#/")
    target = (file.parent / path).resolve() if path else file
    key, child = _find_child(_parse_yaml(target), name) if target.exists() else (None, None)
    return (target, child, _location_of(target, key)) if key is not None else (file, None, location)


def _find_child(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node | None, yaml.Node | None]:
    """Return the node to point at (a key, or an item) and the node to go on from; None where there is no such child."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key, value
    if isinstance(node, yaml.SequenceNode) and str(step).isdigit() and int(step) < len(node.value):
        item = node.value[int(step)]
        return item, item
    return None, None


def list_source_files(folder: Path = SPEC) -> list[Path]:
    """Return the files that people write, without the bundle that is made of them."""
    return [file for file in sorted(folder.rglob("*.yaml")) if folder / "dist" not in file.parents]


def find_duplicate_keys(file: Path) -> list[tuple[SourceLocation, str]]:
    """Return every key that is in one mapping of a file twice: YAML silently keeps the last one."""
    duplicates = []
    pending = [_parse_yaml(file)]
    while pending:
        node = pending.pop()
        if isinstance(node, yaml.SequenceNode):
            pending += node.value
        elif isinstance(node, yaml.MappingNode):
            seen = set()
            for key, value in node.value:
                if key.value in seen:
                    duplicates.append((_location_of(file, key), key.value))
                seen.add(key.value)
                pending.append(value)
    return duplicates


def find_duplicate_components(root: Path = SPEC_FILE) -> list[tuple[SourceLocation, str]]:
    """Return every component whose name another file of its kind has too: the bundle could hold only one of them."""
    duplicates = []
    for kind in ("schemas", "parameters", "headers", "responses", "examples", "links"):
        files_by_name: dict[str, list[tuple[Path, yaml.Node]]] = defaultdict(list)
        for file in _list_component_files(root, kind):
            node = _parse_yaml(file)
            for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
                files_by_name[key.value].append((file, key))
        duplicates += [
            (_location_of(file, key), name) for name, locations in files_by_name.items() for file, key in locations[1:]
        ]
    return duplicates


def _location_of(file: Path, node: yaml.Node) -> SourceLocation:
    return SourceLocation(_format_path(file), node.start_mark.line + 1, node.start_mark.column + 1)


def _format_path(file: Path) -> str:
    """Return the path relative to the top folder, if it lies there."""
    resolved = file.resolve()
    return str(resolved.relative_to(ROOT)) if resolved.is_relative_to(ROOT) else str(resolved)
