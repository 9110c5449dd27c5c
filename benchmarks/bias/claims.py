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
FILES = ("results", "implied", "implied_by_size", "cost")


def read(name: str) -> pd.DataFrame:
    """A file of results of `simulate.py` or `by_size.py`."""
    return pd.read_csv(HERE / f"{name}.csv")


def allowed_shortfall(replicates: pd.Series) -> pd.Series:
    """How far a share that is truly 0.95 may fall below it in so many replicates, three errors."""
    allowed: pd.Series = ERRORS * np.sqrt(LEVEL * (1 - LEVEL) / replicates)
    return allowed


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


def naive_beside_implied(results: pd.DataFrame, implied: pd.DataFrame, by_size: pd.DataFrame) -> pd.DataFrame:
    """The naive estimate beside what the generator implies for its size, and for a million patients.

    `gap_in_errors` is to studies of the same size, of which only those with an estimate are averaged on
    either side; `share_gap_in_errors` compares how many have one; `large_gap_in_errors` is to the million.
    """
    keys = ["scenario", "patients"]
    naive = results[results["method"] == "naive"].merge(implied, on="scenario", suffixes=("", "_large"))
    naive = naive.merge(by_size, on=keys, suffixes=("", "_like"), validate="one_to_one")
    simulated = naive["bias"] + naive["truth"]
    # The error in the file includes that of the truth, which is subtracted here again.
    own = np.sqrt(np.maximum(naive["error"] ** 2 - naive["truth_error"] ** 2, 0))
    with_one = naive["estimated_like"] / naive["studies"]
    # Half an event, so that a share of 1 has an error too.
    chance = np.maximum(with_one * (1 - with_one), 0.5 / naive["studies"])
    share_error = np.sqrt(chance * (1 / naive["replicates"] + 1 / naive["studies"]))
    columns = {
        "simulated": simulated,
        "implied": naive["implied"],
        "gap_in_errors": (simulated - naive["implied"]) / np.hypot(own, naive["implied_error"]),
        "large": naive["naive"],
        "large_gap_in_errors": (simulated - naive["naive"]) / np.hypot(own, naive["naive_error"]),
        "share_implied": with_one,
        "share_gap_in_errors": (naive["estimated"] / naive["replicates"] - with_one) / share_error,
    }
    return naive[[*keys, "replicates", "estimated", "studies"]].assign(**columns)


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


def page(results: pd.DataFrame, implied: pd.DataFrame, by_size: pd.DataFrame, cost: pd.DataFrame) -> str:
    """The page of results in Markdown; every number of it is read from the files."""
    about = {
        "studies": results["replicates"].max(),
        "few": results["replicates"].min(),
        "minutes": f"{cost['cpu_seconds'].sum() / 60:.0f}",
    }
    lines = [(HERE / "about.md").read_text(encoding="utf-8").format(**about).rstrip()]
    for size in sorted(results["patients"].unique(), reverse=True):
        lines += ["", f"## {size} patients", "", *_grid(results, size)]
    lines += [
        "",
        "## What the generator implies",
        "",
        *_implied(naive_beside_implied(results, implied, by_size)),
    ]
    return "\n".join([*lines, "", (HERE / "reading.md").read_text(encoding="utf-8")])


def _implied(beside: pd.DataFrame) -> list[str]:
    columns = (
        "scenario", "patients", "simulated", "implied for this size", "gap, Monte Carlo errors",
        "from a million", "with an estimate: simulated, implied",
    )  # fmt: skip
    lines = [
        "Naive log hazard ratio: mean over the studies; mean over a million other patients dealt out into",
        "studies of the same size (`by_size.py`); and from the million as one study. Where nobody of an arm",
        "has died there is no estimate: only studies that have one are averaged, and their share is given.",
        "",
        f"| {' | '.join(columns)} |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in beside.to_dict("records"):
        share = f"{100 * row['estimated'] / row['replicates']:.1f} %, {100 * row['share_implied']:.1f} %"
        lines.append(
            f"| {row['scenario']} | {row['patients']} | {row['simulated']:.3f} | {row['implied']:.3f} | "
            f"{row['gap_in_errors']:+.1f} | {row['large']:.3f} | {share} |"
        )
    return lines


if __name__ == "__main__":
    (HERE / "results.md").write_text(page(*(read(name) for name in FILES)), encoding="utf-8")
