"""Layers of a survival figure: what is drawn over the curves, and the counts below them.

>>> from helpers.report.figures.style import group_styles
>>> from helpers.report.figures.survival_data import read_survival
>>> data, labels = (
...     read_survival(statistics, config),
...     {"ruxolitinib": "Ruxolitinib", "control": "Control"},
... )
>>> plot = Plot(axes, data, labels, labels, group_styles(config), room=60, line=0.05)
>>> for layer in (interval(), censor_marks(), p_value(), effect(), names(), median()):
...     layer.draw(plot)
>>> (
...     len(interval().handles(plot)),
...     round(plot.survival("ruxolitinib", 56), 2),
...     name_lines(plot, "control"),
... )
(1, 0.95, ['Control'])
>>> risk_table("{n.risk} ({events})").title(), risk_table().rows(plot)[0].texts[:2]
('Number at risk (deaths so far)', ['20', '20'])
>>> median_lines(plot)[0], curve_steps(data, "control")[0][:3]
('Ruxolitinib: median not reached', [0, 7, 12])
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from helpers.errors import CompendiumError
from helpers.report.figures.common import LONG_NAME, CountRow, halo, interval_handle, wrapped
from helpers.report.figures.style import GREY, INK, GroupStyle
from helpers.report.figures.survival_data import SurvivalData, effect_lines
from helpers.results.format import format_interval, format_number, format_p_equation

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_COUNTED = {
    "n.risk": "at risk",
    "events": "deaths so far",
    "cum.event": "deaths so far",
    "censored": "censored so far",
    "cum.censor": "censored so far",
}
_NAME_SHARE = 0.6  # of the width of the axes that a group's name takes at most on one line
_FULL = 1.1  # of the room counted in mean characters: words have more narrow letters than the mean
LINE = 1.35  # of lines of text, in text sizes


class LayerError(CompendiumError):
    """A layer that cannot be drawn; the message says what it takes."""


@dataclass(frozen=True)
class Plot:
    """What a layer draws into: the axes of the curves, with data, labels and styles by group.

    Attributes:
        axes: of the curves.
        data: what is drawn.
        labels, short_labels, styles: by group.
        room: characters that fit across the axes.
        line: height of a line of text in shares of the axes.
    """

    axes: Axes
    data: SurvivalData
    labels: dict[str, str]
    short_labels: dict[str, str]
    styles: dict[str, GroupStyle]
    room: float
    line: float

    def survival(self, group: str, day: float) -> float:
        """Return the estimate of a group on a day."""
        days, steps = curve_steps(self.data, group)
        return [value for start, value in zip(days, steps["survival"], strict=True) if start <= day][-1]


class Layer(Protocol):
    """Something drawn over the curves."""

    def draw(self, plot: Plot) -> None:
        """Draw into the axes of the curves."""

    def handles(self, plot: Plot) -> list[Artist]:
        """Return a sign with its meaning for each kind of mark that needs to be explained."""


class _Plain:
    """A layer whose marks explain themselves."""

    def handles(self, plot: Plot) -> list[Artist]:  # noqa: ARG002 - those of other layers need the plot
        """Return nothing: it is text."""
        return []


# --- layers -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class interval:  # noqa: N801 - reads as a verb in a sum of layers
    """Pointwise confidence bands, drawn as steps, as the estimate is."""

    alpha: float = 0.13

    def draw(self, plot: Plot) -> None:
        """Draw a band a group."""
        for group in plot.labels:
            days, steps = curve_steps(plot.data, group)
            plot.axes.fill_between(
                days, steps["lower"], steps["upper"], step="post", alpha=self.alpha, linewidth=0,
                color=plot.styles[group].colour,
            )  # fmt: skip

    def handles(self, plot: Plot) -> list[Artist]:  # noqa: ARG002
        """Return the sign of a band."""
        return [interval_handle()]


@dataclass(frozen=True)
class censor_marks:  # noqa: N801
    """A tick on the curve on each day on which somebody was censored."""

    def draw(self, plot: Plot) -> None:
        """Draw the ticks of each group."""
        for group in plot.labels:
            curve = plot.data.curves[group]
            censored = curve[curve["n_censor"] > 0]
            if len(censored):
                plot.axes.plot(
                    censored["day"], censored["survival"], "|", color=plot.styles[group].colour, markersize=6,
                    markeredgewidth=1.1,
                )  # fmt: skip

    def handles(self, plot: Plot) -> list[Artist]:
        """Return the sign of a censoring where there is one."""
        from matplotlib.lines import Line2D

        if not any((plot.data.curves[group]["n_censor"] > 0).any() for group in plot.labels):
            return []
        look: dict[str, Any] = {"marker": "|", "color": INK, "markersize": 6, "markeredgewidth": 1.1}
        return [Line2D([], [], linestyle="none", label="Censored", **look)]


@dataclass(frozen=True)
class p_value(_Plain):  # noqa: N801
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
class effect(_Plain):  # noqa: N801
    """The stored effects with their intervals, a line each, below them the test and, if wanted, the medians.

    They stand in the lower left corner of the axes, or above the axes where a curve runs through that corner.

    Attributes:
        medians: whether the median of each group is written too.
    """

    medians: bool = False
    x: ClassVar[float] = 0.03
    y: ClassVar[float] = 0.04

    def draw(self, plot: Plot) -> None:
        """Write what is stored: hazard ratio, difference of survival, test and p-value."""
        stored = effect_lines(plot.data) + (median_lines(plot) if self.medians else [])
        lines = [part for line in stored for part in wrapped(line, int(_FULL * plot.room)).split("\n")]
        if not lines:
            return
        width = self.x + max(len(line) for line in lines) / plot.room
        top = self.y + (len(lines) + 0.5) * plot.line
        lowest = min(plot.survival(group, min(1.0, width) * plot.data.horizon_days) for group in plot.labels)
        if lowest > top and not self._meets_name(plot, min(1.0, width), top):
            plot.axes.text(
                self.x, self.y, "\n".join(lines), transform=plot.axes.transAxes, ha="left", va="bottom",
                linespacing=LINE,
            )  # fmt: skip
        else:
            plot.axes.set_title("\n".join(lines), linespacing=LINE)

    def _meets_name(self, plot: Plot, width: float, top: float) -> bool:
        """Return whether the lines would reach the name under the end of the lowest curve."""
        horizon = plot.data.horizon_days
        lowest = min(plot.labels, key=lambda group: plot.survival(group, horizon))
        name = name_lines(plot, lowest)
        left = 1 - (max(len(line) for line in name) + 1) / plot.room
        return width > left and top > plot.survival(lowest, horizon) - (len(name) + 0.5) * plot.line


def name_lines(plot: Plot, group: str) -> list[str]:
    """Return a group's name in the lines in which it stands at its curve."""
    return wrapped(plot.labels[group], int(_NAME_SHARE * plot.room)).split("\n")


@dataclass(frozen=True)
class names(_Plain):  # noqa: N801
    """The name of each group at the end of its curve: over the upper, under the lower one.

    Where the lower curve ends so low that nothing fits under it, the names stand in the legend instead.
    """

    def draw(self, plot: Plot) -> None:
        """Write the names and make room for them."""
        words = {group: "\n".join(name_lines(plot, group)) for group in plot.labels}
        horizon = plot.data.horizon_days
        upper, *lower = sorted(plot.labels, key=lambda group: -plot.survival(group, horizon))
        if not self._fit(plot):
            return
        longest = max(len(line) for line in words[upper].split("\n"))
        start = horizon * max(0.0, 1 - (longest + 1) / plot.room)
        top = max(plot.survival(group, start) for group in plot.labels)
        low, high = plot.axes.get_ylim()
        plot.axes.set_ylim(low, max(high, top + (words[upper].count("\n") + 1.3) * plot.line))
        self._write(plot, upper, words[upper], top, above=True)
        for group in lower:
            self._write(plot, group, words[group], plot.survival(group, horizon), above=False)

    def handles(self, plot: Plot) -> list[Artist]:
        """Return the lines of the groups where their names do not stand at the curves."""
        return [] if self._fit(plot) else list(plot.axes.get_lines()[: len(plot.labels)])

    def _fit(self, plot: Plot) -> bool:
        """Return whether there is room for a name under the lower curve, or there is one curve only."""
        ends = [plot.survival(group, plot.data.horizon_days) for group in plot.labels]
        lines = max(len(name_lines(plot, group)) for group in plot.labels)
        return len(ends) < 2 or min(ends) > (lines + 0.5) * plot.line

    def _write(self, plot: Plot, group: str, words: str, height: float, *, above: bool) -> None:
        plot.axes.annotate(
            words, (plot.data.horizon_days, height), xytext=(-4, 2 if above else -3),
            textcoords="offset points", ha="right", va="bottom" if above else "top",
            color=plot.styles[group].colour, fontweight="bold", path_effects=halo(), linespacing=1.1,
        )  # fmt: skip


def median_lines(plot: Plot) -> list[str]:
    """Return the median survival of each group with its interval, or that it was not reached."""
    lines = []
    for group, label in plot.short_labels.items():
        row = plot.data.medians.get(group)
        if row is None or row.value != row.value:
            lines.append(f"{label}: median not reached")
            continue
        limits = format_interval(row.lower, row.upper, 0)
        lines.append(f"{label}: median {format_number(row.value, 0)} days ({limits})")
    return lines


@dataclass(frozen=True)
class median:  # noqa: N801
    """Median survival: dashed lines from one half to each curve, and the medians in words.

    Attributes:
        x, y: where the first line of words stands, in shares of the axes.
        words: whether the medians are written; not where :class:`effect` writes them.
    """

    x: float = 0.97
    y: float = 0.97
    words: bool = True

    def draw(self, plot: Plot) -> None:
        """Draw the lines of the groups whose median was reached and write all of them."""
        reached = self._reached(plot)
        if reached:
            plot.axes.plot([0, max(reached)], [0.5, 0.5], color=GREY, linewidth=0.7, linestyle=(0, (2, 2)))
        for day in reached:
            plot.axes.vlines(day, 0, 0.5, color=GREY, linewidth=0.7, linestyle=(0, (2, 2)))
        if self.words:
            plot.axes.text(
                self.x, self.y, "\n".join(median_lines(plot)), transform=plot.axes.transAxes, ha="right",
                va="top", linespacing=1.3,
            )  # fmt: skip

    def handles(self, plot: Plot) -> list[Artist]:
        """Return the sign of a median where one was reached."""
        from matplotlib.lines import Line2D

        look: dict[str, Any] = {"color": GREY, "linewidth": 0.7, "linestyle": (0, (2, 2))}
        return [Line2D([], [], label="Median survival", **look)] if self._reached(plot) else []

    def _reached(self, plot: Plot) -> list[float]:
        rows = [plot.data.medians[group] for group in plot.labels if group in plot.data.medians]
        return [row.value for row in rows if row.value == row.value]


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
        long = max(len(name) for name in plot.short_labels.values()) > LONG_NAME
        for group in plot.labels:
            counts = plot.data.counts[group].to_dict("records")
            name = plot.short_labels[group]
            header = wrapped(name, int(_FULL * plot.room)) if long else ""
            if self.layout == "groups":
                cells = [self._cell(row) for row in counts]
                found.append(CountRow("" if long else name, group, cells, header))
                continue
            for label, count in (("at risk", "risk"), ("censored", "censored"), ("events", "events")):
                texts = [_whole(row, count) for row in counts]
                found.append(CountRow(label if long else f"{name}: {label}", group, texts, header))
                header = ""
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


def curve_steps(data: SurvivalData, group: str) -> tuple[list[float], dict[str, list[float]]]:
    """Return days and values of a curve from day 0 to the horizon."""
    curve: pd.DataFrame = data.curves[group]
    days = [0, *curve["day"], max(data.horizon_days, *curve["day"], 0)]
    values = {name: [1.0, *curve[name].ffill().fillna(1.0)] for name in ("survival", "lower", "upper")}
    return days, {name: [*column, column[-1]] for name, column in values.items()}
