"""One patient: what was measured, given and called, day by day, and why the rules decide as they do.

>>> from helpers.explore.study import open_study
>>> patient(open_study("rdmas_reconstructed"), patient_id="R01").name
'exploratory_patient_R01'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from helpers.analysis.explanation import explain_one
from helpers.clinical.errors import ClinicalError
from helpers.explore.look import Look, Picture, panel
from helpers.explore.parts import only_members
from helpers.explore.study import ExplorationError, Study
from helpers.problems import closest
from helpers.report.figures.common import marks_legend
from helpers.report.figures.course import reference_band, short_label
from helpers.report.figures.style import GREY, INK, level_styles
from helpers.report.tables.content import Row, heading, message, row
from helpers.report.tables.table import Table
from helpers.results.format import format_number
from helpers.results.store import Statistics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from helpers.report.figures.style import LevelStyle

MOST_VARIABLES, MOST_DRUGS = 4, 14
_PANEL_MM, _DRUG_MM, _EDGE_MM = 26.0, 4.6, 32.0
_SIGNS = {">=": "≥", "<=": "≤", "10^9": "10⁹", "10^12": "10¹²", " Cel": " °C"}
_DOSE, _GIVEN, _NORMAL = "#0072B2", "#7fb8da", "#009E73"


@dataclass(frozen=True)
class PatientFile:
    """What is known of one patient.

    Attributes:
        patient_id, group: who.
        values: measurements of the variables shown: day, variable, value, qualifier.
        labels: label of each variable.
        normal: limits of normal of each variable; NaN where there are none.
        doses: glucocorticoid by day: day, mg_per_kg.
        drugs: courses: drug (label), start_day, stop_day (missing: still given).
        calls: clinicians' responses: day, response.
        last_day, died: last day of follow-up, and whether it is that of death.
        first_day, end_day: days shown.
    """

    patient_id: str
    group: str
    values: pd.DataFrame
    labels: Mapping[str, str]
    normal: Mapping[str, tuple[float, float]]
    doses: pd.DataFrame
    drugs: pd.DataFrame
    calls: pd.DataFrame
    last_day: float
    died: bool
    first_day: float
    end_day: float


@panel
def patient(
    study: Study,
    *,
    patient_id: str,
    variables: Sequence[str] = (),
    last_day: int | None = None,
    journal: str = "generic",
) -> Look:
    """Show one patient's values, doses, drugs and calls on a line of time, and the evidence of every verdict.

    Args:
        study: the cohort.
        patient_id: the patient.
        variables: measurements drawn, at most four; none: the first that the cohort follows and the patient
            has.
        last_day: last day drawn; None: a week beyond the cohort's horizon, or the end of follow-up.
        journal: whose sizes and manner are used.

    Raises:
        ExplorationError: no such patient or measurement.
    """
    if patient_id not in study.patients:
        near = closest(patient_id, tuple(study.patients))
        hint = f"Did you mean {near!r}?" if near else f"The first are {', '.join(study.patients[:5])}."
        raise ExplorationError(f"No patient {patient_id!r} in this cohort.", remedy=hint)
    alone = study.with_(study.config, only_members(study.tables, {patient_id}))
    record = patient_file(alone, patient_id, tuple(variables), last_day)
    height = _EDGE_MM + _PANEL_MM * (len(record.labels) + bool(len(record.doses)))
    height += _DRUG_MM * (len(_shown_drugs(record)) + 2)
    end = "died" if record.died else "last seen"
    picture = Picture(
        draw_patient, (record, level_styles(study.config)), "double", height,
        f"Course of patient {patient_id}, {record.group}: {', '.join(record.labels.values())}, doses, drugs "
        f"and responses by day; {end} on day {record.last_day:g}",
    )  # fmt: skip
    table = _evidence(study, patient_id)
    return Look(
        f"exploratory_patient_{_safe(patient_id)}", alone, picture, table, Statistics([]), (), journal
    )


def patient_file(
    study: Study, patient_id: str, variables: Sequence[str], last_day: int | None
) -> PatientFile:
    """Gather what is known of the patient, the only one of `study`, up to a day.

    Raises:
        ExplorationError: a variable was never measured in the patient, or there are too many.
    """
    tables, config = study.tables, study.config
    person = tables.patients.iloc[0]
    measured = set(tables.measurements["variable"])
    absent = [name for name in variables if name not in measured]
    if absent or len(variables) > MOST_VARIABLES:
        raise ExplorationError(
            f"Never measured in {patient_id}: {', '.join(absent)}." if absent
            else f"At most {MOST_VARIABLES} measurements have room.",
            remedy=f"Measured: {', '.join(sorted(measured))}.",
        )  # fmt: skip
    chosen = list(variables) or [name for name in config.course.variables if name in measured]
    chosen = chosen[:MOST_VARIABLES]
    followed = float(person["followup_days"]) if pd.notna(person["followup_days"]) else float("nan")
    horizon = config.horizon_days + 7
    end = (
        float(last_day)
        if last_day is not None
        else min(horizon, followed if followed == followed else horizon)
    )
    end = max(end, 1.0)
    values = tables.measurements[tables.measurements["variable"].isin(chosen)]
    values = values[values["day"] <= end].sort_values(["variable", "day", "source_row"])
    drugs = tables.treatments[tables.treatments["start_day"] <= end]
    drugs = drugs.assign(drug=[config.vocabulary.drug_label(name) for name in drugs["drug"]])
    doses = tables.doses[tables.doses["day"] <= end]
    calls = tables.responses[tables.responses["day"] <= end].sort_values("day")
    first = min([0.0, *drugs["start_day"].astype(float), *values["day"].astype(float)])
    return PatientFile(
        patient_id, config.group(str(person["group"])).label, values,
        {name: short_label(config.vocabulary[name]) for name in chosen},
        {name: reference_band(config, name) for name in chosen},
        doses[["day", "mg_per_kg"]].dropna().sort_values("day"),
        drugs[["drug", "start_day", "stop_day"]].sort_values(["start_day", "drug"]),
        calls[["day", "response"]],
        followed, bool(person["died"]), max(first, -60.0), end,
    )  # fmt: skip


def _shown_drugs(record: PatientFile) -> list[str]:
    return list(dict.fromkeys(record.drugs["drug"]))[:MOST_DRUGS]


def draw_patient(
    container: Figure | SubFigure, record: PatientFile, styles: Mapping[str, LevelStyle]
) -> None:
    """Draw the patient's line of time: measurements, dose, drugs and calls below each other."""
    drugs = _shown_drugs(record)
    rows = [*record.labels, *(["dose"] if len(record.doses) else []), "given"]
    heights = [_PANEL_MM] * (len(rows) - 1) + [_DRUG_MM * (len(drugs) + 2)]
    grid = container.subplots(len(rows), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    banded = False
    for axes, name in zip(grid, rows, strict=True):
        axes.axvline(0, color=GREY, linewidth=0.7)
        if name == "given":
            _given(axes, record, drugs)
        elif name == "dose":
            axes.step(record.doses["day"], record.doses["mg_per_kg"], where="mid", color=_DOSE)
            axes.set_title("Glucocorticoid, mg/kg/d of prednisone equivalent")
            axes.set_ylim(bottom=0)
        else:
            banded |= _measured(axes, record, name)
        if record.last_day <= record.end_day:
            axes.axvline(record.last_day, color=INK, linewidth=1.2 if record.died else 0.7)
    signs = [*_calls(grid[-1], record, styles, len(drugs)), *_marks(record, banded=banded)]
    grid[-1].set_xlim(record.first_day - 1, record.end_day + 1)
    grid[-1].set_xlabel("Days since day 0")
    marks_legend(container, signs, columns=4, title=_end(record))


def _end(record: PatientFile) -> str:
    if record.last_day != record.last_day:
        return f"Patient {record.patient_id}, {record.group}: follow-up not recorded"
    words = "died" if record.died else "last seen alive"
    return f"Patient {record.patient_id}, {record.group}: {words} on day {format_number(record.last_day, 0)}"


def _measured(axes: Axes, record: PatientFile, name: str) -> bool:
    """Draw the values of a measurement; returns whether the reference range is seen behind them."""
    mine = record.values[record.values["variable"] == name]
    low, high = record.normal[name]
    axes.plot(mine["day"], mine["value"], "o-", color=INK, markersize=3, linewidth=0.9)
    for sign, marker in ((">", "^"), ("<", "v")):
        limited = mine[mine["qualifier"] == sign]
        axes.plot(limited["day"], limited["value"], marker, color=GREY, markersize=5)
    bottom, top = axes.get_ylim()
    if low == low or high == high:
        normal = (low if low == low else bottom, high if high == high else top)
        axes.axhspan(*normal, color=_NORMAL, alpha=0.1, linewidth=0)
    axes.set_ylim(bottom, top)
    axes.set_title(record.labels[name])
    return (low == low or high == high) and not (low >= top or high <= bottom)


def _given(axes: Axes, record: PatientFile, drugs: Sequence[str]) -> None:
    for course in record.drugs.to_dict("records"):
        if course["drug"] not in drugs:
            continue
        y, start = drugs.index(course["drug"]), float(course["start_day"])
        stop = float(course["stop_day"]) if pd.notna(course["stop_day"]) else record.end_day
        axes.barh(
            y, max(1.0, stop + 1 - start), 0.62, left=start, color=_GIVEN, edgecolor="white", linewidth=0.4
        )
    called = ["Response"] if len(record.calls) else []
    axes.set_yticks(range(len(drugs) + len(called)), labels=[*drugs, *called])
    axes.set_ylim(max(1, len(drugs) + len(called)) - 0.3, -0.7)
    axes.tick_params(axis="y", length=0)
    axes.set_title("Drugs given and responses called" if called else "Drugs given")


def _calls(axes: Axes, record: PatientFile, styles: Mapping[str, LevelStyle], line: int) -> list[Artist]:
    """Draw the clinicians' calls and return their signs for the legend, one a level."""
    from matplotlib.lines import Line2D

    seen: dict[str, Artist] = {}
    for call in record.calls.to_dict("records"):
        style = styles.get(str(call["response"]))
        if style is None:
            continue
        look: dict[str, Any] = {
            "color": style.colour,
            "markeredgecolor": INK,
            "markeredgewidth": 0.5,
            "markersize": 6,
        }
        axes.plot([call["day"]], [line], style.marker, **look)
        seen[style.label] = Line2D([], [], linestyle="none", marker=style.marker, label=style.label, **look)
    return list(seen.values())


@lru_cache(maxsize=16)
def _evidence(whole: Study, patient_id: str) -> Table:
    """Return every verdict on the patient with the comparisons behind it; kept while other things change."""
    study = whole.with_(whole.config, only_members(whole.tables, {patient_id}))
    columns = ["What was compared", "Found", "Day", "Rule", "Comes from"]
    title = f"Exploratory. Verdicts on patient {patient_id} and their evidence"
    rows: list[Row] = []
    try:
        found = explain_one(study.tables, study.config, study.paths.folder, patient_id)
    except ClinicalError as error:
        return Table("exploratory_patient", title, columns, [message(str(error))], (), study.watermark)
    for (question, answer), part in found.groupby(["question", "answer"], sort=False):
        rows.append(heading(f"{question}: {answer}"))
        for one in part.to_dict("records"):
            if one["value"] == "not done" or not one["rule"]:
                continue
            line = _whole(one["source_row"])
            source = f"{one['table']}, line {line}" if line else str(one["table"] or "")
            state = str(one["rule_state"] or one["state"])
            found_there = f"{_readable(str(one['value']))} ({state})"
            cells = (found_there, _whole(one["day"]), _readable(str(one["rule"])), source)
            rows.append(row(str(one["item"]), *cells, level=1))
    nothing = [message("No rule says anything about this patient.")]
    return Table(
        f"exploratory_patient_{_safe(patient_id)}", title, columns, rows or nothing, (), study.watermark
    )


def _marks(record: PatientFile, *, banded: bool) -> list[Artist]:
    """Return the signs of what is drawn beside the values, each once."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    found: list[Artist] = []
    if banded:
        found.append(Patch(facecolor=_NORMAL, alpha=0.1, label="Reference range"))
    for sign, marker, words in ((">", "^", "Above an assay's limit"), ("<", "v", "Below an assay's limit")):
        if (record.values["qualifier"] == sign).any():
            found.append(Line2D([], [], linestyle="none", marker=marker, color=GREY, label=words))
    if record.died and record.last_day <= record.end_day:
        found.append(Line2D([], [], color=INK, linewidth=1.2, label="Death"))
    return found


def _readable(text: str) -> str:
    """Return a comparison with signs and units as clinicians write them.

    >>> _readable("temperature >= 38.5 Cel")
    'temperature ≥ 38.5 °C'
    """
    for coded, plain in _SIGNS.items():
        text = text.replace(coded, plain)
    return text


def _whole(value: object) -> str:
    try:
        return "" if value is None or value != value else f"{float(str(value)):g}"
    except ValueError:
        return str(value)


def _safe(text: str) -> str:
    """Return an id as a part of a file name."""
    return "".join(sign if sign.isalnum() else "_" for sign in text)
