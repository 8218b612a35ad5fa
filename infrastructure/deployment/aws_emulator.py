"""Run ministack, an emulator of AWS, on loopback. It enforces the function's role."""

import json
import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infrastructure.deployment.package_build import ROOT, DeploymentFailed, Package

_MINISTACK = ROOT / ".venv-deploy" / "bin" / "ministack"
_START_SECONDS = 30.0

REGION = "eu-central-1"

NOT_EMULATED = (
    "alarms over several metrics (the rehearsal leaves them out)",
    "requests from CloudFront to the API",
    "the limit of the stream's retries, and the permissions to read stream and queue",
    "arm64, SnapStart and throttling",
    "access logs, detailed metrics and X-Ray",
    "encryption, recovery and expiry of the table",
    "the canary, the budget, what the firewall blocks and logs, and sign-in from GitHub",
)
"""What the emulator doesn't do. tests/deployment checks the template instead."""


def build_environment(address: str) -> dict[str, str]:
    """Return an environment in which every AWS tool uses the emulator, and can't reach AWS."""
    return {
        "AWS_ACCESS_KEY_ID": "rehearsal",
        "AWS_SECRET_ACCESS_KEY": "rehearsal",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": address,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


@contextmanager
def run_emulator(log: Path) -> Iterator[str]:
    """Run a new, empty emulator, and yield its address. Raises DeploymentFailed if it can't be started."""
    if not _MINISTACK.exists():
        raise DeploymentFailed("The emulator is not installed: make rehearse installs it into .venv-deploy.")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    environment = {
        **{name: value for name, value in os.environ.items() if not re.match("(?i)https?_proxy|all_proxy", name)},
        **build_environment(address),
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": "123456789012",
        "MINISTACK_REGION": REGION,
    }
    with log.open("w") as out, subprocess.Popen([_MINISTACK], env=environment, stdout=out, stderr=out) as process:
        try:
            _wait_until_healthy(address, process)
            yield address
        finally:
            process.terminate()


def _wait_until_healthy(address: str, process: subprocess.Popen[bytes]) -> None:
    began = time.monotonic()
    while process.poll() is None and time.monotonic() - began < _START_SECONDS:
        try:
            with urllib.request.urlopen(f"{address}/_ministack/health", timeout=2):  # noqa: S310 - our own address
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise DeploymentFailed("The emulator did not start.")


def remove_unsupported_log(template: str) -> str:
    """Return the template of the firewall without its log, which the emulator doesn't know."""
    before, _, rest = template.partition("  # Only what was blocked")
    return f"{before}Outputs:{rest.partition('Outputs:')[2]}"


def remove_unsupported_resources(package: Package) -> list[str]:
    """Remove resources that the emulator rejects from a package. Return their names."""
    state = json.loads(package.state.read_text())
    resources: dict[str, Any] = state["service"]["provider"]["compiledCloudFormationTemplate"]["Resources"]
    removed = [name for name, resource in resources.items() if "Metrics" in resource.get("Properties", {})]
    for name in removed:
        del resources[name]
    dashboard = resources["Dashboard"]["Properties"]["DashboardBody"]
    for name in removed:
        dashboard["Fn::Sub"] = re.sub(rf'"\$\{{{name}\.Arn\}}",?\s*', "", dashboard["Fn::Sub"])
    dashboard["Fn::Sub"] = re.sub(r",\s*\]", "]", dashboard["Fn::Sub"])
    package.state.write_text(json.dumps(state))
    return removed
