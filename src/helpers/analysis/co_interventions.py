"""What else was given: courses begun on or after day 0 in both arms, and death with or without counting them.

A drug begun after day 0 is an intercurrent event (ICH E9(R1)). The treatment-policy estimand counts death
whatever else was given; the composite one counts a further course as failure too. Where the arms differ in
what was added, the two differ, and neither tells what the study drug alone would have done.

>>> begun = begun_drugs(tables, config, arms)
>>> begun.columns.tolist()
['patient_id', 'drug', 'day', 'label']
>>> len(describe_co_interventions(tables, config, arms, store)) == len(begun)
True
>>> store.rows()["estimand.death.both.day_56.treatment_policy"].unit
'percentage points'
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
    """Courses of drugs against the disease begun on or after day 0, by patient; the study drugs are left out.

    Glucocorticoids are left out too: everybody has them, and their doses are an outcome of their own. A row
    that follows one of the same drug without a day between (another dose) is no new course; one given before
    day 0 and again after a pause is. What everybody of an arm began on day 0 (a comparator) is the strategy
    of that arm, and in it no addition. Columns: patient_id, drug, label, day of the first such course.
    """
    rows = tables.treatments[tables.treatments["patient_id"].isin(study.frame["patient_id"])]
    classes = rows["drug"].map(config.vocabulary.drug_class)
    rows = rows[classes.isin(DISEASE_DRUGS) & ~rows["drug"].isin(config.study_drugs)]
    rows = rows.sort_values(["patient_id", "drug", "start_day"])
    keys = [rows["patient_id"], rows["drug"]]
    ended = rows["stop_day"].astype(float).fillna(np.inf).groupby(keys).cummax().groupby(keys).shift()
    new = rows[~(ended >= rows["start_day"] - 1) & (rows["start_day"] >= 0)]
    new = new[~_strategy(new, study)]
    first = new.groupby(["patient_id", "drug"], as_index=False)["start_day"].min()
    follow_up = first["patient_id"].map(study.frame.set_index("patient_id")["time"])
    found = first[first["start_day"] <= follow_up].rename(columns={"start_day": "day"})
    found = found.sort_values(["drug", "patient_id"], ignore_index=True)
    found["label"] = found["drug"].map(config.vocabulary.drug_label)
    return pd.DataFrame(found)


def _strategy(new: pd.DataFrame, study: Study) -> pd.Series:
    """Whether each course is of a drug that everybody of the patient's arm began on day 0."""
    arm = new["patient_id"].map(study.frame.set_index("patient_id")[TREATED])
    first = new[new["start_day"] == 0].assign(arm=arm).drop_duplicates(["patient_id", "drug"])
    begun, sizes = first.groupby(["arm", "drug"]).size(), study.frame[TREATED].value_counts()
    whole = {key for key, count in begun.items() if count == sizes[key[0]]}  # type: ignore[index]
    found = [key in whole for key in zip(arm, new["drug"], strict=True)]
    return pd.Series(found, index=new.index, dtype=bool)


def describe_co_interventions(
    tables: AnalysisTables, config: CohortConfig, study: Study, store: StatisticsStore
) -> pd.DataFrame:
    """Store by arm how many began each drug, and the difference of the arms under two estimands.

    Returns the drugs begun, as `begun_drugs`.
    """
    nothing = pd.DataFrame(columns=["patient_id", "drug", "label", "day"])
    if study.one_arm:
        refuse(store, study, ESTIMAND, {"treatment_policy": POINTS, "composite": POINTS})
        return nothing
    if "treatments" in tables.absent:
        refuse(store, study, ESTIMAND, {"composite": POINTS}, reason="treatments are not recorded")
        _estimand(study, study.frame["event"].to_numpy(), "treatment_policy", store)
        return nothing
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
    added = study.frame["patient_id"].isin(begun["patient_id"]).to_numpy()
    died = study.frame["event"].to_numpy()
    _estimand(study, died, "treatment_policy", store)
    _estimand(study, died | added, "composite", store)
    return begun


METHODS = {
    "treatment_policy": "death by the horizon, whatever else was given",
    "composite": "death or a further course by the horizon",
}


def _estimand(
    study: Study, failed: np.ndarray[Any, np.dtype[np.bool_]], name: str, store: StatisticsStore
) -> None:
    """Store how many of each arm failed, and the risk difference where everybody was followed so far."""
    time, event, treated = study.columns
    on, method = (treated == 1).to_numpy(), METHODS[name]
    table = [[int(failed[mask].sum()), int((~failed[mask]).sum())] for mask in (on, ~on)]
    for arm, (count, rest) in zip(ARMS, table, strict=True):
        result = Result(method, float(count), n=count + rest)
        keep(store, study, ESTIMAND, f"{name}_{arm}", result, unit=PATIENTS)
    if not (event | (time >= study.horizon)).all():
        note = "not estimated: follow-up ended before the horizon in some patients"
        keep(store, study, ESTIMAND, name, Result(method, n=len(time), note=note), unit=POINTS)
        return
    (a, rest_a), (b, rest_b) = table
    gap = proportion_difference(a, a + rest_a, b, b + rest_b, confidence=study.confidence)
    test = two_by_two_test(table, rule="fisher")
    how = f"{method}: {gap.method}; {test.method}"
    extra: dict[str, Any] = {"p_value": test.p_value, "method": how, "n": len(time)}
    keep(store, study, ESTIMAND, name, gap, unit=POINTS, **extra)
