import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.cohort.analysis_tables import COLUMNS
from helpers.cohort.check import check_cohort
from helpers.cohort.cleaning import AnalysisTables, clean_cohort, inputs_digest, load_or_clean
from helpers.problems import CohortError


@pytest.fixture(scope="module")
def tables(small_cohort, tmp_path_factory):
    """The tables of the small cohort as it stands."""
    return clean_cohort(small_cohort(tmp_path_factory.mktemp("cleaning") / "small").path)


def rows(frame, *columns):
    return [tuple(row) for row in frame[list(columns)].itertuples(index=False)]


def measured(tables, patient, variable):
    frame = tables.measurements
    chosen = frame[(frame["patient_id"] == patient) & (frame["variable"] == variable)]
    return rows(chosen, "day", "value", "qualifier", "visit", "role")


def test_frames_have_the_agreed_columns_and_types(tables):
    for name, columns in COLUMNS.items():
        frame = getattr(tables, name)
        types = {column: str(dtype) for column, dtype in frame.dtypes.items()}
        assert {column: types.get(column) for column in columns} == columns, name
        if name != "patients":
            assert list(frame.columns) == list(columns)
    assert tables.absent == frozenset()


def test_patients_are_typed_and_ordered_by_group(tables):
    patients = tables.patients
    assert rows(patients, "patient_id", "group", "followup_days", "died", "source_row") == [
        ("R01", "ruxolitinib", 120.0, False, 2),
        ("R02", "ruxolitinib", 19.0, True, 3),
        ("C01", "control", 56.0, False, 4),
        ("C02", "control", 8.0, True, 5),
    ]
    assert patients["sex"].tolist() == ["female", "male", "female", "female"]
    assert patients["fever"].tolist() == [True, True, True, False]
    assert patients["splenomegaly"].isna().tolist() == [False, True, False, False]
    assert str(patients["splenomegaly"].dtype) == "boolean"


def test_prior_therapies_follow_from_rows_before_day_0(tables):
    patients = tables.patients.set_index("patient_id")
    assert patients["prior_glucocorticoid"].tolist() == [True, True, True, False]
    assert patients["prior_etoposide"].tolist() == [True, False, False, False]
    assert patients["prior_ivig"].tolist() == [False, False, True, False]
    # Without a list every drug given before day 0 has its column, and no other.
    assert "prior_tocilizumab" not in patients


def test_prior_therapy_recorded_in_the_patients_table_is_kept(cohort):
    text = cohort.read("patients.csv").splitlines()
    added = ["prior_ivig", "yes", "yes", "no", ""]
    cohort.write("patients.csv", "\n".join(f"{a},{b}" for a, b in zip(text, added, strict=True)) + "\n")
    patients = clean_cohort(cohort.path).patients
    assert patients["prior_ivig"].tolist()[:3] == [True, True, False]
    assert patients["prior_ivig"].isna()[3]


def test_visits_hold_the_row_nearest_to_the_nominal_day(tables):
    assert measured(tables, "R01", "ferritin") == [
        (-2, 5982.0, "", "baseline", "not nearest to the visit"),
        (0, 1500.0, ">", "baseline", "selected"),
        (2, 4000.0, "", "baseline", "after day 0, not used as baseline"),
        (6, 3000.0, "", "week_1", "selected"),
        (8, 2500.0, "", "week_1", "not nearest to the visit"),
        (30, 900.0, "", None, "outside visit windows"),
    ]
    assert rows(tables.visits[tables.visits["patient_id"] == "R01"], "visit", "variable", "value", "day") == [
        ("baseline", "ferritin", 1500.0, 0),
        ("week_1", "ferritin", 3000.0, 6),
        ("baseline", "hemoglobin", 94.0, 0),
        ("baseline", "temperature", 38.5, 0),
    ]


def test_later_of_two_equally_near_rows_if_so_set(cohort):
    cohort.append("cohort.toml", '\n[windowing]\ntie = "later"\n')
    assert (8, 2500.0, "", "week_1", "selected") in measured(clean_cohort(cohort.path), "R01", "ferritin")


def test_row_after_day_0_is_baseline_only_if_so_set_and_none_is_earlier(cohort):
    cohort.replace("measurements.csv", "C02,0,platelets", "C02,2,platelets")
    tables = clean_cohort(cohort.path)
    assert [row[4] for row in measured(tables, "C02", "platelets")] == ["after day 0, not used as baseline"]
    cohort.append("cohort.toml", "\n[windowing]\nbaseline_after_day0 = true\n")
    tables = clean_cohort(cohort.path)
    assert [row[4] for row in measured(tables, "C02", "platelets")] == ["selected"]
    # R01 has rows before and after day 0: the one before is taken although another may be as near.
    assert (2, 4000.0, "", "baseline", "not nearest to the visit") in measured(tables, "R01", "ferritin")


def test_units_and_qualifiers_are_read(tables):
    assert measured(tables, "R01", "temperature")[0][1] == 38.5
    assert measured(tables, "R02", "platelets")[1][:2] == (7, 30.0)
    assert measured(tables, "C01", "triglycerides")[0][1] == 2.991983742
    assert measured(tables, "C01", "fibrinogen")[0][1:3] == (0.5, "<")
    assert measured(tables, "C01", "splenomegaly")[0][1] == 1.0


@pytest.mark.parametrize(
    ("text", "value", "qualifier"),
    [
        ("<0.5", 0.5, "<"),
        ("≤ 0.5", 0.5, "<"),
        ("＞2", 2, ">"),
        (">=2", 2, ">"),
        ("2.5 ↑", 2.5, ""),
        ("3 H", 3, ""),
    ],
)
def test_result_texts(cohort, text, value, qualifier):
    cohort.replace("measurements.csv", "＜0.5", text)
    assert measured(clean_cohort(cohort.path), "C01", "fibrinogen")[0][1:3] == (value, qualifier)


def test_values_at_or_beyond_a_reporting_limit_get_its_sign(cohort):
    cohort.append("cohort.toml", "\n[reporting_limits.ferritin]\nlower = 900\nupper = 4000\n")
    signs = {day: q for day, _, q, _, _ in measured(clean_cohort(cohort.path), "R01", "ferritin")}
    assert signs == {-2: ">", 0: ">", 2: ">", 6: "", 8: "", 30: "<"}


def test_responses_belong_to_later_visits_once(tables):
    responses = tables.responses
    assert rows(responses, "patient_id", "day", "response", "visit", "role") == [
        ("R01", 3, "PR", None, "outside visit windows"),
        ("R01", 7, "PR", "week_1", "selected"),
        ("R01", 9, "NR", None, "not nearest to the visit"),
        ("R01", 14, "CR", "week_2", "selected"),
        ("C01", 7, "NR", "week_1", "selected"),
    ]


def test_doses_are_prednisone_equivalents_of_every_day(tables):
    doses = tables.doses.set_index(["patient_id", "day"])["prednisone_mg"]
    assert doses["R01", -7] == pytest.approx(100.0)
    assert doses["R01", 0] == pytest.approx(60.0)
    assert doses["R02", 10] == pytest.approx(20 * 5 / 0.75)
    assert doses["C01", 20] == 60.0
    assert doses["R01"].index.max() == 120
    assert doses["R02"].index.max() == 19


def test_overlapping_doses_add_if_so_set(cohort):
    cohort.append("treatments.csv", "R02,dexamethasone,8,12,10,mg,iv,1,\n")
    with pytest.raises(CohortError, match="while line 6 gives it"):
        clean_cohort(cohort.path)
    cohort.replace("cohort.toml", 'title = "Small cohort"', 'title = "x"\noverlapping_doses = "sum"')
    doses = clean_cohort(cohort.path).doses.set_index(["patient_id", "day"])["prednisone_mg"]
    assert doses["R02", 9] == pytest.approx(30 * 5 / 0.75)


# --- account of rows ---------------------------------------------------------------------------------


def reasons(tables, table):
    account = tables.dispositions[tables.dispositions["table"] == table]
    return {row.source_row: row.reason for row in account.itertuples() if row.disposition == "excluded"}


def test_every_exclusion_has_its_reason(cohort):
    cohort.replace("cohort.toml", 'title = "Small cohort"', 'title = "x"\nunmapped_variables = "exclude"')
    cohort.append(
        "cohort.toml",
        '\n[missing_codes]\nplatelets = [-1]\n[implausible]\naction = "exclude"\n'
        '[[exclusion]]\npatient_id = "C01"\nreason = "pregnancy"\n',
    )
    cohort.append(
        "measurements.csv",
        "R01,1,zinc,5,umol/L\nR01,1,platelets,-1.0,10^9/L\nR01,1,hemoglobin,9.4,g/L\n,,,,\n"
        "R01,-2,ferritin,5982,ng/mL\nR02,20,platelets,10,10^9/L\nR01,9,alt,n/a,U/L\n",
    )
    tables = clean_cohort(cohort.path)
    assert reasons(tables, "measurements") == {
        12: "excluded patient: pregnancy",
        13: "excluded patient: pregnancy",
        14: "excluded patient: pregnancy",
        15: "excluded patient: pregnancy",
        17: "variable not in the vocabulary",
        18: "missing code",
        19: "outside plausible range",
        20: "empty row",
        21: "duplicate row",
        22: "after death",
        23: "no value recorded",
    }
    assert reasons(tables, "patients") == {4: "excluded patient: pregnancy"}
    assert tables.patients["patient_id"].tolist() == ["R01", "R02", "C02"]
    for name in ("measurements", "treatments", "responses", "doses", "visits"):
        assert "C01" not in set(getattr(tables, name)["patient_id"])
    used = tables.dispositions[tables.dispositions["disposition"] == "used"]
    assert (used["reason"] == "").all()


def test_a_common_missing_code_is_not_read_into_days(cohort):
    cohort.append("cohort.toml", '\n[missing_codes]\n"*" = [-2]\ngrade = [9]\n')
    cohort.append("measurements.csv", "R01,1,alt,-2,U/L\n")
    cohort.append("events.csv", "R01,21,rash,9,no\n")
    tables = clean_cohort(cohort.path)
    assert measured(tables, "R01", "ferritin")[0][0] == -2
    assert reasons(tables, "measurements") == {14: "no value recorded", 17: "missing code"}
    assert tables.events["grade"].isna().tolist() == [False, False, True]


def test_unknown_drugs_are_kept_or_counted_if_so_set(cohort):
    cohort.append("treatments.csv", "R02,Aspirin,1,1,1,tablet,po,1,\nR02,aspirin  ,2,5,,,,,\n")
    kept = clean_cohort(cohort.path).treatments
    assert rows(kept[kept["drug"] == "aspirin"], "start_day", "unit") == [(1, "tablet"), (2, None)]
    cohort.replace("cohort.toml", 'title = "Small cohort"', 'title = "x"\nunmapped_drugs = "exclude"')
    assert reasons(clean_cohort(cohort.path), "treatments") == dict.fromkeys(
        (9, 10), "drug not in the vocabulary"
    )


@pytest.mark.parametrize("setting", ["", '\nunmapped_drugs = "exclude"'])
def test_an_unknown_glucocorticoid_is_asked_about_whatever_is_set(cohort, setting):
    cohort.append("treatments.csv", "R02,paramethasone,1,5,4,mg,po,1,\n")
    cohort.replace("cohort.toml", 'title = "Small cohort"', f'title = "x"{setting}')
    with pytest.raises(CohortError, match="paramethasone', a drug not in the vocabulary that looks like"):
        clean_cohort(cohort.path)


ROW = st.tuples(
    st.sampled_from(["R01", "R02", "C01", "C02"]),
    st.integers(-20, 70),
    st.sampled_from(["ferritin", "SF", "platelets", "zinc", "Hb", "铁蛋白"]),
    st.sampled_from(["5", "<0.5", "1500", ">2000", "-1", "", "n/a", "80", "1e9", "300"]),
)
LONG = 'title = "x"\nunmapped_variables = "exclude"'
CODES = """
[missing_codes]
"*" = [-1]
[implausible]
action = "exclude"
[units]
ferritin = "ng/mL"
platelets = "10^9/L"
hemoglobin = "g/L"
"""


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.lists(ROW, max_size=40), tie=st.sampled_from(["earlier", "later"]), late=st.booleans())
def test_every_raw_row_is_accounted_once_and_windows_are_kept(small_cohort, tmp_path, raw, tie, late):
    cohort = small_cohort(tmp_path / "cohort")
    cohort.replace("cohort.toml", 'title = "Small cohort"', LONG)
    switch = f'[windowing]\ntie = "{tie}"\nbaseline_after_day0 = {str(late).lower()}\n'
    cohort.append("cohort.toml", CODES + switch + "[tables.measurements]\nmay_be_empty = true\n")
    lines = ["patient_id,day,variable,value", *(",".join(map(str, row)) for row in raw)]
    cohort.write("measurements.csv", "\n".join(lines) + "\n")
    tables = clean_cohort(cohort.path)
    account = tables.dispositions[tables.dispositions["table"] == "measurements"]
    assert sorted(account["source_row"]) == list(range(2, len(raw) + 2))
    used = account[account["disposition"] == "used"]
    assert set(used["source_row"]) == set(tables.measurements["source_row"])
    assert (account["reason"] != "").eq(account["disposition"] == "excluded").all()
    check_windows(tables, late=late)


def check_windows(tables, *, late):
    windows = {"baseline": (-7, 3, 0), "week_1": (4, 10, 7), "week_2": (11, 17, 14)}
    frame = tables.measurements
    for row in frame.itertuples():
        inside = [v for v, (first, last, _) in windows.items() if first <= row.day <= last]
        assert (inside or [None])[0] == row.visit
        assert row.selected == (row.role == "selected")
        assert not (row.selected and row.visit is None)
        if row.visit == "baseline" and row.day > 0 and row.selected:
            assert late
    chosen = frame[frame["selected"]]
    assert not chosen.duplicated(["patient_id", "variable", "visit"]).any()
    assert sorted(chosen["source_row"]) == sorted(tables.visits["source_row"])
    for row in chosen.itertuples():
        nominal = windows[row.visit][2]
        rivals = frame[
            (frame["patient_id"] == row.patient_id)
            & (frame["variable"] == row.variable)
            & (frame["visit"] == row.visit)
        ]
        if row.visit == "baseline":
            rivals = rivals[rivals["day"] <= 0] if row.day <= 0 else rivals
        assert abs(row.day - nominal) == (rivals["day"] - nominal).abs().min()


# --- dates, columns, encodings -----------------------------------------------------------------------

DATED = {
    "patients.csv": (
        "PATIENT_ID,gender code,age,admission,discharge,died\n"
        "1,1,73,2020-01-30 22:12:47,2020-02-17 12:40:09,0\n"
        "2,2,61,2020/2/4 21:39,2020/2/10,1\n"
    ),
    "labs.csv": (
        "PATIENT_ID,RE_DATE,test,value\n"
        "1,2020-01-30 23:30:00,Platelet count,105\n"
        "1,2020-01-30 22:30:00,Platelet count,95\n"
        "1,2020-01-31 01:00:00,Platelet count,85\n"
        "2,2020年2月5日,Platelet count,-1\n"
    ),
    "cohort.toml": (
        'title = "Dated"\nprovenance = "real"\n[follow_up]\nhorizon_days = 30\n'
        '[[group]]\nid = "all"\nlabel = "All"\nrole = "treated"\nday0 = "admission"\n'
        '[[visit]]\nid = "baseline"\nlabel = "Baseline"\nday = 0\nwindow = [-3, 2]\n'
        '[tables.measurements]\nfile = "labs.csv"\n'
        '[tables.patients.columns]\nsex = "gender code"\nday0_date = "admission"\n'
        '[tables.patients.values.sex]\n1 = "male"\n2 = "female"\n'
        '[units]\nplatelets = "10^9/L"\n[missing_codes]\nplatelets = [-1]\n'
    ),
}


@pytest.fixture
def dated(tmp_path):
    for name, text in DATED.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_dates_become_days_and_clock_times_order_one_day(dated):
    assert check_cohort(dated) == []
    tables = clean_cohort(dated)
    assert rows(tables.patients, "patient_id", "sex", "group", "followup_days", "died") == [
        ("1", "male", "all", 18.0, False),
        ("2", "female", "all", 6.0, True),
    ]
    assert tables.patients["death_day"].isna().tolist() == [True, False]
    assert rows(tables.measurements, "day", "value", "selected") == [
        (0, 105, False),
        (0, 95, True),
        (1, 85, False),
    ]
    assert reasons(tables, "measurements") == {5: "missing code"}
    assert tables.absent == {"treatments", "responses", "events"}


def test_absent_tables_leave_empty_frames_with_their_columns(dated):
    tables = clean_cohort(dated)
    for name in ("treatments", "doses", "responses", "events"):
        frame = getattr(tables, name)
        assert frame.empty
        assert {c: str(t) for c, t in frame.dtypes.items()} == COLUMNS[name]
    assert not [column for column in tables.patients if column.startswith("prior_")]


def test_day_and_date_that_disagree_are_an_error(dated):
    path = dated / "labs.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text(
        "\n".join(f"{a},{b}" for a, b in zip(lines, ["day", 0, 0, 9, 1], strict=True)), encoding="utf-8"
    )
    (problem,) = check_cohort(dated)
    assert (problem.row, problem.found, problem.expected) == (4, "day 9", "day 1 by the column date")


def test_ambiguous_date_is_refused(dated):
    path = dated / "labs.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("2020年2月5日", "05/02/2020"), encoding="utf-8")
    (problem,) = check_cohort(dated)
    assert (problem.row, problem.found) == (5, "'05/02/2020'")
    assert "year first" in problem.remedy


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_encodings_of_exports_give_the_same_tables(cohort, tables, encoding):
    expected = tables.patients
    (cohort.path / "patients.csv").write_bytes(cohort.read("patients.csv").encode(encoding))
    pd.testing.assert_frame_equal(clean_cohort(cohort.path).patients, expected)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_are_recognised(cohort, tables, separator):
    expected = tables.treatments
    cohort.write("treatments.csv", cohort.read("treatments.csv").replace(",", separator))
    pd.testing.assert_frame_equal(clean_cohort(cohort.path).treatments, expected)


def test_line_numbers_count_blank_lines_and_fields_over_two_lines(cohort):
    cohort.write("events.csv", 'patient_id,day,term,grade\n\nR01,1,"CMV\ninfection",2\nR01,2,rash,1\n')
    assert rows(clean_cohort(cohort.path).events, "source_row", "term") == [
        (3, "cytomegalovirus infection"),
        (5, "rash"),
    ]


def test_parquet_tables_are_read_like_csv(cohort, tables):
    for name in ("measurements", "patients"):
        frame = pd.read_csv(cohort.path / f"{name}.csv", dtype={"value": str})
        frame.to_parquet(cohort.path / f"{name}.parquet")
        (cohort.path / f"{name}.csv").unlink()
    again = clean_cohort(cohort.path)
    for name in AnalysisTables.names():
        pd.testing.assert_frame_equal(getattr(again, name), getattr(tables, name))


def test_workbook_tables_are_read_like_csv(cohort, tables):
    for name in ("patients", "measurements", "treatments", "responses", "events"):
        frame = pd.read_csv(cohort.path / f"{name}.csv", dtype={"value": str})
        frame.to_excel(cohort.path / f"{name}.xlsx", index=False)
        (cohort.path / f"{name}.csv").unlink()
    again = clean_cohort(cohort.path)
    for name in AnalysisTables.names():
        pd.testing.assert_frame_equal(getattr(again, name), getattr(tables, name))


# --- storing -----------------------------------------------------------------------------------------


def stored_bytes(directory):
    return {path.name: path.read_bytes() for path in Path(directory).iterdir()}


def test_stored_tables_read_back_and_their_bytes_do_not_vary(cohort, tables, tmp_path):
    tables.write(tmp_path / "a")
    clean_cohort(cohort.path).write(tmp_path / "b")
    assert stored_bytes(tmp_path / "a") == stored_bytes(tmp_path / "b")
    again = AnalysisTables.read(tmp_path / "a")
    for name in AnalysisTables.names():
        pd.testing.assert_frame_equal(getattr(again, name), getattr(tables, name))
    assert again.absent == tables.absent


def test_digest_follows_every_input_and_nothing_else(cohort, small_cohort, tmp_path):
    first = inputs_digest(cohort.path)
    elsewhere = small_cohort(tmp_path / "elsewhere")
    assert inputs_digest(elsewhere.path) == first
    elsewhere.write("notes.txt", "not an input")
    assert inputs_digest(elsewhere.path) == first
    seen = {first}
    for name in ("cohort.toml", "patients.csv", "events.csv"):
        cohort.append(name, "\n")
        seen.add(inputs_digest(cohort.path))
    assert len(seen) == 4


def test_tables_are_derived_only_when_absent_or_stale(cohort, tmp_path):
    directory = tmp_path / "data"
    load_or_clean(cohort.path, directory)
    times = {path.name: path.stat().st_mtime_ns for path in directory.iterdir()}
    load_or_clean(cohort.path, directory)
    assert {path.name: path.stat().st_mtime_ns for path in directory.iterdir()} == times
    cohort.append("events.csv", "R01,30,rash,1,no\n")
    assert "rash" in set(load_or_clean(cohort.path, directory).events["term"])
    assert json.loads((directory / "inputs.json").read_text())["inputs"] == inputs_digest(cohort.path)


def test_half_written_directory_is_derived_anew(cohort, tmp_path):
    directory = tmp_path / "data"
    load_or_clean(cohort.path, directory)
    (directory / "inputs.json").unlink()
    (directory / "events.parquet").write_bytes(b"half")
    assert len(load_or_clean(cohort.path, directory).events) == 2


def test_a_cohort_with_errors_leaves_the_stored_tables_alone(cohort, tmp_path):
    directory = tmp_path / "data"
    load_or_clean(cohort.path, directory)
    before = stored_bytes(directory)
    cohort.append("events.csv", "R01,30,rash,7,no\n")
    with pytest.raises(CohortError):
        load_or_clean(cohort.path, directory)
    assert stored_bytes(directory) == before


def test_two_processes_may_derive_at_once(cohort, tmp_path):
    code = (
        "import sys; from helpers.cohort.cleaning import load_or_clean\n"
        "print(len(load_or_clean(sys.argv[1], sys.argv[2]).measurements))"
    )
    command = [sys.executable, "-c", code, str(cohort.path), str(tmp_path / "data")]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) for _ in range(2)
    ]
    assert [process.communicate()[0].strip() for process in both] == ["14", "14"]
    names = Counter(path.suffix for path in (tmp_path / "data").iterdir())
    assert names == {".parquet": len(AnalysisTables.names()), ".json": 1}


def test_selection_does_not_depend_on_the_number_of_rows(cohort):
    rng = np.random.default_rng(7)
    days = rng.integers(-7, 18, 400)
    lines = [f"R01,{day},ast,{value},U/L" for value, day in enumerate(days, start=1)]
    cohort.append("measurements.csv", "\n".join(lines) + "\n")
    visits = clean_cohort(cohort.path).visits
    ast = visits[visits["variable"] == "ast"].set_index("visit")
    # Without times the worst of a day stands for it, and a high AST is worse.
    worst = {day: 1 + int(np.flatnonzero(days == day)[-1]) for day in (0, 7, 14)}
    assert ast["value"].to_dict() == {"baseline": worst[0], "week_1": worst[7], "week_2": worst[14]}
