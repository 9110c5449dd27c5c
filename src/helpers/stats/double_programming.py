"""Main numbers computed a second time by an independent library: equal, or the reason why not.

Double programming is the custom where results decide about treatment: two programs that share no code are set
side by side. Where this room already wraps a library's function, the second computation is the room's own.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from math import isfinite, isnan, nan
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.stats.checks import Floats, event_count, observed_values
from helpers.stats.competing import cumulative_incidence
from helpers.stats.contingency import count_table, r_by_c_test, two_by_two_test
from helpers.stats.cox import cox_regression
from helpers.stats.kaplan_meier import kaplan_meier
from helpers.stats.logrank import logrank_test
from helpers.stats.mixed_model import visit_model
from helpers.stats.proportions import proportion_interval
from helpers.stats.repeated import signed_rank_test
from helpers.stats.result import StatisticsError
from helpers.stats.rmst import rmst
from helpers.stats.two_group import rank_sum_test

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("quantity", "ours", "theirs", "library", "equal", "reason")
# Largest difference accepted, relative to the number (absolute below 1): closed forms, and iterated fits.
CLOSED, ITERATED = 1e-8, 1e-5
_NOT_ESTIMABLE = "not estimable, as its own row says; the library does not notice"
_NO_INTERVAL = "survival is 0 or 1: lifelines has no interval, ours is the exact one"
_FLAT = "the curve is flat at one half: ours is the middle, lifelines leaves it to rounding"


@dataclass(frozen=True)
class Twice:
    """One number computed twice.

    `library` names the second computation with its version; `reason` says why the two differ and is empty
    where they are equal, or where nobody knows: then something is wrong.
    """

    quantity: str
    ours: float
    theirs: float
    library: str
    equal: bool
    reason: str


def as_frame(rows: Iterator[Twice] | list[Twice]) -> pd.DataFrame:
    """One row a number, columns quantity, ours, theirs, library, equal, reason.

    >>> as_frame(list(proportion_twice("share", 1, 20)))["equal"].tolist()
    [True, True]
    """
    import pandas as pd

    return pd.DataFrame([[getattr(row, name) for name in COLUMNS] for row in rows], columns=list(COLUMNS))


@cache
def _named(library: str) -> str:
    from importlib.metadata import version

    return f"{library} {version(library.lower())}"


def _twice(
    quantity: str, ours: float, theirs: float, library: str, *, within: float = CLOSED, reason: str = ""
) -> Twice:
    """Compare two numbers; two that are both missing or infinite (never reached) are equal."""
    if not (isfinite(ours) or isfinite(theirs)):
        equal = True
    else:
        equal = abs(ours - theirs) <= within * max(1.0, abs(ours))
    return Twice(quantity, ours, theirs, _named(library), equal, "" if equal else reason)


def _value(compute: Callable[[], Any]) -> float:
    """A library's number, or NaN where it refuses, in whatever way.

    Nothing is hidden by that: NaN beside a number of ours is unequal, and without a reason it is unexplained.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return float(compute())
        except Exception:
            return nan


def survival_twice(frame: pd.DataFrame, horizon: float) -> Iterator[Twice]:
    """Survival of each arm and its comparison, beside lifelines and statsmodels.

    `frame` has one row a patient: time, event (0 or 1) and treated (1 or 0).

    >>> time, event, treated = [3, 9, 20, 30, 30, 5], [1, 1, 0, 0, 1, 1], [0, 0, 1, 1, 1, 0]
    >>> frame = pd.DataFrame({"time": time, "event": event, "treated": treated})
    >>> {one.equal or bool(one.reason) for one in survival_twice(frame, 28)}
    {True}
    """
    for name, code in (("treated", 1), ("reference", 0)):
        arm = frame[frame["treated"] == code]
        if len(arm):
            yield from _one_arm(name, arm, horizon)
    if frame["treated"].nunique() == 2:
        yield from _two_arms(frame)


def _one_arm(name: str, arm: pd.DataFrame, horizon: float) -> Iterator[Twice]:
    from lifelines import KaplanMeierFitter
    from lifelines.utils import restricted_mean_survival_time

    time, event = arm["time"].to_numpy(float), arm["event"].to_numpy(int)
    ours = kaplan_meier(time, event)
    theirs = KaplanMeierFitter().fit(time, event)
    at = ours.at(horizon)
    known = isfinite(at.value)
    within = _value(lambda: theirs.predict(horizon)) if known else nan
    yield _twice(f"survival at {horizon:g}, {name}", at.value, within, "lifelines")
    if known:
        edge = (
            "survival is 0 or 1: lifelines has no interval, ours is the exact one"
            if at.value in (0, 1)
            else ""
        )
        limits = theirs.confidence_interval_survival_function_
        row = limits[limits.index <= horizon].iloc[-1]
        for side, mine, other in zip(("lower", "upper"), (at.lower, at.upper), row, strict=True):
            label = f"survival at {horizon:g}, {name}, {side} limit"
            yield _twice(label, mine, float(other), "lifelines", reason=edge)
    flat = bool((np.abs(ours.survival - 0.5) < 1e-9).any())
    reason = _FLAT if flat else ""
    median = ours.quantile().value
    yield _twice(f"median survival, {name}", median, theirs.median_survival_time_, "lifelines", reason=reason)
    try:
        area = rmst(time, event, horizon).value
    except StatisticsError:
        return  # Follow-up ends before the horizon.
    second = _value(lambda: restricted_mean_survival_time(theirs, t=horizon))
    yield _twice(f"restricted mean to {horizon:g}, {name}", area, second, "lifelines")


def _two_arms(frame: pd.DataFrame) -> Iterator[Twice]:
    from lifelines import CoxPHFitter
    from lifelines.statistics import logrank_test as lifelines_logrank
    from statsmodels.duration.hazard_regression import PHReg
    from statsmodels.duration.survfunc import survdiff

    time, event = frame["time"].to_numpy(float), frame["event"].to_numpy(int)
    treated = frame["treated"].to_numpy(float)
    one, none = treated == 1, treated == 0
    ours = logrank_test(time, event, treated)
    reason = _NOT_ESTIMABLE if isnan(ours.p_value) else ""
    theirs = _value(lambda: lifelines_logrank(time[one], time[none], event[one], event[none]).test_statistic)
    yield _twice("log-rank chi-square", ours.statistic, theirs, "lifelines", reason=reason)
    second = _value(lambda: survdiff(time, event, treated)[0])
    yield _twice("log-rank chi-square", ours.statistic, second, "statsmodels", reason=reason)
    columns = frame[["time", "event", "treated"]].astype(float)

    def efron() -> Any:
        settings = {"precision": 1e-12}
        return CoxPHFitter().fit(columns, "time", "event", fit_options=settings).summary.iloc[0]

    def breslow() -> Any:
        return PHReg(time, treated[:, None], status=event, ties="breslow").fit()

    pair = _value(lambda: efron()["coef"]), _value(lambda: efron()["se(coef)"])
    yield from _cox_twice(columns, "efron", "lifelines", pair)
    pair = _value(lambda: breslow().params[0]), _value(lambda: breslow().bse[0])
    yield from _cox_twice(columns, "breslow", "statsmodels", pair)


def _cox_twice(
    columns: pd.DataFrame, ties: Any, library: str, theirs: tuple[float, float]
) -> Iterator[Twice]:
    """Log hazard ratio and its standard error beside those of a library."""
    coefficient, error, reason = nan, nan, _NOT_ESTIMABLE
    try:
        fit = cox_regression(columns, time="time", event="event", covariates=["treated"], ties=ties)
    except StatisticsError:
        pass
    else:
        coefficient, error = float(fit.table["coef"].iloc[0]), float(fit.table["se"].iloc[0])
        reason = "the likelihood has no maximum; the library stops somewhere" if fit.separated else ""
    name = f"log hazard ratio, {ties} ties"
    yield _twice(name, coefficient, theirs[0], library, within=ITERATED, reason=reason)
    yield _twice(f"{name}, standard error", error, theirs[1], library, within=ITERATED, reason=reason)


def values_twice(name: str, x: Any, y: Any) -> Iterator[Twice]:
    """Rank-sum test of two samples beside SciPy: U, normal approximation, and exact p-value.

    Raises StatisticsError for a sample without a value.

    >>> [(one.quantity, one.equal) for one in values_twice("ferritin", [5, 6, 9], [1, 2, 3])][0]
    ('rank-sum U, ferritin', True)
    """
    from scipy.stats import mannwhitneyu

    first, second = observed_values(x, "x")[0], observed_values(y, "y")[0]
    pooled = np.concatenate([first, second])
    if np.ptp(pooled) == 0:
        return
    ours = rank_sum_test(first, second)
    theirs = mannwhitneyu(first, second, method="asymptotic")
    yield _twice(f"rank-sum U, {name}", ours.statistic, float(theirs.statistic), "scipy")
    near = rank_sum_test(first, second, method="asymptotic_corrected").p_value
    yield _twice(f"rank-sum p, normal approximation, {name}", near, float(theirs.pvalue), "scipy")
    if "exact" in ours.method and pooled.size <= 200:
        tied = np.unique(pooled).size < pooled.size
        exact = float(mannwhitneyu(first, second, method="exact").pvalue)
        reason = "values are tied, which SciPy's exact distribution ignores" if tied else ""
        yield _twice(f"rank-sum p, exact, {name}", ours.p_value, exact, "scipy", reason=reason)


def pairs_twice(name: str, before: Any, after: Any) -> Iterator[Twice]:
    """Signed-rank test of pairs beside SciPy: normal approximation, exact without ties and zeros.

    >>> all(one.equal for one in pairs_twice("ferritin", [5, 6, 9, 8], [1, 2, 3, 9]))
    True
    """
    from scipy.stats import wilcoxon

    first, second = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    complete = ~(np.isnan(first) | np.isnan(second))
    # Rounded as a reader sees them, because SciPy does not see that 0.3 - 0.2 and 0.2 - 0.1 are equal.
    change = np.round((second - first)[complete], 9)
    if change.size < 2 or not change.any():
        return
    zero = np.zeros(change.size)
    near: dict[str, Any] = {"correction": True, "method": "asymptotic"}
    ours = signed_rank_test(zero, change, method="asymptotic_corrected").p_value
    theirs = _value(lambda: wilcoxon(change, **near).pvalue)
    yield _twice(f"signed-rank p, normal approximation, {name}", ours, theirs, "scipy")
    untied = np.unique(np.abs(change)).size == change.size and change.all()
    if untied and change.size <= 50:
        exact = _value(lambda: wilcoxon(change, method="exact").pvalue)
        yield _twice(f"signed-rank p, exact, {name}", signed_rank_test(zero, change).p_value, exact, "scipy")


def table_twice(name: str, table: Any) -> Iterator[Twice]:
    """Tests of a 2 x 2 table: Fisher's by our enumeration and Yates's by its formula beside SciPy, Pearson's
    beside statsmodels.

    Raises StatisticsError for anything but a 2 x 2 table of counts.

    >>> [round(one.ours, 4) for one in table_twice("death", [[1, 19], [8, 13]])][0]
    0.0205
    """
    from scipy.stats import chi2, chi2_contingency, fisher_exact
    from statsmodels.stats.contingency_tables import Table2x2

    counts = count_table(table)
    if (counts.sum(0) == 0).any() or (counts.sum(1) == 0).any():
        return
    enumerated = r_by_c_test(counts, method="exact").p_value
    yield _twice(f"Fisher's exact p, {name}", enumerated, float(fisher_exact(counts).pvalue), "scipy")
    pearson = two_by_two_test(counts, rule="pearson").p_value
    second = Table2x2(counts, shift_zeros=False).test_nominal_association().pvalue
    yield _twice(f"Pearson chi-square p, {name}", pearson, float(second), "statsmodels")
    (a, b), (c, d) = counts.tolist()
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    corrected = max(0.0, abs(a * d - b * c) - counts.sum() / 2) ** 2 * counts.sum() / margins
    theirs = float(chi2_contingency(counts, correction=True).pvalue)
    yield _twice(f"Yates chi-square p, {name}", float(chi2.sf(corrected, 1)), theirs, "scipy")


def proportion_twice(name: str, events: Any, n: Any) -> Iterator[Twice]:
    """Exact (Clopper-Pearson) limits of a proportion beside statsmodels.

    Raises StatisticsError for more events than patients, or no patient.

    >>> [round(one.ours, 4) for one in proportion_twice("response", 17, 20)]
    [0.6211, 0.9679]
    """
    from statsmodels.stats.proportion import proportion_confint

    count, size = event_count(events, n)
    ours = proportion_interval(count, size)
    theirs = proportion_confint(count, size, method="beta")
    for side, mine, other in zip(("lower", "upper"), (ours.lower, ours.upper), theirs, strict=True):
        yield _twice(f"share, {name}, {side} limit", mine, float(other), "statsmodels")


def incidence_twice(name: str, time: Any, status: Any, at: float) -> Iterator[Twice]:
    """Cumulative incidence of cause 1 by a day beside lifelines.

    >>> [round(one.ours, 2) for one in incidence_twice("response", [1, 2, 3, 4], [1, 2, 1, 0], 3)]
    [0.5]
    """
    from lifelines import AalenJohansenFitter

    times, causes = np.asarray(time, dtype=float), np.asarray(status, dtype=int)
    ours = cumulative_incidence(times, causes).at(at).value
    if isnan(ours) or not (causes == 1).any():
        return
    # lifelines moves tied times apart at random, losses before events too. Moved apart here, events first,
    # they give the same estimate: S/n + S(1 - 1/n)/(n - 1) = 2S/n.
    apart, last = _apart(times, causes == 0), float(times[times <= at].max(initial=0.0))
    fitter = AalenJohansenFitter(calculate_variance=False)
    curve = fitter.fit(apart, causes, event_of_interest=1).cumulative_density_.iloc[:, 0]
    theirs = float(curve[curve.index <= last + _gap(times) / 2].iloc[-1])
    yield _twice(f"cumulative incidence by {at:g}, {name}", ours, theirs, "lifelines")


def _gap(times: Floats) -> float:
    """Smallest distance of two different times; 1 where there is one time only."""
    return float(np.diff(np.unique(times)).min(initial=np.inf)) if np.unique(times).size > 1 else 1.0


def _apart(times: Floats, lost: Any) -> Floats:
    """Times of which no two are equal, in their order, events before losses of the same time."""
    order = np.lexsort((lost, times))
    _, first, index = np.unique(times[order], return_index=True, return_inverse=True)
    place = np.arange(times.size) - first[index]
    apart = np.empty(times.size)
    apart[order] = times[order] + _gap(times) / 2 * (place + 1) / (times.size + 1)
    return apart


def course_twice(
    name: str, frame: pd.DataFrame, *, baseline: str, visit: str, logarithm: bool
) -> Iterator[Twice]:
    """Change of a mixed model (statsmodels) beside a restricted likelihood maximised here.

    `frame` has one row a patient and visit: id, visit, value; none of the values is a limit. The change is
    that from `baseline` to `visit`, a ratio if `logarithm`.
    """
    try:
        fit = visit_model(
            frame, value="value", id="id", visit="visit", baseline=baseline, logarithm=logarithm
        )
        theirs = fit.changes[visit].value
    except (StatisticsError, KeyError):
        return
    used = frame[frame["value"].notna()]
    y = used["value"].to_numpy(float)
    later = sorted(set(used["visit"]) - {baseline}, key=lambda one: (one != visit, str(one)))
    x = np.column_stack([np.ones(y.size), *(used["visit"].to_numpy() == one for one in later)])
    change = _restricted_coefficient(used["id"].to_numpy(), x.astype(float), np.log(y) if logarithm else y)
    ours = float(np.exp(change)) if logarithm else change
    yield _twice(f"change to {visit}, {name}", ours, theirs, "statsmodels", within=ITERATED)


def _restricted_coefficient(ids: Any, x: Floats, y: Floats) -> float:
    """Second coefficient of a random-intercept model by restricted likelihood, profiled over the ratio of the
    variances.

    With variance 1 + ratio * J within a subject of n rows, subtracting c times the subject's mean, c = 1 -
    1/sqrt(1 + n ratio), makes the rows independent; the rest is least squares (Searle, Casella & McCulloch
    1992).
    """
    from scipy.optimize import minimize_scalar

    _, index = np.unique(ids, return_inverse=True)
    size = np.bincount(index).astype(float)

    def swept(ratio: float) -> tuple[Floats, Floats]:
        share = (1 - 1 / np.sqrt(1 + size * ratio))[index]
        means = [np.bincount(index, column) / size for column in (*x.T, y)]
        *left, right = (column - share * mean[index] for column, mean in zip((*x.T, y), means, strict=True))
        return np.column_stack(left), right

    def deviance(log_ratio: float) -> float:
        ratio = float(np.exp(log_ratio))
        design, outcome = swept(ratio)
        beta = np.linalg.lstsq(design, outcome, rcond=None)[0]
        rest = float(((outcome - design @ beta) ** 2).sum())
        free = y.size - x.shape[1]
        penalty = float(np.linalg.slogdet(design.T @ design)[1])
        return float(free * np.log(rest) + np.log(1 + size * ratio).sum() + penalty)

    grid = np.linspace(-12, 12, 49)
    start = grid[np.argmin([deviance(v) for v in grid])]
    around = (start - 0.6, start + 0.6)
    found = minimize_scalar(deviance, bounds=around, method="bounded", options={"xatol": 1e-10})
    design, outcome = swept(float(np.exp(found.x)) if start > -12 else 0.0)
    return float(np.linalg.lstsq(design, outcome, rcond=None)[0][1])


def unexplained(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of a comparison that are neither equal nor explained: there should be none.

    >>> table = as_frame([Twice("U", 9.0, 9.0, "SciPy", True, ""), Twice("p", 0.1, 0.2, "SciPy", False, "")])
    >>> unexplained(table)["quantity"].tolist()
    ['p']
    """
    return table[~table["equal"] & (table["reason"] == "")]
