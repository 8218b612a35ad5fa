"""A machine with an empty Debian: a folder with its files, and a process whose network only this machine has."""

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

import pytest

from tests.live_server import ROOT

RELEASE = "trixie"

_NEEDED_BYTES = 3_000_000_000
_STAND_INS = ("systemctl", "journalctl")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
"""The authorities that this machine trusts, by which pip may have to know the package registry."""

_COPIED_CERTIFICATES = Path("/etc/certificates-of-the-registry.crt")


def require(*programs: str, as_root: bool = True) -> None:
    """Skip the test if it can't run here. What `make test` can install must be there in CI."""
    search_path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])
    missing = [program for program in programs if not shutil.which(program, path=search_path)]
    if missing:
        reason = f"{', '.join(missing)} not installed: make test installs what it can on Debian."
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    if as_root and os.geteuid():
        pytest.skip("Only root can create a machine or an image here.")
    if as_root and subprocess.run(["unshare", "--mount", "--pid", "--net", "--fork", "true"], check=False).returncode:
        pytest.skip("A machine or an image needs namespaces of its own, and this machine permits none.")


@contextmanager
def create_work_folder() -> Iterator[Path]:
    """Create a folder for many small files, and remove it at the end: in memory, if there is room."""
    memory = Path("/dev/shm")  # noqa: S108 - the name of the folder in it is random.
    has_room = memory.is_dir() and shutil.disk_usage(memory).free > _NEEDED_BYTES
    with TemporaryDirectory(
        prefix="tackboard-", dir=memory if has_room else None, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


def create_root_archive(folders: pytest.TempPathFactory) -> Path:
    """Return an archive of the smallest Debian; of several test processes one makes it."""
    folder = folders.getbasetemp()
    # The processes of pytest-xdist have folders in one that they share.
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    archive = folder / f"{RELEASE}.tar"
    with (folder / "root.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not archive.exists():
            part = folder / f"{RELEASE}.part.tar"
            with create_work_folder() as work_folder:
                subprocess.run(
                    ["mmdebstrap", "--quiet", "--variant=minbase", RELEASE, str(part)],
                    env=os.environ | {"TMPDIR": str(work_folder)},
                    check=True,
                )
            part.rename(archive)
    return archive


def read_blocks(page: str, *headings: str) -> list[str]:
    """Return the shell blocks of a page of the documentation below each of these headings, in this order."""
    text = (ROOT / "docs" / page).read_text()
    blocks = []
    for heading in headings:
        section = re.search(
            rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ (?! )[^\n]*\n|\Z)", _mask_blocks(text), re.MULTILINE | re.DOTALL
        )
        assert section, heading
        matches = re.findall(r"^```sh\n(.*?)^```$", text[section.start() : section.end()], re.MULTILINE | re.DOTALL)
        assert matches, heading
        blocks += matches
    return blocks


def _mask_blocks(text: str) -> str:
    """Blank out code, whose comments would look like headings."""
    return re.sub(r"^```.*?^```$", lambda match: re.sub(r"[^\n]", " ", match[0]), text, flags=re.MULTILINE | re.DOTALL)


class Machine:
    """A machine; use it as a context. All its processes end with it."""

    def __init__(self, archive: Path, folder: Path) -> None:
        """Unpack the files into a new folder."""
        self.root = folder / "root"
        self.root.mkdir()
        subprocess.run(["tar", "--extract", "--file", str(archive), "--directory", str(self.root)], check=True)
        for source, target in (
            (Path("/etc/resolv.conf"), "/etc/resolv.conf"),
            (Path("/etc/hosts"), "/etc/hosts"),
            (CERTIFICATES, _COPIED_CERTIFICATES),
        ):
            copy = self.root / Path(target).relative_to("/")
            copy.unlink(missing_ok=True)
            shutil.copy(source, copy)
        stand_in = (Path(__file__).parent / "systemd_stand_in.py").read_text()
        for name in _STAND_INS:
            program = self.root / "usr" / "local" / "sbin" / name
            program.write_text(f"#!/usr/bin/python3\n{stand_in}")
            program.chmod(0o755)

    def __enter__(self) -> Self:
        start = (
            f'mount -t proc proc "{self.root}/proc" && mount --rbind /dev "{self.root}/dev"'
            f' && mount -t tmpfs tmpfs "{self.root}/run" && ip link set lo up && echo ready && exec sleep infinity'
        )
        self._first_process = subprocess.Popen(
            ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", start],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._first_process.stdout
        assert self._first_process.stdout.readline() == "ready\n"
        children = Path(f"/proc/{self._first_process.pid}/task/{self._first_process.pid}/children").read_text()
        self._process_id = children.split()[0]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._first_process.kill()
        self._first_process.communicate(timeout=30)

    def run(self, script: str, *, in_its_network: bool = False) -> str:
        """Run a shell script as root, in root's home folder; return its output. Fails if a command fails.

        It uses the network of this machine, where the package registries are, or the machine's own.
        """
        enter = ["nsenter", "--target", self._process_id, "--mount", "--pid", *(["--net"] if in_its_network else [])]
        done = subprocess.run(
            [*enter, "chroot", str(self.root), "sh", "-eux", "-c", f"cd /root\n{script}"],
            env={
                "PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME": "/root",
                "DEBIAN_FRONTEND": "noninteractive",
                "PIP_CERT": str(_COPIED_CERTIFICATES),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
