"""Draw measurements as bar charts in SVG."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _LEFT, _ROW, _TOP, _HEADING = 760, 230, 24, 64, 34
_WORK_COLOUR, _OUR_COLOUR, _PEER_COLOUR = "#cbd5e1", "#2563eb", "#64748b"


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: what comes first, what is added to it, and what is written beside it."""

    name: str
    parts: tuple[float, float]
    label: str


def render_panels(heading: str, below: str, panels: Mapping[str, Sequence[Bar]]) -> str:
    """Return an SVG with a panel of bars for each name, each with a scale of its own. Tackboard is highlighted."""
    shapes: list[str] = []
    top = _TOP
    for name, bars in panels.items():
        shapes.append(f'<text x="16" y="{top + 20}" font-weight="600">{escape(name)}</text>')
        top += _HEADING
        largest = max(sum(bar.parts) for bar in bars)
        for bar in bars:
            shapes += _draw_bar(bar, top, (_WIDTH - _LEFT - 130) / largest)
            top += _ROW
    return _wrap(heading, below, shapes, top + 12)


def _draw_bar(bar: Bar, top: int, scale: float) -> Iterable[str]:
    first, second = (part * scale for part in bar.parts)
    colour = _OUR_COLOUR if bar.name.startswith("Tackboard") else _PEER_COLOUR
    yield f'<text x="{_LEFT - 10}" y="{top + 14}" text-anchor="end">{escape(bar.name)}</text>'
    yield f'<rect x="{_LEFT}" y="{top}" width="{first:.1f}" height="18" fill="{_WORK_COLOUR}"/>'
    yield f'<rect x="{_LEFT + first:.1f}" y="{top}" width="{second:.1f}" height="18" fill="{colour}"/>'
    yield f'<text x="{_LEFT + first + second + 8:.1f}" y="{top + 14}">{escape(bar.label)}</text>'


def _wrap(heading: str, below: str, shapes: Iterable[str], height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        'role="img" font-family="system-ui, sans-serif" font-size="13" fill="#334155">\n'
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>\n'
        f'<text x="16" y="26" font-size="16" font-weight="600">{escape(heading)}</text>\n'
        f'<text x="16" y="46">{escape(below)}</text>\n' + "\n".join(shapes) + "\n</svg>\n"
    )
