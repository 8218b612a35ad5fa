"""The image, built and run as compose.yaml says, on a Debian with Python in place of the image of Python."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from zipfile import ZipFile

import pytest
import yaml

from tests.live_server import ROOT
from tests.self_hosting.machine import CERTIFICATES, create_root_archive, create_work_folder, read_blocks, require

pytestmark = pytest.mark.package

FOLDER = ROOT / "infrastructure" / "containers"
GUIDE = ROOT / "docs" / "self-hosting.md"
MAX_OWN_MEGABYTES = 160
MAX_HEALTH_CHECKS = 100

ENGINE = """\
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=10000:10000"]
netns = "host"
"""
STORAGE = '[storage]\ndriver = "overlay"\ngraphroot = "{folder}/images"\nrunroot = "{folder}/run"\n'


class Containers:
    """podman and buildah with a store of their own, and with what they need within another container."""

    def __init__(self, folder: Path) -> None:
        (folder / "containers.conf").write_text(ENGINE)
        (folder / "storage.conf").write_text(STORAGE.format(folder=folder))
        self._pip_configuration = folder / "pip.conf"
        self._pip_configuration.write_text(f"[global]\ncert = {CERTIFICATES}\n")
        self._environment = os.environ | {
            "CONTAINERS_CONF": str(folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
        }

    def run(self, *command: str | Path) -> str:
        """Run a command; return what it printed to stdout. Fails if the command fails."""
        done = subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout.strip()

    def succeeds(self, *command: str) -> bool:
        """Run a command, and say whether it succeeded."""
        return subprocess.run(command, env=self._environment, capture_output=True, check=False).returncode == 0

    def create_base(self, archive: Path, name: str) -> None:
        """Create an image of Debian with Python, which has the name of the one that the internet would have."""
        container = self.run("buildah", "from", "scratch")
        self.run("buildah", "add", "--quiet", container, archive, "/")
        packages = (
            "apt-get update -qq && apt-get install -qq --no-install-recommends python3 python3-venv ca-certificates"
        )
        self.run("buildah", "run", "--isolation", "chroot", container, "sh", "-c", packages)
        self.run("buildah", "commit", "--quiet", "--rm", container, name)

    def build(self, tag: str) -> None:
        """Build the image as the first line of Containerfile says, without fetching another one."""
        # pip may need the certificates of this machine, which don't belong into the image.
        mounts = [f"--volume={CERTIFICATES}:{CERTIFICATES}:ro", f"--volume={self._pip_configuration}:/etc/pip.conf:ro"]
        self.run(
            *("buildah", "build", "--isolation", "chroot", "--pull-never", "--format", "docker", "--quiet", *mounts),
            *("--file", FOLDER / "Containerfile", "--tag", tag, "."),
        )


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    """Return containers among whose images is that of Tackboard."""
    require("mmdebstrap", "buildah", "podman", "runc", "systemd-analyze")
    archive = create_root_archive(tmp_path_factory)
    (base,) = re.findall(r"^ARG BASE=(\S+)$", (FOLDER / "Containerfile").read_text(), re.MULTILINE)
    with create_work_folder() as folder:
        containers = Containers(folder)
        containers.create_base(archive, base)
        containers.build("localhost/tackboard")
        yield containers
        # Nothing of it is mounted or runs any more.
        containers.run("podman", "rm", "--all", "--force")


@pytest.fixture(scope="module")
def service() -> dict[str, Any]:
    """Return what compose.yaml says of the container of Tackboard."""
    content: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
    described: dict[str, Any] = content["services"]["tackboard"]
    return described


def run_docker(containers: Containers, script: str, restrictions: list[str]) -> str:
    """Run lines of the guide with podman in place of Docker, which here neither builds nor creates a container anew."""
    stand_in = f"""
        docker() {{
            test "$1" = compose
            command=$2
            shift 2
            case "$command" in
                exec) test "$1" != -T || shift; podman exec "$@" ;;
                run) podman run {shlex.join(restrictions)} "$@" ;;
                start | stop) podman "$command" "$@" ;;
                build | up) : ;;
                *) false ;;
            esac
        }}
    """
    return containers.run("sh", "-eu", "-c", stand_in + script)


def list_calls(group: str) -> set[str]:
    """Return the calls of the system in a group, as systemd knows it."""
    command = ["systemd-analyze", "syscall-filter", group]
    _, *lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    names = {line.strip() for line in lines if line.strip() and not line.strip().startswith("#")}
    groups = {name for name in names if name.startswith("@")}
    return set().union(names - groups, *map(list_calls, groups))


def write_call_filter(file: Path) -> None:
    """Write a filter for containers that lets through what SystemCallFilter of the unit lets through."""
    unit = (ROOT / "infrastructure" / "systemd" / "tackboard.service").read_text()
    allowed, refused = re.findall("^SystemCallFilter=(.+)$", unit, re.MULTILINE)
    names = list_calls(allowed).difference(*map(list_calls, refused.removeprefix("~").split()))
    rule = {"names": sorted(names), "action": "SCMP_ACT_ALLOW"}
    file.write_text(json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [rule]}))


@pytest.fixture(scope="module")
def restrictions(service: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the options of podman for what compose.yaml says of the container.

    It can make no other calls of the system than the unit of systemd allows.
    """
    call_filter = tmp_path_factory.mktemp("filter") / "calls.json"
    write_call_filter(call_filter)
    return [
        *(["--read-only"] if service["read_only"] else []),
        *(f"--tmpfs={path}" for path in service["tmpfs"]),
        *(f"--cap-drop={name}" for name in service["cap_drop"]),
        *(f"--security-opt={option.replace(':true', '')}" for option in service["security_opt"]),
        *(f"--volume={volume}" for volume in service["volumes"]),
        f"--security-opt=seccomp={call_filter}",
        f"--user={service['user']}",
        f"--pids-limit={service['pids_limit']}",
    ]


@pytest.fixture(scope="module")
def port(containers: Containers, restrictions: list[str]) -> int:
    """Run the container; return the port on this machine that it listens to."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    options = ["--detach", "--name", "tackboard", *restrictions, f"--env=PORT={port}"]
    containers.run("podman", "run", *options, "localhost/tackboard")
    wait_until_healthy(containers)
    return port


def wait_until_healthy(containers: Containers) -> None:
    """Repeat the health check of the image, which takes a moment each time, until it succeeds."""
    for _ in range(MAX_HEALTH_CHECKS):
        if containers.succeeds("podman", "healthcheck", "run", "tackboard"):
            return
    pytest.fail(containers.run("podman", "logs", "tackboard"))


def execute(containers: Containers, *command: str) -> str:
    """Run a command in the container."""
    return containers.run("podman", "exec", "tackboard", *command)


def test_our_own_layers_are_small(containers: Containers) -> None:
    sizes = [
        int(json.loads(containers.run("podman", "image", "inspect", name))[0]["Size"])
        for name in ("localhost/tackboard", "docker.io/library/python:3.13-slim-trixie")
    ]

    assert (sizes[0] - sizes[1]) / 1_000_000 <= MAX_OWN_MEGABYTES


@pytest.mark.usefixtures("port")
def test_the_image_contains_the_wheel_and_no_other_file_of_the_checkout(containers: Containers, tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    with ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        expected = {name for name in wheel.namelist() if name.startswith("tackboard_server/")}
    find = "cd /opt/tackboard/lib/python3*/site-packages && find tackboard_server -type f ! -name '*.pyc'"

    assert set(execute(containers, "sh", "-c", find).splitlines()) == expected


@pytest.mark.usefixtures("port")
def test_outside_its_folder_the_image_adds_a_user_and_nothing_else(containers: Containers) -> None:
    added = {line.split()[1] for line in containers.run("podman", "diff", "localhost/tackboard").splitlines()}

    assert {path for path in added if not path.startswith("/opt/")} <= {
        *("/data", "/etc", "/etc/group", "/etc/passwd", "/opt"),
        *("/etc/pip.conf", "/etc/ssl", "/etc/ssl/certs"),  # where the build of these tests mounts something
    }


@pytest.mark.usefixtures("port")
def test_everything_is_compiled(containers: Containers) -> None:
    count = "cd /opt/tackboard/lib && find . -name '*.py' | wc -l && find . -name '*.pyc' | wc -l"

    sources, compiled = map(int, execute(containers, "sh", "-c", count).split())

    assert sources - compiled <= 5


@pytest.mark.usefixtures("port")
def test_it_runs_without_rights_and_can_write_to_its_volume_only(containers: Containers) -> None:
    lines = execute(containers, "grep", "-E", "^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):", "/proc/1/status").splitlines()
    writable = execute(
        containers, "sh", "-c", "for f in / /opt/tackboard /data /tmp; do test -w $f && echo $f; done; true"
    )
    modes = execute(containers, "stat", "--format", "%a %u", "/data", "/data/tackboard.db")

    assert {name: {*values} for name, *values in (line.split() for line in lines)} == {
        "Uid:": {"10001"},
        "CapEff:": {"0" * 16},
        "CapBnd:": {"0" * 16},
        "NoNewPrivs:": {"1"},
        "Seccomp:": {"2"},  # with a filter
    }
    assert writable.split() == ["/data", "/tmp"]  # noqa: S108 - the tmpfs of the container.
    assert modes.splitlines() == ["700 10001", "600 10001"]


def test_it_is_ready(port: int) -> None:
    with urlopen(f"http://127.0.0.1:{port}/v1/ready", timeout=10) as response:
        assert json.load(response) == {"status": "ready"}


@pytest.mark.usefixtures("port")
def test_the_owner_signs_in_and_backs_up_by_commands_and_the_log_has_no_token(containers: Containers) -> None:
    link = execute(containers, "tackboard", "sign-in")
    execute(containers, "tackboard", "backup")

    log = containers.run("podman", "logs", "tackboard")

    assert "#sign-in=" in link
    assert execute(containers, "ls", "backups").startswith("tackboard-20")
    assert "`tackboard sign-in` prints a link" in log
    assert not re.search(r"tkb_\w|sign-in=", log)


@pytest.mark.usefixtures("port")
def test_the_guide_restores_a_backup(containers: Containers, restrictions: list[str]) -> None:
    digest = execute(containers, "tackboard", "digest")
    nightly_lines = re.findall(r"^\d+ \d+ \* \* \* root cd \S+ && (docker .+)$", GUIDE.read_text(), re.MULTILINE)
    restore, upgrade = read_blocks(GUIDE.name, "Restore in the containers", "Upgrade the containers")

    run_docker(containers, "\n".join(nightly_lines), restrictions)
    execute(containers, "tackboard", "token")
    digest_now = execute(containers, "tackboard", "digest")
    restored = run_docker(containers, restore, restrictions)
    run_docker(containers, upgrade, restrictions)
    wait_until_healthy(containers)

    assert len(nightly_lines) == 2
    assert digest in restored.split()
    assert execute(containers, "tackboard", "digest") == digest != digest_now


@pytest.mark.usefixtures("port")
def test_it_stops_within_ten_seconds(containers: Containers) -> None:
    # After ten seconds podman kills it, and the status is another one.
    containers.run("podman", "stop", "--time", "10", "tackboard")

    (state,) = json.loads(containers.run("podman", "container", "inspect", "tackboard"))
    assert state["State"]["ExitCode"] == 0
    assert containers.run("podman", "logs", "--tail", "1", "tackboard") == "Stopped."
