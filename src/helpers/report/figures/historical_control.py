"""Figures of the comparison with historical controls: time, era, balance, one confounder, all assumptions.

>>> draw_confounder(container, statistics, "day_56")
>>> len(container.axes)
3
>>> patients = arms.frame.assign(lag=recorded.lag.reindex(arms.frame["patient_id"]).to_numpy())
>>> draw_lag(container, statistics, config, patients, "day_56")
>>> draw_love(container, statistics, recorded.labels, recorded.model.chosen)
>>> len(container.axes) > 2
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.figures.common import interval_handle, marks_legend, name_rows, say_absent
from helpers.report.figures.output.exhibits import figure
from helpers.report.figures.scales import calendar_scale, ratio_scale
from helpers.report.figures.strips import draw_strip, strip_handles
from helpers.report.figures.style import FAINT, GREY, INK, group_styles
from helpers.results.catalogue import (
    CoInterventionRows,
    ControlEraRows,
    ControlTimeRows,
    CovariateBalanceRows,
    UnmeasuredConfounderRows,
)
from helpers.results.format import ALPHA, EN_DASH, format_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistic, Statistics

NO_ARMS = "There are no two groups with a follow-up in this cohort."
DOTS = (0, (2, 2))
ESTIMATE = "#0072B2"


@figure(
    "figure_s13_lag",
    "double",
    75,
    "Days from eligibility to day 0 by group, and the hazard ratio under one common lag",
    needs=ControlTimeRows.named("lag_1"),
)
def draw_lag(
    container: Figure | SubFigure,
    statistics: Statistics,
    config: CohortConfig,
    patients: pd.DataFrame,
    timepoint: str,
) -> None:
    """Draw days from eligibility to day 0 by arm, and the hazard ratio under one common lag of the treated.

    `patients` has treated (1 or 0), lag (days, missing where unknown) and event (death by the horizon).
    """
    rows = _by_lag(statistics, timepoint)
    if not rows:
        say_absent(container, NO_ARMS)
        return
    left, right = container.subplots(1, 2, width_ratios=[1, 1.25])
    known = bool(patients["lag"].notna().any())
    if known:
        draw_strip(left, config, patients, "lag")
        left.set_xlabel("Days from eligibility to day 0")
    else:
        _say(left, "The day of eligibility is not known")
    left.set_title("Read from prescriptions")
    _common_lags(right, statistics, rows, timepoint)
    marks = strip_handles() if known else []
    marks_legend(container, [*marks, right.lines[0], interval_handle(ESTIMATE)], columns=4)


def _say(axes: Axes, message: str) -> None:
    """Say in an axes why it is empty."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, message, ha="center", color=GREY, transform=axes.transAxes)


def _by_lag(statistics: Statistics, timepoint: str) -> list[tuple[float, Statistic]]:
    """Rows of one common lag, with the lag, in order; only those with an estimate or a p-value."""
    found = []
    for row in statistics.select(ControlTimeRows, timepoint=timepoint):
        lag = row.statistic.removeprefix("lag_")
        if row.statistic.startswith("lag_") and lag.isdigit():
            found.append((float(lag), row))
    found.sort(key=lambda pair: pair[0])
    return found if any(row.value == row.value for _, row in found) else []


def _common_lags(
    axes: Axes, statistics: Statistics, rows: Sequence[tuple[float, Statistic]], timepoint: str
) -> None:
    lags = [lag for lag, _ in rows]
    axes.fill_between(
        lags, [row.lower for _, row in rows], [row.upper for _, row in rows], color=ESTIMATE, alpha=0.15,
        linewidth=0, step="mid",
    )  # fmt: skip
    axes.step(lags, [row.value for _, row in rows], where="mid", color=ESTIMATE, label="Hazard ratio")
    axes.axhline(1.0, color=GREY, linewidth=0.7)
    ratio_scale(axes, "y")
    axes.locator_params(axis="x", integer=True)
    axes.set_xlabel("Common lag of the treated, days")
    axes.set_ylabel("Hazard ratio")
    axes.set_title("Had all treated begun so many days late")
    tipping = statistics.find(ControlTimeRows.lag_tipping_point, "death", group="both", timepoint=timepoint)
    if tipping is not None and tipping.value > 0:
        axes.axvline(tipping.value - 0.5, color=INK, linewidth=0.7, linestyle=DOTS)
        early = tipping.value < (lags[0] + lags[-1]) / 2  # the words have room on one side
        axes.annotate(
            f"p not below {ALPHA:g} from day {format_number(tipping.value, 0)} on",
            (tipping.value - 0.5, 0.03), xycoords=("data", "axes fraction"), xytext=(4 if early else -4, 0),
            textcoords="offset points", ha="left" if early else "right",
        )  # fmt: skip


@figure(
    "figure_s14_era",
    "double",
    75,
    "Calendar time of day 0 by group, and drugs begun on or after day 0",
    needs=ControlEraRows.calendar_gap,
)
def draw_era(
    container: Figure | SubFigure, statistics: Statistics, config: CohortConfig, patients: pd.DataFrame
) -> None:
    """Draw each patient's day 0 in calendar time by arm, and the drugs begun on or after day 0.

    `patients` has treated (1 or 0), years (calendar time, missing where unknown) and event.

    >>> patients = arms.frame.assign(years=recorded.years.reindex(arms.frame["patient_id"]).to_numpy())
    >>> draw_era(container, statistics, config, patients)
    >>> len(container.axes)
    2
    """
    drugs = statistics.select(CoInterventionRows.begun_treated)
    dated = bool(patients["years"].notna().any())
    if patients["treated"].nunique() < 2 or not (drugs or dated):
        say_absent(container, "Neither dates nor treatments are recorded in two groups of this cohort.")
        return
    left, right = container.subplots(1, 2, width_ratios=[1.4, 1])
    if dated:
        draw_strip(left, config, patients, "years")
        calendar_scale(left, "day 0")
    else:
        _say(left, "Dates are not recorded")
    left.set_title("Calendar time")
    if drugs:
        _drug_bars(right, statistics, config, drugs)
    else:
        _say(right, "Treatments are not recorded")
        right.set_title("Begun on or after day 0")
    bars = right.get_legend_handles_labels()[0]
    marks_legend(container, [*(strip_handles() if dated else []), *bars], columns=4)


def _drug_bars(axes: Axes, statistics: Statistics, config: CohortConfig, drugs: Sequence[Statistic]) -> None:
    styles = group_styles(config)
    named = [row for row in drugs if row.variable != "any"] or list(drugs)
    width = 0.38
    for shift, (arm, role) in zip(
        (-0.5, 0.5), (("treated", "treated"), ("reference", "reference")), strict=True
    ):
        group = next(group for group in config.groups if group.role == role)
        for y, row in enumerate(named):
            found = statistics[row.id.removesuffix("treated") + arm]
            place = y + shift * width
            axes.barh(place, found.value, width, color=styles[group.id].colour, hatch=styles[group.id].hatch,
                      edgecolor="white", linewidth=0)  # fmt: skip
            axes.annotate(
                f"{format_number(found.value, 0)} of {found.n}", (found.value, place), xytext=(3, 0),
                textcoords="offset points", va="center",
            )  # fmt: skip
        axes.barh(0, 0, color=styles[group.id].colour, hatch=styles[group.id].hatch, edgecolor="white",
                  linewidth=0, label=group.short_label)  # fmt: skip
    labels = ["any" if row.variable == "any" else config.vocabulary.drug_label(row.variable) for row in named]
    axes.set_yticks(range(len(named)), labels=labels)
    axes.set_ylim(len(named) - 0.4, -0.6)
    axes.margins(x=0.25)
    axes.set_xlim(0, max(axes.get_xlim()[1], 1.25))  # of nobody there is no scale
    axes.locator_params(axis="x", integer=True)
    axes.set_xlabel("Patients")
    axes.set_title("Begun on or after day 0")


# A difference of more standard deviations would leave no room to tell the others apart.
_REACH = 3.0


def _within(value: float) -> float:
    """Return a difference, or the nearer end of the axis for one that lies beyond it."""
    return min(max(value, -_REACH), _REACH)


_WEIGHTINGS = (
    ("smd", "unweighted", "o", "white"),
    ("smd_ato", "overlap weights", "s", "#0072B2"),
    ("smd_entropy", "entropy balancing", "D", "#E69F00"),
)


@figure(
    "figure_s15_love",
    "one_and_a_half",
    105,
    "Standardised differences of all characteristics, unweighted and under two kinds of weights",
    needs=CovariateBalanceRows.named("expected_above_0_1"),
)
def draw_love(
    container: Figure | SubFigure, statistics: Statistics, labels: Mapping[str, str], chosen: Sequence[str]
) -> None:
    """Draw standardised differences of all characteristics, unweighted with intervals and under weights.

    `labels` of the variables; those of the weighting model (`chosen`) are set in bold.
    """
    rows = [row for row in statistics.select(CovariateBalanceRows.smd) if row.value == row.value]
    if not rows:
        say_absent(container, NO_ARMS)
        return
    rows.sort(key=lambda row: (abs(row.value), row.variable))
    axes = container.subplots()
    axes.axvspan(-0.1, 0.1, color="#009E73", alpha=0.10, linewidth=0, label="within 0.1")
    axes.axvline(0, color=GREY, linewidth=0.7)
    lower, upper = [_within(row.lower) for row in rows], [_within(row.upper) for row in rows]
    axes.hlines(range(len(rows)), lower, upper, color=FAINT, linewidth=1,
                label="confidence interval, unweighted")  # fmt: skip
    beyond = False
    for statistic, label, marker, face in _WEIGHTINGS:
        points = [
            (statistics.get(f"{row.id}{statistic.removeprefix('smd')}"), y) for y, row in enumerate(rows)
        ]
        known = [(_within(row.value), y) for row, y in points if row is not None and row.value == row.value]
        beyond |= any(abs(value) >= _REACH for value, _ in known)
        if known:
            axes.plot(*zip(*known, strict=True), marker, color=INK, markerfacecolor=face, markersize=4,
                      markeredgewidth=0.7, linestyle="none", label=label)  # fmt: skip
    names = [labels.get(row.variable, row.variable) for row in rows]
    name_rows(axes, names, bold=[row.variable in chosen for row in rows])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    edge = f"\n(beyond {_REACH:g}: at the edge)" if beyond else ""
    axes.set_xlabel(f"Standardised difference, treated less control{edge}")
    marks_legend(container, axes.get_legend_handles_labels()[0], columns=2)


@figure(
    "figure_s16_confounder",
    "double",
    70,
    "Hazard ratio left by one unmeasured confounder, by its prevalence in both groups and its effect",
    needs=UnmeasuredConfounderRows.named("corrected_0_1_0_3_2"),
)
def draw_confounder(container: Figure | SubFigure, statistics: Statistics, timepoint: str) -> None:
    """Draw what one unmeasured confounder would leave: estimate and limits for prevalences and effects."""
    rows = [
        (tuple(float(part) for part in _parts(row.statistic)), row)
        for row in statistics.select(UnmeasuredConfounderRows, timepoint=timepoint)
        if row.statistic.startswith("corrected_")
    ]
    if not rows:
        say_absent(container, "There is no hazard ratio to correct in this cohort.")
        return
    effects = sorted({key[2] for key, _ in rows})
    grid = container.subplots(1, len(effects), sharey=True, squeeze=False)[0]
    for axes, effect in zip(grid, effects, strict=True):
        _cells(axes, [(key, row) for key, row in rows if key[2] == effect])
        axes.set_title(f"Multiplies deaths by {format_number(effect, 0)}")
        axes.set_xlabel("In controls, %")
    grid[0].set_ylabel("In the treated, %")
    marks_legend(
        container, _conclusions(rows), columns=3, title="Corrected hazard ratio, confidence interval"
    )


def _parts(statistic: str) -> list[str]:
    """Prevalences and effect from a row's name: ``corrected_0_1_0_3_2`` is 0.1, 0.3 and 2."""
    parts = statistic.removeprefix("corrected_").split("_")
    return [f"{parts[0]}.{parts[1]}", f"{parts[2]}.{parts[3]}", ".".join(parts[4:])]


_CONCLUSIONS = {"holds": "#7fb8da", "inconclusive": "#eeeeee", "reversed": "#D55E00"}
_MEANING = {"holds": "Conclusion holds", "inconclusive": "Interval includes 1", "reversed": "Reversed"}


def _conclusions(rows: Sequence[tuple[tuple[float, ...], Statistic]]) -> list[Artist]:
    """Return the sign of each conclusion that some cell comes to."""
    from matplotlib.patches import Patch

    there = {row.level for _, row in rows}
    return [
        Patch(facecolor=colour, edgecolor=GREY, linewidth=0.5, label=_MEANING[name])
        for name, colour in _CONCLUSIONS.items()
        if name in there
    ]


def _cells(axes: Axes, rows: Sequence[tuple[tuple[float, ...], Statistic]]) -> None:
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    treated, control = (sorted({key[i] for key, _ in rows}) for i in (0, 1))
    places = [(control.index(key[1]), treated.index(key[0])) for key, _ in rows]
    tiles = [Rectangle((x - 0.48, y - 0.48), 0.96, 0.96) for x, y in places]
    colours = [_CONCLUSIONS[row.level] for _, row in rows]
    axes.add_collection(PatchCollection(tiles, facecolors=colours, edgecolors="none"))
    for (x, y), (_, row) in zip(places, rows, strict=True):
        axes.text(x, y, _corrected(row), ha="center", va="center", linespacing=1.1)
    axes.set_xticks(range(len(control)), labels=[f"{100 * value:.0f}" for value in control])
    axes.set_yticks(range(len(treated)), labels=[f"{100 * value:.0f}" for value in treated])
    axes.set_xlim(-0.5, len(control) - 0.5)
    axes.set_ylim(-0.5, len(treated) - 0.5)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _corrected(row: Statistic) -> str:
    value, low, high = (format_number(v, 2 if v < 10 else 0) for v in (row.value, row.lower, row.upper))
    return f"{value}\n{low}{EN_DASH}{high}"
