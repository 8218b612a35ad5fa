"""The wheel, installed into a new environment as pipx and uvx do it, runs all of Tackboard."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from urllib.parse import urljoin
from urllib.request import Request, urlopen

import pytest

from app.document import read_version
from tests.live_server import ROOT, LiveServer
from tools.bill_of_materials import read_server

pytestmark = pytest.mark.package

UV = [sys.executable, "-m", "uv"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a virtual environment with the wheel, no extra and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([*UV, "venv", "--quiet", "--python", sys.executable, str(folder / "venv")], check=True)
    pins = ["--constraint", str(ROOT / "requirements.txt")]
    subprocess.run([*UV, "pip", "install", "--quiet", "--python", str(folder / "venv"), *pins, str(wheel)], check=True)
    return folder / "venv"


def run(environment: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the environment, outside the checkout."""
    program = [str(environment / "bin" / command[0]), *command[1:]]
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | variables
    return subprocess.run(program, cwd=environment, env=variables, capture_output=True, text=True, check=False)


def test_the_dependencies_of_a_wheel_are_complete(environment: Path) -> None:
    check = [*UV, "pip", "check", "--python", str(environment)]

    assert subprocess.run(check, check=False).returncode == 0


def test_a_wheel_has_one_folder_of_its_own(environment: Path) -> None:
    (record,) = environment.glob("lib/*/site-packages/tackboard_server-*.dist-info/RECORD")
    folders = {re.split("[/,]", line)[0] for line in record.read_text().splitlines() if not line.startswith("../")}

    assert folders == {"tackboard_server", record.parent.name}


def test_everything_in_the_environment_of_a_wheel_is_in_its_bill_of_materials(environment: Path) -> None:
    components = {(component.name, component.version) for component in read_server()}
    (site_packages,) = environment.glob("lib/*/site-packages")

    packages = {
        (re.sub(r"[-_.]+", "-", package.name).lower(), package.version)
        for package in distributions(path=[str(site_packages)])
        if package.name != "tackboard-server"
    }

    assert packages - components == set()
    assert len(packages) > 20


def test_a_wheel_has_the_licences_of_the_scripts_in_it(environment: Path) -> None:
    (folder,) = environment.glob("lib/*/site-packages/tackboard_server/contract/page/vendor")

    first_lines = [script.read_text().partition("\n")[0] for script in folder.glob("*.js")]
    named_files = re.findall(r"license information please see (\S+)", "\n".join(first_lines))

    assert sorted(named_files) == ["redoc.standalone.js.LICENSE.txt", "swagger-ui-bundle.js.LICENSE.txt"]
    assert [name for name in named_files if not (folder / name).exists()] == []


def test_the_command_prints_its_version(environment: Path) -> None:
    assert run(environment, "tackboard", "--version").stdout == f"tackboard {read_version()}\n"


def load_page(url: str) -> Iterator[str]:
    """Load an HTML page and what it refers to on the same server, and yield the addresses."""
    with urlopen(url, timeout=30) as response:  # noqa: S310 - our own server.
        page = response.read().decode()
    for reference in re.findall(r'(?:src|href)="([^"#:]+)"', page):
        address = urljoin(url, reference)
        with urlopen(address, timeout=30) as response:  # noqa: S310 - our own server.
            assert response.status == 200
        yield address


def test_the_server_of_a_wheel_serves_the_api_the_page_and_the_documentation(environment: Path, tmp_path: Path) -> None:
    with LiveServer(tmp_path, [str(environment / "bin/tackboard"), "run"], OPEN_SIGNUP="") as server:
        request = Request(  # noqa: S310 - http.
            f"{server.url}v1/boards",
            b'{"name": "Website"}',
            {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"},
        )
        with urlopen(request, timeout=30) as response:  # noqa: S310 - our own server.
            assert json.load(response)["name"] == "Website"
        loaded = {reference for path in ("", "docs/", "docs/read") for reference in load_page(f"{server.url}{path}")}
        names = {reference.rpartition("/")[2] for reference in loaded}
        assert {"app.js", "swagger-ui-bundle.js", "redoc.standalone.js", "openapi.json"} <= names
        assert "OPEN_SIGNUP=1 tackboard run" in server.greeting


def test_another_server_can_import_the_application(environment: Path) -> None:
    program = "import tackboard_server.wsgi as wsgi; print(callable(wsgi.application))"

    answer = run(environment, "python", "-c", program, STORE_URL=f"sqlite:///{environment}/imported.db")

    assert answer.stdout == "True\n", answer.stderr


@pytest.mark.parametrize(
    ("url", "engine", "extra"),
    [
        ("postgresql+psycopg://ann@localhost/x", "PostgreSQL", "postgresql"),
        ("dynamodb://tackboard?region=eu-central-1", "DynamoDB", "aws"),
    ],
)
def test_a_store_whose_packages_are_missing_names_the_extra(
    environment: Path, url: str, engine: str, extra: str
) -> None:
    answer = run(environment, "tackboard", "token", STORE_URL=url)

    message = f"{engine} needs packages that are not installed: install 'tackboard-server[{extra}]'.\n"
    assert (answer.returncode, answer.stdout, answer.stderr) == (1, "", message)


def test_traces_without_their_packages_are_a_warning_that_names_the_extra(environment: Path) -> None:
    settings = {"STORE_URL": f"sqlite:///{environment}/untraced.db", "OTEL_TRACES_EXPORTER": "otlp"}

    answer = run(environment, "python", "-c", "import tackboard_server.wsgi", **settings)

    assert answer.returncode == 0
    assert "install 'tackboard-server[tracing]'" in answer.stderr


def test_sign_in_without_its_packages_names_the_extra(environment: Path) -> None:
    answer = run(environment, "tackboard", "check", OIDC_PROVIDERS="[]")

    message = "OIDC_PROVIDERS needs packages that are not installed: install 'tackboard-server[sign-in]'."
    assert (answer.returncode, answer.stderr) == (1, "1 to correct.\n")
    assert answer.stdout == f"error    settings   {message}\n"
