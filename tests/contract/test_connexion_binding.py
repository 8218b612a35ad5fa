"""connexion binds the operations. A start loads only what is used of it, and other importers can't notice."""

import asyncio
import logging
import subprocess
import sys
import warnings
from typing import Any

import pytest

import handlers
from app.document import load_document
from contract import connexion_binding
from contract.connexion_binding import Credentials, bind_operations
from contract.messages import Request
from contract.operations import list_operations
from contract.request_context import RequestContext
from infrastructure.deployment.package_build import ROOT

DOCUMENT = load_document()
FUNCTIONS = handlers.functions_by_operation_id()

NOT_NEEDED = (
    "anyio",
    "asyncio",
    "attr",
    "connexion",
    "flask",
    "httpx",
    "jinja2",
    "jsonschema",
    "requests",
    "swagger_ui_bundle",
    "werkzeug",
    "yaml",
)


def load_with_the_whole_of_connexion(document: dict[str, Any]) -> Any:
    """Return an application of connexion as it comes, with the same functions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from connexion import AsyncApp  # noqa: PLC0415 - connexion warns when it is imported.
        from connexion.resolver import Resolver  # noqa: PLC0415

        logging.getLogger("connexion").setLevel(logging.ERROR)
        app = AsyncApp(__name__)
        app.add_api(document, resolver=Resolver(FUNCTIONS.__getitem__), security_map={"bearer": _AnyHandler})
        # The first message builds the stack of middlewares.
        asyncio.run(app({"type": "lifespan"}, ignore, ignore))
    return app.middleware


async def ignore(*_: object) -> dict[str, str]:
    return {"type": "lifespan.startup"}


class _AnyHandler:
    def get_fn(self, *_: object) -> Any:
        return lambda _: {}


def test_connexion_accepts_the_document_and_routes_as_the_product_does() -> None:
    # connexion validates the whole document here, so that a start needn't.
    middleware = load_with_the_whole_of_connexion(load_document())
    (security,) = [layer for layer in middleware.middleware_stack if type(layer).__name__ == "SecurityMiddleware"]
    ((base_path, (api,)),) = security.apis.items()
    tree = bind_operations(DOCUMENT, FUNCTIONS, lambda *_: None)

    documented = [(path, method.upper(), operation) for path, method, operation in list_operations(DOCUMENT)]

    assert {operation["operationId"] for _, _, operation in documented} == set(api.operations)
    for path, method, operation in documented:
        match = tree.find(base_path + path)
        assert match is not None
        route = match[0][method]
        assert route.operation_id == operation["operationId"]
        assert route.function is FUNCTIONS[route.operation_id]
        assert bool(route.verify) == bool(api.operations[route.operation_id].security)


def test_the_function_that_verifies_is_the_one_of_connexion() -> None:
    match = bind_operations(DOCUMENT, FUNCTIONS, lambda *_: None).find("/v1/boards")
    assert match is not None

    verify = match[0]["GET"].verify

    assert verify is not None
    assert verify.__module__ == "connexion.security"


def test_security_that_waits_is_a_runtime_error() -> None:
    class Pause:
        def __await__(self) -> Any:
            yield

    async def wait(_: Credentials) -> None:
        await Pause()

    route = connexion_binding.Route("get_thing", print, wait)

    with pytest.raises(RuntimeError, match="connexion's security waited for something"):
        route.authenticate(Request("GET", "/v1/thing", "", {}, b"", "", RequestContext()))


def run(*lines: str) -> str:
    """Run lines in a new Python process and return what they print."""
    program = "import warnings; warnings.simplefilter('ignore')\n" + "\n".join(lines)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_start_loads_nothing_that_it_does_not_use() -> None:
    loaded = f"print([name for name in {NOT_NEEDED!r} if name in sys.modules])"

    assert run("import sys, app.factory", loaded) == "[]"


def test_no_module_keeps_a_placeholder() -> None:
    keepers = (
        "import sys, app.factory",
        "from trimmed_import import _Nothing, _PlaceholderModule",
        "own = 'trimmed_import'",
        "is_placeholder = lambda value: value is _Nothing or type(value) is _PlaceholderModule",
        "keepers = {name for name, module in list(sys.modules.items()) if name not in (own, '__main__')",
        "           for value in list(vars(module).values()) if is_placeholder(value)}",
        "print(keepers)",
    )

    assert run(*keepers) == "set()"


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
def test_a_later_import_of_connexion_is_complete(before: tuple[str, ...]) -> None:
    after = run(*before, "import contract.application", *WHOLE)

    assert without_addresses(after) == without_addresses(run(*before, *WHOLE))


def test_an_earlier_import_of_connexion_stays() -> None:
    same = "print(connexion.security is before, sys.modules['connexion.security'] is before)"

    assert run(
        "import sys, connexion, connexion.security", "before = connexion.security", "import contract.application", same
    ) == "True True"  # fmt: skip
