"""Why one patient was called what: every verdict with value, day, rule and source row.

>>> from helpers.analysis.response_rules import call_responses
>>> called = call_responses(tables, config, folder)
>>> patient, visit = example_patient(tables, called, pd.DataFrame())
>>> explain_one(tables, config, folder, patient, visits=[visit], found=called)["question"].iloc[0]
'MAS by HLH-2004 diagnostic criteria'
>>> len(explain_example(tables, config, called, pd.DataFrame())) > 0
True
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from helpers.analysis.clinical import DAY0
from helpers.analysis.diagnosis import Diagnoses, diagnose, judge_eligibility
from helpers.analysis.response_rules import RuleCalls, call_responses
from helpers.clinical.explain import COLUMNS, Diagnosed, Judgements, ResponseCalls, explain_patient
from helpers.vocabulary.names import in_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig

_IMPROVED = "; improved: "


def explain_one(
    tables: AnalysisTables,
    config: CohortConfig,
    folder: Path,
    patient_id: str,
    *,
    visits: Iterable[str] | None = None,
    found: RuleCalls | None = None,
) -> pd.DataFrame:
    """Return every comparison behind the calls made on one patient.

    Args:
        tables, config, folder: the cohort and its folder.
        patient_id: the patient.
        visits: ids of the visits whose response and dose are explained; all by default.
        found: the rule's calls, where they have been worked out already.

    Returns:
        Rows as of `helpers.clinical.explain.explain_patient`: diagnosis by each criteria set, refractoriness,
        eligibility, response by the rule, the clinician's own call and the glucocorticoid dose.

    Raises:
        ClinicalError: the patient is unknown, or nothing that the rules look at was ever recorded.
    """
    diagnoses = diagnose(tables, config, folder)
    eligible = judge_eligibility(tables, diagnoses, config, folder)
    calls = found or call_responses(tables, config, folder)
    chosen = None if visits is None else list(visits)
    verdicts = {"refractory": eligible.refractory, "eligible": eligible.eligible}
    judged = Judgements(
        calls.facts,
        tables.patients,
        _diagnosed(diagnoses),
        {question: verdict for question, verdict in verdicts.items() if verdict is not None},
        ResponseCalls(calls.rule, calls.withdrawn) if calls.rule is not None else None,
        None if tables.doses.empty else tables.doses,
        config.steroids.dose_summary,
    )
    explained = explain_patient(patient_id, judged, visits=chosen)
    explained["rule"] = [_named(str(rule), config) for rule in explained["rule"]]
    explained["answer"] = [_improved(str(answer), config) for answer in explained["answer"]]
    explained["value"] = [_celsius(str(value)) for value in explained["value"]]
    own = _clinician_rows(calls.clinician, patient_id, chosen)
    return pd.concat([explained, own], ignore_index=True) if len(own) else explained


def _named(rule: str, config: CohortConfig) -> str:
    """Return a rule with the variable's name in words: ``haemoglobin < 90 g/L``."""
    name, space, rest = rule.partition(" ")
    return _celsius(f"{_words(name, config)}{space}{rest}")


def _improved(answer: str, config: CohortConfig) -> str:
    """Return an answer with the markers that improved in words."""
    said, mark, names = answer.partition(_IMPROVED)
    named = (_words(name.removesuffix(")"), config) for name in names.split(", "))
    return f"{said}{mark}{', '.join(named)})" if mark else answer


def _words(name: str, config: CohortConfig) -> str:
    known = config.vocabulary.get(name)
    return in_text(known.label) if known else name.replace("_", " ")


def _celsius(text: str) -> str:
    return re.sub(r"\bCel\b", "°C", text)


def _diagnosed(found: Diagnoses) -> list[Diagnosed]:
    """Return the evaluations at each moment with the rows that hold it."""
    moments = [one for one in (found, found.other) if one is not None]
    return [
        Diagnosed(evaluation, one.rows, "" if one.moment == DAY0 else "when MAS was diagnosed")
        for one in moments
        for name, evaluation in one.evaluations.items()
        if one is found or name in one.decided
    ]


def _clinician_rows(responses: pd.DataFrame, patient_id: str, visits: list[str] | None) -> pd.DataFrame:
    """Return the clinician's own calls in the columns of an explanation."""
    mine = responses[responses["patient_id"] == patient_id]
    if visits is not None:
        mine = mine[mine["visit"].isin(visits)]
    rows = [
        {
            "question": f"clinician's response at {call['visit']}", "answer": call["response"],
            "visit": call["visit"], "item": "response", "state": call["response"], "rule": "as recorded",
            "rule_state": "", "value": call["response"], "day": call["day"], "table": "responses",
            "source_row": call["source_row"],
        }
        for call in mine.to_dict("records")
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def example_patient(
    tables: AnalysisTables, found: RuleCalls, discordant: pd.DataFrame
) -> tuple[str, str | None]:
    """Return the patient and visit that a notebook explains: the first discordant call or first response.

    Without either it is the first patient, with no visit.
    """
    if len(discordant):
        return str(discordant["patient_id"].iloc[0]), str(discordant["visit"].iloc[0])
    if len(found.calls):
        good = found.calls[found.calls["response"].isin(["CR", "PR"])]
        if len(good):
            return str(good["patient_id"].iloc[0]), str(good["visit"].iloc[0])
    return str(tables.patients["patient_id"].iloc[0]), None


def explain_example(
    tables: AnalysisTables, config: CohortConfig, found: RuleCalls, discordant: pd.DataFrame
) -> pd.DataFrame:
    """Return the explanation of the example patient; empty where the rule had nothing to look at."""
    if found.why_not:
        return pd.DataFrame(columns=["patient_id", *COLUMNS])
    patient, visit = example_patient(tables, found, discordant)
    frame = explain_one(tables, config, found.folder, patient, visits=[visit] if visit else [], found=found)
    return frame.assign(patient_id=patient)
