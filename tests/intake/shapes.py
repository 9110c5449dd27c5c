"""The invented cohort as hospitals have it: sixteen shapes, each written as the programs write them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
from invented import DAYS, LABS, VISITS, Invented, Row, on_day
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

GROUPS = ("Ruxolitinib", "Historical control")
BASICS = {
    "group.treated": "Ruxolitinib",
    "day0.ruxolitinib": "first dose of ruxolitinib",
    "day0.control": "diagnosis of refractory disease",
}
CHINESE_LABS = {
    "temperature": "体温",
    "leucocytes": "白细胞",
    "platelets": "血小板",
    "hemoglobin": "血红蛋白",
    "ast": "谷草转氨酶",
    "fibrinogen": "纤维蛋白原",
    "triglycerides": "甘油三酯",
    "ferritin": "铁蛋白",
}
SHORT_LABS = {
    "temperature": "Temp",
    "leucocytes": "WBC",
    "platelets": "PLT",
    "hemoglobin": "Hb",
    "ast": "AST",
    "fibrinogen": "Fib",
    "triglycerides": "TG",
    "ferritin": "Ferritin",
}
UNITS = {name: unit for name, unit, *_ in LABS}
PRINTED_UNITS = {
    **UNITS,
    "temperature": "°C",
    "leucocytes": "×10⁹/L",
    "platelets": "×10⁹/L",
    "ferritin": "µg/L",
}
CHINESE_DRUGS = {
    "methylprednisolone": "甲泼尼龙",
    "prednisone": "泼尼松",
    "ruxolitinib": "芦可替尼",
    "etoposide": "依托泊苷",
}
CHINESE_TERMS = {
    "cytomegalovirus infection": "巨细胞病毒感染",
    "thrombocytopenia": "血小板减少",
    "anaemia": "贫血",
}
CHINESE_RESPONSES = {"CR": "完全缓解", "PR": "部分缓解", "NR": "未缓解"}


@dataclass(frozen=True)
class Shape:
    """One way of holding the cohort: how it is written, the answers it needs, and what it cannot hold."""

    write: Callable[[Invented, Path], list[Path]]
    answers: dict[str, str]
    leave_out: tuple[str, ...] = ()


def _csv(
    path: Path,
    header: Iterable[str],
    rows: Iterable[Iterable[object]],
    *,
    separator: str = ",",
    encoding: str = "utf-8",
) -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=separator, lineterminator="\r\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path


def _last(patient: Row) -> date:
    return on_day(patient, patient["last_contact_day"])


def _death(patient: Row) -> date | None:
    return on_day(patient, patient["death_day"]) if patient["death_day"] else None


def _by_id(cohort: Invented) -> dict[str, Row]:
    return {row["patient_id"]: row for row in cohort.patients}


# --- text -----------------------------------------------------------------------------------------------


def csv_english(cohort: Invented, folder: Path) -> list[Path]:
    """Long tables with the usual English headers; dates with the day first; marks of thousands."""
    people = _by_id(cohort)

    def told(moment: date | None) -> str:
        return f"{moment:%d/%m/%Y}" if moment else ""

    patients = _csv(
        folder / "demographics.csv",
        (
            "Subject ID",
            "Arm",
            "Age (years)",
            "Gender",
            "Underlying disease",
            "Weight (kg)",
            "Fever",
            "Date of first dose or diagnosis",
            "Date of last follow-up",
            "Date of death",
        ),
        (
            (
                p["patient_id"],
                p["group"],
                p["age"],
                p["sex"][0].upper(),
                p["diagnosis"],
                p["weight_kg"],
                p["fever"][0].upper(),
                told(on_day(p, "0")),
                told(_last(p)),
                told(_death(p)),
            )
            for p in cohort.patients
        ),
    )
    labs = _csv(
        folder / "labs.csv",
        ("Subject ID", "Sample date", "Test", "Result", "Units"),
        (
            (
                m["patient_id"],
                told(on_day(people[m["patient_id"]], m["day"])),
                SHORT_LABS[m["variable"]],
                _thousands(m["value"]),
                PRINTED_UNITS[m["variable"]],
            )
            for m in cohort.measurements
        ),
    )
    drugs = _csv(
        folder / "medication.csv",
        ("Subject ID", "Medication", "Start date", "Stop date", "Dose", "Dose unit", "Route", "Frequency"),
        (
            (
                t["patient_id"],
                t["drug"].capitalize(),
                told(on_day(people[t["patient_id"]], t["start_day"])),
                told(on_day(people[t["patient_id"]], t["stop_day"])),
                t["dose"],
                t["unit"],
                {"po": "oral", "iv": "intravenous"}[t["route"]],
                {"1": "qd", "2": "bid"}[t["times_per_day"]],
            )
            for t in cohort.treatments
        ),
    )
    return [patients, labs, drugs, *_responses_and_events(cohort, folder, told)]


def _responses_and_events(cohort: Invented, folder: Path, told: Callable[[date | None], str]) -> list[Path]:
    people = _by_id(cohort)
    responses = _csv(
        folder / "response.csv",
        ("Subject ID", "Assessment date", "Response"),
        (
            (r["patient_id"], told(on_day(people[r["patient_id"]], r["day"])), r["response"])
            for r in cohort.responses
        ),
    )
    events = _csv(
        folder / "adverse_events.csv",
        ("Subject ID", "Onset date", "Adverse event", "CTCAE grade", "Serious"),
        (
            (
                e["patient_id"],
                told(on_day(people[e["patient_id"]], e["day"])),
                e["term"],
                e["grade"],
                e["serious"],
            )
            for e in cohort.events
        ),
    )
    return [responses, events]


def _thousands(text: str) -> str:
    sign, number = (text[0], text[1:]) if text[0] == ">" else ("", text)
    return f"{sign}{float(number):,.{len(number.partition('.')[2])}f}"


def csv_decimal_comma(cohort: Invented, folder: Path) -> list[Path]:
    """cp1252, semicolons, decimal commas, points for thousands, dates as d.m.y, German headers."""

    def comma(text: str) -> str:
        return _thousands(text).translate(str.maketrans(",.", ".,")) if text else ""

    def told(moment: date | None) -> str:
        return f"{moment:%d.%m.%Y}" if moment else ""

    header = [
        "Patient_Nr",
        "Gruppe",
        "Alter",
        "Geschlecht",
        "Diagnose",
        "Gewicht (kg)",
        "Fever",
        "Day 0",
        "letzter Kontakt",
        "Todesdatum",
        "Bemerkung",
    ]
    header += [
        f"{SHORT_LABS[name]} Tag {day} ({PRINTED_UNITS[name].replace('×10⁹', '10^9')})"
        for day in DAYS
        for name in SHORT_LABS
    ]
    header += [f"Ansprechen Tag {day}" for day in DAYS[1:]]
    rows = [
        [
            p["patient_id"],
            p["group"],
            p["age"],
            p["sex"],
            p["diagnosis"],
            comma(p["weight_kg"]),
            p["fever"],
            told(on_day(p, "0")),
            told(_last(p)),
            told(_death(p)),
            "Übelkeit; müde",
            *(comma(cohort.value(p["patient_id"], day, name)) for day in DAYS for name in SHORT_LABS),
            *(cohort.response(p["patient_id"], day) for day in DAYS[1:]),
        ]
        for p in cohort.patients
    ]
    return [_csv(folder / "klinik.csv", header, rows, separator=";", encoding="cp1252")]


def csv_gb18030(cohort: Invented, folder: Path) -> list[Path]:
    """GB18030, Chinese headers and words, dates as 2023年5月3日, a dose and its frequency in one cell."""

    def told(moment: date | None) -> str:
        return f"{moment.year}年{moment.month}月{moment.day}日" if moment else ""

    people = _by_id(cohort)
    patients = _csv(
        folder / "患者.csv",
        (
            "编号",
            "分组",
            "年龄",
            "性别",
            "基础疾病",
            "体重(kg)",
            "发热",
            "第0天日期",
            "末次随访日期",
            "死亡日期",
        ),
        (
            (
                p["patient_id"],
                {"Ruxolitinib": "芦可替尼组", "Historical control": "对照组"}[p["group"]],
                p["age"],
                {"female": "女", "male": "男"}[p["sex"]],
                p["diagnosis"],
                p["weight_kg"],
                {"yes": "有", "no": "无"}[p["fever"]],
                told(on_day(p, "0")),
                told(_last(p)),
                told(_death(p)),
            )
            for p in cohort.patients
        ),
        encoding="gb18030",
    )
    labs = _csv(
        folder / "化验.csv",
        ("编号", "检验日期", "检验项目", "结果", "单位"),
        (
            (
                m["patient_id"],
                told(on_day(people[m["patient_id"]], m["day"])),
                CHINESE_LABS[m["variable"]],
                m["value"],
                PRINTED_UNITS[m["variable"]].replace("µg", "ug"),
            )
            for m in cohort.measurements
        ),
        encoding="gb18030",
    )
    phrases = {"1": ("每日一次", "1次/日", "qd"), "2": ("每日两次", "q12h", "bid")}
    drugs = _csv(
        folder / "用药.csv",
        ("编号", "药物名称", "开始日期", "停药日期", "用法用量"),
        (
            (
                t["patient_id"],
                CHINESE_DRUGS[t["drug"]],
                told(on_day(people[t["patient_id"]], t["start_day"])),
                told(on_day(people[t["patient_id"]], t["stop_day"])),
                t["dose"]
                + ("毫克 ", "mg ", " mg，")[n % 3]
                + {"po": "口服 ", "iv": "静脉滴注 "}[t["route"]]
                + phrases[t["times_per_day"]][n % 3],
            )
            for n, t in enumerate(cohort.treatments)
        ),
        encoding="gb18030",
    )
    return [patients, labs, drugs]


# --- workbooks ------------------------------------------------------------------------------------------


def _number(text: str) -> object:
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text or None


def _fill(sheet: Worksheet, rows: Iterable[Iterable[object]]) -> None:
    for row in rows:
        sheet.append([_number(cell) if isinstance(cell, str) else cell for cell in row])


def _save(book: Workbook, path: Path) -> list[Path]:
    if "Sheet" in book.sheetnames and len(book.sheetnames) > 1:
        del book["Sheet"]
    book.save(path)
    return [path]


def xlsx_merged_header(cohort: Invented, folder: Path) -> list[Path]:
    """One wide sheet: a title, a header of two rows with merged visits, units in the header, notes below."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    fixed = [
        "No.",
        "Patient ID",
        "Group",
        "Age",
        "Sex",
        "Diagnosis",
        "Weight (kg)",
        "Fever",
        "Day 0 date",
        "Last follow-up",
        "Died on",
    ]
    each = [f"{SHORT_LABS[name]} ({PRINTED_UNITS[name]})" for name in SHORT_LABS]
    width = len(fixed) + len(DAYS) * len(each) + 3
    sheet.append(["Ruxolitinib in refractory MAS: data collection"])
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=width)
    sheet.append([])
    top: list[object] = [*fixed]
    for day in DAYS:
        top += [VISITS[day], *[None] * (len(each) - 1)]
    sheet.append([*top, "Response", None, None])
    sheet.append([None] * len(fixed) + each * len(DAYS) + [VISITS[day] for day in DAYS[1:]])
    for n in range(len(fixed)):
        sheet.merge_cells(start_row=3, start_column=n + 1, end_row=4, end_column=n + 1)
    for n in range(len(DAYS)):
        first = len(fixed) + 1 + n * len(each)
        sheet.merge_cells(start_row=3, start_column=first, end_row=3, end_column=first + len(each) - 1)
    sheet.merge_cells(start_row=3, start_column=width - 2, end_row=3, end_column=width)
    _fill(
        sheet,
        (
            [
                n,
                p["patient_id"],
                p["group"],
                p["age"],
                p["sex"],
                p["diagnosis"],
                p["weight_kg"],
                p["fever"],
                on_day(p, "0"),
                _last(p),
                _death(p),
                *(cohort.value(p["patient_id"], day, name) for day in DAYS for name in SHORT_LABS),
                *(cohort.response(p["patient_id"], day) for day in DAYS[1:]),
            ]
            for n, p in enumerate(cohort.patients, start=1)
        ),
    )
    sheet.append([])
    sheet.append(["Note: ferritin above 15000 was not diluted further."])
    sheet.append(["* data entered by two people"])
    return _save(book, folder / "data collection.xlsx")


def xlsx_chinese(cohort: Invented, folder: Path) -> list[Path]:
    """A Chinese workbook of several sheets, patients linked by name, hospital number beside it."""
    people = _by_id(cohort)
    book = Workbook()
    names = chinese_names(cohort)
    basics = book.create_sheet("基本信息")
    basics.append(["患者基本信息表"])
    basics.append(
        [
            "姓名",
            "住院号",
            "身份证号",
            "联系电话",
            "分组",
            "年龄",
            "性别",
            "诊断",
            "体重（kg）",
            "发热",
            "第0天日期",
            "末次随访日期",
            "死亡日期",
        ]
    )
    for n, p in enumerate(cohort.patients):
        basics.append(
            [
                names[p["patient_id"]],
                f"00{731_000 + 7 * n}",
                national_id(n),
                f"138{10_000_000 + 4_321 * n}",
                {"Ruxolitinib": "芦可替尼", "Historical control": "历史对照"}[p["group"]],
                int(p["age"]),
                {"female": "女", "male": "男"}[p["sex"]],
                p["diagnosis"],
                float(p["weight_kg"]),
                {"yes": "有", "no": "无"}[p["fever"]],
                on_day(p, "0"),
                _last(p),
                _death(p),
            ]
        )
    labs = book.create_sheet("化验")
    labs.append(
        ["姓名", "检验日期", *(f"{CHINESE_LABS[name]}({PRINTED_UNITS[name]})" for name in CHINESE_LABS)]
    )
    for p in cohort.patients:
        for day in DAYS:
            cells = [cohort.value(p["patient_id"], day, name) for name in CHINESE_LABS]
            if any(cells):
                labs.append([names[p["patient_id"]], on_day(p, str(day)), *map(_number, cells)])
    drugs = book.create_sheet("用药")
    drugs.append(["姓名", "药物名称", "开始日期", "停药日期", "剂量", "单位", "给药途径", "频次"])
    for t in cohort.treatments:
        p = people[t["patient_id"]]
        drugs.append(
            [
                names[p["patient_id"]],
                CHINESE_DRUGS[t["drug"]],
                on_day(p, t["start_day"]),
                on_day(p, t["stop_day"]),
                int(t["dose"]),
                "mg",
                {"po": "口服", "iv": "静脉滴注"}[t["route"]],
                {"1": "qd", "2": "bid"}[t["times_per_day"]],
            ]
        )
    calls = book.create_sheet("疗效")
    calls.append(["姓名", "评估日期", "疗效"])
    for r in cohort.responses:
        calls.append(
            [
                names[r["patient_id"]],
                on_day(people[r["patient_id"]], r["day"]),
                CHINESE_RESPONSES[r["response"]],
            ]
        )
    events = book.create_sheet("不良事件")
    events.append(["姓名", "发生日期", "不良事件", "分级", "是否严重"])
    for e in cohort.events:
        events.append(
            [
                names[e["patient_id"]],
                on_day(people[e["patient_id"]], e["day"]),
                CHINESE_TERMS[e["term"]],
                int(e["grade"]),
                {"yes": "是", "no": "否"}[e["serious"]],
            ]
        )
    return _save(book, folder / "噬血综合征数据.xlsx")


def chinese_names(cohort: Invented) -> dict[str, str]:
    """An invented name of every patient."""
    family, given = "王李张刘陈杨黄赵", "伟明芳丽建国秀英"
    ids = [p["patient_id"] for p in cohort.patients]
    return {one: family[n % 8] + given[n // 8] + given[(n * 5 + 3) % 8] for n, one in enumerate(ids)}


def national_id(n: int) -> str:
    """An invented identity number with its right last sign."""
    first = f"110105{1950 + n}0{1 + n % 9}1{n % 9}{100 + n:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return first + "10X98765432"[sum(w * int(d) for w, d in zip(weights, first, strict=True)) % 11]


def xlsx_sheet_a_visit(cohort: Invented, folder: Path) -> list[Path]:
    """A sheet a visit, dates as serial numbers, 2023.5.3 beside them, units in the headers."""
    book = Workbook()
    for day in DAYS:
        sheet = book.create_sheet(VISITS[day])
        own = (
            [
                "Group",
                "Age",
                "Sex",
                "Diagnosis",
                "Weight_kg",
                "Fever",
                "Day 0 date",
                "Last follow-up date",
                "Date of death",
            ]
            if day == 0
            else []
        )
        sheet.append(
            [
                "ID",
                *own,
                *(f"{SHORT_LABS[n]}, {PRINTED_UNITS[n]}" for n in SHORT_LABS),
                *(["Response"] if day else []),
            ]
        )
        for p in cohort.patients:
            if int(p["last_contact_day"]) < day:
                continue
            cells = [cohort.value(p["patient_id"], day, name) for name in SHORT_LABS]
            about = [
                p["group"],
                p["age"],
                p["sex"],
                p["diagnosis"],
                p["weight_kg"],
                p["fever"],
                _serial(on_day(p, "0")),
                _pointed(_last(p)),
                _pointed(_death(p)),
            ]
            _fill(
                sheet,
                [
                    [
                        p["patient_id"],
                        *(about if day == 0 else []),
                        *cells,
                        *([cohort.response(p["patient_id"], day)] if day else []),
                    ]
                ],
            )
    return _save(book, folder / "visits.xlsx")


def _serial(moment: date) -> int:
    return (moment - date(1899, 12, 30)).days


def _pointed(moment: date | None) -> str:
    return f"{moment.year}.{moment.month}.{moment.day}" if moment else ""


def xlsx_sheet_a_patient(cohort: Invented, folder: Path) -> list[Path]:
    """A sheet a patient: names and values side by side above, a flow sheet with the days on top below."""
    book = Workbook()
    for p in cohort.patients:
        sheet = book.create_sheet(p["patient_id"])
        _fill(
            sheet,
            [
                ["Patient ID", p["patient_id"]],
                ["Group", p["group"]],
                ["Age", p["age"]],
                ["Sex", p["sex"]],
                ["Diagnosis", p["diagnosis"]],
                ["Weight (kg)", p["weight_kg"]],
                ["Fever", p["fever"]],
                ["Day 0 date", on_day(p, "0")],
                ["Last follow-up date", _last(p)],
                ["Date of death", _death(p)],
            ],
        )
        sheet.append([])
        sheet.append(["Test", "Unit", *(f"Day {day}" for day in DAYS)])
        for name in SHORT_LABS:
            cells = [cohort.value(p["patient_id"], day, name) for day in DAYS]
            _fill(sheet, [[SHORT_LABS[name], PRINTED_UNITS[name], *cells]])
    return _save(book, folder / "patients one by one.xlsx")


def xlsx_tables_below(cohort: Invented, folder: Path) -> list[Path]:
    """Several tables in one sheet, each below its title; the id stands in the first row of each patient."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "All data"
    sheet.append(["Table A. Patients"])
    sheet.append(
        [
            "Study ID",
            "Arm",
            "Age",
            "Sex",
            "Diagnosis",
            "Weight (kg)",
            "Fever",
            "Follow-up days",
            "Day of death",
        ]
    )
    _fill(
        sheet,
        (
            [
                p["patient_id"],
                p["group"],
                p["age"],
                p["sex"],
                p["diagnosis"],
                p["weight_kg"],
                p["fever"],
                p["last_contact_day"],
                p["death_day"],
            ]
            for p in cohort.patients
        ),
    )
    sheet.append(["Note: weights as told by the patients"])
    sheet.append([])
    sheet.append(["Table B. Laboratory"])
    sheet.append(["Study ID", "Day", *(f"{SHORT_LABS[n]} [{PRINTED_UNITS[n]}]" for n in SHORT_LABS)])
    for p in cohort.patients:
        shown = p["patient_id"]
        for day in DAYS:
            cells = [cohort.value(p["patient_id"], day, name) for name in SHORT_LABS]
            if any(cells):
                _fill(sheet, [[shown, day, *cells]])
                shown = ""
    sheet.append([])
    sheet.append(["Table C. Treatment"])
    sheet.append(["Study ID", "Drug", "Start day", "Stop day", "Dose", "Unit", "Route", "Times per day"])
    _fill(
        sheet,
        (
            [
                t["patient_id"],
                t["drug"],
                t["start_day"],
                t["stop_day"],
                t["dose"],
                t["unit"],
                t["route"],
                t["times_per_day"],
            ]
            for t in cohort.treatments
        ),
    )
    sheet.append([])
    sheet.append(["Table D. Response"])
    sheet.append(["Study ID", "Day", "Response"])
    _fill(sheet, ([r["patient_id"], r["day"], r["response"]] for r in cohort.responses))
    return _save(book, folder / "all in one sheet.xlsx")


# --- REDCap ---------------------------------------------------------------------------------------------

_DICTIONARY = (
    "Variable / Field Name",
    "Form Name",
    "Section Header",
    "Field Type",
    "Field Label",
    "Choices, Calculations, OR Slider Labels",
    "Field Note",
)
_FIELDS = [
    ("record_id", "demographics", "", "text", "Record ID", "", ""),
    ("arm", "demographics", "", "radio", "Group", "1, Ruxolitinib | 2, Historical control", ""),
    ("age_y", "demographics", "", "text", "Age (years)", "", ""),
    ("sex", "demographics", "", "radio", "Sex", "1, Female | 2, Male", ""),
    ("dx", "demographics", "", "dropdown", "Underlying disease", "1, AOSD | 2, SLE | 3, other CTD", ""),
    ("wt", "demographics", "", "text", "Weight (kg)", "", ""),
    ("signs", "demographics", "", "checkbox", "Signs at baseline", "1, Fever | 2, Something else", ""),
    ("d0", "demographics", "", "text", "Day 0 date", "", ""),
    ("fu_date", "demographics", "", "text", "Date of last follow-up", "", ""),
    ("dod", "demographics", "", "text", "Date of death", "", ""),
    *((f"lab_{n}", "labs", "", "text", f"{SHORT_LABS[n]} ({PRINTED_UNITS[n]})", "", "") for n in SHORT_LABS),
    ("resp", "labs", "", "radio", "Response", "1, CR | 2, PR | 3, NR", ""),
    ("ae_term", "ae", "", "text", "Adverse event", "", ""),
    ("ae_day", "ae", "", "text", "Onset day", "", ""),
    ("ae_grade", "ae", "", "text", "CTCAE grade", "", ""),
    ("ae_ser", "ae", "", "yesno", "Serious", "", ""),
    ("med", "meds", "", "text", "Drug", "", ""),
    ("med_start", "meds", "", "text", "Start day", "", ""),
    ("med_stop", "meds", "", "text", "Stop day", "", ""),
    ("med_dose", "meds", "", "text", "Dose", "", ""),
    ("med_unit", "meds", "", "text", "Dose unit", "", ""),
    ("med_route", "meds", "", "radio", "Route", "1, iv | 2, po", ""),
    ("med_freq", "meds", "", "text", "Times per day", "", ""),
]
_CODES = {
    "group": {"Ruxolitinib": 1, "Historical control": 2},
    "sex": {"female": 1, "male": 2},
    "diagnosis": {"AOSD": 1, "SLE": 2, "other CTD": 3},
    "response": {"CR": 1, "PR": 2, "NR": 3, "": ""},
}


def _redcap_person(p: Row) -> dict[str, object]:
    return {
        "arm": _CODES["group"][p["group"]],
        "age_y": p["age"],
        "sex": _CODES["sex"][p["sex"]],
        "dx": _CODES["diagnosis"][p["diagnosis"]],
        "wt": p["weight_kg"],
        "signs___1": int(p["fever"] == "yes"),
        "signs___2": 0,
        "d0": p["day0_date"],
        "fu_date": _last(p).isoformat(),
        "dod": _death(p) or "",
    }


def _redcap(folder: Path, rows: list[dict[str, object]], columns: list[str]) -> list[Path]:
    data = _csv(folder / "Project_DATA.csv", columns, ([row.get(c, "") for c in columns] for row in rows))
    return [data, _csv(folder / "Project_DataDictionary.csv", _DICTIONARY, _FIELDS)]


_PERSON = ["arm", "age_y", "sex", "dx", "wt", "signs___1", "signs___2", "d0", "fu_date", "dod"]


def redcap_longitudinal(cohort: Invented, folder: Path) -> list[Path]:
    """A longitudinal project: one row an event, codes, check boxes; the data dictionary beside it."""
    events = {0: "baseline_arm_1", 7: "week_1_arm_1", 14: "week_2_arm_1", 28: "week_4_arm_1"}
    rows: list[dict[str, object]] = []
    for p in cohort.patients:
        for day, event in events.items():
            labs = {f"lab_{name}": cohort.value(p["patient_id"], day, name) for name in SHORT_LABS}
            row = {
                "record_id": p["patient_id"],
                "redcap_event_name": event,
                **labs,
                "resp": _CODES["response"][cohort.response(p["patient_id"], day)],
            }
            rows.append(row | (_redcap_person(p) if day == 0 else {}))
    columns = ["record_id", "redcap_event_name", *_PERSON, *(f"lab_{n}" for n in SHORT_LABS), "resp"]
    return _redcap(folder, rows, columns)


def redcap_flat(cohort: Invented, folder: Path) -> list[Path]:
    """A project without events: one row a patient, a field for each variable at each visit."""
    short = {0: "bl", 7: "w1", 14: "w2", 28: "w4"}
    own = {"record_id", *(name.partition("___")[0] for name in _PERSON)}
    fields = [field for field in _FIELDS if field[0] in own]
    for day, visit in short.items():
        fields += [
            (
                f"{SHORT_LABS[n].lower()}_{visit}",
                "labs",
                "",
                "text",
                f"{SHORT_LABS[n]} at {VISITS[day].lower()} ({PRINTED_UNITS[n]})",
                "",
                "",
            )
            for n in SHORT_LABS
        ]
        if day:
            label = f"Response at {VISITS[day].lower()}"
            fields.append((f"resp_{visit}", "labs", "", "radio", label, "1, CR | 2, PR | 3, NR", ""))
    rows: list[dict[str, object]] = []
    for p in cohort.patients:
        row: dict[str, object] = {"record_id": p["patient_id"], **_redcap_person(p)}
        for day, visit in short.items():
            row |= {
                f"{SHORT_LABS[n].lower()}_{visit}": cohort.value(p["patient_id"], day, n) for n in SHORT_LABS
            }
            row[f"resp_{visit}"] = _CODES["response"][cohort.response(p["patient_id"], day)]
        rows.append(row)
    names = [field[0] for field in fields if field[0] not in own]
    data = _csv(
        folder / "Flat_DATA.csv",
        ("record_id", *_PERSON, *names),
        ([row.get(c, "") for c in ("record_id", *_PERSON, *names)] for row in rows),
    )
    return [data, _csv(folder / "Flat_DataDictionary.csv", _DICTIONARY, fields)]


def redcap_repeating(cohort: Invented, folder: Path) -> list[Path]:
    """Repeating instruments: medication and adverse events as rows of their own among the visits."""
    rows: list[dict[str, object]] = []
    for p in cohort.patients:
        one = p["patient_id"]
        rows.append({"record_id": one, **_redcap_person(p)})
        for n, day in enumerate(DAYS, start=1):
            labs = {f"lab_{name}": cohort.value(one, day, name) for name in SHORT_LABS}
            if any(labs.values()):
                call = _CODES["response"][cohort.response(one, day)]
                rows.append(
                    {
                        "record_id": one,
                        "redcap_repeat_instrument": "labs",
                        "redcap_repeat_instance": n,
                        "lab_day": day,
                        **labs,
                        "resp": call,
                    }
                )
        for n, t in enumerate((t for t in cohort.treatments if t["patient_id"] == one), start=1):
            rows.append(
                {
                    "record_id": one,
                    "redcap_repeat_instrument": "meds",
                    "redcap_repeat_instance": n,
                    "med": t["drug"],
                    "med_start": t["start_day"],
                    "med_stop": t["stop_day"],
                    "med_dose": t["dose"],
                    "med_unit": t["unit"],
                    "med_route": {"iv": 1, "po": 2}[t["route"]],
                    "med_freq": t["times_per_day"],
                }
            )
        for n, e in enumerate((e for e in cohort.events if e["patient_id"] == one), start=1):
            rows.append(
                {
                    "record_id": one,
                    "redcap_repeat_instrument": "ae",
                    "redcap_repeat_instance": n,
                    "ae_term": e["term"],
                    "ae_day": e["day"],
                    "ae_grade": e["grade"],
                    "ae_ser": int(e["serious"] == "yes"),
                }
            )
    fields = [f[0] for f in _FIELDS if f[0] not in ("record_id", *_PERSON, "signs")]
    columns = [
        "record_id",
        "redcap_repeat_instrument",
        "redcap_repeat_instance",
        *_PERSON,
        "lab_day",
        *fields,
    ]
    paths = _redcap(folder, rows, columns)
    return [
        paths[0],
        _csv(paths[1], _DICTIONARY, [*_FIELDS, ("lab_day", "labs", "", "text", "Study day", "", "")]),
    ]


# --- statistics programs --------------------------------------------------------------------------------


def _wide_frame(cohort: Invented) -> tuple[pd.DataFrame, dict[str, str]]:
    """One row a patient with coded columns, and what they are called in words."""
    rows = []
    labels = {
        "id": "Patient",
        "grp": "Treatment group",
        "age": "Age in years",
        "sex": "Sex",
        "dx": "Underlying disease",
        "wt": "Body weight (kg)",
        "fever": "Fever",
        "futime": "Follow-up days",
        "died": "Died",
    }
    for p in cohort.patients:
        row: dict[str, object] = {
            "id": p["patient_id"],
            "grp": float(_CODES["group"][p["group"]]),
            "age": float(p["age"]),
            "sex": float(_CODES["sex"][p["sex"]]),
            "dx": float(_CODES["diagnosis"][p["diagnosis"]]),
            "wt": float(p["weight_kg"]),
            "fever": float(p["fever"] == "yes"),
            "futime": float(p["last_contact_day"]),
            "died": float(bool(p["death_day"])),
        }
        for day in DAYS:
            for name in SHORT_LABS:
                column = f"{SHORT_LABS[name].lower()}_d{day}"
                labels[column] = f"{SHORT_LABS[name]} day {day} ({PRINTED_UNITS[name]})"
                text = cohort.value(p["patient_id"], day, name)
                row[column] = text if name == "ferritin" else float(text) if text else None
        rows.append(row)
    return pd.DataFrame(rows), labels


_VALUE_LABELS = {
    "grp": {1.0: "Ruxolitinib", 2.0: "Historical control"},
    "sex": {1.0: "Female", 2.0: "Male"},
    "dx": {1.0: "AOSD", 2.0: "SLE", 3.0: "other CTD"},
    "fever": {0.0: "No", 1.0: "Yes"},
    "died": {0.0: "No", 1.0: "Yes"},
}


def spss(cohort: Invented, folder: Path) -> list[Path]:
    """An SPSS file with labels of variables and values."""
    frame, labels = _wide_frame(cohort)
    path = folder / "study.sav"
    pyreadstat.write_sav(frame, str(path), column_labels=labels, variable_value_labels=_VALUE_LABELS)
    return [path]


def stata(cohort: Invented, folder: Path) -> list[Path]:
    """A Stata file with labels of variables and values."""
    frame, labels = _wide_frame(cohort)
    integers = {
        name: {int(code): text for code, text in codes.items()} for name, codes in _VALUE_LABELS.items()
    }
    path = folder / "study.dta"
    frame = frame.astype(dict.fromkeys(integers, "int64"))
    pyreadstat.write_dta(frame, str(path), column_labels=labels, variable_value_labels=integers)
    return [path]


def _cdisc_day(day: str) -> float:
    return float(int(day) + 1 if int(day) >= 0 else int(day))


def adam_xpt(cohort: Invented, folder: Path) -> list[Path]:
    """ADaM data sets as transport files: ADSL, ADLB, ADTTE, ADRS, ADAE, ADCM; days without a day 0."""
    codes = {
        "temperature": "TEMP",
        "leucocytes": "WBC",
        "platelets": "PLAT",
        "hemoglobin": "HGB",
        "ast": "AST",
        "fibrinogen": "FIBRINO",
        "triglycerides": "TRIG",
        "ferritin": "FERRITIN",
    }
    adsl = [
        {
            "STUDYID": "X1",
            "USUBJID": p["patient_id"],
            "TRT01A": p["group"],
            "AGE": float(p["age"]),
            "SEX": p["sex"][0].upper(),
            "DIAGNOSI": p["diagnosis"],
            "WEIGHT": float(p["weight_kg"]),
            "FEVER": p["fever"],
        }
        for p in cohort.patients
    ]
    adlb = [
        {
            "USUBJID": m["patient_id"],
            "PARAMCD": codes[m["variable"]],
            "AVALC": m["value"],
            "AVALU": UNITS[m["variable"]].replace("Cel", "C"),
            "ADY": _cdisc_day(m["day"]),
        }
        for m in cohort.measurements
    ]
    adtte = [
        {
            "USUBJID": p["patient_id"],
            "PARAMCD": "OS",
            "AVAL": _cdisc_day(p["last_contact_day"]),
            "CNSR": float(not p["death_day"]),
        }
        for p in cohort.patients
    ]
    adrs = [
        {
            "USUBJID": r["patient_id"],
            "PARAMCD": "OVRLRESP",
            "AVALC": r["response"],
            "ADY": _cdisc_day(r["day"]),
        }
        for r in cohort.responses
    ]
    adae = [
        {
            "USUBJID": e["patient_id"],
            "AEDECOD": e["term"],
            "ATOXGR": e["grade"],
            "AESER": e["serious"][0].upper(),
            "ASTDY": _cdisc_day(e["day"]),
        }
        for e in cohort.events
    ]
    adcm = [
        {
            "USUBJID": t["patient_id"],
            "CMDECOD": t["drug"].upper(),
            "CMDOSE": float(t["dose"]),
            "CMDOSU": t["unit"],
            "CMROUTE": {"po": "ORAL", "iv": "INTRAVENOUS"}[t["route"]],
            "CMDOSFRQ": {"1": "QD", "2": "BID"}[t["times_per_day"]],
            "ASTDY": _cdisc_day(t["start_day"]),
            "AENDY": _cdisc_day(t["stop_day"]),
        }
        for t in cohort.treatments
    ]
    paths = []
    for name, rows in {
        "adsl": adsl,
        "adlb": adlb,
        "adtte": adtte,
        "adrs": adrs,
        "adae": adae,
        "adcm": adcm,
    }.items():
        paths.append(folder / f"{name}.xpt")
        pyreadstat.write_xport(pd.DataFrame(rows), str(paths[-1]), table_name=name.upper())
    return paths


def parquet_long(cohort: Invented, folder: Path) -> list[Path]:
    """Parquet files of a data warehouse: typed columns, time stamps."""
    people = _by_id(cohort)
    patients = pd.DataFrame(
        {
            "subject_id": p["patient_id"],
            "cohort": p["group"],
            "age": int(p["age"]),
            "gender": p["sex"],
            "diagnosis": p["diagnosis"],
            "weight": float(p["weight_kg"]),
            "fever": p["fever"] == "yes",
            "index_date": pd.Timestamp(on_day(p, "0")),
            "last_contact": pd.Timestamp(_last(p)),
            "death_date": pd.Timestamp(_death(p)) if _death(p) else pd.NaT,
        }
        for p in cohort.patients
    )
    labs = pd.DataFrame(
        {
            "subject_id": m["patient_id"],
            "collection_date": pd.Timestamp(on_day(people[m["patient_id"]], m["day"])),
            "analyte": m["variable"],
            "value": m["value"],
            "unit": m["unit"],
        }
        for m in cohort.measurements
    )
    paths = []
    for name, frame in (("patients_export", patients), ("labs_export", labs)):
        paths.append(folder / f"{name}.parquet")
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), paths[-1])
    return paths


def csv_matrix_a_variable(cohort: Invented, folder: Path) -> list[Path]:
    """A file a variable: patients in rows, days on top, a title above; dates with the month first."""
    paths = [
        _csv(
            folder / "patients.tsv",
            (
                "patient",
                "treatment group",
                "age",
                "sex",
                "diagnosis",
                "weight_kg",
                "fever",
                "Randomisation",
                "date of last contact",
                "date of death",
            ),
            (
                [
                    p["patient_id"],
                    p["group"],
                    p["age"],
                    p["sex"],
                    p["diagnosis"],
                    p["weight_kg"],
                    p["fever"],
                    f"{on_day(p, '0'):%m/%d/%Y}",
                    f"{_last(p):%m/%d/%Y}",
                    f"{_death(p):%m/%d/%Y}" if _death(p) else "",
                ]
                for p in cohort.patients
            ),
            separator="\t",
        )
    ]
    for name in SHORT_LABS:
        path = folder / f"{name}.csv"
        rows = [
            [p["patient_id"], *(cohort.value(p["patient_id"], day, name) for day in DAYS)]
            for p in cohort.patients
        ]
        _csv(path, ("patient", *(f"day {day}" for day in DAYS)), rows)
        path.write_text(
            f"{SHORT_LABS[name]} ({PRINTED_UNITS[name]})\n" + path.read_text("utf-8"), encoding="utf-8"
        )
        paths.append(path)
    return paths


_NO_LONG = ("treatments", "events")
_CHINESE = {**BASICS, "group.treated": "芦可替尼"}
SHAPES: dict[str, Shape] = {
    "csv_english": Shape(csv_english, {**BASICS, "use.day0_date": "Date of first dose or diagnosis"}),
    "csv_decimal_comma": Shape(csv_decimal_comma, BASICS, _NO_LONG),
    "csv_gb18030": Shape(csv_gb18030, {**_CHINESE, "group.treated": "芦可替尼组"}, ("events", "responses")),
    "csv_matrix_a_variable": Shape(
        csv_matrix_a_variable, {**BASICS, "use.day0_date": "Randomisation"}, (*_NO_LONG, "responses")
    ),
    "xlsx_merged_header": Shape(xlsx_merged_header, BASICS, _NO_LONG),
    "xlsx_chinese": Shape(xlsx_chinese, _CHINESE),
    "xlsx_sheet_a_visit": Shape(xlsx_sheet_a_visit, BASICS, _NO_LONG),
    "xlsx_sheet_a_patient": Shape(xlsx_sheet_a_patient, BASICS, (*_NO_LONG, "responses")),
    "xlsx_tables_below": Shape(xlsx_tables_below, BASICS, ("events", "patients.day0_date")),
    "redcap_flat": Shape(redcap_flat, BASICS, _NO_LONG),
    "redcap_longitudinal": Shape(redcap_longitudinal, BASICS, _NO_LONG),
    "redcap_repeating": Shape(redcap_repeating, BASICS),
    "spss": Shape(spss, BASICS, (*_NO_LONG, "responses", "patients.day0_date")),
    "stata": Shape(stata, BASICS, (*_NO_LONG, "responses", "patients.day0_date")),
    "adam_xpt": Shape(adam_xpt, {**BASICS, "column.DIAGNOSI": "patients.diagnosis"}, ("patients.day0_date",)),
    "parquet_long": Shape(parquet_long, {**BASICS, "use.day0_date": "index_date"}, (*_NO_LONG, "responses")),
}
