"""How fast are the statistics beside other software, measured in one run on one machine?

    python benchmarks/stats_speed.py [--only PART ...] [--runs 5] [--subjects 1000000]
                                     [--tableone-python PATH]

R with survival and coin is asked through Rscript if it is installed, tableone and scikit-survival in
environments of their own, since they are no dependencies of this project. A part whose rival is missing says
so. Times are seconds of processor time on one thread, so that other work on the machine counts little:
medians of runs in turn, after one that is not counted; the exact log-rank test and the growth have the best
of several. Parts that are not measured again keep their figures. Writes stats_speed.json beside this file.
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
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from baseline_table import table_frame, table_one
from contenders import on_one_thread, task
from stats_kernels import (
    SKSURV,
    boschloo_part,
    cox_part,
    drawn_part,
    fisher_part,
    rank_sum_part,
)

from helpers.stats.kaplan_meier import kaplan_meier
from helpers.stats.logrank import exact_logrank_test, logrank_test, permutation_logrank_test

HERE = Path(__file__).parent
STORED = HERE / "stats_speed.json"
SEED = 20260101
DRAWS = 1_000_000
# One death of 20 against eight of 21 within 56 days, the shape of the study.
NINE = {
    "time": [19, *[56] * 19, 2, 5, 8, 11, 15, 25, 30, 40, *[56] * 13],
    "event": [1, *[0] * 19, *[1] * 8, *[0] * 13],
    "group": [1] * 20 + [0] * 21,
}
# 10 deaths of 20 against 17 of 21, many of them at times of their own.
TREATED = "1 3 5 5 8 9 12 12 20 25 30 33 40" + 7 * " 56"
CONTROL = "1 2 2 3 4 4 5 6 7 7 8 9 10 12 14 15 20 28 56 56 56"
MANY = {
    "time": [int(day) for day in f"{TREATED} {CONTROL}".split()],
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
time <- numbers("time"); event <- numbers("event"); group <- numbers("group")
serve(function() {
  curves <- survfit(Surv(time, event) ~ group); last <- cumsum(curves$strata)
  c(survdiff(Surv(time, event) ~ group)$chisq, curves$surv[last - 1])
})
"""
SKSURV_SURVIVAL = """
time, event, group = numbers("time"), numbers("event") == 1, numbers("group").astype(int)
both = Surv.from_arrays(event, time)
def work():
    curves = [kaplan_meier_estimator(event[group == code], time[group == code], conf_type="log-log")
              for code in (0, 1)]
    return [compare_survival(both, group)[0], *(curve[1][-2] for curve in curves)]
serve(work)
"""
SKSURV_IMPORTS = """
from sksurv.compare import compare_survival
from sksurv.nonparametric import kaplan_meier_estimator
from sksurv.util import Surv
"""
TABLEONE = """
frame = pd.read_pickle(folder / "frame.pkl")
columns = [c for c in frame.columns if c != "group"]
categorical = [c for c in columns if c[0] in "bc"]
nonnormal = [c for c in columns if c.startswith("x")]
def work():
    tableone.TableOne(frame, columns=columns, categorical=categorical, groupby="group", nonnormal=nonnormal,
                      pval=True, smd=True, htest_name=True)
    return []
serve(work)
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
        ours: dict[str, Any] = {
            "deaths": sum(data["event"]),
            "p_value": exact.p_value,
            "exact_seconds": best(partial(exact_logrank_test, *columns, treated=1), 30),
            "drawn_p_value": drawn.p_value,
            "drawn_seconds": best(partial(permutation_logrank_test, *columns, treated=1, draws=DRAWS), 5),
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


def ours_on(columns: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Sequence[float]:
    times, events, group = columns
    last = []
    for code in (0, 1):
        member = group == code
        curve = kaplan_meier(times[member], events[member])
        curve.limits  # noqa: B018  (computed on demand; the rivals compute theirs at once)
        last.append(float(curve.survival[-2]))
    return [logrank_test(times, events, group).statistic, *last]


def lifelines_on(columns: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Sequence[float]:
    from lifelines import KaplanMeierFitter
    from lifelines.statistics import logrank_test as lifelines_logrank

    times, events, group = columns
    arms = [(times[member], events[member]) for member in (group == 0, group == 1)]
    last = [float(KaplanMeierFitter().fit(*arm).survival_function_.iloc[-2, 0]) for arm in arms]
    (t0, e0), (t1, e1) = arms
    return [float(lifelines_logrank(t0, t1, e0, e1).test_statistic), *last]


def survival_part(n: int, runs: int) -> dict[str, Any]:
    """Two curves with their limits and a log-rank test; chi-square and the curves near their ends agree."""
    columns = survival_columns(n)
    with task(**dict(zip(("time", "event", "group"), columns, strict=True))) as work:
        work.r("r", R_SURVIVAL, "survival")
        work.python("scikit_survival", SKSURV_IMPORTS, SKSURV_SURVIVAL, SKSURV)
        found = work.results(
            lambda: ours_on(columns), {"lifelines": lambda: lifelines_on(columns)}, runs=runs
        )
    return {"subjects": n, "chi_square": ours_on(columns)[0]} | found


def scaling_part() -> dict[str, Any]:
    sizes = [10_000, 100_000, 1_000_000]
    columns = [survival_columns(n) for n in sizes]
    seconds = [best(partial(ours_on, c), 5) for c in columns]
    allowed = sizes[-1] * np.log(sizes[-1]) / (sizes[0] * np.log(sizes[0]))
    growth = seconds[-1] / seconds[0]
    return {
        "subjects": sizes,
        "seconds": seconds,
        "growth": growth,
        "growth_of_n_log_n": allowed,
        "no_worse_than_n_log_n": bool(growth <= allowed),
    }


def table_part(interpreter: str, runs: int) -> dict[str, Any]:
    """The product's own rows of Table 1; what tableone prints has no numbers to compare."""
    frame = table_frame()
    ours = table_one(frame)

    def rows() -> Sequence[float]:
        ours.rows()
        return []

    with task() as work:
        frame.to_pickle(work.folder / "frame.pkl")
        needed = ("tableone==0.9.6", "pandas==2.3.3")
        imports = "import pandas as pd, tableone"
        work.python("tableone", imports, TABLEONE, *needed, interpreter=interpreter)
        found = work.results(rows, runs=runs)
    return {"rows": len(frame), "columns": frame.shape[1] - 1, "tableone_version": "0.9.6"} | found


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def parts(options: argparse.Namespace) -> dict[str, Callable[[], dict[str, Any]]]:
    """What can be measured, by name."""
    runs, study = options.runs, (MANY["time"], MANY["event"], MANY["group"])
    return {
        "permutation_logrank": permutation_part,
        "kaplan_meier_and_logrank": lambda: survival_part(options.subjects, runs),
        "scaling": scaling_part,
        "table_one": lambda: table_part(options.tableone_python, runs),
        "cox": lambda: cox_part(runs),
        "rank_sum": lambda: rank_sum_part(runs),
        "drawn": lambda: drawn_part(study, runs),
        "fisher": lambda: fisher_part(runs),
        "boschloo": lambda: boschloo_part(runs),
    }


def main() -> None:
    on_one_thread()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", metavar="PART")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--subjects", type=int, default=1_000_000)
    parser.add_argument("--tableone-python", default="", help="interpreter of an environment with tableone")
    options = parser.parse_args()
    report = json.loads(STORED.read_text(encoding="utf-8")) if STORED.is_file() else {}
    report["machine"] = {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "load_at_start": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    for name, measure in parts(options).items():
        if not options.only or name in options.only:
            print(name, flush=True)
            report[name] = rounded(measure())
            STORED.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
            print(json.dumps(report[name], indent=2))


if __name__ == "__main__":
    main()
