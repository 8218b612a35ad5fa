"""The very file that is deployed: the same bytes each time, small, and enough by itself to answer requests."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import files
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from aws.reader_function import SWEEP_EVENT
from infrastructure.deployment.finish_package import MEGABYTE, PackageRejected, finish_package
from infrastructure.deployment.package_build import ROOT, Package, build_package, local_build_environment
from tests.aws.test_hostile_events import REFUSED
from tests.aws.test_reader_function import build_queue_event, build_stream_event
from tests.contract.aws_events import Event, http_api_event, load_balancer_event, rest_api_event
from tests.oidc.signing import build_claims, build_key_set, sign
from tools.bill_of_materials import read_lambda

ELF = b"\x7fELF" + bytes(14)
ARM64, X86_64 = ELF + b"\xb7\x00", ELF + b"\x3e\x00"

SETTINGS = {
    "AWS_REGION": "eu-central-1",
    "OPEN_SIGNUP": "1",
    "STRIP_STAGE_PATH": "yes",
    "WAKE_UP_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/tackboard-dev-readers",
}

RUN = """
import json, sys, time
sys.path[:0] = [sys.argv[1], sys.argv[2]]
began = time.process_time()
from importlib import import_module
handler = import_module(sys.argv[3]).handler
for line in sys.stdin:
    given = json.loads(line)
    try:
        answer = handler(given, None)
    except PermissionError as refused:
        answer = {"refused": str(refused)}
    sys.stderr.write(json.dumps(answer) + "\\n")
    sys.stderr.flush()
"""


def unpacked(package: Package, folder: Path) -> Path:
    with zipfile.ZipFile(package.zip) as archive:
        archive.extractall(folder)
    return folder


@contextmanager
def running(
    code: Path, runtime: Path, address: str, module: str = "lambda_wsgi_handler"
) -> Iterator[Callable[[Event], dict[str, Any]]]:
    """Run a Python that finds only the package, Lambda's SDK and its own library."""
    table = f"dynamodb://tackboard-{uuid4().hex}?endpoint={address}"
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-W", "error", "-c", RUN, str(code), str(runtime), module],
        cwd=code,
        env={"STORE_URL": table, "PYTHONDONTWRITEBYTECODE": "1", **SETTINGS},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )

    def ask(event: Event) -> dict[str, Any]:
        assert process.stdin
        assert process.stderr
        process.stdin.write(json.dumps(event) + "\n")
        process.stdin.flush()
        output = ""
        # What the function logs comes first.
        while not (line := process.stderr.readline()).startswith("{"):
            assert line, output
            output += line
        answer: dict[str, Any] = json.loads(line)
        return answer

    with process:
        try:
            yield ask
        finally:
            assert process.stdin
            process.stdin.close()
        assert process.wait(10) == 0


def test_the_package_answers_events_without_any_other_installed_package(
    own_package: Package, runtime: Path, dynoxide: str, tmp_path: Path
) -> None:
    with running(unpacked(own_package, tmp_path), runtime, dynoxide) as ask:

        def send(shape: Any, method: str, target: str, body: object = None, **headers: str) -> dict[str, Any]:
            sent = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
            return ask(shape(method, target, json.dumps(body) if body is not None else None, sent))

        token = json.loads(send(http_api_event, "POST", "/v1/users", {"name": "Mina"})["body"])["token"]
        bearer = {"Authorization": f"Bearer {token}"}
        made = send(http_api_event, "POST", "/v1/boards", {"name": "Découpage"}, **bearer)
        board = json.loads(made["body"])
        card = send(rest_api_event, "POST", f"/v1/boards/{board['id']}/cards", {"title": "One"}, **bearer)
        page = send(load_balancer_event, "GET", f"/v1/boards/{board['id']}/cards", **bearer)

        assert made["statusCode"] == 201
        assert board["name"] == "Découpage"
        assert card["statusCode"] == 201
        assert [card["title"] for card in json.loads(page["body"])["items"]] == ["One"]
        assert send(http_api_event, "GET", "/v1/ready")["statusCode"] == 200
        assert send(http_api_event, "GET", "/v1/boards")["statusCode"] == 401
        assert send(http_api_event, "GET", "/problems/busy")["statusCode"] in {200, 404}
        assert "Commands" in ask({"_serverless-wsgi": {"command": "exec", "data": "1"}})["refused"]


def test_the_package_runs_readers_without_any_other_installed_package(
    own_package: Package, runtime: Path, dynoxide: str, tmp_path: Path
) -> None:
    with running(unpacked(own_package, tmp_path), runtime, dynoxide, "lambda_reader_handler") as send:
        assert send(build_stream_event("brd_01m7wjyxw0g21k7me9wgs7f9wj")) == {}
        message = json.dumps({"board_id": "brd_01m7wjyxw0g21k7me9wgs7f9wj", "reader": "webhook:whk_1"})
        assert send(build_queue_event(message)) == {"batchItemFailures": []}
        assert send(SWEEP_EVENT) == {"readers": 0, "jobs": 0, "boards": 0}


CHECK_SIGNATURE = """
import json, sys
sys.path[:0] = [sys.argv[1]]
from oidc.key_sets import parse_key_set
from oidc.signed_tokens import parse_token, verify_token
keys = parse_key_set(json.loads(sys.argv[2]))
for text in sys.argv[3:]:
    token = parse_token(text)
    (key,) = [key for key in keys if key.algorithm == token.algorithm]
    print(verify_token(token, key)["sub"])
"""


def test_the_package_checks_signatures_without_any_other_installed_package(
    own_package: Package, tmp_path: Path
) -> None:
    tokens = [sign(algorithm=algorithm) for algorithm in ("RS256", "ES256", "EdDSA")]
    command = [sys.executable, "-I", "-S", "-W", "error", "-c", CHECK_SIGNATURE]
    arguments = [str(unpacked(own_package, tmp_path)), json.dumps(build_key_set()), *tokens]

    output = subprocess.run([*command, *arguments], check=True, capture_output=True, text=True).stdout

    assert output.split() == [build_claims()["sub"]] * 3


def test_the_package_rejects_hostile_events_and_keeps_running(
    own_package: Package, runtime: Path, dynoxide: str, tmp_path: Path
) -> None:
    with running(unpacked(own_package, tmp_path), runtime, dynoxide) as ask:
        answers = {name: ask(event) for name, event in REFUSED.items()}
        broken = ask({**http_api_event("POST", "/v1/users", "x"), "body": "e30=e30=", "isBase64Encoded": True})

        assert [name for name, answer in answers.items() if "refused" not in answer] == []
        assert broken["statusCode"] == 400
        assert ask(http_api_event("GET", "/v1/health"))["statusCode"] == 200


def test_two_builds_have_the_same_bytes(own_package: Package, tmp_path: Path) -> None:
    again = build_package("dev", tmp_path, local_build_environment())

    assert hashlib.sha256(again.zip.read_bytes()).digest() == hashlib.sha256(own_package.zip.read_bytes()).digest()


def test_the_package_for_lambda_is_small_and_all_of_its_native_code_is_arm64(prod_package: Package) -> None:
    # 8 without cryptography, which checks signatures when users sign in with a provider.
    assert prod_package.zip.stat().st_size <= 14 * MEGABYTE
    with zipfile.ZipFile(prod_package.zip) as archive:
        native = [name for name in archive.namelist() if name.endswith(".so")]
        machines = {archive.read(name)[18] for name in native}

    assert native
    assert machines == {183}


def test_the_package_has_no_tests_tools_data_or_other_engines(prod_package: Package) -> None:
    with zipfile.ZipFile(prod_package.zip) as archive:
        names = archive.namelist()

    assert names == sorted(names)
    roots = {name.partition("/")[0].partition(".")[0] for name in names}
    assert not roots & {"tests", "tools", "sqlalchemy", "alembic", "psycopg", "pytest", "ruff", "mypy", "uv"}
    assert not roots & {
        "uvicorn",
        "httptools",
        "flask_swagger_ui",
        "boto3",
        "botocore",
        "httpx",
        "requests",
        "wsgi_handler",
    }
    assert not [name for name in names if name.endswith((".db", ".env", ".pem", ".key"))]


def test_every_module_of_others_belongs_to_a_component_of_the_bill_of_materials(prod_package: Package) -> None:
    with zipfile.ZipFile(prod_package.zip) as archive:
        names = archive.namelist()
    own_roots = {path.stem for path in ROOT.iterdir()}
    roots = {name.partition("/")[0].partition(".")[0] for name in names} - own_roots

    roots_by_component = {
        component.name: {file.parts[0].partition(".")[0] for file in files(component.name) or ()}
        for component in read_lambda()
    }

    assert roots - set().union(*roots_by_component.values()) == set()
    assert [name for name, own in roots_by_component.items() if not own & roots] == []


def test_every_module_has_its_bytecode(prod_package: Package) -> None:
    tag = sys.implementation.cache_tag
    with zipfile.ZipFile(prod_package.zip) as archive:
        names = set(archive.namelist())

    for name in sorted(name for name in names if name.endswith(".py")):
        folder, _, file = name.rpartition("/")
        cached = f"__pycache__/{file.removesuffix('.py')}.{tag}.pyc"
        assert (f"{folder}/{cached}" if folder else cached) in names
    assert "connexion/spec.pyc" in names


# finish.py by itself.


def raw(folder: Path, **files: bytes) -> Path:
    """Write a package as the plugins leave it, with one installed distribution."""
    path = folder / "raw.zip"
    record = b"other/__init__.py,sha256=x,1\nother/native.so,,\n"
    content = {
        "other-1.dist-info/RECORD": record,
        "other/__init__.py": b'"""Doc."""\nONE = 1\n',
        "app/factory.py": b"X = 1\n",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**content, **{name.replace("__", "/"): data for name, data in files.items()}}.items():
            archive.writestr(name, data)
    return path


def test_native_code_for_another_architecture_is_rejected_and_the_package_stays_unchanged(tmp_path: Path) -> None:
    package = raw(tmp_path, **{"other/native.so": X86_64})
    before = package.read_bytes()

    with pytest.raises(
        PackageRejected, match=r"^other/native\.so is native code for another architecture than arm64\.$"
    ):
        finish_package(package, "arm64", 8)
    assert package.read_bytes() == before


def test_an_oversized_package_is_rejected(tmp_path: Path) -> None:
    noise = hashlib.shake_256(b"noise").digest(200_000)

    with pytest.raises(PackageRejected, match=r"^The package has 0\.19 MB, but may have 0\.1 at most\.$"):
        finish_package(raw(tmp_path, noise=noise), "arm64", 0.1)


def test_a_package_without_installed_packages_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "empty.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("app/factory.py", "")

    with pytest.raises(
        PackageRejected, match=r"^empty\.zip has no installed packages in it, or has been finished before\.$"
    ):
        finish_package(path, "arm64", 8)


def test_installed_packages_become_bytecode_without_docstrings(tmp_path: Path) -> None:
    package = raw(tmp_path, **{"other/native.so": ARM64})
    finish_package(package, "arm64", 8)

    with zipfile.ZipFile(io.BytesIO(package.read_bytes())) as archive:
        names = archive.namelist()
        assert b"Doc." not in archive.read("other/__init__.pyc")
    bytecode = f"app/__pycache__/factory.{sys.implementation.cache_tag}.pyc"
    assert names == [bytecode, "app/factory.py", "other/__init__.pyc", "other/native.so"]
