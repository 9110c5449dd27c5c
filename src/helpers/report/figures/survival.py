"""Kaplan-Meier figure made of layers that a reader can name.

``survival_figure(statistics, config) + interval() + censor_marks() + p_value() + risk_table("{n.risk}")`` is
a figure; ``.draw(container)`` draws it. Layers draw in the order in which they were added and read the stored
counts alone. The published figure, :func:`draw_survival`, is such a sum.

>>> draw_survival(container, statistics, config)
>>> len(container.axes)
2
>>> draw_survival_kmunicate(container, statistics, config)
>>> len(container.axes)  # of both figures
4
>>> figure = survival_figure(statistics, config)
>>> figure.draw(container)
>>> len(container.axes), survival_height(config, 80)
(5, 80)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from helpers.report.figures.common import (
    count_rows,
    day_0_title,
    label_every,
    long_names,
    marks_legend,
    room_for_text,
    say_absent,
    size_mm,
)
from helpers.report.figures.output.exhibits import figure
from helpers.report.figures.style import MM_PER_INCH, POINTS_PER_INCH, group_styles, text_size
from helpers.report.figures.survival_data import SurvivalData, read_survival
from helpers.report.figures.survival_layers import (
    LINE,
    Layer,
    Plot,
    censor_marks,
    curve_steps,
    effect,
    interval,
    median,
    names,
    risk_table,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure, SubFigure

    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistics

YEAR = 365
ABSENT = "No survival times are recorded in this cohort."
_CURVE_HEIGHT, _ROW_HEIGHT = 6.0, 0.62  # of the curves and of one row below them, to each other
_LONG_MM = 10.0  # further height of figures with long names
_LINES_BELOW = 5.5  # lines of text that labels of ticks and axes and the legend take, with what lies between


@dataclass(frozen=True)
class SurvivalFigure:
    """Survival by group, to which layers are added with ``+``."""

    data: SurvivalData
    config: CohortConfig
    layers: tuple[Layer | risk_table, ...] = ()

    def __add__(self, layer: Layer | risk_table) -> SurvivalFigure:
        return replace(self, layers=(*self.layers, layer))

    def draw(self, container: Figure | SubFigure) -> None:
        """Draw curves, layers and tables of counts; a sentence where no survival is recorded.

        Where the counts of all ticks have no room side by side, those of every second one or fewer stand.
        """
        groups = self.data.groups
        if not groups:
            say_absent(container, ABSENT)
            return
        labels = {group: self.config.group(group).label for group in groups}
        short = {group: self.config.group(group).short_label for group in groups}
        tables = [layer for layer in self.layers if isinstance(layer, risk_table)]
        room = room_for_text(container, 1)
        plot = Plot(None, self.data, labels, short, group_styles(self.config), room, 0.0)  # type: ignore[arg-type]
        counted = [(table.title(), table.rows(plot)) for table in tables]
        longest = [text for _, rows in counted for row in rows for text in row.texts]
        every = label_every(longest, len(self.data.ticks), room) if longest else 1
        kept = self.data.ticks[::every]
        heights = [_CURVE_HEIGHT, *(_ROW_HEIGHT * sum(row.lines for row in rows) for _, rows in counted)]
        title = _time_title(plot, self.config)
        line = _line_share(size_mm(container)[1], title.count("\n") + len(counted), heights)
        grid = container.subplots(len(heights), 1, height_ratios=heights, sharex=True, squeeze=False)[:, 0]
        plot = replace(plot, axes=grid[0], line=line)
        for group in groups:
            _curve(plot, group)
        _axes(plot, title, kept, self.layers)
        drawn = [layer for layer in self.layers if not isinstance(layer, risk_table)]
        for layer in drawn:
            layer.draw(plot)
        marks_legend(container, [handle for layer in drawn for handle in layer.handles(plot)], columns=3)
        for axes, (counts, rows) in zip(grid[1:], counted, strict=True):
            colours = [plot.styles[row.group].colour for row in rows]
            thinned = [replace(row, texts=row.texts[::every]) for row in rows]
            count_rows(axes, kept, thinned, colours, title=counts)


def survival_figure(statistics: Statistics, config: CohortConfig) -> SurvivalFigure:
    """Return the curves of the primary survival analysis, to add layers to."""
    return SurvivalFigure(read_survival(statistics, config), config)


# --- drawing ----------------------------------------------------------------------------------------


def survival_height(config: CohortConfig, plain: float) -> float:
    """Return the height (mm) of a survival figure: more where names need lines of their own.

    Args:
        config: names the groups.
        plain: height with names that stand beside the counts.
    """
    return plain + _LONG_MM if long_names(config, config.group_ids) else plain


@figure(
    "figure_1a",
    "single",
    lambda _statistics, config: survival_height(config, 80),
    "Kaplan-Meier survival from day 0 with numbers at risk",
)
def draw_survival(container: Figure | SubFigure, statistics: Statistics, config: CohortConfig) -> None:
    """Draw survival by group with bands, censor marks, effects, and numbers at risk with the deaths so far.

    Numbers at risk are those just before the day; results that hold no deaths by tick show none.
    """
    figure = survival_figure(statistics, config) + interval() + censor_marks() + names() + effect()
    counted = all("events" in figure.data.counts[group] for group in figure.data.groups)
    (figure + risk_table("{n.risk} ({events})" if counted else "{n.risk}")).draw(container)


@figure(
    "figure_s11_survival",
    "one_and_a_half",
    lambda _statistics, config: survival_height(config, 115),
    "Kaplan-Meier survival with numbers at risk, censored and of deaths, and medians",
)
def draw_survival_kmunicate(
    container: Figure | SubFigure, statistics: Statistics, config: CohortConfig
) -> None:
    """Draw survival by group with bands, effects, medians and, below, at risk, censored and events.

    The layout is that asked for by the KMunicate survey (Morris et al., BMJ Open 2019;9:e030215).
    """
    figure = survival_figure(statistics, config) + interval() + censor_marks() + names()
    (figure + effect(medians=True) + median(words=False) + risk_table(layout="kmunicate")).draw(container)


def _time_title(plot: Plot, config: CohortConfig) -> str:
    unit = f"Years (of {YEAR} days)" if _counts_years(plot.data.ticks) else "Days"
    return day_0_title(unit, config, list(plot.labels), plot.room)


def _line_share(height_mm: float, further: int, heights: Sequence[float]) -> float:
    """Return the height of a line of text in shares of the axes of the curves.

    Args:
        height_mm: of the figure.
        further: lines of titles beyond those that every figure has.
        heights: of the axes to each other; the curves stand first.
    """
    line_mm = LINE * text_size() / POINTS_PER_INCH * MM_PER_INCH
    axes_mm = (height_mm - (_LINES_BELOW + further) * line_mm) * heights[0] / sum(heights)
    return line_mm / max(axes_mm, line_mm)


def _axes(plot: Plot, title: str, ticks: list[int], layers: Sequence[Layer | risk_table]) -> None:
    axes, data = plot.axes, plot.data
    axes.set_ylim(0, 1.02)
    axes.spines["left"].set_bounds(0, 1)
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1], labels=["0", "20", "40", "60", "80", "100"])
    axes.set_ylabel("Survival (%)")
    axes.set_xlim(0, data.horizon_days * 1.015)
    in_years = _counts_years(data.ticks)
    axes.set_xticks(ticks, labels=[str(day // YEAR if in_years else day) for day in ticks])
    axes.tick_params(labelbottom=True)
    axes.set_xlabel(title)
    if not any(isinstance(layer, names) for layer in layers):
        axes.legend(loc="lower left", handlelength=2.2, borderaxespad=0.3)


def _counts_years(ticks: list[int]) -> bool:
    """Return whether the ticks are whole years, so that years are easier to read than days."""
    return len(ticks) > 1 and all(day % YEAR == 0 for day in ticks)


def _curve(plot: Plot, group: str) -> None:
    days, steps = curve_steps(plot.data, group)
    style = plot.styles[group]
    plot.axes.step(
        days, steps["survival"], where="post", color=style.colour, linestyle=style.line,
        label=plot.labels[group],
    )  # fmt: skip
