"""One effect by every method: how far the comparison of survival depends on the choice of the statistic.

>>> from helpers.analysis.survival import survival_times
>>> times = survival_times(tables, config, 56)
>>> effects_on_survival(times, config, store, confidence=0.95, seed=1, draws=1000)
20
>>> round(store.rows()["effect.death.both.day_56.peto"].value, 3)
0.182
>>> found = survival_effects(
...     times.frame, ["ruxolitinib", "control"], 56, confidence=0.95, seed=1, draws=1000
... )
>>> store_effects(found, "example", "death", 56, store)
>>> len(list(risk_effects(times.frame, ["ruxolitinib", "control"], 0.95)))
10
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from helpers.analysis.survival import TREATED, SurvivalTimes, hazard_ratios, not_estimated
from helpers.analysis.variables import comparison
from helpers.stats.contingency import odds_ratio, two_by_two_test
from helpers.stats.firth import firth_logistic
from helpers.stats.logrank import (
    exact_logrank_test,
    logrank_test,
    permutation_logrank_test,
    peto_hazard_ratio,
)
from helpers.stats.proportions import proportion_difference
from helpers.stats.result import Result, StatisticsError
from helpers.stats.rmst import rmst_difference, rmst_ratio, survival_difference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd

    from helpers.cohort.config import CohortConfig
    from helpers.results.store import StatisticsStore

ANALYSIS, OUTCOME = "effect", "death"
RATIO, POINTS, DAYS = "ratio", "percentage points", "days"
# Name in the identifier, unit, and the result.
Effect: TypeAlias = "tuple[str, str, Result]"
_TABLE_RULES = ("fisher", "mid_p", "boschloo", "barnard", "pearson", "yates")


def effects_on_survival(
    times: SurvivalTimes,
    config: CohortConfig,
    store: StatisticsStore,
    *,
    confidence: float,
    seed: int,
    draws: int = 100_000,
) -> int:
    """Store the effect of treatment on survival by every method that applies; return how many.

    Estimates: hazard ratios (Cox with Efron's ties, Firth, Peto), odds ratios of death by the horizon
    (conditional exact, Firth), ratio and difference of restricted means, difference of survival at the
    horizon, difference of risks. Tests: log-rank (asymptotic, exact, Monte Carlo), Gehan-weighted, and the
    2 x 2 tests of dead against alive. Those of the 2 x 2 table are left out where somebody's follow-up ended
    before the horizon, for then the table is not known; what else cannot be computed or estimated (the exact
    log-rank test of a cohort too large to enumerate, a hazard ratio without a death while both groups were at
    risk) is stored without a value, and its note says why.
    """
    groups = comparison(config)
    frame = times.frame[times.frame["group"].isin(groups)]
    if frame["group"].nunique() < 2 or not frame["event"].any():
        return 0
    found = survival_effects(frame, groups, times.horizon_days, confidence=confidence, seed=seed, draws=draws)
    store_effects(found, ANALYSIS, OUTCOME, times.horizon_days, store)
    return len(found)


def survival_effects(
    frame: pd.DataFrame,
    groups: list[str],
    horizon: int,
    *,
    confidence: float,
    seed: int,
    draws: int = 100_000,
) -> list[Effect]:
    """Return every effect on a time to an event that nothing competes with.

    Args:
        frame: group, time, event and treated (1 or 0) of the two groups.
        groups: the treated and the reference group.
        horizon: last day of the analysis.
        confidence: level of the intervals.
        seed, draws: of the permutation test.
    """
    found = [
        *_hazard_ratios(frame, groups, confidence),
        *_time_scale(frame, groups, horizon, confidence),
        *_logrank_tests(frame, groups, seed, draws),
    ]
    if (frame["event"] | (frame["time"] >= horizon)).all():
        found += risk_effects(frame, groups, confidence)
    return found


def store_effects(
    found: Iterable[Effect], analysis: str, outcome: str, horizon: int, store: StatisticsStore
) -> None:
    """Store effects: estimates in their unit, of tests the statistic."""
    common: dict[str, Any] = {"group": "both", "timepoint": f"day_{horizon}"}
    for name, unit, result in found:
        store.add(analysis, outcome, name, result=result, unit=unit, **_scaled(result, unit), **common)


def _scaled(result: Result, unit: str) -> dict[str, Any]:
    """Return differences of shares in percentage points, and of a test its statistic."""
    if unit == POINTS:
        return {name: 100 * getattr(result, name) for name in ("value", "lower", "upper")}
    return {} if unit else {"value": result.statistic}


def _hazard_ratios(frame: pd.DataFrame, groups: list[str], confidence: float) -> Iterator[Effect]:
    data = (frame["time"], frame["event"], frame["group"])
    efron, firth = hazard_ratios(frame, confidence)
    yield "cox_efron", RATIO, efron
    yield "cox_firth", RATIO, firth
    yield "peto", RATIO, peto_hazard_ratio(*data, treated=groups[0], confidence=confidence)


def _time_scale(frame: pd.DataFrame, groups: list[str], horizon: int, confidence: float) -> Iterator[Effect]:
    data = (frame["time"], frame["event"], frame["group"])
    options: dict[str, Any] = {"treated": groups[0], "confidence": confidence}
    for name, unit, contrast in (
        ("rmst_ratio", RATIO, rmst_ratio),
        ("rmst_difference", DAYS, rmst_difference),
    ):
        try:
            yield name, unit, contrast(*data, horizon, **options)
        except StatisticsError as error:  # beyond the shorter follow-up the restricted mean is not known
            method = f"restricted mean survival time to {horizon:g}"
            yield name, unit, not_estimated(error, method, len(frame))
    yield "survival_difference", POINTS, survival_difference(*data, horizon, **options)


def risk_effects(frame: pd.DataFrame, groups: list[str], confidence: float) -> Iterator[Effect]:
    """Yield odds ratios, risk differences and 2 x 2 tests of `event`, which is known of everybody."""
    dead = [int(frame.loc[frame["group"] == group, "event"].sum()) for group in groups]
    size = [int((frame["group"] == group).sum()) for group in groups]
    table = np.array([[d, n - d] for d, n in zip(dead, size, strict=True)])
    yield "odds_ratio_exact", RATIO, odds_ratio(table, confidence=confidence)
    try:
        logistic = firth_logistic(frame, outcome="event", covariates=[TREATED], confidence=confidence)
        yield "odds_ratio_firth", RATIO, logistic.result(TREATED)
    except StatisticsError as error:
        yield "odds_ratio_firth", RATIO, not_estimated(error, "Firth-penalised odds ratio", len(frame))
    for method in ("newcombe", "miettinen_nurminen"):
        found = proportion_difference(
            dead[0], size[0], dead[1], size[1], method=method, confidence=confidence
        )
        yield f"risk_difference_{method}", POINTS, found
    for rule in _TABLE_RULES:
        yield f"test_{rule}", "", two_by_two_test(table, rule=rule)  # type: ignore[arg-type]


def _exact_logrank(frame: pd.DataFrame, treated: str) -> Result:
    """Return the exact test, or a result without a p-value that says that the cohort is too large for it."""
    try:
        return exact_logrank_test(frame["time"], frame["event"], frame["group"], treated=treated)
    except StatisticsError as error:
        if error.argument != "method":
            raise
        note = f"not computed: {error.problem}"
        return Result(method="exact permutation log-rank test", n=len(frame), note=note)


def _logrank_tests(frame: pd.DataFrame, groups: list[str], seed: int, draws: int) -> Iterator[Effect]:
    data = (frame["time"], frame["event"], frame["group"])
    yield "test_logrank", "", logrank_test(*data)
    yield "test_logrank_exact", "", _exact_logrank(frame, groups[0])
    yield (
        "test_logrank_monte_carlo",
        "",
        permutation_logrank_test(*data, treated=groups[0], seed=seed, draws=draws),
    )
    yield "test_gehan", "", logrank_test(*data, weights="gehan")
