"""Toxicity: CTCAE grades of laboratory values, shifts from baseline to worst, events and exposure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from helpers.clinical.criteria_files import Directory, Setting, open_criteria
from helpers.clinical.criteria_schema import TermNode, ToxicityNode
from helpers.clinical.errors import ClinicalError, NothingRecordedError, require_columns
from helpers.clinical.facts import QUALIFIER_SIGNS, Facts
from helpers.clinical.measures import Measures, shipped_measures
from helpers.clinical.rule_reading import RuleReader
from helpers.clinical.rules import MET, NOT_MET, Memo, Rule
from helpers.vocabulary.names import fold
from helpers.vocabulary.reading import shipped_vocabulary
from helpers.vocabulary.vocabulary import Vocabulary


@dataclass(frozen=True)
class Term:
    """One laboratory term: rules of its grades in rising order, and the names events are recorded under."""

    id: str
    term: str
    variable: str
    direction: str
    grades: tuple[tuple[int, Rule], ...]
    recorded_as: tuple[str, ...] = ()


@dataclass(frozen=True)
class ToxicityScale:
    """A version of a toxicity scale."""

    name: str
    version: str
    title: str
    source: str
    file: str
    terms: tuple[Term, ...]
    settings: Mapping[str, Setting]
    note: str = ""


def load_toxicity_scale(
    name: str = "ctcae_v5",
    *,
    extra_directories: Iterable[Directory] = (),
    settings: Mapping[str, Any] | None = None,
    measures: Measures | None = None,
) -> ToxicityScale:
    """Load a toxicity scale by name from the package or a study's own folder.

    `measures` are the variables that its rules may name, those of the package by default.

    Raises `ClinicalError` naming file, key, found and expected.

    >>> load_toxicity_scale("ctcae_v5").terms[0].term
    'Anemia'
    """
    opened = open_criteria(name, ("toxicity",), extra_directories=extra_directories, settings=settings)
    reader = RuleReader(opened, measures or shipped_measures())
    node: ToxicityNode = opened.node
    terms = tuple(_term(reader, entry, f"terms[{i}]") for i, entry in enumerate(node.terms, 1))
    ids = [term.id for term in terms]
    for repeated in sorted({one for one in ids if ids.count(one) > 1}):
        opened.fault("terms.id", repeated, "each id once")
    opened.finish()
    return ToxicityScale(
        node.name, node.version, node.title, node.source, opened.file, terms, opened.settings, node.note
    )


def _term(reader: RuleReader, node: TermNode, key: str) -> Term:
    grades = tuple(
        (int(grade), reader.rule(node.grades[grade], f"{key}.grades.{grade}"))
        for grade in sorted(node.grades)
    )
    names = (node.term, *node.recorded_as)
    return Term(node.id, node.term, node.variable, node.direction, grades, names)


def grade_laboratory(facts: Facts, scale: ToxicityScale | None = None) -> pd.DataFrame:
    """Grade every laboratory value of `facts` by a toxicity scale (CTCAE v5 unless another is given).

    Needs the baseline of each patient for terms graded against an abnormal baseline; a missing baseline
    is taken as normal, and a baseline value itself is graded against the limits of normal. Returns one
    row for each patient-visit and term with a value: patient_id, visit, day (of the visit), term, label,
    variable, value, qualifier, measured_day, source_row, is_baseline, grade (0 to 4; missing when a limit
    of normal is lacking or a censored value decides nothing) and grade_highest (what a censored value may
    be). Raises NothingRecordedError where none of the scale's variables was ever recorded.

    >>> keys = pd.DataFrame({"patient_id": ["a"], "visit": ["week_1"], "day": [7]})
    >>> facts = Facts(keys, {}).with_column("platelets", [20.0], unit="10^9/L")
    >>> grade_laboratory(facts)[["label", "grade"]].values.tolist()
    [['Platelet count decreased', 4]]
    """
    scale = scale or load_toxicity_scale()
    memo: Memo = {}
    parts = []
    is_baseline = np.zeros(len(facts), dtype=bool)
    if facts.baseline_row is not None:
        is_baseline = facts.baseline_row == np.arange(len(facts))
        # A baseline value has no baseline of its own: it is graded against the limits of normal.
        facts = replace(facts, baseline_row=np.where(is_baseline, -1, facts.baseline_row))
    for term in scale.terms:
        column = facts.columns.get(term.variable)
        if column is None:
            continue
        lowest = np.zeros(len(facts), dtype=np.int64)
        highest = np.zeros(len(facts), dtype=np.int64)
        for grade, rule in term.grades:
            state = rule.states(facts, memo)
            lowest[state == MET] = grade
            highest[state != NOT_MET] = grade
        done = ~np.isnan(column.value)
        part = facts.keys[done].copy()
        part["term"], part["label"], part["variable"] = term.id, term.term, term.variable
        part["value"] = column.value[done]
        part["qualifier"] = [QUALIFIER_SIGNS[int(code)] for code in column.qualifier[done]]
        part["measured_day"], part["source_row"] = column.day[done], column.source_row[done]
        part["is_baseline"] = is_baseline[done]
        undecided = (lowest == 0) & (highest > 0)
        part["grade"] = pd.array(lowest[done], dtype="Int64")
        part.loc[undecided[done], "grade"] = pd.NA
        part["grade_highest"] = pd.array(highest[done], dtype="Int64")
        parts.append(part)
    if not parts:
        variables = ", ".join(term.variable for term in scale.terms)
        raise NothingRecordedError(
            f"scale {scale.name}: none of its variables was ever recorded: {variables}"
        )
    return pd.concat(parts, ignore_index=True)


def worst_grades(graded: pd.DataFrame, *, first_day: int = 1, last_day: int | None = None) -> pd.DataFrame:
    """Baseline and worst later grade of every patient and term.

    `graded` comes from `grade_laboratory`; later values are those of day `first_day` to `last_day`. Returns
    patient_id, term, label, baseline_grade, worst_grade, worst_day (first day it was reached),
    worst_source_row, n_values.

    >>> graded = pd.DataFrame(
    ...     {
    ...         "patient_id": ["a"] * 3,
    ...         "term": ["platelets"] * 3,
    ...         "label": ["Platelets"] * 3,
    ...         "day": [0, 7, 14],
    ...         "measured_day": [0, 7, 14],
    ...         "grade": [1, 4, 2],
    ...         "source_row": [2, 3, 4],
    ...         "is_baseline": [True, False, False],
    ...     }
    ... )
    >>> worst = worst_grades(graded)
    >>> worst[["baseline_grade", "worst_grade", "worst_day"]].values.tolist()
    [[1, 4, 7]]
    >>> shift_table(worst)[["baseline", "worst", "n"]].values.tolist()
    [['1', '4', 1]]
    """
    base = graded[graded["is_baseline"]].drop_duplicates(["patient_id", "term"])
    later = graded[~graded["is_baseline"] & (graded["day"] >= first_day)]
    if last_day is not None:
        later = later[later["day"] <= last_day]
    ordered = later.dropna(subset=["grade"]).sort_values(
        ["patient_id", "term", "grade", "day"], ascending=[True, True, False, True], kind="stable"
    )
    worst = ordered.drop_duplicates(["patient_id", "term"]).set_index(["patient_id", "term"])
    count = later.groupby(["patient_id", "term"]).size()
    index = base.set_index(["patient_id", "term"]).index.union(count.index)
    labels = dict(zip(graded["term"], graded["label"], strict=True))
    frame = pd.DataFrame(index=index)
    frame["label"] = index.get_level_values("term").map(labels)
    frame["baseline_grade"] = base.set_index(["patient_id", "term"])["grade"].reindex(index)
    frame["worst_grade"] = worst["grade"].reindex(index)
    frame["worst_day"] = worst["day"].reindex(index)
    frame["worst_source_row"] = worst["source_row"].reindex(index)
    frame["n_values"] = count.reindex(index, fill_value=0).astype(int)
    return frame.reset_index()


def shift_table(worst: pd.DataFrame, patients: pd.DataFrame | None = None) -> pd.DataFrame:
    """Count patients by term, baseline grade and worst later grade (and group, with `patients`).

    Returns [group,] term, label, baseline, worst, n: grades as text "0" to "4", "missing" where not graded.
    Every combination that occurs is a row; the n of a term add up to its patients.

    >>> worst = pd.DataFrame(
    ...     {"term": ["anemia"], "label": ["Anemia"], "baseline_grade": [1], "worst_grade": [3]}
    ... )
    >>> shift_table(worst)[["baseline", "worst", "n"]].values.tolist()
    [['1', '3', 1]]
    """
    table = worst.copy()
    keys = ["term", "label", "baseline", "worst"]
    for target, column in (("baseline", "baseline_grade"), ("worst", "worst_grade")):
        table[target] = table[column].astype("string").fillna("missing").astype(str)
    if patients is not None:
        table["group"] = table["patient_id"].map(patients.set_index("patient_id")["group"])
        keys = ["group", *keys]
    return table.groupby(keys, sort=True).size().rename("n").reset_index()


def exposure_adjusted_rates(
    events: pd.DataFrame,
    patients: pd.DataFrame,
    *,
    by_term: bool = False,
    horizon: int | None = None,
    exposure_days: Mapping[str, float] | None = None,
    first_only: bool = False,
) -> pd.DataFrame:
    """Events and person-days of each group, for a rate interval to be put on by a statistics function.

    A patient is at risk from day 0 for `exposure_days`, else for followup_days, at most `horizon`; events
    on days of that time count. With `first_only` a patient counts once and is at risk until the first
    event. Returns [term,] group, n_patients, n_patients_with_event, n_events, person_days,
    per_100_patient_years, n_outside (events of the group not counted because they fall outside the time
    at risk). Raises ClinicalError for events of patients who are not in `patients`.

    >>> patients = pd.DataFrame(
    ...     {"patient_id": ["a", "b"], "group": ["treated"] * 2, "followup_days": [30.0, 70.0]}
    ... )
    >>> events = pd.DataFrame({"patient_id": ["a", "b"], "term": ["pneumonia"] * 2, "day": [5, 90]})
    >>> found = exposure_adjusted_rates(events, patients)
    >>> found[["n_events", "person_days", "n_outside"]].values.tolist()
    [[1.0, 100.0, 1.0]]
    """
    require_columns(patients, "patients", ["patient_id", "group", "followup_days"])
    require_columns(events, "events", ["patient_id", "day", "term"])
    unknown = sorted(set(events["patient_id"].astype(str)) - set(patients["patient_id"].astype(str)))
    if unknown:
        raise ClinicalError(f"table events: patient {', '.join(unknown)} not found in table patients")
    risk = patients.set_index("patient_id")["followup_days"].astype(float)
    if exposure_days is not None:
        risk = pd.Series(dict(exposure_days), dtype=float).reindex(risk.index).fillna(risk)
    if horizon is not None:
        risk = risk.clip(upper=float(horizon))
    group = patients.set_index("patient_id")["group"]
    limit = events["patient_id"].map(risk)
    inside = events["day"].between(0, limit)
    terms: list[Any] = sorted(events["term"].dropna().unique()) if by_term else [None]
    rows = []
    for term in terms:
        chosen = pd.Series(True, index=events.index) if term is None else events["term"] == term
        for name in sorted(group.unique()):
            members = risk[group == name]
            mine = chosen & events["patient_id"].isin(members.index)
            row = _rate_row(events[mine & inside], members, first_only)
            row = {"group": name, **row, "n_outside": int((mine & ~inside).sum())}
            rows.append(row if term is None else {"term": term, **row})
    return pd.DataFrame(rows)


def _rate_row(counted: pd.DataFrame, risk: pd.Series, first_only: bool) -> dict[str, Any]:
    first = counted.groupby("patient_id")["day"].min()
    days = risk.copy()
    if first_only:
        days.loc[first.index] = first.astype(float)
    n_events = len(first) if first_only else len(counted)
    total = float(days.sum())
    return {
        "n_patients": len(risk),
        "n_patients_with_event": len(first),
        "n_events": n_events,
        "person_days": total,
        "per_100_patient_years": n_events / total * 36525.0 if total > 0 else float("nan"),
    }


def laboratory_beside_recorded(
    worst: pd.DataFrame,
    events: pd.DataFrame,
    scale: ToxicityScale | None = None,
    vocabulary: Vocabulary | None = None,
) -> pd.DataFrame:
    """Set the worst laboratory grade of every patient and term beside the adverse event recorded for it.

    Events are matched by the term's name and `recorded_as`, in any spelling and language that `vocabulary`
    knows; recorded_grade is the worst recorded one, missing where none was. `finding` is "both", "laboratory
    only" (grade 1 or more and no event), "recorded only" or "neither".

    >>> columns = ["patient_id", "term", "label", "worst_grade", "worst_day", "worst_source_row"]
    >>> worst = pd.DataFrame([["a", "anemia", "Anemia", 3, 7, 2]], columns=columns)
    >>> events = pd.DataFrame({"patient_id": ["a"], "term": ["anemia"], "grade": [3], "day": [7]})
    >>> laboratory_beside_recorded(worst, events)["finding"].tolist()
    ['both']
    """
    scale, known = scale or load_toxicity_scale(), vocabulary or shipped_vocabulary()

    def told(name: object) -> str:
        return fold(known.term_named(str(name)))

    names = pd.DataFrame(
        [(name, term.id) for term in scale.terms for name in {told(one) for one in term.recorded_as}],
        columns=["name", "term"],
    )
    matched = events.assign(name=events["term"].map(told)).drop(columns="term")
    matched = matched.merge(names, on="name")
    recorded = (
        matched.groupby(["patient_id", "term"])
        .agg(recorded_grade=("grade", "max"), recorded=("grade", "size"))
        .reset_index()
    )
    frame = worst.merge(recorded, on=["patient_id", "term"], how="outer")
    labels = {term.id: term.term for term in scale.terms}
    frame["label"] = frame["term"].map(labels)
    seen = (frame["worst_grade"].astype("Int64") >= 1).fillna(False).to_numpy(dtype=bool)
    # An event without a grade was recorded all the same.
    said = frame["recorded"].fillna(0).to_numpy(dtype=float) > 0
    frame["finding"] = np.select(
        [seen & said, seen, said], ["both", "laboratory only", "recorded only"], default="neither"
    )
    frame = frame.drop(columns="recorded")
    return frame.sort_values(["patient_id", "term"], kind="stable").reset_index(drop=True)
