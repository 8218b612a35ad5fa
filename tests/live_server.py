"""Tackboard as a person runs it: a process of its own, a real socket, a store in a folder that goes away."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[1]
_ADDRESS_PATTERN = re.compile(r"http://\S+")
_REQUEST_LINE = re.compile(r'\{"time":"[^"]*","level":"INFO","message":"request",')


class LiveServer:
    """A server on a free port, in a process of its own; use it as a context, or call `stop`.

    `url` ends in a slash, `store_url` is the store's URL; `token` is the owner's, or None when the store had an owner
    already.
    """

    def __init__(
        self, folder: Path, command: Sequence[str] = (sys.executable, "-m", "cli", "run"), **environment: str
    ) -> None:
        self._errors = folder / "stderr.txt"
        self.store_url = f"sqlite:///{folder}/tackboard.db"
        with self._errors.open("w") as errors:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={
                    **os.environ,
                    "HOST": "127.0.0.1",
                    "PORT": "0",
                    "STORE_URL": self.store_url,
                    "OPEN_SIGNUP": "1",
                    "RATE_LIMIT": "0",
                    "LOG_FORMAT": "json",
                    **environment,
                },
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.greeting = self._read_greeting()
        found = _ADDRESS_PATTERN.search(self.greeting)
        assert found, f"The server did not start: {self._errors.read_text()}"
        self.url, _, fragment = found[0].partition("#")
        self.token = fragment.removeprefix("token=") or None

    @property
    def host_and_port(self) -> tuple[str, int]:
        """Where to connect to."""
        address = urlsplit(self.url)
        assert address.hostname
        assert address.port
        return address.hostname, address.port

    @property
    def errors(self) -> str:
        """What it has said on stderr, but for lines about requests that went well."""
        said = self._errors.read_text().splitlines(keepends=True)
        return "".join(line for line in said if not _REQUEST_LINE.match(line))

    @property
    def log(self) -> list[dict[str, Any]]:
        """The lines about requests."""
        return [json.loads(line) for line in self._errors.read_text().splitlines() if '"message":"request"' in line]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        self._process.send_signal(number)

    def wait(self) -> tuple[int, str]:
        """The exit status, and what was printed after the greeting; raises TimeoutExpired after half a minute."""
        farewell, _ = self._process.communicate(timeout=30)
        return self._process.returncode, farewell

    def stop(self) -> tuple[int, str]:
        """End it, if it still runs; the exit status, and what was printed after the greeting."""
        if self._process.poll() is None:
            self._process.terminate()
        return self.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()

    def _read_greeting(self) -> str:
        """Every line up to the one that tells how to stop it; fewer when it ends before."""
        assert self._process.stdout
        lines = []
        for line in self._process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        return "".join(lines)
