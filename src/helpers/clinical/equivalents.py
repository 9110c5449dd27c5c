"""Glucocorticoid equivalence: which drugs are converted, by which factor, and which are refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace as replaced
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from helpers.clinical.errors import ClinicalError
from helpers.vocabulary.model import GLUCOCORTICOID
from helpers.vocabulary.reading import shipped_vocabulary
from helpers.vocabulary.vocabulary import Vocabulary, looks_like_glucocorticoid

FloatArray = npt.NDArray[np.float64]

# Routes by which a glucocorticoid acts on the whole body.
SYSTEMIC_ROUTES: Final = frozenset({"iv", "po", "im"})


@dataclass(frozen=True)
class Equivalents:
    """Glucocorticoid equivalence, read from the drugs of a vocabulary.

    Attributes:
        mg: mg of each systemic glucocorticoid equal to prednisone 5 mg.
        standing: how well each figure is known.
        local_only: glucocorticoids given for a local effect, never converted.
        not_glucocorticoids: known drugs that add nothing to the dose.
        systemic_routes: routes by which a glucocorticoid is converted.

    >>> table = default_equivalents()
    >>> table.replace(dexamethasone=0.8).mg["dexamethasone"], table.adds_nothing("etoposide")
    (0.8, True)
    """

    mg: Mapping[str, float]
    standing: Mapping[str, str]
    local_only: frozenset[str] = frozenset()
    not_glucocorticoids: frozenset[str] = frozenset()
    systemic_routes: frozenset[str] = SYSTEMIC_ROUTES

    def replace(self, **mg: float) -> Equivalents:
        """Return a copy with the named drugs' mg (equal to prednisone 5 mg) set by the caller.

        Raises ClinicalError for a figure that is not above 0.
        """
        bad = [f"{drug}: expected mg above 0, found {value}" for drug, value in mg.items() if not value > 0]
        if bad:
            raise ClinicalError(bad)
        standing = {**self.standing, **dict.fromkeys(mg, "set by the caller")}
        return replaced(self, mg={**self.mg, **mg}, standing=standing)

    def adds_nothing(self, drug: str) -> bool:
        """Tell whether a drug is no glucocorticoid: known as another, or unknown and not named like one."""
        if drug in self.mg or drug in self.local_only:
            return False
        return drug in self.not_glucocorticoids or not looks_like_glucocorticoid(drug)


def equivalents_of(vocabulary: Vocabulary) -> Equivalents:
    """Return the glucocorticoids of a vocabulary and their equivalents.

    Example:
        >>> equivalents_of(shipped_vocabulary()).mg["dexamethasone"]
        0.75
    """
    drugs = vocabulary.drugs.values()
    steroids = [drug for drug in drugs if drug.drug_class == GLUCOCORTICOID]
    local = f"local_{GLUCOCORTICOID}"
    return Equivalents(
        mg={drug.name: drug.prednisone_5_mg for drug in steroids if drug.prednisone_5_mg is not None},
        standing={drug.name: drug.standing for drug in steroids},
        local_only=frozenset(drug.name for drug in drugs if drug.drug_class == local),
        not_glucocorticoids=frozenset(
            drug.name for drug in drugs if drug.drug_class not in (GLUCOCORTICOID, local)
        ),
    )


@cache
def default_equivalents() -> Equivalents:
    """Return the equivalence of the glucocorticoids that come with the package.

    >>> default_equivalents().mg["methylprednisolone"]
    4.0
    """
    return equivalents_of(shipped_vocabulary())


def refusal(drug: str, route: str, table: Equivalents) -> str | None:
    """Say why a drug by a route has no prednisone equivalent; None when it has one.

    >>> refusal("prednisone", "po", default_equivalents()) is None
    True
    >>> refusal("etoposide", "po", default_equivalents())
    "drug 'etoposide' is not a glucocorticoid"
    """
    if drug in table.local_only:
        return f"drug '{drug}' is a glucocorticoid with local effect only: it has no prednisone equivalent"
    if table.adds_nothing(drug):
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

    >>> (
    ...     prednisone_equivalent("methylprednisolone", 40.0, "iv"),
    ...     prednisone_equivalent("dexamethasone", 7.5, "po"),
    ... )
    (50.0, 50.0)
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
