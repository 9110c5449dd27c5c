"""How fast are the statistics beside other software, measured in one run on one machine?

    python benchmarks/stats_speed.py [--subjects 1000000] [--tableone-python PATH]

R with survival and coin is asked through Rscript if it is installed; tableone in an environment of its own,
since it is no dependency of this project. A part whose rival is missing says so. Times are seconds of
processor time, the best of several runs, so that other work on the machine does not count. Writes
stats_speed.json beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from baseline_table import table_frame, table_one

from helpers.stats.kaplan_meier import kaplan_meier
from helpers.stats.logrank import exact_logrank_test, logrank_test, permutation_logrank_test

HERE = Path(__file__).parent
SEED = 20260101
DRAWS = 1_000_000
# tableone is no dependency: uv keeps it, with the pandas that it is measured with, in an environment apart.
ISOLATED = [str(Path(sys.executable).with_name("uv")), "run", "--no-project", "--quiet"]
ISOLATED += ["--with", "tableone==0.9.6", "--with", "pandas==2.3.3", "python"]
# One death of 20 against eight of 21 within 56 days, the shape of the study.
NINE = {
    "time": [19, *[56] * 19, 2, 5, 8, 11, 15, 25, 30, 40, *[56] * 13],
    "event": [1, *[0] * 19, *[1] * 8, *[0] * 13],
    "group": [1] * 20 + [0] * 21,
}
# 10 deaths of 20 against 17 of 21, many of them at times of their own.
MANY = {
    "time": [
        1,
        3,
        5,
        5,
        8,
        9,
        12,
        12,
        20,
        25,
        30,
        33,
        40,
        *[56] * 7,
        1,
        2,
        2,
        3,
        4,
        4,
        5,
        6,
        7,
        7,
        8,
        9,
        10,
        12,
        14,
        15,
        20,
        28,
        56,
        56,
        56,
    ],
    "event": [1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, *[0] * 9, *[1] * 12, 0, *[1] * 5, 0, 0, 0],
    "group": [1] * 20 + [0] * 21,
}

R_COIN = """
suppressPackageStartupMessages({library(coin); library(jsonlite)})
a <- fromJSON(commandArgs(TRUE)[1])
cpu <- function() sum(proc.time()[1:2])
best <- function(f, k) min(sapply(seq_len(k), function(i) {t <- cpu(); f(); cpu() - t}))
one <- function(d, draws) {
  d <- data.frame(time = d$time, event = d$event, g = factor(d$group))
  exact <- function() pvalue(logrank_test(Surv(time, event) ~ g, data = d, distribution = "exact"))
  monte <- approximate(nresample = draws)
  drawn <- function() pvalue(logrank_test(Surv(time, event) ~ g, data = d, distribution = monte))
  p <- as.numeric(exact()); first <- best(exact, 1); k <- if (first > 0.3) 1 else 20
  several <- function() for (i in seq_len(k)) exact()
  list(p = p, exact = best(several, 3) / k, drawn = best(drawn, 2))
}
cat(toJSON(list(nine = one(a$nine, a$draws), many = one(a$many, a$draws)), auto_unbox = TRUE, digits = I(17)))
"""

R_SURVIVAL = """
suppressPackageStartupMessages({library(survival); library(jsonlite)})
a <- commandArgs(TRUE); n <- as.integer(a[2])
f <- file(a[1], "rb"); time <- readBin(f, "double", n)
event <- readBin(f, "integer", n); group <- readBin(f, "integer", n)
cpu <- function() sum(proc.time()[1:2])
best <- function(f, k) min(sapply(seq_len(k), function(i) {t <- cpu(); f(); cpu() - t}))
both <- function() {survfit(Surv(time, event) ~ group); chisq <<- survdiff(Surv(time, event) ~ group)$chisq}
cat(toJSON(list(seconds = best(both, 2), chisq = chisq), auto_unbox = TRUE, digits = I(17)))
"""

TABLEONE = """
import json, sys, time, warnings
warnings.filterwarnings("ignore")
import pandas as pd, tableone
frame = pd.read_pickle(sys.argv[1])
columns = [c for c in frame.columns if c != "group"]
categorical = [c for c in columns if c[0] in "bc"]
nonnormal = [c for c in columns if c.startswith("x")]
best = 1e9
for _ in range(2):
    start = time.process_time()
    tableone.TableOne(frame, columns=columns, categorical=categorical, groupby="group", nonnormal=nonnormal,
                      pval=True, smd=True, htest_name=True)
    best = min(best, time.process_time() - start)
print(json.dumps({"seconds": best, "version": tableone.__version__}))
"""


def best(function: Callable[[], Any], runs: int) -> float:
    times = []
    for _ in range(runs):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def ask_r(script: str, *arguments: str) -> dict[str, Any] | None:
    if shutil.which("Rscript") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "task.R"
        path.write_text(script, encoding="utf-8")
        done = subprocess.run(["Rscript", str(path), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        return None
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def permutation_part() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.json"
        path.write_text(json.dumps({"nine": NINE, "many": MANY, "draws": DRAWS}), encoding="utf-8")
        theirs = ask_r(R_COIN, str(path))
    part: dict[str, Any] = {}
    for name, data in (("nine", NINE), ("many", MANY)):
        columns = data["time"], data["event"], data["group"]
        exact = exact_logrank_test(*columns, treated=1)
        drawn = permutation_logrank_test(*columns, treated=1, draws=DRAWS, seed=SEED)
        ours = {
            "deaths": sum(data["event"]),
            "p_value": exact.p_value,
            "exact_seconds": best(lambda c=columns: exact_logrank_test(*c, treated=1), 30),
            "drawn_p_value": drawn.p_value,
            "drawn_seconds": best(lambda c=columns: permutation_logrank_test(*c, treated=1, draws=DRAWS), 5),
        }
        if theirs is None:
            ours["coin"] = "not installed"
        else:
            rival = theirs[name]
            ours |= {"coin_p_value": rival["p"], "coin_exact_seconds": rival["exact"]}
            ours |= {
                "coin_drawn_seconds": rival["drawn"],
                "same_p": abs(rival["p"] / exact.p_value - 1) < 1e-8,
            }
            ours["exact_times_faster"] = rival["exact"] / ours["exact_seconds"]
            ours["drawn_times_faster"] = rival["drawn"] / ours["drawn_seconds"]
        part[name] = ours
    return part


def survival_columns(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(SEED)
    group = rng.integers(0, 2, n)
    death, end = rng.exponential(100 * (1 + group), n), rng.uniform(0, 300, n)
    return np.round(np.minimum(death, end), 3), (death <= end).astype(np.int64), group


def ours_on(columns: tuple[np.ndarray, np.ndarray, np.ndarray]) -> float:
    times, events, group = columns
    for code in (0, 1):
        curve = kaplan_meier(times[group == code], events[group == code])
        curve.limits  # noqa: B018  (computed on demand; the rivals compute theirs at once)
    return logrank_test(times, events, group).statistic


def lifelines_on(columns: tuple[np.ndarray, np.ndarray, np.ndarray]) -> float:
    from lifelines import KaplanMeierFitter
    from lifelines.statistics import logrank_test as lifelines_logrank

    times, events, group = columns
    arms = [(times[group == code], events[group == code]) for code in (0, 1)]
    for arm in arms:
        KaplanMeierFitter().fit(*arm)
    (t0, e0), (t1, e1) = arms
    return float(lifelines_logrank(t0, t1, e0, e1).test_statistic)


def survival_part(n: int) -> dict[str, Any]:
    columns = survival_columns(n)
    chi_square = ours_on(columns)
    part: dict[str, Any] = {
        "subjects": n,
        "seconds": best(lambda: ours_on(columns), 5),
        "chi_square": chi_square,
    }
    theirs = lifelines_on(columns)
    part["lifelines_seconds"] = best(lambda: lifelines_on(columns), 2)
    part["lifelines_same_chi_square"] = abs(theirs / chi_square - 1) < 1e-8
    part["times_faster_than_lifelines"] = part["lifelines_seconds"] / part["seconds"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "survival.bin"
        path.write_bytes(
            b"".join([columns[0].tobytes(), *(c.astype(np.int32).tobytes() for c in columns[1:])])
        )
        rival = ask_r(R_SURVIVAL, str(path), str(n))
    if rival is None:
        part["r_survival"] = "not installed"
    else:
        part |= {
            "r_seconds": rival["seconds"],
            "r_same_chi_square": abs(rival["chisq"] / chi_square - 1) < 1e-8,
        }
        part["times_faster_than_r"] = rival["seconds"] / part["seconds"]
    return part


def scaling_part() -> dict[str, Any]:
    sizes = [10_000, 100_000, 1_000_000]
    columns = [survival_columns(n) for n in sizes]
    seconds = [best(lambda c=c: ours_on(c), 5) for c in columns]
    allowed = sizes[-1] * np.log(sizes[-1]) / (sizes[0] * np.log(sizes[0]))
    growth = seconds[-1] / seconds[0]
    return {
        "subjects": sizes,
        "seconds": seconds,
        "growth": growth,
        "growth_of_n_log_n": allowed,
        "no_worse_than_n_log_n": bool(growth <= allowed),
    }


def table_part(interpreter: str | None) -> dict[str, Any]:
    frame = table_frame()
    part: dict[str, Any] = {"rows": len(frame), "columns": frame.shape[1] - 1}
    ours = table_one(frame)
    ours.rows()
    part["seconds"] = best(ours.rows, 2)
    with tempfile.TemporaryDirectory() as folder:
        data, script = Path(folder) / "frame.pkl", Path(folder) / "task.py"
        frame.to_pickle(data)
        script.write_text(TABLEONE, encoding="utf-8")
        command = [interpreter] if interpreter else ISOLATED
        done = subprocess.run([*command, str(script), str(data)], capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        return part | {"tableone": "could not be run"}
    answer = json.loads(done.stdout.splitlines()[-1])
    part |= {"tableone_seconds": answer["seconds"], "tableone_version": answer["version"]}
    return part | {"times_faster_than_tableone": answer["seconds"] / part["seconds"]}


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subjects", type=int, default=1_000_000)
    parser.add_argument("--tableone-python", help="interpreter of an environment with tableone")
    options = parser.parse_args()
    report = {
        "machine": {
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "load_at_start": round(os.getloadavg()[0], 1),
            "python": platform.python_version(),
            "numpy": np.__version__,
        },
        "permutation_logrank": permutation_part(),
        "kaplan_meier_and_logrank": survival_part(options.subjects),
        "scaling": scaling_part(),
        "table_one": table_part(options.tableone_python),
    }
    text = json.dumps(rounded(report), indent=2)
    (HERE / "stats_speed.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
