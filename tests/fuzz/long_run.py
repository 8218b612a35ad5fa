"""schemathesis at full length, against a server of its own on a real socket, with two users.

`python -m tests.fuzz.long_run --seed 17 --cases 4000` sends at least so many cases, seed after seed, to a server on
STORE_URL (without it, on a fresh SQLite file), then measures how much of the contract was met.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.contract_coverage import Coverage
from tests.fuzz.documented_statuses import exceed_rate_limit, read_everything, request_every_status
from tests.fuzz.existing_data import REDIRECT_URI
from tests.fuzz.rule_violations import SCENARIOS, RuleBreaker
from tests.live_server import ROOT, LiveServer
from tests.oidc.scripted_provider import run_scripted_provider
from tests.soak.socket_client import connect_client
from tools.openapi.bundle import Bundle
from tools.openapi.findings import BUNDLE
from tools.openapi.traffic_validation import validate_traffic

_ONE_USER = '[auth.openapi.bearer]\nbearer = "${FUZZ_TOKEN}"\n'
_TWO_USERS = '[auth.wfc]\npath = "{path}"\nuser = "mina"\npeers = ["mina", "omar"]\n'


def main() -> int:
    """Run it all. Return the exit status: 1 if anything was found, or the coverage is too low."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.long_run")
    parser.add_argument("--seed", type=int, default=20261120)
    parser.add_argument("--cases", type=int, default=4_000)
    parser.add_argument("--crosscheck", action="store_true", help="let openapi-core and Prism judge all of it too")
    parser.add_argument("--traffic", type=Path, help="keep everything that was sent and answered in this file")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        traffic = chosen.traffic or folder / "traffic.jsonl"
        traffic.unlink(missing_ok=True)
        settings = {"STORE_URL": os.environ["STORE_URL"]} if "STORE_URL" in os.environ else {}
        with (
            run_scripted_provider() as provider,
            LiveServer(
                folder,
                JOINING="consent",
                OIDC_PROVIDERS=provider.write_setting(redirect_uris=[REDIRECT_URI]),
                **settings,
            ) as server,
        ):
            provider.now = time.time
            status = _run_rounds(server, folder, traffic, chosen.seed, chosen.cases)
            provoker = _sign_up(server, "provoker")
            request_every_status(server, provoker, traffic)
            break_rules(server, provoker, traffic)
            read_everything(server, provoker, traffic)
        with LiveServer(folder, RATE_LIMIT="1", **settings) as strict:
            exceed_rate_limit(strict, provoker, traffic)
        coverage = Coverage.measure(traffic)
        print(coverage.describe(), flush=True)
        for agrees, output in validate_traffic(traffic) if chosen.crosscheck else ():
            print(output, flush=True)
            status = status or int(not agrees)
    return status or int(not coverage.is_enough())


def _appoint_owner(server: LiveServer, token: str) -> None:
    """Make the user of a token an owner of the installation, so that requests about it succeed."""
    assert server.token, "A store that is used already has an owner whose token nobody knows: take an empty one."
    user_id = connect_client(server, token).get("/users/me").json["id"]
    owner = connect_client(server, server.token)
    tag = owner.get(f"/users/{user_id}").etag
    assert owner.patch(f"/users/{user_id}", {"installation_role": "owner"}, If_Match=tag).status == 200


def _run_rounds(server: LiveServer, folder: Path, traffic: Path, seed: int, cases: int) -> int:
    host, port = server.host_and_port
    sent = 0
    while sent < cases:
        # Users of a round before may have tokens that this one would not know to leave alone.
        tokens = {name: _sign_up(server, name) for name in ("mina", "omar")}
        _appoint_owner(server, tokens["mina"])
        configuration = _write_configuration(folder, tokens)
        environment = os.environ | {
            "FUZZ_HOST": host,
            "FUZZ_PORT": str(port),
            "FUZZ_TOKEN": tokens["mina"],
            "FUZZ_TRAFFIC": str(traffic),
            "PYTHONPATH": str(ROOT),
        }
        command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(configuration)]
        # Every check is on by itself; naming them here would overrule what the configuration says of an operation.
        command += ["run", "spec/dist/openapi.json", "--url", f"{server.url}v1"]
        command += ["--seed", str(seed)]
        run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        generated = re.search(r"([0-9,]+) generated", run.stdout)
        links = re.search(r"API Links: +(.*)", run.stdout)
        if run.returncode or not generated:
            print(run.stdout[-20_000:] + run.stderr)
            return 1
        sent += int(generated[1].replace(",", ""))
        summary = f"seed {seed}: {generated[1]} cases, 0 failures, 0 warnings; links: {links[1] if links else 'none'}"
        print(summary, flush=True)
        read_everything(server, tokens["mina"], traffic)
        seed += 1
    print(f"{sent:,} cases in all")
    return 0


def break_rules(server: LiveServer, token: str, traffic: Path) -> None:
    """Walk into every refusal that chance doesn't find, and add all of it to the traffic."""
    bundle = Bundle(json.loads(BUNDLE.read_bytes()))
    operations = {(operation.method.upper(), operation.path): operation for operation in bundle.operations}
    with traffic.open("a") as file:
        for walk in SCENARIOS:
            walk(RuleBreaker(connect_client(server, token), server, file, operations))


def _write_configuration(folder: Path, tokens: dict[str, str]) -> Path:
    """Write the configuration of tests/fuzz/test_fuzz.py, with a second user."""
    users = [
        {"name": name, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {token}"}]}
        for name, token in tokens.items()
    ]
    (folder / "users.json").write_text(json.dumps({"auth": users}))
    text = (ROOT / "tests" / "fuzz" / "schemathesis.toml").read_text()
    text = text.replace(_ONE_USER, _TWO_USERS.format(path=folder / "users.json"))
    configuration = folder / "schemathesis.toml"
    configuration.write_text(text)
    return configuration


def _sign_up(server: LiveServer, name: str) -> str:
    made = connect_client(server, "").post("/users", {"name": name})
    token: str = made.json["token"]
    return token


if __name__ == "__main__":
    sys.exit(main())
