"""Do the small-sample methods keep their word at 20 + 21 subjects? Type-I error and coverage by simulation.

    python benchmarks/calibration.py [--replicates 10000] [--workers 2] [--fresh]

For event rates from 0.05 to 0.6, equal in both arms, data sets of 20 and 21 subjects followed for 56 whole
days are drawn (exponential times, a fifth of the subjects lost early at a uniform time). Each test is run at
the 5% level and each interval at 95%. Writes calibration.csv (a cell at a time: an interrupted run resumes,
`--fresh` starts over) and calibration.png beside this file. Every cell has its own seed.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from functools import cache
from math import erfc
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from helpers.stats.censored import censored_rank_test
from helpers.stats.contingency import two_by_two_test
from helpers.stats.cox import cox_regression
from helpers.stats.kaplan_meier import kaplan_meier
from helpers.stats.logrank import exact_logrank_test, logrank_test
from helpers.stats.proportions import poisson_rate, proportion_difference, proportion_interval
from helpers.stats.repeated import signed_rank_test
from helpers.stats.rmst import rmst_difference
from helpers.stats.shift import hodges_lehmann
from helpers.stats.two_group import rank_sum_test

RATES = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6)
TREATED, CONTROL, HORIZON, DAY = 20, 21, 56, 28
GROUP = np.repeat([1, 0], [TREATED, CONTROL])
LEVEL = 0.05
HERE = Path(__file__).parent
COLUMNS = [
    "kind",
    "family",
    "method",
    "exact",
    "event_rate",
    "replicates",
    "value",
    "std_err",
    "within_target",
]


def seed_of(*names: object) -> int:
    return zlib.crc32("|".join(map(str, names)).encode())


def survival_sample(rng: np.random.Generator, rate: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Whole days to death within the horizon with probability `rate`; a fifth are lost at a uniform day."""
    hazard = -np.log1p(-rate) / HORIZON
    death = np.ceil(rng.exponential(1 / hazard, n))
    end = np.where(rng.random(n) < 0.2, np.ceil(rng.uniform(0, HORIZON, n)), HORIZON)
    return np.minimum(death, end), (death <= end).astype(int)


# ---- type-I error: a function yields one p-value per method and replicate
# --------------------------------------

TABLE_RULES = {
    "fisher": True,
    "mid_p": True,
    "barnard": True,
    "boschloo": True,
    "pearson": False,
    "yates": False,
    "expected_count": False,
}


@cache
def table_p(a: int, b: int) -> dict[str, float]:
    table = [[a, TREATED - a], [b, CONTROL - b]]
    return {rule: two_by_two_test(table, rule=cast("Any", rule)).p_value for rule in TABLE_RULES}


def table_tests(rng: np.random.Generator, rate: float) -> dict[str, float]:
    return table_p(int(rng.binomial(TREATED, rate)), int(rng.binomial(CONTROL, rate)))


def survival_tests(rng: np.random.Generator, rate: float) -> dict[str, float]:
    time, event = survival_sample(rng, rate, TREATED + CONTROL)
    found = {
        "exact log-rank": exact_logrank_test(time, event, GROUP).p_value,
        "log-rank": logrank_test(time, event, GROUP).p_value,
        "Cox likelihood ratio": 1.0,
        "Cox Wald": 1.0,
    }
    if event.any():
        frame = pd.DataFrame({"time": time, "event": event, "group": GROUP})
        fit = cox_regression(frame, time="time", event="event", covariates=["group"])
        found["Cox likelihood ratio"] = fit.test().p_value
        # Without a finite estimate Wald's test cannot reject; so it is counted.
        if not fit.separated:
            z = abs(float(fit.coefficients[0] / fit.standard_errors[0]))
            found["Cox Wald"] = float(erfc(z / np.sqrt(2)))
    return found


def rank_tests(rng: np.random.Generator, rate: float) -> dict[str, float]:
    """Lognormal values in whole tens, the highest share `rate` of them beyond a reporting limit."""
    value = np.round(np.exp(rng.normal(7, 1, TREATED + CONTROL)), -1)
    limit = float(np.round(np.exp(7 + _normal_quantile(1 - rate)), -1))
    sign = np.where(value > limit, ">", "")
    cut = np.minimum(value, limit)
    x, y = slice(0, TREATED), slice(TREATED, None)
    tied = np.where(value > limit, limit + 1, value)
    return {
        "exact rank-sum, values at the limit tied": censored_rank_test(
            cut[x], sign[x], cut[y], sign[y]
        ).p_value,
        "rank-sum, normal": rank_sum_test(tied[x], tied[y], method="asymptotic").p_value,
        "rank-sum, normal, corrected": rank_sum_test(tied[x], tied[y], method="asymptotic_corrected").p_value,
    }


def paired_tests(rng: np.random.Generator, rate: float) -> dict[str, float]:
    """Twenty changes in whole units, a share `rate` of them zero."""
    change = np.round(rng.normal(0, 3, TREATED)) * (rng.random(TREATED) > rate)
    zero = np.zeros(TREATED)
    return {
        "exact signed-rank (Wilcoxon zeros)": signed_rank_test(zero, change).p_value,
        "exact signed-rank (Pratt zeros)": signed_rank_test(zero, change, zeros="pratt").p_value,
        "signed-rank, normal": signed_rank_test(zero, change, method="asymptotic").p_value,
    }


@cache
def _normal_quantile(p: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf(p))


# ---- coverage: a function yields (lower, upper, truth) per method and replicate
# ---------------------------------

Limits = dict[str, tuple[float, float, float]]


@cache
def proportion_limits(k: int) -> dict[str, tuple[float, float]]:
    methods = ("clopper_pearson", "wilson", "jeffreys", "mid_p")
    found = {m: proportion_interval(k, TREATED, method=cast("Any", m)) for m in methods}
    p = k / TREATED
    half = 1.959964 * np.sqrt(p * (1 - p) / TREATED)
    return {m: (r.lower, r.upper) for m, r in found.items()} | {"Wald": (p - half, p + half)}


def proportions(rng: np.random.Generator, rate: float) -> Limits:
    return {m: (*v, rate) for m, v in proportion_limits(int(rng.binomial(TREATED, rate))).items()}


@cache
def difference_limits(a: int, b: int) -> dict[str, tuple[float, float]]:
    methods = ("newcombe", "miettinen_nurminen")
    found = {m: proportion_difference(a, TREATED, b, CONTROL, method=cast("Any", m)) for m in methods}
    p, q = a / TREATED, b / CONTROL
    half = 1.959964 * np.sqrt(p * (1 - p) / TREATED + q * (1 - q) / CONTROL)
    return {m: (r.lower, r.upper) for m, r in found.items()} | {"Wald": (p - q - half, p - q + half)}


def differences(rng: np.random.Generator, rate: float) -> Limits:
    """Half the event rate under treatment, so that the true difference is not zero."""
    limits = difference_limits(int(rng.binomial(TREATED, rate / 2)), int(rng.binomial(CONTROL, rate)))
    return {m: (*v, -rate / 2) for m, v in limits.items()}


def survival_at_day(rng: np.random.Generator, rate: float) -> Limits:
    time, event = survival_sample(rng, rate, TREATED)
    truth = (1 - rate) ** (DAY / HORIZON)
    curve = kaplan_meier(time, event)
    found = {}
    for kind in ("beta-product", "log-log", "arcsine", "log", "plain"):
        at = replace(curve, interval=kind).at(DAY)
        lower, upper = at.lower, at.upper
        if kind != "beta-product" and at.value in (0.0, 1.0):
            # What other software prints there: an interval without width.
            found[f"{kind}, no interval at S = 1"] = (at.value, at.value, truth)
        else:
            found[f"{kind}, no interval at S = 1"] = (lower, upper, truth)
        found[kind] = (lower, upper, truth)
    del found["beta-product, no interval at S = 1"]
    return found


def restricted_means(rng: np.random.Generator, rate: float) -> Limits:
    time, event = survival_sample(rng, rate, TREATED + CONTROL)
    tau = min(float(time[g == GROUP].max()) for g in (0, 1))
    found = rmst_difference(time, event, GROUP, tau, treated=1)
    return {"restricted mean difference, normal": (found.lower, found.upper, 0.0)}


def shifts(rng: np.random.Generator, rate: float) -> Limits:
    """Hodges-Lehmann shift of normal values; the true shift is the rate."""
    found = hodges_lehmann(rng.normal(rate, 1, TREATED), rng.normal(0, 1, CONTROL))
    return {"Hodges-Lehmann, exact": (found.lower, found.upper, rate)}


@cache
def rate_limits(count: int) -> tuple[float, float]:
    found = poisson_rate(count, TREATED)
    return found.lower, found.upper


def event_rates(rng: np.random.Generator, rate: float) -> Limits:
    count = int(rng.poisson(rate * TREATED))
    half = 1.959964 * np.sqrt(count) / TREATED
    wald = (count / TREATED - half, count / TREATED + half, rate)
    return {"Poisson rate, exact": (*rate_limits(count), rate), "Poisson rate, Wald": wald}


TESTS: dict[str, Callable[[np.random.Generator, float], dict[str, float]]] = {
    "two by two": table_tests,
    "survival": survival_tests,
    "values": rank_tests,
    "paired": paired_tests,
}
INTERVALS: dict[str, Callable[[np.random.Generator, float], Limits]] = {
    "proportion": proportions,
    "difference of proportions": differences,
    "survival at day 28": survival_at_day,
    "restricted mean": restricted_means,
    "shift": shifts,
    "rate": event_rates,
}


def is_exact(method: str) -> bool:
    if method.startswith(
        ("exact", "Hodges", "Poisson rate, exact", "fisher", "barnard", "boschloo", "clopper")
    ):
        return True
    return method == "beta-product"


def error_cell(family: str, rate: float, replicates: int) -> Iterator[list[object]]:
    rng = np.random.default_rng(seed_of("error", family, rate))
    rejected: dict[str, int] = {}
    for _ in range(replicates):
        for method, p in TESTS[family](rng, rate).items():
            rejected[method] = rejected.get(method, 0) + (p <= LEVEL)
    for method, count in rejected.items():
        share = count / replicates
        error = float(np.sqrt(max(share * (1 - share), 1e-9) / replicates))
        # Three simulation errors of allowance above; below 0.6 of nominal a method wastes information.
        within = 0.6 * LEVEL <= share <= LEVEL + 3 * np.sqrt(LEVEL * (1 - LEVEL) / replicates)
        yield ["type I error", family, method, is_exact(method), rate, replicates, share, error, within]


def coverage_cell(family: str, rate: float, replicates: int) -> Iterator[list[object]]:
    rng = np.random.default_rng(seed_of("coverage", family, rate))
    covered: dict[str, int] = {}
    for _ in range(replicates):
        for method, (lower, upper, truth) in INTERVALS[family](rng, rate).items():
            covered[method] = covered.get(method, 0) + (lower - 1e-9 <= truth <= upper + 1e-9)
    for method, count in covered.items():
        share = count / replicates
        error = float(np.sqrt(max(share * (1 - share), 1e-9) / replicates))
        yield [
            "coverage",
            family,
            method,
            is_exact(method),
            rate,
            replicates,
            share,
            error,
            0.93 <= share <= 0.99,
        ]


def cell(kind: str, family: str, rate: float, replicates: int) -> list[list[object]]:
    one = error_cell if kind == "type I error" else coverage_cell
    return list(one(family, rate, replicates))


def run(replicates: int, target: Path, workers: int | None) -> pd.DataFrame:
    """Fill the missing cells of the table, saving after each."""
    done = pd.read_csv(target) if target.exists() else pd.DataFrame(columns=COLUMNS)
    done = done[done["replicates"] == replicates]
    present = set(zip(done["kind"], done["family"], done["event_rate"], strict=True))
    jobs = [("type I error", f, r) for f in TESTS for r in RATES] + [
        ("coverage", f, r) for f in INTERVALS for r in RATES
    ]
    with ProcessPoolExecutor(workers) as pool:
        pending = {pool.submit(cell, *job, replicates): job for job in jobs if job not in present}
        for finished in as_completed(pending):
            rows = pd.DataFrame(finished.result(), columns=COLUMNS)
            done = rows if done.empty else pd.concat([done, rows], ignore_index=True)
            done.to_csv(target, index=False, float_format="%.6g")
            print("{}: {} at {:g}".format(*pending[finished]), flush=True)
    order = [*COLUMNS[:5]]
    done = done.sort_values(order, kind="stable").reset_index(drop=True)
    done.to_csv(target, index=False, float_format="%.6g")
    return done


def draw(table: pd.DataFrame, target: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    panels = [("type I error", f) for f in TESTS] + [("coverage", f) for f in INTERVALS]
    figure, axes = plt.subplots(5, 2, figsize=(13.5, 15), layout="constrained")
    for axis, (kind, family) in zip(axes.flat, panels, strict=True):
        part = table[(table["kind"] == kind) & (table["family"] == family)]
        for method, rows in part.groupby("method", sort=True):
            line = "-" if rows["exact"].iloc[0] else "--"
            axis.plot(
                rows["event_rate"], rows["value"], line, marker="o", markersize=3, label=method, linewidth=1
            )
        nominal = LEVEL if kind == "type I error" else 1 - LEVEL
        band = (0.6 * LEVEL, LEVEL) if kind == "type I error" else (0.93, 0.99)
        axis.axhspan(*band, color="0.9", zorder=0)
        axis.axhline(nominal, color="0.4", linewidth=0.8)
        axis.set(title=f"{kind}: {family}", xlabel="event rate (share at the limit, zero or shifted)")
        axis.set_ylim(*((0, 0.1) if kind == "type I error" else (0.8, 1.0)))
        axis.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    figure.suptitle("20 + 21 subjects; exact methods solid, asymptotic dashed; target shaded", fontsize=10)
    figure.savefig(target, dpi=110, metadata={"Software": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=10_000)
    parser.add_argument("--workers", type=int, help="processes; as many as processors if not given")
    parser.add_argument("--fresh", action="store_true")
    options = parser.parse_args()
    target = HERE / "calibration.csv"
    if options.fresh:
        target.unlink(missing_ok=True)
    draw(run(options.replicates, target, options.workers), HERE / "calibration.png")


if __name__ == "__main__":
    main()
