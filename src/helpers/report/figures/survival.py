"""Kaplan-Meier figure in layers: curves, intervals, censor marks, risk table, p-value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.report.figures.common import count_rows, say_absent
from helpers.report.style import group_styles
from helpers.results.format import format_p_equation

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistics


YEAR = 365


@dataclass(frozen=True)
class SurvivalData:
    """What the figure shows, read from stored statistics.

    Attributes:
        horizon_days: last day of the analysis.
        curves: by group: day, survival, lower, upper, n_censor, one row a day with an event or a censoring.
        at_risk: by group: number at risk just before each tick.
        ticks: days of the risk table.
    """

    horizon_days: int
    curves: dict[str, pd.DataFrame]
    at_risk: dict[str, list[int]]
    ticks: list[int]
    p_value: float | None
    p_label: str


def stored_horizon(statistics: Statistics) -> int | None:
    """Return the last day of the stored survival analysis, or None where there is none."""
    rows = statistics.select(analysis="survival", variable="death", statistic="deaths")
    return int(rows[0].timepoint.removeprefix("day_")) if rows else None


def read_survival(statistics: Statistics, config: CohortConfig) -> SurvivalData:
    """Collect curves, counts and p-value of the primary survival analysis from the statistics."""
    import pandas as pd

    curves, at_risk = {}, {}
    ticks: list[int] = []
    for group in config.groups:
        rows: dict[int, dict[str, float]] = {}
        for row in statistics.select(analysis="survival", variable="death", group=group.id):
            if not row.timepoint.startswith("day_"):
                continue
            day = rows.setdefault(int(row.timepoint.removeprefix("day_")), {})
            day[row.statistic] = row.value
            if row.statistic == "survival":
                day |= {"lower": row.lower, "upper": row.upper}
        table = pd.DataFrame.from_dict(rows, orient="index").sort_index().rename_axis("day").reset_index()
        curves[group.id] = table[table["n_event"].notna()] if "n_event" in table else table
        counted = table[table["at_risk"].notna()] if "at_risk" in table else table.iloc[:0]
        ticks = [int(day) for day in counted["day"]]
        at_risk[group.id] = [int(count) for count in counted.get("at_risk", [])]
    horizon_days = stored_horizon(statistics) or 0
    test = statistics.find("survival", "death", "logrank", group="both", timepoint=f"day_{horizon_days}")
    return SurvivalData(horizon_days, curves, at_risk, ticks, test.p_value if test else None, "Log-rank")


def draw_survival(container: Figure | SubFigure, statistics: Statistics, config: CohortConfig) -> None:
    """Draw survival by group with confidence bands, censor marks, the log-rank p-value and a risk table.

    Numbers at risk are those just before the day. Bands are drawn as steps, as the estimate is.
    """
    data = read_survival(statistics, config)
    if not any(len(curve) for curve in data.curves.values()):
        say_absent(container, "No survival times are recorded in this cohort.")
        return
    horizon_days = data.horizon_days
    labels = {group.id: group.label for group in config.groups if len(data.curves[group.id])}
    styles = group_styles(config)
    upper, lower = container.subplots(2, 1, height_ratios=[6, 0.62 * len(labels)], sharex=True)
    for group in labels:
        _curve(upper, data.curves[group], horizon_days, styles[group], labels[group])
    upper.set_ylim(0, 1.02)
    upper.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1], labels=["0", "20", "40", "60", "80", "100"])
    upper.set_ylabel("Survival (%)")
    upper.set_xlim(0, horizon_days * 1.015)
    in_years = _counts_years(data.ticks)
    upper.set_xticks(data.ticks, labels=[str(day // YEAR if in_years else day) for day in data.ticks])
    upper.tick_params(labelbottom=True)
    upper.set_xlabel(f"Years (of {YEAR} days) since day 0" if in_years else "Days since day 0")
    upper.legend(loc="lower left", handlelength=2.2, borderaxespad=0.3)
    if data.p_value is not None:
        text = f"{data.p_label} {format_p_equation(data.p_value)}"
        upper.text(0.03, 0.36, text, transform=upper.transAxes, ha="left", va="center")
    count_rows(
        lower,
        data.ticks,
        {config.group(group).short_label: data.at_risk[group] for group in labels},
        {config.group(group).short_label: styles[group].colour for group in labels},
        title="Number at risk",
    )


def _counts_years(ticks: list[int]) -> bool:
    """Return whether the ticks are whole years, so that years are easier to read than days."""
    return len(ticks) > 1 and all(day % YEAR == 0 for day in ticks)


def _curve(axes: Axes, curve: pd.DataFrame, horizon: int, style: object, label: str) -> None:
    colour, line = style.colour, style.line  # type: ignore[attr-defined]
    days = [0, *curve["day"], max(horizon, *curve["day"], 0)]
    values = {name: [1.0, *curve[name].ffill().fillna(1.0)] for name in ("survival", "lower", "upper")}
    steps = {name: [*column, column[-1]] for name, column in values.items()}
    axes.fill_between(
        days, steps["lower"], steps["upper"], step="post", color=colour, alpha=0.13, linewidth=0
    )
    axes.step(days, steps["survival"], where="post", color=colour, linestyle=line, label=label)
    censored = curve[curve["n_censor"] > 0]
    axes.plot(censored["day"], censored["survival"], "|", color=colour, markersize=6, markeredgewidth=1.1)
