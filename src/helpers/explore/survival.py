"""Survival and other endpoints: curves of the groups or of any split, with the risk table below.

>>> from helpers.explore.study import open_study
>>> view = survival(open_study("rdmas_reconstructed"))
>>> view.name, view.tests
('exploratory_survival', 1)
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from helpers.analysis.effects import DAYS, POINTS, RATIO, store_effects
from helpers.analysis.endpoints import analyse_endpoint
from helpers.analysis.survival import (
    SurvivalTimes,
    compare_survival,
    describe_survival,
    hazard_ratios,
    survival_times,
)
from helpers.analysis.variables import comparison
from helpers.explore.delayed import ELIGIBILITY, compare_delayed, delayed_times, describe_delayed
from helpers.explore.look import Look, Picture, panel
from helpers.explore.parts import EVERYONE, Chosen, Patients, choose
from helpers.explore.study import ExplorationError, Study
from helpers.report.figures.endpoints import draw_endpoints
from helpers.report.figures.survival import SurvivalFigure, survival_height
from helpers.report.figures.survival_data import read_survival
from helpers.report.figures.survival_layers import (
    Plot,
    censor_marks,
    effect,
    interval,
    median,
    names,
    risk_table,
)
from helpers.report.tables.endpoints import endpoints_table
from helpers.report.tables.survival import survival_table
from helpers.results.catalogue import SurvivalRows
from helpers.results.store import StatisticsStore
from helpers.stats.logrank import exact_logrank_test, logrank_test, permutation_logrank_test
from helpers.stats.result import Result, StatisticsError
from helpers.stats.rmst import rmst_difference, survival_difference

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure, SubFigure

    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistics

DEATH = "death"
CountedFrom = Literal["day 0", "eligibility"]
Interval = Literal["log-log", "log", "plain"]
Test = Literal["logrank", "exact", "permutation"]
RiskTable = Literal["at risk and deaths", "at risk", "at risk, censored, deaths", "none"]
_TEMPLATES = {"at risk and deaths": "{n.risk} ({events})", "at risk": "{n.risk}"}
_HEIGHT, _ROW_MM = 95.0, 5.5
_DRAWS = 100_000


@panel
def survival(
    study: Study,
    *,
    endpoint: str = DEATH,
    horizon_days: int | None = None,
    patients: Patients = EVERYONE,
    counted_from: CountedFrom = "day 0",
    landmark_day: int = 0,
    interval: Interval | None = None,
    test: Test | None = None,
    risk_table: RiskTable = "at risk and deaths",
    medians: bool = False,
    confidence: float = 0.95,
    journal: str = "generic",
) -> Look:
    """Show survival, or the time to another endpoint, of the study's groups or of any split.

    Args:
        study: the cohort.
        endpoint: ``death``, or the id of an endpoint that the cohort declares.
        horizon_days: last day; None: the cohort's own.
        patients: whom it is about.
        counted_from: ``day 0``, or ``eligibility``: with delayed entry, from the day on which a patient was
            eligible, at risk only from day 0 on.
        landmark_day: days are counted from it, among those who are then alive and followed.
        interval: transform of the intervals; None: the cohort's own.
        test: log-rank test: asymptotic, exact or by permutation; None: the cohort's own.
        risk_table: counts below the curves.
        medians: whether median survival is drawn and written.
        confidence: level of the intervals.
        journal: whose sizes and manner are used.

    Raises:
        ExplorationError: it cannot be shown; the message says why.

    Example:
        >>> from helpers.explore.study import open_study
        >>> survival(open_study("rdmas_reconstructed"), patients=Patients(split_by="sex")).table.title
        'Exploratory. Survival from day 0'
    """
    horizon = int(study.config.horizon_days if horizon_days is None else horizon_days)
    if not 0 <= landmark_day < horizon:
        raise ExplorationError(
            f"A landmark on day {landmark_day} does not lie before the last day {horizon}."
        )
    chosen = choose(study, patients, known_by=landmark_day)
    view = _with_settings(chosen.study, interval, test)
    if endpoint != DEATH:
        if landmark_day or counted_from != "day 0":
            raise ExplorationError("Landmarks and delayed entry are for death only.")
        return _endpoint(replace(chosen, study=view), endpoint, horizon, confidence, journal)
    if counted_from == ELIGIBILITY and landmark_day:
        raise ExplorationError("Choose a landmark or delayed entry, not both.")
    view, rows, said = _of_death(view, counted_from, landmark_day, horizon, confidence)
    notes = (*chosen.notes, *said)
    return _curves(view, rows, horizon - landmark_day, notes, journal, risk_table, medians=medians)


def _with_settings(study: Study, interval: Interval | None, test: Test | None) -> Study:
    own = study.config.survival
    settings = own.model_copy(update={"interval": interval or own.interval, "test": test or own.test})
    return study.with_(study.config.model_copy(update={"survival": settings}), study.tables)


def _of_death(
    view: Study, counted_from: CountedFrom, landmark_day: int, horizon: int, confidence: float
) -> tuple[Study, Statistics, list[str]]:
    """Return the study with its origin of time in words, every number, and what is to be said."""
    store = StatisticsStore(Path(), "explore")
    if counted_from == ELIGIBILITY:
        late, notes = delayed_times(view, horizon)
        describe_delayed(late, view.config, store, confidence=confidence)
        compare_delayed(late, view.config, store, confidence=confidence)
        return _counted_anew(view, "eligibility"), store.rows(), notes
    times, notes = _from_landmark(survival_times(view.tables, view.config, horizon), landmark_day)
    describe_survival(times, view.config, store, confidence=confidence)
    _compare(times, view.config, store, confidence)
    if landmark_day:
        view = _counted_anew(view, f"day {landmark_day} after {{}}")
    return view, store.rows(), notes


def _compare(times: SurvivalTimes, config: CohortConfig, store: StatisticsStore, confidence: float) -> None:
    """Compare the parts: two by test and effects, more by the log-rank test of all."""
    frame = times.frame[times.frame["group"].isin(config.group_ids)]
    present = frame["group"].nunique()
    if present < 2:
        return
    horizon = times.horizon_days
    if len(config.groups) > 2:
        test = logrank_test(frame["time"], frame["event"], frame["group"])
        store.add(
            "survival", DEATH, "logrank", result=test, value=test.statistic, group="both",
            timepoint=f"day_{horizon}",
        )  # fmt: skip
        return
    compare_survival(times, config, store, confidence=confidence)
    groups = comparison(config)
    data = (frame["time"], frame["event"], frame["group"])
    found = [("cox_firth", RATIO, hazard_ratios(frame, confidence)[1])]
    options: dict[str, Any] = {"treated": groups[0], "confidence": confidence}
    for name, unit, contrast in (
        ("survival_difference", POINTS, survival_difference),
        ("rmst_difference", DAYS, rmst_difference),
    ):
        try:
            found.append((name, unit, contrast(*data, horizon, **options)))
        except StatisticsError as error:
            found.append((name, unit, Result(name.replace("_", " "), n=len(frame), note=error.problem)))
    if config.survival.test != "logrank":
        found.append(_permuted(config.survival.test, data, groups[0]))
    store_effects(found, "effect", DEATH, horizon, store)


def _permuted(
    test: str, data: tuple[pd.Series, pd.Series, pd.Series], treated: str
) -> tuple[str, str, Result]:
    """Return name, unit and result of the exact log-rank test, or of that by permutation."""
    if test == "exact":
        try:
            return "test_logrank_exact", "", exact_logrank_test(*data, treated=treated)
        except StatisticsError as error:
            note = f"not computed: {error.problem}"
            return "test_logrank_exact", "", Result("exact log-rank test", n=len(data[0]), note=note)
    found = permutation_logrank_test(*data, treated=treated, seed=0, draws=_DRAWS)
    return "test_logrank_monte_carlo", "", found


def _from_landmark(times: SurvivalTimes, day: int) -> tuple[SurvivalTimes, list[str]]:
    """Return the times of those alive and followed after a landmark, counted from it."""
    if not day:
        return times, []
    frame = times.frame[times.frame["time"] > day]
    gone = len(times.frame) - len(frame)
    if frame.empty:
        raise ExplorationError(f"Nobody is alive and followed after day {day}.")
    kept = frame.assign(time=frame["time"] - day).reset_index(drop=True)
    said = f"Landmark on day {day}: {gone} who had died or were no longer followed by then are left out."
    return replace(times, frame=kept, horizon_days=times.horizon_days - day), [said]


def _counted_anew(study: Study, origin: str) -> Study:
    """Return the study whose groups count their days from something else, ``{}`` for their day 0."""
    groups = tuple(
        group.model_copy(update={"day0": origin.format(group.day0)}) for group in study.config.groups
    )
    return study.with_(study.config.model_copy(update={"groups": groups}), study.tables)


def _curves(
    view: Study,
    rows: Statistics,
    last: int,
    notes: tuple[str, ...],
    journal: str,
    counts: str,
    *,
    medians: bool,
) -> Look:
    config = view.config
    table = survival_table(rows, config, last, watermark=view.watermark)
    said = "; ".join(f"{group.label}: {_deaths(rows, group.id, last)}" for group in config.groups)
    lines = (3 if counts == "at risk, censored, deaths" else 1) * len(config.groups)
    words = 2 * _ROW_MM if medians else 0.0
    picture = Picture(
        draw_curves,
        (rows, config, counts),
        "one_and_a_half",
        survival_height(config, _HEIGHT) + _ROW_MM * max(0, lines - 2) + words,
        f"Kaplan-Meier survival to day {last} with numbers at risk. {said}",
        {"medians": medians},
    )
    titled = replace(table, name="exploratory_survival", title=f"Exploratory. {table.title}")
    return Look("exploratory_survival", view, picture, titled, rows, notes, journal)


def _deaths(rows: Statistics, group: str, last: int) -> str:
    row = rows.find(SurvivalRows.deaths, DEATH, group=group, timepoint=f"day_{last}")
    return "no follow-up" if row is None else f"{row.value:.0f} deaths among {row.n}"


class key(names):  # noqa: N801 - a layer, as the others
    """The names of the groups in the legend, for curves that are too many to be named at their ends."""

    def draw(self, plot: Plot) -> None:
        """Write nothing."""

    def handles(self, plot: Plot) -> list[Artist]:
        """Return the lines of all groups."""
        return list(plot.axes.get_lines()[: len(plot.labels)])


def draw_curves(
    container: Figure | SubFigure,
    statistics: Statistics,
    config: CohortConfig,
    counts: RiskTable,
    *,
    medians: bool = False,
) -> None:
    """Draw the curves with bands, censor marks, effects, and the counts asked for."""
    figure = SurvivalFigure(read_survival(statistics, config), config) + interval() + censor_marks()
    figure = figure + (names() if len(config.groups) < 3 else key()) + effect(medians=medians)
    if medians:
        figure = figure + median(words=False)
    if counts == "at risk, censored, deaths":
        figure = figure + risk_table(layout="kmunicate")
    elif counts in _TEMPLATES:
        figure = figure + risk_table(_TEMPLATES[counts])
    figure.draw(container)


def _endpoint(chosen: Chosen, endpoint: str, horizon: int, confidence: float, journal: str) -> Look:
    """Show an endpoint beside death: a curve, or a cumulative incidence where something competes."""
    view = chosen.study
    one = next((each for each in view.config.endpoints if each.id == endpoint), None)
    if one is None:
        known = ", ".join([DEATH, *(each.id for each in view.config.endpoints)])
        raise ExplorationError(f"No endpoint {endpoint!r}.", remedy=f"There are: {known}.")
    store = StatisticsStore(Path(), "explore")
    analyse_endpoint(
        one, view.tables, view.config, store, horizon_days=horizon, confidence=confidence, seed=0
    )
    rows = store.rows()
    table = endpoints_table(rows, view.config, watermark=view.watermark)
    picture = Picture(
        draw_endpoints, (rows, view.config), "one_and_a_half", 82.0 + _ROW_MM * len(view.config.groups),
        f"{one.label} over time with numbers at risk",
    )  # fmt: skip
    titled = replace(table, name=f"exploratory_{endpoint}", title=f"Exploratory. {table.title}")
    return Look(f"exploratory_{endpoint}", view, picture, titled, rows, chosen.notes, journal)
