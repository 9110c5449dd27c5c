"""Classes of faults: each changes a cohort in place and says what it did; nothing if it did nothing."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.vocabulary.reading import shipped_vocabulary

Rng = np.random.Generator
VOCABULARY = shipped_vocabulary()
FACTORS = (10.0, 100.0, 1000.0)


@dataclass
class Cohort:
    """The raw files of a cohort: tables as text, settings, and files that are to be written as they are."""

    folder: Path
    tables: dict[str, pd.DataFrame]
    settings: str
    raw: dict[str, bytes] = field(default_factory=dict)
    before: set[str] = field(default_factory=set)
    clean: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.folder.name

    @classmethod
    def read(cls, folder: Path) -> Cohort:
        tables = {
            path.stem: pd.read_csv(path, dtype=str, keep_default_na=False)
            for path in sorted(folder.glob("*.csv"))
        }
        return cls(folder, tables, (folder / "cohort.toml").read_text(encoding="utf-8"))

    def copy(self) -> Cohort:
        return replace(self, tables={name: frame.copy() for name, frame in self.tables.items()}, raw={})

    def write(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "cohort.toml").write_text(self.settings, encoding="utf-8")
        for name, frame in self.tables.items():
            (folder / f"{name}.csv").write_bytes(self.raw.get(name, self.csv(frame)))

    @staticmethod
    def csv(frame: pd.DataFrame) -> bytes:
        buffer = io.StringIO()
        frame.to_csv(buffer, index=False, lineterminator="\n")
        return buffer.getvalue().encode()


CLASSES: dict[str, Callable[[Cohort, Rng], str]] = {}
# Changes into data that may as well be true.
UNKNOWABLE: set[str] = set()


def fault(function: Callable[[Cohort, Rng], str]) -> Callable[[Cohort, Rng], str]:
    CLASSES[function.__name__] = function
    return function


def unknowable(function: Callable[[Cohort, Rng], str]) -> Callable[[Cohort, Rng], str]:
    UNKNOWABLE.add(function.__name__)
    return fault(function)


def pick(rng: Rng, things):
    things = list(things)
    return things[int(rng.integers(len(things)))]


def _values(cohort: Cohort, *, narrow: bool) -> dict[str, pd.Index]:
    """Rows with a number above 0, by variable; narrow variables leave no room for a factor of ten."""
    frame = cohort.tables["measurements"]
    known = pd.to_numeric(frame["value"], errors="coerce") > 0
    return {
        name: rows.index
        for name, rows in frame[known].groupby("variable")
        if name in VOCABULARY and VOCABULARY[name].skewed != narrow and VOCABULARY[name].type == "number"
    }


def _scale(cohort: Cohort, rows: pd.Index, factor: float) -> None:
    values = cohort.tables["measurements"].loc[rows, "value"].astype(float) * factor
    cohort.tables["measurements"].loc[rows, "value"] = [f"{value:.4g}" for value in values]


def frame_of(cohort: Cohort, rows: pd.Index) -> pd.Series:
    return cohort.tables["measurements"].loc[rows, "value"].astype(float)


def _factor(rng: Rng) -> float:
    return pick(rng, FACTORS) ** pick(rng, (1, -1))


# --- values off by a factor ------------------------------------------------------------------------------


@fault
def variable_off_by_a_factor(cohort: Cohort, rng: Rng) -> str:
    rows = _values(cohort, narrow=True)
    name, factor = pick(rng, rows), _factor(rng)
    _scale(cohort, rows[name], factor)
    return f"all {name} times {factor:g}"


@fault
def arm_off_by_a_factor(cohort: Cohort, rng: Rng) -> str:
    rows = _values(cohort, narrow=True)
    name, factor, people = pick(rng, rows), _factor(rng), cohort.tables["patients"]
    group = pick(rng, sorted(people["group"].unique()))
    members = people.loc[people["group"] == group, "patient_id"]
    mine = rows[name][cohort.tables["measurements"].loc[rows[name], "patient_id"].isin(members)]
    _scale(cohort, mine, factor)
    return f"{name} of {group} times {factor:g}"


@fault
def patient_off_by_a_factor(cohort: Cohort, rng: Rng) -> str:
    rows = _values(cohort, narrow=True)
    name, factor = pick(rng, rows), _factor(rng)
    patients = cohort.tables["measurements"].loc[rows[name], "patient_id"]
    counts = patients.value_counts()
    who = pick(rng, sorted(counts.index[counts >= 3]) or [""])
    if not who:
        return ""
    own, rest = (frame_of(cohort, rows[name][mask]) for mask in (patients == who, patients != who))
    # A tenth of fibrinogen is what the disease does: within twice the others' ends nobody could know.
    if rest.min() / 2 < own.quantile(0.9) * factor and own.quantile(0.1) * factor < rest.max() * 2:
        return ""
    _scale(cohort, rows[name][patients == who], factor)
    return f"{name} of {who} times {factor:g}"


@fault
def value_out_of_place(cohort: Cohort, rng: Rng) -> str:
    rows = _values(cohort, narrow=True)
    name = pick(rng, rows)
    row = pick(rng, rows[name])
    frame = cohort.tables["measurements"]
    old = frame.loc[row, "value"]
    new = pick(rng, [f"-{old}", f"{float(old) * 1000:g}", f"{float(old) / 1000:g}", "999999"])
    frame.loc[row, "value"] = new
    return f"{name} {old} -> {new}"


@fault
def unit_of_another(cohort: Cohort, rng: Rng) -> str:
    rows = _values(cohort, narrow=True)
    name, frame = pick(rng, rows), cohort.tables["measurements"]
    old = frame.loc[rows[name][0], "unit"]
    units = VOCABULARY[name].units
    sizes = {unit: float(c.to_standard(np.array([1.0]))[0] - c.to_standard(np.array([0.0]))[0])
             for unit, c in units.items()}  # fmt: skip
    mine = sizes.get(old, 1.0)
    others = [unit for unit, size in sizes.items() if max(size / mine, mine / size) >= 5]
    new = pick(rng, [*others, "furlongs", "mg/kg/day", "?"])
    who = pick(rng, ("everybody", "an arm"))
    members = set(cohort.tables["patients"]["patient_id"])
    if who == "an arm":
        people = cohort.tables["patients"]
        members = set(people.loc[people["group"] == people["group"].iloc[0], "patient_id"])
    frame.loc[rows[name][frame.loc[rows[name], "patient_id"].isin(members)], "unit"] = new
    return f"{name} of {who}: {old} -> {new}"


# --- words and numbers -----------------------------------------------------------------------------------

_NUMBERS = {
    "patients": ("age", "weight_kg", "death_day", "last_contact_day"), "measurements": ("day", "value"),
    "treatments": ("start_day", "stop_day", "dose", "times_per_day"), "responses": ("day",),
    "events": ("day", "grade"),
}  # fmt: skip


@fault
def text_for_a_number(cohort: Cohort, rng: Rng) -> str:
    table = pick(rng, [name for name in _NUMBERS if name in cohort.tables])
    frame = cohort.tables[table]
    column = pick(rng, [name for name in _NUMBERS[table] if name in frame])
    row = int(rng.integers(len(frame)))
    new = pick(rng, ["high", "12..5", "1O5", "abc", "5 or 6", "~~", "12/5", "3-4", "n.n.", "#REF!", "∞"])
    old = frame.loc[row, column]
    frame.loc[row, column] = new
    return f"{table} {column} {row}: {old!r} -> {new!r}"


def _misspelt(text: str, rng: Rng) -> str:
    place = int(rng.integers(1, max(2, len(text))))
    return pick(
        rng, [text[:place] + "x" + text[place:], text[:place] + text[place + 1 :] + "qq", text + "zz"]
    )


@fault
def word_misspelt(cohort: Cohort, rng: Rng) -> str:
    columns = {
        "patients": ("group", "sex", "fever", "splenomegaly"), "measurements": ("variable", "unit"),
        "treatments": ("unit", "route"), "responses": ("response",),
    }  # fmt: skip
    table = pick(rng, [name for name in columns if name in cohort.tables])
    frame = cohort.tables[table]
    column = pick(rng, [name for name in columns[table] if name in frame])
    row = pick(rng, frame.index[frame[column] != ""])
    old = frame.loc[row, column]
    frame.loc[row, column] = _misspelt(old, rng)
    return f"{table} {column} {row}: {old!r} -> {frame.loc[row, column]!r}"


@fault
def patient_unknown(cohort: Cohort, rng: Rng) -> str:
    table = pick(rng, [name for name in _NUMBERS if name in cohort.tables and name != "patients"])
    frame = cohort.tables[table]
    row = int(rng.integers(len(frame)))
    old = frame.loc[row, "patient_id"]
    frame.loc[row, "patient_id"] = pick(rng, [f"{old}9", "", f"X{old}", "unknown", old[:-1] + "?"])
    return f"{table} {row}: {old!r} -> {frame.loc[row, 'patient_id']!r}"


@fault
def row_twice(cohort: Cohort, rng: Rng) -> str:
    table = pick(rng, [name for name in _NUMBERS if name in cohort.tables])
    frame = cohort.tables[table]
    row = frame.iloc[[int(rng.integers(len(frame)))]].copy()
    column = ""
    if table == "patients" and rng.random() < 0.5:
        column = pick(rng, ["age", "weight_kg"])
        row[column] = "33"
    cohort.tables[table] = pd.concat([frame, row], ignore_index=True)
    return f"{table}: a row twice{', another ' + column if column else ''}"


# --- files and columns -----------------------------------------------------------------------------------


@fault
def column_lost(cohort: Cohort, rng: Rng) -> str:
    needed = {
        "patients": ("patient_id", "group", "last_contact_day"),
        "responses": ("patient_id", "day", "response"), "events": ("patient_id", "day", "term"),
        "measurements": ("patient_id", "day", "variable", "value", "unit"),
        "treatments": ("patient_id", "drug", "start_day", "dose", "unit"),
    }  # fmt: skip
    table = pick(rng, [name for name in needed if name in cohort.tables])
    column, frame = pick(rng, needed[table]), cohort.tables[table]
    how = pick(rng, ["lost", "misspelt", "emptied", "twice"])
    if how == "lost":
        cohort.tables[table] = frame.drop(columns=column)
    elif how == "misspelt":
        cohort.tables[table] = frame.rename(columns={column: f"{column[:3]}zq{column[3:]}"})
    elif how == "emptied":
        frame[column] = ""
    else:
        cohort.raw[table] = Cohort.csv(pd.concat([frame, frame[[column]].shift(1, fill_value="")], axis=1))
    return f"{table} {column} {how}"


@fault
def file_broken(cohort: Cohort, rng: Rng) -> str:
    table = pick(rng, [name for name in _NUMBERS if name in cohort.tables])
    text = cohort.csv(cohort.tables[table])
    lines = text.split(b"\n")
    place = int(rng.integers(1, max(2, len(lines) - 1)))
    how = pick(rng, ["header only", "empty", "binary", "cut off", "a field too many", "an open quote",
                     "no header", "utf-16", "a field too few"])  # fmt: skip
    lines_of = {
        "header only": lines[:1], "empty": [], "binary": [bytes(rng.integers(0, 256, 400, dtype=np.uint8))],
        "a field too many": [*lines[:place], lines[place] + b",7", *lines[place + 1 :]],
        "an open quote": [*lines[:place], b'"' + lines[place], *lines[place + 1 :]],
        "a field too few": [*lines[:place], lines[place].rsplit(b",", 2)[0], *lines[place + 1 :]],
        "no header": lines[1:],
    }  # fmt: skip
    if how == "utf-16":
        cohort.raw[table] = text.decode().encode("utf-16")[: len(text)]
    elif how == "cut off":
        # Within the last line, so that it is seen to be incomplete.
        cohort.raw[table] = text[: text.rstrip(b"\n").rfind(b"\n") + 4]
    else:
        cohort.raw[table] = b"\n".join(lines_of[how])
    return f"{table}: {how}"


@fault
def settings_wrong(cohort: Cohort, rng: Rng) -> str:
    changes = [
        ("horizon_days = ", "horizon_day = "), ("horizon_days = ", "horizon_days = -"),
        ("[follow_up]", "[folow_up]"),
        ('role = "treated"', 'role = "treatd"'), ('role = "reference"', 'role = "treated"'),
        ('id = "baseline"', 'id = "base line"'), ("day = 0\n", "day = 'zero'\n"), ("[[visit]]", "[[visits]]"),
        ("window = [", "window = [90, "), ("title = ", "titel = "), ('provenance = "', 'provenance = "x'),
        ("title = ", "title = = "), ("[[group]]\n", "[[group]]\ncolour = 'red'\n"), ("day = 0\n", ""),
        ("[[visit]]\n", "[[visit]]\nid = 'baseline'\nlabel = 'a'\nday = 0\nwindow = [-1, 0]\n[[visit]]\n"),
    ]  # fmt: skip
    before, after = pick(rng, [change for change in changes if change[0] in cohort.settings])
    places = cohort.settings.count(before)
    chosen = int(rng.integers(places))
    parts = cohort.settings.split(before)
    cohort.settings = before.join(parts[: chosen + 1]) + after + before.join(parts[chosen + 1 :])
    return f"settings: {before!r} -> {after!r}"


# --- what cannot be --------------------------------------------------------------------------------------


@fault
def day_impossible(cohort: Cohort, rng: Rng) -> str:
    people = cohort.tables["patients"]
    how = pick(rng, ["after the last contact", "death after the last contact", "a date of 1900", "far away"])
    if how == "death after the last contact":
        row = int(rng.integers(len(people)))
        people.loc[row, "death_day"] = str(int(float(people.loc[row, "last_contact_day"])) + 200)
        return f"{how}: {people.loc[row, 'patient_id']}"
    if how == "a date of 1900":
        people["day0_date"] = people.get("day0_date", "2021-05-04")
        row = int(rng.integers(len(people)))
        people.loc[row, "day0_date"] = "1900-01-00" if rng.random() < 0.5 else "1900-01-01"
        return f"{how}: {people.loc[row, 'patient_id']}"
    table = pick(rng, [name for name in ("measurements", "responses", "events") if name in cohort.tables])
    frame = cohort.tables[table]
    row = int(rng.integers(len(frame)))
    person = people[people["patient_id"] == frame.loc[row, "patient_id"]].iloc[0]
    later = float(person["last_contact_day"]) + 30
    frame.loc[row, "day"] = f"{later:g}" if how == "after the last contact" else "44562"
    return f"{table} {row} {how}"


@fault
def records_contradict(cohort: Cohort, rng: Rng) -> str:
    people = cohort.tables["patients"]
    how = pick(
        rng, ["two calls", "fatal event of the living", "empty group", "day 0 after the cut-off", "sex"]
    )
    if how == "two calls" and "responses" in cohort.tables:
        frame = cohort.tables["responses"]
        row = frame.iloc[[int(rng.integers(len(frame)))]].copy()
        levels = sorted(set(frame["response"]) - set(row["response"]))
        row["response"] = pick(rng, levels)
        cohort.tables["responses"] = pd.concat([frame, row], ignore_index=True)
        return how
    if how == "fatal event of the living" and "events" in cohort.tables:
        frame = cohort.tables["events"]
        alive = people.loc[people["death_day"] == "", "patient_id"]
        rows = frame.index[frame["patient_id"].isin(alive)]
        frame.loc[pick(rng, rows), "grade"] = "5"
        return how
    if how == "empty group" and people["group"].nunique() == 2:
        group = pick(rng, sorted(people["group"].unique()))
        people.loc[people["group"] == group, "group"] = next(
            g for g in people["group"].unique() if g != group
        )
        return how
    if how == "day 0 too late" and "data_cutoff" in cohort.settings:
        people.loc[int(rng.integers(len(people))), "day0_date"] = "2026-03-01"
        return how
    if how == "sex":
        people.loc[int(rng.integers(len(people))), "sex"] = pick(rng, ["unclear", "9", "y"])
        return how
    return ""


@fault
def dose_impossible(cohort: Cohort, rng: Rng) -> str:
    frame = cohort.tables["treatments"]
    steroids = frame["drug"].isin(["prednisone", "dexamethasone", "methylprednisolone"]) & (
        frame["unit"] == "mg"
    )
    row = pick(rng, frame.index[steroids])
    how = pick(rng, ["negative", "micrograms as mg", "hours for times", "g for mg", "stop before start"])
    dose, start = float(frame.loc[row, "dose"]), float(frame.loc[row, "start_day"])
    if how == "hours for times":
        frame.loc[row, "times_per_day"] = pick(rng, ["8", "12", "24"])
    elif how == "g for mg":
        frame.loc[row, "unit"] = "g"
    elif how == "stop before start":
        frame.loc[row, "stop_day"] = f"{start - 9:g}"
    else:
        frame.loc[row, "dose"] = f"{-dose if how == 'negative' else dose * 1000:g}"
    drug, dose, unit = (frame.loc[row, name] for name in ("drug", "dose", "unit"))
    return f"{how}: {drug} {dose} {unit}"


@fault
def ids_spoilt(cohort: Cohort, rng: Rng) -> str:
    """Ids of all tables alike, so that they still belong together."""
    old = cohort.tables["patients"]["patient_id"].tolist()
    how = pick(
        rng, ["rounded by a spreadsheet", "hospital numbers", "names", "two patients of one id", "alike"]
    )
    new = dict(zip(old, old, strict=True))
    first, second = (str(who) for who in rng.choice(old, 2, replace=False))
    if how == "rounded by a spreadsheet":
        new[first] = "2.02E+11"
    elif how == "hospital numbers":
        new = {who: str(202100000 + int(rng.integers(10**6))) for who in old}
    elif how == "names":
        surnames, names = ("王", "李", "张", "刘", "陈"), ("伟", "芳", "秀英", "敏", "静", "丽", "强", "磊")
        new = {who: pick(rng, surnames) + pick(rng, names) + pick(rng, names) for who in old}
    elif how == "alike":
        new[first] = second.lower() if second.lower() != second else f" {second}"
    else:
        new[first] = second
    for frame in cohort.tables.values():
        if "patient_id" in frame:
            frame["patient_id"] = frame["patient_id"].map(new)
    return how


@fault
def assay_limits_bare(cohort: Cohort, rng: Rng) -> str:
    rows = _values(cohort, narrow=False)
    name = pick(
        rng, [name for name in rows if len(rows[name]) >= 40 and VOCABULARY[name].direction == "high"]
    )
    frame = cohort.tables["measurements"]
    values = frame.loc[rows[name], "value"].astype(float)
    if (frame["variable"].eq(name) & frame["value"].str.contains("[<>]")).any():
        return ""  # the cohort shows its limits, and the settings speak of them
    if rng.random() < 0.5:
        limit = float(f"{values.quantile(pick(rng, (0.7, 0.8, 0.85))):.2g}")
        frame.loc[values.index[values > limit], "value"] = f"{limit:g}"
        return f"{name} above {limit:g} as {limit:g}"
    few = values.nsmallest(int(rng.integers(2, 12))).index
    frame.loc[few, "value"] = "0"
    return f"{len(few)} {name} as 0"


# --- what may as well be true ----------------------------------------------------------------------------


@unknowable
def wide_variable_off_by_a_factor(cohort: Cohort, rng: Rng) -> str:
    """Ferritin and its like span powers of ten by themselves."""
    rows = _values(cohort, narrow=False)
    name = pick(rng, rows)
    factor = 10.0 ** pick(rng, (1, -1))
    patients = cohort.tables["measurements"].loc[rows[name], "patient_id"]
    who = pick(rng, sorted(patients.unique()))
    _scale(cohort, rows[name][patients == who], factor)
    return f"{name} of {who} times {factor:g}"


@unknowable
def patient_off_yet_among_others(cohort: Cohort, rng: Rng) -> str:
    """A tenth of a patient's fibrinogen is what the disease does in others."""
    rows = _values(cohort, narrow=True)
    patients = cohort.tables["measurements"].loc[rows["fibrinogen"], "patient_id"]
    who = pick(rng, sorted(patients.unique()))
    _scale(cohort, rows["fibrinogen"][patients == who], 0.1)
    return f"fibrinogen of {who} times 0.1"


@unknowable
def records_exchanged(cohort: Cohort, rng: Rng) -> str:
    """The values of two patients change places."""
    frame = cohort.tables["measurements"]
    name = pick(rng, sorted(frame["variable"].unique()))
    first, second = (
        str(who) for who in rng.choice(cohort.tables["patients"]["patient_id"], 2, replace=False)
    )
    mine = frame["variable"] == name
    frame.loc[mine, "patient_id"] = frame.loc[mine, "patient_id"].replace({first: second, second: first})
    return f"{name} of {first} and {second}"


@unknowable
def another_plausible_value(cohort: Cohort, rng: Rng) -> str:
    how = pick(rng, ["value", "day", "response", "arm", "age"])
    people = cohort.tables["patients"]
    if how == "value":
        rows = _values(cohort, narrow=False)
        name = pick(rng, rows)
        _scale(cohort, pd.Index([pick(rng, rows[name])]), pick(rng, (0.8, 1.25)))
    elif how == "day":
        frame = cohort.tables["measurements"]
        row = pick(rng, frame.index[frame["day"].astype(float) > 5])
        frame.loc[row, "day"] = f"{float(frame.loc[row, 'day']) - 1:g}"
    elif how == "response":
        frame = cohort.tables["responses"]
        row = int(rng.integers(len(frame)))
        frame.loc[row, "response"] = pick(rng, sorted(set(frame["response"]) - {frame.loc[row, "response"]}))
    elif how == "arm":
        row = int(rng.integers(len(people)))
        people.loc[row, "group"] = next(g for g in people["group"].unique() if g != people.loc[row, "group"])
    else:
        row = int(rng.integers(len(people)))
        people.loc[row, "age"] = f"{float(people.loc[row, 'age']) + 3:g}"
    return how


@unknowable
def rows_lost(cohort: Cohort, rng: Rng) -> str:
    table = pick(rng, [name for name in ("measurements", "responses", "treatments") if name in cohort.tables])
    frame = cohort.tables[table]
    lost = rng.choice(len(frame), int(rng.integers(1, 9)), replace=False)
    cohort.tables[table] = frame.drop(index=lost).reset_index(drop=True)
    return f"{len(lost)} rows of {table}"
