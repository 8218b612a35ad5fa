"""Measure the CPU time to the first response, of the deployed package and of small peers (`make coldstart`).

Every sample is a process of its own in an isolated Python, the contenders in turns, so that whatever else the machine
does affects all of them alike. Each reads one board from the same DynamoDB-compatible server. Tackboard does more than
its peers: it looks the token up, checks membership, and validates the response; a peer only reads an item.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.session import Session

from infrastructure.deployment.local_lambda import open_table
from infrastructure.deployment.package_build import ROOT, build_package, local_build_environment
from tools.benchmarks.bar_chart import render_bar_chart
from tools.benchmarks.benchmark_board import BenchmarkBoard, build_event

ROUNDS = int(os.environ.get("ROUNDS", "15"))
PEERS = "tools.benchmarks.peers"
STARTUP_PROGRAM = ROOT / "tools" / "benchmarks" / "startup_process.py"
CHART_FILE = ROOT / "docs" / "coldstart.svg"

SDK_PACKAGES = ("botocore", "dateutil", "jmespath", "six.py", "urllib3")
"""What Lambda provides for the package: the core of the SDK."""

BOARD_ID = "brd_01m7xrk7wtkjvzcgsdppfqchn8"

Contender = tuple[str, str, dict[str, Any]]
"""The path for imports, the module, and the event."""


def to_rest_event(event: dict[str, Any]) -> dict[str, Any]:
    """Return the same request as an event of a REST API, which goes through serverless-wsgi."""
    context = {"requestId": "id", "stage": "dev", "identity": {"sourceIp": "203.0.113.9"}, "resourcePath": "/"}
    asked = {"httpMethod": event["requestContext"]["http"]["method"], "path": event["rawPath"]}
    return {**asked, "headers": event["headers"], "requestContext": context, "isBase64Encoded": False}


@contextmanager
def prepare_contenders(endpoint: str, store_url: str) -> Iterator[dict[str, Contender]]:
    """Build the package and the peers' table. Yield everything that is measured, by name."""
    with tempfile.TemporaryDirectory() as scratch:
        package = build_package("dev", Path(scratch, "package"), local_build_environment())
        code, sdk = Path(scratch, "code"), Path(scratch, "sdk")
        with zipfile.ZipFile(package.zip) as archive:
            archive.extractall(code)
        sdk.mkdir()
        installed = next(Path(path) for path in sys.path if (Path(path) / "botocore").is_dir())
        for name in SDK_PACKAGES:
            (sdk / name).symlink_to(installed / name)
        ours = f"{code}:{sdk}"
        asked = create_board_event(store_url)
        (site,) = (ROOT / ".venv-peers" / "lib").glob("python3*/site-packages")
        theirs = f"{site}:{ROOT}"
        small = build_event("", "GET", f"/v1/boards/{BOARD_ID}")
        create_peers_table(endpoint)
        yield {
            "Tackboard": (ours, "lambda_wsgi_handler", asked),
            "Tackboard by serverless-wsgi": (ours, "lambda_wsgi_handler", to_rest_event(asked)),
            "Flask + boto3, no validation": (theirs, f"{PEERS}.with_flask", small),
            "Powertools + boto3": (theirs, f"{PEERS}.with_powertools", small),
            "FastAPI + Mangum + boto3": (theirs, f"{PEERS}.with_fastapi", small),
            "connexion as it comes + boto3": (theirs, f"{PEERS}.with_connexion", small),
        }


def create_board_event(store_url: str) -> dict[str, Any]:
    """Create a board in a new table. Return the event of a request for it."""
    scene = BenchmarkBoard(store_url, number_of_cards=0)
    return build_event(scene.token, "GET", f"/v1/boards/{scene.board_id}")


def create_peers_table(endpoint: str) -> None:
    """Create the peers' table with the board in it."""
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    client = Session().create_client("dynamodb", region_name="eu-central-1", endpoint_url=endpoint, **keys)
    client.create_table(
        TableName="peers",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.put_item(TableName="peers", Item={"id": {"S": BOARD_ID}, "name": {"S": "Bench"}, "seq": {"N": "1"}})
    client.close()


def measure_process(contender: Contender, environment: dict[str, str]) -> dict[str, float]:
    """Run one process. Return its CPU seconds: `import`, `first` request, and each of the `warm` ones after it."""
    path, module, event = contender
    process = subprocess.run(  # noqa: S603 - our own program.
        [sys.executable, "-I", "-S", "-W", "ignore", str(STARTUP_PROGRAM), path, module, json.dumps(event)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        raise SystemExit(process.stderr)
    seconds: dict[str, float] = json.loads(process.stdout)
    return seconds


def main() -> None:
    """Measure, print a table and draw a chart."""
    samples_by_name: dict[str, list[dict[str, float]]] = {}
    with open_table() as store_url:
        endpoint = store_url.rpartition("endpoint=")[2]
        environment = {
            "STORE_URL": store_url,
            "PEERS_ENDPOINT": endpoint,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with prepare_contenders(endpoint, store_url) as everyone:
            for number in range(ROUNDS):
                for name, contender in everyone.items():
                    samples_by_name.setdefault(name, []).append(measure_process(contender, environment))
                print(f"\rround {number + 1} of {ROUNDS}", end="", file=sys.stderr, flush=True)
            print(file=sys.stderr)
    load = os.getloadavg()[1]
    version = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    title = f"CPU time, medians of {ROUNDS} processes in turns; {version}, {os.cpu_count()} cores, load {load:.1f}"
    print(title)
    print(f"{'':32}{'import':>10}{'first':>10}{'together':>10}{'then, each':>13}")
    bars = []
    for name, samples in samples_by_name.items():
        imported, first, warm = (
            statistics.median(sample[phase] for sample in samples) for phase in ("import", "first", "warm")
        )
        together = statistics.median(sample["import"] + sample["first"] for sample in samples)
        print(f"{name:32}{imported:8.3f} s{first:8.3f} s{together:8.3f} s{warm * 1e6:10,.0f} µs")
        bars.append((name, together, f"{together * 1000:.0f} ms"))
    CHART_FILE.write_text(render_bar_chart("CPU time from nothing to the first answer", title, bars))


if __name__ == "__main__":
    main()
