"""schemathesis sends what the document allows and what it forbids, and believes no answer.

Every case of the coverage phase is sent, with fewer random ones than `make fuzz`, which `make proofs` runs, sends.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.fuzz.existing_data import REDIRECT_URI
from tests.live_server import ROOT, LiveServer
from tests.oidc.scripted_provider import run_scripted_provider

MIN_CASES = 9_000

SHORTER_PHASES = {"max-examples = 40": "max-examples = 10", "max-examples = 150": "max-examples = 40"}
"""What replaces the lengths of the fuzzing and the stateful phase in schemathesis.toml."""


def test_the_application_and_the_document_agree_whatever_is_sent(tmp_path: Path) -> None:
    with (
        run_scripted_provider() as provider,
        LiveServer(
            tmp_path, JOINING="consent", OIDC_PROVIDERS=provider.write_setting(redirect_uris=[REDIRECT_URI])
        ) as server,
    ):
        provider.now = time.time
        host, port = server.host_and_port
        variables = {
            "FUZZ_HOST": host,
            "FUZZ_PORT": str(port),
            "FUZZ_TOKEN": server.token or "",
            "PYTHONPATH": str(ROOT),
        }
        command = [
            str(Path(sys.executable).with_name("schemathesis")),
            "--config-file",
            str(write_shorter_configuration(tmp_path)),
        ]
        command += ["run", "spec/dist/openapi.json", "--url", f"{server.url}v1", "--checks", "all"]

        run = subprocess.run(command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, check=False)

    print(run.stdout)  # noqa: T201 - pytest -s shows what was sent and found.
    assert run.returncode == 0, run.stdout + run.stderr
    generated = re.search(r"([0-9,]+) generated", run.stdout)
    assert generated
    assert int(generated[1].replace(",", "")) >= MIN_CASES


def write_shorter_configuration(folder: Path) -> Path:
    """Write the configuration with shorter random phases; return its path."""
    text = (ROOT / "tests" / "fuzz" / "schemathesis.toml").read_text()
    for full, shorter in SHORTER_PHASES.items():
        assert text.count(full) == 1
        text = text.replace(full, shorter)
    file = folder / "schemathesis.toml"
    file.write_text(text)
    return file
