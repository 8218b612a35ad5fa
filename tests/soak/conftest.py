"""How long the tests run, on which engines, from which seed, and how they print their figures.

`make test` runs a short version of each test. `make soak` sets SOAK=1: then each test runs at full length and prints
its figure. SEED=… sets the first seed, which is 0 by default; a failure names the seed to repeat.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from kanban.store import Store
from tests.engines.dynamodb_server import OLD_ENGINE, SDK_ENGINE
from tests.stores.conftest import ENGINES, OpenStore, dynoxide, empty_sqlite, ministack, postgresql

__all__ = ["dynoxide", "empty_sqlite", "ministack", "postgresql"]

IS_FULL = os.environ.get("SOAK") == "1"
FIRST_SEED = int(os.environ.get("SEED", "0"))

_FAST_ENGINES = {"sqlite", "postgresql"}


@dataclass(frozen=True)
class Engine:
    """An engine with a new, empty store. `open` opens that store, each time as another process would."""

    name: str
    open: Callable[[], Store]

    def seeds(self, *, fast: int, full: int) -> range:
        """Return the seeds to try: `full` of them at full length, else `fast`, or a fifth on a slow engine."""
        if IS_FULL:
            return range(FIRST_SEED, FIRST_SEED + full)
        return range(FIRST_SEED, FIRST_SEED + (fast if self.name in _FAST_ENGINES else max(1, fast // 5)))


def open_engine(name: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Yield the engine of a name; close the stores that it opened."""
    opened: list[Store] = []

    def opening(open_data: OpenStore) -> Store:
        opened.append(open_data())
        return opened[-1]

    with ENGINES[name](request) as open_data:
        yield Engine(name, lambda: opening(open_data))
        for store in opened:
            store.close()


@pytest.fixture(params=[name for name in ENGINES if name not in (OLD_ENGINE, SDK_ENGINE)])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Yield every engine in turn."""
    yield from open_engine(request.param, request)


@pytest.fixture
def report(engine: Engine, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Return a function that prints figures of the engine, if the tests run at full length."""
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")

    def print_figures(text: str) -> None:
        if IS_FULL and reporter:
            with capsys.disabled():
                reporter.ensure_newline()
                reporter.write_line(f"{engine.name}: {text}")

    return print_figures
