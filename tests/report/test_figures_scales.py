"""Axes of ratios and of calendar time: ticks that say what they are, over any span."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from helpers.report.figures.scales import calendar_scale, ratio_scale


@pytest.mark.parametrize(
    ("years", "label", "ticks"),
    [
        ((2017.1, 2024.6), "Year of day 0", {"2018", "2020", "2022", "2024"}),
        ((2020.05, 2020.95), "Month of day 0", {"2020-02", "2020-05", "2020-08", "2020-11"}),
        ((2020.02, 2020.14), "Date of day 0", {"2020-01-19", "2020-02-10"}),
        ((2019.9, 2020.2), "Month of day 0", {"2019-12", "2020-01", "2020-02", "2020-03"}),
    ],
)
def test_calendar_time_is_told_as_years_months_or_dates(years, label, ticks):
    axes = Figure().subplots()
    axes.plot(years, [0, 0])
    axes.margins(x=0)
    calendar_scale(axes, "day 0")
    axes.figure.draw_without_rendering()
    assert axes.get_xlabel() == label
    shown = {text.get_text() for text in axes.get_xticklabels()}
    assert ticks <= shown
    assert axes.xaxis.get_offset_text().get_text() == ""


@pytest.mark.parametrize(("low", "high"), [(0.9, 1.1), (0.02, 0.4), (1.5, 6.0), (0.001, 900.0)])
@pytest.mark.parametrize("side", ["x", "y"])
def test_a_ratio_has_a_tick_on_either_side_of_one(low, high, side):
    axes = Figure().subplots()
    axes.plot([low, high], [low, high])
    ratio_scale(axes, side)
    axis = getattr(axes, f"{side}axis")
    ticks = np.array(axis.get_majorticklocs())
    inside = ticks[(ticks >= axis.get_view_interval()[0]) & (ticks <= axis.get_view_interval()[1])]
    assert (inside < 1).any()
    assert (inside > 1).any()
    assert 1 in inside
    assert len(inside) <= 8
