"""Why one patient was called what, each call with the values, days and source rows behind it.

>>> from helpers.clinical.definitions import load_set
>>> from helpers.clinical.engine import evaluate
>>> keys = pd.DataFrame({"patient_id": ["a"], "visit": ["baseline"], "day": [0]})
>>> facts = Facts(keys, {}, baseline_row=np.array([0])).with_column("fever", [1.0])
>>> diagnosed = Diagnosed(evaluate(load_set("hlh_2004"), facts), np.array([True]))
>>> told = explain_patient("a", Judgements(facts, pd.DataFrame({"patient_id": ["a"]}), [diagnosed]))
>>> told["answer"].iloc[0], "fever" in as_text(told).lower()
('undetermined (1 items met)', True)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from helpers.clinical.definitions import Score
from helpers.clinical.engine import VERDICTS, Evaluation, ScoreEvaluation
from helpers.clinical.errors import ClinicalError
from helpers.clinical.facts import BoolArray, Facts
from helpers.clinical.response import assess_response, response_evidence
from helpers.clinical.response_rules import ResponseRule
from helpers.clinical.steroids import DoseRule, weekly_dose

COLUMNS = [
    "question",
    "answer",
    "visit",
    "item",
    "state",
    "rule",
    "rule_state",
    "value",
    "day",
    "table",
    "source_row",
]


@dataclass(frozen=True)
class ResponseCalls:
    """The rule by which responses were called, and the day from which each patient had left the treatment."""

    rule: ResponseRule
    withdrawal_day: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Diagnosed:
    """An evaluation, the rows of its facts that count (one a patient), and when that is, in words."""

    evaluation: Evaluation | ScoreEvaluation
    rows: BoolArray
    moment: str = ""


@dataclass(frozen=True)
class Judgements:
    """Every call made on the patients of a cohort, and what they were made on.

    Attributes:
        facts: what is known of the patients at the visits.
        patients: the analysis table.
        diagnoses: criteria sets and scores, each with the rows of the facts it was evaluated on.
        verdicts: further evaluations with one row a patient, by the question they answer: refractory,
            eligible.
        response: how responses were called; None if they were not.
        doses: daily glucocorticoid doses; None if there are none.
        dose_rule: how the dose of a visit is read from them.
    """

    facts: Facts
    patients: pd.DataFrame
    diagnoses: Sequence[Diagnosed] = ()
    verdicts: Mapping[str, Evaluation] = field(default_factory=dict)
    response: ResponseCalls | None = None
    doses: pd.DataFrame | None = None
    dose_rule: DoseRule = "weekly_mean"


def explain_patient(
    patient_id: str, judged: Judgements, *, visits: Iterable[str] | None = None
) -> pd.DataFrame:
    """Explain every call made on one patient.

    Args:
        patient_id: the patient.
        judged: the calls.
        visits: the visits whose response and dose are explained; all after baseline by default.

    Returns:
        Rows (question, answer, visit, item, state, rule, rule_state, value, day, table, source_row): the
        diagnosis at baseline by each criteria set, the further verdicts, the response and the glucocorticoid
        dose at each visit. Use `as_text` for prose.

    Raises:
        ClinicalError: the patient is not in the facts.
    """
    facts = judged.facts
    mine = facts.keys["patient_id"].to_numpy() == patient_id
    if not mine.any():
        raise ClinicalError(f"patient '{patient_id}' not found")
    own = np.full(len(facts), -1) if facts.baseline_row is None else facts.baseline_row
    baseline = own == np.arange(len(facts))
    wanted = mine & ~baseline
    if visits is not None:
        wanted &= facts.keys["visit"].isin(list(visits)).to_numpy()
    parts = [_diagnosis_rows(one, patient_id) for one in judged.diagnoses]
    parts += [_verdict_rows(question, found, patient_id) for question, found in judged.verdicts.items()]
    if judged.response is not None:
        parts += _response_rows(facts, judged.patients, judged.response, wanted)
    if judged.doses is not None:
        shown = mine & (baseline | wanted)
        parts += _dose_rows(facts, judged.doses, patient_id, shown, judged.dose_rule)
    known = [part for part in parts if len(part)]
    return pd.concat(known, ignore_index=True)[COLUMNS] if known else pd.DataFrame(columns=COLUMNS)


def _verdict_rows(question: str, evaluation: Evaluation, patient_id: str) -> pd.DataFrame:
    rows = evaluation.facts.keys["patient_id"].to_numpy() == patient_id
    answer = ", ".join(str(verdict) for verdict in VERDICTS[evaluation.verdict[rows]])
    return _shape(evaluation.evidence(rows), question, answer)


def _shape(evidence: pd.DataFrame, question: str, answer: str) -> pd.DataFrame:
    part = evidence.copy()
    part["question"], part["answer"] = question, answer
    part["value"] = [_value_text(row) for row in part.itertuples()]
    part["item"] = part["label"]
    part["day"] = part["measured_day"]
    return part[COLUMNS]


def _value_text(row: Any) -> str:
    if np.isnan(row.value):
        return "not done"
    if row.rule.split(" at ")[0].endswith(("present", "absent")):
        return {1.0: "yes", 0.0: "no"}.get(float(row.value), f"{row.qualifier}{row.value:g}")
    text = f"{row.qualifier}{row.value:g} {row.unit}".strip()
    if not np.isnan(row.baseline_value):
        before = f"{row.baseline_qualifier}{row.baseline_value:g}"
        text += f" (baseline {before}, source row {row.baseline_source_row:g})"
    elif ("LLN" in row.rule or "ULN" in row.rule) and not np.isnan(row.threshold):
        text += f" (limit {row.threshold:g})"
    return text


def _diagnosis_rows(one: Diagnosed, patient_id: str) -> pd.DataFrame:
    evaluation = one.evaluation
    rows = one.rows & (evaluation.facts.keys["patient_id"].to_numpy() == patient_id)
    verdict = str(VERDICTS[evaluation.verdict[rows]][0]) if rows.any() else "no baseline"
    when = f", {one.moment}" if one.moment else ""
    if isinstance(evaluation, Evaluation):
        frame = evaluation.frame()[rows]
        counted = f" ({frame['n_met'].iloc[0]} items met)" if len(frame) else ""
        title = f"MAS by {evaluation.criteria.title}{when}"
        return _shape(evaluation.evidence(rows), title, verdict + counted)
    score: Score = evaluation.score
    if rows.any():
        low, high = evaluation.lowest[rows][0], evaluation.highest[rows][0]
        stands = evaluation.as_it_stands[rows][0]
        known = "no score, a value is missing" if np.isnan(stands) else f"score {stands:g}"
        verdict += f" ({known}" + (f", attainable {low:g} to {high:g})" if high > low else ")")
    return _shape(evaluation.evidence(rows), f"MAS by {score.title}{when}", verdict)


def _response_rows(
    facts: Facts, patients: pd.DataFrame, response: ResponseCalls, wanted: BoolArray
) -> list[pd.DataFrame]:
    calls = assess_response(facts, patients, response.rule, withdrawal_day=response.withdrawal_day)
    calls = calls.set_index(["patient_id", "visit"])
    evidence = response_evidence(facts, response.rule, wanted)
    evidence = evidence[evidence["rule_state"] != "not done"]
    parts = []
    for row in np.flatnonzero(wanted):
        patient, visit = facts.keys["patient_id"].iloc[row], facts.keys["visit"].iloc[row]
        same: Any = calls.loc[(patient, visit)]
        answer = f"{same['response']} ({same['reason']}; improved: {same['improved'] or 'none'})"
        known = evidence[evidence["visit"] == visit]
        if known.empty:
            blank = dict.fromkeys(COLUMNS, "")
            blank |= {"question": f"response at {visit}", "answer": answer, "visit": visit}
            parts.append(pd.DataFrame([blank]))
        else:
            parts.append(_shape(known, f"response at {visit}", answer))
    return parts


def _dose_rows(
    facts: Facts, doses: pd.DataFrame, patient_id: str, rows: BoolArray, rule: DoseRule
) -> list[pd.DataFrame]:
    mine = doses[doses["patient_id"] == patient_id]
    if mine.empty:
        return []
    parts = []
    for key in facts.keys[rows].dropna(subset=["day"]).to_dict("records"):
        found = weekly_dose(mine, int(key["day"]), rule=rule).iloc[0]
        known = found["status"] == "observed"
        amount = (
            f"{found['prednisone_mg']:.1f} mg/day, {found['mg_per_kg']:.2f} mg/kg/day" if known else "none"
        )
        window = f"days {found['first_day']} to {found['last_day']}, {found['n_days']} known"
        parts.append(
            pd.DataFrame(
                [
                    {
                        "question": f"glucocorticoid dose at {key['visit']}",
                        "answer": amount if known else str(found["status"]),
                        "visit": key["visit"],
                        "item": "prednisone equivalent",
                        "state": found["status"],
                        "rule": f"{rule}: {window}",
                        "rule_state": "",
                        "value": amount,
                        "day": found["last_day"],
                        "table": "doses",
                        "source_row": np.nan,
                    }
                ]
            )
        )
    return parts


def _line(row: Mapping[Any, Any]) -> str:
    def known(name: str) -> bool:
        return row[name] != "" and not pd.isna(row[name])

    day = f", day {float(row['day']):g}" if known("day") else ""
    where = f", table {row['table']} row {float(row['source_row']):g}" if known("source_row") else ""
    state = f" [{row['rule_state']}]" if row["rule_state"] else ""
    return f"  {row['item']}: {row['rule']} - {row['value']}{state}{day}{where}"


def as_text(explanation: pd.DataFrame, *, all_items: bool = False) -> str:
    """Write an explanation as plain text, one paragraph a question.

    Comparisons whose value is not done are left out unless `all_items`.
    """
    lines = []
    for (question, answer), part in explanation.groupby(["question", "answer"], sort=False):
        lines.append(f"{question}: {answer}")
        for row in part.to_dict("records"):
            if not row["rule"] or (row["value"] == "not done" and not all_items):
                continue
            lines.append(_line(row))
    return "\n".join(lines) + "\n"
