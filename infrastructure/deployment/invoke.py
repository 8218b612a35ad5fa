"""Send an event to a function, and print what it returns (`make invoke EVENT=ready`).

The events are files in infrastructure/events/, in the folder of their function; any other file can be named, too.
Without a stage, the event goes to `make lambda`, which runs the function of the API only.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from infrastructure.deployment.deploy import check_stage, choose_region
from infrastructure.deployment.local_lambda import DEFAULT_PORT
from infrastructure.deployment.package_build import ROOT, DeploymentFailed
from infrastructure.deployment.stack import Stack

EVENTS = ROOT / "infrastructure" / "events"
_API = "api"
_CONFIG = Config(read_timeout=60, retries={"total_max_attempts": 1})
"""The event is sent once: what it does should happen once."""


def find_event(name: str) -> Path:
    """Return the file of an event. Raises DeploymentFailed if there is none, with the names of those that exist."""
    files = {file.stem: file for file in sorted(EVENTS.glob("*/*.json"))}
    if name in files:
        return files[name]
    if name.endswith(".json") and Path(name).is_file():
        return Path(name).resolve()
    raise DeploymentFailed(
        f"Name an event: make invoke EVENT={'|'.join(files)}, or the path of a file that ends in .json."
    )


def name_function(event: Path) -> str:
    """Return which function an event is for: that of the API, unless its folder is named after the other one."""
    return event.parent.name if event.is_relative_to(EVENTS) else _API


def invoke(event: Path, stage: str, environment: Mapping[str, str]) -> Any:
    """Send an event to the function of a stage, or of `make lambda` without one. Return what the function returns.

    Raises DeploymentFailed if it can't be sent, or if the function raises an exception.
    """
    function = name_function(event)
    if stage:
        check_stage(stage)
        stack = Stack(stage, choose_region(environment), environment.get("AWS_ENDPOINT_URL"))
        client, name = stack.client("lambda"), f"{stack.name}-{function}"
    else:
        if function != _API:
            raise DeploymentFailed(f"make lambda runs the function {_API!r} only: name a stage for {function!r}.")
        client, name = _create_local_client(environment.get("PORT", DEFAULT_PORT)), function
    try:
        response = client.invoke(FunctionName=name, Payload=event.read_bytes())
    except (BotoCoreError, ClientError) as error:
        raise DeploymentFailed(f"The event can't be sent: {str(error).strip()}") from error
    text = response["Payload"].read().decode()
    if "FunctionError" in response:
        raise DeploymentFailed(f"The function failed: {text}")
    return json.loads(text or "null")


def _create_local_client(port: str) -> Any:
    """Return a client of the function that `make lambda` runs. It takes any credentials."""
    session = Session()
    session.set_credentials("local", "local")
    address = f"http://127.0.0.1:{port}"
    return session.create_client("lambda", region_name="eu-central-1", endpoint_url=address, config=_CONFIG)


def main(arguments: list[str]) -> int:
    """Send the event that the first argument names, to the stage that the second one names. Return the exit status."""
    name, stage = [*arguments, "", ""][:2]
    try:
        print(json.dumps(invoke(find_event(name), stage, os.environ), indent=2, ensure_ascii=False))
    except DeploymentFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
