"""Measure the start up to the first response, of the deployed package and of small peers (`make coldstart`).

callgrind counts the instructions of a process, which repeat themselves; then CPU times are taken, the contenders in
turns, so that whatever else the machine does affects all of them alike. Each contender reads one board from the same
DynamoDB-compatible server. Tackboard does more than its peers: it looks the token up, checks membership, and validates
the response; a peer only reads an item.
"""

import os
import statistics
import sys
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from botocore.session import Session

from infrastructure.deployment.local_lambda import open_table
from infrastructure.deployment.package_build import ROOT, build_package, local_build_environment
from tools.benchmarks.contenders import CONNEXION_2, PEERS
from tools.benchmarks.report import write_start_report
from tools.benchmarks.scene import build_event, to_rest_event
from tools.benchmarks.starts import STEP_MARKS, Program, create_board_event

ROUNDS = int(os.environ.get("ROUNDS", "15"))
TIMED_REQUESTS, COUNTED_REQUESTS = 200, 20

SDK_PACKAGES = ("botocore", "dateutil", "jmespath", "six.py", "urllib3")
"""What Lambda provides for the package: the core of the SDK."""

BOARD_ID = "brd_01m7xrk7wtkjvzcgsdppfqchn8"

Steps = Mapping[str, float]


@contextmanager
def prepare_programs(store_url: str) -> Iterator[dict[str, Program]]:
    """Build the package and the peers' table. Yield everything that is measured, by name."""
    with TemporaryDirectory() as scratch:
        package = build_package("dev", Path(scratch, "package"), local_build_environment())
        code, sdk = Path(scratch, "code"), Path(scratch, "sdk")
        with zipfile.ZipFile(package.zip) as archive:
            archive.extractall(code)
        sdk.mkdir()
        installed = next(Path(path) for path in sys.path if (Path(path) / "botocore").is_dir())
        for name in SDK_PACKAGES:
            (sdk / name).symlink_to(installed / name)
        event = create_board_event(store_url)
        create_peers_table(store_url.rpartition("endpoint=")[2])
        ours = f"{code}:{sdk}"
        yield {
            "Tackboard": Program(ours, "lambda_wsgi_handler", event),
            "Tackboard by serverless-wsgi": Program(ours, "lambda_wsgi_handler", to_rest_event(event)),
            "Flask + boto3, no validation": build_peer("with_flask"),
            "Powertools + boto3": build_peer("with_powertools"),
            "FastAPI + Mangum + boto3": build_peer("with_fastapi"),
            "Litestar + Mangum + boto3": build_peer("with_litestar"),
            "connexion 3 as it comes + boto3": build_peer("with_connexion3"),
            "connexion 2 as it comes + boto3": build_peer("with_connexion2", CONNEXION_2),
        }


def build_peer(module: str, environment: str = PEERS) -> Program:
    """Return the peer in a module of tools.benchmarks.peers, with the packages of its environment."""
    (site_packages,) = (ROOT / environment / "lib").glob("python3*/site-packages")
    event = build_event("", "GET", f"/v1/boards/{BOARD_ID}")
    return Program(f"{site_packages}:{ROOT}", f"tools.benchmarks.peers.{module}", event)


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


def count_all(programs: Mapping[str, Program], store_url: str) -> dict[str, Steps]:
    """Return the instructions of each step of each program."""

    def count(name: str) -> Steps:
        counts = programs[name].count_steps(store_url, COUNTED_REQUESTS)
        print(f"counted: {name}", file=sys.stderr, flush=True)
        totals = {step: float(counted.total) for step, counted in counts.items()}
        return totals | {"warm": totals["warm"] / COUNTED_REQUESTS}

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(programs, pool.map(count, programs), strict=True))


def time_all(programs: Mapping[str, Program], store_url: str) -> dict[str, Steps]:
    """Return the medians of the CPU seconds of each step of each program."""
    samples: dict[str, list[Steps]] = {}
    for number in range(ROUNDS):
        for name, program in programs.items():
            samples.setdefault(name, []).append(program.time_steps(store_url, TIMED_REQUESTS))
        print(f"\rround {number + 1} of {ROUNDS}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return {
        name: {step: statistics.median(times[step] for times in processes) for step in STEP_MARKS}
        for name, processes in samples.items()
    }


def main() -> None:
    """Measure, print the tables, and write them."""
    with open_table() as store_url, prepare_programs(store_url) as programs:
        for program in programs.values():
            # The first process of each leaves bytecode to those that are measured.
            program.time_steps(store_url, 1)
        counts, times = count_all(programs, store_url), time_all(programs, store_url)
    machine = f"{os.cpu_count()} processors, load {os.getloadavg()[1]:.1f}"
    print(write_start_report(counts, times, machine))


if __name__ == "__main__":
    main()
