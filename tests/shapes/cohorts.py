"""A cohort folder of a given shape; every record is invented."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from design import Shape

LABELS = {
    "plain": ("New drug", "Old care", "cough"),
    "one letter": ("N", "O", "c"),
    "long": (
        "A drug with a very long name " * 6 + "end",
        "Care as usual " * 13 + "end",
        "A long event " * 14,
    ),
    "markup": ("New $x_1$ & <b>", "Old \\frac{a}{b} = 100% #1", "rash <face> & $neck$ = \\alpha _ ^ ~\x0b"),
    "chinese": ("新药组", "历史对照组", "咳嗽"),
    "arabic": ("دواء جديد", "علاج قديم", "سعال"),
}
DAYS = {"baseline": 0, "week_1": 7, "week_8": 56}
Rows = list[tuple[object, ...]]


def write_shape(shape: Shape, folder: Path) -> Path:
    """Write the cohort folder of a shape and return it."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(sum(map(ord, "".join(shape.values()))))
    treated = [f"T{n}" for n in range(1, int(shape["treated"]) + 1)]
    control = [f"C{n}" for n in range(1, int(shape["control"]) + 1)]
    (folder / "cohort.toml").write_text(_config(shape), encoding="utf-8")
    _write(folder, "patients", *_patients(shape, treated, control, rng))
    makers = {
        "measurements": _measurements, "responses": _responses, "events": _events, "treatments": _treatments,
    }  # fmt: skip
    for name, make in makers.items():
        header, rows = make(shape, treated, control, rng)
        if rows:
            _write(folder, name, header, rows)
    return folder


def _write(folder: Path, name: str, header: str, rows: Rows) -> None:
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


def _config(shape: Shape) -> str:
    new, old, _ = LABELS[shape["labels"]]
    visits = [(name, day) for name, day in DAYS.items() if day or shape["baseline"] != "no baseline visit"]
    groups = [("new", new, "treated")] if shape["treated"] != "0" else []
    groups += [("old", old, "reference")] if shape["control"] != "0" else []
    # Longer than the properties of a file may be.
    title = "An invented study " * (20 if shape["labels"] == "long" else 1)
    parts = [
        f"title = '{title}'\nprovenance = 'synthetic'\nstudy_drug = 'ruxolitinib'",
        "[follow_up]\nhorizon_days = 56",
    ]
    parts += [
        f"[[group]]\nid = '{i}'\nlabel = '{label}'\nrole = '{role}'\nday0 = 'day 0 of {i}'"
        for i, label, role in groups
    ]
    parts += [
        f"[[visit]]\nid = '{name}'\nlabel = '{name}'\nday = {day}\nwindow = [{day - 2}, {day}]"
        for name, day in visits
    ]
    parts.append("[criteria]\nresponse = 'paper'\ndiagnosis = ['hlh_2004', 'hscore']")
    return "\n\n".join(parts) + "\n"


def _deaths(shape: Shape, treated: list[str], control: list[str]) -> dict[str, tuple[int, bool]]:
    """Last day of every patient and whether it is a death."""
    everybody = [*treated, *control]
    alive = dict.fromkeys(everybody, (60, False))
    return (
        alive
        | {
            "none": {},
            "all": {p: (3 + 2 * i, True) for i, p in enumerate(everybody)},
            "one": dict.fromkeys(everybody[:1], (20, True)),
            "one arm": {p: (10 + i, True) for i, p in enumerate(treated)},
            "same day": dict.fromkeys(everybody, (12, True)),
            "after the other arm left": {
                **dict.fromkeys(treated, (10, False)),
                **{p: (20 + i, True) for i, p in enumerate(control)},
            },
        }[shape["deaths"]]
    )


def _patients(
    shape: Shape, treated: list[str], control: list[str], rng: np.random.Generator
) -> tuple[str, Rows]:
    ends = _deaths(shape, treated, control)
    header = "patient_id,group,age,sex,weight_kg,diagnosis,splenomegaly,last_contact_day,death_day,day0_date"
    rows: Rows = []
    for place, patient in enumerate([*treated, *control]):
        group = "new" if patient[0] == "T" else "old"
        spleen = {
            "usual": ("yes", "no", "")[place % 3], "absent": "", "one arm": "yes" if group == "new" else "",
            "all against none": "yes" if group == "new" else "no",
        }[shape["spleen"]]  # fmt: skip
        day, died = ends[patient]
        date = f"202{place % 4}-0{1 + place % 9}-15" if shape["dates"] == "usual" else ""
        sex, diagnosis = ("female", "male")[place % 2], ("AOSD", "SLE", "other CTD")[place % 3]
        rows.append((patient, group, 20 + int(rng.integers(50)), sex, 60, diagnosis, spleen, day,
                     day if died else "", date))  # fmt: skip
    if shape["dates"] == "absent":
        return header.removesuffix(",day0_date"), [row[:-1] for row in rows]
    return header, rows


def _days(shape: Shape, patient: str, ends: dict[str, tuple[int, bool]]) -> Iterable[int]:
    known = [day for day in DAYS.values() if day <= ends[patient][0]]
    return [day for day in known if day] if shape["baseline"] == "no values at baseline" else known


def _measurements(
    shape: Shape, treated: list[str], control: list[str], rng: np.random.Generator
) -> tuple[str, Rows]:
    ends = _deaths(shape, treated, control)
    rows: Rows = []
    for patient in [*treated, *control]:
        new = patient[0] == "T"
        for day in _days(shape, patient, ends):
            value = float(f"{rng.lognormal(7.5, 0.7):.4g}")
            ferritin = {
                "absent": "", "one arm": value if new else "", "usual": value, "constant": 900,
                "one value": value if patient in ("T1", "C1") and new else "",
                "tied": (500, 900)[int(value) % 2], "limited": ">1500" if value > 1500 else value,
                "all limited": ">1500",
            }[shape["ferritin"]]  # fmt: skip
            count = int(rng.integers(20, 200))
            platelets = {
                "usual": count, "absent": "", "one arm": count if new else "", "constant": 100,
                "baseline only": count if day == 0 else "",
            }[shape["platelets"]]  # fmt: skip
            found = {"ferritin": (ferritin, "ng/mL"), "platelets": (platelets, "10^9/L")}
            rows += [(patient, day, name, v, unit) for name, (v, unit) in found.items() if v != ""]
    return "patient_id,day,variable,value,unit", rows


def _responses(
    shape: Shape, treated: list[str], control: list[str], rng: np.random.Generator
) -> tuple[str, Rows]:
    ends, rows = _deaths(shape, treated, control), []
    for place, patient in enumerate([*treated, *control]):
        if shape["responses"] == "absent" or (shape["responses"] == "one arm" and patient[0] == "C"):
            continue
        days = [20, 30] if shape["responses"] == "outside windows" else [7, 56]
        for day in days:
            level = "PR" if shape["responses"] == "one level" else ("CR", "PR", "NR")[(place + day) % 3]
            if day <= ends[patient][0]:
                rows.append((patient, day, level))
    return "patient_id,day,response", rows


def _events(
    shape: Shape, treated: list[str], control: list[str], rng: np.random.Generator
) -> tuple[str, Rows]:
    kind, term = shape["events"], LABELS[shape["labels"]][2]
    ends, rows = _deaths(shape, treated, control), []
    for place, patient in enumerate([*treated, *control]):
        day = 58 if kind == "outside the horizon" else 2
        if kind == "absent" or place % 3 == 2 or day > ends[patient][0]:
            continue
        known = kind not in ("ungraded", "partly graded") or (kind == "partly graded" and place % 2)
        rows.append(
            (patient, day, term, 1 + place % 4 if known else "", ("no", "yes")[place % 2] if known else "")
        )
        if kind == "colliding":
            others = [f"{term}!", "any", "Serious", "deaths", "grade 3 or higher"]
            rows += [(patient, day, other, 2, "no") for other in others]
    return "patient_id,day,term,grade,serious", rows


def _treatments(
    shape: Shape, treated: list[str], control: list[str], rng: np.random.Generator
) -> tuple[str, Rows]:
    rows: Rows = []
    for place, patient in enumerate([*treated, *control]):
        if shape["treatments"] == "absent" or (shape["treatments"] == "one arm" and patient[0] == "C"):
            continue
        rows += [(patient, "prednisone", -10, 2, 60, "mg", "po", 1, ""),
                 (patient, "prednisone", 3, "", 10 + place % 40, "mg", "po", 1, "")]  # fmt: skip
        if patient[0] == "T" and shape["treatments"] != "no study drug":
            rows.append((patient, "ruxolitinib", 0, "", 5, "mg", "po", 2, ("", "end of course.")[place % 2]))
    return "patient_id,drug,start_day,stop_day,dose,unit,route,times_per_day,stop_reason", rows
