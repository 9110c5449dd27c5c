"""What else was given: courses begun on or after day 0 in both arms, and death with or without counting them.

A drug begun after day 0 is an intercurrent event (ICH E9(R1)). The treatment-policy estimand counts death
whatever else was given; the composite one counts a further course as failure too. Where the arms differ in
what was added, the two differ, and neither tells what the study drug alone would have done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.analysis.robustness import PATIENTS, POINTS, Study, attempt, keep, refuse
from helpers.analysis.survival import TREATED
from helpers.results.store import slug
from helpers.stats.contingency import two_by_two_test
from helpers.stats.proportions import proportion_difference
from helpers.stats.result import Result

if TYPE_CHECKING:
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import StatisticsStore

ADDED, ESTIMAND = "co_intervention", "estimand"
# Classes whose drugs treat the disease; others (antivirals, blood products) are support.
DISEASE_DRUGS = (
    "jak_inhibitor", "biologic", "immunosuppressant", "chemotherapy", "immunoglobulin", "plasma_exchange",
)  # fmt: skip
ARMS = ("treated", "reference")


def begun_drugs(tables: AnalysisTables, config: CohortConfig, study: Study) -> pd.DataFrame:
    """Courses of drugs against the disease begun on or after day 0, by patient; the study drug is left out.

    Glucocorticoids are left out too: everybody has them, and their doses are an outcome of their own. A row
    that follows one of the same drug without a day between (another dose) is no new course; one given before
    day 0 and again after a pause is. Columns: patient_id, drug, label, day of the first such course.
    """
    rows = tables.treatments[tables.treatments["patient_id"].isin(study.frame["patient_id"])]
    study_drug = config.study_drug or (config.treated.id if config.treated else "")
    classes = rows["drug"].map(config.vocabulary.drug_class)
    rows = rows[classes.isin(DISEASE_DRUGS) & (rows["drug"] != study_drug)]
    rows = rows.sort_values(["patient_id", "drug", "start_day"])
    keys = [rows["patient_id"], rows["drug"]]
    ended = rows["stop_day"].astype(float).fillna(np.inf).groupby(keys).cummax().groupby(keys).shift()
    new = rows[~(ended >= rows["start_day"] - 1) & (rows["start_day"] >= 0)]
    first = new.groupby(["patient_id", "drug"], as_index=False)["start_day"].min()
    follow_up = first["patient_id"].map(study.frame.set_index("patient_id")["time"])
    found = first[first["start_day"] <= follow_up].rename(columns={"start_day": "day"})
    found = found.sort_values(["drug", "patient_id"], ignore_index=True)
    found["label"] = found["drug"].map(config.vocabulary.drug_label)
    return pd.DataFrame(found)


def describe_co_interventions(
    tables: AnalysisTables, config: CohortConfig, study: Study, store: StatisticsStore
) -> pd.DataFrame:
    """Store by arm how many began each drug, and the difference of the arms under two estimands.

    Returns the drugs begun, as `begun_drugs`.
    """
    if study.one_arm or "treatments" in tables.absent:
        reason = study.one_arm or "treatments are not recorded"
        refuse(store, study, ESTIMAND, {"composite": POINTS}, reason=reason)
        return pd.DataFrame(columns=["patient_id", "drug", "label", "day"])
    begun = begun_drugs(tables, config, study)
    arm = study.frame.set_index("patient_id")[TREATED]
    who = {"any": begun["patient_id"], **{drug: rows["patient_id"] for drug, rows in begun.groupby("drug")}}
    for drug, patients in who.items():
        ids = set(patients)
        table = []
        for name, code in zip(ARMS, (1.0, 0.0), strict=True):
            own = arm.index[arm == code]
            count = sum(patient in ids for patient in own)
            table.append([count, len(own) - count])
            result = Result(
                "a course begun on or after day 0, up to death or the horizon", float(count), n=len(own)
            )
            keep(store, study, ADDED, f"begun_{name}", result, variable=slug(drug), unit=PATIENTS)
        test = attempt(lambda t=table: two_by_two_test(t, rule="fisher"), "Fisher's exact test")  # type: ignore[misc]
        keep(store, study, ADDED, "test", test, variable=slug(drug))
    _estimands(study, begun, store)
    return begun


def _estimands(study: Study, begun: pd.DataFrame, store: StatisticsStore) -> None:
    """Death by the horizon under treatment policy, and death or a further course (composite)."""
    time, event, _ = study.columns
    day = begun.groupby("patient_id")["day"].min().reindex(study.frame["patient_id"]).to_numpy(dtype=float)
    added = np.isfinite(day)
    failed = {
        "treatment_policy": (event.to_numpy(), "death by the horizon, whatever else was given"),
        "composite": (event.to_numpy() | added, "death or a further course by the horizon"),
    }
    complete = bool((event | (time >= study.horizon)).all())
    on = (study.frame[TREATED] == 1).to_numpy()
    for name, (flags, method) in failed.items():
        counts = [int(flags[mask].sum()) for mask in (on, ~on)]
        for arm, count, mask in zip(ARMS, counts, (on, ~on), strict=True):
            result = Result(method, float(count), n=int(mask.sum()))
            keep(store, study, ESTIMAND, f"{name}_{arm}", result, unit=PATIENTS)
        if not complete:
            note = "not estimated: follow-up ended before the horizon in some patients"
            keep(store, study, ESTIMAND, name, Result(method, n=len(time), note=note), unit=POINTS)
            continue
        gap = proportion_difference(counts[0], int(on.sum()), counts[1], int((~on).sum()),
                                    confidence=study.confidence)  # fmt: skip
        table = [[counts[0], int(on.sum()) - counts[0]], [counts[1], int((~on).sum()) - counts[1]]]
        test = two_by_two_test(table, rule="fisher")
        extra: dict[str, Any] = {"p_value": test.p_value, "method": f"{method}: {gap.method}; {test.method}"}
        keep(store, study, ESTIMAND, name, gap, unit=POINTS, n=len(time), **extra)
