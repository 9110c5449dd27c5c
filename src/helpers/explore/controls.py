"""What can be chosen in each panel, and how choices become the parameters of its call. No widgets here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, Literal, get_args

from helpers.analysis.variables import BaselineVariable
from helpers.explore.course import course, followed
from helpers.explore.look import Panel
from helpers.explore.parts import EVERYBODY, EVERYONE, GROUP, MOST_PARTS, RESPONSE_AT, Patients, level_names
from helpers.explore.patient import patient
from helpers.explore.response import CLINICIANS, ShownAs, callers, levels_at_visits, response
from helpers.explore.robustness import LARGEST_EFFECT, longest_lag, robustness
from helpers.explore.steroids import DoseSummary, steroids
from helpers.explore.study import ExplorationError, Study
from helpers.explore.survival import DEATH, CountedFrom, Interval, RiskTable, Test, survival
from helpers.explore.table_one import table_one
from helpers.report.journals.requirements import journals
from helpers.stats.group_tests import names_of_tests

Kind = Literal["choice", "several", "whole", "slide", "tick", "number or nothing"]
LONGEST_HORIZON = 36_500
_OF_PATIENTS = tuple(field.name for field in fields(Patients))


@dataclass(frozen=True)
class Control:
    """One thing that can be chosen.

    Attributes:
        name: parameter of the panel's call, or of its ``patients``.
        label: words beside it.
        kind: how it is chosen.
        value: at first; what stands for the parameter's usual value.
        options: of a choice: words and value.
        low, high, step: of numbers.
    """

    name: str
    label: str
    kind: Kind
    value: Any = None
    options: tuple[tuple[str, Any], ...] = ()
    low: float = 0
    high: float = 1
    step: float = 1


@dataclass(frozen=True)
class PanelSpec:
    """A panel with its controls.

    Attributes:
        title: on its button.
        show: the panel.
        controls: from the study to what can be chosen.
    """

    title: str
    show: Panel
    controls: Callable[[Study], list[Control]]


@lru_cache(maxsize=14)
def controls_of(spec: PanelSpec, study: Study) -> list[Control]:
    """Return what can be chosen in a panel; the levels of every variable are looked up once."""
    return spec.controls(study)


def parameters_of(spec: PanelSpec, study: Study, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a panel's call for the values of its controls, by name.

    A value that is as at first leaves the parameter out, so that the call says only what was chosen.

    Raises:
        ExplorationError: a text that should be a number is none.
    """
    found: dict[str, Any] = {}
    people: dict[str, Any] = {}
    for control in controls_of(spec, study):
        value = values.get(control.name, control.value)
        if control.kind == "number or nothing":
            value = _number(control, value)
        elif control.kind == "several":
            value = tuple(value)
        if value == control.value and control.name not in _ALWAYS:
            continue
        if control.name == "only":
            people["only"] = dict([value])
        elif control.name in _OF_PATIENTS:
            people[control.name] = value
        else:
            found[control.name] = value
    patients = Patients(**people)
    if patients != EVERYONE:
        found["patients"] = patients
    return found


_ALWAYS = ("variable", "patient_id")  # without a usual value


def _number(control: Control, text: Any) -> float | None:
    """Return the number that was written; None for an empty field."""
    written = str(text or "").strip().replace(",", ".")
    if not written:
        return None
    try:
        return float(written)
    except ValueError:
        raise ExplorationError(
            f"{control.label}: found {text!r}, expected a number or nothing.",
            remedy="Write it as 1500 or 0.5.",
        ) from None


# --- controls of the panels -------------------------------------------------------------------------


def _words(names: Sequence[str]) -> tuple[tuple[str, Any], ...]:
    return tuple((name, name) for name in names)


def _own(names: Sequence[str]) -> tuple[tuple[str, Any], ...]:
    return (("as the cohort says", None), *_words(names))


def _journal() -> Control:
    options = tuple((journal.title, name) for name, journal in journals().items())
    return Control("journal", "Figure for", "choice", "generic", options)


def called(variable: BaselineVariable) -> str:
    """Return how a variable is called where all its levels are meant: ``Sex``, not ``Sex, female``.

    >>> from helpers.explore.study import open_study
    >>> called(open_study("rdmas_reconstructed").variables["sex"])
    'Sex'
    """
    return variable.label.removesuffix(f", {variable.level}") if variable.level else variable.label


def _horizon(study: Study) -> Control:
    return Control(
        "horizon_days", "Last day", "whole", study.config.horizon_days, low=1, high=LONGEST_HORIZON
    )


def _people(
    study: Study, *, split: bool = True, outcomes: bool = True, responses: bool = True
) -> list[Control]:
    """Return the controls of whom a view is about."""
    splits: list[tuple[str, Any]] = [
        ("Groups of the study", GROUP),
        ("Nothing: everybody together", EVERYBODY),
    ]
    splits += [
        (called(variable), name) for name, variable in study.variables.items() if outcomes or name != DEATH
    ]
    if responses:
        visits, _ = levels_at_visits(study)
        labels = [study.config.visit(visit).label.lower() for visit in visits]
        splits += [
            (f"Response at {label}", RESPONSE_AT + visit) for label, visit in zip(labels, visits, strict=True)
        ]
    only: list[tuple[str, Any]] = [("everybody", None)]
    only += [(f"Group: {group.label}", (GROUP, group.id)) for group in study.config.groups]
    for name, variable in study.variables.items():
        if variable.kind != "continuous" and len(level_names(variable)) <= MOST_PARTS:
            only += [(f"{called(variable)}: {level}", (name, level)) for level in level_names(variable)]
    chosen = [
        Control("split_by", "Split by", "choice", GROUP, tuple(splits)),
        Control("cut", "Cut a number at", "number or nothing", None),
        Control("in_each_group", "Split each group", "tick", False),
    ]
    return [
        *(chosen if split else []),
        Control("only", "Only", "choice", None, tuple(only)),
        Control("without", "Without", "several", (), _words(study.patients)),
        Control("accept_few", "Draw fewer than five", "tick", False),
    ]


def _survival(study: Study) -> list[Control]:
    endpoints = (("Death", DEATH), *((one.label, one.id) for one in study.config.endpoints))
    return [
        Control("endpoint", "Endpoint", "choice", DEATH, endpoints),
        _horizon(study),
        *_people(study, outcomes=False),
        Control("counted_from", "Count from", "choice", "day 0", _words(get_args(CountedFrom))),
        Control("landmark_day", "Landmark on day", "whole", 0, low=0, high=LONGEST_HORIZON),
        Control("interval", "Interval", "choice", None, _own(get_args(Interval))),
        Control("test", "Log-rank test", "choice", None, _own(get_args(Test))),
        Control(
            "risk_table", "Below the curves", "choice", "at risk and deaths", _words(get_args(RiskTable))
        ),
        Control("medians", "Medians", "tick", False),
        _journal(),
    ]


def _response(study: Study) -> list[Control]:
    visits, levels = levels_at_visits(study)
    labels = tuple((study.config.visit(name).label, name) for name in visits)
    return [
        Control("called_by", "Called by", "choice", CLINICIANS, _words(callers(study))),
        Control("shown_as", "Show", "choice", "shares", _words(get_args(ShownAs))),
        Control("visit", "List those who at", "choice", "", (("no visit", ""), *labels)),
        Control("level", "were", "choice", "", (("any", ""), *_words(levels))),
        Control("at_no_other_visit", "and at no other visit", "tick", False),
        *_people(study),
        _journal(),
    ]


def _course(study: Study) -> list[Control]:
    names = followed(study)
    labels = tuple((study.config.vocabulary[name].label, name) for name in names)
    visits = tuple((visit.label, visit.id) for visit in study.config.visits)
    log = (("as usual", None), ("logarithmic", True), ("plain", False))
    return [
        Control("variable", "Measurement", "choice", names[0] if names else None, labels),
        Control("visit", "Patients behind", "choice", "", (("no visit", ""), *visits)),
        Control("log", "Vertical axis", "choice", None, log),
        *_people(study),
        _journal(),
    ]


def _steroids(study: Study) -> list[Control]:
    return [
        Control("threshold", "Low dose, mg/kg/d", "number or nothing", None),
        Control("dose_summary", "Dose at a visit", "choice", None, _own(get_args(DoseSummary))),
        Control("low_dose", "Table of low doses", "tick", False),
        _horizon(study),
        *_people(study),
        _journal(),
    ]


def _patient(study: Study) -> list[Control]:
    measured = [
        (study.config.vocabulary[name].label, name)
        for name in dict.fromkeys([*followed(study), *sorted(set(study.tables.measurements["variable"]))])
        if name in study.config.vocabulary
    ]
    return [
        Control("patient_id", "Patient", "choice", study.patients[0], _words(study.patients)),
        Control("variables", "Measurements", "several", (), tuple(measured)),
        _journal(),
    ]


def _table_one(study: Study) -> list[Control]:
    labels = tuple((variable.label, name) for name, variable in study.variables.items())
    numbers = tuple((v.label, name) for name, v in study.variables.items() if v.kind == "continuous")
    return [
        Control("variables", "Rows", "several", (), labels),
        Control("mean_sd", "Mean (SD) of", "several", (), numbers),
        Control("continuous", "Test of numbers", "choice", None, _own(names_of_tests("continuous"))),
        Control("categorical", "Test of yes/no", "choice", None, _own(names_of_tests("binary"))),
        *_people(study),
        _journal(),
    ]


def _robustness(study: Study) -> list[Control]:
    return [
        Control("lag", "Common lag, days", "slide", 0, low=0, high=longest_lag(study)),
        Control("prevalence_treated", "Confounder, treated", "slide", 0.3, low=0, high=1, step=0.05),
        Control("prevalence_control", "Confounder, controls", "slide", 0.5, low=0, high=1, step=0.05),
        Control("effect", "Multiplies deaths by", "slide", 2.0, low=1, high=LARGEST_EFFECT, step=0.5),
        _horizon(study),
        *_people(study, split=False),
        _journal(),
    ]


PANELS = (
    PanelSpec("Survival", survival, _survival),
    PanelSpec("Response", response, _response),
    PanelSpec("Course", course, _course),
    PanelSpec("Steroids", steroids, _steroids),
    PanelSpec("Patient", patient, _patient),
    PanelSpec("Table 1", table_one, _table_one),
    PanelSpec("Robustness", robustness, _robustness),
)
