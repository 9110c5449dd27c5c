"""The look shared by all figures: sizes in millimetres, one palette, text legible at the printed size.

Colours are Okabe and Ito's, told apart by readers with any colour vision and different in grey; a group keeps
its colour, line style and marker in every figure.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

    from helpers.cohort.config import CohortConfig

MM_PER_INCH = 25.4
SINGLE_COLUMN_MM = 85.0
DOUBLE_COLUMN_MM = 180.0
DPI = 300
TEXT_PT = 8.0

RESPONSE_ORDER = ("CR", "PR", "NR")
RESPONSE_LABELS = {"CR": "Complete response", "PR": "Partial response", "NR": "No response"}
RESPONSE_COLOURS = {"CR": "#00517a", "PR": "#7fb8da", "NR": "#d9d9d9"}
INK = "#222222"
GREY = "#767676"
FAINT = "#bdbdbd"

RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": TEXT_PT,
    "axes.labelsize": TEXT_PT,
    "axes.titlesize": TEXT_PT,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.labelsize": TEXT_PT,
    "ytick.labelsize": TEXT_PT,
    "legend.fontsize": TEXT_PT,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "lines.linewidth": 1.3,
    "hatch.linewidth": 0.6,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "compendium",
    "figure.dpi": 110,
    "savefig.dpi": DPI,
}


@dataclass(frozen=True)
class GroupStyle:
    """Colour, line and marker of one study group."""

    colour: str
    line: str
    marker: str


_BY_ROLE = {
    "treated": GroupStyle("#0072B2", "-", "o"),
    "reference": GroupStyle("#D55E00", (0, (4, 1.5)), "s"),  # type: ignore[arg-type]
}


def group_styles(config: CohortConfig) -> dict[str, GroupStyle]:
    """Return the style of each of the cohort's groups by its role."""
    return {group.id: _BY_ROLE[group.role] for group in config.groups}


@contextmanager
def figure_style() -> Iterator[None]:
    """Apply the shared look inside a ``with`` block."""
    import matplotlib as mpl

    with mpl.rc_context(RC):
        yield


def new_figure(width_mm: float, height_mm: float, *, stamp: str = "") -> Figure:
    """Return an empty figure of exactly this size, with ``stamp`` in a band of its own at the foot.

    Args:
        width_mm, height_mm: printed size; nothing is cropped or scaled afterwards.
        stamp: what must stand on every output of a cohort that is not of real patients.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_mm / MM_PER_INCH, height_mm / MM_PER_INCH), layout="constrained")
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.set(w_pad=0.03, h_pad=0.03, wspace=0.02, hspace=0.02)  # type: ignore[call-arg]
    if stamp:
        lines = _wrap(stamp, width_mm)
        band = (1.5 + 3.4 * (lines.count("\n") + 1)) / height_mm
        engine.set(rect=(0, band, 1, 1 - band))  # type: ignore[call-arg]
        figure.text(
            0.5,
            1.2 / height_mm,
            lines,
            ha="center",
            va="bottom",
            color=GREY,
            fontsize=TEXT_PT,
            style="italic",
        )
    return figure


def _wrap(text: str, width_mm: float) -> str:
    """Break ``text`` for the width: at this size a character takes about 1.65 mm."""
    import textwrap

    return "\n".join(textwrap.wrap(text, int(width_mm / 1.65)))
