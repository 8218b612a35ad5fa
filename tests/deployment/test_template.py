"""The stack of prod as CloudFormation gets it, where no rehearsal reaches: what it says, and what the linters say."""

import json
import os
import re
import subprocess
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from aws.reader_function import MIN_REMAINING_SECONDS, SWEEP_EVENT
from aws.scheduled_purge import PURGE_EVENT
from contract import edge
from delivery.sender import CALL_SECONDS
from infrastructure.deployment.package_build import ROOT, Package, run_osls
from infrastructure.deployment.site_files import collect_files
from kanban import jobs
from kanban.feed_readers import LEASE_DURATION
from kanban.store import BEYOND_ALL_SEQS
from stores.dynamodb import keys

Resource = dict[str, Any]

TOOLS = ROOT / ".venv-deploy" / "bin"

LINTERS_OPTIONS = ("--framework", "cloudformation", "--output", "json", "--skip-download")
"""The options of checkov."""

WAIVED = {
    "AlarmTopic": {"CKV_AWS_26"},
    "ApiDomain": {"W1030"},
    "ApiLambdaFunction": {"CKV_AWS_115", "CKV_AWS_116", "CKV_AWS_117", "CKV_AWS_173"},
    "ApiLogGroup": {"CKV_AWS_158"},
    "DeadLetterQueue": {"CKV_AWS_27"},
    "Distribution": {"CKV_AWS_86", "CKV_AWS_174", "W1030"},
    "HttpApiLogGroup": {"CKV_AWS_158"},
    "OriginSecretOne": {"CKV_AWS_149"},
    "OriginSecretTwo": {"CKV_AWS_149"},
    "ReadersLambdaFunction": {"CKV_AWS_115", "CKV_AWS_116", "CKV_AWS_117", "CKV_AWS_173"},
    "ReadersLogGroup": {"CKV_AWS_158"},
    "ServerlessDeploymentBucket": {"CKV_AWS_18"},
    "SiteBucket": {"CKV_AWS_18"},
    "Table": {"CKV_AWS_28", "CKV_AWS_119"},
    "WakeUpQueue": {"CKV_AWS_27"},
}
"""Every waiver of a linter that there is; the reasons stand in infrastructure/resources/waivers.yml."""

METRICS = {
    ("AWS/ApiGateway", ("ApiId",)): {"4xx", "5xx", "Count", "DataProcessed", "IntegrationLatency", "Latency"},
    ("AWS/Lambda", ("FunctionName",)): {"ConcurrentExecutions", "Duration", "Errors", "Invocations", "Throttles"},
    ("AWS/DynamoDB", ("TableName",)): {
        "ConsumedReadCapacityUnits",
        "ConsumedWriteCapacityUnits",
        "ReadThrottleEvents",
        "TransactionConflict",
        "WriteThrottleEvents",
    },
    ("AWS/DynamoDB", ("Operation", "TableName")): {"SuccessfulRequestLatency", "SystemErrors", "ThrottledRequests"},
    ("AWS/SQS", ("QueueName",)): {
        "ApproximateAgeOfOldestMessage",
        "ApproximateNumberOfMessagesDelayed",
        "ApproximateNumberOfMessagesVisible",
    },
    ("Tackboard", ("Stage",)): {"BoardGigabytes", "Refusals"},
    ("Tackboard", ("Stage", "Task")): {"Completions"},
}
"""Names that AWS publishes, by namespace and dimensions, from its documentation, and ours: a wrong one never fires."""

HEARTBEATS = {"PurgeMissing": PURGE_EVENT["task"], "ReadersMissing": SWEEP_EVENT["task"]}
"""The alarms that ring when nothing comes, and the task that each waits for."""


MAX_ROUTES = 300
"""AWS's quota for one HTTP API."""

MAX_RESOURCES, MAX_BYTES = 500, 1_000_000
"""What CloudFormation takes in one template."""


@pytest.fixture
def template(prod_package: Package) -> Resource:
    return prod_package.read_template()


@pytest.fixture
def resources(template: Resource) -> dict[str, Resource]:
    resources_by_name: dict[str, Resource] = template["Resources"]
    return resources_by_name


def of_type(resources: dict[str, Resource], kind: str) -> dict[str, Resource]:
    return {name: resource["Properties"] for name, resource in resources.items() if resource["Type"] == f"AWS::{kind}"}


def only(resources: dict[str, Resource], kind: str) -> Resource:
    (resource,) = of_type(resources, kind).values()
    return resource


# Linters.


@pytest.fixture
def written(template: Resource, tmp_path: Path) -> str:
    """Write the template to a file."""
    file = tmp_path / "template.json"
    file.write_text(json.dumps(template, indent=2))
    return str(file)


def test_cfn_lint_finds_nothing(written: str) -> None:
    done = run("cfn-lint", written)

    assert (done.returncode, done.stdout) == (0, "")


def test_checkov_finds_nothing(written: str) -> None:
    done = run("checkov", "--file", written, *LINTERS_OPTIONS)
    summary = json.loads(done.stdout)["summary"]

    assert (done.returncode, summary["failed"], summary["parsing_errors"]) == (0, 0, 0)
    assert summary["passed"] > 30


def run(tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    if not (TOOLS / tool).exists():
        missing = f"{tool} isn't installed: make test installs it into .venv-deploy."
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LOG_LEVEL": "CRITICAL"}
    return subprocess.run([TOOLS / tool, *arguments], capture_output=True, text=True, check=False, env=environment)


def test_every_waiver_is_listed_and_has_a_reason(resources: dict[str, Resource]) -> None:
    waived: dict[str, set[str]] = {}
    for name, resource in resources.items():
        metadata = resource.get("Metadata", {})
        skipped = metadata.get("checkov", {}).get("skip", [])
        ignored = metadata.get("cfn-lint", {}).get("config", {}).get("ignore_checks", [])
        if skipped or ignored:
            waived[name] = {waiver["id"] for waiver in skipped} | set(ignored)
        assert all(len(waiver["comment"]) > 20 for waiver in skipped)

    assert waived == WAIVED


# The API.


def test_every_operation_has_a_route_and_every_get_one_for_head(
    resources: dict[str, Resource],
) -> None:
    document = json.loads((ROOT / "spec" / "dist" / "openapi.json").read_text())
    described = {f"{method.upper()} /v1{path}" for path, item in document["paths"].items() for method in item
                 if method in {"get", "put", "post", "patch", "delete"}}  # fmt: skip
    routes = {route["RouteKey"] for route in of_type(resources, "ApiGatewayV2::Route").values()}

    assert routes == described | {key.replace("GET", "HEAD") for key in described if key.startswith("GET ")}
    assert len(routes) <= MAX_ROUTES


def test_the_template_is_within_the_limits_of_cloudformation(template: Resource) -> None:
    assert len(template["Resources"]) <= MAX_RESOURCES
    assert len(json.dumps(template, indent=2)) <= MAX_BYTES


def test_cors_at_the_gateway_allows_what_the_application_allows(resources: dict[str, Resource]) -> None:
    cors = only(resources, "ApiGatewayV2::Api")["CorsConfiguration"]

    assert "*" not in cors["AllowOrigins"]
    assert ", ".join(cors["AllowMethods"]) == edge._ALLOWED_METHODS  # noqa: SLF001 - said in two places, held together here.
    assert ", ".join(cors["AllowHeaders"]) == edge._ALLOWED_HEADERS  # noqa: SLF001 - as above.
    assert ", ".join(cors["ExposeHeaders"]) == edge._EXPOSED_HEADERS  # noqa: SLF001 - as above.
    assert "AllowCredentials" not in cors


def test_the_stage_throttles_and_logs(resources: dict[str, Resource]) -> None:
    stage = only(resources, "ApiGatewayV2::Stage")
    defaults = stage["DefaultRouteSettings"]
    line = json.loads(stage["AccessLogSettings"]["Format"])

    assert 0 < defaults["ThrottlingRateLimit"] < defaults["ThrottlingBurstLimit"] <= 5000
    assert defaults["DetailedMetricsEnabled"] is False
    assert {"requestId", "route", "status", "ms"} <= line.keys()
    assert not re.search(r"(?i)query|authorization|cookie|\.path", stage["AccessLogSettings"]["Format"])


# The functions.


def test_the_functions_have_the_settings_that_were_measured(resources: dict[str, Resource]) -> None:
    functions = of_type(resources, "Lambda::Function")

    assert {
        (name, function["Timeout"], function["Role"]["Fn::GetAtt"][0], function["RecursiveLoop"])
        for name, function in functions.items()
    } == {
        ("ApiLambdaFunction", 29, "FunctionRole", "Terminate"),
        ("ReadersLambdaFunction", 30, "ReadersRole", "Allow"),
    }
    for function in functions.values():
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == ["arm64"]
        assert function["TracingConfig"] == {"Mode": "Active"}
        assert function["LoggingConfig"]["LogFormat"] == "JSON"
    assert functions["ApiLambdaFunction"]["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert all(group["RetentionInDays"] == 90 for group in of_type(resources, "Logs::LogGroup").values())


def test_the_gateway_calls_the_alias_of_the_snapshot(resources: dict[str, Resource]) -> None:
    alias = only(resources, "Lambda::Alias")
    integration = only(resources, "ApiGatewayV2::Integration")

    assert alias["Name"] == "snapstart"
    assert integration["IntegrationUri"] == {
        "Fn::Join": [":", [{"Fn::GetAtt": ["ApiLambdaFunction", "Arn"]}, alias["Name"]]]
    }


def test_a_new_version_gets_few_requests_first_and_none_if_an_alarm_rings(resources: dict[str, Resource]) -> None:
    group = only(resources, "CodeDeploy::DeploymentGroup")
    (alias,) = (resource for resource in resources.values() if resource["Type"] == "AWS::Lambda::Alias")
    alarms = {alarm["Name"]["Ref"] for alarm in group["AlarmConfiguration"]["Alarms"]}

    assert alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"] == {
        "ApplicationName": {"Ref": "CanaryApplication"},
        "DeploymentGroupName": {"Ref": "CanaryDeployments"},
    }
    assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
    assert group["AutoRollbackConfiguration"]["Enabled"] is group["AlarmConfiguration"]["Enabled"] is True
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    assert alarms == {"FunctionErrors", "ApiErrors", "FunctionSlow"}
    assert all(minutes_to_ring(resources[name]["Properties"]) < 5 for name in alarms)


def minutes_to_ring(alarm: Resource) -> int:
    """Return how many minutes of failures it takes until an alarm rings."""
    periods = {metric["MetricStat"]["Period"] for metric in alarm.get("Metrics", []) if "MetricStat" in metric}
    (seconds,) = periods or {alarm["Period"]}
    count: int = alarm["DatapointsToAlarm"] * seconds // 60
    return count


def test_a_schedule_calls_the_purge_every_hour(resources: dict[str, Resource]) -> None:
    check_schedule(resources, "PurgeSchedule", "rate(1 hour)", "ApiLambdaFunction", PURGE_EVENT)


def check_schedule(resources: dict[str, Resource], name: str, rate: str, function: str, event: object) -> None:
    """Assert that a schedule sends an event to a function, and may."""
    rule = resources[name]["Properties"]
    (target,) = rule["Targets"]
    permissions = of_type(resources, "Lambda::Permission").values()

    assert rule["ScheduleExpression"] == rate
    assert target["Arn"] == {"Fn::GetAtt": [function, "Arn"]}
    assert json.loads(target["Input"]) == event
    assert [
        permission["SourceArn"]
        for permission in permissions
        if permission["Principal"] == "events.amazonaws.com" and permission["FunctionName"] == target["Arn"]
    ] == [{"Fn::GetAtt": [name, "Arn"]}]


# The readers of the feed.


def test_the_stream_invokes_the_function_for_events_of_boards_and_new_jobs_only(resources: dict[str, Resource]) -> None:
    mapping = resources["EventsToReaders"]["Properties"]
    patterns = [json.loads(rule["Pattern"]) for rule in mapping["FilterCriteria"]["Filters"]]
    wanted_keys = [
        keys.event_key("brd_1", 1),
        keys.event_key("brd_1", BEYOND_ALL_SEQS),
        keys.unended_job_key("delete_user", "mina"),
    ]
    other_keys = [
        keys.tip_key("brd_1"),
        keys.head_key("brd_1"),
        keys.reader_key("brd_1", "webhook:whk_1"),
        keys.delivery_key("brd_1", "whk_1", 0),
        keys.stored_response_key("mina", "create_card", "E#0"),
        keys.job_key("mina", "job_1"),
    ]

    assert resources["Table"]["Properties"]["StreamSpecification"] == {"StreamViewType": "KEYS_ONLY"}
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": ["Table", "StreamArn"]}
    assert [pattern["eventName"] for pattern in patterns] == [["INSERT"]] * 2
    key_patterns = [pattern["dynamodb"]["Keys"] for pattern in patterns]
    assert [sum(matches(pattern, key) for pattern in key_patterns) for key in wanted_keys] == [1, 1, 1]
    assert not any(matches(pattern, key) for pattern in key_patterns for key in other_keys)


def matches(pattern: Resource, key: Resource) -> bool:
    """Tell whether the attributes of a key are, or begin, as a pattern says."""
    return all(_matches_rule(key[name]["S"], rules["S"][0]) for name, rules in pattern.items())


def _matches_rule(text: str, rule: str | dict[str, str]) -> bool:
    return text == rule if isinstance(rule, str) else text.startswith(rule["prefix"])


def test_what_the_stream_cannot_deliver_does_not_hold_up_other_boards_for_long(resources: dict[str, Resource]) -> None:
    mapping = resources["EventsToReaders"]["Properties"]

    assert 0 < mapping["MaximumRetryAttempts"] <= 5
    assert 0 < mapping["MaximumRecordAgeInSeconds"] <= 600
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"] == {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}


def test_a_message_comes_once_more_only_when_its_function_and_lease_have_ended(resources: dict[str, Resource]) -> None:
    queue = resources["WakeUpQueue"]["Properties"]
    mapping = resources["QueueToReaders"]["Properties"]
    timeout = resources["ReadersLambdaFunction"]["Properties"]["Timeout"]

    assert queue["VisibilityTimeout"] >= 6 * timeout
    assert queue["VisibilityTimeout"] > timeout + LEASE_DURATION.total_seconds()
    assert queue["VisibilityTimeout"] > timeout + jobs.LEASE_DURATION.total_seconds()
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]},
        "maxReceiveCount": 5,
    }
    assert timeout > MIN_REMAINING_SECONDS > CALL_SECONDS + 5
    assert mapping["BatchSize"] == 1
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert 2 <= mapping["ScalingConfig"]["MaximumConcurrency"] <= 1000
    assert mapping["FunctionName"] == {"Fn::GetAtt": ["ReadersLambdaFunction", "Arn"]}


def test_the_role_of_the_readers_may_do_what_lambda_does_for_them(resources: dict[str, Resource]) -> None:
    """Lambda reads stream and queue with the function's own role. The emulator doesn't ask for these permissions."""
    (policy,) = resources["ReadersRole"]["Properties"]["Policies"]
    actions = {statement["Sid"]: statement["Action"] for statement in policy["PolicyDocument"]["Statement"]}

    stream_actions = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
    assert actions["Stream"] == [f"dynamodb:{action}" for action in stream_actions]
    assert {"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"} <= {*actions["Queue"]}
    assert actions["DeadLetters"] == "sqs:SendMessage"


def test_a_schedule_looks_for_readers_that_are_due(resources: dict[str, Resource]) -> None:
    check_schedule(resources, "ReadersSchedule", "rate(5 minutes)", "ReadersLambdaFunction", SWEEP_EVENT)


def test_both_functions_permit_webhooks_the_same_networks() -> None:
    values = settings(("stage", "prod"), ("WEBHOOKS_ALLOW", "10.0.0.0/8"))

    assert len(re.findall(r"WEBHOOKS_ALLOW: 10\.0\.0\.0/8", values)) == 2


def test_the_function_is_told_which_proxies_to_trust() -> None:
    assert "TRUSTED_PROXIES: 192.0.2.0/24" in settings(("stage", "prod"), ("TRUSTED_PROXIES", "192.0.2.0/24"))


def test_a_firewall_is_put_before_the_distribution_if_there_is_one(template: Resource) -> None:
    distribution = only(template["Resources"], "CloudFront::Distribution")["DistributionConfig"]

    assert distribution["WebACLId"]["Fn::If"][:2] == ["HasWebAcl", {"Ref": "WebAclArn"}]
    assert template["Parameters"]["WebAclArn"]["Default"] == ""
    assert "ParameterValue: arn:one" in settings(("stage", "prod"), ("WEB_ACL_ARN", "arn:one"))


def test_only_the_distribution_and_the_function_know_the_secrets(template: Resource) -> None:
    resources = template["Resources"]
    secrets = of_type(resources, "SecretsManager::Secret")
    (origin,) = (
        origin
        for origin in only(resources, "CloudFront::Distribution")["DistributionConfig"]["Origins"]
        if origin["Id"] == "api"
    )
    condition, ((header),), _ = origin["OriginCustomHeaders"]["Fn::If"]
    values = resources["ApiLambdaFunction"]["Properties"]["Environment"]["Variables"]["ORIGIN_SECRETS"]["Fn::If"]
    references = {f"{{{{resolve:secretsmanager:${{{name}}}}}}}" for name in ("OriginSecretOne", "OriginSecretTwo")}

    assert secrets.keys() == {"OriginSecretOne", "OriginSecretTwo"}
    assert all("SecretString" not in secret for secret in secrets.values())
    assert condition == values[0] == "IsOriginClosed"
    assert {part["Fn::Sub"] for part in header["HeaderValue"]["Fn::If"][1:]} == references
    assert {*values[1]["Fn::Sub"].split(" ")} == references
    assert values[2] == ""


def test_the_function_asks_for_the_secret_only_when_the_distribution_sends_it(resources: dict[str, Resource]) -> None:
    assert "Distribution" in resources["ApiLambdaFunction"]["DependsOn"]


def test_prod_is_closed_and_another_stage_can_be() -> None:
    for stage, environment, value in (
        ("prod", {}, "true"),
        ("dev", {}, "false"),
        ("dev", {"CLOSED_ORIGIN": "true"}, "true"),
    ):
        text = settings(("stage", stage), *environment.items())
        assert re.search(rf"ParameterKey: ClosedOrigin\s+ParameterValue: '{value}'", text)


def test_a_change_of_the_secrets_publishes_a_new_version_of_the_function() -> None:
    """What osls compares has the numbers: the references to the secrets stay the same."""
    versions = {
        name
        for environment in ({}, {"CLOSED_ORIGIN": "true"})
        for name in re.findall(r"ORIGIN: (\S+ \d \d)", settings(("stage", "dev"), *environment.items()))
    }

    assert versions == {"false 1 1", "true 1 1"}


def test_the_records_of_several_regions_share_a_name_by_any_policy(template: Resource) -> None:
    record = template["Resources"]["ApiRecord"]["Properties"]
    conditions = {name: record[name]["Fn::If"][0] for name in ("SetIdentifier", "Weight", "Region", "GeoLocation")}

    assert conditions == {
        "SetIdentifier": "IsSimple",
        "Weight": "IsWeighted",
        "Region": "IsByLatency",
        "GeoLocation": "IsByLocation",
    }
    assert template["Parameters"]["RoutingPolicy"]["AllowedValues"] == ["simple", "weighted", "latency", "geolocation"]
    assert template["Parameters"]["RoutingPolicy"]["Default"] == "simple"
    assert template["Resources"]["ApiRecord"]["Condition"] == "HasApiZone"


def test_a_policy_is_set_by_the_environment() -> None:
    text = settings(("stage", "prod"), ("ROUTING_POLICY", "geolocation"), ("ROUTING_LOCATION", "EU"))

    assert re.search(r"ParameterKey: RoutingPolicy\s+ParameterValue: geolocation", text)
    assert re.search(r"ParameterKey: RoutingLocation\s+ParameterValue: EU", text)


def test_the_number_of_a_secret_is_part_of_its_name(resources: dict[str, Resource]) -> None:
    """A new name makes CloudFormation generate a new secret."""
    names = {resources[f"OriginSecret{which}"]["Properties"]["Name"]["Fn::Join"][1][0] for which in ("One", "Two")}

    assert names == {"tackboard-prod-origin-one-1", "tackboard-prod-origin-two-1"}


def test_the_function_knows_the_providers_of_sign_in() -> None:
    text = '[{"id": "staff", "name": "Our \\"Staff\\"", "client_secret": "a: b #c\'d"}]'
    values = yaml.safe_load(settings(("stage", "prod"), ("OIDC_PROVIDERS", text)))

    assert values["functions"]["api"]["environment"]["OIDC_PROVIDERS"] == text


# The table and the site.


def test_the_table_is_protected_against_deletion_and_backed_up(resources: dict[str, Resource]) -> None:
    table = resources["Table"]
    properties = table["Properties"]

    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
    assert properties["DeletionProtectionEnabled"] is True
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert properties["BillingMode"] == "PAY_PER_REQUEST"


def test_the_api_is_under_v1_of_the_sites_own_host(resources: dict[str, Resource]) -> None:
    distribution = only(resources, "CloudFront::Distribution")["DistributionConfig"]
    behaviour = distribution["CacheBehaviors"][0]
    origins = {origin["Id"]: origin for origin in distribution["Origins"]}

    assert behaviour["PathPattern"] == "/v1/*"
    assert behaviour["ViewerProtocolPolicy"] == "https-only"
    assert set(behaviour["AllowedMethods"]) >= {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}
    assert behaviour["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert behaviour["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"
    condition, own_name, name_of_aws = origins[behaviour["TargetOriginId"]]["DomainName"]["Fn::If"]
    assert (condition, own_name) == ("HasApiDomain", {"Ref": "ApiDomainName"})
    assert "${HttpApi}.execute-api." in name_of_aws["Fn::Sub"]
    assert origins[behaviour["TargetOriginId"]]["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"


def test_a_page_has_the_content_security_policy_that_the_server_gives_it(resources: dict[str, Resource]) -> None:
    distribution = only(resources, "CloudFront::Distribution")["DistributionConfig"]
    policies = {
        name: policy["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]["ContentSecurityPolicy"]
        for name, policy in of_type(resources, "CloudFront::ResponseHeadersPolicy").items()
    }

    def policy_of(path: str) -> str:
        matching = (
            behavior for behavior in distribution["CacheBehaviors"] if fnmatchcase(path, behavior["PathPattern"])
        )
        behaviour = next(matching, distribution["DefaultCacheBehavior"])
        text: str = policies[behaviour["ResponseHeadersPolicyId"]["Ref"]]["ContentSecurityPolicy"]
        return text

    policy_by_key = {
        key: policy_of(f"/{key}") for key, page in collect_files().items() if page.content_type.startswith("text/html")
    }

    assert policy_by_key == {key: page.policy for key, page in collect_files().items() if key in policy_by_key}
    assert {"index.html", "docs/", "docs/read", "problems/busy"} <= policy_by_key.keys()


def test_only_cloudfront_reads_the_bucket(resources: dict[str, Resource]) -> None:
    statements = resources["SiteBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    (allowed,) = (statement for statement in statements if statement["Effect"] == "Allow")

    assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert allowed["Action"] == "s3:GetObject"
    assert "${Distribution}" in str(allowed["Condition"]["StringEquals"]["AWS:SourceArn"])


# Alarms.


def test_every_alarm_has_an_action_and_a_section_in_the_runbook(resources: dict[str, Resource]) -> None:
    runbook = (ROOT / "docs" / "operations.md").read_text()
    alarms = of_type(resources, "CloudWatch::Alarm")

    assert len(alarms) >= 7
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmTopic"}]
        assert alarm["TreatMissingData"] == ("breaching" if name in HEARTBEATS else "notBreaching")
        assert alarm["AlarmDescription"].endswith(f" docs/operations.md#{name.lower()}")
        assert f"\n### {name}\n" in runbook


def test_the_runbook_has_no_section_for_an_alarm_that_does_not_exist(resources: dict[str, Resource]) -> None:
    headings = set(re.findall(r"^### (\w+)$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE))

    assert headings == {*of_type(resources, "CloudWatch::Alarm"), "Budget"}


@pytest.mark.parametrize(("name", "task"), HEARTBEATS.items())
def test_an_alarm_rings_when_a_task_has_not_ended_for_several_of_its_intervals(
    resources: dict[str, Resource], name: str, task: str
) -> None:
    alarm = resources[name]["Properties"]
    rates = {"purge": 3600, "readers": 300}

    assert {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]} == {
        "Stage": "prod",
        "Task": task,
    }
    assert alarm["Period"] == rates[task]
    assert alarm["DatapointsToAlarm"] == alarm["EvaluationPeriods"] >= 3
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)


def test_a_budget_is_made_only_if_an_amount_is_set(template: Resource) -> None:
    budget = template["Resources"]["CostBudget"]
    statements = template["Resources"]["AlarmTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    addresses = {
        subscriber["Address"]["Ref"]
        for notification in budget["Properties"]["NotificationsWithSubscribers"]
        for subscriber in notification["Subscribers"]
    }

    assert budget["Condition"] == "HasBudget"
    assert template["Parameters"]["Budget"]["Default"] == ""
    assert addresses == {"AlarmTopic"}
    assert "budgets.amazonaws.com" in [statement["Principal"]["Service"] for statement in statements]


def test_every_metric_is_one_that_aws_publishes(resources: dict[str, Resource]) -> None:
    for alarm in of_type(resources, "CloudWatch::Alarm").values():
        parts = [metric["MetricStat"]["Metric"] for metric in alarm.get("Metrics", []) if "MetricStat" in metric] or [
            alarm
        ]
        for part in parts:
            dimensions = tuple(sorted(dimension["Name"] for dimension in part["Dimensions"]))
            assert part["MetricName"] in METRICS[part["Namespace"], dimensions]


def test_an_alarm_over_several_metrics_names_each_of_them(resources: dict[str, Resource]) -> None:
    for alarm in of_type(resources, "CloudWatch::Alarm").values():
        results = [metric for metric in alarm.get("Metrics", []) if "Expression" in metric]
        for result in results:
            used = set(re.findall(r"\b[a-z]\w+", result["Expression"]))
            assert used == {metric["Id"] for metric in alarm["Metrics"] if "MetricStat" in metric}
            assert [metric["Id"] for metric in alarm["Metrics"] if metric.get("ReturnData", True)] == ["result"]


def test_the_dashboard_is_json_and_shows_existing_resources_and_every_alarm(resources: dict[str, Resource]) -> None:
    body = only(resources, "CloudWatch::Dashboard")["DashboardBody"]["Fn::Sub"]
    named = set(re.findall(r"\$\{(\w+)(?:\.(?:Arn|QueueName))?\}", body)) - {"AWS"}

    assert named <= resources.keys()
    assert set(of_type(resources, "CloudWatch::Alarm")) <= named
    assert json.loads(re.sub(r"\$\{[\w:.]+\}", "x", body))["widgets"]


def test_alarm_mails_are_only_sent_if_an_address_is_set(template: Resource) -> None:
    subscription = template["Resources"]["AlarmSubscription"]

    assert subscription["Condition"] == "HasAlarmEmail"
    assert template["Conditions"]["HasAlarmEmail"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmEmail"}, ""]}]}
    assert subscription["Properties"]["Endpoint"] == {"Ref": "AlarmEmail"}


# What an operator sets.


@cache
def settings(*stage_and_environment: tuple[str, str]) -> str:
    environment = dict(stage_and_environment)
    return run_osls(["print", "--stage", environment.pop("stage")], environment)


def test_a_domain_is_set_in_one_place() -> None:
    values = settings(("stage", "prod"), ("DOMAIN_NAME", "boards.example.org"), ("ALARM_EMAIL", "ops@example.org"))

    assert re.search(r"ParameterKey: DomainName\s+ParameterValue: boards\.example\.org", values)
    assert re.search(r"ParameterKey: AlarmEmail\s+ParameterValue: ops@example\.org", values)


@pytest.mark.parametrize(
    "file", sorted((ROOT / "infrastructure" / "resources").glob("*.yml")), ids=lambda path: path.name
)
def test_every_file_of_resources_begins_with_a_comment(file: Path) -> None:
    assert file.read_text().startswith("# ")
