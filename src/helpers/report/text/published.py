"""Claims about the comparison with a publication, where the cohort names one."""

from __future__ import annotations

from helpers.report.text.claims import Claim, Material, Row, Slot
from helpers.results.catalogue import PublishedRows

_VERDICTS = ("all", "reproduced", "declared", "contradicted", "not_computable", "differs")


def printed_values(material: Material) -> list[Claim]:
    """What became of the printed values, and what agreement does and does not mean."""
    stored = material.statistics
    ids = {name: PublishedRows.count.id(name) for name in _VERDICTS}
    if material.config.ledger is None or not all(name in stored for name in ids.values()):
        return []
    slots: dict[str, Slot] = {name: Row(stored[identifier], 0) for name, identifier in ids.items()}
    claims = [Claim("published.counts", slots)]
    if material.config.provenance == "reconstructed":
        claims.append(Claim("published.rebuilt"))
    return claims
