"""Baseline comparison: describe each characteristic by group, test and standardise the difference.

>>> found = compare_baseline(tables, config, store, horizon_days=56, confidence=0.95, seed=1)
>>> found[0].name, store.rows()["baseline.age.ruxolitinib.baseline.median"].value
('age', 37.0)
>>> count_balance(store)
>>> store.rows()["balance.standardized_difference.both.baseline.above_0_1"].value
18.0
>>> count_prior_therapies(tables, config, store).labels["etoposide"]
'Etoposide'
>>> chosen_test("age", "continuous", config).name
'exact'
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from helpers.analysis.severity import count_severity
from helpers.analysis.summary import store_gap, store_share, store_shift, store_summary
from helpers.analysis.variables import (
    DEATH,
    PRIOR_PREFIX,
    BaselineVariable,
    Kind,
    as_float,
    baseline_variables,
    by_group,
    comparison,
    level_name,
    levels_of,
    therapy_label,
)
from helpers.results.store import EVERYBODY, slug
from helpers.stats.contingency import standardized_difference_proportions
from helpers.stats.group_tests import GroupTest, named_test
from helpers.stats.result import Result, StatisticsError
from helpers.stats.shift import hodges_lehmann
from helpers.stats.two_group import (
    adjust_p_values,
    standardized_difference,
    standardized_difference_error,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.results.store import Statistic, StatisticsStore

ANALYSIS = "baseline"
OVERLAP = "prior_therapy_overlap"
_WHEN: dict[str, Any] = {"timepoint": "baseline"}
_ADJUSTMENTS = {"holm": "Holm", "benjamini_hochberg": "Benjamini-Hochberg"}


def compare_baseline(
    tables: AnalysisTables,
    config: CohortConfig,
    store: StatisticsStore,
    *,
    horizon_days: float,
    confidence: float,
    seed: int,
    folder: Path | None = None,
) -> list[BaselineVariable]:
    """Describe and compare every baseline variable; return them in the order of the table.

    Continuous variables: median, quartiles, range, rank-sum test, Hodges-Lehmann shift, standardised
    difference (on the log scale for skewed laboratory values). Binary: count, share with interval, the
    configured 2 x 2 test. Categorical: each level as binary (`level_test`), and an r x c test of the whole.
    Severity at baseline by the configured cut-offs is counted as well; `folder` is the cohort's, if they are
    its own.
    """
    for group, part in _described(tables.patients.set_index("patient_id")["group"], tables, config):
        store.add(
            "group", "patients", "n", group=group, value=len(part), unit="patients", method="count", **_WHEN
        )
    variables = baseline_variables(tables, config, horizon_days)
    for variable in variables:
        if variable.kind == "continuous":
            _describe_continuous(variable, tables, config, store)
            _compare_continuous(variable, tables, config, store, confidence, seed)
        elif variable.kind == "binary":
            counted = [
                _Counted(group, int(part.sum()), int(part.notna().sum()), int(part.isna().sum()))
                for group, part in _described(variable.values, tables, config)
            ]
            _describe_binary(variable.name, variable.level, counted, store, confidence)
            _compare_binary(variable.name, counted, config, store, confidence)
        else:
            _categorical(variable, tables, config, store, confidence, seed)
    count_severity(tables, config, store, confidence=confidence, folder=folder)
    _adjust_for_multiplicity(config, store)
    return variables


def _described(
    values: pd.Series, tables: AnalysisTables, config: CohortConfig
) -> list[tuple[str, pd.Series]]:
    """Return the values of each group, and those of all patients where Table 1 shows them."""
    found = list(zip(config.group_ids, by_group(values, tables, config.group_ids), strict=True))
    if "overall" in config.baseline.show:
        found.append((EVERYBODY, values))
    return found


def _describe_continuous(
    variable: BaselineVariable, tables: AnalysisTables, config: CohortConfig, store: StatisticsStore
) -> None:
    signs = dict(_described(variable.qualifiers, tables, config))
    for group, values in _described(variable.values, tables, config):
        store_summary(
            store,
            ANALYSIS,
            variable.name,
            values,
            qualifiers=signs[group],
            group=group,
            unit=variable.unit,
            n=int(values.notna().sum()),
            n_missing=int(values.isna().sum()),
            **_WHEN,
        )
        if variable.name in config.tests.mean_sd:
            _store_mean(variable, values.dropna().astype(float), group, store)


def _store_mean(variable: BaselineVariable, known: pd.Series, group: str, store: StatisticsStore) -> None:
    common: dict[str, Any] = {"group": group, "unit": variable.unit, "n": len(known), **_WHEN}
    for name, least, value in (("mean", 1, known.mean()), ("sd", 2, known.std(ddof=1))):
        note = "" if len(known) >= least else f"not estimable: {len(known)} values"
        method = "arithmetic mean" if name == "mean" else "standard deviation (n - 1)"
        store.add(ANALYSIS, variable.name, name, value=float(value), method=method, note=note, **common)


def chosen_test(name: str, kind: Kind, config: CohortConfig) -> GroupTest:
    """Return the test that the settings choose for a variable of a kind; `check` has refused any other."""
    chosen = config.tests
    by_kind = {"continuous": chosen.continuous, "binary": chosen.categorical, "categorical": chosen.levels}
    own = chosen.variables.get(name)
    return named_test(own if own and named_test(own).kind == kind else by_kind[kind])


def _compare_continuous(
    variable: BaselineVariable,
    tables: AnalysisTables,
    config: CohortConfig,
    store: StatisticsStore,
    confidence: float,
    seed: int,
) -> None:
    if len(config.groups) < 2:
        return
    treated, reference = by_group(variable.values, tables, comparison(config))
    if treated.notna().sum() == 0 or reference.notna().sum() == 0:
        _say_uncompared(variable.name, int(treated.notna().sum() + reference.notna().sum()), store)
        return
    x, y = as_float(treated), as_float(reference)
    test = chosen_test(variable.name, "continuous", config).run(x, y, seed=seed)
    common: dict[str, Any] = {"group": "both", **_WHEN}
    store.add(ANALYSIS, variable.name, "test", result=test, value=test.statistic, **common)
    signs = [part.to_numpy() for part in by_group(variable.qualifiers, tables, comparison(config))]
    known = config.vocabulary.get(variable.name)
    shift = hodges_lehmann(
        x, y, x_qualifiers=signs[0], y_qualifiers=signs[1],
        smallest=known.smallest if known else -np.inf, confidence=confidence,
    )  # fmt: skip
    store_shift(store, ANALYSIS, variable.name, shift, unit=variable.unit, **common)
    store.add(
        ANALYSIS,
        variable.name,
        "standardized_difference",
        result=_difference(x, y, variable.skewed),
        **common,
    )


def _difference(x: np.ndarray, y: np.ndarray, skewed: bool) -> Result:
    """Return the standardised difference; without a value where a group has one patient with a value."""
    scale: Literal["log", "identity"] = (
        "log" if skewed and np.nanmin(np.concatenate([x, y])) > 0 else "identity"
    )
    try:
        return standardized_difference(x, y, scale=scale)
    except StatisticsError:
        n = int(np.isfinite(x).sum() + np.isfinite(y).sum())
        note = "not estimable: needs two values in each group"
        return Result(method="standardised mean difference", n=n, note=note)


def _say_uncompared(name: str, n: int, store: StatisticsStore) -> None:
    """Store the comparison of a variable that one group lacks as rows without a value and with the reason."""
    note = "not estimable: recorded in one group only"
    for statistic in ("test", "standardized_difference"):
        store.add(ANALYSIS, name, statistic, n=n, method="no comparison", note=note, group="both", **_WHEN)


@dataclass(frozen=True)
class _Counted:
    """How many patients of a group have a characteristic, of how many of whom it is known."""

    group: str
    count: int
    n: int
    n_missing: int


def _describe_binary(
    name: str, level: str, counted: Iterable[_Counted], store: StatisticsStore, confidence: float
) -> None:
    for each in counted:
        common: dict[str, Any] = {"group": each.group, "n": each.n, "n_missing": each.n_missing, **_WHEN}
        of_patients: dict[str, Any] = {"unit": "patients", **common}
        store.add(ANALYSIS, name, "count", value=each.count, method="count", level=level, **of_patients)
        if level:
            method = f"count of those recorded otherwise than {level}"
            store.add(ANALYSIS, name, "other_count", value=each.n - each.count, method=method, **of_patients)
        if each.n:
            store_share(store, ANALYSIS, name, each.count, confidence=confidence, **common)


def _compare_binary(
    name: str,
    counted: Iterable[_Counted],
    config: CohortConfig,
    store: StatisticsStore,
    confidence: float,
    *,
    statistic: str = "test",
) -> None:
    """Store test and differences; a level's own test is no member of the baseline's family."""
    if len(config.groups) < 2:
        return
    of_group = {each.group: (each.count, each.n) for each in counted}
    (a, m), (b, n) = (of_group[group] for group in comparison(config))
    if not m or not n:
        if statistic == "test":
            _say_uncompared(name, m + n, store)
        return
    common: dict[str, Any] = {"group": "both", **_WHEN}
    result = chosen_test(name, "binary", config).run([[a, m - a], [b, n - b]])
    store.add(ANALYSIS, name, statistic, result=result, value=result.statistic, **common)
    size = standardized_difference_proportions(a, m, b, n)
    store.add(ANALYSIS, name, "standardized_difference", result=size, **common)
    if "difference" in config.baseline.show:
        store_gap(store, ANALYSIS, name, (a, m), (b, n), confidence=confidence, **common)


def _categorical(
    variable: BaselineVariable,
    tables: AnalysisTables,
    config: CohortConfig,
    store: StatisticsStore,
    confidence: float,
    seed: int,
) -> None:
    levels = levels_of(variable)
    parts = {
        group: (part.value_counts(), len(part)) for group, part in _described(variable.values, tables, config)
    }
    for level in levels:
        counted = [
            _Counted(group, int(counts.get(level, 0)), int(counts.sum()), int(size - counts.sum()))
            for group, (counts, size) in parts.items()
        ]
        name = level_name(variable, level)
        _describe_binary(name, variable.level, counted, store, confidence)
        _compare_binary(name, counted, config, store, confidence, statistic="level_test")
    if len(config.groups) < 2 or len(levels) < 2:
        return
    table = [[int(parts[group][0].get(level, 0)) for level in levels] for group in comparison(config)]
    if min(map(sum, table)):
        test = chosen_test(variable.name, "categorical", config).run(table, seed=seed)
        store.add(ANALYSIS, variable.name, "test", result=test, value=test.statistic, group="both", **_WHEN)
    else:
        _say_uncompared(variable.name, sum(map(sum, table)), store)


def _adjust_for_multiplicity(config: CohortConfig, store: StatisticsStore) -> None:
    """Store each baseline p-value adjusted for their number; death is an outcome and not of the family."""
    tests = store.rows().select(analysis=ANALYSIS, statistic="test")
    family = [row for row in tests if row.variable != DEATH and row.p_value == row.p_value]
    store_adjusted(family, "baseline tests", config, store)


def store_adjusted(
    family: Sequence[Statistic], what: str, config: CohortConfig, store: StatisticsStore
) -> None:
    """Store the p-value of each test of a family adjusted for their number, as the settings say.

    Args:
        family: stored tests with a p-value.
        what: how they are called in the method: ``baseline tests``.
        config, store: of the cohort.
    """
    method = config.tests.multiplicity
    if method == "none" or not family:
        return
    label = f"{_ADJUSTMENTS[method]} adjustment over {len(family)} {what}"
    adjusted = adjust_p_values([row.p_value for row in family], method)
    for row, p_value in zip(family, adjusted, strict=True):
        store.add(row.analysis, row.variable, "test_adjusted", p_value=p_value, method=label, n=len(family),
                  group=row.group, timepoint=row.timepoint)  # fmt: skip


def count_balance(store: StatisticsStore, *, limit: float = 0.1) -> None:
    """Store how many of the standardised differences exceed 0.1 in size, and their standard error by chance.

    Death is an outcome and left out.
    """
    rows = store.rows().select(analysis=ANALYSIS, statistic="standardized_difference")
    known = [abs(row.value) for row in rows if row.value == row.value and row.variable != DEATH]
    if known:
        store.add(
            "balance",
            "standardized_difference",
            "above_0_1",
            group="both",
            n=len(known),
            value=sum(value > limit for value in known),
            method="absolute value above 0.1",
            **_WHEN,
        )
    sizes: dict[str, int] = {}
    for row in store.rows().select(analysis=ANALYSIS):
        if row.group != "both" and row.n:
            sizes[row.group] = max(row.n, sizes.get(row.group, 0))
    if known and len(sizes) == 2:
        error = standardized_difference_error(*sizes.values())
        store.add("balance", "standardized_difference", "standard_error", result=error, group="both", **_WHEN)


@dataclass(frozen=True)
class TherapyOverlaps:
    """Which earlier therapies the cohort records.

    Attributes:
        labels: name and label of each therapy, in the configuration's order.
    """

    labels: dict[str, str]


def count_prior_therapies(
    tables: AnalysisTables, config: CohortConfig, store: StatisticsStore
) -> TherapyOverlaps:
    """Count the patients who received each combination of earlier therapies.

    Glucocorticoids, which every such patient has received, are left out of the combinations.
    """
    patients = tables.patients
    present = [
        name
        for name in config.baseline.prior_therapies or _recorded_therapies(patients, config)
        if not name.endswith("glucocorticoid") and PRIOR_PREFIX + name in patients.columns
    ]
    columns = [PRIOR_PREFIX + name for name in present]
    flags = patients[columns].fillna(value=False).to_numpy(dtype=bool)
    if flags.any():
        slugs = [slug(name) for name in present]
        combined = ["_and_".join(compress(slugs, row)) or "none" for row in flags.tolist()]
        counts = pd.crosstab(pd.Series(combined), patients["group"].to_numpy())
        counts = counts.reindex(columns=list(config.group_ids), fill_value=0)
        total = counts.sum(axis=1)
        for name in sorted(counts.index, key=lambda c: (c == "none", c.count("_and_"), -total[c], c)):
            for group in config.group_ids:
                _store_combination(name, "n", int(counts.loc[name, group]), group, patients, store)
        immunosuppressed = flags[:, [name != "ivig" for name in present]].any(axis=1)
        for group in config.group_ids:
            count = int((immunosuppressed & (patients["group"] == group).to_numpy()).sum())
            _store_combination("any_but_ivig", "count", count, group, patients, store)
    return TherapyOverlaps({slug(name): therapy_label(name, config) for name in present})


def _recorded_therapies(patients: pd.DataFrame, config: CohortConfig) -> list[str]:
    """Return the earlier therapies that the cohort has a column of."""
    names = [name.removeprefix(PRIOR_PREFIX) for name in patients.columns if name.startswith(PRIOR_PREFIX)]
    known = {*config.vocabulary.drugs, *config.vocabulary.drug_groups()}
    return [name for name in names if name in known or PRIOR_PREFIX + name not in config.vocabulary]


def _store_combination(
    name: str, statistic: str, count: int, group: str, patients: pd.DataFrame, store: StatisticsStore
) -> None:
    n = int((patients["group"] == group).sum())
    store.add(
        OVERLAP, name, statistic, value=count, group=group, n=n, unit="patients", method="count", **_WHEN
    )
