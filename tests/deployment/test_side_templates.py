"""The templates beside the stack, and the workflow: what they say, and what the linters say."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from infrastructure.deployment.package_build import ROOT
from tests.deployment.test_template import LINTERS_OPTIONS, run

FOLDER = ROOT / "infrastructure" / "templates"
TEMPLATES = [FOLDER / "deployer.yml", FOLDER / "firewall.yml"]


class CloudFormationLoader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as what stands in them."""


def construct_tag(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]


CloudFormationLoader.add_multi_constructor("!", construct_tag)


def read_resources(name: str) -> dict[str, Any]:
    text = (FOLDER / name).read_text()
    resources: dict[str, Any] = yaml.load(text, CloudFormationLoader)["Resources"]  # noqa: S506 - it is a SafeLoader.
    return resources


def read_statements(role: str) -> dict[str, dict[str, Any]]:
    (policy,) = read_resources("deployer.yml")[role]["Properties"]["Policies"]
    return {statement["Sid"]: statement for statement in policy["PolicyDocument"]["Statement"]}


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.stem)
def test_cfn_lint_finds_nothing(file: Path) -> None:
    done = run("cfn-lint", "--regions", "us-east-1", "eu-central-1", "--", str(file))

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.stem)
def test_checkov_finds_nothing(file: Path) -> None:
    done = run("checkov", "--file", str(file), *LINTERS_OPTIONS)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.yml")), ids=lambda file: file.stem)
def test_every_template_begins_with_a_comment(file: Path) -> None:
    assert file.read_text().startswith("# ")


# The firewall.


def test_the_firewall_is_for_cloudfront_and_limits_each_address() -> None:
    rules = read_resources("firewall.yml")["WebAcl"]["Properties"]["Rules"]
    rate = rules[0]["Statement"]["RateBasedStatement"]

    assert read_resources("firewall.yml")["WebAcl"]["Properties"]["Scope"] == "CLOUDFRONT"
    assert rate == {"AggregateKeyType": "IP", "EvaluationWindowSec": 300, "Limit": "RatePerAddress"}
    assert [rule["Priority"] for rule in rules] == [0, 1, 2]


def test_the_firewall_does_not_block_what_people_write_on_cards() -> None:
    """The rules of AWS's common set that look into bodies, by their names in its documentation, only count."""
    *_, last = read_resources("firewall.yml")["WebAcl"]["Properties"]["Rules"]
    overrides = last["Statement"]["ManagedRuleGroupStatement"]["RuleActionOverrides"]

    assert {rule["Name"] for rule in overrides if rule["Name"].endswith("_BODY")} == {
        "CrossSiteScripting_BODY",
        "EC2MetaDataSSRF_BODY",
        "GenericLFI_BODY",
        "GenericRFI_BODY",
        "SizeRestrictions_BODY",
    }
    assert all(rule["ActionToUse"] == {"Count": {}} for rule in overrides)


def test_the_log_of_the_firewall_has_no_secrets() -> None:
    fields = read_resources("firewall.yml")["Logging"]["Properties"]["RedactedFields"]
    headers = {field["SingleHeader"]["Name"] for field in fields if "SingleHeader" in field}

    assert headers == {"authorization", "cookie", "invitation-secret"}
    assert {"QueryString": {}} in fields


# The deployer.


def test_only_one_repository_and_environment_may_deploy_a_stage() -> None:
    (statement,) = read_resources("deployer.yml")["Deployer"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]

    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": "repo:${Repository}:environment:${Stage}",
        }
    }


def test_the_deployer_has_no_action_for_all_and_changes_only_its_stage() -> None:
    statements = read_statements("Deployer")
    actions = [action for statement in statements.values() for action in as_list(statement["Action"])]
    unlimited = [sid for sid, statement in statements.items() if "*" in as_list(statement["Resource"])]

    assert not [action for action in actions if "*" in action]
    assert unlimited == ["AnyStack"]
    for statement in statements.values():
        for resource in as_list(statement["Resource"]):
            assert resource in ("*", "Maker.Arn") or "${Stage}" in resource or ":distribution/" in resource
    assert statements["RoleOfCloudFormation"]["Condition"] == {
        "StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}
    }


def test_cloudformation_may_make_every_kind_of_resource_of_the_stack() -> None:
    """Each service whose resources the template has is named in the policy of the role that makes them."""
    resources = "".join(file.read_text() for file in (ROOT / "infrastructure" / "resources").glob("*.yml"))
    services = {name.lower() for name in re.findall(r"Type: AWS::(\w+)::", resources)} | {
        "logs",
        "apigatewayv2",
        "wafv2",
    }
    prefixes = {"apigatewayv2": "apigateway"}
    actions = [action for statement in read_statements("Maker").values() for action in as_list(statement["Action"])]

    assert {prefixes.get(service, service) for service in services} <= {action.partition(":")[0] for action in actions}


def test_cloudformation_may_make_only_roles_of_its_stage() -> None:
    statements = read_statements("Maker")
    (trust,) = read_resources("deployer.yml")["Maker"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]

    assert [
        sid for sid, statement in statements.items() if any("iam:" in name for name in as_list(statement["Action"]))
    ] == ["Roles"]
    assert statements["Roles"]["Resource"].endswith(":role/tackboard-${Stage}-*Role-*")
    assert trust["Principal"] == {"Service": "cloudformation.amazonaws.com"}


def test_the_roles_of_the_stack_have_the_names_that_the_policy_allows() -> None:
    texts = [file.read_text() for file in (ROOT / "infrastructure" / "resources").glob("*.yml")]
    names = [name for text in texts for name in re.findall(r"^  (\w+):\n    Type: AWS::IAM::Role$", text, re.MULTILINE)]

    assert len(names) >= 3
    assert all(name.endswith("Role") for name in names)
    assert not any("RoleName" in text for text in texts)


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


# The workflow.


def test_the_workflow_deploys_with_the_role_and_without_a_key() -> None:
    text = (FOLDER / "github-workflow.yml").read_text()
    workflow = yaml.safe_load(text)
    (job,) = workflow["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]

    assert workflow["permissions"] == {"contents": "read", "id-token": "write"}
    assert 'make deploy STAGE="$STAGE" YES=1' in commands
    assert not re.search("(?i)access.key", text)
    assert job["env"]["STAGE"] == job["environment"]


def test_the_workflow_sets_only_what_the_deployment_reads() -> None:
    (job,) = yaml.safe_load((FOLDER / "github-workflow.yml").read_text())["jobs"].values()
    read = set(re.findall(r"env:([A-Z_]+)", (ROOT / "serverless.yml").read_text()))

    assert job["env"].keys() - {"STAGE"} <= read
