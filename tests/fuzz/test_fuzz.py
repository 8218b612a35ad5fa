"""schemathesis sends what the document allows and what it forbids, and believes no answer."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.live_server import ROOT, LiveServer

MIN_CASES = 2_000


def test_the_application_and_the_document_agree_whatever_is_sent(tmp_path: Path) -> None:
    with LiveServer(tmp_path) as server:
        host, port = server.host_and_port
        variables = {
            "FUZZ_HOST": host,
            "FUZZ_PORT": str(port),
            "FUZZ_TOKEN": server.token or "",
            "PYTHONPATH": str(ROOT),
        }
        command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", "tests/fuzz/schemathesis.toml"]
        command += ["run", "spec/dist/openapi.json", "--url", f"{server.url}v1", "--checks", "all"]

        run = subprocess.run(command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, check=False)

    print(run.stdout)  # noqa: T201 - pytest -s shows what was sent and found.
    assert run.returncode == 0, run.stdout + run.stderr
    generated = re.search(r"([0-9,]+) generated", run.stdout)
    assert generated
    assert int(generated[1].replace(",", "")) >= MIN_CASES
