"""The CDK app deploys the resources that osls deploys. `make cdk-proof` runs this: it needs CDK, in .venv-cdk."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infrastructure.deployment.package_build import ROOT, Package

PYTHON = ROOT / ".venv-cdk" / "bin" / "python"
FUNCTIONS = {"ApiLambdaFunction", "ReadersLambdaFunction"}

pytestmark = pytest.mark.skipif(os.environ.get("CDK") != "1", reason="make cdk-proof runs it")


@pytest.fixture
def synthesized(prod_package: Package, tmp_path: Path) -> dict[str, Any]:
    """Return the template of the stack in the cloud assembly."""
    command = [str(PYTHON), "-m", "infrastructure.cdk.app", str(prod_package.folder), "prod", str(tmp_path / "out")]
    subprocess.run(command, cwd=ROOT, check=True)
    template: dict[str, Any] = json.loads((tmp_path / "out" / "tackboard-prod.template.json").read_text())
    return template


def normalize(node: Any) -> Any:
    """Return a part of a template in CDK's way: one dependency is a list of one, and their order means nothing."""
    if isinstance(node, list):
        return [normalize(item) for item in node]
    if not isinstance(node, dict):
        return node
    parts = {name: normalize(value) for name, value in node.items()}
    if "DependsOn" in parts:
        names = parts["DependsOn"] if isinstance(parts["DependsOn"], list) else [parts["DependsOn"]]
        parts["DependsOn"] = sorted(set(names))
    return parts


def test_cdk_has_the_resources_of_osls(prod_package: Package, synthesized: dict[str, Any]) -> None:
    expected = normalize(prod_package.read_template()["Resources"])
    actual = normalize(synthesized["Resources"])

    assert {kind["Type"] for name, kind in actual.items() if name not in expected} <= {"AWS::CDK::Metadata"}
    for name, resource in expected.items():
        if name in FUNCTIONS:
            # CDK uploads the code to a bucket of its own.
            assert actual[name]["Properties"].pop("Code").keys() == resource["Properties"].pop("Code").keys()
        assert actual[name] == resource, name


def test_cdk_has_the_outputs_conditions_and_values_of_osls(prod_package: Package, synthesized: dict[str, Any]) -> None:
    template = prod_package.read_template()
    values = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in prod_package.read_parameters()}

    assert synthesized["Conditions"].items() >= template["Conditions"].items()
    assert synthesized["Outputs"].items() >= template["Outputs"].items()
    assert {name: str(synthesized["Parameters"][name]["Default"]) for name in values} == values
