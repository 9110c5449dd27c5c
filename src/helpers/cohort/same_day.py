"""Several rows of one patient and one day: which one stands for the day, and what is said of it.

The order of the file never decides: shuffled rows give the same tables.

>>> rows = pd.DataFrame({"patient_id": ["a", "a"], "variable": ["ferritin"] * 2, "day": [0, 0]})
>>> rows["value"], rows["qualifier"], rows["clock"] = [9000.0, 800.0], "", [0.5, 0.25]
>>> day_rank(rows, config).tolist()  # the earlier one stands for the day
[1, 0]
>>> in_order_of_day(rows.assign(day_rank=[1, 0]))["value"].tolist()
[9000.0, 800.0]
>>> badness(rows, config.vocabulary).rank().tolist()
[2.0, 1.0]
>>> everybody = pd.Series(True, index=tables.measurements.index)
>>> told_apart_by_value(examined.tables["measurements"], tables.measurements, everybody, config)
[]
>>> different_calls(examined.tables["responses"])
[]
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from helpers.cohort.parsing import TypedTable
from helpers.cohort.settings import CohortConfig
from helpers.cohort.texts import plain, repeated
from helpers.problems import Problem
from helpers.vocabulary.model import ReferenceRange
from helpers.vocabulary.vocabulary import Vocabulary

_DAY = ["patient_id", "variable", "day"]


def day_rank(rows: pd.DataFrame, config: CohortConfig) -> pd.Series:
    """Return the place of every measurement among those of its patient, variable and day; 0 stands for it.

    The rule is `[windowing] day_rule`. Only the content of rows counts.

    Args:
        rows: patient_id, variable, day, value, qualifier and, where times are known, clock.
        config: settings with the cohort's vocabulary.
    """
    rule = config.windowing.day_rule
    clock = rows["clock"].astype("float64") if "clock" in rows else pd.Series(0.0, index=rows.index)
    clock = {"first": clock, "last": -clock}.get(rule, clock * 0)
    content = [name for name in ("qualifier", "recorded_unit", "recorded_value") if name in rows]
    keys = rows[[*_DAY, "value", *content]].assign(_clock=clock, _badness=-badness(rows, config.vocabulary))
    order = keys.sort_values(["_clock", "_badness", "value", *content], kind="stable", na_position="last")
    place = order.groupby(_DAY, sort=False, dropna=False).cumcount().reindex(rows.index)
    if rule != "median":
        return place
    size = rows.groupby(_DAY, sort=False, dropna=False)["value"].transform("size")
    middle = (size - 1) // 2
    # Order of badness is order of values; the row in the middle comes first, the others after it.
    return (place - middle).abs() * 2 - (place < middle).astype(int)


def in_order_of_day(rows: pd.DataFrame) -> pd.DataFrame:
    """Return measurements so that of each patient, variable and day the row that stands for it comes last.

    Whoever looks at days alone then finds that row. Rows change places among those of their day only.

    Args:
        rows: with the columns of `day_rank` and its result.
    """
    day = rows.groupby(_DAY, sort=False, dropna=False).ngroup().to_numpy()
    places = np.argsort(day, kind="stable")
    order = np.empty(len(rows), dtype=np.int64)
    order[places] = np.lexsort((-rows["day_rank"].to_numpy(), day))
    return rows.iloc[order]


def badness(rows: pd.DataFrame, vocabulary: Vocabulary) -> pd.Series:
    """Return how bad each value is for its variable: larger is worse.

    High values are worse where disease raises a variable, low ones where it lowers it; where it may do both,
    those farther from the middle of the limits of normal (on the log scale).
    """
    result = rows["value"].astype("float64").copy()
    for name, own in rows.groupby("variable", sort=False, observed=True)["value"]:
        variable = vocabulary.get(name)
        if variable is None or variable.direction not in ("low", "both"):
            continue
        values = own.astype("float64")
        if variable.direction == "low":
            result[own.index] = -values
        else:
            result[own.index] = _from_middle(values, vocabulary.ranges.get(variable.name, ()))
    return result


def _from_middle(values: pd.Series, ranges: Iterable[ReferenceRange]) -> pd.Series:
    limits = [limit for row in ranges for limit in (row.low, row.high) if limit]
    middle = float(np.exp(np.mean(np.log(limits)))) if limits else 1.0
    with np.errstate(divide="ignore"):
        return pd.Series(np.abs(np.log(values.clip(lower=0) / middle)), index=values.index)


def told_apart_by_value(
    table: TypedTable, frame: pd.DataFrame, usable: "pd.Series[bool]", config: CohortConfig
) -> list[Problem]:
    """Warnings where different values of one patient, variable and day cannot be told apart by time.

    Args:
        table: typed table of measurements.
        frame: its rows with canonical variable and value.
        usable: mask of those that are used.
        config: settings; a rule other than first or last needs no time.
    """
    if config.windowing.day_rule in ("worst", "median"):
        return []
    keys = [*_DAY, *(["clock"] if "clock" in frame else [])]
    rows = pd.DataFrame({name: frame[name] for name in (*keys, "value", "qualifier")}, copy=False)
    for key in keys:
        usable = usable & rows[key].notna()
    rows = rows if usable.all() else rows[usable]
    rows = plain(rows[repeated(pd.DataFrame({key: rows[key] for key in keys}, copy=False), keep=False)])
    if rows.empty:
        return []
    several = rows.groupby(keys, sort=False)[["value", "qualifier"]].transform("nunique").max(axis=1) > 1
    problems = []
    for name, own in rows[several].groupby("variable", sort=True):
        days = own.groupby(keys, sort=False).ngroups
        lines = sorted(int(row) for row in own.index)
        found = f"two values of {name} of one patient and day on {days} {'day' if days == 1 else 'days'}"
        remedy = (
            "the worse one stands for the day; give times, or say day_rule = 'worst' or 'median' under "
            "[windowing] in cohort.toml"
        )
        column = table.raw.header("value")
        expected = "one value a day, or a time of day"
        problems.append(
            Problem(table.raw.file, lines[0], column, found, expected, remedy, "warning", tuple(lines[1:]))
        )
    return problems


def different_calls(table: TypedTable) -> list[Problem]:
    """Errors where one patient has two different responses on one day.

    >>> from dataclasses import replace
    >>> responses = examined.tables["responses"]
    >>> same = responses.frame.assign(patient_id="R01", day=7)
    >>> different_calls(replace(responses, frame=same))[0].found
    'CR and NR and PR of R01 on day 7'
    """
    frame = table.frame
    if not {"patient_id", "day", "response"} <= set(frame.columns):
        return []
    known = frame.dropna(subset=["patient_id", "day", "response"])
    known = plain(known[known.duplicated(["patient_id", "day"], keep=False)])
    calls = known.groupby(["patient_id", "day"], sort=False)["response"].transform("nunique")
    problems = []
    for (patient, day), rows in known[calls > 1].groupby(["patient_id", "day"], sort=True):
        lines = sorted(int(row) for row in rows.index)
        words = " and ".join(sorted(set(rows["response"])))
        found = f"{words} of {patient} on day {day:g}"
        remedy = "leave the one that is right"
        column = table.raw.header("response")
        problems.append(
            Problem(
                table.raw.file, lines[0], column, found, "one response of a patient a day", remedy,
                more_rows=tuple(lines[1:]),
            )
        )  # fmt: skip
    return problems
