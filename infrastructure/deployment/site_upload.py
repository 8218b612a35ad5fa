"""Upload the site of a stage that was deployed by other means than `make deploy` (`make site STAGE=prod`)."""

import os
import sys

from infrastructure.deployment import site_files
from infrastructure.deployment.deploy import check_stage, choose_region, invalidate_cache, read_account_id
from infrastructure.deployment.package_build import DeploymentFailed
from infrastructure.deployment.stack import Stack


def main(arguments: list[str]) -> int:
    """Upload the site of the stage that the command line names. Return the exit status."""
    stage = arguments[0] if arguments else ""
    try:
        check_stage(stage)
        stack = Stack(stage, choose_region(os.environ), os.environ.get("AWS_ENDPOINT_URL"))
        read_account_id(stack)
        outputs = stack.outputs()
        number = site_files.upload_files(stack.client("s3"), outputs["SiteBucketName"], site_files.collect_files())
        invalidate_cache(stack, outputs["DistributionId"])
    except DeploymentFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    print(f"{number} files are at {outputs['SiteUrl']}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
