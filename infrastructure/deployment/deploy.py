"""Deploy a stage: check, preview the changes, ask, deploy, upload the site, wait for a response (`make deploy`).

Whatever is wrong is reported in one sentence before anything is changed.
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

from infrastructure.deployment import firewall, site_files
from infrastructure.deployment.package_build import DeploymentFailed, Package, build_package, run_osls
from infrastructure.deployment.stack import Stack

_STAGE_PATTERN = re.compile(r"[a-z][a-z0-9-]{0,15}")
_STAGES_TO_CONFIRM = ("prod",)
_MAX_SHOWN_CHANGES = 40


def deploy(stage: str, environment: Mapping[str, str], ask: Callable[[str], str]) -> None:
    """Deploy a stage. Raises DeploymentFailed if a check or a step fails, or the user declines."""
    stack = Stack(stage, choose_region(environment), environment.get("AWS_ENDPOINT_URL"))
    check_stage(stage)
    check_python(environment)
    choice = firewall.read_choice(environment.get("FIREWALL", ""))
    account = read_account_id(stack)
    check_table(stack)
    print(f"Stage {stage} of account {account} in {stack.region}.")
    wall = firewall.open_firewall(stage, stack.endpoint)
    web_acl = "" if choice is False else firewall.find_web_acl(wall)
    if choice and not web_acl:
        print(f"A firewall will be made in {wall.region} first: 8 USD a month, and 0.60 for a million requests.")
    environment = {**environment, "WEB_ACL_ARN": web_acl}
    with tempfile.TemporaryDirectory() as scratch:
        package = build_package(stage, Path(scratch, "package"), environment)
        print("\n".join(line for line in package.output.splitlines() if " MB" in line or line.startswith("sha256")))
        for change in preview_changes(stack, package):
            print(f"  {change}")
        if stage in _STAGES_TO_CONFIRM and ask(f"Type {stage} to deploy this: ").strip() != stage:
            raise DeploymentFailed("Nothing was deployed.")
        if choice:
            environment["WEB_ACL_ARN"] = firewall.update_firewall(
                wall, stage, environment.get("FIREWALL_RATE", ""), environment.get("DEPLOYMENT_ROLE", "")
            )
            if environment["WEB_ACL_ARN"] != web_acl:
                package = build_package(stage, Path(scratch, "package"), environment)
        print("Deploying; the first time takes ten minutes.")
        run_osls(["deploy", "--stage", stage, "--package", str(package.folder)], environment)
        folder = package.read_folder()
    if choice is False and wall.exists():
        wall.delete()
    outputs = stack.outputs()
    s3, files = stack.client("s3"), site_files.collect_files()
    # Kept beside the code, so that a rollback has both.
    site_files.keep_files(s3, outputs["ServerlessDeploymentBucketName"], folder, files)
    number = site_files.upload_files(s3, outputs["SiteBucketName"], files)
    invalidate_cache(stack, outputs["DistributionId"])
    # CloudFront's own name, because that of a domain may not lead there yet.
    wait_until_ready(outputs["DistributionUrl"])
    print(f"Tackboard is running at {outputs['SiteUrl']} ({number} files, and the API under /v1).")


def choose_region(environment: Mapping[str, str]) -> str:
    """Return the region to deploy to. Raises DeploymentFailed for an unknown one."""
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "eu-central-1"
    if region not in Session().get_available_regions("dynamodb"):
        raise DeploymentFailed(f"AWS has no region {region[:40]!r}: set AWS_REGION to one such as eu-central-1.")
    return region


def check_stage(stage: str) -> None:
    """Raise DeploymentFailed for a name that can't be part of the names of buckets and alarms."""
    if not _STAGE_PATTERN.fullmatch(stage):
        raise DeploymentFailed(
            f"{stage[:40]!r} is not a valid stage: use up to 16 lower-case letters, digits and hyphens, a letter first."
        )


def check_python(environment: Mapping[str, str]) -> None:
    """Raise DeploymentFailed unless there is a Python to compile the bytecode with."""
    if not environment.get("LAMBDA_PYTHON"):
        raise DeploymentFailed(
            "Lambda runs Python 3.13, which is not installed here: name it, make deploy LAMBDA_PYTHON=/path/to/it."
        )


def read_account_id(stack: Stack) -> str:
    """Return the number of the account. Raises DeploymentFailed if the credentials are invalid."""
    try:
        account: str = stack.client("sts").get_caller_identity()["Account"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise DeploymentFailed(f"AWS does not accept the credentials ({code}): renew them.") from error
    except BotoCoreError as error:
        raise DeploymentFailed(f"There are no usable credentials for AWS: {_first_sentence(error)}") from error
    return account


def check_table(stack: Stack) -> None:
    """Raise DeploymentFailed if a table of that name exists that no stack of ours has created."""
    if stack.exists():
        return
    try:
        stack.client("dynamodb").describe_table(TableName=stack.name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return
        raise DeploymentFailed(f"The tables can't be listed: {error.response['Error']['Code']}.") from error
    raise DeploymentFailed(
        f"A table {stack.name} exists, but no stack: rename the stage, or import the table into a stack first "
        f"(docs/deploy.md, Restore)."
    )


def preview_changes(stack: Stack, package: Package) -> Iterator[str]:
    """Yield what a deployment would change, one line each, without changing it."""
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
        **({"RoleARN": role} if (role := package.read_deployment_role()) else {}),
    )
    try:
        changes = _describe_change_set(client, stack.name, name)
        yield f"{len(changes)} resources change." if changes else "Nothing changes."
        yield from changes[:_MAX_SHOWN_CHANGES]
    finally:
        client.delete_change_set(StackName=stack.name, ChangeSetName=name)
        s3.delete_object(Bucket=bucket, Key=key)


def _describe_change_set(client: Any, stack: str, name: str) -> list[str]:
    for _ in range(60):
        change_set = client.describe_change_set(StackName=stack, ChangeSetName=name)
        if change_set["Status"] in ("CREATE_COMPLETE", "FAILED"):
            break
        time.sleep(2)
    else:
        raise DeploymentFailed("CloudFormation doesn't report what would change.")
    if change_set["Status"] == "FAILED" and "contain changes" not in change_set.get("StatusReason", ""):
        raise DeploymentFailed(
            f"CloudFormation rejects the template: {change_set.get('StatusReason', 'without a reason')}"
        )
    lines = []
    for change in (item["ResourceChange"] for item in change_set.get("Changes", [])):
        replacement = " (REPLACED)" if change.get("Replacement") == "True" else ""
        lines.append(f"{change['Action']:<7} {change['LogicalResourceId']} {change['ResourceType']}{replacement}")
    return sorted(lines)


def invalidate_cache(stack: Stack, distribution: str) -> None:
    """Make CloudFront drop the files that it has cached."""
    paths = {"Quantity": 1, "Items": ["/*"]}
    batch = {"Paths": paths, "CallerReference": str(time.time_ns())}
    stack.client("cloudfront").create_invalidation(DistributionId=distribution, InvalidationBatch=batch)


def wait_until_ready(address: str) -> None:
    """Wait for the API. Raises DeploymentFailed if it doesn't respond within a few minutes."""
    for _ in range(10):
        try:
            with urllib.request.urlopen(f"{address}/v1/ready", timeout=15):  # noqa: S310 - https, as CloudFormation says
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(3)
    raise DeploymentFailed(
        f"It was deployed, but {address}/v1/ready does not respond: docs/operations.md says where to look."
    )


def _first_sentence(error: Exception) -> str:
    text = str(error).strip().splitlines()[0]
    return text if text.endswith(".") else f"{text}."


def main(arguments: list[str]) -> int:
    """Deploy the stage that the command line names, with --yes without asking; the exit status."""
    names = [argument for argument in arguments if argument != "--yes"]
    stage = names[0] if names else ""
    ask = input if names == arguments else lambda _: stage
    try:
        deploy(stage, os.environ, ask)
    except DeploymentFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    except (KeyboardInterrupt, EOFError) as interruption:
        hint = " Without a terminal, add YES=1." if isinstance(interruption, EOFError) else ""
        print(f"Nothing was deployed.{hint}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
