"""docs/self-hosting.md, followed word for word from an empty Debian: only systemd is a stand-in."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.live_server import ROOT
from tests.self_hosting.machine import Machine, create_root_archive, create_work_folder, read_blocks, require

pytestmark = pytest.mark.package

PAGE = "self-hosting.md"
MAX_SECONDS = 15 * 60

GET = """
/opt/tackboard/bin/python - "$@" <<'END'
import ssl, socket, time
from http.client import HTTPSConnection
context = ssl.create_default_context(cafile="/var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt")
class Connection(HTTPSConnection):
    def connect(self):
        self.sock = context.wrap_socket(socket.create_connection(("127.0.0.1", 443)), server_hostname=self.host)
connection = Connection("tackboard.example")
connection.request(METHOD, PATH, BODY, {"Content-Type": "application/json"})
response = connection.getresponse()
assert response.status != 502, "The server behind Caddy doesn't answer yet."
print(response.status, response.headers["Strict-Transport-Security"], response.read().decode())
END
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Return a machine on which Tackboard has been set up as the page says."""
    require("mmdebstrap", "unshare", "nsenter", "setpriv")
    archive = create_root_archive(tmp_path_factory)
    with create_work_folder() as folder, Machine(archive, folder) as machine:
        home = machine.root / "root"
        build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(home)]
        subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
        (home / "requirements.txt").write_bytes((ROOT / "requirements.txt").read_bytes())
        started = time.monotonic()
        for block in read_blocks(PAGE, "Install", "Configure", "Start", "https"):
            machine.run(block)
        assert time.monotonic() - started < MAX_SECONDS
        yield machine


def request(machine: Machine, path: str, method: str = "GET", body: str | None = None) -> str:
    """Send a request through Caddy, by https, as soon as it answers; return status, HSTS and body."""
    script = GET.replace("METHOD", repr(method)).replace("PATH", repr(path)).replace("BODY", repr(body))
    return machine.run(f"for _ in $(seq 300); do {{ {script} }} 2>/dev/null && exit; done; exit 1", in_its_network=True)


def sign_in(machine: Machine) -> str:
    """Sign in with the link that the command prints; return the token of the session."""
    block, _ = read_blocks(PAGE, "Sign in")
    link = machine.run(block)
    code = re.fullmatch(r"https://tackboard\.example/#sign-in=(\S+)\n", link)
    assert code, link
    status, _, session = request(machine, "/v1/sessions", "POST", f'{{"code": "{code[1]}", "name": "Laptop"}}').split(
        " ", 2
    )
    assert status == "201", session
    return session


def test_the_page_sets_up_a_server_with_https_that_the_owner_can_sign_in_to(machine: Machine) -> None:
    answer = request(machine, "/v1/health")

    assert answer == '200 max-age=63072000 {"status":"ok"}\n'
    assert '"token":"tkb_' in sign_in(machine)


def test_the_check_finds_nothing_wrong_with_what_the_page_has_set_up(machine: Machine) -> None:
    request(machine, "/v1/health")
    _, block = read_blocks(PAGE, "Sign in")

    findings = [line.split()[:2] for line in machine.run(block).splitlines()]

    assert {level for level, _ in findings} == {"ok"}, findings
    assert {"settings", "store", "owner", "rights", "space", "backups", "sign-in"} <= {name for _, name in findings}


def test_the_journal_contains_no_token(machine: Machine) -> None:
    request(machine, "/v1/health")

    journal = machine.run("journalctl --unit tackboard.service --output cat")

    assert "`tackboard sign-in` prints a link" in journal
    assert '"path":"/v1/health"' in journal
    assert not re.search(r"tkb_\w|sign-in=", journal)


def test_only_its_user_can_read_the_data_and_the_settings(machine: Machine) -> None:
    modes = machine.run(
        "stat --format '%a %U %G' /etc/tackboard/tackboard.toml /var/lib/tackboard /var/lib/tackboard/tackboard.db"
    )

    assert modes.splitlines() == ["640 root tackboard", "700 tackboard tackboard", "600 tackboard tackboard"]


def test_a_restored_backup_has_what_the_backup_had_and_an_upgrade_keeps_it(machine: Machine) -> None:
    backup, restore, upgrade = (read_blocks(PAGE, heading) for heading in ("Try the backup", "Restore", "Upgrade"))
    for block in backup:
        assert "tackboard-20" in machine.run(block)
    first_digest = machine.run("journalctl --unit tackboard@backup.service").splitlines()[-1]
    sign_in(machine)
    digest_now = machine.run("tackboard digest").strip()

    restored = "".join(machine.run(block) for block in restore)
    # A server that is stopped while it starts says nothing at its end.
    request(machine, "/v1/health")
    for block in upgrade:
        machine.run(block)

    assert restored.strip() == first_digest != digest_now
    assert machine.run("tackboard digest").strip() == first_digest
    assert request(machine, "/v1/health").startswith("200 ")
    assert machine.run("cat /var/log/stand-in/tackboard.service").count("Stopped.\n") == 2
    assert machine.run("ls /opt").split() == ["tackboard", "tackboard-previous"]


def test_the_page_shows_the_configuration_of_caddy_that_is_tested_elsewhere() -> None:
    (block,) = read_blocks(PAGE, "https")
    guide = (ROOT / "docs" / "reverse-proxy.md").read_text()
    site, *_ = re.findall(r"^```caddyfile\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)

    assert site in block
