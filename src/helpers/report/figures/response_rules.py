"""Figures of the response by rule: rates under every variant, time to the first response.

>>> draw_response_time(container, statistics, config, 56)
>>> len(container.axes)
2
>>> [visit.id for visit in shown_visits(statistics, config)], variants_height(["paper", "strict"])
(['week_1', 'week_2', 'week_3', 'week_8'], 43.6)
>>> draw_variants(container, statistics, ["paper"], config)
>>> len(container.axes)  # of both figures
6
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.report.figures.common import day_0_title, interval_handle, marks_legend, say_absent
from helpers.report.figures.output.exhibits import figure
from helpers.report.figures.style import FAINT, group_styles
from helpers.report.figures.visits import near_limit
from helpers.results.catalogue import ResponseRows, ResponseVariantRows, TimeToResponseRows
from helpers.results.store import slug

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from helpers.cohort.config import CohortConfig
    from helpers.cohort.settings import Visit
    from helpers.results.store import Statistic, Statistics

ABSENT = "No response can be worked out from the values of this cohort."
ROW_MM, EDGE_MM = 5.2, 28.0
CLINICIANS = "Clinicians' calls"
MOST_VISITS = 4
YEAR = 365
_BEYOND = 1.02  # of the horizon, so that a step on the last day and its interval are seen


def shown_visits(statistics: Statistics, config: CohortConfig) -> list[Visit]:
    """Return the visits shown of those with calls by a rule: at most four, the first and last among them."""
    called = {row.timepoint for row in statistics.select(ResponseVariantRows.overall)}
    visits = [visit for visit in config.visits if visit.id in called]
    if len(visits) <= MOST_VISITS:
        return visits
    steps = [round(i * (len(visits) - 1) / (MOST_VISITS - 1)) for i in range(MOST_VISITS)]
    return [visits[step] for step in steps]


def variants_height(variants: Sequence[str]) -> float:
    """Return the height in millimetres of the figure of so many variants."""
    return EDGE_MM + ROW_MM * (len(variants) + 1) if variants else 60.0


@figure(
    "figure_s9_rule_variants",
    "double",
    lambda _statistics, variants, _config: variants_height(variants),
    "Overall response rate by variant of the response rule and visit",
    needs=ResponseVariantRows,
)
def draw_variants(
    container: Figure | SubFigure, statistics: Statistics, variants: Sequence[str], config: CohortConfig
) -> None:
    """Draw the overall response rate with its exact interval: a row a variant, a panel a visit.

    Above the rule's variants stand the clinicians' calls, in the groups that have them. A dotted line a group
    carries the rate of the rule itself, the first variant, down the others, and the marks of variants that
    change nothing are hollow, so that a difference is seen.
    """
    visits = shown_visits(statistics, config)
    if not variants or not visits:
        say_absent(container, ABSENT)
        return
    panels = container.subplots(1, len(visits), sharey=True, squeeze=False)[0]
    for axes, visit in zip(panels, visits, strict=True):
        _panel(axes, statistics, variants, visit, config)
    panels[0].set_yticks(
        range(len(variants) + 1), labels=[CLINICIANS, *[_short(label) for label in variants]]
    )
    panels[0].set_ylim(len(variants) + 0.6, -0.6)
    handles: dict[str, Artist] = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    for label, handle in handles.items():
        handle.set_label(label)
    marks_legend(
        container, list(handles.values()), title="Overall response, % (line: exact confidence interval)"
    )


def _short(label: str) -> str:
    name = label.removeprefix("paper, ")
    return name if name[1:2].isupper() else name[:1].upper() + name[1:]


def _rates(
    statistics: Statistics, variants: Sequence[str], visit: Visit, group: str
) -> list[tuple[int, Statistic]]:
    """Return the stored rates of one group at one visit with the row at which each is drawn."""
    names = [(ResponseRows.rate, "overall")]
    names += [(ResponseVariantRows.overall, slug(label)) for label in variants]
    found = [(row, statistics.find(*name, group=group, timepoint=visit.id)) for row, name in enumerate(names)]
    return [(row, rate) for row, rate in found if rate is not None]


def _panel(
    axes: Axes, statistics: Statistics, variants: Sequence[str], visit: Visit, config: CohortConfig
) -> None:
    styles, groups = group_styles(config), config.groups
    for place, group in enumerate(groups):
        shift = 0.0 if len(groups) == 1 else (-0.16, 0.16)[place]
        style = styles[group.id]
        rates = _rates(statistics, variants, visit, group.id)
        base = dict(rates).get(1)
        if base is not None:
            axes.plot(
                [base.value] * 2, [0.6, len(variants) + 0.5], color=style.colour, linewidth=0.8,
                linestyle=(0, (1, 1.5)), zorder=1,
                label=f"{group.short_label}: base rule ({_short(variants[0])})",
            )  # fmt: skip
        for row, rate in rates:
            hollow = row > 1 and base is not None and (rate.value, rate.n) == (base.value, base.n)
            axes.plot(
                [rate.lower, rate.upper], [row + shift] * 2, color=style.colour, linewidth=1.0, zorder=2
            )
            axes.plot(
                rate.value, row + shift, style.marker, color=style.colour, markersize=3.4, clip_on=False,
                markerfacecolor="white" if hollow else style.colour, markeredgewidth=0.8, zorder=3,
                label=f"{group.short_label}: as the base rule" if hollow else group.label,
            )  # fmt: skip
    axes.axhline(0.5, color=FAINT, linewidth=0.6)
    axes.set_xlim(0, 100)
    axes.set_xticks([0, 50, 100])
    # Inwards, so that 100 of one panel and 0 of the next are not read as one number.
    first, _, last = axes.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")
    axes.set_title(visit.label)
    axes.grid(axis="x", color=FAINT, linewidth=0.4)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)


@figure(
    "figure_s10_time_to_response",
    "double",
    75,
    "Cumulative incidence of the first response with death competing",
    needs=TimeToResponseRows,
)
def draw_response_time(
    container: Figure | SubFigure, statistics: Statistics, config: CohortConfig, horizon_days: float
) -> None:
    """Draw the cumulative incidence of the first response with its band and, thin, of death before it.

    A panel each for the clinicians' calls and the rule; steps, as the estimate is. Each curve runs on to the
    horizon.
    """
    titles = {"clinician": "Clinicians' calls", "rule": "By the rule"}
    sources = {
        name: title
        for name, title in titles.items()
        if statistics.select(TimeToResponseRows.incidence, variable=name)
    }
    if not sources:
        say_absent(container, "No response is recorded or can be worked out in this cohort.")
        return
    panels = container.subplots(1, len(sources), sharey=True, squeeze=False)[0]
    styles = group_styles(config)
    for axes, (source, title) in zip(panels, sources.items(), strict=True):
        for group in config.groups:
            for name, width, alpha in (("incidence", 1.5, 1.0), ("died_incidence", 1.1, 1.0)):
                days, shares, lower, upper = _steps(statistics, source, group.id, name, horizon_days)
                if not days:
                    continue
                style = styles[group.id]
                if name == "incidence":
                    axes.fill_between(
                        days, lower, upper, step="post", color=style.colour, alpha=0.13, linewidth=0
                    )
                what = "response" if name == "incidence" else "death before it"
                axes.step(
                    days, shares, where="post", color=style.colour, linewidth=width, alpha=alpha,
                    linestyle=style.line if name == "incidence" else style.faint_line,
                    label=f"{group.short_label}: {what}",
                )  # fmt: skip
        axes.set_title(title)
        axes.set_xlim(0, _BEYOND * horizon_days)
        axes.set_ylim(0, 100)
        _time_axis(axes, horizon_days, config)
    panels[0].set_ylabel("Patients (%)")
    full = max(panels, key=lambda axes: len(axes.get_legend_handles_labels()[1]))
    marks_legend(
        container, [*full.get_legend_handles_labels()[0], interval_handle()], columns=3, title=_late(config)
    )


def _late(config: CohortConfig) -> str:
    """Return what is to be said of responses of the last visit that were dated after the horizon."""
    last = near_limit(config)
    if last == config.horizon_days:
        return ""
    return f"Responses of the last visit, held up to day {last}, stand at day {config.horizon_days}"


def _time_axis(axes: Axes, horizon_days: float, config: CohortConfig) -> None:
    """Put ticks in weeks, labelled in days, or in years for a follow-up of years; say what day 0 is."""
    if horizon_days > 2 * YEAR:
        step = max(1, round(horizon_days / 5 / YEAR))
        years = list(range(0, int(horizon_days // YEAR) + 1, step))
        axes.set_xticks([YEAR * year for year in years], labels=[str(year) for year in years])
        axes.set_xlabel(day_0_title(f"Years (of {YEAR} days)", config, config.group_ids))
        return
    step = 7 * max(1, round(horizon_days / 4 / 7))
    axes.set_xticks(range(0, int(horizon_days) + 1, step))
    axes.set_xlabel(day_0_title("Days", config, config.group_ids))


def _steps(
    statistics: Statistics, source: str, group: str, name: str, horizon_days: float
) -> tuple[list[float], list[float], list[float], list[float]]:
    """Return days, shares and their limits, in percent, from day 0 to the horizon."""
    rows = statistics.select(TimeToResponseRows.named(name), variable=source, group=group)
    points = sorted(
        (float(row.timepoint.removeprefix("day_")), 100 * row.value, 100 * row.lower, 100 * row.upper)
        for row in rows
    )
    points = [point for point in points if point[0] <= horizon_days and point[1] == point[1]]
    if not points:
        return [], [], [], []
    points = [(0.0, 0.0, 0.0, 0.0), *points, (_BEYOND * horizon_days, *points[-1][1:])]
    days, shares, lower, upper = (list(column) for column in zip(*points, strict=True))
    return days, shares, lower, upper
