"""How far the comparison leans on its design: a lag of the treated, a confounder that nobody measured.

>>> from helpers.explore.study import open_study
>>> robustness(open_study("rdmas_reconstructed")).name
'exploratory_robustness'
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.analysis.historical_control import eligibility_lag
from helpers.analysis.robustness import OUTCOME, attempt, describe_unmeasured, keep
from helpers.analysis.robustness import Study as Arms
from helpers.analysis.robustness_time import describe_lag
from helpers.analysis.survival import hazard_ratios, survival_times
from helpers.analysis.variables import comparison
from helpers.explore.look import Look, Picture, panel
from helpers.explore.parts import EVERYONE, Patients, choose
from helpers.explore.study import ExplorationError, Study
from helpers.report.figures.common import interval_handle, marks_legend, say_absent
from helpers.report.figures.historical_control import NO_ARMS
from helpers.report.figures.style import GREY, INK
from helpers.report.tables.cells import Cell, estimate_interval, number, p_value, sentence, verbatim
from helpers.report.tables.content import Row, column, row
from helpers.report.tables.table import Table
from helpers.results.catalogue import ControlTimeRows, SurvivalRows, UnmeasuredConfounderRows
from helpers.results.format import format_number, format_p_equation
from helpers.results.key import Key
from helpers.results.store import StatisticsStore, slug
from helpers.stats.evalue import confounder_grid
from helpers.stats.logrank import logrank_test
from helpers.stats.result import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from helpers.results.store import Statistic, Statistics

LARGEST_LAG, LARGEST_EFFECT = 91, 10.0
MOST_LAGS = 46  # lags tried: every day, or fewer where there are more days
_ESTIMATE = "#0072B2"
_DOTS = (0, (2, 2))
_PENALISED = Key(SurvivalRows.name, "hazard_ratio_firth")


@panel
def robustness(
    study: Study,
    *,
    patients: Patients = EVERYONE,
    horizon_days: int | None = None,
    lag: int = 0,
    prevalence_treated: float = 0.3,
    prevalence_control: float = 0.5,
    effect: float = 2.0,
    confidence: float = 0.95,
    journal: str = "generic",
) -> Look:
    """Show what one common lag of the treated, and one unmeasured confounder, would do to the hazard ratio.

    Args:
        study: the cohort.
        patients: whom it is about; the first two parts are compared.
        horizon_days: last day; None: the cohort's own.
        lag: days that every treated patient would have lived before day 0 after being eligible.
        prevalence_treated, prevalence_control: shares that have the confounder.
        effect: factor by which the confounder multiplies deaths.
        confidence: level of the intervals.
        journal: whose sizes and manner are used.

    Raises:
        ExplorationError: it cannot be shown; the message says why.
    """
    for name, share in (("the treated", prevalence_treated), ("the controls", prevalence_control)):
        if not 0 <= share <= 1:
            raise ExplorationError(f"The share of {name} with the confounder lies between 0 and 1.")
    chosen = choose(study, patients)
    view = chosen.study
    horizon = int(view.config.horizon_days if horizon_days is None else horizon_days)
    groups = comparison(view.config)
    if len(groups) < 2:
        raise ExplorationError(NO_ARMS)
    arms = Arms.of(survival_times(view.tables, view.config, horizon), groups, confidence)
    if arms.one_arm:
        raise ExplorationError(f"Nothing can be compared: {arms.one_arm}.")
    if not 0 <= lag <= _longest_lag(arms):
        raise ExplorationError(f"A lag lies between 0 and {_longest_lag(arms)} days here.")
    store = StatisticsStore(Path(), "explore")
    _observed(arms, store)
    lag_known = eligibility_lag(view.tables, view.config)
    describe_lag(arms, store, lag=lag_known, lags=_lags(arms, lag), landmarks=())
    ratio = _leading(arms)
    describe_unmeasured(
        arms, store, ratio, prevalence_treated=(prevalence_treated,),
        prevalence_control=(prevalence_control,), effects=(effect,),
    )  # fmt: skip
    rows = store.rows()
    shares = (prevalence_treated, prevalence_control)
    picture = Picture(
        draw_what_if, (rows, arms.timepoint, lag, _over_effects(ratio, shares), effect), "double", 85.0,
        f"Hazard ratio under one common lag of the treated, here {lag} days, and under one confounder that "
        f"multiplies deaths by {effect:g}",
    )  # fmt: skip
    table = _table(view, rows, arms, lag, shares, effect)
    return Look("exploratory_robustness", view, picture, table, rows, chosen.notes, journal)


def longest_lag(study: Study) -> int:
    """Return the longest common lag that can be tried within the cohort's horizon.

    >>> from helpers.explore.study import open_study
    >>> longest_lag(open_study("rdmas_reconstructed"))
    28
    """
    return min(study.config.horizon_days // 2, LARGEST_LAG - 1)


def _longest_lag(arms: Arms) -> int:
    return min(arms.horizon // 2, LARGEST_LAG - 1)


def _of_lag(lag: int) -> Key:
    return Key(ControlTimeRows.name, f"lag_{lag}")


def _lags(arms: Arms, lag: int) -> list[float]:
    """Return the lags that are tried: every day, or every few where they are many, and the one chosen."""
    last = _longest_lag(arms)
    step = -(-(last + 1) // MOST_LAGS)
    return sorted({*range(0, last + 1, step), last, lag})


def _observed(arms: Arms, store: StatisticsStore) -> None:
    time, event, treated = arms.columns
    efron, firth = hazard_ratios(arms.frame, arms.confidence)
    common: dict[str, Any] = {"group": "both", "timepoint": arms.timepoint}
    store.add("survival", "death", "hazard_ratio", result=efron, **common)
    store.add("survival", "death", "hazard_ratio_firth", result=firth, **common)
    test = attempt(lambda: logrank_test(time, event, treated), "log-rank test", len(arms.frame))
    keep(store, arms, "survival", "logrank", test, value=test.statistic)


def _leading(arms: Arms) -> Result:
    """Return the hazard ratio that is corrected: Cox's, or the penalised one where that has no value."""
    efron, firth = hazard_ratios(arms.frame, arms.confidence)
    return efron if efron.value > 0 else firth


def _over_effects(ratio: Result, shares: tuple[float, float]) -> list[tuple[float, float, float, float]]:
    """Return effect of the confounder, corrected ratio and its limits, for effects from 1 to 10."""
    if not ratio.value > 0:
        return []
    grid = confounder_grid(
        ratio.value, ratio.lower, ratio.upper, prevalence_treated=[shares[0]],
        prevalence_control=[shares[1]], effects=np.linspace(1, LARGEST_EFFECT, 37).tolist(),
    )  # fmt: skip
    columns = (grid["effect"], grid["ratio"], grid["lower"], grid["upper"])
    return [tuple(map(float, one)) for one in zip(*columns, strict=True)]  # type: ignore[misc]


def _table(
    study: Study, rows: Statistics, arms: Arms, lag: int, shares: tuple[float, float], effect: float
) -> Table:
    def found(key: Key) -> Statistic | None:
        return rows.find(key, OUTCOME, group="both", timepoint=arms.timepoint)

    corrected = "_".join(slug(f"{value:g}") for value in (*shares, effect))
    logrank, late = found(SurvivalRows.logrank), found(_of_lag(lag))
    entered = found(ControlTimeRows.delayed_entry)
    confounded = (
        f"One confounder in {100 * shares[0]:g}% of the treated and {100 * shares[1]:g}% of the controls "
        f"that multiplies deaths by {effect:g}"
    )
    lines: list[tuple[str, Statistic | None, Statistic | None]] = [
        ("As observed", found(SurvivalRows.hazard_ratio), logrank),
        ("As observed, penalised", found(_PENALISED), None),
        ("Counted from eligibility, with delayed entry", entered, entered),
        (f"Had all treated begun {lag} days late", late, late),
        (confounded, found(Key(UnmeasuredConfounderRows.name, f"corrected_{corrected}")), None),
    ]
    body: list[Row] = []
    for words, estimate, test in lines:
        if estimate is None:
            continue
        known = estimate.value == estimate.value
        cell = estimate_interval(estimate, 2) if known else verbatim(estimate.note or "not estimable")
        tested = test is not None and test.p_value == test.p_value
        p = p_value(test).marked(sentence(test.method)) if test is not None and tested else Cell()
        body.append(row(verbatim(words).marked(sentence(estimate.method)), cell, p))
    tipping, e_value = found(ControlTimeRows.lag_tipping_point), found(UnmeasuredConfounderRows.e_value)
    if tipping is not None:
        day = number(tipping) + " days" if tipping.value == tipping.value else verbatim(tipping.note)
        body.append(row("Least lag from which on p is 0.05 or more", day, p_value(tipping)))
    if e_value is not None and e_value.value == e_value.value:
        body.append(row(verbatim("E-value").marked(sentence(e_value.method)), number(e_value, 1), Cell()))
    columns = [column("What if", left=True), column("Hazard ratio (95% CI)"), column("{p_value}")]
    title = "Exploratory. What a lag or a confounder would do to the comparison"
    return Table("exploratory_robustness", title, columns, body, (), study.watermark)


def draw_what_if(
    container: Figure | SubFigure,
    statistics: Statistics,
    timepoint: str,
    lag: int,
    over_effects: Sequence[tuple[float, float, float, float]],
    effect: float,
) -> None:
    """Draw the hazard ratio by common lag and by the confounder's effect, with the choices marked."""
    rows = [
        (float(row.statistic.removeprefix("lag_")), row)
        for row in statistics.select(ControlTimeRows, timepoint=timepoint)
        if row.statistic.removeprefix("lag_").isdigit() and row.value == row.value
    ]
    if not rows and not over_effects:
        say_absent(container, "There is no hazard ratio in these patients.")
        return
    left, right = container.subplots(1, 2)
    rows.sort(key=lambda pair: pair[0])
    _band(left, [(at, row.value, row.lower, row.upper) for at, row in rows])
    marks: list[Artist] = [left.lines[0], interval_handle(_ESTIMATE)]
    left.set_xlabel("Common lag of the treated, days")
    left.set_title("Had all treated begun late")
    there = statistics.find(_of_lag(lag), OUTCOME, group="both", timepoint=timepoint)
    if there is not None and there.value == there.value:
        _marked(left, lag, there.value, f"{lag} days: {format_p_equation(there.p_value)}")
    tipping = statistics.find(ControlTimeRows.lag_tipping_point, OUTCOME, group="both", timepoint=timepoint)
    if tipping is not None and tipping.value > 0:
        words = f"p is 0.05 or more from day {format_number(tipping.value, 0)} on"
        marks.append(left.axvline(tipping.value, color=GREY, linewidth=0.7, linestyle=_DOTS, label=words))
    _band(right, over_effects)
    right.set_xlabel("Confounder multiplies deaths by")
    right.set_title("Had a confounder been unlike in the groups")
    near = min(over_effects, key=lambda one: abs(one[0] - effect), default=None)
    if near is not None:
        _marked(right, effect, near[1], f"Hazard ratio {format_number(near[1], 2)}")
    left.set_ylabel("Hazard ratio")
    marks_legend(container, marks, columns=3)


def _band(axes: Axes, points: Sequence[tuple[float, float, float, float]]) -> None:
    at, value, lower, upper = (list(one) for one in zip(*points, strict=True)) if points else ([],) * 4
    axes.plot(at, value, color=_ESTIMATE, label="Hazard ratio")
    axes.fill_between(at, lower, upper, color=_ESTIMATE, alpha=0.15, linewidth=0)
    axes.axhline(1.0, color=GREY, linewidth=0.7)
    axes.set_yscale("log")
    axes.set_yticks([0.01, 0.1, 1, 10], labels=["0.01", "0.1", "1", "10"])
    axes.set_yticks([], minor=True)


def _marked(axes: Axes, x: float, y: float, words: str) -> None:
    axes.plot([x], [y], "o", color=INK, markersize=4.5, zorder=5)
    axes.set_xlabel(f"{axes.get_xlabel()}\n({words})")
