"""Kaplan-Meier figure made of layers that a reader can name.

``survival_figure(statistics, config) + interval() + censor_marks() + p_value() + risk_table("{n.risk}")`` is
a figure; ``.draw(container)`` draws it. Layers draw in the order in which they were added and read the stored
counts alone. The published figure, :func:`draw_survival`, is such a sum.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from helpers.errors import CompendiumError
from helpers.report.figures.common import count_rows, say_absent
from helpers.report.figures.output.drawings import drawing
from helpers.report.figures.style import GREY, GroupStyle, group_styles
from helpers.report.figures.survival_data import SurvivalData, read_survival
from helpers.results.format import format_interval, format_number, format_p_equation

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistics

YEAR = 365
ABSENT = "No survival times are recorded in this cohort."
_COUNTED = {
    "n.risk": "at risk",
    "events": "deaths so far",
    "cum.event": "deaths so far",
    "censored": "censored so far",
    "cum.censor": "censored so far",
}
_CURVE_HEIGHT, _ROW_HEIGHT = 6.0, 0.62  # of the curves and of one row below them, to each other


class LayerError(CompendiumError):
    """A layer that cannot be drawn; the message says what it takes."""


@dataclass(frozen=True)
class Plot:
    """What a layer draws into: the axes of the curves, with data, labels and styles by group."""

    axes: Axes
    data: SurvivalData
    labels: dict[str, str]
    short_labels: dict[str, str]
    styles: dict[str, GroupStyle]


class Layer(Protocol):
    """Something drawn over the curves."""

    def draw(self, plot: Plot) -> None:
        """Draw into the axes of the curves."""


@dataclass(frozen=True)
class CountRow:
    """One row below the curves: its label, the group it belongs to and one text a tick."""

    label: str
    group: str
    texts: list[str]


@dataclass(frozen=True)
class SurvivalFigure:
    """Survival by group, to which layers are added with ``+``."""

    data: SurvivalData
    config: CohortConfig
    layers: tuple[Layer | risk_table, ...] = ()

    def __add__(self, layer: Layer | risk_table) -> SurvivalFigure:
        return replace(self, layers=(*self.layers, layer))

    def draw(self, container: Figure | SubFigure) -> None:
        """Draw curves, layers and tables of counts; a sentence where no survival is recorded."""
        groups = self.data.groups
        if not groups:
            say_absent(container, ABSENT)
            return
        labels = {group: self.config.group(group).label for group in groups}
        short = {group: self.config.group(group).short_label for group in groups}
        tables = [layer for layer in self.layers if isinstance(layer, risk_table)]
        plot = Plot(None, self.data, labels, short, group_styles(self.config))  # type: ignore[arg-type]
        counted = [(table.title(), table.rows(plot)) for table in tables]
        heights = [_CURVE_HEIGHT, *(_ROW_HEIGHT * len(rows) for _, rows in counted)]
        grid = container.subplots(len(heights), 1, height_ratios=heights, sharex=True, squeeze=False)[:, 0]
        plot = replace(plot, axes=grid[0])
        for group in groups:
            _curve(plot, group)
        _axes(plot)
        for layer in self.layers:
            if not isinstance(layer, risk_table):
                layer.draw(plot)
        for axes, (title, rows) in zip(grid[1:], counted, strict=True):
            colours = [plot.styles[row.group].colour for row in rows]
            count_rows(axes, self.data.ticks, [(row.label, row.texts) for row in rows], colours, title=title)


def survival_figure(statistics: Statistics, config: CohortConfig) -> SurvivalFigure:
    """Return the curves of the primary survival analysis, to add layers to."""
    return SurvivalFigure(read_survival(statistics, config), config)


# --- layers -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class interval:  # noqa: N801 - reads as a verb in a sum of layers
    """Pointwise confidence bands, drawn as steps, as the estimate is."""

    alpha: float = 0.13

    def draw(self, plot: Plot) -> None:
        """Draw a band a group."""
        for group in plot.labels:
            days, steps = _steps(plot.data, group)
            plot.axes.fill_between(
                days, steps["lower"], steps["upper"], step="post", alpha=self.alpha, linewidth=0,
                color=plot.styles[group].colour,
            )  # fmt: skip


@dataclass(frozen=True)
class censor_marks:  # noqa: N801
    """A tick on the curve on each day on which somebody was censored."""

    def draw(self, plot: Plot) -> None:
        """Draw the ticks of each group."""
        for group in plot.labels:
            curve = plot.data.curves[group]
            censored = curve[curve["n_censor"] > 0]
            plot.axes.plot(
                censored["day"], censored["survival"], "|", color=plot.styles[group].colour, markersize=6,
                markeredgewidth=1.1,
            )  # fmt: skip


@dataclass(frozen=True)
class p_value:  # noqa: N801
    """The p-value of the test that the configuration names; nothing where groups are not compared.

    Attributes:
        x, y: where its left end stands, in shares of the axes.
    """

    x: float = 0.03
    y: float = 0.36

    def draw(self, plot: Plot) -> None:
        """Write test and p-value."""
        if plot.data.p_value is not None:
            text = f"{plot.data.p_label} {format_p_equation(plot.data.p_value)}"
            plot.axes.text(self.x, self.y, text, transform=plot.axes.transAxes, ha="left", va="center")


@dataclass(frozen=True)
class median:  # noqa: N801
    """Median survival: dashed lines from one half to each curve, and the medians in words.

    Attributes:
        x, y: where the first line of words stands, in shares of the axes.
    """

    x: float = 0.97
    y: float = 0.97

    def draw(self, plot: Plot) -> None:
        """Draw the lines of the groups whose median was reached and write all of them."""
        reached = {
            group: row
            for group, row in plot.data.medians.items()
            if group in plot.labels and row.value == row.value
        }
        if reached:
            farthest = max(row.value for row in reached.values())
            plot.axes.plot([0, farthest], [0.5, 0.5], color=GREY, linewidth=0.7, linestyle=(0, (2, 2)))
        lines = []
        for group, label in plot.short_labels.items():
            row = plot.data.medians.get(group)
            if row is None or row.value != row.value:
                lines.append(f"{label}: median not reached")
                continue
            plot.axes.vlines(row.value, 0, 0.5, color=GREY, linewidth=0.7, linestyle=(0, (2, 2)))
            limits = format_interval(row.lower, row.upper, 0)
            lines.append(f"{label}: median {format_number(row.value, 0)} days ({limits})")
        plot.axes.text(
            self.x, self.y, "\n".join(lines), transform=plot.axes.transAxes, ha="right", va="top",
            linespacing=1.3,
        )  # fmt: skip


@dataclass(frozen=True)
class risk_table:  # noqa: N801
    """Counts at each tick below the curves.

    Attributes:
        template: what a cell shows: ``{n.risk}`` (at risk just before the day), ``{events}`` or
            ``{cum.event}`` (deaths up to the day), ``{censored}`` or ``{cum.censor}``; any text around them.
        layout: ``groups``: a row a group; ``kmunicate``: for each group the rows at risk, censored and
            events, whatever the template.
    """

    template: str = "{n.risk}"
    layout: Literal["groups", "kmunicate"] = "groups"

    def __post_init__(self) -> None:
        fields = {name for _, name, _, _ in string.Formatter().parse(self.template) if name is not None}
        unknown = fields - set(_COUNTED)
        if unknown or not fields:
            found = ", ".join(sorted(unknown)) or "no count"
            raise LayerError(f"risk_table({self.template!r}): found {found}, expected {', '.join(_COUNTED)}")

    def title(self) -> str:
        """Return what is counted: ``Number at risk (deaths so far)``."""
        if self.layout == "kmunicate":
            return "Number of patients"
        title = self.template
        for name, words in _COUNTED.items():
            title = title.replace("{" + name + "}", words)
        return f"Number {title}"

    def rows(self, plot: Plot) -> list[CountRow]:
        """Return a row a group, or three of them."""
        found = []
        for group in plot.labels:
            counts = plot.data.counts[group].to_dict("records")
            if self.layout == "groups":
                found.append(CountRow(plot.short_labels[group], group, [self._cell(row) for row in counts]))
                continue
            for label, name in (("at risk", "risk"), ("censored", "censored"), ("events", "events")):
                texts = [_whole(row, name) for row in counts]
                found.append(CountRow(f"{plot.short_labels[group]}: {label}", group, texts))
        return found

    def _cell(self, row: Mapping[Any, float]) -> str:
        # Only the counts that the template names are looked at: older results may lack the others.
        return string.Formatter().vformat(self.template, (), _Counts(row))


class _Counts(dict[str, object]):
    """Counts of one tick under the names of a template."""

    def __init__(self, row: Mapping[Any, float]) -> None:
        events, censored = (_Late(row, name) for name in ("events", "censored"))
        super().__init__(
            n=SimpleNamespace(risk=_Late(row, "risk")),
            cum=SimpleNamespace(event=events, censor=censored),
            events=events,
            censored=censored,
        )


@dataclass(frozen=True)
class _Late:
    """A count that is looked up when it is written."""

    row: Mapping[Any, float]
    name: str

    def __format__(self, specification: str) -> str:
        return format(_whole(self.row, self.name), specification)


def _whole(row: Mapping[Any, float], name: str) -> str:
    value = row.get(name)
    if value is None or value != value:
        raise LayerError(
            f"The statistics hold no {name} counts of the risk table: run the survival notebook again."
        )
    return str(int(value))


# --- drawing ----------------------------------------------------------------------------------------


@drawing
def draw_survival(container: Figure | SubFigure, statistics: Statistics, config: CohortConfig) -> None:
    """Draw survival by group with confidence bands, censor marks, the p-value and numbers at risk.

    Numbers at risk are those just before the day.
    """
    figure = survival_figure(statistics, config) + interval() + censor_marks() + p_value()
    (figure + risk_table("{n.risk}")).draw(container)


@drawing
def draw_survival_kmunicate(
    container: Figure | SubFigure, statistics: Statistics, config: CohortConfig
) -> None:
    """Draw survival by group with bands, p-value, medians and, below, at risk, censored and events.

    The layout is that asked for by the KMunicate survey (Morris et al., BMJ Open 2019;9:e030215).
    """
    figure = survival_figure(statistics, config) + interval() + censor_marks() + p_value()
    (figure + median(y=0.2) + risk_table(layout="kmunicate")).draw(container)


def _axes(plot: Plot) -> None:
    axes, data = plot.axes, plot.data
    axes.set_ylim(0, 1.02)
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1], labels=["0", "20", "40", "60", "80", "100"])
    axes.set_ylabel("Survival (%)")
    axes.set_xlim(0, data.horizon_days * 1.015)
    in_years = _counts_years(data.ticks)
    axes.set_xticks(data.ticks, labels=[str(day // YEAR if in_years else day) for day in data.ticks])
    axes.tick_params(labelbottom=True)
    axes.set_xlabel(f"Years (of {YEAR} days) since day 0" if in_years else "Days since day 0")
    axes.legend(loc="lower left", handlelength=2.2, borderaxespad=0.3)


def _counts_years(ticks: list[int]) -> bool:
    """Return whether the ticks are whole years, so that years are easier to read than days."""
    return len(ticks) > 1 and all(day % YEAR == 0 for day in ticks)


def _steps(data: SurvivalData, group: str) -> tuple[list[float], dict[str, list[float]]]:
    """Return days and values of a curve from day 0 to the horizon."""
    curve: pd.DataFrame = data.curves[group]
    days = [0, *curve["day"], max(data.horizon_days, *curve["day"], 0)]
    values = {name: [1.0, *curve[name].ffill().fillna(1.0)] for name in ("survival", "lower", "upper")}
    return days, {name: [*column, column[-1]] for name, column in values.items()}


def _curve(plot: Plot, group: str) -> None:
    days, steps = _steps(plot.data, group)
    style = plot.styles[group]
    plot.axes.step(
        days, steps["survival"], where="post", color=style.colour, linestyle=style.line,
        label=plot.labels[group],
    )  # fmt: skip
