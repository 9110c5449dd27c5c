"""A folder with faults is reported whole, in one run, and a clean one gives no false alarm."""

from pathlib import Path

import pytest

from helpers.cohort.check import check_cohort
from helpers.cohort.cleaning import clean_cohort
from helpers.problems import CohortError, Problem, errors

CELL_UNITS = (
    "one of 10^9/L, 10^3/uL, 10^3/mm^3, K/uL, G/L, giga/L, 10^6/mL, /uL, cells/uL, /mm^3, /nL, 10^6/L"
)


def find(problems: list[Problem], **wanted: object) -> Problem:
    """Return the one problem with these attributes."""
    found = [p for p in problems if all(getattr(p, key) == value for key, value in wanted.items())]
    assert len(found) == 1, f"{wanted}: {len(found)} of\n" + "\n".join(map(str, problems))
    return found[0]


def test_clean_cohort_raises_no_alarm(cohort):
    assert check_cohort(cohort.path) == []


@pytest.fixture
def planted(cohort):
    """The small cohort with exactly twelve faults."""
    # 1 missing column, 2 duplicate patient, 3 death before day 0, 4 two groups mislabelled
    cohort.write(
        "patients.csv",
        "patient_id,group,age,sexe,diagnosis,weight_kg,last_contact_day,death_day,fever,splenomegaly\n"
        "R01,Ruxo,37,female,AOSD,60,120,,yes,no\n"
        "R02,ruxolitinb,18,male,SLE,70,19,19,yes,\n"
        "C01,control,29,F,AOSD,50,56,,yes,yes\n"
        "C02,Kontrol,65,female,AOSD,55,60,-8,no,no\n"
        "C01,control,29,F,AOSD,50,56,,yes,yes\n",
    )
    cohort.replace("patients.csv", "C02,Kontrol,65,female,AOSD,55,60,-8", "C02,Kontrol,65,female,AOSD,55,,-8")
    cohort.replace("measurements.csv", "C02,0,platelets,83,10^9/L\n", "")
    # 5 unknown unit, 6 lab for an unknown patient, 7 text in a number, 8 impossible value
    cohort.append(
        "measurements.csv",
        "R01,1,platelets,90,giga\n"
        "R09,0,ferritin,800,ng/mL\n"
        "R01,1,ast,not done yet,U/L\n"
        "R01,1,triglycerides,265,mmol/L\n",
    )
    # 9 overlapping doses, 10 negative dose
    cohort.append("treatments.csv", "R02,dexamethasone,8,12,10,mg,iv,1,\nR02,ciclosporin,1,5,-50,mg,po,2,\n")
    # 11 grade 7
    cohort.append("events.csv", "R01,21,anaemia,7,no\n")
    # 12 unknown configuration key
    cohort.replace("cohort.toml", "horizon_days = 56", "horizon_days = 56\nhorizont = 60")
    return cohort


def test_twelve_planted_faults_are_listed_in_one_run(planted):
    problems = check_cohort(planted.path)
    rows = [
        ("patients.csv", 1, "sex", "no such column", "the required column sex (Sex)"),
        ("patients.csv", 3, "group", "'ruxolitinb'", "one of ruxolitinib, control"),
        ("patients.csv", 5, "group", "'Kontrol'", "one of ruxolitinib, control"),
        ("patients.csv", 5, "death_day", "death on day -8", "a death on or after day 0"),
        ("patients.csv", 6, "patient_id", "patient 'C01' a second time", "one row for each patient"),
        (
            "measurements.csv",
            16,
            "unit",
            "unit 'giga' for platelets",
            CELL_UNITS,
        ),
        ("measurements.csv", 17, "patient_id", "unknown patient 'R09'", "a patient_id of patients.csv"),
        (
            "measurements.csv",
            18,
            "value",
            "'not done yet'",
            "a number, with < or > before it if beyond the assay's limit",
        ),
        ("measurements.csv", 19, "value", "triglycerides 265 mmol/L", "0.1 to 60 mmol/L"),
        (
            "treatments.csv",
            9,
            "start_day",
            "dexamethasone iv of R02 from day 8, while line 6 gives it from day -3 to day 10",
            "one dose of a drug by one route a day (first and last day count)",
        ),
        ("treatments.csv", 10, "dose", "-50", "a dose of 0 or more"),
        ("events.csv", 4, "grade", "7", "a grade of 1, 2, 3, 4 or 5"),
        (
            "cohort.toml",
            6,
            "follow_up.horizont",
            "unknown key 'horizont'",
            "one of horizon_days, data_cutoff",
        ),
    ]
    listed = sorted((p.file, p.row or 0, p.column, p.found, p.expected) for p in problems)
    # Mislabelled groups are one fault in two rows: thirteen lines for twelve faults.
    assert listed == sorted(rows)
    assert all(p.severity == "error" and p.remedy for p in problems)


def test_remedies_name_what_is_meant(planted):
    problems = check_cohort(planted.path)
    assert "'sexe'" in find(problems, column="sex").remedy
    assert "'ruxolitinib'" in find(problems, found="'ruxolitinb'").remedy
    assert "'control'" in find(problems, found="'Kontrol'").remedy
    assert "mg/dL (would be 2.99198 mmol/L)" in find(problems, found="triglycerides 265 mmol/L").remedy
    assert "'horizon_days'" in find(problems, column="follow_up.horizont").remedy
    assert "overlapping_doses" in find(problems, row=9, file="treatments.csv").remedy


def test_cleaning_refuses_with_the_same_list(planted):
    with pytest.raises(CohortError) as refusal:
        clean_cohort(planted.path)
    assert refusal.value.problems == check_cohort(planted.path)
    text = str(refusal.value)
    assert (
        "events.csv:4 grade: found 7, expected a grade of 1, 2, 3, 4 or 5; correct the grade (CTCAE)" in text
    )
    assert len(text.splitlines()) == 13


@pytest.mark.parametrize(
    ("file", "old", "new", "wanted"),
    [
        ("patients.csv", "C02,Control,65", "C02,Control,165", {"row": 5, "column": "age", "found": "165"}),
        (
            "patients.csv",
            "55,8,8,no",
            "55,9,8,no",
            {"row": 5, "found": "last contact on day 9, death on day 8"},
        ),
        (
            "patients.csv",
            "50,56,,是",
            "50,,,是",
            {"row": 4, "column": "last_contact_day", "found": "nothing"},
        ),
        ("patients.csv", "R02,ruxolitinib,18,male", "R02,ruxolitinib,18,x", {"row": 3, "column": "sex"}),
        ("patients.csv", "C02,Control,65", "C02,,65", {"row": 5, "column": "group", "found": "nothing"}),
        ("patients.csv", "60,120,,yes", "60,12.5,,yes", {"row": 2, "expected": "a whole number of days"}),
        ("measurements.csv", "R01,0,SF", "R01,0,unobtainium", {"row": 3, "found": "'unobtainium'"}),
        (
            "measurements.csv",
            "R01,6,ferritin,3000,ng/mL",
            "R01,6,ferritin,3000,",
            {"row": 5, "column": "unit"},
        ),
        ("measurements.csv", "R01,6,ferritin,3000", 'R01,6,ferritin,"3,000"', {"row": 5, "found": "'3,000'"}),
        ("measurements.csv", "R01,6,ferritin", ",6,ferritin", {"row": 5, "column": "patient_id"}),
        (
            "measurements.csv",
            "R01,6,ferritin",
            "R01,,ferritin",
            {"row": 5, "column": "day", "found": "nothing"},
        ),
        ("treatments.csv", "R01,prednisone,0", "R01,predinsone,0", {"row": 3, "column": "drug"}),
        ("treatments.csv", "20,mg,iv,1", "20,mg,inhaled,1", {"row": 6, "column": "route"}),
        (
            "treatments.csv",
            "20,mg,iv,1",
            "20,mg,sc,1",
            {"row": 6, "column": "route", "found": "dexamethasone sc"},
        ),
        ("treatments.csv", "20,mg,iv,1", "20,pills,iv,1", {"row": 6, "column": "unit"}),
        ("treatments.csv", "20,mg,iv,1", "20,mg,iv,0", {"row": 6, "column": "times_per_day", "found": "0"}),
        ("treatments.csv", "20,mg,iv,1", "20,mg/m2,iv,1", {"row": 6, "found": "dexamethasone in mg/m2"}),
        ("treatments.csv", "dexamethasone,-3,10", "dexamethasone,-3,-4", {"row": 6, "column": "stop_day"}),
        ("responses.csv", "R01,14,CR", "R01,14,XX", {"row": 5, "expected": "one of CR, PR, NR"}),
        ("events.csv", "CMV infection,2,no", "CMV infection,2.5,no", {"row": 2, "found": "2.5"}),
        ("events.csv", "CMV infection,2,no", "CMV infection,2,perhaps", {"row": 2, "column": "serious"}),
    ],
)
def test_single_fault_gives_exactly_one_error(cohort, file, old, new, wanted):
    cohort.replace(file, old, new)
    problems = check_cohort(cohort.path)
    assert len(problems) == 1, "\n".join(map(str, problems))
    assert problems[0].severity == "error"
    find(problems, file=file, **wanted)


@pytest.mark.parametrize(
    ("file", "old", "new", "row", "found"),
    [
        ("patients.csv", "55,8,8,no", "55,7,8,no", 5, "last contact on day 7, death on day 8"),
        ("events.csv", "R02,19,organ", "R02,20,organ", 3, "day 20, after the death of R02 on day 19"),
        ("measurements.csv", "C01,7,spl", "C01,57,spl", 15, "day 57 of C01, last contact on day 56"),
        ("responses.csv", "C01,7,NR\n", "C01,7,NR\nC01,7,NR\n", 7, "the same as line 6"),
        ("treatments.csv", "R01,VP-16", "R01,VP-17", 5, "'VP-17', a drug not in the vocabulary"),
    ],
)
def test_doubtful_rows_are_warnings_that_do_not_stop_the_cleaning(cohort, file, old, new, row, found):
    cohort.replace(file, old, new)
    problems = check_cohort(cohort.path)
    assert [(p.file, p.row, p.found, p.severity) for p in problems] == [(file, row, found, "warning")]
    assert errors(problems) == []
    clean_cohort(cohort.path)


def test_death_recorded_twice_must_agree(cohort):
    died = ["died", "yes", "yes", "no", ""]
    text = cohort.read("patients.csv").splitlines()
    cohort.write("patients.csv", "\n".join(f"{a},{b}" for a, b in zip(text, died, strict=True)) + "\n")
    problem = find(check_cohort(cohort.path))
    assert (problem.row, problem.column, problem.found) == (2, "died", "died yes and no day of death")


def test_exclusion_of_an_unknown_patient_is_an_error(cohort):
    cohort.append("cohort.toml", '\n[[exclusion]]\npatient_id = "Z99"\nreason = "pregnancy"\n')
    problem = find(check_cohort(cohort.path))
    assert (problem.file, problem.column) == ("cohort.toml", "exclusion[1].patient_id")


def test_follow_up_beyond_the_cutoff_is_an_error(cohort):
    cohort.replace("cohort.toml", "horizon_days = 56", "horizon_days = 56\ndata_cutoff = 2024-03-01")
    cohort.write(
        "patients.csv",
        "patient_id,group,age,sex,weight_kg,day0_date,last_contact_day,death_day\n"
        "R01,ruxolitinib,37,female,60,2024-01-01,61,\n"
        "R02,ruxolitinib,18,male,70,2024-01-01,19,19\n"
        "C01,control,29,F,50,2023-01-01,56,\n"
        "C02,control,65,F,55,2023-01-01,8,8\n",
    )
    problem = find(errors(check_cohort(cohort.path)))
    assert (problem.row, problem.column) == (2, "last_contact_day")
    assert problem.found == "day 61, 1 days after the cut-off 2024-03-01"


# --- what cannot be read -----------------------------------------------------------------------------


def test_missing_folder_is_a_problem(tmp_path: Path):
    problem = find(check_cohort(tmp_path / "nowhere"))
    assert problem.found == "no such folder"


def test_file_in_place_of_a_folder_is_a_problem(tmp_path: Path):
    (tmp_path / "x").write_text("")
    assert find(check_cohort(tmp_path / "x")).found == "a file"


def test_empty_folder_lists_configuration_and_patients(tmp_path: Path):
    assert [(p.file, p.found) for p in check_cohort(tmp_path)] == [
        ("cohort.toml", "no such file"),
        ("patients.csv", "no such file"),
    ]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"\n  \n", "an empty file"),
        (b"\x00\x01\x02", "bytes that are not text"),
        (b"patient_id,day,term,grade\nR01,1,\xff\xff\xff,1\n", "bytes that are not text"),
    ],
)
def test_unreadable_file_is_a_problem_and_hides_no_other(cohort, content, found):
    (cohort.path / "events.csv").write_bytes(content)
    cohort.replace("responses.csv", "R01,14,CR", "R01,14,XX")
    assert [(p.file, p.found) for p in check_cohort(cohort.path)] == [
        ("events.csv", found),
        ("responses.csv", "'XX'"),
    ]


def test_broken_parquet_is_a_problem(cohort):
    (cohort.path / "events.csv").unlink()
    (cohort.path / "events.parquet").write_bytes(b"PAR1 nothing PAR1")
    assert find(check_cohort(cohort.path)).expected == "a Parquet file"


def test_two_files_for_one_table_are_a_problem(cohort):
    (cohort.path / "events.parquet").write_bytes(b"")
    assert find(check_cohort(cohort.path)).remedy == "remove one of them"


def test_spreadsheet_is_named_as_such(cohort):
    cohort.append("cohort.toml", '\n[tables.events]\nfile = "events.ods"\n')
    (cohort.path / "events.ods").write_bytes(b"PK")
    problem = find(check_cohort(cohort.path))
    assert (problem.file, problem.found) == ("events.ods", "another kind of file")


def test_rows_of_the_wrong_width_are_listed_by_line(cohort):
    cohort.append("events.csv", "R01,22,rash, itching,1,no\nR01,23,cough\n")
    assert [(p.row, p.found) for p in check_cohort(cohort.path)] == [(4, "6 fields"), (5, "3 fields")]


def test_open_quotation_mark_is_a_problem(cohort):
    cohort.append("events.csv", 'R01,22,"rash,1,no\n')
    problem = find(check_cohort(cohort.path))
    assert problem.row == 4
    assert "field that does not end" in problem.found


def test_syntax_error_in_the_settings_does_not_hide_the_tables(cohort):
    cohort.replace("cohort.toml", "horizon_days = 56", "horizon_days 56")
    cohort.append("events.csv", "R01,21,anaemia,7,no\n")
    problems = check_cohort(cohort.path)
    assert [(p.file, p.row) for p in problems] == [("cohort.toml", 5), ("events.csv", 4)]


def test_file_named_in_the_settings_but_absent_is_a_problem(cohort):
    cohort.append("cohort.toml", '\n[tables.events]\nfile = "event.csv"\n')
    problem = find(check_cohort(cohort.path))
    assert (problem.file, problem.remedy) == ("event.csv", "did you mean 'events.csv'?")


def test_patients_without_rows_are_a_problem(cohort):
    for name in ("measurements", "treatments", "responses", "events"):
        (cohort.path / f"{name}.csv").unlink()
    cohort.write("patients.csv", "patient_id,group,age,sex,last_contact_day,death_day\n")
    assert find(check_cohort(cohort.path)).found == "no patient"


def test_dates_without_day_0_are_a_problem(cohort):
    cohort.write("responses.csv", "patient_id,date,response\nR01,2024-01-08,PR\nR01,2024-01-15,CR\n")
    problem = find(check_cohort(cohort.path))
    assert (problem.row, problem.found) == (1, "dates without any day 0")


def test_same_fault_in_many_rows_is_one_problem_with_all_lines(cohort):
    rows = "".join(f"R01,{day},ferritin,{day},stones\n" for day in range(20, 40))
    cohort.append("measurements.csv", rows)
    problem = find(check_cohort(cohort.path))
    assert (problem.row, len(problem.more_rows)) == (17, 19)
    assert "(the same in lines 18, 19, 20, 21, 22, 23, 24, 25 and 11 more)" in str(problem)
