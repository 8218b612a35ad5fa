"""Write what was measured: tables for docs/performance.md and README.md, and charts."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tools.benchmarks.charts import Bar, render_panels
from tools.benchmarks.contenders import CONTENDERS, PRODUCT, WORK_ALONE
from tools.benchmarks.goals import REQUEST_GOALS, START_GOALS, F, Goal, RequestFigures, StartFigures, Steps
from tools.benchmarks.scene import COMMON_SHAPES

ROOT = Path(__file__).parents[2]
PERFORMANCE_PAGE, README = ROOT / "docs" / "performance.md", ROOT / "README.md"
REQUEST_CHART, START_CHART = ROOT / "docs" / "bench.svg", ROOT / "docs" / "coldstart.svg"

PYTHON = f"Python {sys.version_info.major}.{sys.version_info.minor}"
README_ROWS = ("Tackboard", "Powertools", "FastAPI + Mangum", "Litestar + Mangum", "Flask + pydantic")


def replace_section(page: Path, name: str, content: str) -> None:
    """Replace what a page has between the two comments of a section."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, begin, rest = page.read_text().partition(begin)
    _, end, after = rest.partition(end)
    if not end:
        raise SystemExit(f"{page.name} has no section {name}.")
    page.write_text(f"{before}{begin}{content}\n{end}{after}")


def write_request_report(figures: RequestFigures, times: Mapping[tuple[str, str], float], machine: str) -> str:
    """Write tables and chart of warm requests into the documentation, and return the tables."""
    sections = {
        "layers": _render_layers(figures),
        "whole requests": _render_whole(figures),
        "request goals": _render_goals(REQUEST_GOALS, {"instructions": figures}),
        "CPU times of requests": f"{PYTHON}, {machine}.\n\n{_render_times(times)}",
    }
    for name, content in sections.items():
        replace_section(PERFORMANCE_PAGE, name, content)
    replace_section(README, "requests", _render_summary(figures))
    REQUEST_CHART.write_text(_draw_requests(figures))
    return _join(sections)


def write_start_report(counts: Mapping[str, Steps], times: Mapping[str, Steps], machine: str) -> str:
    """Write tables and chart of starts into the documentation, and return the tables."""
    figures = {"instructions": StartFigures(counts), "CPU time": StartFigures(times)}
    sections = {
        "starts": _render_starts(figures["instructions"], lambda value: f"{value / 1e6:,.2f} M"),
        "start goals": _render_goals(START_GOALS, figures),
        "CPU times of starts": f"{PYTHON}, {machine}.\n\n"
        + _render_starts(figures["CPU time"], lambda value: f"{value * 1e3:,.2f} ms"),
    }
    for name, content in sections.items():
        replace_section(PERFORMANCE_PAGE, name, content)
    START_CHART.write_text(_draw_starts(figures["instructions"]))
    return _join(sections)


def write_own_numbers(instructions: Mapping[str, Mapping[str, int]]) -> None:
    """Write the committed numbers of `make bench-check`, by build of Python, into the documentation."""
    names = dict.fromkeys(name for counts in instructions.values() for name in counts)
    rows = ((name, *(_thousands(counts.get(name, 0)) for counts in instructions.values())) for name in names)
    replace_section(PERFORMANCE_PAGE, "own numbers", _render_table(("", *instructions), rows))


def add_raised_numbers(raised: Mapping[str, tuple[int, int]], reason: str) -> None:
    """Add a line to the documentation's list of raised numbers, if there are any."""
    if not raised:
        return
    changes = ", ".join(f"{name} {_thousands(before)} → {_thousands(now)}" for name, (before, now) in raised.items())
    end = "<!-- end of raised numbers -->"
    line = f"| {datetime.now(UTC):%Y-%m-%d} | {changes} | {reason} |\n"
    PERFORMANCE_PAGE.write_text(PERFORMANCE_PAGE.read_text().replace(end, line + end))


def _join(sections: Mapping[str, str]) -> str:
    return "\n\n".join(f"{name}\n\n{content}" for name, content in sections.items())


def _render_table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of Markdown, all but its first column aligned to the right."""
    lines = [heading, ["---", *["---:"] * (len(heading) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _render_goals(goals: Iterable[Goal[F]], figures: Mapping[str, F]) -> str:
    """Return the table of goals beside what was measured, in each unit; a goal that is missed is in bold."""
    rows = []
    for goal in goals:
        ratios = [goal.compute_ratio(measured) for measured in figures.values()]
        cells = [f"{ratio:.2f}" if goal.is_reached(ratio) else f"**{ratio:.2f}**" for ratio in ratios]
        rows.append((goal.subject, goal.peer, f"{'≥' if goal.is_minimum else '≤'} {goal.limit:.2f}", *cells))
    return _render_table(("", "compared with", "goal", *figures), rows)


def _thousands(instructions: float) -> str:
    return f"{instructions / 1000:,.0f}"


def _compare(value: float, ours: float) -> str:
    return f"{_thousands(value)} ({value / ours:.2f})"


def _render_layers(figures: RequestFigures) -> str:
    rows = [
        (name, *(_compare(figures.layers(name, shape), figures.layers(PRODUCT.name, shape)) for shape in COMMON_SHAPES))
        for name in (contender.name for contender in CONTENDERS if contender is not WORK_ALONE)
    ]
    alone = [_thousands(figures.whole(WORK_ALONE.name, shape, "product")) for shape in COMMON_SHAPES]
    return _render_table(("", *COMMON_SHAPES), [*rows, (f"*{WORK_ALONE.name}*", *alone)])


def _render_whole(figures: RequestFigures) -> str:
    rows = []
    for contender in CONTENDERS:
        for work in (work for work in contender.works if work != "product"):
            name = f"{contender.name}, by hand" if work == "by hand" else contender.name
            ratios = (
                _compare(figures.whole(contender.name, shape, work), figures.whole(PRODUCT.name, shape))
                for shape in COMMON_SHAPES
            )
            rows.append((f"*{name}*" if contender is WORK_ALONE else name, *ratios))
    return _render_table(("", *COMMON_SHAPES), rows)


def _render_times(times: Mapping[tuple[str, str], float]) -> str:
    rows = []
    for contender in CONTENDERS:
        taken = [(times[contender.name, shape], times[PRODUCT.name, shape]) for shape in COMMON_SHAPES]
        rows.append((contender.name, *(f"{value:,.0f} ({value / ours:.2f})" for value, ours in taken)))
    return _render_table(("", *COMMON_SHAPES), rows)


def _render_starts(figures: StartFigures, to_text: Callable[[float], str]) -> str:
    ours = figures.until_first_response(PRODUCT.name)
    rows = []
    for name, steps in figures.taken.items():
        together = figures.until_first_response(name)
        cells = [to_text(value) for value in (steps["import"], steps["first"], together)]
        rows.append((name, *cells[:2], f"{cells[2]} ({together / ours:.2f})", to_text(steps["warm"])))
    return _render_table(("", "import", "first request", "together", "then, each"), rows)


def _render_summary(figures: RequestFigures) -> str:
    rows = (
        (
            name,
            *(
                f"{_thousands(figures.layers(name, shape))} of {_thousands(figures.whole(name, shape))}"
                for shape in COMMON_SHAPES
            ),
        )
        for name in README_ROWS
    )
    return _render_table(("", *COMMON_SHAPES), rows)


def _draw_requests(figures: RequestFigures) -> str:
    panels = {}
    for shape in COMMON_SHAPES:
        sizes = [(name, figures.whole(name, shape), figures.layers(name, shape)) for name in README_ROWS]
        panels[shape] = [
            Bar(name, (whole - layers, layers), f"{_thousands(layers)} of {_thousands(whole)}")
            for name, whole, layers in sizes
        ]
    below = f"{PYTHON}, counted by callgrind. Grey: the work and its queries. Coloured: the layers above."
    return render_panels("Thousands of instructions of a request", below, panels)


def _draw_starts(figures: StartFigures) -> str:
    bars = [
        Bar(name, (steps["import"], steps["first"]), f"{figures.until_first_response(name) / 1e6:,.0f}")
        for name, steps in figures.taken.items()
    ]
    below = f"{PYTHON}, counted by callgrind. Grey: import. Coloured: the first request."
    return render_panels("Millions of instructions from nothing to the first response", below, {"DynamoDB": bars})
