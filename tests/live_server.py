"""Tackboard as a user runs it: in a process of its own, on a real socket, with a store in a temporary folder."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[1]
_ADDRESS_PATTERN = re.compile(r"http://\S+")
_REQUEST_LINE = re.compile(r'\{"time":"[^"]*","level":"INFO","message":"request",')


class LiveServer:
    """A server on a free port, in a process of its own, at a terminal; use it as a context, or call `stop`.

    `url` ends in a slash, `store_url` is the store's URL; `token` is the owner's, or None when the store had an owner
    already.
    """

    def __init__(
        self, folder: Path, command: Sequence[str] = (sys.executable, "-m", "cli", "run"), **environment: str
    ) -> None:
        self._errors = folder / "stderr.txt"
        self.store_url = f"sqlite:///{folder}/tackboard.db"
        terminal, end_of_server = os.openpty()
        self._output = open(terminal, encoding="utf-8")  # noqa: PTH123, SIM115 - a descriptor; `wait` closes it.
        with self._errors.open("w") as errors, open(end_of_server, "wb") as stdout:  # noqa: PTH123 - a descriptor.
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={
                    **os.environ,
                    "HOST": "127.0.0.1",
                    "PORT": "0",
                    "STORE_URL": self.store_url,
                    "OPEN_SIGNUP": "1",
                    "JOINING": "direct",
                    "RATE_LIMIT": "0",
                    "LOG_FORMAT": "json",
                    "SLOW_REQUEST_MS": "0",
                    **environment,
                },
                stdout=stdout,
                stderr=errors,
            )
        self.greeting = self._read_greeting()
        match = _ADDRESS_PATTERN.search(self.greeting)
        assert match, f"The server did not start: {self._errors.read_text()}"
        self.url, _, fragment = match[0].partition("#")
        self.token = fragment.removeprefix("token=") or None

    @property
    def host_and_port(self) -> tuple[str, int]:
        """The host and port to connect to."""
        address = urlsplit(self.url)
        assert address.hostname
        assert address.port
        return address.hostname, address.port

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def errors(self) -> str:
        """The output on stderr without the lines about requests that succeeded."""
        lines = self._errors.read_text().splitlines(keepends=True)
        return "".join(line for line in lines if not _REQUEST_LINE.match(line))

    def describe_errors(self) -> str:
        """Return the output on stderr from the first line that `errors` has on, with the requests that follow it."""
        lines = self._errors.read_text().splitlines(keepends=True)
        first = next((number for number, line in enumerate(lines) if not _REQUEST_LINE.match(line)), len(lines))
        return "".join(lines[first : first + 5])

    @property
    def log(self) -> list[dict[str, Any]]:
        """The log lines about requests."""
        return [json.loads(line) for line in self._errors.read_text().splitlines() if '"message":"request"' in line]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        self._process.send_signal(number)

    def wait(self) -> tuple[int, str]:
        """Wait for the end; return the exit status and what was printed after the greeting.

        Raises TimeoutExpired after half a minute.
        """
        status = self._process.wait(timeout=30)
        if not self._output.closed:
            self._farewell = "".join(self._read_lines())
            self._output.close()
        return status, self._farewell

    def stop(self) -> tuple[int, str]:
        """Stop the server if it still runs; return the exit status and what was printed after the greeting."""
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
        """Read every line up to the one that says how to stop the server, fewer if it ends before."""
        lines = []
        for line in self._read_lines():
            lines.append(line)
            if "Ctrl-C" in line:
                break
        return "".join(lines)

    def _read_lines(self) -> Iterator[str]:
        """Read the lines that the server prints. Linux reports the end of a terminal's other side as an error."""
        with suppress(OSError):
            for line in self._output:  # noqa: UP028 - `yield from` would close the output with the generator.
                yield line
