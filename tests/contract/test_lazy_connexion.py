"""A start loads only what it needs of connexion. Other importers can't notice, in any order of imports."""

import subprocess
import sys

import pytest

from infrastructure.deployment.package_build import ROOT

NOT_NEEDED = ("connexion.apps", "flask", "httpx", "requests", "sqlalchemy", "starlette.testclient", "swagger_ui_bundle")


def run(*lines: str) -> str:
    """Run lines in a new Python process and return what they print."""
    program = "import warnings; warnings.simplefilter('ignore')\n" + "\n".join(lines)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_no_http_client_and_no_other_framework_is_loaded() -> None:
    loaded = f"print([name for name in {NOT_NEEDED!r} if name in sys.modules])"

    assert run("import sys, app", loaded) == "[]"


WHOLE = (
    "import connexion, httpx, requests",
    "print(requests.__version__, httpx.__version__, requests.Session.__module__)",
    "print(connexion.problem, connexion.AsyncApp, connexion.resolver.Resolver, connexion.NoContent)",
    "print(sorted(name for name in vars(connexion) if not name.startswith('_')))",
)


def without_addresses(text: str) -> str:
    return " ".join(word for word in text.split() if not word.startswith("0x"))


@pytest.mark.parametrize(
    "before", [(), ("import requests",), ("import httpx",), ("import connexion",), ("import connexion.exceptions",)]
)
def test_a_later_import_of_the_package_is_complete(before: tuple[str, ...]) -> None:
    after = run(*before, "import contract.application", *WHOLE)

    assert without_addresses(after) == without_addresses(run(*before, *WHOLE))


def test_the_package_has_the_modules_that_are_in_use() -> None:
    same = "print(connexion.exceptions.OAuthProblem is OAuthProblem, connexion.middleware is middleware)"

    assert run(
        "from contract.application import OAuthProblem", "from connexion import middleware", "import connexion", same
    ) == "True True"  # fmt: skip


def test_an_unknown_attribute_of_the_package_is_an_attribute_error() -> None:
    assert run("import contract.application, connexion", "print(hasattr(connexion, 'nothing'))") == "False"


def test_concurrent_first_accesses_see_a_complete_package() -> None:
    looked = run(
        "import contract.application, connexion, threading",
        "found = []",
        "looks = [threading.Thread(target=lambda: found.append(connexion.AsyncApp)) for _ in range(8)]",
        "[each.start() for each in looks]; [each.join() for each in looks]",
        "print(len(found), len(set(found)))",
    )

    assert looked == "8 1"
