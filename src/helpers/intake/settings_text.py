"""The first `cohort.toml` of a mapped cohort: proposed from its tables and from the answers."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from helpers.cohort.guide import skeleton_config
from helpers.intake.lexicon import Lexicon, visit_day
from helpers.intake.mapping import IntakeMapping
from helpers.intake.questions import drug_in
from helpers.intake.replay import Record, Replayed
from helpers.intake.values import plain_date
from helpers.vocabulary.names import fold
from helpers.vocabulary.response_levels import DEFAULT_LEVELS, known_level, known_levels

_NOMINAL = (0, 3, 7, 14, 21, 28, 42, 56, 84, 91, 112, 126, 183, 274, 365, *range(730, 7305, 365))
_VISITED = 0.3
_FIRST_CJK = 0x2E80
_BEFORE = 7
_CODES = ("-1", "-9", "-99", "-999", "999", "9999", "99999", "888", "8888")


def proposed_settings(name: str, mapping: IntakeMapping, done: Replayed, lexicon: Lexicon) -> str:
    """Return the text of a commented `cohort.toml`.

    Args:
        name: of the cohort.
        mapping: with the answers about groups and day 0.
        done: tables made by the mapping.
        lexicon: words of the vocabulary.
    """
    visits = proposed_visits(mapping, done)
    values: dict[str, Any] = {
        "title": mapping.answers.get("title", name.replace("_", " ")),
        "provenance": mapping.answers.get("provenance", "real"),
        "group": _groups(mapping),
        "follow_up": {"horizon_days": int(mapping.answers.get("horizon_days", _horizon(visits)))},
        "visit": visits,
    }
    if (action := mapping.answers.get("implausible", "")) in ("error", "exclude"):
        values["implausible"] = {"action": action}
    if drug := _study_drug(mapping, done, lexicon):
        values["study_drug"] = drug
    if any(not lexicon.vocabulary.resolve(one, lexicon.vocabulary.measured) for one in _tests(done)):
        values["unmapped_variables"] = "exclude"
    if codes := _missing_codes(done, lexicon):
        values["missing_codes"] = {"*": codes}
    if levels := _levels(done):
        values["response"] = {"level": [{"id": level} for level in levels]}
    if own := _diagnoses(done, lexicon):
        values["categories"] = {"diagnosis": own}
    if units := _patient_units(mapping, lexicon):
        values["units"] = units
    return skeleton_config(values)


def _groups(mapping: IntakeMapping) -> list[dict[str, Any]]:
    roles = ("treated", "reference")
    return [
        {
            "id": group,
            "label": _in_latin(label, group),
            "role": role,
            "day0": mapping.answers.get(f"day0.{group}", "day 0"),
        }
        for (label, group), role in zip(mapping.groups.items(), roles, strict=False)
    ]


def _in_latin(label: str, group: str) -> str:
    """Return a label that an English report can print with any font; the files keep their own.

    Example:
        >>> _in_latin("芦可替尼组", "ruxolitinib"), _in_latin("历史对照", "control")
        ('Ruxolitinib', 'Historical control')
    """
    if label.isascii() or not any(ord(sign) >= _FIRST_CJK for sign in label) or group.startswith("group"):
        return label
    told = group.replace("_", " ").capitalize()
    return f"Historical {told.lower()}" if group == "control" and "历史" in label else told


def proposed_visits(mapping: IntakeMapping, done: Replayed) -> list[dict[str, Any]]:
    """Return the visit plan that headers and sheets name, or else the days on which many were measured.

    >>> from helpers.intake.mapping import IntakeMapping
    >>> from helpers.intake.replay import Replayed
    >>> proposed_visits(IntakeMapping(), Replayed())[0]
    {'id': 'baseline', 'label': 'Baseline', 'day': 0, 'window': [-7, 0]}
    """
    named = _named_days(mapping, done)
    planned = named if len(named) >= 2 else _usual_days(done)
    days = sorted({0, *(day for day in planned if day >= 0)})
    visits = []
    for place, day in enumerate(days):
        before, after = days[place - 1] if place else None, days[place + 1] if place + 1 < len(days) else None
        low = -_BEFORE if before is None else (before + day) // 2 + 1
        reach = (after - day) if after is not None else (day - before if before is not None else 2)
        high = 0 if day == 0 else (day + after) // 2 if after is not None else day + max(reach // 2, 1)
        visits.append({"id": _visit_id(day), "label": _visit_label(day), "day": day, "window": [low, high]})
    return visits


def _named_days(mapping: IntakeMapping, done: Replayed) -> set[int]:
    named = {
        column.day
        for table in mapping.tables
        for column in table.columns
        if column.day is not None and (column.means.startswith("measured.") or column.means == "response")
    }
    sheets = {
        visit_day(sheet) for table in mapping.tables if table.day_from == "sheet" for sheet in table.sheets
    }
    visits = {c.means for t in mapping.tables for c in t.columns}
    told: set[int] = set()
    if "visit" in visits:
        told = {
            int(r["day"]) for r in done.records["measurements"] if re.fullmatch(r"-?\d+", r.get("day", ""))
        }
        told = told if len(told) <= 20 else set()
    return {day for day in named | sheets | told if day is not None}


def _usual_days(done: Replayed) -> list[int]:
    """Nominal days on which at least three in ten patients were measured or judged."""
    zero = {r["patient_id"]: plain_date(r.get("day0_date", "")) for r in done.records["patients"]}
    seen: dict[str, set[int]] = {}
    for record in (*done.records["measurements"], *done.records["responses"]):
        day = _day(record, zero.get(record["patient_id"]))
        if day is not None:
            seen.setdefault(record["patient_id"], set()).add(day)
    found = []
    for nominal in _NOMINAL:
        reach = 0 if nominal == 0 else max(1, nominal // 7) if nominal <= 28 else nominal // 10
        visited = sum(any(abs(day - nominal) <= reach for day in days) for days in seen.values())
        if seen and visited >= _VISITED * len(seen):
            found.append(nominal)
    return found if len(found) <= 8 else [day for day in found if day % 7 == 0 or day > 100]


def _day(record: Record, zero: str | None) -> int | None:
    text = record.get("day", "")
    if re.fullmatch(r"-?\d+(?:\.0)?", text):
        return int(float(text))
    date = plain_date(record.get("date", ""))
    if not date or not zero:
        return None
    from datetime import date as calendar

    return (calendar.fromisoformat(date[:10]) - calendar.fromisoformat(zero[:10])).days


def _visit_id(day: int) -> str:
    return "baseline" if day == 0 else f"week_{day // 7}" if day % 7 == 0 and day < 183 else f"day_{day}"


def _visit_label(day: int) -> str:
    return _visit_id(day).replace("_", " ").capitalize()


def _horizon(visits: list[dict[str, Any]]) -> int:
    last = int(visits[-1]["day"])
    return last if last >= 14 else 28


def _study_drug(mapping: IntakeMapping, done: Replayed, lexicon: Lexicon) -> str:
    label = next(iter(mapping.groups), "")
    drug = drug_in(label, lexicon.vocabulary)
    if drug:
        return drug
    group = {r["patient_id"]: r.get("group", "") for r in done.records["patients"]}
    treated = mapping.groups.get(label, "")
    given = Counter[str]()
    others = set()
    for record in done.records["treatments"]:
        name = lexicon.vocabulary.drug_named(record.get("drug", ""))
        if group.get(record["patient_id"]) == treated:
            given[name] += 1
        else:
            others.add(name)
    only = [
        name for name, _ in sorted(given.items(), key=lambda pair: (-pair[1], pair[0])) if name not in others
    ]
    return only[0] if only and len(mapping.groups) == 2 else ""


def _tests(done: Replayed) -> Iterable[str]:
    return dict.fromkeys(record.get("variable", "") for record in done.records["measurements"])


def _missing_codes(done: Replayed, lexicon: Lexicon) -> list[int]:
    """Codes that stand in at least two variables where no such value is possible."""
    found: dict[str, set[str]] = {}
    for record in done.records["measurements"]:
        text = record["value"].removesuffix(".0")
        variable = lexicon.vocabulary.get(record["variable"])
        if text in _CODES and variable is not None and variable.type == "number":
            conversion = variable.conversion(record.get("unit", "") or variable.unit)
            value = float(text) * (conversion.factor if conversion else 1.0)
            if (text.startswith("-") and (variable.plausible_low or 0) >= 0) or value > (
                variable.plausible_high or value
            ):
                found.setdefault(text, set()).add(record["variable"])
    return [int(code) for code in _CODES if len(found.get(code, ())) >= 2]


def _levels(done: Replayed) -> list[str]:
    """Levels of response, best first, where they are others than the usual three."""
    texts = {record["response"] for record in done.records["responses"]}
    known = {level.id for text in texts if (level := known_level(text)) is not None}
    ordered = [name for name in known_levels() if name in known]
    return [] if known <= set(DEFAULT_LEVELS) else ordered


def _diagnoses(done: Replayed, lexicon: Lexicon) -> list[str]:
    """Levels of the underlying disease, where the vocabulary does not know one of them."""
    written = Counter(r["diagnosis"] for r in done.records["patients"] if r.get("diagnosis"))
    levels = {fold(spelling): level for spelling, level in lexicon.vocabulary["diagnosis"].levels.items()}
    if all(fold(text) in levels for text in written):
        return []
    return list(
        dict.fromkeys(
            levels.get(fold(text), text) for text, _ in sorted(written.items(), key=lambda p: (-p[1], p[0]))
        )
    )


def _patient_units(mapping: IntakeMapping, lexicon: Lexicon) -> dict[str, str]:
    units = {}
    for table in mapping.tables:
        for column in table.columns:
            kind, _, name = column.means.partition(".")
            variable = lexicon.vocabulary.get(name)
            if (
                kind == "patients"
                and column.unit
                and variable is not None
                and variable.conversion(column.unit)
            ):
                units[name] = column.unit
    return units
