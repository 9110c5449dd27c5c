"""CTCAE grades: every cut-off from both sides, an independent data set, shifts, rates, recorded events."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.clinical.errors import ClinicalError
from helpers.clinical.fact_tables import facts_from_visits, facts_on_measured_days
from helpers.clinical.toxicity import (
    exposure_adjusted_rates,
    grade_laboratory,
    laboratory_beside_recorded,
    load_toxicity_scale,
    shift_table,
    worst_grades,
)
from helpers.vocabulary.model import ReferenceRange

from .conftest import RANGES, make_facts

GRADES = Path(__file__).parent / "data" / "adlb_grades.csv"
TERMS = {
    "alt": "alt_increased",
    "ast": "ast_increased",
    "platelets": "thrombocytopenia",
    "leucocytes": "leucopenia",
}
TERMS |= {"albumin": "hypoalbuminemia", "bilirubin": "bilirubin_increased"}


def grade(variable, value, baseline=None, column="grade", **settings):
    visits = {"week_1": {variable: value}}
    if baseline is not None:
        visits["baseline"] = {variable: baseline}
    facts, _ = make_facts(visits)
    frame = grade_laboratory(facts, load_toxicity_scale(settings=settings))
    return frame[frame["visit"] == "week_1"].iloc[0][column]


CUT_OFFS = [
    ("hemoglobin", 115, 0), ("hemoglobin", 114, 1), ("hemoglobin", 100, 1), ("hemoglobin", 99, 2),
    ("hemoglobin", 80, 2), ("hemoglobin", 79, 3), ("hemoglobin", 30, 3),
    ("neutrophils", 1.8, 0), ("neutrophils", 1.79, 1), ("neutrophils", 1.5, 1), ("neutrophils", 1.49, 2),
    ("neutrophils", 1.0, 2), ("neutrophils", 0.99, 3), ("neutrophils", 0.5, 3), ("neutrophils", 0.49, 4),
    ("platelets", 125, 0), ("platelets", 124, 1), ("platelets", 75, 1), ("platelets", 74, 2),
    ("platelets", 50, 2), ("platelets", 49, 3), ("platelets", 25, 3), ("platelets", 24, 4),
    ("leucocytes", 3.5, 0), ("leucocytes", 3.49, 1), ("leucocytes", 3.0, 1), ("leucocytes", 2.99, 2),
    ("leucocytes", 2.0, 2), ("leucocytes", 1.99, 3), ("leucocytes", 1.0, 3), ("leucocytes", 0.99, 4),
    ("albumin", 40, 0), ("albumin", 39, 1), ("albumin", 30, 1), ("albumin", 29, 2), ("albumin", 20, 2),
    ("albumin", 19, 3),
    ("alt", 40, 0), ("alt", 41, 1), ("alt", 120, 1), ("alt", 121, 2), ("alt", 200, 2), ("alt", 201, 3),
    ("alt", 800, 3), ("alt", 801, 4),
    ("ast", 40, 0), ("ast", 41, 1), ("ast", 120, 1), ("ast", 121, 2), ("ast", 200, 2), ("ast", 201, 3),
    ("ast", 800, 3), ("ast", 801, 4),
    ("bilirubin", 20, 0), ("bilirubin", 21, 1), ("bilirubin", 30, 1), ("bilirubin", 31, 2),
    ("bilirubin", 60, 2), ("bilirubin", 61, 3), ("bilirubin", 200, 3), ("bilirubin", 201, 4),
    ("creatinine", 100, 0), ("creatinine", 101, 1), ("creatinine", 150, 1), ("creatinine", 151, 2),
    ("creatinine", 300, 2), ("creatinine", 301, 3), ("creatinine", 600, 3), ("creatinine", 601, 4),
    ("fibrinogen", 2.0, 0), ("fibrinogen", 1.99, 1), ("fibrinogen", 1.5, 1), ("fibrinogen", 1.49, 2),
    ("fibrinogen", 1.0, 2), ("fibrinogen", 0.99, 3), ("fibrinogen", 0.5, 3), ("fibrinogen", 0.49, 4),
    ("triglycerides", 1.7, 0), ("triglycerides", 1.71, 1), ("triglycerides", 3.42, 1),
    ("triglycerides", 3.43, 2), ("triglycerides", 5.7, 2), ("triglycerides", 5.71, 3),
    ("triglycerides", 11.4, 3), ("triglycerides", 11.41, 4),
]  # fmt: skip
NORMAL = {"hemoglobin": 130, "neutrophils": 3, "platelets": 200, "leucocytes": 5, "albumin": 45, "alt": 40}
NORMAL |= {"ast": 40, "bilirubin": 20, "creatinine": 100, "fibrinogen": 3, "triglycerides": 1}


@pytest.mark.parametrize("with_baseline", [False, True])
def test_every_cut_off_with_normal_or_no_baseline(with_baseline):
    columns = ["patient_id", "variable", "value"]
    now = pd.DataFrame([[f"{v} {x}", v, x] for v, x, _ in CUT_OFFS], columns=columns).assign(visit="v", day=7)
    base = now.assign(value=now["variable"].map(NORMAL), visit="baseline", day=0)
    patients = pd.DataFrame({"patient_id": now["patient_id"].unique(), "sex": "female"})
    facts = facts_from_visits(pd.concat([now, base]) if with_baseline else now, patients, ranges=RANGES)
    frame = grade_laboratory(facts)
    found = frame[frame["visit"] == "v"].set_index("patient_id")["grade"].to_dict()
    assert found == {f"{v} {x}": expected for v, x, expected in CUT_OFFS}


@pytest.mark.parametrize(
    ("variable", "baseline", "value", "expected"),
    [
        # ALT and AST from an abnormal baseline: multiples of the baseline, 1.5 included
        ("alt", 100, 149, 0), ("alt", 100, 150, 1), ("alt", 100, 300, 1), ("alt", 100, 301, 2),
        ("alt", 100, 500, 2), ("alt", 100, 501, 3), ("alt", 100, 2000, 3), ("alt", 100, 2001, 4),
        ("ast", 41, 61, 0), ("ast", 41, 61.5, 1), ("ast", 40, 61.5, 1), ("ast", 400, 590, 0),
        ("ast", 100, 300, 1), ("ast", 100, 301, 2), ("ast", 100, 500, 2), ("ast", 100, 501, 3),
        ("ast", 100, 2000, 3), ("ast", 100, 2001, 4),
        ("alt", 500, 41, 0),
        ("bilirubin", 40, 40, 0), ("bilirubin", 40, 41, 1), ("bilirubin", 40, 60, 1),
        ("bilirubin", 40, 61, 2),
        ("bilirubin", 40, 120, 2), ("bilirubin", 40, 121, 3), ("bilirubin", 40, 401, 4),
        # creatinine: the worse of limit and baseline
        ("creatinine", 50, 76, 2), ("creatinine", 50, 75, 0), ("creatinine", 50, 151, 3),
        # fibrinogen from an abnormal baseline: the fall from it, below 0.5 g/L always grade 4
        ("fibrinogen", 2.0, 1.5, 1),
        ("fibrinogen", 1.9, 1.9, 0), ("fibrinogen", 1.6, 1.5, 1), ("fibrinogen", 1.6, 1.21, 1),
        ("fibrinogen", 1.6, 1.2, 2), ("fibrinogen", 1.6, 0.81, 2), ("fibrinogen", 1.6, 0.8, 3),
        ("fibrinogen", 1.6, 0.5, 3), ("fibrinogen", 1.6, 0.49, 4), ("fibrinogen", 0.6, 0.49, 4),
    ],
)  # fmt: skip
def test_abnormal_baseline(variable, baseline, value, expected):
    assert grade(variable, value, baseline) == expected


def test_abnormal_baseline_rule_can_be_switched_off():
    assert grade("alt", 150, 100) == 1
    assert grade("alt", 140, 100) == 0
    assert grade("alt", 140, 100, abnormal_baseline_above=float("inf")) == 2


def test_grades_agree_with_an_independent_data_set():
    table = pd.read_csv(GRADES)
    scale = load_toxicity_scale(settings={"abnormal_baseline_above": float("inf")})
    checked = 0
    for (variable, low, high), part in table.groupby(["variable", "low", "high"], dropna=False):
        part = part.reset_index(drop=True)
        names = [f"S{i}" for i in range(len(part))]
        rows = pd.DataFrame(
            {"patient_id": names, "visit": "v", "variable": variable, "value": part["value"], "day": 1}
        )
        known = [None if pd.isna(limit) else limit for limit in (low, high)]
        facts = facts_from_visits(rows, ranges={variable: (ReferenceRange(*known),)})
        frame = grade_laboratory(facts, scale)
        frame = frame[frame["term"] == TERMS[variable]]
        assert frame["grade"].tolist() == part["grade"].tolist()
        checked += len(part)
    assert checked == len(table) > 900
    assert set(table["variable"]) == set(TERMS)


def test_version_5_differs_from_it_only_where_the_baseline_was_high():
    table = pd.read_csv(GRADES)
    table = table[table["variable"].isin(["alt", "ast", "bilirubin"]) & table["baseline"].notna()]
    differing = []
    for (variable, high), part in table.groupby(["variable", "high"]):
        part = part.reset_index(drop=True)
        names = [f"S{i}" for i in range(len(part))]
        now = pd.DataFrame(
            {"patient_id": names, "visit": "v", "variable": variable, "value": part["value"], "day": 1}
        )
        base = now.assign(visit="baseline", value=part["baseline"], day=0)
        facts = facts_from_visits(pd.concat([base, now]), ranges={variable: (ReferenceRange(high=high),)})
        frame = grade_laboratory(facts)
        frame = frame[~frame["is_baseline"]].reset_index(drop=True)
        differing.append(part[(frame["grade"] != part["grade"]).to_numpy(dtype=bool)])
    found = pd.concat(differing)
    assert len(found) > 50
    assert (found["baseline"] > found["high"]).all()


def test_censored_values_and_missing_limits():
    assert grade("platelets", "<30") == 3
    assert grade("platelets", "<30", column="grade_highest") == 4
    assert pd.isna(grade("platelets", "<200"))
    assert grade("platelets", ">200") == 0
    facts, _ = make_facts({"week_1": {"platelets": 110, "alt": 50}})
    no_limits = grade_laboratory(facts.__class__(facts.keys, facts.columns, facts.baseline_row))
    assert no_limits["grade"].isna().all()


def test_transfusion_makes_anaemia_grade_3():
    facts, _ = make_facts({"week_1": {"hemoglobin": 95}})
    given = facts.with_column("red_cell_transfusion", [np.nan, 1, 0, 0, 0])
    frame = grade_laboratory(given)
    assert frame[frame["term"] == "anemia"]["grade"].tolist() == [3]


def cohort():
    days = {"A": [(-2, 200), (3, 60), (7, 20), (9, 22)], "B": [(0, 40), (5, 90)], "C": [(0, 130)]}
    rows = [
        [p, d, "platelets", v, "", "10^9/L", i] for p, part in days.items() for i, (d, v) in enumerate(part)
    ]
    columns = ["patient_id", "day", "variable", "value", "qualifier", "unit", "source_row"]
    patients = pd.DataFrame(
        {
            "patient_id": ["A", "B", "C"],
            "group": ["ruxolitinib", "ruxolitinib", "control"],
            "followup_days": [60.0, 20.0, 40.0],
            "sex": "female",
        }
    )
    return pd.DataFrame(rows, columns=columns), patients


def test_baseline_to_worst_shift():
    measurements, patients = cohort()
    facts = facts_on_measured_days(measurements, patients, ranges=RANGES)
    worst = worst_grades(grade_laboratory(facts)).set_index("patient_id")
    assert worst.loc["A", ["baseline_grade", "worst_grade", "worst_day", "n_values"]].tolist() == [0, 4, 7, 3]
    assert worst.loc["B", ["baseline_grade", "worst_grade"]].tolist() == [3, 1]
    assert worst.loc["C", "baseline_grade"] == 0
    assert pd.isna(worst.loc["C", "worst_grade"])
    table = shift_table(worst.reset_index(), patients)
    cells = {
        (g, b, w): n for g, b, w, n in table[["group", "baseline", "worst", "n"]].itertuples(index=False)
    }
    assert cells == {
        ("control", "0", "missing"): 1,
        ("ruxolitinib", "0", "4"): 1,
        ("ruxolitinib", "3", "1"): 1,
    }
    early = worst_grades(grade_laboratory(facts), last_day=5).set_index("patient_id")
    assert early.loc["A", "worst_grade"] == 2


def events(*rows):
    return pd.DataFrame(rows, columns=["patient_id", "day", "term", "grade"])


def test_exposure_adjusted_rates():
    _, patients = cohort()
    table = events(
        ("A", 3, "CMV infection", 1),
        ("A", 10, "CMV infection", 2),
        ("B", 25, "Rash", 1),
        ("C", -4, "Rash", 1),
    )
    rates = exposure_adjusted_rates(table, patients, horizon=56).set_index("group")
    row = rates.loc["ruxolitinib"]
    assert row[["n_patients", "n_patients_with_event", "n_events", "person_days", "n_outside"]].tolist() == [
        2,
        1,
        2,
        76,
        1,
    ]
    assert row["per_100_patient_years"] == pytest.approx(2 / 76 * 36525)
    assert rates.loc["control", ["n_events", "n_outside"]].tolist() == [0, 1]
    first = exposure_adjusted_rates(table, patients, horizon=56, first_only=True).set_index("group")
    assert first.loc["ruxolitinib", ["n_events", "person_days"]].tolist() == [1, 23]
    by_term = exposure_adjusted_rates(table, patients, by_term=True)
    assert by_term["n_events"].sum() == 2
    assert len(by_term) == 4
    treated = exposure_adjusted_rates(table, patients, exposure_days={"A": 5.0}).set_index("group")
    assert treated.loc["ruxolitinib", ["n_events", "person_days"]].tolist() == [1, 25]
    with pytest.raises(ClinicalError, match="patient Z not found"):
        exposure_adjusted_rates(events(("Z", 1, "Rash", 1)), patients)


def test_laboratory_grades_beside_recorded_events():
    measurements, patients = cohort()
    worst = worst_grades(grade_laboratory(facts_on_measured_days(measurements, patients, ranges=RANGES)))
    recorded = events(
        ("A", 7, "血小板减少", 3),
        ("C", 7, "platelet count decreased", 1),
        ("B", 1, "CMV", 1),
        ("C", 9, "Jaundice", np.nan),
    )
    frame = laboratory_beside_recorded(worst, recorded).set_index(["patient_id", "term"])
    assert frame["finding"].to_dict() == {
        ("A", "thrombocytopenia"): "both",
        ("B", "thrombocytopenia"): "laboratory only",
        ("C", "thrombocytopenia"): "recorded only",
        ("C", "bilirubin_increased"): "recorded only",
    }
    assert frame.loc[("A", "thrombocytopenia"), ["worst_grade", "recorded_grade"]].tolist() == [4, 3]


def test_the_worst_grade_is_dated_by_the_first_day_on_which_it_was_seen():
    graded = pd.DataFrame(
        {
            "patient_id": "p1", "term": "anemia", "label": "Anaemia", "grade": [1.0, 3.0, 3.0, 2.0],
            "day": [0, 9, 4, 12], "is_baseline": [True, False, False, False], "source_row": [1, 2, 3, 4],
        }
    )  # fmt: skip
    row = worst_grades(graded).iloc[0]
    names = ["baseline_grade", "worst_grade", "worst_day", "worst_source_row"]
    assert row[names].tolist() == [1, 3, 4, 3]


def test_a_rate_of_nobody_at_risk_is_unknown():
    patients = pd.DataFrame({"patient_id": ["a", "b"], "group": ["x", "y"], "followup_days": [0, 100]})
    events = pd.DataFrame({"patient_id": ["b"], "day": [5], "term": ["fever"]})
    rates = exposure_adjusted_rates(events, patients).set_index("group")
    assert np.isnan(rates.loc["x", "per_100_patient_years"])
    assert rates.loc["y", "per_100_patient_years"] == pytest.approx(36525 / 100)
