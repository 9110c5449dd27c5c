"""Stored numbers beside those that another library finds in the same analysis tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.analysis.endpoints import endpoint_times
from helpers.analysis.survival import TREATED, survival_times
from helpers.analysis.trends import trend_key
from helpers.analysis.variables import as_float, baseline_variables, by_group, comparison
from helpers.results.catalogue import (
    BaselineRows,
    ComputedTwiceRows,
    EndpointRows,
    LaboratoryRows,
    SurvivalRows,
    TrendRows,
)
from helpers.results.store import slug
from helpers.stats.double_programming import (
    CLOSED,
    ITERATED,
    Twice,
    course_twice,
    incidence_twice,
    pairs_twice,
    proportion_twice,
    survival_twice,
    table_twice,
    values_twice,
)
from helpers.stats.ratios import antilog

if TYPE_CHECKING:
    import pandas as pd

    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistics, StatisticsStore

ANALYSIS = ComputedTwiceRows.name
_DEATH = "death"
EQUAL, UNEXPLAINED = "equal", "differs, and the reason is not known"
# Iterated fits agree to so many digits and not to the last.
_ITERATED = frozenset({("survival", "hazard_ratio"), ("trend", "ratio"), ("trend", "difference")})
# Words of a stored method, and how the second computation of its p-value is called.
_TESTS_OF_TABLES = {"Fisher's exact": "Fisher's exact p", "Pearson": "Pearson chi-square p",
                    "Yates": "Yates chi-square p"}  # fmt: skip


@dataclass(frozen=True)
class Checked:
    """What was computed twice.

    Attributes:
        stored: identifier of the row that was checked.
        column: its column: value, lower, upper or p_value.
        second: identifier of the row of the second computation.
    """

    stored: str
    column: str
    second: str


@dataclass(frozen=True)
class SecondNumber:
    """A library's number for one column of one stored row.

    Attributes:
        row: identifier of the stored row.
        column: its column: value, lower, upper or p_value.
        twice: both computations with library, verdict and reason.
    """

    row: str
    column: str
    twice: Twice


def compute_twice(
    tables: AnalysisTables,
    config: CohortConfig,
    statistics: Statistics,
    store: StatisticsStore,
    *,
    horizon_days: float,
    confidence: float = 0.95,
) -> list[Checked]:
    """Store a library's number beside each main number that other notebooks stored.

    A row holds the library's number in ``value``, the library with its version in ``method`` and in ``note``
    ``equal``, the reason of a difference, or that no reason is known. Its parts are those of the row that is
    checked, its statistic names column and library as well. Survival, its comparison, shares, baseline tests,
    changes, trends and incidences are computed twice where the library has the method; limits only at 95 %,
    which the second computation takes for granted.

    Args:
        tables: analysis tables.
        config: the cohort's settings.
        statistics: rows of baseline, course and survival.
        store: takes the rows.
        horizon_days: last day of the analysis.
        confidence: level at which the stored limits were made.

    Returns:
        What was computed twice, in the order of the rows.
    """
    seen: set[tuple[str, str, str]] = set()
    checked, verdicts = [], []
    for second in _second_numbers(tables, config, statistics, horizon_days):
        row = statistics.get(second.row)
        if row is None or (second.column in ("lower", "upper") and confidence != 0.95):
            continue
        library = slug(second.twice.library.split()[0])
        key = (second.row, second.column, library)
        if key in seen:
            continue
        seen.add(key)
        stored = getattr(row, second.column)
        second_row = store.add(
            ANALYSIS,
            f"{row.analysis}_{row.variable}",
            f"{row.statistic}_{second.column}_{library}",
            group=row.group,
            timepoint=row.timepoint,
            value=second.twice.theirs,
            n=row.n,
            unit=row.unit,
            method=second.twice.library,
            note=verdict(stored, second.twice, iterated=(row.analysis, row.statistic) in _ITERATED),
        )
        checked.append(Checked(row.id, second.column, second_row.id))
        verdicts.append(second_row.note)
    _count(verdicts, store)
    return checked


def _count(verdicts: list[str], store: StatisticsStore) -> None:
    equal, unexplained = verdicts.count(EQUAL), verdicts.count(UNEXPLAINED)
    counts = {
        ComputedTwiceRows.compared: len(verdicts),
        ComputedTwiceRows.equal: equal,
        ComputedTwiceRows.explained: len(verdicts) - equal - unexplained,
        ComputedTwiceRows.unexplained: unexplained,
    }
    for key, count in counts.items():
        store.add(ANALYSIS, "numbers", key.statistic, value=count, n=len(verdicts), method="count")


def verdict(stored: float, twice: Twice, *, iterated: bool = False) -> str:
    """Return whether a stored number and a library's are equal, or why not.

    Example:
        >>> verdict(0.5, Twice("share", 0.5, 0.5, "scipy 1.15", True, ""))
        'equal'
        >>> verdict(0.6, Twice("share", 0.5, 0.5, "scipy 1.15", True, ""))
        'differs, and the reason is not known'
    """
    both = [isfinite(number) for number in (stored, twice.theirs)]
    within = ITERATED if iterated else CLOSED
    if not any(both):
        return EQUAL
    if all(both) and abs(stored - twice.theirs) <= within * max(1.0, abs(stored)):
        return EQUAL
    known = not isfinite(stored) or abs(stored - twice.ours) <= within * max(1.0, abs(stored))
    return twice.reason if known and twice.reason else UNEXPLAINED


def _second_numbers(
    tables: AnalysisTables, config: CohortConfig, statistics: Statistics, horizon_days: float
) -> Iterator[SecondNumber]:
    yield from _survival(tables, config, horizon_days)
    yield from _baseline(tables, config, statistics, horizon_days)
    yield from _course(tables, config, statistics)
    yield from _incidences(tables, config, horizon_days)


def _named(found: Iterable[Twice], rows: Mapping[str, tuple[str, str]]) -> Iterator[SecondNumber]:
    """Yield the numbers that answer to a stored row, by the name of their quantity."""
    for twice in found:
        if twice.quantity in rows:
            yield SecondNumber(*rows[twice.quantity], twice)


def _survival(tables: AnalysisTables, config: CohortConfig, horizon_days: float) -> Iterator[SecondNumber]:
    times = survival_times(tables, config, horizon_days)
    groups = comparison(config) if len(config.groups) > 1 else [config.groups[0].id]
    frame = times.frame[times.frame["group"].isin(groups)]
    frame = frame.assign(event=frame["event"].astype(int), treated=frame[TREATED].astype(int))
    codes = {1: "treated", 0: "reference"}
    day, at = f"day_{times.horizon_days}", f"survival at {times.horizon_days:g}"
    rows: dict[str, tuple[str, str]] = {}
    for group in groups:
        own = frame[frame["group"] == group]
        if own.empty:
            continue
        arm = codes[int(own["treated"].iloc[0])]
        row = SurvivalRows.survival.id(_DEATH, group=group, timepoint=day)
        rows[f"{at}, {arm}"] = (row, "value")
        if config.survival.interval == "log-log":
            rows |= {f"{at}, {arm}, {side} limit": (row, side) for side in ("lower", "upper")}
        rows[f"median survival, {arm}"] = (SurvivalRows.median.id(_DEATH, group=group), "value")
        share = SurvivalRows.alive_share.id(_DEATH, group=group, timepoint=day)
        alive = {f"share, {group}, {side} limit": (share, side) for side in ("lower", "upper")}
        yield from _named(proportion_twice(group, int((own["event"] == 0).sum()), len(own)), alive)
    rows["log-rank chi-square"] = (SurvivalRows.logrank.id(_DEATH, group="both", timepoint=day), "value")
    found = list(survival_twice(frame, times.horizon_days))
    yield from _named(found, rows)
    yield from _hazard_ratio(found, SurvivalRows.hazard_ratio.id(_DEATH, group="both", timepoint=day))


def _hazard_ratio(found: list[Twice], row: str) -> Iterator[SecondNumber]:
    """Yield the hazard ratio and its Wald limits from the logarithm and its standard error."""
    from scipy.stats import norm

    name = "log hazard ratio, efron ties"
    pair = {twice.quantity: twice for twice in found if twice.quantity.startswith(name)}
    if len(pair) < 2:
        return
    log, error = pair[name], pair[f"{name}, standard error"]
    z = float(norm.isf(0.025))
    for column, sign in (("value", 0.0), ("lower", -z), ("upper", z)):
        ours, theirs = antilog(log.ours + sign * error.ours), antilog(log.theirs + sign * error.theirs)
        equal = log.equal and error.equal
        yield SecondNumber(row, column, Twice(column, ours, theirs, log.library, equal, log.reason))


def _baseline(
    tables: AnalysisTables, config: CohortConfig, statistics: Statistics, horizon_days: float
) -> Iterator[SecondNumber]:
    if len(config.groups) < 2:
        return
    for variable in baseline_variables(tables, config, horizon_days):
        name = variable.name
        row = BaselineRows.test.id(name, group="both", timepoint="baseline")
        stored = statistics.get(row)
        parts = by_group(variable.values, tables, comparison(config))
        if stored is None or any(part.notna().sum() == 0 for part in parts):
            continue
        if variable.kind == "continuous" and "rank-sum" in stored.method:
            exact = "exact" if "exact" in stored.method else "normal approximation"
            rows = {f"rank-sum U, {name}": (row, "value"), f"rank-sum p, {exact}, {name}": (row, "p_value")}
            yield from _named(values_twice(name, *map(as_float, parts)), rows)
        elif variable.kind == "binary":
            known = [part.dropna().astype(bool) for part in parts]
            counts = [[int(part.sum()), int((~part).sum())] for part in known]
            test = next((label for words, label in _TESTS_OF_TABLES.items() if words in stored.method), "")
            rows = {f"{test}, {name}": (row, "p_value")}
            yield from _named(table_twice(name, counts), rows)


def _course(tables: AnalysisTables, config: CohortConfig, statistics: Statistics) -> Iterator[SecondNumber]:
    """Trends of the treated group by the mixed model, and changes from baseline to the last visit."""
    group = tables.visits["patient_id"].map(tables.patients.set_index("patient_id")["group"])
    for name in config.course.variables:
        for own in config.group_ids:
            rows = tables.visits[(tables.visits["variable"] == name) & (group == own)]
            yield from _trend(name, own, rows, config, statistics)
            yield from _change(name, own, rows, config, statistics)


def _trend(
    name: str, group: str, rows: pd.DataFrame, config: CohortConfig, statistics: Statistics
) -> Iterator[SecondNumber]:
    """Change to the last visit; no library has the model with censored values."""
    key = trend_key(name, config)
    stored = statistics.select(key, variable=name, group=group)
    first = config.baseline_visit
    if first is None or not stored or "REML" not in stored[-1].method:
        return
    last = stored[-1]
    used = rows.rename(columns={"patient_id": "id"})[["id", "visit", "value"]]
    found = course_twice(
        name, used, baseline=first.id, visit=last.timepoint, logarithm=key == TrendRows.ratio
    )
    yield from _named(found, {f"change to {last.timepoint}, {name}": (last.id, "value")})


def _change(
    name: str, group: str, rows: pd.DataFrame, config: CohortConfig, statistics: Statistics
) -> Iterator[SecondNumber]:
    first, last = config.baseline_visit, max(config.visits, key=lambda visit: visit.day)
    stored = statistics.get(LaboratoryRows.change_test.id(name, group=group, timepoint=last.id))
    if first is None or stored is None:
        return
    wide = rows.pivot(index="patient_id", columns="visit", values="value").astype(float)
    if not {first.id, last.id} <= set(wide.columns):
        return
    exact = "exact" if "exact" in stored.method else "normal approximation"
    pairs: Any = (np.asarray(wide[visit.id], dtype=float) for visit in (first, last))
    where = {f"signed-rank p, {exact}, {name}": (stored.id, "p_value")}
    yield from _named(pairs_twice(name, *pairs), where)


def _incidences(tables: AnalysisTables, config: CohortConfig, horizon_days: float) -> Iterator[SecondNumber]:
    for endpoint in config.endpoints:
        times = endpoint_times(endpoint, tables, config, horizon_days)
        if not times.competes:
            continue
        for group, rows in times.frame.groupby("group", sort=True):
            row = EndpointRows.incidence.id(
                endpoint.id, group=str(group), timepoint=f"day_{times.horizon_days}"
            )
            at = float(times.horizon_days)
            name = f"cumulative incidence by {at:g}, {endpoint.id}"
            found = incidence_twice(endpoint.id, rows["time"], rows["status"], at)
            yield from _named(found, {name: (row, "value")})
