"""Build the package and its template with osls."""

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
"""Matches one step of a path in osls's state: a name in quotation marks, or a number."""


class DeploymentFailed(Exception):
    """Raised when a step can't be done. The message is a sentence, or the output of the tool."""


@dataclass(frozen=True, slots=True)
class Package:
    """What osls builds for a deployment: a folder, and osls's output."""

    folder: Path
    output: str

    @property
    def zip(self) -> Path:
        """Return the path of the function's code."""
        return self.folder / "tackboard.zip"

    @property
    def state(self) -> Path:
        """Return the path of osls's state, which holds the template and what is uploaded where."""
        return self.folder / "serverless-state.json"

    def read_template(self) -> dict[str, Any]:
        """Return the stack's CloudFormation template."""
        state = json.loads(self.state.read_text())
        template: dict[str, Any] = _expand_references(
            state["service"]["provider"]["compiledCloudFormationTemplate"], state
        )
        return template

    def read_folder(self) -> str:
        """Return the folder in the deployment bucket that belongs to this deployment alone."""
        name: str = json.loads(self.state.read_text())["package"]["artifactDirectoryName"]
        return name

    def read_deployment_role(self) -> str | None:
        """Return the ARN of CloudFormation's role; None if it has the rights of the caller."""
        provider = json.loads(self.state.read_text())["service"]["provider"]
        role: str | None = (provider.get("iam") or {}).get("deploymentRole")
        return role

    def read_parameters(self) -> list[dict[str, str]]:
        """Return the values of the template's parameters."""
        parameters: list[dict[str, str]] = json.loads(self.state.read_text())["service"]["provider"]["stackParameters"]
        return parameters


def _expand_references(node: Any, state: Any) -> Any:
    """Return a part of the state with its references replaced: osls writes what occurs twice once, and refers to it."""
    if isinstance(node, list):
        return [_expand_references(item, state) for item in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("$"):
        return {name: _expand_references(value, state) for name, value in node.items()}
    target = state
    for name, number in _PATH_STEP_PATTERN.findall(reference):
        target = target[int(number)] if number else target[json.loads(name)]
    return _expand_references(target, state)


def build_package(stage: str, folder: Path, environment: Mapping[str, str]) -> Package:
    """Build the package of a stage in a folder. Raises DeploymentFailed if osls fails."""
    with (ROOT / "serverless.yml").open() as file:
        # Every build of this checkout writes to .serverless first, so only one may run at a time.
        flock(file, LOCK_EX)
        output = run_osls(["package", "--stage", stage, "--package", str(folder)], environment)
    return Package(folder, output)


def local_build_environment(architecture: str | None = None) -> dict[str, str]:
    """Return the environment that builds for this machine's Python, and its architecture unless another is named."""
    return {
        "LAMBDA_ARCHITECTURE": architecture or _ARCHITECTURES.get(platform.machine(), "x86_64"),
        "LAMBDA_PYTHON": sys.executable,
        "LAMBDA_PYTHON_VERSION": f"{sys.version_info.major}.{sys.version_info.minor}",
    }


def run_osls(arguments: list[str], environment: Mapping[str, str]) -> str:
    """Run osls and return its output. Raises DeploymentFailed with the output if it fails."""
    process = subprocess.run(
        [str(ROOT / "node_modules" / ".bin" / "osls"), *arguments],
        cwd=ROOT,
        env={**os.environ, "SLS_NOTIFICATIONS_MODE": "off", "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        raise DeploymentFailed((process.stderr + process.stdout).strip().removeprefix("Error:").strip())
    return process.stdout + process.stderr
