"""Generate clients from the document, each in a folder of `.clients`, and run the main job in each.

The generators are pinned in `tools/clients/`. The main job is a few lines in each language that do what every user of
Tackboard does: create a board, add a card, move, start, find and resolve it, read the board in one response and the
card's time, and get a 412 and a 422.
"""

import copy
import fcntl
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tools.openapi.bundle import Node
from tools.openapi.findings import BUNDLE, ROOT

CLIENTS_FOLDER = ROOT / "tools" / "clients"
OUTPUT_FOLDER = ROOT / ".clients"
GENERATOR_OPTIONS = {
    "java": "--library=native",
    "kotlin": "--library=jvm-okhttp4",
    "go": "--additional-properties=enumClassPrefix=true",
    "csharp": "",
    "rust": "--library=reqwest",
}
"""The options of openapi-generator for each language.

Go has one namespace for all enums: without prefixes, two that share a value don't compile.
"""

_COMPILERS = {
    "java": (("mvn", "-q", "-B", "dependency:resolve-plugins", "dependency:resolve"), ("mvn", "-q", "-B", "compile")),
    "kotlin": (("gradle", "-q", "dependencies"), ("gradle", "-q", "compileKotlin")),
    "go": (("go", "mod", "download"), ("go", "build", "-mod=mod", "./...")),
    "csharp": (("dotnet", "restore"), ("dotnet", "build", "--no-restore")),
    "rust": (("cargo", "fetch"), ("cargo", "check", "--offline")),
}
"""By language, the command that fetches the packages of a client, and the one that compiles it."""

_SOURCE_SUFFIXES = (".ts", ".py", ".java", ".kt", ".go", ".cs", ".rs")


class ClientFailed(Exception):
    """Raised when a client can't be generated, compiled or run. The message is the output of the tool."""


@dataclass(frozen=True, slots=True)
class ClientProgram:
    """How to run a program with one client: the command, its folder and its environment. It runs the main job first."""

    name: str
    command: tuple[str, ...]
    folder: Path
    environment: dict[str, str]

    def with_program(self, program: str) -> "ClientProgram":
        """Return the same client with another program of `tools/clients/`, such as `read_feed`."""
        *command, main_job = self.command
        file = Path(main_job)
        return replace(self, command=(*command, str(file.with_name(f"{program}{file.suffix}"))))

    def run(self, url: str, token: str, **variables: str) -> str:
        """Run the program against the API at `url` and return its output; `variables` are added to the environment."""
        environment = self.environment | {"TACKBOARD_URL": url, "TACKBOARD_TOKEN": token} | variables
        return run_command(*self.command, folder=self.folder, environment=environment)


def build_typescript_clients(bundle: Path = BUNDLE) -> list[ClientProgram]:
    """Generate both TypeScript clients of a document, and compile them and their programs with `tsc --strict`."""
    tools = install_npm_packages("typescript")
    folder = OUTPUT_FOLDER / "typescript"
    if bundle != BUNDLE:
        # A folder below the other one finds its packages. `read_feed` uses what earlier documents don't have.
        folder /= bundle.stem
        _copy_files(CLIENTS_FOLDER / "typescript", folder)
        (folder / "read_feed.ts").unlink()
    run_command(str(tools / "openapi-typescript"), str(bundle), "-o", "document.ts", folder=folder)
    run_command(
        str(tools / "openapi-ts"), "-i", str(bundle), "-o", "made/hey", "-c", "@hey-api/client-fetch", folder=folder
    )
    run_command(str(tools / "tsc"), "-p", ".", folder=folder)
    return [
        ClientProgram(name, ("node", f"compiled/main_job_{file}.js"), folder, {})
        for name, file in (("openapi-fetch", "fetch"), ("@hey-api/openapi-ts", "hey"))
    ]


def build_python_client(bundle: Path = BUNDLE) -> list[ClientProgram]:
    """Generate the Python client of a document, in a virtual environment that all Python clients share."""
    tools = OUTPUT_FOLDER / "python"
    interpreter = create_tools_environment()
    folder = tools if bundle == BUNDLE else tools / bundle.stem
    folder.mkdir(parents=True, exist_ok=True)
    document = folder / "openapi.json"
    document.write_text(json.dumps(_keep_plain_json(json.loads(bundle.read_bytes()))))
    package = folder / "tackboard_client"
    command = [str(interpreter), "-m", "openapi_python_client", "generate", "--meta", "none", "--overwrite"]
    output = run_command(*command, "--path", str(document), "--output-path", str(package), folder=folder)
    if "unsupported" in output.lower() or "unable to" in output.lower():
        raise ClientFailed(f"openapi-python-client left something out: {output}")
    run_command(str(interpreter), "-m", "compileall", "-q", str(package), folder=folder)
    main_job = CLIENTS_FOLDER / "python" / "main_job.py"
    return [
        ClientProgram("openapi-python-client", (str(interpreter), str(main_job)), folder, {"PYTHONPATH": str(folder)})
    ]


def build_generator_clients() -> dict[str, str]:
    """Generate the clients of openapi-generator, which needs Java. Return a summary of each by language."""
    if shutil.which("java") is None:
        raise ClientFailed("openapi-generator needs Java 11 or newer.")
    tool = create_tools_environment().with_name("openapi-generator-cli")
    summaries = {}
    for language, library in GENERATOR_OPTIONS.items():
        folder = OUTPUT_FOLDER / language
        shutil.rmtree(folder, ignore_errors=True)
        command = [str(tool), "generate", "-g", language, "-i", str(BUNDLE), "-o", str(folder), *library.split()]
        run_command(*command, folder=OUTPUT_FOLDER)
        summaries[language] = f"{count_lines(folder):,} lines, {_compile(language, folder)}"
    return summaries


def _compile(language: str, folder: Path) -> str:
    """Compile a client. Return "compiled", or why that is not possible here. Raises ClientFailed if it fails."""
    fetch, build = _COMPILERS[language]
    if shutil.which(fetch[0]) is None:
        return f"not compiled: {fetch[0]} is not on this machine"
    try:
        run_command(*fetch, folder=folder)
    except ClientFailed:
        return f"not compiled: {fetch[0]} could not fetch its packages"
    run_command(*build, folder=folder)
    return "compiled"


def install_npm_packages(name: str, lock_folder: Path | None = None) -> Path:
    """Install the npm packages that a folder pins, by default one of `tools/clients/`, into `.clients`."""
    folder, source = OUTPUT_FOLDER / name, lock_folder or CLIENTS_FOLDER / name
    _copy_files(source, folder)
    lock, stamp = source / "package-lock.json", folder / "made.stamp"
    with _only_one_process(folder):
        if not stamp.exists() or _is_newer(lock, stamp):
            run_command("npm", "ci", "--silent", "--no-audit", "--no-fund", folder=folder)
            stamp.touch()
    return folder / "node_modules" / ".bin"


def run_newman(collection: Path, address: str) -> str:
    """Run a Postman collection against a server. Return newman's output. Raises ClientFailed if a test fails."""
    tool = str(install_npm_packages("postman") / "newman")
    return run_command(
        tool, "run", str(collection), "--color", "off", "--env-var", f"address={address}", folder=OUTPUT_FOLDER
    )


def create_tools_environment() -> Path:
    """Create the virtual environment of requirements/clients.txt, unless it is newer. Return its interpreter."""
    folder, pins = OUTPUT_FOLDER / "venv", ROOT / "requirements" / "clients.txt"
    interpreter = folder / "bin" / "python"
    stamp = folder / "made"
    install = [str(interpreter), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--require-hashes"]
    OUTPUT_FOLDER.mkdir(exist_ok=True)
    with _only_one_process(OUTPUT_FOLDER):
        if not stamp.exists() or _is_newer(pins, stamp):
            venv.create(folder, clear=True, with_pip=True)
            run_command(*install, "--no-deps", "--only-binary", ":all:", "-r", str(pins), folder=folder)
            stamp.touch()
    return interpreter


@contextmanager
def _only_one_process(folder: Path) -> Iterator[None]:
    """Let other processes wait that install into that folder: tests run in several."""
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run_command(*command: str, folder: Path, environment: dict[str, str] | None = None) -> str:
    """Run a command and return its output. Raises ClientFailed with the output if it fails."""
    run = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | (environment or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise ClientFailed(f"{' '.join(command[:3])} failed: {(run.stdout + run.stderr).strip()[:6_000]}")
    return run.stdout


def count_lines(folder: Path) -> int:
    """Count the lines of generated code in a folder, without tools and tests."""
    skipped = {"node_modules", "compiled", "venv", "test", "tests"}
    files = (file for file in folder.rglob("*") if file.suffix in _SOURCE_SUFFIXES and not skipped & set(file.parts))
    return sum(len(file.read_bytes().splitlines()) for file in files)


def _keep_plain_json(document: Node) -> Node:
    """Return the document without merge patches where a body may also be plain JSON.

    openapi-python-client would create a union of a class with itself, and forget an import.
    """
    plain = copy.deepcopy(document)
    for item in plain["paths"].values():
        for operation in item.values():
            content = operation.get("requestBody", {}).get("content", {}) if isinstance(operation, dict) else {}
            if "application/json" in content:
                operation["requestBody"]["content"] = {"application/json": content["application/json"]}
    return plain


def _copy_files(source: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        if file.is_file():
            shutil.copy2(file, folder / file.name)


def _is_newer(file: Path, other: Path) -> bool:
    return file.stat().st_mtime > other.stat().st_mtime


def main() -> int:
    """Generate every client and print how many lines each has. Return the exit status."""
    programs = [*build_typescript_clients(), *build_python_client()]
    print(f"typescript: {count_lines(OUTPUT_FOLDER / 'typescript'):,} lines, compiled with tsc --strict")
    print(f"python: {count_lines(OUTPUT_FOLDER / 'python'):,} lines, compiled")
    print("main jobs:", ", ".join(program.name for program in programs))
    for language, summary in build_generator_clients().items():
        print(f"{language}: {summary}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
