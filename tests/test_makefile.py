"""What make installs, and when: the Makefile runs with programs that only record how they were called."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FAKE_PYTHON = """\
#!/bin/sh
# A Python that only creates environments, and records its other calls.
case "$*" in
    "-m venv "*)
        mkdir -p "$3/bin"
        # Like venv, keep what exists, even a broken link.
        test -L "$3/bin/python" || ln -s "PROGRAM" "$3/bin/python"
        touch "$3/bin/pip"
        chmod +x "$3/bin/pip"
        printf 'home = here\\nversion = VERSION.4\\n' > "$3/pyvenv.cfg" ;;
    -c*version_info\\[*) echo VERSION; exit ;;
    -c*) exit ;;
esac
echo "VERSION $*" >> calls
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change into a folder with the Makefile and every file whose time it compares."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in (
        "requirements.txt",
        "requirements/containers.txt",
        "requirements/dev.txt",
        "requirements/deploy.txt",
        "requirements/documentation.txt",
        "requirements/peers.txt",
        "tools/documentation_files.py",
        "requirements/connexion2.txt",
        "requirements/cdk.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    python("3.11")
    return tmp_path


def python(version: str, name: str = "python") -> Path:
    """Write a fake Python of that version; return its path."""
    path = Path("programs", name).absolute()
    path.parent.mkdir(exist_ok=True)
    path.write_text(FAKE_PYTHON.replace("VERSION", version).replace("PROGRAM", str(path)))
    path.chmod(0o755)
    return path


def make(*targets: str, name: str = "python") -> tuple[list[str], list[str]]:
    """Run make with that Python; return the calls that it made and the lines that it printed to stderr."""
    calls = Path("calls")
    calls.write_text("")
    command = ["make", "--no-print-directory", *targets, f"PYTHON={Path('programs', name).absolute()}"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return calls.read_text().splitlines(), done.stderr.splitlines()


def installed(call: str) -> str:
    """Return the requirements file that a call installs, or the call if it installs none."""
    return call.rpartition("-r ")[2] if " pip install " in call else call


CALLS_OF_A_NEW_ENVIRONMENT = ["3.11 -m venv .venv", "requirements.txt", "3.11 -m cli digest"]
CALLS_OF_A_NEW_CHECKOUT = [
    "3.11 -m venv .venv",
    "3.11 -m tools.documentation_files",
    "requirements.txt",
    "3.11 -m cli digest",
]


def test_make_installs_the_first_time_and_nothing_the_second_time() -> None:
    first, messages = make("digest")
    second, second_messages = make("digest")

    assert [installed(call) for call in first] == CALLS_OF_A_NEW_CHECKOUT
    assert messages == ["Making .venv, once.", "Installing what Tackboard runs on into .venv."]
    assert second == ["3.11 -m cli digest"]
    assert not second_messages


def test_other_documentation_files_are_fetched_without_installing_anything() -> None:
    make("digest")
    now = Path("contract/page/.vendor").stat().st_mtime
    os.utime("contract/page/.vendor", (now - 60, now - 60))
    os.utime("tools/documentation_files.py", (now - 30, now - 30))

    calls, messages = make("digest")

    assert calls == ["3.11 -m tools.documentation_files", "3.11 -m cli digest"]
    assert not messages


def test_an_environment_whose_python_is_gone_is_recreated() -> None:
    make("digest")
    Path("programs/python").unlink()
    python("3.12", "newer")

    calls, messages = make("digest", name="newer")
    again, _ = make("digest", name="newer")

    assert [installed(call) for call in calls] == [
        "3.12 -m venv .venv",
        "requirements.txt",
        "3.12 -m cli digest",
    ]
    assert messages == [
        "Making .venv anew: its Python doesn't run any more.",
        "Installing what Tackboard runs on into .venv.",
    ]
    assert again == ["3.12 -m cli digest"]


def test_an_environment_whose_python_has_another_version_is_recreated() -> None:
    make("digest")
    python("3.13")

    calls, messages = make("digest")

    assert [installed(call) for call in calls] == [
        "3.13 -m venv .venv",
        "requirements.txt",
        "3.13 -m cli digest",
    ]
    assert messages[0] == "Making .venv anew: its Python was 3.11, and is 3.13 now."


def test_a_python_with_another_name_does_not_replace_a_working_one() -> None:
    make("digest")
    python("3.13", "newer")

    calls, messages = make("digest", name="newer")

    assert calls == ["3.11 -m cli digest"]
    assert not messages


def test_an_incomplete_environment_is_recreated() -> None:
    make("digest")
    Path(".venv/bin/pip").unlink()
    Path(".venv/product").unlink()

    calls, messages = make("digest")

    assert [installed(call) for call in calls] == CALLS_OF_A_NEW_ENVIRONMENT
    assert messages[0] == "Making .venv anew: it was left half made."


def test_changed_requirements_are_installed_into_the_same_environment() -> None:
    make("digest")
    now = Path(".venv/product").stat().st_mtime
    for name, age in ((".venv/pyvenv.cfg", 90), (".venv/product", 60), ("requirements.txt", 30)):
        os.utime(name, (now - age, now - age))

    calls, messages = make("digest")

    assert [installed(call) for call in calls] == CALLS_OF_A_NEW_ENVIRONMENT[1:]
    assert messages == ["Installing what Tackboard runs on into .venv."]


@pytest.mark.parametrize(
    ("stamp", "environment", "requirements"),
    [
        (".venv/containers", ".venv-containers", "requirements/containers.txt"),
        (".venv/deployment", ".venv-deploy", "requirements/deploy.txt"),
        (".venv/peers", ".venv-peers", "requirements/peers.txt"),
        (".venv/cdk", ".venv-cdk", "requirements/cdk.txt"),
        (".venv/connexion2", ".venv-connexion2", "requirements/connexion2.txt"),
    ],
)
@pytest.mark.parametrize("how", ["gone", "upgraded", "removed"])
def test_the_other_environments_are_recreated_likewise(
    stamp: str, environment: str, requirements: str, how: str
) -> None:
    first, _ = make(stamp)
    if how == "gone":
        Path(environment, "bin/python").unlink()
        Path(environment, "bin/python").symlink_to("/nowhere")
    elif how == "upgraded":
        python("3.13")
    else:
        shutil.rmtree(environment)

    calls, messages = make(stamp)
    again, _ = make(stamp)

    version = "3.13" if how == "upgraded" else "3.11"
    anew = [f"{version} -m venv {environment}", requirements]
    assert [installed(call) for call in first] == [
        *CALLS_OF_A_NEW_CHECKOUT[:3],
        f"3.11 -m venv {environment}",
        requirements,
    ]
    if how == "upgraded":
        assert [installed(call) for call in calls] == ["3.13 -m venv .venv", "requirements.txt", *anew]
    else:
        assert [installed(call) for call in calls] == anew
    assert any(line.startswith(f"Making {environment}") for line in messages)
    assert again == []


def test_the_development_tools_are_installed_into_a_recreated_environment() -> None:
    make(".venv/development")
    python("3.13")

    calls, _ = make(".venv/development")

    assert [installed(call) for call in calls] == ["3.13 -m venv .venv", "requirements.txt", "requirements/dev.txt"]


def test_a_python_that_is_too_old_is_reported_and_nothing_is_lost() -> None:
    make("digest")
    Path("programs/python").write_text('#!/bin/sh\ntest "$1" = --version && echo Python 3.9.2\nexit 1\n')

    command = ["make", "--no-print-directory", "digest", f"PYTHON={Path('programs/python').absolute()}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode != 0
    assert done.stderr.startswith("Tackboard needs Python 3.11 or newer, but ")
    assert Path(".venv/product").exists()


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["backup"], "backup"),
        (["backup", "FILE="], "backup"),
        (["backup", "FILE=monday.db"], "backup monday.db"),
        (["migrate"], "migrate"),
        (["restore", "FILE=monday.db"], "restore monday.db"),
    ],
)
def test_make_passes_its_variables_to_the_command(arguments: list[str], command: str) -> None:
    calls, _ = make(*arguments)

    assert calls[-1] == f"3.11 -m cli {command}"


def test_make_without_arguments_lists_every_command() -> None:
    command = ["make"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    for name in (
        "run",
        "token",
        "sign-in",
        "migrate",
        "backup",
        "restore",
        "digest",
        "export",
        "import",
        "purge",
        "bench-check",
    ):
        assert f"\nmake {name} " in f"\n{done.stdout}"
