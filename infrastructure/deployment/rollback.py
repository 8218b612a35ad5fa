"""Go back to a deployment, with its function, template and site (`make rollback STAGE=prod TIMESTAMP=…`)."""

import os
import re
import sys
from collections.abc import Mapping

from infrastructure.deployment import firewall, site_files
from infrastructure.deployment.deploy import (
    check_stage,
    choose_region,
    invalidate_cache,
    read_account_id,
    wait_until_ready,
)
from infrastructure.deployment.package_build import DeploymentFailed, run_osls
from infrastructure.deployment.stack import Stack

_TIMESTAMP_PATTERN = re.compile(r"\d{13}")


def roll_back(stack: Stack, timestamp: str, environment: Mapping[str, str]) -> int:
    """Go back to a deployment. Return how many files of the site were restored.

    Raises DeploymentFailed if there is no such deployment, or CloudFormation doesn't succeed.
    """
    if not _TIMESTAMP_PATTERN.fullmatch(timestamp):
        listed = run_osls(["deploy", "list", "--stage", stack.stage], environment)
        raise DeploymentFailed(f"Name the deployment by its 13 digits: make rollback TIMESTAMP=…\n{listed.strip()}")
    s3, bucket = stack.client("s3"), stack.outputs()["ServerlessDeploymentBucketName"]
    folder = site_files.find_folder(s3, bucket, stack.stage, timestamp)
    run_osls(["rollback", "--stage", stack.stage, "--timestamp", timestamp], environment)
    outputs = stack.outputs()
    number = site_files.restore_files(s3, bucket, folder, outputs["SiteBucketName"])
    invalidate_cache(stack, outputs["DistributionId"])
    return number


def main(arguments: list[str]) -> int:
    """Roll back the stage that the first argument names to the deployment of the second. Return the exit status."""
    stage, timestamp = [*arguments, "", ""][:2]
    try:
        check_stage(stage)
        stack = Stack(stage, choose_region(os.environ), os.environ.get("AWS_ENDPOINT_URL"))
        read_account_id(stack)
        wall = firewall.open_firewall(stage, stack.endpoint)
        number = roll_back(stack, timestamp, {"WEB_ACL_ARN": firewall.find_web_acl(wall)})
        wait_until_ready(stack.outputs()["DistributionUrl"])
    except DeploymentFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    site = f"{number} files of the site" if number else "no file of the site, because it has kept none"
    print(f"Stage {stage} is what it was at {timestamp}, with {site}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
