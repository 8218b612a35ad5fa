"""What is deployed, as the SDK sees it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError
from botocore.session import Session


@dataclass(frozen=True)
class Stack:
    """The stack of a stage in a region; `endpoint` names another AWS than the real one."""

    stage: str
    region: str
    endpoint: str | None = None

    @property
    def name(self) -> str:
        """Its name in CloudFormation."""
        return f"tackboard-{self.stage}"

    @cached_property
    def session(self) -> Session:
        """The SDK's session, with the credentials of the environment."""
        return Session()

    def client(self, service: str) -> Any:
        """A client of a service."""
        return self.session.create_client(service, region_name=self.region, endpoint_url=self.endpoint)

    def exists(self) -> bool:
        """Whether it is there."""
        try:
            return self.status() != "REVIEW_IN_PROGRESS"
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":
                return False
            raise

    def outputs(self) -> dict[str, str]:
        """What the stack tells about itself, by name."""
        (found,) = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}

    def status(self) -> str:
        """The stack's status, such as UPDATE_COMPLETE."""
        (found,) = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        status: str = found["StackStatus"]
        return status
