"""How many patients lie beyond named cut-offs of severity at baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.analysis.clinical import by_group, clinical_facts
from helpers.analysis.diagnosis import baseline_rows
from helpers.analysis.summary import store_share
from helpers.clinical.definitions import Criteria, load_criteria
from helpers.clinical.engine import evaluate
from helpers.clinical.errors import ClinicalError
from helpers.clinical.rules import MET, NOT_MET

if TYPE_CHECKING:
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import StatisticsStore

ANALYSIS = "severity"
CUT_OFFS = "baseline_severity"


def count_severity(
    tables: AnalysisTables, config: CohortConfig, store: StatisticsStore, *, confidence: float
) -> None:
    """Store by group how many patients meet each item of the criteria file ``baseline_severity``.

    Patients whose value is missing, or cut off by a reporting limit on the wrong side, are not among the n.
    An item nobody can be judged by is left out.
    """
    criteria = load_criteria(CUT_OFFS)
    assert isinstance(criteria, Criteria)
    try:
        evaluation = evaluate(criteria, clinical_facts(tables, config))
    except ClinicalError as error:
        if "ever recorded" not in str(error):
            raise
        return
    rows = baseline_rows(evaluation.facts)
    groups = by_group(evaluation.facts.keys.loc[rows, ["patient_id"]], tables)["group"].to_numpy()
    for item in criteria.items:
        states = np.asarray(evaluation.states[item.id])[rows]
        if not np.isin(states, (MET, NOT_MET)).any():
            continue
        for group in config.group_ids:
            size = int((tables.patients["group"] == group).sum())
            mine = states[groups == group]
            count, n = int((mine == MET).sum()), int(np.isin(mine, (MET, NOT_MET)).sum())
            common: dict[str, Any] = {"group": group, "timepoint": "baseline", "note": item.label}
            common |= {"n": n, "n_missing": size - n}
            method = f"patients who meet the rule of {CUT_OFFS}.toml"
            store.add(ANALYSIS, item.id, "count", value=count, unit="patients", method=method, **common)
            if n:
                store_share(store, ANALYSIS, item.id, count, confidence=confidence, **common)
