"""schemathesis sends what the document allows and what it forbids, and believes no answer."""

import os
import random
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from kanban import tokens, users
from kanban.changes import ActionContext
from kanban.ids import IdGenerator
from kanban.values import Scope
from stores import open_store

ROOT = Path(__file__).parents[2]
MIN_CASES = 2_000


def test_the_application_and_the_document_agree_whatever_is_sent(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/tackboard.db"
    environment = os.environ | {"FUZZ_STORE": url, "FUZZ_TOKEN": owner_token(url), "PYTHONPATH": str(ROOT)}
    command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", "tests/fuzz/schemathesis.toml"]
    command += ["run", "spec/dist/openapi.json", "--url", "http://127.0.0.1/v1", "--checks", "all"]

    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    print(run.stdout)  # noqa: T201 - pytest -s shows what was sent and found.
    assert run.returncode == 0, run.stdout + run.stderr
    generated = re.search(r"([0-9,]+) generated", run.stdout)
    assert generated
    assert int(generated[1].replace(",", "")) >= MIN_CASES


def owner_token(url: str) -> str:
    """Create a user, and return a token with every scope."""
    store = open_store(url)
    act = ActionContext(
        "", datetime.now(UTC).replace(microsecond=0), IdGenerator(lambda: datetime.now(UTC), random.randbytes)
    )
    user, change = users.create(act, name="Mina")
    _, text, kept = tokens.issue(act, random.randbytes, user_id=user.id, name="Fuzz", scopes=tuple(Scope))
    store.commit(change.merge(kept))
    store.close()
    return text
