"""Draw bias, coverage and share of p < 0.05 of every method, scenario and size from `results.csv`.

python benchmarks/bias/figure.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from claims import HERE, LARGEST, credited, read
from generator import SCENARIOS
from methods import METHODS
from simulate import SIZES

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes

# Okabe & Ito: told apart by readers who are colour-blind; shapes say the same once more.
MARKS = {41: ("#D55E00", "o"), 200: ("#009E73", "s"), LARGEST: ("#0072B2", "D")}
PANELS = (
    ("bias", "Bias of the log hazard ratio", 0.0, (-1.35, 0.45)),
    ("coverage", "Coverage of the 95 % interval", 0.95, (-0.04, 1.04)),
    ("rejected", "Share of p < 0.05", 0.05, (-0.04, 1.04)),
)


def _panel(ax: Axes, rows: pd.DataFrame, measure: str, wanted: float) -> None:
    names = list(METHODS)
    ax.axvline(wanted, color="0.4", linewidth=0.8)
    for shift, size in zip((-0.24, 0.0, 0.24), SIZES, strict=True):
        mine = rows[rows["patients"] == size]
        y = mine["method"].map(names.index) + shift
        bars = 3 * mine["error"] if measure == "bias" else None
        colour, shape = MARKS[size]
        good = mine["good"].to_numpy()
        ax.errorbar(mine[measure], y, xerr=bars, fmt="none", ecolor=colour, linewidth=0.8)
        for filled in (True, False):
            part = good == filled
            ax.plot(
                mine[measure][part], y[part], shape, color=colour, markersize=3.4, markeredgewidth=0.8,
                markerfacecolor=colour if filled else "white",
            )  # fmt: skip
    ax.grid(axis="x", color="0.93", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.tick_params(labelsize=6.5, length=2)
    ax.spines[["top", "right"]].set_visible(False)


def draw(results: pd.DataFrame, path: Path) -> None:
    """One row a measure, one column a scenario; a mark a method and size, filled where it is credited."""
    results = results.assign(good=credited(results))
    plt.rcParams.update({"svg.hashsalt": "bias", "svg.fonttype": "none", "font.size": 7})
    figure, axes = plt.subplots(3, len(SCENARIOS), figsize=(11, 9), sharey=True, layout="constrained")
    for line, (measure, title, wanted, limits) in zip(axes, PANELS, strict=True):
        for ax, scenario in zip(line, SCENARIOS, strict=True):
            _panel(ax, results[results["scenario"] == scenario.name], measure, wanted)
            ax.set_xlim(*limits)
            if measure == "bias":
                ax.set_title(scenario.name, fontsize=8, fontweight="bold")
        line[0].set_yticks(np.arange(len(METHODS)), list(METHODS))
        line[0].set_xlabel(title, fontsize=8, loc="left")
    axes[0, 0].invert_yaxis()
    for size, (colour, shape) in MARKS.items():
        axes[0, 0].plot([], [], shape, color=colour, markersize=4, label=f"{size:,} patients")
    axes[0, 0].plot([], [], "o", color="0.4", markersize=4, label="credited")
    axes[0, 0].plot([], [], "o", color="0.4", markersize=4, markerfacecolor="white", label="not credited")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False, fontsize=7.5)
    figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


if __name__ == "__main__":
    draw(read("results"), HERE / "bias.svg")
