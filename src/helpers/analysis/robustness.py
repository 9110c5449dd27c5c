"""What a historical control can and cannot show: time, era, confounding, fragility and power, as stored rows.

Every question is asked of every cohort. Where it has no answer (no death in an arm, too few patients for a
model, nothing recorded) the row is stored without a value and its note says why.

>>> arms.counts(), arms.timepoint, arms.one_arm
((1, 20, 8, 21), 'day_56', '')
>>> grid = describe_unmeasured(
...     arms, store, Result(method="Cox", value=0.11, lower=0.01, upper=0.87)
... )
>>> grid["conclusion"].value_counts().index.tolist()
['inconclusive', 'holds']
>>> (
...     len(describe_fragility(arms, store)),
...     store.rows()["fragility.death.both.day_56.fisher_index"].value,
... )
(41, 1.0)
>>> describe_few_events(arms, store)
>>> describe_design(arms, store)
>>> round(store.rows()["design_error.death.both.day_56.smallest_detectable_ratio"].value, 2)
0.15
>>> keep(store, arms, "example", "difference", Result(method="difference", value=0.5))
>>> refuse(store, arms, "example", {"ratio": "ratio"}, reason="no deaths")
>>> store.rows()["example.death.both.day_56.ratio"].note
'not estimated: no deaths'
>>> next(rows_of(pd.DataFrame({"day": [7]}))).day
7
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.analysis.survival import TREATED, SurvivalTimes
from helpers.results.store import slug
from helpers.stats import bayes
from helpers.stats.contingency import two_by_two_test
from helpers.stats.design_error import fisher_design_error, logrank_power, smallest_detectable_ratio
from helpers.stats.evalue import confounder_grid, e_value
from helpers.stats.exact_logrank_interval import exact_logrank_interval
from helpers.stats.fragility import (
    fragility_index,
    leave_one_out,
    logrank_with_fewer_events,
    logrank_with_more_events,
)
from helpers.stats.logrank import logrank_test
from helpers.stats.result import Result, StatisticsError

if TYPE_CHECKING:
    from helpers.results.store import StatisticsStore

TIME, ERA, UNMEASURED, FRAGILE, FEW, DESIGN = (
    "control_time", "control_era", "unmeasured_confounder", "fragility", "few_events", "design_error"
)  # fmt: skip
OUTCOME = "death"
RATIO, DAYS, POINTS, PATIENTS = "ratio", "days", "percentage points", "patients"
COMMON_OUTCOME = 0.15


@dataclass(frozen=True)
class Study:
    """Treated and reference patients of one cohort with their survival from day 0 to the horizon.

    `frame`: patient_id, time (days), event (bool), treated (1 or 0); `horizon` in days.

    >>> from helpers.analysis.survival import survival_times
    >>> found = Study.of(survival_times(tables, config, 56), ["ruxolitinib", "control"], 0.95)
    >>> found.counts()
    (1, 20, 8, 21)
    """

    frame: pd.DataFrame
    horizon: int
    confidence: float

    @classmethod
    def of(cls, times: SurvivalTimes, groups: Sequence[str], confidence: float) -> Study:
        """The patients of the two groups compared, in the order of their ids."""
        frame = times.frame[times.frame["group"].isin(groups) & (times.frame["time"] > 0)]
        frame = frame.sort_values("patient_id", ignore_index=True)
        return cls(frame, times.horizon_days, confidence)

    @property
    def columns(self) -> tuple[pd.Series, pd.Series, pd.Series]:
        """Time, event and treated."""
        return self.frame["time"], self.frame["event"], self.frame[TREATED]

    @property
    def timepoint(self) -> str:
        """The horizon as part of an identifier."""
        return f"day_{self.horizon}"

    @property
    def one_arm(self) -> str:
        """Why nothing can be compared; empty where both arms have somebody with a follow-up."""
        return "" if self.frame[TREATED].nunique() == 2 else "there are no two groups with a follow-up"

    def counts(self) -> tuple[int, int, int, int]:
        """Deaths and patients, treated and reference.

        Raises:
            StatisticsError: somebody's follow-up ended before the horizon, so that the table is not known.
        """
        time, event, treated = self.columns
        if not (event | (time >= self.horizon)).all():
            raise StatisticsError("time", "follow-up ended before the horizon in some patients")
        on = treated == 1
        return int(event[on].sum()), int(on.sum()), int(event[~on].sum()), int((~on).sum())


def attempt(call: Callable[[], Result], what: str, n: int = 0) -> Result:
    """The result of `call`, or one without a value that says why there is none.

    >>> attempt(lambda: Result(method="Cox", value=0.5), "hazard ratio").value
    0.5
    """
    try:
        return call()
    except StatisticsError as error:
        return Result(method=what, n=n, note=f"not estimated: {error.problem}")


def refuse(
    store: StatisticsStore,
    study: Study,
    analysis: str,
    names: Mapping[str, str],
    *,
    reason: str = "",
    **other: Any,
) -> None:
    """Store rows without a value that give the `reason`, by default why the arms cannot be compared.

    `names` are statistics with their units.
    """
    for name, unit in names.items():
        note = f"not estimated: {reason or study.one_arm}"
        result = Result(name.replace("_", " "), n=len(study.frame), note=note)
        keep(store, study, analysis, name, result, unit=unit, **other)


def rows_of(frame: pd.DataFrame) -> Iterator[Any]:
    """Rows by attribute; pandas' own annotation knows none of the columns."""
    return iter(frame.itertuples(index=False))


def keep(
    store: StatisticsStore, study: Study, analysis: str, statistic: str, result: Result, **other: Any
) -> None:
    """Store a result of the comparison; shares and differences of shares become percentage points."""
    scale = 100.0 if other.get("unit") == POINTS else 1.0
    scaled = {k: scale * getattr(result, k) for k in ("value", "lower", "upper")} if scale != 1 else {}
    common = {"group": "both", "timepoint": study.timepoint} | other
    store.add(analysis, common.pop("variable", OUTCOME), statistic, result=result, **(scaled | common))


def describe_unmeasured(
    study: Study,
    store: StatisticsStore,
    ratio: Result,
    *,
    prevalence_treated: Sequence[float] = (0.1, 0.3, 0.5),
    prevalence_control: Sequence[float] = (0.3, 0.5, 0.7, 0.9),
    effects: Sequence[float] = (2.0, 5.0, 10.0),
) -> pd.DataFrame:
    """Store E-values of a hazard `ratio` and what one unmeasured confounder would leave of it; return the
    grid.

    The common-outcome form is used where more than 15 % died (VanderWeele & Ding 2017), the plain one always.
    """
    if not ratio.value > 0:
        note = "not estimated: there is no hazard ratio"
        keep(store, study, UNMEASURED, "e_value", Result("E-value", note=note), unit=RATIO)
        return pd.DataFrame()
    plain = e_value(ratio.value, ratio.lower, ratio.upper, measure="hazard_ratio")
    keep(store, study, UNMEASURED, "e_value", plain, unit=RATIO)
    if study.frame["event"].mean() > COMMON_OUTCOME:
        common = e_value(ratio.value, ratio.lower, ratio.upper, measure="hazard_ratio", common=True)
        keep(store, study, UNMEASURED, "e_value_common_outcome", common, unit=RATIO)
    grid = confounder_grid(
        ratio.value, ratio.lower, ratio.upper, prevalence_treated=prevalence_treated,
        prevalence_control=prevalence_control, effects=effects,
    )  # fmt: skip
    for row in rows_of(grid):
        name = "_".join(slug(f"{v:g}") for v in (row.prevalence_treated, row.prevalence_control, row.effect))
        method = (
            f"corrected for one confounder: {100 * row.prevalence_treated:g} % of the treated, "
            f"{100 * row.prevalence_control:g} % of the controls, risk ratio {row.effect:g}"
        )
        result = Result(method, row.ratio, row.lower, row.upper, n=len(study.frame))
        keep(store, study, UNMEASURED, f"corrected_{name}", result, unit=RATIO, level=row.conclusion)
    return grid


def describe_fragility(study: Study, store: StatisticsStore) -> pd.DataFrame:
    """Store fragility by Fisher's and the log-rank test and the range over leaving one out; return the
    latter."""
    if study.one_arm:
        refuse(store, study, FRAGILE, {"fisher_index": PATIENTS})
        return pd.DataFrame()
    time, event, treated = study.columns
    n = len(study.frame)
    index = attempt(lambda: fragility_index(*study.counts()), "fragility index", n)
    keep(store, study, FRAGILE, "fisher_index", index, unit=PATIENTS)
    worse = attempt(lambda: _one_more_treated_death(study), "Fisher's test with one more treated death", n)
    keep(store, study, FRAGILE, "fisher_one_more", worse)
    more = attempt(lambda: logrank_with_more_events(*study.columns), "log-rank with one more death", n)
    keep(store, study, FRAGILE, "logrank_one_more", more)
    for fewer in (1, 2):
        found = attempt(
            lambda k=fewer: logrank_with_fewer_events(*study.columns, fewer=k),  # type: ignore[misc]
            f"log-rank with {fewer} fewer control deaths",
            n,
        )
        keep(store, study, FRAGILE, f"logrank_{fewer}_fewer", found)
    table = leave_one_out(
        study.frame["patient_id"],
        lambda kept: logrank_test(time[kept], event[kept], treated[kept]).p_value,
        alike=np.column_stack(study.columns),
    )
    p = table["value"].to_numpy(dtype=float)
    worst = table["patient_id"][int(np.nanargmax(p))] if np.isfinite(p).any() else ""
    spread = Result(
        "log-rank p with each patient left out: median and range",
        value=float(np.nanmedian(p)) if worst else float("nan"),
        lower=float(np.nanmin(p)) if worst else float("nan"),
        upper=float(np.nanmax(p)) if worst else float("nan"),
        n=n,
        note="" if worst else "not estimated: no death is left to compare",
    )
    keep(store, study, FRAGILE, "leave_one_out", spread)
    return table


def _one_more_treated_death(study: Study) -> Result:
    deaths, size, control_deaths, controls = study.counts()
    if deaths == size:
        raise StatisticsError("event", "every treated patient died")
    table = [[deaths + 1, size - deaths - 1], [control_deaths, controls - control_deaths]]
    test = two_by_two_test(table, rule="fisher")
    return Result(f"{test.method}, with one more treated death", p_value=test.p_value, n=size + controls)


def describe_few_events(study: Study, store: StatisticsStore, *, alternative: float = 0.5) -> None:
    """Store the exact interval of the hazard ratio and posteriors under three priors with their
    predictions."""
    if study.one_arm:
        refuse(store, study, FEW, {"exact_logrank_interval": RATIO})
        return
    n = len(study.frame)
    exact = attempt(
        lambda: exact_logrank_interval(*study.columns, confidence=study.confidence),
        "exact log-rank interval",
        n,
    )
    keep(store, study, FEW, "exact_logrank_interval", exact, unit=RATIO)
    for prior in bayes.standard_priors(alternative):
        found = attempt(
            lambda p=prior: bayes.posterior_hazard_ratio(*study.columns, p).result(  # type: ignore[misc]
                confidence=study.confidence
            ),
            f"posterior hazard ratio, {prior.name} prior",
            n,
        )
        keep(store, study, FEW, f"posterior_{prior.name}", found, unit=RATIO)
        for name in ("below_1", "below_benefit"):
            value = found.details.get(name, np.nan)
            share = Result(f"posterior probability, {prior.name} prior", value, n=n, note=found.note)
            keep(store, study, FEW, f"probability_{name}_{prior.name}", share, unit=POINTS)
        predicted = attempt(
            lambda p=prior: _predicted(study, p),  # type: ignore[misc]
            f"prior predictive deaths, {prior.name} prior",
            n,
        )
        keep(store, study, FEW, f"predictive_{prior.name}", predicted, unit=PATIENTS)


def _predicted(study: Study, prior: bayes.NormalPrior) -> Result:
    deaths, size, control_deaths, controls = study.counts()
    return bayes.prior_predictive_events(prior, deaths, size, control_deaths, controls)


def describe_design(
    study: Study, store: StatisticsStore, *, ratios: Sequence[float] = (0.25, 0.5, 0.75)
) -> None:
    """Store power, and the errors of sign and size of significant results, for supposed true effects.

    The supposed effects are hazard ratios; for Fisher's test the control risk is the observed one and the
    treated risk follows from it. The observed effect is never supposed: power at it only repeats the p-value.
    """
    if study.one_arm:
        refuse(store, study, DESIGN, {"smallest_detectable_ratio": RATIO})
        return
    _, event, treated = study.columns
    n, events = len(study.frame), int(event.sum())
    share = float((treated == 1).mean())
    detect = attempt(lambda: smallest_detectable_ratio(events, share_treated=share), "detectable ratio", n)
    keep(store, study, DESIGN, "smallest_detectable_ratio", detect, unit=RATIO)
    for ratio in ratios:
        calls: dict[str, Callable[[], Result]] = {
            "logrank": lambda r=ratio: logrank_power(r, events, share_treated=share),  # type: ignore[misc]
            "fisher": lambda r=ratio: _fisher(study, r),  # type: ignore[misc]
        }
        for test, call in calls.items():
            found = attempt(call, f"power of the {test} test", n)
            name = f"{test}_{slug(f'{ratio:g}')}"
            keep(store, study, DESIGN, f"power_{name}", found, unit=POINTS)
            for error in ("type_s", "type_m"):
                unit = POINTS if error == "type_s" else "times"
                value = found.details.get(error, np.nan)
                why = found.note or (
                    "not estimated: no result could be significant" if np.isnan(value) else ""
                )
                result = Result(found.method, value=value, n=n, note=why)
                keep(store, study, DESIGN, f"{error}_{name}", result, unit=unit)


def _fisher(study: Study, ratio: float) -> Result:
    _, size, deaths, controls = study.counts()
    risk = deaths / controls
    return fisher_design_error(1 - (1 - risk) ** ratio, size, risk, controls)
