"""Schemas of the typed raw tables (pandera), validated lazily, and their failures as Problems.

Ranges come from the vocabulary. What cannot be seen in one table alone is in `helpers.cohort.crosschecks`.

>>> patients = examined.tables["patients"]
>>> "methylprednisolone" in dosed_drugs(config), rules("patients", patients.frame, config)[0].column
(True, 'patient_id')
>>> schema("patients", patients.frame, config).name, validate(patients, config)
('patients', [])
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from helpers.cohort.parsing import TypedTable
from helpers.cohort.reading import DATE_TWINS
from helpers.cohort.settings import CohortConfig
from helpers.problems import Problem
from helpers.vocabulary.model import GLUCOCORTICOID, TableName
from helpers.vocabulary.vocabulary import Vocabulary

if TYPE_CHECKING:
    import pandera.pandas as pa


@dataclass(frozen=True)
class Rule:
    """One check of a table: how it is tested and what is said when it fails.

    `test` takes the frame and returns one truth value a row; `found` words what a failing row holds. `needs`
    names further columns without which the rule does not apply. A rule `about_absence` complains of an empty
    field, and is silent where the field held a text that could not be read.
    """

    name: str
    column: str
    test: Callable[[pd.DataFrame], "pd.Series[bool]"]
    found: Callable[[pd.Series], str]
    expected: str
    remedy: str
    needs: tuple[str, ...] = ()
    about_absence: bool = False


def _value(column: str) -> Callable[[pd.Series], str]:
    def words(row: pd.Series) -> str:
        value = row[column]
        return "nothing" if pd.isna(value) else f"{value:g}" if isinstance(value, float) else repr(value)

    return words


def _required(column: str, remedy: str = "fill it in") -> Rule:
    return Rule(
        f"{column} given",
        column,
        lambda f: f[column].notna(),
        lambda _: "nothing",
        "a value",
        remedy,
        about_absence=True,
    )


def _within(column: str, vocabulary: Vocabulary) -> Rule:
    variable = vocabulary[column]
    return Rule(
        f"{column} in range",
        column,
        lambda f: pd.Series(variable.plausible(f[column].to_numpy(dtype=float)), f.index) | f[column].isna(),
        _value(column),
        variable.plausible_range(),
        "correct it",
    )


def _day(column: str) -> Callable[[pd.Series], str]:
    return lambda row: f"day {row[column]:g}"


def _patient_rules() -> list[Rule]:
    return [
        Rule(
            "one row a patient",
            "patient_id",
            lambda f: ~f["patient_id"].duplicated(keep="first") | f["patient_id"].isna(),
            lambda row: f"patient {row['patient_id']!r} a second time",
            "one row for each patient",
            "remove one of the rows, or correct the patient_id",
        ),
        Rule(
            "death not before day 0",
            "death_day",
            lambda f: f["death_day"].isna() | (f["death_day"] >= 0),
            lambda row: f"death on day {row['death_day']:g}",
            "a death on or after day 0",
            "correct the day of death, or day 0",
        ),
        Rule(
            "last contact not before day 0",
            "last_contact_day",
            lambda f: f["last_contact_day"].isna() | (f["last_contact_day"] >= 0),
            _day("last_contact_day"),
            "day 0 or later",
            "correct the day of last contact, or day 0",
        ),
        *_follow_up_rules(),
        Rule(
            "onset not after day 0",
            "mas_onset_day",
            lambda f: ~(f["mas_onset_day"] > 0),
            _day("mas_onset_day"),
            "day 0 or earlier",
            "correct the day of diagnosis, or day 0",
        ),
    ]


def _follow_up_rules() -> list[Rule]:
    return [
        Rule(
            "no contact after death",
            "last_contact_day",
            lambda f: ~(f["last_contact_day"] > f["death_day"]),
            lambda row: f"last contact on day {row['last_contact_day']:g}, death on day {row['death_day']:g}",
            "a last contact not after death",
            "correct one of the two days",
            ("death_day",),
        ),
        Rule(
            "follow-up known",
            "last_contact_day",
            lambda f: f["last_contact_day"].notna() | f["death_day"].notna(),
            lambda _: "nothing",
            "a day of last contact for a patient not recorded as dead",
            "fill in the day of last contact or of death",
            ("death_day",),
            about_absence=True,
        ),
        Rule(
            "died agrees with the day of death",
            "died",
            lambda f: f["died"].isna() | (f["died"].fillna(False) == f["death_day"].notna()),
            lambda row: (
                f"died {'yes' if row['died'] else 'no'} and "
                + ("no day of death" if pd.isna(row["death_day"]) else f"death on day {row['death_day']:g}")
            ),
            "a day of death for those who died, and for no other",
            "correct one of the two",
            ("death_day",),
        ),
    ]


def _treatment_rules(config: CohortConfig) -> list[Rule]:
    return [
        *(_dose_given(column, config) for column in DOSE_COLUMNS),
        Rule(
            "dose not negative",
            "dose",
            lambda f: ~(f["dose"] < 0),
            _value("dose"),
            "a dose of 0 or more",
            "correct the dose",
        ),
        Rule(
            "times a day above 0",
            "times_per_day",
            lambda f: ~(f["times_per_day"] <= 0),
            _value("times_per_day"),
            "a number above 0 (0.5 for every other day)",
            "correct it",
        ),
        Rule(
            "stop not before start",
            "stop_day",
            lambda f: ~(f["stop_day"] < f["start_day"]),
            lambda row: f"stop on day {row['stop_day']:g} of a start on day {row['start_day']:g}",
            "a last day not before the first",
            "correct one of the two days",
            ("start_day",),
        ),
    ]


def _dose_given(column: str, config: CohortConfig) -> Rule:
    """Glucocorticoids and the study drug need their dose; of others it is enough that they were given."""
    needed = dosed_drugs(config)
    rule = _required(column)
    return replace(
        rule,
        test=lambda f: f[column].notna() | ~f["drug"].isin(needed),
        expected="a value, for a glucocorticoid, a study drug or one to be spared",
        needs=("drug",),
    )


def dosed_drugs(config: CohortConfig) -> frozenset[str]:
    """Return the drugs whose doses are counted: glucocorticoids, study drugs, and those to be spared."""
    drugs = config.vocabulary.drugs.values()
    counted = {drug.name for drug in drugs if drug.drug_class == GLUCOCORTICOID}
    studied = map(config.vocabulary.drug_named, config.study_drugs)
    return frozenset({*counted, *studied, *config.vocabulary.drugs_of(config.steroids.spared)} - {""})


def _event_rules() -> list[Rule]:
    return [
        Rule(
            "grade 1 to 5",
            "grade",
            lambda f: f["grade"].isna() | f["grade"].isin([1, 2, 3, 4, 5]),
            _value("grade"),
            "a grade of 1, 2, 3, 4 or 5",
            "correct the grade (CTCAE)",
        ),
        Rule(
            "event not ending before it began",
            "stop_day",
            lambda f: ~(f["stop_day"] < f["day"]),
            lambda row: f"stop on day {row['stop_day']:g} of an event on day {row['day']:g}",
            "a last day not before the first",
            "correct one of the two days",
            ("day",),
        ),
    ]


_REQUIRED_VALUES: dict[TableName, tuple[str, ...]] = {
    "patients": ("patient_id", "group"),
    "measurements": ("patient_id", "day"),
    "treatments": ("patient_id", "drug", "start_day"),
    "responses": ("patient_id", "day", "response"),
    "events": ("patient_id", "day", "term"),
}
DOSE_COLUMNS = ("dose", "unit", "route", "times_per_day")
# Ranges checked by a rule of their own, with a message that fits better.
_OWN_RULE = {"death_day", "last_contact_day", "mas_onset_day", "grade", "dose", "times_per_day"}


def rules(table: TableName, frame: pd.DataFrame, config: CohortConfig) -> list[Rule]:
    """Return the rules of a table that apply to the columns it has."""
    vocabulary = config.vocabulary
    special: dict[str, Callable[[], list[Rule]]] = {
        "patients": _patient_rules,
        "treatments": lambda: _treatment_rules(config),
        "events": _event_rules,
    }
    chosen = [_required(column) for column in _REQUIRED_VALUES[table]]
    for column in frame.columns:
        variable = vocabulary.get(column)
        if variable is None or variable.plausible_low is None or column in _OWN_RULE:
            continue
        if variable.type in ("number", "day"):
            chosen.append(_within(column, vocabulary))
    if table in special:
        chosen += special[table]()
    return [rule for rule in chosen if {rule.column, *rule.needs} <= set(frame.columns)]


def schema(table: TableName, frame: pd.DataFrame, config: CohortConfig) -> "pa.DataFrameSchema":
    """Return the pandera schema of a typed table: every rule is a named check; empty fields are allowed."""
    import pandera.pandas as pa

    checks = [
        pa.Check(rule.test, name=rule.name, error=rule.name, ignore_na=False)
        for rule in rules(table, frame, config)
    ]
    # Lines that follow one another without a gap need no look.
    index = pa.Index("int64", unique=not isinstance(frame.index, pd.RangeIndex), name="source_row")
    return pa.DataFrameSchema(checks=checks, index=index, name=table)


def validate(table: TypedTable, config: CohortConfig) -> list[Problem]:
    """Validate a typed table lazily and return every failure as a Problem with its line.

    A field whose text was not understood already has its Problem and is not reported again as empty.
    """
    from pandera.errors import SchemaErrors

    name, frame = table.raw.name, table.frame
    if frame.empty:
        return []
    try:
        schema(name, frame, config).validate(frame, lazy=True, inplace=True)
    except SchemaErrors as failure:
        cases = failure.failure_cases[["check", "index"]].drop_duplicates()
    else:
        return []
    known = {rule.name: rule for rule in rules(name, frame, config)}
    problems = []
    for check, row in zip(cases["check"], cases["index"], strict=True):
        rule = known[str(check)]
        if rule.about_absence and _was_written(table, (rule.column, *rule.needs), int(row)):
            continue
        problems.append(
            table.raw.problem(row, rule.column, rule.found(frame.loc[row]), rule.expected, rule.remedy)
        )
    return problems


def _was_written(table: TypedTable, columns: tuple[str, ...], row: int) -> bool:
    """Whether one of the raw fields, or a date in its place, holds something: the fault is another then."""
    already = {p.column for p in table.problems if p.row == row}
    twins = [DATE_TWINS[column] for column in columns if column in DATE_TWINS]
    dated = any(twin in table.frame and bool(table.frame[twin].notna()[row]) for twin in twins)
    return dated or bool({table.raw.header(name) for name in (*columns, *twins)} & already)
