"""The guard of the instructions (`make bench-check`): what it reports, and what it writes down."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from tools.benchmarks import check, report
from tools.benchmarks.goals import REQUEST_GOALS, START_GOALS, Goal, StartFigures
from tools.benchmarks.own_counts import OwnCounts

SHAPE, BUILD = "GET one card", "CPython 3.11.7, GCC 12.2.0"


def count(instructions: int, **lines: int) -> OwnCounts:
    return OwnCounts({SHAPE: instructions}, {SHAPE: {}}, {SHAPE: lines})


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the guard write to copies of the page and of the counts."""
    copy = tmp_path / "performance.md"
    copy.write_text(report.PERFORMANCE_PAGE.read_text())
    monkeypatch.setattr(report, "PERFORMANCE_PAGE", copy)
    monkeypatch.setattr(check, "COUNTS_FOLDER", tmp_path / "counts")
    monkeypatch.setattr(check, "INSTRUCTIONS_FILE", tmp_path / "counts" / "instructions.json")
    return copy


def test_the_page_shows_the_committed_numbers(page: Path) -> None:
    committed = json.loads((Path(check.__file__).parent / "counts" / "instructions.json").read_text())

    report.write_own_numbers(committed)

    assert page.read_text() == (report.ROOT / "docs" / "performance.md").read_text()


@pytest.mark.parametrize(("now", "has_grown"), [(1_029_000, False), (1_031_000, True), (500_000, False)])
def test_growth_above_three_percent_is_reported(now: int, has_grown: bool) -> None:
    table, problems = check.compare(count(1_000_000), count(now))

    assert SHAPE in table
    assert bool(problems) == has_grown


def test_the_function_that_has_grown_most_is_named_first() -> None:
    _, (problem,) = check.compare(count(100, small=10, large=10, same=500), count(200, small=20, large=90, same=500))

    assert [line.split(":")[0].strip() for line in problem.splitlines()[1:]] == ["large", "small"]


def test_a_shape_that_is_counted_for_the_first_time_is_no_problem() -> None:
    table, problems = check.compare(OwnCounts({}, {}, {}), count(100))

    assert "new" in table
    assert not problems


@pytest.mark.usefixtures("page")
def test_a_number_rises_only_with_a_reason() -> None:
    with pytest.raises(SystemExit, match="These have risen: GET one card"):
        check.update(BUILD, count(1_000_000), count(1_020_000), reason="")


def test_a_reason_is_written_down_beside_both_numbers(page: Path) -> None:
    check.update(BUILD, count(1_000_000), count(1_020_000), reason="Cards have an estimate.")

    assert "| GET one card 1,000 → 1,020 | Cards have an estimate. |" in page.read_text()
    assert check.read_counts(BUILD) == count(1_020_000)


def test_lower_numbers_need_no_reason(page: Path) -> None:
    check.update(BUILD, count(1_000_000), count(900_000), reason="")

    assert "| GET one card | 900 |" in page.read_text()
    assert "→ 900" not in page.read_text()


def test_a_goal_is_a_ratio_to_a_peer() -> None:
    figures = StartFigures({"Tackboard": {"warm": 30.0}, "peer": {"warm": 60.0}})
    at_most = Goal("warm", "peer", 0.5, StartFigures.warm_request)
    at_least = Goal("warm", "peer", 2.0, StartFigures.warm_request, is_minimum=True)

    assert (at_most.compute_ratio(figures), at_least.compute_ratio(figures)) == (0.5, 2.0)
    assert at_most.is_reached(0.5)
    assert not at_most.is_reached(0.51)
    assert at_least.is_reached(2.0)
    assert not at_least.is_reached(1.99)


def test_the_page_has_a_row_for_each_goal() -> None:
    text = (report.ROOT / "docs" / "performance.md").read_text()

    goals: tuple[Goal[Any], ...] = (*REQUEST_GOALS, *START_GOALS)
    for goal in goals:
        assert f"| {goal.subject} | {goal.peer} | {'≥' if goal.is_minimum else '≤'} {goal.limit:.2f} |" in text


@pytest.mark.parametrize("file", ["models.py", "warm_litestar.py", "own_queries.py"])
def test_the_peers_return_a_card_with_all_that_the_document_requires(file: str) -> None:
    """Otherwise connexion refuses the responses, and the others have less to do than the product."""
    schemas = json.loads((report.ROOT / "spec" / "dist" / "openapi.json").read_text())["components"]["schemas"]
    tree = ast.parse((report.ROOT / "tools" / "benchmarks" / "peers" / file).read_text())
    described: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == "Card":
            described |= {field.target.id for field in node.body if isinstance(field, ast.AnnAssign)}  # type: ignore[union-attr]
        elif isinstance(node, ast.FunctionDef) and node.name == "_serialize":
            (body,) = (part.value for part in node.body if isinstance(part, ast.Return))
            assert isinstance(body, ast.Dict)
            described |= {str(key.value) for key in body.keys if isinstance(key, ast.Constant)}

    assert described == {*schemas["Card"]["required"]}
