"""Draw measurements as a bar chart in SVG."""

from html import escape

_WIDTH, _LEFT, _ROW, _TOP = 760, 230, 30, 64


def render_bar_chart(heading: str, below: str, bars: list[tuple[str, float, str]]) -> str:
    """Return an SVG with a bar for each (name, value, label). The bars of Tackboard are highlighted."""
    largest = max(value for _, value, _ in bars)
    rows = []
    for number, (name, value, label) in enumerate(bars):
        top, length = _TOP + number * _ROW, value / largest * (_WIDTH - _LEFT - 90)
        colour = "#2563eb" if name.startswith("Tackboard") else "#94a3b8"
        rows.append(
            f'<text x="{_LEFT - 10}" y="{top + 15}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{_LEFT}" y="{top}" width="{length:.1f}" height="20" rx="3" fill="{colour}"/>'
            f'<text x="{_LEFT + length + 8:.1f}" y="{top + 15}">{escape(label)}</text>'
        )
    height = _TOP + len(bars) * _ROW + 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        'role="img" font-family="system-ui, sans-serif" font-size="13" fill="#334155">\n'
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>\n'
        f'<text x="16" y="26" font-size="16" font-weight="600">{escape(heading)}</text>\n'
        f'<text x="16" y="46">{escape(below)}</text>\n' + "\n".join(rows) + "\n</svg>\n"
    )
