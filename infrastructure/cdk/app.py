"""A CDK app with the stack that osls builds, for those who deploy with CDK (`make cdk STAGE=prod`).

It includes the very template, so both tools deploy the same resources under the same names. Only the code of the
functions comes from CDK's own bucket. This runs in .venv-cdk, with Node beside it.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import aws_cdk
from aws_cdk.aws_lambda import CfnFunction
from aws_cdk.aws_s3_assets import Asset
from aws_cdk.cloudformation_include import CfnInclude

from infrastructure.deployment.package_build import Package

FUNCTIONS = ("ApiLambdaFunction", "ReadersLambdaFunction")


def synthesize(package: Package, stage: str, output: Path) -> dict[str, Any]:
    """Write a cloud assembly, which `cdk deploy` takes, into a folder. Return the template of its stack."""
    app = aws_cdk.App(outdir=str(output))
    stack = aws_cdk.Stack(app, f"tackboard-{stage}")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(read_template(package), file)
        file.flush()
        template = CfnInclude(stack, "Tackboard", template_file=file.name)
    code = Asset(stack, "Code", path=str(package.zip))
    for name in FUNCTIONS:
        function = template.get_resource(name)
        function.code = CfnFunction.CodeProperty(s3_bucket=code.s3_bucket_name, s3_key=code.s3_object_key)
    synthesized: dict[str, Any] = app.synth().get_stack_by_name(stack.stack_name).template
    return synthesized


def read_template(package: Package) -> dict[str, Any]:
    """Return the template of a package, with the values of this stage as the defaults of its parameters."""
    template = package.read_template()
    for parameter in package.read_parameters():
        template["Parameters"][parameter["ParameterKey"]]["Default"] = parameter["ParameterValue"]
    return template


def main(arguments: list[str]) -> int:
    """Synthesize the package in a folder for a stage into another folder. Return the exit status."""
    folder, stage, output = arguments
    template = synthesize(Package(Path(folder).resolve(), ""), stage, Path(output).resolve())
    print(f"{len(template['Resources'])} resources: npx cdk deploy --app {output}, then make site STAGE={stage}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
