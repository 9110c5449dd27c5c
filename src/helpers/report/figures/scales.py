"""Axes of ratios and of calendar time, with ticks that say what they are.

>>> axes.set_xlim(0.1, 10)
(0.1, 10.0)
>>> ratio_scale(axes)
>>> axes.get_xscale()
'log'
>>> calendar_scale(container.add_subplot(), "day 0")
>>> container.axes[0].get_xlabel()
'Month of day 0'
"""

from __future__ import annotations

import datetime
import math
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Ticks of a ratio; where they are too many, those of whole powers of ten.
_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
_MOST_TICKS = 8
_SHORT_YEARS = 1.5  # calendar time up to which months are told
_FEWEST, _MOST_MONTHS = 2, 4


def ratio_scale(axes: Axes, side: Literal["x", "y"] = "x") -> None:
    """Make the axis of a ratio logarithmic, with plain numbers and a tick on either side of 1."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axis = {"x": axes.xaxis, "y": axes.yaxis}[side]
    axes.set(**{f"{side}scale": "log"})
    low, high = axis.get_view_interval()
    low, high = min(low, 0.48), max(high, 2.1)
    axes.set(**{f"{side}lim": (low, high)})
    ticks = [tick for tick in _TICKS if low <= tick <= high]
    if len(ticks) > _MOST_TICKS:
        ticks = [tick for tick in ticks if math.log10(tick).is_integer()]
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def calendar_scale(axes: Axes, what: str) -> None:
    """Give an axis of years as numbers whole years; months or dates where it spans few of them.

    Args:
        axes: drawn; years lie on its x axis.
        what: of what it is the time, for the label.
    """
    low, high = axes.get_xlim()
    if high - low > _SHORT_YEARS:
        axes.locator_params(axis="x", integer=True)
        axes.set_xlabel(f"Year of {what}")
        return
    months = np.arange(math.ceil(low * 12), math.floor(high * 12) + 1)
    if len(months) < _FEWEST:
        places = np.linspace(low, high, 2 * _FEWEST + 1)[1::2]
        axes.set_xticks(places, labels=[_date(place) for place in places])
        axes.set_xlabel(f"Date of {what}")
        return
    months = months[:: max(1, math.ceil(len(months) / _MOST_MONTHS))]
    axes.set_xticks(months / 12, labels=[f"{month // 12}-{month % 12 + 1:02d}" for month in months])
    axes.set_xlabel(f"Month of {what}")


def _date(years: float) -> str:
    """Return a point of calendar time as a date; years count 365.25 days from the first of January."""
    first = datetime.date(int(years), 1, 1)
    return (first + datetime.timedelta(days=round((years - int(years)) * 365.25))).isoformat()
