"""The commands of an operator where no emulator is needed: what they print, and what they do with its answers."""

import io
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infrastructure.deployment import deploy, firewall, site_files
from infrastructure.deployment.drift import detect_drift
from infrastructure.deployment.package_build import DeploymentFailed
from infrastructure.deployment.rollback import roll_back
from infrastructure.deployment.stack import Stack


class Bucket:
    """S3 with one bucket's worth of objects."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **settings: str) -> None:  # noqa: N803 - the names of the SDK.
        """Store an object."""
        self.objects[f"{Bucket}/{Key}"] = {"Body": Body, **settings}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - as above.
        """Return an object."""
        if f"{Bucket}/{Key}" not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[f"{Bucket}/{Key}"]["Body"])}


class FakeStack(Stack):
    """A stack whose clients answer from memory."""

    def exists(self) -> bool:
        """Return whether it exists."""
        return self.stage != "missing"

    def client(self, service: str) -> Any:
        """Return CloudFormation."""
        assert service == "cloudformation"
        return Drifts(self.stage)


class Drifts:
    """CloudFormation, which needs a while to compare."""

    def __init__(self, stage: str) -> None:
        self._statuses = ["DETECTION_IN_PROGRESS", "DETECTION_FAILED" if stage == "broken" else "DETECTION_COMPLETE"]

    def detect_stack_drift(self, **_: str) -> dict[str, str]:
        """Begin."""
        return {"StackDriftDetectionId": "one"}

    def describe_stack_drift_detection_status(self, **_: str) -> dict[str, str]:
        """Return how far it is."""
        return {"DetectionStatus": self._statuses.pop(0), "DetectionStatusReason": "Access denied"}

    def describe_stack_resource_drifts(self, *, NextToken: str = "", **_: Any) -> dict[str, Any]:  # noqa: N803 - as above.
        """Return one of two pages."""
        changed = {
            "LogicalResourceId": "Table",
            "ResourceType": "AWS::DynamoDB::Table",
            "StackResourceDriftStatus": "MODIFIED",
            "PropertyDifferences": [
                {"PropertyPath": "/BillingMode", "ActualValue": "PROVISIONED", "ExpectedValue": "PAY_PER_REQUEST"}
            ],
        }
        gone = {
            "LogicalResourceId": "FunctionSlow",
            "ResourceType": "AWS::CloudWatch::Alarm",
            "StackResourceDriftStatus": "DELETED",
        }
        if NextToken:
            return {"StackResourceDrifts": [gone]}
        return {"StackResourceDrifts": [changed], "NextToken": "more"}


def test_drift_is_told_by_resource_and_property() -> None:
    pauses: list[float] = []

    assert detect_drift(FakeStack("prod", "eu-central-1"), pauses.append) == [
        "FunctionSlow AWS::CloudWatch::Alarm: it was deleted",
        "Table AWS::DynamoDB::Table: /BillingMode is PROVISIONED, not PAY_PER_REQUEST",
    ]
    assert len(pauses) == 1


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ("missing", r"^There is no stage missing in eu-central-1\.$"),
        ("broken", r"^CloudFormation could not compare everything: Access denied\.$"),
    ],
)
def test_a_comparison_that_fails_is_reported(stage: str, message: str) -> None:
    with pytest.raises(DeploymentFailed, match=message):
        detect_drift(FakeStack(stage, "eu-central-1"), lambda _: None)


def test_the_files_of_a_deployment_come_back_as_they_were_uploaded() -> None:
    s3, files = Bucket(), site_files.collect_files()
    site_files.upload_files(s3, "site", files)
    uploaded = {key: value for key, value in s3.objects.items() if key.startswith("site/")}
    site_files.keep_files(s3, "deployments", "serverless/tackboard/prod/1795233033731-2026", files)
    s3.objects.update({key: {"Body": b"later"} for key in uploaded})

    number = site_files.restore_files(s3, "deployments", "serverless/tackboard/prod/1795233033731-2026", "site")

    assert number == len(uploaded)
    assert {key: s3.objects[key] for key in uploaded} == uploaded


def test_a_deployment_from_before_has_kept_no_files() -> None:
    assert site_files.restore_files(Bucket(), "deployments", "serverless/tackboard/prod/1-2020", "site") == 0


def test_a_rollback_without_a_timestamp_lists_the_deployments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infrastructure.deployment.rollback.run_osls", lambda *_: "Timestamp: 1795233033731")

    with pytest.raises(DeploymentFailed, match=r"^Name the deployment by its 13 digits.*\nTimestamp: 1795233033731$"):
        roll_back(FakeStack("prod", "eu-central-1"), "latest", {})


def test_yes_answers_the_question_and_its_absence_asks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers: list[tuple[str, str]] = []
    monkeypatch.setattr(
        deploy, "deploy", lambda stage, _, ask: answers.append((stage, ask("Type prod to deploy this: ")))
    )
    monkeypatch.setattr("sys.stdin", io.StringIO(""))

    assert deploy.main(["prod", "--yes"]) == 0
    assert deploy.main(["prod"]) == 1

    assert answers == [("prod", "prod")]
    assert capsys.readouterr().err.endswith("Nothing was deployed. Without a terminal, add YES=1.\n")


def test_a_wrong_choice_of_a_firewall_is_reported() -> None:
    assert [firewall.read_choice(text) for text in ("1", "0", "")] == [True, False, None]
    with pytest.raises(DeploymentFailed, match=r"^FIREWALL is 1, 0 or empty, not 'yes'\.$"):
        firewall.read_choice("yes")
