"""Draw bias, coverage and false positives of every method, scenario and size from `results.json` in one
figure.

python benchmarks/bias/figure.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from generator import SCENARIOS
from methods import METHODS

HERE = Path(__file__).parent
SIZES = (41, 200, 2000)
# Okabe & Ito: told apart by readers who are colour-blind; shapes say the same once more.
COLOURS = {41: "#D55E00", 200: "#009E73", 2000: "#0072B2"}
SHAPES = {41: "o", 200: "s", 2000: "D"}
PANELS = (
    ("bias", "bias of the log hazard ratio", 0.0),
    ("coverage", "coverage of the 95 % interval", 0.95),
    ("rejected", "share of p < 0.05", 0.05),
)


def draw(results: dict[str, Any], path: Path) -> None:
    """One row a measure, one column a scenario; a point a method and size."""
    names = list(METHODS)
    figure, axes = plt.subplots(3, len(SCENARIOS), figsize=(15, 11), sharey=True, layout="constrained")
    for row, (measure, title, wanted) in enumerate(PANELS):
        for column, scenario in enumerate(SCENARIOS):
            ax = axes[row, column]
            ax.axvline(wanted, color="0.5", linewidth=0.8)
            for shift, size in zip((-0.22, 0.0, 0.22), SIZES, strict=True):
                chunk = results["chunks"].get(f"{scenario.name}/{size}", {})
                rows = [i for i, n in enumerate(names) if n in chunk]
                x = [chunk[names[i]][measure] for i in rows]
                y = np.array(rows) + shift
                bars = [1.96 * chunk[names[i]]["error"] for i in rows] if measure == "bias" else None
                ax.errorbar(
                    x,
                    y,
                    xerr=bars,
                    fmt=SHAPES[size],
                    color=COLOURS[size],
                    markersize=4,
                    linewidth=1,
                    label=size,
                )
            ax.set_yticks(range(len(names)), names, fontsize=8)
            ax.invert_yaxis() if (row, column) == (0, 0) else None
            ax.grid(axis="x", color="0.92")
            ax.tick_params(axis="x", labelsize=8)
            if measure != "bias":
                ax.set_xlim(-0.03, 1.03)
            if row == 0:
                ax.set_title(scenario.name, fontsize=10)
            if column == 0:
                ax.set_xlabel(title, fontsize=8, loc="left")
    axes[0, -1].legend(title="patients", fontsize=8, title_fontsize=8)
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    draw(json.loads((HERE / "results.json").read_text(encoding="utf-8")), HERE / "bias.png")
