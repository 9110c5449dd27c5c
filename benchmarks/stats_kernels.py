"""Single tests and models beside R, SciPy, lifelines and scikit-survival; parts of ``stats_speed.py``.

Whatever a contender computes besides is computed on both sides: a Cox model has standard errors, limits and
overall tests (scikit-survival has coefficients alone), Fisher's test is the p-value alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from contenders import task

from helpers.stats.contingency import two_by_two_test
from helpers.stats.cox import cox_regression
from helpers.stats.logrank import exact_logrank_test, logrank_scores, permutation_logrank_test
from helpers.stats.two_group import permutation_test, rank_sum_test

SEED = 20260101
SKSURV = "scikit-survival==0.28.0"
DRAWS = 100_000

R_COX = """
d <- as.data.frame(matrix(numbers("design"), ncol = 10))
d$time <- numbers("time"); d$event <- numbers("event")
serve(function() {
  found <- summary(coxph(Surv(time, event) ~ ., data = d, ties = "efron"))
  c(found$coefficients[, "coef"], found$coefficients[, "se(coef)"])
})
"""
SKSURV_COX = """
x, y = numbers("design").reshape(10, -1).T.copy(), Surv.from_arrays(numbers("event") == 1, numbers("time"))
serve(lambda: CoxPHSurvivalAnalysis(ties="efron").fit(x, y).coef_)
"""
R_RANK_SUM = """
x <- numbers("x"); y <- numbers("y")
serve(function() {
  found <- wilcox.test(x, y, exact = FALSE, correct = FALSE); c(found$statistic, found$p.value)
})
"""
R_DRAWN_LOGRANK = """
d <- data.frame(time = numbers("time"), event = numbers("event"), g = factor(numbers("group")))
drawn <- approximate(nresample = numbers("draws"))
serve(function() as.numeric(pvalue(logrank_test(Surv(time, event) ~ g, data = d, distribution = drawn))))
"""
R_DRAWN_MEANS = """
x <- numbers("x"); y <- numbers("y")
d <- data.frame(value = c(x, y), g = factor(rep(1:2, c(length(x), length(y)))))
drawn <- approximate(nresample = numbers("draws"))
serve(function() as.numeric(pvalue(oneway_test(value ~ g, data = d, distribution = drawn))))
"""
R_FISHER = """
d <- array(numbers("tables"), c(2, 2, numbers("count")))
serve(function() apply(d, 3, function(x) fisher.test(x, conf.int = FALSE)$p.value))
"""


def cox_columns(rows: int) -> pd.DataFrame:
    """Six measurements and four answers of so many patients with their follow-up, not rounded."""
    rng = np.random.default_rng(SEED)
    design = rng.normal(size=(rows, 10))
    design[:, 6:] = design[:, 6:] > 0.5
    death = rng.exponential(100 * np.exp(-design @ np.linspace(-0.5, 0.5, 10)))
    end = rng.uniform(0, 300, rows)
    frame = pd.DataFrame(design, columns=[f"x{i}" for i in range(10)])
    return frame.assign(time=np.minimum(death, end), event=(death <= end).astype(int))


def cox_part(runs: int, rows: int = 100_000) -> dict[str, Any]:
    """Cox regression with Efron's ties, of times that are all different and of whole days."""
    from lifelines import CoxPHFitter

    frame = cox_columns(rows)
    names = [name for name in frame.columns if name.startswith("x")]
    # What their last step of the search leaves open: lifelines shortens each step by a twentieth and stops at
    # 1e-7 of the decrement, scikit-survival and R stop at 1e-9 of the likelihood.
    equal = {"lifelines": 1e-5, "scikit_survival": 1e-6}
    part: dict[str, Any] = {"rows": rows, "covariates": len(names)}
    for name, times in (("all_different", frame["time"]), ("whole_days", np.ceil(frame["time"]))):
        data = frame.assign(time=times)

        def ours(data: pd.DataFrame = data) -> Sequence[float]:
            found = cox_regression(data, time="time", event="event", covariates=names).table
            return [*found["coef"], *found["se"]]

        def lifelines(data: pd.DataFrame = data) -> Sequence[float]:
            found = CoxPHFitter().fit(data, "time", "event").summary
            return [*found["coef"], *found["se(coef)"]]

        columns = {"time": data["time"], "event": data["event"], "design": data[names].to_numpy().T}
        with task(**columns) as work:
            work.r("r", R_COX, "survival")
            imports = "from sksurv.linear_model import CoxPHSurvivalAnalysis\nfrom sksurv.util import Surv"
            work.python("scikit_survival", imports, SKSURV_COX, SKSURV)
            part[name] = work.results(ours, {"lifelines": lifelines}, runs=runs, equal=equal)
    return part


def rank_sum_part(runs: int, rows: int = 1_000_000) -> dict[str, Any]:
    """Rank-sum test by the normal approximation, of values that are all different and of rounded ones."""
    from scipy.stats import mannwhitneyu

    rng = np.random.default_rng(SEED)
    x, y = np.exp(rng.normal(4.003, 1, rows // 2)), np.exp(rng.normal(4, 1, rows // 2))
    # Farther apart than the rounding up to which our test takes two values for one.
    apart = np.split(rng.choice(10**9, 2 * (rows // 2), replace=False) / 1e6, 2)
    part: dict[str, Any] = {"values": rows}
    samples: tuple[tuple[str, Any, Any], ...]
    samples = ("all_different", apart[0], apart[1]), ("tied", np.round(x, 1), np.round(y, 1))
    for name, first, second in samples:

        def ours(first: Any = first, second: Any = second) -> Sequence[float]:
            found = rank_sum_test(first, second, method="asymptotic")
            return [found.statistic, found.p_value]

        def scipy(first: Any = first, second: Any = second) -> Sequence[float]:
            found = mannwhitneyu(first, second, use_continuity=False, method="asymptotic")
            return [found.statistic, found.pvalue]

        with task(x=first, y=second) as work:
            work.r("r", R_RANK_SUM)
            part[name] = work.results(ours, {"scipy": scipy}, runs=runs)
    return part


def p_values(tables: Sequence[Any], p_value: Callable[[Any], float]) -> list[float]:
    """The p-value of each table, one after the other."""
    return [p_value(table) for table in tables]


def summed(x: Any, y: Any, axis: int = -1) -> Any:  # noqa: ARG001
    """Sum of the first sample."""
    return x.sum(axis=axis)


def mean_difference(x: Any, y: Any, axis: int = -1) -> Any:
    """Difference of means, of many relabellings at once."""
    return x.mean(axis=axis) - y.mean(axis=axis)


def drawn_by_scipy(x: Any, y: Any, statistic: Any) -> Sequence[float]:
    """The p-value of SciPy's own permutation test."""
    from scipy.stats import permutation_test as of_scipy

    generator = np.random.default_rng(SEED)
    return [of_scipy((x, y), statistic, vectorized=True, n_resamples=DRAWS, rng=generator).pvalue]


def chance(first: Sequence[float], second: Sequence[float]) -> float:
    """Difference of two drawn p-values in standard errors of it."""
    middle = (first[0] + second[0]) / 2
    return float(abs(first[0] - second[0]) / max(np.sqrt(2 * middle * (1 - middle) / DRAWS), 1e-300))


# Drawn p-values are equal within four standard errors.
BY_CHANCE = {"coin": 4.0, "scipy": 4.0}


def drawn_logrank(columns: tuple[Any, Any, Any], runs: int) -> dict[str, Any]:
    """A permutation log-rank test beside coin, and beside SciPy on the same scores."""
    group = np.asarray(columns[2])
    scores = logrank_scores(*columns[:2])

    def ours() -> Sequence[float]:
        return [permutation_logrank_test(*columns, treated=1, draws=DRAWS).p_value]

    def scipy() -> Sequence[float]:
        return drawn_by_scipy(scores[group == 1], scores[group == 0], summed)

    with task(**dict(zip(("time", "event", "group"), columns, strict=True)), draws=[DRAWS]) as work:
        work.r("coin", R_DRAWN_LOGRANK, "survival", "coin")
        part = work.results(ours, {"scipy": scipy}, runs=runs, equal=BY_CHANCE, difference=chance)
    return {"subjects": group.size, "draws": DRAWS} | part


def drawn_means(runs: int) -> dict[str, Any]:
    """A permutation test of any statistic beside SciPy, here the difference of means.

    coin draws sums of scores only, a lighter piece of work: its seconds are recorded, but the fastest of
    those who take any statistic is SciPy.
    """
    rng = np.random.default_rng(SEED)
    x, y = rng.normal(0.5, 1, 20), rng.normal(0, 1, 21)

    def ours() -> Sequence[float]:
        return [permutation_test(x, y, mean_difference, draws=DRAWS).p_value]

    with task(x=x, y=y, draws=[DRAWS]) as work:
        work.r("coin", R_DRAWN_MEANS, "coin")
        here = {"scipy": lambda: drawn_by_scipy(x, y, mean_difference)}
        part = work.results(ours, here, runs=runs, equal=BY_CHANCE, difference=chance)
    part |= {"fastest": "scipy", "times_faster": part["times_faster_than_scipy"]}
    return {"subjects": x.size + y.size, "draws": DRAWS} | part


def drawn_part(study: tuple[Any, Any, Any], runs: int) -> dict[str, Any]:
    """Permutation tests of 100,000 draws, in a small study and in one ten times its size."""
    rng = np.random.default_rng(SEED)
    group = np.repeat([1, 0], 200)
    death, end = rng.exponential(100 * (1 + 0.2 * group)), rng.uniform(0, 300, 400)
    larger = np.minimum(death, end), (death <= end).astype(int), group
    exact = exact_logrank_test(*study, treated=1).p_value
    small = drawn_logrank(study, runs)
    drawn = permutation_logrank_test(*study, treated=1, draws=DRAWS).p_value
    small["standard_errors_from_exact_p"] = chance([drawn], [exact]) * 2**0.5
    return {"small": small, "larger": drawn_logrank(larger, runs), "means": drawn_means(runs)}


def fisher_part(runs: int, count: int = 2_000) -> dict[str, Any]:
    """Fisher's exact test of many tables, one after the other, of small and of large groups."""
    from scipy.stats import fisher_exact

    rng = np.random.default_rng(SEED)
    part: dict[str, Any] = {"tables": count}
    for name, low, high in (("small", 15, 60), ("large", 500, 2_000)):
        sizes, risk = rng.integers(low, high, (count, 2)), rng.uniform(0.05, 0.6, (count, 1))
        events = rng.binomial(sizes, risk)
        tables = np.stack([events, sizes - events], axis=2).tolist()
        # R fills an array by columns.
        with task(tables=np.array(tables).transpose(0, 2, 1), count=[count]) as work:
            work.r("r", R_FISHER)
            part[name] = work.results(
                partial(p_values, tables, lambda x: two_by_two_test(x, rule="fisher").p_value),
                {"scipy": partial(p_values, tables, lambda x: fisher_exact(x).pvalue)},
                runs=runs,
            )
    return part


def boschloo_part(runs: int) -> dict[str, Any]:
    """Boschloo's test of two thousand patients against its limit, and of fewer beside SciPy."""
    from scipy.stats import boschloo_exact

    tables = [
        [[1, 19], [8, 13]],
        [[7, 8], [2, 16]],
        [[12, 18], [22, 13]],
        [[5, 45], [14, 36]],
        [[30, 70], [44, 56]],
    ]
    with task() as work:
        part = work.results(
            lambda: [two_by_two_test(x, rule="boschloo").p_value for x in tables],
            {"scipy": lambda: [boschloo_exact(np.transpose(x)).pvalue for x in tables]},
            runs=runs,
        )
        found = work.results(
            lambda: [two_by_two_test([[400, 600], [450, 550]], rule="boschloo").p_value], runs=runs
        )
    return {
        "small": part,
        "a_thousand_each": {"seconds": found["seconds"], "runs": runs, "limit_seconds": 1},
    }
