import pytest

from helpers.cohort.cleaning import clean_cohort
from helpers.cohort.config import load_config
from helpers.cohort.flow import missingness, patient_flow, row_flow


@pytest.fixture
def analysed(cohort):
    cohort.append(
        "patients.csv", "C03,control,40,female,SLE,50,10,,no,no\nC04,control,41,male,SLE,50,56,,no,no\n"
    )
    cohort.append("cohort.toml", '\n[[exclusion]]\npatient_id = "C04"\nreason = "cancer"\n')
    return clean_cohort(cohort.path), load_config(cohort.path)


def test_patients_are_counted_from_screening_to_the_last_visit(analysed):
    flow = patient_flow(*analysed).set_index(["group", "stage", "visit", "reason"])["n"]
    assert flow["control", "screened", "", ""] == 4
    assert flow["control", "excluded", "", "excluded patient: cancer"] == 1
    assert flow["control", "analysed", "", ""] == 3
    # C02 died on day 8, C03 was last seen on day 10.
    stages = ("dead", "censored", "alive", "assessed")
    assert [flow["control", stage, "week_1", ""] for stage in stages] == [0, 0, 3, 1]
    assert [flow["control", stage, "week_2", ""] for stage in stages] == [1, 1, 1, 0]
    assert [flow["ruxolitinib", stage, "week_2", ""] for stage in stages] == [0, 0, 2, 1]
    assert ("ruxolitinib", "excluded") not in {key[:2] for key in flow.index}


def test_stages_add_up(analysed):
    tables, config = analysed
    flow = patient_flow(tables, config)
    for group in config.group_ids:
        mine = flow[flow["group"] == group]
        total = mine.groupby("stage")["n"].sum()
        assert total["screened"] == total.get("excluded", 0) + total["analysed"]
        for visit in config.visits:
            at = mine[mine["visit"] == visit.id].set_index("stage")["n"]
            assert at["dead"] + at["censored"] + at["alive"] == total["analysed"]
            assert at["assessed"] <= at["alive"]


def test_rows_add_up_to_the_raw_files(analysed, cohort):
    flow = row_flow(analysed[0])
    assert flow.columns.tolist() == ["table", "disposition", "reason", "role", "n"]
    for table, n in flow.groupby("table")["n"].sum().items():
        assert n == len(cohort.read(f"{table}.csv").splitlines()) - 1
    excluded = flow[flow["disposition"] == "excluded"]
    assert excluded[["table", "reason", "n"]].to_numpy().tolist() == [
        ["patients", "excluded patient: cancer", 1],
        ["measurements", "no value recorded", 1],
    ]


def test_missing_values_are_counted_among_the_living(analysed):
    counts = missingness(*analysed).set_index(["variable", "visit", "group"])
    assert counts.loc[("platelets", "week_1", "ruxolitinib")].tolist() == [2, 1, 1, 0]
    assert counts.loc[("platelets", "week_2", "control")].tolist() == [1, 0, 1, 0]
    assert counts.loc[("ferritin", "baseline", "ruxolitinib")].tolist() == [2, 1, 1, 1]
    assert (counts["n_expected"] == counts["n_observed"] + counts["n_missing"]).all()
    assert (counts["n_censored"] <= counts["n_observed"]).all()
