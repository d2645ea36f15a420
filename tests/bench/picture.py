"""Growth curves as SVG: what a command takes as what it works with grows."""

from __future__ import annotations

import math

WIDTH, HEIGHT, MARGIN = 360, 240, 48
Points = list[tuple[int, float]]


def svg(curves: dict[str, Points]) -> str:
    """Return one small picture a curve, two in a row; milliseconds from zero, the number of things as a logarithm."""
    rows = (len(curves) + 1) // 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {rows * HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{2 * WIDTH}" height="{rows * HEIGHT}" fill="white"/>',
    ]
    for number, (title, points) in enumerate(sorted(curves.items())):
        left, top = number % 2 * WIDTH, number // 2 * HEIGHT
        parts += [f'<g transform="translate({left} {top})">', *_curve(title, points), "</g>"]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _curve(title: str, points: Points) -> list[str]:
    right, bottom = WIDTH - 24, HEIGHT - 36
    most = max(took for _, took in points) * 1.15
    widest = math.log10(max(count for count, _ in points) + 1)

    def place(count: int, took: float) -> tuple[float, float]:
        x = MARGIN + (right - MARGIN) * math.log10(count + 1) / widest
        return round(x, 1), round(bottom - (bottom - 36) * took / most, 1)

    line = " ".join(f"{x},{y}" for x, y in (place(*point) for point in points))
    parts = [
        f'<text x="{MARGIN}" y="20" font-weight="bold">{title}</text>',
        f'<path d="M{MARGIN} 32V{bottom}H{right}" fill="none" stroke="#999"/>',
        f'<polyline points="{line}" fill="none" stroke="#06c" stroke-width="2"/>',
    ]
    for count, took in points:
        x, y = place(count, took)
        parts += [
            f'<circle cx="{x}" cy="{y}" r="3" fill="#06c"/>',
            f'<text x="{x}" y="{y - 8}" text-anchor="middle">{took:.0f} ms</text>',
            f'<text x="{x}" y="{bottom + 16}" text-anchor="middle">{count:,}</text>',
        ]
    return parts
