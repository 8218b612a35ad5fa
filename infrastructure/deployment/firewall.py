"""The firewall before the distribution: a stack of its own in us-east-1, where web ACLs for CloudFront have to be."""

from botocore.exceptions import ClientError

from infrastructure.deployment.package_build import ROOT, DeploymentFailed
from infrastructure.deployment.stack import Stack

TEMPLATE = ROOT / "infrastructure" / "templates" / "firewall.yml"
REGION = "us-east-1"
CHOICES = {"1": True, "0": False, "": None}
"""What FIREWALL says: a firewall is wanted, or none, or what there is stays."""


def open_firewall(stage: str, endpoint: str | None) -> Stack:
    """Return the stack of a stage's firewall, which may not exist."""
    return Stack(f"{stage}-firewall", REGION, endpoint)


def read_choice(text: str) -> bool | None:
    """Return what FIREWALL says. Raises DeploymentFailed for another value."""
    if text not in CHOICES:
        raise DeploymentFailed(f"FIREWALL is 1, 0 or empty, not {text[:20]!r}.")
    return CHOICES[text]


def update_firewall(firewall: Stack, stage: str, rate: str = "", role: str = "", *, template: str | None = None) -> str:
    """Create the firewall or bring it up to date, and return the ARN of its web ACL.

    `rate` is the number of requests that an address may make in five minutes, `role` the ARN of CloudFormation's role;
    empty for the defaults. `template` is another text than that of TEMPLATE.

    Raises DeploymentFailed if CloudFormation doesn't succeed.
    """
    parameters = {"Stage": stage} | ({"RatePerAddress": rate} if rate else {})
    firewall.apply(template or TEMPLATE.read_text(), parameters, role)
    return firewall.outputs()["WebAclArn"]


def find_web_acl(firewall: Stack) -> str:
    """Return the ARN of the web ACL; empty if there is none."""
    try:
        return firewall.outputs()["WebAclArn"] if firewall.exists() else ""
    except ClientError as error:
        raise DeploymentFailed(
            f"Whether there is a firewall in {REGION} can't be seen: {error.response['Error']['Code']}."
        ) from error
