"""For random programs of requests, the application responds as the model does, and alike on every engine."""

from collections.abc import Callable, Iterator

import pytest

from kanban.store import Store
from tests.soak.conftest import Engine, open_engine
from tests.soak.programs import STEPS, Program, generate_program, run_program, shorten


@pytest.fixture
def reference(engine: Engine, request: pytest.FixtureRequest) -> Iterator[Store | None]:
    """Create a store in SQLite, with which other engines are compared; None for SQLite itself."""
    if engine.name == "sqlite":
        yield None
        return
    for sqlite in open_engine("sqlite", request):
        yield sqlite.open()


def test_every_engine_responds_to_programs_as_the_model_does(
    engine: Engine, reference: Store | None, report: Callable[[str], None]
) -> None:
    store = engine.open()
    seeds = engine.seeds(fast=6, full=1_000)

    answers = 0
    for seed in seeds:
        responses = run_program(store, seed)
        answers += len(responses)
        if reference is not None:
            for ours, theirs in zip(responses, run_program(reference, seed), strict=True):
                assert ours == theirs, f"Program {seed} is answered otherwise by SQLite: {theirs!r}"

    report(f"{len(seeds)} programs of {STEPS} steps, {answers} responses compared: no difference")


def test_a_failing_program_is_shortened_to_the_steps_it_needs() -> None:
    program = generate_program(1)
    needed = {program[7], program[30]}

    def fails(steps: Program) -> bool:
        return needed <= set(steps)

    assert shorten(program, fails) == [program[7], program[30]]
