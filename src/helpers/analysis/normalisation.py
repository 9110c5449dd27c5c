"""Abnormal values that became normal, and values that fell or rose, in all patients and by their response.

>>> describe_normalisation(tables, config, store)[:2]
['platelets', 'ast']
>>> store.rows()["normalisation.platelets.ruxolitinib.week_1.normalised"].value
4.0
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from helpers.analysis.response import response_paths
from helpers.results.store import slug
from helpers.stats.possible import possible_values
from helpers.vocabulary.model import limits

if TYPE_CHECKING:
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.cohort.settings import Group
    from helpers.results.store import StatisticsStore
    from helpers.stats.checks import Bools, Floats

ANALYSIS = "normalisation"
# By visit: which patients, in the order of their group.
_Responded: TypeAlias = "dict[str, dict[str, Bools]]"


@dataclass(frozen=True)
class _Bounds:
    """Between which bounds the true values of one variable at one visit lie, by patient; NaN if not measured.

    Attributes:
        low, high: the value itself, or a limit and infinity.
        least, most: the patient's limits of normal; NaN where there is none.
    """

    low: Floats
    high: Floats
    least: Floats
    most: Floats

    @property
    def abnormal(self) -> Bools:
        """Surely beyond a limit of normal."""
        return np.asarray((self.high < self.least) | (self.low > self.most))

    @property
    def normal(self) -> Bools:
        """Surely within the limits of normal."""
        above = np.isnan(self.least) | (self.low >= self.least)
        below = np.isnan(self.most) | (self.high <= self.most)
        known = ~(np.isnan(self.least) & np.isnan(self.most)) & ~np.isnan(self.low)
        return np.asarray(known & above & below)


def describe_normalisation(tables: AnalysisTables, config: CohortConfig, store: StatisticsStore) -> list[str]:
    """Store which values were abnormal at baseline, became normal, fell and rose; return the variables found.

    By followed variable and group: ``abnormal`` at baseline; at each later visit ``normalised`` among them,
    and ``fell`` and ``rose`` from baseline. At the last visit with a response also by its level
    (``normalised_pr``) and among the responders (``fell_responders``). A value known only as a limit counts
    where it decides the question; else it is missing. The limits of normal are those printed
    beside the value, else those of the vocabulary or the cohort for the patient's sex and age.
    """
    first = config.baseline_visit
    found: list[str] = []
    if first is None:
        return found
    responded = {group.id: _by_response(group, tables, config) for group in config.groups}
    for name in config.course.variables:
        for group in config.groups:
            bounds = _bounds(name, group, tables, config)
            if first.id not in bounds or len(bounds) < 2:
                continue
            found.append(name)
            _describe(name, group, bounds, first.id, responded[group.id], config, store)
    return list(dict.fromkeys(found))


def _bounds(
    name: str, group: Group, tables: AnalysisTables, config: CohortConfig
) -> dict[str, _Bounds]:  # fmt: skip
    """Return the bounds of a variable by visit, in the order of the group's patients."""
    patients = tables.patients[tables.patients["group"] == group.id].set_index("patient_id")
    rows = tables.visits[tables.visits["variable"] == name].set_index("patient_id")
    age = patients["age"].to_numpy(dtype=float, na_value=np.nan)
    ranges = config.vocabulary.ranges.get(name, ())
    usual = {side: limits(ranges, side, patients["sex"], age) for side in ("low", "high")}
    found = {}
    for visit in config.visits:
        own = rows[rows["visit"] == visit.id].reindex(patients.index)
        low, high = possible_values(own["value"], own["qualifier"])
        if np.isnan(low).all():
            continue
        printed = {side: own[f"reference_{side}"].to_numpy(dtype=float) for side in usual}
        least, most = (np.where(np.isnan(printed[side]), usual[side], printed[side]) for side in usual)
        found[visit.id] = _Bounds(low, high, least, most)
    return found


def _describe(
    name: str, group: Group, bounds: dict[str, _Bounds], first: str, responded: _Responded,
    config: CohortConfig, store: StatisticsStore,
) -> None:  # fmt: skip
    before = bounds[first]
    known = before.normal | before.abnormal
    limited = bool((~np.isnan(before.least) | ~np.isnan(before.most)).any())
    note = "" if known.any() else "not estimable: no limit of normal is known" if not limited else (
        "not estimable: no value that can be told from the limits of normal")  # fmt: skip
    _count(store, name, "abnormal", before.abnormal, known, group.id, first,
           "surely beyond a limit of normal", note)  # fmt: skip
    everyone = np.ones(known.size, dtype=bool)
    for visit in config.visits:
        if visit.id == first or visit.id not in bounds:
            continue
        after = bounds[visit.id]
        told = before.abnormal & (after.normal | after.abnormal)
        fell, rose = after.high < before.low, after.low > before.high
        same = (after.low == before.low) & (after.high == before.high) & (after.low == after.high)
        for part, who in {"": everyone, **responded.get(visit.id, {})}.items():
            among = f", among {part.removeprefix('_')}" if part else ""
            for statistic, which, of, method in (
                ("normalised", after.normal, told, "normal now, of those abnormal at baseline"),
                ("fell", fell, fell | rose | same, "lower than at baseline, paired"),
                ("rose", rose, fell | rose | same, "higher than at baseline, paired"),
            ):
                _count(
                    store, name, statistic + part, which & who, of & who, group.id, visit.id, method + among
                )


def _by_response(group: Group, tables: AnalysisTables, config: CohortConfig) -> _Responded:
    """Return, for the last visit that has a response, who had which level and who any; empty without one."""
    paths = response_paths(tables, config, group.id)
    if paths.empty:
        return {}
    patients = tables.patients.loc[tables.patients["group"] == group.id, "patient_id"]
    visit = paths.columns[-1]
    level = paths[visit].reindex(patients)
    found = {f"_{slug(one.id)}": (level == one.id).to_numpy() for one in config.response_levels}
    return {visit: {**found, "_responders": level.isin(list(config.responding)).to_numpy()}}


def _count(
    store: StatisticsStore, name: str, statistic: str, which: Bools, among: Bools, group: str, visit: str,
    method: str, note: str = "",
) -> None:  # fmt: skip
    n = int(among.sum())
    common: dict[str, Any] = {"group": group, "timepoint": visit, "n": n, "unit": "patients"}
    why = note or ("" if n else "nobody of whom it can be told")
    store.add(ANALYSIS, name, statistic, value=int((which & among).sum()) if n else None, method=method,
              note=why, **common)  # fmt: skip
