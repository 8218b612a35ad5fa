"""The deployed stack, as the SDK sees it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError
from botocore.session import Session


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
