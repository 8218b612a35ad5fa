"""`make deploy STAGE=dev`: look first, show what would change, ask, deploy, put the site up, see that it answers.

Whatever is wrong is said in one sentence before anything is changed.
"""

import json
import os
import re
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from infrastructure.deployment import site_files
from infrastructure.deployment.package_build import DeploymentFailed, Package, build_package, run_osls
from infrastructure.deployment.stack import Stack

_STAGE_PATTERN = re.compile(r"[a-z][a-z0-9-]{0,15}")
_STAGES_TO_CONFIRM = ("prod",)
_MAX_SHOWN_CHANGES = 40


def deploy(stage: str, environment: Mapping[str, str], ask: Callable[[str], str]) -> None:
    """Deploy a stage. Raises Failed."""
    stack = Stack(stage, choose_region(environment), environment.get("AWS_ENDPOINT_URL"))
    check_stage(stage)
    check_python(environment)
    account = read_account_id(stack)
    check_table(stack)
    print(f"Stage {stage} of account {account} in {stack.region}.")
    with tempfile.TemporaryDirectory() as scratch:
        package = build_package(stage, Path(scratch, "package"), environment)
        print("\n".join(line for line in package.output.splitlines() if " MB" in line or line.startswith("sha256")))
        for change in preview_changes(stack, package):
            print(f"  {change}")
        if stage in _STAGES_TO_CONFIRM and ask(f"Type {stage} to deploy this: ").strip() != stage:
            raise DeploymentFailed("Nothing was deployed.")
        print("Deploying; the first time takes ten minutes.")
        run_osls(["deploy", "--stage", stage, "--package", str(package.folder)], environment)
    outputs = stack.outputs()
    number = site_files.upload_files(stack.client("s3"), outputs["SiteBucketName"])
    _invalidate_cache(stack, outputs["DistributionId"])
    _wait_until_ready(outputs["ApiUrl"])
    print(f"It answers at {outputs['SiteUrl']} ({number} files and the API under /v1).")


def choose_region(environment: Mapping[str, str]) -> str:
    """The region to deploy to. Raises Failed for one that there is not."""
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "eu-central-1"
    if region not in Session().get_available_regions("dynamodb"):
        raise DeploymentFailed(f"AWS has no region {region[:40]!r}: set AWS_REGION to one such as eu-central-1.")
    return region


def check_stage(stage: str) -> None:
    """Raise Failed for a name that would not do everywhere, in names of buckets as in those of alarms."""
    if not _STAGE_PATTERN.fullmatch(stage):
        raise DeploymentFailed(
            f"{stage[:40]!r} is no name for a stage: up to 16 small letters, digits and hyphens, a letter first."
        )


def check_python(environment: Mapping[str, str]) -> None:
    """Raise Failed unless there is a Python to make the bytecode with."""
    if not environment.get("LAMBDA_PYTHON"):
        raise DeploymentFailed(
            "There is no Python 3.13, which Lambda runs: name one, make deploy LAMBDA_PYTHON=/path/to/it."
        )


def read_account_id(stack: Stack) -> str:
    """The number of the account; raises Failed when the credentials lead into none."""
    try:
        account: str = stack.client("sts").get_caller_identity()["Account"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise DeploymentFailed(f"AWS does not accept the credentials ({code}): renew them.") from error
    except BotoCoreError as error:
        raise DeploymentFailed(
            f"There are no credentials for AWS that can be used: {_first_sentence(error)}"
        ) from error
    return account


def check_table(stack: Stack) -> None:
    """Raise Failed when there is a table of that name which no stack of ours has made."""
    if stack.exists():
        return
    try:
        stack.client("dynamodb").describe_table(TableName=stack.name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return
        raise DeploymentFailed(f"The tables cannot be looked at: {error.response['Error']['Code']}.") from error
    raise DeploymentFailed(
        f"There is a table {stack.name} already, and no stack: rename the stage, or take the table into a stack first "
        f"(docs/deploy.md, Restore)."
    )


def preview_changes(stack: Stack, package: Package) -> Iterator[str]:
    """What a deployment would change, a line each. Nothing is changed."""
    template = package.read_template()
    if not stack.exists():
        yield f"A new stack with {len(template['Resources'])} resources."
        return
    client = stack.client("cloudformation")
    bucket = stack.outputs()["ServerlessDeploymentBucketName"]
    key, name = "preview/template.json", f"preview-{int(time.time())}"
    s3 = stack.client("s3")
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(template))
    address = s3.meta.endpoint_url if stack.endpoint else f"https://s3.{stack.region}.amazonaws.com"
    client.create_change_set(
        StackName=stack.name,
        ChangeSetName=name,
        TemplateURL=f"{address}/{bucket}/{key}",
        Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_IAM"],
        Parameters=package.read_parameters(),
    )
    try:
        found = _describe_change_set(client, stack.name, name)
        yield f"{len(found)} resources change." if found else "Nothing changes."
        yield from found[:_MAX_SHOWN_CHANGES]
    finally:
        client.delete_change_set(StackName=stack.name, ChangeSetName=name)
        s3.delete_object(Bucket=bucket, Key=key)


def _describe_change_set(client: Any, stack: str, name: str) -> list[str]:
    for _ in range(60):
        found = client.describe_change_set(StackName=stack, ChangeSetName=name)
        if found["Status"] in ("CREATE_COMPLETE", "FAILED"):
            break
        time.sleep(2)
    else:
        raise DeploymentFailed("CloudFormation does not say what would change.")
    if found["Status"] == "FAILED" and "contain changes" not in found.get("StatusReason", ""):
        raise DeploymentFailed(f"CloudFormation refuses the template: {found.get('StatusReason', 'without a reason')}")
    lines = []
    for change in (each["ResourceChange"] for each in found.get("Changes", [])):
        replaced = " (REPLACED)" if change.get("Replacement") == "True" else ""
        lines.append(f"{change['Action']:<7} {change['LogicalResourceId']} {change['ResourceType']}{replaced}")
    return sorted(lines)


def _invalidate_cache(stack: Stack, distribution: str) -> None:
    """Have CloudFront forget the files that it keeps."""
    paths = {"Quantity": 1, "Items": ["/*"]}
    batch = {"Paths": paths, "CallerReference": str(time.time_ns())}
    stack.client("cloudfront").create_invalidation(DistributionId=distribution, InvalidationBatch=batch)


def _wait_until_ready(address: str) -> None:
    for _ in range(10):
        try:
            with urllib.request.urlopen(f"{address}/v1/ready", timeout=15):  # noqa: S310 - https, as CloudFormation says
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(3)
    raise DeploymentFailed(
        f"It was deployed, but {address}/v1/ready does not answer: docs/operations.md tells where to look."
    )


def _first_sentence(error: Exception) -> str:
    text = str(error).strip().splitlines()[0]
    return text if text.endswith(".") else f"{text}."


def main(arguments: list[str]) -> int:
    """Deploy the stage that the command line names; the exit status."""
    try:
        deploy(arguments[0] if arguments else "", os.environ, input)
    except DeploymentFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    except (KeyboardInterrupt, EOFError):
        print("Nothing was deployed.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
