"""The order of rows, of groups and of levels decides nothing, not even the last digit."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

import numpy as np
import pandas as pd
import pytest

from helpers.stats.censored import censored_quantile, censored_rank_test, limit_sensitivity
from helpers.stats.competing import cumulative_incidence, gray_test
from helpers.stats.contingency import r_by_c_test
from helpers.stats.cox import cox_regression, proportional_hazards_test
from helpers.stats.firth import firth_cox, firth_logistic
from helpers.stats.kaplan_meier import kaplan_meier, median_follow_up
from helpers.stats.logrank import (
    exact_logrank_test,
    logrank_test,
    permutation_logrank_test,
    peto_hazard_ratio,
)
from helpers.stats.mixed_model import visit_model
from helpers.stats.paired_shift import paired_shift
from helpers.stats.repeated import (
    change_from_baseline,
    friedman_test,
    page_trend_test,
    signed_rank_test,
)
from helpers.stats.rmst import rmst, rmst_difference, rmst_ratio, survival_difference
from helpers.stats.shift import hodges_lehmann
from helpers.stats.two_group import (
    median_difference,
    permutation_test,
    rank_sum_test,
    standardized_difference,
)


def on_visits(frame, qualifier=None):
    """Mixed model of the long table."""
    fit = visit_model(
        frame,
        value="value",
        id="patient_id",
        visit="visit",
        baseline="week_0",
        logarithm=True,
        qualifier=qualifier,
    )
    return [fit.overall, *(fit.changes[name] for name in sorted(fit.changes))]


RNG = np.random.default_rng(20240501)
N = 41
# Values with many digits, so that a sum in another order differs in its last ones.
FRAME = pd.DataFrame(
    {
        "time": np.minimum(np.ceil(RNG.exponential(40, N)), 56) / 7,
        "event": RNG.integers(0, 2, N),
        "status": RNG.integers(0, 3, N),
        "group": np.where(np.arange(N) < 20, "treated", "control"),
        "stratum": RNG.integers(0, 3, N),
        "arm": (np.arange(N) < 20) * 1.0,
        "x": RNG.normal(size=N) / 3,
        "y": RNG.lognormal(6, 1, N),
        "z": RNG.lognormal(6, 1, N) / 7,
        "sign": np.where(RNG.random(N) < 0.2, ">", ""),
    }
)
FRAME["limited"] = np.where(FRAME["sign"] == ">", 1500.0, FRAME["y"])
LONG = pd.DataFrame(
    [(i, f"week_{w}", w, float(RNG.lognormal(5 - w / 4, 1))) for i in range(15) for w in range(4)],
    columns=["patient_id", "visit", "week", "value"],
)
COLUMNS = {"time": "time", "event": "event", "covariates": ["arm", "x"]}


def survival(frame):
    return frame["time"], frame["event"], frame["group"]


def two(frame, column="y"):
    return tuple(frame.loc[frame["group"] == g, column].to_numpy() for g in ("treated", "control"))


def limits(frame):
    (x, y), (xs, ys) = two(frame, "limited"), two(frame, "sign")
    return x, xs, y, ys


def mean_gap(x, y):
    return np.mean(x) - np.mean(y)


CALLS = {
    "kaplan_meier": lambda f: kaplan_meier(f["time"], f["event"]).table,
    "median_follow_up": lambda f: median_follow_up(f["time"], f["event"]),
    "rmst": lambda f: rmst(f["time"], f["event"], 7),
    "rmst_difference": lambda f: rmst_difference(*survival(f), 7, treated="treated"),
    "rmst_ratio": lambda f: rmst_ratio(*survival(f), 7, treated="treated"),
    "survival_difference": lambda f: survival_difference(*survival(f), 7, treated="treated"),
    "logrank": lambda f: logrank_test(*survival(f)),
    "logrank, stratified": lambda f: logrank_test(*survival(f), strata=f["stratum"], weights="peto"),
    "exact logrank": lambda f: exact_logrank_test(*survival(f), treated="treated"),
    "permutation logrank": lambda f: permutation_logrank_test(*survival(f), treated="treated", draws=2000),
    "peto": lambda f: peto_hazard_ratio(*survival(f), treated="treated"),
    "cox": lambda f: cox_regression(f, **COLUMNS).table,
    "cox, exact ties": lambda f: cox_regression(f, **COLUMNS, ties="exact").table,
    "proportional hazards": lambda f: list(proportional_hazards_test(cox_regression(f, **COLUMNS)).values()),
    "firth cox": lambda f: firth_cox(f, **COLUMNS).table,
    "firth logistic": lambda f: firth_logistic(f, outcome="event", covariates=["arm", "x"]).table,
    "incidence": lambda f: cumulative_incidence(f["time"], f["status"]).table,
    "gray": lambda f: gray_test(f["time"], f["status"], f["group"]),
    "rank sum": lambda f: rank_sum_test(*two(f)),
    "shift": lambda f: hodges_lehmann(*two(f)),
    "medians": lambda f: median_difference(*two(f), draws=500),
    "standardised": lambda f: standardized_difference(*two(f), scale="log"),
    "permutation": lambda f: permutation_test(*two(f), mean_gap, draws=300),
    "signed rank": lambda f: signed_rank_test(f["y"], f["z"]),
    "paired shift": lambda f: paired_shift(f["y"], f["z"]),
    "friedman": lambda f: friedman_test(f[["x", "y", "z"]]),
    "page": lambda f: page_trend_test(f[["x", "y", "z"]]),
    "limits": lambda f: censored_rank_test(*limits(f)),
    "limits, drawn": lambda f: censored_rank_test(*limits(f), method="peto_prentice"),
    "sensitivity": lambda f: limit_sensitivity(*limits(f)),
    "median under limits": lambda f: censored_quantile(f["limited"], f["sign"], 0.75),
    "mixed model": lambda _: None,
    "mixed model with limits": lambda _: None,
    "change": lambda _: None,
}
LONG_CALLS = {
    "mixed model": lambda f: on_visits(f),
    "mixed model with limits": lambda f: on_visits(
        f.assign(sign=np.where(f["value"] > 200, ">", "")), "sign"
    ),
    "change": lambda f: change_from_baseline(f, baseline="week_0", visits=["week_1", "week_3"]),
}


def plain(found):
    """What a result holds, as text that shows every bit."""
    if isinstance(found, pd.DataFrame):
        return [[plain(v) for v in row] for row in found.itertuples(index=False)]
    if isinstance(found, list | tuple):
        return [plain(v) for v in found]
    if is_dataclass(found):
        return {f.name: plain(getattr(found, f.name)) for f in fields(found)}
    return float(found).hex() if isinstance(found, float | np.floating) else repr(found)


@pytest.mark.parametrize("name", CALLS)
def test_shuffled_rows_change_no_bit(name):
    call = LONG_CALLS.get(name, CALLS[name])
    frame = LONG if name in LONG_CALLS else FRAME
    expected = plain(call(frame))
    for seed in range(3):
        shuffled = frame.sample(frac=1, random_state=seed)
        assert plain(call(shuffled)) == expected
        assert plain(call(shuffled.reset_index(drop=True))) == expected


def test_the_order_of_groups_and_levels_changes_no_drawn_p_value():
    table = np.array([[9, 12, 5, 20], [15, 4, 11, 8], [3, 3, 9, 30]])
    expected = r_by_c_test(table, method="monte_carlo", draws=2000).p_value
    for other in (table[::-1], table[:, ::-1], table[[1, 2, 0]][:, [2, 0, 3, 1]]):
        assert r_by_c_test(other, method="monte_carlo", draws=2000).p_value == expected
    small = table[:2, :3]
    transposed = r_by_c_test(small, method="exact").p_value
    assert r_by_c_test(small.T, method="exact").p_value == pytest.approx(transposed)
