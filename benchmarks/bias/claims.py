"""Which method may be credited with what: read from `results.csv`, written as a page, `results.md`.

    python benchmarks/bias/claims.py

A method is credited at one size if its bias is within three Monte Carlo errors of nothing, its interval
covers the truth as often as it says (three errors again), and it gives an estimate in 95 of 100 studies. What
meets this in the scenario where everything is distorted, but fails where one of its distortions stands alone,
is right by errors that cancel, and is not credited.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from generator import SCENARIOS
from methods import METHODS

HERE = Path(__file__).parent
ERRORS = 3.0
LEVEL = 0.95
EVERYTHING = SCENARIOS[-1].name
ALONE = tuple(one.name for one in SCENARIOS[1:-1])
LARGEST = 2000


def read(name: str) -> pd.DataFrame:
    """A file of results of `simulate.py`."""
    return pd.read_csv(HERE / f"{name}.csv")


def allowed_shortfall(replicates: pd.Series) -> pd.Series:
    """How far a share that is truly 0.95 may fall below it in so many replicates, three errors."""
    return ERRORS * np.sqrt(LEVEL * (1 - LEVEL) / replicates)


def credited(results: pd.DataFrame) -> pd.Series:
    """Whether each row's method may be credited in its scenario and size."""
    unbiased = results["bias"].abs() <= ERRORS * results["error"]
    covers = results["coverage"] >= LEVEL - allowed_shortfall(results["with_interval"])
    estimated = results["estimated"] >= LEVEL * results["replicates"]
    good = (unbiased & covers & estimated).rename("good")
    # From the largest size down: what fails once has failed for every smaller size.
    falling = results.assign(good=good).sort_values("patients", ascending=False, kind="stable")
    good = falling.groupby(["scenario", "method"])["good"].cummin().reindex(results.index).astype(bool)
    alone = results[results["scenario"].isin(ALONE)].assign(good=good)
    always = alone.groupby(["method", "patients"])["good"].all()
    keys = pd.MultiIndex.from_frame(results[["method", "patients"]])
    return good & ((results["scenario"] != EVERYTHING) | always.reindex(keys).to_numpy(dtype=bool))


def naive_beside_implied(results: pd.DataFrame, implied: pd.DataFrame) -> pd.DataFrame:
    """Mean of the simulated naive estimates beside what a million patients imply, and their gap in errors.

    Means of finite estimates: where an arm often has no death, they are not those of the implied value.
    """
    naive = results[results["method"] == "naive"].merge(implied, on="scenario", suffixes=("", "_implied"))
    simulated = naive["bias"] + naive["truth"]
    # The error in the file includes that of the truth, which is subtracted here again.
    own = np.sqrt(np.maximum(naive["error"] ** 2 - naive["truth_error"] ** 2, 0))
    gap = (simulated - naive["naive"]) / np.hypot(own, naive["naive_error"])
    columns = {"simulated": simulated, "implied": naive["naive"], "gap_in_errors": gap}
    kept = naive[["scenario", "patients", "replicates", "estimated"]]
    return kept.assign(**columns)


def _grid(results: pd.DataFrame, size: int) -> list[str]:
    names = [one.name for one in SCENARIOS]
    mine = results[results["patients"] == size].assign(good=credited(results))
    lines = [f"| method | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for method in METHODS:
        rows = mine[mine["method"] == method].set_index("scenario")
        if rows.empty:
            continue
        cells = []
        for name in names:
            row = rows.loc[name]
            verdict = "**yes**" if row["good"] else "no"
            cells.append(f"{verdict} {row['bias']:+.2f}, {row['coverage']:.2f}, {row['rejected']:.2f}")
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return lines


def page(results: pd.DataFrame, implied: pd.DataFrame, cost: pd.DataFrame) -> str:
    """The page of results in Markdown; every number of it is read from the files."""
    about = {
        "studies": results["replicates"].max(),
        "few": results["replicates"].min(),
        "minutes": f"{cost['cpu_seconds'].sum() / 60:.0f}",
    }
    lines = [(HERE / "about.md").read_text(encoding="utf-8").format(**about).rstrip()]
    for size in sorted(results["patients"].unique(), reverse=True):
        lines += ["", f"## {size} patients", "", *_grid(results, size)]
    lines += ["", "## What the generator implies", "", *_implied(naive_beside_implied(results, implied))]
    return "\n".join([*lines, "", (HERE / "reading.md").read_text(encoding="utf-8")])


def _implied(beside: pd.DataFrame) -> list[str]:
    lines = [
        "Naive log hazard ratio: mean over the studies, and from a million patients.",
        "",
        "| scenario | patients | simulated | implied | gap, Monte Carlo errors | studies with an estimate |",
        "|---|---|---|---|---|---|",
    ]
    for row in beside.to_dict("records"):
        share = f"{row['estimated']} of {row['replicates']}"
        lines.append(
            f"| {row['scenario']} | {row['patients']} | {row['simulated']:.3f} | {row['implied']:.3f} | "
            f"{row['gap_in_errors']:+.1f} | {share} |"
        )
    return lines


if __name__ == "__main__":
    (HERE / "results.md").write_text(page(read("results"), read("implied"), read("cost")), encoding="utf-8")
