"""Steroid-sparing endpoints in which no death is lost: alive at a low dose, and a composite rank.

>>> endpoint_visit(config, 56).id
'week_8'
>>> found = describe_alive_at_low_dose(tables, config, store, horizon_days=56, confidence=0.95)
>>> found["reason"].value_counts()["died"].item()
9
>>> float(describe_composite_rank(tables, config, store, horizon_days=56)["rank"].min())
1.0
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pandas as pd

from helpers.analysis.clinical import by_group
from helpers.analysis.summary import store_share
from helpers.clinical.steroid_endpoints import alive_at_low_dose, composite_rank
from helpers.cohort.doses import spared_doses
from helpers.results.store import slug
from helpers.stats.group_tests import named_test
from helpers.stats.proportions import proportion_difference
from helpers.stats.two_group import RankSumMethod, probability_of_superiority, rank_sum_test

if TYPE_CHECKING:
    from helpers.cohort.cleaning import AnalysisTables
    from helpers.cohort.config import CohortConfig
    from helpers.cohort.settings import Visit
    from helpers.results.store import StatisticsStore

ALIVE_LOW, COMPOSITE = "alive_low_dose", "composite_rank"
REASONS = ("low dose", "dose above", "died", "not known")


def endpoint_visit(config: CohortConfig, horizon_days: float) -> Visit | None:
    """Return the last visit up to the horizon, on which the endpoints are read; None if there is none."""
    later = [visit for visit in config.visits if 0 < visit.day <= horizon_days]
    return later[-1] if later else None


def describe_alive_at_low_dose(
    tables: AnalysisTables,
    config: CohortConfig,
    store: StatisticsStore,
    *,
    horizon_days: float,
    confidence: float,
) -> pd.DataFrame:
    """Store who is alive at or below the configured dose at the last visit, by group, and the comparison.

    Death is failure. Patients whose dose is not known leave the denominator and are counted; the shares if
    all of them had failed or succeeded are stored as bounds.
    """
    visit = endpoint_visit(config, horizon_days)
    doses = spared_doses(tables, config)
    if doses.empty or visit is None:
        return pd.DataFrame()
    found = by_group(
        alive_at_low_dose(
            doses, tables.patients, day=visit.day, threshold=config.steroids.threshold_mg_per_kg,
            rule=config.steroids.dose_summary,
        ),
        tables,
    )  # fmt: skip
    cells: dict[str, tuple[int, int]] = {}
    for group in config.group_ids:
        mine = found[found["group"] == group]
        known = int(mine["success"].notna().sum())
        reached = int(mine["success"].fillna(value=False).sum())
        common: dict[str, Any] = {"group": group, "timepoint": visit.id}
        store.add(ALIVE_LOW, "dose", "threshold", value=config.steroids.threshold_mg_per_kg, unit="mg/kg/d",
                  method="setting of the cohort", **common)  # fmt: skip
        for reason in REASONS:
            store.add(ALIVE_LOW, "patients", slug(reason), value=int((mine["reason"] == reason).sum()),
                      n=len(mine), unit="patients", method="outcome at the visit", **common)  # fmt: skip
        if not known:
            continue
        cells[group] = (reached, known)
        unknown = len(mine) - known
        store_share(store, ALIVE_LOW, "patients", reached, known, confidence=confidence, n_missing=unknown,
                    **common)  # fmt: skip
        store.add(ALIVE_LOW, "patients", "percent_bounds", value=100 * reached / known, n=len(mine), unit="%",
                  lower=100 * reached / len(mine), upper=100 * (reached + unknown) / len(mine),
                  method="if all with an unknown dose had failed, or succeeded", **common)  # fmt: skip
    _compare_shares(cells, config, store, visit.id, confidence)
    return found


def _compare_shares(
    cells: dict[str, tuple[int, int]],
    config: CohortConfig,
    store: StatisticsStore,
    visit: str,
    confidence: float,
) -> None:
    treated, reference = config.treated, config.reference
    if treated is None or reference is None or not {treated.id, reference.id} <= set(cells):
        return
    (a, n_a), (b, n_b) = cells[treated.id], cells[reference.id]
    common: dict[str, Any] = {"group": "both", "timepoint": visit}
    table = [[a, n_a - a], [b, n_b - b]]
    store.add(ALIVE_LOW, "patients", "test", result=named_test(config.tests.categorical).run(table),
              **common)  # fmt: skip
    gap = proportion_difference(a, n_a, b, n_b, confidence=confidence)
    store.add(ALIVE_LOW, "patients", "difference", value=100 * gap.value, lower=100 * gap.lower,
              upper=100 * gap.upper, n=n_a + n_b, unit="percentage points", method=gap.method,
              **common)  # fmt: skip


def _rank_method(config: CohortConfig) -> RankSumMethod:
    """Return the rank-sum test of the settings; the exact one where they compare means."""
    chosen = config.tests.continuous
    return chosen if chosen in get_args(RankSumMethod) else "exact"  # type: ignore[return-value]


def describe_composite_rank(
    tables: AnalysisTables,
    config: CohortConfig,
    store: StatisticsStore,
    *,
    horizon_days: float,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Rank every patient from the lowest dose at the last visit to the earliest death, and compare groups.

    The dead rank after every survivor, the earliest last, so that no death can pass for a low dose.
    """
    visit = endpoint_visit(config, horizon_days)
    doses = spared_doses(tables, config)
    if doses.empty or visit is None:
        return pd.DataFrame()
    ranks = by_group(
        composite_rank(doses, tables.patients, day=visit.day, rule=config.steroids.dose_summary),
        tables,
    )
    method = "rank of all patients: survivors by dose, then deaths, the earliest last"
    for group in config.group_ids:
        mine = ranks[ranks["group"] == group]
        known = mine["rank"].dropna()
        common: dict[str, Any] = {"group": group, "timepoint": visit.id, "n": len(known)}
        common["n_missing"] = len(mine) - len(known)
        for reason in ("alive", "died", "not known"):
            store.add(COMPOSITE, "patients", slug(reason), value=int((mine["reason"] == reason).sum()),
                      unit="patients", method="count", **common)  # fmt: skip
        if len(known):
            store.add(COMPOSITE, "rank", "median", value=float(known.median()), method=f"median {method}",
                      **common)  # fmt: skip
    treated, reference = config.treated, config.reference
    if treated is None or reference is None:
        return ranks
    first, second = (ranks.loc[ranks["group"] == g.id, "rank"].dropna() for g in (treated, reference))
    if len(first) and len(second):
        test = rank_sum_test(second.to_numpy(), first.to_numpy(), method=_rank_method(config))
        lost = int(ranks["rank"].isna().sum())
        store.add(COMPOSITE, "rank", "test", result=test, group="both", timepoint=visit.id, n_missing=lost,
                  note="value: probability that a treated patient fares better than a reference patient, "
                       "ties counting half")  # fmt: skip
        better = probability_of_superiority(second, first, confidence=confidence)
        store.add(COMPOSITE, "rank", "probability", result=better, group="both", timepoint=visit.id,
                  n_missing=lost)  # fmt: skip
    return ranks
