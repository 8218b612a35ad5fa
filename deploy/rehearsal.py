"""`make rehearse`: the whole stack on an AWS on this machine: deployed, tried, updated, rolled back, removed.

What is built is what is deployed to AWS, but for this machine's processor and Python. Each step prints what it saw and
how long it took; the first that goes wrong ends it, with exit status 1.
"""

import json
import os
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

from deploy import site
from deploy.building import ROOT, Failed, Package, build, for_this_machine, osls
from deploy.deployment import changes, check_account, check_table
from deploy.emulator import GAPS, REGION, credentials, emulator, fit
from deploy.stack import Stack

STAGE = "dev"


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer over HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


class Rehearsal:
    """One run."""

    def __init__(self, address: str, package: Package) -> None:
        self._address = address
        self._package = package
        self._environment = {**for_this_machine(), **credentials(address)}
        self._stack = Stack(STAGE, REGION, address)
        self._token = ""
        self._board = ""

    def deploy(self) -> str:
        """Deploy the stack where there is none, as `make deploy` would, which looks first."""
        check_account(self._stack)
        self._refuses_a_foreign_table()
        _insist("A new stack" in next(changes(self._stack, self._package)), "a new stack must be announced")
        osls(["deploy", "--stage", STAGE, "--package", str(self._package.folder)], self._environment)
        self._open_to_other_origins()
        resources = self._stack.client("cloudformation").describe_stack_resources(StackName=self._stack.name)
        return f"{self._stack.status()}, {len(resources['StackResources'])} resources"

    def work(self) -> str:
        """Do what people do: the owner's token, a board, a card that is started and resolved, HEAD, the events."""
        url = f"dynamodb://{self._stack.name}?region={REGION}&endpoint={self._address}"
        made = subprocess.run(
            [sys.executable, "tackboard.py", "token"],
            cwd=ROOT,
            env={**os.environ, **self._environment, "STORE_URL": url},
            capture_output=True,
            text=True,
            check=True,
        )
        self._token = made.stdout.strip()
        board = self._expect(201, "POST", "/v1/boards", {"name": "Rehearsal"}).json()
        self._board = f"/v1/boards/{board['id']}"
        card = self._expect(201, "POST", f"{self._board}/cards", {"title": "Deploy"}).json()
        for action in ("start", "resolve"):
            self._expect(200, "POST", f"{self._board}/cards/{card['id']}/{action}")
        read = self._expect(200, "GET", self._board)
        head = self._expect(200, "HEAD", self._board)
        _insist((head.headers["etag"], head.body) == (read.headers["etag"], b""), "HEAD must answer as GET does")
        events = self._expect(200, "GET", f"{self._board}/events").json()["items"]
        return f"{len(events)} events on a board: {', '.join(event['type'] for event in events)}"

    def refuse(self) -> str:
        """See that it says no: to strangers, to paths that the document lacks, and to what the role may not do."""
        self._expect(401, "GET", "/v1/boards", token="")
        self._expect(401, "POST", "/v1/users", {"name": "Stranger"}, token="")
        # The gateway says so itself: the function has never heard of it.
        nowhere = self._expect(404, "GET", "/v1/nowhere")
        _insist("x-request-id" not in nowhere.headers, "an unknown path must not wake the function")
        iam = self._stack.client("iam")
        (role,) = (name for name in _names(iam) if "FunctionRole" in name)
        denial = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "dynamodb:*", "Resource": "*"}]}
        iam.put_role_policy(RoleName=role, PolicyName="denial", PolicyDocument=json.dumps(denial))
        busy = self._expect(503, "GET", "/v1/ready", token="")
        iam.delete_role_policy(RoleName=role, PolicyName="denial")
        self._expect(200, "GET", "/v1/ready", token="")
        return f"401, 404, 401; without permission on the table {busy.status} {busy.json()['code']}, with it 200"

    def serve(self) -> str:
        """Put the site where CloudFront reads it, and read it as a browser would."""
        outputs = self._stack.outputs()
        number = site.upload(self._stack.client("s3"), outputs["SiteBucketName"])
        host = outputs["SiteUrl"].removeprefix("https://")
        for path in ("/", "/docs/", "/openapi.json", "/problems/busy"):
            page = self._ask("GET", self._address + path, {"Host": host, "X-Forwarded-Proto": "https"})
            _insist(page.status == 200, f"{path} through CloudFront answered {page.status}")
            for name in ("content-security-policy", "strict-transport-security", "x-content-type-options"):
                _insist(name in page.headers, f"{path} through CloudFront lacks {name}")
        in_the_clear = self._ask("GET", f"{self._address}/", {"Host": host})
        past_it = self._ask("GET", f"{self._address}/{outputs['SiteBucketName']}/index.html", {})
        _insist((in_the_clear.status, past_it.status) == (301, 403), "only CloudFront, and only by TLS, may be read")
        return f"{number} files; 200 by CloudFront, 301 without TLS, 403 past it"

    def meet_other_origins(self) -> str:
        """See that a page of an origin on the list may call, and no other."""
        asks = {"Access-Control-Request-Method": "POST"}
        known = self._expect(204, "OPTIONS", "/v1/boards", headers={"Origin": "http://localhost:8080", **asks})
        other = self._expect(None, "OPTIONS", "/v1/boards", headers={"Origin": "https://example.net", **asks})
        allowed = "access-control-allow-origin"
        _insist(known.headers.get(allowed) == "http://localhost:8080", "the origin on the list must be allowed")
        _insist(allowed not in other.headers, "no other origin may be allowed")
        return "one on the list may call, another may not"

    def update(self) -> str:
        """Deploy a change in place: the data stay, and the function is the new one."""
        before = self._memory()
        self._change(lambda function: function.update(MemorySize=768))
        announced = list(changes(self._stack, self._package))
        _insist(any("ApiLambdaFunction" in line for line in announced), f"the change must be announced: {announced}")
        osls(["deploy", "--stage", STAGE, "--package", str(self._package.folder)], self._environment)
        self._expect(200, "GET", self._board)
        _insist(self._memory() == 768, "the update must have arrived")
        return f"{self._stack.status()}, {before} to {self._memory()} MB, the board is there"

    def fail(self) -> str:
        """Deploy what cannot be: CloudFormation goes back by itself, and nothing is lost."""
        self._change(lambda function: function.update(Role="nobody"), "Nonsense")
        try:
            osls(["deploy", "--stage", STAGE, "--package", str(self._package.folder)], self._environment)
        except Failed:
            pass
        else:
            raise Failed("a deployment that cannot be must fail")
        self._expect(200, "GET", self._board)
        return f"{self._stack.status()}, the board is there"

    def roll_back(self) -> str:
        """Go back to the deployment before."""
        listed = osls(["deploy", "list", "--stage", STAGE], self._environment)
        stamps = sorted(word for word in listed.split() if word.isdigit() and len(word) == 13)
        _insist(bool(stamps), f"deployments must be listed: {listed}")
        osls(["rollback", "--stage", STAGE, "--timestamp", stamps[0]], self._environment)
        self._expect(200, "GET", self._board)
        _insist(self._memory() == 1024, "the function must be the one before")
        return f"{self._stack.status()}, to the first of {len(stamps)} deployments, the board is there"

    def remove(self) -> str:
        """Remove it all."""
        site.empty(self._stack.client("s3"), self._stack.outputs()["SiteBucketName"])
        osls(["remove", "--stage", STAGE], self._environment)
        left = {
            "tables": self._stack.client("dynamodb").list_tables()["TableNames"],
            "functions": self._stack.client("lambda").list_functions()["Functions"],
            "buckets": self._stack.client("s3").list_buckets()["Buckets"],
            "roles": _names(self._stack.client("iam")),
        }
        _insist(not any(left.values()), f"nothing may be left: {left}")
        return "no table, function, bucket or role is left"

    def _refuses_a_foreign_table(self) -> None:
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
        except Failed:
            client.delete_table(TableName=name)
        else:
            raise Failed("a table that is there must be found")

    def _open_to_other_origins(self) -> None:
        """Say again which origins may call: the emulator forgets what CloudFormation tells it."""
        resources = self._package.compiled()["Resources"]
        self._stack.client("apigatewayv2").update_api(
            ApiId=self._stack.outputs()["HttpApiId"],
            CorsConfiguration=resources["HttpApi"]["Properties"]["CorsConfiguration"],
        )

    def _change(self, change: Callable[[dict[str, Any]], object], extra: str | None = None) -> None:
        """Change the function in the package, as another commit would; `extra` names a resource that cannot be."""
        state = json.loads(self._package.state.read_text())
        resources = state["service"]["provider"]["compiledCloudFormationTemplate"]["Resources"]
        if extra:
            resources[extra] = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmName": "nonsense"}}
        else:
            change(resources["ApiLambdaFunction"]["Properties"])
        # Each deployment has a folder of its own in the bucket, by its time.
        provider = state["service"]["provider"]
        was = state["package"]["artifactDirectoryName"]
        moment = int(time.time() * 1000)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment / 1000)) + f".{moment % 1000:03}Z"
        now = f"{was.rpartition('/')[0]}/{moment}-{stamp}"
        state["package"]["artifactDirectoryName"] = now
        provider["compiledCloudFormationTemplate"] = json.loads(
            json.dumps(provider["compiledCloudFormationTemplate"]).replace(was, now)
        )
        self._package.state.write_text(json.dumps(state))

    def _memory(self) -> int:
        name = f"{self._stack.name}-api"
        found: int = self._stack.client("lambda").get_function_configuration(FunctionName=name)["MemorySize"]
        return found

    def _expect(
        self,
        status: int | None,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Seen:
        """The API's answer to a request, which must have that status."""
        url = f"{self._address}/_aws/execute-api/{self._stack.outputs()['HttpApiId']}/$default{path}"
        sent = {"Content-Type": "application/json", **(headers or {})}
        token = self._token if token is None else token
        if token:
            sent["Authorization"] = f"Bearer {token}"
        seen = self._ask(method, url, sent, json.dumps(body).encode() if body is not None else None)
        _insist(status in {None, seen.status}, f"{method} {path} answered {seen.status}, not {status}: {seen.body!r}")
        return seen

    @staticmethod
    def _ask(method: str, url: str, headers: dict[str, str], body: bytes | None = None) -> Seen:
        request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310 - our own address
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects())
        try:
            answer = opener.open(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return Seen(answer.status, {n.lower(): v for n, v in answer.headers.items()}, answer.read())


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow nothing."""


def _names(iam: Any) -> list[str]:
    return [role["RoleName"] for role in iam.list_roles()["Roles"] if role["RoleName"].startswith("tackboard-")]


def _insist(condition: bool, otherwise: str) -> None:  # noqa: FBT001 - it reads as a sentence
    if not condition:
        raise Failed(otherwise)


@contextmanager
def _step(name: str) -> Iterator[list[str]]:
    began = time.monotonic()
    said: list[str] = []
    yield said
    print(f"{name:<22} {time.monotonic() - began:5.1f} s  {' '.join(said)}", flush=True)


def main() -> int:
    """Rehearse; the exit status."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch, "emulator.log")
        try:
            with _step("build") as said:
                package = build(STAGE, Path(scratch, "package"), for_this_machine())
                left_out = fit(package)
                said.append(f"{package.zip.stat().st_size / 2**20:.2f} MB; left out here: {', '.join(left_out)}")
            with emulator(log) as address:
                # Whatever is asked from here on is asked of the emulator.
                os.environ.update(credentials(address))
                run = Rehearsal(address, package)
                for name, step in (
                    ("deploy", run.deploy),
                    ("main job", run.work),
                    ("refusals", run.refuse),
                    ("site", run.serve),
                    ("other origins", run.meet_other_origins),
                    ("update in place", run.update),
                    ("impossible update", run.fail),
                    ("rollback", run.roll_back),
                    ("remove", run.remove),
                ):
                    with _step(name) as said:
                        said.append(step())
        except (Failed, subprocess.CalledProcessError) as failed:
            print(f"The rehearsal failed: {failed}", file=sys.stderr)
            print(log.read_text()[-3000:] if log.exists() else "", file=sys.stderr)
            return 1
    print(f"{'in all':<22} {time.monotonic() - began:5.1f} s")
    print("Not rehearsed, but tested on the template: " + "; ".join(GAPS) + ".")
    return 0


if __name__ == "__main__":
    sys.exit(main())
