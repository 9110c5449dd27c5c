"""Whom a view is about: the study's groups, or any split of a variable, with patients chosen or left out.

>>> from helpers.explore.study import open_study
>>> seen = open_study("rdmas_reconstructed")
>>> age = variable_named(seen, "age")
>>> cut_of(age, None), level_names(age), levels(age, 40.0).iloc[0]
(31.0, ['below 31 year', '31 year or more'], '40 year or more')
>>> found = choose(seen, Patients(split_by="sex", accept_few=True))
>>> found.study.config.group_ids, found.notes
(('part_1_female', 'part_2_male'), ())
>>> len(only_members(seen.tables, {"R01"}).patients)
1
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.analysis.response import response_paths
from helpers.analysis.variables import DEATH, BaselineVariable, as_float
from helpers.cohort.sections import Group
from helpers.explore.study import ExplorationError, Study
from helpers.problems import closest
from helpers.results.format import format_number
from helpers.results.store import slug

if TYPE_CHECKING:
    from helpers.cohort.analysis_tables import AnalysisTables

FEWEST = 5  # patients of a part below which it is said before anything is drawn
MOST_PARTS = 6
GROUP, EVERYBODY = "group", "nothing"
RESPONSE_AT = "response_at_"


class FewPatientsError(ExplorationError):
    """A part of fewer than five patients that nobody has agreed to draw; the message names it."""


@dataclass(frozen=True, repr=False)
class Patients:
    """Whom a view is about.

    Attributes:
        split_by: ``group`` for the study's groups, ``nothing`` for everybody together, the name of a variable
            at baseline, or ``response_at_`` and a visit.
        cut: where a number is split, in its unit; None: at its median.
        in_each_group: whether the groups are split one by one.
        only: variable and level that all have, such as ``{"diagnosis": "AOSD"}``.
        without: ids of patients left out.
        accept_few: whether parts of fewer than five patients are drawn all the same.

    Example:
        >>> Patients(split_by="sex")
        Patients(split_by='sex')
    """

    split_by: str = GROUP
    cut: float | None = None
    in_each_group: bool = False
    only: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    accept_few: bool = False

    def __repr__(self) -> str:
        """Return the call that makes the same choice; what is as usual is not named."""
        usual = Patients()
        changed = [one.name for one in fields(self) if getattr(self, one.name) != getattr(usual, one.name)]
        return f"Patients({', '.join(f'{name}={getattr(self, name)!r}' for name in changed)})"


EVERYONE = Patients()


@dataclass(frozen=True)
class Chosen:
    """The patients of a view.

    Attributes:
        study: the cohort with its patients in their parts, which stand for the groups.
        notes: what is to be said of the choice: who was left out, and which part is small.
        by_group: whether the parts are the study's own groups.
    """

    study: Study
    notes: tuple[str, ...] = ()
    by_group: bool = True


def choose(study: Study, patients: Patients, *, known_by: float = 0.0) -> Chosen:
    """Return the cohort with the patients of a view, whose parts stand for its groups.

    Args:
        study: the cohort.
        patients: the choice.
        known_by: day by which a split must be known; a later one would look into the future.

    Raises:
        ExplorationError: the variable, level or patient is not known, nobody is left, or there are too many
            parts.
        FewPatientsError: a part has fewer than five patients, and ``accept_few`` is False.
    """
    narrowed, notes = _narrowed(study, patients)
    changed = bool(patients.only or patients.without)
    if patients.split_by == GROUP:
        found = _with_groups(narrowed, [g for g in narrowed.config.groups if _size(narrowed, g.id)])
    else:
        found, more = _split(study, narrowed, patients, known_by)
        notes += more
        changed = True
    small = [group for group in found.config.groups if _size(found, group.id) < FEWEST]
    if small and changed:
        said = ", ".join(f"{group.label} ({_size(found, group.id)})" for group in small)
        told = f"Fewer than five patients: {said}."
        if not patients.accept_few:
            remedy = (
                "Nothing is drawn before you agree: so few say little, and may be recognised. "
                "Choose 'Draw fewer than five', in code accept_few=True, or another split."
            )
            raise FewPatientsError(told, remedy=remedy)
        notes.append(told)
    return Chosen(found, tuple(notes), patients.split_by == GROUP)


def levels(variable: BaselineVariable, cut: float | None = None) -> pd.Series:
    """Return each patient's level of a variable in words, missing where it is not known.

    A number is split at ``cut``, or at its median; a value known only as a limit counts where the limit
    decides.
    """
    values = variable.values
    if variable.kind == "categorical":
        return values.astype("string")
    if variable.kind == "binary":
        names = {True: variable.level or "yes", False: f"not {variable.level}" if variable.level else "no"}
        if variable.level == "female":
            names[False] = "male"
        elif variable.name == DEATH:
            names = {True: "died", False: "survived"}
        return values.map(names).astype("string")
    numbers = pd.Series(as_float(values), index=values.index)
    at = cut_of(variable, cut)
    below, above = f"below {_written(at, variable)}", f"{_written(at, variable)} or more"
    level = pd.Series(np.where(numbers < at, below, above), index=numbers.index, dtype="string")
    signs = variable.qualifiers.reindex(numbers.index).fillna("")
    unknown = numbers.isna() | ((signs == ">") & (numbers < at)) | ((signs == "<") & (numbers >= at))
    return level.mask(unknown)


def cut_of(variable: BaselineVariable, cut: float | None) -> float:
    """Return where a number is split: the cut given, or the median of the known values.

    Raises:
        ExplorationError: nothing is known of it.
    """
    if cut is not None:
        return float(cut)
    known = as_float(variable.values.dropna())
    if not known.size:
        raise ExplorationError(f"{variable.label} is recorded of nobody.")
    return float(np.median(known))


def level_names(variable: BaselineVariable, cut: float | None = None) -> list[str]:
    """Return the levels of a variable: those of a number from low to high, yes before no, texts by name."""
    found = set(levels(variable, cut).dropna())
    if variable.kind == "continuous":
        at = _written(cut_of(variable, cut), variable)
        return [name for name in (f"below {at}", f"{at} or more") if name in found]
    if variable.kind == "binary":
        first = variable.level or ("died" if variable.name == DEATH else "yes")
        return sorted(found, key=lambda name: (name != first, name))
    return sorted(found)


def variable_named(study: Study, name: str) -> BaselineVariable:
    """Return a variable that patients can be chosen by.

    Raises:
        ExplorationError: there is none of this name; near ones are told.
    """
    if name.startswith(RESPONSE_AT):
        return _response_at(study, name.removeprefix(RESPONSE_AT))
    if name not in study.variables:
        near = closest(name, tuple(study.variables))
        hint = f"Did you mean {near!r}?" if near else f"There are: {', '.join(study.variables)}."
        raise ExplorationError(f"No variable {name!r} is recorded at baseline.", remedy=hint)
    return study.variables[name]


def only_members(tables: AnalysisTables, ids: pd.Series | set[str]) -> AnalysisTables:
    """Return the tables of these patients alone."""
    kept = set(ids)
    frames = {}
    for name in tables.names():
        frame = getattr(tables, name)
        frames[name] = frame[frame["patient_id"].isin(kept)].reset_index(drop=True)
    return replace(tables, **frames)


def _narrowed(study: Study, patients: Patients) -> tuple[Study, list[str]]:
    """Return the cohort without those whom the choice leaves out, and what is to be said of it."""
    ids, notes = set(study.tables.patients["patient_id"]), []
    unknown = [one for one in patients.without if one not in ids]
    if unknown:
        raise ExplorationError(f"No patient {', '.join(unknown)} in this cohort.")
    kept = ids - set(patients.without)
    if patients.without:
        notes.append(f"Without {', '.join(patients.without)}.")
    for name, level in patients.only.items():
        if name == GROUP:
            label, found = "Group", study.tables.patients.set_index("patient_id")["group"].astype("string")
            names = list(study.config.group_ids)
        else:
            variable = variable_named(study, name)
            label, found, names = variable.label, levels(variable), level_names(variable)
        if level not in names:
            raise ExplorationError(f"{label} is never {level!r}.", remedy=f"There are: {', '.join(names)}.")
        kept &= set(found.index[(found == level).fillna(value=False)])
        notes.append(f"Only {label}: {level}.")
    if not kept:
        raise ExplorationError("Nobody is left by this choice.", remedy="Choose another level, or fewer.")
    if len(kept) == len(ids):
        return study, notes
    return study.with_(study.config, only_members(study.tables, kept)), notes


def _split(whole: Study, study: Study, patients: Patients, known_by: float) -> tuple[Study, list[str]]:
    """Return the patients of `study` in parts by a variable of the `whole` cohort, and what is to be said."""
    notes: list[str] = []
    ids = pd.Index(study.tables.patients["patient_id"])
    if patients.split_by == EVERYBODY:
        level, names, label = pd.Series("everybody", index=ids, dtype="string"), ["everybody"], ""
    else:
        _refuse_the_future(study, patients.split_by, known_by)
        variable = variable_named(whole, patients.split_by)
        signs = variable.qualifiers.reindex(ids)
        variable = replace(variable, values=variable.values.reindex(ids), qualifiers=signs)
        level, names = levels(variable, patients.cut), level_names(variable, patients.cut)
        label = variable.label
        unknown = int(level.isna().sum())
        if unknown:
            notes.append(f"{unknown} of {len(level)} patients are left out: {label} is not known of them.")
        if variable.kind == "continuous" and patients.cut is None:
            notes.append(f"{label} is split at its median, {_written(cut_of(variable, None), variable)}.")
    parts, member = _parts(study, level, names, label, each=patients.in_each_group)
    if len(parts) > MOST_PARTS:
        raise ExplorationError(
            f"{label or 'This'} would give {len(parts)} parts, more than {MOST_PARTS} cannot be told apart.",
            remedy="Choose one group, or a variable with fewer levels.",
        )
    kept = member.dropna()
    if kept.empty:
        raise ExplorationError(f"{label} is known of none of these patients.")
    tables = only_members(study.tables, set(kept.index))
    frame = tables.patients.assign(group=tables.patients["patient_id"].map(kept))
    return _with_groups(study.with_(study.config, replace(tables, patients=frame)), parts), notes


def _parts(
    study: Study, level: pd.Series, names: list[str], label: str, *, each: bool
) -> tuple[list[Group], pd.Series]:
    """Return the parts that somebody is in as groups, and the id of each patient's part."""
    own = study.tables.patients.set_index("patient_id")["group"]
    member = pd.Series(pd.NA, index=level.index, dtype="object")
    found: list[tuple[str, str]] = []
    for group in study.config.groups if each else (None,):
        for name in names:
            mine = (level == name).fillna(value=False)
            if group is not None:
                mine &= own.reindex(level.index) == group.id
            if mine.any():
                short = _capital(name) if label == "" else _short(label, name)
                words = f"{group.short_label}, {_small(short)}" if group is not None else short
                found.append((f"part_{len(found) + 1}_{slug(name)}", words))
                member[mine] = found[-1][0]
    starts = {group.day0 for group in study.config.groups if (own == group.id).any()}
    day0 = starts.pop() if len(starts) == 1 else "day 0 of the patient's group"
    parts = [
        Group(id=id_, label=words, short_label=words, role="reference" if i else "treated", day0=day0)
        for i, (id_, words) in enumerate(found)
    ]
    return parts, member


def _short(label: str, level: str) -> str:
    """Return how a part is called: its level, with the variable where the level alone says nothing."""
    name = label.rpartition(", ")[0] or label
    plain = level in ("yes", "no") or level[0].isdigit() or level.startswith("below ")
    return f"{name}: {level}" if plain else _capital(level)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _small(text: str) -> str:
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def _written(value: float, variable: BaselineVariable) -> str:
    digits = variable.digits if value == round(value, variable.digits) else variable.digits + 1
    return f"{format_number(value, digits)} {variable.unit}".strip()


def _response_at(study: Study, visit: str) -> BaselineVariable:
    known = [one.id for one in study.config.visits if one.day > 0]
    if visit not in known:
        raise ExplorationError(f"No visit {visit!r}.", remedy=f"There are: {', '.join(known)}.")
    people = study.tables.patients.set_index("patient_id")
    values = pd.Series(pd.NA, index=people.index, dtype="string")
    for group in study.config.group_ids:
        paths = response_paths(study.tables, study.config, group)
        if visit in paths:
            values.loc[paths.index] = paths[visit].astype("string")
    label = f"Response at {study.config.visit(visit).label.lower()}"
    return BaselineVariable(f"{RESPONSE_AT}{visit}", label, "categorical", values, values.isna().map(str))


def _refuse_the_future(study: Study, name: str, known_by: float) -> None:
    """Refuse to split follow-up by what became known during it: those who lived to show it cannot lose."""
    if known_by == float("inf"):
        return
    if name == DEATH:
        raise ExplorationError("Death is what is followed here, and cannot split the patients.")
    if name.startswith(RESPONSE_AT):
        visit = study.config.visit(name.removeprefix(RESPONSE_AT))
        if visit.window[1] > known_by:
            raise ExplorationError(
                f"The response at {visit.label.lower()} is known up to day {visit.window[1]} only: whoever "
                "has one lived until then.",
                remedy=f"Choose a landmark on day {visit.window[1]} or later.",
            )


def _size(study: Study, group: str) -> int:
    return int((study.tables.patients["group"] == group).sum())


def _with_groups(study: Study, groups: list[Group]) -> Study:
    if tuple(groups) == study.config.groups:
        return study
    return study.with_(study.config.model_copy(update={"groups": tuple(groups)}), study.tables)
