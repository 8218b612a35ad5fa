"""Ask CloudFormation what was changed by hand (`make drift STAGE=prod`). The exit status is 1 if anything was."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from infrastructure.deployment.deploy import check_stage, choose_region, read_account_id
from infrastructure.deployment.package_build import DeploymentFailed
from infrastructure.deployment.stack import Stack

_POLL_SECONDS = 5
_MAX_POLLS = 120


def detect_drift(stack: Stack, sleep: Callable[[float], object]) -> list[str]:
    """Return a line for each resource that was deleted, and for each property that differs from the template.

    Raises DeploymentFailed if there is no such stack, or CloudFormation doesn't finish.
    """
    if not stack.exists():
        raise DeploymentFailed(f"There is no stage {stack.stage} in {stack.region}.")
    client = stack.client("cloudformation")
    detection = client.detect_stack_drift(StackName=stack.name)["StackDriftDetectionId"]
    for _ in range(_MAX_POLLS):
        status = client.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        if status["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            break
        sleep(_POLL_SECONDS)
    else:
        raise DeploymentFailed("CloudFormation has not compared everything within ten minutes.")
    if status["DetectionStatus"] != "DETECTION_COMPLETE":
        raise DeploymentFailed(
            f"CloudFormation could not compare everything: {status.get('DetectionStatusReason', 'without a reason')}."
        )
    return sorted(line for drift in _list_drifts(client, stack.name) for line in _describe(drift))


def _list_drifts(client: Any, name: str) -> Iterator[dict[str, Any]]:
    """Yield what differs. The SDK has no paginator for it."""
    following: dict[str, str] = {}
    while True:
        page = client.describe_stack_resource_drifts(
            StackName=name, StackResourceDriftStatusFilters=["MODIFIED", "DELETED"], **following
        )
        yield from page["StackResourceDrifts"]
        if not page.get("NextToken"):
            return
        following = {"NextToken": page["NextToken"]}


def _describe(drift: dict[str, Any]) -> Iterator[str]:
    name = f"{drift['LogicalResourceId']} {drift['ResourceType']}"
    if drift["StackResourceDriftStatus"] == "DELETED":
        yield f"{name}: it was deleted"
    for difference in drift.get("PropertyDifferences", ()):
        yield (
            f"{name}: {difference['PropertyPath']} is {difference['ActualValue'][:80]}, "
            f"not {difference['ExpectedValue'][:80]}"
        )


def main(arguments: list[str]) -> int:
    """Print how the stage that the command line names has drifted. Return the exit status."""
    stage = arguments[0] if arguments else ""
    try:
        check_stage(stage)
        stack = Stack(stage, choose_region(os.environ), os.environ.get("AWS_ENDPOINT_URL"))
        read_account_id(stack)
        lines = detect_drift(stack, time.sleep)
    except DeploymentFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    print("\n".join(lines) or f"Stage {stage} is as it was deployed, as far as CloudFormation can see.")
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
