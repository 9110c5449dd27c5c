"""Measure speed and memory beside named peers, and write results.json, results.md and results.png.

    python benchmarks/bench.py [--only PART ...] [--runs 5]

Parts that are not measured again keep their former figures. A figure is a ratio of medians with its target
and the seconds behind it; what else the machine was doing is part of the record.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import edits
import growth
import running

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
TITLES = {
    "run_beside_papermill": "A cohort from nothing, two workers: times faster than the papermill command",
    "one_worker_beside_cells_alone": "The same on one worker, loading apart: times the cells alone",
    "idle_notebook_beside_limit": "A notebook of idle cells: times the half second it may cost",
    "batch_beside_papermill": "A batch of 40 cohorts, each: times faster than the papermill command",
    "unchanged_beside_full_run": "Nothing changed: times faster than the full run",
    "nbval_beside_stock_kernels": "Notebooks against stored outputs: times faster than with stock kernels",
    "new_kernel_beside_stock": "A new kernel with libraries imported: times faster than a stock one",
    "kernel_memory_late_beside_early": "Memory of the last tenth of kernels: times that of the first",
    "whole_plan_beside_notebooks": "All steps, with tables, manuscript and report: times the notebooks alone",
    "comment_beside_whole_run": "A comment edited in a notebook: share of a run of all steps",
    "comment_beside_whole_run_kept": "The same with a warm process kept running",
    "kept_run_beside_papermill": "Notebooks with a warm process kept running: times faster than papermill",
    "check_beside_polars": "A check of 40,000 patients: times polars reading the same files",
    "check_memory_beside_files": "Its memory: times the size of the files",
    "growth_of_notebooks": "Exponent of a notebook's processor time in the number of patients, the largest",
    "exact_logrank_beside_coin": "Exact log-rank test: times faster than R's coin",
    "drawn_logrank_beside_coin": "A million permutations: times faster than R's coin",
    "kaplan_meier_beside_lifelines": "Kaplan-Meier and log-rank of a million: times faster than lifelines",
    "kaplan_meier_beside_r": "The same: times faster than R's survival",
    "kaplan_meier_beside_fastest": "The same: times the speed of the fastest, also of scikit-survival",
    "cox_beside_fastest": "Cox, 100,000 x 10, times all different: times the speed of the fastest of these",
    "cox_days_beside_fastest": "The same in whole days, Efron's ties: times the speed of the fastest",
    "rank_sum_beside_fastest": "Rank-sum test of a million values: times the speed of SciPy or R",
    "rank_sum_tied_beside_fastest": "The same with ties: times the speed of the faster",
    "permutations_beside_fastest": "Log-rank test, 100,000 permutations: times the speed of coin or SciPy",
    "permutations_400_beside_fastest": "The same of 400 patients: times the speed of the faster",
    "permuted_means_beside_scipy": "100,000 permutations of any statistic: times the speed of SciPy",
    "fisher_beside_fastest": "2,000 Fisher tests, 15 to 60 a group: times the speed of SciPy or R",
    "fisher_large_beside_fastest": "The same with 500 to 2,000 a group: times the speed of the faster",
    "boschloo_beside_limit": "Boschloo's test of 1,000 v 1,000: times the second it may take",
    "table_1_beside_tableone": "The product's own Table 1 of 100,000 patients: times faster than tableone",
}
NOTES = {
    "one_worker_beside_cells_alone": "cells alone are one plain process with the libraries loaded, without "
    "kernels and messages. Beside the cells stand the command's start and end, the check of the cohort and "
    "kernels; the seconds in which the warm process loads are taken off.",
    "idle_notebook_beside_limit": "what a notebook costs beside its cells: sixteen of them that do nothing, "
    "executed as the first notebook of a run, the warm process being loaded; the kernels of later ones start "
    "beside their predecessors.",
    "batch_beside_papermill": "the papermill command shares nothing between cohorts: it is measured on one, "
    "each time beside a whole batch.",
    "nbval_beside_stock_kernels": "in `make test` the warm process loads while the quick tests run. Here "
    "nothing else runs meanwhile, so its seconds of loading stand apart. Figures are not drawn on either "
    "side: nbval compares no pictures, and `make outputs` draws them afterwards.",
    "check_beside_polars": "processor seconds of whole processes, imports among them; 2.7 million rows of "
    "csv, which polars reads as text and does not look at.",
    "growth_of_notebooks": "fitted from 400, 1,600 and 6,400 made-up patients, cells alone, on a logarithmic "
    "scale.",
    "cox_days_beside_fastest": "lifelines ends its search at a relative error of 1e-6 of the coefficients, R "
    "at 2e-9, ours below 1e-12; scikit-survival computes no standard errors.",
    "permuted_means_beside_scipy": "the statistic is any function of two samples. coin, whose seconds stand "
    "beside, permutes sums of scores only; the two lines above are the same work.",
    "fisher_beside_fastest": "the p-value alone; R without its interval.",
    "kernel_memory_late_beside_early": "proportional set size of forked kernels, each shared page divided by "
    "those who share it.",
}
PEERS = {
    "exact_logrank_beside_coin": ("permutation_logrank", "nine", "exact_times_faster", 1),
    "drawn_logrank_beside_coin": ("permutation_logrank", "nine", "drawn_times_faster", 1),
    "kaplan_meier_beside_lifelines": ("kaplan_meier_and_logrank", "", "times_faster_than_lifelines", 5),
    "kaplan_meier_beside_r": ("kaplan_meier_and_logrank", "", "times_faster_than_r", 1),
    "table_1_beside_tableone": ("table_one", "", "times_faster_than_tableone", 3),
    "kaplan_meier_beside_fastest": ("kaplan_meier_and_logrank", "", "times_faster", 0.95),
    "cox_beside_fastest": ("cox", "all_different", "times_faster", 0.95),
    "cox_days_beside_fastest": ("cox", "whole_days", "times_faster", 0.95),
    "rank_sum_beside_fastest": ("rank_sum", "all_different", "times_faster", 0.95),
    "rank_sum_tied_beside_fastest": ("rank_sum", "tied", "times_faster", 0.95),
    "permutations_beside_fastest": ("drawn", "small", "times_faster", 0.95),
    "permutations_400_beside_fastest": ("drawn", "larger", "times_faster", 0.95),
    "permuted_means_beside_scipy": ("drawn", "means", "times_faster", 0.95),
    "fisher_beside_fastest": ("fisher", "small", "times_faster", 0.95),
    "fisher_large_beside_fastest": ("fisher", "large", "times_faster", 0.95),
    "boschloo_beside_limit": ("boschloo", "a_thousand_each", "seconds", 1),
}


def statistics(runs: int) -> dict[str, dict[str, Any]]:
    """The statistics beside R and Python packages, as far as they are installed (see stats_speed.py)."""
    subprocess.run([sys.executable, str(HERE / "stats_speed.py"), "--runs", str(runs)], check=True)
    stored = json.loads((HERE / "stats_speed.json").read_text(encoding="utf-8"))
    found = {}
    for name, (section, part, key, target) in PEERS.items():
        values = stored[section][part] if part else stored[section]
        if key in values:
            limit = {"lower_is_better": True} if key == "seconds" else {}
            found[name] = {"ratio": values[key], "target": target, "parts": values | limit, "runs": runs}
    return found


PARTS: dict[str, Callable[[int], dict[str, dict[str, Any]]]] = {
    "run": running.full_run,
    "batch": running.batch,
    "edits": edits.small_edits,
    "check": growth.check,
    "growth": growth.growth,
    "nbval": running.nbval,
    "lab": running.lab,
    "idle": running.idle_notebook,
    "memory": lambda runs: running.memory(80 * runs),
    "statistics": statistics,
}


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n")
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "load_at_start": round(os.getloadavg()[0], 1),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "day": time.strftime("%Y-%m-%d"),
    }


def reached(result: dict[str, Any]) -> bool:
    """Whether a result is on the right side of its target."""
    if result["parts"].get("lower_is_better"):
        return bool(result["ratio"] <= result["target"])
    return bool(result["ratio"] >= result["target"])


def page(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    described = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in results["machine"].items())
    lines = [
        "# Speed and memory beside named peers",
        "",
        f"Measured by `make bench`: {described}.",
        "Each ratio is one of medians over paired runs, both sides measured in turn.",
        "",
        "![Ratios beside their targets](results.png)",
        "",
        "| figure | ratio | target | runs | day | parts |",
        "|---|---|---|---|---|---|",
    ]
    for name, title in TITLES.items():
        if result := results["figures"].get(name):
            sign = "at most" if result["parts"].get("lower_is_better") else "at least"
            mark = "" if reached(result) else " (missed)"
            lines.append(
                f"| {title} | {result['ratio']:.2f}{mark} | {sign} {result['target']:g} | {result['runs']} "
                f"| {result['day']} | {_parts(result['parts'])} |"
            )
    notes = [
        f"- *{TITLES[name].partition(':')[0]}*: {NOTES[name]}" for name in NOTES if name in results["figures"]
    ]
    return "\n".join([*lines, "", *notes]) + "\n"


def _parts(parts: dict[str, Any]) -> str:
    shown = []
    for name, value in parts.items():
        number = median(value) if isinstance(value, list) else value
        if isinstance(number, (int, float)) and not isinstance(number, bool):
            shown.append(f"{name.replace('_', ' ')} {number:.3g}")
    return "; ".join(shown)


def draw(results: dict[str, Any]) -> None:
    """The ratios on a logarithmic scale, each with its target."""
    from matplotlib.figure import Figure

    rows = [(TITLES[name], results["figures"][name]) for name in TITLES if name in results["figures"]]
    figure = Figure(figsize=(11, 0.8 + 0.42 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for place, (_, result) in enumerate(rows):
        axes.barh(place, result["ratio"], color="#0072B2" if reached(result) else "#D55E00", height=0.55)
        axes.plot([result["target"]] * 2, [place - 0.4, place + 0.4], color="#222222", linewidth=1.6)
        axes.annotate(
            f"{result['ratio']:.3g}",
            (max(result["ratio"], result["target"]), place),
            (4, 0),
            textcoords="offset points",
            va="center",
        )
    axes.set_yticks(range(len(rows)), labels=[title for title, _ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xscale("log")
    axes.margins(x=0.12)
    axes.set_xlabel("ratio (bar) and target (line)")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(HERE / "results.png", dpi=110, metadata={"Software": None})


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description="Measure speed and memory beside named peers.")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    stored = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {"figures": {}}
    results = {"machine": machine(), "figures": stored["figures"]}
    for part in options.only:
        print(part, flush=True)
        measured = PARTS[part](options.runs)
        day = {"day": time.strftime("%Y-%m-%d")}
        results["figures"] |= {name: figure | day for name, figure in measured.items()}
        RESULTS.write_text(json.dumps(_rounded(results), indent=1) + "\n", encoding="utf-8")
    (HERE / "results.md").write_text(page(results), encoding="utf-8")
    draw(results)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    return [_rounded(part) for part in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main()
