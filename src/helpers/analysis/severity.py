"""How many patients lie beyond named cut-offs of severity at baseline.

>>> count_severity(tables, config, store, confidence=0.95)
>>> store.rows()["severity.moderate_anaemia.ruxolitinib.baseline.count"].value
8.0
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.analysis.clinical import Rulebook, by_group, clinical_facts
from helpers.analysis.summary import store_share
from helpers.clinical.eligibility import baseline_rows
from helpers.clinical.engine import evaluate
from helpers.clinical.errors import NothingRecordedError
from helpers.clinical.rules import MET, NOT_MET

if TYPE_CHECKING:
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import StatisticsStore

ANALYSIS = "severity"


def count_severity(
    tables: AnalysisTables,
    config: CohortConfig,
    store: StatisticsStore,
    *,
    confidence: float,
    folder: Path | None = None,
) -> None:
    """Store by group how many patients meet each item of the configured cut-offs of severity.

    Nothing is stored where the settings name none. Patients whose value is missing, or cut off by a reporting
    limit on the wrong side, are not among the n. `folder` is the cohort's, if it has criteria of its own.
    An item nobody can be judged by is left out.
    """
    if not config.criteria.severity:
        return
    criteria = Rulebook.of(config, folder).criteria_set(config.criteria.severity)
    try:
        evaluation = evaluate(criteria, clinical_facts(tables, config))
    except NothingRecordedError:
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
            method = f"patients who meet the rule of {criteria.name}.toml"
            store.add(ANALYSIS, item.id, "count", value=count, unit="patients", method=method, **common)
            if n:
                store_share(store, ANALYSIS, item.id, count, confidence=confidence, **common)
