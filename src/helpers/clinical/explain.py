"""Why one patient was called what, each call with the values, days and source rows behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from helpers.clinical.criteria_files import Directory
from helpers.clinical.definitions import Score
from helpers.clinical.diagnosis import evaluate_by_name
from helpers.clinical.engine import VERDICTS, Evaluation, ScoreEvaluation
from helpers.clinical.errors import ClinicalError
from helpers.clinical.facts import Facts
from helpers.clinical.response import ResponseRule, assess_response, load_response_rule, response_evidence
from helpers.clinical.rules import BoolArray
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


def explain_patient(
    patient_id: str,
    facts: Facts,
    patients: pd.DataFrame,
    *,
    criteria: Iterable[str] = ("hlh_2004_paper", "hscore"),
    refractory: Evaluation | None = None,
    eligible: Evaluation | None = None,
    response_rule: ResponseRule | None = None,
    doses: pd.DataFrame | None = None,
    dose_rule: DoseRule = "weekly_mean",
    visits: Iterable[str] | None = None,
    extra_directories: Iterable[Directory] = (),
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    withdrawal_day: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Explain every call made on one patient.

    Returns rows (question, answer, visit, item, state, rule, rule_state, value, day, table, source_row): the
    diagnosis at baseline by each of `criteria`, refractoriness and eligibility if given, the response at
    each visit and the glucocorticoid dose at each visit if `doses` is given. `visits` limits the visits
    explained. Use `as_text` for prose. Raises `ClinicalError` for a patient not in the facts.
    """
    mine = facts.keys["patient_id"].to_numpy() == patient_id
    if not mine.any():
        raise ClinicalError(f"patient '{patient_id}' not found")
    own = np.full(len(facts), -1) if facts.baseline_row is None else facts.baseline_row
    baseline = own == np.arange(len(facts))
    parts = []
    for name in criteria:
        evaluation = evaluate_by_name(
            name, facts, extra_directories=list(extra_directories), settings=(settings or {}).get(name)
        )
        parts.append(_diagnosis_rows(evaluation, mine & baseline))
    parts += [
        _verdict_rows(question, evaluation, patient_id)
        for question, evaluation in (("refractory", refractory), ("eligible", eligible))
        if evaluation is not None
    ]
    wanted = mine & ~baseline
    if visits is not None:
        wanted &= facts.keys["visit"].isin(list(visits)).to_numpy()
    rule = response_rule or load_response_rule()
    parts += _response_rows(facts, patients, rule, wanted, withdrawal_day)
    if doses is not None:
        parts += _dose_rows(facts, doses, patient_id, mine & (baseline | wanted), dose_rule)
    return pd.concat([part for part in parts if len(part)], ignore_index=True)[COLUMNS]


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


def _diagnosis_rows(evaluation: Evaluation | ScoreEvaluation, rows: BoolArray) -> pd.DataFrame:
    verdict = str(VERDICTS[evaluation.verdict[rows]][0]) if rows.any() else "no baseline"
    if isinstance(evaluation, Evaluation):
        frame = evaluation.frame()[rows]
        counted = f" ({frame['n_met'].iloc[0]} items met)" if len(frame) else ""
        return _shape(evaluation.evidence(rows), f"MAS by {evaluation.criteria.title}", verdict + counted)
    score: Score = evaluation.score
    if rows.any():
        low, high = evaluation.lowest[rows][0], evaluation.highest[rows][0]
        verdict += f" (score {low:g}" + (f", attainable {low:g} to {high:g})" if high > low else ")")
    return _shape(evaluation.evidence(rows), f"MAS by {score.title}", verdict)


def _response_rows(
    facts: Facts,
    patients: pd.DataFrame,
    rule: ResponseRule,
    wanted: BoolArray,
    withdrawal_day: Mapping[str, float] | None,
) -> list[pd.DataFrame]:
    calls = assess_response(facts, patients, rule, withdrawal_day=withdrawal_day)
    calls = calls.set_index(["patient_id", "visit"])
    evidence = response_evidence(facts, rule, wanted)
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
