"""Building the package and its template with osls."""

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

_ARCHITECTURES = {"aarch64": "arm64", "arm64": "arm64"}

_PATH_STEP_PATTERN = re.compile(r'\[(?:("(?:[^"\\]|\\.)*")|(\d+))\]')
"""One step of a path in osls's state: a name in quotation marks, or a number."""


class DeploymentFailed(Exception):
    """Something could not be done; the message is a sentence, or what the tool said."""


@dataclass(frozen=True, slots=True)
class Package:
    """What osls leaves for a deployment."""

    folder: Path
    output: str

    @property
    def zip(self) -> Path:
        """The function's code."""
        return self.folder / "tackboard.zip"

    @property
    def state(self) -> Path:
        """What osls deploys: the template and where everything goes."""
        return self.folder / "serverless-state.json"

    def read_template(self) -> dict[str, Any]:
        """The template of the stack."""
        state = json.loads(self.state.read_text())
        template: dict[str, Any] = _expand_references(
            state["service"]["provider"]["compiledCloudFormationTemplate"], state
        )
        return template

    def read_parameters(self) -> list[dict[str, str]]:
        """The values of the template's parameters."""
        found: list[dict[str, str]] = json.loads(self.state.read_text())["service"]["provider"]["stackParameters"]
        return found


def _expand_references(node: Any, state: Any) -> Any:
    """A part of the state, in which what occurs twice is written once: the second place says where the first is."""
    if isinstance(node, list):
        return [_expand_references(each, state) for each in node]
    if not isinstance(node, dict):
        return node
    place = node.get("$ref")
    if not isinstance(place, str) or not place.startswith("$"):
        return {name: _expand_references(each, state) for name, each in node.items()}
    found = state
    for name, number in _PATH_STEP_PATTERN.findall(place):
        found = found[int(number)] if number else found[json.loads(name)]
    return _expand_references(found, state)


def build_package(stage: str, folder: Path, environment: Mapping[str, str]) -> Package:
    """Build the package of a stage into a folder. Raises Failed."""
    with (ROOT / "serverless.yml").open() as file:
        # Every build of this tree puts its parts into .serverless first: one after the other.
        flock(file, LOCK_EX)
        said = run_osls(["package", "--stage", stage, "--package", str(folder)], environment)
    return Package(folder, said)


def local_build_environment(architecture: str | None = None) -> dict[str, str]:
    """The environment that makes a package for this machine's Python, and its architecture unless another is named."""
    return {
        "LAMBDA_ARCHITECTURE": architecture or _ARCHITECTURES.get(platform.machine(), "x86_64"),
        "LAMBDA_PYTHON": sys.executable,
        "LAMBDA_PYTHON_VERSION": f"{sys.version_info.major}.{sys.version_info.minor}",
    }


def run_osls(arguments: list[str], environment: Mapping[str, str]) -> str:
    """Run osls and return what it said. Raises Failed with it."""
    done = subprocess.run(
        [str(ROOT / "node_modules" / ".bin" / "osls"), *arguments],
        cwd=ROOT,
        env={**os.environ, "SLS_NOTIFICATIONS_MODE": "off", "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DeploymentFailed((done.stderr + done.stdout).strip().removeprefix("Error:").strip())
    return done.stdout + done.stderr
