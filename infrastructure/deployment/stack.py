"""The deployed stack, as the SDK sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError, WaiterError
from botocore.session import Session

from infrastructure.deployment.package_build import DeploymentFailed


@dataclass(frozen=True)
class Stack:
    """The stack of a stage in a region. `endpoint` is the address of an emulator instead of AWS."""

    stage: str
    region: str
    endpoint: str | None = None

    @property
    def name(self) -> str:
        """Return the stack's name in CloudFormation."""
        return f"tackboard-{self.stage}"

    @cached_property
    def session(self) -> Session:
        """Return the SDK's session, with the credentials of the environment."""
        return Session()

    def client(self, service: str) -> Any:
        """Return a client of a service."""
        return self.session.create_client(service, region_name=self.region, endpoint_url=self.endpoint)

    def apply(self, template: str, parameters: Mapping[str, str], role: str = "") -> None:
        """Create the stack from a template, or update it, and wait. Raises DeploymentFailed if that doesn't succeed.

        `role` is the ARN of the role that CloudFormation makes the resources with; empty for the rights of the caller.
        """
        client, exists = self.client("cloudformation"), self.exists()
        change = client.update_stack if exists else client.create_stack
        try:
            change(
                StackName=self.name,
                TemplateBody=template,
                Capabilities=["CAPABILITY_NAMED_IAM"],
                Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
                **({"RoleARN": role} if role else {}),
            )
            client.get_waiter("stack_update_complete" if exists else "stack_create_complete").wait(StackName=self.name)
        except WaiterError as error:
            raise DeploymentFailed(f"The stack {self.name} in {self.region} failed: {error}") from error
        except ClientError as error:
            if "No updates are to be performed" not in str(error):
                raise DeploymentFailed(f"The stack {self.name} in {self.region} can't be changed: {error}") from error

    def delete(self) -> None:
        """Delete the stack, and wait until it is gone."""
        client = self.client("cloudformation")
        client.delete_stack(StackName=self.name)
        client.get_waiter("stack_delete_complete").wait(StackName=self.name)

    def exists(self) -> bool:
        """Return whether the stack exists."""
        try:
            return self.status() != "REVIEW_IN_PROGRESS"
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":
                return False
            raise

    def outputs(self) -> dict[str, str]:
        """Return the stack's outputs by name."""
        (stack,) = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def status(self) -> str:
        """Return the stack's status, such as UPDATE_COMPLETE."""
        (stack,) = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        status: str = stack["StackStatus"]
        return status
