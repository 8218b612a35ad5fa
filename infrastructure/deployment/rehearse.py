"""Deploy, use, update, roll back and remove the whole stack on an emulator of AWS (`make rehearse`).

The package is built as for AWS, but for this machine's processor and Python. Each step prints its
result and how long it took. The first failure ends the rehearsal with exit status 1.
"""

import json
import os
import queue
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infrastructure.deployment import firewall, site_files
from infrastructure.deployment.aws_emulator import (
    NOT_EMULATED,
    REGION,
    build_environment,
    remove_unsupported_log,
    remove_unsupported_resources,
    run_emulator,
)
from infrastructure.deployment.deploy import check_table, preview_changes, read_account_id
from infrastructure.deployment.drift import detect_drift
from infrastructure.deployment.package_build import (
    ROOT,
    DeploymentFailed,
    Package,
    build_package,
    local_build_environment,
    run_osls,
)
from infrastructure.deployment.rollback import roll_back
from infrastructure.deployment.stack import Stack
from infrastructure.deployment.webhook_receiver import NETWORK, Message, Receiver, run_receiver

STAGE = "dev"

HEADER = "x-tackboard-origin"
"""The header with the secret that CloudFront adds."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response over HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Parse the body as JSON."""
        return json.loads(self.body)


class Rehearsal:
    """One rehearsal."""

    def __init__(self, address: str, package: Package) -> None:
        self._address = address
        self._package = package
        self._environment = {**local_build_environment(), **build_environment(address)}
        self._stack = Stack(STAGE, REGION, address)
        self._secret = ""
        self._token = ""
        self._board = ""

    def deploy(self) -> str:
        """Deploy a new stack, with the checks of `make deploy`."""
        read_account_id(self._stack)
        self._ensure_foreign_table_is_rejected()
        _ensure("A new stack" in next(preview_changes(self._stack, self._package)), "a new stack must be announced")
        run_osls(["deploy", "--stage", STAGE, "--package", str(self._package.folder)], self._environment)
        self._restore_cors()
        self._secret = self._read_origin_secret()
        resources = self._stack.client("cloudformation").describe_stack_resources(StackName=self._stack.name)
        return f"{self._stack.status()}, {len(resources['StackResources'])} resources"

    def do_main_job(self) -> str:
        """Use the API: the owner's token, a board, a card that is started and resolved, HEAD, the events."""
        url = f"dynamodb://{self._stack.name}?region={REGION}&endpoint={self._address}"
        process = subprocess.run(
            [sys.executable, "-m", "cli", "token"],
            cwd=ROOT,
            env={**os.environ, **self._environment, "STORE_URL": url},
            capture_output=True,
            text=True,
            check=True,
        )
        self._token = process.stdout.strip()
        board = self._expect(201, "POST", "/v1/boards", {"name": "Rehearsal"}).json()
        self._board = f"/v1/boards/{board['id']}"
        card = self._expect(201, "POST", f"{self._board}/cards", {"title": "Deploy"}).json()
        for action in ("start", "resolve"):
            self._expect(200, "POST", f"{self._board}/cards/{card['id']}/{action}")
        read = self._expect(200, "GET", self._board)
        head = self._expect(200, "HEAD", self._board)
        _ensure((head.headers["etag"], head.body) == (read.headers["etag"], b""), "HEAD must answer as GET does")
        events = self._expect(200, "GET", f"{self._board}/events").json()["items"]
        return f"{len(events)} events on a board: {', '.join(event['type'] for event in events)}"

    def check_refusals(self) -> str:
        """Check what must fail: calls without a token, unknown paths, and what the function's role doesn't allow."""
        self._expect(401, "GET", "/v1/boards", token="")
        self._expect(401, "POST", "/v1/users", {"name": "Stranger"}, token="")
        direct = self._expect(403, "GET", "/v1/ready", headers={HEADER: "a guess"})
        _ensure(direct.json() == {"message": "Forbidden"}, "what walks around CloudFront must be refused")
        # The gateway responds by itself, without the function.
        nowhere = self._expect(404, "GET", "/v1/nowhere")
        _ensure("x-request-id" not in nowhere.headers, "an unknown path must not invoke the function")
        iam = self._stack.client("iam")
        (role,) = (name for name in _list_role_names(iam) if "FunctionRole" in name)
        denial = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "dynamodb:*", "Resource": "*"}]}
        iam.put_role_policy(RoleName=role, PolicyName="denial", PolicyDocument=json.dumps(denial))
        busy = self._expect(503, "GET", "/v1/ready", token="")
        iam.delete_role_policy(RoleName=role, PolicyName="denial")
        self._expect(200, "GET", "/v1/ready", token="")
        return (
            f"401, without CloudFront's secret 403, 404; without permission on the table {busy.status} "
            f"{busy.json()['code']}, with it 200"
        )

    def check_webhooks(self) -> str:
        """Let a webhook deliver: at once, again after a failure, and by the schedule if the stream says nothing."""
        client, function = self._stack.client("lambda"), f"{self._stack.name}-readers"
        mappings = client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
        (stream,) = (mapping["UUID"] for mapping in mappings if ":dynamodb:" in mapping["EventSourceArn"])
        with run_receiver() as receiver:
            receiver.statuses.put(500)
            settings = {"url": receiver.url, "types": ["card.created"]}
            created = self._expect(201, "POST", f"{self._board}/webhooks", settings).json()
            began = time.monotonic()
            self._expect(201, "POST", f"{self._board}/cards", {"title": "Deliver"})
            failed = _receive(receiver)
            seconds = time.monotonic() - began
            repeated = _receive(receiver)
            for message in (failed, repeated):
                _ensure(message.is_signed_with(created["secret"]), "a message must be signed with the webhook's secret")
                _ensure(message.read_event_types() == ["card.created"], f"{message.read_event_types()} was delivered")
            _ensure(failed.id == repeated.id, "another attempt must have the same id")
            client.update_event_source_mapping(UUID=stream, Enabled=False)
            self._expect(201, "POST", f"{self._board}/cards", {"title": "Deliver later"})
            sweep = json.dumps({"source": "tackboard.schedule", "task": "readers"})
            client.invoke(FunctionName=function, InvocationType="Event", Payload=sweep)
            _ensure(_receive(receiver).id != repeated.id, "the schedule must find what the stream has not announced")
            client.update_event_source_mapping(UUID=stream, Enabled=True)
        path = f"{self._board}/webhooks/{created['webhook']['id']}/deliveries"
        deliveries = self._expect(200, "GET", path).json()["items"]
        statuses = ", ".join(str(delivery["status"]) for delivery in reversed(deliveries))
        return f"{statuses}; signed, the first after {seconds:.1f} s; {self._fill_dead_letter_queue()}"

    def _fill_dead_letter_queue(self) -> str:
        """Let a message fail until it is in the dead-letter queue."""
        client = self._stack.client("sqs")
        url = client.get_queue_url(QueueName=f"{self._stack.name}-readers")["QueueUrl"]
        dead = client.get_queue_url(QueueName=f"{self._stack.name}-readers-dead")["QueueUrl"]
        client.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
        client.send_message(QueueUrl=url, MessageBody="of somebody else")
        for _ in range(60):
            if client.receive_message(QueueUrl=dead, WaitTimeSeconds=1).get("Messages"):
                break
        else:
            raise DeploymentFailed("a message that fails each time must end in the dead-letter queue")
        client.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "180"})
        client.purge_queue(QueueUrl=dead)
        return "a message that fails ends in the dead-letter queue"

    def check_site(self) -> str:
        """Upload the site, and read it through CloudFront as a browser does."""
        outputs = self._stack.outputs()
        s3, files = self._stack.client("s3"), site_files.collect_files()
        site_files.keep_files(s3, outputs["ServerlessDeploymentBucketName"], self._package.read_folder(), files)
        number = site_files.upload_files(s3, outputs["SiteBucketName"], files)
        host = outputs["SiteUrl"].removeprefix("https://")
        for path in ("/", "/docs/", "/openapi.json", "/problems/busy"):
            page = self._send("GET", self._address + path, {"Host": host, "X-Forwarded-Proto": "https"})
            _ensure(page.status == 200, f"{path} through CloudFront answered {page.status}")
            for name in ("content-security-policy", "strict-transport-security", "x-content-type-options"):
                _ensure(name in page.headers, f"{path} through CloudFront lacks {name}")
        without_tls = self._send("GET", f"{self._address}/", {"Host": host})
        direct = self._send("GET", f"{self._address}/{outputs['SiteBucketName']}/index.html", {})
        _ensure(
            (without_tls.status, direct.status) == (301, 403),
            "files must be readable only through CloudFront, and only over TLS",
        )
        return f"{number} files; 200 by CloudFront, 301 without TLS, 403 without CloudFront"

    def check_cors(self) -> str:
        """Check CORS: pages of a listed origin may call the API, others may not."""
        preflight = {"Access-Control-Request-Method": "POST"}
        known = self._expect(204, "OPTIONS", "/v1/boards", headers={"Origin": "http://localhost:8080", **preflight})
        other = self._expect(None, "OPTIONS", "/v1/boards", headers={"Origin": "https://example.net", **preflight})
        allowed = "access-control-allow-origin"
        _ensure(known.headers.get(allowed) == "http://localhost:8080", "the origin on the list must be allowed")
        _ensure(allowed not in other.headers, "no other origin may be allowed")
        return "a listed origin may call, another may not"

    def update_in_place(self) -> str:
        """Deploy a change: the data stays, and the function is the new one."""
        before = self._read_memory_size()
        self._change_template(lambda function: function.update(MemorySize=768))
        announced = list(preview_changes(self._stack, self._package))
        _ensure(any("ApiLambdaFunction" in line for line in announced), f"the change must be announced: {announced}")
        run_osls(["deploy", "--stage", STAGE, "--package", str(self._package.folder)], self._environment)
        self._expect(200, "GET", self._board)
        _ensure(self._read_memory_size() == 768, "the updated function must be in use")
        return f"{self._stack.status()}, {before} to {self._read_memory_size()} MB, the board is there"

    def deploy_invalid_template(self) -> str:
        """Deploy an invalid template: CloudFormation rolls back by itself, and nothing is lost."""
        self._change_template(lambda function: function.update(Role="nobody"), "Nonsense")
        try:
            run_osls(["deploy", "--stage", STAGE, "--package", str(self._package.folder)], self._environment)
        except DeploymentFailed:
            pass
        else:
            raise DeploymentFailed("the deployment of an invalid template must fail")
        self._expect(200, "GET", self._board)
        return f"{self._stack.status()}, the board is there"

    def roll_back(self) -> str:
        """Roll back to the previous deployment."""
        listed = run_osls(["deploy", "list", "--stage", STAGE], self._environment)
        stamps = sorted(word for word in listed.split() if word.isdigit() and len(word) == 13)
        _ensure(bool(stamps), f"deployments must be listed: {listed}")
        s3, site = self._stack.client("s3"), self._stack.outputs()["SiteBucketName"]
        s3.put_object(Bucket=site, Key="index.html", Body=b"a later page")
        number = roll_back(self._stack, stamps[0], self._environment)
        page = s3.get_object(Bucket=site, Key="index.html")["Body"].read()
        _ensure(page == site_files.collect_files()["index.html"].body, "the page must be the previous one")
        self._expect(200, "GET", self._board)
        _ensure(self._read_memory_size() == 1024, "the previous function must be in use")
        return (
            f"{self._stack.status()}, to the first of {len(stamps)} deployments with {number} files, the board is there"
        )

    def find_drift(self) -> str:
        """Change the function by hand, as somebody does in a console, and let CloudFormation tell."""
        before = detect_drift(self._stack, time.sleep)
        self._stack.client("sqs").set_queue_attributes(
            QueueUrl=self._stack.client("sqs").get_queue_url(QueueName=f"{self._stack.name}-readers")["QueueUrl"],
            Attributes={"VisibilityTimeout": "60"},
        )
        after = detect_drift(self._stack, time.sleep)
        _ensure(any("WakeUpQueue" in line for line in after), f"the change must be told: {after}")
        return f"{len(before)} lines before a change, after it: {'; '.join(sorted(set(after) - set(before)))}"

    def build_firewall(self) -> str:
        """Make the firewall in us-east-1, update it, put it before the distribution's template, and remove it."""
        wall = firewall.open_firewall(STAGE, self._address)
        _ensure(not firewall.find_web_acl(wall), "there is none at first")
        template = remove_unsupported_log(firewall.TEMPLATE.read_text())
        created = firewall.update_firewall(wall, STAGE, template=template)
        updated = firewall.update_firewall(wall, STAGE, "5000", template=template)
        _ensure(created == updated == firewall.find_web_acl(wall), "an update must keep the web ACL")
        wall.delete()
        _ensure(not wall.exists(), "the firewall must be gone")
        return f"{updated.rpartition(':')[2].partition('/')[0]} web ACL made, updated and removed in {wall.region}"

    def remove(self) -> str:
        """Remove the stack, and check that nothing is left."""
        site_files.empty_bucket(self._stack.client("s3"), self._stack.outputs()["SiteBucketName"])
        run_osls(["remove", "--stage", STAGE], self._environment)
        left = {
            "tables": self._stack.client("dynamodb").list_tables()["TableNames"],
            "functions": self._stack.client("lambda").list_functions()["Functions"],
            "buckets": self._stack.client("s3").list_buckets()["Buckets"],
            "queues": self._stack.client("sqs").list_queues().get("QueueUrls"),
            "roles": _list_role_names(self._stack.client("iam")),
        }
        _ensure(not any(left.values()), f"nothing may be left: {left}")
        return "no table, function, bucket, queue or role is left"

    def _read_origin_secret(self) -> str:
        """Return the secret that CloudFront adds to each request, which the rehearsal does in its place."""
        name = self._stack.client("cloudformation").describe_stack_resource(
            StackName=self._stack.name, LogicalResourceId="OriginSecretOne"
        )["StackResourceDetail"]["PhysicalResourceId"]
        secret: str = self._stack.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
        return secret

    def _ensure_foreign_table_is_rejected(self) -> None:
        client, name = self._stack.client("dynamodb"), self._stack.name
        key = {"AttributeName": "pk", "AttributeType": "S"}
        client.create_table(
            TableName=name,
            AttributeDefinitions=[key],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        try:
            check_table(self._stack)
        except DeploymentFailed:
            client.delete_table(TableName=name)
        else:
            raise DeploymentFailed("an existing table must prevent the deployment")

    def _restore_cors(self) -> None:
        """Set the allowed origins again: the emulator loses what CloudFormation sets."""
        resources = self._package.read_template()["Resources"]
        self._stack.client("apigatewayv2").update_api(
            ApiId=self._stack.outputs()["HttpApiId"],
            CorsConfiguration=resources["HttpApi"]["Properties"]["CorsConfiguration"],
        )

    def _change_template(self, change: Callable[[dict[str, Any]], object], invalid_resource: str | None = None) -> None:
        """Change the function in the package, as another commit would, or add the named resource that is invalid."""
        state = json.loads(self._package.state.read_text())
        resources = state["service"]["provider"]["compiledCloudFormationTemplate"]["Resources"]
        if invalid_resource:
            resources[invalid_resource] = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmName": "nonsense"}}
        else:
            change(resources["ApiLambdaFunction"]["Properties"])
        # Each deployment has a folder of its own in the bucket, by its time.
        provider = state["service"]["provider"]
        old_folder = state["package"]["artifactDirectoryName"]
        milliseconds = int(time.time() * 1000)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds / 1000)) + f".{milliseconds % 1000:03}Z"
        new_folder = f"{old_folder.rpartition('/')[0]}/{milliseconds}-{stamp}"
        state["package"]["artifactDirectoryName"] = new_folder
        provider["compiledCloudFormationTemplate"] = json.loads(
            json.dumps(provider["compiledCloudFormationTemplate"]).replace(old_folder, new_folder)
        )
        self._package.state.write_text(json.dumps(state))

    def _read_memory_size(self) -> int:
        name = f"{self._stack.name}-api"
        megabytes: int = self._stack.client("lambda").get_function_configuration(FunctionName=name)["MemorySize"]
        return megabytes

    def _expect(
        self,
        status: int | None,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> HttpResponse:
        """Send a request and return the response. Raises DeploymentFailed for another status."""
        url = f"{self._address}/_aws/execute-api/{self._stack.outputs()['HttpApiId']}/$default{path}"
        all_headers = {"Content-Type": "application/json", HEADER: self._secret, **(headers or {})}
        token = self._token if token is None else token
        if token:
            all_headers["Authorization"] = f"Bearer {token}"
        response = self._send(method, url, all_headers, json.dumps(body).encode() if body is not None else None)
        _ensure(
            status in {None, response.status},
            f"{method} {path} answered {response.status}, not {status}: {response.body!r}",
        )
        return response

    @staticmethod
    def _send(method: str, url: str, headers: dict[str, str], body: bytes | None = None) -> HttpResponse:
        request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310 - our own address
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects())
        try:
            response = opener.open(request, timeout=30)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            return HttpResponse(response.status, {n.lower(): v for n, v in response.headers.items()}, response.read())


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow nothing."""


def _list_role_names(iam: Any) -> list[str]:
    return [role["RoleName"] for role in iam.list_roles()["Roles"] if role["RoleName"].startswith("tackboard-")]


def _receive(receiver: Receiver) -> Message:
    try:
        return receiver.messages.get(timeout=30)
    except queue.Empty:
        raise DeploymentFailed("a message of a webhook must arrive") from None


def _ensure(condition: bool, message: str) -> None:  # noqa: FBT001 - it reads as a sentence
    if not condition:
        raise DeploymentFailed(message)


@contextmanager
def _print_step(name: str) -> Iterator[list[str]]:
    began = time.monotonic()
    results: list[str] = []
    yield results
    print(f"{name:<22} {time.monotonic() - began:5.1f} s  {' '.join(results)}", flush=True)


def main() -> int:
    """Rehearse. Return the exit status."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch, "emulator.log")
        try:
            with _print_step("build") as results:
                environment = {**local_build_environment(), "WEBHOOKS_ALLOW": NETWORK, "CLOSED_ORIGIN": "true"}
                package = build_package(STAGE, Path(scratch, "package"), environment)
                left_out = remove_unsupported_resources(package)
                results.append(
                    f"{package.zip.stat().st_size / 2**20:.2f} MB; removed for the emulator: {', '.join(left_out)}"
                )
            with run_emulator(log) as address:
                # From here on, every AWS client uses the emulator.
                os.environ.update(build_environment(address))
                run = Rehearsal(address, package)
                for name, step in (
                    ("deploy", run.deploy),
                    ("main job", run.do_main_job),
                    ("webhooks", run.check_webhooks),
                    ("refusals", run.check_refusals),
                    ("site", run.check_site),
                    ("other origins", run.check_cors),
                    ("firewall", run.build_firewall),
                    ("drift", run.find_drift),
                    ("update in place", run.update_in_place),
                    ("invalid update", run.deploy_invalid_template),
                    ("rollback", run.roll_back),
                    ("remove", run.remove),
                ):
                    with _print_step(name) as results:
                        results.append(step())
        except (DeploymentFailed, subprocess.CalledProcessError) as failed:
            print(f"The rehearsal failed: {failed}", file=sys.stderr)
            print(log.read_text()[-3000:] if log.exists() else "", file=sys.stderr)
            return 1
    print(f"{'together':<22} {time.monotonic() - began:5.1f} s")
    print("Not emulated, but tested on the template: " + "; ".join(NOT_EMULATED) + ".")
    return 0


if __name__ == "__main__":
    sys.exit(main())
