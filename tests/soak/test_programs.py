"""G8: whatever clients do, one after the other, the application does what a plain model says, on every engine alike."""

from collections.abc import Callable, Iterator

import pytest

from kanban.store import Store
from tests.soak.conftest import Engine, open_engine
from tests.soak.programs import STEPS, Program, generate_program, run_program, shorten


@pytest.fixture
def reference(engine: Engine, request: pytest.FixtureRequest) -> Iterator[Store | None]:
    """A store in SQLite, which every other engine must equal; none beside SQLite itself."""
    if engine.name == "sqlite":
        yield None
        return
    for sqlite in open_engine("sqlite", request):
        yield sqlite.open()


def test_programs_are_answered_as_the_model_says_and_by_every_engine_alike(
    engine: Engine, reference: Store | None, tell: Callable[[str, str], None]
) -> None:
    store = engine.open()
    seeds = engine.seeds(fast=6, full=1_000)

    answers = 0
    for seed in seeds:
        heard = run_program(store, seed)
        answers += len(heard)
        if reference is not None:
            for ours, theirs in zip(heard, run_program(reference, seed), strict=True):
                assert ours == theirs, f"Program {seed} is answered otherwise by SQLite: {theirs!r}"

    tell("G8", f"{len(seeds)} programs of {STEPS} steps, {answers} answers compared: no difference")


def test_a_program_that_fails_is_shortened_to_what_it_needs() -> None:
    program = generate_program(1)
    needed = {program[7], program[30]}

    def fails(steps: Program) -> bool:
        return needed <= set(steps)

    assert shorten(program, fails) == [program[7], program[30]]
