"""Rows of the table: what was measured, beside its aim and the best of its peers."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
from dataclasses import asdict, dataclass, field

from aims import AIMS

AT_LEAST = {"MB/s"}  # units of which more is better


@dataclass(frozen=True)
class Row:
    """A median with its minimum and maximum; `unit` is "x" for ratios to `base`, whose seconds are `base_seconds`."""

    name: str
    median: float
    low: float
    high: float
    base: str
    unit: str = "x"
    base_seconds: float = 0.0
    peers: dict[str, float] = field(default_factory=dict)  # in the same unit

    @property
    def aim(self) -> float:
        return AIMS[self.name]

    @property
    def missed(self) -> bool:
        return self.median < self.aim if self.unit in AT_LEAST else self.median > self.aim

    def best_peer(self) -> str:
        """Return the name and value of the peer that comes out best; nothing where there is none."""
        best = max if self.unit in AT_LEAST else min
        return (
            "{1} {0:.3g}".format(*best((value, name) for name, value in self.peers.items()))
            if self.peers
            else ""
        )


class Table:
    """The rows of one run: each is printed as soon as it is there."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.growth: dict[str, list[tuple[int, float]]] = {}
        self.imports: dict[str, list[str]] = {}
        self.failed: list[str] = []
        self.above: list[str] = []  # their aim, but within a limit
        print(
            f"{'':4}{'measure':38}{'median':>8}{'min':>8}{'max':>8}  {'unit':5}{'aim':>6}  {'best peer':24}base"
        )

    def add(self, row: Row) -> None:
        self.rows.append(row)
        numbers = "".join(f"{number:8.4g}" for number in (row.median, row.low, row.high))
        seconds = f" ({row.base_seconds * 1000:.1f} ms)" if row.base_seconds else ""
        mark = "MISS" if row.missed else "ok"
        print(
            f"{mark:5}{row.name:37}{numbers}  {row.unit:5}{row.aim:6g}  {row.best_peer():24}{row.base}{seconds}",
            flush=True,
        )

    def ratios(
        self, name: str, ours: list[float], base: list[float], what: str, **peers: list[float]
    ) -> None:
        """Add a row of ratios: round by round, so that a busy moment meets both sides."""
        ratios = [one / other for one, other in zip(ours, base, strict=True)]
        others = {
            peer: statistics.median(one / other for one, other in zip(column, base, strict=True))
            for peer, column in peers.items()
        }
        middle = statistics.median
        self.add(Row(name, middle(ratios), min(ratios), max(ratios), what, "x", middle(base), others))

    def figures(self, name: str, values: list[float], unit: str, base: str) -> None:
        self.add(Row(name, statistics.median(values), min(values), max(values), base, unit))

    def end(self) -> int:
        """Say which aims were missed; return the exit code."""
        missed = [*(row.name for row in self.rows if row.missed), *self.failed]
        if self.above:
            print(f"Above the aim, within the limit of today: {', '.join(self.above)}.")
        if missed:
            print(f"Missed: {', '.join(missed)}.")
        elif not self.above:
            print("Every aim was met.")
        return 1 if missed else 0

    def write(self, path: str) -> None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        machine = {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]}
        rows = [{**asdict(row), "aim": row.aim, "missed": row.missed} for row in self.rows]
        whole = {
            "machine": machine,
            "rows": rows,
            "growth": self.growth,
            "imports": self.imports,
            "failed": self.failed,
            "above": self.above,
        }
        with open(path, "w") as file:
            json.dump(whole, file, indent=1)
        print(f"All figures are in {os.path.relpath(path)}.", file=sys.stderr)
