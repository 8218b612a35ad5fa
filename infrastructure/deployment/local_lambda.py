"""Run the package on this machine as Lambda does, behind a copy of an HTTP API and CloudFront (`make lambda`).

AWS's own runtime client runs the unpacked package in a process of its own, without the rest of the project, and fetches
events from the Runtime API of this module. Paths that are not below /v1 are served from the files of the site.
STORE_URL names a table; without it, a table in memory is used, which is lost when the program ends.
"""

import base64
import json
import os
import platform
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from infrastructure.deployment import site_files
from infrastructure.deployment.package_build import ROOT, DeploymentFailed, build_package, local_build_environment

DEFAULT_PORT = "3000"
"""The port, unless PORT in the environment names another one."""

_MAX_PORT = 65_535

HANDLER = "lambda_wsgi_handler.handler"

_INVOKE_PATH = "/2015-03-31/functions/api/invocations"
_TIMEOUT_SECONDS = 29.0
_FUNCTION_NAME = "tackboard-local-api"
_TEXT_MEDIA_TYPES = ("application/json", "application/javascript", "application/xml", "text/")
"""Media types of bodies that an HTTP API sends as text. All others are sent in base64."""


class Invocation:
    """An event on its way to the function, and the response to it."""

    def __init__(self, event: Mapping[str, Any]) -> None:
        self.id = str(uuid.uuid4())
        self.event = event
        self.deadline = time.time() + _TIMEOUT_SECONDS
        self.response: bytes | None = None
        self.done = threading.Event()


class RuntimeApi:
    """Lambda's Runtime API: the function fetches events and posts responses."""

    def __init__(self) -> None:
        self.pending: queue.Queue[Invocation] = queue.Queue()
        self.started: dict[str, Invocation] = {}

    def invoke(self, event: Mapping[str, Any]) -> dict[str, Any] | None:
        """Send an event to the function. Return its response, or None if it raised or took too long."""
        invocation = Invocation(event)
        self.pending.put(invocation)
        invocation.done.wait(_TIMEOUT_SECONDS)
        if invocation.response is None:
            return None
        answer: dict[str, Any] = json.loads(invocation.response)
        return answer


def create_runtime_handler(runtime: RuntimeApi) -> type[BaseHTTPRequestHandler]:
    """Create the HTTP handler of the Runtime API."""

    class Handler(_QuietHandler):
        def do_GET(self) -> None:
            if not self.path.endswith("/invocation/next"):
                self.send(404, {}, b"")
                return
            invocation = runtime.pending.get()
            runtime.started[invocation.id] = invocation
            headers = {
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": invocation.id,
                "Lambda-Runtime-Deadline-Ms": str(int(invocation.deadline * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": (
                    f"arn:aws:lambda:eu-central-1:123456789012:function:{_FUNCTION_NAME}"
                ),
                "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=1",
            }
            self.send(200, headers, json.dumps(invocation.event).encode())

        def do_POST(self) -> None:
            body = self.read_body()
            *_, invocation_id, outcome = self.path.split("/")
            invocation = runtime.started.pop(invocation_id, None)
            if invocation is None:
                # The function could not even start.
                print(body.decode(errors="replace"), file=sys.stderr)
            else:
                invocation.response = body if outcome == "response" else None
                invocation.done.set()
            self.send(202, {}, b"")

    return Handler


def create_api_handler(runtime: RuntimeApi) -> type[BaseHTTPRequestHandler]:
    """Create the HTTP handler of the API and the site."""
    files = site_files.collect_files()

    class Handler(_QuietHandler):
        def answer(self) -> None:
            path = self.path.partition("?")[0]
            if path == _INVOKE_PATH and self.command == "POST":
                self.invoke()
                return
            if not path.startswith("/v1/"):
                page = files.get(path.removeprefix("/") or "index.html")
                if page is None:
                    self.send(404, {"content-type": "text/plain"}, b"")
                else:
                    headers = {"content-type": page.content_type, "content-security-policy": page.policy}
                    self.send(200, headers, page.body)
                return
            answer = runtime.invoke(build_event(self.command, self.path, self.headers.items(), self.read_body()))
            if answer is None:
                failure = b'{"message":"Internal Server Error"}'
                self.send(500, {"content-type": "application/json"}, failure)
                return
            body = answer.get("body") or ""
            content = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
            cookies = [("set-cookie", cookie) for cookie in answer.get("cookies", [])]
            self.send(answer["statusCode"], answer.get("headers", {}), content, cookies)

        def invoke(self) -> None:
            """Send an event to the function, as the API of Lambda does (`make invoke`)."""
            response = runtime.invoke(json.loads(self.read_body()))
            failed = {} if response is not None else {"X-Amz-Function-Error": "Unhandled"}
            self.send(200, {"content-type": "application/json", **failed}, json.dumps(response).encode())

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    return Handler


def build_event(method: str, target: str, headers: Any, body: bytes) -> dict[str, Any]:
    """Build the event that an HTTP API (payload 2.0) makes of a request."""
    path, _, query = target.partition("?")
    lower_case_headers: dict[str, str] = {}
    cookies: list[str] = []
    for name, value in headers:
        if name.lower() == "cookie":
            cookies += value.split("; ")
        else:
            lower_case_headers[name.lower()] = (
                f"{lower_case_headers[name.lower()]},{value}" if name.lower() in lower_case_headers else value
            )
    now = time.time()
    lower_case_headers |= {
        "x-forwarded-proto": "http",
        "x-amzn-trace-id": f"Root=1-{int(now):08x}-{uuid.uuid4().hex[:24]}",
    }
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": unquote(path),
        "rawQueryString": query,
        "headers": lower_case_headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": lower_case_headers.get("host", "localhost"),
            "domainPrefix": "local",
            "http": {
                "method": method,
                "path": unquote(path),
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": lower_case_headers.get("user-agent", ""),
            },
            "requestId": uuid.uuid4().hex[:15],
            "routeKey": "$default",
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if body:
        as_text = lower_case_headers.get("content-type", "").startswith(_TEXT_MEDIA_TYPES)
        event["body"] = body.decode("utf-8", "replace") if as_text else base64.b64encode(body).decode()
        event["isBase64Encoded"] = not as_text
    return event


class _QuietHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Log nothing: the function writes its own line."""

    def read_body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def send(
        self, status: int, headers: Mapping[str, str], body: bytes, extra_headers: list[tuple[str, str]] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in [*headers.items(), *(extra_headers or [])]:
            if name.lower() != "content-length":
                self.send_header(name, value)
        if status not in (204, 304):
            # The response to HEAD has no body, so only the function knows the length.
            content_length = headers.get("content-length") if self.command == "HEAD" else None
            self.send_header("Content-Length", content_length or str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(body)


@contextmanager
def serve(handler: type[BaseHTTPRequestHandler], port: int) -> Iterator[int]:
    """Serve on loopback, and yield the port. Port 0 chooses a free one."""
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def run_function(code: Path, store_url: str, runtime_port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the function with AWS's runtime client, in an environment like Lambda's."""
    environment = {
        "PATH": os.defpath,
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": str(code),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{runtime_port}",
        "AWS_LAMBDA_FUNCTION_NAME": _FUNCTION_NAME,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "INFO",
        "AWS_REGION": os.environ.get("AWS_REGION", "eu-central-1"),
        "AWS_ACCESS_KEY_ID": os.environ.get("AWS_ACCESS_KEY_ID", "local"),
        "AWS_SECRET_ACCESS_KEY": os.environ.get("AWS_SECRET_ACCESS_KEY", "local"),
        "AWS_SESSION_TOKEN": os.environ.get("AWS_SESSION_TOKEN", ""),
        "LAMBDA_TASK_ROOT": str(code),
        "STAGE": "local",
        "STORE_URL": store_url,
        "OPEN_SIGNUP": "1",
        "_HANDLER": HANDLER,
    }
    program = ROOT / ".venv-deploy" / "bin" / "python"
    command = [str(program), "-m", "awslambdaric", HANDLER]
    # In a session of its own: Ctrl-C ends this program, and this program ends the function.
    with subprocess.Popen(command, cwd=code, env=environment, start_new_session=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def open_table() -> Iterator[str]:
    """Yield the URL of a store: STORE_URL, or a table in memory."""
    if named := os.environ.get("STORE_URL"):
        yield named
        return
    machine = platform.machine().lower()
    kind = f"{sys.platform}-{ {'x86_64': 'x64', 'aarch64': 'arm64'}.get(machine, machine) }"
    program = os.environ.get("DYNOXIDE") or str(ROOT / "node_modules" / "@dynoxide" / kind / "dynoxide")
    if not shutil.which(program):
        raise DeploymentFailed("There is no DynamoDB here: name a table in STORE_URL, or dynoxide in DYNOXIDE.")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    silent = subprocess.DEVNULL
    command = [program, "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=silent, stderr=silent, start_new_session=True) as process:
        try:
            while process.poll() is None and not _is_listening(port):
                time.sleep(0.05)
            yield f"dynamodb://tackboard?endpoint=http://127.0.0.1:{port}"
        finally:
            process.terminate()


@contextmanager
def run_package(package: Path, store_url: str, port: int) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a package, and yield its address and its process."""
    runtime = RuntimeApi()
    with tempfile.TemporaryDirectory() as scratch:
        with zipfile.ZipFile(package) as archive:
            archive.extractall(scratch)
        with (
            serve(create_runtime_handler(runtime), 0) as runtime_port,
            run_function(Path(scratch), store_url, runtime_port) as process,
            serve(create_api_handler(runtime), port) as chosen,
        ):
            yield f"http://127.0.0.1:{chosen}", process


def parse_free_port(text: str) -> int:
    """Return the port that a text names. Raises DeploymentFailed if it is invalid or taken."""
    port = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_PORT)) else -1
    if not 0 <= port <= _MAX_PORT:
        raise DeploymentFailed(f"PORT must be a number from 0 to {_MAX_PORT}, not {text[:20]!r}.")
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        raise DeploymentFailed(f"Port {text} is taken, or not allowed: make lambda PORT=3001 takes another.") from error
    return port


_CREATE_STORE_SCRIPT = """
import os, sys, stores
try:
    stores.open_store(os.environ["STORE_URL"]).close()
except stores.StoreOpenError as error:
    sys.exit(str(error))
"""


def create_sign_in_path(store_url: str) -> str:
    """Create a token of the owner, and the table if it is missing. Return the path that signs the owner in."""
    # The command `token` needs an existing table: in AWS the deployment creates it.
    _run_python(["-c", _CREATE_STORE_SCRIPT], store_url)
    return f"/#token={_run_python(['-m', 'cli', 'token'], store_url)}"


def _run_python(arguments: list[str], store_url: str) -> str:
    """Run Python and return its output. Raises DeploymentFailed with its error."""
    command = [sys.executable, *arguments]
    environment = {**os.environ, "STORE_URL": store_url}
    process = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if process.returncode:
        raise DeploymentFailed(process.stderr.strip())
    return process.stdout.strip()


def main() -> int:
    """Build the package and run it until Ctrl-C. Return the exit status."""
    # A closed terminal ends it as Ctrl-C does: no function and no table may be left running.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        port = parse_free_port(os.environ.get("PORT", DEFAULT_PORT))
        with tempfile.TemporaryDirectory() as scratch, open_table() as store_url:
            package = build_package("dev", Path(scratch), local_build_environment())
            # Whoever names a table already has a token of its owner.
            path = "/" if "STORE_URL" in os.environ else create_sign_in_path(store_url)
            with run_package(package.zip, store_url, port) as (address, process):
                print(f"The API is at {address}/v1/, the site is at {address}{path}", flush=True)
                print("Ctrl-C stops it.", flush=True)
                return process.wait()
    except DeploymentFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
