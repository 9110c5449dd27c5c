"""What people do to data before they reach us is an error or a warning; ordinary data raise neither."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from helpers.cohort.cells import unquoted, without_unseen
from helpers.cohort.check import check_cohort
from helpers.cohort.cleaning import clean_cohort
from helpers.cohort.encodings import decode
from helpers.cohort.scales import POWERS, slip_of
from helpers.problems import Problem, errors, fold_by_cause

CONFIG = """\
title = "Invented"
provenance = "synthetic"
[[group]]
id = "new"
label = "New"
role = "treated"
day0 = "first dose"
[[group]]
id = "old"
label = "Old"
role = "reference"
day0 = "diagnosis"
[follow_up]
horizon_days = 56
[[visit]]
id = "baseline"
label = "Baseline"
day = 0
window = [-7, 0]
[[visit]]
id = "week_1"
label = "Week 1"
day = 7
window = [4, 10]
"""
IDS = [f"{arm}{n:02d}" for arm in "NO" for n in range(1, 13)]
# Variable: unit, median, spread on the log scale; as in adults with severe inflammation.
LABS = {
    "hemoglobin": ("g/L", 100, 0.15), "albumin": ("g/L", 30, 0.12), "platelets": ("10^9/L", 110, 0.5),
    "ferritin": ("ng/mL", 3000, 1.0), "triglycerides": ("mmol/L", 2.5, 0.35), "glucose": ("mmol/L", 6.0, 0.2),
    "sodium": ("mmol/L", 138, 0.02), "crp": ("mg/L", 40, 0.9),
}  # fmt: skip


class Invented:
    """A cohort of 24 patients with eight variables on three days, to be spoilt."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.write("cohort.toml", CONFIG)
        self.write("patients.csv", "\n".join(["patient_id,group,age,sex,weight_kg,last_contact_day,death_day",
                   *(f"{p},{'new' if p[0] == 'N' else 'old'},{30 + n},{'fm'[n % 2]},60,56,"
                     for n, p in enumerate(IDS))]) + "\n")  # fmt: skip
        rng = np.random.default_rng(20261127)
        rows = []
        for name, (unit, middle, spread) in LABS.items():
            for patient in IDS:
                level = rng.normal(0, spread)
                rows += [
                    (
                        patient,
                        day,
                        name,
                        float(f"{middle * np.exp(level + rng.normal(0, spread / 4)):.3g}"),
                        unit,
                    )
                    for day in (0, 7, 20)
                ]
        self.labs = pd.DataFrame(rows, columns=["patient_id", "day", "variable", "value", "unit"])

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def problems(self, labs: pd.DataFrame | None = None) -> list[Problem]:
        (self.labs if labs is None else labs).to_csv(self.folder / "measurements.csv", index=False)
        return check_cohort(self.folder)

    def spoilt(self, name: str, factor: float, who: str = "") -> list[Problem]:
        """Multiply a variable in the patients whose id matches; an empty pattern means all."""
        labs = self.labs.copy()
        mask = (labs["variable"] == name) & labs["patient_id"].str.match(who)
        labs.loc[mask, "value"] = (labs.loc[mask, "value"] * factor).map(lambda v: float(f"{v:.4g}"))
        return self.problems(labs)


@pytest.fixture
def cohort(tmp_path: Path) -> Invented:
    return Invented(tmp_path / "invented")


def only(problems: list[Problem]) -> Problem:
    assert len(problems) == 1, "\n".join(map(str, problems))
    return problems[0]


def test_ordinary_data_raise_no_alarm(cohort):
    assert cohort.problems() == []


# --- values off by a factor --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "factor", "who"),
    [
        ("hemoglobin", 0.1, ""), ("hemoglobin", 0.1, "O"), ("hemoglobin", 0.1, "N03"),
        ("hemoglobin", 0.1, "N0[1-4]"), ("albumin", 0.1, "O"), ("albumin", 0.1, "O05"),
        ("glucose", 18.018, "O"), ("triglycerides", 88.57, "O"), ("sodium", 0.1, "N"),
        ("platelets", 1000, "O"), ("ferritin", 0.001, "O"), ("ferritin", 0.001, "N07"),
        ("ferritin", 1000, ""), ("platelets", 0.001, "N"),
    ],
)  # fmt: skip
def test_sets_off_by_a_known_factor_are_errors(cohort, name, factor, who):
    found = errors(cohort.spoilt(name, factor, who))
    assert found
    rows = cohort.labs.index[(cohort.labs["variable"] == name) & cohort.labs["patient_id"].str.match(who)]
    named = {line for p in found for line in (p.row, *p.more_rows)}
    assert {int(row) + 2 for row in rows} <= named | {None}


def test_a_point_that_separates_thousands_is_seen_and_can_be_confirmed(cohort):
    labs = cohort.labs.astype({"value": object})
    large = (labs["variable"] == "ferritin") & (labs["value"].astype(float) >= 1000)
    labs.loc[large, "value"] = labs.loc[large, "value"].map(lambda v: f"{float(v) / 1000:.3f}")
    problem = only(cohort.problems(labs))
    assert (problem.severity, problem.row) == ("error", int(labs.index[large][0]) + 2)
    assert len(problem.more_rows) + 1 == large.sum()
    assert "multiplied by 1000" in problem.found
    cohort.write("cohort.toml", CONFIG + '[implausible]\nconfirmed = ["ferritin"]\n')
    assert cohort.problems(labs) == []


def test_a_single_value_is_a_warning_only_where_disease_does_not_explain_it(cohort):
    labs = cohort.labs.copy()
    place = labs.index[(labs["variable"] == "sodium")][5]
    labs.loc[place, "value"] = 14.1 * 10 * 1.4  # 197 mmol/L is plausible, yet no factor puts it right
    assert cohort.problems(labs) == []
    place = labs.index[(labs["variable"] == "triglycerides")][5]
    labs = cohort.labs.copy()
    labs.loc[place, "value"] = 25.0  # ten times the median, and seen in this disease
    assert cohort.problems(labs) == []


def test_the_rest_must_be_clear_of_what_is_moved():
    rest = np.log10([90.0, 100, 105, 110, 118, 120, 125, 131, 140])
    assert slip_of(np.log10([9.8, 11.2, 12.0]), rest, POWERS).words() == "multiplied by 10"
    assert slip_of(np.log10([980.0, 1120, 1200]), rest, POWERS).words() == "divided by 10"
    assert slip_of(np.log10([88.0, 95, 101]), rest, POWERS) is None
    assert slip_of(np.log10([30.0, 33, 35]), rest, POWERS) is None
    assert slip_of(np.log10([9.8, 11.2]), rest, POWERS) is None


# --- limits, zeros and days --------------------------------------------------------------------------


def test_a_heap_at_the_maximum_is_asked_about_unless_it_is_declared(cohort):
    labs = cohort.labs.copy()
    ferritin = labs["variable"] == "ferritin"
    labs.loc[ferritin, "value"] = labs.loc[ferritin, "value"].clip(upper=5000)
    problem = only(cohort.problems(labs))
    assert problem.severity == "warning"
    assert "5000, the largest" in problem.found
    cohort.write("cohort.toml", CONFIG + "[reporting_limits.ferritin]\nupper = 5000\n")
    assert cohort.problems(labs) == []


def test_zero_for_below_a_limit_is_asked_about(cohort):
    labs = cohort.labs.copy()
    labs.loc[labs.index[labs["variable"] == "crp"][:3], "value"] = 0
    problem = only(cohort.problems(labs))
    assert (problem.severity, problem.found) == ("warning", "crp 0 in 3 rows")


def two_values(cohort: Invented, rule: str = "") -> Invented:
    cohort.write("cohort.toml", CONFIG + (f'[windowing]\nday_rule = "{rule}"\n' if rule else ""))
    extra = [("N01", 0, "platelets", v, "10^9/L") for v in (80.0, 20.0, 50.0)]
    labs = cohort.labs[~((cohort.labs["patient_id"] == "N01") & (cohort.labs["variable"] == "platelets"))]
    cohort.labs = pd.concat([labs, pd.DataFrame(extra, columns=labs.columns)], ignore_index=True)
    return cohort


@pytest.mark.parametrize(("rule", "value"), [("", 20), ("worst", 20), ("median", 50)])
def test_the_rule_of_the_day_decides_and_not_the_order_of_the_file(cohort, rule, value):
    problems = two_values(cohort, rule).problems()
    assert [p.severity for p in problems] == ([] if rule else ["warning"])
    for labs in (cohort.labs, cohort.labs[::-1], cohort.labs.sample(frac=1, random_state=3)):
        labs.to_csv(cohort.folder / "measurements.csv", index=False)
        visits = clean_cohort(cohort.folder).visits
        chosen = visits[(visits["patient_id"] == "N01") & (visits["variable"] == "platelets")]
        assert chosen["value"].tolist() == [value]


@pytest.mark.parametrize(("rule", "value"), [("first", 80), ("last", 50)])
def test_times_of_day_are_heeded(cohort, rule, value):
    cohort.write("cohort.toml", CONFIG + f'[windowing]\nday_rule = "{rule}"\n')
    text = (cohort.folder / "patients.csv").read_text()
    head, *lines = text.splitlines()
    cohort.write(
        "patients.csv", "\n".join([f"{head},day0_date", *(f"{line},2024-03-01" for line in lines)]) + "\n"
    )
    rows = [("80", "06:00"), ("20", "12:00"), ("50", "18:00")]
    labs = "\n".join(f"N01,2024-03-01 {clock},platelets,{v},10^9/L" for v, clock in reversed(rows))
    cohort.write("measurements.csv", f"patient_id,date,variable,value,unit\n{labs}\n")
    assert check_cohort(cohort.folder) == []
    assert clean_cohort(cohort.folder).visits["value"].tolist() == [value]


def test_two_calls_of_one_day_are_an_error(cohort):
    cohort.write("responses.csv", "patient_id,day,response\nN01,7,CR\nN02,7,PR\nN01,7,NR\nN02,7,PR\n")
    problem = only(errors(cohort.problems()))
    assert (problem.row, problem.more_rows, problem.found) == (2, (4,), "CR and NR of N01 on day 7")


# --- treatments --------------------------------------------------------------------------------------

DRUGS = "patient_id,drug,start_day,stop_day,dose,unit,route,times_per_day\n"


@pytest.mark.parametrize(
    ("row", "column", "found"),
    [
        (
            "N01,dexamethasone,0,6,20000,mg,iv,1",
            "dose",
            "dexamethasone 20000 mg (prednisone 133,333 mg a day)",
        ),
        ("N01,prednisone,0,6,60,g,po,1", "dose", "prednisone 60 g (prednisone 60,000 mg a day)"),
        ("N01,prednisone,0,6,20,mg,po,24", "times_per_day", "24 a day"),
        ("N01,prednisone,0,6,20,mg,po,8", "times_per_day", "8 a day"),
    ],
)
def test_doses_that_nobody_is_given(cohort, row, column, found):
    cohort.write("treatments.csv", DRUGS + row + "\n")
    problem = only(cohort.problems())
    assert (problem.severity, problem.column, problem.found) == ("error", column, found)


def test_a_pulse_is_a_dose(cohort):
    cohort.write(
        "treatments.csv", DRUGS + "N01,methylprednisolone,0,2,1000,mg,iv,1\nN02,prednisone,0,9,5,mg,po,1\n"
    )
    assert cohort.problems() == []


@pytest.mark.parametrize(
    ("text", "times"), [("q8h", 3), ("Q12H", 2), ("b.i.d.", 2), ("qd", 1), ("qod", 0.5), ("4", 4)]
)
def test_shorthand_of_prescriptions_is_read(cohort, text, times):
    cohort.write("treatments.csv", DRUGS + f"N01,prednisone,0,6,10,mg,po,{text}\n")
    assert cohort.problems() == []
    assert clean_cohort(cohort.folder).treatments["times_per_day"].tolist() == [times]


def test_two_doses_of_one_day_are_summed_and_a_repeated_row_counts_once(cohort):
    two = "N01,prednisone,0,0,30,mg,po,1\nN01,prednisone,0,0,20,mg,po,1\nN01,prednisone,0,0,30,mg,po,1\n"
    cohort.write("treatments.csv", DRUGS + two)
    found = {p.found for p in cohort.problems()}
    assert found == {"2 doses of prednisone of N01 on the same days", "the same as line 2"}
    doses = clean_cohort(cohort.folder).doses
    assert doses[(doses["patient_id"] == "N01") & (doses["day"] == 0)]["prednisone_mg"].tolist() == [50]


def test_rows_that_differ_in_a_column_not_read_are_two(cohort):
    cohort.write(
        "events.csv", "patient_id,day,term,grade,lot\nN01,5,rash,2,a\nN01,5,rash,2,b\nN01,5,rash,2,b\n"
    )
    assert [p.row for p in cohort.problems() if p.found.startswith("the same")] == [4]
    assert len(clean_cohort(cohort.folder).events) == 2


# --- patients, dates and events ----------------------------------------------------------------------


def renamed(cohort: Invented, ids: dict[str, str]) -> list[Problem]:
    text = (cohort.folder / "patients.csv").read_text(encoding="utf-8")
    for old, new in ids.items():
        text = re.sub(rf"^{old},", f"{new},", text, flags=re.MULTILINE)
    cohort.write("patients.csv", text)
    return cohort.problems(cohort.labs.replace({"patient_id": ids}))


def test_ids_that_a_spreadsheet_rounded_are_errors(cohort):
    problem = only(renamed(cohort, {"N01": "2.02E+11"}))
    assert (problem.severity, problem.row, problem.found) == ("error", 2, "'2.02E+11'")


@pytest.mark.parametrize(
    ("ids", "kind"),
    [
        ({"N01": "20240117", "N02": "20240233"}, "2 ids that look like a hospital number"),
        ({f"N{n:02d}": f"王小{c}" for n, c in enumerate("明红军丽强", 1)}, "5 ids that look like a name"),
    ],
)
def test_ids_that_tell_who_somebody_is_are_named_without_being_repeated(cohort, ids, kind):
    problem = only(renamed(cohort, ids))
    assert (problem.severity, problem.found) == ("warning", kind)
    assert not any(new in str(problem) for new in ids.values())


@pytest.mark.parametrize("other", ["n1", "N-1", "N01 "])
def test_ids_that_differ_in_form_only_are_asked_about(cohort, other):
    problems = renamed(cohort, {"N02": other})
    assert any(p.severity == "warning" or "second time" in p.found for p in problems), problems


def test_a_group_without_patients_is_an_error(cohort):
    cohort.write("cohort.toml", CONFIG.replace('id = "old"', 'id = "older"'))
    text = (cohort.folder / "patients.csv").read_text(encoding="utf-8")
    cohort.write("patients.csv", "\n".join(line for line in text.splitlines() if ",old," not in line) + "\n")
    problem = only(cohort.problems(cohort.labs[cohort.labs["patient_id"].str[0] == "N"]))
    assert problem.found == "no patient of the group 'older'"


@pytest.mark.parametrize("table", ["measurements", "events", "responses", "treatments"])
def test_a_header_alone_is_an_error_unless_said(cohort, table):
    cohort.problems()
    header = {"events": "patient_id,day,term,grade", "responses": "patient_id,day,response"}
    header |= {"measurements": "patient_id,day,variable,value,unit", "treatments": DRUGS.strip()}
    cohort.write(f"{table}.csv", header[table] + "\n")
    assert only(check_cohort(cohort.folder)).found == "a header and no rows"
    cohort.write("cohort.toml", CONFIG + f"[tables.{table}]\nmay_be_empty = true\n")
    assert check_cohort(cohort.folder) == []


def test_days_0_outside_the_enrolment_and_dates_of_empty_cells(cohort):
    enrolment = 'day0 = "first dose"\nenrolment = ["2022-01", "2024-06"]\n'
    cohort.write("cohort.toml", CONFIG.replace('day0 = "first dose"\n', enrolment))
    head, *lines = (cohort.folder / "patients.csv").read_text(encoding="utf-8").splitlines()
    dates = ["1900-01-01", "2021-12-31", "2024-06-30", *["2023-05-05"] * 21]
    rows = [f"{line},{date}" for line, date in zip(lines, dates, strict=True)]
    cohort.write("patients.csv", "\n".join([f"{head},day0_date", *rows]) + "\n")
    assert [(p.row, p.severity, p.found) for p in cohort.problems()] == [
        (2, "error", "1900-01-01"),
        (3, "error", "2021-12-31"),
    ]


EVENTS = "patient_id,day,term,grade,serious,outcome\n"


@pytest.mark.parametrize(
    ("row", "severity", "found"),
    [
        ("N01,5,stroke,5,yes,", "error", "a fatal event of N01, who is alive"),
        ("N01,5,stroke,,yes,fatal", "error", "a fatal event of N01, who is alive"),
        ("N01,-3,rash,1,no,", "warning", "an event that began on day -3"),
    ],
)
def test_events_that_cannot_be(cohort, row, severity, found):
    cohort.write("events.csv", EVENTS + row + "\n")
    problem = only(cohort.problems())
    assert (problem.severity, problem.found) == (severity, found)


def test_terms_that_differ_in_punctuation_become_one(cohort):
    cohort.write(
        "events.csv", EVENTS + "N01,5,odd thing,1,no,\nN02,5,odd-thing!,1,no,\nN03,5,odd thing,2,no,\n"
    )
    problem = only(cohort.problems())
    assert (problem.severity, problem.row) == ("warning", 3)
    assert set(clean_cohort(cohort.folder).events["term"]) == {"odd thing"}


# --- files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Anämie\nÜbelkeit über Nacht\n", "cp1252"),
        ("fièvre 38,5 °C\ncéphalée\n", "cp1252"),
        ("发热\n巨细胞病毒感染，轻度\n", "gb18030"),
        ("血小板,83,×10⁹/L\n体温,38.5,℃\n", "gb18030"),
        ("Übelkeit, 发热\n", "utf-8"),
    ],
)
def test_encodings_are_told_by_their_words(text, encoding):
    decoded = decode(text.encode(encoding))
    assert (decoded.text, decoded.encoding) == (text, encoding)


def test_a_setting_decides_the_encoding(cohort):
    (cohort.folder / "events.csv").write_bytes((EVENTS + "N01,5,bolesť hlavy,1,no,\n").encode("cp1250"))
    cohort.write("cohort.toml", CONFIG + '[tables.events]\nencoding = "cp1250"\n')
    assert cohort.problems() == []
    assert clean_cohort(cohort.folder).events["term"].tolist() == ["bolesť hlavy"]


def test_western_words_are_read_and_the_encoding_is_named(cohort):
    (cohort.folder / "events.csv").write_bytes(
        (EVENTS + "N01,5,Übelkeit über Nacht,1,no,\n").encode("cp1252")
    )
    assert "by its words it is cp1252" in only(cohort.problems()).found
    assert clean_cohort(cohort.folder).events["term"].tolist() == ["Übelkeit über Nacht"]


def test_signs_that_nobody_sees_are_left_out_and_named(cohort):
    cohort.write("events.csv", EVENTS + "N01,5,odd\x0bface,1,no,\n")
    problem = only(cohort.problems())
    assert (problem.file, problem.row, problem.column, problem.severity) == (
        "events.csv",
        2,
        "term",
        "warning",
    )
    assert clean_cohort(cohort.folder).events["term"].tolist() == ["odd face"]


def test_texts_in_one_line():
    assert without_unseen("a\u200bb\r\nc") == "ab c"
    assert without_unseen("می\u200cخواهم") == "می\u200cخواهم"
    assert (unquoted("“N01”"), unquoted("'N01"), unquoted('so-called "cold"')) == (
        "N01",
        "N01",
        'so-called "cold"',
    )


def test_stray_quotation_marks(cohort):
    cohort.write("events.csv", EVENTS + '\'N01,5,"rash",1,no,\n')
    assert only(cohort.problems()).severity == "warning"
    assert clean_cohort(cohort.folder).events["patient_id"].tolist() == ["N01"]
    cohort.write("events.csv", EVENTS + 'N01,5,"rash,1,no,\nN02,6,cough,1,no,\nN03,7,"fever",1,no,\n')
    assert errors(cohort.problems())


def unsolved_workbook(path: Path, rows: list[list[object]], *, solved: bool) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Labs"
    for row in rows:
        sheet.append(row)
    book.save(path)
    if not solved:
        return
    source = zipfile.ZipFile(io.BytesIO(path.read_bytes()))
    with zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            text = source.read(name)
            if name.endswith("sheet1.xml"):
                text = re.sub(rb"(<f>[^<]*</f>)<v ?/>", rb"\1<v>7</v>", text)
                text = re.sub(rb"(<f>[^<]*</f>)<v></v>", rb"\1<v>7</v>", text)
            target.writestr(name, text)


@pytest.mark.parametrize("solved", [False, True])
def test_formulas_without_a_result_are_errors_that_name_the_sheet(cohort, solved):
    header = ["patient_id", "day", "variable", "value", "unit"]
    rows = [header, ["N01", 0, "platelets", "=3+4", "10^9/L"], ["N02", 0, "platelets", 80, "10^9/L"]]
    unsolved_workbook(cohort.folder / "measurements.xlsx", rows, solved=solved)
    found = [(p.file, p.row, p.found) for p in errors(check_cohort(cohort.folder))]
    expected = ("measurements.xlsx [Labs]", 2, "1 formula without a stored result (D2)")
    assert found == ([] if solved else [expected])


def test_messages_are_folded_by_cause_worst_first(cohort):
    labs = cohort.labs.astype({"value": object})
    labs.loc[:19, "value"] = [f"{n} or so" for n in range(20)]
    labs.loc[100, "day"] = 57
    folded = fold_by_cause(cohort.problems(labs))
    assert [p.severity for p in folded] == ["error", "warning"]
    assert folded[0].found == "'0 or so' and 19 more of this kind"
    assert (folded[0].row, len(folded[0].more_rows)) == (2, 19)


def test_measurements_without_any_value_are_an_error(cohort):
    problem = only(cohort.problems(cohort.labs.assign(value="")))
    assert (problem.severity, problem.row, problem.column) == ("error", None, "value")
    assert problem.found == f"no value in any of {len(cohort.labs)} rows"
    assert only(cohort.problems(cohort.labs.assign(value="n/a"))).severity == "error"
    one = cohort.labs.assign(value=["100", *[""] * (len(cohort.labs) - 1)])
    assert not errors(cohort.problems(one))


def test_a_unit_of_doses_that_nobody_knows_is_a_warning(cohort):
    rows = [
        "ruxolitinib,0,5,mgzz",
        "etoposide,0,100,mg/m2",
        "ivig,0,20,IU",
        "red cells,0,2,units",
        "ivig,9,2,袋",
    ]
    header = "patient_id,drug,start_day,dose,unit"
    cohort.write("treatments.csv", "\n".join([header, *(f"N01,{row}" for row in rows)]) + "\n")
    problem = only([problem for problem in cohort.problems() if problem.column == "unit"])
    assert (problem.severity, problem.row) == ("warning", 2)
    assert problem.found == "unknown unit 'mgzz' of ruxolitinib"


def test_a_patient_beyond_all_others_is_found_whatever_the_order_of_rows(cohort):
    labs = cohort.labs.copy()
    mask = (labs["variable"] == "ferritin") & (labs["patient_id"] == "O11")
    labs.loc[mask, "value"] /= 1000
    for seed in (1, 2):
        shuffled = labs.sample(frac=1, random_state=seed)
        found = only([p for p in cohort.problems(shuffled) if "one patient" in p.found])
        assert found.severity == "error"
        assert len(found.more_rows) + 1 == mask.sum()


@pytest.mark.parametrize(
    ("date", "severity", "found"),
    [
        ("2022-04-01", None, ""),
        ("2202-04-01", "error", "180 years from day 0"),
        ("2072-04-01", "warning", "50 years after day 0"),
    ],
)
def test_dates_of_another_century_are_errors_and_of_the_far_future_warnings(cohort, date, severity, found):
    lines = [
        f"{p},{'new' if p[0] == 'N' else 'old'},{30 + n},{'fm'[n % 2]},2022-02-01,"
        f"{date if n == 3 else '2022-04-01'},"
        for n, p in enumerate(IDS)
    ]
    header = "patient_id,group,age,sex,day0_date,last_contact_date,death_date"
    cohort.write("patients.csv", "\n".join([header, *lines]) + "\n")
    problems = cohort.problems()
    if severity is None:
        assert problems == []
        return
    problem = only(problems)
    assert (problem.severity, problem.row, problem.column) == (severity, 5, "last_contact_date")
    assert found in problem.found


def test_signs_instead_of_a_word_are_named(cohort):
    cohort.write("events.csv", "patient_id,day,term,grade\nN01,3,rash,1\nN02,4,??,2\nN03,5,-,1\n")
    problem = only([p for p in cohort.problems() if p.column == "term" and p.found == "'??'"])
    assert (problem.severity, problem.row) == ("warning", 3)
