"""Who may enter a study: inclusion and exclusion rules, which may lean on verdicts of other criteria.

>>> keys = pd.DataFrame({"patient_id": ["a", "b"], "visit": ["baseline", "week_1"], "day": [0, 7]})
>>> facts = Facts(keys, {}, baseline_row=np.array([0, -1]))
>>> baseline_rows(facts).tolist()
[True, False]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.clinical.criteria_files import Directory
from helpers.clinical.definitions import Criteria
from helpers.clinical.diagnosis import any_verdict, evaluate_by_name
from helpers.clinical.engine import VERDICTS, Evaluation, evaluate
from helpers.clinical.errors import ClinicalError
from helpers.clinical.facts import Facts, FloatArray, StateArray
from helpers.clinical.measures import Measures

_NUMBERS = {"met": 1.0, "not met": 0.0, "undetermined": np.nan}


@dataclass(frozen=True)
class Verdicts:
    """Verdicts of other criteria sets that a rule of eligibility leans on.

    Attributes:
        facts: what is known of the patients at the visits.
        extra_directories, measures: the cohort's own criteria files and vocabulary.

    >>> keys = pd.DataFrame({"patient_id": ["a"], "visit": ["baseline"], "day": [0]})
    >>> facts = Facts(keys, {}, baseline_row=np.array([0])).with_column(
    ...     "ferritin", [100.0], unit="ug/L"
    ... )
    >>> Verdicts(facts).by_any(["eular_acr_printo_2016"]).tolist()
    [0]
    """

    facts: Facts
    extra_directories: tuple[Directory, ...] = ()
    measures: Measures | None = None

    def by_any(self, names: Iterable[str]) -> StateArray:
        """Verdict in each row: met by at least one of the named sets, by none, or undetermined."""
        found = [
            evaluate_by_name(
                name, self.facts, extra_directories=self.extra_directories, measures=self.measures
            ).verdict
            for name in names
        ]
        return any_verdict(found)


def baseline_rows(facts: Facts) -> np.ndarray:
    """Tell which rows of the facts are a patient's baseline."""
    own = np.full(len(facts), -1) if facts.baseline_row is None else facts.baseline_row
    return np.asarray(own == np.arange(len(facts)))


def eligibility(
    criteria: Criteria, patients: pd.DataFrame, verdicts: Verdicts, refractory: Evaluation | None
) -> Evaluation:
    """Judge inclusion and exclusion rules at baseline: one row a patient, each item with its evidence.

    Args:
        criteria: the rules, such as ``eligibility_paper``. They may speak of every variable of the
            vocabulary, of verdicts that the file declares, of ``refractory`` and of ``rheumatic_disease``.
        patients: patient_id, and diagnosis where the underlying disease was recorded.
        verdicts: where the verdicts of other criteria come from; its facts need one baseline row a patient.
        refractory: the verdict on refractoriness (`refractoriness`); None where it cannot be judged.

    Raises:
        ClinicalError: a patient has no baseline.
    """
    facts, order = verdicts.facts, pd.Index(patients["patient_id"])
    at_baseline = np.flatnonzero(baseline_rows(facts))
    rows = pd.Index(facts.keys["patient_id"].iloc[at_baseline])
    if rows.has_duplicates or not order.isin(rows).all():
        raise ClinicalError("eligibility: facts need one baseline row for every patient")
    chosen = at_baseline[rows.get_indexer(order)]
    base = facts.take(chosen)
    for name, of in criteria.verdicts.items():
        base = base.with_column(name, _numbers(VERDICTS[verdicts.by_any(of)[chosen]]))
    if refractory is not None:
        judged = pd.Series(VERDICTS[refractory.verdict], index=refractory.facts.keys["patient_id"])
        base = base.with_column("refractory", _numbers(judged.reindex(order).to_numpy()))
    if "diagnosis" in patients:
        recorded = patients["diagnosis"].notna() & (patients["diagnosis"].astype(str).str.strip() != "")
        base = base.with_column("rheumatic_disease", recorded.to_numpy(dtype=float), table="patients")
    return evaluate(criteria, base)


def _numbers(verdicts: np.ndarray) -> FloatArray:
    words: Mapping[str, float] = _NUMBERS
    return np.array([words.get(verdict, np.nan) for verdict in verdicts], dtype=float)
