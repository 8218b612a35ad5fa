"""Real nginx and Caddy, set up as docs/reverse-proxy.md says: with TLS, each a process with a folder of its own."""

import os
import re
import shutil
import socket
import subprocess
import threading
from grp import getgrgid
from pathlib import Path
from pwd import getpwuid
from types import TracebackType
from typing import Self

import pytest

from tests.live_server import ROOT

_GUIDE_FILE = ROOT / "docs" / "reverse-proxy.md"
_SYSTEM_PROGRAMS = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])

_NGINX_CONFIGURATION = """\
daemon off;
user {user};
pid {folder}/nginx.pid;
error_log stderr notice;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
client_body_temp_path {folder}/body;
proxy_temp_path {folder}/proxy;
fastcgi_temp_path {folder}/fastcgi;
uwsgi_temp_path {folder}/uwsgi;
scgi_temp_path {folder}/scgi;
{configuration}
}}
"""

_CADDY_CONFIGURATION = """\
{{
	admin off
	auto_https off
	storage file_system {folder}/storage
}}
{configuration}
"""


class Proxy:
    """A proxy before a server; use it as a context.

    `url` is the address of its root, and ends in a slash. `log` is where it writes about requests, `certificate` what
    it shows, by which a client can trust it.
    """

    def __init__(self, folder: Path, port: int, command: list[str], ready: str) -> None:
        """`ready` is what it says on stderr once it listens."""
        self.url = f"https://localhost:{port}/"
        self.port = port
        self.log = folder / "tackboard.log"
        self.certificate = folder / "certificate.pem"
        self._ready = threading.Event()
        self._log_lines: list[str] = []
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self._reader = threading.Thread(target=self._listen_for, args=[ready], daemon=True)
        self._reader.start()

    def _listen_for(self, ready: str) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self._log_lines.append(line)
            if ready in line:
                self._ready.set()
        self._ready.set()

    def __enter__(self) -> Self:
        listens = self._ready.wait(timeout=60)
        assert listens, "".join(self._log_lines)
        assert self._process.poll() is None, "".join(self._log_lines)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)
        self._reader.join(timeout=30)
        if self._process.stderr:
            self._process.stderr.close()


def start_nginx(folder: Path, server: tuple[str, int]) -> Proxy:
    """Start nginx before a server, at / and at /kanban/."""
    site, below = _read_code_blocks("nginx")
    port = free_port()
    certificate, key = _create_certificate(folder)
    site = _replace_addresses(
        site,
        ("127.0.0.1:8080", "{}:{}".format(*server)),
        ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
        ("listen 443 ssl http2;", f"listen 127.0.0.1:{port} ssl http2;"),
        ("/etc/letsencrypt/live/tackboard.example/fullchain.pem", str(certificate)),
        ("/etc/letsencrypt/live/tackboard.example/privkey.pem", str(key)),
        ("/var/log/nginx/", f"{folder}/"),
    )
    configuration = f"{site.rstrip().removesuffix('}')}{below}}}"
    # Whoever has root started gives its work to somebody who may not write into the folder of a test.
    me = getpwuid(os.geteuid())
    user = f"{me.pw_name} {getgrgid(me.pw_gid).gr_name}"
    written = folder / "nginx.conf"
    written.write_text(_NGINX_CONFIGURATION.format(user=user, folder=folder, configuration=configuration))
    command = [find_program("nginx"), "-p", str(folder), "-e", "stderr", "-c", str(written)]
    return Proxy(folder, port, command, ready="start worker process ")


def start_caddy(folder: Path, server: tuple[str, int]) -> Proxy:
    """Start Caddy before a server, at / and at /kanban/."""
    site, below = _read_code_blocks("caddyfile")
    port = free_port()
    certificate, key = _create_certificate(folder)
    upstream = ("127.0.0.1:8080", "{}:{}".format(*server))
    site = _replace_addresses(
        site,
        upstream,
        ("tackboard.example {", f"https://localhost:{port} {{\n\ttls {certificate} {key}"),
        ("/var/log/caddy/", f"{folder}/"),
    )
    configuration = f"{site.rstrip().removesuffix('}')}{_replace_addresses(below, upstream)}}}"
    written = folder / "Caddyfile"
    written.write_text(_CADDY_CONFIGURATION.format(folder=folder, configuration=configuration))
    command = [find_program("caddy"), "run", "--config", str(written), "--adapter", "caddyfile"]
    return Proxy(folder, port, command, ready="serving initial configuration")


PROXIES = {"nginx": start_nginx, "caddy": start_caddy}


def _read_code_blocks(language: str) -> list[str]:
    """Return the code blocks of that language in the guide, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", _GUIDE_FILE.read_text(), re.DOTALL | re.MULTILINE)


def _replace_addresses(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in text, f"docs/reverse-proxy.md has no {old!r} any more."
        text = text.replace(old, new)
    return text


def find_program(name: str) -> str:
    """Return the path of a program that the environment names or the system has. Fails the test if there is none."""
    program = os.environ.get(name.upper()) or shutil.which(name, path=_SYSTEM_PROGRAMS)
    if not program:
        pytest.fail(f"There is no {name}: install it, or name it with {name.upper()}=/path/to/{name}.", pytrace=False)
    return program


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def _create_certificate(folder: Path) -> tuple[Path, Path]:
    """Create a certificate for localhost and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    subprocess.run(
        [find_program("openssl"), "req", "-x509", *curve, *name, "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    return certificate, key
