"""Glucocorticoid equivalence: which drugs are converted, by which factor, and which are refused by name."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from helpers.clinical.errors import ClinicalError

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Equivalents:
    """Glucocorticoid equivalence: mg of each drug equal to prednisone 5 mg, and its standing."""

    mg: Mapping[str, float]
    standing: Mapping[str, str]
    systemic_routes: frozenset[str]
    local_only: frozenset[str] = frozenset()
    not_glucocorticoids: frozenset[str] = frozenset()
    source: str = field(default="", compare=False)

    def replace(self, **mg: float) -> Equivalents:
        """Return a copy with the named drugs' mg (equal to prednisone 5 mg) set by the caller."""
        bad = [f"{drug}: expected mg above 0, found {value}" for drug, value in mg.items() if not value > 0]
        if bad:
            raise ClinicalError(bad)
        standing = {**self.standing, **dict.fromkeys(mg, "set by the caller")}
        return Equivalents(
            {**self.mg, **mg},
            standing,
            self.systemic_routes,
            self.local_only,
            self.not_glucocorticoids,
            self.source,
        )


@cache
def default_equivalents() -> Equivalents:
    """Read the equivalence table that comes with the package (source and standing of each figure inside)."""
    file = resources.files("helpers.clinical") / "criteria" / "glucocorticoid_equivalents.toml"
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    drugs = data["glucocorticoids"]
    return Equivalents(
        mg={drug: float(entry["mg"]) for drug, entry in drugs.items()},
        standing={drug: str(entry["standing"]) for drug, entry in drugs.items()},
        systemic_routes=frozenset(data["systemic_routes"]),
        local_only=frozenset(data["local_only"]["drugs"]),
        not_glucocorticoids=frozenset(data["not_glucocorticoids"]["drugs"]),
        source=str(data["source"]),
    )


def refusal(drug: str, route: str, table: Equivalents) -> str | None:
    """Say why a drug by a route has no prednisone equivalent; None when it has one."""
    if drug in table.local_only:
        return f"drug '{drug}' is a glucocorticoid with local effect only: it has no prednisone equivalent"
    if drug in table.not_glucocorticoids:
        return f"drug '{drug}' is not a glucocorticoid"
    if drug not in table.mg:
        return f"drug '{drug}' is unknown; glucocorticoids known are {', '.join(sorted(table.mg))}"
    if route not in table.systemic_routes:
        return (
            f"drug '{drug}', route '{route}': only systemic routes are converted, "
            f"expected {', '.join(sorted(table.systemic_routes))}"
        )
    return None


def prednisone_equivalent(
    drug: str, dose_mg: npt.ArrayLike, route: str, *, equivalents: Equivalents | None = None
) -> float | FloatArray:
    """Convert a dose of a systemic glucocorticoid to mg of prednisone.

    `dose_mg` is a number or an array of mg; the answer has its shape. Raises `ClinicalError` for a drug that
    is not a glucocorticoid or unknown, a route that is not systemic, or a negative dose.
    """
    table = equivalents or default_equivalents()
    reason = refusal(drug, route, table)
    if reason:
        raise ClinicalError(reason)
    dose = np.asarray(dose_mg, dtype=float)
    if np.any(dose < 0):
        raise ClinicalError(f"drug '{drug}': dose below 0 mg ({float(np.nanmin(dose)):g})")
    result = dose * (5.0 / table.mg[drug])
    return float(result) if result.ndim == 0 else result
