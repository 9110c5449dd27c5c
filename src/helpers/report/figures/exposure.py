"""Swimmer plot: each treated patient's exposure by dose, responses, death, and what is still going on.

>>> from helpers.analysis.safety import drug_courses, drug_exposure
>>> exposure, courses = (
...     drug_exposure(tables, config.study_drugs),
...     drug_courses(tables, config.study_drugs),
... )
>>> exposure_height(exposure)
115.0
>>> draw_exposure(container, exposure, courses, tables.responses, config)
>>> len(container.axes)
2
>>> course_shades(courses, config)["label"].iloc[0]
'Ruxolitinib, 10 mg a day'
>>> list(dose_shades([(5.0, "mg"), (10.0, "mg")]))
[(5.0, 'mg'), (10.0, 'mg')]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from helpers.report.figures.common import day_0_title, marks_legend, room_for_text, say_absent
from helpers.report.figures.course import followed_group
from helpers.report.figures.exposure_shares import Shade, dose_key, draw_shares, known_doses, share_handles
from helpers.report.figures.output.exhibits import figure
from helpers.report.figures.patients import label_patients, order_of_ties
from helpers.report.figures.style import GREY, INK, LevelStyle, level_styles
from helpers.report.figures.visits import near_limit
from helpers.results.catalogue import ExposureRows
from helpers.results.format import format_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from helpers.cohort.config import CohortConfig

ROW_MM, EDGE_MM = 4.0, 35.0
# From the lowest to the highest, darker in grey too; no blue, which is a response.
_DOSES = ("#e9dff0", "#cbb3da", "#a883c0", "#8358a0")
# Of several drugs, which have no shades for doses.
_DRUGS = ("#a883c0", "#d8b365", "#80b1a0", "#c78a7c", "#8f8f8f")
_DEATH = "#b2182b"
_ADDED = ("v", "*", "d", "h")
_BAR = 0.66  # of a row: the bars of all drugs
_LEAST_WIDTH = 0.006  # of a bar, in shares of the axis
_ABOVE = 0.36  # of a row: where the start of another drug is marked
_LONG = 3.0  # follow-up of so many horizons gets a panel of its own for the time up to the horizon
_YEAR = 365
_MANY_DOSES = 4
_LABELLED = 80  # patients up to which each has a line
_SHARES_MM = 95.0  # height of a figure of shares


def exposure_height(exposure: pd.DataFrame) -> float:
    """Return the height in millimetres at which the bars of all patients, or their shares, can be read."""
    if exposure.empty:
        return 60.0
    patients = exposure["patient_id"].nunique()
    return EDGE_MM + ROW_MM * patients if patients <= _LABELLED else _SHARES_MM


@figure(
    "figure_s6_exposure",
    "double",
    lambda exposure, *_others: exposure_height(exposure),
    "Exposure by dose, responses and follow-up of each treated patient",
    needs=ExposureRows,
)
def draw_exposure(
    container: Figure | SubFigure,
    exposure: pd.DataFrame,
    courses: pd.DataFrame,
    responses: pd.DataFrame,
    config: CohortConfig,
    added: pd.DataFrame | None = None,
) -> None:
    """Draw one line a patient: bars of the study drug by daily dose, responses, death or last contact.

    Several study drugs have a lane of the line and a colour each, whatever the dose.

    An arrow at the end of a bar says that the drug was still taken, one at the end of the line that the
    patient was alive, at last contact. Where follow-up is long, the days up to the horizon have a panel of
    their own; each response stands in the first panel that reaches it. More patients than have room for a
    line each are drawn as shares by day.

    Args:
        container: where to draw.
        exposure: columns patient_id, start_day, stop_day, last_day, died, ongoing; one row for each patient
            and drug.
        courses: columns patient_id, drug, start_day, stop_day, daily_dose, unit; one row a dose.
        responses: columns patient_id, day, response; empty where none are recorded.
        config: the cohort's configuration, for study drug and horizon.
        added: columns patient_id, drug, day: first start of other drugs after day 0; marked where lines are.
    """
    drug = _drug_label(config)
    several = len(set(courses["drug"])) > 1
    if exposure.empty:
        say_absent(container, f"No treatment with {drug} is recorded in this cohort.")
        return
    table = _patients_of(exposure, config)
    shades, styles = course_shades(courses, config), level_styles(config)
    last = float(table["last_day"].max())
    near = near_limit(config)
    limits = [near, last] if last > _LONG * config.horizon_days else [last]
    panels = container.subplots(1, len(limits), sharey=True, squeeze=False)[0]
    many = len(table) > _LABELLED
    signs: Sequence[Artist] = _shade_handles(shades)
    present = set(exposure["group"]) if "group" in exposure else set()
    groups = [group for group in config.group_ids if group in present] or [followed_group(config)]
    for axes, limit in zip(panels, limits, strict=True):
        if many:
            signs = draw_shares(axes, table, courses, shades, limit)
        else:
            _bars(axes, table, courses, shades, limit)
            _responses(axes, table, responses, (near if limit > limits[0] else -1.0, limit), styles)
            _added(axes, table, added, limit)
            _ends(axes, table, limit)
            axes.set_ylim(-0.7, len(table) - 0.3)
        _time_axis(axes, table, limit, config, groups, room_for_text(container, len(limits)))
    if len(limits) > 1:
        panels[0].set_title(f"Up to day {near}")
        panels[1].set_title("All follow-up")
    _patients(panels[0], table, config, many=many)
    drug = "Study drug" if several else drug
    handles = [*signs]
    handles += share_handles() if many else _mark_handles(drug, table, responses, styles)
    handles += [] if many else _added_handles(table, added, config)
    marks_legend(container, handles, columns=4)


def _patients_of(exposure: pd.DataFrame, config: CohortConfig) -> pd.DataFrame:
    """Return one row a patient, those followed longest last: first start, last stop, still treated."""
    rows = exposure.sort_values(["patient_id", "stop_day"]).groupby("patient_id", as_index=False)
    table = rows.agg(
        start_day=("start_day", "min"),
        stop_day=("stop_day", "max"),
        last_day=("last_day", "first"),
        died=("died", "first"),
        ongoing=("ongoing", "any"),
    )
    table["alike"] = order_of_ties(table["patient_id"], config)
    table = table.sort_values(["last_day", "alike"], ascending=[True, False]).drop(columns="alike")
    return table.reset_index(drop=True)


def course_shades(courses: pd.DataFrame, config: CohortConfig) -> pd.DataFrame:
    """Return colour, words and lane of every course: by daily dose of one drug, by drug of several.

    Columns colour, label (for the legend), rank (its order there) and lane; rows as in `courses`. One drug's
    doses are darker the higher; they have one colour where there are many of them.
    """
    drugs = [drug for drug in config.study_drugs if (courses["drug"] == drug).any()]
    drugs += sorted(set(courses["drug"]) - set(drugs))
    if len(drugs) > 1:
        lane = courses["drug"].map({drug: place for place, drug in enumerate(drugs)})
        label = courses["drug"].map(lambda drug: _capital(config.vocabulary.drug_label(drug)))
        colour = lane.map(lambda place: _DRUGS[min(place, len(_DRUGS) - 1)])
        return pd.DataFrame({"colour": colour, "label": label, "rank": lane, "lane": lane})
    name = _capital(_drug_label(config))
    doses = known_doses(courses)
    shades, words = dose_shades(doses), {dose: f"{name}, {_in_words(dose)}" for dose in doses}
    if len(set(shades.values())) < 2:
        words = dict.fromkeys(doses, name)
    keys = [dose_key(*pair) for pair in zip(courses["daily_dose"], courses["unit"], strict=True)]
    columns = {
        "colour": [shades[key] for key in keys],
        "label": [words[key] for key in keys],
        "rank": [doses.index(key) for key in keys],
        "lane": 0,
    }
    return pd.DataFrame(columns, index=courses.index)


def dose_shades(doses: Sequence[Shade]) -> dict[Shade, str]:
    """Return a shade for each daily dose and unit, darker for more; one for all where there are many."""
    known = [pair for pair in doses if pair[0] == pair[0]]
    if not 1 < len(known) <= _MANY_DOSES:
        return dict.fromkeys(doses, _DOSES[1])
    steps = [round(i * (len(_DOSES) - 1) / (len(known) - 1)) for i in range(len(known))]
    return dict.fromkeys(doses, _DOSES[1]) | {
        pair: _DOSES[step] for pair, step in zip(known, steps, strict=True)
    }


def _in_words(dose: Shade) -> str:
    amount, unit = dose
    if amount != amount:
        return "dose unknown"
    return f"{format_number(amount, 0 if amount == int(amount) else 1)} {unit} a day"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _drug_label(config: CohortConfig) -> str:
    """Return the study drugs as readers know them: the treated group's label where it bears their name."""
    treated, drugs = config.treated, config.study_drugs
    if treated is not None and drugs == (treated.id,):
        return treated.label
    return " or ".join(map(config.vocabulary.drug_label, drugs)) or "study drug"


def _bars(axes: Axes, table: pd.DataFrame, courses: pd.DataFrame, shades: pd.DataFrame, limit: float) -> None:
    """Draw each patient's line and doses, each drug in its lane; one of a day is as wide as can be seen."""
    axes.hlines(table.index, 0, table["last_day"], color="#bdbdbd", linewidth=1.0, zorder=1)
    place = dict(zip(table["patient_id"], table.index, strict=True))
    known = courses[courses["patient_id"].isin(list(place))]
    shade = shades.loc[known.index]
    lanes = int(shades["lane"].max()) + 1
    height = _BAR / lanes
    middle = known["patient_id"].map(place) + ((lanes - 1) / 2 - shade["lane"]) * height
    widths = (known["stop_day"] - known["start_day"]).clip(lower=_LEAST_WIDTH * limit)
    axes.barh(
        middle, widths, left=known["start_day"],
        height=height, zorder=2, edgecolor="white", linewidth=0.4, color=list(shade["colour"]),
    )  # fmt: skip


def _responses(
    axes: Axes,
    table: pd.DataFrame,
    responses: pd.DataFrame,
    days: tuple[float, float],
    styles: Mapping[str, LevelStyle],
) -> None:
    """Draw the responses after the first and up to the second of these days."""
    place = dict(zip(table["patient_id"], table.index, strict=True))
    after, last = days
    known = responses[responses["patient_id"].isin(list(place)) & responses["day"].between(after, last)]
    known = known[known["day"] != after]
    for name, style in styles.items():
        shown = known[known["response"] == name]
        if len(shown):
            axes.plot(
                shown["day"], shown["patient_id"].map(place), linestyle="none", zorder=4, **_mark(style)
            )


def _added(axes: Axes, table: pd.DataFrame, added: pd.DataFrame | None, limit: float) -> None:
    """Mark the first start of each other drug above its patient's line, each drug with its own mark."""
    place = dict(zip(table["patient_id"], table.index, strict=True))
    for marker, starts in _added_marks(table, added).values():
        shown = starts[starts["day"] <= limit]
        if len(shown):
            height = shown["patient_id"].map(place) + _ABOVE
            axes.plot(shown["day"], height, marker, color=INK, markersize=3.4, zorder=5)


def _added_marks(table: pd.DataFrame, added: pd.DataFrame | None) -> dict[str, tuple[str, pd.DataFrame]]:
    """Return mark and starts by drug, in the order of the drugs; those beyond the marks share the last."""
    if added is None:
        return {}
    mine = added[added["patient_id"].isin(list(table["patient_id"]))]
    drugs = list(dict.fromkeys(mine["drug"]))
    return {
        drug: (_ADDED[min(rank, len(_ADDED) - 1)], mine[mine["drug"] == drug])
        for rank, drug in enumerate(drugs)
    }


def _added_handles(table: pd.DataFrame, added: pd.DataFrame | None, config: CohortConfig) -> list[Artist]:
    from matplotlib.lines import Line2D

    return [
        Line2D(
            [], [], linestyle="none", marker=marker, color=INK, markersize=3.4,
            label=f"{config.vocabulary.drug_label(drug)} started",
        )
        for drug, (marker, _) in _added_marks(table, added).items()
    ]  # fmt: skip


def _mark(style: LevelStyle) -> dict[str, Any]:
    return {
        "marker": style.marker, "color": style.colour, "markersize": 4.2,
        "markeredgecolor": INK, "markeredgewidth": 0.5,
    }  # fmt: skip


def _ends(axes: Axes, table: pd.DataFrame, limit: float) -> None:
    seen = table[table["last_day"] <= limit]
    dead, alive = seen[seen["died"].astype(bool)], seen[~seen["died"].astype(bool)]
    going = table[table["ongoing"].astype(bool) & (table["stop_day"] <= limit) & ~table["died"].astype(bool)]
    marks = (
        (dead["last_day"], "X", _DEATH, 6.5),
        (alive["last_day"], ">", GREY, 4.0),
        (going["stop_day"], ">", INK, 5.5),
    )
    for days, marker, colour, size in marks:
        if len(days):  # a line without points would count as one in the corner for the layout
            axes.plot(
                days,
                days.index,
                marker,
                color=colour,
                markersize=size,
                zorder=5,
                linestyle="none",
                clip_on=False,
            )


def _time_axis(
    axes: Axes, table: pd.DataFrame, limit: float, config: CohortConfig, groups: Sequence[str], room: float
) -> None:
    left = min(0.0, float(table["start_day"].min()))
    axes.set_xlim(left - 0.02 * limit, limit * 1.02)
    if limit > 2 * _YEAR:
        years = range(int(limit // _YEAR) + 1)
        axes.set_xticks([_YEAR * year for year in years], labels=[str(year) for year in years])
        axes.set_xlabel(day_0_title(f"Years (of {_YEAR} days)", config, groups, room))
    else:
        step = 7 * max(1, round(limit / 4 / 7))
        axes.set_xticks(range(0, int(limit) + 1, step))
        axes.set_xlabel(day_0_title("Days", config, groups, room))
    axes.tick_params(axis="y", length=0)


def _patients(axes: Axes, table: pd.DataFrame, config: CohortConfig, *, many: bool) -> None:
    if many:
        axes.set_ylabel(f"Share of {len(table)} patients (%)")
    else:
        label_patients(axes, table.index, table["patient_id"], config)


def _shade_handles(shades: pd.DataFrame) -> list[Artist]:
    """Return a sign for each colour of a course."""
    from matplotlib.patches import Patch

    signs = shades.sort_values("rank").drop_duplicates("label")
    pairs = zip(signs["colour"], signs["label"], strict=True)
    return [Patch(facecolor=colour, label=label) for colour, label in pairs]


def _mark_handles(
    drug: str, table: pd.DataFrame, responses: pd.DataFrame, styles: Mapping[str, LevelStyle]
) -> list[Artist]:
    """Return a sign for each kind of mark of these patients: only what is drawn."""
    from matplotlib.lines import Line2D

    name = _capital(drug)
    handles: list[Artist] = [Line2D([], [], color="#bdbdbd", linewidth=1.0, label="Follow-up")]
    mine = responses[responses["patient_id"].isin(list(table["patient_id"]))]
    for response, style in styles.items():
        if (mine["response"] == response).any():
            handles.append(Line2D([], [], linestyle="none", label=style.label, **_mark(style)))
    ends = {
        "Died": ("X", _DEATH, 6.5, table["died"].astype(bool)),
        f"{name} still taken": (">", INK, 5.5, table["ongoing"].astype(bool) & ~table["died"].astype(bool)),
        "Alive at last contact": (">", GREY, 4.0, ~table["died"].astype(bool)),
    }
    for label, (marker, colour, size, there) in ends.items():
        if there.any():
            handles.append(
                Line2D([], [], linestyle="none", marker=marker, color=colour, markersize=size, label=label)
            )
    return handles
